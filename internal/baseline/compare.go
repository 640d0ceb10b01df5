package baseline

import (
	"cmp"
	"slices"
	"time"
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

// Concerns reports whether a change of the catalogue concerns a node: whether what
// starts is not there yet, in this version or a newer one, and what stops is asked for
// now. catalogue has the patches of the node's product by id. A package of Linux that
// the scan did not list is not on the node.
func (c Change) Concerns(os string, n OnNode, catalogue map[string][]Patch) bool {
	have, listed := n[c.ID]
	asked := have.State == "MISSING" || have.State == "FAILED"
	if c.Stops() {
		return asked && (have.Version == "" || have.Key() == c.Key())
	}
	switch {
	case os == "WINDOWS":
		// What a scan does not list was not applicable, or not known to it.
		return have.State == "AVAILABLE_SECURITY_UPDATE" || !listed
	case !listed, have.State == "NOT_APPLICABLE":
		return false
	case asked:
		return true
	}
	if have.Key() == c.Key() {
		return false
	}
	for _, p := range catalogue[c.ID] {
		if p.Key() == have.Key() {
			return p.Released.Before(c.Released)
		}
	}
	return true // an older version than the catalogue has
}
