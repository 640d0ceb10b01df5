package pageautomation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// part is a row of the tree: the execution itself, one of its steps, or an execution
// that it has started.
type part struct {
	key   string
	depth int
	step  *automation.Step
	child *automation.Execution // nil on steps
}

// Ages of what is open: of one that runs, and of one that has ended.
const (
	liveAge  = 2 * time.Second
	quietAge = 5 * time.Second  // while nothing changes
	waitAge  = 10 * time.Second // while it waits for somebody
	deadAge  = 10 * time.Minute
)

// target is what is looked at: what is open, or the row under the cursor where there
// is room for it.
func (p *Page) target() (o opened, ok bool) {
	if n := len(p.path); n > 0 {
		return p.path[n-1], true
	}
	i, ok := p.list.Current()
	if !ok || !p.panes().Both() {
		return o, false
	}
	r := p.rows[i]
	return opened{r.Place, r.Value.ID, r.Value.Document}, true
}

// look reads what is looked at, again and again while it runs.
func (p *Page) look() tea.Cmd {
	o, ok := p.target()
	if !ok {
		p.detail.Leave()
		return nil
	}
	if o.key() != p.shown {
		p.arrange()
	}
	return p.detail.Want(o.key(), p.age(o), p.reader(o))
}

// age is how old what is looked at may become: little where something happens.
func (p *Page) age(o opened) time.Duration {
	w, at, _, _ := p.detail.Get(o.key())
	switch {
	case at.IsZero():
		return liveAge
	case w.State.Final():
		return deadAge
	case p.d.Now.Sub(p.moved) < 10*time.Second:
		return liveAge
	case w.State.Waits():
		return waitAge
	}
	return quietAge
}

// notice remembers when a part of what is looked at changed its state last.
func (p *Page) notice() {
	var b strings.Builder
	for _, c := range p.parts {
		b.WriteString(c.key + " " + string(c.state()) + "\n")
	}
	if seen := b.String(); seen != p.seen {
		p.seen, p.moved = seen, p.d.Now
	}
}

// arrange makes the rows of the tree.
func (p *Page) arrange() {
	o, ok := p.target()
	if !ok {
		p.parts, p.shown, p.secrets = nil, "", nil
		p.tree.Reset(0)
		return
	}
	if p.shown != o.key() {
		p.tree.Reset(0) // the cursor begins at the top
		p.shown, p.reveal = o.key(), time.Time{}
		p.text.SetText("")
	}
	w, _, _ := p.whole(o)
	p.parts, p.secrets = parts(w), secretsOf(w)
	p.tree.Reset(len(p.parts))
	p.notice()
}

// whole is what is known of an execution: all of it, or what its row has.
func (p *Page) whole(o opened) (w Whole, read bool, err error) {
	w, at, err, _ := p.detail.Get(o.key())
	if !at.IsZero() {
		return w, true, err
	}
	w = Whole{Execution: automation.Execution{ID: o.id, Document: o.document}}
	for _, r := range p.rows {
		if r.Value.ID == o.id && r.Place == o.at {
			w.Execution = r.Value
		}
	}
	return w, false, err
}

// parts puts what a step has started under it, and what no step tells of at the end.
func parts(w Whole) []part {
	list := []part{{key: w.ID, child: &w.Execution}}
	placed := map[string]bool{}
	for i := range w.Steps {
		s := &w.Steps[i]
		list = append(list, part{key: "step " + s.ID, depth: 1, step: s})
		for k := range w.Children {
			if c := &w.Children[k]; !placed[c.ID] && starts(s, c) {
				placed[c.ID] = true
				list = append(list, part{key: c.ID, depth: 2, child: c})
			}
		}
	}
	for k := range w.Children {
		if c := &w.Children[k]; !placed[c.ID] {
			list = append(list, part{key: c.ID, depth: 1, child: c})
		}
	}
	return list
}

// starts reports whether a step has started an execution: it says so when it has
// ended, and before that it is the one that runs.
func starts(s *automation.Step, c *automation.Execution) bool {
	if ids := s.Outputs["ExecutionId"]; len(ids) > 0 {
		return slices.Contains(ids, c.ID)
	}
	return s.Action == "aws:executeAutomation" && !s.Started.IsZero() && !s.State.Final() && !c.Started.Before(s.Started.Truncate(time.Second))
}

func (c part) state() automation.State {
	if c.step != nil {
		return c.step.State
	}
	return c.child.State
}

func (c part) span() (from, to time.Time) {
	if c.step != nil {
		return c.step.Started, c.step.Ended
	}
	return c.child.Started, c.child.Ended
}

// name is what the row is called, with the number of a step.
func (p *Page) name(i int) string {
	c := p.parts[i]
	indent := strings.Repeat("  ", c.depth)
	switch {
	case c.step != nil:
		return fmt.Sprintf("%s%d %s", indent, p.number(i), c.step.Name)
	case c.depth == 0:
		return c.child.Document
	}
	name := c.child.Document + " " + short(c.child.ID)
	if c.child.Target != "" {
		name = c.child.Target + "  " + name
	}
	return indent + name
}

// number of a step, from 1.
func (p *Page) number(i int) (n int) {
	for _, c := range p.parts[:i+1] {
		if c.step != nil {
			n++
		}
	}
	return n
}

func (c part) action() string {
	switch {
	case c.step != nil:
		return c.step.Action
	case c.depth == 0:
		return "runbook"
	}
	return "started by it"
}

func (c part) failure() string {
	if c.step != nil {
		return c.step.Failure
	}
	return c.child.Failure
}

func (p *Page) treeColumns() []widget.Column {
	return []widget.Column{
		{ID: "name", Title: "STEP", Min: 14, Text: p.name},
		{
			ID: "state", Title: "STATE", Min: 10, Rank: 1, Flash: true, Text: func(i int) string { return stateWord(automation.Execution{State: p.parts[i].state()}) },
			Level: func(i int) theme.Level { return levels.Automation(p.parts[i].state()) },
		},
		{ID: "length", Title: "LENGTH", Rank: 3, Right: true, Text: func(i int) string { return p.d.Took(p.parts[i].span()) }},
		{ID: "action", Title: "ACTION", Rank: 4, Text: func(i int) string { return p.parts[i].action() }},
		{ID: "failure", Title: "FAILURE", Rank: 2, Max: 60, Text: func(i int) string { return render.OneLine(p.hide(p.parts[i].failure())) }},
	}
}

// current is the part under the cursor of what is looked at.
func (p *Page) current() (part, bool) {
	i, ok := p.tree.Current()
	if !ok || i >= len(p.parts) {
		return part{}, false
	}
	if len(p.path) == 0 {
		return p.parts[0], true
	}
	return p.parts[i], true
}

// at is how far an execution has come: "3/5 approve".
func at(w Whole) string {
	if len(w.Steps) == 0 {
		return w.CurrentStep
	}
	for i, s := range w.Steps {
		if !s.State.Final() && !s.Started.IsZero() {
			return fmt.Sprintf("%d/%d %s", i+1, len(w.Steps), s.Name)
		}
	}
	return w.CurrentStep
}
