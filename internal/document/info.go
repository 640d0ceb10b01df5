package document

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Info is everything the service says about one version of a document, without
// its content. Defaults of parameters are part of it.
type Info struct {
	Document
	Format      string       `json:"format"` // JSON, YAML, TEXT: as it is stored
	VersionName string       `json:"version_name,omitempty"`
	DisplayName string       `json:"display_name,omitempty"`
	Author      string       `json:"author,omitempty"`
	Created     time.Time    `json:"created"`
	Status      string       `json:"status"`
	StatusInfo  string       `json:"status_information,omitempty"`
	Hash        string       `json:"hash,omitempty"`
	HashType    string       `json:"hash_type,omitempty"` // Sha256, Sha1
	TargetType  string       `json:"target_type,omitempty"`
	Requires    []Requires   `json:"requires,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	Tags        []Tag        `json:"tags,omitempty"`
	Review      string       `json:"review_status,omitempty"`
	Approved    string       `json:"approved_version,omitempty"`
	Pending     string       `json:"pending_review_version,omitempty"`
}

// Requires names a document that another one needs.
type Requires struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Attachment is a file that the service keeps with a document.
type Attachment struct {
	Name string `json:"name"`
	Size int64  `json:"size,omitempty"` // bytes; 0: not said
	Hash string `json:"sha256,omitempty"`
	// URL is signed and lets anybody who has it read the file for a while.
	URL string `json:"-"`
}

// Inspect asks for everything about a version of a document. Unlike Describe it
// reads no content, and remembers nothing.
func (s *Service) Inspect(ctx context.Context, name string, ref Ref) (Info, error) {
	op := "describe document " + name
	out, err := s.api.DescribeDocument(ctx, &ssm.DescribeDocumentInput{
		Name: aws.String(name), DocumentVersion: ref.number(), VersionName: ref.name(),
	})
	switch {
	case err != nil:
		return Info{}, explain(op, name, err)
	case out.Document == nil:
		return Info{}, awsapi.Explain(op, errors.New("the service answered without a document"))
	}
	return info(out.Document), nil
}

func info(d *types.DocumentDescription) Info {
	in := Info{
		Document: translate(d), Format: string(d.DocumentFormat), VersionName: aws.ToString(d.VersionName),
		DisplayName: aws.ToString(d.DisplayName), Author: aws.ToString(d.Author), Created: aws.ToTime(d.CreatedDate),
		Status: string(d.Status), StatusInfo: aws.ToString(d.StatusInformation), Hash: aws.ToString(d.Hash),
		HashType: string(d.HashType), TargetType: aws.ToString(d.TargetType), Tags: tags(d.Tags),
		Review: string(d.ReviewStatus), Approved: aws.ToString(d.ApprovedVersion), Pending: aws.ToString(d.PendingReviewVersion),
	}
	for _, r := range d.Requires {
		in.Requires = append(in.Requires, Requires{aws.ToString(r.Name), aws.ToString(r.Version)})
	}
	for _, a := range d.AttachmentsInformation {
		in.Attachments = append(in.Attachments, Attachment{Name: aws.ToString(a.Name)})
	}
	return in
}

// Content is the text of one version of a document.
type Content struct {
	Name        string       `json:"name"`
	Type        string       `json:"type"`
	Version     string       `json:"version"`
	VersionName string       `json:"version_name,omitempty"`
	Format      string       `json:"format"` // of Text
	Status      string       `json:"status,omitempty"`
	Text        string       `json:"content"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

// Content reads a version in the format wanted: JSON, YAML or TEXT, or "" for
// the one it is stored in, which costs a call more.
func (s *Service) Content(ctx context.Context, name string, ref Ref, format string) (Content, error) {
	if format == "" {
		in, err := s.Inspect(ctx, name, ref)
		switch {
		case err == nil:
			format = in.Format
			if in.Version != "" { // the very version whose format it is
				ref = Ref{Number: in.Version}
			}
		case !denied(err): // without it, what the service chooses has to do
			return Content{}, err
		}
	}
	out, err := s.api.GetDocument(ctx, &ssm.GetDocumentInput{
		Name: aws.String(name), DocumentVersion: ref.number(), VersionName: ref.name(), DocumentFormat: types.DocumentFormat(format),
	})
	if err != nil {
		return Content{}, explain("read document "+name, name, err)
	}
	c := Content{
		Name: aws.ToString(out.Name), Type: string(out.DocumentType), Version: aws.ToString(out.DocumentVersion),
		VersionName: aws.ToString(out.VersionName), Format: string(out.DocumentFormat), Status: string(out.Status),
		Text: aws.ToString(out.Content),
	}
	for _, a := range out.AttachmentsContent {
		c.Attachments = append(c.Attachments, Attachment{
			Name: aws.ToString(a.Name), Size: a.Size, Hash: aws.ToString(a.Hash), URL: aws.ToString(a.Url),
		})
	}
	return c, nil
}
