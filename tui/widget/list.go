// Package widget holds the parts pages are made of: a list of any length of which
// only the rows on the screen are drawn, text that scrolls, bars. They draw plain
// strings and know nothing of Systems Manager.
package widget

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Column is one column of a List. Its functions get the number of a row.
type Column struct {
	ID    string // in the saved layout: "agent"
	Title string // in the header: "AGENT"
	// Text is the cell as plain text; control characters are made visible.
	Text func(row int) string
	// Level, when not nil, draws the glyph and the colour of a state in front of it.
	Level func(row int) theme.Level
	// Compare orders rows by this column; nil: by Text.
	Compare func(a, b int) int
	Right   bool // numbers
	// Min and Max are its width in cells; 0: as wide as what is on the screen needs.
	Min, Max int
	// Rank decides who gives way on a narrow screen: those of a higher rank first.
	Rank int
	// Off is set for what is shown only when it was chosen.
	Off bool
	// Middle cuts what is too long in the middle, as ids are cut, and not at the end.
	Middle bool
	// Flash marks a cell for three seconds when it has changed.
	Flash bool
}

// Options make a List.
type Options struct {
	Columns []Column
	Key     func(row int) string // the identity of a row, which survives new data
	// Parse makes a filter out of a text; its error says what is wrong. Nil: Search
	// over the columns.
	Parse func(text string) (func(row int) bool, error)
	// Sort is the id of the column the rows are ordered by at first; "" leaves them
	// in the order in which they come. A "-" in front turns it round.
	Sort string
	// Marks allows rows to be marked.
	Marks bool
	// None is shown in place of rows when there are none: "no node matches".
	None func() string
}

// List shows rows that others own: the page keeps them in a slice, calls Reset when
// it has another, and gives functions that take the number of a row.
type List struct {
	o      Options
	styles *theme.Styles
	width  int
	height int

	n      int      // rows there are
	keys   []string // of all rows
	order  []int    // rows that fit the filter, as shown
	filter string
	fits   func(row int) bool
	sort   int // a column, -1: none
	down   bool
	layout []int // columns, in their order
	hidden map[int]bool

	cursor int // in order
	top    int
	at     string // the key under the cursor
	marks  map[string]bool
	anchor int // where a range of marks began; -1: nowhere

	before  map[string][]string // the cells that flash, as they were
	changed map[string]map[int]time.Time
	now     time.Time
	still   bool
}

// NewList makes an empty list.
func NewList(o Options) *List {
	l := &List{o: o, sort: -1, anchor: -1, marks: map[string]bool{}, hidden: map[int]bool{}}
	for i, c := range o.Columns {
		l.layout = append(l.layout, i)
		l.hidden[i] = c.Off
	}
	if o.Parse == nil {
		l.o.Parse = Search(o.Columns)
	}
	id, down := strings.CutPrefix(o.Sort, "-")
	l.sort, l.down = slices.IndexFunc(o.Columns, func(c Column) bool { return c.ID == id }), down
	return l
}

// SetStyles says how it is drawn.
func (l *List) SetStyles(s *theme.Styles) { l.styles = s }

// SetNow gives the time from which flashes are counted; still turns them off.
func (l *List) SetNow(now time.Time, still bool) { l.now, l.still = now, still }

// SetSize gives the number of cells, the header included.
func (l *List) SetSize(width, height int) {
	l.width, l.height = width, height
	l.scroll()
}

// Reset says that there are n rows now, in other places perhaps. The cursor stays
// with its row, the marks with theirs; those of rows that are gone are dropped.
func (l *List) Reset(n int) {
	l.n = n
	l.keys = make([]string, n)
	there := make(map[string]bool, len(l.marks))
	for i := range n {
		l.keys[i] = l.o.Key(i)
		if l.marks[l.keys[i]] {
			there[l.keys[i]] = true
		}
	}
	l.marks = there
	l.arrange()
}

// arrange filters and orders anew, and puts the cursor where its row is.
func (l *List) arrange() {
	l.order = l.order[:0]
	for i := range l.n {
		if l.fits == nil || l.fits(i) {
			l.order = append(l.order, i)
		}
	}
	if l.sort >= 0 {
		c := l.o.Columns[l.sort]
		compare := c.Compare
		if compare == nil {
			compare = func(a, b int) int { return strings.Compare(c.Text(a), c.Text(b)) }
		}
		slices.SortStableFunc(l.order, func(a, b int) int {
			if l.down {
				a, b = b, a
			}
			return compare(a, b)
		})
	}
	if at := slices.IndexFunc(l.order, func(i int) bool { return l.keys[i] == l.at }); at >= 0 {
		l.cursor = at
	} else {
		l.cursor = max(min(l.cursor, len(l.order)-1), 0)
	}
	l.scroll()
}

