// Package palette is the command line of the dashboard that `:` opens: what is typed is
// looked for among views, places, actions and whatever the fleet has, and comes back as
// entries, best first. The dashboard that is drawn and the one in plain text show the
// same entries. It asks nobody for anything: what would have to be read for an answer
// is named in it.
package palette

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Entry is something to go to or to do.
type Entry struct {
	Key    string // the key that does the same
	Name   string
	Detail string
	Off    string // why it cannot be chosen; empty: it can
	Do     func() tea.Cmd
	Worth  int // how well it fits, see Fitness

	rows bool // it shows the rows of a view that fit
}

// Answer is what there is for a text.
type Answer struct {
	Entries []Entry
	// Wants are feeds that would have to be read for all that fits, for as long as
	// somebody waits for it.
	Wants []feed.Want
}

// Finder knows the things of the fleet. Its methods are called on each key and must be
// quick.
type Finder interface {
	// Find are the things that fit a text, best first, in the places for which in is
	// true; nil: everywhere. known is set when something else fits the text well, so that
	// nothing need be read for it.
	Find(typed string, in func(grid.Place) bool, known bool) Answer
}

// Palette is what is looked through.
type Palette struct {
	Deck  *deck.Deck
	Desk  *feed.Desk
	Pages []deck.Page
	Page  int // the one that is shown
	// Others are what the root offers besides: actions, what belongs to the dashboard.
	Others []Entry
	Find   Finder // nil: nothing is found
}

// Clear reports whether it is clear without a choice which of the entries is meant: there
// is but one way to show rows, or one thing of exactly that name.
func Clear(entries []Entry) bool {
	switch {
	case len(entries) == 0:
		return false
	case entries[0].rows || entries[0].Do == nil:
		return len(entries) == 1
	}
	return entries[0].Worth >= wholly-behind && (len(entries) == 1 || entries[1].Worth < wholly-behind)
}

// cornersShown is how many places are offered for one text.
const cornersShown = 8

// Answer looks for what is typed.
func (p *Palette) Answer(typed string) Answer {
	typed = strings.TrimLeft(strings.TrimSpace(typed), ": ") // a colon is what has opened it
	rest, place, placed := cutPlace(typed)
	if placed {
		return p.answerPlaced(rest, place)
	}
	var out Answer
	if word, filter, several := strings.Cut(rest, " "); several {
		for _, page := range p.views(word) {
			out.Entries = append(out.Entries, p.rows(page, strings.TrimSpace(filter), nil))
		}
	}
	list, best := p.listed(rest)
	if typed != "" && p.Find != nil {
		found := p.find(rest, nil, best > partly || len(out.Entries) > 0)
		list, out.Wants = append(list, found.Entries...), found.Wants
	}
	out.Entries = append(out.Entries, sorted(list, typed)...)
	return out
}

// find asks the finder. What it finds comes behind views and actions that fit as well.
func (p *Palette) find(typed string, in func(grid.Place) bool, known bool) Answer {
	a := p.Find.Find(typed, in, known)
	for i := range a.Entries {
		a.Entries[i].Worth = max(a.Entries[i].Worth-behind, 0)
	}
	return a
}

// sorted puts entries in the order in which they fit; where nothing is typed they stay
// as they are.
func sorted(list []Entry, typed string) []Entry {
	if typed != "" {
		slices.SortStableFunc(list, func(a, b Entry) int { return cmp.Compare(b.Worth, a.Worth) })
	}
	return list
}

// listed are the views and what the root offers, with how well each fits, and how well
// the best does.
func (p *Palette) listed(typed string) (list []Entry, best int) {
	for i, page := range p.Pages {
		list = append(list, Entry{
			Key: TabDigit(i), Name: page.ID(), Detail: "the view " + page.Title(), Do: func() tea.Cmd { return deck.Ask(deck.Open{Page: page.ID()}) },
		})
	}
	list = append(list, p.Others...)
	best = -1
	for i := range list {
		e := &list[i]
		e.Worth = max(Fitness(typed, e.Name), Fitness(typed, e.Detail)-250)
		if typed != "" && e.Key == typed {
			e.Worth = 500
		}
		best = max(best, e.Worth)
	}
	return slices.DeleteFunc(list, func(e Entry) bool { return e.Worth < 0 }), best
}

// TabDigit is the key of a view.
func TabDigit(i int) string { return string(rune('0' + (i+1)%10)) }

// views are the pages that a word names.
func (p *Palette) views(word string) (pages []deck.Page) {
	for _, page := range p.Pages {
		if strings.HasPrefix(page.ID(), strings.ToLower(word)) || strings.EqualFold(page.Title(), word) {
			pages = append(pages, page)
		}
	}
	return pages
}

