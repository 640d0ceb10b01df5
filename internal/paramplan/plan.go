package paramplan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// What an action does. The words are part of the output contract.
const (
	DoCreate   = "create"
	DoUpdate   = "update"
	DoReplace  = "replace"  // removed and made again: a type cannot be changed
	DoDelete   = "delete"   // only with Prune
	DoAdopt    = "adopt"    // it is so already; the state does not know it yet
	DoForget   = "forget"   // it is in no file and not there; the state lets it go
	DoKeep     = "keep"     // it was applied, is in no file any more, and stays without Prune
	DoConflict = "conflict" // somebody else has changed it, or what is asked for is impossible: Why
	DoSame     = "same"     // not in Plan.Actions: only counted
)

// The fields of a Difference.
const (
	FieldValue          = "value"
	FieldType           = "type"
	FieldTier           = "tier"
	FieldKey            = "key"
	FieldDataType       = "data_type"
	FieldDescription    = "description"
	FieldAllowedPattern = "allowed_pattern"
	FieldPolicies       = "policies"
	FieldTags           = "tags." // with the key behind it
)

// Difference is one field of a parameter that an action changes. Values are in Old and
// New only after Plan.Reveal. The JSON names are part of the output contract.
type Difference struct {
	Field string `json:"field"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// Action is what is done to one parameter. Status and Error are there when it was
// applied: "done", "failed", "not tried". The JSON names are part of the output
// contract.
type Action struct {
	Do   string `json:"do"`
	Name string `json:"name"`
	Type string `json:"type,omitempty"` // as it will be
	// Version is what is there; 0 for nothing. It is what the write is held against.
	Version int64 `json:"version,omitempty"`
	// Changes are the fields that change, of one that is made those that are managed.
	Changes []Difference `json:"changes,omitempty"`
	// Advanced says that this makes an advanced parameter, which costs money, of one
	// that is none, or of nothing.
	Advanced bool   `json:"becomes_advanced,omitempty"`
	Why      string `json:"why,omitempty"` // of a conflict
	// Warning is what is strange about what is written; no value is in it.
	Warning string `json:"warning,omitempty"`
	At      string `json:"at,omitempty"` // FILE:LINE
	Status  string `json:"status,omitempty"`
	// Written is the version that the write made.
	Written int64  `json:"written_version,omitempty"`
	Note    string `json:"note,omitempty"` // what was strange about a write that was done
	Error   string `json:"error,omitempty"`

	want Desired
	have parameter.Parameter // Version 0: not there
	// change is what is sent; nil when only tags change.
	change *parameter.Change
	tags   map[string]string // that are added or changed
	cause  error             // of Error
}

// writes reports whether the action changes something in the account.
func (a *Action) writes() bool {
	return a.Do == DoCreate || a.Do == DoUpdate || a.Do == DoReplace || a.Do == DoDelete
}

// Collided reports whether the write made another version than the next: somebody wrote
// between the last look and it.
func (a *Action) Collided() bool {
	return a.Do == DoUpdate && a.Written > 0 && a.Written != a.Version+1
}

// Plan is what has to be done, in the order in which it is shown: by name.
type Plan struct {
	Actions []*Action
	Same    int // parameters that are as they shall be
}

// Pending counts the actions that change something in the account.
func (p *Plan) Pending() int { return p.Count(DoCreate, DoUpdate, DoReplace, DoDelete) }

// Count counts the actions that do one of these.
func (p *Plan) Count(do ...string) int {
	n := 0
	for _, a := range p.Actions {
		if slices.Contains(do, a.Do) {
			n++
		}
	}
	return n
}

// BecomeAdvanced counts the parameters that are made advanced.
func (p *Plan) BecomeAdvanced() int {
	n := 0
	for _, a := range p.Actions {
		if a.Advanced && a.writes() {
			n++
		}
	}
	return n
}

// Reveal puts values into the differences, those of SecureStrings too: for who asked to
// see them.
func (p *Plan) Reveal() {
	for _, a := range p.Actions {
		for i, d := range a.Changes {
			if d.Field == FieldValue {
				a.Changes[i].Old = a.have.Value
				if a.change != nil {
					a.Changes[i].New = a.change.Value
				}
			}
		}
	}
}

// Warn marks what is written with a value that has one of words in it.
func (p *Plan) Warn(words []string) {
	for _, a := range p.Actions {
		if !a.writes() || a.change == nil {
			continue
		}
		if w := Mentions(a.change.Value, words); w != "" {
			a.Warning = fmt.Sprintf("its value mentions %s, of the environment that it comes from", w)
		}
	}
}

// Options say how a plan is made.
type Options struct {
	// State is what was last applied. Without it nobody is in the way: what differs is
	// updated.
	State *State
	// Of says whether a parameter of the state that is not wanted any more was in the
	// files that are looked at; nil: all were.
	Of func(file string) bool
	// Prune deletes what the state knows and no file has, and with Below what is there
	// below a path.
	Prune bool
	Below string
	// AcceptDrift writes over what somebody else has changed.
	AcceptDrift bool
	// Replace removes and makes again what cannot be changed in place.
	Replace bool
	// MissingOnly leaves alone what is there.
	MissingOnly bool
	// Keeps says which parameters are meant; nil: all.
	Keeps func(name string) bool
}

// Make compares desired with live and says what has to be done. Nothing is read or
// written. desired has each name once.
func Make(desired []Desired, live Live, o Options) *Plan {
	p := &Plan{}
	wanted := make(map[string]bool, len(desired))
	for _, d := range desired {
		wanted[d.Name] = true
		if o.Keeps != nil && !o.Keeps(d.Name) {
			continue
		}
		a := decide(d, live, o)
		if a.Do == DoSame {
			p.Same++
			continue
		}
		p.Actions = append(p.Actions, a)
	}
	gone := map[string]bool{}
	if o.State != nil {
		for name, applied := range o.State.Parameters {
			if o.Of == nil || o.Of(applied.File) {
				gone[name] = true
			}
		}
	}
	if o.Below != "" && o.Prune {
		for name := range live.Parameters {
			if Below(o.Below, name) {
				gone[name] = true
			}
		}
	}
	for name := range gone {
		if wanted[name] || o.Keeps != nil && !o.Keeps(name) {
			continue
		}
		p.Actions = append(p.Actions, removal(name, live, o))
	}
	slices.SortStableFunc(p.Actions, func(a, b *Action) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// Below reports whether a name is in the hierarchy below a path; "/" has all.
func Below(dir, name string) bool {
	return dir == "/" || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// removal is what becomes of a parameter that is in no file any more.
func removal(name string, live Live, o Options) *Action {
	have, there := live.Parameters[name]
	a := &Action{Name: name, Type: have.Type, Version: have.Version, have: have}
	var applied Applied
	known := false
	if o.State != nil {
		applied, known = o.State.Parameters[name]
	}
	switch {
	case !there:
		a.Do = DoForget
	case !o.Prune:
		a.Do = DoKeep
	case known && applied.Version != have.Version && !o.AcceptDrift:
		a.conflict("it is in no file, and not deleted: %s", applied.drift(have.Version))
	default:
		a.Do = DoDelete
	}
	return a
}

// conflict makes the action one that nothing is done about.
func (a *Action) conflict(format string, args ...any) {
	a.Do, a.Why = DoConflict, fmt.Sprintf(format, args...)
}