// scroll keeps the cursor on the screen and remembers whose it is.
func (l *List) scroll() {
	shown := l.shown()
	l.top = max(min(l.top, len(l.order)-shown), 0)
	if l.cursor < l.top {
		l.top = l.cursor
	}
	if l.cursor >= l.top+shown {
		l.top = l.cursor - shown + 1
	}
	if l.cursor < len(l.order) {
		l.at = l.keys[l.order[l.cursor]]
	}
}

func (l *List) shown() int { return max(l.height-1, 1) }

// Len is the number of rows that fit the filter, Of of all.
func (l *List) Len() int { return len(l.order) }

// Of is the number of all rows.
func (l *List) Of() int { return l.n }

// Current is the row under the cursor; false: there is none.
func (l *List) Current() (row int, ok bool) {
	if l.cursor >= len(l.order) {
		return 0, false
	}
	return l.order[l.cursor], true
}

// Select puts the cursor on the row of a key; false when it is not shown.
func (l *List) Select(key string) bool {
	at := slices.IndexFunc(l.order, func(i int) bool { return l.keys[i] == key })
	if at < 0 {
		return false
	}
	l.cursor = at
	l.scroll()
	return true
}

// Shown are the rows that fit the filter, in their order.
func (l *List) Shown() []int { return l.order }

// Marked are the rows that are marked, in their order; hidden is how many of them
// do not fit the filter.
func (l *List) Marked() (rows []int, hidden int) {
	if len(l.marks) == 0 {
		return nil, 0
	}
	for _, i := range l.order {
		if l.marks[l.keys[i]] {
			rows = append(rows, i)
		}
	}
	seen := len(rows)
	if seen < len(l.marks) {
		shown := make(map[int]bool, seen)
		for _, i := range rows {
			shown[i] = true
		}
		for i := range l.n {
			if l.marks[l.keys[i]] && !shown[i] {
				rows = append(rows, i)
			}
		}
	}
	return rows, len(rows) - seen
}

// Chosen are the rows an action is about: those marked, else the one under the
// cursor.
func (l *List) Chosen() []int {
	if rows, _ := l.Marked(); len(rows) > 0 {
		return rows
	}
	if row, ok := l.Current(); ok {
		return []int{row}
	}
	return nil
}

// ClearMarks drops all marks; false when there were none.
func (l *List) ClearMarks() bool {
	had := len(l.marks) > 0
	clear(l.marks)
	l.anchor = -1
	return had
}

// SetFilter shows the rows that fit. A wrong filter leaves the one before.
func (l *List) SetFilter(text string) error {
	if strings.TrimSpace(text) == "" {
		l.filter, l.fits = "", nil
		l.arrange()
		return nil
	}
	fits, err := l.o.Parse(text)
	if err != nil {
		return err
	}
	l.filter, l.fits = text, fits
	l.arrange()
	return nil
}

// Filter is the filter in force.
func (l *List) Filter() string { return l.filter }

// Update takes keys that move, mark and sort, and mouse messages in its own
// coordinates; false for others.
func (l *List) Update(msg tea.Msg) bool {
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		return l.key(m.String())
	case tea.MouseWheelMsg:
		step := 3
		if m.Button == tea.MouseWheelUp {
			step = -3
		}
		l.move(l.cursor + step)
		return true
	case tea.MouseClickMsg:
		if m.Y == 0 {
			return l.sortAt(m.X)
		}
		if at := l.top + m.Y - 1; m.Y < l.height && at < len(l.order) {
			l.move(at)
		}
		return true
	}
	return false
}

func (l *List) key(k string) bool {
	page := max(l.shown()-1, 1)
	switch k {
	case "j", "down":
		l.move(l.cursor + 1)
	case "k", "up":
		l.move(l.cursor - 1)
	case "g", "home":
		l.move(0)
	case "G", "end":
		l.move(len(l.order) - 1)
	case "ctrl+d":
		l.move(l.cursor + page/2 + 1)
	case "ctrl+u":
		l.move(l.cursor - page/2 - 1)
	case "pgdown", "ctrl+f":
		l.move(l.cursor + page)
	case "pgup", "ctrl+b":
		l.move(l.cursor - page)
	case "<", ">":
		l.sortNext(k == ">")
	case "I":
		l.down = !l.down
		l.arrange()
	default:
		return l.o.Marks && l.markKey(k)
	}
	return true
}

