package patch

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Lack is one patch that one node lacks, or a node of which nobody knows what it
// lacks. The JSON names are part of the output contract.
type Lack struct {
	ID    string `json:"id"` // of the node
	Name  string `json:"name"`
	State State  `json:"state"` // MISSING, FAILED, NEVER_SCANNED, UNKNOWN; of CVEs INSTALLED_PENDING_REBOOT
	// Of the patch; nothing where it is not known.
	Patch          string   `json:"patch,omitempty"`
	Title          string   `json:"title,omitempty"`
	Severity       string   `json:"severity,omitempty"`
	Classification string   `json:"classification,omitempty"`
	CVEs           []string `json:"cves,omitempty"`

	Group   string    `json:"group,omitempty"`
	Scanned time.Time `json:"scanned,omitzero"`
	Stale   bool      `json:"stale"`
}

// What stands for the state of a patch on a node of which no patch is known.
const (
	StateNeverScanned State = "NEVER_SCANNED"
	StateUnknown      State = "UNKNOWN"
)

// Lacking are the patches of nodes one by one, the worst first, and behind them the
// nodes of which nothing is known.
func Lacking(rows []Row, nodes []NodePatches) []Lack {
	out := []Lack{}
	of := func(r Row) Lack {
		return Lack{ID: r.ID, Name: r.Name, Group: r.Group, Scanned: r.Scanned, Stale: r.Stale}
	}
	for _, n := range nodes {
		for _, p := range n.Patches {
			l := of(n.Row)
			l.State, l.Patch, l.Title, l.Severity, l.Classification, l.CVEs = p.State, p.ID, p.Title, p.Severity, p.Classification, p.CVEs
			out = append(out, l)
		}
	}
	for _, r := range rows {
		l := of(r)
		switch r.Status {
		case NeverScanned:
			l.State = StateNeverScanned
		case Unknown:
			l.State = StateUnknown
		default:
			continue
		}
		out = append(out, l)
	}
	slices.SortFunc(out, CompareLacks)
	return out
}

// CompareLacks is the order of Lacking: by severity, then by the node's name and the
// patch; nodes of which nothing is known come last.
func CompareLacks(a, b Lack) int {
	if a.Patch == "" || b.Patch == "" {
		return cmp.Or(cmp.Compare(a.State.unseen(), b.State.unseen()), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	}
	return cmp.Or(cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
		strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID), strings.Compare(a.Patch, b.Patch), strings.Compare(a.Title, b.Title))
}

// unseen is 0 of a patch, and more of nodes of which none is known.
func (s State) unseen() int { return slices.Index([]State{StateNeverScanned, StateUnknown}, s) + 1 }

// Affected is what is known of nodes and some CVEs.
type Affected struct {
	Nodes   int // that were looked at
	Lacking int // lack a patch that names one of the CVEs
	Waiting int // lack none, and have one that waits for a reboot
	Never   int // were never scanned
	Unknown int // have a state that could not be read
	// Blank is how many of the other nodes lack security patches that name no CVE: of
	// them, nobody can say.
	Blank int
}

// AffectedBy counts nodes by what is known of them and CVEs. all are the missing and
// failed patches of all nodes, lacking those that name one of the CVEs.
func AffectedBy(rows []Row, all, lacking []NodePatches) Affected {
	a := Affected{Nodes: len(rows)}
	for _, n := range lacking {
		if slices.ContainsFunc(n.Patches, func(p Patch) bool { return p.State != InstalledPendingReboot }) {
			a.Lacking++
		} else {
			a.Waiting++
		}
	}
	for _, r := range rows {
		switch r.Status {
		case NeverScanned:
			a.Never++
		case Unknown:
			a.Unknown++
		}
	}
	hit := map[string]bool{}
	for _, n := range lacking {
		hit[n.Row.ID] = true
	}
	for _, n := range all {
		if !hit[n.Row.ID] && slices.ContainsFunc(n.Patches, Patch.nameless) {
			a.Blank++
		}
	}
	return a
}

// nameless reports whether a patch closes holes without naming them.
func (p Patch) nameless() bool {
	return len(p.CVEs) == 0 && p.State != InstalledPendingReboot && p.mayName() && (isClass(p.Classification, "security") || severityRank(p.Severity) < 2)
}

// harmless are classifications of patches that close no holes, and name no CVE. The
// CriticalUpdates of Windows are not about security (Microsoft, "Description of the
// standard terminology that is used to describe Microsoft software updates").
var harmless = []string{
	"bugfix", "enhancement", "recommended", "newpackage", "optional", "feature", "document",
	"criticalupdates", "definitionupdates", "drivers", "featurepacks", "tools", "upgrades",
}

// mayName reports whether a patch may name CVEs.
func (p Patch) mayName() bool { return !slices.Contains(harmless, strings.ToLower(p.Classification)) }

// NamePending gives patches that wait for a reboot the CVEs that the same patch names
// where it is missing: the service names them of missing and failed patches only.
func NamePending(nodes []NodePatches) {
	names := map[string][]string{}
	for _, n := range nodes {
		for _, p := range n.Patches {
			if len(p.CVEs) > 0 {
				names[p.key()] = p.CVEs
			}
		}
	}
	for _, n := range nodes {
		for i, p := range n.Patches {
			if p.State == InstalledPendingReboot && len(p.CVEs) == 0 {
				n.Patches[i].CVEs = names[p.key()]
			}
		}
	}
}
