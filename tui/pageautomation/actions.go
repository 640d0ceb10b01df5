package pageautomation

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// chosen is the execution that actions are about: the one under the cursor of the
// tree, where that is one, else what is open, else the row.
func (p *Page) chosen() (o opened, e automation.Execution, ok bool) {
	if len(p.path) > 0 {
		o = p.path[len(p.path)-1]
		if c, some := p.current(); some && c.child != nil && c.depth > 0 {
			return opened{o.at, c.child.ID, c.child.Document}, *c.child, true
		}
		w, _, _ := p.whole(o)
		return o, w.Execution, true
	}
	i, ok := p.list.Current()
	if !ok {
		return o, e, false
	}
	r := p.rows[i]
	o, e = opened{r.Place, r.Value.ID, r.Value.Document}, r.Value
	if w, read, _ := p.whole(o); read && !e.State.Final() { // it is read more often than the list
		e = w.Execution
	}
	return o, e, true
}

// Subject is the execution that actions are about, and the step in its tree.
func (p *Page) Subject() string {
	o, _, ok := p.chosen()
	if !ok {
		return ""
	}
	if c, some := p.current(); some && len(p.path) > 0 {
		return o.key() + "\x00" + c.key
	}
	return o.key()
}

// Actions are what can be done here now.
func (p *Page) Actions() []deck.Action {
	o, e, ok := p.chosen()
	none := ""
	if !ok {
		none = "no automation is chosen"
	}
	waits := func(for_ int, otherwise string) string {
		switch {
		case none != "":
			return none
		case e.State.Final():
			return "it has ended: " + render.Visible(string(e.State))
		case waitsFor(e) != for_:
			return otherwise
		}
		return ""
	}
	off := func(why ...string) string {
		for _, w := range why {
			if w != "" {
				return w
			}
		}
		return ""
	}
	signal := func(verb string) func() tea.Cmd { return func() tea.Cmd { return p.signal(o, e, verb) } }
	all := []deck.Action{
		{Key: "enter", Name: "open", Help: "open the steps; on a step the command or the automation it has started", Footer: true, Off: none, Do: p.enter},
		{Key: "a", Name: "approve", Help: "approve what it waits for", Footer: true, Off: waits(approval, "it waits for no approval"), Writes: true, Do: signal("approve")},
		{Key: "D", Name: "deny", Help: "reject what it waits for, which fails it", Footer: true, Off: waits(approval, "it waits for no approval"), Writes: true, Do: signal("reject")},
		{Key: "X", Name: "stop", Help: "stop it, or those marked: at once, or when the step that runs has ended", Footer: true, Off: p.stopOff(), Writes: true, Do: p.stop},
		{Key: "r", Name: "run", Help: "start a runbook: choose it and fill in its parameters", Footer: true, Writes: true, Do: p.start},
		{Key: "n", Name: "new", Help: "start a runbook", Writes: true, Do: p.start},
		{Key: "R", Name: "rerun", Help: "start it again with the same parameters", Footer: true, Off: none, Writes: true, Do: func() tea.Cmd { return p.withAll(p.rerun) }},
		{Name: "resume", Help: "go on after a step that has paused it", Off: waits(pause, "it is not paused"), Writes: true, Do: signal("resume")},
		{Name: "next step", Help: "start the next step of an automation in interactive mode", Off: waits(nextStep, "it does not wait for its next step"), Writes: true, Do: signal("start-step")},
		{Key: "d", Name: "describe", Help: "show all of the automation or the step as text", Off: none, Do: p.showText},
		{Key: "v", Name: "reveal", Help: "show values that may be secret, for 30 seconds", Off: none, Do: p.toggle},
		{Key: "y", Name: "YAML", Help: "show it with its steps as YAML", Off: none, Do: p.showYAML},
		{Key: "o", Name: "console", Help: "open its page of the console in the browser", Off: none, Do: func() tea.Cmd { return deck.Ask(deck.Browse{URL: deck.Console(o.at, "automation/execution/"+o.id)}) }},
		{Key: "c", Name: "copy", Help: "copy its id or a command line", Off: none, Do: p.copy},
		{Key: "tab", Name: "pane", Help: "go to the text beside the list, and back", Off: off(map[bool]string{true: "there is no room for a second pane"}[!p.panes().Both()]), Whole: true, Do: p.tab},
		{Key: "C", Name: "columns", Help: "choose the columns of the list", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: p.focused()}) }},
	}
	return all
}

