package widget

import (
	"math"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Bar draws a part of a whole as width cells, to an eighth of a cell. What is there
// at all is seen: the least is the thinnest sign, and only the whole fills all.
func Bar(s *theme.Styles, part, whole, width int) string {
	return bar(s, part, whole, width, " ")
}

// Progress is Bar with the way that is left drawn, too.
func Progress(s *theme.Styles, part, whole, width int) string {
	return bar(s, part, whole, width, s.Glyphs.Track)
}

func bar(s *theme.Styles, part, whole, width int, track string) string {
	if width <= 0 {
		return ""
	}
	steps := len(s.Glyphs.Bar) - 1 // of a cell
	full := width * steps
	n := 0
	if whole > 0 {
		part = max(min(part, whole), 0)
		n = int(float64(part) / float64(whole) * float64(full))
		if part > 0 {
			n = max(n, 1)
		}
		if part < whole {
			n = min(n, full-1)
		}
	}
	text := strings.Repeat(s.Glyphs.Bar[steps], n/steps)
	used := n / steps
	if n%steps > 0 {
		text += s.Glyphs.Bar[n%steps]
		used++
	}
	rest := strings.Repeat(track, width-used)
	if text != "" {
		text = s.Bar.Render(text)
	}
	if track != " " && rest != "" {
		rest = s.Dim.Render(rest)
	}
	return text + rest
}

// Share is a part of a StackBar.
type Share struct {
	Level theme.Level
	N     int
}

// StackBar draws parts of a whole after each other, each in the glyph of its level.
// None that is there is left out while there are cells for all.
func StackBar(s *theme.Styles, shares []Share, width int) string {
	var b strings.Builder
	for i, n := range apportion(shares, width) {
		if n > 0 {
			b.WriteString(s.Level(shares[i].Level).Render(strings.Repeat(s.Glyphs.Level(shares[i].Level), n)))
		}
	}
	return b.String()
}

// apportion gives out cells: one to each share while there are some, each of the
// others to where most is missing.
func apportion(shares []Share, width int) []int {
	cells := make([]int, len(shares))
	total, left := 0, width
	for i, p := range shares {
		if p.N > 0 && left > 0 {
			cells[i] = 1
			left--
		}
		total += max(p.N, 0)
	}
	if total == 0 {
		return cells
	}
	for ; left > 0; left-- {
		best, most := 0, math.Inf(-1)
		for i, p := range shares {
			missing := float64(p.N)*float64(width)/float64(total) - float64(cells[i])
			if p.N > 0 && missing > most {
				best, most = i, missing
			}
		}
		cells[best]++
	}
	return cells
}

// Sparkline draws values, the newest at the right, at most one a cell: of more, a
// cell is the mean of some. NaN is a value that is not known.
func Sparkline(s *theme.Styles, values []float64, width int) string {
	if len(values) == 0 || width <= 0 {
		return ""
	}
	cells := make([]float64, min(len(values), width))
	var known []float64
	for i := range cells {
		from, to := i*len(values)/len(cells), (i+1)*len(values)/len(cells)
		if cells[i] = mean(values[from:to]); !math.IsNaN(cells[i]) {
			known = append(known, cells[i])
		}
	}
	drawn := []rune(render.Sparkline(known, len(known), s.Glyphs.Spark))
	var b strings.Builder
	for _, c := range cells {
		if math.IsNaN(c) {
			b.WriteString(s.Glyphs.Unknown)
			continue
		}
		b.WriteRune(drawn[0])
		drawn = drawn[1:]
	}
	return s.Accent.Render(b.String())
}

// mean is that of the values that are known.
func mean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
