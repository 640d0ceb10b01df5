package baseline

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Service knows the baselines and patch groups of one account and Region. It keeps
// nothing and may be used concurrently.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{client} }

// pageSize is the most of one page of every list here but that of properties.
const pageSize int32 = 100

// Owners of baselines, as the filter of lists writes them.
const (
	OwnerAWS  = "AWS"
	OwnerSelf = "Self"
)

// Identity is a baseline in a list.
type Identity struct {
	ID          string `json:"id"` // pb-…, an ARN for those of AWS
	Name        string `json:"name"`
	OS          string `json:"os"`
	Description string `json:"description,omitempty"`
	AWS         bool   `json:"aws"`
	Default     bool   `json:"default"` // of its operating system
	// Groups are the patch groups that are registered with it, in order.
	Groups []string `json:"groups"`
}

// Label is the baseline as people name it.
func (i Identity) Label() string { return (&Baseline{ID: i.ID, Name: i.Name}).Label() }

// Query narrows a list of baselines; what is empty does not.
type Query struct {
	OS, Owner, NamePrefix string
}

// List lists baselines, without their groups.
func (s *Service) List(ctx context.Context, q Query) iter.Seq2[Identity, error] {
	var filters []types.PatchOrchestratorFilter
	for _, f := range [][2]string{{"OPERATING_SYSTEM", q.OS}, {"OWNER", q.Owner}, {"NAME_PREFIX", q.NamePrefix}} {
		if f[1] != "" {
			filters = append(filters, filterOf(f[0], f[1]))
		}
	}
	return awsapi.Pages("list patch baselines", func(token *string) ([]types.PatchBaselineIdentity, *string, error) {
		out, err := s.api.DescribePatchBaselines(ctx, &ssm.DescribePatchBaselinesInput{Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.BaselineIdentities, out.NextToken, nil
	}, identityOf)
}

func filterOf(key string, values ...string) types.PatchOrchestratorFilter {
	return types.PatchOrchestratorFilter{Key: aws.String(key), Values: values}
}

func identityOf(b types.PatchBaselineIdentity) Identity {
	id := aws.ToString(b.BaselineId)
	return Identity{
		ID: id, Name: aws.ToString(b.BaselineName), OS: cmp.Or(string(b.OperatingSystem), "WINDOWS"), Description: aws.ToString(b.BaselineDescription),
		AWS: strings.HasPrefix(id, "arn:"), Default: b.DefaultBaseline, Groups: []string{},
	}
}

// All is List with the groups of each, in two sweeps.
func (s *Service) All(ctx context.Context, q Query) ([]Identity, error) {
	var list []Identity
	for b, err := range s.List(ctx, q) {
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	groups := map[string][]string{}
	for g, err := range s.Groups(ctx, GroupQuery{OS: q.OS}) {
		if err != nil {
			return nil, err
		}
		groups[ShortID(g.Baseline.ID)] = append(groups[ShortID(g.Baseline.ID)], g.Group)
	}
	for i := range list {
		if g := groups[ShortID(list[i].ID)]; g != nil {
			slices.Sort(g)
			list[i].Groups = g
		}
	}
	return list, nil
}

// Find returns the id that a word means: an id or ARN as it is, else that of the
// one baseline with this name; os, where given, decides between several.
func (s *Service) Find(ctx context.Context, word, os string) (string, error) {
	if IsID(word) {
		return word, nil
	}
	named, err := s.named(ctx, word, os)
	switch {
	case err != nil:
		return "", err
	case len(named) == 0:
		return "", s.unknown(ctx, word, os)
	}
	return named[0].ID, nil
}

// Named reads the baseline with a name and an operating system; one without id when
// there is none.
func (s *Service) Named(ctx context.Context, name, os string) (Baseline, error) {
	named, err := s.named(ctx, name, os)
	if err != nil || len(named) == 0 {
		return Baseline{}, err
	}
	return s.Get(ctx, named[0].ID)
}

// named lists the baselines with a name: none or one; several are an error that
// lists them.
func (s *Service) named(ctx context.Context, name, os string) (named []Identity, err error) {
	for b, err := range s.List(ctx, Query{NamePrefix: name, OS: os}) {
		switch {
		case err != nil:
			return nil, err
		case b.Name == name:
			named = append(named, b)
		}
	}
	if len(named) < 2 {
		return named, nil
	}
	var all []string
	for _, b := range named {
		all = append(all, fmt.Sprintf("%s (%s)", b.ID, b.OS))
	}
	return nil, fault.New(fault.NotFound, "find the baseline "+name, "%d baselines have this name: %s", len(named), strings.Join(all, ", ")).WithHint("name one by its id")
}

// unknown is the error of a name that no baseline has, with those that are near.
func (s *Service) unknown(ctx context.Context, word, os string) error {
	err := fault.New(fault.NotFound, "find the baseline "+word, "no baseline has this name")
	var names []string
	for b, lerr := range s.List(ctx, Query{}) {
		switch {
		case lerr != nil:
			return err.WithHint("`ssmdeck patch baseline list` shows them")
		case b.Name == word:
			return fault.New(fault.NotFound, err.Op, "the one with this name is for %s, and not for %s", b.OS, os)
		}
		names = append(names, b.Name)
	}
	if near := fault.Closest(word, names, 3); len(near) > 0 {
		return err.WithHint("did you mean %s?", orWords(near))
	}
	return err.WithHint("`ssmdeck patch baseline list` shows them")
}

// Get reads a baseline by its id or ARN.
func (s *Service) Get(ctx context.Context, id string) (Baseline, error) {
	out, err := s.api.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: aws.String(id)})
	if err != nil {
		return Baseline{}, awsapi.Explain("get the baseline "+ShortID(id), err)
	}
	return fromAPI(out), nil
}

// Read finds a baseline by a word (see Find) and reads it. Those of AWS may be named
// without the ARN, by which alone the service knows them.
func (s *Service) Read(ctx context.Context, word, os string) (Baseline, error) {
	id, err := s.Find(ctx, word, os)
	if err != nil {
		return Baseline{}, err
	}
	b, err := s.Get(ctx, id)
	if fault.KindOf(err) != fault.NotFound || !strings.HasPrefix(id, "pb-") {
		return b, err
	}
	for have, lerr := range s.List(ctx, Query{Owner: OwnerAWS}) {
		if lerr != nil {
			break
		}
		if SameID(have.ID, id) {
			return s.Get(ctx, have.ID)
		}
	}
	return b, err
}

// DefaultID is the id of the default baseline of an operating system.
func (s *Service) DefaultID(ctx context.Context, os string) (string, error) {
	out, err := s.api.GetDefaultPatchBaseline(ctx, &ssm.GetDefaultPatchBaselineInput{OperatingSystem: types.OperatingSystem(os)})
	if err != nil {
		return "", awsapi.Explain("get the default baseline of "+os, err)
	}
	return aws.ToString(out.BaselineId), nil
}

// Create makes a baseline and returns its id. A repeated attempt of the same call
// makes no second one.
func (s *Service) Create(ctx context.Context, b Baseline, tags map[string]string) (string, error) {
	in := createInput(b)
	in.ClientToken = aws.String(rand.Text())
	for _, k := range sortedKeys(tags) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	out, err := s.api.CreatePatchBaseline(ctx, in)
	if err != nil {
		return "", awsapi.Explain("create the baseline "+b.Name, err)
	}
	return aws.ToString(out.BaselineId), nil
}

// Update makes the baseline was say what b says. Only what differs is sent, unless
// something is taken away that the service can only take away by replacing all of
// it; replace asks for that in any case.
func (s *Service) Update(ctx context.Context, was, b Baseline, replace bool) error {
	_, err := s.api.UpdatePatchBaseline(ctx, updateInput(was, b, replace))
	if err != nil {
		return awsapi.Explain("update the baseline "+was.Label(), err)
	}
	return nil
}

// Delete removes a baseline. The service refuses while a patch group uses it.
func (s *Service) Delete(ctx context.Context, id string) error {
	if _, err := s.api.DeletePatchBaseline(ctx, &ssm.DeletePatchBaselineInput{BaselineId: aws.String(id)}); err != nil {
		return awsapi.Explain("delete the baseline "+ShortID(id), err)
	}
	return nil
}

// SetDefault makes a baseline the default of its operating system.
func (s *Service) SetDefault(ctx context.Context, id string) error {
	if _, err := s.api.RegisterDefaultPatchBaseline(ctx, &ssm.RegisterDefaultPatchBaselineInput{BaselineId: aws.String(id)}); err != nil {
		return awsapi.Explain("make "+ShortID(id)+" the default", err)
	}
	return nil
}