// enter opens what is under the cursor.
func (p *Page) enter() tea.Cmd {
	p.inText = false
	if len(p.path) == 0 {
		o, ok := p.target0()
		if !ok {
			return nil
		}
		return p.push(o)
	}
	c, ok := p.current()
	o := p.path[len(p.path)-1]
	switch {
	case !ok:
		return nil
	case c.child != nil && c.depth > 0:
		return p.push(opened{o.at, c.child.ID, c.child.Document})
	case c.step != nil && c.step.Action == "aws:runCommand" && first(c.step.Outputs["CommandId"]) != "":
		return deck.Ask(deck.Open{Page: "commands", Filter: "id=" + first(c.step.Outputs["CommandId"])})
	case c.step != nil && first(c.step.Outputs["ExecutionId"]) != "":
		return p.push(opened{o.at, first(c.step.Outputs["ExecutionId"]), c.step.Name})
	}
	return p.showText()
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// target0 is the row under the cursor of the list.
func (p *Page) target0() (o opened, ok bool) {
	i, ok := p.list.Current()
	if !ok {
		return o, false
	}
	r := p.rows[i]
	return opened{r.Place, r.Value.ID, r.Value.Document}, true
}

// push opens an execution.
func (p *Page) push(o opened) tea.Cmd {
	p.path = append(p.path, o)
	p.arrange()
	return p.look()
}

func (p *Page) tab() tea.Cmd {
	p.inText = !p.inText
	return nil
}

// Conceal hides what v has shown.
func (p *Page) Conceal() { p.reveal = time.Time{} }

// toggle shows what may be secret, and hides it again.
func (p *Page) toggle() tea.Cmd {
	if p.open() {
		p.reveal = time.Time{}
	} else {
		p.reveal = p.d.Now
	}
	return nil
}

// showText opens the facts of the part under the cursor.
func (p *Page) showText() tea.Cmd {
	o, e, ok := p.chosen()
	if !ok {
		return nil
	}
	if !p.panes().Both() && len(p.path) == 0 { // what its row tells, and what was read of it
		p.shown = ""
	}
	w, read, _ := p.whole(o)
	c := part{child: &e}
	if cur, some := p.current(); some && len(p.path) > 0 {
		c = cur
	}
	title := e.Document + " " + short(e.ID)
	if c.step != nil {
		title += ", step " + c.step.Name
	}
	return deck.Ask(deck.Show{Title: render.Visible(title), Text: p.plainText(p.describe(c, w, read)), Secret: p.open()})
}

// textWidth is how wide the text of a description is.
const textWidth = 100

// plainText is a description as a text without styles.
func (p *Page) plainText(d widget.Details) string {
	return d.View(theme.New(theme.Plain, false, p.d.Styles.ASCII), textWidth)
}

// showYAML shows all of the execution, without secrets.
func (p *Page) showYAML() tea.Cmd {
	return p.withAll(func(_ opened, w Whole) tea.Cmd {
		show, secret := deck.ShowYAML(render.Visible(w.Document)+" "+short(w.ID), p.masked(w)), p.open()
		return func() tea.Msg {
			msg := show()
			if s, ok := msg.(deck.Show); ok {
				s.Secret = secret
				return s
			}
			return msg
		}
	})
}

// withAll does something with all that is known of the execution chosen, and reads it
// first where it was not.
func (p *Page) withAll(do func(o opened, w Whole) tea.Cmd) tea.Cmd {
	o, _, ok := p.chosen()
	if !ok {
		return nil
	}
	if w, read, _ := p.whole(o); read {
		return do(o, w)
	}
	p.asked++
	asked := p.asked
	return tea.Batch(deck.Ask(deck.Say{Text: "reading automation " + short(o.id)}), p.desk.Go(func(ctx context.Context) tea.Msg {
		w, err := p.svc.Read(ctx, o.at, o.id)
		return gotWhole{asked, o, w, err, do}
	}))
}

// masked is the execution without the values of parameters that may be secrets,
// wherever they stand. They are taken out of each text before it is written as YAML,
// which writes line breaks and quotes in ways of its own.
func (p *Page) masked(w Whole) Whole {
	if p.open() {
		return w
	}
	secrets := secretsOf(w)
	hide := func(text string) string { return deck.Redacted(secrets, text) }
	hideAll := func(values map[string][]string) map[string][]string {
		out := masked(values)
		for name, list := range out {
			out[name] = each(list, hide)
		}
		return out
	}
	w.Parameters, w.Outputs, w.Failure = hideAll(w.Parameters), hideAll(w.Outputs), hide(w.Failure)
	w.Steps = each(w.Steps, func(s automation.Step) automation.Step {
		s.Outputs, s.Failure = hideAll(s.Outputs), hide(s.Failure)
		inputs := map[string]string{}
		for name, v := range s.Inputs {
			inputs[name] = first(hideAll(map[string][]string{name: {v}})[name])
		}
		s.Inputs = inputs
		return s
	})
	w.Children = each(w.Children, func(e automation.Execution) automation.Execution {
		e.Parameters, e.Outputs, e.Failure = hideAll(e.Parameters), hideAll(e.Outputs), hide(e.Failure)
		return e
	})
	return w
}

// each is a list of what a function makes of the values of another.
func each[T any](list []T, of func(T) T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = of(v)
	}
	return out
}

