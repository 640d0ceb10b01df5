// Package patchreport makes of what was found of patching a report that can be kept
// and handed on: an HTML page that needs nothing but itself, or Markdown. It counts
// nothing itself: all numbers are those of package patch, over all accounts and
// Regions together. What could not be read is said first, and loudly.
package patchreport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

// Place is one account and Region, and what was found there.
type Place struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	// Failure is why not everything of the place is known; empty: it is.
	Failure string       `json:"error,omitempty"`
	Total   patch.Counts `json:"total"`

	Rows []patch.Row `json:"-"`
	// Looks are earlier looks at the same nodes and this one, the oldest first.
	Looks []history.Look `json:"-"`
}

// String is "123456789012/eu-west-1".
func (p Place) String() string { return p.Account + "/" + p.Region }

// Node is a node and where it is.
type Node struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	patch.Row
}

// Report is the state of patching of some nodes at one time. The JSON names are part
// of the output contract.
type Report struct {
	Title   string    `json:"title"`
	Made    time.Time `json:"made"`
	Program string    `json:"program"` // "ssmdeck v1.2.0"
	Targets string    `json:"targets"` // the nodes that were meant, as they were typed
	Partial bool      `json:"partial"` // something that was asked for is not in it

	Places    []Place       `json:"places"`
	Total     patch.Counts  `json:"total"`
	Groups    []patch.Slice `json:"groups"`
	Baselines []patch.Slice `json:"baselines"`
	Platforms []patch.Slice `json:"platforms"`
	Ages      []patch.Slice `json:"ages"`
	Levels    []patch.Level `json:"levels"`
	Nodes     []Node        `json:"nodes"` // from the worst on

	// By is what Patches are put together by: patch, cve, severity, classification;
	// empty when single patches were not read.
	By      patch.Dimension `json:"by,omitempty"`
	Patches []patch.Tally   `json:"patches,omitempty"` // from the worst on

	Trend []history.Look `json:"trend"` // of all places, the oldest first
}

// New puts places together. title, program and targets are shown as they are.
func New(title, program, targets string, places []Place, made time.Time) *Report {
	r := &Report{Title: title, Program: program, Targets: targets, Made: made, Places: places, Nodes: []Node{}, Trend: []history.Look{}}
	var rows []patch.Row
	for i := range r.Places {
		p := &r.Places[i]
		p.Total = patch.Counts{}
		for _, row := range p.Rows {
			p.Total.Add(&row)
			rows = append(rows, row)
			r.Nodes = append(r.Nodes, Node{p.Account, p.Region, row})
		}
		r.Total.Merge(p.Total)
		r.Partial = r.Partial || p.Failure != "" || p.Total.Unknown > 0
		r.Trend = append(r.Trend, p.Looks...)
	}
	slices.SortStableFunc(r.Nodes, func(a, b Node) int { return patch.CompareRows(a.Row, b.Row) })
	slices.SortStableFunc(r.Trend, func(a, b history.Look) int { return a.Time.Compare(b.Time) })
	r.Groups, r.Baselines = patch.Slices(rows, patch.ByGroup, made), patch.Slices(rows, patch.ByBaseline, made)
	r.Platforms, r.Ages = patch.Slices(rows, patch.ByPlatform, made), patch.Slices(rows, patch.ByAge, made)
	r.Levels = patch.Levels(rows)
	return r
}

// LookOf is what a history keeps of numbers.
func LookOf(c patch.Counts, at time.Time, scope string) history.Look {
	return history.Look{
		Time: at, Scope: scope, Nodes: c.Nodes, Compliant: c.Compliant, NonCompliant: c.NonCompliant, Unknown: c.Unknown,
		Critical: c.WithCritical, Security: c.WithSecurity, Missing: c.WithMissing, Failed: c.WithFailed, PendingReboot: c.WithPendingReboot,
		NeverScanned: c.NeverScanned, OldestScan: c.Oldest,
	}
}

// several reports whether nodes must be told apart by their place.
func (r *Report) several() bool { return len(r.Places) > 1 }

// tile is a number that matters, for the head of a report.
type tile struct {
	label, value, class, note string
}

