package world

import (
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// The states of a patch on a node (API reference, PatchComplianceData).
const (
	patchInstalled     = "INSTALLED"
	patchOther         = "INSTALLED_OTHER"
	patchRejected      = "INSTALLED_REJECTED"
	patchPending       = "INSTALLED_PENDING_REBOOT"
	patchMissing       = "MISSING"
	patchFailed        = "FAILED"
	patchNotApplicable = "NOT_APPLICABLE"
	patchAvailable     = "AVAILABLE_SECURITY_UPDATE"
)

// unit is a package as a node has it: the truth, of which a scan makes a report.
type unit struct {
	pkg     *patches.Package
	have    int       // Seq of the release that is installed; 0: none
	at      time.Time // when that was
	pending bool      // the system has not started since
	fails   bool      // it cannot be installed
}

// installed is the release that a node has; nil for none.
func (u unit) installed() *patches.Patch {
	if u.have == 0 {
		return nil
	}
	return u.pkg.Releases()[u.have-1]
}

// patchRow is a patch in a report.
type patchRow struct {
	patch *patches.Patch
	state string
	level string // of compliance, as the baseline sets it
	at    time.Time
}

// candidate is the newest release that is not installed, was out at cut and is
// approved.
func (u unit) candidate(b *patches.Baseline, cut time.Time) (*patches.Patch, patches.Decision) {
	out := u.pkg.Until(cut)
	for i := len(out) - 1; i >= u.have; i-- {
		if d := b.Decide(out[i], cut); d.OK() {
			return out[i], d
		}
	}
	return nil, patches.Decision{}
}

// assess makes the rows of a scan: what the baseline, as it is at cut, says about
// the packages of a node.
func assess(units []unit, b *patches.Baseline, cut time.Time) []patchRow {
	rows := make([]patchRow, 0, len(units)+4)
	for _, u := range units {
		have := u.installed()
		p, d := u.candidate(b, cut)
		switch {
		case p != nil:
			rows = append(rows, patchRow{p, patchMissing, d.Level, time.Time{}})
			continue
		case have != nil:
			state, level := stateOf(u, b.Decide(have, cut), b)
			rows = append(rows, patchRow{have, state, level, u.at})
		}
		if b.System != patches.Windows {
			continue
		}
		out := u.pkg.Until(cut)
		for i := len(out) - 1; i >= u.have; i-- {
			if out[i].Security && b.Decide(out[i], cut).Status != patches.ExplicitRejected {
				rows = append(rows, patchRow{out[i], patchAvailable, levelOther, time.Time{}})
				break
			}
		}
	}
	return rows
}

const (
	levelOther    = "UNSPECIFIED"
	levelCritical = "CRITICAL"
)

// stateOf is the state of a patch that is installed.
func stateOf(u unit, d patches.Decision, b *patches.Baseline) (state, level string) {
	switch {
	case d.Status == patches.ExplicitRejected && b.Block:
		return patchRejected, levelOr(d.Level)
	case d.Status == patches.ExplicitRejected:
		return patchOther, levelOther
	case u.pending:
		return patchPending, levelOr(d.Level)
	case d.OK():
		return patchInstalled, levelOr(d.Level)
	}
	return patchOther, levelOther
}

func levelOr(s string) string {
	fill(&s, levelOther)
	return s
}

// mostAbsent bounds the rows about what a node does not have.
const mostAbsent = 12

// absent are the rows about approved patches of packages that a node does not have.
func absent(product *patches.Product, units []unit, b *patches.Baseline, cut time.Time) []patchRow {
	var rows []patchRow
	i := 0 // units are in the order of packages, as far as they are of them
	for _, q := range product.Packages() {
		if len(rows) == mostAbsent {
			break
		}
		if i < len(units) && units[i].pkg == q {
			i++
			continue
		}
		if slices.ContainsFunc(units[min(i, len(units)):], func(u unit) bool { return u.pkg == q }) {
			continue
		}
		if p, d := (unit{pkg: q}).candidate(b, cut); p != nil {
			rows = append(rows, patchRow{p, patchNotApplicable, levelOr(d.Level), time.Time{}})
		}
	}
	return rows
}

// lag is how many days before the start of the world a node was patched: most of
// them lately, a few very long ago.
func lag(seed uint32) int {
	switch n := int(seed % 100); {
	case n < 60:
		return int(seed / 100 % 20)
	case n < 85:
		return 20 + int(seed/100%25)
	case n < 97:
		return 45 + int(seed/100%75)
	}
	return 120 + int(seed/100%180)
}

// stale is how many nights ago a node was scanned for the last time: last night,
// but for some; never before it was patched.
func stale(id string) int {
	seed, nights := spread(id), 0
	switch n := int(spread(id+" scan") % 100); {
	case n >= 92:
		nights = n%25 + 10
	case n >= 80:
		nights = n%5 + 2
	}
	return max(0, min(nights, lag(seed)-2))
}

// firstUnits is what a node has at the start of the world when its scenario does
// not say. It depends on the node's id, its system and the time.
func firstUnits(id string, product *patches.Product, started time.Time) []unit {
	seed := spread(id)
	patched := started.Add(-time.Duration(lag(seed))*24*time.Hour - time.Duration(seed%9)*time.Hour)
	var units []unit
	for i, q := range product.Packages() {
		mark := spread(q.Name + id)
		if !q.Essential && mark%3 == 0 {
			continue
		}
		until := patched
		if mark%29 == 0 {
			until = patched.Add(-time.Duration(20+mark%60) * 24 * time.Hour) // held back
		}
		out := q.Until(until)
		u := unit{pkg: q, have: len(out)}
		switch {
		case len(out) == 0 && len(q.Until(started)) == 0:
			continue // nobody has it yet
		case len(out) > 0:
			// Every four weeks somebody patched.
			months := int(patched.Sub(out[len(out)-1].Released) / (28 * 24 * time.Hour))
			u.at = patched.Add(-time.Duration(months)*28*24*time.Hour + time.Duration(i)*7*time.Second).Truncate(time.Second)
			u.pending = seed%25 == 3 && months == 0 && out[len(out)-1].Boots()
		}
		units = append(units, u)
	}
	return units
}
