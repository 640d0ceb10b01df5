package pagepatch

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/patch"
)

// basis is what the list of patches, or that of a CVE, is made from. One that is not
// shown is not made; of many nodes it is made beside the update loop.
type basis struct {
	subject
	fleet   generation
	reading int
}

// subject is what the list is about: while it is the same, rows made from older data
// may be shown until the new ones are there.
type subject struct {
	view       view
	cve        string
	by, chosen string
	inside     bool
}

// middle is a list in the making: a basis with its data, which nobody changes.
type middle struct {
	basis
	of     fleetState
	nodes  []patch.NodePatches // that were read
	keys   []string            // of nodes
	isRead bool

	lacks     []patch.Tally
	lackKeys  map[string][]string
	affected  []patch.Lack
	affectedK []string
	count     patch.Affected
}

// middleMade brings a list.
type middleMade struct{ m *middle }

func (p *Page) basis() basis {
	b := basis{fleet: p.fleet.gen, reading: p.reading.gen}
	b.view, b.by, b.chosen, b.inside = p.view, p.groups.by, p.groups.chosen, p.groups.inside
	if p.view == viewCVE {
		b.cve = p.cve.id
	}
	return b
}

// uncountedMiddle reports whether the list in the middle is about something else still.
func (p *Page) uncountedMiddle() bool {
	b := p.basis()
	return p.view != viewNodes && (p.shown.subject != b.subject || p.shown.reading == 0 && b.reading > 0)
}

// fillMiddle makes the list in the middle anew, where what it is made from has changed.
func (p *Page) fillMiddle() tea.Cmd {
	b := p.basis()
	if p.view == viewNodes || b == p.shown || b == p.making {
		return nil
	}
	p.making = b
	if p.uncountedMiddle() {
		p.showMiddle(&middle{basis: basis{subject: subject{view: p.view}}})
		p.shown = basis{}
	}
	m := p.middle(b)
	if len(m.nodes) <= quick && len(m.of.nodes) <= quick {
		m.make()
		p.takeMiddle(m)
		return nil
	}
	return p.desk.Go(func(context.Context) tea.Msg {
		m.make()
		return middleMade{m}
	})
}

// middle is the list of a basis, which is not made yet.
func (p *Page) middle(b basis) *middle {
	return &middle{basis: b, of: p.fleet, nodes: p.reading.nodes, keys: p.reading.keys, isRead: !p.reading.at.IsZero()}
}

// takeMiddle shows a list, unless another is wanted by now.
func (p *Page) takeMiddle(m *middle) {
	if m.basis != p.making {
		return
	}
	p.making = basis{}
	p.shown = m.basis
	p.showMiddle(m)
}

func (p *Page) showMiddle(m *middle) {
	if m.view == viewLacks {
		p.lacks.rows, p.lacks.keys = m.lacks, m.lackKeys
		p.lacks.list.Reset(len(p.lacks.rows))
		return
	}
	p.cve.rows, p.cve.keys, p.cve.count = m.affected, m.affectedK, m.count
	p.cve.list.Reset(len(p.cve.rows))
}

// make makes the list. It touches nothing of the page.
func (m *middle) make() {
	switch {
	case m.view == viewLacks:
		m.countLacks()
	case m.cve != "" && m.isRead:
		m.findAffected()
	}
}

func (m *middle) in(n *node) bool {
	return !m.inside || groupKey(m.by, n, m.of.made) == m.chosen
}

// lacking are the patches that were read of nodes of the group, in some states. The
// keys are those of the nodes.
func (m *middle) lacking(states ...patch.State) (nodes []patch.NodePatches, keys []string) {
	for i, n := range m.nodes {
		known := m.of.byKey[m.keys[i]]
		if known == nil || !m.in(known) {
			continue
		}
		var patches []patch.Patch
		for _, f := range n.Patches {
			for _, s := range states {
				if f.State == s {
					patches = append(patches, f)
				}
			}
		}
		if len(patches) > 0 {
			nodes, keys = append(nodes, patch.NodePatches{Row: known.Row, Patches: patches}), append(keys, m.keys[i])
		}
	}
	return nodes, keys
}

// countLacks counts the patches of the group.
func (m *middle) countLacks() {
	nodes, keys := m.lacking(patch.Missing, patch.Failed)
	m.lacks, m.lackKeys = patch.Tallies(nodes, patch.ByPatch, m.of.made), map[string][]string{}
	for i, n := range nodes {
		for _, f := range n.Patches {
			key := f.ID + "\x00" + f.Title
			if have := m.lackKeys[key]; len(have) == 0 || have[len(have)-1] != keys[i] {
				m.lackKeys[key] = append(have, keys[i])
			}
		}
	}
}

// findAffected finds the nodes of the group that lack a patch for the CVE.
func (m *middle) findAffected() {
	all, keys := m.lacking(patch.Missing, patch.Failed, patch.InstalledPendingReboot)
	byID := map[string]string{}
	for i, n := range all {
		byID[n.Row.ID] = keys[i]
	}
	var rows []patch.Row
	for _, n := range m.of.nodes {
		if m.in(n) {
			rows = append(rows, n.Row)
			byID[n.ID] = n.key
		}
	}
	hit := patch.Select(all, patch.Match{CVEs: []string{m.cve}})
	m.affected, m.count = patch.Lacking(rows, hit), patch.AffectedBy(rows, all, hit)
	for _, l := range m.affected {
		m.affectedK = append(m.affectedK, byID[l.ID])
	}
}
