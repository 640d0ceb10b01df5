package dash_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/palette"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// wired are the options of a dashboard that is not shown, and its feeds.
func wired(t testing.TB, o flowOptions) (tui.Options, *sources.Set) {
	t.Helper()
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: o.scenario})
	if err != nil {
		t.Fatal(err)
	}
	opts, end, err := dash.Wire(t.Context(), (&flow{t: t, srv: srv}).env(o), commands.Run, o.dash)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return opts, dash.Feeds()
}

// largePalette is a dashboard with 10,000 nodes and 2,000 parameters.
func largePalette(b *testing.B) tui.Options {
	opts, set := wired(b, flowOptions{})
	nodes := make([]fleet.Node, 10000)
	for i := range nodes {
		name := []string{"web", "worker", "db", "cache", "build"}[i%5]
		nodes[i] = fleet.Node{ID: fmt.Sprintf("i-0%016x", i*7919), Name: fmt.Sprintf("%s-%d", name, i), IP: fmt.Sprintf("10.%d.%d.1", i/250, i%250), Ping: "online"}
	}
	params := make([]parameter.Parameter, 2000)
	for i := range params {
		params[i] = parameter.Parameter{Name: fmt.Sprintf("/Pay/prod/service-%d/key", i), Type: "String"}
	}
	set.Nodes.Set(tuitest.Place, nodes, time.Now())
	set.Parameters.Set(tuitest.Place, params, time.Now())
	return opts
}

// texts are what somebody types, letter by letter, with the worst first: what fits
// everything, and what fits nothing.
var texts = []string{"e", "web", "worker-73", "i-000000000000", "service-19", "fleet ping=lost", "nosuchthing", "@eu"}

// BenchmarkPaletteEntries is what one letter costs.
func BenchmarkPaletteEntries(b *testing.B) {
	o := largePalette(b)
	p := palette.Palette{Deck: o.Deck, Desk: o.Desk, Pages: o.Pages, Find: o.Find}
	for _, text := range texts {
		b.Run(text, func(b *testing.B) {
			for range b.N {
				p.Answer(text)
			}
		})
	}
}

// BenchmarkPaletteKey is what a key costs with its frame.
func BenchmarkPaletteKey(b *testing.B) {
	o := largePalette(b)
	o.Start = "fleet"
	m := tui.New(o)
	m.Update(tea.WindowSizeMsg{Width: 140, Height: 40})
	var took []time.Duration
	for b.Loop() {
		for _, text := range texts {
			m.Update(tuitest.Key(":"))
			for _, r := range text {
				began := time.Now()
				m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
				if m.View().Content == "" {
					b.Fatal("nothing is drawn")
				}
				took = append(took, time.Since(began))
			}
			m.Update(tuitest.Key("esc"))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
