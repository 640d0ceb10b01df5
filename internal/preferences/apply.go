package preferences

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Result says what Apply did.
type Result struct {
	Version string // the one in effect now
	Created bool   // the document did not exist
	Same    bool   // there was nothing to change
}

// Apply makes p, which came from Get and With, the settings in effect. It fails
// when somebody else has written the document since Get.
func (s *Service) Apply(ctx context.Context, p Preferences) (Result, error) {
	op := "change session preferences " + p.Document
	content, err := p.content()
	if err != nil {
		return Result{}, fault.New(fault.Failed, op, "%w", err)
	}
	if !p.Exists {
		return s.create(ctx, op, p.Document, content)
	}
	out, err := s.api.UpdateDocument(ctx, &ssm.UpdateDocumentInput{
		Name: aws.String(p.Document), Content: aws.String(content), DocumentFormat: types.DocumentFormatJson,
		DocumentVersion: aws.String(p.latest), // not $LATEST: what we have not seen must not be overwritten
	})
	var (
		duplicate *types.DuplicateDocumentContent
		version   *types.InvalidDocumentVersion
	)
	switch {
	case errors.As(err, &duplicate):
		return s.duplicate(ctx, op, p, err)
	case errors.As(err, &version):
		return Result{}, &fault.Error{
			Kind: fault.Failed, Op: op, Code: version.ErrorCode(), Err: &changed{latest: p.latest, err: err},
			Hint: "run the command again to see what it would change now",
		}
	case err != nil:
		return Result{}, awsapi.Explain(op, err)
	case out.DocumentDescription == nil:
		return Result{}, fault.New(fault.Failed, op, "the service answered without a document")
	}
	number := aws.ToString(out.DocumentDescription.DocumentVersion)
	return Result{Version: number}, s.makeDefault(ctx, op, p.Document, number)
}

// changed says that somebody else was quicker.
type changed struct {
	latest string
	err    error
}

func (c *changed) Error() string {
	return "somebody else has changed the document: version " + c.latest + " is no longer the latest"
}
func (c *changed) Unwrap() error { return c.err }

func (s *Service) create(ctx context.Context, op, name, content string) (Result, error) {
	out, err := s.api.CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name: aws.String(name), Content: aws.String(content),
		DocumentType: types.DocumentTypeSession, DocumentFormat: types.DocumentFormatJson,
	})
	var exists *types.DocumentAlreadyExists
	switch {
	case errors.As(err, &exists):
		return Result{}, &fault.Error{
			Kind: fault.Failed, Op: op, Code: exists.ErrorCode(), Err: &madeMeanwhile{err},
			Hint: "run the command again to see what it would change now",
		}
	case err != nil:
		return Result{}, awsapi.Explain(op, err)
	}
	r := Result{Created: true, Version: "1"}
	if out.DocumentDescription != nil && out.DocumentDescription.DocumentVersion != nil {
		r.Version = *out.DocumentDescription.DocumentVersion
	}
	return r, nil
}

type madeMeanwhile struct{ err error }

func (*madeMeanwhile) Error() string   { return "somebody else has made the document meanwhile" }
func (m *madeMeanwhile) Unwrap() error { return m.err }

// duplicate handles content that the document has already: in effect, or in a
// newer version that was never made the default.
func (s *Service) duplicate(ctx context.Context, op string, p Preferences, refusal error) (Result, error) {
	if p.latest == p.Version {
		return Result{Version: p.Version, Same: true}, nil
	}
	last, err := s.version(ctx, op, p.Document, p.latest)
	switch {
	case err != nil:
		return Result{}, err
	case len(Diff(last, p)) > 0:
		return Result{}, awsapi.Explain(op, refusal)
	}
	return Result{Version: p.latest}, s.makeDefault(ctx, op, p.Document, p.latest)
}

// makeDefault puts a version into effect.
func (s *Service) makeDefault(ctx context.Context, op, name, version string) error {
	_, err := s.api.UpdateDocumentDefaultVersion(ctx, &ssm.UpdateDocumentDefaultVersionInput{
		Name: aws.String(name), DocumentVersion: aws.String(version),
	})
	if err == nil {
		return nil
	}
	err = awsapi.Explain(op, err)
	return &fault.Error{
		Kind: fault.KindOf(err), Op: op, Err: &notInEffect{version: version, err: err},
		Hint: "run the command again, or make the version the document's default",
	}
}

type notInEffect struct {
	version string
	err     error
}

func (n *notInEffect) Error() string {
	return "version " + n.version + " is written and not in effect: " + n.err.Error()
}
func (n *notInEffect) Unwrap() error { return n.err }
