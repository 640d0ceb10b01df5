package patching

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// NamedUpTo is of how many nodes the patches are read one by one, which takes a call
// each; of more the counts tell, which take one for 50.
const NamedUpTo = 500

// states is the fleet as far as patching needs it, a *fleet.Service.
type states interface {
	Join(ctx context.Context, nodes []fleet.Node, parts fleet.Part) ([]fleet.Gap, error)
	List(ctx context.Context, q fleet.Query) iter.Seq2[fleet.Node, error]
}

// patches are the patches of nodes, a *patch.Service.
type patches interface {
	OfNode(ctx context.Context, node string, states ...patch.State) iter.Seq2[patch.Patch, error]
	OfNodes(ctx context.Context, rows []patch.Row, w patch.Wanted) (patch.Reading, error)
}

// Planned is one node of a Plan: what the last scan or installation found there, and
// what an installation would do.
type Planned struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Platform string `json:"platform,omitempty"`
	System   string `json:"system,omitempty"` // name and version of the operating system
	Status   string `json:"status"`           // install, nothing, never_scanned, offline
	Wave     int    `json:"wave,omitempty"`   // from 1; none when it is offline

	Baseline      string    `json:"baseline,omitempty"`
	Group         string    `json:"group,omitempty"`
	Operation     string    `json:"operation,omitempty"` // whose result this is: Scan, Install
	Scanned       time.Time `json:"scanned,omitzero"`    // when it ended
	Missing       int       `json:"missing"`
	Failed        int       `json:"failed"`
	PendingReboot int       `json:"pending_reboot"`

	Reboot  Rebooting     `json:"reboot"` // will, no, needed, unknown
	Why     string        `json:"reboot_reason,omitempty"`
	Patches []patch.Patch `json:"patches,omitempty"` // missing and failed ones, where they were read
	Known   bool          `json:"known"`             // there is a result to go by
	Named   bool          `json:"named"`             // Patches are all of Missing and Failed
}

// The states of a planned node.
const (
	ToInstall    = "install"
	Nothing      = "nothing" // its last scan found nothing missing
	NeverScanned = "never_scanned"
	IsOffline    = "offline"
)

// Plan is what an installation would do, as far as the last scans tell.
type Plan struct {
	Options Options    `json:"options"`
	Nodes   []Planned  `json:"nodes"` // wave by wave, then those that are offline
	Waves   [][]string `json:"waves"`

	Install int       `json:"install"` // nodes with something to install
	Patches int       `json:"patches"` // missing and failed, over all nodes
	Reboots int       `json:"reboots"` // nodes that will reboot
	Unknown int       `json:"unknown"` // nodes of which nothing is known
	Offline int       `json:"offline"`
	Oldest  time.Time `json:"oldest_scan,omitzero"`
	Newest  time.Time `json:"newest_scan,omitzero"`
}

// Planner makes plans.
type Planner struct {
	Fleet   states
	Patches patches
	// Names says that the patches of nodes are to be read and named, where it is
	// affordable: up to NamedUpTo nodes, or Whole.
	Names bool
	// Whole says that the nodes are all or nearly all of the account in the Region:
	// then one sweep may name the patches of any number.
	Whole bool
}

// Plan says what an installation on nodes would do. Those that are offline are in
// no wave. The nodes get their patch states; one without the right to read these is
// refused, since what an installation has done could not be told.
func (p Planner) Plan(ctx context.Context, nodes []fleet.Node, o Options, sizes []waves.Size) (*Plan, error) {
	if err := Read(ctx, p.Fleet, nodes); err != nil {
		return nil, err
	}
	plan := &Plan{Options: o}
	var ids []string
	var offline []Planned
	for _, n := range nodes {
		row := planned(n)
		if n.Offline() {
			row.Status = IsOffline
			offline = append(offline, row)
			continue
		}
		ids = append(ids, n.ID)
		plan.Nodes = append(plan.Nodes, row)
	}
	plan.Waves = waves.Plan(ids, sizes)
	i := 0
	for w, members := range plan.Waves {
		for range members {
			plan.Nodes[i].Wave = w + 1
			i++
		}
	}
	if p.Names {
		if err := p.name(ctx, nodes, plan.Nodes); err != nil {
			return nil, err
		}
	}
	plan.Nodes = append(plan.Nodes, offline...)
	plan.sum()
	return plan, nil
}

