package document

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// AttachmentSource says where the service finds a file for a document.
type AttachmentSource struct {
	Key    string   // SourceUrl: a folder in S3; S3FileUrl: a file there; AttachmentReference: one of another document
	Values []string // one: the API takes no more
	Name   string   // of the file; not with SourceUrl
	Local  string   // a file of this machine that is not in S3 yet; Values is empty then
}

// attachmentCount is how many files a document can have (API reference,
// AttachmentsSourceList).
const attachmentCount = 20

// ParseAttachment reads a value of --attach:
//
//	s3://bucket/folder            a folder (SourceUrl)
//	name=s3://bucket/key          a file (S3FileUrl)
//	name=document/2/name          a file of another document (AttachmentReference)
//	[name=]path                   a file of this machine, to be uploaded
//	Key=…,Values=…[,Name=…]       as the AWS CLI writes it
//
// URLs may be https ones of S3, too.
func ParseAttachment(s string) (AttachmentSource, error) {
	if strings.HasPrefix(s, "Key=") {
		return parseAttachmentPairs(s)
	}
	name, where, named := strings.Cut(s, "=")
	if !named || isURL(name) {
		name, where = "", s
	}
	a := AttachmentSource{Name: name, Values: []string{where}}
	switch _, err := os.Stat(where); {
	case err == nil && where != "":
		a.Key, a.Local, a.Values = string(types.AttachmentsSourceKeyS3FileUrl), where, nil
		if name == "" {
			a.Name = filepath.Base(where)
		}
		return a, checkLocal(where)
	case isURL(where) && name == "":
		a.Key = string(types.AttachmentsSourceKeySourceUrl)
	case isURL(where):
		a.Key = string(types.AttachmentsSourceKeyS3FileUrl)
	case name != "" && strings.Count(where, "/") >= 2:
		a.Key = string(types.AttachmentsSourceKeyAttachmentReference)
	default:
		return a, fault.Usagef("--attach %q names nothing that can be attached", s).
			WithHint("name a file that exists, s3://bucket/folder, NAME=s3://bucket/key, or Key=SourceUrl,Values=URL")
	}
	return a, nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "s3://") && len(s) > len("s3://") || strings.HasPrefix(s, "https://")
}

func parseAttachmentPairs(s string) (a AttachmentSource, err error) {
	for pair := range strings.SplitSeq(s, ",") {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "Key":
			a.Key = value
		case "Values":
			a.Values = append(a.Values, value)
		case "Name":
			a.Name = value
		default:
			return a, fault.Usagef("--attach: %q is neither Key, Values nor Name", key)
		}
	}
	var keys []string
	for _, k := range types.AttachmentsSourceKey("").Values() {
		keys = append(keys, string(k))
	}
	switch {
	case !slices.Contains(keys, a.Key):
		return a, fault.Usagef("--attach: %q is no key of an attachment", a.Key).WithHint("the keys are %s", strings.Join(keys, ", "))
	case len(a.Values) != 1 || a.Values[0] == "":
		return a, fault.Usagef("--attach: one value belongs to %s", a.Key)
	case a.Name == "" && a.Key != string(types.AttachmentsSourceKeySourceUrl):
		return a, fault.Usagef("--attach: %s needs a Name", a.Key)
	}
	return a, nil
}

// ParseAttachments reads several.
func ParseAttachments(values []string) ([]AttachmentSource, error) {
	if len(values) > attachmentCount {
		return nil, fault.Usagef("%d attachments are given, and a document can have %d", len(values), attachmentCount)
	}
	var list []AttachmentSource
	for _, v := range values {
		a, err := ParseAttachment(v)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func attachments(list []AttachmentSource) []types.AttachmentsSource {
	var wire []types.AttachmentsSource
	for _, a := range list {
		wire = append(wire, types.AttachmentsSource{Key: types.AttachmentsSourceKey(a.Key), Values: a.Values, Name: optional(a.Name)})
	}
	return wire
}

// ParseRequires reads NAME or NAME:VERSION of a document that another needs.
func ParseRequires(s string) (Requires, error) {
	name, version, _ := strings.Cut(s, ":")
	if name == "" {
		return Requires{}, fault.Usagef("--requires %q is not of the form NAME or NAME:VERSION", s)
	}
	return Requires{Name: name, Version: version}, nil
}
