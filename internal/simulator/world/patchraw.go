package world

import (
	"iter"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// RawPatch is a patch of the catalogue, for who recounts.
type RawPatch struct {
	ID             string    `json:"id"`
	Title          string    `json:"title"`
	Product        string    `json:"product"`
	Package        string    `json:"package"`
	Released       time.Time `json:"released"`
	Severity       string    `json:"severity,omitempty"`
	Classification string    `json:"classification,omitempty"`
	Security       bool      `json:"security"`
	CVEs           []string  `json:"cves,omitempty"`
}

// RawNodePatch is a patch as the last operation found it on a node.
type RawNodePatch struct {
	ID             string    `json:"id"`
	Title          string    `json:"title"`
	State          string    `json:"state"`
	Level          string    `json:"level"`
	Severity       string    `json:"severity,omitempty"`
	Classification string    `json:"classification,omitempty"`
	Security       bool      `json:"security"`
	Compliant      bool      `json:"compliant"`
	CVEs           []string  `json:"cves,omitempty"`
	Released       time.Time `json:"released"`
	Installed      time.Time `json:"installed,omitzero"`
}

// RawPackage is a package as a node has it now, whatever the last scan found.
type RawPackage struct {
	Name      string    `json:"name"`
	Title     string    `json:"title,omitempty"` // of the release that is installed; empty: none
	Installed time.Time `json:"installed,omitzero"`
	Pending   bool      `json:"pending_reboot,omitempty"`
	Newest    string    `json:"newest,omitempty"` // title of the newest release, approved or not
	Approved  string    `json:"approved,omitempty"`
}

// RawNode is a node's patching.
type RawNode struct {
	ID        string         `json:"id"`
	OS        string         `json:"os"`
	Product   string         `json:"product"`
	Group     string         `json:"group,omitempty"`    // now
	Baseline  string         `json:"baseline,omitempty"` // that would count now
	Used      string         `json:"last_baseline,omitempty"`
	UsedGroup string         `json:"last_group,omitempty"`
	Operation string         `json:"operation,omitempty"` // empty: never scanned
	Started   time.Time      `json:"started,omitzero"`
	Ended     time.Time      `json:"ended,omitzero"`
	Booted    time.Time      `json:"booted"`
	Patches   []RawNodePatch `json:"patches"`
	Packages  []RawPackage   `json:"packages"`
}

// RawCatalogue yields the patches of the products that nodes run, as they are out
// now.
func (w *World) RawCatalogue(yield func(RawPatch) bool) {
	seen := map[*patches.Product]bool{}
	for _, n := range w.Nodes() {
		product := n.Product()
		if seen[product] {
			continue
		}
		seen[product] = true
		for _, q := range product.Packages() {
			for _, p := range q.Until(w.now()) {
				if !yield(RawPatch{p.ID(n.Architecture), p.Title(n.Architecture), p.Product(), q.Name, p.Released, p.Severity(), p.Class, p.Security, p.CVEs}) {
					return
				}
			}
		}
	}
}

// RawPatching yields the patching of every node, or of one.
func (w *World) RawPatching(id string) iter.Seq[RawNode] {
	return func(yield func(RawNode) bool) {
		for _, n := range w.Nodes() {
			if (id == "" || id == n.ID) && !yield(w.rawNode(n)) {
				return
			}
		}
	}
}

func (w *World) rawNode(n Node) RawNode {
	p, now := w.patchingOf(n), w.now()
	r := RawNode{ID: n.ID, OS: n.OperatingSystem(), Product: n.Product().Name, Group: n.PatchGroup(), Booted: p.booted, Patches: []RawNodePatch{}, Packages: []RawPackage{}}
	var b *patches.Baseline
	_ = w.Tables(func(t *Tables) error {
		b = w.baselineFor(t, r.OS, r.Group)
		return nil
	})
	r.Baseline = b.ID
	if p.report != nil {
		h := p.report.head
		r.Used, r.UsedGroup, r.Operation, r.Started, r.Ended = h.Baseline, h.Group, h.Operation, h.Start, h.End
	}
	for _, row := range w.NodePatches(n) {
		r.Patches = append(r.Patches, RawNodePatch{
			row.ID, row.Title, row.State, row.Level, row.Severity, row.Classification, row.Patch.Security, row.Compliant, row.CVEs, row.Patch.Released, row.Installed,
		})
	}
	for _, u := range p.units {
		q := RawPackage{Name: u.pkg.Name, Installed: u.at, Pending: u.pending}
		if have := u.installed(); have != nil {
			q.Title = have.Title(n.Architecture)
		}
		if out := u.pkg.Until(now); len(out) > 0 {
			q.Newest = out[len(out)-1].Title(n.Architecture)
		}
		if next, _ := u.candidate(b, now); next != nil {
			q.Approved = next.Title(n.Architecture)
		}
		r.Packages = append(r.Packages, q)
	}
	return r
}
