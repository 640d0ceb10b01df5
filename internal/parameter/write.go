package parameter

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Change is what is written to one parameter. Empty fields are not sent: the service
// keeps the type of a parameter that exists, and takes its defaults for the others.
type Change struct {
	Name, Value, Type string
	Tier              string // Standard, Advanced, Intelligent-Tiering
	KeyID             string
	Description       string
	AllowedPattern    string
	DataType          string
	// Policies is the JSON array that replaces those of the parameter; "[{}]" removes
	// them.
	Policies string
	// Overwrite makes a new version of a parameter that exists; without it that is an
	// error.
	Overwrite bool
	// Tags are for new parameters: the service refuses them together with Overwrite.
	Tags map[string]string
}

// Written is what the service made of a Change.
type Written struct {
	Version int64  `json:"version"`
	Tier    string `json:"tier"`
}

// Put writes one parameter. The error of a Put that was not answered is one of which
// awsapi.Unanswered is true: nobody knows whether there is a new version.
func (s *Service) Put(ctx context.Context, c Change) (Written, error) {
	optional := func(v string) *string {
		if v == "" {
			return nil
		}
		return &v
	}
	in := &ssm.PutParameterInput{
		Name: &c.Name, Value: &c.Value, Type: types.ParameterType(c.Type), Tier: types.ParameterTier(c.Tier), KeyId: optional(c.KeyID),
		Description: optional(c.Description), AllowedPattern: optional(c.AllowedPattern), DataType: optional(c.DataType),
		Policies: optional(c.Policies), Overwrite: aws.Bool(c.Overwrite), Tags: tagsOf(c.Tags),
	}
	out, err := s.api.PutParameter(ctx, in)
	if err != nil {
		return Written{}, awsapi.Explain("write parameter "+c.Name, err)
	}
	return Written{out.Version, string(out.Tier)}, nil
}

func tagsOf(tags map[string]string) (out []types.Tag) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// Delete removes parameters, ten a call, and returns those that were there. On an error
// deleted is what went before it.
func (s *Service) Delete(ctx context.Context, names []string) (deleted, missing []string, err error) {
	for batch := range slices.Chunk(names, namesACall) {
		out, err := s.api.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: batch})
		if err != nil {
			return deleted, missing, awsapi.Explain("delete parameters", err)
		}
		deleted, missing = append(deleted, out.DeletedParameters...), append(missing, out.InvalidParameters...)
	}
	return deleted, missing, nil
}

// Label puts labels on a version; 0 is the latest. It returns the labels that the
// service did not accept, and the version that has the others now.
func (s *Service) Label(ctx context.Context, name string, version int64, labels []string) (refused []string, at int64, err error) {
	in := &ssm.LabelParameterVersionInput{Name: &name, Labels: labels}
	if version > 0 {
		in.ParameterVersion = &version
	}
	out, err := s.api.LabelParameterVersion(ctx, in)
	if err != nil {
		return nil, 0, awsapi.Explain("label parameter "+name, err)
	}
	return out.InvalidLabels, out.ParameterVersion, nil
}

// Unlabel takes labels off a version. It returns those that it had, and those that it
// had not.
func (s *Service) Unlabel(ctx context.Context, name string, version int64, labels []string) (removed, refused []string, err error) {
	out, err := s.api.UnlabelParameterVersion(ctx, &ssm.UnlabelParameterVersionInput{Name: &name, ParameterVersion: &version, Labels: labels})
	if err != nil {
		return nil, nil, awsapi.Explain("unlabel parameter "+name, err)
	}
	return out.RemovedLabels, out.InvalidLabels, nil
}

// Tags are the tags of a parameter.
func (s *Service) Tags(ctx context.Context, name string) (map[string]string, error) {
	out, err := s.api.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: &name})
	if err != nil {
		return nil, awsapi.Explain("read the tags of parameter "+name, err)
	}
	tags := make(map[string]string, len(out.TagList))
	for _, t := range out.TagList {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// Tag adds tags to a parameter, or replaces their values.
func (s *Service) Tag(ctx context.Context, name string, tags map[string]string) error {
	_, err := s.api.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: &name, Tags: tagsOf(tags),
	})
	return awsapi.Explain("tag parameter "+name, err)
}

// Untag removes tags from a parameter.
func (s *Service) Untag(ctx context.Context, name string, keys []string) error {
	_, err := s.api.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
		ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: &name, TagKeys: keys,
	})
	return awsapi.Explain("remove tags of parameter "+name, err)
}
