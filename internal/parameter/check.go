package parameter

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The rules of names and labels (API reference, PutParameter and
// LabelParameterVersion; user guide, "Creating Systems Manager parameters" and
// "Working with parameter labels").
const (
	maxDepth = 15
	maxARN   = 1011 // characters of a name with the part of its ARN before it
	// MaxLabels is how many labels one version can have.
	MaxLabels    = 10
	maxLabelSize = 100 // characters
	// shortestARN is what precedes a name where that is shortest: a Region of nine
	// characters.
	shortestARN = "arn:aws:ssm:us-east-1:123456789012:parameter/"
)

var (
	badNameChars  = pattern.Lazy(`[^a-zA-Z0-9_.\-/]`)
	badLabelChars = pattern.Lazy(`[^a-zA-Z0-9_.\-]`)
)

// Place is where a name is in the hierarchy. A name without a slash is one at the root:
// the same parameter as with it, whichever of the two the service answers.
func Place(name string) string { return "/" + strings.TrimPrefix(name, "/") }

// CheckName says what the service would refuse about the name of a parameter that is
// written: a Usage error with a hint, or nil. Of a name that is too long only in some
// Regions nothing is said: there the service decides.
func CheckName(name string) error {
	bad := func(format string, args ...any) *fault.Error {
		return fault.Usagef("the name %s "+format, append([]any{quoted(name)}, args...)...)
	}
	rest := strings.TrimPrefix(name, "/")
	first, _, _ := strings.Cut(rest, "/")
	repaired := "/" + strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '/' }), "/")
	if reserved(strings.TrimLeft(name, "/")) { // else the repair would be refused in its turn
		repaired = "/app" + repaired
	}
	switch {
	case name == "":
		return fault.Usagef("a parameter without a name").WithHint("write it as /app/prod/db-url")
	case strings.HasPrefix(name, "arn:"):
		return bad("is an ARN; only parameters that are read can be named so").WithHint("write the part behind parameter, with its leading slash")
	case strings.TrimSpace(name) != name:
		return bad("begins or ends with a space, which the service would drop").WithHint("write it without")
	}
	if c := badNameChars().FindString(name); c != "" {
		e := bad("has %s in it", quoted(c))
		if c == ":" {
			return e.WithHint("a version or label behind a colon cannot be written; a name has letters, digits, and . - _ between its slashes")
		}
		return e.WithHint("a name has letters of a to z, digits, and . - _ between its slashes")
	}
	switch {
	case rest == "":
		return bad("has nothing but slashes").WithHint("write it as /app/prod/db-url")
	case strings.Contains(name, "//"):
		return bad("has two slashes in a row").WithHint("write %s", repaired)
	case strings.HasSuffix(name, "/"):
		return bad("ends with a slash").WithHint("write %s", repaired)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return bad("has parts, and no slash before the first").WithHint("write %s", repaired)
	case reserved(first):
		return bad("begins with %s, which AWS keeps for itself", first[:3]).WithHint("put another part before it, or another word: %s", repaired)
	case strings.Count("/"+rest, "/") > maxDepth:
		return bad("has %d levels; %d are allowed", strings.Count("/"+rest, "/"), maxDepth).WithHint("join some of its parts with - or .")
	case len(shortestARN)+len(rest) > maxARN:
		return bad("has %d characters; with its ARN it may have %d, which leaves %d", len(name), maxARN, maxARN-len(shortestARN))
	}
	return nil
}

// reserved reports whether a first part is one that the service refuses.
func reserved(part string) bool {
	lower := strings.ToLower(part)
	return strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm")
}

// quoted is a word of the user in an error: visible, and never more of it than a line
// holds.
func quoted(word string) string {
	const most = 120
	if r := []rune(word); len(r) > most {
		word = string(r[:most]) + "..."
	}
	if len(word) <= 1 || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return strconv.Quote(word)
	}
	return word
}

// CheckPath says what the service would refuse about a path whose parameters are asked
// for; "/" is all. Paths of AWS's own parameters are fine.
func CheckPath(path string) error {
	bad := func(format string, args ...any) *fault.Error {
		return fault.Usagef("the path %s "+format, append([]any{quoted(path)}, args...)...)
	}
	if path == "/" {
		return nil
	}
	trimmed := strings.TrimSuffix(path, "/")
	switch {
	case path == "":
		return fault.Usagef("a path without a name").WithHint("write / for all parameters")
	case strings.TrimSpace(path) != path:
		return bad("begins or ends with a space").WithHint("write it without")
	}
	if c := badNameChars().FindString(path); c != "" {
		return bad("has %s in it", quoted(c)).WithHint("a path has letters of a to z, digits, and . - _ between its slashes")
	}
	switch {
	case !strings.HasPrefix(path, "/"):
		return bad("does not begin with a slash").WithHint("write /%s", path)
	case strings.Contains(path, "//"):
		return bad("has two slashes in a row")
	case strings.Count(trimmed, "/") > maxDepth:
		return bad("has %d levels; %d are allowed", strings.Count(trimmed, "/"), maxDepth)
	case len(shortestARN)+len(trimmed)-1 > maxARN:
		return bad("has %d characters; with its ARN it may have %d", len(path), maxARN)
	}
	return nil
}

// CheckLabel says what the service would refuse about a label.
func CheckLabel(label string) error {
	bad := func(format string, args ...any) *fault.Error {
		return fault.Usagef("the label %s "+format, append([]any{quoted(label)}, args...)...)
	}
	switch n := utf8.RuneCountInString(label); {
	case n == 0:
		return fault.Usagef("a label without a name")
	case n > maxLabelSize:
		return bad("has %d characters; %d are allowed", n, maxLabelSize)
	}
	if c := badLabelChars().FindString(label); c != "" {
		return bad("has %s in it", quoted(c)).WithHint("a label has letters of a to z, digits, and . - _")
	}
	switch {
	case label[0] >= '0' && label[0] <= '9':
		return bad("begins with a digit").WithHint("write v%s: a number alone is a version", label)
	case reserved(label):
		return bad("begins with %s, which AWS keeps for itself", label[:3])
	}
	return nil
}

// CheckLabels checks the labels for one version.
func CheckLabels(labels []string) (faults []error) {
	if len(labels) > MaxLabels {
		faults = append(faults, fault.Usagef("%d labels for one version; it can have %d", len(labels), MaxLabels))
	}
	for _, l := range labels {
		if err := CheckLabel(l); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// allowed compiles an allowed pattern; nil without an error when Java, in which the
// service reads it, and Go do not read it alike.
func allowed(expr string) (*regexp.Regexp, error) {
	if _, nested := pattern.NestedClass(expr); nested || pattern.JavaOnly(expr) != "" {
		return nil, nil
	}
	return regexp.Compile(expr)
}
