package pagecommands

import (
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// entry is one line of a board: a node, or several that are alike.
type entry struct {
	key    string
	group  string // the key of the fold it is in, or is; empty: it stands alone
	inside bool   // it is one of an open fold
	state  run.State
	code   int
	nodes  []run.GroupNode // of a fold; the first is the node otherwise
	row    run.Row         // of the node, or of the first
}

func (e entry) fold() bool { return len(e.nodes) > 1 }

// entries folds the nodes anew: failures, what is under way, the rest.
func (p *Page) entries() {
	p.rows, p.folds = p.rows[:0], map[string]string{}
	groups := p.board.sum.Groups()
	open := p.outside(groups)
	for _, g := range groups {
		if g.State.Bad() {
			p.addFold(foldKey(g), g.Nodes, g.State, g.ExitCode)
		}
	}
	p.addOpen(open, true)
	if !p.failures {
		p.addOpen(open, false)
		for _, g := range groups {
			if !g.State.Bad() {
				p.addFold(foldKey(g), g.Nodes, g.State, g.ExitCode)
			}
		}
	}
	p.nodes.Reset(len(p.rows))
}

// outside are the nodes that are in no group, by state: those that are not done, and
// those whose output is on its way.
func (p *Page) outside(groups []run.Group) map[run.State][]run.GroupNode {
	silent := map[run.GroupNode]bool{} // in a group, and without output
	for _, g := range groups {
		if r, _ := p.board.sum.Row(g.Nodes[0].CommandID, g.Nodes[0].ID); r.HasOutput {
			continue // so have all of them
		}
		for _, n := range g.Nodes {
			silent[run.GroupNode{ID: n.ID, CommandID: n.CommandID}] = true
		}
	}
	open := map[run.State][]run.GroupNode{}
	for r := range p.board.sum.Rows() {
		if r.State.Final() && (r.HasOutput || silent[run.GroupNode{ID: r.NodeID, CommandID: r.CommandID}]) {
			continue
		}
		open[r.State] = append(open[r.State], run.GroupNode{ID: r.NodeID, Name: r.NodeName, CommandID: r.CommandID})
	}
	return open
}

// foldKey is the same as long as what its nodes have in common is, whichever of them
// comes first.
func foldKey(g run.Group) string {
	if len(g.Nodes) == 1 {
		return ""
	}
	h := fnv.New64a()
	for _, s := range []string{g.Stdout, g.Stderr, g.Reason} {
		_, _ = io.WriteString(h, s+"\x00")
	}
	return fmt.Sprintf("%s %d %x", g.State, g.ExitCode, h.Sum64())
}

// unfoldedStates are those of nodes that are in no fold, in the order in which they
// are shown: what went wrong and has no output yet, what goes on, what has ended
// and whose output is on its way.
var unfoldedStates = []run.State{
	run.Failed, run.TimedOut, run.Cancelled, run.Skipped, run.NotSent, run.Lost,
	run.Strange, run.Running, run.Cancelling, run.Delayed, run.Pending, run.Waiting, run.Success,
}

// addOpen adds the nodes that are in no fold, by state.
func (p *Page) addOpen(byState map[run.State][]run.GroupNode, bad bool) {
	for _, s := range unfoldedStates {
		if nodes := byState[s]; len(nodes) > 0 && s.Bad() == bad {
			p.addFold("state "+string(s), nodes, s, run.NoExit)
		}
	}
}

// addFold adds nodes that are alike: one line, and one for each when it is open.
func (p *Page) addFold(key string, nodes []run.GroupNode, s run.State, code int) {
	row := func(n run.GroupNode) run.Row {
		r, _ := p.board.sum.Row(n.CommandID, n.ID)
		return r
	}
	if len(nodes) == 1 {
		p.rows = append(p.rows, entry{key: nodes[0].CommandID + " " + nodes[0].ID, state: s, code: code, nodes: nodes, row: row(nodes[0])})
		return
	}
	p.rows = append(p.rows, entry{key: key, group: key, state: s, code: code, nodes: nodes, row: row(nodes[0])})
	if !p.unfolded[key] && !p.unfoldAll {
		return
	}
	for i := range nodes {
		p.rows = append(p.rows, entry{
			key: nodes[i].CommandID + " " + nodes[i].ID, group: key, inside: true,
			state: s, code: code, nodes: nodes[i : i+1], row: row(nodes[i]),
		})
	}
}

// name is what a node is called: as the fleet knows it, else as the service does.
func (p *Page) name(id, fallback string) string {
	p.learn()
	if n := p.names[nodeKey{p.board.at, id}]; n != "" {
		return n
	}
	if fallback != "" {
		return fallback
	}
	return id
}

// learn reads the names of the nodes, when there are others.
func (p *Page) learn() {
	gen := p.set.Nodes.Gen()
	if p.names != nil && p.namesGen == gen {
		return
	}
	p.names, p.namesGen = make(map[nodeKey]string, p.set.Nodes.Len()), gen
	for at, n := range p.set.Nodes.All() {
		p.names[nodeKey{at, n.ID}] = strings.TrimSpace(n.Name)
	}
}

// label is an entry in the list.
func (p *Page) label(e entry) string {
	switch {
	case e.fold():
		mark := "+ "
		if p.unfolded[e.key] || p.unfoldAll {
			mark = "- "
		}
		return mark + widget.Count(len(e.nodes), "node") + "  " + p.folded(e)
	case e.inside:
		return "  " + p.name(e.row.NodeID, e.row.NodeName)
	}
	return p.name(e.row.NodeID, e.row.NodeName)
}

// mostFolded is how many names a fold tells: its line is cut long before.
const mostFolded = 100

// folded are the names of the nodes of a fold: "web-[1-798]".
func (p *Page) folded(e entry) string {
	if text, ok := p.folds[e.key]; ok {
		return text
	}
	names := make([]string, 0, min(len(e.nodes), mostFolded))
	for _, n := range e.nodes[:min(len(e.nodes), mostFolded)] {
		names = append(names, p.name(n.ID, n.Name))
	}
	text := render.Fold(names)
	if more := len(e.nodes) - len(names); more > 0 {
		text += fmt.Sprintf(" and %s more", widget.Grouped(more))
	}
	p.folds[e.key] = text
	return text
}

// length is how long a node took, or has taken.
func (p *Page) length(r run.Row) string {
	switch {
	case r.Started == nil:
		return ""
	case r.Ended != nil:
		return render.Duration(max(r.Ended.Sub(*r.Started), 0).Truncate(time.Millisecond))
	case !r.State.Final():
		return took(p.deck.Now.Sub(*r.Started))
	}
	return ""
}

// glimpse is the first line that says something of what a node wrote: of stderr when
// it failed.
func glimpse(r run.Row) string {
	texts := []string{r.Stdout, r.Stderr}
	if r.State.Bad() {
		texts = []string{r.Stderr, r.Stdout}
	}
	for _, t := range texts {
		for line := range strings.Lines(t) {
			if line = strings.TrimSpace(line); line != "" {
				return line
			}
		}
	}
	switch {
	case r.Reason != "":
		return r.Reason
	case r.HasOutput:
		return "(empty)"
	}
	return ""
}

func (p *Page) nodeColumns() []widget.Column {
	return []widget.Column{
		{
			ID: "state", Title: "STATE", Text: func(i int) string { return ending(p.rows[i].state, p.rows[i].code) },
			Level: func(i int) theme.Level { return levels.Run(p.rows[i].state) },
		},
		{ID: "node", Title: "NODE", Text: func(i int) string { return p.label(p.rows[i]) }, Max: 30},
		{ID: "time", Title: "TIME", Right: true, Rank: 1, Text: func(i int) string {
			if p.rows[i].fold() {
				return ""
			}
			return p.length(p.rows[i].row)
		}},
		{ID: "output", Title: "OUTPUT", Rank: 2, Text: func(i int) string { return glimpse(p.rows[i].row) }, Max: 80},
		{ID: "id", Title: "ID", Off: true, Text: func(i int) string { return p.rows[i].row.NodeID }},
		{ID: "reason", Title: "REASON", Off: true, Text: func(i int) string { return p.rows[i].row.Reason }},
	}
}

func (p *Page) noNodes() string {
	b := p.board
	switch {
	case b == nil:
		return ""
	case b.err != nil:
		return "nothing is known of its nodes"
	case p.nodes.Of() > 0:
		return "no node fits the filter; esc clears it"
	case p.failures && b.gen > 0 && b.sum.Total() > 0:
		return "it has failed nowhere"
	case b.gen == 0 || !b.sum.Done():
		return "reading the nodes of the run"
	}
	return "the service found no node for it"
}

// current is the entry under the cursor.
func (p *Page) current() (entry, bool) {
	if p.board == nil {
		return entry{}, false
	}
	i, ok := p.nodes.Current()
	if !ok {
		return entry{}, false
	}
	return p.rows[i], true
}
