package rawapi

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// Request is the input of one operation, being filled. Faults are collected and
// told by Check. One goroutine owns it.
type Request struct {
	Operation *Operation

	// NoLimits leaves out the checks that a newer service may see differently:
	// lengths, ranges, patterns, enumerations.
	NoLimits bool

	input  reflect.Value // the struct
	given  map[string]bool
	files  untyped.Reader
	faults []string
}

// NewRequest returns an empty request. files reads what values like file://path
// name; nil refuses them.
func (o *Operation) NewRequest(files untyped.Reader) *Request {
	return &Request{
		Operation: o, files: files, given: map[string]bool{},
		input: reflect.New(o.entry.input).Elem(),
	}
}

func (r *Request) fail(path, format string, args ...any) {
	r.faults = append(r.faults, path+": "+fmt.Sprintf(format, args...))
}

// SetJSON fills the request from a JSON object. Fields may be in Go's spelling or
// begin with a small letter.
func (r *Request) SetJSON(data []byte) { r.setTree("the JSON input", data, untyped.JSON) }

// SetYAML fills the request from a YAML mapping.
func (r *Request) SetYAML(data []byte) {
	r.setTree("the YAML input", data, func(data []byte) (any, error) { return untyped.YAML("input", data) })
}

func (r *Request) setTree(what string, data []byte, parse func([]byte) (any, error)) {
	v, err := parse(data)
	if err != nil {
		r.fail(what, "%v", err)
		return
	}
	o, ok := v.(untyped.Object)
	if !ok {
		r.fail(what, "it must be an object with the fields of %s", r.Operation.Name)
		return
	}
	for _, m := range o { // one by one: each has its own secrecy
		f := r.Operation.memberField(m.Key)
		d := decoder{lenient: r.NoLimits, secret: f != nil && (f.Secret || f.Holds)}
		if f != nil && r.given[f.Name] {
			d.fail(m.Key, "given twice")
		}
		for _, name := range d.members("", r.input, untyped.Object{m}) {
			r.given[name] = m.Value != nil
		}
		r.faults = append(r.faults, d.faults...)
	}
}

// memberField returns the field a JSON key means, nil for none.
func (o *Operation) memberField(key string) *Field {
	sf, ok := memberOf(o.entry.input, key)
	if !ok {
		return nil
	}
	return o.Field(sf.Name)
}

// Set gives a field a Go value: what encoding/json makes of it is decoded like
// SetJSON.
func (r *Request) Set(field string, v any) {
	f := r.Operation.Field(field)
	if f == nil {
		r.fail(field, "%s has no such field", r.Operation.Name)
		return
	}
	tree, err := treeOfGo(v)
	if err != nil {
		r.fail(f.Name, "%v", err)
		return
	}
	r.setField(f, f.Name, tree)
}

// SetTexts gives a field the texts that were typed for its flag, in order. A text
// is the value; or file://path, fileb://path or "-" (standard input, without the
// line break at its end) that hold it.
// Lists of plain values take several texts, commas or a JSON list; structures and
// lists of them JSON, YAML or the AWS CLI's shorthand.
func (r *Request) SetTexts(field string, texts ...string) {
	f := r.Operation.Field(field)
	if f == nil {
		r.fail(field, "%s has no such field", r.Operation.Name)
		return
	}
	var trees []any
	for _, typed := range texts {
		fromFile := untyped.IsSource(typed)
		text, err := untyped.Content(typed, r.files)
		if err != nil {
			r.fail("--"+f.Flag, "%v", err)
			return
		}
		if typed == "-" && f.Shape == Text { // `echo secret |` means no line break
			text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
		}
		tree, err := f.parse(text, fromFile, r.files)
		if err != nil {
			if f.Secret || f.Holds {
				err = fmt.Errorf("the value cannot be read")
			}
			r.fail("--"+f.Flag, "%v", err)
			return
		}
		trees = append(trees, tree)
	}
	tree, err := f.join(trees)
	if err != nil {
		r.fail("--"+f.Flag, "%v", err)
		return
	}
	r.setField(f, "--"+f.Flag, tree)
}

