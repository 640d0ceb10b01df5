package pagewindows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// facts is what is known of what is under the cursor.
func (p *Page) facts() (none widget.Details) {
	e := p.current()
	if e == nil {
		return none
	}
	if p.open != "" {
		if i, ok := p.runs.Current(); ok && i < len(p.parts) && p.parts[i].run != nil {
			return p.partFacts(e, p.parts[i])
		}
	}
	return p.windowFacts(e)
}

func (p *Page) windowFacts(e *entry) widget.Details {
	var f widget.Details
	f.Add("Window", e.Name)
	f.Level("State", stateLevel(e), stateWord(e))
	f.Add("About", e.Description)
	f.Add("Schedule", e.Window.Schedule)
	if e.Schedule != nil {
		f.Add("Opens", p.explained(e))
	}
	f.Add("Zone", e.zone())
	p.times(&f, e)
	f.Add("Open for", openFor(e))
	f.Add("From", e.Start)
	f.Add("Up to", e.End)
	f.Add("Nodes", reached(e))
	f.Level("Result", lastLevel(e), p.lastWord(e))
	if x := e.last(); x != nil && e.running == nil {
		f.Add("Details", render.OneLine(x.Details))
	}
	f.Add("ID", e.ID)
	p.remarks(&f, e)
	f.Section("Tasks, in their order")
	for _, t := range e.Tasks {
		f.Add(fmt.Sprint(t.Priority), taskLine(e, t))
	}
	f.Section("Targets")
	for _, t := range e.Targets {
		f.Add(cmp.Or(t.Name, short(t.ID)), selectorLine(t.Selectors))
	}
	return f
}

// times says when the window opens next: in its own zone, and in the reader's where
// clocks there show another time.
func (p *Page) times(f *widget.Details, e *entry) {
	if e.isOpen {
		f.Add("Open up to", moment(e.until, e.Zone()))
	}
	if e.next.IsZero() {
		f.Add("Next", p.nextIn(e))
		return
	}
	f.Add(map[bool]string{true: "Next", false: "If enabled"}[e.Enabled], moment(e.next, e.Zone())+", in "+rough(e.next.Sub(p.d.Now)))
	if offset(e.next, e.Zone()) != offset(e.next, p.d.Location) {
		f.Add("Here", moment(e.next, p.d.Location))
	}
}

func offset(t time.Time, zone *time.Location) int {
	_, seconds := t.In(zone).Zone()
	return seconds
}

func reached(e *entry) string {
	switch {
	case e.nodes < 0:
		return "not known yet"
	case e.unsure:
		return fmt.Sprintf("%d, and those whose tags or groups could not be read", e.nodes)
	}
	return fmt.Sprint(e.nodes)
}

// remarks are what is the matter with a window, and with its schedule.
func (p *Page) remarks(f *widget.Details, e *entry) {
	f.Section("Findings")
	for _, x := range e.findings {
		text := x.Message
		if x.Kind == agenda.Overlapping {
			text = "with " + cmp.Or(other(x, e.ID), "another window") + ": " + text + ", first " + moment(x.From, p.d.Location)
		}
		f.Level(string(x.Kind), levels.Finding(x.Kind), text)
	}
	if e.Schedule != nil {
		for _, text := range e.Schedule.Warnings() {
			f.Level("schedule", theme.Warn, text)
		}
	}
}

// other is the window that a finding about two is about beside one.
func other(f agenda.Finding, id string) string {
	if f.OtherID == id {
		return f.Window
	}
	return f.Other
}

// taskLine is a task of a window in a line.
func taskLine(e *entry, t window.Task) string {
	words := []string{t.Type.Word(), runName(t.Type, t.Run)}
	if t.Name != "" {
		words = append([]string{t.Name + ":"}, words...)
	}
	var on []string
	for _, id := range t.WindowTargets() {
		on = append(on, targetName(e, id))
	}
	for _, s := range t.Selectors {
		if s.Key != window.ByWindowTarget {
			on = append(on, s.String())
		}
	}
	if len(on) > 0 {
		words = append(words, "on "+strings.Join(on, ", "))
	}
	if t.Concurrency != "" {
		words = append(words, "("+t.Concurrency+" at a time, at most "+cmp.Or(t.MaxErrors, "1")+" failing)")
	}
	return strings.Join(words, " ")
}

func targetName(e *entry, id string) string {
	i := slices.IndexFunc(e.Targets, func(t window.Target) bool { return t.ID == id })
	if i < 0 {
		return "target " + short(id)
	}
	return cmp.Or(e.Targets[i].Name, selectorLine(e.Targets[i].Selectors), short(id))
}

func selectorLine(list []window.Selector) string {
	var words []string
	for _, s := range list {
		words = append(words, s.String())
	}
	return strings.Join(words, " and ")
}

// partFacts is what is known of an execution or a part of one. What was handed over
// is not among it: it may be secret.
func (p *Page) partFacts(e *entry, c part) widget.Details {
	var f widget.Details
	from, to := c.span()
	switch {
	case c.call != nil:
		f.Add("Invocation", p.callName(e, *c.call))
		f.Level("State", levels.Window(c.call.State), stateText(c.call.State))
		if n := c.call.Command; n != nil {
			f.Add("Nodes", fmt.Sprintf("%d of %d done, %d failed", n.Completed, n.Nodes, n.Errors))
		}
		f.Add("Details", c.call.Details)
		f.Add(map[window.Type]string{window.RunCommand: "Command", window.Automation: "Automation"}[c.call.Type], c.call.Made)
		f.Add("Owner", c.call.Owner)
		f.Add("ID", c.call.ID)
	case c.task != nil:
		t := c.task.TaskRun
		f.Add("Task", p.taskName(e, *c.task))
		f.Level("State", levels.Window(t.State), stateText(t.State))
		f.Add("Type", t.Type.Word())
		f.Add("Runs", t.Run)
		f.Add("Details", t.Details)
		f.Add("Alarms", strings.Join(t.Alarms, ", "))
		f.Add("ID", t.ID)
	default:
		f.Add("Opened", moment(c.run.Started, e.Zone()))
		f.Level("State", levels.Window(c.run.State), stateText(c.run.State))
		f.Add("Details", c.run.Details)
		f.Add("ID", c.run.ID)
		if _, at, err, _ := p.tree.Get(p.treeKey(e, c.run.ID)); err != nil {
			text := render.OneLine(err.Error())
			if !at.IsZero() {
				text = "as of " + p.d.Ago(at) + ": " + text
			}
			f.Level("Not read", theme.Bad, text)
		}
	}
	if !from.IsZero() {
		f.Add("Started", render.Local(from, p.d.Location)+", "+p.d.Ago(from))
		f.Add(map[bool]string{true: "Runs for", false: "Took"}[to.IsZero()], p.d.Took(from, to))
	}
	return f
}
