package widget

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Text shows a text of any length: it scrolls, follows what is added, and searches.
// Foreign text is made harmless; its colours are left out.
type Text struct {
	styles *theme.Styles
	width  int
	height int

	source []string // lines, safe
	tail   string   // the last line as it came, when it has no line break yet
	drawn  bool     // the lines are drawn already: neither cut nor made safe
	lines  []string // of source, cut to the width
	from   []int    // for each of source, the first of lines
	top    int
	follow bool

	words string // searched for, in lower case
	hits  []int  // of lines
	hit   int    // of hits
}

// NewText makes an empty one.
func NewText() *Text { return &Text{} }

// SetStyles says how it is drawn.
func (t *Text) SetStyles(s *theme.Styles) { t.styles = s }

// SetSize gives the number of cells.
func (t *Text) SetSize(width, height int) {
	again := width != t.width
	t.width, t.height = width, height
	if again {
		t.cut(0)
	}
	t.scroll(t.top)
}

// SetText shows a text from its beginning, or from its end when it follows.
func (t *Text) SetText(text string) {
	t.source, t.tail, t.drawn = nil, "", false
	t.top = 0
	t.cut(0)
	t.Append(text)
}

// Keep shows a newer state of the same text: what is on the screen stays there.
func (t *Text) Keep(text string) {
	top := t.top
	t.SetText(text)
	t.scroll(top)
}

// SetDrawn shows lines that are drawn already, at the width there is, as Details and
// others draw them.
func (t *Text) SetDrawn(text string) {
	t.source, t.drawn, t.tail = strings.Split(text, "\n"), true, ""
	t.cut(0)
	t.scroll(t.top)
}

// Append adds to the end. A line may come in pieces.
func (t *Text) Append(text string) {
	if text == "" {
		return
	}
	if t.tail != "" {
		t.source = t.source[:len(t.source)-1]
	}
	first := len(t.source)
	text, t.tail = t.tail+text, ""
	for piece := range strings.Lines(text) {
		line, ended := strings.CutSuffix(piece, "\n")
		if !ended {
			t.tail = line
		}
		t.source = append(t.source, safe(strings.TrimSuffix(line, "\r")))
	}
	t.cut(first)
	t.scroll(t.top)
}

// Follow keeps the end on the screen while text is added; moving up ends it.
func (t *Text) Follow(on bool) {
	t.follow = on
	t.scroll(t.top)
}

// Following reports whether the end is kept on the screen.
func (t *Text) Following() bool { return t.follow }

// Top goes to the first line, and stays there.
func (t *Text) Top() {
	t.follow = false
	t.scroll(0)
}

// safe makes a line harmless: colours go, tabs become spaces.
func safe(line string) string {
	if strings.IndexByte(line, 0x1b) >= 0 {
		line = dropColors(line)
	}
	return render.Visible(Expanded(line))
}

// Expanded puts spaces in place of tabs, to columns of eight. A line may have a million.
func Expanded(line string) string {
	if strings.IndexByte(line, '\t') < 0 {
		return line
	}
	var b strings.Builder
	column := 0
	for i, part := range strings.Split(line, "\t") {
		if i > 0 {
			room := 8 - column%8
			b.WriteString("        "[:room])
			column += room
		}
		b.WriteString(part)
		column += ansi.StringWidth(part)
	}
	return b.String()
}

// dropColors takes ESC [ … m away; other sequences stay, to be made visible.
func dropColors(line string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(line, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if end := strings.TrimLeft(after, "0123456789;:"); strings.HasPrefix(end, "m") {
			line = end[1:]
			continue
		}
		b.WriteString("\x1b[")
		line = after
	}
}

// cut cuts the source, from a line on, to the width.
func (t *Text) cut(first int) {
	if first < len(t.from) {
		t.lines = t.lines[:t.from[first]]
	}
	t.from = t.from[:min(first, len(t.from))]
	for _, l := range t.source[len(t.from):] {
		t.from = append(t.from, len(t.lines))
		if t.drawn || t.width <= 0 || render.Width(l) <= t.width {
			t.lines = append(t.lines, l)
			continue
		}
		t.lines = append(t.lines, strings.Split(ansi.Hardwrap(l, t.width, true), "\n")...)
	}
	t.search()
}

func (t *Text) scroll(top int) {
	last := max(len(t.lines)-t.height, 0)
	if t.follow {
		top = last
	}
	t.top = max(min(top, last), 0)
}

