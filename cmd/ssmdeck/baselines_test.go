package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// TestBaselinesDecideAlike holds our reading of the rules of baselines against that of
// the simulator, which was written apart from it: made-up baselines for every system
// and every patch of its catalogue.
func TestBaselinesDecideAlike(t *testing.T) {
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	rnd := rand.New(rand.NewPCG(1, 2))
	decisions, seen := 0, map[baseline.Outcome]int{}
	for _, os := range baseline.Systems() {
		var list []*patches.Patch
		for _, product := range patches.Products(os) {
			for _, q := range product.Packages() {
				list = append(list, q.Until(now)...)
			}
		}
		for range 25 {
			ours := madeUp(rnd, os, list)
			theirs := asSimulated(t, ours)
			for range 400 {
				if len(list) == 0 {
					break
				}
				p := list[rnd.IntN(len(list))]
				at := now.AddDate(0, 0, -rnd.IntN(60))
				d, w := baseline.Decide(&ours, asListed(p), at), theirs.Decide(p, at)
				decisions++
				seen[d.Outcome]++
				if err := differ(os, d, w); err != "" {
					t.Fatalf("%s: %s\n%s\nours   %+v\ntheirs %+v\n%s", p.Key(), err, fmt.Sprintf("%+v", asListed(p)), d, w, strings.Join(ours.Lines(), "\n"))
				}
			}
		}
	}
	for _, o := range []baseline.Outcome{baseline.Approved, baseline.Pending, baseline.Rejected, baseline.NotCovered} {
		if seen[o] < 1000 {
			t.Errorf("of %d decisions only %d are %q", decisions, seen[o], o)
		}
	}
}

// differ says how two decisions differ.
func differ(os string, d baseline.Decision, w patches.Decision) string {
	outcome := map[patches.Status]baseline.Outcome{
		patches.Approved: baseline.Approved, patches.ExplicitApproved: baseline.Approved, patches.Pending: baseline.Pending, patches.ExplicitRejected: baseline.Rejected, "": baseline.NotCovered,
	}[w.Status]
	switch {
	case d.Outcome == baseline.Unknown && os == "RASPBIAN": // its repository does not tell what is for security
		return ""
	case d.Outcome != outcome:
		return "the outcome"
	case d.Outcome == baseline.NotCovered || d.Outcome == baseline.Rejected:
		return ""
	case d.Rule != w.Rule+1:
		return "the rule"
	case d.Level != w.Level:
		return "the level"
	case !d.At.Equal(w.At):
		return "the time"
	}
	return ""
}

// asListed is a patch as the catalogue of the API tells it.
func asListed(p *patches.Patch) baseline.Patch {
	out := baseline.Patch{
		ID: p.KB(), Product: p.Product(), Family: p.Family(), Classification: p.Class, Severity: p.Severity(), Released: p.Released, CVEs: p.CVEs, Advisories: p.Advisories(), Bugzilla: p.Bugs(),
	}
	if out.ID == "" {
		out.Name, out.Epoch, out.Version, out.Release, out.Arch, out.Repository = p.Package.Name, p.Epoch(), p.Version(), p.Release(), p.Package.Arch(""), p.Repository()
		out.ID = out.Name + "." + out.Arch
	}
	return out
}

// asSimulated is a baseline in the simulator's words.
func asSimulated(t *testing.T, b baseline.Baseline) *patches.Baseline {
	t.Helper()
	filters := func(list []baseline.Filter) (out []patches.Filter) {
		for _, f := range list {
			out = append(out, patches.Filter{Key: f.Key, Values: f.Values})
		}
		return out
	}
	out := &patches.Baseline{
		System: b.OS, Global: filters(b.GlobalFilters), Approved: b.Approve, ApprovedLevel: b.ApproveLevel, ApprovedNonSecurity: b.ApproveNonSecurity, Rejected: b.Reject,
	}
	for _, r := range b.Rules {
		s := patches.Rule{Filters: filters(r.Filters), Level: r.Level, NonSecurity: r.NonSecurity}
		if r.After != nil {
			s.Days = *r.After
		}
		if r.Until != "" {
			day, err := time.Parse(time.DateOnly, r.Until)
			if err != nil {
				t.Fatal(err)
			}
			s.Until = day.AddDate(0, 0, 1).Add(-time.Nanosecond)
		}
		out.Rules = append(out.Rules, s)
	}
	return out
}

// madeUp is a baseline that somebody could have written.
func madeUp(rnd *rand.Rand, os string, list []*patches.Patch) baseline.Baseline {
	b := baseline.Baseline{Name: "made-up", OS: os}
	some := func(words []string) []string {
		if len(words) == 0 {
			return []string{baseline.Any}
		}
		out := slices.Clone(words)
		rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out[:1+rnd.IntN(min(3, len(out)))]
	}
	filter := func(key string) baseline.Filter {
		words := baseline.Values(os, key)
		if key == "PRODUCT" {
			for _, p := range patches.Products(os) {
				words = append(words, p.Name)
			}
		}
		return baseline.Filter{Key: key, Values: some(words)}
	}
	for range rnd.IntN(4) {
		r := baseline.Rule{Level: baseline.Levels[rnd.IntN(len(baseline.Levels))], NonSecurity: os != "WINDOWS" && rnd.IntN(3) == 0}
		for _, key := range baseline.Keys(os) {
			if key != "SECTION" && key != "PRODUCT_FAMILY" && rnd.IntN(3) > 0 {
				r.Filters = append(r.Filters, filter(key))
			}
		}
		if rnd.IntN(4) == 0 && !slices.Contains(baseline.Keys(os), "PRIORITY") {
			r.Until = time.Date(2026, 1, 1+rnd.IntN(90), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		} else {
			r.After = baseline.Days(rnd.IntN(3) * rnd.IntN(40))
		}
		b.Rules = append(b.Rules, r)
	}
	if rnd.IntN(4) == 0 {
		b.GlobalFilters = append(b.GlobalFilters, filter("PRODUCT"))
	}
	entry := func() string {
		p := asListed(list[rnd.IntN(len(list))])
		if p.Name == "" {
			return p.ID
		}
		words := []string{p.Name, p.Name + "*"}
		if !slices.Contains(baseline.Keys(os), "PRIORITY") {
			words = append(words, p.Name+"."+p.Arch, p.Name+"-"+p.Version)
		}
		return words[rnd.IntN(len(words))]
	}
	for range rnd.IntN(4) {
		if len(list) > 0 {
			b.Approve, b.Reject = append(b.Approve, entry()), append(b.Reject, entry())
		}
	}
	// The choice is for Linux only; the simulator makes it for macOS as well.
	b.ApproveLevel, b.ApproveNonSecurity = baseline.Levels[rnd.IntN(len(baseline.Levels))], os == "MACOS" || os != "WINDOWS" && rnd.IntN(2) == 0
	return b
}
