package pageoverview

import (
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// large is the page over 10,000 nodes.
func large() (*Page, *sources.Set) {
	set := emptySet()
	fill(set)
	nodes := testNodes(10_000)
	set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	set.Patches.Set(tuitest.Place, testPatches(testNodes(10_000)), tuitest.Now)
	d := &deck.Deck{Styles: theme.New(theme.Dark, true, false), Now: tuitest.Now, Location: time.UTC}
	p := New(d, feed.NewDesk(nil, nil), set, Services{})
	p.SetSize(140, 40)
	return p, set
}

func BenchmarkNodesChanged(b *testing.B) {
	p, set := large()
	nodes := testNodes(10_000)
	for b.Loop() {
		set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
		p.Update(feed.Changed{Feed: sources.Nodes})
	}
}

func BenchmarkPatchesChanged(b *testing.B) {
	p, set := large()
	nodes := testPatches(testNodes(10_000))
	for b.Loop() {
		set.Patches.Set(tuitest.Place, nodes, tuitest.Now)
		p.Update(feed.Changed{Feed: sources.Patches})
	}
}

func BenchmarkTickAndFrame(b *testing.B) {
	p, _ := large()
	for b.Loop() {
		p.deck.Now = p.deck.Now.Add(time.Second)
		p.Update(deck.Tick{})
		_ = p.View()
	}
}
