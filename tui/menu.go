package tui

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/palette"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// entry is one line of a menu.
type entry struct {
	key    string // the key that does the same
	name   string
	detail string
	off    string // why it cannot be chosen; empty: it can
	do     func() tea.Cmd
}

// menu is a list of things to do: what is typed finds them, Enter does one.
type menu struct {
	m       *Model
	head    string
	prompt  string
	in      input
	entries []entry
	shown   []int // fit what is typed, best first
	cursor  int
	scroll  int
	rows    int   // on the screen
	lines   []int // which of shown each of them is
	// list brings the entries for what is typed; nil: they stay.
	list func(typed string) []entry
	// chosen is told what was typed when something is done; nil: nobody cares.
	chosen func(typed string, e entry)
	// above is what the up key does on the first line; nil: nothing.
	above func() bool
}

func (d *menu) title() string { return render.Visible(d.head) }

func (d *menu) size(width, height int) (w, h int) {
	w = max(30, ansi.StringWidth(d.title())+2)
	keys, names := d.keyWidth(), d.nameWidth()
	for _, e := range d.entries {
		w = max(w, keys+max(ansi.StringWidth(e.name), names)+ansi.StringWidth(e.detail)+ansi.StringWidth(e.off)+8)
	}
	w = min(w, width, 100)
	more := 0 // lines that the entry under the cursor may need besides its own
	for _, e := range d.entries {
		more = max(more, len(d.whole(e, w, keys))-1)
	}
	return w, min(max(len(d.entries), 1)+1+more, height) // one for "nothing fits"
}

func (d *menu) hints() []hint {
	g := &d.m.o.Deck.Styles.Glyphs
	return []hint{{"enter", "do it"}, {g.Up + g.Down, "choose"}, {"esc", "close"}}
}