// Read fills in the patch states of nodes, 50 in a call. What may not be read is an
// error.
func Read(ctx context.Context, from states, nodes []fleet.Node) error {
	gaps, err := from.Join(ctx, nodes, fleet.PartPatch)
	if err != nil {
		return err
	}
	for _, g := range gaps {
		if g.Err != nil {
			return g.Err
		}
	}
	return nil
}

func planned(n fleet.Node) Planned {
	row := Planned{
		ID: n.ID, Name: n.Name, Platform: n.Platform, System: strings.TrimSpace(n.PlatformName + " " + n.PlatformVersion), Status: NeverScanned,
	}
	s := n.Patch
	if s == nil {
		return row
	}
	row.Known, row.Status = true, Nothing
	row.Baseline, row.Group, row.Operation, row.Scanned = s.Baseline, s.Group, s.Operation, s.Ended
	row.Missing, row.Failed, row.PendingReboot = s.Missing, s.Failed, s.PendingReboot
	if s.Missing+s.Failed > 0 {
		row.Status = ToInstall
	}
	return row
}

// name reads the patches of the nodes that lack any. Those that could not be read, or
// may not be, stay without names.
func (p Planner) name(ctx context.Context, nodes []fleet.Node, rows []Planned) error {
	lacking := map[string]bool{}
	for _, r := range rows {
		lacking[r.ID] = r.Missing+r.Failed > 0
	}
	var wanted []patch.Row
	for _, n := range nodes {
		if lacking[n.ID] {
			wanted = append(wanted, patch.RowOf(&n, time.Now(), 0, nil))
		}
	}
	if len(wanted) > NamedUpTo && !p.Whole {
		return nil
	}
	reading, err := p.Patches.OfNodes(ctx, wanted, patch.Wanted{States: []patch.State{patch.Missing, patch.Failed}, Whole: p.Whole})
	switch {
	case fault.KindOf(err) == fault.Auth:
		return nil // the counts tell
	case err != nil:
		return err
	}
	found := map[string][]patch.Patch{}
	for _, n := range reading.Nodes {
		found[n.Row.ID] = n.Patches
	}
	for i, r := range rows {
		if lacking[r.ID] && reading.Failed[r.ID] == nil {
			rows[i].Patches, rows[i].Named = found[r.ID], true
		}
	}
	return nil
}

// sum counts the nodes.
func (p *Plan) sum() {
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Status == IsOffline {
			n.Reboot = NoReboot
			p.Offline++
			continue
		}
		n.Reboot, n.Why = reboots(p.Options, *n)
		switch {
		case !n.Known:
			p.Unknown++
		case n.Status == ToInstall:
			p.Install++
		}
		p.Patches += n.Missing + n.Failed
		if n.Reboot == WillReboot {
			p.Reboots++
		}
		if n.Scanned.IsZero() {
			continue
		}
		if p.Oldest.IsZero() || n.Scanned.Before(p.Oldest) {
			p.Oldest = n.Scanned
		}
		if n.Scanned.After(p.Newest) {
			p.Newest = n.Scanned
		}
	}
}

// Err is an Offline fault when no node of the plan can be reached.
func (p *Plan) Err() error {
	if len(p.Waves) > 0 {
		return nil
	}
	return fault.New(fault.Offline, "install patches", "all %d nodes are offline, and nothing was sent", len(p.Nodes)).
		WithHint("`ssmdeck doctor NODE` says why")
}

// few names the first of some things.
func few(names []string, most int) string {
	return strings.Join(names[:min(most, len(names))], ", ") + more(len(names)-most)
}

// more says that there are n more, if there are.
func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
