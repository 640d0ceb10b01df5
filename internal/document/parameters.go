package document

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// maxSize is the service's limit for a document together with the values of
// its parameters: 64 KB (guide page "Systems Manager quotas").
const maxSize = 64 << 10

// ParseParams reads pairs of the form name=value against doc's parameters and
// returns the values in the order given, ready for the API. All faults are
// reported in one Usage error, which names parameters and never shows values.
//
//   - A list (StringList, MapList) is given by repeating its name, as a JSON
//     array, or both. A value that merely starts with "[" stays what it is.
//   - name=@file and name=file://path read the value from a file, as it is;
//     name=@@text is the text @text.
//
// A parameter without default that is neither given nor in provided (what the
// caller fills in itself) is a fault.
func ParseParams(doc Document, pairs []string, provided ...string) (map[string][]string, error) {
	return MergeParams(doc, nil, pairs, provided...)
}

// MergeParams is ParseParams beside values that are given already, as they go to the
// API: those of a file. A list may come from both.
func MergeParams(doc Document, given map[string][]string, pairs []string, provided ...string) (map[string][]string, error) {
	c := collector{doc: doc, params: make(map[string][]string)}
	c.given(given)
	for _, pair := range pairs {
		if err := c.add(pair); err != nil {
			c.faults = append(c.faults, err)
		}
	}
	if err := c.verdict(provided, pairs); err != nil {
		return nil, err
	}
	return c.params, nil
}

// CheckParams holds values, as they go to the API, against doc's parameters. Its
// error is that of ParseParams.
func CheckParams(doc Document, params map[string][]string) error {
	c := collector{doc: doc, params: make(map[string][]string)}
	c.given(params)
	return c.verdict(nil, nil)
}

// given takes values as they go to the API.
func (c *collector) given(params map[string][]string) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch p, ok := c.doc.Parameter(name); {
		case !ok:
			hint, err := unknown(c.doc, name)
			c.hint, c.faults = hint, append(c.faults, err)
		case len(params[name]) != 1 && !p.Type.list():
			c.faults = append(c.faults, fmt.Errorf("parameter %s: %d values given, but it is one %s and no list", name, len(params[name]), p.Type))
		}
		c.params[name] = slices.Clone(params[name])
	}
}

// verdict is what is wrong with all that was collected, in one error.
func (c *collector) verdict(provided, pairs []string) error {
	doc, size := c.doc, 0
	for _, p := range doc.Parameters {
		values, ok := c.params[p.Name]
		if !ok {
			continue
		}
		if err := p.check(values); err != nil {
			c.faults = append(c.faults, fmt.Errorf("parameter %s: %w", p.Name, err))
		}
		for _, v := range values {
			size += len(v)
		}
	}
	if missing := missing(doc, c.params, provided, pairs); len(missing) > 0 {
		c.faults = append(c.faults, fmt.Errorf("document %s needs parameter %s", doc.Name, strings.Join(missing, ", ")))
		c.hint = cmp.Or(c.hint, fmt.Sprintf("give it as --param %s=VALUE; `ssmdeck document describe %s` shows what it takes", missing[0], doc.Name))
	}
	if size > maxSize {
		c.faults = append(c.faults, fmt.Errorf("the parameters are %d bytes long, and at most %d are possible", size, maxSize))
	}
	if len(c.faults) > 0 {
		return &fault.Error{Kind: fault.Usage, Hint: c.hint, Err: joined(c.faults)}
	}
	return nil
}

// collector gathers values and faults.
type collector struct {
	doc    Document
	params map[string][]string
	faults []error
	hint   string
}

func (c *collector) add(pair string) error {
	name, raw, ok := strings.Cut(pair, "=")
	if !ok || name == "" {
		// It may be a value that lost its name: not shown.
		return errors.New(`a parameter is given as name=value, name=@file or name=["a","b"]`)
	}
	p, ok := c.doc.Parameter(name)
	if !ok {
		hint, err := unknown(c.doc, name)
		c.hint = hint
		return err
	}
	values, err := p.parse(raw)
	if err == nil && len(c.params[name]) > 0 && !p.Type.list() {
		err = fmt.Errorf("given twice, but it is one %s and no list", p.Type)
	}
	if err != nil {
		return fmt.Errorf("parameter %s: %w", name, err)
	}
	// An empty list is a value, too.
	c.params[name] = append(c.params[name], values...)
	return nil
}

