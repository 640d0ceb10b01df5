package world

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// PatchState is what the last patch operation found on a node. Its zero value is
// that of a node that was never scanned.
type PatchState struct {
	PatchSpec
	Available                int // security updates that are not approved
	Start, End, LastNoReboot time.Time
	SnapshotID, RebootOption string
	OverrideList, CommandID  string
	// Compliant and NonCompliant count patches by compliance level, in the order
	// of PatchLevels.
	Compliant, Violations [6]int
}

// PatchLevels are the compliance levels from the worst on.
var PatchLevels = []string{levelCritical, "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", levelOther}

// NonCompliant is how many patches of a node are as they should not be, of all
// kinds.
func (s PatchState) NonCompliant() int { return s.Missing + s.Failed + s.PendingReboot + s.Rejected }

// NodePatch is a patch as one node has it or lacks it.
type NodePatch struct {
	Title, ID, Classification, Severity, State string
	Level                                      string    // compliance level
	Compliant                                  bool      // by its state, and the baseline at the time
	Installed                                  time.Time // zero when missing
	CVEs                                       []string
	Patch                                      *patches.Patch
}

// patchReport is what an operation found, and said about itself.
type patchReport struct {
	head PatchState
	rows []patchRow
	// availableBad: security updates that are not approved count as violations.
	availableBad bool
}

// nodePatching is what is known of the patching of one node, when it is more than
// its id says.
type nodePatching struct {
	units  []unit
	report *patchReport // nil: never scanned
	booted time.Time
}

// patchStore keeps what operations have left behind. Its lock is the last one of
// all: nothing else is taken while it is held.
type patchStore struct {
	predefined []Record
	first      map[string]*patches.Baseline // at the start, by id; see World.firstBaseline
	groups     map[string]string            // then: operating system and group to id
	defaults   map[string]string

	mu        sync.Mutex
	nodes     map[string]*nodePatching
	heads     map[string]PatchState // of first reports, which are made when they are asked for
	busy      map[string]chan struct{}
	snapshots map[string]patchSnapshot
	files     map[string]snapshotFile
}

func newPatchStore(region string) *patchStore {
	return &patchStore{
		predefined: predefinedBaselines(region), first: map[string]*patches.Baseline{}, groups: map[string]string{}, defaults: map[string]string{},
		nodes: map[string]*nodePatching{}, heads: map[string]PatchState{}, busy: map[string]chan struct{}{}, snapshots: map[string]patchSnapshot{},
		files: map[string]snapshotFile{},
	}
}

// rememberBaselines keeps the baselines as they are at the start: reports of scans
// before it were made with them.
func (w *World) rememberBaselines(t *Tables) {
	for _, r := range w.Baselines(t) {
		w.patching.first[text(r["BaselineId"])] = BaselineOf(r)
	}
	for _, g := range t.All(KindPatchGroup) {
		w.patching.groups[text(g["key"])] = text(g["BaselineId"])
	}
	for _, os := range patches.Systems() {
		w.patching.defaults[os] = w.DefaultBaseline(t, os)
	}
}

// firstBaseline is the baseline that counted for a node when the world began.
func (w *World) firstBaseline(os, group string) *patches.Baseline {
	id := w.patching.groups[os+" "+group]
	if id == "" || group == "" {
		id = w.patching.defaults[os]
	}
	if b := w.patching.first[id]; b != nil {
		return b
	}
	return &patches.Baseline{System: os}
}

