package patch

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Tally is a number of patches put together: one patch of many nodes, all of a CVE,
// a severity or a classification, or those of a node or of some nodes. The JSON
// names are part of the output contract.
type Tally struct {
	Key            string   `json:"key"`                      // "" has none, such as no classification
	Name           string   `json:"name,omitempty"`           // of one node
	Status         Status   `json:"status,omitempty"`         // of one node
	Title          string   `json:"title,omitempty"`          // of one patch
	Severity       string   `json:"severity,omitempty"`       // the worst of the patches, in the words of a system
	Classification string   `json:"classification,omitempty"` // of one patch
	CVEs           []string `json:"cves,omitempty"`           // of one patch

	Nodes   int `json:"nodes"`
	Patches int `json:"patches"` // one on two nodes counts twice

	Missing       int `json:"missing"`
	Failed        int `json:"failed"`
	PendingReboot int `json:"pending_reboot"`
	Rejected      int `json:"installed_rejected"`

	// Of these nodes.
	Oldest  time.Time `json:"oldest_scan,omitzero"`
	Newest  time.Time `json:"newest_scan,omitzero"`
	NodeIDs []string  `json:"node_ids"`
	names   []string  // beside NodeIDs

	Released time.Time `json:"released,omitzero"` // of one patch, where asked for
}

// NodeNames are the names of the nodes, beside their ids.
func (t *Tally) NodeNames() []string { return t.names }

func (t *Tally) add(r Row, p Patch) {
	t.Patches++
	switch p.State {
	case Missing:
		t.Missing++
	case Failed:
		t.Failed++
	case InstalledPendingReboot:
		t.PendingReboot++
	case InstalledRejected:
		t.Rejected++
	}
	if severityRank(p.Severity) < severityRank(t.Severity) {
		t.Severity = p.Severity
	}
	if n := len(t.NodeIDs); n > 0 && t.NodeIDs[n-1] == r.ID {
		return // nodes come one after the other
	}
	t.Nodes++
	t.NodeIDs = append(t.NodeIDs, r.ID)
	t.names = append(t.names, r.Name)
	t.Oldest, t.Newest = span(t.Oldest, t.Newest, r.Scanned, r.Scanned)
}

// The dimensions of patches, beside those of nodes.
const (
	ByNode           Dimension = "node"
	ByPatch          Dimension = "patch"
	ByCVE            Dimension = "cve"
	BySeverity       Dimension = "severity"
	ByClassification Dimension = "classification"
)

// Tallies puts patches together, from the worst on: the severity, then the number
// of nodes, then the key. A patch is one with its id and its title, which of a
// package holds the version; a patch without CVEs is in no tally by CVE, and one
// with several in that of each.
func Tallies(nodes []NodePatches, by Dimension, now time.Time) []Tally {
	at := map[string]int{}
	out := []Tally{}
	for _, n := range nodes {
		for _, p := range n.Patches {
			for _, k := range by.patchKeys(n.Row, p, now) {
				i, seen := at[k]
				if !seen {
					i = len(out)
					at[k] = i
					out = append(out, by.tally(n.Row, p, k))
				}
				out[i].add(n.Row, p)
				if by == ByPatch {
					out[i].CVEs = union(out[i].CVEs, p.CVEs)
				}
			}
		}
	}
	slices.SortFunc(out, by.CompareTallies)
	return out
}

// CompareTallies orders tallies by d: ages from the youngest on, all else from the
// worst on.
func (d Dimension) CompareTallies(a, b Tally) int {
	if d == ByAge {
		return cmp.Compare(ageOrder(a.Key), ageOrder(b.Key))
	}
	return cmp.Or(cmp.Compare(statusOrder[a.Status], statusOrder[b.Status]), cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
		cmp.Compare(b.Nodes, a.Nodes), cmp.Compare(b.Patches, a.Patches), strings.Compare(a.Key, b.Key), strings.Compare(a.Title, b.Title))
}

// patchKeys are what tells tallies apart.
func (d Dimension) patchKeys(r Row, p Patch, now time.Time) []string {
	switch d {
	case ByNode:
		return []string{r.ID}
	case ByPatch:
		return []string{p.key()}
	case ByCVE:
		return p.CVEs
	case BySeverity:
		return []string{severityWord(p.Severity)}
	case ByClassification:
		return []string{p.Classification}
	}
	return []string{d.Key(&r, now)}
}

// tally is an empty one.
func (d Dimension) tally(r Row, p Patch, key string) Tally {
	switch d {
	case ByNode:
		return Tally{Key: r.ID, Name: r.Name, Status: r.Status}
	case ByPatch:
		return Tally{Key: p.ID, Title: p.Title, Classification: p.Classification}
	}
	return Tally{Key: key}
}

// union adds what is not there yet, sorted.
func union(list, more []string) []string {
	for _, s := range more {
		if i, there := slices.BinarySearch(list, s); !there {
			list = slices.Insert(slices.Clone(list), i, s)
		}
	}
	return list
}

// Select keeps the patches that match.
func Select(nodes []NodePatches, m Match) []NodePatches {
	if m.Empty() {
		return nodes
	}
	out := []NodePatches{}
	for _, n := range nodes {
		kept := []Patch{}
		for _, p := range n.Patches {
			if m.Matches(p) {
				kept = append(kept, p)
			}
		}
		if len(kept) > 0 {
			out = append(out, NodePatches{n.Row, kept})
		}
	}
	return out
}

// Compare orders the patches of a node, from the worst on: by state, severity, and
// name.
func (p Patch) Compare(q Patch) int {
	return cmp.Or(cmp.Compare(stateRank(p.State), stateRank(q.State)), cmp.Compare(severityRank(p.Severity), severityRank(q.Severity)),
		strings.Compare(p.ID, q.ID), strings.Compare(p.Title, q.Title))
}

// stateRank is where a state stands: what is wrong before what is well.
func stateRank(s State) int {
	if i := slices.Index(States, s); i >= 0 {
		return i
	}
	return len(States)
}

// Narrow is rows with the numbers of the chosen patches alone: a node that has none
// of them is compliant. What the baselines say of patches is not counted, because a
// patch does not tell; nor are patches that are as they should be.
func Narrow(rows []Row, chosen []NodePatches) []Row {
	found := make(map[string]Numbers, len(chosen))
	for _, n := range chosen {
		var sum Numbers
		for _, p := range n.Patches {
			switch p.State {
			case Missing:
				sum.Missing++
			case Failed:
				sum.Failed++
			case InstalledPendingReboot:
				sum.PendingReboot++
			case InstalledRejected:
				sum.Rejected++
			}
		}
		found[n.Row.ID] = sum
	}
	out := make([]Row, len(rows))
	for i, r := range rows {
		out[i] = r
		out[i].Numbers = found[r.ID]
		if r.Status == NonCompliant && out[i].NonCompliant() == 0 {
			out[i].Status = Compliant
		}
	}
	return out
}
