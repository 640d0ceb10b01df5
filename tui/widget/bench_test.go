package widget

import "testing"

// The lists of these benchmarks have 10,000 rows. A frame has 16 ms.

func BenchmarkReset(b *testing.B) {
	f := newFleet(many(10_000)...)
	f.SetSize(140, 40)
	if err := f.SetFilter("lost"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.rows[i%len(f.rows)].name = "changed"
		f.Reset(len(f.rows))
	}
}

func BenchmarkFilter(b *testing.B) {
	for _, text := range []string{"web-01", "w1l", "state=lost agent<3.9", "!online | missing>40"} {
		b.Run(text, func(b *testing.B) {
			f := newFleet(many(10_000)...)
			b.ReportAllocs()
			for b.Loop() {
				for _, typed := range []string{"", text} {
					if err := f.SetFilter(typed); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkKeyAndFrame(b *testing.B) {
	f := newFleet(many(10_000)...)
	f.SetSize(140, 40)
	f.press("*")
	b.ReportAllocs()
	for b.Loop() {
		f.press("j")
		f.Marked()
		if f.View(true) == "" {
			b.Fatal("nothing is drawn")
		}
	}
}
