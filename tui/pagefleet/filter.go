package pagefleet

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// search is the filter in force.
type search struct {
	parts fleet.Part // what it asks for
}

// parse makes the filter of the list. It is the expression that --filter takes.
func (p *Page) parse(text string) (func(i int) bool, error) {
	f, err := fleet.ParseSearch(text)
	if err != nil {
		return nil, err
	}
	p.search = search{parts: f.Parts()}
	return func(i int) bool { return f.Match(p.rows[i].n) }, nil
}

// none says why no row is shown.
func (p *Page) none() string {
	if p.list.Of() > 0 {
		return fmt.Sprintf("none of %s fits the filter; esc clears it", plural(p.list.Of(), "node"))
	}
	s := p.set.Nodes.State()
	switch {
	case s.Empty() && len(s.Failures) > 0:
		return "no node could be read: " + oneLine(s.Failures[0].Err.Error())
	case s.Empty():
		return fmt.Sprintf("loading %d/%d places", s.Loaded, s.Places)
	case s.Partial():
		return fmt.Sprintf("no managed nodes in the %d of %d places that have answered", s.Loaded, s.Places)
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
