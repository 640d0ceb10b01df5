package pagewindows

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Plain is the list, or what the open window did, as text.
func (p *Page) Plain() deck.Plain {
	p.refresh()
	if e := p.opened(); e != nil {
		return p.plainRuns(e)
	}
	var out deck.Plain
	open, disabled := 0, 0
	for i := range p.entries {
		e := &p.entries[i]
		if e.isOpen || e.running != nil {
			open++
		}
		if !e.Enabled {
			disabled++
		}
	}
	if s := p.set.Windows.State(); !s.Empty() { // what is not known is not 0
		out.Summary = []string{fmt.Sprintf("Maintenance windows%s: %d, %d open, %d disabled", s.Reach(), len(p.entries), open, disabled)}
	}
	if p.list.Len() == 0 {
		out.Summary = append(out.Summary, p.none())
	}
	for _, i := range p.list.Shown() {
		e := &p.entries[i]
		text := render.Visible(e.Name) + ": " + stateWord(e)
		if e.Enabled {
			text += ", " + p.nextIn(e)
		}
		if !e.next.IsZero() && !e.isOpen {
			text += ", " + opens(e)
		}
		text += ". Result: " + p.lastWord(e) + "."
		if len(e.findings) > 0 {
			text += " " + widget.Count(len(e.findings), "finding") + "."
		}
		key := e.key
		out.Items = append(out.Items, deck.Item{Text: text, Detail: described(p.windowFacts(e)), Choose: func() bool { return p.list.Select(key) }})
	}
	return out
}

func (p *Page) plainRuns(e *entry) deck.Plain {
	out := deck.Plain{Summary: described(p.windowFacts(e))}
	for i, c := range p.parts {
		if i == 0 {
			continue
		}
		text := strings.TrimSpace(render.Visible(p.partName(i)))
		if c.run != nil {
			text += ": " + stateText(c.state())
		}
		if s := p.progress(i); s != "" {
			text += ", " + render.Visible(s)
		}
		item := deck.Item{Text: text, Choose: func() bool { return p.runs.Select(c.key) }}
		if c.run != nil {
			item.Detail = described(p.partFacts(e, c))
		}
		out.Items = append(out.Items, item)
	}
	return out
}

func described(d widget.Details) []string { return d.Plain() }