func (l *List) markKey(k string) bool {
	switch k {
	case "space":
		if row, ok := l.Current(); ok {
			l.mark(row, !l.marks[l.keys[row]])
			l.anchor = l.cursor
			l.move(l.cursor + 1)
		}
	case "*":
		all := true
		for _, i := range l.order {
			all = all && l.marks[l.keys[i]]
		}
		for _, i := range l.order {
			l.mark(i, !all)
		}
	case "shift+down", "shift+up":
		if row, ok := l.Current(); ok {
			l.mark(row, true)
		}
		step := 1
		if k == "shift+up" {
			step = -1
		}
		l.move(l.cursor + step)
		if row, ok := l.Current(); ok {
			l.mark(row, true)
		}
	case "ctrl+space":
		if l.anchor < 0 {
			l.anchor = l.cursor
		}
		for at := min(l.anchor, l.cursor); at <= max(l.anchor, l.cursor) && at < len(l.order); at++ {
			l.mark(l.order[at], true)
		}
	default:
		return false
	}
	return true
}

func (l *List) mark(row int, on bool) {
	if on {
		l.marks[l.keys[row]] = true
	} else {
		delete(l.marks, l.keys[row])
	}
}

func (l *List) move(to int) {
	l.cursor = max(min(to, len(l.order)-1), 0)
	l.scroll()
}

// sortNext orders by the next column that is shown.
func (l *List) sortNext(forward bool) {
	shown := l.shownColumns()
	at := slices.Index(shown, l.sort)
	step := 1
	if !forward {
		step = -1
	}
	at = (at + step + len(shown)) % len(shown)
	l.sort, l.down = shown[at], false
	l.arrange()
}

func (l *List) sortAt(x int) bool {
	widths := l.widths()
	left := 2
	for i, c := range l.shownColumns() {
		if x >= left && x < left+widths[i] {
			if l.sort == c {
				l.down = !l.down
			} else {
				l.sort, l.down = c, false
			}
			l.arrange()
			return true
		}
		left += widths[i] + 2
	}
	return false
}

func (l *List) shownColumns() []int {
	var out []int
	for _, c := range l.layout {
		if !l.hidden[c] {
			out = append(out, c)
		}
	}
	return out
}

// AllColumns are the titles of all columns and whether each is shown.
func (l *List) AllColumns() (titles []string, shown []bool) {
	for _, c := range l.layout {
		titles, shown = append(titles, l.o.Columns[c].Title), append(shown, !l.hidden[c])
	}
	return titles, shown
}

// ShowColumn shows or hides the i-th column of AllColumns; the last one stays.
func (l *List) ShowColumn(i int, shown bool) {
	if shown || len(l.shownColumns()) > 1 {
		l.hidden[l.layout[i]] = !shown
	}
}

// MoveColumn moves a column of AllColumns to another place.
func (l *List) MoveColumn(from, to int) {
	c := l.layout[from]
	l.layout = slices.Insert(slices.Delete(l.layout, from, from+1), to, c)
}

// listLayout is what is kept of a list between two starts.
type listLayout struct {
	Columns []string `json:"columns,omitempty"` // shown, in their order
	Sort    string   `json:"sort,omitempty"`
}

// Layout returns what is to be kept between two starts.
func (l *List) Layout() json.RawMessage {
	var out listLayout
	for _, c := range l.shownColumns() {
		out.Columns = append(out.Columns, l.o.Columns[c].ID)
	}
	if l.sort >= 0 {
		out.Sort = l.o.Columns[l.sort].ID
		if l.down {
			out.Sort = "-" + out.Sort
		}
	}
	data, _ := json.Marshal(out) // strings alone: cannot fail
	return data
}

// SetLayout takes what Layout has returned; columns that it does not know stay away.
func (l *List) SetLayout(data json.RawMessage) {
	var in listLayout
	if json.Unmarshal(data, &in) != nil || len(in.Columns) == 0 {
		return
	}
	byID := func(id string) int {
		return slices.IndexFunc(l.o.Columns, func(c Column) bool { return c.ID == id })
	}
	var order []int
	for _, id := range in.Columns {
		if c := byID(id); c >= 0 && !slices.Contains(order, c) {
			order = append(order, c)
		}
	}
	if len(order) == 0 {
		return
	}
	for c := range l.o.Columns {
		l.hidden[c] = !slices.Contains(order, c)
		if l.hidden[c] {
			order = append(order, c)
		}
	}
	l.layout = order
	id, down := strings.CutPrefix(in.Sort, "-")
	if c := byID(id); c >= 0 {
		l.sort, l.down = c, down
	}
	l.arrange()
}

