package tui_test

import (
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// BenchmarkFrame types a filter over 10,000 rows while 100 updates a second come in,
// and reports how long the slowest of a hundred keys takes to its frame.
func BenchmarkFrame(b *testing.B) {
	var p *page
	s := tuitest.New(b, func(d *deck.Deck, _ *feed.Desk) []deck.Page {
		p = newPage(d, "fleet")
		return []deck.Page{p}
	})
	m := tui.New(tui.Options{Deck: s.Deck, Desk: s.Desk, Pages: []deck.Page{p}})
	rows := many(10000)
	change := func(i int) {
		rows = slices.Clone(rows)
		rows[i%len(rows)].state = map[bool]string{true: "lost", false: "online"}[i%2 == 0]
		p.source.Set(tuitest.Place, rows, s.Deck.Now)
		m.Update(feed.Changed{Feed: "fleet"})
	}
	m.Update(tea.WindowSizeMsg{Width: 140, Height: 40})
	change(0)
	keys := []tea.Msg{tuitest.Key("/")}
	for _, r := range "web-99" {
		keys = append(keys, tuitest.Key(string(r)))
	}
	keys = append(keys, tuitest.Key("ctrl+u"), tuitest.Key("esc"), tuitest.Key("j"), tuitest.Key("pgdown"))
	var took []time.Duration
	b.ResetTimer()
	for i := range b.N {
		if i%6 == 0 { // a key each 60 ms is fast typing
			change(i)
			_ = m.View()
		}
		began := time.Now()
		m.Update(keys[i%len(keys)])
		if m.View().Content == "" {
			b.Fatal("nothing is drawn")
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}

// BenchmarkView is what a message that changes nothing costs.
func BenchmarkView(b *testing.B) {
	w := newWorld(b)
	w.fleet.set(w.Screen, many(10000)...)
	m := tui.New(tui.Options{Deck: w.Deck, Desk: w.Desk, Pages: []deck.Page{w.fleet}})
	m.Update(tea.WindowSizeMsg{Width: 140, Height: 40})
	for range b.N {
		m.Update(tea.KeyReleaseMsg{})
		if m.View().Content == "" {
			b.Fatal("nothing is drawn")
		}
	}
}
