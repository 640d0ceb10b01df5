package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Body is the parsed content of a document. Steps are those of Command and
// Automation documents.
type Body struct {
	SchemaVersion string                   `json:"schemaVersion"`
	Description   string                   `json:"description"`
	Parameters    map[string]ParameterSpec `json:"parameters"`

	// Command documents: runtimeConfig in schema 1.2, mainSteps in 2.0 and 2.2.
	RuntimeConfig map[string]struct {
		Properties json.RawMessage `json:"properties"`
	} `json:"runtimeConfig"`
	MainSteps []Step `json:"mainSteps"`

	// Automation documents.
	AssumeRole string   `json:"assumeRole"`
	Outputs    []string `json:"outputs"`

	// Session documents.
	SessionType string          `json:"sessionType"`
	Inputs      *SessionInputs  `json:"inputs"`
	Properties  json.RawMessage `json:"properties"`

	order []string // parameter names as they stand in a JSON document
}

// ParameterSpec declares one parameter of a document.
type ParameterSpec struct {
	Type           string   `json:"type"`
	Description    string   `json:"description"`
	Default        any      `json:"default"`
	AllowedPattern string   `json:"allowedPattern"`
	AllowedValues  []any    `json:"allowedValues"`
	MinItems       *float64 `json:"minItems"`
	MaxItems       *float64 `json:"maxItems"`
	MinChars       *float64 `json:"minChars"`
	MaxChars       *float64 `json:"maxChars"`
}

// Step is one step of a Command or Automation document.
type Step struct {
	Action       string              `json:"action"`
	Name         string              `json:"name"`
	Precondition map[string][]string `json:"precondition"`
	Inputs       map[string]any      `json:"inputs"`
	OnFailure    string              `json:"onFailure"`

	// Automation only.
	NextStep    string `json:"nextStep"`
	IsEnd       bool   `json:"isEnd"`
	IsCritical  *bool  `json:"isCritical"`
	MaxAttempts any    `json:"maxAttempts"`
	Timeout     any    `json:"timeoutSeconds"`
	Outputs     []struct {
		Name, Selector, Type string
	} `json:"outputs"`
}

// ParseBody reads the content of a document. Command, Session, Automation, Policy
// and Package documents are understood; of the other types, which have formats of
// their own, only that they are JSON or YAML. format is JSON, YAML or TEXT.
func ParseBody(content, format, kind string) (*Body, error) {
	raw := []byte(content)
	switch format {
	case "YAML":
		var v any
		if err := yaml.Load(raw, &v); err != nil {
			return nil, fmt.Errorf("YAML not well-formed: %w", err)
		}
		j, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("YAML not well-formed: %w", err)
		}
		raw = j
	case "TEXT":
		if kind == "ChangeCalendar" {
			if _, err := ParseCalendar(content); err != nil {
				return nil, err
			}
		}
		return &Body{}, nil
	}
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return nil, fmt.Errorf("%s not well-formed. at Line: 1, Column: 1", format)
	}
	var b Body
	if _, ok := documentSchemas[kind]; !ok {
		return &b, b.readHead(raw)
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, fmt.Errorf("JSON not well-formed: %w", err)
	}
	b.order = parameterOrder(raw)
	return &b, b.check(kind)
}

// parameterOrder returns the names of the parameters as they were written.
func parameterOrder(raw []byte) []string {
	var top struct {
		Parameters json.RawMessage `json:"parameters"`
	}
	if json.Unmarshal(raw, &top) != nil || len(top.Parameters) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(top.Parameters))
	var names []string
	for depth := 0; ; {
		tok, err := dec.Token()
		if err != nil {
			return names
		}
		switch t := tok.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 {
				names = append(names, t)
				var skip json.RawMessage
				if dec.Decode(&skip) != nil {
					return names
				}
			}
		}
	}
}

// ParameterNames returns the declared names, in written order where known.
func (b *Body) ParameterNames() []string {
	if len(b.order) == len(b.Parameters) {
		return b.order
	}
	return slices.Sorted(maps.Keys(b.Parameters))
}

