// Package preferences knows Session Manager's settings: where session logs go,
// encryption, time limits, the user shells run as, shell profiles. They are the
// inputs of a Session document; those of the document Account apply to every
// session of an account and Region whose own document has none.
//
// What it does not know in a document stays as it is.
package preferences

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Account is the document with the settings of an account in a Region.
const Account = "SSM-SessionManagerRunShell"

// Preferences are the settings of one Session document.
type Preferences struct {
	Document string `json:"document"`
	// Exists is false for an account whose document was never made: then the
	// settings are the service's defaults.
	Exists  bool   `json:"exists"`
	Version string `json:"version,omitempty"` // the default one, which is in effect
	// Inputs are the settings as they stand in the document.
	Inputs map[string]any `json:"inputs"`

	latest string         // the newest version, which an update replaces
	body   map[string]any // the document; its inputs are Inputs
}

// Service reads and writes preferences in one account and Region. It keeps
// nothing.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{api: client} }

// Get reads the settings of a Session document. That Account does not exist is
// no error; NotFound is, for any other.
func (s *Service) Get(ctx context.Context, name string) (Preferences, error) {
	op := "read session preferences " + name
	desc, err := s.api.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: aws.String(name)})
	var missing *types.InvalidDocument
	switch {
	case errors.As(err, &missing) && name == Account:
		return fresh(name), nil
	case errors.As(err, &missing):
		return Preferences{}, &fault.Error{
			Kind: fault.NotFound, Op: op, Code: missing.ErrorCode(), Err: &absent{err},
			Hint: "check the name; `ssmdeck session prefs get` without --document shows the account's own",
		}
	case err != nil:
		return Preferences{}, awsapi.Explain(op, err)
	case desc.Document == nil:
		return Preferences{}, fault.New(fault.Failed, op, "the service answered without a document")
	case desc.Document.DocumentType != types.DocumentTypeSession:
		return Preferences{}, fault.New(fault.Usage, op, "it is a document of type %s, not Session", desc.Document.DocumentType)
	}
	p, err := s.version(ctx, op, name, aws.ToString(desc.Document.DefaultVersion))
	p.latest = aws.ToString(desc.Document.LatestVersion)
	return p, err
}

// KMSKey returns the key that the account's sessions are encrypted with, "" for
// none. It makes one call where Get makes two.
func (s *Service) KMSKey(ctx context.Context) (string, error) {
	p, err := s.version(ctx, "read session preferences "+Account, Account, "")
	return p.Text("kmsKeyId"), err
}

// absent says in plain words that a document does not exist.
type absent struct{ err error }

func (*absent) Error() string   { return "there is no such document" }
func (a *absent) Unwrap() error { return a.err }

// version reads one version of a document that exists.
func (s *Service) version(ctx context.Context, op, name, version string) (Preferences, error) {
	in := &ssm.GetDocumentInput{Name: aws.String(name), DocumentFormat: types.DocumentFormatJson}
	if version != "" {
		in.DocumentVersion = aws.String(version)
	}
	out, err := s.api.GetDocument(ctx, in)
	if err != nil {
		return Preferences{}, awsapi.Explain(op, err)
	}
	body, err := parse(aws.ToString(out.Content))
	if err != nil {
		return Preferences{}, fault.New(fault.Failed, op, "its content cannot be read: %w", err)
	}
	p := Preferences{Document: name, Exists: true, Version: aws.ToString(out.DocumentVersion), body: body}
	p.Inputs, _ = body["inputs"].(map[string]any)
	return p, nil
}

// parse reads the JSON of a document; numbers keep their spelling.
func parse(content string) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(content)))
	dec.UseNumber()
	var body map[string]any
	return body, dec.Decode(&body)
}

// fresh is what applies where there is no document.
func fresh(name string) Preferences {
	p := Preferences{Document: name, body: map[string]any{
		"schemaVersion": "1.0",
		"description":   "Document to hold regional settings for Session Manager",
		"sessionType":   "Standard_Stream",
	}}
	for _, s := range settings {
		p.put(s.Input, s.Default)
	}
	return p
}

// content is the document with its present inputs.
func (p Preferences) content() (string, error) {
	body := maps.Clone(p.body)
	body["inputs"] = p.Inputs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // shell profiles have > and & in them
	enc.SetIndent("", "  ")
	err := enc.Encode(body)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// lookup finds an input; dots lead into maps ("shellProfile.linux").
func (p Preferences) lookup(input string) (any, bool) {
	outer, inner, nested := strings.Cut(input, ".")
	v, ok := p.Inputs[outer]
	if !nested || !ok {
		return v, ok
	}
	m, _ := v.(map[string]any)
	v, ok = m[inner]
	return v, ok
}

// put changes an input without touching the maps of a copy.
func (p *Preferences) put(input string, value any) {
	p.Inputs = maps.Clone(p.Inputs)
	if p.Inputs == nil {
		p.Inputs = map[string]any{}
	}
	outer, inner, nested := strings.Cut(input, ".")
	if !nested {
		p.Inputs[outer] = value
		return
	}
	m, _ := p.Inputs[outer].(map[string]any)
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	m[inner] = value
	p.Inputs[outer] = m
}

// Text is an input as text, the default where the document does not say:
// "s3BucketName", "shellProfile.linux".
func (p Preferences) Text(input string) string {
	v, ok := p.lookup(input)
	if !ok || v == nil {
		if s, known := byInput(input); known {
			v = s.Default
		}
	}
	return plain(v)
}

// On is an input that is true or false, which documents also write as text.
func (p Preferences) On(input string) bool { return strings.EqualFold(p.Text(input), "true") }
