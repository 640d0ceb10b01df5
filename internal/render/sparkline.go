package render

import "strings"

// Sparkline draws shares (0 to 1) as a line of cells, the newest at the right. Of
// more than width shares each cell is the mean of some. The lowest cell is the
// lowest share shown and the highest the highest, since small changes matter; a line
// of equal shares is drawn at its height. glyphs are from low to high, as in
// theme.Glyphs.Spark.
func Sparkline(shares []float64, width int, glyphs []string) string {
	if len(shares) == 0 || width <= 0 || len(glyphs) == 0 {
		return ""
	}
	cells := make([]float64, min(len(shares), width))
	for i := range cells {
		from, to := i*len(shares)/len(cells), (i+1)*len(shares)/len(cells)
		for _, s := range shares[from:to] {
			cells[i] += s / float64(to-from)
		}
	}
	low, high := cells[0], cells[0]
	for _, c := range cells {
		low, high = min(low, c), max(high, c)
	}
	if high-low < 1e-9 {
		low, high = 0, 1
	}
	var b strings.Builder
	top := len(glyphs) - 1
	for _, c := range cells {
		b.WriteString(glyphs[min(top, max(0, int((c-low)/(high-low)*float64(top)+0.5)))])
	}
	return b.String()
}