// tiles are the numbers of the head.
func (r *Report) tiles() []tile {
	t := r.Total
	class := func(n int, bad string) string {
		if n == 0 {
			return "good"
		}
		return bad
	}
	percent, percentClass := "unknown", "warn"
	if p, known := t.Percent(); known {
		percent = percentText(p)
		switch {
		case p == 100:
			percentClass = "good"
		case t.WithCritical > 0:
			percentClass = "bad"
		}
	}
	tiles := []tile{
		{"compliant", percent, percentClass, fmt.Sprintf("%d of %s", t.Compliant, nodes(t.Nodes-t.Unknown))},
		{"non-compliant", fmt.Sprint(t.NonCompliant), class(t.NonCompliant, "bad"), nodesWord(t.NonCompliant)},
		{"lack critical patches", fmt.Sprint(t.WithCritical), class(t.WithCritical, "bad"), nodesWord(t.WithCritical)},
		{"failed patches", fmt.Sprint(t.WithFailed), class(t.WithFailed, "bad"), nodesWord(t.WithFailed)},
		{"wait for a reboot", fmt.Sprint(t.WithPendingReboot), class(t.WithPendingReboot, "warn"), nodesWord(t.WithPendingReboot)},
		{"never scanned", fmt.Sprint(t.NeverScanned), class(t.NeverScanned, "warn"), nodesWord(t.NeverScanned)},
		{"stale scans", fmt.Sprint(t.Stale), class(t.Stale, "warn"), nodesWord(t.Stale)},
	}
	if t.Unknown > 0 {
		tiles = append(tiles, tile{"could not be read", fmt.Sprint(t.Unknown), "bad", nodesWord(t.Unknown)})
	}
	return tiles
}

func percentText(p float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") + "%" }

func nodes(n int) string { return fmt.Sprintf("%d %s", n, nodesWord(n)) }

func nodesWord(n int) string {
	if n == 1 {
		return "node"
	}
	return "nodes"
}

// faults are the sentences about what is not in the report.
func (r *Report) faults() []string {
	var all []string
	for _, p := range r.Places {
		switch {
		case p.Failure != "":
			all = append(all, p.String()+": "+p.Failure)
		case p.Total.Unknown > 0:
			all = append(all, fmt.Sprintf("%s: the patch state of %s could not be read", p, nodes(p.Total.Unknown)))
		}
	}
	return all
}

// scans says when the numbers are from.
func (r *Report) scans() string {
	t := r.Total
	switch {
	case t.Oldest.IsZero():
		return "No node was ever scanned."
	case t.Oldest.Equal(t.Newest):
		return "All scans ended " + stamp(t.Oldest) + "."
	}
	return fmt.Sprintf("Scans ended between %s and %s.", stamp(t.Oldest), stamp(t.Newest))
}

// overwrites is what everybody who reads these numbers must know.
const overwrites = "Every number is what the last scan or installation of a node found; each one overwrites what the one before found."

// stamp is a time for people all over the world.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// baselineNames shortens the ARNs that AWS's own baselines are known by.
func baselineNames(all []patch.Slice) []patch.Slice {
	out := slices.Clone(all)
	for i := range out {
		out[i].Key = out[i].Key[strings.LastIndexByte(out[i].Key, '/')+1:]
	}
	return out
}

// section is a part of the nodes, of one status.
type section struct {
	status patch.Status
	title  string
	open   bool
	nodes  []Node
}

// sections are the nodes by their status, from the worst on; empty ones are left out.
func (r *Report) sections() []section {
	all := []section{
		{status: patch.NonCompliant, title: "Non-compliant", open: true},
		{status: patch.NeverScanned, title: "Never scanned", open: true},
		{status: patch.Unknown, title: "State could not be read", open: true},
		{status: patch.Compliant, title: "Compliant"},
	}
	for i := range all {
		for _, n := range r.Nodes {
			if n.Status == all[i].status {
				all[i].nodes = append(all[i].nodes, n)
			}
		}
	}
	return slices.DeleteFunc(all, func(s section) bool { return len(s.nodes) == 0 })
}

// Wrong says what is not as it should be on a node, in one line.
func (n Node) Wrong() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{n.Missing, "missing"},
		{n.Failed, "failed"},
		{n.PendingReboot, "waiting for a reboot"},
		{n.Rejected, "installed although rejected"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	text := strings.Join(parts, ", ")
	if n.Critical > 0 {
		text += fmt.Sprintf("; %d critical", n.Critical)
	}
	return text
}