// automationSchema is the only schema version of Automation documents.
const automationSchema = "0.3"

// documentSchemas are the schema versions of the types that are understood (User
// Guide, "Schemas, features, and examples"; that of packages from a manifest).
var documentSchemas = map[string][]string{
	"Command": {"1.2", "2.0", "2.2"}, "Session": {"1.0"}, "Automation": {automationSchema},
	changeTemplate: {automationSchema}, "Policy": {"2.0", "2.2"}, "Package": {"2.0"},
}

// readHead reads what documents of any type may say of themselves.
func (b *Body) readHead(raw []byte) error {
	var head map[string]any
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("JSON not well-formed: %w", err)
	}
	b.SchemaVersion, _ = head["schemaVersion"].(string)
	b.Description, _ = head["description"].(string)
	return nil
}

func (b *Body) check(kind string) error {
	if !slices.Contains(documentSchemas[kind], b.SchemaVersion) {
		return Errorf("InvalidDocumentSchemaVersion", "The version of the document schema isn't supported: %q.", b.SchemaVersion)
	}
	switch kind {
	case "Session":
		return b.checkSession()
	case "Automation", changeTemplate:
		return b.checkAutomation()
	case "Policy", "Package":
		return nil
	}
	for name, p := range b.Parameters {
		if p.Type != "String" && p.Type != "StringList" {
			return fmt.Errorf("parameter %s: type %q is not supported in Command documents", name, p.Type)
		}
	}
	return b.checkCommand()
}

func (b *Body) checkSession() error {
	switch b.SessionType {
	case "Standard_Stream":
	case "InteractiveCommands", "NonInteractiveCommands", "Port":
		if len(b.Properties) == 0 {
			return fmt.Errorf("sessionType %s needs properties", b.SessionType)
		}
	default:
		return fmt.Errorf("sessionType %q is not supported", b.SessionType)
	}
	return nil
}

func (b *Body) checkCommand() error {
	if b.SchemaVersion == "1.2" {
		if len(b.RuntimeConfig) == 0 {
			return fmt.Errorf("runtimeConfig is required in schema version 1.2")
		}
		return nil
	}
	if len(b.MainSteps) == 0 {
		return fmt.Errorf("mainSteps is required in schema version %s", b.SchemaVersion)
	}
	return b.checkSteps()
}

// automationTypes are the types of parameters that Automation has.
var automationTypes = []string{"String", "StringList", "Integer", "Boolean", "MapList", "StringMap"}

func (b *Body) checkAutomation() error {
	for name, p := range b.Parameters {
		if !slices.Contains(automationTypes, p.Type) && !strings.HasPrefix(p.Type, "AWS::") && !strings.HasPrefix(p.Type, "List<AWS::") {
			return fmt.Errorf("parameter %s: type %q is not supported in Automation documents", name, p.Type)
		}
	}
	if len(b.MainSteps) == 0 {
		return fmt.Errorf("mainSteps is required in schema version %s", b.SchemaVersion)
	}
	if err := b.checkSteps(); err != nil {
		return err
	}
	for _, s := range b.MainSteps {
		if !b.hasStep(s.NextStep) {
			return fmt.Errorf("step %s: nextStep %s does not exist", s.Name, s.NextStep)
		}
	}
	return nil
}

// hasStep reports whether there is a step of that name; empty is one that need
// not be there.
func (b *Body) hasStep(name string) bool {
	return name == "" || slices.ContainsFunc(b.MainSteps, func(s Step) bool { return s.Name == name })
}

