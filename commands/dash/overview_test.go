package dash

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// onSimulator is the dashboard with all its pages on a simulated account, and the
// server of it.
func onSimulator(t *testing.T, sc *world.Scenario) (*tuitest.Screen, []deck.Page, *simulator.Server) {
	t.Helper()
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	own := map[string]string{"SSMDECK_CONFIG": "/dev/null", "SSMDECK_CACHE_DIR": t.TempDir(), "SSMDECK_STATE_DIR": t.TempDir(), "HOME": t.TempDir()}
	creds := srv.Credentials()
	env := &cli.Env{
		In: strings.NewReader(""), Out: new(bytes.Buffer), Err: new(bytes.Buffer), Paces: new(awsapi.Paces),
		Lookup: func(name string) (string, bool) { v, ok := own[name]; return v, ok },
		Local:  &awsapi.Static{Endpoint: srv.URL(), Region: sc.Region, AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey},
	}
	settings, err := env.Settings()
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWiring(t.Context(), env, func(context.Context, *cli.Env) int { return 0 }, settings, Options{Calls: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	w.desk.Eager = true
	all := w.pages()
	s := tuitest.New(t, func(*deck.Deck, *feed.Desk) []deck.Page { return all }, func(o *tui.Options) {
		o.Deck, o.Desk, o.Begin, o.Take = w.deck, w.desk, w.start(), w.take
	})
	return s, all, srv
}

// detail is the value of a line of details, "" when there is none.
func detail(item deck.Item, name string) string {
	for _, d := range item.Detail {
		if v, ok := strings.CutPrefix(d, name+": "); ok {
			return v
		}
	}
	return ""
}

// TestEveryNumberOfTheOverviewIsTheRowsBehindIt opens each line and counts.
func TestEveryNumberOfTheOverviewIsTheRowsBehindIt(t *testing.T) {
	sc := world.LivingDemo()
	sc.Alive = nil // so that two looks see the same
	s, all, _ := onSimulator(t, sc)
	byID := map[string]deck.Page{}
	for _, p := range all {
		byID[p.ID()] = p
	}
	items := all[0].Plain().Items
	if len(items) < 15 {
		t.Fatalf("the overview has %d lines:\n%s", len(items), s.Frame())
	}
	opened := map[string]int{}
	for _, item := range items {
		page, filter, _ := strings.Cut(detail(item, "Opens"), " ")
		rows := 0
		if _, err := fmt.Sscan(detail(item, "Rows there"), &rows); err != nil || page == "" {
			continue
		}
		item.Choose()
		s.Press("enter")
		opened[page]++
		if got := byID[page].Status(); got.Shown != rows {
			t.Errorf("%q opens %s %s, which shows %d of %d rows, want %d\n%s", item.Text, page, filter, got.Shown, got.Of, rows, s.Frame())
		}
		s.Press("1")
	}
	for page, least := range map[string]int{"fleet": 3, "patch": 8, "windows": 3, "parameters": 1} {
		if opened[page] < least {
			t.Errorf("%d lines lead to %s, want %d or more", opened[page], page, least)
		}
	}
}
