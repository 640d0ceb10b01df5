package document

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Wanted is a document as it shall be.
type Wanted struct {
	Name        string
	Type        string // "" = that of the document that exists, else what the content looks like
	Source      Source
	VersionName string
	DisplayName string
	TargetType  string
	Attachments []AttachmentSource
	Requires    []Requires // for a new document only
	Tags        []Tag      // for a new document only
	SetDefault  bool       // later runs use the version
}

// Action says what an apply does, or did.
type Action string

// The actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Defaulted Action = "default set" // the content was there, in a version that was not the default
	Unchanged Action = "unchanged"
)

// Plan says what has to be done for a wanted document. It was made by reading
// only.
type Plan struct {
	Wanted Wanted
	Action Action
	Now    Info    // the latest version, when there is one
	Stored Content // its content
}

// Outcome is what was done.
type Outcome struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Action   Action `json:"action"`
	Version  string `json:"version"`                    // the one with the wanted content
	Default  string `json:"default_version"`            // the one in effect now
	Previous string `json:"previous_default,omitempty"` // what was in effect, when that has changed
	Path     string `json:"file,omitempty"`
}

// Plan compares a wanted document with what there is. Missing type, wrong type
// and a document of somebody else's are Usage errors.
func (s *Service) Plan(ctx context.Context, w Wanted) (Plan, error) {
	if err := CheckName(w.Name); err != nil {
		return Plan{}, err
	}
	now, err := s.Inspect(ctx, w.Name, Ref{Number: Latest})
	switch {
	case fault.KindOf(err) == fault.NotFound:
		if w.Type == "" {
			w.Type = w.Source.Type()
		}
		if w.Type == "" {
			return Plan{}, fault.Usagef("%s: what type of document it is cannot be told from its content", w.Source.Path).
				WithHint("name it with --type, for instance --type Command")
		}
		p := Plan{Wanted: w, Action: Created}
		return p, p.check()
	case err != nil:
		return Plan{}, err
	case w.Type != "" && w.Type != now.Type:
		return Plan{}, fault.Usagef("document %s is of type %s, and a type cannot be changed to %s", w.Name, now.Type, w.Type)
	}
	w.Type = now.Type
	p := Plan{Wanted: w, Now: now, Action: Updated}
	if err := p.check(); err != nil {
		return Plan{}, err
	}
	same := now.HashType == "Sha256" && strings.EqualFold(now.Hash, p.Wanted.Source.Hash())
	p.Stored = Content{Name: w.Name, Version: now.Version, Format: p.Wanted.Source.Format, Text: p.Wanted.Source.Text}
	if !same {
		if p.Stored, err = s.Content(ctx, w.Name, Ref{Number: now.Version}, now.Format); err != nil {
			return Plan{}, err
		}
		same = Same(p.Stored.side(""), p.Wanted.Source.side(""))
	}
	switch {
	case !same, len(w.Attachments) > 0: // what attachments hold cannot be compared
	case w.SetDefault && now.DefaultVersion != now.Version:
		p.Action = Defaulted
	default:
		p.Action = Unchanged
	}
	return p, nil
}

// check looks at the content for its type, and puts it into the format the type
// needs.
func (p *Plan) check() (err error) {
	if err := p.Wanted.Source.Check(p.Wanted.Type); err != nil {
		return err
	}
	if p.Wanted.Type == "Package" { // its manifest is JSON (user guide, "Create a package")
		p.Wanted.Source, err = p.Wanted.Source.AsJSON()
	}
	return err
}

// Diff is what the plan changes in the content, in unified form.
func (p Plan) Diff() []string {
	switch p.Action {
	case Created:
		return DiffBytes(Side{Label: "/dev/null"}, p.Wanted.Source.side(p.Wanted.Source.Path))
	case Updated:
		return Diff(p.Stored.side(p.Wanted.Name+" (version "+p.Now.Version+")"), p.Wanted.Source.side(p.Wanted.Source.Path))
	case Defaulted, Unchanged:
	}
	return nil
}

