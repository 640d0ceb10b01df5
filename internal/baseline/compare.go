package baseline

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pkgversion"
)

// Change is a patch of which two baselines decide differently.
type Change struct {
	Patch
	Before Decision `json:"before"`
	After  Decision `json:"after"`
}

// Starts and Stops report whether the patch begins or ceases to be approved.
func (c Change) Starts() bool { return !c.Before.Wanted() && c.After.Wanted() }

// Stops is the other way.
func (c Change) Stops() bool { return c.Before.Wanted() && !c.After.Wanted() }

// Compare decides every patch by both baselines at the time now, and returns those
// that start or stop being approved. Patches of which one baseline cannot tell are
// in unknown.
func Compare(before, after *Baseline, patches []Patch, now time.Time) (changes []Change, unknown int) {
	for _, p := range patches {
		c := Change{p, Decide(before, p, now), Decide(after, p, now)}
		switch {
		case c.Before.Outcome == Unknown || c.After.Outcome == Unknown:
			if c.Before.Outcome != c.After.Outcome || c.Before.Why != c.After.Why {
				unknown++
			}
		case c.Starts() || c.Stops():
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Or(b.Released.Compare(a.Released), cmp.Compare(a.Key(), b.Key()), cmp.Compare(a.Product, b.Product))
	})
	return changes, unknown
}

// OnNode is what a node has of patches: by id, as its last scan noted them.
type OnNode map[string]NodePatch

// NodePatch is a patch of a node and its state, such as MISSING or INSTALLED.
type NodePatch struct {
	Patch
	State string
}

// Asked reports whether the node's baseline wants the patch there and it is not.
func (x NodePatch) Asked() bool { return x.State == "MISSING" || x.State == "FAILED" }

// Open reports whether the patch could be installed.
func (x NodePatch) Open() bool { return x.Asked() || x.State == "AVAILABLE_SECURITY_UPDATE" }

// Add notes a patch. Of several with one id, such as kernels, that counts which is
// asked for.
func (n OnNode) Add(x NodePatch) {
	if had, ok := n[x.ID]; !ok || !had.Asked() {
		n[x.ID] = x
	}
}

// Concerns reports whether a change of the catalogue concerns a node: whether what
// starts is neither there nor asked for yet, in this version or a newer one, and what
// stops is asked for now. A package of Linux that the scan did not list is not on the
// node. Of Windows a scan lists the security updates that apply, approved or not; only
// what was released after since may be missing there and not be listed.
func (c Change) Concerns(os string, n OnNode, since time.Time) bool {
	have, listed := n[c.ID]
	f := familyOf(os)
	switch {
	case c.Stops():
		return have.Asked() && (have.Version == "" || have.Key() == c.Key())
	case f == windows && listed:
		return have.Open()
	case f == windows:
		return c.Classification != "SecurityUpdates" || c.Released.After(since)
	case !listed, have.State == "NOT_APPLICABLE":
		return false
	case have.Key() == c.Key():
		return have.Asked()
	}
	return have.Version == "" || c.Version == "" || have.olderThan(c.Patch, f)
}

// Downgrades reports whether what starts is older than what the node lacks: whether
// it will be asked for in its place depends on what is installed, which scans do not
// tell.
func (c Change) Downgrades(os string, n OnNode) bool {
	have := n[c.ID]
	return c.Starts() && have.Asked() && c.Version != "" && c.olderThan(have.Patch, familyOf(os))
}

// olderThan compares the versions of two packages.
func (p Patch) olderThan(q Patch, f family) bool {
	scheme := pkgversion.RPM
	if f == deb {
		scheme = pkgversion.Deb
	}
	version := func(x Patch) pkgversion.Version {
		return pkgversion.Parse(scheme, fmt.Sprintf("%d:%s-%s", x.Epoch, x.Version, x.Release))
	}
	return pkgversion.Compare(scheme, version(p), version(q)) < 0
}
