package baseline

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is what a baseline says of a patch.
type Outcome string

// The outcomes. Unknown is for a patch of which too little is known to tell.
const (
	Approved   Outcome = "approved"
	Pending    Outcome = "pending" // approved later
	Rejected   Outcome = "rejected"
	NotCovered Outcome = "not covered"
	Unknown    Outcome = "unknown"
)

// Decision is what a baseline says of a patch, and why.
type Decision struct {
	Outcome Outcome `json:"outcome"`
	Rule    int     `json:"rule,omitempty"`  // the rule that decides, from 1; 0: a list, or nothing
	Entry   string  `json:"entry,omitempty"` // of the list of approved or rejected patches
	Level   string  `json:"level,omitempty"` // compliance level, of what is approved or will be
	// At is when the patch was or will be approved; zero where no date is known.
	At  time.Time `json:"at,omitzero"`
	Why string    `json:"why"`
}

// Left is how long a pending patch has to wait, zero for all others.
func (d Decision) Left(now time.Time) time.Duration {
	if d.Outcome != Pending || d.At.IsZero() {
		return 0
	}
	return d.At.Sub(now)
}

// Wanted reports whether a node without the patch is non-compliant.
func (d Decision) Wanted() bool { return d.Outcome == Approved }

// truth is the answer of a filter where something may not be known.
type truth int

const (
	no truth = iota
	unsure
	yes
)

// Decide says what baseline b makes of patch p at the time now:
//
//   - what the global filters leave out is not of the baseline at all;
//   - what the list of rejected patches names is rejected, whatever else holds;
//   - what the list of approved patches names is approved at once; on Linux, what is
//     no security update only with ApproveNonSecurity;
//   - all else must match all filters of a rule, of each filter one value. The rule approves it so many days after its release,
//     or when it was released on its date or before (in UTC). Rules are looked at
//     in order: the first that approves it now decides, else the one that will
//     approve it first.
//
// A rule for Windows without PATCH_SET is for the operating system only. On Linux a
// rule takes what a notice of its repository speaks of; with NonSecurity also the
// rest, to which only the product of a rule applies. Ubuntu, Debian and Raspberry Pi
// OS have no dates to rely on: rules approve at once (User Guide, "How patch baseline
// rules work on Linux-based systems", "How security patches are selected"; API
// reference, PatchRule, PatchFilter).
func Decide(b *Baseline, p Patch, now time.Time) Decision {
	f := familyOf(b.OS)
	for _, gf := range b.GlobalFilters {
		switch matches(gf, p, f) {
		case no:
			return Decision{Outcome: NotCovered, Why: "the global filter " + filterText(gf) + " leaves it out"}
		case unsure:
			return Decision{Outcome: Unknown, Why: fmt.Sprintf("its %s is not known here, and a global filter asks for it", words(gf.Key))}
		case yes:
		}
	}
	if e := listed(b.Reject, p, f, false); e != "" {
		why := "the list of rejected patches has " + e
		if b.RejectAction != Block && f != windows {
			why += "; it may still be installed when another package depends on it"
		}
		return Decision{Outcome: Rejected, Entry: e, Why: why}
	}
	e := listed(b.Approve, p, f, true)
	if e == "" {
		return byRules(b, p, f, now)
	}
	is := security(p, f)
	if is == yes || b.ApproveNonSecurity {
		return Decision{Outcome: Approved, Entry: e, Level: levelOr(b.ApproveLevel), Why: "the list of approved patches has " + e}
	}
	// The entry does not count, and so the rules decide.
	d := byRules(b, p, f, now)
	if d.Outcome == NotCovered {
		d.Entry, d.Why = e, "the list of approved patches has "+e+", and takes security updates only (approve_non_security)"
		if is == unsure {
			d.Outcome, d.Why = Unknown, "the list of approved patches has "+e+", for security updates only, and whether it is one is not known here"
		}
	}
	return d
}

