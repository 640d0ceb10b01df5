package baseline

import (
	"fmt"
	"slices"
	"strings"
)

// Warnings says what the service takes and what will not do what it seems to.
func (b *Baseline) Warnings() []string {
	var out []string
	s := systemOf(b.OS)
	if len(b.Rules) == 0 && len(b.Approve) == 0 {
		out = append(out, "it approves nothing: it has neither a rule nor approved patches")
	}
	if s == nil {
		return out
	}
	for i, r := range b.Rules {
		if s.family == deb && (r.Until != "" || r.After != nil && *r.After > 0) {
			out = append(out, fmt.Sprintf("rule %d: packages of %s have no release dates to rely on; the service approves them at once", i+1, s.name))
		}
	}
	if s.family != deb {
		out = append(out, b.overtaken()...)
	}
	for _, e := range b.Reject {
		if s.family == rpm && (cvePattern().MatchString(e) || strings.Trim(e, "0123456789") == "") {
			out = append(out, fmt.Sprintf("reject: %s rejects nothing: on %s the list takes names of packages", e, s.name))
		}
	}
	return out
}

// overtaken tells of rules whose delay has no effect, since another rule takes the
// same patches and more of them sooner.
func (b *Baseline) overtaken() (out []string) {
	for i, r := range b.Rules {
		for j, other := range b.Rules {
			if i == j || r.After == nil || other.After == nil || *other.After >= *r.After || r.NonSecurity && !other.NonSecurity || !other.takesAll(r) {
				continue
			}
			out = append(out, fmt.Sprintf("rule %d waits %d days in vain: rule %d takes the same patches after %d", i+1, *r.After, j+1, *other.After))
			break
		}
	}
	return out
}

// takesAll reports whether a rule takes every patch that another takes.
func (r Rule) takesAll(other Rule) bool {
	for _, f := range append([]Filter{{"PATCH_SET", []string{"OS"}}}, r.Filters...) {
		if slices.Contains(f.Values, Any) || f.Key == "PATCH_SET" && !slices.ContainsFunc(slices.Concat(r.Filters, other.Filters), func(x Filter) bool { return x.Key == "PATCH_SET" }) {
			continue
		}
		i := slices.IndexFunc(other.Filters, func(x Filter) bool { return x.Key == f.Key })
		if i < 0 || slices.ContainsFunc(other.Filters[i].Values, func(v string) bool { return !slices.Contains(f.Values, v) }) {
			return false
		}
	}
	return true
}
