package deck

import (
	"cmp"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Nowhere is the first screen of a dashboard of which no place could be opened: nobody
// has logged in, the login has expired, no Region is known.
type Nowhere struct {
	Head string
	Lost []grid.Failure // why
	Ways []Fact         // what can be typed, and what it does
}

// NowhereOf is the first screen of a dashboard; false: there are places, or it is not
// known yet whether there are. again is what is typed to try once more.
func NowhereOf(d *Deck, desk *feed.Desk, contexts []string, again string) (Nowhere, bool) {
	if !desk.Opened() || len(desk.Cells) > 0 || len(desk.Lost) == 0 {
		return Nowhere{}, false
	}
	one := grid.Place{Region: cmp.Or(d.Where.Region, "REGION")} // doctor looks at one place
	n := Nowhere{Head: "No account and Region could be opened.", Lost: desk.Lost, Ways: []Fact{
		{again, "tries again, once that is done"},
		{d.OneLiner([]string{"doctor"}, one), "checks Region, clock, credentials and proxy"},
		{"ssmdeck dash -p PROFILE -r REGION", "opens another account and Region"},
	}}
	if len(contexts) > 0 {
		n.Ways = append(n.Ways, Fact{": context NAME", "goes on in a context of the configuration"})
	}
	n.Ways = append(n.Ways, Fact{"ssmdeck demo", "opens a simulated fleet, no account needed"}, Fact{"q", "leaves"})
	return n, true
}

// Where is the place of a failure with a colon behind it; empty: all of it is meant.
func (n Nowhere) Where(f grid.Failure) string {
	if at := render.Visible(f.Place.String()); at != "" {
		return at + ": "
	}
	return ""
}
