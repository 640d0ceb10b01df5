package world

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// patchDocuments are the documents that scan and install.
var patchDocuments = []string{"AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks"}

// patchOrder is what one run of a patch document is told.
type patchOrder struct {
	operation, reboot string
	snapshot          string
	overrideList      string // S3 URL of a list of patches
	baseline          string // S3 URL of baselines
	command           string
	tag               *Target // of the baseline
	// after runs when everything is installed, before the system starts anew; nil:
	// nothing. When it reports false the operation ends without a report.
	after func() bool
}

func orderOf(c *command) patchOrder {
	arg := func(name string) string { return strings.Join(c.args[name], "") }
	o := patchOrder{
		operation: arg("Operation"), reboot: arg("RebootOption"), snapshot: arg("SnapshotId"), overrideList: arg("InstallOverrideList"),
		baseline: arg("BaselineOverride"), command: c.ID,
	}
	fill(&o.reboot, "RebootIfNeeded")
	if rest, ok := strings.CutPrefix(arg("BaselineTags"), "Key="); ok {
		key, value, _ := strings.Cut(rest, ",Values=")
		o.tag = &Target{Key: key, Values: []string{value}}
	}
	return o
}

// patchSnapshot is a baseline as it was when its snapshot was made.
type patchSnapshot struct {
	baseline *patches.Baseline
	cut      time.Time
}

// mostSnapshots bounds how many are kept.
const mostSnapshots = 2000

// Snapshot returns the baseline of a node and the time as of which it decides. All
// nodes that name the same snapshot get the same.
func (w *World) Snapshot(t *Tables, n Node, id string) (b *patches.Baseline, cut time.Time) {
	s := patchSnapshot{w.baselineFor(t, n.OperatingSystem(), n.PatchGroup()), w.now()}
	if id == "" {
		return s.baseline, s.cut
	}
	key := id + " " + s.baseline.ID
	w.patching.mu.Lock()
	defer w.patching.mu.Unlock()
	if old, ok := w.patching.snapshots[key]; ok {
		return old.baseline, old.cut
	}
	if len(w.patching.snapshots) < mostSnapshots {
		w.patching.snapshots[key] = s
	}
	return s.baseline, s.cut
}

// patchJob is a patch operation on its way.
type patchJob struct {
	*World
	n       Node
	order   patchOrder
	b       *patches.Baseline
	cut     time.Time
	units   []unit
	booted  time.Time
	started time.Time
	listed  []listedPatch
	failed  map[*patches.Patch]bool
	last    PatchState
}

// patch scans a node or installs what it lacks, and writes what the document
// writes. code is its exit code; err is that of the context when it was stopped
// halfway.
func (w *World) patch(ctx context.Context, id string, order patchOrder, out *patchOutput) (code int, err error) {
	unlock, err := w.lockPatching(ctx, id)
	if err != nil {
		return 0, err
	}
	defer unlock()
	n, ok := w.NodeInfo(id)
	if !ok {
		return 1, nil
	}
	before := w.patchingOf(n)
	j := &patchJob{World: w, n: n, order: order, units: slices.Clone(before.units), booted: before.booted, started: w.now(), failed: map[*patches.Patch]bool{}}
	if before.report != nil {
		j.last = before.report.head
	}
	_ = w.Tables(func(t *Tables) error {
		j.b, j.cut = w.Snapshot(t, n, order.snapshot)
		if order.tag != nil {
			if b := w.tagged(t, n.OperatingSystem(), *order.tag); b != nil {
				j.b = b
			}
		}
		return nil
	})
	out.begin(j)
	if slices.Contains(w.sc.Patching.Broken, id) {
		out.broken(j)
		return 1, nil
	}
	if err := errors.Join(j.override(), j.readList()); err != nil {
		out.errorf("%v", err)
		return 1, nil
	}
	if order.operation == "Install" {
		if err := j.install(ctx, out); err != nil {
			j.keep(before.report) // what is installed is installed
			return 0, err
		}
		if order.after != nil && !order.after() {
			j.keep(before.report)
			return 1, nil
		}
		if err := j.reboot(ctx, out); err != nil {
			j.keep(before.report)
			return 0, err
		}
	}
	r := j.report()
	j.keep(r)
	out.summary(j, r)
	if len(j.failed) > 0 {
		return 1, nil
	}
	return 0, nil
}

// tagged is the only baseline of the account for a system that has a tag; nil when
// there is none.
func (w *World) tagged(t *Tables, os string, tag Target) *patches.Baseline {
	for _, r := range t.All(KindBaseline) {
		tags, _ := r[tagsMember].(map[string]string)
		if v, ok := tags[tag.Key]; ok && slices.Contains(tag.Values, v) && r["OperatingSystem"] == os {
			return BaselineOf(r)
		}
	}
	return nil
}

// keep makes the outcome that of the node.
func (j *patchJob) keep(r *patchReport) {
	j.patching.mu.Lock()
	defer j.patching.mu.Unlock()
	j.patching.nodes[j.n.ID] = &nodePatching{units: j.units, report: r, booted: j.booted}
}

