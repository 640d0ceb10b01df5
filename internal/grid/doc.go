// Package grid asks several accounts and Regions at once. A Spec says which; Open
// finds the scopes, each with a client, a pace and a meter of its own; Gather runs
// a list in all of them.
//
// Its rule is that nothing is missing silently: a scope that cannot be opened, or
// whose list breaks off, never stops the others and is in the *Incomplete that
// ends the answer.
package grid

import (
	"cmp"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Place is one account and Region. The JSON names are part of the output
// contract.
type Place struct {
	Profile string `json:"profile,omitempty"` // only where several were asked for
	Account string `json:"account"`           // empty when STS did not say
	Region  string `json:"region"`            // empty for an account as a whole
}

// Who is the account, or the profile where STS did not say.
func (p Place) Who() string { return cmp.Or(p.Account, p.Profile) }

// String is the place as people read it: "222222222222 eu-west-1".
func (p Place) String() string {
	who := p.Who()
	switch {
	case who == "":
		return p.Region
	case p.Region == "":
		return who
	}
	return who + " " + p.Region
}

// Cell is one scope of a grid.
type Cell struct {
	Place
	Scope *awsapi.Scope
}

// Grid is what a Spec came to.
type Grid struct {
	Cells    []Cell // sorted by account, then Region as named, else by name
	Failures []Failure
	Parallel int // scopes that are asked at a time
}
