package pageoverview

import (
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/run"
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

// BenchmarkFeeds is what the arrival of each other feed costs.
func BenchmarkFeeds(b *testing.B) {
	p, set := large()
	commands, _ := set.Commands.At(tuitest.Place)
	windows, _ := set.Windows.At(tuitest.Place)
	executions, _ := set.Executions.At(tuitest.Place)
	open, _ := set.Sessions.At(tuitest.Place)
	names := make([]parameter.Parameter, 10_000)
	var failed []patching.Attempt
	for _, n := range testNodes(5000) {
		failed = append(failed, patching.Attempt{NodeID: n.ID, Operation: "Scan", State: run.Failed, At: tuitest.Now})
	}
	for name, change := range map[string]func(){
		sources.Attempts:   func() { set.Attempts.Set(tuitest.Place, failed, tuitest.Now) },
		sources.Commands:   func() { set.Commands.Set(tuitest.Place, commands, tuitest.Now) },
		sources.Executions: func() { set.Executions.Set(tuitest.Place, executions, tuitest.Now) },
		sources.Windows:    func() { set.Windows.Set(tuitest.Place, windows, tuitest.Now) },
		sources.Sessions:   func() { set.Sessions.Set(tuitest.Place, open, tuitest.Now) },
		sources.Parameters: func() { set.Parameters.Set(tuitest.Place, names, tuitest.Now) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				change()
				p.Update(feed.Changed{Feed: name})
			}
		})
	}
}

// BenchmarkKey is a key and the frame after it.
func BenchmarkKey(b *testing.B) {
	p, _ := large()
	for b.Loop() {
		p.Update(tuitest.Key("j"))
		_ = p.View()
	}
}
