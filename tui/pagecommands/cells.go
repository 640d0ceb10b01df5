package pagecommands

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// cellGrid draws one cell for each node; where there are more nodes than cells, a
// cell stands for several, and shows the worst of them.
type cellGrid struct {
	lines  []string
	each   int // nodes in a cell
	gen    uint64
	width  int
	most   int
	styles *theme.Styles
	of     *board
}

// rankOf orders levels by how much they matter in a cell that stands for several.
func rankOf(l theme.Level) int {
	switch l {
	case theme.Bad:
		return 5
	case theme.Warn:
		return 4
	case theme.Busy:
		return 3
	case theme.Idle:
		return 2
	case theme.Unknown:
		return 1
	case theme.Good:
	}
	return 0
}

// cellsOf says how many nodes a cell stands for, and how many lines they take: at
// most most. Where it is more than one node, the last line has room to say so.
func cellsOf(total, width, most int) (each, lines int) {
	if total <= 0 || width < 1 || most < 1 {
		return 1, 0
	}
	if total <= width*most {
		return 1, (total + width - 1) / width
	}
	room := max(width*most-len(legend(total))-2, 1)
	each = (total + room - 1) / room
	cells := (total + each - 1) / each
	return each, (cells + len(legend(each)) + 2 + width - 1) / width
}

// legend says what a cell is when it is not one node.
func legend(each int) string { return "one cell is " + some(each, "node") }

// draw makes the lines, unless they are what they were.
func (g *cellGrid) draw(b *board, width, most int, styles *theme.Styles) []string {
	if g.of == b && g.gen == b.gen && g.width == width && g.most == most && g.styles == styles {
		return g.lines
	}
	g.of, g.gen, g.width, g.most, g.styles = b, b.gen, width, most, styles
	total := b.total()
	var lines int
	g.lines = nil
	if g.each, lines = cellsOf(total, width, most); lines == 0 {
		return nil
	}
	levels := make([]theme.Level, 0, total)
	for r := range b.sum.Rows() {
		levels = append(levels, Level(r.State))
	}
	missing := Level(run.Waiting)
	if b.sum.Done() {
		missing = theme.Unknown // counted by the service, and not listed
	}
	for len(levels) < total {
		levels = append(levels, missing)
	}
	cells := make([]theme.Level, 0, len(levels)/g.each+1)
	for i := 0; i < len(levels); i += g.each {
		worst := levels[i]
		for _, l := range levels[i:min(i+g.each, len(levels))] {
			if rankOf(l) > rankOf(worst) {
				worst = l
			}
		}
		cells = append(cells, worst)
	}
	for i := 0; i < len(cells); i += width {
		g.lines = append(g.lines, cellLine(cells[i:min(i+width, len(cells))], styles))
	}
	if g.each > 1 {
		for len(g.lines) < lines {
			g.lines = append(g.lines, "")
		}
		g.lines[lines-1] = strings.TrimLeft(g.lines[lines-1]+"  "+styles.Dim.Render(legend(g.each)), " ")
	}
	return g.lines
}

// cellLine draws equal cells side by side at once: a colour costs more than a glyph.
func cellLine(cells []theme.Level, styles *theme.Styles) string {
	var b strings.Builder
	for i := 0; i < len(cells); {
		n := i
		for n < len(cells) && cells[n] == cells[i] {
			n++
		}
		b.WriteString(styles.Level(cells[i]).Render(strings.Repeat(styles.Glyphs.Level(cells[i]), n-i)))
		i = n
	}
	return b.String()
}
