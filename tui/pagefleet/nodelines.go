package pagefleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// most is how many things of a kind the pane shows of a node.
const most = 6

// known is the row with what has been read of the node alone, which is younger than
// the list and has more.
func (p *Page) known(r *row) row {
	known := *r
	f, at, _, _ := p.node.facts.Get(r.key)
	if at.IsZero() {
		return known
	}
	n := f.node
	n.Name = cmp.Or(n.Name, r.n.Name)
	if _, listed := p.set.Nodes.At(r.at); listed.After(at) { // then the list knows better whether it is there
		n.Ping, n.LastPing, n.AgentVersion, n.AssociationStatus = r.n.Ping, r.n.LastPing, r.n.AgentVersion, r.n.AssociationStatus
	}
	known.n, known.behind = &n, p.agents.Behind(&n)
	if _, listed := p.set.Patches.At(r.at); !r.patched || !listed.After(at) {
		known.patched, known.patch, known.sealed = true, n.Patch, n.Lacks(fleet.PartPatch)
	}
	return known
}

// nodeLines are what the pane says of a node.
func (p *Page) nodeLines(r *row) []line {
	known := p.known(r)
	w := &writer{}
	word, level := known.state()
	w.state("State", word, level, known.heard(p.deck.Now))
	p.problemLines(w, &known)
	p.identityLines(w, &known)
	if r.managed {
		p.gapLines(w, r)
		p.commandLines(w, r)
		p.sessionLines(w, r)
		p.patchLines(w, &known)
		p.associationLines(w, r)
		p.inventoryLines(w, r)
	}
	tagLines(w, &known)
	p.moreLines(w, &known)
	return w.lines
}

// heard says when the agent called last.
func (r *row) heard(now time.Time) string {
	if !r.managed {
		return ""
	}
	if r.n.LastPing.IsZero() {
		return "last ping not known"
	}
	return "last ping " + render.Since(now, r.n.LastPing)
}

func (p *Page) problemLines(w *writer, r *row) {
	problems := r.problems(p.deck.Now, p.agents.Newest(r.n.Platform))
	if len(problems) == 0 {
		return
	}
	w.section("Problems", "")
	for _, b := range problems {
		w.lines = append(w.lines, line{value: render.Visible(b.text), level: b.level, status: true, note: b.do})
	}
}

// identityLines say what the node is; what is looked up now and then stands at the
// end of the pane.
func (p *Page) identityLines(w *writer, r *row) {
	n := r.n
	w.section("Node", "")
	w.field("Id", n.ID)
	w.field("Platform", platform(r))
	word, level := r.agent()
	w.state("Agent", word, level, "")
	w.field("Address", n.IP)
	w.field("Role", n.IAMRole)
	if p.deck.Several() {
		w.field("Account", r.at.Account)
		w.field("Region", r.at.Region)
	}
	if !n.Instance() {
		return
	}
	w.field("Instance", strings.TrimSpace(n.InstanceType+" "+n.State))
	switch {
	case n.Lacks(fleet.PartEC2):
		w.field("Network", "unknown")
		return
	case !r.joined():
		w.field("Network", "not read yet")
		return
	}
	w.field("Network", strings.TrimSpace(n.AZ+"  "+n.VPC))
}

func (p *Page) moreLines(w *writer, r *row) {
	n := r.n
	w.section("More", "")
	w.field("Computer", n.ComputerName)
	w.field("Type", n.ResourceType)
	w.field("Activation", n.ActivationID)
	w.field("Registered", p.deck.Ago(n.Registered))
	w.field("Subnet", n.Subnet)
	w.field("Image", n.Image)
	w.field("Launched", p.deck.Ago(n.Launched))
}

// gapLines say what of the facts could not be read, and which right is missing.
func (p *Page) gapLines(w *writer, r *row) {
	f, at, err, _ := p.node.facts.Get(r.key)
	if err != nil {
		w.failed(err)
	}
	if at.IsZero() {
		return
	}
	for _, g := range f.gaps {
		if g.Err != nil {
			w.failed(g.Err)
		}
	}
}

func tagLines(w *writer, r *row) {
	n := r.n
	w.section("Tags", "")
	switch {
	case !r.joined():
		w.dim("not read yet")
	case lacksTags(n):
		w.dim("unknown")
	case len(n.Tags) == 0:
		w.dim("none")
	}
	for _, k := range slices.Sorted(maps.Keys(n.Tags)) {
		w.lines = append(w.lines, line{key: render.Visible(k), value: render.Visible(n.Tags[k])})
	}
}

func (p *Page) patchLines(w *writer, r *row) {
	pa := r.patch
	note := ""
	if r.patched && pa != nil {
		note = strings.ToLower(pa.Operation) + " " + p.deck.Ago(pa.Ended)
	}
	w.section("Patches", note)
	if !r.patched || pa == nil || r.sealed {
		word, _ := r.patches()
		w.dim(word)
		return
	}
	word, level := r.patches()
	w.state("Compliance", word, level, "")
	w.field("Missing", fmt.Sprintf("%d", pa.Missing))
	w.field("Not as due", fmt.Sprintf("%d critical, %d security", pa.Critical, pa.Security)) // missing, failed, or in effect after a reboot only
	w.field("Installed", fmt.Sprintf("%d, %d failed, %d wait for a reboot", pa.Installed, pa.Failed, pa.PendingReboot))
	w.field("Baseline", pa.Baseline[strings.LastIndexByte(pa.Baseline, '/')+1:])
	w.field("Patch group", pa.Group)
}

