package baseline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// allKeys are the filters that rules may have on some system, as people write them
// and as the API does.
func allKeys() map[string]string {
	keys := map[string]string{}
	for i := range systems {
		for _, k := range systems[i].keys {
			keys[strings.ToLower(k)] = k
		}
	}
	return keys
}

// ruleWords are what a rule says beside its filters.
var ruleWords = []string{"after", "until", "level", "non_security"}

// ParseRule reads a rule as flags have it:
//
//	classification=Security severity=Critical,Important after=7d level=high
//
// Pairs are separated by spaces, values by commas; quotes keep both together:
// product="Office 2013,Office 2016". Every fault is in the problems, with the
// field that it is in.
func ParseRule(text string) (r Rule, problems []Problem) {
	fail := func(field, hint, format string, args ...any) {
		problems = append(problems, Problem{Field: field, Text: fmt.Sprintf(format, args...), Hint: hint})
	}
	words, err := fields(text)
	if err != nil {
		fail("", "", "%v", err)
		return r, problems
	}
	if len(words) == 0 {
		fail("", "for instance classification=Security after=7d", "says nothing")
	}
	keys := allKeys()
	seen := map[string]bool{}
	for _, word := range words {
		name, value, has := strings.Cut(word, "=")
		name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
		switch {
		case seen[name]:
			fail(name, "separate values with commas", "is given twice")
			continue
		case !has && name != "non_security":
			fail("", "for instance severity=Critical", "%q is not of the form KEY=VALUE", word)
			continue
		}
		seen[name] = true
		switch name {
		case "after":
			r.After = new(int)
			if *r.After, err = parseDays(value); err != nil {
				fail(name, "write 7 or 7d", "%v", err)
			}
		case "until":
			r.Until = value
		case "level":
			r.Level = strings.ToUpper(value)
		case "non_security":
			on, err := strconv.ParseBool(value)
			if has && err != nil {
				fail(name, "", "is true or false, and not %q", value)
			}
			r.NonSecurity = on || !has
		default:
			key, ok := keys[name]
			if !ok {
				fail(name, nearKey(name), "is no filter")
				continue
			}
			r.Filters = append(r.Filters, Filter{Key: key, Values: splitValues(value)})
		}
	}
	return r, problems
}

// nearKey is a hint at the word that was probably meant.
func nearKey(name string) string {
	words := slices.Clone(ruleWords)
	for k := range allKeys() {
		words = append(words, k)
	}
	slices.Sort(words)
	if near := nearest(name, words); near != "" {
		return "did you mean " + near + "?"
	}
	return "there are " + strings.Join(words, ", ")
}

// parseDays reads 7 or 7d.
func parseDays(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil {
		return 0, fmt.Errorf("%q is no number of days", text)
	}
	return n, nil
}

func splitValues(text string) []string {
	var out []string
	for v := range strings.SplitSeq(text, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// fields cuts a text at spaces outside quotes, and takes the quotes away.
func fields(text string) ([]string, error) {
	var out []string
	var word strings.Builder
	quote, any := rune(0), false
	for _, r := range text {
		switch {
		case r == quote && quote != 0:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, any = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if any {
				out = append(out, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(r)
			any = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quotation mark %c is not closed", quote)
	}
	if any {
		out = append(out, word.String())
	}
	return out, nil
}

// Text is the rule as ParseRule reads it.
func (r Rule) Text() string {
	var words []string
	for _, f := range r.Filters {
		words = append(words, filterText(f))
	}
	if r.After != nil {
		words = append(words, fmt.Sprintf("after=%dd", *r.After))
	}
	if r.Until != "" {
		words = append(words, "until="+r.Until)
	}
	if r.Level != "" && r.Level != Unspecified {
		words = append(words, "level="+r.Level)
	}
	if r.NonSecurity {
		words = append(words, "non_security")
	}
	return strings.Join(words, " ")
}

func filterText(f Filter) string {
	values := strings.Join(f.Values, ",")
	if strings.ContainsAny(values, " \t'") {
		values = `"` + values + `"`
	}
	return strings.ToLower(f.Key) + "=" + values
}

// Sentence says what the rule does: "approves Security patches of severity
// Critical or Important 7 days after release, level HIGH".
func (r Rule) Sentence() string {
	what, more, product := "all patches", "", ""
	for _, f := range r.Filters {
		if len(f.Values) == 0 || slices.Contains(f.Values, Any) {
			continue
		}
		values := orWords(f.Values)
		switch f.Key {
		case "CLASSIFICATION":
			what = values + " patches"
		case "PATCH_SET":
			if slices.Contains(f.Values, "APPLICATION") {
				more += " of applications"
			}
		case "SEVERITY", "MSRC_SEVERITY":
			more += " of severity " + values
		case "PRIORITY":
			more += " of priority " + values
		case "PRODUCT":
			product = " for " + values
		default:
			more += " with " + strings.ToLower(strings.ReplaceAll(f.Key, "_", " ")) + " " + values
		}
	}
	when := ""
	switch {
	case r.Until != "":
		when = " released until " + r.Until
	case r.After == nil || *r.After == 0:
		when = " at once"
	case *r.After == 1:
		when = " 1 day after release"
	default:
		when = fmt.Sprintf(" %d days after release", *r.After)
	}
	s := "approves " + what + more + product + when
	if r.NonSecurity {
		s += ", and updates that no security notice names"
	}
	if r.Level != "" && r.Level != Unspecified {
		s += ", level " + r.Level
	}
	return s
}

// orWords joins alternatives: "Critical, Important or Low".
func orWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// ParseDays reads a number of days: 7 or 7d.
func ParseDays(text string) (int, error) {
	n, err := parseDays(text)
	if err == nil && (n < 0 || n > maxDelay) {
		return 0, fmt.Errorf("%d is not within 0 and %d days", n, maxDelay)
	}
	return n, err
}

// ParseFilters reads filters as rules have them, without the rest of a rule.
func ParseFilters(text string) ([]Filter, []Problem) {
	r, problems := ParseRule(text)
	if r.After != nil || r.Until != "" || r.Level != "" || r.NonSecurity {
		problems = append(problems, Problem{Text: "takes filters only", Hint: "delays, dates and levels are of rules"})
	}
	return r.Filters, problems
}

// ParseSource reads a source as flags have it: name=main products=A,B with
// file=PATH, which read reads, or configuration="…".
func ParseSource(text string, read func(path string) ([]byte, error)) (s Source, problems []Problem) {
	words, err := fields(text)
	if err != nil {
		return s, []Problem{{Text: err.Error()}}
	}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "name":
			s.Name = value
		case "products", "product":
			s.Products = splitValues(value)
		case "configuration":
			s.Configuration = value
		case "file":
			data, err := read(value)
			if err != nil {
				problems = append(problems, Problem{Field: key, Text: err.Error()})
				s.Configuration = "?" // not to be told twice
				continue
			}
			s.Configuration = string(data)
		default:
			problems = append(problems, Problem{Text: fmt.Sprintf("%q is unknown", key), Hint: "a source has name, products, and file or configuration"})
		}
	}
	return s, problems
}
