package baseline

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The limits of the API reference (CreatePatchBaseline and the types it takes).
const (
	maxRules         = 10
	maxFilters       = 4
	maxValues        = 20
	maxValue         = 64
	maxDelay         = 360 // days
	maxListed        = 50  // entries of a list
	maxEntry         = 100
	maxSources       = 20
	maxProducts      = 20
	maxConfiguration = 1024
	maxDescription   = 1024
)

var (
	namePattern   = pattern.Lazy(`^[a-zA-Z0-9_\-.]{3,128}$`)
	sourcePattern = pattern.Lazy(`^[a-zA-Z0-9_\-.]{3,50}$`)
	cvePattern    = pattern.Lazy(`^CVE-\d{4}-\d{4,}$`)
	kbPattern     = pattern.Lazy(`^(KB\d+|MS\d\d-\d+)$`)
)

// Problem is something in a baseline that the service would refuse, or that can
// only be a mistake. Field is where: "name", "rule 2: severity".
type Problem struct{ Field, Text, Hint string }

func (p Problem) String() string {
	s := p.Text
	if p.Field != "" {
		s = p.Field + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Fault is the Usage error of problems, nil without any.
func Fault(what string, problems []Problem) error {
	switch len(problems) {
	case 0:
		return nil
	case 1:
		p := problems[0]
		err := fault.Usagef("%s", Problem{Field: p.Field, Text: p.Text}.String())
		if p.Hint != "" {
			return err.WithHint("%s", p.Hint)
		}
		return err
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return fault.Usagef("%s cannot be sent:\n  %s", what, strings.Join(lines, "\n  "))
}

// Check returns what is wrong with a baseline, without a call. Unless anyValue is
// set, the values of filters must be documented ones of the operating system:
// new ones may come at any time, and then it is set. What it does not take either way
// are keys, limits and forms of the API reference.
func (b *Baseline) Check(anyValue bool) []Problem {
	c := checker{s: systemOf(b.OS), os: b.OS, anyValue: anyValue}
	switch {
	case b.Name == "":
		c.fail("name", "is missing")
	case !namePattern().MatchString(b.Name):
		c.fail("name", "%q must be 3 to 128 letters, digits, _ - and .", b.Name)
	}
	switch {
	case b.OS == "":
		c.fail("os", "is missing")
	case c.s == nil:
		c.oneOf("os", b.OS, Systems())
	}
	if utf8.RuneCountInString(b.Description) > maxDescription {
		c.fail("description", "is longer than %d characters", maxDescription)
	}
	c.filters("global_filters", b.GlobalFilters)
	if len(b.Rules) > maxRules {
		c.fail("rules", "there are %d, and %d at most are possible", len(b.Rules), maxRules)
	}
	for i, r := range b.Rules {
		c.rule(fmt.Sprintf("rule %d", i+1), r)
	}
	c.list("approve", b.Approve)
	c.list("reject", b.Reject)
	for _, entry := range b.Reject {
		if slices.Contains(b.Approve, entry) {
			c.fail("reject", "%s is in both lists; what is rejected is never approved", entry)
		}
	}
	c.optional("approve_level", b.ApproveLevel, Levels)
	c.optional("reject_action", b.RejectAction, Actions)
	c.optional("security_updates", b.SecurityUpdates, Statuses)
	if b.SecurityUpdates != "" && c.s != nil && c.s.family != windows {
		c.fail("security_updates", "is for Windows Server only")
	}
	if b.ApproveNonSecurity && c.s != nil && c.s.family == windows {
		c.fail("approve_non_security", "is for Linux only")
	}
	c.sources(b.Sources)
	return c.found
}

type checker struct {
	s        *system
	os       string
	anyValue bool
	found    []Problem
}

func (c *checker) fail(field, format string, args ...any) {
	c.found = append(c.found, Problem{Field: field, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) hint(format string, args ...any) {
	c.found[len(c.found)-1].Hint = fmt.Sprintf(format, args...)
}

// oneOf fails with the values that are possible, or the one that was meant.
func (c *checker) oneOf(field, value string, words []string) {
	if slices.Contains(words, value) {
		return
	}
	c.fail(field, "is never %q", value)
	if near := fault.Nearest(value, words); near != "" {
		c.hint("did you mean %s?", near)
	} else {
		c.hint("it is one of %s", strings.Join(words, ", "))
	}
}

func (c *checker) optional(field, value string, words []string) {
	if value != "" {
		c.oneOf(field, value, words)
	}
}

func (c *checker) rule(field string, r Rule) {
	if len(r.Filters) == 0 && !c.anyValue {
		c.fail(field, "has no filter")
		c.hint("product=* matches every patch")
	}
	c.filters(field, r.Filters)
	c.optional(field+": level", r.Level, Levels)
	undated := c.s != nil && c.s.family == deb
	switch {
	case r.After != nil && r.Until != "":
		c.fail(field, "has both a delay and a date")
		c.hint("give either after or until")
	case r.After == nil && r.Until == "" && !undated:
		c.fail(field, "says neither after how many days nor until which date")
		c.hint("after=0 approves at once")
	}
	if r.After != nil && (*r.After < 0 || *r.After > maxDelay) {
		c.fail(field+": after", "%d is not within 0 and %d days", *r.After, maxDelay)
	}
	if r.Until != "" {
		if _, err := time.Parse(time.DateOnly, r.Until); err != nil {
			c.fail(field+": until", "%q is no date", r.Until)
			c.hint("write it as 2026-01-31")
		}
	}
	if r.NonSecurity && c.s != nil && c.s.family == windows {
		c.fail(field+": non_security", "is for Linux only")
	}
}

func (c *checker) filters(field string, filters []Filter) {
	if len(filters) > maxFilters {
		c.fail(field, "has %d filters, and %d at most are possible", len(filters), maxFilters)
	}
	seen := map[string]bool{}
	for _, f := range filters {
		where := field + ": " + strings.ToLower(f.Key)
		if seen[f.Key] {
			c.fail(where, "is given twice")
			c.hint("separate values with commas")
		}
		seen[f.Key] = true
		if c.s != nil && !slices.Contains(c.s.keys, f.Key) {
			c.fail(where, "is no filter for %s", c.s.name)
			c.hint("%s", c.s.keyHint(f.Key))
			continue
		}
		switch {
		case len(f.Values) == 0:
			c.fail(where, "has no value")
		case len(f.Values) > maxValues:
			c.fail(where, "has %d values, and %d at most are possible", len(f.Values), maxValues)
		}
		for _, v := range f.Values {
			c.value(where, f.Key, v)
		}
	}
}

// keyHint says what takes the place of a filter that the system does not have.
func (s *system) keyHint(key string) string {
	for _, pair := range [][2]string{{"SEVERITY", "MSRC_SEVERITY"}, {"MSRC_SEVERITY", "SEVERITY"}, {"SEVERITY", "PRIORITY"}, {"MSRC_SEVERITY", "PRIORITY"}, {"PRIORITY", "SEVERITY"}, {"PRIORITY", "MSRC_SEVERITY"}} {
		if key == pair[0] && slices.Contains(s.keys, pair[1]) {
			return "there it is " + strings.ToLower(pair[1])
		}
	}
	return "there are " + strings.ToLower(strings.Join(s.keys, ", "))
}

func (c *checker) value(where, key, v string) {
	switch {
	case v == "" || utf8.RuneCountInString(v) > maxValue:
		c.fail(where, "%q must have 1 to %d characters", v, maxValue)
	case v == Any || c.anyValue || c.s == nil:
	case key == "PRODUCT":
		c.product(where, v)
	default:
		words := c.s.values[key]
		if len(words) == 0 || slices.Contains(words, v) {
			return
		}
		c.fail(where, "%q is unknown for %s", v, c.s.name)
		if near := fault.Nearest(v, words); near != "" {
			c.hint("did you mean %s?", near)
		} else {
			c.hint("it is %s", strings.Join(words, ", "))
		}
	}
}

// product takes a product by its form: versions that come later have it, too. Of
// Windows there are all of Microsoft's applications as well.
func (c *checker) product(where, v string) {
	const versions = "0123456789."
	for _, name := range c.s.products {
		if rest, ok := strings.CutPrefix(v, name); ok && rest != "" && strings.Trim(rest, versions) == "" {
			return
		}
	}
	if len(c.s.products) > 0 {
		c.fail(where, "%q is unknown for %s", v, c.s.name)
		c.hint("products look like %s; `ssmdeck patch properties --os %s --property product` lists them", c.s.example, c.s.os)
		return
	}
	if c.s.family != windows {
		return
	}
	lower := strings.ToLower(strings.ReplaceAll(v, " ", ""))
	if strings.Contains(lower, "windowsserv") && !strings.HasPrefix(v, "WindowsServer") || looksLikeLinux(v) {
		c.fail(where, "%q is unknown for %s", v, c.s.name)
		c.hint("products look like %s", c.s.example)
	}
}

func looksLikeLinux(product string) bool {
	for i := range systems {
		for _, name := range systems[i].products {
			if rest, ok := strings.CutPrefix(product, name); ok && rest != "" && strings.Trim(rest, "0123456789.") == "" {
				return true
			}
		}
	}
	return false
}

func (c *checker) list(field string, entries []string) {
	if len(entries) > maxListed {
		c.fail(field, "has %d entries, and %d at most are possible", len(entries), maxListed)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		switch {
		case e == "" || utf8.RuneCountInString(e) > maxEntry:
			c.fail(field, "%q must have 1 to %d characters", e, maxEntry)
		case seen[e]:
			c.fail(field, "%s is there twice", e)
		case c.s != nil && c.s.family == windows && !c.anyValue && !kbPattern().MatchString(e):
			c.fail(field, "%q is no patch of Windows", e)
			c.hint("write KB5034127, or a bulletin as MS10-048")
		case c.s != nil && c.s.family != windows && !c.anyValue && kbPattern().MatchString(e):
			c.fail(field, "%q is a patch of Windows, and this is for %s", e, c.s.name)
		}
		seen[e] = true
	}
}

func (c *checker) sources(sources []Source) {
	if len(sources) > 0 && c.s != nil && (c.s.family == windows || c.s.family == mac) {
		c.fail("sources", "are for Linux only")
		return
	}
	if len(sources) > maxSources {
		c.fail("sources", "there are %d, and %d at most are possible", len(sources), maxSources)
	}
	for i, s := range sources {
		field := fmt.Sprintf("source %d", i+1)
		if !sourcePattern().MatchString(s.Name) {
			c.fail(field+": name", "%q must be 3 to 50 letters, digits, _ - and .", s.Name)
		}
		switch n := len(s.Products); {
		case n == 0:
			c.fail(field+": products", "are missing")
		case n > maxProducts:
			c.fail(field+": products", "there are %d, and %d at most are possible", n, maxProducts)
		}
		for _, p := range s.Products {
			c.value(field+": products", "PRODUCT", p)
		}
		switch n := utf8.RuneCountInString(s.Configuration); {
		case n == 0:
			c.fail(field+": configuration", "is missing")
		case n > maxConfiguration:
			c.fail(field+": configuration", "has %d characters, and %d at most are possible", n, maxConfiguration)
		}
	}
}

// CheckValues holds values of a filter against what is documented for an operating
// system; field is what is named in the problems.
func CheckValues(os, field, key string, values []string) []Problem {
	c := checker{s: systemOf(os), os: os}
	if c.s != nil && len(values) > 0 && !slices.Contains(c.s.keys, key) {
		c.fail(field, "patches of %s have none", c.s.name)
		c.hint("%s", c.s.keyHint(key))
		return c.found
	}
	for _, v := range values {
		c.value(field, key, v)
	}
	return c.found
}

// IsCVE reports whether a word is a CVE: CVE-2026-1234, in any case.
func IsCVE(word string) bool { return cvePattern().MatchString(strings.ToUpper(word)) }
