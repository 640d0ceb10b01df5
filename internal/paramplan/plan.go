package paramplan

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
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

// decide compares one parameter with what is there.
func decide(d Desired, live Live, o Options) *Action {
	have, there := live.Parameters[d.Name]
	a := &Action{Name: d.Name, Version: have.Version, At: d.At, want: d, have: have}
	var applied Applied
	known := false
	if o.State != nil {
		applied, known = o.State.Parameters[d.Name]
	}
	if why := live.Unstable[d.Name]; why != "" {
		a.conflict("%s", why)
		return a
	}
	if !there {
		a.create(d)
		switch {
		case d.Value == nil:
			a.conflict("its value is to be the one that is there, and it is not there")
		case applied.Version > 0 && !o.AcceptDrift:
			a.conflict("version %d was applied, and it has been deleted by somebody else", applied.Version)
		}
		return a
	}
	if o.MissingOnly {
		a.Do = DoSame
		return a
	}
	a.compare(d, live.Tagged)
	switch {
	case len(a.Changes) == 0 && o.State != nil && (applied.Version != have.Version || applied.Pending || applied.File != d.File):
		a.Do = DoAdopt
	case len(a.Changes) == 0:
		a.Do = DoSame
	case a.Do == DoReplace && !o.Replace:
		a.conflict("%s", a.irreplaceable())
	case a.Do == DoReplace && d.Value == nil:
		a.conflict("%s, and its value is not known here", a.irreplaceable())
	case o.State == nil || o.AcceptDrift || a.onlyTags():
	case !known:
		a.conflict("it is there with other content, and was never applied from these files")
	case applied.Version != have.Version:
		a.conflict("%s", applied.drift(have.Version))
	}
	return a
}

// drift says what is wrong with a version that is not the one that was applied.
func (ap Applied) drift(version int64) string {
	switch {
	case ap.Pending && ap.Version == 0:
		return fmt.Sprintf("version %d is there: a run that was cut off has made it, or somebody else", version)
	case ap.Pending && version == ap.Version+1:
		return fmt.Sprintf("version %d was applied, and %d is there: a run that was cut off has written it, or somebody else", ap.Version, version)
	}
	return fmt.Sprintf("version %d was applied, and %d is there: somebody else has changed it", ap.Version, version)
}

// onlyTags reports whether nothing of the version changes: of tags nobody knows who
// changed them.
func (a *Action) onlyTags() bool { return a.change == nil }

// current is what the write is made over; nil for what is made, or made again.
func (a *Action) current() *parameter.Parameter {
	if a.Do == DoCreate || a.Do == DoReplace {
		return nil
	}
	return &a.have
}

// Check holds everything that would be written against the rules of the service, and
// returns all that it would refuse, each with the place where it is written.
func (p *Plan) Check() (faults []error) {
	for _, a := range p.Actions {
		if !a.writes() || a.change == nil {
			continue
		}
		for _, err := range parameter.CheckChange(*a.change, a.current()) {
			faults = append(faults, fault.New(fault.Usage, "", "%s: %w", a.want.where(), err).WithHint("%s", fault.HintOf(err)))
		}
	}
	return faults
}

// irreplaceable says why it cannot be changed in place.
func (a *Action) irreplaceable() string {
	for _, d := range a.Changes {
		if d.Field == FieldType {
			return fmt.Sprintf("the type of a parameter cannot be changed: it is %s, and is to be %s", d.Old, d.New)
		}
	}
	return "an advanced parameter cannot become a standard one again"
}

// create is the action that makes the parameter.
func (a *Action) create(d Desired) {
	a.Do = DoCreate
	c := parameter.Change{Name: d.Name, Type: d.Type, Tier: d.Tier, DataType: d.DataType, Tags: d.Tags}
	if c.Type == "" {
		c.Type = parameter.String
	}
	a.Type = c.Type
	if c.Type == parameter.SecureString {
		c.KeyID = d.KeyID
	}
	if d.Value != nil {
		c.Value = *d.Value
	}
	a.differ(FieldValue, "", "")
	set := func(field, v string) {
		if v != "" {
			a.differ(field, "", v)
		}
	}
	set(FieldTier, d.Tier)
	set(FieldKey, c.KeyID)
	set(FieldDataType, d.DataType)
	if d.Description != nil {
		c.Description = *d.Description
		set(FieldDescription, c.Description)
	}
	if d.AllowedPattern != nil {
		c.AllowedPattern = *d.AllowedPattern
		set(FieldAllowedPattern, c.AllowedPattern)
	}
	if d.Policies != nil && !samePolicies(*d.Policies, "[]") {
		c.Policies = *d.Policies
		set(FieldPolicies, c.Policies)
	}
	for _, k := range slices.Sorted(maps.Keys(d.Tags)) {
		a.differ(FieldTags+k, "", d.Tags[k])
	}
	a.change = &c
	a.Advanced = parameter.TierFor(c, nil) == parameter.Advanced
}

