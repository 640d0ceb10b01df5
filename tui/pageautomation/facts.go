package pageautomation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/redact"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// addState adds a state with its glyph.
func addState(f *widget.Facts, s automation.State) {
	f.State("State", level(s), stateWord(automation.Execution{State: s}))
}

// describe is what is known of a part of what is looked at.
func (p *Page) describe(c part, w Whole, read bool) widget.Facts {
	var f widget.Facts
	switch {
	case c.step != nil:
		p.stepFacts(&f, *c.step)
	case c.depth > 0:
		p.executionFacts(&f, Whole{Execution: *c.child})
	default:
		p.executionFacts(&f, w)
		if !read {
			f.Add("Steps", "not read yet")
		}
	}
	return f
}

func (p *Page) executionFacts(f *widget.Facts, w Whole) {
	f.Add("Runbook", strings.TrimSuffix(w.Document+" version "+w.DocumentVersion, " version "))
	addState(f, w.State)
	f.Add("Step", at(w))
	f.Add("Failure", w.Failure)
	f.Add("Warning", w.Warning)
	f.Add("To do", toDo(w))
	p.moments(f, w.Started, w.Ended)
	f.Add("By", w.ExecutedBy)
	f.Add("Mode", w.Mode)
	f.Add("Target", w.Target)
	f.Add("Targets", targets(w.Targets))
	if c := w.Counts; c != nil {
		f.Add("Counts", fmt.Sprintf("%d of %d well, %d failed, %d cancelled, %d timed out", c.Success, c.Total, c.Failed, c.Cancelled, c.TimedOut))
	}
	f.Add("Parent", w.Parent)
	f.Add("ID", w.ID)
	p.values(f, "Parameters", w.Parameters)
	p.values(f, "Outputs", w.Outputs)
}

func (p *Page) stepFacts(f *widget.Facts, s automation.Step) {
	f.Add("Step", s.Name)
	addState(f, s.State)
	f.Add("Action", s.Action)
	f.Add("Failure", s.Failure)
	f.Add("Warning", s.Warning)
	p.moments(f, s.Started, s.Ended)
	f.Add("Code", s.Code)
	f.Add("Answer", s.Response)
	if s.State.Bad() && !s.Critical {
		f.Add("Critical", "no: the runbook may go on")
	}
	inputs := map[string][]string{}
	for name, v := range s.Inputs {
		inputs[name] = []string{v}
	}
	p.values(f, "Inputs", inputs)
	p.values(f, "Outputs", s.Outputs)
}

func (p *Page) moments(f *widget.Facts, from, to time.Time) {
	if from.IsZero() {
		return
	}
	f.Add("Started", render.Local(from, p.d.Location)+", "+render.Ago(p.d.Now, from))
	if to.IsZero() {
		f.Add("Runs for", p.length(from, to))
		return
	}
	f.Add("Ended", render.Local(to, p.d.Location)+", after "+p.length(from, to))
}

// values adds what came in or went out; what may be a secret is hidden until v.
func (p *Page) values(f *widget.Facts, heading string, values map[string][]string) {
	if len(values) == 0 {
		return
	}
	f.Heading(heading)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !p.open() && window.SecretParameter(name) {
			f.Add(name, mask)
			continue
		}
		v := strings.Join(values[name], "\n")
		if v == "" {
			v = "(empty)"
		}
		f.Add(name, v)
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
	if p.secrets == nil || text == "" || p.open() {
		return text
	}
	var b strings.Builder
	out := p.secrets.NewWriter(&b)
	_, _ = out.Write([]byte(text)) // a strings.Builder takes all
	_ = out.Close()
	return b.String()
}

// secretsOf are the values of an execution that may be secrets; nil: none.
func secretsOf(w Whole) *redact.Matcher {
	var secrets []redact.Secret
	add := func(name string, values ...string) {
		if !window.SecretParameter(name) {
			return
		}
		for _, v := range values {
			secrets = append(secrets, redact.Secret{Name: name, Value: v})
		}
	}
	for name, values := range w.Parameters {
		add(name, values...)
	}
	for _, s := range w.Steps {
		for name, v := range s.Inputs {
			add(name, v)
		}
		for name, values := range s.Outputs {
			add(name, values...)
		}
	}
	if len(secrets) == 0 {
		return nil
	}
	m, _, err := redact.New(secrets, false)
	if err != nil { // too many: those of parameters that say so are hidden by name still
		return nil
	}
	return m
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
