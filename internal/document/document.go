// Package document knows SSM documents of every type: it lists, reads, compares,
// creates, changes, shares and deletes them, and knows what running them needs:
// which parameters a document takes, what values those accept, and on which
// platforms it runs.
//
// It checks what a user typed before anything is sent, and is never stricter
// than the service: a rule it cannot evaluate is left to the service. Values
// of parameters never appear in its errors, since they may be secrets.
package document

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// The AWS documents that run a script; BuiltIn knows both.
const (
	ShellScript      = "AWS-RunShellScript"
	PowerShellScript = "AWS-RunPowerShellScript"
)

// Document is what an SSM document says about itself.
type Document struct {
	Name           string      `json:"name"`
	Type           string      `json:"type"` // as the API writes it: Command, Automation, Session, …
	SchemaVersion  string      `json:"schema_version,omitempty"`
	Version        string      `json:"version,omitempty"`
	DefaultVersion string      `json:"default_version,omitempty"`
	LatestVersion  string      `json:"latest_version,omitempty"`
	Description    string      `json:"description,omitempty"`
	Owner          string      `json:"owner,omitempty"`
	Platforms      []string    `json:"platforms"`  // linux, windows, macos; empty means any
	Parameters     []Parameter `json:"parameters"` // in the order of the document
	// BuiltIn is set when the service would not describe the document and this
	// is what ssmdeck knows of it.
	BuiltIn bool `json:"built_in,omitempty"`
	// Unchecked is set when the content could not be read, so that allowed
	// values and patterns are not known here and only the service checks them.
	Unchecked bool `json:"unchecked,omitempty"`
}

// Type is the type of a parameter as documents write it.
type Type string

// The parameter types. Command documents have only the first two.
const (
	String     Type = "String"
	StringList Type = "StringList"
	Integer    Type = "Integer"
	Boolean    Type = "Boolean"
	StringMap  Type = "StringMap"
	MapList    Type = "MapList"
)

// list reports whether values of the type are several.
func (t Type) list() bool { return t == StringList || t == MapList }

// Parameter is one parameter of a document. Zero limits mean none.
type Parameter struct {
	Name           string   `json:"name"`
	Type           Type     `json:"type"`
	Description    string   `json:"description,omitempty"`
	Required       bool     `json:"required"` // it has no default
	Default        string   `json:"default,omitempty"`
	AllowedValues  []string `json:"allowed_values,omitempty"`
	AllowedPattern string   `json:"allowed_pattern,omitempty"` // a Java regular expression
	MinItems       int      `json:"min_items,omitempty"`
	MaxItems       int      `json:"max_items,omitempty"`
	MinChars       int      `json:"min_chars,omitempty"`
	MaxChars       int      `json:"max_chars,omitempty"`

	placeholders bool // see WithPlaceholders
}

// WithPlaceholders is the document for values in which the service puts something
// when they are used, {{RESOURCE_ID}} and the like: such a value is not checked.
func (d Document) WithPlaceholders() Document {
	d.Parameters = slices.Clone(d.Parameters)
	for i := range d.Parameters {
		d.Parameters[i].placeholders = true
	}
	return d
}

// Parameter returns the parameter of that exact name.
func (d Document) Parameter(name string) (Parameter, bool) {
	for _, p := range d.Parameters {
		if p.Name == name {
			return p, true
		}
	}
	return Parameter{}, false
}

// ParameterNames returns the names of all parameters, in order.
func (d Document) ParameterNames() []string {
	names := make([]string, 0, len(d.Parameters))
	for _, p := range d.Parameters {
		names = append(names, p.Name)
	}
	return names
}

// Service works with the documents of one account and region. It may be used
// concurrently.
type Service struct {
	api api

	mu    sync.Mutex
	known map[[2]string]Document // what Describe has answered, by name and version
}

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{api: client, known: map[[2]string]Document{}} }

// Describe returns the document of that name or ARN. An empty version means the
// document's default; $DEFAULT, $LATEST and numbers are legal. When the caller
// may not describe documents, the built-in knowledge of the everyday AWS
// documents is used instead. Errors are those of awsapi.Explain.
//
// The answer is kept for the life of the Service, so that the parts of one
// command ask once and see the same document.
func (s *Service) Describe(ctx context.Context, name, version string) (Document, error) {
	key := [2]string{name, version}
	s.mu.Lock()
	doc, ok := s.known[key]
	s.mu.Unlock()
	if ok {
		return doc, nil
	}
	doc, err := s.describe(ctx, name, version)
	if err == nil {
		s.mu.Lock()
		s.known[key] = doc
		s.mu.Unlock()
	}
	return doc, err
}

func (s *Service) describe(ctx context.Context, name, version string) (Document, error) {
	op := "describe document " + name
	in := &ssm.DescribeDocumentInput{Name: aws.String(name)}
	if version != "" {
		in.DocumentVersion = aws.String(version)
	}
	out, err := s.api.DescribeDocument(ctx, in)
	if err != nil {
		if doc, ok := BuiltIn(name); ok && denied(err) {
			return doc, nil
		}
		return Document{}, explain(op, name, err)
	}
	if out.Document == nil {
		return Document{}, awsapi.Explain(op, errors.New("the service answered without a document"))
	}
	doc := translate(out.Document)
	if len(doc.Parameters) == 0 {
		return doc, nil
	}
	return s.constrain(ctx, doc, in)
}

// constrain adds what only the content tells: allowed values, patterns, sizes.
// A caller who may not read the content gets the document without them.
func (s *Service) constrain(ctx context.Context, doc Document, in *ssm.DescribeDocumentInput) (Document, error) {
	out, err := s.api.GetDocument(ctx, &ssm.GetDocumentInput{
		Name:            in.Name,
		DocumentVersion: in.DocumentVersion,
		DocumentFormat:  types.DocumentFormatJson,
	})
	switch {
	case ctx.Err() != nil:
		return Document{}, awsapi.Explain("read document "+doc.Name, ctx.Err())
	case err != nil:
		doc.Unchecked = true
	case !addConstraints(&doc, aws.ToString(out.Content)):
		doc.Unchecked = true
	}
	return doc, nil
}

func translate(d *types.DocumentDescription) Document {
	doc := Document{
		Name:           aws.ToString(d.Name),
		Type:           string(d.DocumentType),
		SchemaVersion:  aws.ToString(d.SchemaVersion),
		Version:        aws.ToString(d.DocumentVersion),
		DefaultVersion: aws.ToString(d.DefaultVersion),
		LatestVersion:  aws.ToString(d.LatestVersion),
		Description:    aws.ToString(d.Description),
		Owner:          aws.ToString(d.Owner),
	}
	for _, p := range d.PlatformTypes {
		doc.Platforms = append(doc.Platforms, strings.ToLower(string(p)))
	}
	for _, p := range d.Parameters {
		doc.Parameters = append(doc.Parameters, Parameter{
			Name:        aws.ToString(p.Name),
			Type:        Type(p.Type),
			Description: aws.ToString(p.Description),
			Required:    p.DefaultValue == nil,
			Default:     aws.ToString(p.DefaultValue),
		})
	}
	return doc
}

// denied reports whether the service knew the caller and refused the call, as
// opposed to missing or expired credentials.
func denied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.Contains(api.ErrorCode(), "AccessDenied")
}
