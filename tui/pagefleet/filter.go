package pagefleet

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// search is the filter in force.
type search struct {
	parts fleet.Part
	nodes fleet.Search
	// narrows is set when it fits no row that the search before did not fit.
	narrows bool
}

// parse makes the filter of the list.
func (p *Page) parse(text string) (func(i int) bool, error) {
	f, err := fleet.ParseSearch(text)
	if err != nil {
		return nil, err
	}
	s := search{parts: f.Parts(), nodes: f, narrows: f.Narrows(p.search.nodes)}
	p.search = s
	return func(i int) bool {
		r := &p.rows[i]
		f := f.In(r.at.Who(), r.at.Region)
		switch {
		case s.parts == 0:
			return f.Fits(r.n, p.deck.Now)
		case s.parts&fleet.PartPatch == 0:
			return f.MatchKnown(r.n, p.deck.Now, r.knows)
		}
		n := r.node()
		return f.MatchKnown(&n, p.deck.Now, r.knows)
	}, nil
}

// knows reports whether a part of the node has been read. Until then, and where it may
// not be read, no term about it holds: !tag:env=prod is not true of a node whose tags
// nobody knows.
func (r *row) knows(part fleet.Part) bool {
	switch {
	case !r.managed: // it comes from EC2, as a whole
		return true
	case part&fleet.PartPatch != 0:
		return r.patched && !r.sealed
	case part&fleet.PartTags != 0:
		return r.joined() && !lacksTags(r.n)
	}
	return r.joined() && !r.n.Lacks(fleet.PartEC2)
}

// blind counts the nodes of which it is not known whether they fit the filter.
func (p *Page) blind() (n int) {
	if p.search.parts == 0 {
		return 0
	}
	for i := range p.rows {
		if !p.rows[i].knowsAll(p.search.parts) {
			n++
		}
	}
	return n
}

// knowsAll reports whether all that a filter asks about has been read.
func (r *row) knowsAll(parts fleet.Part) bool {
	return (parts&fleet.PartPatch == 0 || r.knows(fleet.PartPatch)) &&
		(parts&fleet.PartTags == 0 || r.knows(fleet.PartTags)) && (parts&fleet.PartEC2 == 0 || r.knows(fleet.PartEC2))
}

// none says why no row is shown.
func (p *Page) none() string {
	if p.list.Of() > 0 {
		text := fmt.Sprintf("none of %s fits the filter; ", widget.Count(p.list.Of(), "node"))
		blind := p.blind()
		switch s := p.set.Patches.State(); {
		case blind == 0:
			return text + "esc clears it"
		case p.search.parts&fleet.PartPatch != 0 && (s.Empty() || s.Partial()) && len(s.Failures) == 0:
			return fmt.Sprintf("%s%d not known: patches are being read", text, blind)
		}
		return fmt.Sprintf("%s%d not known", text, blind)
	}
	s := p.set.Nodes.State()
	switch {
	case s.Empty() && len(s.Failures) > 0:
		return "no node could be read"
	case s.Empty() && s.Places == 0:
		return "loading"
	case s.Empty():
		return s.Progress()
	case s.Partial():
		return "no managed nodes" + s.Reach()
	default:
		return "no managed nodes here"
	}
}

// notice is what stands in place of a list without any row: why, and what to do.
func (p *Page) notice() []line {
	w := &writer{}
	w.section(p.none(), "")
	s := p.set.Nodes.State()
	for _, f := range s.Failures {
		w.section(render.Visible(f.Place.String()), "")
		w.failed(f.Err)
	}
	if !s.Empty() && len(s.Failures) == 0 {
		w.lines = append(w.lines, line{})
		w.lines = append(w.lines,
			line{key: "u", value: "shows EC2 instances that run and have no agent; d on one says why"},
			line{key: "elsewhere", value: "ssmdeck dash --all-regions looks into every Region"},
			line{key: "other machines", value: "ssmdeck activation create registers machines outside EC2"},
			line{key: "to try it", value: "ssmdeck demo opens a simulated fleet"},
		)
	}
	return w.lines
}

func oneLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return first
}
