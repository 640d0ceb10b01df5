package baseline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/textdiff"
)

// Lines writes what a baseline says, one thing a line, so that two can be
// compared: rules as ParseRule reads them, lists one entry a line.
func (b Baseline) Lines() []string {
	b = b.normal()
	var out []string
	add := func(key, value string) {
		if value != "" {
			out = append(out, key+": "+value)
		}
	}
	add("name", b.Name)
	add("os", b.OS)
	add("description", strings.ReplaceAll(b.Description, "\n", `\n`))
	for _, f := range b.GlobalFilters {
		add("global filter", filterText(f))
	}
	for i, r := range b.Rules {
		add(fmt.Sprintf("rule %d", i+1), r.Text())
	}
	for _, e := range b.Approve {
		add("approve", e)
	}
	add("approve level", b.ApproveLevel)
	if b.ApproveNonSecurity {
		add("approve non-security", "true")
	}
	for _, e := range b.Reject {
		add("reject", e)
	}
	add("reject action", b.RejectAction)
	add("security updates", b.SecurityUpdates)
	for _, s := range b.Sources {
		add("source "+s.Name, strings.Join(s.Products, ","))
		for l := range strings.SplitSeq(strings.TrimRight(s.Configuration, "\n"), "\n") {
			out = append(out, "  "+l)
		}
	}
	return out
}

// Diff compares two baselines, and returns their difference in unified form, one
// element a line. Baselines that mean the same have none.
func Diff(nameA, nameB string, a, b Baseline) []string {
	return textdiff.Unified(nameA, nameB, strings.Join(a.Lines(), "\n")+"\n", strings.Join(b.Lines(), "\n")+"\n")
}

// Equal reports whether two baselines say the same.
func Equal(a, b Baseline) bool { return slices.Equal(a.Lines(), b.Lines()) }
