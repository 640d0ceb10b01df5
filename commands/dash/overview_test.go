package dash_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// onSimulator is the dashboard with all its pages on a simulated account, driven
// step by step, and the server of it.
func onSimulator(t *testing.T, sc *world.Scenario, flags ...string) (*tuitest.Screen, tui.Options, *simulator.Server) {
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
	env := (&flow{t: t, srv: srv}).env(flowOptions{flags: flags})
	opts, end, err := dash.Wire(t.Context(), env, commands.Run, dash.Options{View: "overview", Calls: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	opts.Desk.Eager = true
	s := tuitest.New(t, func(*deck.Deck, *feed.Desk) []deck.Page { return nil }, func(o *tui.Options) { *o = opts })
	return s, opts, srv
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
	s, opts, _ := onSimulator(t, sc)
	byID := map[string]deck.Page{}
	for _, p := range opts.Pages {
		byID[p.ID()] = p
	}
	items := byID["overview"].Plain().Items
	if len(items) < 15 {
		t.Fatalf("the overview has %d lines:\n%s", len(items), s.Frame())
	}
	opened := map[string]int{}
	s.Press("3", "h", "down", "down", "5", "tab", "1") // a group, past sessions: opened before, and in nobody's way
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

// TestCommandLinesOfTheOverviewRun runs what c copies.
func TestCommandLinesOfTheOverviewRun(t *testing.T) {
	sc := world.LivingDemo()
	sc.Alive = nil
	_, opts, _ := onSimulator(t, sc)
	ran := map[string]bool{}
	for _, item := range opts.Pages[0].Plain().Items {
		line := detail(item, "Command")
		if line == "" || ran[line] {
			continue
		}
		ran[line] = true
		item.Choose()
		var words []string
		for _, a := range opts.Pages[0].Actions() {
			if a.Key == "c" {
				all, err := cli.SplitWords(a.Do()().(deck.Copy).Text)
				if err != nil {
					t.Fatal(err)
				}
				words = all[1:]
			}
		}
		var out, errs bytes.Buffer
		if code := opts.Run.Run(t.Context(), words, grid.Place{}, strings.NewReader(""), &out, &errs); code != 0 {
			t.Errorf("%s: exit code %d: %s", line, code, errs.String())
		}
	}
	if len(ran) < 12 {
		t.Errorf("%d command lines were found: %v", len(ran), ran)
	}
}

// TestTheOverviewOfALivingAccountMoves looks twice, a minute apart.
func TestTheOverviewOfALivingAccountMoves(t *testing.T) {
	sc := world.LivingDemo()
	sc.Clock.Stopped = true
	s, opts, srv := onSimulator(t, sc)
	s.Size(140, 40)
	s.Has("no command and no automation")
	if err := srv.Forward(t.Context(), srv.World().Now().Add(45*time.Second)); err != nil {
		t.Fatal(err)
	}
	s.Press("ctrl+r")
	s.Has("restart nginx", "Ops-RotateCredentials", "1 automation waits for approval", "sessions open", "health-check")
	s.Lacks("no command and no automation", "0 sessions open")
	for _, c := range []struct{ line, page, shows string }{
		{"1 automation waits for approval", "automation", "a approves"},
		{"Ops-RotateCredentials", "automation", "a approves"},
		{"sessions open", "sessions", "Connected"},
	} {
		for _, item := range opts.Pages[0].Plain().Items {
			if !strings.Contains(item.Text, c.line) {
				continue
			}
			item.Choose()
			s.Press("enter")
			s.Has(c.shows)
			page, _, _ := strings.Cut(detail(item, "Opens"), " ")
			if page != c.page {
				t.Errorf("%q opens %s, want %s", item.Text, page, c.page)
			}
			for _, p := range opts.Pages {
				if rows := detail(item, "Rows there"); p.ID() == page && rows != "" && rows != fmt.Sprint(p.Status().Shown) {
					t.Errorf("%q: %s shows %d rows, want %s", item.Text, page, p.Status().Shown, rows)
				}
			}
			s.Press("1")
		}
	}
}
