package activation

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// watchEvery is how often Watch looks; watchGrace is how long nodes may take to
// be listed after they have registered.
const (
	watchEvery = 5 * time.Second
	watchGrace = 2 * time.Minute
)

// Node is a node that has registered with an activation.
type Node struct {
	ID           string    `json:"id"`
	Name         string    `json:"name,omitempty"`
	ComputerName string    `json:"computer_name,omitempty"`
	Ping         string    `json:"ping"` // when it was seen first
	Platform     string    `json:"platform,omitempty"`
	AgentVersion string    `json:"agent_version,omitempty"`
	IP           string    `json:"ip,omitempty"`
	Registered   time.Time `json:"registered,omitzero"`
}

// Watch yields each node of an activation once: those that are there, then
// others as they register. It ends when all have that the activation allows; an
// activation that expires before is a Pending error. progress, if set, is told
// the activation whenever it was looked at.
func (s *Service) Watch(ctx context.Context, id string, progress func(Activation)) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		seen := map[string]bool{}
		var full time.Time // since when no more can come
		for {
			a, err := s.Get(ctx, id)
			if err != nil {
				yield(Node{}, err)
				return
			}
			for n, err := range s.Nodes(ctx, id) {
				if err != nil {
					yield(Node{}, err)
					return
				}
				if seen[n.ID] {
					continue
				}
				seen[n.ID] = true
				if !yield(n, nil) {
					return
				}
			}
			if progress != nil {
				progress(a)
			}
			if a.State != Active && full.IsZero() {
				full = time.Now()
			}
			// Nodes that were deregistered since are counted and never listed.
			if !full.IsZero() && (len(seen) >= a.Registered || time.Since(full) >= watchGrace) {
				if a.State == Expired {
					yield(Node{}, fault.New(fault.Pending, "watch activation "+id, "it has expired with %d of %d nodes registered", a.Registered, a.Limit).
						WithHint("make another with `ssmdeck activation create`"))
				}
				return
			}
			if err := wait.Sleep(ctx, wait.Jitter(watchEvery)); err != nil {
				yield(Node{}, awsapi.Explain("watch activation "+id, err))
				return
			}
		}
	}
}

// Nodes returns the nodes that have registered with an activation and are
// listed by the service.
func (s *Service) Nodes(ctx context.Context, id string) iter.Seq2[Node, error] {
	return awsapi.Pages("list the nodes of activation "+id, func(token *string) ([]types.InstanceInformation, *string, error) {
		out, err := s.api.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
			Filters:    []types.InstanceInformationStringFilter{{Key: aws.String("ActivationIds"), Values: []string{id}}},
			MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.InstanceInformationList, out.NextToken, nil
	}, nodeOf)
}

func nodeOf(n types.InstanceInformation) Node {
	platform := aws.ToString(n.PlatformName)
	if v := aws.ToString(n.PlatformVersion); platform != "" && v != "" {
		platform += " " + v
	}
	return Node{
		ID: aws.ToString(n.InstanceId), Name: aws.ToString(n.Name), ComputerName: aws.ToString(n.ComputerName), Ping: string(n.PingStatus),
		Platform: platform, AgentVersion: aws.ToString(n.AgentVersion), IP: aws.ToString(n.IPAddress), Registered: aws.ToTime(n.RegistrationDate),
	}
}
