package patches

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Filter is a property of patches and the values it may have; * stands for any.
type Filter struct {
	Key    string // PRODUCT, CLASSIFICATION and so on
	Values []string
}

// Rule approves the patches that match all its filters, after a delay or until a
// date.
type Rule struct {
	Filters     []Filter
	Level       string // the compliance level of what it approves; UNSPECIFIED when empty
	Days        int
	Until       time.Time // the last moment of the date, zero when Days counts
	NonSecurity bool      // Linux: also what is not about security
}

// Baseline decides which patches are approved. It must not be changed once it is
// used.
type Baseline struct {
	ID, Name, System string
	Rules            []Rule
	Global           []Filter
	Approved         []string
	ApprovedLevel    string
	// ApprovedNonSecurity: the approved list counts for what is not about security.
	ApprovedNonSecurity bool
	Rejected            []string
	Block               bool // rejected patches are not even installed for others
	// AvailableNonCompliant: security updates that are not approved make a node
	// non-compliant (Windows).
	AvailableNonCompliant bool

	mu   sync.Mutex
	memo map[*Patch]verdict
}

// Status is what a baseline says of a patch, in the words of the API; empty when
// it says nothing.
type Status string

// The statuses (API reference, PatchStatus).
const (
	Approved         Status = "APPROVED"
	Pending          Status = "PENDING_APPROVAL"
	ExplicitApproved Status = "EXPLICIT_APPROVED"
	ExplicitRejected Status = "EXPLICIT_REJECTED"
)

// Decision is what a baseline says of a patch at some time.
type Decision struct {
	Status Status
	Rule   int       // from 0; -1 when no rule decides
	Level  string    // of compliance
	At     time.Time // when the patch is or was approved; zero when a list decides
}

// OK reports whether the patch is approved.
func (d Decision) OK() bool { return d.Status == Approved || d.Status == ExplicitApproved }

// verdict is what does not depend on the time.
type verdict struct {
	list  Status // by a list, empty when the rules decide
	rules []Decision
}

// Decide says what the baseline says of a patch at a time: the lists come first,
// the rejected one before the approved one, then the first rule that approves.
func (b *Baseline) Decide(p *Patch, now time.Time) Decision {
	b.mu.Lock()
	v, ok := b.memo[p]
	if !ok {
		if b.memo == nil {
			b.memo = map[*Patch]verdict{}
		}
		v = b.judge(p)
		b.memo[p] = v
	}
	b.mu.Unlock()
	if v.list != "" {
		return Decision{Status: v.list, Rule: -1, Level: levelOf(b.ApprovedLevel)}
	}
	pending := -1
	for i, d := range v.rules {
		switch {
		case !d.At.After(now):
			d.Status = Approved
			return d
		case pending < 0 || d.At.Before(v.rules[pending].At):
			pending = i
		}
	}
	if pending < 0 {
		return Decision{Rule: -1}
	}
	d := v.rules[pending]
	d.Status = Pending
	return d
}

func levelOf(s string) string {
	if s == "" {
		return "UNSPECIFIED"
	}
	return s
}

func (b *Baseline) judge(p *Patch) verdict {
	// A filter on all patches leaves out what does not match.
	if p.Package.Product.System != b.System || !matchAll(b.Global, p) {
		return verdict{}
	}
	windows := b.System == Windows
	if Listed(b.Rejected, p) {
		return verdict{list: ExplicitRejected}
	}
	if Listed(b.Approved, p) && (p.Security || windows || b.ApprovedNonSecurity) {
		return verdict{list: ExplicitApproved}
	}
	var v verdict
	for i, r := range b.Rules {
		if !r.takes(p) {
			continue
		}
		d := Decision{Rule: i, Level: levelOf(r.Level), At: p.Released.AddDate(0, 0, r.Days)}
		if p.Package.Product.style() == deb {
			d.At = p.Released // no dates of release are known there, hence no delay
		} else if !r.Until.IsZero() {
			if p.Released.After(r.Until) {
				continue
			}
			d.At = p.Released
		}
		v.rules = append(v.rules, d)
	}
	return v
}

