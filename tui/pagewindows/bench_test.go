package pagewindows

import (
	"context"
	"fmt"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// large is the page with 50 windows over 10,000 nodes.
func large(b *testing.B) *Page {
	b.Helper()
	set := &sources.Set{
		Windows: feed.NewSource(sources.Windows, func(context.Context, grid.Cell, func([]window.Whole)) ([]window.Whole, error) { return nil, nil }),
		Nodes:   feed.NewSource(sources.Nodes, func(context.Context, grid.Cell, func([]fleet.Node)) ([]fleet.Node, error) { return nil, nil }),
	}
	past := feed.NewSource(Past, func(context.Context, grid.Cell, func([]window.Execution)) ([]window.Execution, error) {
		return nil, nil
	})
	var windows []window.Whole
	for i := range 50 {
		windows = append(windows, whole(i, fmt.Sprintf("window-%d", i), fmt.Sprintf("cron(0 %d ? * SUN *)", i%24), "Europe/Berlin", fmt.Sprintf("env-%d", i%20)))
	}
	var nodes []fleet.Node
	for i := range 10_000 {
		nodes = append(nodes, fleet.Node{ID: fmt.Sprintf("mi-%05d", i), Name: fmt.Sprintf("web-%d", i), Tags: map[string]string{"env": fmt.Sprintf("env-%d", i%20)}})
	}
	set.Windows.Set(tuitest.Place, windows, tuitest.Now)
	set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	d := &deck.Deck{Styles: theme.New(theme.Dark, true, false), Now: tuitest.Now, Location: tuitest.Now.Location()}
	desk := feed.NewDesk(nil, nil)
	b.Cleanup(desk.Close)
	p := New(d, desk, set, Services{Past: past})
	p.SetSize(140, 35)
	return p
}

// BenchmarkNewNodes is what a load of the nodes costs the update loop.
func BenchmarkNewNodes(b *testing.B) {
	p := large(b)
	nodes, at := p.set.Nodes.At(tuitest.Place)
	for b.Loop() {
		p.set.Nodes.Set(tuitest.Place, nodes, at)
		p.refresh()
	}
}

// BenchmarkFrame is a key and the frame after it.
func BenchmarkFrame(b *testing.B) {
	p := large(b)
	for b.Loop() {
		p.Update(tuitest.Key("j"))
		if p.View() == "" {
			b.Fatal("there is no frame")
		}
	}
}

// BenchmarkWindows is what a load of the windows costs, BenchmarkPast one of what they did.
func BenchmarkWindows(b *testing.B) {
	p := large(b)
	windows, at := p.set.Windows.At(tuitest.Place)
	for b.Loop() {
		p.set.Windows.Set(tuitest.Place, windows, at)
		p.refresh()
	}
}

func BenchmarkPast(b *testing.B) {
	p := large(b)
	past := make([]window.Execution, 500)
	for i := range past {
		past[i] = window.Execution{ID: fmt.Sprint(i), WindowID: fmt.Sprintf("mw-%d", i%50), State: window.Success}
	}
	for b.Loop() {
		p.svc.Past.Set(tuitest.Place, past, tuitest.Now)
		p.refresh()
	}
}
