package pagecommands

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
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
				i, ok := p.list.Current()
				if !ok {
					return nil
				}
				return p.openItem(p.items[i])
			},
		})
	}
	actions = append(
		actions,
		deck.Action{Key: "r", Name: "run", Help: "run a command or a document on nodes", Footer: true, Writes: true, Do: p.form},
		deck.Action{
			Key: "R", Name: "rerun", Help: "run the same again where it did not succeed", Footer: true, Writes: true,
			Off: or(none, p.rerunOff(r)), Do: func() tea.Cmd { return p.rerun(at, r, ref) },
		},
		deck.Action{
			Key: "X", Name: "cancel", Help: "cancel what is left of the run", Footer: true, Writes: true,
			Off: or(none, p.cancelOff(r)), Do: p.cancel,
		},
		deck.Action{
			Key: "w", Name: "write", Help: "write all outputs to a folder", Footer: true,
			Off: none, Do: func() tea.Cmd { return p.write(at, r, ref) },
		},
	)
	if p.board == nil {
		actions = append(actions, p.compareAction())
	}
	return append(
		actions,
		deck.Action{Key: "v", Name: "reveal", Help: "show the parameters of the run, which may hold secrets", Off: or(none, parametersOff(r)), Do: func() tea.Cmd { return p.reveal(r, ref) }},
		deck.Action{Key: "y", Name: "YAML", Help: "show the run with its nodes as YAML", Off: none, Do: func() tea.Cmd {
			return deck.Ask(deck.Line{Words: append(words("run", "show"), append(refs(r, ref), "-o", "yaml")...), At: at, What: "show the run as YAML"})
		}},
		deck.Action{Key: "c", Name: "copy", Help: "copy the id of the run", Off: none, Do: func() tea.Cmd { return deck.Ask(deck.Copy{Text: ref, What: "the id of the run"}) }},
		deck.Action{Key: "o", Name: "console", Help: "open the command in the AWS console", Off: or(none, consoleOff(r)), Do: func() tea.Cmd {
			return deck.Ask(deck.Browse{URL: p.svc.Console(at, "run-command/"+r.CommandIDs[0])})
		}},
		deck.Action{Key: "C", Name: "columns", Help: "choose the columns", Do: func() tea.Cmd {
			if p.board != nil {
				return deck.Ask(deck.Columns{List: p.nodes})
			}
			return deck.Ask(deck.Columns{List: p.list})
		}},
	)
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

