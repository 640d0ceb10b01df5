package pagefleet_test

import (
	"fmt"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// large is a page with 10,000 nodes on a screen of 140x40.
func large(b *testing.B) *fixture {
	f := open(b)
	kinds := someNodes()
	nodes := make([]fleet.Node, 10_000)
	for i := range nodes {
		nodes[i] = kinds[i%len(kinds)]
		nodes[i].ID = fmt.Sprintf("i-%017x", i)
		nodes[i].Name = fmt.Sprintf("web-%05d", i)
	}
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	f.Changed(sources.Nodes)
	f.Size(140, 40)
	return f
}

// BenchmarkKey is a key that moves, and the frame after it.
func BenchmarkKey(b *testing.B) {
	f := large(b)
	b.ReportAllocs()
	for b.Loop() {
		f.Press("j")
		_ = f.Frame()
	}
}

// BenchmarkMarkedKey is the same with all nodes marked.
func BenchmarkMarkedKey(b *testing.B) {
	f := large(b)
	f.Press("*")
	b.ReportAllocs()
	for b.Loop() {
		f.Press("j")
		_ = f.Frame()
	}
}

// BenchmarkTypedFilter is a filter as it is typed, and the frames after each key.
func BenchmarkTypedFilter(b *testing.B) {
	f := large(b)
	const text = "tag:env=prod web-00 ping=online"
	b.ReportAllocs()
	for b.Loop() {
		for i := range len(text) {
			_ = f.page.SetFilter(text[:i+1])
			_ = f.page.View()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(text)), "µs/key")
}

// BenchmarkRefresh is what a new list of nodes costs, and the frame after it.
func BenchmarkRefresh(b *testing.B) {
	f := large(b)
	nodes, at := f.set.Nodes.At(tuitest.Place)
	b.ReportAllocs()
	for b.Loop() {
		f.set.Nodes.Set(tuitest.Place, nodes, at)
		f.page.SetSize(140, 35)
		_ = f.page.View()
	}
}

// BenchmarkPatches is what the arrival of the patch states costs.
func BenchmarkPatches(b *testing.B) {
	f := large(b)
	nodes, _ := f.set.Nodes.At(tuitest.Place)
	f.set.Patches.Set(tuitest.Place, nodes, tuitest.Now)
	b.ReportAllocs()
	for b.Loop() {
		f.set.Patches.Set(tuitest.Place, nodes, tuitest.Now)
		f.page.SetSize(140, 35)
	}
}

// BenchmarkUnmanaged is what the arrival of 1,000 instances without an agent costs.
func BenchmarkUnmanaged(b *testing.B) {
	f := large(b)
	nodes, _ := f.set.Nodes.At(tuitest.Place)
	f.Press("u")
	b.ReportAllocs()
	for b.Loop() {
		f.svc.Unmanaged.Set(tuitest.Place, nodes[:1000], tuitest.Now)
		f.page.SetSize(140, 35)
	}
}
