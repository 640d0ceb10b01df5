package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The formats of documents, as the API writes them.
const (
	FormatJSON = "JSON"
	FormatYAML = "YAML"
	FormatText = "TEXT"
)

// ParseFormat finds the format that somebody has typed, in any case.
func ParseFormat(s string) (string, error) {
	switch f := strings.ToUpper(s); f {
	case "", FormatJSON, FormatYAML, FormatText:
		return f, nil
	}
	return "", fault.Usagef("there is no document format %q", s).WithHint("the formats are yaml, json and text")
}

// documentName is the pattern of DocumentName in the API.
var documentName = pattern.Lazy(`^[a-zA-Z0-9_\-.]{3,128}$`)

// reserved are the beginnings of names that the service keeps for AWS, in any
// case (API reference, CreateDocument, Name).
var reserved = []string{"aws", "amazon", "amzn", "awsec2", "awsconfigremediation", "awssupport"}

// CheckName returns a Usage error for a name no document of the account can have.
func CheckName(name string) error {
	if !documentName().MatchString(name) {
		return fault.Usagef("%q cannot be the name of a document", name).
			WithHint("a name has 3 to 128 letters, digits, _ - and .")
	}
	for _, prefix := range reserved {
		if strings.HasPrefix(strings.ToLower(name), prefix) {
			return fault.Usagef("the name %q begins with %s, which is kept for AWS's own documents", name, name[:len(prefix)])
		}
	}
	return nil
}

// Source is a document as a file of the user's holds it.
type Source struct {
	Path   string // for messages; "-" is standard input
	Format string // JSON, YAML, TEXT
	Text   string // what is sent, byte for byte
	body   any    // what the text means; nil for TEXT
}

// ReadSource understands a document's text. The format follows from the text:
// what begins with a brace is JSON, what begins as an iCalendar does is TEXT, all
// else is YAML; format, when given, decides. Its errors are Usage errors that name
// the line.
func ReadSource(path string, data []byte, format string) (Source, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	s := Source{Path: path, Format: format, Text: string(data)}
	trimmed := strings.TrimSpace(s.Text)
	switch {
	case !utf8.Valid(data):
		return Source{}, fault.Usagef("%s is not text in UTF-8", path)
	case trimmed == "":
		return Source{}, fault.Usagef("%s is empty", path)
	case len(data) > maxSize:
		return Source{}, fault.Usagef("%s is %d bytes long, and a document may have %d at most", path, len(data), maxSize)
	case format != "":
	case strings.HasPrefix(trimmed, "{"):
		s.Format = FormatJSON
	case strings.HasPrefix(trimmed, "BEGIN:VCALENDAR"):
		s.Format = FormatText
	default:
		s.Format = FormatYAML
	}
	var err error
	if s.body, err = meaning(s.Text, s.Format); err != nil {
		return Source{}, fault.New(fault.Usage, "read "+path, "%w", err)
	}
	return s, nil
}

// meaning parses a document's text. TEXT means nothing beside itself.
func meaning(text, format string) (any, error) {
	switch format {
	case FormatJSON:
		return parseJSON(text)
	case FormatYAML:
		var body any
		if err := yaml.Unmarshal([]byte(text), &body); err != nil {
			return nil, yamlError(err)
		}
		if _, ok := body.(map[string]any); !ok {
			return nil, errors.New("a document is a YAML mapping (key: value)")
		}
		return body, nil
	}
	return nil, nil
}

func parseJSON(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var body map[string]any
	err := dec.Decode(&body)
	if err == nil && dec.More() {
		err = errors.New("there is more behind the document's closing brace")
	}
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		line, column := position(text, syntax.Offset)
		return nil, fmt.Errorf("line %d, column %d: %w", line, column, err)
	case errors.As(err, &typ):
		return nil, errors.New("a document is a JSON object")
	case err != nil:
		return nil, fmt.Errorf("the JSON is incomplete: %w", err)
	}
	return body, nil
}