// View draws the header and the rows on the screen. focused says whether keys go
// here.
func (l *List) View(focused bool) string {
	if l.width < 4 || l.height < 1 {
		return ""
	}
	columns, widths := l.shownColumns(), l.widths()
	var b strings.Builder
	b.WriteString("  ")
	for i, c := range columns {
		if widths[i] == 0 {
			continue
		}
		title := l.o.Columns[c].Title
		if c == l.sort {
			if l.down {
				title += l.styles.Glyphs.Down
			} else {
				title += l.styles.Glyphs.Up
			}
		}
		b.WriteString(l.styles.Header.Render(fit(title, widths[i], l.o.Columns[c], l.styles.Glyphs.Ellipsis)) + "  ")
	}
	lines := []string{strings.TrimRight(b.String(), " ")}
	if len(l.order) == 0 && l.o.None != nil && l.height > 1 {
		lines = append(lines, "  "+l.styles.Dim.Render(ansi.Truncate(l.o.None(), l.width-2, l.styles.Glyphs.Ellipsis)))
	}
	for at := l.top; at < min(l.top+l.shown(), len(l.order)) && len(lines) < l.height; at++ {
		lines = append(lines, l.rowLine(l.order[at], at == l.cursor, focused, columns, widths))
	}
	return strings.Join(lines, "\n")
}

func (l *List) rowLine(row int, current, focused bool, columns, widths []int) string {
	var b strings.Builder
	pointer, mark := " ", " "
	if current {
		pointer = l.styles.Glyphs.Pointer
	}
	if l.marks[l.keys[row]] {
		mark = l.styles.Glyphs.Marked
	}
	b.WriteString(pointer + mark)
	plain := current && focused
	for i, c := range columns {
		if widths[i] == 0 {
			continue
		}
		col := l.o.Columns[c]
		text := visible(col.Text(row))
		if col.Level != nil {
			level := col.Level(row)
			text = l.styles.Glyphs.Level(level) + " " + text
			text = fit(text, widths[i], col, l.styles.Glyphs.Ellipsis)
			if !plain {
				text = l.styles.Level(level).Render(text)
			}
		} else {
			text = fit(text, widths[i], col, l.styles.Glyphs.Ellipsis)
		}
		b.WriteString(text)
		b.WriteString("  ")
	}
	line := ansi.Truncate(strings.TrimRight(b.String(), " "), l.width, "")
	if plain {
		line = l.styles.Selected.Render(line + strings.Repeat(" ", max(l.width-ansi.StringWidth(line), 0)))
	}
	return line
}

// widths shares the room out among the shown columns: what the rows on the screen
// need, and those of the highest rank give way.
func (l *List) widths() []int {
	columns := l.shownColumns()
	want := make([]int, len(columns))
	for i, c := range columns {
		col := l.o.Columns[c]
		want[i] = max(ansi.StringWidth(col.Title)+1, col.Min)
		for at := l.top; at < min(l.top+l.shown(), len(l.order)); at++ {
			w := ansi.StringWidth(visible(col.Text(l.order[at])))
			if col.Level != nil {
				w += 2
			}
			want[i] = max(want[i], w)
		}
		if col.Max > 0 {
			want[i] = min(want[i], col.Max)
		}
	}
	byRank := make([]int, len(columns))
	for i := range byRank {
		byRank[i] = i
	}
	slices.SortStableFunc(byRank, func(a, b int) int {
		return cmp.Compare(l.o.Columns[columns[a]].Rank, l.o.Columns[columns[b]].Rank)
	})
	left := l.width - 2
	got := make([]int, len(columns))
	for n, i := range byRank {
		least := min(want[i], max(l.o.Columns[columns[i]].Min, 8))
		switch {
		case left >= want[i]:
			got[i] = want[i]
		case left >= least || n == 0:
			got[i] = max(left, 1)
		default:
			continue
		}
		left -= got[i] + 2
	}
	return got
}

// fit cuts or pads a text to a width.
func fit(text string, width int, c Column, ellipsis string) string {
	w := ansi.StringWidth(text)
	switch {
	case w > width && c.Middle && width > 4:
		head := (width - 1) / 2
		return ansi.Truncate(text, head, "") + ellipsis + ansi.TruncateLeft(text, w-(width-1-head), "")
	case w > width:
		return ansi.Truncate(text, width, ellipsis)
	case c.Right:
		return strings.Repeat(" ", width-w) + text
	}
	return text + strings.Repeat(" ", width-w)
}

// visible makes control characters of foreign text harmless.
func visible(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// Count says how many rows are shown of how many: "3 of 1,204".
func (l *List) Count() string {
	if len(l.order) == l.n {
		return fmt.Sprintf("%d", l.n)
	}
	return fmt.Sprintf("%d of %d", len(l.order), l.n)
}
