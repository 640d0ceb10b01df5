package pagewindows

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Subject is the window that actions are about, and what it did where that is shown.
func (p *Page) Subject() string {
	e := p.current()
	if e == nil {
		return ""
	}
	if x, _, ok := p.execution(); ok && p.open != "" {
		return e.key + "\x00" + x.ID
	}
	return e.key
}

// Actions are what can be done here now.
func (p *Page) Actions() []deck.Action {
	none := ""
	e := p.current()
	if e == nil {
		none = "no maintenance window is chosen"
	}
	pane := ""
	if !p.hasText() {
		pane = "there is no room for a second pane"
	}
	return []deck.Action{
		{Key: "enter", Name: "open", Help: "open what the window did; on an invocation the command or automation it started", Footer: true, Off: none, Do: p.enter},
		p.switching(none),
		{Key: "X", Name: "cancel", Help: "cancel the execution that runs: no more tasks begin", Footer: true, Off: p.cancelOff(), Writes: true, Do: p.cancel},
		{Key: "e", Name: "edit", Help: "change the schedule, how long it is open, its description", Footer: true, Off: none, Writes: true, Do: p.edit},
		{Key: "N", Name: "preview", Help: "what the tasks will do when it opens next, on which nodes", Footer: true, Off: none, Do: func() tea.Cmd { return p.read("preview of "+e.Name, e.at, "window", "preview", e.ID) }},
		{Key: "x", Name: "export", Help: "write the openings into an iCalendar file", Footer: true, Off: none, Do: p.export},
		{Key: "L", Name: "log", Help: "what the commands of the execution printed", Off: p.outputOff(), Do: p.output},
		{Key: "d", Name: "describe", Help: "show all of the window, or of what it did, as text", Off: none, Do: p.describe},
		{Key: "y", Name: "YAML", Help: "show the window with targets and tasks as YAML, without secrets", Off: none, Do: func() tea.Cmd { return p.read(e.Name, e.at, "window", "export", e.ID) }},
		{Name: "coverage", Help: "nodes in no window, windows that overlap or do nothing", Do: p.coverage},
		{Key: "o", Name: "console", Help: "open its page of the console in the browser", Off: none, Do: func() tea.Cmd {
			return deck.Ask(deck.Browse{URL: deck.Console(e.at, "maintenance-windows/"+e.ID+"/description")})
		}},
		{Key: "c", Name: "copy", Help: "copy its id, name or a command line", Off: none, Do: p.copy},
		{Key: "tab", Name: "pane", Help: "go to the text, and back", Off: pane, Whole: true, Do: func() tea.Cmd {
			p.inText = !p.inText
			return nil
		}},
		{Key: "C", Name: "columns", Help: "choose the columns of the list", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: p.focused()}) }},
	}
}

// read runs a command line that changes nothing and shows what it prints.
func (p *Page) read(what string, at grid.Place, words ...string) tea.Cmd {
	return deck.Ask(deck.Line{Words: words, At: at, What: render.Visible(what), Level: deck.Read, How: deck.InPane})
}

// chosen are the windows that a change is about: those marked, else the one that is
// open or under the cursor.
func (p *Page) chosen() (list []*entry) {
	if p.open != "" {
		if e := p.opened(); e != nil {
			list = append(list, e)
		}
		return list
	}
	for _, i := range p.list.Chosen() {
		if i < len(p.entries) {
			list = append(list, &p.entries[i])
		}
	}
	return list
}

// switching is the action that enables or disables: what the first of the windows
// chosen is not.
func (p *Page) switching(off string) deck.Action {
	list := p.chosen()
	on := len(list) > 0 && !list[0].Enabled
	a := deck.Action{Key: "E", Name: "disable", Help: "disable the window, or those marked: it does not open until it is enabled", Footer: true, Off: off, Writes: true}
	if on {
		a.Name, a.Help = "enable", "enable the window, or those marked: it opens when its schedule says so"
	}
	a.Do = func() tea.Cmd { return p.turn(on, list) }
	return a
}

func (p *Page) turn(on bool, list []*entry) tea.Cmd {
	verb := map[bool]string{true: "enable", false: "disable"}[on]
	var rows []grid.Row[*entry]
	for _, e := range list {
		if e.Enabled != on {
			rows = append(rows, grid.Row[*entry]{Place: e.at, Value: e})
		}
	}
	places, of := deck.Sendings(rows)
	var cmds []tea.Cmd
	for _, at := range places {
		line := deck.Line{Words: []string{"window", verb}, At: at, Level: deck.Change, How: deck.Quietly, Refresh: []string{sources.Windows}}
		for _, e := range of[at] {
			line.Words = append(line.Words, e.ID)
			if len(line.Facts) < 6 {
				line.Facts = append(line.Facts, deck.Fact{Name: render.Visible(e.Name), Value: p.afterwards(e, on)})
			}
		}
		line.What = verb + " " + widget.Count(len(of[at]), "maintenance window")
		if len(of[at]) == 1 {
			line.What = verb + " the maintenance window " + render.Visible(of[at][0].Name)
		}
		cmds = append(cmds, deck.Ask(line))
	}
	return tea.Batch(cmds...)
}

