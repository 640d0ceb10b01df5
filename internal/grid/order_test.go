package grid

import (
	"fmt"
	"slices"
	"testing"
)

// Regions stand as they were typed, in each account; the others by name.
func TestRegionsStayInTheOrderInWhichTheyWereNamed(t *testing.T) {
	cells := func() (all []Cell) {
		for _, at := range []Place{
			{"b", "222222222222", "us-east-1"},
			{"b", "222222222222", "eu-west-1"},
			{"a", "111111111111", "us-east-1"},
			{"a", "111111111111", "eu-west-1"},
			{"c", "111111111111", "us-east-1"},
			{"c", "111111111111", "eu-west-1"},
		} {
			all = append(all, Cell{Place: at})
		}
		return all
	}
	for _, c := range []struct{ named, want []string }{
		{[]string{"us-east-1", "eu-west-1"}, []string{
			"111111111111 us-east-1", "111111111111 eu-west-1", "222222222222 us-east-1", "222222222222 eu-west-1",
		}},
		{[]string{All}, []string{
			"111111111111 eu-west-1", "111111111111 us-east-1", "222222222222 eu-west-1", "222222222222 us-east-1",
		}},
	} {
		g := &Grid{Cells: cells()}
		var notes []string
		Opener{Note: func(f string, args ...any) { notes = append(notes, fmt.Sprintf(f, args...)) }}.unique(g, c.named)
		var got []string
		for _, cell := range g.Cells {
			got = append(got, cell.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.named, got, c.want)
		}
		// Two profiles of one account and Region are one place: none can be taken for the other.
		if len(notes) != 1 || notes[0] != "profiles c and a are the same account: it is asked once" {
			t.Errorf("said %q", notes)
		}
	}
}