// rows is the entry for "fleet ping=lost @prod/eu-west-1": a view and the rows that fit.
func (p *Palette) rows(page deck.Page, filter string, at *corner) Entry {
	e := Entry{Name: strings.TrimSpace(page.ID() + " " + filter), Detail: "the rows of " + page.Title() + " that fit", rows: true}
	if at != nil {
		e.Name += " @" + at.name
		e.Detail = fmt.Sprintf("the rows of %s in %s", page.Title(), at.about())
		if e.Off = at.off; e.Off != "" {
			return e
		}
		narrowed, err := terms.Narrow(filter, at.terms...)
		if err != nil {
			e.Off = err.Error()
			return e
		}
		filter = narrowed
	}
	// Rows that are marked stay so; without any, what is opened makes room for the rows.
	st := page.Status()
	open := deck.Open{Page: page.ID(), Filter: filter, Clear: len(st.Crumbs) > 0 && st.Marked == 0}
	e.Do = func() tea.Cmd { return deck.Ask(open) }
	return e
}

// answerPlaced answers a text with @place.
func (p *Palette) answerPlaced(rest, place string) Answer {
	if !p.Desk.Opened() && len(p.Desk.Cells) == 0 {
		return Answer{Entries: []Entry{{Name: "@" + place, Off: "the places of this dashboard are not known yet"}}}
	}
	all := corners(p.Deck, p.Desk)
	fit := fitting(all, place)
	if len(fit) == 0 {
		return Answer{Entries: []Entry{{Name: "@" + place, Off: noPlace(all)}}}
	}
	fit = fit[:min(len(fit), cornersShown)]
	if rest == "" {
		return Answer{Entries: p.narrowed(fit)}
	}
	var out Answer
	word, filter, _ := strings.Cut(rest, " ")
	for _, page := range p.views(word) {
		if why := everywhere(page); why != "" {
			out.Entries = append(out.Entries, Entry{Name: rest + " @" + place, Detail: "the rows of " + page.Title(), Off: why})
			continue
		}
		for i := range fit {
			out.Entries = append(out.Entries, p.rows(page, strings.TrimSpace(filter), &fit[i]))
		}
	}
	if p.Find != nil {
		found := p.find(rest, func(at grid.Place) bool {
			return slices.ContainsFunc(fit, func(c corner) bool { return c.has(at) })
		}, len(out.Entries) > 0)
		out.Entries, out.Wants = append(out.Entries, sorted(found.Entries, rest)...), found.Wants
	}
	if len(out.Entries) == 0 {
		out.Entries = []Entry{{Name: rest + " @" + place, Off: "it is neither a view nor anything known there"}}
	}
	return out
}

// everywhere is why a page is never narrowed to a place, whatever is opened in it.
func everywhere(page deck.Page) string {
	if p, ok := page.(deck.Placeless); ok && len(page.Status().Crumbs) == 0 {
		return p.Placeless()
	}
	return ""
}

// narrowed are for "@eu-west-1" alone: the view that is shown, then the others.
func (p *Palette) narrowed(fit []corner) (out []Entry) {
	current := p.Pages[p.Page]
	why := ""
	if page, ok := current.(deck.Placeless); ok {
		why = page.Placeless()
	}
	for i := range fit {
		out = append(out, p.here(current, &fit[i], why))
	}
	for i, page := range p.Pages {
		if i == p.Page || everywhere(page) != "" || len(fit[0].terms) == 0 && fit[0].off == "" {
			continue
		}
		for j := range fit {
			out = append(out, p.rows(page, "", &fit[j]))
		}
	}
	return out
}

// here narrows the view that is shown, and keeps the filter it has.
func (p *Palette) here(page deck.Page, at *corner, why string) Entry {
	e := Entry{Name: "@" + at.name, Detail: fmt.Sprintf("of these rows those in %s", at.about()), Off: cmp.Or(at.off, why)}
	if e.Off != "" {
		return e
	}
	if len(at.terms) == 0 {
		e.Detail = "all rows are there"
		e.Do = func() tea.Cmd { return deck.Ask(deck.Say{Text: "this dashboard looks at " + at.about() + " alone"}) }
		return e
	}
	filter, err := terms.Narrow(page.Filter(), at.terms...)
	if err != nil {
		e.Off = err.Error()
		return e
	}
	e.Do = func() tea.Cmd { return deck.Ask(deck.Open{Page: page.ID(), Filter: filter}) }
	return e
}

// noPlace says that a text fits no place, and which there are.
func noPlace(all []corner) string {
	var names []string
	for _, c := range all {
		if c.region == "" || len(c.who) == 0 {
			names = append(names, c.name)
		}
	}
	const most = 6
	if len(names) > most {
		names = append(names[:most:most], "more")
	}
	if len(names) == 0 {
		return "this dashboard has no place"
	}
	return "no place of this dashboard; it has " + strings.Join(names, ", ")
}