// copy offers what can be copied.
func (p *Page) copy() tea.Cmd {
	o, e, ok := p.chosen()
	if !ok {
		return nil
	}
	texts := []deck.Copy{
		{Text: o.id, What: "the id"},
		{Text: p.d.OneLiner([]string{"automation", "get", o.id}, o.at), What: "the command line that shows it"},
		{Text: p.d.OneLiner([]string{"automation", "watch", o.id}, o.at), What: "the command line that follows it"},
		{Text: e.Document, What: "the name of the runbook"},
	}
	return deck.CopyOne("copy", texts)
}

// signal asks for a comment where there can be one, and sends a decision.
func (p *Page) signal(o opened, e automation.Execution, verb string) tea.Cmd {
	what := verb + " automation " + short(o.id) + " of " + render.Visible(o.document)
	if e.CurrentStep != "" {
		what += ", step " + render.Visible(e.CurrentStep)
	}
	line := deck.Line{
		Words: []string{"automation", verb, o.id}, At: o.at, What: what, Level: deck.Change, How: deck.Quietly, Refresh: []string{sources.Executions},
		Facts: []deck.Fact{{Name: "Started", Value: p.d.Ago(e.Started) + " by " + render.Visible(by(e))}},
		Done:  func(deck.Result) tea.Msg { return lookAgain{o} },
	}
	if verb != "approve" && verb != "reject" {
		return deck.Ask(line)
	}
	if verb == "reject" {
		line.Level = deck.Disruptive
	}
	return deck.Ask(deck.Form{
		Title:  what,
		Fields: []deck.Field{{Name: "comment", Label: "Comment", Help: "kept with the decision; may be empty"}},
		Done: func(values map[string]string) tea.Cmd {
			if c := strings.TrimSpace(values["comment"]); c != "" {
				line.Words = append(line.Words, "--comment", c)
			}
			return deck.Ask(line)
		},
	})
}

// stoppable are the executions that stop is about and that have not ended.
func (p *Page) stoppable() (list []row) {
	if o, e, ok := p.chosen(); ok && len(p.path) > 0 {
		list = append(list, row{Place: o.at, Value: e})
	} else if ok {
		for _, i := range p.list.Chosen() {
			list = append(list, p.rows[i])
		}
	}
	going := list[:0:0]
	for _, r := range list {
		if !r.Value.State.Final() {
			going = append(going, r)
		}
	}
	return going
}

func (p *Page) stopOff() string {
	if _, _, ok := p.chosen(); !ok {
		return "no automation is chosen"
	}
	if len(p.stoppable()) == 0 {
		return "it has ended"
	}
	return ""
}

// stop asks how, and then for each place.
func (p *Page) stop() tea.Cmd {
	list := p.stoppable()
	what := widget.Count(len(list), "automation")
	return deck.Ask(deck.Choose{
		Title: "stop " + what,
		Entries: []deck.Entry{
			{Name: "at once", Detail: "the step that runs is cancelled; what steps have done stays done"},
			{Name: "after the step that runs", Detail: "it is let end"},
		},
		Done: func(i int) tea.Cmd { return p.stopLines(list, i == 1) },
	})
}

func (p *Page) stopLines(list []row, complete bool) tea.Cmd {
	places, of := deck.Sendings(list)
	var cmds []tea.Cmd
	for _, at := range places {
		words := []string{"automation", "stop"}
		line := deck.Line{At: at, What: "stop " + widget.Count(len(of[at]), "automation"), Level: deck.Disruptive, How: deck.Quietly, Refresh: []string{sources.Executions}}
		for _, e := range of[at] {
			words = append(words, e.ID)
			if len(line.Facts) < 5 {
				line.Facts = append(line.Facts, deck.Fact{Name: short(e.ID), Value: render.Visible(e.Document) + ", " + render.Visible(string(e.State)) + ", step " + render.Visible(e.CurrentStep)})
			}
		}
		if complete {
			words = append(words, "--complete")
		}
		line.Words = words
		o := opened{at, of[at][0].ID, of[at][0].Document}
		line.Done = func(deck.Result) tea.Msg { return lookAgain{o} }
		cmds = append(cmds, deck.Ask(line))
	}
	return tea.Batch(cmds...)
}

// lookAgain says that an execution is to be read once more.
type lookAgain struct{ o opened }

func placeName(at grid.Place) string {
	if s := at.String(); s != "" {
		return s
	}
	return "this account"
}
