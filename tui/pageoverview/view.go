package pageoverview

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// hit is where a line was drawn.
type hit struct {
	y, x, width int
	at          place
}

// Widths from which there are so many columns.
const (
	twoColumns   = 70
	threeColumns = 120
	gutter       = 2
)

func (p *Page) columns() int {
	switch {
	case p.width >= threeColumns && p.height >= 12:
		return 3
	case p.width >= twoColumns:
		return 2
	}
	return 1
}

// View draws the panels: beside each other where there is room, else as one list.
func (p *Page) View() string {
	p.hits = p.hits[:0]
	if p.width < 4 || p.height < 1 {
		return ""
	}
	switch p.columns() {
	case 3:
		return p.wide()
	case 2:
		left := (p.width - gutter) * 9 / 20
		right := p.width - gutter - left
		return beside(
			p.column(0, 0, left, p.height, 0, 1), left,
			p.column(left+gutter, 0, right, p.height, attention, 3, 4), p.height)
	}
	return strings.Join(p.column(0, 0, p.width, p.height, p.order()...), "\n")
}

// wide has three columns above and two below.
func (p *Page) wide() string {
	room := p.width - 2*gutter
	first, second := room*3/10, room*3/10
	third := room - first - second
	left := (p.width - gutter) * 6 / 10
	right := p.width - gutter - left
	above := max(p.natural(0, first), p.natural(1, second), p.natural(2, third)) + 1
	below := max(p.natural(3, left), p.natural(4, right))
	if above+below > p.height {
		above = max(p.height-max(below, 3), p.height/2)
		above = min(above, p.height-3)
	}
	top := beside(
		strings.Split(beside(p.column(0, 0, first, above, 0), first, p.column(first+gutter, 0, second, above, 1), above), "\n"), first+gutter+second,
		p.column(first+second+2*gutter, 0, third, above, 2), above)
	rest := p.height - above
	bottom := beside(p.column(0, above, left, rest, 3), left, p.column(left+gutter, above, right, rest, 4), rest)
	return top + "\n" + bottom
}

func beside(left []string, width int, right []string, height int) string {
	out := make([]string, height)
	for i := range out {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		if r == "" {
			out[i] = strings.TrimRight(l, " ")
			continue
		}
		out[i] = l + strings.Repeat(" ", max(width-ansi.StringWidth(l), 0)+gutter) + r
	}
	return strings.Join(out, "\n")
}

// natural is how many lines a panel would like: with room for the longest of its texts
// in full, so that nothing else moves when the cursor comes to it.
func (p *Page) natural(at, width int) int {
	all := p.panels[at]
	labels, _ := extent(all.lines, width)
	more := 0
	for _, l := range all.lines {
		if !l.fits(width, labels) {
			more = max(more, len(l.wrapped(width))-1)
		}
	}
	return p.bare(at, width) + min(more, mostMore)
}

// mostMore is how many lines are kept free for a text that is too long for one.
const mostMore = 3

// bare is how many lines a panel has.
func (p *Page) bare(at, width int) int {
	all := p.panels[at]
	if len(all.lines) == 0 {
		return 1 + len(said(all.say, width))
	}
	return 1 + len(all.lines)
}

// said is what stands in place of lines.
func said(text string, width int) []string {
	return widget.Wrap(render.Visible(text), max(width-2, 4))
}

// column draws panels one below the other, each with its share of the height.
func (p *Page) column(x, y, width, height int, which ...int) []string {
	heights, apart := p.share(height, width, which), p.spare(height, width, which)
	var out []string
	for i, at := range which {
		if heights[i] == 0 {
			continue
		}
		if i > 0 && len(out) > 0 && apart {
			out = append(out, "")
		}
		out = append(out, p.panel(x, y+len(out), width, heights[i], p.panels[at])...)
	}
	return out
}

// spare reports whether there is room for empty lines between panels.
func (p *Page) spare(height, width int, which []int) bool {
	sum := len(which) - 1
	for _, at := range which {
		sum += p.natural(at, width)
	}
	return sum <= height
}

// share deals out a height. When it is not enough, the longest panels give, what
// needs attention last in a single column, and then those far from the cursor go.
func (p *Page) share(height, width int, which []int) []int {
	heights, sum := make([]int, len(which)), 0
	for i, at := range which {
		heights[i] = p.natural(at, width)
		sum += heights[i]
	}
	if sum > height {
		sum = 0
		for i, at := range which {
			heights[i] = p.bare(at, width)
			sum += heights[i]
		}
	}
	const rows = 3
	weight := func(i int) int {
		if which[i] == attention && p.columns() == 1 {
			return heights[i] / 2
		}
		return heights[i]
	}
	for ; sum > height; sum-- {
		longest := 0
		for i := range heights {
			if weight(i) > weight(longest) {
				longest = i
			}
		}
		if heights[longest] <= rows {
			break
		}
		heights[longest]--
	}
	if sum <= height {
		return heights
	}
	return p.near(height, width, which, heights)
}

// near keeps the panel with the cursor and those after it, as many as fit.
func (p *Page) near(height, width int, which, heights []int) []int {
	out := make([]int, len(heights))
	at := max(slices.IndexFunc(which, func(i int) bool { return p.panels[i].title == p.at.panel }), 0)
	left := height
	give := func(i int) {
		want := min(p.natural(which[i], width), left)
		if i != at {
			want = min(heights[i], left)
		}
		if want >= 2 || i == at {
			out[i], left = want, left-want
		}
	}
	give(at)
	for i := at + 1; i < len(heights) && left > 1; i++ {
		give(i)
	}
	for i := at - 1; i >= 0 && left > 1; i-- {
		give(i)
	}
	return out
}

