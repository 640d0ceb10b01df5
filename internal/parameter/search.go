package parameter

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Matcher finds a text, or a regular expression, in parameters.
type Matcher struct{ expr *regexp.Regexp }

// NewMatcher looks for text as it is, or as a regular expression (of Go, RE2). The error
// of an expression that is none does not hold it: what is searched may be a secret.
func NewMatcher(text string, expression, ignoreCase bool) (Matcher, error) {
	if !expression {
		text = regexp.QuoteMeta(text)
	}
	if ignoreCase {
		text = "(?i)" + text
	}
	expr, err := regexp.Compile(text)
	return Matcher{expr}, err
}

// The fields that are searched.
const (
	InName        = "name"
	InDescription = "description"
	InValue       = "value"
)

// Match is the first place in a field where the text is. Before and After are what
// stands around it, cut. Of a secret nothing is said but that it is there.
// The JSON names are part of the output contract.
type Match struct {
	In     string `json:"in"` // name, description, value
	Before string `json:"before,omitempty"`
	Text   string `json:"text,omitempty"`
	After  string `json:"after,omitempty"`
	Secret bool   `json:"secret,omitempty"`
}

// Found is a parameter in which something was found. The JSON names are part of the
// output contract.
type Found struct {
	Name        string    `json:"name"`
	Type        string    `json:"type"`
	Version     int64     `json:"version,omitempty"`
	Description string    `json:"description,omitempty"`
	Modified    time.Time `json:"modified,omitzero"`
	ModifiedBy  string    `json:"modified_by,omitempty"`
	Matches     []Match   `json:"matches"` // at least one
}

// around is how many characters are kept on either side of a match.
const around = 30

// Find looks at the name, the description, and the value where there is one. secret says
// that what is searched is itself one: then nothing of the answer but the name holds it.
func (m Matcher) Find(p Parameter, secret bool) (f Found, ok bool) {
	f = Found{Name: p.Name, Type: p.Type, Version: p.Version, Description: p.Description, Modified: p.Modified, ModifiedBy: p.ModifiedBy}
	for _, field := range []struct{ in, text string }{{InName, p.Name}, {InDescription, p.Description}, {InValue, p.Value}} {
		if field.text == "" {
			continue
		}
		at := m.expr.FindStringIndex(field.text)
		if at == nil {
			continue
		}
		found := Match{In: field.in}
		switch {
		case secret && field.in != InName, p.Secure() && field.in == InValue:
			found.Secret = true
			if field.in == InDescription {
				f.Description = ""
			}
		case field.in == InName:
			found.Before, found.Text, found.After = field.text[:at[0]], field.text[at[0]:at[1]], field.text[at[1]:]
		default:
			found.Before, found.Text, found.After = tail(field.text[:at[0]]), field.text[at[0]:at[1]], head(field.text[at[1]:])
		}
		f.Matches = append(f.Matches, found)
	}
	return f, len(f.Matches) > 0
}

// head and tail are the first and the last characters of a text.
func head(s string) string {
	end := 0
	for range around {
		_, n := utf8.DecodeRuneInString(s[end:])
		end += n
	}
	return s[:end]
}

func tail(s string) string {
	start := len(s)
	for range around {
		_, n := utf8.DecodeLastRuneInString(s[:start])
		start -= n
	}
	return s[start:]
}

// In returns the match in a field.
func (f Found) In(field string) (Match, bool) {
	for _, m := range f.Matches {
		if m.In == field {
			return m, true
		}
	}
	return Match{}, false
}

// Places are the fields that match: "name, value".
func (f Found) Places() string {
	words := make([]string, len(f.Matches))
	for i, m := range f.Matches {
		words[i] = m.In
	}
	return strings.Join(words, ", ")
}
