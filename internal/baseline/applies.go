package baseline

import (
	"context"
	"slices"
)

// Assignment knows which baseline nodes go by, for many nodes: what is registered
// and what is the default, read once.
type Assignment struct {
	groups   map[string]Identity // by operating system and group
	defaults map[string]Identity // by operating system
}

// Assignment reads the groups and the defaults, in two sweeps.
func (s *Service) Assignment(ctx context.Context) (*Assignment, error) {
	a := &Assignment{groups: map[string]Identity{}, defaults: map[string]Identity{}}
	for b, err := range s.List(ctx, Query{}) {
		if err != nil {
			return nil, err
		}
		if b.Default {
			a.defaults[b.OS] = b
		}
	}
	for m, err := range s.Groups(ctx, GroupQuery{}) {
		if err != nil {
			return nil, err
		}
		a.groups[m.Baseline.OS+" "+m.Group] = m.Baseline
	}
	return a, nil
}

// Applies is which baseline a node goes by, and why.
type Applies struct {
	Baseline   Identity `json:"baseline"`
	Group      string   `json:"group,omitempty"`       // of the node
	Tag        string   `json:"group_tag,omitempty"`   // the tag that says so
	OtherGroup string   `json:"other_group,omitempty"` // what the other spelling of the tag says
	Registered bool     `json:"registered"`            // the group is, for the operating system; else the default counts
	// Elsewhere are the operating systems that the group is registered for, when it
	// is not for the node's.
	Elsewhere []string `json:"group_registered_for,omitempty"`
}

// Of returns what a node with an operating system and tags goes by.
func (a *Assignment) Of(os string, tags map[string]string) Applies {
	var out Applies
	out.Group, out.Tag, out.OtherGroup = GroupOf(tags)
	if b, ok := a.groups[os+" "+out.Group]; ok && out.Group != "" {
		out.Baseline, out.Registered = b, true
		return out
	}
	out.Baseline = a.defaults[os]
	if out.Group != "" {
		for _, system := range Systems() {
			if _, ok := a.groups[system+" "+out.Group]; ok {
				out.Elsewhere = append(out.Elsewhere, system)
			}
		}
		slices.Sort(out.Elsewhere)
	}
	return out
}

// Why says it in a sentence.
func (x Applies) Why(os string) string {
	switch {
	case x.Registered:
		return "its tag " + quoted(x.Tag) + " says " + quoted(x.Group) + ", which is registered with this baseline for " + os
	case len(x.Elsewhere) > 0:
		return "its tag " + quoted(x.Tag) + " says " + quoted(x.Group) + ", which is registered for " + orWords(x.Elsewhere) + " only, so that the default of " + os + " counts"
	case x.Group != "":
		return "its tag " + quoted(x.Tag) + " says " + quoted(x.Group) + ", which no baseline knows, so that the default of " + os + " counts"
	}
	return "it has no tag " + quoted(GroupTag) + " or " + quoted(GroupTagShort) + ", so that the default of " + os + " counts"
}

func quoted(s string) string { return `"` + s + `"` }
