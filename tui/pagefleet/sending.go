package pagefleet

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// inWords is up to how many nodes are named on the command line; the ids of more are
// read from standard input.
const inWords = 500

// batch are the chosen nodes of one place, for one command line.
type batch struct {
	at    grid.Place
	nodes []fleet.Node
}

// chosen are the rows an action is about, those that an agent can be asked of, place
// by place.
func (p *Page) chosen() []batch {
	var rows []grid.Row[fleet.Node]
	for _, i := range p.list.Chosen() {
		if r := &p.rows[i]; r.managed {
			rows = append(rows, grid.Row[fleet.Node]{Place: r.at, Value: *r.n})
		}
	}
	places, values := deck.Sendings(rows)
	out := make([]batch, len(places))
	for i, at := range places {
		out[i] = batch{at, values[at]}
	}
	return out
}

// forEach asks for one line per place. A batch without a line is left out.
func forEach(batches []batch, line func(b batch) deck.Line) tea.Cmd {
	if len(batches) == 0 {
		return deck.Ask(deck.Say{Text: "nothing that is chosen is a managed node"})
	}
	cmds := make([]tea.Cmd, len(batches))
	for i, b := range batches {
		cmds[i] = deck.Ask(line(b))
	}
	return tea.Batch(cmds...)
}

// targets are the words that name the nodes, and what goes to standard input.
func (b batch) targets() (words []string, input []byte) {
	if len(b.nodes) > inWords {
		return []string{"-t", "-"}, []byte(strings.Join(b.ids(), "\n") + "\n")
	}
	return b.named(), nil
}

// named are the words that name each node.
func (b batch) named() (words []string) {
	for _, n := range b.nodes {
		words = append(words, "-t", n.ID)
	}
	return words
}

func (b batch) ids() []string {
	ids := make([]string, len(b.nodes))
	for i, n := range b.nodes {
		ids[i] = n.ID
	}
	return ids
}

// offline are those that are known not to be connected.
func (b batch) offline() []fleet.Node {
	return slices.DeleteFunc(slices.Clone(b.nodes), func(n fleet.Node) bool { return !n.Offline() })
}

// what names the nodes in a question: "web-1", "12 nodes".
func (b batch) what() string {
	if len(b.nodes) == 1 {
		return render.Visible(sources.Label(b.nodes[0]))
	}
	return widget.Count(len(b.nodes), "node")
}

var inputFact = deck.Fact{Name: "Input", Value: "the ids of the nodes, one a line, on standard input"}

// facts are what a box says of the nodes.
func (b batch) facts() []deck.Fact {
	out := []deck.Fact{{Name: "Nodes", Value: some(b.nodes)}}
	if off := b.offline(); len(off) > 0 {
		out = append(out, deck.Fact{Name: "Offline", Value: fmt.Sprintf("%s, which will be skipped", some(off))})
	}
	if len(b.nodes) > inWords {
		out = append(out, inputFact)
	}
	return out
}

// some names the first nodes and counts all: "5: web-1, web-2, web-3 and 2 more".
func some(nodes []fleet.Node) string {
	const first = 4
	names := make([]string, 0, first)
	for _, n := range nodes[:min(first, len(nodes))] {
		names = append(names, render.Visible(sources.Label(n)))
	}
	text := fmt.Sprintf("%d: %s", len(nodes), strings.Join(names, ", "))
	if rest := len(nodes) - len(names); rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

// sent is how a line that sends a command has ended.
type sent struct{ result deck.Result }

// open goes to the command that was sent; the first of several.
func (s sent) open() tea.Cmd {
	if s.result.Code != 0 {
		return nil // the root has shown why
	}
	id, _, _ := strings.Cut(strings.TrimSpace(string(s.result.Out)), "\n")
	if id = strings.TrimSpace(id); id == "" || strings.ContainsAny(id, " \t") {
		return nil
	}
	return deck.Ask(deck.Open{Page: "commands", Filter: "id=" + id})
}
