package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/iam"
)

// repairKind is what a repair does. They are ordered as they must be done.
type repairKind int

const (
	// Who is shut out is let in before anything leads him there.
	letIn     repairKind = iota // Peer into Group
	letOut                      // members of Group to Peer
	enableDNS                   // of VPC; Hostnames says which attribute
	makeGroup                   // for endpoints of VPC, open to Peers
	createEndpoint
	enablePrivateDNS
	attachPolicy
	attachProfile
)

// Repair is one change that takes a cause away.
type Repair struct {
	kind repairKind

	VPC, Instance, Role, Profile string
	Group, Peer                  string
	Endpoint, Service            string // Service is its full name: com.amazonaws.REGION.ssm
	Subnets, Groups, Peers       []string
	Partition                    string
	Hostnames                    bool
}

// Incomplete reports whether the repair needs an instance profile that nobody has
// named.
func (r Repair) Incomplete() bool { return r.kind == attachProfile && r.Profile == "" }

// endpointGroup names the security group that endpoints are made with where
// nobody has one.
const endpointGroup = "ssmdeck-endpoints"

// String says what the repair does.
func (r Repair) String() string {
	switch r.kind {
	case enableDNS:
		if r.Hostnames {
			return "enable DNS hostnames in " + r.VPC
		}
		return "enable DNS support in " + r.VPC
	case makeGroup:
		return "create security group " + endpointGroup + " in " + r.VPC + ", which lets 443 in from " + strings.Join(r.Peers, ", ")
	case createEndpoint:
		return "create an endpoint to " + r.Service + " in " + strings.Join(r.Subnets, ", ") + ", which all of " + r.VPC + " will use"
	case enablePrivateDNS:
		return "enable private DNS of " + r.Endpoint + ", which all of " + r.VPC + " will use"
	case letIn:
		return "let " + r.Peer + " into " + r.Group + " on 443"
	case letOut:
		return "let members of " + r.Group + " out to " + r.Peer + " on 443"
	case attachPolicy:
		return "attach " + iam.Core + " to role " + r.Role
	default:
		return "attach instance profile " + r.Profile + " to " + r.Instance
	}
}

// Calls are the operations of AWS that the repair makes, as IAM names them.
func (r Repair) Calls() []string {
	return map[repairKind][]string{
		enableDNS: {"ec2:ModifyVpcAttribute"}, makeGroup: {"ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupIngress"},
		createEndpoint: {"ec2:CreateVpcEndpoint"}, enablePrivateDNS: {"ec2:ModifyVpcEndpoint"},
		letIn: {"ec2:AuthorizeSecurityGroupIngress"}, letOut: {"ec2:AuthorizeSecurityGroupEgress"},
		attachPolicy: {"iam:AttachRolePolicy"}, attachProfile: {"ec2:AssociateIamInstanceProfile", "iam:PassRole"},
	}[r.kind]
}

// Commands are the same as commands of the AWS CLI.
func (r Repair) Commands() []string {
	peer := func(p string) string {
		if strings.Contains(p, "/") {
			return "--cidr " + p
		}
		return "--source-group " + p
	}
	switch r.kind {
	case enableDNS:
		if r.Hostnames {
			return []string{"aws ec2 modify-vpc-attribute --vpc-id " + r.VPC + ` --enable-dns-hostnames '{"Value":true}'`}
		}
		return []string{"aws ec2 modify-vpc-attribute --vpc-id " + r.VPC + ` --enable-dns-support '{"Value":true}'`}
	case makeGroup:
		commands := []string{"GROUP=$(aws ec2 create-security-group --vpc-id " + r.VPC + " --group-name " + endpointGroup + " --description 'VPC endpoints' --query GroupId --output text)"}
		for _, p := range r.Peers {
			commands = append(commands, "aws ec2 authorize-security-group-ingress --group-id $GROUP --protocol tcp --port 443 "+peer(p))
		}
		return commands
	case createEndpoint:
		groups := strings.Join(r.Groups, " ")
		return []string{"aws ec2 create-vpc-endpoint --vpc-id " + r.VPC + " --vpc-endpoint-type Interface --service-name " + r.Service +
			" --subnet-ids " + strings.Join(r.Subnets, " ") + " --security-group-ids " + cmp.Or(groups, "$GROUP") + " --private-dns-enabled"}
	case enablePrivateDNS:
		return []string{"aws ec2 modify-vpc-endpoint --vpc-endpoint-id " + r.Endpoint + " --private-dns-enabled"}
	case letIn:
		return []string{"aws ec2 authorize-security-group-ingress --group-id " + r.Group + " --protocol tcp --port 443 " + peer(r.Peer)}
	case letOut:
		return []string{"aws ec2 authorize-security-group-egress --group-id " + r.Group + " --protocol tcp --port 443 " + peer(r.Peer)}
	case attachPolicy:
		return []string{"aws iam attach-role-policy --role-name " + r.Role + " --policy-arn " + iam.CoreARN(cmp.Or(r.Partition, "aws"))}
	default:
		return []string{"aws ec2 associate-iam-instance-profile --instance-id " + r.Instance + " --iam-instance-profile Name=" + cmp.Or(r.Profile, "PROFILE")}
	}
}