func (a *Action) differ(field, old, new string) {
	a.Changes = append(a.Changes, Difference{field, old, new})
}

// compare finds the differences to a parameter that is there, and what is sent for
// them. The service makes a new version of what it is sent and drops the rest, so that
// what is not managed is sent again as it is.
func (a *Action) compare(d Desired, tagged map[Tag]map[string]bool) {
	have := a.have
	c := parameter.Change{
		Name: d.Name, Type: have.Type, Value: have.Value, Description: have.Description, AllowedPattern: have.AllowedPattern,
		DataType: have.DataType, Overwrite: true,
	}
	c.Policies = parameter.PoliciesOf(have.Policies)
	a.Do, a.Type = DoUpdate, have.Type
	if d.Type != "" && d.Type != have.Type {
		a.Do, a.Type, c.Type = DoReplace, d.Type, d.Type
		a.differ(FieldType, have.Type, d.Type)
	}
	if d.Value != nil && *d.Value != have.Value {
		c.Value = *d.Value
		a.differ(FieldValue, "", "")
	}
	switch {
	case d.Tier == parameter.Standard && have.Tier == parameter.Advanced:
		a.Do, c.Tier = DoReplace, d.Tier
		a.differ(FieldTier, have.Tier, d.Tier)
	case d.Tier == parameter.Advanced && have.Tier != parameter.Advanced:
		c.Tier = d.Tier
		a.differ(FieldTier, have.Tier, d.Tier)
	default:
		c.Tier = d.Tier
	}
	if c.Type == parameter.SecureString {
		c.KeyID = have.KeyID
		if d.KeyID != "" && (have.Type != c.Type || !sameKey(d.KeyID, have.KeyID)) {
			c.KeyID = d.KeyID
			a.differ(FieldKey, have.KeyID, d.KeyID)
		}
	}
	if d.DataType != "" && d.DataType != have.DataType && (d.DataType != "text" || have.DataType != "") {
		c.DataType = d.DataType
		a.differ(FieldDataType, have.DataType, d.DataType)
	}
	if d.Description != nil && *d.Description != have.Description {
		c.Description = *d.Description
		a.differ(FieldDescription, have.Description, c.Description)
	}
	if d.AllowedPattern != nil && *d.AllowedPattern != have.AllowedPattern {
		c.AllowedPattern = *d.AllowedPattern
		a.differ(FieldAllowedPattern, have.AllowedPattern, c.AllowedPattern)
	}
	if old := policiesJSON(have.Policies); d.Policies != nil && !samePolicies(*d.Policies, old) {
		c.Policies = *d.Policies
		if samePolicies(c.Policies, "[]") {
			c.Policies = parameter.NoPolicies
		}
		a.differ(FieldPolicies, old, *d.Policies)
	}
	if len(a.Changes) > 0 {
		if a.Do == DoReplace {
			c.Overwrite = false
			c.Tags = d.Tags
		}
		a.change = &c
		a.Advanced = parameter.TierFor(c, a.current()) == parameter.Advanced && (have.Tier != parameter.Advanced || a.Do == DoReplace)
	}
	for _, k := range slices.Sorted(maps.Keys(d.Tags)) {
		if !tagged[Tag{k, d.Tags[k]}][d.Name] {
			a.differ(FieldTags+k, "", d.Tags[k])
			if a.tags == nil {
				a.tags = map[string]string{}
			}
			a.tags[k] = d.Tags[k]
		}
	}
}

// Glob makes a test for names of words as --only takes them: a name, a path with
// everything below it, or a pattern in which * stands for what has no slash, held
// against the whole name, or against its end when it has no slash in front.
func Glob(words []string) (func(name string) bool, error) {
	for _, w := range words {
		if _, err := path.Match(w, ""); err != nil {
			return nil, fmt.Errorf("%q is no pattern for names: %w", w, err)
		}
	}
	return func(name string) bool {
		return slices.ContainsFunc(words, func(w string) bool {
			if strings.HasPrefix(w, "/") {
				ok, _ := path.Match(w, name)
				return ok || Below(w, name)
			}
			for rest := name; ; {
				if ok, _ := path.Match(w, rest); ok {
					return true
				}
				i := strings.IndexByte(rest, '/')
				if i < 0 {
					return false
				}
				rest = rest[i+1:]
			}
		})
	}, nil
}