// rerunOff says why there is nothing to run again.
func (p *Page) rerunOff(r run.Run) string {
	switch {
	case len(r.Commands) == 0 && r.State == "":
		return "the run is not known yet"
	case !r.State.Final():
		return "it has not ended"
	case r.State == run.Success && failed(r) == 0 && (p.board == nil || p.board.sum.Failures() == 0):
		return "it succeeded on every node"
	case r.ID == "" && len(r.CommandIDs) > 1:
		return "these are commands of several runs"
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
	enter := deck.Action{Key: "enter", Name: "output", Help: "show everything the node wrote; a fold is opened", Footer: true, Off: none, Do: p.enter}
	if e.fold() {
		enter.Name = map[bool]string{true: "fold", false: "unfold"}[p.unfolded[e.key] || p.unfoldAll]
	}
	bad := ""
	if p.board.sum.Failures() == 0 {
		bad = "it has failed nowhere"
	}
	shell := deck.Action{Key: "s", Name: "shell", Help: "open a shell on the node", Footer: true, Off: alone, Writes: true, Do: func() tea.Cmd {
		return deck.Ask(deck.Line{Words: words("shell", e.row.NodeID), At: p.board.at, What: "shell on " + p.name(e.row.NodeID, e.row.NodeName), How: deck.OnScreen})
	}}
	if p.full {
		return []deck.Action{shell} // n and N go to what is searched for
	}
	return []deck.Action{
		enter,
		{Key: "!", Name: "failures", Help: "show only what did not succeed, or all again", Footer: true, Do: func() tea.Cmd {
			p.failures = !p.failures
			p.entries()
			p.pane.stale()
			return p.rest()
		}},
		{Key: "u", Name: "unfold", Help: "unfold all nodes, or fold them again", Do: func() tea.Cmd {
			p.unfoldAll = !p.unfoldAll
			p.unfolded = map[string]bool{}
			p.entries()
			p.pane.stale()
			return p.rest()
		}},
		shell,
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

// rerun runs the same where it failed, and opens its board.
func (p *Page) rerun(at grid.Place, r run.Run, ref string) tea.Cmd {
	base := append(words("run", "rerun"), append(refs(r, ref), "--failed")...)
	facts := []deck.Fact{{Name: "Run", Value: documents(r)}, {Name: "Not succeeded", Value: some(failed(r), "node")}}
	if r.Comment != "" {
		facts = append(facts, deck.Fact{Name: "Comment", Value: r.Comment})
	}
	return deck.Ask(deck.Line{
		Words: append(slices.Clone(base), "--no-wait"), Preview: append(slices.Clone(base), "--dry-run", "-o", "table"), At: at,
		What: "run " + documents(r) + " again where it did not succeed", Facts: facts, Level: deck.Change, How: deck.Quietly,
		Refresh: []string{sources.Commands}, Done: started(at),
	})
}

// cancelled are the runs that a cancel is about: those marked, else the one that is
// chosen. Those that have ended are left out.
func (p *Page) cancelled() (going []item) {
	at, r, _, ok := p.subject()
	all := []item{{Place: at, Value: r}}
	if !ok {
		return nil
	}
	if marked, _ := p.list.Marked(); p.board == nil && len(marked) > 0 {
		all = all[:0]
		for _, i := range marked {
			all = append(all, p.items[i])
		}
	}
	return slices.DeleteFunc(all, func(it item) bool { return it.Value.State.Final() })
}

// cancelOff says why there is nothing to cancel.
func (p *Page) cancelOff(r run.Run) string {
	switch marked, _ := p.list.Marked(); {
	case len(p.cancelled()) > 0:
		return ""
	case p.board == nil && len(marked) > 1:
		return "all of them have ended"
	}
	return or(endedOff(r), "no run is chosen")
}

// cancel asks the service to stop what is left: one line for each place.
func (p *Page) cancel() tea.Cmd {
	places, runs := deck.Sendings(p.cancelled())
	var lines []tea.Cmd
	for _, at := range places {
		line := deck.Line{Words: words("run", "cancel"), At: at, Level: deck.Disruptive, How: deck.Quietly, Refresh: []string{sources.Commands}}
		for _, r := range runs[at] {
			ref := r.Ref()
			if p.board != nil {
				ref = p.board.ref()
			}
			line.Words = append(line.Words, refs(r, ref)...)
			line.Facts = append(line.Facts, deck.Fact{Name: ref, Value: p.progress(r)})
		}
		line.What = "cancel " + some(len(runs[at]), "run")
		if len(line.Facts) == 1 {
			line.What = "cancel run " + line.Facts[0].Name
		}
		lines = append(lines, deck.Ask(line))
	}
	return tea.Batch(lines...)
}

// progress says what a run is and how far it is.
func (p *Page) progress(r run.Run) string {
	total, done := r.Targets, r.Completed
	if p.board != nil {
		total, done = p.board.total(), p.board.sum.Finished()
	}
	text := fmt.Sprintf("%s, %s of %s done", documents(r), widget.Grouped(done), some(total, "node"))
	if r.Comment != "" {
		text += ", " + r.Comment
	}
	return text
}

// write asks for a folder and writes all outputs there.
func (p *Page) write(at grid.Place, r run.Run, ref string) tea.Cmd {
	folder := "run-" + ref
	if r.ID == "" && len(r.CommandIDs) > 0 {
		folder = "command-" + r.CommandIDs[0]
	}
	return deck.Ask(deck.Form{
		Title: "Write the outputs of all nodes to files",
		Fields: []deck.Field{{
			Name: "folder", Label: "Folder", Value: folder, Help: "a new or empty folder",
			Check: func(v string) error {
				if strings.TrimSpace(v) == "" {
					return fault.Usagef("name a folder")
				}
				return nil
			},
		}},
		Done: func(v map[string]string) tea.Cmd {
			return deck.Ask(deck.Line{
				Words: append(words("run", "show"), append(refs(r, ref), "--out-dir", strings.TrimSpace(v["folder"]))...), At: at,
				What: "write the outputs of run " + ref, How: deck.Quietly,
			})
		},
	})
}

// compareAction holds two marked runs against each other.
func (p *Page) compareAction() deck.Action {
	marked, _ := p.list.Marked()
	off := ""
	switch {
	case len(marked) != 2:
		off = "mark two runs with space"
	case p.items[marked[0]].Place != p.items[marked[1]].Place:
		off = "the two runs are in different places"
	}
	return deck.Action{Key: "d", Name: "diff", Help: "compare two marked runs, node by node", Off: off, Do: func() tea.Cmd {
		a, b := p.items[marked[0]], p.items[marked[1]]
		if b.Value.Requested.Before(a.Value.Requested) {
			a, b = b, a
		}
		return deck.Ask(deck.Line{
			Words: words("run", "compare", a.Value.Ref(), b.Value.Ref(), "--diff"), At: a.Place, What: "compare the runs",
		})
	}}
}

// reveal shows what a run was given.
func (p *Page) reveal(r run.Run, ref string) tea.Cmd {
	var b strings.Builder
	for _, c := range r.Commands {
		if len(r.Commands) > 1 {
			fmt.Fprintf(&b, "command %s (%s)\n", c.ID, c.Document)
		}
		names := make([]string, 0, len(c.Params))
		for name := range c.Params {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(&b, "%s:\n", name)
			for _, v := range c.Params[name] {
				fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(strings.TrimRight(v, "\n"), "\n", "\n  "))
			}
		}
	}
	return deck.Ask(deck.Show{Title: "Parameters of run " + ref, Text: b.String()})
}
