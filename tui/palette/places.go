package palette

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// corner is what @ can mean: an account, a Region, or both; all of it where the
// dashboard has but one place.
type corner struct {
	name    string   // as it is typed: "prod/eu-west-1"
	who     []string // what the account is called besides; empty: any account
	region  string   // empty: any Region
	terms   []string // of the filter; none: it is all there is
	in      []grid.Place
	off     string // why nothing is there
	worth   int
	account string
}

// cutPlace takes @place out of a text: the first word that begins so, outside of quotes.
func cutPlace(text string) (rest, place string, found bool) {
	quote, begins := rune(0), true
	for i, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
		case r == '@' && begins:
			end := len(text)
			if n := strings.IndexByte(text[i:], ' '); n >= 0 {
				end = i + n
			}
			return strings.TrimSpace(strings.TrimSpace(text[:i]) + " " + strings.TrimSpace(text[end:])), text[i+1 : end], true
		case r == '"' || r == '\'':
			quote = r
		}
		begins = r == ' '
	}
	return text, "", false
}

// corners are all that @ can mean on a dashboard.
func corners(d *deck.Deck, desk *feed.Desk) []corner {
	var all []corner
	places := make([]grid.Place, len(desk.Cells))
	for i, c := range desk.Cells {
		places[i] = c.Place
	}
	each := func(p grid.Place, in []grid.Place, off string) {
		who := slices.Clip(names(d, p)) // each corner adds to its own
		all = add(all, corner{account: p.Who(), who: who, in: in, off: off})
		all = add(all, corner{region: p.Region, in: in, off: off})
		all = add(all, corner{account: p.Who(), who: who, region: p.Region, in: in, off: off})
	}
	for i, p := range places {
		each(p, places[i:i+1:i+1], "")
	}
	for _, f := range desk.Lost {
		each(f.Place, nil, "it could not be opened: "+fault.Explain(f.Err))
	}
	for i := range all {
		c := &all[i]
		var parts []string
		if len(c.who) > 0 {
			parts = append(parts, c.who[0])
		}
		if c.region != "" {
			parts = append(parts, c.region)
		}
		c.name = strings.Join(parts, "/")
		if len(c.in) == len(places) && len(desk.Lost) == 0 {
			continue // there is nothing to narrow
		}
		if c.account != "" {
			c.terms = append(c.terms, terms.Is("account", c.account))
		}
		if c.region != "" {
			c.terms = append(c.terms, terms.Is("region", c.region))
		}
	}
	return all
}

// add puts a corner in, or its places into the one that is the same.
func add(all []corner, c corner) []corner {
	if c.account == "" && c.region == "" {
		return all
	}
	for i := range all {
		if same := &all[i]; same.account == c.account && same.region == c.region {
			same.in = append(same.in, c.in...)
			same.who = union(same.who, c.who)
			if len(same.in) > 0 {
				same.off = ""
			}
			return all
		}
	}
	return append(all, c)
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// names are what the account of a place is called, the best first.
func names(d *deck.Deck, p grid.Place) (all []string) {
	given := []string{p.Profile}
	if w := d.Where; p.Account == w.Account {
		given = append(given, w.Context, w.Alias)
	}
	for _, n := range append(given, p.Account) {
		if n != "" && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// fitting are the corners that a text fits, best first.
func fitting(all []corner, typed string) (fit []corner) {
	who, region, both := strings.Cut(typed, "/")
	for _, c := range all {
		switch {
		case both:
			c.worth = -1
			if a, r := c.called(who), likeness(region, c.region); len(c.who) > 0 && c.region != "" && a >= 0 && r >= 0 {
				c.worth = a + r
			}
		case len(c.who) > 0 && c.region != "":
			c.worth = -1
			if typed == "" {
				c.worth = 0
			}
		case c.region != "":
			c.worth = likeness(typed, c.region)
		default:
			c.worth = c.called(typed)
		}
		if c.worth >= 0 {
			fit = append(fit, c)
		}
	}
	slices.SortStableFunc(fit, func(a, b corner) int { return cmp.Compare(b.worth, a.worth) })
	if len(fit) > 0 && fit[0].worth >= partly { // then letters alone are no fit
		fit = slices.DeleteFunc(fit, func(c corner) bool { return c.worth < partly })
	}
	return fit
}

// called is how well a text fits what the account is called.
func (c *corner) called(typed string) int {
	best := -1
	for _, n := range c.who {
		best = max(best, likeness(typed, n))
	}
	return best
}

// likeness is Fitness of the name of a place: letters alone must begin as it does, so
// that us is not eu-west-1.
func likeness(typed, name string) int {
	worth := Fitness(typed, name)
	if worth < partly && typed != "" && !strings.EqualFold(typed[:1], name[:min(len(name), 1)]) {
		return -1
	}
	return worth
}

// has reports whether a place is in it.
func (c *corner) has(at grid.Place) bool { return slices.Contains(c.in, at) }

// about says in words where it is.
func (c *corner) about() string {
	var parts []string
	if c.account != "" {
		who := c.account
		if len(c.who) > 1 {
			var others []string
			for _, n := range c.who {
				if n != c.account {
					others = append(others, n)
				}
			}
			who += " (" + strings.Join(others, ", ") + ")"
		}
		parts = append(parts, who)
	}
	if c.region != "" {
		parts = append(parts, c.region)
	}
	return render.Visible(strings.Join(parts, "  "))
}
