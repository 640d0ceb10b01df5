package patch

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Match chooses patches. Empty lists choose all; of several lists all must hold.
type Match struct {
	Severities      []string // as ParseSeverities gives them
	Classifications []string // as ParseClassifications gives them
	IDs             []string // a KB number, or a package with or without its architecture
	CVEs            []string // as ParseCVEs gives them
}

// Empty reports whether all patches match.
func (m Match) Empty() bool {
	return len(m.Severities)+len(m.Classifications)+len(m.IDs)+len(m.CVEs) == 0
}

// Matches reports whether p is chosen. Case makes no difference.
func (m Match) Matches(p Patch) bool {
	holds := func(wanted []string, ok func(string) bool) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, ok)
	}
	return holds(m.Severities, func(s string) bool { return s == severityWord(p.Severity) }) &&
		holds(m.Classifications, func(c string) bool { return isClass(p.Classification, c) }) &&
		holds(m.IDs, p.is) &&
		holds(m.CVEs, func(c string) bool {
			return slices.ContainsFunc(p.CVEs, func(have string) bool { return strings.EqualFold(have, c) })
		})
}

// is reports whether a person who writes id means the patch: KB5034123, 5034123,
// openssl, openssl.x86_64, or its title.
func (p Patch) is(id string) bool {
	return slices.ContainsFunc([]string{p.ID, p.Title, baseline.FromScan(p.ID, "", "", "", nil).Name, strings.TrimPrefix(p.ID, "KB")}, func(s string) bool { return strings.EqualFold(s, id) })
}

// severities are the words of the makers of systems, the worst first; those in a row
// mean the same (API reference, PatchComplianceData; User Guide, "How patch severity
// is determined").
var severities = [][]string{
	{"critical", "required"},
	{"important", "high"},
	{"medium", "moderate", "standard"},
	{"low", "optional"},
	{"negligible", "extra", "informational", "untriaged"},
	{"unspecified", "none", ""},
}

// severityRank is where a severity stands; unknown words stand with none at all.
func severityRank(s string) int {
	for i, words := range severities {
		if slices.Contains(words, strings.ToLower(s)) {
			return i
		}
	}
	return len(severities) - 1
}

// CompareSeverities orders severities from the worst on, in the words of any system.
func CompareSeverities(a, b string) int { return cmp.Compare(severityRank(a), severityRank(b)) }

// severityWord is the one word for a severity in the words of any system: moderate
// is medium. A word that is not known stays as it is, in lower case.
func severityWord(s string) string {
	s = strings.ToLower(s)
	for _, words := range severities {
		if slices.Contains(words, s) {
			return words[0]
		}
	}
	return s
}

// Severities are the words that ParseSeverities takes.
func Severities() (list []string) {
	for _, words := range severities {
		for _, w := range words {
			if w != "" {
				list = append(list, w)
			}
		}
	}
	return list
}

// ParseSeverities reads the values of a flag. Words that mean the same on different
// systems, such as medium and moderate, choose the same patches.
func ParseSeverities(flag string, values []string) ([]string, error) {
	return words(flag, values, Severities(), severityWord)
}

// classes are the classifications of all systems (User Guide, "Patch rules"; API
// reference, DescribePatchProperties).
var classes = []string{
	"Security", "Bugfix", "Enhancement", "Recommended", "Newpackage", "Optional", "Feature", "Document", "Yast", "System",
	"CriticalUpdates", "SecurityUpdates", "DefinitionUpdates", "Drivers", "FeaturePacks", "ServicePacks", "Tools", "UpdateRollups", "Updates", "Upgrades",
}

// Classifications are the words that ParseClassifications takes.
func Classifications() []string { return slices.Clone(classes) }

// ParseClassifications reads the values of a flag: security means both the Security
// of Linux and the SecurityUpdates of Windows.
func ParseClassifications(flag string, values []string) ([]string, error) {
	known := append(slices.Clone(classes), "critical")
	return words(flag, values, known, strings.ToLower)
}

// isClass reports whether a classification is the one wanted, in lower case.
func isClass(have, want string) bool {
	have = strings.ToLower(have)
	return have == want || have == want+"updates"
}

// words reads the values of a flag that takes words from a list.
func words(flag string, values, known []string, form func(string) string) ([]string, error) {
	var out []string
	for _, v := range values {
		v = strings.TrimSpace(v)
		if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, v) }); i < 0 || v == "" {
			err := fault.Usagef("--%s: %q is none", flag, v)
			if near := fault.Nearest(strings.ToLower(v), lower(known)); near != "" {
				return nil, err.WithHint("did you mean %s?", near)
			}
			return nil, err.WithHint("there are: %s", strings.Join(known, ", "))
		}
		if w := form(v); !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out, nil
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

// cveID is the form of a CVE's number (CVE Program, "CVE ID Syntax": four digits or
// more behind the year).
var cveID = pattern.Lazy(`(?i)^CVE-[0-9]{4}-[0-9]{4,19}$`)

// ParseCVEs reads the values of a flag.
func ParseCVEs(flag string, values []string) ([]string, error) {
	var out []string
	for _, v := range values {
		v = strings.ToUpper(strings.TrimSpace(v))
		if !cveID().MatchString(v) {
			return nil, fault.Usagef("--%s: %q is not the number of a CVE", flag, v).WithHint("write it like CVE-2026-12345")
		}
		out = append(out, v)
	}
	return out, nil
}
