package pagefleet

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// Actions are everything that can be done here now.
func (p *Page) Actions() []deck.Action {
	r := p.current()
	none, one, online, managed := "", "", "", ""
	switch {
	case r == nil:
		none = "no node is chosen"
		one, online, managed = none, none, none
	case !r.managed:
		managed = "Systems Manager does not know it: d says why"
		online = managed
	case r.n.StrangePing():
		online = "whether its agent is connected is not known: d says more"
	case r.n.Offline():
		online = "its agent is not connected: d says why"
	}
	many := managed
	if marked, _ := p.list.Marked(); len(marked) > 0 {
		many = "" // each is looked at when it comes to it: that may be the whole fleet
	}
	actions := []deck.Action{
		{Key: "s", Name: "shell", Help: "open a shell on the node", Footer: true, Off: online, Do: p.shell},
		{Key: "f", Name: "forward", Help: "forward a local port to the node, or to a database in its network", Footer: true, Off: online, Do: p.forward},
		{Key: "r", Name: "run", Help: "run a command or a document on the chosen nodes", Footer: true, Off: many, Writes: true, Do: p.run},
		{Key: "p", Name: "patch scan", Help: "scan the chosen nodes for missing patches", Footer: true, Off: many, Writes: true, Do: p.scan},
		{Key: "P", Name: "install patches", Help: "install what the baselines of the chosen nodes approve, a wave at a time", Off: many, Writes: true, Do: p.install},
		{Key: "d", Name: "doctor", Help: "find out why the node is not online, and what repairs it", Footer: true, Off: one, Do: p.examine},
		p.enterAction(none),
		{Key: "tab", Name: "next pane", Help: "go between list and node", Off: none, Do: p.nextPane},
		{Key: "u", Name: p.unmanagedName(), Help: "show or hide instances that run and that Systems Manager does not know", Whole: true, Do: p.toggleUnmanaged},
		{Key: "e", Name: "edit tags", Help: "set and remove tags of the chosen nodes", Off: many, Writes: true, Do: p.editTags},
		{Key: "U", Name: "update agent", Help: "update the agents of the chosen nodes, a wave at a time", Off: many, Writes: true, Do: p.updateAgents},
		{Key: "y", Name: "YAML", Help: "show everything about the node as YAML", Off: none, Do: p.yaml},
		{Key: "o", Name: "console", Help: "open the node's page of the AWS console in the browser", Off: none, Do: p.browse},
		{Key: "c", Name: "copy", Help: "copy the node's id, name, address, or a command line for it", Off: none, Do: p.copy},
		{Key: "x", Name: "export", Help: "write the nodes that fit the filter as CSV, JSON or YAML", Off: none, Whole: true, Do: p.export},
		{Key: "C", Name: "columns", Help: "choose the columns and their order", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: p.list}) }},
	}
	return append(actions, p.rareActions(managed, online)...)
}

// rareActions have no key, and are in the palette.
func (p *Page) rareActions(managed, online string) []deck.Action {
	hybrid := managed
	if r := p.current(); hybrid == "" && !r.n.Hybrid() {
		hybrid = "only machines outside EC2 can be deregistered"
	}
	return []deck.Action{
		{Name: "ssh", Help: "run the ssh of this machine to the node, through Session Manager", Off: online, Do: p.ssh},
		{Name: "ping", Help: "ask whether the agents of the chosen nodes are connected at this moment", Off: managed, Do: p.ping},
		{Name: "copy to", Help: "copy a file or folder of this machine to the chosen nodes", Off: managed, Writes: true, Do: p.copyTo},
		{Name: "copy from", Help: "copy a file or folder of the node to this machine", Off: online, Do: p.copyFrom},
		{Name: "deregister", Help: "have Systems Manager forget the machine, which is not in EC2", Off: hybrid, Writes: true, Do: p.deregister},
	}
}

// enterAction is what Enter does: on a check it offers the repair.
func (p *Page) enterAction(none string) deck.Action {
	if p.exam.of != "" && p.inPane {
		a := deck.Action{Key: "enter", Name: "repair", Help: "repair what the check found, or show how", Footer: true, Do: p.openCheck}
		if _, ok := p.exam.current(); !ok {
			a.Off = "no check is chosen"
		}
		return a
	}
	return deck.Action{Key: "enter", Name: "open", Help: "show all that is known of the node", Footer: true, Off: none, Do: p.openCurrent}
}

func (p *Page) openCurrent() tea.Cmd {
	p.inPane, p.top = true, 0
	return p.settle()
}

func (p *Page) nextPane() tea.Cmd {
	p.inPane = !p.inPane
	return p.settle()
}

func (p *Page) unmanagedName() string {
	if p.unmanaged {
		return "hide unmanaged"
	}
	return "show unmanaged"
}

func (p *Page) toggleUnmanaged() tea.Cmd {
	p.unmanaged = !p.unmanaged
	p.reload()
	return p.settle()
}

// shell opens a shell on the node under the cursor.
func (p *Page) shell() tea.Cmd {
	r := p.current()
	return deck.Ask(deck.Line{
		Words: []string{"shell", r.n.ID}, At: r.at, What: "shell on " + r.label(), How: deck.OnScreen,
		Refresh: []string{sources.Sessions},
	})
}

func (p *Page) ssh() tea.Cmd {
	r := p.current()
	return deck.Ask(deck.Line{Words: []string{"ssh", r.n.ID}, At: r.at, What: "ssh to " + r.label(), How: deck.OnScreen, Refresh: []string{sources.Sessions}})
}

// yaml shows the node as it is on the command line.
func (p *Page) yaml() tea.Cmd {
	r := p.current()
	words := []string{"node", "get", r.n.ID, "-o", "yaml"}
	if !r.managed {
		words = []string{"node", "list", "--unmanaged", "--filter", "id=" + r.n.ID, "-o", "yaml"}
	}
	return deck.Ask(deck.Line{Words: words, At: r.at, What: r.label() + " as YAML"})
}

// browse opens the node's page of the console.
func (p *Page) browse() tea.Cmd {
	r := p.current()
	return deck.Ask(deck.Browse{URL: console(r)})
}

func (p *Page) copy() tea.Cmd {
	r := p.current()
	things := []deck.Copy{{What: "the command line for a shell", Text: p.deck.OneLiner([]string{"shell", r.n.ID}, r.at)}, {What: "the id", Text: r.n.ID}}
	for _, t := range []deck.Copy{{What: "the name", Text: r.n.Name}, {What: "the address", Text: r.n.IP}} {
		if t.Text != "" {
			things = append(things, t)
		}
	}
	things = append(things, deck.Copy{What: "the command line that says why it is not online", Text: p.deck.OneLiner([]string{"doctor", r.n.ID}, r.at)})
	return deck.CopyOne("Copy of "+r.label(), things)
}

// mouse takes a click or the wheel where it is meant: in the list or the pane.
func (p *Page) mouse(msg tea.Msg) {
	x := 0
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		x = m.X
	case tea.MouseWheelMsg:
		x = m.X
	}
	onPane := p.inPane
	if p.wide() {
		onPane = x > p.listWidth()
	}
	if !onPane {
		p.inPane = p.inPane && !p.wide()
		p.list.Update(msg)
		return
	}
	p.inPane = true
	if m, ok := msg.(tea.MouseWheelMsg); ok {
		if m.Button == tea.MouseWheelUp {
			p.keyInPane("up")
		} else {
			p.keyInPane("down")
		}
	}
}