// afterwards says what will be when a window has been switched.
func (p *Page) afterwards(e *entry, on bool) string {
	switch {
	case !on && e.running != nil:
		return "does not open any more; the execution that runs goes on"
	case !on:
		return "does not open any more"
	case e.next.IsZero():
		return "has no time to open that is still to come"
	}
	return "opens " + moment(e.next, e.Zone())
}

// enter opens a window, folds an execution, goes to what an invocation has started.
func (p *Page) enter() tea.Cmd {
	p.inText = false
	if p.open == "" {
		if e := p.current(); e != nil {
			p.open = e.key
			p.text.SetText("")
			p.runs.Reset(0) // the cursor begins at the top
			p.arrange()
		}
		return p.look()
	}
	i, ok := p.runs.Current()
	if !ok || i >= len(p.parts) {
		return nil
	}
	switch c := p.parts[i]; {
	case c.call != nil && c.call.Made != "" && c.call.Type == window.RunCommand:
		return deck.Ask(deck.Open{Page: "commands", Filter: "id=" + c.call.Made})
	case c.call != nil && c.call.Made != "" && c.call.Type == window.Automation:
		return deck.Ask(deck.Open{Page: "automation", Filter: "id=" + c.call.Made})
	case c.task == nil && c.run != nil:
		p.folded[c.run.ID] = !p.folded[c.run.ID]
		p.arrange()
		return p.look()
	}
	return p.describe()
}

func (p *Page) describe() tea.Cmd {
	e := p.current()
	if e == nil {
		return nil
	}
	d := p.facts()
	plain := theme.New(theme.Plain, false, p.d.Styles.ASCII)
	return deck.Ask(deck.Show{Title: render.Visible(e.Name), Text: d.View(plain, textWidth)})
}

// textWidth is how wide the text of a description is.
const textWidth = 100

// going is the execution that cancel is about: that under the cursor, else that which
// runs.
func (p *Page) going() (x window.Execution, e *entry, ok bool) {
	if p.open != "" {
		x, e, ok = p.execution()
		return x, e, ok && !x.State.Final()
	}
	if e = p.current(); e != nil && e.running != nil {
		return *e.running, e, true
	}
	return x, e, false
}

func (p *Page) cancelOff() string {
	if _, e, ok := p.going(); !ok {
		if e == nil {
			return "no maintenance window is chosen"
		}
		return "nothing runs in it"
	}
	return ""
}

func (p *Page) cancel() tea.Cmd {
	x, e, ok := p.going()
	if !ok {
		return nil
	}
	return deck.Ask(deck.Line{
		Words: []string{"window", "execution", "cancel", x.ID}, At: e.at, What: "cancel the execution of " + render.Visible(e.Name) + ": no more tasks begin, what runs goes on",
		Facts: []deck.Fact{{Name: "Opened", Value: moment(x.Started, e.Zone()) + ", " + p.d.Ago(x.Started)}, {Name: "State", Value: stateText(x.State)}},
		Level: deck.Disruptive, How: deck.Quietly, Refresh: []string{Past},
		Done: func(deck.Result) tea.Msg { return lookAgain{e.at, p.treeKey(e, x.ID), x.ID} },
	})
}

func (p *Page) treeKey(e *entry, id string) string { return deck.Key(e.at, id) }

// shown is the execution whose output can be shown.
func (p *Page) shown() (x window.Execution, e *entry, ok bool) {
	if p.open != "" {
		return p.execution()
	}
	if e = p.current(); e != nil && len(e.past) > 0 {
		return e.past[0], e, true
	}
	return x, e, false
}

func (p *Page) outputOff() string {
	if _, _, ok := p.shown(); !ok {
		return "it has not been open yet"
	}
	return ""
}

func (p *Page) output() tea.Cmd {
	x, e, ok := p.shown()
	if !ok {
		return nil
	}
	return p.read("output of "+e.Name+", "+moment(x.Started, e.Zone()), e.at, "window", "execution", "output", x.ID)
}

// coverage looks at all windows of the place of the one under the cursor.
func (p *Page) coverage() tea.Cmd {
	var at grid.Place
	if e := p.current(); e != nil {
		at = e.at
	}
	return p.read("findings", at, "window", "coverage")
}

// copy offers what can be copied.
func (p *Page) copy() tea.Cmd {
	e := p.current()
	if e == nil {
		return nil
	}
	texts := []deck.Copy{
		{Text: e.ID, What: "the id"},
		{Text: e.Name, What: "the name"},
		{Text: p.d.OneLiner([]string{"window", "get", e.ID}, e.at), What: "the command line that shows it"},
		{Text: p.d.OneLiner([]string{"window", "watch", e.ID, "--next"}, e.at), What: "the command line that follows it"},
	}
	if x, _, ok := p.execution(); ok {
		texts = append(texts, deck.Copy{Text: x.ID, What: "the id of the execution"},
			deck.Copy{Text: p.d.OneLiner([]string{"window", "execution", "get", x.ID}, e.at), What: "the command line that shows the execution"})
	}
	return deck.CopyOne("copy", texts)
}