// byRules goes through the rules.
func byRules(b *Baseline, p Patch, f family, now time.Time) Decision {
	var later, unclear *Decision
	var misses []string
	for i, r := range b.Rules {
		d, miss := byRule(i+1, r, p, f, now)
		switch {
		case miss != "":
			misses = append(misses, miss)
		case d.Outcome == Approved:
			return d
		case d.Outcome == Pending:
			if later == nil || !d.At.IsZero() && (later.At.IsZero() || d.At.Before(later.At)) {
				later = &d
			}
		case unclear == nil:
			unclear = &d
		}
	}
	switch {
	case later != nil:
		return *later
	case unclear != nil:
		return *unclear
	case len(b.Rules) == 0:
		return Decision{Outcome: NotCovered, Why: "the baseline has no rules, and its list of approved patches does not have it"}
	}
	return Decision{Outcome: NotCovered, Why: missed(misses)}
}

// missed says why no rule takes a patch, once where it is the same for all.
func missed(misses []string) string {
	if len(misses) > 1 && !slices.ContainsFunc(misses, func(m string) bool { return m != misses[0] }) {
		return "of all rules: " + misses[0]
	}
	for i := range misses {
		misses[i] = fmt.Sprintf("rule %d: %s", i+1, misses[i])
	}
	return strings.Join(misses, "; ")
}

// Remedy is what would have a patch approved at once that b does not cover: the entry
// for the list of approved patches, empty when it has one already, and whether
// ApproveNonSecurity must be set for it. ok is false when that would not be enough.
func Remedy(b *Baseline, p Patch, now time.Time) (entry string, nonSecurity, ok bool) {
	f := familyOf(b.OS)
	fixed := *b
	if listed(b.Approve, p, f, true) == "" {
		entry = p.ID
		if names := p.packageNames(f); f == deb && len(names) > 0 {
			entry = names[0]
		}
		fixed.Approve = append(slices.Clip(b.Approve), entry)
	}
	if security(p, f) != yes && !b.ApproveNonSecurity {
		nonSecurity, fixed.ApproveNonSecurity = true, true
	}
	return entry, nonSecurity, Decide(&fixed, p, now).Outcome == Approved
}

// byRule applies one rule. miss says why it does not take the patch.
func byRule(number int, r Rule, p Patch, f family, now time.Time) (d Decision, miss string) {
	d = Decision{Outcome: Approved, Rule: number, Level: levelOr(r.Level), At: p.Released, Why: fmt.Sprintf("rule %d %s", number, r.Sentence())}
	loose := unannounced(p, f)
	if loose == yes && !r.NonSecurity {
		return d, "no security notice speaks of it, and the rule takes only what one does (non_security)"
	}
	filters := r.Filters
	if f == windows && !slices.ContainsFunc(filters, func(x Filter) bool { return x.Key == "PATCH_SET" }) {
		if patchSet(p) == "APPLICATION" {
			return d, "it is for an application, and the rule is for the operating system"
		}
		filters = append(slices.Clip(filters), Filter{"PATCH_SET", []string{"OS"}})
	}
	for _, x := range filters {
		if loose == yes && f != deb && x.Key != "PRODUCT" {
			continue
		}
		switch matches(x, p, f) {
		case no:
			return d, fmt.Sprintf("its %s is %s, not %s", words(x.Key), orNone(property(x.Key, p)), orWords(x.Values))
		case unsure:
			d.Outcome, d.At = Unknown, time.Time{}
			d.Why = fmt.Sprintf("rule %d asks for its %s, which is not known here", number, words(x.Key))
		case yes:
		}
	}
	if d.Outcome == Unknown {
		return d, ""
	}
	if loose == unsure && !r.NonSecurity {
		d.Outcome, d.At = Unknown, time.Time{}
		d.Why += ", of security updates, and whether it is one its repository does not tell"
		return d, ""
	}
	if f == deb {
		r.After, r.Until = nil, ""
	}
	return dated(d, r, p, now)
}

