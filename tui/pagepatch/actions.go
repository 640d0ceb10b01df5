package pagepatch

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/waves"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

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
	}
	reading := ""
	if !p.reading.busy() {
		reading = "nothing is being read"
	}
	found := "no patch is chosen"
	if _, ok := p.list.Current(); ok && p.shows(panePatches) {
		found = ""
	}
	views := map[view]string{viewNodes: "patches", viewLacks: "nodes", viewCVE: "patches"}
	return []deck.Action{
		{Key: "p", Name: "patch scan", Help: "scan the chosen nodes for missing patches", Footer: true, Off: none, Writes: true, Do: p.scan},
		{Key: "P", Name: "install patches", Help: "install what the chosen nodes miss, in waves, after showing what would happen", Footer: true, Off: none, Writes: true, Do: p.install},
		{Key: "v", Name: views[p.view], Help: "turn between nodes and the patches that are missing", Footer: true, Do: p.showLacks},
		{Key: "V", Name: "search CVE", Help: "show which nodes are open to a CVE", Footer: true, Do: p.askCVE},
		{Key: "B", Name: "by", Help: "put nodes together by group, baseline, platform, age, state, account, Region or a tag", Footer: true, Do: p.askGroup},
		{Key: "b", Name: "baseline", Help: "show the baseline that the last scan of the node went by", Off: one, Do: p.showBaseline},
		{Key: "d", Name: "explain", Help: "explain why patches of the node are approved, wait, or are rejected", Footer: true, Off: one, Do: p.explain},
		{Key: "e", Name: "edit group", Help: "put the chosen nodes into another patch group, by their tag", Off: none, Writes: true, Do: p.changeGroup},
		{Key: "x", Name: "export", Help: "write a report to a file: HTML, Markdown, JUnit, CSV or JSON", Footer: true, Do: p.export},
		{Key: "y", Name: "YAML", Help: "show the node with its patches as YAML", Off: one, Do: p.showYAML},
		{Key: "s", Name: "shell", Help: "open a shell on the node", Off: cmp.Or(one, p.offline()), Do: p.shell},
		{Key: "o", Name: "console", Help: "open the node in the console", Off: one, Do: p.browse},
		{Key: "c", Name: "copy", Help: "copy the id of the patch under the cursor", Off: found, Do: p.copyPatch},
		{Key: "H", Name: "trend", Help: "show how the share of compliant nodes went", Do: p.showTrend},
		{Key: "R", Name: "read again", Help: "read the patches that all nodes miss anew", Do: p.read},
		{Key: "X", Name: "stop", Help: "stop reading the patches of nodes", Off: reading, Do: func() tea.Cmd { p.reading.leave(); return nil }},
		{Key: "C", Name: "columns", Help: "choose the columns of the list", Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: p.focused()}) }},
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

// targets are the words for nodes of a place: all where they are, so that the line
// stays readable.
func (p *Page) targets(at grid.Place, nodes []*node) []string {
	there := 0
	for _, n := range p.fleet.nodes {
		if n.at == at {
			there++
		}
	}
	if len(nodes) == there && there > 1 {
		return []string{"all"}
	}
	return ids(nodes)
}

// hurryFor is how long after a scan or installation was asked for it is looked for
// often.
const hurryFor = 2 * time.Minute

// refresh are the feeds that a scan or an installation changes.
func refresh() []string { return []string{sources.Patches, Attempts, sources.Commands} }

// nodeFacts are what must be known of nodes before a yes.
func (p *Page) nodeFacts(nodes []*node) []deck.Fact {
	facts := []deck.Fact{{Name: plural(len(nodes), "node"), Value: names(nodes)}}
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
		facts = append(facts, deck.Fact{Name: "offline", Value: plural(offline, "node") + ", which nothing reaches now"})
	}
	if never > 0 {
		facts = append(facts, deck.Fact{Name: "never scanned", Value: plural(never, "node")})
	}
	if stale > 0 {
		facts = append(facts, deck.Fact{Name: "stale", Value: "the last scan of " + plural(stale, "node") + " is older than " + render.Duration(patch.StaleAfter)})
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
		facts := append(p.nodeFacts(nodes), deck.Fact{Name: "effect", Value: "nothing is installed and no node reboots; each scan overwrites what the last one found"})
		cmds = append(cmds, deck.Ask(deck.Line{
			Words: append([]string{"patch", "scan"}, p.targets(at, nodes)...), At: at,
			What: "scan " + plural(len(nodes), "node") + " for patches", Facts: facts, Level: deck.Change, How: deck.InPane, Refresh: refresh(),
		}))
	}
	return tea.Batch(cmds...)
}

