package parameter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
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
	// ClearDescription and ClearPattern say that an empty field is meant, not left out.
	ClearDescription, ClearPattern bool
	// Tags are for new parameters: the service refuses them together with Overwrite.
	Tags map[string]string
	// Replaces is the version that is the latest now, where that is known: by it a Put
	// that was not answered is looked up.
	Replaces int64
}

// Keeping is c with what an overwrite could lose of the parameter as it is. Of fields that
// are not sent the service promises to keep the policies only, and encrypts with the
// account's default key (API reference, PutParameter).
func (c Change) Keeping(p Parameter) Change {
	keep := func(field *string, have string, clear bool) {
		if *field == "" && !clear {
			*field = have
		}
	}
	keep(&c.Type, p.Type, false)
	keep(&c.Description, p.Description, c.ClearDescription)
	keep(&c.AllowedPattern, p.AllowedPattern, c.ClearPattern)
	keep(&c.DataType, p.DataType, false)
	keep(&c.KeyID, p.KeyID, !p.Secure())
	keep(&c.Tier, p.Tier, p.Tier != Advanced) // which may be against the account's default
	c.Replaces = p.Version
	return c
}

// Written is what the service made of a Change.
type Written struct {
	Version int64  `json:"version"`
	Tier    string `json:"tier"`
}

// Put writes one parameter. One that was not answered is looked up: when the value is
// there now, that is a success. Otherwise the error is one of which awsapi.Unanswered is
// true, and says what was found.
func (s *Service) Put(ctx context.Context, c Change) (Written, error) {
	optional := func(v string, empty bool) *string {
		if v == "" && !empty {
			return nil
		}
		return &v
	}
	in := &ssm.PutParameterInput{
		Name: &c.Name, Value: &c.Value, Type: types.ParameterType(c.Type), Tier: types.ParameterTier(c.Tier), KeyId: optional(c.KeyID, false),
		Description: optional(c.Description, c.ClearDescription), AllowedPattern: optional(c.AllowedPattern, c.ClearPattern),
		DataType: optional(c.DataType, false), Policies: optional(c.Policies, false), Overwrite: aws.Bool(c.Overwrite), Tags: tagsOf(c.Tags),
	}
	out, err := s.api.PutParameter(ctx, in)
	switch {
	case err == nil:
		return Written{out.Version, string(out.Tier)}, nil
	case awsapi.Unanswered(err) && ctx.Err() == nil:
		return s.lookUp(ctx, c, awsapi.Explain("write parameter "+c.Name, err))
	}
	return Written{}, without(c.Value, awsapi.Explain("write parameter "+c.Name, err))
}

// without is err, which is never to show a value: a service may quote what it refuses.
func without(value string, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Err == nil || len(value) < 3 || !strings.Contains(e.Err.Error(), value) {
		return err
	}
	shown := *e
	shown.Err = errors.New(strings.ReplaceAll(e.Err.Error(), value, "********"))
	return &shown
}

// lookUp finds out what became of a Put that failed with unanswered.
func (s *Service) lookUp(ctx context.Context, c Change, unanswered error) (Written, error) {
	found, _, err := s.Get(ctx, []string{c.Name}, true)
	if err != nil {
		return Written{}, unanswered
	}
	state := "there is no such parameter"
	if len(found) > 0 {
		now := found[0]
		if now.Value == c.Value && now.Version > c.Replaces {
			return Written{Version: now.Version, Tier: c.Tier}, nil
		}
		state = fmt.Sprintf("version %d is the latest, with another value", now.Version)
		if now.Version == c.Replaces {
			state = fmt.Sprintf("version %d is still the latest", now.Version)
		}
	}
	return Written{}, &fault.Error{
		Kind: fault.KindOf(unanswered), Op: "write parameter " + c.Name,
		Err: &notThere{"no answer came, and the value is not there: " + state, unanswered}, Hint: "try again",
	}
}

// notThere is what was found about a write that was not answered.
type notThere struct {
	text string
	err  error
}

func (e *notThere) Error() string { return e.text }
func (e *notThere) Unwrap() error { return e.err }

// NotThere reports of the error of a Put that no answer came, and that the value was not
// there when it was looked for.
func NotThere(err error) bool {
	var e *notThere
	return errors.As(err, &e)
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
		gone, not, err := s.deleteSome(ctx, batch)
		if awsapi.Unanswered(err) && ctx.Err() == nil { // what is not there any more was deleted by the first call
			again, was, err2 := s.deleteSome(ctx, batch)
			gone, not, err = append(again, was...), nil, err2
		}
		if err != nil {
			return deleted, missing, awsapi.Explain("delete parameters", err)
		}
		deleted, missing = append(deleted, gone...), append(missing, not...)
	}
	return deleted, missing, nil
}

// deleteSome deletes up to ten parameters; one has an operation of its own, which more
// people are allowed.
func (s *Service) deleteSome(ctx context.Context, names []string) (deleted, missing []string, err error) {
	if len(names) > 1 {
		out, err := s.api.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: names})
		if err != nil {
			return nil, nil, err
		}
		return out.DeletedParameters, out.InvalidParameters, nil
	}
	_, err = s.api.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &names[0]})
	var gone *types.ParameterNotFound
	switch {
	case errors.As(err, &gone):
		return nil, names, nil
	case err != nil:
		return nil, nil, err
	}
	return names, nil, nil
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