// firstPatching is the patching of a node before anything has happened to it:
// what it has, and what the scan of the last night found.
func (w *World) firstPatching(n Node) *nodePatching {
	product, spec := n.Product(), n.spec.Patch
	group := patchGroup(n.spec.Tags)
	if spec != nil && spec.Group != "" {
		group = spec.Group
	}
	b := w.firstBaseline(n.OperatingSystem(), group)
	p := &nodePatching{booted: n.Launched}
	if spec == nil || spec.Never {
		p.units = firstUnits(n.ID, product, w.started)
	}
	if spec != nil && spec.Never || n.Registered.After(w.started) {
		return p
	}
	night := w.started.UTC().Truncate(24*time.Hour).AddDate(0, 0, -stale(n.ID))
	head := PatchState{End: night.Add(-time.Duration(spread(n.ID)%2700) * time.Second), RebootOption: "NoReboot"}
	head.Operation = "Scan"
	r := &patchReport{availableBad: b.AvailableNonCompliant}
	if spec != nil {
		head.Operation, head.End = spec.Operation, w.started.Add(-spec.Ended).UTC().Truncate(time.Second)
		p.units, r.rows = specified(*spec, product, b, head.End)
		if spec.Operation == "Install" && spec.PendingReboot == 0 {
			head.RebootOption = "RebootIfNeeded"
		}
	} else {
		r.rows = assess(p.units, b, head.End)
		r.rows = append(r.rows, absent(product, p.units, b, head.End)...)
	}
	head.Start = head.End.Add(-time.Duration(40+spread(n.ID)%50) * time.Second)
	if head.Operation == "Install" && head.RebootOption == "NoReboot" {
		head.LastNoReboot = head.End
	}
	head.Group, head.Baseline = group, b.ID
	if spec != nil && spec.Baseline != "" {
		head.Baseline = spec.Baseline
	}
	r.head = head
	r.count()
	if spec != nil && len(r.rows) == 0 {
		r.head.PatchSpec = *spec // at a time without patches the counts stand alone
		r.head.Group, r.head.Baseline = head.Group, head.Baseline
	}
	p.report = r
	return p
}

// count sums up the rows in the head.
func (r *patchReport) count() {
	h := &r.head
	h.Installed, h.Other, h.Rejected, h.PendingReboot, h.Missing, h.Failed, h.NotApplicable, h.Available = 0, 0, 0, 0, 0, 0, 0, 0
	h.Critical, h.Security, h.Compliant, h.Violations = 0, 0, [6]int{}, [6]int{}
	counts := map[string]*int{
		patchInstalled: &h.Installed, patchOther: &h.Other, patchRejected: &h.Rejected, patchPending: &h.PendingReboot, patchMissing: &h.Missing,
		patchFailed: &h.Failed, patchNotApplicable: &h.NotApplicable, patchAvailable: &h.Available,
	}
	for _, row := range r.rows {
		*counts[row.state]++
		level := max(0, slices.Index(PatchLevels, row.level))
		if r.compliant(row) {
			h.Compliant[level]++
			continue
		}
		h.Violations[level]++
		switch {
		case row.state == patchAvailable: // counted by itself
		case row.level == levelCritical:
			h.Critical++
		case row.patch.Security:
			h.Security++
		}
	}
}

func (r *patchReport) compliant(row patchRow) bool {
	switch row.state {
	case patchMissing, patchFailed, patchPending, patchRejected:
		return false
	case patchAvailable:
		return !r.availableBad
	}
	return true
}

// patchingOf is the patching of a node. What it returns must not be changed.
func (w *World) patchingOf(n Node) *nodePatching {
	w.patching.mu.Lock()
	p := w.patching.nodes[n.ID]
	w.patching.mu.Unlock()
	if p != nil {
		return p
	}
	return w.firstPatching(n)
}

// unitsOf is what a node has, without the report about it.
func (w *World) unitsOf(n Node) []unit {
	w.patching.mu.Lock()
	p := w.patching.nodes[n.ID]
	w.patching.mu.Unlock()
	if p != nil {
		return p.units
	}
	if n.spec.Patch == nil {
		return firstUnits(n.ID, n.Product(), w.started)
	}
	return w.firstPatching(n).units
}

// PatchState returns what the last patch operation found on a node: what its
// scenario says, unless an operation has run since, else what a scan found in the
// night before the world began.
func (w *World) PatchState(id string) PatchState {
	w.patching.mu.Lock()
	p := w.patching.nodes[id]
	head, known := w.patching.heads[id]
	w.patching.mu.Unlock()
	switch {
	case p != nil && p.report == nil:
		return PatchState{}
	case p != nil:
		return p.report.head
	case known:
		return head
	}
	n, ok := w.NodeInfo(id)
	if !ok {
		return PatchState{}
	}
	if r := w.firstPatching(n).report; r != nil {
		head = r.head
	}
	w.patching.mu.Lock()
	w.patching.heads[id] = head
	w.patching.mu.Unlock()
	return head
}