func (j *patchJob) report() *patchReport {
	r := &patchReport{availableBad: j.b.AvailableNonCompliant}
	r.rows = append(assess(j.units, j.b, j.cut), absent(j.n.Product(), j.units, j.b, j.cut)...)
	for i, row := range r.rows {
		if row.state == patchMissing && j.failed[row.patch] {
			r.rows[i].state = patchFailed
		}
	}
	r.head = PatchState{
		PatchSpec: PatchSpec{Operation: j.order.operation, Group: j.n.PatchGroup(), Baseline: j.b.ID},
		Start:     j.started, End: j.now(), SnapshotID: j.order.snapshot, RebootOption: j.order.reboot, OverrideList: j.order.overrideList,
		CommandID: j.order.command, LastNoReboot: j.last.LastNoReboot,
	}
	if j.order.operation == "Install" && j.order.reboot == "NoReboot" {
		r.head.LastNoReboot = r.head.End
	}
	r.count()
	return r
}

// wanted lists what is to be installed, with the places of its packages.
func (j *patchJob) wanted() (list []wantedPatch) {
	for i, u := range j.units {
		var p *patches.Patch
		switch {
		case j.order.overrideList != "":
			// The list replaces the baseline, whose delays do not count.
			out := u.pkg.Until(j.now())
			for k := len(out) - 1; k >= u.have && p == nil; k-- {
				if slices.ContainsFunc(j.listed, func(l listedPatch) bool { return l.names(out[k]) }) {
					p = out[k]
				}
			}
		default:
			p, _ = u.candidate(j.b, j.cut)
		}
		if p != nil {
			list = append(list, wantedPatch{i, p})
		}
	}
	return list
}

type wantedPatch struct {
	place int
	patch *patches.Patch
}

func (j *patchJob) install(ctx context.Context, out *patchOutput) error {
	list := j.wanted()
	out.plan(j, list)
	for i, want := range list {
		if err := j.wait(ctx, j.sc.Patching.Pace); err != nil {
			return err
		}
		u, needs := &j.units[want.place], j.neededBy(want)
		switch {
		case j.refuses(u, want.patch):
			j.failed[want.patch] = true
			out.failed(j, want.patch)
		case needs != nil && patches.Listed(j.b.Rejected, needs.patch) && j.b.Block:
			out.blocked(want.patch, needs.patch)
		default:
			if needs != nil {
				j.put(*needs)
			}
			j.put(want)
			out.installed(j, want.patch, i+1, len(list))
		}
	}
	return nil
}

// put installs a patch. Until the system has started anew it is pending.
func (j *patchJob) put(want wantedPatch) {
	u := &j.units[want.place]
	if u.have >= want.patch.Seq {
		return // another has brought it along
	}
	u.have, u.at, u.pending = want.patch.Seq, j.now().Truncate(time.Second), true
	if m, ok := j.n.machine.(shell.Patchable); ok && want.patch.KB() == "" {
		version := want.patch.Version()
		if want.patch.Release() != "" {
			version += "-" + want.patch.Release()
		}
		m.Upgrade(want.patch.Package.Name, version)
	}
}

// neededBy is the newer release that a patch brings along: that of the package
// which must not be older.
func (j *patchJob) neededBy(want wantedPatch) *wantedPatch {
	name := want.patch.Package.Needs
	if name == "" {
		return nil
	}
	i := slices.IndexFunc(j.units, func(u unit) bool { return u.pkg.Name == name })
	if i < 0 {
		return nil
	}
	if out := j.units[i].pkg.Until(want.patch.Released); len(out) > j.units[i].have {
		return &wantedPatch{i, out[len(out)-1]}
	}
	return nil
}

func (j *patchJob) refuses(u *unit, p *patches.Patch) bool {
	if u.fails || patches.Listed(j.sc.Patching.Fail, p) {
		return true
	}
	return int(spread(j.n.ID+p.Key())%100) < j.sc.Patching.FailPercent
}

// wait lets time go by, in which the run can be stopped.
func (j *patchJob) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reboot starts the system anew when something was installed, or waits for it
// since an earlier time, and the order allows it (User Guide, "RebootOption").
func (j *patchJob) reboot(ctx context.Context, out *patchOutput) error {
	pending := slices.ContainsFunc(j.units, func(u unit) bool { return u.pending })
	if j.order.reboot == "NoReboot" || !pending {
		return nil
	}
	out.rebooting(j)
	j.SetPing(j.n.ID, PingLost)
	err := j.wait(ctx, *j.sc.Patching.Reboot)
	j.SetPing(j.n.ID, PingOnline) // it comes back even when nobody waits for it
	j.booted = j.now()
	if m, ok := j.n.machine.(shell.Patchable); ok {
		m.Restart(j.booted)
	}
	for i := range j.units {
		j.units[i].pending = false
	}
	out.rebooted(j)
	return err
}