// position counts lines and characters from 1. offset is that of encoding/json:
// the bytes read before the error was seen.
func position(text string, offset int64) (line, column int) {
	before := text[:max(0, min(int(offset), len(text))-1)]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

// yamlError puts the line where people look for it.
func yamlError(err error) error {
	var bad *yaml.LoadError
	if errors.As(err, &bad) && bad.Mark.Line > 0 {
		return fmt.Errorf("line %d, column %d: %s", bad.Mark.Line, bad.Mark.Column+1, bad.Message)
	}
	return err
}

// Name is the document's name as the file's name suggests it: without the
// folders and the extension.
func (s Source) Name() string {
	base := filepath.Base(s.Path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Hash is the SHA-256 of the text in hexadecimal, as the service gives it.
func (s Source) Hash() string {
	sum := sha256.Sum256([]byte(s.Text))
	return hex.EncodeToString(sum[:])
}

// Type guesses the document's type from its content: "" when several fit.
func (s Source) Type() string {
	if s.Format == FormatText {
		if strings.HasPrefix(strings.TrimSpace(s.Text), "BEGIN:VCALENDAR") {
			return "ChangeCalendar"
		}
		return ""
	}
	body, _ := s.body.(map[string]any)
	has := func(key string) bool { _, ok := body[key]; return ok }
	schema := s.schema()
	switch {
	case has("AWSTemplateFormatVersion"):
		return "CloudFormation"
	case schema == "1.0" && has("sessionType"):
		return "Session"
	case schema == "0.3" && has("mainSteps"):
		return "Automation"
	case schema == "2.0" && (has("packages") || has("files") && !has("mainSteps")):
		return "Package"
	case (schema == "1.2" || schema == "2.0" || schema == "2.2") && (has("mainSteps") || has("runtimeConfig")):
		return "Command" // a Policy looks the same: it has to be said
	}
	return ""
}

func (s Source) schema() string {
	body, _ := s.body.(map[string]any)
	v, ok := body["schemaVersion"]
	if !ok {
		return ""
	}
	return text(v)
}

// schemas are the schema versions that a type may have (user guide, "Schemas,
// features, and examples"). Types that are not here have schemas of their own.
var schemas = map[string][]string{
	"Command": {"1.2", "2.0", "2.2"}, "Policy": {"2.0", "2.2"}, "Automation": {"0.3"}, "Session": {"1.0"}, "Package": {"2.0"},
	"Automation.ChangeTemplate": {"0.3"},
}

// Check holds a source against what every document of a type must have. It finds
// what makes sending pointless; package lint finds the rest.
func (s Source) Check(docType string) error {
	allowed := schemas[docType]
	if len(allowed) == 0 {
		return nil
	}
	if s.Format == FormatText {
		return fault.Usagef("%s: a document of type %s is written in YAML or JSON", s.Path, docType)
	}
	schema := s.schema()
	for _, a := range allowed {
		if a == schema {
			return nil
		}
	}
	list := strings.Join(allowed, ", ")
	if schema == "" {
		return fault.Usagef("%s: schemaVersion is missing; that of a document of type %s is %s", s.Path, docType, list)
	}
	err := fault.Usagef("%s: schemaVersion %s is not one of a document of type %s: %s", s.Path, schema, docType, list)
	if guess := s.Type(); guess != "" && guess != docType {
		return err.WithHint("it looks like one of type %s: try --type %s", guess, guess)
	}
	return err
}

// AsJSON returns the source in JSON, for types that the service takes in no other
// format.
func (s Source) AsJSON() (Source, error) {
	if s.Format != FormatYAML {
		return s, nil
	}
	j, err := json.MarshalIndent(s.body, "", "  ")
	if err != nil {
		return s, fault.New(fault.Usage, "read "+s.Path, "it cannot be written as JSON: %w", err)
	}
	s.Format, s.Text = FormatJSON, string(j)+"\n"
	return s, nil
}