// install asks how, then shows what would be installed, then asks.
func (p *Page) install() tea.Cmd {
	nodes := p.chosen()
	scanFirst := "no"
	for _, n := range nodes {
		if n.Stale || n.Status == patch.NeverScanned {
			scanFirst = "yes" // the plan would be made of what is long gone
		}
	}
	return deck.Ask(deck.Form{
		Title: "Install patches on " + plural(len(nodes), "node") + ": " + names(nodes),
		Fields: []deck.Field{
			{
				Name: "reboot", Label: "Reboot", Help: "if-needed: a node reboots when anything was installed", Only: true,
				Choices: func(string) []string { return patching.Reboots() }, Check: func(v string) error { _, err := patching.ParseReboot(v); return err },
			},
			{
				Name: "scan-first", Label: "Scan before", Value: scanFirst, Only: true, Help: "yes: what is missing is looked up anew before anything is installed",
				Choices: func(string) []string { return []string{"no", "yes"} },
			},
			{Name: "waves", Label: "Waves", Value: "1,10%,50%,100%", Help: "how far each wave goes", Check: func(v string) error { _, err := waves.ParseSizes(v); return err }},
			{Name: "max-errors", Label: "Stop when more have failed than", Value: "0", Check: func(v string) error { _, err := waves.ParseLimit(v); return err }},
			{Name: "concurrency", Label: "Nodes at a time", Help: "a number or a percentage; 50 where nothing is said"},
			{Name: "pause", Label: "Pause between waves", Help: "a duration such as 10m"},
			{Name: "health", Label: "Health check", Help: "a script that must succeed on each node after its wave"},
			{Name: "calendar", Label: "Only while this calendar is open", Help: "the name or ARN of a change calendar"},
		},
		Done: func(v map[string]string) tea.Cmd { return p.installLines(nodes, v) },
	})
}

