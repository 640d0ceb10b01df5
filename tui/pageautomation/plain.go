package pageautomation

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Plain is the list, or the steps of what is open, as text.
func (p *Page) Plain() deck.Plain {
	p.refresh()
	if len(p.path) > 0 {
		return p.plainSteps()
	}
	var out deck.Plain
	waits, runs := 0, 0
	for _, r := range p.rows {
		switch e := r.Value; {
		case e.State.Waits():
			waits++
		case !e.State.Final():
			runs++
		}
	}
	if s := p.set.Executions.State(); !s.Empty() { // what is not known is not 0
		out.Summary = append(out.Summary, fmt.Sprintf("Automations%s: %d, %d running, %d waiting for somebody", s.Reach(), len(p.rows), runs, waits))
	}
	if p.list.Len() == 0 {
		out.Summary = append(out.Summary, p.none())
	}
	for _, i := range p.list.Shown() {
		r := p.rows[i]
		e := r.Value
		text := cmp.Or(render.Visible(e.Document), "runbook not known") + ": " + render.Visible(stateWord(e))
		if e.CurrentStep != "" && !e.State.Final() {
			text += " at step " + render.Visible(e.CurrentStep)
		}
		text += ", started " + p.d.Once(e.Started)
		if who := by(e); who != "" {
			text += " by " + render.Visible(who)
		}
		f := details{p: p}
		p.executionFacts(&f, Whole{Execution: e})
		out.Items = append(out.Items, deck.Item{Text: text, Detail: f.Plain(), Choose: func() bool { return p.list.Select(rowKey(r)) }})
	}
	return out
}

func (p *Page) plainSteps() deck.Plain {
	p.arrange()
	o := p.path[len(p.path)-1]
	w, read, err := p.whole(o)
	out := deck.Plain{Summary: described(p.describe(p.parts[0], w, read || err != nil))}
	if err != nil {
		out.Summary = append(out.Summary, "Failed: "+p.failed(o, err))
	}
	for i, c := range p.parts {
		if i == 0 {
			continue
		}
		text := fmt.Sprintf("%s: %s", render.Visible(strings.TrimSpace(p.name(i))), render.Visible(string(c.state())))
		if l := p.d.Took(c.span()); l != "" {
			text += ", " + l
		}
		out.Items = append(out.Items, deck.Item{Text: text, Detail: described(p.describe(c, w, read)), Choose: func() bool { return p.tree.Select(c.key) }})
	}
	return out
}

func described(d widget.Details) []string { return d.Plain() }