// missing names the parameters that must be given and are not. One whose value
// was faulty is not missing.
func missing(doc Document, params map[string][]string, provided, pairs []string) []string {
	var names []string
	for _, p := range doc.Parameters {
		named := slices.ContainsFunc(pairs, func(pair string) bool { return strings.HasPrefix(pair, p.Name+"=") })
		if p.Required && params[p.Name] == nil && !named && !slices.Contains(provided, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// unknown is the fault of a name the document does not have, and a hint.
func unknown(doc Document, name string) (hint string, err error) {
	names := doc.ParameterNames()
	if len(names) == 0 {
		return "", fmt.Errorf("document %s takes no parameters, and %s was given", doc.Name, name)
	}
	list := strings.Join(names, ", ")
	if near := fault.Nearest(name, names); near != "" {
		return "its parameters are " + list, fmt.Errorf("document %s has no parameter %s; did you mean %s?", doc.Name, name, near)
	}
	return "its parameters are " + list, fmt.Errorf("document %s has no parameter %s", doc.Name, name)
}

// parse turns what was typed after name= into values.
func (p Parameter) parse(raw string) ([]string, error) {
	value, err := load(raw)
	if err != nil {
		return nil, err
	}
	if !p.Type.list() {
		return []string{value}, nil
	}
	if values, ok := array(value); ok {
		return values, nil
	}
	return []string{value}, nil
}

// load reads the file behind @file and file://path, and returns anything else
// as it is.
func load(raw string) (string, error) {
	path, isFile := strings.CutPrefix(raw, "file://")
	if !isFile {
		if path, isFile = strings.CutPrefix(raw, "@"); isFile && strings.HasPrefix(path, "@") {
			return path, nil
		}
	}
	if !isFile {
		return raw, checkText(raw)
	}
	if path == "" {
		return "", errors.New("a file name belongs after @")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	switch {
	case err != nil:
		return "", err
	case len(b) > maxSize:
		return "", fmt.Errorf("file %s is longer than the %d bytes a document may have", path, maxSize)
	}
	if err := checkText(string(b)); err != nil {
		return "", fmt.Errorf("file %s: %w", path, err)
	}
	return string(b), nil
}

// checkText refuses what the API's JSON cannot carry unchanged.
func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("not text in UTF-8")
	}
	return nil
}

// array reads a JSON array. Elements that are no strings stand for their JSON
// text, as MapList wants it.
func array(value string) ([]string, bool) {
	trimmed := strings.TrimSpace(value)
	if !strings.HasPrefix(trimmed, "[") {
		return nil, false
	}
	var elements []json.RawMessage
	if json.Unmarshal([]byte(trimmed), &elements) != nil {
		return nil, false // a shell test: [ -f x ] && …
	}
	values := make([]string, 0, len(elements))
	for _, e := range elements {
		var s string
		if json.Unmarshal(e, &s) != nil || e[0] != '"' {
			s = string(e)
		}
		values = append(values, s)
	}
	return values, true
}

// check holds all values of one parameter against its rules.
func (p Parameter) check(values []string) error {
	switch n := len(values); {
	case n < p.MinItems:
		return fmt.Errorf("%d given, and at least %d are needed", n, p.MinItems)
	case p.MaxItems > 0 && n > p.MaxItems:
		return fmt.Errorf("%d given, and at most %d are possible", n, p.MaxItems)
	}
	for _, v := range values {
		if p.placeholders && strings.Contains(v, "{{") {
			continue
		}
		if err := p.checkOne(v); err != nil {
			return err
		}
	}
	return nil
}

func (p Parameter) checkOne(v string) error {
	if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, v) {
		return fmt.Errorf("the value must be one of %s", strings.Join(p.AllowedValues, ", "))
	}
	switch n := utf8.RuneCountInString(v); {
	case n < p.MinChars:
		return fmt.Errorf("the value has %d characters, and at least %d are needed", n, p.MinChars)
	case p.MaxChars > 0 && n > p.MaxChars:
		return fmt.Errorf("the value has %d characters, and at most %d are possible", n, p.MaxChars)
	}
	if !matches(p.AllowedPattern, v) {
		return fmt.Errorf("the value does not match the pattern %s", p.AllowedPattern)
	}
	return p.checkType(v)
}

func (p Parameter) checkType(v string) error {
	switch p.Type {
	case Integer:
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			return errors.New("the value must be a whole number")
		}
	case Boolean:
		if b := strings.ToLower(v); b != "true" && b != "false" {
			return errors.New("the value must be true or false")
		}
	case StringMap, MapList:
		var m map[string]any
		if v != "" && json.Unmarshal([]byte(v), &m) != nil {
			return errors.New(`the value must be a JSON object such as {"key":"value"}`)
		}
	case String, StringList:
	}
	return nil
}

// joined writes several faults in one line and keeps each reachable.
func joined(faults []error) error {
	if len(faults) == 1 {
		return faults[0]
	}
	texts := make([]string, len(faults))
	for i, err := range faults {
		texts[i] = err.Error()
	}
	return &several{text: strings.Join(texts, "; "), faults: faults}
}

type several struct {
	text   string
	faults []error
}

func (s *several) Error() string   { return s.text }
func (s *several) Unwrap() []error { return s.faults }
