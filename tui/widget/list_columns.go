package widget

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
)

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

// ShowPlaces shows account and Region as soon as rows can come from several places,
// unless a layout that was made then says otherwise. accounts and regions are how many
// there are, 0 where that is not known: on a narrow screen what tells rows of one name
// apart stays beside their name, and what is the same in all rows gives way first.
func (l *List) ShowPlaces(several bool, accounts, regions int) {
	l.places = map[int]int{}
	for id, n := range map[string]int{"account": accounts, "region": regions} {
		if c := l.column(id); c >= 0 && several && n > 0 {
			l.places[c] = n
		}
	}
	if l.placed || !several {
		return
	}
	l.placed = true
	for _, id := range []string{"account", "region"} {
		if c := l.column(id); c >= 0 {
			l.hidden[c] = false
		}
	}
}

// rank is who gives way; see Column.Rank and ShowPlaces.
func (l *List) rank(c int) int {
	switch n := l.places[c]; {
	case n > 1:
		return min(1, l.o.Columns[c].Rank)
	case n == 1:
		return math.MaxInt
	}
	return l.o.Columns[c].Rank
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
	Placed  bool     `json:"placed,omitempty"` // made where rows come from several places
}

// Layout returns what is to be kept between two starts.
func (l *List) Layout() json.RawMessage {
	out := listLayout{Placed: l.placed}
	for _, c := range l.shownColumns() {
		out.Columns = append(out.Columns, l.o.Columns[c].ID)
	}
	out.Sort = l.SortedBy()
	data, _ := json.Marshal(out) // strings alone: cannot fail
	return data
}

// SetLayout takes what Layout has returned; columns that it does not know stay away.
func (l *List) SetLayout(data json.RawMessage) {
	var in listLayout
	if json.Unmarshal(data, &in) != nil || len(in.Columns) == 0 {
		return
	}
	var order []int
	for _, id := range in.Columns {
		if c := l.column(id); c >= 0 && !slices.Contains(order, c) {
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
	l.layout, l.placed = order, in.Placed
	if l.column(strings.TrimPrefix(in.Sort, "-")) >= 0 {
		l.SetSort(in.Sort)
	}
}
