package paramplan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// PlanKind marks a file with a plan.
const PlanKind = "ssmdeck-parameter-plan"

// Saved is a plan that was looked at and is applied later, only as it is. There are
// versions in it and no values. The JSON names are part of the output contract.
type Saved struct {
	Kind    string    `json:"kind"` // PlanKind
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Actions []Planned `json:"actions"`
}

// Planned is an action of a plan that was saved.
type Planned struct {
	Do      string   `json:"do"`
	Name    string   `json:"name"`
	Version int64    `json:"version,omitempty"` // that is there
	Fields  []string `json:"fields,omitempty"`  // that change
}

// Saved is the plan for a file.
func (p *Plan) Saved(account, region string) Saved {
	s := Saved{Kind: PlanKind, Account: account, Region: region, Actions: []Planned{}}
	for _, a := range p.Actions {
		one := Planned{Do: a.Do, Name: a.Name, Version: a.Version}
		for _, d := range a.Changes {
			one.Fields = append(one.Fields, d.Field)
		}
		s.Actions = append(s.Actions, one)
	}
	return s
}

// ReadPlan reads a plan that was saved in a file.
func ReadPlan(file string) (Saved, error) {
	data, err := readFile(file)
	if err != nil {
		return Saved{}, err
	}
	var s Saved
	if json.Unmarshal(data, &s) != nil || s.Kind != PlanKind {
		return Saved{}, fault.Usagef("%s is not a plan for parameters", file).WithHint("`ssmdeck param plan FILES --out %s` writes one", file)
	}
	return s, nil
}

// Moved says how now differs from what was saved; nothing when it is the same plan.
func (s Saved) Moved(now Saved) (lines []string) {
	if s.Account != now.Account || s.Region != now.Region {
		return []string{fmt.Sprintf("it was made for account %s in %s, and this is account %s in %s", s.Account, s.Region, now.Account, now.Region)}
	}
	byName := func(list []Planned) map[string]Planned {
		m := make(map[string]Planned, len(list))
		for _, a := range list {
			m[a.Name] = a
		}
		return m
	}
	then, today := byName(s.Actions), byName(now.Actions)
	all := maps.Clone(then)
	maps.Copy(all, today)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a, had := then[name]
		b, has := today[name]
		switch {
		case !had:
			lines = append(lines, fmt.Sprintf("%s: nothing was to be done, and now it is %s", name, b.Do))
		case !has:
			lines = append(lines, fmt.Sprintf("%s: it was %s, and now nothing is to be done", name, a.Do))
		case a.Do != b.Do:
			lines = append(lines, fmt.Sprintf("%s: it was %s, and now it is %s", name, a.Do, b.Do))
		case a.Version != b.Version:
			lines = append(lines, fmt.Sprintf("%s: version %d was there, and now %d is", name, a.Version, b.Version))
		case !slices.Equal(a.Fields, b.Fields):
			lines = append(lines, fmt.Sprintf("%s: other fields change now", name))
		}
	}
	return lines
}