// key tells repairs apart that do different things. A VPC takes one endpoint to a
// service, whichever subnet it is in, and one group for them.
func (r Repair) key() string {
	switch r.kind {
	case createEndpoint:
		return fmt.Sprint(r.kind, r.VPC, r.Service)
	case makeGroup:
		return fmt.Sprint(r.kind, r.VPC)
	}
	return fmt.Sprint(r)
}

// Plan collects the repairs of checks in the order in which they must be done,
// each once. Those that need an instance profile which nobody has named are left
// out.
func Plan(checks []Check) []Repair {
	var plan []Repair
	seen := map[string]bool{}
	for _, c := range checks {
		for _, r := range c.Repairs {
			if r.Incomplete() || seen[r.key()] {
				continue
			}
			seen[r.key()] = true
			plan = append(plan, r)
		}
	}
	slices.SortStableFunc(plan, func(a, b Repair) int { return int(a.kind - b.kind) })
	return plan
}

// CheckProfile finds out whether the instance profile that is to be attached is
// one. Where that may not be read, it is taken to be.
func (s *Service) CheckProfile(ctx context.Context) error {
	if s.Profile == "" {
		return nil
	}
	p, ok, err := s.iam.Profile(ctx, s.Profile)
	op := "attach instance profile " + s.Profile
	switch {
	case fault.KindOf(err) == fault.Auth && err != nil:
		return nil
	case err != nil:
		return err
	case !ok:
		return fault.New(fault.NotFound, op, "there is no such instance profile").WithHint("`aws iam list-instance-profiles` lists them")
	case p.Role == "":
		return fault.New(fault.Usage, op, "it holds no role").WithHint("name another, or add a role to it")
	}
	return nil
}

// Apply carries out a plan, in order, and tells done of each repair that was
// made. It ends at the first error.
func (s *Service) Apply(ctx context.Context, plan []Repair, done func(r Repair)) error {
	made := map[string]string{} // VPC → the group that was made
	for _, r := range plan {
		if err := s.apply(ctx, r, made); err != nil {
			return err
		}
		done(r)
	}
	return nil
}

func (s *Service) apply(ctx context.Context, r Repair, made map[string]string) error {
	switch r.kind {
	case enableDNS:
		return s.ec2.EnableDNS(ctx, r.VPC, r.Hostnames)
	case makeGroup:
		id, err := s.ec2.CreateGroup(ctx, r.VPC, endpointGroup, "VPC endpoints of Systems Manager")
		if err != nil {
			return err
		}
		made[r.VPC] = id
		for _, p := range r.Peers {
			if err := s.ec2.LetIn(ctx, id, p); err != nil {
				return err
			}
		}
		return nil
	case createEndpoint:
		groups := r.Groups
		if len(groups) == 0 && made[r.VPC] != "" {
			groups = []string{made[r.VPC]}
		}
		_, err := s.ec2.CreateEndpoint(ctx, r.VPC, r.Service, r.Subnets, groups)
		return err
	case enablePrivateDNS:
		return s.ec2.EnablePrivateDNS(ctx, r.Endpoint)
	case letIn:
		return s.ec2.LetIn(ctx, r.Group, r.Peer)
	case letOut:
		return s.ec2.LetOut(ctx, r.Group, r.Peer)
	case attachPolicy:
		return s.iam.AttachCore(ctx, r.Role, cmp.Or(r.Partition, "aws"))
	default:
		return s.ec2.AttachProfile(ctx, r.Instance, r.Profile)
	}
}