// panel draws one panel: the title, and the lines around the cursor.
func (p *Page) panel(x, y, width, height int, all panel) []string {
	s := p.deck.Styles
	head := s.Title.Render(all.title)
	if all.note != "" {
		head += " " + s.Dim.Render(render.Visible(all.note))
	}
	out := []string{ansi.Truncate(head, width, s.Glyphs.Ellipsis)}
	if len(all.lines) == 0 {
		for i, l := range said(all.say, width) {
			if i < height-1 {
				out = append(out, "  "+s.Dim.Render(ansi.Truncate(l, width-2, s.Glyphs.Ellipsis)))
			}
		}
		return out
	}
	shown := height - 1
	from := 0
	labels, values := extent(all.lines, width)
	var current []string // the line under the cursor, in full
	if cursor := slices.IndexFunc(all.lines, func(l line) bool { return l.key == p.at.line }); cursor >= 0 && all.title == p.at.panel {
		if l := all.lines[cursor]; !l.fits(width, labels) && shown > 1 {
			current = p.whole(l, width, shown)
			shown -= len(current) - 1
		}
		from = max(0, min(cursor-shown/2, len(all.lines)-shown))
	}
	for i := from; i < min(from+shown, len(all.lines)); i++ {
		l := all.lines[i]
		at := place{all.title, l.key}
		texts := current
		if hidden := len(all.lines) - i; i == from+shown-1 && hidden > 1 && at != p.at {
			texts = []string{"  " + s.Dim.Render(ansi.Truncate(s.Glyphs.Ellipsis+" "+widget.Grouped(hidden)+" more", width-2, ""))}
		} else if at != p.at || current == nil {
			texts = []string{p.line(l, at == p.at, width, labels, values, all.right)}
		}
		for _, text := range texts {
			p.hits = append(p.hits, hit{y: y + len(out), x: x, width: width, at: at})
			out = append(out, text)
		}
	}
	return out
}

// fits reports whether the text of a line is seen in full.
func (l line) fits(width, labels int) bool {
	if l.value == "" {
		labels = width - margin
	}
	return ansi.StringWidth(render.Visible(l.text)) <= labels
}

// wrapped is a line on as many lines as it needs.
func (l line) wrapped(width int) []string {
	text := render.Visible(l.text)
	if l.value != "" {
		text += "  " + render.Visible(l.value)
	}
	return widget.Wrap(text, max(width-margin, 4))
}

// whole draws the line under the cursor in full, on at most so many lines.
func (p *Page) whole(l line, width, most int) []string {
	s := p.deck.Styles
	lines := l.wrapped(width)
	if len(lines) > most {
		rest := strings.Join(lines[most-1:], " ")
		lines = append(lines[:most-1:most-1], ansi.Truncate(rest, width-margin, s.Glyphs.Ellipsis))
	}
	for i, text := range lines {
		head := s.Glyphs.Pointer + " " + s.Glyphs.Level(l.level) + " "
		if i > 0 {
			head = strings.Repeat(" ", margin)
		}
		lines[i] = s.Selected.Render(pad(ansi.Truncate(head+strings.TrimLeft(text, " "), width, ""), width))
	}
	return lines
}

// margin is in front of a text: the cursor, and the glyph of the level.
const margin = 4

// leastLabel is what a text keeps beside a long value.
const leastLabel = 12

// extent is how wide the texts and values of the lines with values are.
func extent(lines []line, width int) (labels, values int) {
	for _, l := range lines {
		if l.value == "" {
			continue
		}
		labels = max(labels, ansi.StringWidth(render.Visible(l.text)))
		values = max(values, ansi.StringWidth(render.Visible(l.value)))
	}
	values = min(values, max(width-margin-leastLabel-1, 4))
	return min(labels, max(width-margin-values-1, 4)), values
}

// leastBar is the shortest bar that says anything.
const leastBar, mostBar = 5, 24

func (p *Page) line(l line, current bool, width, labels, values int, right bool) string {
	s := p.deck.Styles
	pointer := " "
	if current {
		pointer = s.Glyphs.Pointer
	}
	dots := s.Glyphs.Ellipsis
	body := s.Glyphs.Level(l.level) + " "
	text := render.Visible(l.text)
	paint := s.Level(l.level).Render
	if current {
		paint = func(parts ...string) string { return strings.Join(parts, " ") }
	}
	if l.value == "" {
		body = paint(body + ansi.Truncate(text, width-margin, dots))
	} else {
		room := min(width-margin-labels-values-2, mostBar)
		body = paint(body + pad(ansi.Truncate(text, labels, dots), labels))
		if room >= leastBar {
			bar := ""
			if l.bar {
				bar = render.Bar(l.share, room, s.Glyphs.Bar)
				if !current {
					bar = s.Bar.Render(bar)
				}
			}
			body += " " + pad(bar, room)
		}
		value := ansi.Truncate(render.Visible(l.value), max(values, 1), dots)
		if right {
			value = strings.Repeat(" ", max(values-ansi.StringWidth(value), 0)) + value
		}
		body += " " + value
	}
	out := ansi.Truncate(pointer+" "+body, width, "")
	if current {
		out = s.Selected.Render(pad(out, width))
	}
	return out
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}