// Update takes keys that scroll, n and N, and the wheel; false for others.
func (t *Text) Update(msg tea.Msg) bool {
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		return t.key(m.String())
	case tea.MouseWheelMsg:
		if m.Button == tea.MouseWheelUp {
			t.move(-3)
		} else {
			t.move(3)
		}
		return true
	}
	return false
}

func (t *Text) key(k string) bool {
	page := max(t.height-1, 1)
	switch k {
	case "j", "down":
		t.move(1)
	case "k", "up":
		t.move(-1)
	case "g", "home":
		t.move(-len(t.lines))
	case "G", "end":
		t.move(len(t.lines))
	case "ctrl+d":
		t.move(page/2 + 1)
	case "ctrl+u":
		t.move(-page/2 - 1)
	case "pgdown", "ctrl+f", "space":
		t.move(page)
	case "pgup", "ctrl+b":
		t.move(-page)
	case "n":
		return t.Next(1)
	case "N":
		return t.Next(-1)
	default:
		return false
	}
	return true
}

func (t *Text) move(by int) {
	if by < 0 {
		t.follow = false
	}
	t.scroll(t.top + by)
}

// Search finds lines with a text, case ignored, and shows the first from here on.
// "" ends it. found is the number of lines.
func (t *Text) Search(text string) (found int) {
	t.words = terms.Fold(text)
	t.search()
	t.hit = 0
	if len(t.hits) > 0 {
		t.hit = max(slices.IndexFunc(t.hits, func(at int) bool { return at >= t.top }), 0)
		t.show()
	}
	return len(t.hits)
}

// Found says which hit the search is at, from 1, and of how many; of 0: none.
func (t *Text) Found() (at, of int) {
	if len(t.hits) == 0 {
		return 0, 0
	}
	return t.hit + 1, len(t.hits)
}

func (t *Text) search() {
	t.hits = t.hits[:0]
	if t.words == "" {
		return
	}
	for i, l := range t.lines {
		if strings.Contains(terms.Fold(ansi.Strip(l)), t.words) {
			t.hits = append(t.hits, i)
		}
	}
	t.hit = max(min(t.hit, len(t.hits)-1), 0)
}

// Next goes to the next hit, or with -1 to the one before; false: there are none.
func (t *Text) Next(step int) bool {
	if len(t.hits) == 0 {
		return false
	}
	t.hit = (t.hit + step + len(t.hits)) % len(t.hits)
	t.show()
	return true
}

// show brings the hit onto the screen.
func (t *Text) show() {
	t.follow = false
	if at := t.hits[t.hit]; at < t.top || at >= t.top+t.height {
		t.scroll(at - t.height/3)
	}
}

// Len is the number of lines, as they are cut.
func (t *Text) Len() int { return len(t.lines) }

// Position says which lines are on the screen: "12-35 of 1,204"; "" when all are.
func (t *Text) Position() string {
	if len(t.lines) <= t.height {
		return ""
	}
	return Grouped(t.top+1) + "-" + Grouped(min(t.top+t.height, len(t.lines))) + " of " + Grouped(len(t.lines))
}

// View draws the lines on the screen.
func (t *Text) View() string {
	end := min(t.top+t.height, len(t.lines))
	out := make([]string, 0, t.height)
	for i := t.top; i < end; i++ {
		l := t.lines[i]
		if t.drawn {
			l = ansi.Truncate(l, t.width, "")
		}
		if t.words != "" {
			l = t.highlight(i, l)
		}
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}

// highlight marks what was searched for. The line of the hit that the search is at
// is marked as a whole: without colour nothing else tells it.
func (t *Text) highlight(i int, line string) string {
	at, found := slices.BinarySearch(t.hits, i)
	switch {
	case !found:
		return line
	case at == t.hit:
		return t.styles.Selected.Render(ansi.Strip(line)) + t.pointer(line)
	case t.drawn:
		return line
	}
	folded := terms.Fold(line)
	if len(folded) != len(line) { // some letters change their size with their case
		return line
	}
	var b strings.Builder
	for {
		from := strings.Index(folded, t.words)
		if from < 0 {
			return b.String() + line
		}
		to := from + len(t.words)
		b.WriteString(line[:from] + t.styles.Match.Render(line[from:to]))
		line, folded = line[to:], folded[to:]
	}
}

// pointer stands behind the line of the hit where no colour marks it.
func (t *Text) pointer(line string) string {
	if t.styles.Color || ansi.StringWidth(line) > t.width-2 {
		return ""
	}
	return " " + t.styles.Glyphs.Hit
}