func (c Content) side(label string) Side { return Side{Label: label, Format: c.Format, Text: c.Text} }

func (s Source) side(label string) Side { return Side{Label: label, Format: s.Format, Text: s.Text} }

// Side is the content as one of two that are compared.
func (c Content) Side(label string) Side { return c.side(label) }

// Side is the file as one of two that are compared.
func (s Source) Side(label string) Side { return s.side(label) }

// Carry does what a plan says and waits until the service has taken the content
// in. It fails when somebody else has written the document since the plan.
func (s *Service) Carry(ctx context.Context, p Plan) (Outcome, error) {
	o := Outcome{Name: p.Wanted.Name, Type: p.Wanted.Type, Action: p.Action, Version: p.Now.Version, Default: p.Now.DefaultVersion, Path: p.Wanted.Source.Path}
	var err error
	switch p.Action {
	case Unchanged:
		return o, nil
	case Created:
		o.Version, err = s.create(ctx, p.Wanted)
		o.Default = o.Version
	case Updated:
		err = s.update(ctx, p, &o)
	case Defaulted:
	}
	if err != nil || p.Action == Created || !p.Wanted.SetDefault || o.Version == o.Default || o.Version == "" {
		return o, err
	}
	if err := s.SetDefault(ctx, o.Name, o.Version); err != nil {
		if o.Action == Updated {
			return o, &fault.Error{
				Kind: fault.KindOf(err), Op: "update document " + o.Name, Hint: fault.HintOf(err),
				Err: fmt.Errorf("version %s is written and not the default: %w", o.Version, err),
			}
		}
		return o, err
	}
	o.Previous, o.Default = o.Default, o.Version
	return o, nil
}

