package pageautomation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/redact"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// details gathers what is known of one thing, without what must not be seen.
type details struct {
	widget.Details
	p *Page
}

// longValue is how many lines of a value are shown.
const longValue = 200

func (d *details) add(name, value string) {
	lines := strings.SplitAfterN(strings.TrimRight(d.p.hide(value), "\n"), "\n", longValue+1)
	if len(lines) > longValue {
		lines = append(lines[:longValue], "(and more: y shows all)")
	}
	d.Add(name, strings.Join(lines, ""))
}

func (d *details) state(s automation.State) {
	d.Level("State", levels.Automation(s), stateWord(automation.Execution{State: s}))
}

// describe is what is known of a part of what is looked at.
func (p *Page) describe(c part, w Whole, read bool) widget.Details {
	f := details{p: p}
	switch {
	case c.step != nil:
		p.stepFacts(&f, *c.step)
	case c.depth > 0:
		p.executionFacts(&f, Whole{Execution: *c.child})
	default:
		p.executionFacts(&f, w)
		if !read {
			f.Note("its steps are not read yet")
		}
	}
	return f.Details
}

func (p *Page) executionFacts(f *details, w Whole) {
	f.add("Runbook", strings.TrimSuffix(w.Document+" version "+w.DocumentVersion, " version "))
	f.state(w.State)
	f.add("Step", at(w))
	f.add("Failure", w.Failure)
	f.add("Warning", w.Warning)
	f.add("To do", toDo(w))
	p.moments(f, w.Started, w.Ended)
	f.add("By", w.ExecutedBy)
	f.add("Mode", w.Mode)
	f.add("Target", w.Target)
	f.add("Targets", targets(w.Targets))
	if c := w.Counts; c != nil {
		f.add("Counts", fmt.Sprintf("%d of %d well, %d failed, %d cancelled, %d timed out", c.Success, c.Total, c.Failed, c.Cancelled, c.TimedOut))
	}
	f.add("Parent", w.Parent)
	f.add("ID", w.ID)
	p.values(f, "Parameters", w.Parameters)
	p.values(f, "Outputs", w.Outputs)
}

func (p *Page) stepFacts(f *details, s automation.Step) {
	f.add("Step", s.Name)
	f.state(s.State)
	f.add("Action", s.Action)
	f.add("Failure", s.Failure)
	f.add("Warning", s.Warning)
	p.moments(f, s.Started, s.Ended)
	f.add("Code", s.Code)
	f.add("Answer", s.Response)
	if s.State.Bad() && !s.Critical {
		f.add("Critical", "no: the runbook may go on")
	}
	inputs := map[string][]string{}
	for name, v := range s.Inputs {
		inputs[name] = []string{v}
	}
	p.values(f, "Inputs", inputs)
	p.values(f, "Outputs", s.Outputs)
}

func (p *Page) moments(f *details, from, to time.Time) {
	if from.IsZero() {
		return
	}
	f.add("Started", render.Local(from, p.d.Location)+", "+p.d.Ago(from))
	if to.IsZero() {
		f.add("Runs for", p.d.Took(from, to))
		return
	}
	f.add("Ended", render.Local(to, p.d.Location)+", after "+p.d.Took(from, to))
}

// values adds what came in or went out; what may be a secret is hidden until v.
func (p *Page) values(f *details, heading string, values map[string][]string) {
	if len(values) == 0 {
		return
	}
	f.Section(heading)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !p.open() && window.SecretParameter(name) {
			f.add(name, mask)
			continue
		}
		v := strings.Join(values[name], "\n")
		if v == "" {
			v = "(empty)"
		}
		f.add(name, v)
	}
}

// mask stands where a value may be a secret.
const mask = "(hidden: v shows it)"

// revealed is how long v shows what may be secret.
const revealed = 30 * time.Second

// open reports whether secrets are shown now, because v was pressed.
func (p *Page) open() bool { return !p.reveal.IsZero() && p.d.Now.Sub(p.reveal) < revealed }

// hide replaces, in a text of the execution that is looked at, the values of its
// parameters that may be secrets.
func (p *Page) hide(text string) string {
	if p.open() {
		return text
	}
	return deck.Redacted(p.secrets, text)
}

// secretsOf are the values of an execution that may be secrets; nil: none.
func secretsOf(w Whole) *redact.Matcher {
	values := []map[string][]string{w.Parameters}
	for _, s := range w.Steps {
		values = append(values, s.Outputs)
		for name, v := range s.Inputs {
			values = append(values, map[string][]string{name: {v}})
		}
	}
	return deck.Secrets(values...)
}

// toDo says what can be done about a state.
func toDo(w Whole) string {
	switch {
	case waitsFor(w.Execution) == approval:
		return "a approves, D denies"
	case waitsFor(w.Execution) == pause:
		return "the palette's \"resume\" goes on"
	case waitsFor(w.Execution) == nextStep:
		return "the palette's \"next step\" goes on"
	case w.State.Bad():
		for i, s := range w.Steps {
			if s.State.Bad() {
				return "step " + strconv.Itoa(i+1) + " " + s.Name + " says why; R starts it again with the same parameters"
			}
		}
		return "R starts it again with the same parameters"
	}
	return ""
}

// What an execution can wait for.
const (
	nothing = iota
	approval
	pause
	nextStep
)

func waitsFor(e automation.Execution) int {
	switch {
	case !e.State.Waits():
		return nothing
	case e.CurrentAction == "aws:pause":
		return pause
	case e.CurrentAction == "aws:approve" || e.State == "PendingApproval" || e.State == "PendingChangeCalendarOverride":
		return approval
	case e.Mode == "Interactive":
		return nextStep
	}
	return approval
}

// targets are the targets of an execution over several, as the command line has them.
func targets(list []automation.Target) string {
	var words []string
	for _, t := range list {
		switch t.Key {
		case "ParameterValues":
			words = append(words, t.Values...)
		case "ResourceGroup":
			words = append(words, "@"+strings.Join(t.Values, ", @"))
		default:
			words = append(words, t.Key+"="+strings.Join(t.Values, ","))
		}
	}
	return strings.Join(words, ", ")
}
