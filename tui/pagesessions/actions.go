package pagesessions

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// Subject is the session or the forward that actions are about.
func (p *Page) Subject() string {
	if t, ok := p.tunnel(); ok {
		return "forward " + t.name
	}
	if e, ok := p.current(); ok {
		return deck.Key(e.Place, e.Value.ID)
	}
	return ""
}

// Actions are what can be done in the section.
func (p *Page) Actions() []deck.Action {
	var list []deck.Action
	if p.section == tunnels {
		list = p.tunnelActions()
	} else {
		list = p.sessionActions()
	}
	off := ""
	if _, ok := p.list().Current(); !ok {
		off = p.nothing()
	}
	return append(
		list,
		deck.Action{Key: "enter", Name: "open", Help: "go to the details of the row", Off: off, Do: p.enter},
		deck.Action{Key: "y", Name: "YAML", Help: "show the row as YAML", Off: off, Do: p.yaml},
		deck.Action{Key: "C", Name: "columns", Help: "choose the columns of this list", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: p.list()}) }},
		deck.Action{Name: "replay", Help: "play a recorded session from a file", Do: replay},
		p.goTo(active, "who has a session open"), p.goTo(past, "sessions of the last 30 days"), p.goTo(tunnels, "forwards of this machine"),
	)
}

// goTo shows a section, from the palette.
func (p *Page) goTo(s section, help string) deck.Action {
	return deck.Action{Name: strings.ToLower(s.word()), Help: "list " + help + "; in a filter " + strings.ToLower(s.word()) + ": in front does it", Do: func() tea.Cmd { p.show(s); return nil }}
}

// nothing says why there is no row to do something with.
func (p *Page) nothing() string {
	if p.section == tunnels {
		return "no forward is chosen"
	}
	return "no session is chosen"
}

func (p *Page) sessionActions() []deck.Action {
	e, ok := p.current()
	off, ended := "", ""
	if !ok {
		off = p.nothing()
	}
	running := 0
	for _, r := range p.chosen() {
		if !r.Value.Over() {
			running++
		}
	}
	if ended = off; running == 0 && off == "" {
		ended = "it has ended"
	}
	return []deck.Action{
		{Key: "s", Name: "shell", Help: "open a shell on the node of the session", Footer: true, Off: off, Do: func() tea.Cmd { return shell(e.Place, e.Value.Target, e.label()) }},
		{Key: "n", Name: "new", Help: "open a shell on a node that you choose", Footer: true, Off: p.noNodes(), Do: p.newShell},
		{Key: "t", Name: "terminate", Help: "end the session at the service", Footer: true, Off: ended, Writes: true, Do: p.terminate},
		{Key: "L", Name: "log", Help: "show the log that was kept of the session", Footer: true, Off: off, Do: func() tea.Cmd { return log(e) }},
		{Key: "F", Name: "start", Help: "start saved forwards", Off: p.noneIdle(), Whole: true, Do: p.start},
		{Key: "f", Name: "forward", Help: "forward a port to the node of the session, or to any where none is chosen", Do: func() tea.Cmd { return p.forward(e.Place, e.Value.Target) }},
		{Key: "c", Name: "copy", Help: "copy the id of the session", Off: off, Do: func() tea.Cmd {
			return deck.Ask(deck.Copy{Text: e.Value.ID, What: "the id of the session"})
		}},
		{Key: "o", Name: "console", Help: "open the session's list in the console", Off: off, Do: func() tea.Cmd {
			page := "session-manager/sessions"
			if p.section == past {
				page = "session-manager/session-history"
			}
			return deck.Ask(deck.Browse{URL: deck.Console(e.Place, page)})
		}},
	}
}

func (p *Page) enter() tea.Cmd {
	p.focus(true)
	return nil
}

// shell gives the terminal to a shell on a node.
func shell(at grid.Place, node, label string) tea.Cmd {
	return deck.Ask(deck.Line{
		Words: []string{"shell", node}, At: at, What: "shell on " + render.Visible(label), Level: deck.Read, How: deck.OnScreen,
		Refresh: []string{sources.Sessions},
	})
}