// stateOrder is that of NodePatches.
var stateOrder = []string{patchMissing, patchFailed, patchPending, patchRejected, patchAvailable, patchInstalled, patchOther, patchNotApplicable}

// NodePatches lists the patches of a node as its last operation found them, those
// that are not as they should be first.
func (w *World) NodePatches(n Node) []NodePatch {
	r := w.patchingOf(n).report
	if r == nil {
		return nil
	}
	rows := slices.Clone(r.rows)
	slices.SortStableFunc(rows, func(a, b patchRow) int { return slices.Index(stateOrder, a.state) - slices.Index(stateOrder, b.state) })
	list := make([]NodePatch, 0, len(rows))
	for _, row := range rows {
		p := NodePatch{
			ID: row.patch.ID(n.Architecture), Title: row.patch.Title(n.Architecture), Classification: row.patch.Class, Severity: row.patch.Severity(),
			State: row.state, Level: row.level, Compliant: r.compliant(row), Installed: row.at, CVEs: row.patch.CVEs, Patch: row.patch,
		}
		if row.state == patchOther { // the service leaves these two out
			p.Severity, p.Classification = "", ""
		}
		list = append(list, p)
	}
	return list
}

// OperatingSystem is the patch baseline's name for a node's system.
func (n Node) OperatingSystem() string {
	name := strings.ToLower(n.PlatformName)
	for _, s := range []struct{ part, os string }{
		{"amazon linux 2023", patches.AmazonLinux2023},
		{"amazon linux 2022", patches.AmazonLinux2022},
		{"ubuntu", patches.Ubuntu},
		{"red hat", patches.RedHat},
		{"suse", patches.Suse},
		{"sles", patches.Suse},
		{"centos", patches.CentOS},
		{"oracle", patches.OracleLinux},
		{"debian", patches.Debian},
		{"rocky", patches.RockyLinux},
		{"alma", patches.AlmaLinux},
		{"raspbian", patches.Raspbian},
		{"macos", patches.MacOS},
		{"windows", patches.Windows},
	} {
		if strings.Contains(name, s.part) {
			return s.os
		}
	}
	switch {
	case n.Platform == "windows":
		return patches.Windows
	case n.Platform == "macos":
		return patches.MacOS
	case n.PlatformVersion == "2":
		return patches.AmazonLinux2
	case n.PlatformVersion == "2022":
		return patches.AmazonLinux2022
	case strings.HasPrefix(n.PlatformVersion, "2018"):
		return patches.AmazonLinux
	}
	return patches.AmazonLinux2023
}

// PatchGroup is the patch group of a node, empty without one.
func (n Node) PatchGroup() string { return patchGroup(n.Tags) }

// patchGroup takes either spelling of the tag (User Guide, "Patch groups").
func patchGroup(tags map[string]string) string {
	for _, key := range []string{"Patch Group", "PatchGroup"} {
		if v := tags[key]; v != "" {
			return v
		}
	}
	return ""
}

// PatchGroupStates yields the states of the nodes whose last operation belonged to a
// patch group, in the order of the nodes' ids. A tag that has changed since does not
// count before the next operation.
func (w *World) PatchGroupStates(group string) iter.Seq2[string, PatchState] {
	return func(yield func(string, PatchState) bool) {
		for _, id := range w.Targeted(nil) {
			if s := w.PatchState(id); s.Operation != "" && s.Group == group && !yield(id, s) {
				return
			}
		}
	}
}

// lockPatching waits until no other patch operation runs on a node.
func (w *World) lockPatching(ctx context.Context, id string) (unlock func(), err error) {
	w.patching.mu.Lock()
	gate := w.patching.busy[id]
	if gate == nil {
		gate = make(chan struct{}, 1)
		w.patching.busy[id] = gate
	}
	w.patching.mu.Unlock()
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
