package pagewindows

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// part is a row of what a window did: the window itself, an execution, a task in it,
// an invocation of the task.
type part struct {
	key   string
	depth int
	run   *window.Execution     // of all but the window itself
	task  *window.TaskRow       // of tasks and invocations
	call  *window.InvocationRow // of invocations
	note  string                // in place of a state
}

// lookAgain says that an execution is to be read once more.
type lookAgain struct {
	at      grid.Place
	key, id string
}

func (p *Page) reader(at grid.Place, id string) func(context.Context) (window.Tree, error) {
	return func(ctx context.Context) (window.Tree, error) { return p.svc.Tree(ctx, at, id) }
}

// execution is the one that is looked at: that under the cursor, on the first row
// that which runs or the newest.
func (p *Page) execution() (x window.Execution, e *entry, ok bool) {
	if e = p.opened(); e == nil {
		return x, nil, false
	}
	if i, some := p.runs.Current(); some && i < len(p.parts) && p.parts[i].run != nil {
		return *p.parts[i].run, e, true
	}
	if e.running != nil {
		return *e.running, e, true
	}
	if len(e.past) > 0 {
		return e.past[0], e, true
	}
	return x, e, false
}

// look reads the execution that is looked at, again and again while it runs.
func (p *Page) look() tea.Cmd {
	x, e, ok := p.execution()
	if !ok {
		p.tree.Leave()
		return nil
	}
	key := deck.Key(e.at, x.ID)
	age := liveAge
	if t, at, _, _ := p.tree.Get(key); !at.IsZero() && t.State.Final() {
		age = deadAge
	}
	return p.tree.Want(key, age, p.reader(e.at, x.ID))
}

// arrange makes the rows of what the open window did.
func (p *Page) arrange() {
	e := p.opened()
	if e == nil {
		p.parts, p.open = nil, ""
		p.runs.Reset(0)
		return
	}
	p.parts = []part{{key: e.key}}
	for i := range e.past {
		p.addRun(e, e.past[i])
	}
	if e.older {
		p.parts = append(p.parts, part{key: "older", depth: 1, note: "older: ssmdeck window execution list"})
	}
	if len(e.past) == 0 {
		note := "not read yet"
		if e.known {
			note = "it has not been open yet"
		}
		p.parts = append(p.parts, part{key: "none", depth: 1, note: note})
	}
	p.runs.Reset(len(p.parts))
}

// addRun adds an execution with its tasks, unless it is folded, or was not read.
func (p *Page) addRun(e *entry, x window.Execution) {
	t, at, err, _ := p.tree.Get(deck.Key(e.at, x.ID))
	if !at.IsZero() && t.State != "" {
		x.State, x.Details, x.Ended = t.State, t.Execution.Details, t.Ended
	}
	row := part{key: x.ID, depth: 1, run: &x}
	if err != nil && at.IsZero() {
		row.note = render.OneLine(err.Error())
	}
	p.parts = append(p.parts, row)
	if p.folded[x.ID] || at.IsZero() {
		return
	}
	for i := range t.Tasks {
		task := &t.Tasks[i]
		p.parts = append(p.parts, part{key: task.ID, depth: 2, run: &x, task: task})
		for k := range task.Invocations {
			p.parts = append(p.parts, part{key: task.Invocations[k].ID, depth: 3, run: &x, task: task, call: &task.Invocations[k]})
		}
	}
}

func (c part) state() window.State {
	switch {
	case c.call != nil:
		return c.call.State
	case c.task != nil:
		return c.task.State
	case c.run != nil:
		return c.run.State
	}
	return ""
}

func (c part) span() (from, to time.Time) {
	switch {
	case c.call != nil:
		return c.call.Started, c.call.Ended
	case c.task != nil:
		return c.task.TaskRun.Started, c.task.TaskRun.Ended
	case c.run != nil:
		return c.run.Started, c.run.Ended
	}
	return from, to
}

func (p *Page) partName(i int) string {
	c := p.parts[i]
	indent := strings.Repeat("  ", c.depth)
	e := p.opened()
	switch {
	case c.call != nil:
		return indent + p.callName(e, *c.call)
	case c.task != nil:
		return indent + p.taskName(e, *c.task)
	case c.run != nil && e != nil:
		return indent + moment(c.run.Started, e.Zone())
	case c.note != "":
		return indent + c.note
	case e != nil:
		return e.Name
	}
	return ""
}

// taskName is what people call the task of an execution.
func (p *Page) taskName(e *entry, t window.TaskRow) string {
	name := runName(t.TaskRun.Type, t.TaskRun.Run)
	if e == nil {
		return name
	}
	for _, def := range e.Tasks {
		if def.Run == t.TaskRun.Run && def.Type == t.TaskRun.Type && def.Name != "" {
			return def.Name + " (" + name + ")"
		}
	}
	return name
}

// runName is what a task runs, without the address of functions and state machines.
func runName(kind window.Type, run string) string {
	if kind == window.Lambda || kind == window.StepFunctions {
		return run[strings.LastIndex(run, ":")+1:]
	}
	return agenda.Document(run)
}

// callName says on which target an invocation is.
func (p *Page) callName(e *entry, c window.InvocationRow) string {
	if e != nil && c.Target != "" {
		return "on " + targetName(e, c.Target)
	}
	return "once"
}

// partWord is the state of a row in words.
func (p *Page) partWord(i int) string {
	c := p.parts[i]
	if c.run == nil {
		if e := p.opened(); e != nil && c.depth == 0 {
			return stateWord(e)
		}
		return ""
	}
	return stateText(c.state())
}

func (p *Page) partLevel(i int) theme.Level {
	c := p.parts[i]
	if c.run == nil {
		if e := p.opened(); e != nil && c.depth == 0 {
			return stateLevel(e)
		}
		return theme.Unknown
	}
	return levels.Window(c.state())
}

// progress is how far a row has come, and why it failed.
func (p *Page) progress(i int) string {
	c := p.parts[i]
	var words []string
	switch {
	case c.call != nil:
		if n := c.call.Command; n != nil {
			words = append(words, fmt.Sprintf("%d of %d nodes done", n.Completed, n.Nodes))
			if n.Errors > 0 {
				words = append(words, fmt.Sprintf("%d failed", n.Errors))
			}
		}
		words = append(words, render.OneLine(c.call.Details))
	case c.task != nil:
		words = append(words, render.OneLine(c.task.TaskRun.Details))
	case c.run != nil:
		words = append(words, c.note, render.OneLine(c.run.Details))
	}
	var said []string
	for _, w := range words {
		if w != "" {
			said = append(said, w)
		}
	}
	return strings.Join(said, ", ")
}

func (p *Page) runColumns() []widget.Column {
	return []widget.Column{
		{ID: "name", Title: "OPENED", Min: 16, Max: 40, Text: p.partName},
		{ID: "state", Title: "STATE", Min: 10, Rank: 1, Flash: true, Text: p.partWord, Level: p.partLevel},
		{ID: "progress", Title: "PROGRESS", Rank: 2, Max: 48, Flash: true, Text: p.progress},
		{ID: "took", Title: "TOOK", Rank: 3, Right: true, Text: func(i int) string { return p.d.Took(p.parts[i].span()) }},
	}
}
