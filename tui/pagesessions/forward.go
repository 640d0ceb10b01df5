package pagesessions

import (
	"fmt"
	"net"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

func (p *Page) tunnelActions() []deck.Action {
	t, ok := p.tunnel()
	off, still := "", ""
	if !ok {
		off = p.nothing()
	}
	if still = off; off == "" && len(p.chosenTunnels(true)) == 0 {
		still = "it does not run: F starts it"
	}
	noAddress, noNode, noLog := off, off, off
	if t.typed() {
		noLog = "what it says is said where it was typed"
	}
	if len(t.local()) == 0 {
		noAddress = "its address is not known"
	}
	if t.node() == "" {
		noNode = "its node is not known"
	}
	return []deck.Action{
		{Key: "F", Name: "start", Help: "start saved forwards; they end with the dashboard", Footer: true, Off: p.noneIdle(), Whole: true, Do: p.start},
		{Key: "X", Name: "stop", Help: "stop the forward, in whatever process it runs", Footer: true, Off: still, Do: p.stop},
		{Key: "R", Name: "restart", Help: "close its sessions and listen again", Footer: true, Off: still, Do: p.restart},
		{Key: "f", Name: "forward", Help: "forward a port to a node, or to a host behind it", Footer: true, Do: func() tea.Cmd { return p.forward(grid.Place{}, t.node()) }},
		{Key: "n", Name: "new", Help: "save a forward under a name", Footer: true, Do: func() tea.Cmd { return p.save(t) }},
		{Key: "s", Name: "shell", Help: "open a shell on the node of the forward", Off: noNode, Do: func() tea.Cmd { return p.shellBehind(t) }},
		{Key: "L", Name: "log", Help: "what forwards behind the shell have said", Off: noLog, Do: func() tea.Cmd {
			return deck.Ask(deck.Line{Words: []string{"forward", "logs", t.name, "--follow"}, What: "log of " + render.Visible(t.name), Level: deck.Read, How: deck.InPane})
		}},
		{Key: "c", Name: "copy", Help: "copy the local address", Off: noAddress, Do: func() tea.Cmd {
			return deck.Ask(deck.Copy{Text: strings.Join(t.local(), " "), What: "the local address"})
		}},
		{Name: "start behind the shell", Help: "start the forward so that it outlives the dashboard", Off: p.noneIdle(), Do: func() tea.Cmd { return p.startAs(true) }},
	}
}

// shellBehind opens a shell where the forward goes, which may be another account.
func (p *Page) shellBehind(t tunnel) tea.Cmd {
	l := deck.Line{Words: []string{"shell", t.node()}, What: "shell on " + render.Visible(p.via(t)), Level: deck.Read, How: deck.OnScreen, Refresh: []string{sources.Sessions}}
	if t.typed() { // by the id of its node
		if at, _, err := p.meant(grid.Place{}, t.node()); err == nil && at != (grid.Place{}) {
			l.At = at
			return deck.Ask(l)
		}
	}
	l.Words = append(l.Words, t.flags()...)
	return deck.Ask(l)
}

// flags say which account and Region the forward is in.
func (t tunnel) flags() (words []string) {
	profile, region := t.proc.Profile, t.proc.Region
	if e := t.saved; e != nil {
		profile, region = e.Profile, e.Region
	}
	if profile != "" {
		words = append(words, "--profile", profile)
	}
	if region != "" {
		words = append(words, "--region", region)
	}
	return words
}

func (p *Page) noneIdle() string {
	switch {
	case p.set.Saved.State().Empty():
		return "the saved forwards are not known yet"
	case len(p.idle()) > 0:
		return ""
	case len(p.tunnels) == 0:
		return "no forward is saved"
	}
	return "every saved forward runs"
}

func (p *Page) start() tea.Cmd { return p.startAs(false) }

// startAs starts the chosen forwards that do not run, or asks which.
func (p *Page) startAs(behind bool) tea.Cmd {
	if chosen := p.chosenTunnels(false); len(chosen) > 0 {
		return up(chosen, behind)
	}
	idle := p.idle()
	entries := make([]deck.Entry, len(idle))
	for i, t := range idle {
		entries[i] = deck.Entry{Name: t.name, Detail: strings.Join(t.local(), " ") + " " + p.deck.Styles.Glyphs.Arrow + " " + strings.Join(t.remote(), " ")}
	}
	return deck.Ask(deck.Choose{Title: "Start a forward", Entries: entries, Done: func(i int) tea.Cmd { return up(idle[i:i+1], behind) }})
}

// up starts forwards. In this process they run as long as their line does; it says
// nothing until it ends, and the list shows how they are.
func up(list []tunnel, behind bool) tea.Cmd {
	words := append([]string{"forward", "up"}, namesOf(list)...)
	what := "start forward " + render.Visible(list[0].name)
	if len(list) > 1 {
		what = fmt.Sprintf("start %d forwards", len(list))
	}
	if behind {
		words = append(words, "--background")
	}
	return deck.Ask(deck.Line{Words: words, What: what, Facts: ends(list), Level: deck.Read, How: deck.Quietly, Refresh: []string{sources.Forwards}})
}

// ends are the local ends and where they lead.
func ends(list []tunnel) (facts []deck.Fact) {
	for _, t := range list {
		facts = append(facts, deck.Fact{Name: t.name, Value: fmt.Sprintf("%s to %s", strings.Join(t.local(), " "), strings.Join(t.remote(), " "))})
	}
	return facts
}

// cut says what is lost when forwards are stopped.
func cut(list []tunnel) []deck.Fact {
	facts := ends(list)
	for i, t := range list {
		if t.known() && t.row.Open > 0 {
			facts[i].Value += ", " + connections(t.row.Open) + " cut"
		}
	}
	return facts
}

func connections(n int64) string {
	if n == 1 {
		return "1 connection is"
	}
	return fmt.Sprintf("%d connections are", n)
}

func (p *Page) stop() tea.Cmd { return p.order("stop", "stop") }

func (p *Page) restart() tea.Cmd { return p.order("restart", "restart") }

// order stops or restarts the chosen forwards.
func (p *Page) order(word, verb string) tea.Cmd {
	list := p.chosenTunnels(true)
	what := verb + " forward " + render.Visible(list[0].name)
	if len(list) > 1 {
		what = fmt.Sprintf("%s %d forwards", verb, len(list))
	}
	return deck.Ask(deck.Line{
		Words: append([]string{"forward", word}, namesOf(list)...), What: what, Facts: cut(list),
		Level: deck.Disruptive, How: deck.Quietly, Refresh: []string{sources.Forwards},
	})
}

// forward asks for a port and opens it at once.
func (p *Page) forward(at grid.Place, node string) tea.Cmd {
	return deck.Ask(deck.Form{
		Title: "Forward a port",
		Fields: []deck.Field{
			{Name: "node", Label: "Node", Value: node, Help: "a name, an id, tag:role=bastion", Check: deck.Needed, Choices: p.nodeNames},
			{Name: "spec", Label: "Port", Help: "8080:80, or 15432:db.internal:5432 for a host behind it", Check: specs},
			{Name: "reason", Label: "Reason", Help: "for the session's history"},
		},
		Done: func(v map[string]string) tea.Cmd {
			at, node, err := p.meant(at, v["node"])
			if err != nil {
				return deck.Ask(deck.Say{Err: err})
			}
			words := append([]string{"forward", node}, strings.Fields(v["spec"])...)
			if v["reason"] != "" {
				words = append(words, "--reason", v["reason"])
			}
			return deck.Ask(deck.Line{Words: words, At: at, What: "forward through " + render.Visible(v["node"]), Level: deck.Read, How: deck.InPane, Refresh: []string{sources.Forwards, sources.Sessions}})
		},
	})
}

// meant is the node that a name in a form means, by its id and where it is: the same
// name may be another node's elsewhere. What is the name of none is for the command to
// understand.
func (p *Page) meant(at grid.Place, typed string) (grid.Place, string, error) {
	found := p.called(at, typed)
	if len(found) == 0 { // else the blanks are of the name: another node's can be without
		typed = strings.TrimSpace(typed)
		found = p.called(at, typed)
	}
	switch len(found) {
	case 0:
		return at, typed, nil
	case 1:
		return found[0].Place, found[0].Value.ID, nil
	}
	ids := make([]string, len(found))
	for i, r := range found {
		ids[i] = r.Value.ID + " (" + r.Place.String() + ")"
	}
	return at, "", fault.Usagef("%q is the name of %d nodes", typed, len(found)).WithHint("write the id of the one that is meant: %s", strings.Join(ids, ", "))
}

// called are the nodes in a place, or in all, that have a name or an id.
func (p *Page) called(at grid.Place, name string) (found []grid.Row[fleet.Node]) {
	for _, r := range p.set.Nodes.Rows() {
		if (r.Value.ID == name || sources.Label(r.Value) == name) && (at == grid.Place{} || r.Place == at) {
			found = append(found, r)
		}
	}
	return found
}

// save asks for a forward and writes it into the user's file: the one under the cursor
// where that was typed and runs.
func (p *Page) save(t tunnel) tea.Cmd {
	node, spec, start := "", t.specs(), "now"
	if spec != "" {
		node, start = t.node(), "later" // its port is taken
	}
	return deck.Ask(deck.Form{
		Title: "Save a forward",
		Fields: []deck.Field{
			{Name: "name", Label: "Name", Help: "orders-db", Check: p.newName},
			{Name: "node", Label: "Node", Value: node, Help: "a name, an id, tag:role=bastion", Check: deck.Needed, Choices: p.nodeNames},
			{Name: "spec", Label: "Port", Value: spec, Help: "15432:db.internal:5432; several with spaces between", Check: specs},
			{Name: "description", Label: "Description"},
			{Name: "groups", Label: "Groups", Help: "words that start it together with others"},
			{Name: "start", Label: "Start it", Value: start, Choices: func(string) []string { return []string{"now", "later"} }, Only: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			words := append([]string{"forward", "save", v["name"], v["node"]}, strings.Fields(v["spec"])...)
			if v["description"] != "" {
				words = append(words, "--description", v["description"])
			}
			for _, g := range strings.Fields(strings.ReplaceAll(v["groups"], ",", " ")) {
				words = append(words, "--group", g)
			}
			if spec != "" && v["node"] == node { // where it goes now
				words = append(words, t.flags()...)
			}
			l := deck.Line{Words: words, What: "save forward " + render.Visible(v["name"]), Level: deck.Change, How: deck.Quietly, Refresh: []string{sources.Saved}}
			if v["start"] == "now" {
				l.Done = func(r deck.Result) tea.Msg { return savedNow{v["name"], r.Code == 0} }
			}
			return deck.Ask(l)
		},
	})
}

// specs are the ends of a forward that was typed, as it would be typed again; empty: it
// was not, or is nothing that a spec can say, as a proxy.
func (t tunnel) specs() string {
	if !t.typed() || !t.known() || len(t.row.Local) != len(t.row.Remote) {
		return ""
	}
	var words []string
	for i, local := range t.row.Local {
		remote := t.row.Remote[i]
		if _, _, err := net.SplitHostPort(local); err != nil {
			local = "unix:" + local
		}
		port, usual := strings.CutPrefix(local, "127.0.0.1:")
		own, itself := strings.CutPrefix(remote, "localhost:")
		switch {
		case itself && (usual || strings.HasPrefix(local, "unix:")):
			remote = own
		case itself: // --bind says that, and no spec
			return ""
		}
		word := port + ":" + remote
		if _, err := portforward.ParseSpec(word); err != nil {
			return ""
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// savedNow says that a forward which is to be started has been saved, or has not.
type savedNow struct {
	name string
	ok   bool
}

func (p *Page) afterSave(m savedNow) tea.Cmd {
	if !m.ok {
		return nil
	}
	return up([]tunnel{{name: m.name}}, false)
}

// nodeNames are nodes that fit what is typed.
func (p *Page) nodeNames(typed string) (names []string) {
	const most = 20
	typed = strings.ToLower(typed)
	for _, n := range p.set.Nodes.All() {
		if label := sources.Label(*n); strings.Contains(strings.ToLower(label), typed) {
			if names = append(names, label); len(names) == most {
				break
			}
		}
	}
	return names
}

func (p *Page) newName(name string) error {
	for _, t := range p.tunnels {
		if t.name == name && t.saved != nil {
			return fault.Usagef("there is a forward %s already", name)
		}
	}
	return deck.Needed(name)
}

func specs(value string) error {
	for _, w := range strings.Fields(value) {
		if _, err := portforward.ParseSpec(w); err != nil {
			return err
		}
	}
	return deck.Needed(value)
}

// record is a forward as YAML shows it.
func (t tunnel) record() map[string]any {
	out := map[string]any{"name": t.name, "state": t.state(), "local": t.local(), "remote": t.remote(), "node": t.node()}
	if t.known() {
		out["running"] = t.row
	}
	if t.runs() {
		out["process"] = map[string]any{"pid": t.proc.PID, "background": t.proc.Background, "started": t.proc.Started, "saved": !t.proc.Unsaved, "sessions": t.proc.Sessions}
	}
	if e := t.saved; e != nil {
		out["saved"] = map[string]any{"file": e.File, "line": e.Line, "profile": e.Profile, "region": e.Region, "groups": e.Groups, "description": e.Description, "idle": e.Idle.String(), "lanes": e.Lanes}
	}
	return out
}
