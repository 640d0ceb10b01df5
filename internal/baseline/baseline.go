// Package baseline knows patch baselines: what they say, which patches they
// approve and when, which one a node goes by, and what would change with another.
//
// Decisions (Decide, Applies, Compare) are pure: they work on what was read, at
// a time that is given. They follow the rules of the User Guide and not the
// simulator, so that the two can disagree.
package baseline

import (
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Levels are the compliance levels of rules and lists, worst first (API reference,
// PatchComplianceLevel).
var Levels = []string{"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED"}

// Unspecified is the level of a rule that says none.
const Unspecified = "UNSPECIFIED"

// What is done with rejected patches (API reference, PatchAction).
const (
	AllowAsDependency = "ALLOW_AS_DEPENDENCY" // the service's choice when nothing is said
	Block             = "BLOCK"
)

// Actions are the values of Baseline.RejectAction.
var Actions = []string{AllowAsDependency, Block}

// NonCompliant is what nodes are for which unapproved security updates are available,
// where Baseline.SecurityUpdates says so.
const NonCompliant = "NON_COMPLIANT"

// Statuses are the values of Baseline.SecurityUpdates.
var Statuses = []string{"COMPLIANT", NonCompliant}

// Baseline is everything that a patch baseline says. The JSON names are those of
// files (see Read) and part of the output contract.
type Baseline struct {
	ID          string `json:"id,omitempty"` // pb-…, an ARN for those of AWS
	Name        string `json:"name"`
	OS          string `json:"os"` // WINDOWS, AMAZON_LINUX_2023, …
	Description string `json:"description,omitempty"`

	GlobalFilters []Filter `json:"-"` // what any patch must match that a rule shall approve
	Rules         []Rule   `json:"-"`

	Approve            []string `json:"approve,omitempty"`
	ApproveLevel       string   `json:"approve_level,omitempty"`
	ApproveNonSecurity bool     `json:"approve_non_security,omitempty"` // of Linux
	Reject             []string `json:"reject,omitempty"`
	RejectAction       string   `json:"reject_action,omitempty"`
	// SecurityUpdates is what nodes are for which security patches are available
	// that are not approved; of Windows.
	SecurityUpdates string   `json:"security_updates,omitempty"`
	Sources         []Source `json:"sources,omitempty"` // of Linux

	// What the service adds.
	AWS      bool      `json:"aws,omitempty"`     // one of the service's own
	Default  bool      `json:"default,omitempty"` // of its operating system
	Groups   []string  `json:"groups,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	Modified time.Time `json:"modified,omitzero"`
}

// Rule approves the patches that match all its filters.
type Rule struct {
	Filters []Filter
	// After is the days from a patch's release to its approval, 0 to 360; nil with
	// Until, and on systems whose patches have no reliable date.
	After *int
	// Until approves what was released on that day or before, in UTC: YYYY-MM-DD.
	Until       string
	Level       string // one of Levels; empty: UNSPECIFIED
	NonSecurity bool   // of Linux: also what no security notice speaks of
}

// Filter matches patches whose property Key has one of Values; "*" is any.
type Filter struct {
	Key    string // as the API writes it: MSRC_SEVERITY
	Values []string
}

// Source is a repository that is asked instead of those of the node.
type Source struct {
	Name          string   `json:"name"`
	Products      []string `json:"products"`
	Configuration string   `json:"configuration"`
}

// Any is the value of a filter that every patch matches.
const Any = "*"

// Days returns a delay for Rule.After.
func Days(n int) *int { return &n }

// Label is the baseline as people name it: "prod-linux (pb-0123…)".
func (b *Baseline) Label() string {
	if b.ID == "" || b.Name == "" {
		return b.Name + b.ID
	}
	return b.Name + " (" + ShortID(b.ID) + ")"
}

// ShortID returns the id without the ARN around it: "pb-0123…".
func ShortID(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// SameID reports whether two ids, each bare or an ARN, are of one baseline.
func SameID(a, b string) bool { return a != "" && ShortID(a) == ShortID(b) }

// IsID reports whether a word is an id or an ARN, and no name.
func IsID(word string) bool {
	return strings.HasPrefix(word, "arn:") || strings.HasPrefix(word, "pb-") && len(word) == len("pb-")+17 && strings.Trim(word[3:], "0123456789abcdef") == ""
}

// normal fills in what the service assumes where nothing is said, so that two
// baselines that mean the same are equal.
func (b Baseline) normal() Baseline {
	if b.ApproveLevel == "" {
		b.ApproveLevel = Unspecified
	}
	if b.RejectAction == "" {
		b.RejectAction = AllowAsDependency
	}
	if b.SecurityUpdates == "" && familyOf(b.OS) == windows {
		b.SecurityUpdates = Statuses[0]
	}
	b.Rules = slices.Clone(b.Rules)
	for i := range b.Rules {
		r := &b.Rules[i]
		if r.Level == "" {
			r.Level = Unspecified
		}
		if r.After == nil && r.Until == "" {
			r.After = Days(0)
		}
	}
	return b
}

// ParseOS finds the operating system that somebody has typed: WINDOWS,
// amazon-linux-2023, al2023, rhel. The error is a Usage fault.
func ParseOS(text string) (string, error) {
	word := strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(text))
	if os, ok := shortOS[word]; ok {
		return os, nil
	}
	if slices.Contains(Systems(), word) {
		return word, nil
	}
	err := fault.Usagef("--os %q is no operating system that has patch baselines", text)
	if near := fault.Nearest(word, Systems()); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("they are %s", strings.Join(Systems(), ", "))
}

// shortOS are the names that people use.
var shortOS = map[string]string{
	"AL1": "AMAZON_LINUX", "AL2": "AMAZON_LINUX_2", "AL2022": "AMAZON_LINUX_2022", "AL2023": "AMAZON_LINUX_2023",
	"RHEL": "REDHAT_ENTERPRISE_LINUX", "REDHAT": "REDHAT_ENTERPRISE_LINUX", "RED_HAT": "REDHAT_ENTERPRISE_LINUX", "SLES": "SUSE",
	"ORACLE": "ORACLE_LINUX", "ROCKY": "ROCKY_LINUX", "ALMA": "ALMA_LINUX", "ALMALINUX": "ALMA_LINUX", "WIN": "WINDOWS",
	"AMAZON_LINUX_1": "AMAZON_LINUX", "MAC": "MACOS",
}
