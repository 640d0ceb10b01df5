package node

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func node(id, name, ping string) fleet.Node { return fleet.Node{ID: id, Name: name, Ping: ping} }

func TestNodeChanges(t *testing.T) {
	before := []fleet.Node{node("i-1", "web", fleet.Online), node("i-2", "db", fleet.Online), {ID: "i-3", VPC: "v", State: "running"}}
	after := []fleet.Node{node("i-1", "web", fleet.Lost), {ID: "i-3", Unknown: []string{"ec2"}}, node("i-4", "new", fleet.Online)}
	var got []string
	for _, c := range nodeChanges(time.Time{}, before, after) {
		got = append(got, c.ID+" "+c.String())
	}
	want := "i-1 ping online → lost; i-4 new, online; i-2 gone"
	if strings.Join(got, "; ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "; "), want)
	}
}

func TestWatchGoesOnAfterATroubleAndSaysItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, said bytes.Buffer
		env := &cli.Env{Out: &out, Err: &said}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		reads := 0
		err := watchNodes(ctx, env, render.Options{}, nodechoice.Table, time.Minute, func(context.Context) ([]fleet.Node, []fleet.Gap, error) {
			reads++
			switch reads {
			case 1:
				return []fleet.Node{node("i-1", "web", fleet.Online)}, nil, nil
			case 2, 3:
				return nil, nil, errors.New("no network")
			case 4:
				return []fleet.Node{node("i-1", "web", fleet.Lost)}, nil, nil
			}
			cancel()
			return nil, nil, ctx.Err()
		})
		if fault.ExitCode(err) != fault.Interrupted.ExitCode() {
			t.Errorf("ended with %v", err)
		}
		if strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), "\ti-1\tweb\tping online → lost\n") {
			t.Errorf("printed %q", out.String())
		}
		if strings.Count(said.String(), "no network") != 1 {
			t.Errorf("said %q", said.String())
		}
	})
	for _, first := range []error{errors.New("no network"), fault.New(fault.Auth, "", "expired")} {
		err := watchNodes(t.Context(), &cli.Env{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, render.Options{}, nodechoice.Table, time.Minute,
			func(context.Context) ([]fleet.Node, []fleet.Gap, error) { return nil, nil, first })
		if !errors.Is(err, first) {
			t.Errorf("the first read failed with %v, the watch with %v", first, err)
		}
	}
}

func TestWatchScreenKeepsToTheWindowAndShowsChangesFirst(t *testing.T) {
	var out bytes.Buffer
	w := &watchScreen{
		out: &out, size: func() (int, int, error) { return 100, 10, nil }, table: nodechoice.Table,
		ro:   render.Options{Styles: theme.New(theme.Plain, false, true)},
		last: map[string]nodeChange{}, gone: map[string]fleet.Node{},
	}
	var nodes []fleet.Node
	for _, c := range "abcdefghij" {
		nodes = append(nodes, node("i-"+string(c), "web-"+string(c), fleet.Online))
	}
	w.begin(len(nodes), 5*time.Second)
	if err := w.update(nodes, nil); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\r\n"); lines > 9 || !strings.Contains(out.String(), "10 nodes, 10 online, 4 not shown") {
		t.Errorf("%d lines: %q", lines, out.String())
	}
	out.Reset()
	changed := nodes[9]
	changed.Ping = fleet.Lost
	now := append(append([]fleet.Node{}, nodes[1:9]...), changed)
	if err := w.update(now, nodeChanges(time.Now(), nodes, now)); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{"\x1b[9A", "web-j", "ping online → lost", "web-a", "gone", "9 nodes, 8 online"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

func TestSummarize(t *testing.T) {
	var facets []fleet.Facet
	for _, key := range []string{"platform", "vpc"} {
		f, err := fleet.ParseFacet(key)
		if err != nil {
			t.Fatal(err)
		}
		facets = append(facets, f)
	}
	rows := summarize([]fleet.Node{
		{ID: "i-1", Platform: "linux", VPC: "a", Ping: fleet.Online},
		{ID: "i-2", Platform: "linux", VPC: "a"},
		{ID: "i-3", Platform: "linux", Unknown: []string{"ec2"}},
		{ID: "mi-1", Platform: "linux"},
	}, facets)
	var got []string
	for _, r := range rows {
		raw, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(raw))
	}
	want := []string{
		`{"by":{"platform":"linux","vpc":"a"},"nodes":2,"online":1}`,
		`{"by":{"platform":"linux","vpc":""},"nodes":1,"online":0}`,
		`{"by":{"platform":"linux","vpc":"unknown"},"nodes":1,"online":0}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}
