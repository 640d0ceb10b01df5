package render

import (
	"bytes"
	"testing"
)

// TestWrapShowsTheSameColumns: what is shown only when asked for stays so behind
// the columns in front.
func TestWrapShowsTheSameColumns(t *testing.T) {
	type row struct{ place, name string }
	inner := Table[string]{Columns: []Column[string]{
		{Name: "NAME", Text: func(s string) string { return s }},
		{Name: "RARE", Asked: true, Text: func(string) string { return "rare" }},
		{Name: "MORE", Wide: true, Text: func(string) string { return "more" }},
	}}
	outer := Wrap(inner, func(r row) string { return r.name }, Column[row]{Name: "PLACE", Text: func(r row) string { return r.place }})
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "here\tweb\n"},
		{Options{Columns: []string{"rare", "place"}}, "rare\there\n"},
		{Options{Format: FormatCSV}, "place,name,more\nhere,web,more\n"},
	} {
		var out bytes.Buffer
		err := outer.Write(&out, c.o, func(yield func(row, error) bool) { yield(row{"here", "web"}, nil) })
		if err != nil || out.String() != c.want {
			t.Errorf("%+v: %q, %v, want %q", c.o, out.String(), err, c.want)
		}
	}
}