func (r *Request) setField(f *Field, path string, tree any) {
	d := decoder{lenient: r.NoLimits, secret: f.Secret || f.Holds}
	d.value(path, r.input.Field(f.index), tree)
	r.faults = append(r.faults, d.faults...)
	r.given[f.Name] = tree != nil
}

// parse reads one text of a flag.
func (f *Field) parse(text string, fromFile bool, files untyped.Reader) (any, error) {
	switch f.Shape {
	case Text:
		return text, nil
	case Number, Bool, Time:
		return untyped.Word(strings.TrimSpace(text)), nil
	case List:
		if shapeOf(f.typ.Elem()) <= Time {
			return f.parseItems(text, fromFile)
		}
	}
	text = strings.TrimSpace(text)
	isJSON := strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")
	if !isJSON && (fromFile || yamlStart().MatchString(text)) {
		v, err := untyped.YAML("value", []byte(text))
		switch v.(type) {
		case untyped.Object, []any:
			return v, err
		}
		if err != nil && !strings.Contains(text, "=") {
			return nil, err
		}
	}
	return untyped.Text(text, files)
}

// yamlStart is how YAML begins that is no JSON: a key or a dash.
var yamlStart = pattern.Lazy(`^\s*(- |---|[A-Za-z][A-Za-z0-9_.:-]*:(\s|$))`)

// parseItems reads a list of plain values: JSON, one a line in files, or with
// commas between them.
func (f *Field) parseItems(text string, fromFile bool) (any, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return untyped.JSON([]byte(text))
	}
	list := []any{}
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, untyped.Word(s))
		}
	}
	if fromFile && strings.ContainsAny(strings.TrimSpace(text), "\n") {
		for line := range strings.Lines(text) {
			add(line)
		}
		return list, nil
	}
	rd := csv.NewReader(strings.NewReader(text))
	rd.LazyQuotes, rd.FieldsPerRecord = true, -1
	records, err := rd.ReadAll()
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		for _, s := range record {
			add(s)
		}
	}
	return list, nil
}

// join makes one value of a flag that was given several times.
func (f *Field) join(trees []any) (any, error) {
	switch f.Shape {
	case List:
		list := []any{}
		for _, t := range trees {
			if more, ok := t.([]any); ok {
				list = append(list, more...)
			} else {
				list = append(list, t)
			}
		}
		return list, nil
	case Map, Structure:
		if len(trees) > 1 {
			var all untyped.Object
			for _, t := range trees {
				o, ok := t.(untyped.Object)
				if !ok {
					return nil, fmt.Errorf("given %d times, which only structures can be", len(trees))
				}
				all = append(all, o...)
			}
			return all, nil
		}
	}
	switch len(trees) {
	case 0:
		return nil, nil
	case 1:
		return trees[0], nil
	default:
		return nil, fmt.Errorf("given %d times", len(trees))
	}
}

// Given reports whether a field has a value.
func (r *Request) Given(field string) bool { return r.given[field] }

// Check returns a Usage error with every fault of the input, nil when it can be
// sent.
func (r *Request) Check() error {
	faults := slices.Clone(r.faults)
	if len(faults) == 0 { // what could not be read is not missing as well
		faults = slices.Concat(r.missing(), r.missingWithin(), r.limits())
	}
	return r.refuse(faults)
}

// CheckGiven is Check for a request that is not complete yet: a field that is
// missing is no fault.
func (r *Request) CheckGiven() error {
	faults := slices.Clone(r.faults)
	if len(faults) == 0 {
		faults = append(r.missingWithin(), r.limits()...)
	}
	return r.refuse(faults)
}

func (r *Request) refuse(faults []string) error {
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return fault.Usagef("%s: %s", r.Operation.Kebab, faults[0]).WithHint("%s", r.hint())
	default:
		return fault.Usagef("%s: %d faults in the input\n%s", r.Operation.Kebab, len(faults), strings.Join(faults, "\n")).WithHint("%s", r.hint())
	}
}

func (r *Request) hint() string {
	return fmt.Sprintf("see `ssmdeck api describe %s` for its fields", r.Operation.Kebab)
}

