package fleet

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// The limits of tags, in characters: the narrower ones of EC2 and SSM.
const (
	maxTagKey   = 127
	maxTagValue = 256
)

// TagChange is what is done to tags of nodes.
type TagChange struct {
	Set    map[string]string `json:"set,omitempty"`
	Remove []string          `json:"remove,omitempty"`
}

// ParseTagChange reads KEY=VALUE, which sets a tag, and KEY-, which removes one.
// KEY= sets an empty value. Its errors are Usage faults.
func ParseTagChange(words []string) (TagChange, error) {
	const form = "write KEY=VALUE to set a tag, KEY- to remove it"
	c := TagChange{Set: map[string]string{}}
	for _, w := range words {
		key, value, sets := strings.Cut(w, "=")
		if !sets {
			var removes bool
			if key, removes = strings.CutSuffix(w, "-"); !removes {
				return c, fault.Usagef("%q changes no tag", w).WithHint(form)
			}
		}
		switch _, twice := c.Set[key]; {
		case key == "":
			return c, fault.Usagef("%q has no tag key", w).WithHint(form)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return c, fault.Usagef("tags that begin with aws: are AWS's own and cannot be changed")
		case strings.IndexFunc(w, unicode.IsControl) >= 0:
			return c, fault.Usagef("the tag %q has a control character in it", w)
		case utf8.RuneCountInString(key) > maxTagKey:
			return c, fault.Usagef("the tag key %q is longer than %d characters", key, maxTagKey)
		case utf8.RuneCountInString(value) > maxTagValue:
			return c, fault.Usagef("the value of tag %s is longer than %d characters", key, maxTagValue)
		case twice || slices.Contains(c.Remove, key):
			return c, fault.Usagef("the tag %s is given twice", key)
		}
		if sets {
			c.Set[key] = value
		} else {
			c.Remove = append(c.Remove, key)
		}
	}
	if len(c.Set)+len(c.Remove) == 0 {
		return c, fault.Usagef("no tag is given").WithHint(form)
	}
	return c, nil
}

// ChangeTags changes tags of nodes: those of instances with EC2, 1000 at a
// time, and those of hybrid nodes one by one. It goes on after a failure and
// returns the failures by node; ctx ends it.
func (s *Service) ChangeTags(ctx context.Context, nodes []Node, c TagChange) map[string]error {
	failed := map[string]error{}
	var instances []string
	for _, n := range nodes {
		switch {
		case n.Instance():
			instances = append(instances, n.ID)
		case n.Hybrid():
			if err := s.changeHybrid(ctx, n.ID, c); err != nil {
				failed[n.ID] = err
			}
		default:
			failed[n.ID] = fault.New(fault.Usage, "tag "+n.ID, "only instances and hybrid nodes have tags")
		}
	}
	for chunk := range slices.Chunk(instances, taggedAtOnce) {
		if err := s.changeInstances(ctx, chunk, c); err != nil {
			for _, id := range chunk {
				failed[id] = err
			}
		}
	}
	return failed
}

// taggedAtOnce is how many instances the tags of one call are for.
const taggedAtOnce = 1000

func (s *Service) changeInstances(ctx context.Context, ids []string, c TagChange) error {
	if s.ec2 == nil {
		return errNoEC2
	}
	if len(c.Set) > 0 {
		if err := s.ec2.SetTags(ctx, ids, c.Set); err != nil {
			return err
		}
	}
	if len(c.Remove) > 0 {
		if err := s.ec2.RemoveTags(ctx, ids, c.Remove); err != nil {
			return halfDone(c, err)
		}
	}
	return nil
}

// halfDone is the error of removing tags when others were set before.
func halfDone(c TagChange, err error) error {
	if len(c.Set) == 0 {
		return err
	}
	return reword("remove tags, after the others were set", err)
}

func (s *Service) changeHybrid(ctx context.Context, id string, c TagChange) error {
	op := "tag " + id
	if len(c.Set) > 0 {
		in := &ssm.AddTagsToResourceInput{ResourceId: aws.String(id), ResourceType: types.ResourceTypeForTaggingManagedInstance}
		for _, k := range slices.Sorted(maps.Keys(c.Set)) {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(c.Set[k])})
		}
		if _, err := s.api.AddTagsToResource(ctx, in); err != nil {
			return awsapi.Explain(op, err)
		}
	}
	if len(c.Remove) > 0 {
		_, err := s.api.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
			ResourceId: aws.String(id), ResourceType: types.ResourceTypeForTaggingManagedInstance, TagKeys: c.Remove,
		})
		if err != nil {
			return halfDone(c, awsapi.Explain(op, err))
		}
	}
	return nil
}

// Deregister makes Systems Manager forget a hybrid node. An EC2 instance is a
// Usage fault: it is managed for as long as it has an agent and a role.
func (s *Service) Deregister(ctx context.Context, n Node) error {
	if err := Deregisterable(n); err != nil {
		return err
	}
	if _, err := s.api.DeregisterManagedInstance(ctx, &ssm.DeregisterManagedInstanceInput{InstanceId: aws.String(n.ID)}); err != nil {
		return awsapi.Explain("deregister "+n.String(), err)
	}
	return nil
}

// Deregisterable refuses what cannot be deregistered.
func Deregisterable(n Node) error {
	if n.Hybrid() {
		return nil
	}
	return fault.New(fault.Usage, "deregister "+n.String(), "EC2 instances cannot be deregistered; only hybrid nodes (mi-…) can").
		WithHint("an instance leaves when it is terminated, or some time after its agent was stopped or its role taken away")
}

// ConnectedAll asks the message gateway about many nodes, a few at a time. seen
// is called with each answer, from several goroutines; it gets what kept an
// answer from coming, too. The error is that of a ctx that ended.
func (s *Service) ConnectedAll(ctx context.Context, nodes []Node, seen func(n Node, connected bool, err error)) error {
	return awsapi.Parallel(ctx, len(nodes), func(ctx context.Context, i int) error {
		connected, err := s.Connected(ctx, nodes[i].ID)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		seen(nodes[i], connected, err)
		return nil
	})
}
