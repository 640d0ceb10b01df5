// Package widget holds the parts pages are made of: a list of any length of which
// only the rows on the screen are drawn, text that scrolls, bars. They draw plain
// strings and know nothing of Systems Manager.
package widget

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Column is one column of a List. Its functions get the number of a row.
type Column struct {
	ID    string // in the saved layout and the filter: "agent"
	Title string // in the header: "AGENT"
	// Text is the cell as plain text; control characters are made visible.
	Text func(row int) string
	// Level, when not nil, draws the glyph and the colour of a state in front of it.
	Level func(row int) theme.Level
	// Sort is how its values compare, in the order of the rows and in the filter:
	// versions, numbers ("1,204", "96 %"), ages.
	Sort terms.Kind
	// At is the moment of a cell of the kind Moment, whose Text is an age; zero: it is
	// not known.
	At func(row int) time.Time
	// Compare orders rows by this column; nil: by Sort.
	Compare func(a, b int) int
	// Also is what a bare word of the filter finds, and the cell does not show.
	Also func(row int) string
	// Loose lets a bare word fit by its letters alone, in their order, as names are
	// abbreviated.
	Loose bool
	Right bool // numbers
	// Min and Max are its width in cells; 0: as wide as what is on the screen needs.
	Min, Max int
	// Rank decides who gives way on a narrow screen: those of a higher rank first.
	Rank int
	// Off is set for what is shown only when it was chosen.
	Off bool
	// Middle cuts what is too long in the middle, as ids are cut, and not at the end.
	Middle bool
	// Flash marks a cell for three seconds when it has changed while it was shown.
	Flash bool
	// Same is what must differ for that, where the text has an age in it, which changes
	// by itself: "" is not known, and to become known is no change. Nil: the text.
	Same func(row int) string
}

// Options make a List.
type Options struct {
	Columns []Column
	Key     func(row int) string // the identity of a row, which survives new data
	// Parse makes a filter out of a text; its error says what is wrong. Nil: Search
	// over the columns.
	Parse func(text string) (func(row int) bool, error)
	// Narrows reports whether what Parse has made last fits no row that did not fit
	// what it had made before, so that those alone are looked at. Nil: never.
	Narrows func() bool
	// Sort is the id of the column the rows are ordered by at first; "" leaves them
	// in the order in which they come. A "-" in front turns it round.
	Sort string
	// Marks allows rows to be marked.
	Marks bool
	// None is shown in place of rows when there are none: "no node matches".
	None func() string
	// Dim greys a row: what is over, or not known any more. A glyph or a word of the
	// row says so, too. Nil: none.
	Dim func(row int) bool
}

// List shows rows that others own: the page keeps them in a slice, calls Reset when
// it has another, and gives functions that take the number of a row. It keeps no
// texts but those on the screen; a key costs what the screen costs, and only new
// rows, another filter or another order look at all of them.
type List struct {
	o      Options
	styles *theme.Styles
	width  int
	height int

	n      int      // rows there are
	keys   []string // of all rows
	sorted []int    // all rows in order
	order  []int    // rows that fit the filter, as shown
	filter string
	fits   func(row int) bool
	expr   terms.Expr // of filter, when it is over the columns
	sort   int        // a column, -1: none
	down   bool
	layout []int // columns, in their order
	hidden map[int]bool
	placed bool        // account and Region are shown where there are several
	places map[int]int // how many accounts and Regions there are, by their columns

	filling bool // rows come for the first time; see Filling
	more    bool // after the next ones
	touched bool // somebody has moved the cursor

	cursor int // in order
	top    int
	at     string // the key under the cursor
	marks  map[string]bool
	anchor string   // the key where a range of marks began
	marked []int    // see Marked; nil: to be found out
	seen   int      // of marked, those that fit the filter
	before snapshot // what was drawn last, to see what has changed

	changed map[cellID]time.Time
	now     time.Time
	still   bool
}

// NewList makes an empty list.
func NewList(o Options) *List {
	l := &List{o: o, sort: -1, marks: map[string]bool{}, hidden: map[int]bool{}, changed: map[cellID]time.Time{}}
	for i, c := range o.Columns {
		l.layout = append(l.layout, i)
		l.hidden[i] = c.Off
	}
	l.SetSort(o.Sort)
	return l
}

// SetStyles says how it is drawn.
func (l *List) SetStyles(s *theme.Styles) { l.styles = s }

// SetNow gives the time from which ages and flashes are counted; still turns those off.
func (l *List) SetNow(now time.Time, still bool) { l.now, l.still = now, still }

// SetSize gives the number of cells, the header included.
func (l *List) SetSize(width, height int) {
	l.width, l.height = width, height
	l.scroll()
}

// Filling says in front of Reset whether more rows are to come for the first time. Until
// they are there, a cursor that nobody has moved stays on the first row, whichever that
// is: else it goes down with the row of the place that has answered first, and what is
// worst comes above the screen.
func (l *List) Filling(more bool) { l.filling, l.more = l.more || more, more }

// Reset says that there are n rows now, in other places perhaps. The cursor stays
// with its row, the marks with theirs; those of rows that are gone are dropped.
func (l *List) Reset(n int) {
	same := n == l.n && len(l.sorted) == n
	l.n = n
	l.keys = slices.Grow(l.keys[:0], n)[:n]
	there := make(map[string]bool, len(l.marks))
	for i := range n {
		l.keys[i] = l.o.Key(i)
		if len(l.marks) > 0 && l.marks[l.keys[i]] {
			there[l.keys[i]] = true
		}
	}
	l.marks = there
	if !same {
		l.sorted = nil
	}
	l.sortRows()
	l.fit(l.sorted)
	l.compareWithBefore()
}

// fit shows those of rows that fit the filter, and puts the cursor where its row is.
func (l *List) fit(rows []int) {
	place := l.cursor - l.top
	kept := make([]int, 0, len(rows))
	for _, i := range rows {
		if l.fits == nil || l.fits(i) {
			kept = append(kept, i)
		}
	}
	l.order, l.marked = kept, nil
	if l.filling && !l.touched {
		l.cursor, l.top = 0, 0
	} else if at := l.find(l.at); at >= 0 {
		l.cursor = at
		if l.top > 0 { // the row stays where it is on the screen
			l.top = at - place
		}
	} else {
		l.cursor = max(min(l.cursor, len(l.order)-1), 0)
	}
	l.scroll()
}

// find is the place of a key in the order; -1: it is not shown.
func (l *List) find(key string) int {
	return slices.IndexFunc(l.order, func(i int) bool { return l.keys[i] == key })
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

// screen are the rows on the screen.
func (l *List) screen() []int {
	return l.order[min(l.top, len(l.order)):min(l.top+l.shown(), len(l.order))]
}

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
	at := l.find(key)
	if at < 0 {
		return false
	}
	l.move(at)
	return true
}

// Shown are the rows that fit the filter, in their order.
func (l *List) Shown() []int { return l.order }

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
	l.touched = true
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

func (l *List) move(to int) {
	l.touched = true
	l.cursor = max(min(to, len(l.order)-1), 0)
	l.scroll()
}
