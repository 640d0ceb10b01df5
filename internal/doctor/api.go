package doctor

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=doctor

// surroundings is what this package needs to know of, and change in, EC2.
type surroundings interface {
	Machine(ctx context.Context, id string) (network.Machine, bool, error)
	Named(ctx context.Context, word string) ([]network.Machine, error)
	Running(ctx context.Context) ([]network.Machine, error)
	Impaired(ctx context.Context, id string) (string, error)
	EnabledRegions(ctx context.Context) ([]string, error)
	VPC(ctx context.Context, id string) (network.VPC, error)
	Subnets(ctx context.Context, vpc string) (map[string]network.Subnet, error)
	RouteTables(ctx context.Context, vpc string) ([]network.RouteTable, error)
	ACLs(ctx context.Context, vpc string) ([]network.ACL, error)
	Endpoints(ctx context.Context, vpc string) ([]network.Endpoint, error)
	Groups(ctx context.Context, ids []string) (map[string]network.Group, error)

	AttachProfile(ctx context.Context, instance, profile string) error
	EnableDNS(ctx context.Context, vpc string, hostnames bool) error
	EnablePrivateDNS(ctx context.Context, endpoint string) error
	CreateEndpoint(ctx context.Context, vpc, service string, subnets, groups []string) (string, error)
	CreateGroup(ctx context.Context, vpc, name, description string) (string, error)
	LetIn(ctx context.Context, group, peer string) error
	LetOut(ctx context.Context, group, peer string) error
}

// identities is what this package needs to know of, and change in, IAM.
type identities interface {
	Profile(ctx context.Context, name string) (iam.Profile, bool, error)
	Role(ctx context.Context, name string) (iam.Role, bool, error)
	Policies(ctx context.Context, role string) ([]iam.Policy, error)
	Document(ctx context.Context, arn string) (string, error)
	Simulate(ctx context.Context, principal string, actions []string, resource string) ([]iam.Decision, error)
	AttachCore(ctx context.Context, role, partition string) error
}

// registry is what this package needs to know of managed nodes.
type registry interface {
	Find(ctx context.Context, expr string) (fleet.Node, error)
	Get(ctx context.Context, id string) (fleet.Node, error)
	Connected(ctx context.Context, id string) (bool, error)
	Everything(ctx context.Context) ([]fleet.Node, error)
}

// api is what this package calls of SSM; *ssm.Client satisfies it.
type api interface {
	GetServiceSetting(context.Context, *ssm.GetServiceSettingInput, ...func(*ssm.Options)) (*ssm.GetServiceSettingOutput, error)
	DescribeActivations(context.Context, *ssm.DescribeActivationsInput, ...func(*ssm.Options)) (*ssm.DescribeActivationsOutput, error)
}
