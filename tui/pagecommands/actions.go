package pagecommands

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// subject is the run that actions are about: the one that is open, else the one
// under the cursor.
func (p *Page) subject() (at grid.Place, r run.Run, ref string, ok bool) {
	if p.board != nil {
		r := p.board.run
		if p.board.sum.Done() && !r.State.Final() { // found while it was under way
			r.State = run.Success
			if p.board.sum.Failures() > 0 {
				r.State = run.Failed
			}
			r.Errors = p.board.sum.Failures()
			r.DeliveryTimedOut = 0
		}
		return p.board.at, r, p.board.ref(), true
	}
	p.load()
	i, ok := p.list.Current()
	if !ok {
		return grid.Place{}, run.Run{}, "", false
	}
	return p.items[i].Place, p.items[i].Value, p.items[i].Value.Ref(), true
}

// Subject is the run that actions are about, and the node on its board.
func (p *Page) Subject() string {
	at, _, ref, ok := p.subject()
	if !ok {
		return ""
	}
	if e, ok := p.current(); ok {
		ref += " " + e.key
	}
	return deck.Key(at, ref)
}

// Actions are what can be done here now.
func (p *Page) Actions() []deck.Action {
	at, r, ref, ok := p.subject()
	none := ""
	if !ok {
		none = "no run is chosen"
	}
	var actions []deck.Action
	if p.board != nil {
		actions = p.boardActions()
	} else {
		actions = append(actions, deck.Action{
			Key: "enter", Name: "open", Help: "open the board of the run: each node, live", Footer: true, Off: none,
			Do: func() tea.Cmd {
				if i, ok := p.list.Current(); ok {
					return p.openItem(p.items[i])
				}
				return nil
			},
		})
	}
	actions = append(actions, p.sendingActions(at, r, ref, none)...)
	if p.board == nil {
		actions = append(actions, p.compareAction())
	}
	return append(actions, p.showingActions(at, r, ref, none)...)
}

// sendingActions are those that run something, or stop it, and what keeps the result.
func (p *Page) sendingActions(at grid.Place, r run.Run, ref, none string) []deck.Action {
	return []deck.Action{
		{Key: "r", Name: "run", Help: "run a command or a document on nodes", Footer: true, Writes: true, Do: p.form},
		{
			Key: "R", Name: "rerun", Help: "run the same again where it did not succeed", Footer: true, Writes: true,
			Off: or(none, p.rerunOff(r)), Do: func() tea.Cmd { return p.rerun(at, r, ref) },
		},
		{
			Name: "rerun everywhere", Help: "run the same again on all nodes of the run", Writes: true,
			Off: or(none, againOff(r)), Do: func() tea.Cmd { return p.rerunAll(at, r, ref) },
		},
		{
			Key: "X", Name: "cancel", Help: "cancel what is left of the run", Footer: true, Writes: true,
			Off: or(none, p.cancelOff(r)), Do: p.cancel,
		},
		{
			Key: "w", Name: "write", Help: "write all outputs to a folder", Footer: true,
			Off: none, Do: func() tea.Cmd { return p.write(at, r, ref) },
		},
	}
}

// showingActions are those that show something else of a run.
func (p *Page) showingActions(at grid.Place, r run.Run, ref, none string) []deck.Action {
	list := p.list
	if p.board != nil {
		list = p.nodes
	}
	return []deck.Action{
		{
			Key: "v", Name: "reveal", Help: "show the parameters of the run, which may hold secrets",
			Off: or(none, parametersOff(r)), Do: func() tea.Cmd { return p.reveal(r, ref) },
		},
		{Key: "y", Name: "YAML", Help: "show the run with its nodes as YAML", Off: none, Do: func() tea.Cmd {
			return deck.Ask(deck.Line{Words: append(words("run", "show"), append(refs(r, ref), "-o", "yaml")...), At: at, What: "show the run as YAML"})
		}},
		{Key: "c", Name: "copy", Help: "copy the id of the run", Off: none, Do: func() tea.Cmd {
			return deck.Ask(deck.Copy{Text: ref, What: "the id of the run"})
		}},
		{Key: "o", Name: "console", Help: "open the command in the AWS console", Off: or(none, consoleOff(r)), Do: func() tea.Cmd {
			return deck.Ask(deck.Browse{URL: p.svc.Console(at, "run-command/"+r.CommandIDs[0])})
		}},
		{Key: "C", Name: "columns", Help: "choose the columns", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: list}) }},
	}
}

func words(w ...string) []string { return w }

// refs are the arguments that name the run that is meant, as far as it is known.
func refs(r run.Run, ref string) []string {
	if known := refsOf(r); len(known) > 0 {
		return known
	}
	return strings.Fields(ref)
}

func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func endedOff(r run.Run) string {
	if r.State.Final() {
		return "it has ended: " + word(r.State)
	}
	return ""
}

