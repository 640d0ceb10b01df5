package world

import (
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// mostExtra is how many packages beyond those of its product a node is given for
// the counts of its scenario.
const mostExtra = 2000

// caster finds packages for the counts of a scenario: each stands for one patch in
// the state that is wanted, so that a scan finds the same again as long as neither
// time nor baseline has changed.
type caster struct {
	product *patches.Product
	b       *patches.Baseline
	cut     time.Time
	used    map[*patches.Package]bool
	extras  int // looked at so far
}

// role is what a package is to stand for.
type role struct{ newest, approved *patches.Patch }

func (c *caster) roleOf(q *patches.Package) (r role, ok bool) {
	out := q.Until(c.cut)
	if c.used[q] || len(out) == 0 {
		return r, false
	}
	r.newest = out[len(out)-1]
	r.approved, _ = unit{pkg: q}.candidate(c.b, c.cut)
	return r, true
}

// cast takes the first package that fits best: fits is asked with less and less to
// wish for.
func (c *caster) cast(fits ...func(role) bool) (role, bool) {
	for _, fit := range fits {
		for _, q := range c.product.Packages() {
			if r, ok := c.roleOf(q); ok && fit(r) {
				c.used[q] = true
				return r, true
			}
		}
		for i := range min(c.extras+64, mostExtra) {
			q := c.product.Extra(i)
			if r, ok := c.roleOf(q); ok && fit(r) {
				c.used[q], c.extras = true, max(c.extras, i+1)
				return r, true
			}
		}
	}
	return role{}, false
}

// specified makes what a node has, and the report of its last scan, of the counts
// of its scenario.
func specified(s PatchSpec, product *patches.Product, b *patches.Baseline, end time.Time) (units []unit, rows []patchRow) {
	c := &caster{product: product, b: b, cut: end, used: map[*patches.Package]bool{}}
	// replaces: there is an older release to have instead, or the update replaces none.
	replaces := func(p *patches.Patch) bool { return p != nil && (p.Seq > 1 || len(p.Package.Releases()) == 1) }
	either := func(r role) bool { return replaces(r.newest) }
	wanted := func(i int) []func(role) bool {
		kind := func(want func(p *patches.Patch) bool) []func(role) bool {
			return []func(role) bool{
				func(r role) bool { return r.approved != nil && replaces(r.approved) && want(r.approved) },
				func(r role) bool { return replaces(r.approved) && r.approved.Security == (i < s.Critical+s.Security) },
				func(r role) bool { return r.approved == nil && replaces(r.newest) && want(r.newest) },
				either,
			}
		}
		switch {
		case i < s.Critical:
			return kind(func(p *patches.Patch) bool { return p.Security && p.Rank == 0 })
		case i < s.Critical+s.Security:
			return kind(func(p *patches.Patch) bool { return p.Security && p.Rank > 0 })
		}
		return kind(func(p *patches.Patch) bool { return !p.Security })
	}
	bad := 0
	add := func(state string, n int) {
		for range n {
			r, ok := c.cast(wanted(bad)...)
			if !ok {
				return
			}
			p := r.approved
			if p == nil {
				p = r.newest
			}
			level := c.level(p, bad < s.Critical)
			bad++
			u := unit{pkg: p.Package, have: p.Seq}
			row := patchRow{patch: p, state: state, level: level}
			switch state {
			case patchMissing, patchFailed:
				u.have, u.fails = p.Seq-1, state == patchFailed
			default:
				u.at = end.Add(-time.Duration(bad) * time.Minute)
				u.pending, row.at = state == patchPending, u.at
			}
			if older := u.installed(); older != nil && u.at.IsZero() {
				u.at = installedAt(older, end)
			}
			units, rows = append(units, u), append(rows, row)
		}
	}
	add(patchMissing, s.Missing)
	add(patchFailed, s.Failed)
	add(patchPending, s.PendingReboot)
	add(patchRejected, s.Rejected)
	good := func(state string, n int, choose func(role) *patches.Patch, fits ...func(role) bool) {
		for range n {
			r, ok := c.cast(fits...)
			if !ok {
				return
			}
			p := choose(r)
			at := installedAt(p, end)
			units = append(units, unit{pkg: p.Package, have: p.Seq, at: at})
			rows = append(rows, patchRow{patch: p, state: state, level: c.level(p, false), at: at})
		}
	}
	newest := func(r role) *patches.Patch { return r.newest }
	approved := func(r role) *patches.Patch {
		if r.approved != nil {
			return r.approved
		}
		return r.newest
	}
	good(patchOther, s.Other, newest, func(r role) bool { return r.approved != r.newest }, func(role) bool { return true })
	good(patchInstalled, s.Installed, approved, func(r role) bool { return r.approved != nil }, func(role) bool { return true })
	for range s.NotApplicable {
		r, ok := c.cast(func(r role) bool { return r.approved != nil }, func(role) bool { return true })
		if !ok {
			break
		}
		rows = append(rows, patchRow{patch: approved(r), state: patchNotApplicable, level: levelOther})
	}
	return units, rows
}

// installedAt is when a patch of a node of the scenario was installed: soon after it
// came out.
func installedAt(p *patches.Patch, end time.Time) time.Time {
	at := p.Released.Add(9 * 24 * time.Hour).Truncate(time.Second)
	if at.After(end) {
		return end.Add(-time.Hour)
	}
	return at
}

// level is the compliance level of a patch; critical where the scenario counts it
// so.
func (c *caster) level(p *patches.Patch, critical bool) string {
	if critical {
		return levelCritical
	}
	if d := c.b.Decide(p, c.cut); d.Level != "" && d.Level != levelCritical {
		return d.Level
	}
	return levelOther
}
