package render

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func manyRows() []node {
	rows := make([]node, 10_000)
	for i := range rows {
		rows[i] = node{
			ID: fmt.Sprintf("i-%017x", i), Name: fmt.Sprintf("web-%d", i), Ping: "online",
			Seen: now.Add(-time.Duration(i) * time.Second), Size: int64(i), Account: "012345678901",
		}
	}
	return rows
}

func BenchmarkRows(b *testing.B) {
	rows := manyRows()
	st := theme.New(theme.Dark, true, false)
	for _, bb := range []struct {
		name string
		o    Options
	}{
		{"table", Options{Width: 100, Styles: st}},
		{"cut table", Options{Width: 50, Styles: st}},
		{"text", Options{}},
		{"jsonl", Options{Format: FormatJSONL}},
		{"json", Options{Format: FormatJSON}},
		{"yaml", Options{Format: FormatYAML}},
		{"csv", Options{Format: FormatCSV}},
		{"sorted", Options{Format: FormatName, SortBy: "-name"}},
		{"query", Options{Query: "[?ping=='online'].id"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := nodes(st).Write(io.Discard, bb.o, seq(rows)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFold(b *testing.B) {
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("web-%d", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		Fold(names)
	}
}
