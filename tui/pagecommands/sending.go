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

// rerun runs the same where it failed, and opens its board.
func (p *Page) rerun(at grid.Place, r run.Run, ref string) tea.Cmd {
	return p.again(at, append(words("run", "rerun"), append(refs(r, ref), "--failed")...), deck.Line{
		What:  "run " + documents(r) + " again where it did not succeed",
		Facts: []deck.Fact{{Name: "Not succeeded", Value: widget.Count(failed(r), "node")}},
	}, r)
}

// rerunAll runs the same on all nodes.
func (p *Page) rerunAll(at grid.Place, r run.Run, ref string) tea.Cmd {
	return p.again(at, append(words("run", "rerun"), refs(r, ref)...), deck.Line{
		What:  "run " + documents(r) + " again on all its nodes",
		Facts: []deck.Fact{{Name: "Nodes", Value: widget.Grouped(r.Targets)}},
	}, r)
}

// again asks for a line that repeats a run.
func (p *Page) again(at grid.Place, base []string, line deck.Line, r run.Run) tea.Cmd {
	line.Words = append(slices.Clone(base), "--no-wait")
	line.Preview = append(slices.Clone(base), "--dry-run")
	line.At, line.Level, line.How = at, deck.Change, deck.Quietly
	line.Refresh, line.Done = []string{sources.Commands}, started(at)
	if r.Comment != "" {
		line.Facts = append(line.Facts, deck.Fact{Name: "Comment", Value: r.Comment})
	}
	return deck.Ask(line)
}

// cancelHere cancels the command of a node there alone.
func (p *Page) cancelHere(e entry) tea.Cmd {
	name := p.name(e.row.NodeID, e.row.NodeName)
	return deck.Ask(deck.Line{
		Words: words("command", "cancel", e.row.CommandID, "--node", e.row.NodeID), At: p.board.at, What: "cancel it on " + name,
		Facts: []deck.Fact{{Name: name, Value: e.row.NodeID}}, Level: deck.Disruptive, How: deck.Quietly, Refresh: []string{sources.Commands},
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
		line.What = "cancel " + widget.Count(len(runs[at]), "run")
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
	text := fmt.Sprintf("%s, %s of %s done", documents(r), widget.Grouped(done), widget.Count(total, "node"))
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
	return deck.Ask(deck.Show{Title: "Parameters of run " + ref, Text: b.String(), Secret: true})
}
