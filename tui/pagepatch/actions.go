package pagepatch

import (
	"cmp"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Subject is the node that actions are about, with the patch under the cursor, or all
// those in the middle.
func (p *Page) Subject() string {
	key := p.groups.chosen
	if n := p.current(); n != nil && p.view == viewNodes && p.focus != paneGroups {
		key += "\x00" + deck.Key(n.at, n.ID)
	}
	if i, ok := p.lacks.list.Current(); ok && p.view == viewLacks && i < len(p.lacks.rows) {
		key += "\x00" + tallyKey(&p.lacks.rows[i])
	}
	if i, ok := p.list.Current(); ok && p.focus == panePatches && i < len(p.found) {
		key += "\x00" + p.found[i].ID
	}
	return "of " + key
}

// Actions are what can be done here.
func (p *Page) Actions() []deck.Action {
	nodes := p.chosen()
	none, one := "", ""
	switch {
	case len(nodes) == 0:
		none = "no node is chosen"
		one = none
	case len(nodes) > 1 && p.focus == paneGroups:
		one = "this is about one node: choose it in the middle"
	case len(nodes) > 1 && p.view == viewLacks:
		one = "this is about one node: enter shows the " + widget.Count(len(nodes), "node") + " that lack the patch"
	}
	uncopied := one
	if p.patchID() != "" {
		uncopied = ""
	}
	reading := ""
	if !p.reading.busy() {
		reading = "nothing is being read"
	}
	views := map[view]string{viewNodes: "patches", viewLacks: "nodes", viewCVE: "patches"}
	return []deck.Action{
		{Key: "p", Name: "patch scan", Help: "scan the chosen nodes for missing patches", Footer: true, Off: none, Writes: true, Do: p.scan},
		{Key: "P", Name: "install patches", Help: "install what the chosen nodes miss, in waves, after showing what would happen", Footer: true, Off: none, Writes: true, Do: p.install},
		{Key: "v", Name: views[p.view], Help: "turn between nodes and the patches that are missing", Footer: true, Whole: true, Do: p.showLacks},
		{Key: "V", Name: "search CVE", Help: "show which nodes are open to a CVE", Footer: true, Whole: true, Do: p.askCVE},
		{Key: "B", Name: "by", Help: "put nodes together by group, baseline, platform, age, state, account, Region or a tag", Footer: true, Whole: true, Do: p.askGroup},
		{Key: "b", Name: "baseline", Help: "show the baseline that the last scan of the node went by", Off: one, Do: p.showBaseline},
		{Key: "d", Name: "explain", Help: "explain why patches of the node are approved, wait, or are rejected", Footer: true, Off: one, Do: p.explain},
		{Key: "e", Name: "edit group", Help: "put the chosen nodes into another patch group, by their tag", Off: none, Writes: true, Do: p.changeGroup},
		{Key: "x", Name: "export", Help: "write a report to a file: HTML, Markdown, JUnit, CSV or JSON", Footer: true, Whole: true, Do: p.export},
		{Key: "y", Name: "YAML", Help: "show the node with its patches as YAML", Off: one, Do: p.showYAML},
		{Key: "s", Name: "shell", Help: "open a shell on the node", Off: cmp.Or(one, p.offline()), Do: p.shell},
		{Key: "o", Name: "console", Help: "open the node in the console", Off: one, Do: p.browse},
		{Key: "c", Name: "copy", Help: "copy the id or the name of what is under the cursor, or a command line for it", Off: uncopied, Do: p.copy},
		{Key: "H", Name: "trend", Help: "show how the share of compliant nodes went", Whole: true, Do: p.showTrend},
		{Key: "R", Name: "read again", Help: "read the patches that all nodes miss anew", Whole: true, Do: p.read},
		{Key: "X", Name: "stop", Help: "stop reading the patches of nodes", Off: reading, Whole: true, Do: func() tea.Cmd { p.reading.leave(); return nil }},
		{Key: "C", Name: "columns", Help: "choose the columns of the list", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: p.focused()}) }},
	}
}

// one is the node that an action is about that takes only one.
func (p *Page) one() *node {
	if n := p.current(); p.view == viewNodes && n != nil {
		return n
	}
	if nodes := p.chosen(); len(nodes) > 0 {
		return nodes[0]
	}
	return nil
}

// offline says why there is no shell on the node; "": there is.
func (p *Page) offline() string {
	if n := p.one(); n != nil && n.Ping != "" && n.Ping != fleet.Online {
		return n.label() + " is not online: " + n.Ping
	}
	return ""
}

// byPlace are nodes by where they are, in the order in which the places come up.
func byPlace(nodes []*node) (places []grid.Place, of map[grid.Place][]*node) {
	rows := make([]grid.Row[*node], len(nodes))
	for i, n := range nodes {
		rows[i] = grid.Row[*node]{Place: n.at, Value: n}
	}
	return deck.Sendings(rows)
}

// ids are the words that name nodes on a command line.
func ids(nodes []*node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.ID
	}
	return out
}

// inWords is up to how many nodes are named on the command line; the ids of more are
// read from standard input.
const inWords = 500

// targets are the words that name nodes, and what goes to standard input. They are
// always ids: a word such as "all" would also mean nodes that nobody has seen here,
// which came since, or which could not be read.
func targets(nodes []*node) (words []string, input []byte) {
	if len(nodes) > inWords {
		return []string{"-t", "-"}, []byte(strings.Join(ids(nodes), "\n") + "\n")
	}
	return ids(nodes), nil
}

// hurryFor is how long after a scan or installation was asked for it is looked for
// often.
const hurryFor = 2 * time.Minute