// againOff says why a run cannot be repeated.
func againOff(r run.Run) string {
	switch {
	case len(r.Commands) == 0 && r.State == "":
		return "the run is not known yet"
	case !r.State.Final():
		return "it has not ended"
	case r.ID == "" && len(r.CommandIDs) > 1:
		return "these are commands of several runs"
	}
	return ""
}

// rerunOff says why there is nothing to run again where it failed.
func (p *Page) rerunOff(r run.Run) string {
	if off := againOff(r); off != "" {
		return off
	}
	if r.State == run.Success && failed(r) == 0 && (p.board == nil || p.board.sum.Failures() == 0) {
		return "it succeeded on every node"
	}
	return ""
}

// hereOff says why there is nothing to cancel on a node.
func hereOff(e entry) string {
	switch {
	case e.state.Final():
		return "it has ended there: " + word(e.state)
	case e.row.CommandID == "":
		return "the service has not told of the node yet"
	}
	return ""
}

func parametersOff(r run.Run) string {
	if !slices.ContainsFunc(r.Commands, func(c run.Command) bool { return len(c.Params) > 0 }) {
		return "it has no parameters"
	}
	return ""
}

func consoleOff(r run.Run) string {
	if len(r.CommandIDs) == 0 {
		return "the run is not known yet"
	}
	return ""
}

// boardActions are those about a node or a fold of a board.
func (p *Page) boardActions() []deck.Action {
	e, ok := p.current()
	none, alone := "", ""
	switch {
	case !ok:
		none, alone = "no node is chosen", "no node is chosen"
	case e.fold():
		alone = "these are several nodes: unfold them with enter"
	}
	shell := deck.Action{Key: "s", Name: "shell", Help: "open a shell on the node", Footer: true, Off: alone, Writes: true, Do: func() tea.Cmd {
		return deck.Ask(deck.Line{Words: words("shell", e.row.NodeID), At: p.board.at, What: "shell on " + p.name(e.row.NodeID, e.row.NodeName), How: deck.OnScreen})
	}}
	if p.full {
		return []deck.Action{shell} // n and N go to what is searched for
	}
	enter := deck.Action{Key: "enter", Name: "output", Help: "show everything the node wrote; a fold is opened", Footer: true, Off: none, Do: p.enter}
	if e.fold() {
		enter.Name = map[bool]string{true: "fold", false: "unfold"}[p.unfolded[e.key] || p.unfoldAll]
	}
	here := deck.Action{
		Name: "cancel here", Help: "cancel the command on the chosen node alone", Off: or(alone, hereOff(e)), Writes: true,
		Do: func() tea.Cmd { return p.cancelHere(e) },
	}
	return append([]deck.Action{enter}, append(p.foldActions(), shell, here)...)
}

// foldActions are those about all nodes of a board.
func (p *Page) foldActions() []deck.Action {
	again := func(change func()) func() tea.Cmd {
		return func() tea.Cmd {
			change()
			p.entries()
			p.pane.stale()
			return p.rest()
		}
	}
	bad := ""
	if p.board.sum.Failures() == 0 {
		bad = "it has failed nowhere"
	}
	return []deck.Action{
		{Key: "!", Name: "failures", Help: "show only what did not succeed, or all again", Footer: true, Do: again(func() { p.failures = !p.failures })},
		{Key: "u", Name: "unfold", Help: "unfold all nodes, or fold them again", Do: again(func() {
			p.unfoldAll, p.unfolded = !p.unfoldAll, map[string]bool{}
		})},
		{Key: "d", Name: "diff", Help: "show the output most nodes have, and how the others differ", Do: func() tea.Cmd {
			return deck.Ask(deck.Line{
				Words: append(words("run", "show"), append(refs(p.board.run, p.board.ref()), "--diff", "-o", "table")...),
				At:    p.board.at, What: "how outputs differ",
			})
		}},
		{Key: "n", Name: "nodes", Help: "show the nodes on which it did not succeed in the fleet", Off: bad, Do: p.toFleet},
	}
}

// enter opens a fold, or the output of a node.
func (p *Page) enter() tea.Cmd {
	e, ok := p.current()
	switch {
	case !ok:
		return nil
	case e.fold():
		if p.unfoldAll { // from now on one by one
			p.unfoldAll = false
			for _, r := range p.rows {
				if r.fold() {
					p.unfolded[r.key] = true
				}
			}
		}
		p.unfolded[e.key] = !p.unfolded[e.key]
		p.entries()
	default:
		p.full, p.search = true, ""
		p.pane.text.Search("")
		p.arrange()
	}
	p.pane.stale()
	return p.rest()
}

// toFleet shows the nodes that failed where nodes are shown.
func (p *Page) toFleet() tea.Cmd {
	var ids []string
	for r := range p.board.sum.Rows() {
		if r.State.Bad() && !slices.Contains(ids, r.NodeID) {
			ids = append(ids, r.NodeID)
		}
	}
	return deck.Ask(deck.Open{Page: "fleet", Filter: "id=" + strings.Join(ids, ",")})
}
