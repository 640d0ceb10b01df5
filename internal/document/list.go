package document

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Filter narrows a list. Zero fields do not narrow; all that are given must hold.
type Filter struct {
	Owner      string   // one of Owners
	Types      []string // any of Types
	Platforms  []string // linux, windows, macos: any of them
	Prefix     string   // of the name
	Search     string   // words in the name or the description
	TargetType string   // as documents write it: /AWS::EC2::Instance
	Tags       []Tag    // all of them
}

// Tag is a tag of a document.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// filterCount is how many filters ListDocuments takes (DocumentKeyValuesFilterList).
const filterCount = 6

// owners are the values of the filter Owner by what people type.
var owners = map[string]string{
	"self": "Self", "amazon": "Amazon", "public": "Public", "private": "Private", "third-party": "ThirdParty", "all": "All",
}

// Owners returns the values of Filter.Owner.
func Owners() []string { return slices.Sorted(maps.Keys(owners)) }

// Types returns the types of documents that the API knows, as it writes them.
func Types() []string {
	var names []string
	for _, t := range types.DocumentType("").Values() {
		names = append(names, string(t))
	}
	return names
}

// ParseType finds the type that somebody has typed, in any case. The word that
// begins exactly one type stands for it.
func ParseType(s string) (string, error) {
	var fits []string
	for _, t := range Types() {
		if strings.EqualFold(t, s) {
			return t, nil
		}
		if len(s) >= 3 && strings.HasPrefix(strings.ToLower(t), strings.ToLower(s)) {
			fits = append(fits, t)
		}
	}
	if len(fits) == 1 {
		return fits[0], nil
	}
	err := fault.Usagef("there is no document type %q", s)
	if near := fault.Nearest(s, Types()); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("the types are %s", strings.Join(Types(), ", "))
}

// input checks the filter and turns it into a request.
func (f Filter) input() (*ssm.ListDocumentsInput, error) {
	in := &ssm.ListDocumentsInput{MaxResults: aws.Int32(50)}
	add := func(key string, values ...string) {
		in.Filters = append(in.Filters, types.DocumentKeyValuesFilter{Key: aws.String(key), Values: values})
	}
	if f.Owner != "" {
		owner, ok := owners[strings.ToLower(f.Owner)]
		if !ok {
			return nil, fault.Usagef("%q is no owner of documents", f.Owner).WithHint("the owners are %s", strings.Join(Owners(), ", "))
		}
		add("Owner", owner)
	}
	if len(f.Types) > 0 {
		var names []string
		for _, t := range f.Types {
			name, err := ParseType(t)
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
		add("DocumentType", names...)
	}
	if len(f.Platforms) > 0 {
		var names []string
		for _, p := range f.Platforms {
			name, ok := platforms[strings.ToLower(p)]
			if !ok {
				return nil, fault.Usagef("there is no platform %q", p).WithHint("the platforms are linux, windows and macos")
			}
			names = append(names, name)
		}
		add("PlatformTypes", names...)
	}
	if f.Prefix != "" {
		add("Name", f.Prefix)
	}
	if f.Search != "" {
		add("SearchKeyword", f.Search)
	}
	if f.TargetType != "" {
		add("TargetType", f.TargetType)
	}
	for _, t := range f.Tags {
		add("tag:"+t.Key, t.Value)
	}
	if len(in.Filters) > filterCount {
		return nil, fault.Usagef("%d filters are given, and the service takes at most %d", len(in.Filters), filterCount)
	}
	return in, nil
}

// platforms are the names on the wire by ours.
var platforms = map[string]string{"linux": "Linux", "windows": "Windows", "macos": "MacOS"}

// Summary is a document in a list: its default version.
type Summary struct {
	Name          string    `json:"name"`
	Type          string    `json:"type"`
	Owner         string    `json:"owner"` // an account id, or Amazon
	Platforms     []string  `json:"platforms"`
	Version       string    `json:"version"`
	VersionName   string    `json:"version_name,omitempty"`
	DisplayName   string    `json:"display_name,omitempty"`
	Format        string    `json:"format"`
	SchemaVersion string    `json:"schema_version,omitempty"`
	TargetType    string    `json:"target_type,omitempty"`
	Author        string    `json:"author,omitempty"`
	Review        string    `json:"review_status,omitempty"`
	Created       time.Time `json:"created"`
	Tags          []Tag     `json:"tags,omitempty"`
}

// List lists documents in the service's order. Bad filters are a Usage error,
// before any call. An error is the last element.
func (s *Service) List(ctx context.Context, f Filter) iter.Seq2[Summary, error] {
	in, err := f.input()
	if err != nil {
		return func(yield func(Summary, error) bool) { yield(Summary{}, err) }
	}
	return awsapi.Pages("list documents", func(token *string) ([]types.DocumentIdentifier, *string, error) {
		in.NextToken = token
		out, err := s.api.ListDocuments(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.DocumentIdentifiers, out.NextToken, nil
	}, summary)
}

func summary(d types.DocumentIdentifier) Summary {
	return Summary{
		Name: aws.ToString(d.Name), Type: string(d.DocumentType), Owner: aws.ToString(d.Owner), Platforms: lower(d.PlatformTypes),
		Version: aws.ToString(d.DocumentVersion), VersionName: aws.ToString(d.VersionName), DisplayName: aws.ToString(d.DisplayName),
		Format: string(d.DocumentFormat), SchemaVersion: aws.ToString(d.SchemaVersion), TargetType: aws.ToString(d.TargetType),
		Author: aws.ToString(d.Author), Review: string(d.ReviewStatus), Created: aws.ToTime(d.CreatedDate), Tags: tags(d.Tags),
	}
}

func lower(wire []types.PlatformType) []string {
	names := make([]string, 0, len(wire))
	for _, p := range wire {
		names = append(names, strings.ToLower(string(p))) // Windows, Linux, MacOS on the wire
	}
	return names
}

func tags(wire []types.Tag) []Tag {
	var list []Tag
	for _, t := range wire {
		list = append(list, Tag{aws.ToString(t.Key), aws.ToString(t.Value)})
	}
	slices.SortFunc(list, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

// IsZero reports whether f narrows nothing.
func (f Filter) IsZero() bool {
	return f.Owner == "" && f.Prefix == "" && f.Search == "" && f.TargetType == "" && len(f.Types)+len(f.Platforms)+len(f.Tags) == 0
}