// isMissing reports whether a field has no value. Zero of a plain number or truth
// value would be sent, so there it counts what was given.
func (r *Request) isMissing(f *Field) bool {
	v := r.input.Field(f.index)
	if v.Kind() != reflect.Pointer && (f.Shape == Number || f.Shape == Bool) {
		return !r.given[f.Name]
	}
	return absent(v)
}

// missing names the required fields without a value.
func (r *Request) missing() (faults []string) {
	for i := range r.Operation.Fields {
		if f := &r.Operation.Fields[i]; f.Required && r.isMissing(f) {
			faults = append(faults, fmt.Sprintf("%s is missing (--%s)", f.Name, f.Flag))
		}
	}
	return faults
}

// limits checks what each field that is given may be.
func (r *Request) limits() (faults []string) {
	for i := range r.Operation.Fields {
		f := &r.Operation.Fields[i]
		if r.NoLimits || r.isMissing(f) {
			continue
		}
		if s := f.check(reflect.Indirect(r.input.Field(f.index))); s != "" {
			faults = append(faults, f.Name+": "+s)
		}
	}
	return faults
}

// check returns what is wrong with a value, "" when nothing is.
func (f *Field) check(v reflect.Value) string {
	size, what := int64(0), ""
	switch f.Shape {
	case Text:
		size, what = int64(utf8.RuneCountInString(v.String())), "has %d characters"
	case Number:
		size, what = v.Int(), "%d is out of range"
	case List, Map:
		size, what = int64(v.Len()), "has %d elements"
	default:
		return ""
	}
	if f.Min != nil && size < *f.Min || f.Max != nil && size > *f.Max {
		return fmt.Sprintf(what+": it may have %s", size, f.bounds())
	}
	if f.Shape == Text && f.Pattern != "" && !matches(f.Pattern, v.String()) {
		if f.Secret {
			return "the value does not match " + f.Pattern
		}
		return fmt.Sprintf("%q does not match %s", shorten(v.String()), f.Pattern)
	}
	return ""
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

// matches reports whether s has a part that the pattern describes, as the API means
// it. Patterns that Go cannot read (they look ahead) are left to the service.
func matches(pattern, s string) bool {
	re, err := regexp.Compile(pattern)
	return err != nil || re.MatchString(s)
}

// JSON returns the request as it would be sent, with the names used on the wire.
// Sensitive values are Hidden.
func (r *Request) JSON() json.RawMessage {
	w := wire{mask: true}
	r.serialize(&w)
	var b bytes.Buffer
	if err := json.Indent(&b, w.Bytes(), "", "  "); err != nil {
		return w.Bytes()
	}
	return b.Bytes()
}

// secrets returns the sensitive texts of the request.
func (r *Request) secrets() []string {
	var w wire
	r.serialize(&w)
	return w.secrets
}

func (r *Request) serialize(w *wire) {
	if s, ok := r.input.Addr().Interface().(serializable); ok { // all inputs are
		s.Serialize(w)
	}
}

// Summary is the request in one line for a question to a person, without secrets.
func (r *Request) Summary() string {
	w := wire{mask: true}
	r.serialize(&w)
	fields, _ := w.root.(untyped.Object)
	var parts []string
	for _, m := range fields {
		parts = append(parts, m.Key+"="+summaryOf(m.Value))
	}
	return strings.Join(parts, " ")
}

// summaryOf writes a value for Summary: a list of texts with commas, a structure as
// JSON. What is too long is cut, and of a list the number told.
func summaryOf(v any) string {
	const longest = 200
	var words []string
	list, _ := v.([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			words = append(words, s)
		}
	}
	text, isText := v.(string)
	switch {
	case isText:
		return shorten(text)
	case len(list) > 0 && len(words) == len(list):
		text = strings.Join(words, ",")
	default:
		data, err := untyped.Encode(v)
		if err != nil {
			return "…" // what was decoded can be encoded
		}
		text = string(data)
	}
	if r := []rune(text); len(r) > longest {
		text = string(r[:longest-1]) + "…"
		if list != nil {
			text += fmt.Sprintf(" (%d)", len(list))
		}
	}
	return text
}