// create makes a document and returns the number of its version.
func (s *Service) create(ctx context.Context, w Wanted) (string, error) {
	op := "create document " + w.Name
	in := &ssm.CreateDocumentInput{
		Name: aws.String(w.Name), Content: aws.String(w.Source.Text),
		DocumentType: types.DocumentType(w.Type), DocumentFormat: types.DocumentFormat(w.Source.Format),
		VersionName: optional(w.VersionName), DisplayName: optional(w.DisplayName), TargetType: optional(w.TargetType),
		Attachments: attachments(w.Attachments),
	}
	for _, r := range w.Requires {
		in.Requires = append(in.Requires, types.DocumentRequires{Name: aws.String(r.Name), Version: optional(r.Version)})
	}
	for _, t := range w.Tags {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	out, err := s.api.CreateDocument(ctx, in)
	var exists *types.DocumentAlreadyExists
	switch {
	case errors.As(err, &exists):
		e := fault.New(fault.Failed, op, "there is a document of that name already").
			WithHint("change it with `ssmdeck document update %s -f %s`", w.Name, w.Source.Path)
		e.Code = exists.ErrorCode()
		return "", e
	case err != nil:
		return "", awsapi.Explain(op, err)
	case out.DocumentDescription == nil:
		return "", fault.New(fault.Failed, op, "the service answered without a document")
	}
	return s.active(ctx, op, w.Name, info(out.DocumentDescription))
}

// update writes a new version on top of the one that the plan has seen.
func (s *Service) update(ctx context.Context, p Plan, o *Outcome) error {
	w, op := p.Wanted, "update document "+p.Wanted.Name
	out, err := s.api.UpdateDocument(ctx, &ssm.UpdateDocumentInput{
		Name: aws.String(w.Name), Content: aws.String(w.Source.Text), DocumentFormat: types.DocumentFormat(w.Source.Format),
		DocumentVersion: aws.String(p.Now.Version), // not $LATEST: what we have not seen must not be overwritten
		VersionName:     optional(w.VersionName), DisplayName: optional(w.DisplayName), TargetType: optional(w.TargetType),
		Attachments: attachments(w.Attachments),
	})
	var (
		duplicate *types.DuplicateDocumentContent
		version   *types.InvalidDocumentVersion
	)
	switch {
	case errors.As(err, &duplicate):
		o.Action = Unchanged
		return s.holder(ctx, w, o)
	case errors.As(err, &version):
		return &fault.Error{
			Kind: fault.Failed, Op: op, Code: version.ErrorCode(),
			Err:  &meanwhile{latest: p.Now.Version, err: err},
			Hint: "run the command again to see what it would change now",
		}
	case err != nil:
		return awsapi.Explain(op, err)
	case out.DocumentDescription == nil:
		return fault.New(fault.Failed, op, "the service answered without a document")
	}
	o.Version, err = s.active(ctx, op, w.Name, info(out.DocumentDescription))
	return err
}

// meanwhile says that somebody else was quicker.
type meanwhile struct {
	latest string
	err    error
}

func (m *meanwhile) Error() string {
	return "somebody else has changed the document: version " + m.latest + " is no longer the latest"
}
func (m *meanwhile) Unwrap() error { return m.err }

// holder finds the version that holds the wanted content already, newest first.
// The outcome names none when it is not found: the service compares in its own
// way.
func (s *Service) holder(ctx context.Context, w Wanted, o *Outcome) error {
	o.Version = ""
	for v, err := range s.Versions(ctx, w.Name) {
		if err != nil {
			return err
		}
		in, err := s.Inspect(ctx, w.Name, Ref{Number: v.Number})
		if err != nil {
			return err
		}
		if strings.EqualFold(in.Hash, w.Source.Hash()) {
			o.Version = v.Number
			if w.SetDefault && v.Number != o.Default {
				o.Action = Defaulted
			}
			return nil
		}
	}
	return nil
}

// The waits between two looks at a document that the service takes in.
const (
	firstLook = 200 * time.Millisecond
	longLook  = 3 * time.Second
)

// active waits until a version can be used, and returns its number. The end of
// ctx leaves it as it is: it is Pending then.
func (s *Service) active(ctx context.Context, op, name string, in Info) (string, error) {
	number := in.Version
	for pause := firstLook; ; pause = min(2*pause, longLook) {
		switch in.Status {
		case "Active", "":
			return number, nil
		case "Failed":
			reason := in.StatusInfo
			if reason == "" {
				reason = "it does not say why"
			}
			return number, fault.New(fault.Failed, op, "the service has refused version %s: %s", number, reason)
		}
		err := wait.Sleep(ctx, wait.Jitter(pause))
		if err == nil {
			in, err = s.Inspect(ctx, name, Ref{Number: number})
		}
		switch {
		case ctx.Err() != nil:
			kind := fault.Pending
			if errors.Is(ctx.Err(), context.Canceled) {
				kind = fault.Interrupted
			}
			return number, fault.New(kind, op, "version %s was sent, and is not active yet", number).
				WithHint("look again with `ssmdeck document versions %s`", name)
		case err != nil:
			return number, err
		}
	}
}

// SetDefault makes a version, given by its number, the one that runs use which
// name none.
func (s *Service) SetDefault(ctx context.Context, name, number string) error {
	_, err := s.api.UpdateDocumentDefaultVersion(ctx, &ssm.UpdateDocumentDefaultVersionInput{
		Name: aws.String(name), DocumentVersion: aws.String(number),
	})
	if err != nil {
		return explain("make version "+number+" the default of document "+name, name, err)
	}
	return nil
}

// Delete removes a document with all its versions, or only the version of a ref
// that is not zero. force is the API's own: some types ask for it.
func (s *Service) Delete(ctx context.Context, name string, ref Ref, force bool) error {
	op := "delete document " + name
	if ref != (Ref{}) {
		op = "delete version " + ref.String() + " of document " + name
	}
	_, err := s.api.DeleteDocument(ctx, &ssm.DeleteDocumentInput{
		Name: aws.String(name), DocumentVersion: ref.number(), VersionName: ref.name(), Force: force,
	})
	if err == nil {
		return nil
	}
	err = explain(op, name, err)
	if e, ok := err.(*fault.Error); ok && e.Code == "AssociatedInstances" { //nolint:errorlint // explain returns it bare
		e.Hint = "associations use it: delete them first, or point them at another document"
	}
	return err
}
