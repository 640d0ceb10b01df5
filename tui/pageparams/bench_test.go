package pageparams

import (
	"fmt"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// large is a page with 10,000 names in a hundred folders, on a screen of 140x40.
func large(b *testing.B) *store {
	s := open(b)
	names := make([]parameter.Parameter, 10_000)
	for i := range names {
		names[i] = parameter.Parameter{
			Name: fmt.Sprintf("/team-%02d/app-%d/key-%03d", i%10, i/10%10, i/100), Type: parameter.String, Version: int64(i % 7), Modified: tuitest.Now,
		}
	}
	s.set.Parameters.Set(tuitest.Place, names, tuitest.Now)
	s.Changed(sources.Parameters)
	s.Size(140, 40)
	return s
}

// BenchmarkTreeKey is a key that moves, and the frame after it.
func BenchmarkTreeKey(b *testing.B) {
	s := large(b)
	b.ReportAllocs()
	for b.Loop() {
		s.page.Update(tuitest.Key("j"))
		_ = s.page.View()
	}
}

// BenchmarkFold opens and closes a folder, with the frames after it.
func BenchmarkFold(b *testing.B) {
	s := large(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, k := range []string{"l", "h"} {
			s.page.Update(tuitest.Key(k))
			_ = s.page.View()
		}
	}
}

// BenchmarkTypedFilter is a filter as it is typed, with the frames after each key.
func BenchmarkTypedFilter(b *testing.B) {
	s := large(b)
	const text = "team-07 key-09 type=String"
	b.ReportAllocs()
	for b.Loop() {
		for i := range len(text) {
			_ = s.page.SetFilter(text[:i+1])
			_ = s.page.View()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(text)), "µs/key")
}

// BenchmarkNewNames is what a load of the names costs the update loop.
func BenchmarkNewNames(b *testing.B) {
	s := large(b)
	names, at := s.set.Parameters.At(tuitest.Place)
	b.ReportAllocs()
	for b.Loop() {
		s.set.Parameters.Set(tuitest.Place, names, at)
		s.page.refresh()
	}
}