// installLines ask for an installation with a line for each place.
func (p *Page) installLines(nodes []*node, v map[string]string) tea.Cmd {
	var flags []string
	for _, name := range []string{"reboot", "waves", "max-errors", "concurrency", "pause", "health", "calendar"} {
		if value := strings.TrimSpace(v[name]); value != "" {
			flags = append(flags, "--"+name, value)
		}
	}
	reboot := "nodes reboot when anything was installed"
	if r, err := patching.ParseReboot(v["reboot"]); err == nil && r == patching.Never {
		reboot = "no node reboots, and what was installed may not be in effect until one does"
	}
	places, of := byPlace(nodes)
	p.hurry = p.deck.Now.Add(hurryFor)
	var cmds []tea.Cmd
	for _, at := range places {
		nodes := of[at]
		missing, pending := 0, 0
		for _, n := range nodes {
			missing += n.Missing + n.Failed
			pending += n.PendingReboot
		}
		facts := append(p.nodeFacts(nodes),
			deck.Fact{Name: "patches", Value: fmt.Sprintf("%d missing or failed, %d wait for a reboot, by the last scans", missing, pending)},
			deck.Fact{Name: "reboot", Value: reboot})
		words := slices.Concat([]string{"patch", "install"}, p.targets(at, nodes), flags)
		preview := append(slices.Clone(words), "--dry-run") // without a scan, which would be sent
		if v["scan-first"] == "yes" {
			words = append(words, "--scan-first")
			facts = append(facts, deck.Fact{Name: "before", Value: "the nodes are scanned, and what is missing then is installed"})
		}
		cmds = append(cmds, deck.Ask(deck.Line{
			Words: words, Preview: preview, At: at,
			What: "install patches on " + plural(len(nodes), "node"), Facts: facts, Level: deck.Disruptive, How: deck.InPane, Refresh: refresh(),
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
	words := []string{"patch", "explain", n.ID}
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
	return printed(n.at, "why patches of "+n.label()+" are as they are", words...)
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
	return deck.Ask(deck.Browse{URL: deck.Console(n.at, "fleet-manager/managed-nodes/"+n.ID+"/general")})
}

func (p *Page) copyPatch() tea.Cmd {
	i, ok := p.list.Current()
	if !ok {
		return nil
	}
	return deck.Ask(deck.Copy{Text: p.found[i].ID, What: "the patch " + render.Visible(p.found[i].ID)})
}

// changeGroup asks for a patch group and tags the chosen nodes with it.
func (p *Page) changeGroup() tea.Cmd {
	nodes := p.chosen()
	known := map[string]bool{}
	for _, n := range p.fleet.nodes {
		if n.Group != "" {
			known[n.Group] = true
		}
	}
	return deck.Ask(deck.Form{
		Title: "Patch group of " + plural(len(nodes), "node") + ": " + names(nodes),
		Fields: []deck.Field{{
			Name: "group", Label: "Patch group", Help: "the value of the tag Patch Group",
			Choices: func(typed string) []string {
				var out []string
				for g := range known {
					if strings.Contains(strings.ToLower(g), strings.ToLower(typed)) {
						out = append(out, g)
					}
				}
				slices.Sort(out)
				return out
			},
			Check: baseline.CheckGroup,
		}},
		Done: func(v map[string]string) tea.Cmd { return p.groupLines(nodes, v["group"]) },
	})
}

func (p *Page) groupLines(nodes []*node, group string) tea.Cmd {
	// Of the two tags that mean a patch group a node keeps the one that it has.
	var cmds []tea.Cmd
	for _, tag := range []string{"Patch Group", "PatchGroup"} {
		places, of := byPlace(slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool {
			_, short := n.tags["PatchGroup"]
			return short != (tag == "PatchGroup")
		}))
		for _, at := range places {
			nodes := of[at]
			words := slices.Concat([]string{"node", "tag", strings.Join(ids(nodes), ",")}, []string{tag + "=" + group})
			cmds = append(cmds, deck.Ask(deck.Line{
				Words: words, Preview: append(slices.Clone(words), "--dry-run"), At: at,
				What:  "put " + plural(len(nodes), "node") + " into the patch group " + group,
				Facts: append(p.nodeFacts(nodes), deck.Fact{Name: "effect", Value: "from their next scan on they go by the baseline of that group"}),
				Level: deck.Change, How: deck.InPane, Refresh: []string{sources.Patches, sources.Nodes},
			}))
		}
	}
	return tea.Batch(cmds...)
}

// export asks where a report is to go, and writes it with a line for each place.
func (p *Page) export() tea.Cmd {
	var nodes []*node
	if marked, _ := p.nodes.Marked(); p.groups.inside || p.only.keys != nil || len(marked) > 0 || p.nodes.Filter() != "" {
		rows := p.nodes.Shown()
		if len(marked) > 0 {
			rows = marked
		}
		for _, i := range rows {
			nodes = append(nodes, p.rows[i])
		}
	}
	title := "Write a report on all nodes"
	if nodes != nil {
		title = "Write a report on " + plural(len(nodes), "node") + ": " + names(nodes)
	}
	by := byGroup
	if slices.Contains([]string{byBaseline, byPlatform, byAge}, p.groups.by) {
		by = p.groups.by
	}
	return deck.Ask(deck.Form{
		Title: title,
		Fields: []deck.Field{
			{
				Name: "out", Label: "File", Value: "patching-" + p.deck.Now.In(p.deck.Location).Format("2006-01-02") + ".html", Help: "ends in .html, .md, .xml, .csv, .json or .yaml",
				Check: func(v string) error {
					if filepath.Ext(v) == "" {
						return fault.Usagef("the end of the name says the format").WithHint("use .html, .md, .xml, .csv, .json or .yaml")
					}
					return nil
				},
			},
			{Name: "by", Label: "Rows by", Value: by, Only: true, Choices: func(string) []string {
				return []string{"group", "node", "level", "severity", "classification", "patch", "cve", "baseline", "platform", "age"}
			}},
			{Name: "title", Label: "Title", Value: "Patch compliance"},
		},
		Done: func(v map[string]string) tea.Cmd { return p.exportLines(nodes, v) },
	})
}

func (p *Page) exportLines(nodes []*node, v map[string]string) tea.Cmd {
	all := nodes == nil
	if all {
		nodes = p.fleet.nodes
	}
	places, of := byPlace(nodes)
	var cmds []tea.Cmd
	for _, at := range places {
		words := []string{"patch", "report"}
		if !all {
			words = append(words, ids(of[at])...)
		}
		file := v["out"]
		if len(places) > 1 {
			end := filepath.Ext(file)
			file = strings.Join(strings.Fields(strings.TrimSuffix(file, end)+" "+at.String()), "-") + end
		}
		words = append(words, "--out", file, "--by", v["by"], "--title", v["title"])
		cmds = append(cmds, deck.Ask(deck.Line{Words: words, At: at, What: "write a report to " + file, Level: deck.Read, How: deck.Quietly}))
	}
	return tea.Batch(cmds...)
}
