// Package paramplan compares parameters as they shall be, in files or in another
// environment, with those that are there, and makes them so: what differs is found
// before anything is written, what somebody else has changed meanwhile is not written
// over, and every write is held against the version that the service made of it.
//
// It never puts a value, or anything from which one could be found out, into an error,
// an action's JSON, a state file or a plan file.
package paramplan

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// Desired is what a parameter shall be. What is nil is not managed: it stays as it is,
// and is the service's default for a parameter that is made.
type Desired struct {
	Name string
	Type string // "" is that of the parameter that is there, and String for a new one
	// Value is nil when the value that is there stays, whatever it is.
	Value *string
	// Unread says that the value was not looked for: of a SecureString whether it is
	// there is compared, and such a plan cannot be applied.
	Unread bool
	// Tier is Standard, Advanced or Intelligent-Tiering; "" is not managed.
	Tier           string
	KeyID          string // "" is not managed
	DataType       string // "" is not managed
	Description    *string
	AllowedPattern *string
	// Policies is the JSON array of policies, "[]" for none; nil is not managed.
	Policies *string
	// Tags are those that are managed; others stay.
	Tags map[string]string
	// At is where it is written, FILE:LINE, for messages; it may be empty.
	At string
	// File is the file that it is written in, as the state knows it.
	File string
}

// where is the parameter in messages: with its place, if it has one.
func (d Desired) where() string {
	if d.At == "" {
		return d.Name
	}
	return d.At + ": " + d.Name
}

// policiesJSON is the array that PutParameter takes for policies that are there.
func policiesJSON(list []parameter.Policy) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.Text
	}
	return "[" + strings.Join(texts, ",") + "]"
}

// samePolicies compares two arrays of policies by what they say: order and spaces do
// not count. What is no array of objects is the same only as itself.
func samePolicies(a, b string) bool {
	canonical := func(text string) ([]string, bool) {
		var list []map[string]any
		if json.Unmarshal([]byte(cmp.Or(text, "[]")), &list) != nil {
			return nil, false
		}
		var out []string
		for _, p := range list {
			if len(p) == 0 { // [{}] removes all
				continue
			}
			raw, err := json.Marshal(p) // with sorted keys
			if err != nil {
				return nil, false
			}
			out = append(out, string(raw))
		}
		slices.Sort(out)
		return out, true
	}
	one, okOne := canonical(a)
	two, okTwo := canonical(b)
	if !okOne || !okTwo {
		return a == b
	}
	return slices.Equal(one, two)
}

// ParseTier reads a tier as people write it.
func ParseTier(s string) (string, error) {
	switch strings.ToLower(s) {
	case "standard":
		return parameter.Standard, nil
	case "advanced":
		return parameter.Advanced, nil
	case "intelligent", "intelligent-tiering", "auto":
		return parameter.Intelligent, nil
	}
	return "", fault.Usagef("unknown tier %q", s).WithHint("use standard, advanced or intelligent")
}

// ParseType reads a type as people write it.
func ParseType(s string) (string, error) {
	switch strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s)) {
	case "string":
		return parameter.String, nil
	case "stringlist", "list":
		return parameter.StringList, nil
	case "securestring", "secure":
		return parameter.SecureString, nil
	}
	return "", fault.Usagef("unknown type %q", s).WithHint("use String, StringList or SecureString")
}