func (b *Body) checkSteps() error {
	seen := map[string]bool{}
	for i, s := range b.MainSteps {
		switch {
		case s.Action == "" || s.Name == "":
			return fmt.Errorf("step %d: action and name are required", i+1)
		case seen[s.Name]:
			return fmt.Errorf("step name %s is not unique", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// steps returns what is to be run, in either schema.
func (b *Body) steps() []Step {
	if b.SchemaVersion != "1.2" {
		return b.MainSteps
	}
	var steps []Step
	for _, action := range slices.Sorted(maps.Keys(b.RuntimeConfig)) {
		var list []map[string]any
		props := b.RuntimeConfig[action].Properties
		if json.Unmarshal(props, &list) != nil {
			var one map[string]any
			if json.Unmarshal(props, &one) == nil {
				list = []map[string]any{one}
			}
		}
		for _, inputs := range list {
			steps = append(steps, Step{Action: action, Name: action, Inputs: inputs})
		}
	}
	return steps
}

// Platforms are the platform types the document runs on, as the API spells them.
func (b *Body) Platforms() []string {
	if b.SessionType != "" || len(b.steps()) == 0 || b.SchemaVersion == automationSchema {
		return []string{"Windows", "Linux", "MacOS"}
	}
	on := map[string]bool{}
	for _, s := range b.steps() {
		if want := s.platform(); want != "" {
			on[want] = true
			continue
		}
		on["Linux"] = true
		if s.Action != "aws:updateSsmAgent" {
			on["MacOS"] = true
		}
		if s.Action != "aws:runShellScript" {
			on["Windows"] = true
		}
	}
	return slices.DeleteFunc([]string{"Windows", "Linux", "MacOS"}, func(p string) bool { return !on[p] })
}

// platform is the platform type a step's precondition asks for, or empty.
func (s Step) platform() string {
	args := s.Precondition["StringEquals"]
	if i := slices.Index(args, "platformType"); i >= 0 && len(args) == 2 {
		return args[1-i]
	}
	return ""
}

// Arguments checks the values given for the document's parameters and returns
// them together with the defaults of those not given. unknown values are
// refused. Its errors have the code InvalidParameters.
func (b *Body) Arguments(given map[string][]string) (map[string][]string, error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := b.Parameters[name]; !ok {
			return nil, Errorf("InvalidParameters", "Parameter %s is not defined in the document.", name)
		}
	}
	all := map[string][]string{}
	for _, name := range b.ParameterNames() {
		p := b.Parameters[name]
		values, ok := given[name]
		if !ok {
			if p.Default == nil {
				return nil, Errorf("InvalidParameters", "Parameter %s is required but was not given.", name)
			}
			all[name] = textList(p.Default)
			continue
		}
		if err := p.check(name, values); err != nil {
			return nil, err
		}
		all[name] = values
	}
	return all, nil
}

func (p ParameterSpec) check(name string, values []string) error {
	n := float64(len(values))
	switch {
	case p.Type != "StringList" && p.Type != "MapList" && !strings.HasPrefix(p.Type, "List<") && len(values) != 1:
		return Errorf("InvalidParameters", "Parameter %s is of type %s and takes exactly one value, not %d.", name, p.Type, len(values))
	case p.MinItems != nil && n < *p.MinItems, p.MaxItems != nil && n > *p.MaxItems:
		return Errorf("InvalidParameters", "Parameter %s has a number of items that the document does not allow.", name)
	}
	for _, v := range values {
		size := float64(len(v))
		switch {
		case len(p.AllowedValues) > 0 && !slices.Contains(textList(p.AllowedValues), v):
			return Errorf("InvalidParameters", "Parameter %s has value %q, which is not one of [%s].", name, v, strings.Join(textList(p.AllowedValues), ", "))
		case p.MinChars != nil && size < *p.MinChars, p.MaxChars != nil && size > *p.MaxChars:
			return Errorf("InvalidParameters", "Parameter %s has a length that the document does not allow.", name)
		case p.AllowedPattern != "" && !fullMatch(p.AllowedPattern, v):
			return Errorf("InvalidParameters", "Parameter %s does not match the allowed pattern %s.", name, p.AllowedPattern)
		}
	}
	return nil
}

// fullMatch matches all of s, as the service does. A pattern that Go cannot
// read allows everything: the service reads Java's dialect.
func fullMatch(pattern, s string) bool {
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	return err != nil || re.MatchString(s)
}