// choice is a node to choose.
type choice struct {
	at             grid.Place
	id             string
	name, platform string
}

func (p *Page) noNodes() string {
	if p.set.Nodes.Len() == 0 {
		return "the nodes are not known yet"
	}
	return ""
}

// newShell asks on which node.
func (p *Page) newShell() tea.Cmd {
	nodes := p.online()
	entries := make([]deck.Entry, len(nodes))
	for i, n := range nodes {
		entries[i] = deck.Entry{Name: n.name, Detail: p.place(n.at, n.id, n.platform)}
	}
	return deck.Ask(deck.Choose{Title: "Open a shell on", Entries: entries, Done: func(i int) tea.Cmd {
		return shell(nodes[i].at, nodes[i].id, nodes[i].name)
	}})
}

// place adds the Region to facts where several are looked at.
func (p *Page) place(at grid.Place, facts ...string) string {
	if p.deck.Several() {
		facts = append(facts, at.Region)
	}
	return strings.TrimSpace(strings.Join(facts, " "))
}

// terminate ends the chosen sessions, with one line for each place.
func (p *Page) terminate() tea.Cmd {
	var running []grid.Row[sessions.Entry]
	for _, r := range p.chosen() {
		if !r.Value.Over() {
			running = append(running, r)
		}
	}
	places, by := deck.Sendings(running)
	var cmds []tea.Cmd
	for _, at := range places {
		ids, facts := []string{}, []deck.Fact{}
		for _, e := range by[at] {
			ids = append(ids, e.ID)
			node := cmp.Or(p.names[deck.Key(at, e.Target)], e.Target)
			facts = append(facts, deck.Fact{
				Name: e.OwnerName(), Value: strings.TrimSpace(fmt.Sprintf("on %s, since %s %s", node, p.deck.Ago(e.Started), e.Reason)),
			})
		}
		what := "end the session of " + render.Visible(by[at][0].OwnerName())
		if n := len(by[at]); n > 1 {
			what = fmt.Sprintf("end %d sessions", n)
		}
		cmds = append(cmds, deck.Ask(deck.Line{
			Words: deck.Args([]string{"session", "terminate"}, ids...), At: at, What: what, Facts: facts, Level: deck.Disruptive, How: deck.Quietly, Refresh: []string{sources.Sessions, sources.Past},
		}))
	}
	return tea.Batch(cmds...)
}

// log shows what was kept of a session; of one that runs, as it comes.
func log(e entry) tea.Cmd {
	words := deck.With(deck.Args([]string{"session", "logs"}, e.Value.ID), "--text")
	if !e.Value.Over() {
		words = deck.With(words, "--follow")
	}
	return deck.Ask(deck.Line{Words: words, At: e.Place, What: "log of " + render.Visible(e.Value.ID), Level: deck.Read, How: deck.InPane})
}

// replay asks for a recording and plays it.
func replay() tea.Cmd {
	return deck.Ask(deck.Form{
		Title: "Play a recorded session",
		Fields: []deck.Field{
			{Name: "file", Label: "File", Help: "incident.cast, of ssmdeck shell --record or asciinema", Check: deck.Needed},
			{Name: "speed", Label: "Speed", Value: "1", Check: func(v string) error {
				if n, err := strconv.ParseFloat(v, 64); v != "" && (err != nil || n <= 0) {
					return fault.Usagef("%q is not a speed", v).WithHint("2 is twice as fast")
				}
				return nil
			}},
		},
		Done: func(v map[string]string) tea.Cmd {
			words := []string{"session", "replay", v["file"]}
			if v["speed"] != "" && v["speed"] != "1" {
				words = append(words, "--speed", v["speed"])
			}
			return deck.Ask(deck.Line{Words: words, What: "play " + render.Visible(v["file"]), Level: deck.Read, How: deck.OnScreen})
		},
	})
}

// yaml shows the row under the cursor.
func (p *Page) yaml() tea.Cmd {
	var v any
	if t, ok := p.tunnel(); ok {
		v = t.record()
	} else if e, ok := p.current(); ok {
		v = e.Row
	}
	return deck.ShowYAML(p.title(), v)
}
