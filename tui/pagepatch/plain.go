package pagepatch

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// layout is what is kept of the page between two starts.
type layout struct {
	By      string          `json:"by,omitempty"`
	Groups  json.RawMessage `json:"groups,omitempty"`
	Nodes   json.RawMessage `json:"nodes,omitempty"`
	Patches json.RawMessage `json:"patches,omitempty"`
	Missing json.RawMessage `json:"missing,omitempty"`
	CVE     json.RawMessage `json:"cve,omitempty"`
}

// Layout is what is kept between two starts.
func (p *Page) Layout() json.RawMessage {
	data, _ := json.Marshal(layout{ // strings alone: cannot fail
		By: p.groups.by, Groups: p.groups.list.Layout(), Nodes: p.nodes.Layout(), Patches: p.list.Layout(), Missing: p.lacks.list.Layout(), CVE: p.cve.list.Layout(),
	})
	return data
}

// SetLayout takes what Layout has returned.
func (p *Page) SetLayout(data json.RawMessage) {
	var in layout
	if json.Unmarshal(data, &in) != nil {
		return
	}
	switch {
	case in.By == byGroup, in.By == byBaseline, in.By == byPlatform, in.By == byAge, in.By == byState, in.By == byAccount, in.By == byRegion,
		strings.HasPrefix(in.By, byTag) && len(in.By) > len(byTag):
		p.groups.by = in.By
	}
	p.groups.list.SetLayout(in.Groups)
	p.nodes.SetLayout(in.Nodes)
	p.list.SetLayout(in.Patches)
	p.lacks.list.SetLayout(in.Missing)
	p.cve.list.SetLayout(in.CVE)
}

// Plain is the page as text.
func (p *Page) Plain() deck.Plain {
	p.settle()
	if s := p.set.Patches.State(); s.Empty() {
		return deck.Plain{Summary: p.emptyLines(s)}
	}
	out := deck.Plain{Summary: []string{p.chosenCounts().String()}}
	if p.groups.inside {
		out.Summary[0] = p.groups.by + " " + p.groupName(p.groups.chosen) + ": " + out.Summary[0]
	}
	if n := p.fleet.undecided; n > 0 {
		out.Summary = append(out.Summary, fmt.Sprintf("of %s only the baseline can say whether they are compliant, and it is not known", widget.Count(n, "node")))
	}
	if !p.groups.inside {
		for _, s := range p.groups.slices[min(1, len(p.groups.slices)):] {
			out.Summary = append(out.Summary, p.groups.by+" "+p.groupName(s.Key)+": "+s.Counts.String())
		}
	}
	if t := p.reading.trouble(); t != "" && p.view != viewNodes {
		out.Summary = append(out.Summary, render.Visible(t))
	}
	switch p.view {
	case viewLacks:
		out.Summary = append(out.Summary, p.readNote("Missing patches", p.lacks.list))
		out.Items = p.plainLacks()
	case viewCVE:
		out.Summary = append(append(out.Summary, p.cve.conclusion()...), p.readNote(p.cve.id, p.cve.list))
		out.Items = p.plainCVE()
	default:
		out.Items = p.plainNodes()
	}
	return out
}

func (p *Page) plainNodes() (items []deck.Item) {
	for _, i := range p.nodes.Shown() {
		n := p.rows[i]
		_, state := n.state()
		text := render.Visible(n.label()) + ": " + state
		if n.Status == patch.NonCompliant {
			text += fmt.Sprintf(", %d critical, %d security, %d missing, %d failed, %d wait for a reboot", n.Critical, n.Security, n.Missing, n.Failed, n.PendingReboot)
		}
		if !n.Scanned.IsZero() {
			text += ", scanned " + p.deck.Ago(n.Scanned)
		}
		if n.Stale {
			text += ", which is stale"
		}
		it := deck.Item{Text: text, Choose: func() bool { return p.nodes.Select(n.key) }}
		for _, f := range p.facts(n) {
			it.Detail = append(it.Detail, f.name+": "+render.Visible(f.value))
		}
		found, at, err, _ := p.detail.Get(p.detailKey(n))
		switch {
		case err != nil:
			it.Detail = append(it.Detail, "Patches: not read: "+err.Error())
		case !at.IsZero():
			for _, f := range found {
				it.Detail = append(it.Detail, "Patch: "+f.sentence(p))
			}
		}
		items = append(items, it)
	}
	return items
}

// sentence is a patch in one.
func (f *Found) sentence(p *Page) string {
	_, state := stateWord(f.State)
	words := []string{f.ID + " " + shortTitle(f.ID, f.Title), state}
	if f.Severity != "" {
		words = append(words, strings.ToLower(f.Severity))
	}
	if f.Classification != "" {
		words = append(words, f.Classification)
	}
	if !f.Released.IsZero() {
		words = append(words, "released "+days(p.deck.Now, f.Released)+" days ago")
	}
	if len(f.CVEs) > 0 {
		words = append(words, strings.Join(f.CVEs, " "))
	}
	return render.Visible(strings.Join(words, ", "))
}

func (p *Page) plainLacks() (items []deck.Item) {
	for _, i := range p.lacks.list.Shown() {
		t := &p.lacks.rows[i]
		key := tallyKey(t)
		verb := "lack"
		if t.Nodes == 1 {
			verb = "lacks"
		}
		it := deck.Item{
			Text:   render.Visible(t.Key) + ": " + widget.Count(t.Nodes, "node") + " " + verb + " it, severity " + strings.ToLower(t.Severity),
			Detail: []string{"Title: " + render.Visible(t.Title), "Nodes: " + render.Visible(render.Fold(t.NodeNames()))},
			Choose: func() bool { return p.lacks.list.Select(key) },
		}
		if len(t.CVEs) > 0 {
			it.Detail = append(it.Detail, "CVEs: "+render.Visible(strings.Join(t.CVEs, " ")))
		}
		items = append(items, it)
	}
	return items
}

func (p *Page) plainCVE() (items []deck.Item) {
	for _, i := range p.cve.list.Shown() {
		l := &p.cve.rows[i]
		key := p.cve.keys[i] + "\x00" + l.Patch + "\x00" + l.Title
		_, state := stateWord(l.State)
		text := render.Visible(l.Name) + ": " + state
		if l.Patch != "" {
			text += " " + render.Visible(l.Patch+", "+strings.ToLower(l.Severity))
		}
		items = append(items, deck.Item{Text: text, Detail: []string{"Id: " + l.ID}, Choose: func() bool { return p.cve.list.Select(key) }})
	}
	return items
}
