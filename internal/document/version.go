package document

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The versions that move, as the API writes them.
const (
	Latest  = "$LATEST"
	Default = "$DEFAULT"
)

// Ref says which version of a document is meant: by Number, which may also be
// Latest or Default, or by the Name its author gave it. The zero Ref is the
// default version.
type Ref struct{ Number, Name string }

var (
	versionNumber = pattern.Lazy(`^[1-9][0-9]*$`)
	versionName   = pattern.Lazy(`^[a-zA-Z0-9_\-.]{1,128}$`) // pattern of DocumentVersionName
)

// ParseRef reads a version as people type it: a number, $LATEST or latest,
// $DEFAULT or default, or the name of a version. The words without the dollar
// sign are for shells, which would take it away.
func ParseRef(s string) (Ref, error) {
	switch {
	case s == "":
		return Ref{}, nil
	case strings.EqualFold(s, "latest"), strings.EqualFold(s, Latest):
		return Ref{Number: Latest}, nil
	case strings.EqualFold(s, "default"), strings.EqualFold(s, Default):
		return Ref{Number: Default}, nil
	case versionNumber().MatchString(s):
		return Ref{Number: s}, nil
	case versionName().MatchString(s) && strings.Trim(s, "0123456789") != "":
		return Ref{Name: s}, nil
	}
	return Ref{}, fault.Usagef("%q is no version of a document", s).
		WithHint("a version is a number, latest, default, or the name of one (letters, digits, _ - .)")
}

// String writes the version for messages.
func (r Ref) String() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Number == "", r.Number == Default:
		return "default"
	case r.Number == Latest:
		return "latest"
	}
	return r.Number
}

// number and name are the fields as the API wants them: nil when not given.
func (r Ref) number() *string { return optional(r.Number) }
func (r Ref) name() *string   { return optional(r.Name) }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

// Version is one version of a document.
type Version struct {
	Number     string    `json:"version"`
	Name       string    `json:"version_name,omitempty"`
	IsDefault  bool      `json:"is_default"`
	Format     string    `json:"format"`
	Status     string    `json:"status"` // Creating, Active, Updating, Deleting, Failed
	StatusInfo string    `json:"status_information,omitempty"`
	Review     string    `json:"review_status,omitempty"`
	Created    time.Time `json:"created"`
}

// Versions lists the versions of a document in the service's order, newest
// first. An error is the last element.
func (s *Service) Versions(ctx context.Context, name string) iter.Seq2[Version, error] {
	op := "list versions of document " + name
	return awsapi.Pages(op, func(token *string) ([]types.DocumentVersionInfo, *string, error) {
		out, err := s.api.ListDocumentVersions(ctx, &ssm.ListDocumentVersionsInput{Name: aws.String(name), MaxResults: aws.Int32(50), NextToken: token})
		if err != nil {
			return nil, nil, explain(op, name, err)
		}
		return out.DocumentVersions, out.NextToken, nil
	}, version)
}

func version(v types.DocumentVersionInfo) Version {
	return Version{
		Number: aws.ToString(v.DocumentVersion), Name: aws.ToString(v.VersionName), IsDefault: v.IsDefaultVersion,
		Format: string(v.DocumentFormat), Status: string(v.Status), StatusInfo: aws.ToString(v.StatusInformation),
		Review: string(v.ReviewStatus), Created: aws.ToTime(v.CreatedDate),
	}
}

// explain is awsapi.Explain with a way on where a document or version is not found.
func explain(op, name string, err error) error {
	err = awsapi.Explain(op, err)
	e, ok := err.(*fault.Error) //nolint:errorlint // Explain returns it bare
	switch {
	case !ok || e.Hint != "":
	case e.Code == "InvalidDocument":
		e.Hint = "see `ssmdeck document list --name " + prefixOf(name) + "`; documents belong to one Region"
	case e.Code == "InvalidDocumentVersion":
		e.Hint = "see `ssmdeck document versions " + name + "`"
	}
	return err
}

// prefixOf is enough of a name to list its neighbours.
func prefixOf(name string) string {
	name = name[strings.LastIndex(name, "/")+1:]
	for i, r := range name {
		if i > 2 && (r == '-' || r == '_' || r == '.') {
			return name[:i]
		}
	}
	return name[:min(len(name), 4)]
}
