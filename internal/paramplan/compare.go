package paramplan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

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
		case d.Value == nil && !d.Unread:
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
	case len(a.Changes) == 0 && d.Unread && applied.Version > 0 && applied.Version != have.Version:
		a.conflict("%s; its value was not compared", applied.drift(have.Version))
	case len(a.Changes) == 0 && d.Unread:
		a.Do = DoSame
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
		if !a.writes() || a.change == nil || a.want.Unread {
			continue
		}
		faults = append(faults, a.want.faults(parameter.CheckChange(*a.change, a.current()))...)
	}
	return faults
}

// CheckDesired returns what the service would refuse whatever is there, before anything
// is read. keeps says which parameters are meant; nil: all.
func CheckDesired(desired []Desired, keeps func(name string) bool) (faults []error) {
	for _, d := range desired {
		if keeps != nil && !keeps(d.Name) {
			continue
		}
		a := Action{}
		a.create(d)
		c, check := *a.change, parameter.CheckChange
		if c.Type = d.Type; c.Type == "" { // that of what is there, which may be encrypted
			c.KeyID = d.KeyID
		}
		if d.Value == nil {
			check = parameter.CheckFields
		}
		faults = append(faults, d.faults(check(c, parameter.Unknown))...)
	}
	return faults
}

// faults are errors with the place where the parameter is written.
func (d Desired) faults(errs []error) (faults []error) {
	for _, err := range errs {
		faults = append(faults, fault.New(fault.Usage, "", "%s: %w", d.where(), err).WithHint("%s", fault.HintOf(err)))
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
	if d.DataType != parameter.TextData { // what it is anyway
		set(FieldDataType, d.DataType)
	}
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
	c := parameter.Change{Name: d.Name, Value: have.Value, Policies: parameter.PoliciesOf(have.Policies), Overwrite: true}.Keeping(have)
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
	case d.Tier != "":
		c.Tier = d.Tier
	}
	if c.KeyID = ""; c.Type == parameter.SecureString {
		c.KeyID = have.KeyID
		if d.KeyID != "" && (have.Type != c.Type || !parameter.SameKey(d.KeyID, have.KeyID)) {
			c.KeyID = d.KeyID
			a.differ(FieldKey, have.KeyID, d.KeyID)
		}
	}
	if d.DataType != "" && d.DataType != have.DataType && (d.DataType != parameter.TextData || have.DataType != "") {
		c.DataType = d.DataType
		a.differ(FieldDataType, have.DataType, d.DataType)
	}
	if d.Description != nil && *d.Description != have.Description {
		c.Description, c.ClearDescription = *d.Description, *d.Description == ""
		a.differ(FieldDescription, have.Description, c.Description)
	}
	if d.AllowedPattern != nil && *d.AllowedPattern != have.AllowedPattern {
		c.AllowedPattern, c.ClearPattern = *d.AllowedPattern, *d.AllowedPattern == ""
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
			c.Overwrite, c.Replaces = false, 0
			c.Tags = d.Tags // Complete adds those that are not managed
		}
		a.change = &c
		a.Advanced = parameter.TierFor(c, a.current()) == parameter.Advanced && have.Tier != parameter.Advanced
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