// dated applies the delay or the date of a rule whose filters match.
func dated(d Decision, r Rule, p Patch, now time.Time) (Decision, string) {
	switch {
	case r.Until != "":
		day, err := time.Parse(time.DateOnly, r.Until)
		switch {
		case err != nil:
			return d, "its date cannot be read"
		case p.Released.IsZero():
			d.Outcome, d.Why = Unknown, d.Why+"; its release date is not known here"
		case !p.Released.UTC().Before(day.AddDate(0, 0, 1)):
			return d, fmt.Sprintf("it was released on %s, after %s", p.Released.UTC().Format(time.DateOnly), r.Until)
		case p.Released.After(now):
			d.Outcome = Pending
		}
	case r.After == nil || *r.After == 0:
		if p.Released.After(now) {
			d.Outcome = Pending
		}
	case p.Released.IsZero():
		d.Outcome, d.Why = Unknown, d.Why+"; its release date is not known here"
	default:
		d.At = p.Released.UTC().AddDate(0, 0, *r.After)
		if now.Before(d.At) {
			d.Outcome = Pending
		}
	}
	return d, ""
}

// matches reports whether one value of a filter is the patch's.
func matches(x Filter, p Patch, f family) truth {
	if slices.Contains(x.Values, Any) {
		return yes
	}
	have := property(x.Key, p)
	if have == "" {
		if p.Partial || !slices.Contains([]string{"CLASSIFICATION", "SEVERITY", "MSRC_SEVERITY", "PRODUCT", "PATCH_SET"}, x.Key) {
			return unsure
		}
		return no
	}
	for _, v := range x.Values {
		if strings.EqualFold(v, have) || x.Key == "PRODUCT" && sameProduct(v, have) {
			return yes
		}
	}
	return no
}

// sameProduct knows the two names of Amazon Linux 2.
func sameProduct(a, b string) bool {
	return strings.TrimSuffix(a, ".0") == strings.TrimSuffix(b, ".0") && strings.HasPrefix(a, "AmazonLinux")
}

// property is what a filter compares. The priority of a package of Ubuntu and Debian
// is where others have their severity.
func property(key string, p Patch) string {
	switch key {
	case "PRODUCT":
		return p.Product
	case "PRODUCT_FAMILY":
		return p.Family
	case "CLASSIFICATION":
		return p.Classification
	case "SEVERITY", "MSRC_SEVERITY", "PRIORITY":
		return p.Severity
	case "PATCH_SET":
		return patchSet(p)
	}
	return ""
}

// ForApplications reports whether a rule takes updates of Microsoft's applications.
func (b *Baseline) ForApplications() bool {
	return familyOf(b.OS) == windows && slices.ContainsFunc(b.Rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Filters, func(x Filter) bool {
			return x.Key == "PATCH_SET" && (slices.Contains(x.Values, "APPLICATION") || slices.Contains(x.Values, Any))
		})
	})
}

// patchSet tells patches of Windows itself from those of Microsoft's applications;
// nothing where a scan is all that is known, which tells no family.
func patchSet(p Patch) string {
	switch {
	case p.Family == "" && p.Partial:
		return ""
	case p.Family == "" || p.Family == "Windows":
		return "OS"
	}
	return "APPLICATION"
}

// unannounced reports whether a patch of Linux is one that no notice speaks of, or
// for Debian and its kin one from a repository that is not for security: "jammy-updates".
// That of a whole release ("bullseye") does not tell.
func unannounced(p Patch, f family) truth {
	switch f {
	case rpm, zypper:
		if !p.Partial && p.Classification == "" && len(p.Advisories) == 0 {
			return yes
		}
	case deb:
		switch {
		case p.Repository == "" || strings.Contains(strings.ToLower(p.Repository), "security") || strings.EqualFold(p.Classification, "Security"):
			return no
		case strings.Contains(p.Repository, "-"):
			return yes
		}
		return unsure
	case windows, mac:
	}
	return no
}

// security reports whether a patch is a security update; all of Windows and macOS
// count as such, since the choice is for Linux.
func security(p Patch, f family) truth {
	switch {
	case f == windows || f == mac:
		return yes
	case f == deb:
		return map[truth]truth{no: yes, yes: no, unsure: unsure}[unannounced(p, f)]
	case strings.EqualFold(p.Classification, "Security"):
		return yes
	case p.Partial && p.Classification == "":
		return unsure
	}
	return no
}

func familyOf(os string) family {
	if s := systemOf(os); s != nil {
		return s.family
	}
	return rpm
}

func levelOr(level string) string {
	if level == "" {
		return Unspecified
	}
	return level
}

// words is a filter's key for people: "severity", "patch set".
func words(key string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(key, "MSRC_"), "_", " "))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
