package pagepatch_test

import (
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// large is a page with 10,000 nodes in fifty groups on a screen of 140x40.
func large(b *testing.B) (w *world, all []fleet.Node) {
	w = open(b)
	all = make([]fleet.Node, 10_000)
	for i := range all {
		group := fmt.Sprintf("group-%02d", i%50)
		all[i] = node(i, fmt.Sprintf("web-%05d", i), "Amazon Linux", "2023", state(group, linA, time.Duration(i%70)*time.Hour, i%9/8, i%5, i%7, i%40/39, i%30/29))
	}
	w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
	w.Changed(sources.Patches)
	w.Size(140, 40)
	return w, all
}

// BenchmarkKey is a key that moves, and the frame after it.
func BenchmarkKey(b *testing.B) {
	w, _ := large(b)
	w.Press("tab")
	b.ReportAllocs()
	for b.Loop() {
		w.p.Update(tuitest.Key("j"))
		_ = w.p.View()
	}
}

// BenchmarkTypedFilter is a filter as it is typed, with the frames after each key.
func BenchmarkTypedFilter(b *testing.B) {
	w, _ := large(b)
	const text = "web-00 critical>0"
	b.ReportAllocs()
	for b.Loop() {
		for i := range len(text) {
			_ = w.p.SetFilter(text[:i+1])
			_ = w.p.View()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(text)), "µs/key")
}

// BenchmarkPatchesChanged is what a load of all states costs the update loop.
func BenchmarkPatchesChanged(b *testing.B) {
	w, all := large(b)
	var cmd tea.Cmd
	b.ReportAllocs()
	for b.Loop() {
		w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
		cmd = w.p.Update(feed.Changed{Feed: sources.Patches})
	}
	_ = cmd
}