// refresh are the feeds that a scan or an installation changes.
func refresh() []string { return []string{sources.Patches, sources.Attempts, sources.Commands} }

// nodeFacts are what must be known of nodes before a yes.
func (p *Page) nodeFacts(nodes []*node) []deck.Fact {
	facts := []deck.Fact{{Name: widget.Count(len(nodes), "node"), Value: names(nodes)}}
	if len(nodes) > inWords {
		facts = append(facts, deck.Fact{Name: "input", Value: "the ids of the nodes, one a line, on standard input"})
	}
	var offline, never, stale int
	for _, n := range nodes {
		if n.Ping != "" && n.Ping != fleet.Online {
			offline++
		}
		if n.Scanned.IsZero() {
			never++
		} else if n.Stale {
			stale++
		}
	}
	if offline > 0 {
		facts = append(facts, deck.Fact{Name: "offline", Value: widget.Count(offline, "node") + ", which nothing reaches now"})
	}
	if never > 0 {
		facts = append(facts, deck.Fact{Name: "never scanned", Value: widget.Count(never, "node")})
	}
	if stale > 0 {
		facts = append(facts, deck.Fact{Name: "stale", Value: "the last scan of " + widget.Count(stale, "node") + " is older than " + render.Duration(patch.StaleAfter)})
	}
	return facts
}

// scan asks to scan the chosen nodes, with a line for each place.
func (p *Page) scan() tea.Cmd {
	places, of := byPlace(p.chosen())
	p.hurry = p.deck.Now.Add(hurryFor)
	var cmds []tea.Cmd
	for _, at := range places {
		nodes := of[at]
		words, input := targets(nodes)
		facts := append(p.nodeFacts(nodes), deck.Fact{Name: "effect", Value: "nothing is installed and no node reboots; each scan overwrites what the last one found"})
		cmds = append(cmds, deck.Ask(deck.Line{
			Words: append([]string{"patch", "scan"}, words...), At: at, Input: input,
			What: "scan " + widget.Count(len(nodes), "node") + " for patches", Facts: facts, Level: deck.Change, How: deck.InPane, Refresh: refresh(),
		}))
	}
	return tea.Batch(cmds...)
}

// printed shows what a line prints that changes nothing. what is its title.
func printed(at grid.Place, what string, words ...string) tea.Cmd {
	return deck.Ask(deck.Line{Words: words, At: at, What: what, Level: deck.Read, How: deck.InPane})
}

// showBaseline shows the baseline of the group, or of the node.
func (p *Page) showBaseline() tea.Cmd {
	n := p.one()
	if n == nil {
		return nil
	}
	if n.Baseline == "" {
		return printed(n.at, "the baseline of "+n.label(), "patch", "explain", n.ID) // says which one it goes by, and why
	}
	return printed(n.at, "the baseline of "+n.label(), "patch", "baseline", "get", baseline.ShortID(n.Baseline))
}

// explain says why the patch under the cursor, or all that the node lacks, are
// approved or not.
func (p *Page) explain() tea.Cmd {
	n := p.one()
	if n == nil {
		return nil
	}
	words := []string{n.ID}
	switch i, ok := p.list.Current(); {
	case ok && p.focus == panePatches:
		words = append(words, p.found[i].ID)
	case p.view == viewLacks:
		if i, ok := p.lacks.list.Current(); ok {
			words = append(words, p.lacks.rows[i].Key)
		}
	case p.view == viewCVE:
		words = append(words, p.cve.id)
	}
	return printed(n.at, "why patches of "+n.label()+" are as they are", deck.Args([]string{"patch", "explain"}, words...)...)
}

func (p *Page) showYAML() tea.Cmd {
	n := p.one()
	if n == nil {
		return nil
	}
	return printed(n.at, n.label()+" as YAML", "patch", "node", n.ID, "-o", "yaml")
}

func (p *Page) shell() tea.Cmd {
	n := p.one()
	if n == nil {
		return nil
	}
	return deck.Ask(deck.Line{Words: []string{"shell", n.ID}, At: n.at, What: "open a shell on " + n.label(), Level: deck.Read, How: deck.OnScreen})
}

func (p *Page) browse() tea.Cmd {
	n := p.one()
	if n == nil {
		return nil
	}
	return deck.Ask(deck.Browse{URL: deck.NodeConsole(n.at, n.ID)})
}

// copy offers what there is of the node under the cursor; of a patch it is its id.
func (p *Page) copy() tea.Cmd {
	if id := p.patchID(); id != "" {
		return deck.Ask(deck.Copy{Text: id, What: "the patch " + render.Visible(id)})
	}
	n := p.one()
	if n == nil {
		return nil
	}
	things := []deck.Copy{{What: "the id", Text: n.ID}}
	if n.Name != "" {
		things = append(things, deck.Copy{What: "the name", Text: n.Name})
	}
	things = append(things, deck.Copy{What: "the command line that lists its patches", Text: p.deck.OneLiner([]string{"patch", "node", n.ID}, n.at)})
	if i, ok := p.list.Current(); ok && p.view == viewNodes && i < len(p.found) {
		things = append(things, deck.Copy{What: "the patch", Text: p.found[i].ID})
	}
	return deck.CopyOne("Copy of "+n.label(), things)
}

// patchID is the patch under the cursor; "": it is on something else.
func (p *Page) patchID() string {
	if i, ok := p.list.Current(); ok && p.focus == panePatches && i < len(p.found) {
		return p.found[i].ID
	}
	if i, ok := p.lacks.list.Current(); ok && p.view == viewLacks && p.focus == paneMain && i < len(p.lacks.rows) {
		return p.lacks.rows[i].Key
	}
	return ""
}
