package pageparams

import (
	"fmt"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Plain is the page as text. A value that is hidden is hidden here, too.
func (p *Page) Plain() deck.Plain {
	out := deck.Plain{Summary: []string{p.summary()}}
	l, rows := p.now(), p.visibleRows()
	for _, i := range l.Shown() {
		r := rows[i]
		facts := p.facts(r)
		out.Items = append(out.Items, deck.Item{Text: render.Visible(p.sentence(r)), Detail: facts.Plain(), Choose: func() bool { return l.Select(r.key) }})
	}
	return out
}

func (p *Page) summary() string {
	switch {
	case p.now().Len() == 0:
		return p.none()
	case p.folded():
		return fmt.Sprintf("%s, as folders; enter opens one, T shows a list.", widget.Count(len(p.rows), "parameter"))
	}
	return fmt.Sprintf("%d shown of %s; T shows folders.", p.list.Len(), widget.Count(len(p.rows), "parameter"))
}

func (p *Page) sentence(r row) string {
	if r.param == nil {
		return "folder " + r.path + ", " + widget.Count(r.below, "parameter")
	}
	text := fmt.Sprintf("%s, %s, version %d, modified %s", r.path, r.param.Type, r.param.Version, p.deck.Once(r.param.Modified))
	if !r.expires.IsZero() {
		text += ", expires " + render.Ago(p.deck.Now, r.expires)
	}
	return text
}

// none is what stands in place of rows.
func (p *Page) none() string {
	s := p.set.Parameters.State()
	switch {
	case s.Empty() && len(s.Failures) > 0:
		return "not known: " + render.Visible(fault.Explain(s.Failures[0].Err))
	case s.Empty():
		return s.Progress()
	case p.filter != "":
		return "no parameter fits the filter" + s.Reach() + "; esc clears it"
	case s.Whole < s.Places:
		return "there are no parameters" + s.Reach()
	}
	return "there are no parameters: n makes one"
}