// takes reports whether a rule is about a patch.
func (r Rule) takes(p *Patch) bool {
	switch p.Package.Product.style() {
	case kb:
		set := slices.ContainsFunc(r.Filters, func(f Filter) bool { return f.Key == "PATCH_SET" })
		if !set && p.Set() != "OS" {
			return false
		}
	case deb:
		if !p.Security && !r.NonSecurity {
			return false
		}
	case rpm:
		if !p.Announced {
			// Classification and severity are in advisories, which this has not.
			return r.NonSecurity && !slices.ContainsFunc(r.Filters, func(f Filter) bool { return f.Key == "PRODUCT" && !f.matches(p) })
		}
	}
	return matchAll(r.Filters, p)
}

func matchAll(filters []Filter, p *Patch) bool {
	return !slices.ContainsFunc(filters, func(f Filter) bool { return !f.matches(p) })
}

func (f Filter) matches(p *Patch) bool {
	if slices.Contains(f.Values, "*") {
		return true
	}
	return slices.ContainsFunc(p.Property(f.Key), func(have string) bool {
		return slices.ContainsFunc(f.Values, func(want string) bool {
			// Red Hat Enterprise Linux 9.4 gets what there is for 9.
			return have == want || f.Key == "PRODUCT" && strings.HasPrefix(want, have+".")
		})
	})
}

// Property returns what a patch has for the key of a filter, of the kind that
// rules and those that lists of patches have.
func (p *Patch) Property(key string) []string {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	windows := p.Package.Product.style() == kb
	switch key {
	case "PATCH_SET":
		return one(p.Set())
	case "PRODUCT":
		return one(p.Product())
	case "PRODUCT_FAMILY":
		return one(p.Family())
	case "CLASSIFICATION":
		return one(p.Class)
	case "MSRC_SEVERITY", "SEVERITY", "PRIORITY":
		if key != SeverityKey(p.Package.Product.System) {
			return nil
		}
		return one(p.Severity())
	case "SECTION":
		return one(p.Section())
	case "SECURITY":
		return one(map[bool]string{true: "True", false: "False"}[p.Security])
	case "PATCH_ID":
		return one(strings.TrimPrefix(p.KB(), "KB"))
	case "CVE_ID":
		return p.CVEs
	case "ADVISORY_ID":
		return p.Advisories()
	case "BUGZILLA_ID":
		return p.Bugs()
	}
	if windows {
		return nil
	}
	switch key {
	case "NAME":
		return one(p.Package.Name)
	case "ARCH":
		return one(p.Package.Arch(""))
	case "EPOCH":
		return one(itoa(p.Epoch()))
	case "VERSION":
		return one(p.Version())
	case "RELEASE":
		return one(p.Release())
	case "REPOSITORY":
		return one(p.Repository())
	}
	return nil
}

// Listed reports whether a list of approved or rejected patches names a patch, in
// one of the forms of the User Guide ("Package name formats for approved and
// rejected patch lists"): on Windows the number with or without KB; elsewhere the
// name alone or with version, release and processor, each with * and ?, or the id
// of a CVE, an advisory or a bug.
func Listed(list []string, p *Patch) bool {
	if len(list) == 0 {
		return false
	}
	number := p.KB()
	forms := []string{number, strings.TrimPrefix(number, "KB")}
	if number == "" {
		q, version := p.Package, p.Version()
		full := version
		if p.Release() != "" {
			full += "-" + p.Release()
		}
		forms = append(slices.Concat(p.CVEs, p.Advisories(), p.Bugs()), q.Name, q.Name+"-"+version, q.Name+"-"+full, q.Name+"="+full, q.Name+"="+itoa(p.Epoch())+":"+full)
		for _, machine := range []string{"x86_64", "arm64"} {
			arch := q.Arch(machine)
			forms = append(forms, q.Name+"."+arch, q.Name+"-"+full+"."+arch, q.Name+"-"+itoa(p.Epoch())+":"+full+"."+arch, itoa(p.Epoch())+":"+q.Name+"-"+full+"."+arch)
		}
	}
	return slices.ContainsFunc(list, func(pattern string) bool {
		return slices.ContainsFunc(forms, func(form string) bool { return form != "" && Glob(pattern, form) })
	})
}

// Glob holds a text against a pattern with * and ?.
func Glob(pattern, s string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*':
			for k := len(s); k >= 0; k-- {
				if Glob(pattern[i+1:], s[k:]) {
					return true
				}
			}
			return false
		case '?':
			if s == "" {
				return false
			}
		default:
			if s == "" || s[0] != pattern[i] {
				return false
			}
		}
		s = s[1:]
	}
	return s == ""
}
