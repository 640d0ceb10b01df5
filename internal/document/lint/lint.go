package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Severity is how much a finding matters.
type Severity string

// The severities. An Error is what the service would refuse or a node could not
// run; a Warning probably is a mistake or a danger; Info is worth knowing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is one fault of a document. The JSON names are part of the output
// contract.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Line     int      `json:"line"`             // from 1
	Column   int      `json:"column,omitempty"` // in characters from 1; 0: not known
	Path     string   `json:"path,omitempty"`   // such as mainSteps[0].inputs.runCommand[2]
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
}

// Options say what a document is meant to be. Zero fields are guessed or not
// checked.
type Options struct {
	Name string // checked against the service's rules for names
	Type string // as the API writes it: Command, Automation, Session, Policy, Package, …
}

// Report is what Check found.
type Report struct {
	Type          string    `json:"type"` // given or guessed; empty when neither
	SchemaVersion string    `json:"schema_version,omitempty"`
	Format        string    `json:"format"` // JSON, YAML or TEXT, as CreateDocument wants it
	Findings      []Finding `json:"findings"`
}

// MaxContent is the size limit of a document in bytes, from the API model's
// text of CreateDocument.
const MaxContent = 64 << 10

// hugeContent is where reading stops: nothing of that size becomes a document.
const hugeContent = 4 << 20

// Check reads a document and returns its faults in the order of their places. The
// error is a *SyntaxError when content is neither JSON nor YAML.
func Check(content []byte, o Options) (Report, error) {
	r := Report{Type: o.Type}
	if len(content) > hugeContent {
		return r, &SyntaxError{Line: 1, Message: fmt.Sprintf("%d bytes are no document: the service takes 64 KB", len(content))}
	}
	if !utf8.Valid(content) {
		return r, &SyntaxError{Line: 1 + strings.Count(string(content[:invalidAt(content)]), "\n"), Message: "this is not UTF-8 text"}
	}
	src := strings.TrimPrefix(string(content), "\ufeff")
	l := &linter{report: &r, options: o}
	l.name()
	if calendar := strings.HasPrefix(strings.TrimSpace(src), "BEGIN:VCALENDAR"); calendar || o.Type == "ChangeCalendar" {
		r.Type, r.Format = "ChangeCalendar", "TEXT"
		if !calendar {
			l.add(&node{line: 1, col: 1}, "", ruleSchema, Error, "", "a ChangeCalendar document is iCalendar text and begins with BEGIN:VCALENDAR")
		}
		l.size(len(content))
		return l.done(), nil
	}
	var err error
	if strings.HasPrefix(strings.TrimSpace(src), "{") {
		r.Format = "JSON"
		l.root, err = readJSON(src)
	} else {
		r.Format = "YAML"
		l.root, err = readYAML(src)
	}
	if err != nil {
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			err = &SyntaxError{Line: 1, Message: err.Error()}
		}
		return r, err
	}
	if l.root.kind != mapping {
		return r, &SyntaxError{Line: l.root.line, Column: l.root.col, Message: "a document is a mapping of keys such as schemaVersion; this is " + l.root.kind.String()}
	}
	l.size(len(content))
	l.duplicates(l.root, "")
	l.document()
	return l.done(), nil
}

func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return 0
}

// linter is one check of one document.
type linter struct {
	root    *node
	report  *Report
	options Options

	parameters []*parameter
	used       map[string]bool // parameters that something refers to
}

// add notes a finding at a node.
func (l *linter) add(n *node, path, rule string, s Severity, hint, format string, args ...any) {
	l.addAt(n.line, n.col, path, rule, s, hint, format, args...)
}

func (l *linter) addAt(line, col int, path, rule string, s Severity, hint, format string, args ...any) {
	l.report.Findings = append(l.report.Findings, Finding{
		Rule: rule, Severity: s, Line: line, Column: col, Path: path, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (l *linter) done() Report {
	slices.SortStableFunc(l.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if l.report.Findings == nil {
		l.report.Findings = []Finding{}
	}
	return *l.report
}

var legalName = pattern.Lazy(`^[a-zA-Z0-9_\-.]{3,128}$`) // API model, DocumentName

// reserved are the prefixes no name may have, from the API model's text of
// CreateDocument.
var reserved = []string{"aws", "amazon", "amzn", "AWSEC2", "AWSConfigRemediation", "AWSSupport"}

// name checks what the document is to be called.
func (l *linter) name() {
	name := l.options.Name
	if name == "" {
		return
	}
	top := &node{line: 1, col: 1}
	if !legalName().MatchString(name) {
		l.add(top, "", ruleName, Error, "use 3 to 128 letters, digits, _ - and .", "%q cannot be the name of a document", name)
	}
	for _, p := range reserved {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(p)) {
			l.add(top, "", ruleReservedName, Error, "choose another name", "names that begin with %s are reserved for AWS", p)
			return
		}
	}
}

func (l *linter) size(n int) {
	if n > MaxContent {
		l.add(&node{line: 1, col: 1}, "", ruleSize, Error, "move scripts to S3 and fetch them with aws:downloadContent",
			"the document has %d bytes; the service takes %d", n, MaxContent)
	}
}

// duplicates reports keys that a mapping has twice: of two values the service
// keeps one, and does not say which.
func (l *linter) duplicates(n *node, path string) {
	for _, item := range n.items {
		l.duplicates(item, path)
	}
	first := map[string]*node{}
	for _, m := range n.members {
		if before, ok := first[m.key.text]; ok {
			l.add(m.key, join(path, m.key.text), ruleDuplicateKey, Error, "", "%s stands here twice, first in line %d", m.key.text, before.line)
		} else {
			first[m.key.text] = m.key
		}
		l.duplicates(m.value, join(path, m.key.text))
	}
}

// keys reports members of n that are none of legal: an Error when the word is
// close to a legal one, since then it is a slip; else a Warning, for schemas grow.
func (l *linter) keys(n *node, path, where string, legal []string) {
	for _, m := range n.members {
		if slices.Contains(legal, m.key.text) {
			continue
		}
		hint := near(m.key.text, legal)
		severity := Warning
		if hint != "" && n.get(strings.TrimSuffix(strings.TrimPrefix(hint, "did you mean "), "?")) == nil {
			severity = Error
		} else {
			hint = ""
		}
		l.add(m.key, join(path, m.key.text), ruleUnknownKey, severity, hint, "%s does not know the key %s", where, m.key.text)
	}
}

// need reports a required key that is missing.
func (l *linter) need(n *node, path, where string, required ...string) bool {
	whole := true
	for _, key := range required {
		if n.get(key) == nil {
			l.add(n, path, ruleMissingKey, Error, "", "%s needs the key %s", where, key)
			whole = false
		}
	}
	return whole
}

// want reports a value of another kind than those allowed. A value that is only a
// reference ({{ x }}) may stand for any kind, and nothing is wrong with nil.
func (l *linter) want(n *node, path string, kinds ...kind) bool {
	if n == nil || slices.Contains(kinds, n.kind) {
		return true
	}
	if n.kind == text && wholeReference().MatchString(n.text) {
		return true
	}
	var names []string
	for _, k := range kinds {
		names = append(names, k.String())
	}
	l.add(n, path, ruleWrongType, Error, "", "%s must be %s, and is %s", last(path), strings.Join(names, " or "), n.kind)
	return false
}

// last returns the last word of a path, for messages.
func last(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[i+1:]
	}
	return path
}
