package widget

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// TreeOptions make a Tree. Its rows are numbered from top to bottom as if all were
// open: those within a row follow it, one deeper.
type TreeOptions struct {
	Key    func(row int) string // the identity of a row
	Depth  func(row int) int    // 0: outermost
	Text   func(row int) string
	Level  func(row int) theme.Level // nil: rows have none
	Detail func(row int) string      // at the right; nil: nothing
	None   func() string             // in place of rows when there are none
	// Open are rows that are open at first; nil: none is.
	Open func(row int) bool
}

// Tree shows rows within rows, each of which can be opened and closed.
type Tree struct {
	o      TreeOptions
	styles *theme.Styles
	width  int
	height int

	n      int
	parent []bool // rows that have others within
	fits   func(row int) bool
	rows   []int // shown
	state  map[string]bool
	cursor int // in rows
	top    int
	at     string
}

// NewTree makes an empty tree.
func NewTree(o TreeOptions) *Tree { return &Tree{o: o, state: map[string]bool{}} }

// SetStyles says how it is drawn.
func (t *Tree) SetStyles(s *theme.Styles) { t.styles = s }

// SetSize gives the number of cells.
func (t *Tree) SetSize(width, height int) {
	t.width, t.height = width, height
	t.scroll()
}

// Reset says that there are n rows now. What is open stays open, and the cursor with
// its row.
func (t *Tree) Reset(n int) {
	t.n = n
	t.parent = make([]bool, n)
	for i := range n - 1 {
		t.parent[i] = t.o.Depth(i+1) > t.o.Depth(i)
	}
	t.arrange()
}

// SetFilter shows the rows that fit, with those they are within, all open; nil shows
// all.
func (t *Tree) SetFilter(fits func(row int) bool) {
	t.fits = fits
	t.arrange()
}

// arrange finds the rows that are shown.
func (t *Tree) arrange() {
	t.rows = t.rows[:0]
	if t.fits != nil {
		t.arrangeFitting()
	} else {
		closed := -1 // the depth of a closed row, under which all is hidden; -1: none
		for i := range t.n {
			d := t.o.Depth(i)
			if closed >= 0 && d > closed {
				continue
			}
			closed = -1
			t.rows = append(t.rows, i)
			if t.parent[i] && !t.IsOpen(i) {
				closed = d
			}
		}
	}
	if at := slices.IndexFunc(t.rows, func(i int) bool { return t.o.Key(i) == t.at }); at >= 0 {
		t.cursor = at
	}
	t.cursor = max(min(t.cursor, len(t.rows)-1), 0)
	t.scroll()
}

// arrangeFitting goes from below: a row is shown when it fits, or one within it does.
func (t *Tree) arrangeFitting() {
	need := -1 // the depth of what is shown below; what is less deep is around it
	for i := t.n - 1; i >= 0; i-- {
		d := t.o.Depth(i)
		around := need > d
		if around || t.fits(i) {
			t.rows = append(t.rows, i)
			need = d
		}
		if d == 0 {
			need = -1
		}
	}
	slices.Reverse(t.rows)
}

func (t *Tree) scroll() {
	shown := max(t.height, 1)
	t.top = max(min(t.top, len(t.rows)-shown), 0)
	t.top = min(t.top, t.cursor)
	t.top = max(t.top, t.cursor-shown+1)
	if t.cursor < len(t.rows) {
		t.at = t.o.Key(t.rows[t.cursor])
	}
}

// IsOpen reports whether what is within a row is shown.
func (t *Tree) IsOpen(row int) bool {
	if t.fits != nil {
		return true
	}
	open, said := t.state[t.o.Key(row)]
	return open || !said && t.o.Open != nil && t.o.Open(row)
}

// Parent reports whether others are within a row.
func (t *Tree) Parent(row int) bool { return t.parent[row] }

// SetOpen opens or closes a row.
func (t *Tree) SetOpen(row int, open bool) {
	t.state[t.o.Key(row)] = open
	t.arrange()
}

// Len is the number of rows that are shown.
func (t *Tree) Len() int { return len(t.rows) }

// Current is the row under the cursor; false: there is none.
func (t *Tree) Current() (row int, ok bool) {
	if t.cursor >= len(t.rows) {
		return 0, false
	}
	return t.rows[t.cursor], true
}

// Select puts the cursor on the row of a key and opens what it is within; false:
// there is no such row, or it does not fit the filter.
func (t *Tree) Select(key string) bool {
	row := -1
	for i := range t.n {
		if t.o.Key(i) == key {
			row = i
		}
	}
	if row < 0 {
		return false
	}
	for i, d := row-1, t.o.Depth(row); i >= 0 && d > 0; i-- {
		if t.o.Depth(i) < d {
			d = t.o.Depth(i)
			t.state[t.o.Key(i)] = true
		}
	}
	t.arrange()
	at := slices.Index(t.rows, row)
	if at < 0 {
		return false
	}
	t.move(at)
	return true
}