// part heads a section whose content has been read by itself: with its age, and what
// went wrong. It is false while there is nothing to show.
func (p *Page) part(w *writer, title string, at time.Time, err error, loading bool) bool {
	var notes []string
	if !at.IsZero() && (p.deck.Now.Sub(at) >= time.Minute || err != nil) {
		notes = append(notes, "as of "+p.deck.Ago(at))
	}
	if !at.IsZero() && loading {
		notes = append(notes, "reading again")
	}
	w.section(title, strings.Join(notes, ", "))
	if err != nil {
		w.failed(err)
	}
	if at.IsZero() && err == nil {
		if loading {
			w.dim("reading" + p.deck.Styles.Glyphs.Ellipsis)
		} else {
			w.dim("not read yet")
		}
	}
	return !at.IsZero()
}

func (p *Page) sessionLines(w *writer, r *row) {
	open, at, err, loading := p.node.sessions.Get(r.key)
	if !p.part(w, "Open sessions", at, err, loading) {
		return
	}
	if len(open) == 0 {
		w.dim("none")
	}
	for i, s := range open {
		if i == most {
			w.dim(fmt.Sprintf("and %d more", len(open)-most))
			break
		}
		w.field(s.OwnerName(), strings.TrimSpace(p.deck.Ago(s.Started)+"  "+s.Reason))
	}
}

func (p *Page) commandLines(w *writer, r *row) {
	last, at, err, loading := p.node.commands.Get(r.key)
	if !p.part(w, "Last commands", at, err, loading) {
		return
	}
	if len(last) == 0 {
		w.dim("none in the last 30 days")
	}
	for i, c := range last {
		if i == most {
			break
		}
		w.state(p.deck.Ago(c.Requested), string(c.State), levels.Run(c.State), strings.TrimSpace(c.Document+"  "+c.Comment))
	}
}

func (p *Page) associationLines(w *writer, r *row) {
	items, at, err, loading := p.node.associations.Get(r.key)
	if !p.part(w, "Associations", at, err, loading) {
		return
	}
	if len(items) == 0 {
		w.dim("none has run")
	}
	for i, a := range items {
		if i == most {
			w.dim(fmt.Sprintf("and %d more", len(items)-most))
			break
		}
		word := "not known"
		switch a.Status {
		case compliance.Compliant:
			word = "ok"
		case compliance.NonCompliant:
			word = "not compliant"
		}
		level := levels.Compliance(a.Status)
		title := a.Title
		if title == "" {
			title = a.ID
		}
		w.state(p.deck.Ago(a.Executed), word, level, strings.TrimSpace(title+"  "+a.Reason))
	}
}

func (p *Page) inventoryLines(w *writer, r *row) {
	found, at, err, loading := p.node.inventory.Get(r.key)
	if !p.part(w, "Inventory", at, err, loading) {
		return
	}
	reported := false
	for _, kind := range slices.Sorted(maps.Keys(found)) {
		if c := found[kind]; c.Reported {
			reported = true
			w.field(strings.TrimPrefix(kind, "AWS:"), coverage(c, p.deck.Now))
		}
	}
	if !reported {
		w.dim("it has reported none")
	}
}

func coverage(c inventory.Coverage, now time.Time) string {
	count := strconv.Itoa(c.Entries)
	if c.More {
		count += " or more"
	}
	return count + ", gathered " + render.Since(now, c.Captured)
}

// examLines are what the pane says of the examination, and where its cursor is.
func (p *Page) examLines(r *row) (lines []line, cursor int) {
	checks, at, err, loading := p.exam.checks.Get(r.key)
	w := &writer{}
	note := ""
	if !at.IsZero() {
		note = verdict(checks) + ", " + p.deck.Ago(at)
	}
	title := "Why is it not online?"
	if r.managed && r.n.Online() {
		title = "Has it all that it needs?"
	}
	w.section(title, "")
	if note != "" {
		w.dim(note)
	}
	switch {
	case loading:
		w.dim("examining agent, rights and network" + p.deck.Styles.Glyphs.Ellipsis)
	case at.IsZero() && err == nil:
		w.dim("not examined yet")
	}
	if err != nil {
		w.failed(err)
	}
	group := ""
	cursor = -1
	for i, c := range checks {
		if c.Group != group {
			group = c.Group
			w.section(group, "")
		}
		here := i == p.exam.at()
		if here {
			cursor = len(w.lines)
		}
		w.lines = append(w.lines, line{
			value: string(c.Status) + "  " + c.Title, level: levels.Check(c.Status), status: true, current: here && p.inPane, in: 2,
		})
		if here || c.Found() {
			checkLines(w, c)
		}
	}
	return w.lines, cursor
}
