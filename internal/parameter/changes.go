package parameter

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is what changed from one version of a parameter to another. The JSON names are
// part of the output contract.
type Step struct {
	From       int64     `json:"from"` // 0: there was none before
	To         int64     `json:"to"`
	Modified   time.Time `json:"modified,omitzero"`
	ModifiedBy string    `json:"modified_by,omitempty"`
	Changes    []Changed `json:"changes"`
}

// Changed is one thing that differs between two versions. Secret values have no before
// and after. The JSON names are part of the output contract.
type Changed struct {
	Field  string `json:"field"` // value, type, tier, data_type, key_id, description, allowed_pattern, policies
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Secret says that the value differs, and not how.
	Secret bool `json:"secret,omitempty"`
	// Unknown says that the values were not compared: they were not decrypted.
	Unknown bool `json:"unknown,omitempty"`
}

// Compare says how b differs from a, its value first. hide keeps the values of
// SecureStrings out.
func Compare(a, b Parameter, hide bool) Step {
	s := Step{From: a.Version, To: b.Version, Modified: b.Modified, ModifiedBy: b.ModifiedBy, Changes: []Changed{}}
	secret := a.Secure() || b.Secure()
	switch {
	case secret && (a.Value == "" || b.Value == ""):
		s.Changes = append(s.Changes, Changed{Field: "value", Secret: true, Unknown: true})
	case a.Value == b.Value:
	case secret && hide:
		s.Changes = append(s.Changes, Changed{Field: "value", Secret: true})
	default:
		s.Changes = append(s.Changes, Changed{Field: "value", Before: a.Value, After: b.Value})
	}
	for _, f := range []struct{ name, before, after string }{
		{"type", a.Type, b.Type},
		{"tier", a.Tier, b.Tier},
		{"data_type", a.DataType, b.DataType},
		{"key_id", a.KeyID, b.KeyID},
		{"description", a.Description, b.Description},
		{"allowed_pattern", a.AllowedPattern, b.AllowedPattern},
		{"policies", policyTexts(a.Policies), policyTexts(b.Policies)},
	} {
		if f.before != f.after {
			s.Changes = append(s.Changes, Changed{Field: f.name, Before: f.before, After: f.after})
		}
	}
	return s
}

func policyTexts(list []Policy) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.Text
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}

// Range is versions from one to another; 0 is open.
type Range struct{ From, To int64 }

// ParseRange reads N, A..B, A.. and ..B.
func ParseRange(text string) (r Range, ok bool) {
	number := func(s string) (int64, bool) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && n > 0
	}
	from, to, span := strings.Cut(text, "..")
	if !span {
		n, ok := number(text)
		return Range{n, n}, ok
	}
	ok = from != "" || to != ""
	if from != "" {
		n, is := number(from)
		r.From, ok = n, ok && is
	}
	if to != "" {
		n, is := number(to)
		r.To, ok = n, ok && is
	}
	return r, ok && (r.From == 0 || r.To == 0 || r.From <= r.To)
}

// Holds reports whether a version is meant.
func (r Range) Holds(version int64) bool {
	return version >= r.From && (r.To == 0 || version <= r.To)
}