// Update takes keys that move, open (right, l, +) and close (left, h), and the mouse
// in its own coordinates; false for others, and where there is nothing to open.
func (t *Tree) Update(msg tea.Msg) bool {
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		return t.key(m.String())
	case tea.MouseWheelMsg:
		if m.Button == tea.MouseWheelUp {
			t.move(t.cursor - 3)
		} else {
			t.move(t.cursor + 3)
		}
		return true
	case tea.MouseClickMsg:
		if at := t.top + m.Y; m.Y >= 0 && m.Y < t.height && at < len(t.rows) {
			row := t.rows[at]
			if again := at == t.cursor; again && t.parent[row] {
				t.SetOpen(row, !t.IsOpen(row))
			} else {
				t.move(at)
			}
		}
		return true
	}
	return false
}

func (t *Tree) key(k string) bool {
	page := max(t.height-1, 1)
	switch k {
	case "j", "down":
		t.move(t.cursor + 1)
	case "k", "up":
		t.move(t.cursor - 1)
	case "g", "home":
		t.move(0)
	case "G", "end":
		t.move(len(t.rows) - 1)
	case "ctrl+d":
		t.move(t.cursor + page/2 + 1)
	case "ctrl+u":
		t.move(t.cursor - page/2 - 1)
	case "pgdown", "ctrl+f":
		t.move(t.cursor + page)
	case "pgup", "ctrl+b":
		t.move(t.cursor - page)
	case "l", "right", "+":
		return t.enter()
	case "h", "left":
		return t.leave()
	default:
		return false
	}
	return true
}

// enter opens the row, or goes to the first within it when it is open.
func (t *Tree) enter() bool {
	row, ok := t.Current()
	switch {
	case !ok || !t.parent[row]:
		return false
	case t.IsOpen(row):
		t.move(t.cursor + 1)
	default:
		t.SetOpen(row, true)
	}
	return true
}

// leave closes the row, or goes to the one it is within.
func (t *Tree) leave() bool {
	row, ok := t.Current()
	if !ok {
		return false
	}
	if t.parent[row] && t.IsOpen(row) && t.fits == nil {
		t.SetOpen(row, false)
		return true
	}
	for at := t.cursor - 1; at >= 0; at-- {
		if t.o.Depth(t.rows[at]) < t.o.Depth(row) {
			t.move(at)
			return true
		}
	}
	return false
}

func (t *Tree) move(to int) {
	t.cursor = max(min(to, len(t.rows)-1), 0)
	t.scroll()
}

// View draws the rows on the screen. focused says whether keys go here.
func (t *Tree) View(focused bool) string {
	if t.width < 4 || t.height < 1 {
		return ""
	}
	if len(t.rows) == 0 {
		if t.o.None == nil {
			return ""
		}
		return "  " + t.styles.Dim.Render(render.CutEnd(render.Visible(t.o.None()), t.width-2, t.styles.Glyphs.Ellipsis))
	}
	out := make([]string, 0, t.height)
	for at := t.top; at < min(t.top+t.height, len(t.rows)); at++ {
		out = append(out, t.line(t.rows[at], at == t.cursor, focused))
	}
	return strings.Join(out, "\n")
}

func (t *Tree) line(row int, current, focused bool) string {
	s, plain := t.styles, current && focused
	fold := " "
	if t.parent[row] {
		fold = s.Glyphs.Closed
		if t.IsOpen(row) {
			fold = s.Glyphs.Opened
		}
	}
	indent := min(2*t.o.Depth(row), t.width/2)
	head := sign(current, s.Glyphs.Pointer) + strings.Repeat(" ", indent) + fold + " "
	room := t.width - 3 - indent
	if t.o.Level != nil {
		room -= 2
	}
	detail := ""
	if t.o.Detail != nil {
		detail = render.Visible(t.o.Detail(row))
	}
	text := render.Visible(t.o.Text(row))
	if detail != "" && room-render.Width(text)-2 >= min(render.Width(detail), 8) {
		detail = render.CutEnd(detail, room-render.Width(text)-2, s.Glyphs.Ellipsis)
		room -= render.Width(detail) + 2
	} else {
		detail = ""
	}
	text = fit(text, max(room, 1), &Column{}, s.Glyphs.Ellipsis)
	switch {
	case t.o.Level != nil && plain:
		text = s.Glyphs.Level(t.o.Level(row)) + " " + text
	case t.o.Level != nil:
		text = s.Status(t.o.Level(row), text)
	}
	if detail != "" {
		text += "  "
		if !plain {
			detail = s.Dim.Render(detail)
		}
	}
	line := head + text + detail
	if plain {
		return s.Selected.Render(line)
	}
	return strings.TrimRight(line, " ")
}
