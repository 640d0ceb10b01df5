package widget

import (
	"time"

	"github.com/ssmdeck/ssmdeck/internal/terms"
)

// Search makes the filter of a list out of its columns, in the grammar of package
// terms: the keys are the ids of the columns, and bare words are looked for in all
// of them. Ages are counted from the clock; a List counts them from its own time.
func Search(columns []Column) func(text string) (func(row int) bool, error) {
	return SearchAt(columns, time.Now)
}

// SearchAt is Search with the time from which ages are counted.
func SearchAt(columns []Column, now func() time.Time) func(text string) (func(row int) bool, error) {
	return func(text string) (func(row int) bool, error) {
		s := search{columns: columns, now: now}
		if err := s.parse(text); err != nil {
			return nil, err
		}
		return s.match, nil
	}
}

// search is a filter over columns. It asks for a cell once a row, whatever the
// number of terms; it belongs to one goroutine.
type search struct {
	columns []Column
	now     func() time.Time
	expr    terms.Expr

	row   int
	texts []string
	known []bool
}

func (s *search) parse(text string) error {
	g := terms.Grammar{Words: true}
	for i, c := range s.columns {
		k := terms.Key{Name: c.ID, Kind: c.Sort}
		if c.Sort == terms.Moment && c.At == nil {
			k.Kind = terms.Text
		}
		if g.Keys = append(g.Keys, k); i == 0 {
			g.Form = "write words, or terms like " + c.ID + "=VALUE"
		}
	}
	var err error
	s.expr, err = g.Parse(text)
	s.texts, s.known = make([]string, len(s.columns)), make([]bool, len(s.columns))
	return err
}

func (s *search) match(row int) bool {
	s.row = row
	clear(s.known)
	return s.expr.Match(s.holds)
}

func (s *search) holds(t *terms.Term) bool {
	switch {
	case t.IsWord():
		return s.word(t)
	case t.Kind() == terms.Moment:
		return t.HoldsTime(s.columns[t.At].At(s.row), s.now())
	}
	return t.Holds(s.text(t.At))
}

func (s *search) text(column int) string {
	if !s.known[column] {
		s.texts[column], s.known[column] = s.columns[column].Text(s.row), true
	}
	return s.texts[column]
}

func (s *search) word(t *terms.Term) bool {
	for i := range s.columns {
		c := &s.columns[i]
		if t.In(s.text(i)) || c.Also != nil && t.In(c.Also(s.row)) || c.Loose && t.Letters(s.text(i)) {
			return true
		}
	}
	return false
}