// fit finds what matches anew.
func (d *menu) fit() {
	typed := d.in.text()
	if d.list != nil {
		d.entries = d.list(typed)
	}
	worth := make([]int, len(d.entries))
	d.shown = d.shown[:0]
	for i, e := range d.entries {
		worth[i] = max(palette.Fitness(typed, e.name), palette.Fitness(typed, e.detail)-200)
		if e.key != "" && e.key == typed {
			worth[i] = 500
		}
		if d.list != nil || worth[i] >= 0 {
			d.shown = append(d.shown, i)
		}
	}
	if d.list == nil && strings.TrimSpace(typed) != "" {
		slices.SortStableFunc(d.shown, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	}
	d.cursor, d.scroll = 0, 0
}

// again finds what matches anew, for the same text: the cursor stays on its entry.
func (d *menu) again() {
	var at entry
	if d.cursor < len(d.shown) {
		at = d.entries[d.shown[d.cursor]]
	}
	row := d.cursor - d.scroll
	d.fit()
	for i, shown := range d.shown {
		if e := d.entries[shown]; at.off == "" && e.name == at.name && e.detail == at.detail && e.key == at.key {
			d.cursor, d.scroll = i, max(i-row, 0)
			return
		}
	}
}

func (d *menu) key(k tea.KeyPressMsg) tea.Cmd {
	page := max(d.rows-1, 1)
	switch k.String() {
	case "esc":
		d.m.close(d)
	case "enter":
		return d.choose()
	case "down", "ctrl+n", "tab":
		d.move(d.cursor + 1)
	case "up", "ctrl+p", "shift+tab":
		if d.cursor > 0 || d.above == nil || !d.above() {
			d.move(d.cursor - 1)
		}
	case "pgdown", "ctrl+d": // ctrl+u empties the line
		d.move(d.cursor + page)
	case "pgup":
		d.move(d.cursor - page)
	default:
		switch name := k.String(); {
		case name == "home" && d.in.text() == "":
			d.move(0)
		case name == "end" && d.in.text() == "":
			d.move(len(d.shown) - 1)
		case d.in.key(k):
			d.fit()
		}
	}
	return nil
}

// position says where the cursor is in a list that is longer than its box.
func (d *menu) position() []piece {
	if len(d.shown) <= d.rows {
		return nil
	}
	return []piece{{text: grouped(d.cursor+1) + " of " + grouped(len(d.shown)), style: d.m.o.Deck.Styles.Dim, rank: 1}}
}

func (d *menu) paste(text string) {
	d.in.insert(text)
	d.fit()
}

func (d *menu) move(to int) { d.cursor = max(min(to, len(d.shown)-1), 0) }

func (d *menu) choose() tea.Cmd {
	if d.cursor >= len(d.shown) {
		return nil
	}
	e := d.entries[d.shown[d.cursor]]
	if e.off != "" {
		d.m.say = deck.Say{Text: e.name + ": " + e.off}
		return nil
	}
	d.m.close(d)
	if d.chosen != nil {
		d.chosen(strings.TrimSpace(d.in.text()), e)
	}
	if e.do == nil {
		return nil
	}
	return e.do()
}

func (d *menu) mouse(msg tea.Msg) tea.Cmd {
	switch e := msg.(type) {
	case tea.MouseWheelMsg:
		d.move(d.cursor + map[bool]int{true: -3, false: 3}[e.Button == tea.MouseWheelUp])
	case tea.MouseClickMsg:
		if e.Y > 0 && e.Y <= len(d.lines) {
			d.cursor = d.lines[e.Y-1]
			return d.choose()
		}
	}
	return nil
}

func (d *menu) keyWidth() int {
	w := 0
	for _, e := range d.entries {
		w = max(w, ansi.StringWidth(e.key))
	}
	return w
}

// nameWidth is how wide the names are that have something behind them.
func (d *menu) nameWidth() int {
	const most = 24
	w := 0
	for _, e := range d.entries {
		if n := ansi.StringWidth(e.name); n <= most && (e.detail != "" || e.off != "") {
			w = max(w, n)
		}
	}
	return w
}

func (d *menu) view(width, height int) (lines []string, at point) {
	s := d.m.o.Deck.Styles
	text, x := d.in.view(width-ansi.StringWidth(d.prompt)-1, "")
	lines = append(lines, s.Accent.Render(d.prompt)+" "+text)
	d.rows = max(height-1, 0)
	keys := d.keyWidth()
	var current []string
	if d.cursor < len(d.shown) {
		current = d.current(d.entries[d.shown[d.cursor]], width, keys)
	}
	current = current[:min(len(current), d.rows)]
	d.scroll = max(min(d.scroll, d.cursor), d.cursor-d.rows+len(current), 0)
	d.lines = d.lines[:0]
	for i := d.scroll; i < len(d.shown) && len(d.lines) < d.rows; i++ {
		drawn := current
		if i != d.cursor {
			drawn = []string{d.line(d.entries[d.shown[i]], width, keys)}
		}
		for _, l := range drawn {
			lines, d.lines = append(lines, l), append(d.lines, i)
		}
	}
	if len(d.shown) == 0 && height > 1 {
		lines = append(lines, s.Dim.Render("nothing fits"))
	}
	return lines, point{ansi.StringWidth(d.prompt) + 1 + x, 0}
}

// parts are the texts of an entry: its key and its name, and what is said of it.
func (d *menu) parts(e entry, keys int) (head, name, detail string) {
	detail = render.Visible(e.detail)
	if e.off != "" {
		detail = "(" + render.Visible(e.off) + ")"
	}
	if keys > 0 {
		head = e.key + strings.Repeat(" ", keys-ansi.StringWidth(e.key)) + "  "
	}
	name = render.Visible(e.name)
	if detail != "" {
		name += strings.Repeat(" ", max(d.nameWidth()-ansi.StringWidth(name), 0))
		detail = "  " + detail
	}
	return head, name, detail
}

// line is an entry on one line, as far as it fits.
func (d *menu) line(e entry, width, keys int) string {
	s := d.m.o.Deck.Styles
	head, name, detail := d.parts(e, keys)
	line := ansi.Truncate("  "+head+name, width, s.Glyphs.Ellipsis)
	if room := width - ansi.StringWidth(line); detail != "" && room > 6 {
		detail = ansi.Truncate(detail, room, s.Glyphs.Ellipsis)
	} else {
		detail = ""
	}
	if e.off != "" {
		return s.Dim.Render(line + detail)
	}
	return line + s.Dim.Render(detail)
}

// whole is an entry on as many lines as it needs: what one line leaves out is nowhere else.
func (d *menu) whole(e entry, width, keys int) []string {
	head, name, detail := d.parts(e, keys)
	text, indent := name+detail, 2+ansi.StringWidth(head)
	if indent > width/2 {
		text, head, indent = head+text, "", 2
	}
	lines := widget.Wrap(text, width-indent)
	for i, l := range lines {
		if i == 0 {
			lines[i] = d.m.o.Deck.Styles.Glyphs.Pointer + " " + head + l
		} else {
			lines[i] = strings.Repeat(" ", indent) + strings.TrimLeft(l, " ")
		}
	}
	return lines
}

// current is the entry under the cursor as it is drawn.
func (d *menu) current(e entry, width, keys int) []string {
	s := d.m.o.Deck.Styles
	lines := d.whole(e, width, keys)
	if s.Color {
		for i, l := range lines {
			lines[i] = s.Selected.Render(l + strings.Repeat(" ", max(width-ansi.StringWidth(l), 0)))
		}
	}
	return lines
}
