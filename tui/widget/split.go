package widget

import (
	"cmp"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Split says how two panes share a page: side by side where it is wide, above each
// other where it is high, and the first alone where it is neither.
type Split struct {
	Beside int // the width from which they stand side by side; 0: 100
	Above  int // the height from which they stand above each other; 0: 20
	// Share is what the first gets, in hundredths; 0: 60.
	Share int
}

// Area is a part of a page, in cells.
type Area struct{ X, Y, Width, Height int }

// Panes are the areas of a Split. An area without cells is not shown.
type Panes struct {
	First, Second Area
	Beside        bool
	width, height int
}

// Arrange shares out a page.
func (p Split) Arrange(width, height int) Panes {
	share := cmp.Or(p.Share, 60)
	out := Panes{First: Area{0, 0, width, height}, width: width, height: height}
	switch {
	case width >= cmp.Or(p.Beside, 100) && height > 2:
		out.Beside = true
		first := (width - 3) * share / 100
		out.First = Area{0, 0, first, height}
		out.Second = Area{first + 3, 0, width - 3 - first, height}
	case height >= cmp.Or(p.Above, 20):
		first := (height - 1) * share / 100
		out.First = Area{0, 0, width, first}
		out.Second = Area{0, first + 1, width, height - 1 - first}
	}
	return out
}

// Both reports whether the second pane is shown, too.
func (p Panes) Both() bool { return p.Second.Width > 0 }

// At finds the pane of a cell: 0 the first, 1 the second, -1 the rule between them,
// and the cell in the coordinates of the pane.
func (p Panes) At(x, y int) (pane, px, py int) {
	for i, a := range []Area{p.First, p.Second} {
		if x >= a.X && x < a.X+a.Width && y >= a.Y && y < a.Y+a.Height {
			return i, x - a.X, y - a.Y
		}
	}
	return -1, 0, 0
}

// Draw puts the panes together with a rule between them, which has the title of the
// second in it where they stand above each other.
func (p Panes) Draw(s *theme.Styles, first, second, title string) string {
	if !p.Both() {
		return first
	}
	a, b := lines(first, p.First.Height), lines(second, p.Second.Height)
	if !p.Beside {
		return strings.Join(append(append(a, Rule(s, title, p.width)), b...), "\n")
	}
	pipe := " " + s.Border.Render(s.Glyphs.Pipe) + " "
	for i := range a {
		a[i] = padTo(a[i], p.First.Width) + pipe + ansi.Truncate(b[i], p.Second.Width, "")
	}
	return strings.Join(a, "\n")
}

// Rule is a line across width cells with a title in it, which may be empty.
func Rule(s *theme.Styles, title string, width int) string {
	if width <= 0 {
		return ""
	}
	if title == "" || width < 8 {
		return s.Border.Render(strings.Repeat(s.Glyphs.Rule, width))
	}
	title = render.CutEnd(render.Visible(title), width-6, s.Glyphs.Ellipsis)
	return s.Border.Render(strings.Repeat(s.Glyphs.Rule, 2)) + " " + s.Title.Render(title) + " " +
		s.Border.Render(strings.Repeat(s.Glyphs.Rule, max(width-4-render.Width(title), 0)))
}

// lines cuts a drawn text into exactly n lines.
func lines(text string, n int) []string {
	out := strings.Split(text, "\n")
	for len(out) < n {
		out = append(out, "")
	}
	return out[:n]
}

// padTo makes a drawn line exactly width cells wide.
func padTo(line string, width int) string {
	w := ansi.StringWidth(line)
	if w > width {
		line = ansi.Truncate(line, width, "")
		w = ansi.StringWidth(line)
	}
	return line + strings.Repeat(" ", max(width-w, 0))
}
