package widget

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/terms"
)

// SetFilter shows the rows that fit. A wrong filter leaves the one before.
func (l *List) SetFilter(text string) error {
	var expr terms.Expr
	var fits func(row int) bool
	rows := l.sorted
	switch {
	case strings.TrimSpace(text) == "":
		text = ""
	case l.o.Parse != nil:
		var err error
		if fits, err = l.o.Parse(text); err != nil {
			return err
		}
		if l.o.Narrows != nil && l.o.Narrows() {
			rows = l.order
		}
	default:
		s := search{columns: l.o.Columns, now: func() time.Time { return l.now }}
		if err := s.parse(text); err != nil {
			return err
		}
		if expr, fits = s.expr, s.match; expr.Narrows(l.expr) {
			rows = l.order
		}
	}
	at := l.at
	l.filter, l.fits, l.expr = text, fits, expr
	l.fit(rows)
	if l.at != at { // it does not fit: begin at the first that does
		l.move(0)
	}
	return nil
}

// Filter is the filter in force.
func (l *List) Filter() string { return l.filter }

// arrange orders anew.
func (l *List) arrange() {
	l.sortRows()
	l.fit(l.sorted)
}

// sortRows orders all rows. It begins with the order that was, which is nearly right
// when the rows have changed a little.
func (l *List) sortRows() {
	if len(l.sorted) != l.n {
		l.sorted = make([]int, l.n)
		for i := range l.sorted {
			l.sorted[i] = i
		}
	}
	if l.sort < 0 {
		slices.Sort(l.sorted)
		return
	}
	compare := l.o.Columns[l.sort].order(l.n)
	turn := 1
	if l.down {
		turn = -1
	}
	slices.SortFunc(l.sorted, func(a, b int) int {
		if c := compare(a, b); c != 0 {
			return turn * c
		}
		return a - b // as they come
	})
}

// order compares rows by the column. A cell is asked for once a row, not once a
// comparison.
func (c *Column) order(n int) func(a, b int) int {
	switch {
	case c.Compare != nil:
		return c.Compare
	case c.Sort == terms.Moment && c.At != nil:
		at := cells(n, c.At)
		return func(a, b int) int { return at[a].Compare(at[b]) }
	case c.Sort == terms.Number:
		numbers := cells(n, func(i int) float64 {
			v, ok := terms.LeadingNumber(c.Text(i))
			if !ok {
				return -1e300 // not known: less than all
			}
			return v
		})
		return func(a, b int) int { return cmp.Compare(numbers[a], numbers[b]) }
	}
	texts := cells(n, c.Text)
	if c.Sort == terms.Version {
		return func(a, b int) int { return terms.CompareVersions(texts[a], texts[b]) }
	}
	return func(a, b int) int { return strings.Compare(texts[a], texts[b]) }
}

func cells[T any](n int, of func(row int) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = of(i)
	}
	return out
}

// SortedBy is the id of the column the rows are ordered by, with a "-" in front when
// it is turned round; "": none.
func (l *List) SortedBy() string {
	switch {
	case l.sort < 0:
		return ""
	case l.down:
		return "-" + l.o.Columns[l.sort].ID
	}
	return l.o.Columns[l.sort].ID
}

// SetSort orders the rows by a column, as SortedBy names it; one that there is not
// leaves them as they come.
func (l *List) SetSort(by string) {
	id, down := strings.CutPrefix(by, "-")
	l.sort, l.down = l.column(id), down
	if l.n > 0 {
		l.arrange()
	}
}

func (l *List) column(id string) int {
	return slices.IndexFunc(l.o.Columns, func(c Column) bool { return c.ID == id })
}

// sortNext orders by the next column that is shown.
func (l *List) sortNext(forward bool) {
	shown := l.drawnColumns()
	at := slices.Index(shown, l.sort)
	step := 1
	if !forward {
		step = -1
		at = max(at, 0)
	}
	l.sort, l.down = shown[(at+step+len(shown))%len(shown)], false
	l.arrange()
}

// drawnColumns are the columns that there is room for: an order by another would not be
// seen. Where nothing is drawn they are all that are chosen.
func (l *List) drawnColumns() []int {
	f := l.frame()
	var drawn []int
	for i, c := range f.columns {
		if f.widths[i] > 0 {
			drawn = append(drawn, c)
		}
	}
	if l.width < 4 || len(drawn) == 0 {
		return f.columns
	}
	return drawn
}

// sortAt orders by the column whose title stands at x, or turns the order round.
func (l *List) sortAt(x int) bool {
	f := l.frame()
	left := margin
	for i, c := range f.columns {
		if f.widths[i] == 0 {
			continue
		}
		if x >= left && x < left+f.widths[i] {
			l.down = l.sort == c && !l.down
			l.sort = c
			l.arrange()
			return true
		}
		left += f.widths[i] + gap
	}
	return false
}
