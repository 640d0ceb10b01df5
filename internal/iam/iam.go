// Package iam reads who an instance is to AWS: its profile, its role, the role's
// policies, and what those allow. It is the only room that imports the SDK's IAM
// package.
//
// Decisions come from IAM's own simulation where the caller may use it. Policies
// can also be read and decided here (Decide), which knows statements, wildcards
// and denials, and takes a condition for a "perhaps".
package iam

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Core is the policy of AWS that gives an agent its rights.
const Core = "AmazonSSMManagedInstanceCore"

// Service asks IAM. It is safe for concurrent use.
type Service struct{ api api }

// New returns a Service for the account of cfg.
func New(cfg aws.Config) *Service { return &Service{api: iam.NewFromConfig(cfg)} }

// Profile is an instance profile: what EC2 hands an instance, holding a role.
type Profile struct {
	Name string
	Role string // "" when the profile is empty
}

// Role is a role and what is said about it, not what it allows.
type Role struct {
	Name, ARN string
	Trust     string // JSON: who may assume it
	Boundary  string // ARN of the permissions boundary, "" for none
}

// Policy is a policy of a role.
type Policy struct {
	Name     string
	ARN      string // "" for an inline policy
	Document string // JSON
}

// Profile reads an instance profile by name; ok is false when there is none.
func (s *Service) Profile(ctx context.Context, name string) (p Profile, ok bool, err error) {
	out, err := s.api.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String(name)})
	if missing(err) {
		return Profile{Name: name}, false, nil
	}
	if err != nil {
		return p, false, awsapi.Explain("read instance profile "+name, err)
	}
	p.Name = name
	if out.InstanceProfile != nil && len(out.InstanceProfile.Roles) > 0 {
		p.Role = aws.ToString(out.InstanceProfile.Roles[0].RoleName)
	}
	return p, true, nil
}

// Role reads a role by name; ok is false when there is none.
func (s *Service) Role(ctx context.Context, name string) (r Role, ok bool, err error) {
	out, err := s.api.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if missing(err) {
		return Role{Name: name}, false, nil
	}
	if err != nil {
		return r, false, awsapi.Explain("read role "+name, err)
	}
	r.Name = name
	if out.Role != nil {
		r.ARN, r.Trust = aws.ToString(out.Role.Arn), plain(out.Role.AssumeRolePolicyDocument)
		if b := out.Role.PermissionsBoundary; b != nil {
			r.Boundary = aws.ToString(b.PermissionsBoundaryArn)
		}
	}
	return r, true, nil
}

// Policies reads the policies of a role, attached and inline, with their
// documents. That of Core is not read: its name says what is in it.
func (s *Service) Policies(ctx context.Context, role string) ([]Policy, error) {
	op := "read the policies of role " + role
	var found []Policy
	attached := iam.NewListAttachedRolePoliciesPaginator(s.api, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role)})
	for attached.HasMorePages() {
		out, err := attached.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain(op, err)
		}
		for _, a := range out.AttachedPolicies {
			p := Policy{Name: aws.ToString(a.PolicyName), ARN: aws.ToString(a.PolicyArn)}
			if !p.IsCore() {
				if p.Document, err = s.Document(ctx, p.ARN); err != nil {
					return nil, err
				}
			}
			found = append(found, p)
		}
	}
	inline := iam.NewListRolePoliciesPaginator(s.api, &iam.ListRolePoliciesInput{RoleName: aws.String(role)})
	for inline.HasMorePages() {
		out, err := inline.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain(op, err)
		}
		for _, name := range out.PolicyNames {
			p, err := s.api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(name)})
			if err != nil {
				return nil, awsapi.Explain(op, err)
			}
			found = append(found, Policy{Name: name, Document: plain(p.PolicyDocument)})
		}
	}
	return found, nil
}

// Document reads the default version of a managed policy.
func (s *Service) Document(ctx context.Context, arn string) (string, error) {
	op := "read policy " + arn
	p, err := s.api.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(arn)})
	if err != nil {
		return "", awsapi.Explain(op, err)
	}
	if p.Policy == nil {
		return "", nil
	}
	v, err := s.api.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(arn), VersionId: p.Policy.DefaultVersionId})
	if err != nil {
		return "", awsapi.Explain(op, err)
	}
	if v.PolicyVersion == nil {
		return "", nil
	}
	return plain(v.PolicyVersion.Document), nil
}

// IsCore reports whether p is AWS's own policy for managed nodes.
func (p Policy) IsCore() bool {
	return strings.HasSuffix(p.ARN, ":iam::aws:policy/"+Core)
}

// Simulate asks IAM what a user or role, by ARN, may do with a resource; "" is
// any resource. It knows boundaries, and what the organization forbids.
func (s *Service) Simulate(ctx context.Context, principal string, actions []string, resource string) ([]Decision, error) {
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(principal), ActionNames: actions}
	if resource != "" {
		in.ResourceArns = []string{resource}
	}
	var found []Decision
	pages := iam.NewSimulatePrincipalPolicyPaginator(s.api, in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("simulate the policies of "+principal, err)
		}
		for _, r := range out.EvaluationResults {
			found = append(found, simulated(r))
		}
	}
	return found, nil
}

func simulated(r types.EvaluationResult) Decision {
	d := Decision{Action: aws.ToString(r.EvalActionName), Result: NotAllowed}
	switch r.EvalDecision {
	case types.PolicyEvaluationDecisionTypeAllowed:
		d.Result = Allowed
	case types.PolicyEvaluationDecisionTypeExplicitDeny:
		d.Result = Denied
	}
	if len(r.MatchedStatements) > 0 {
		d.Policy = aws.ToString(r.MatchedStatements[0].SourcePolicyId)
	}
	if d.Result == NotAllowed && len(r.MissingContextValues) > 0 {
		d.Result = Perhaps // it depends on tags or the like, which the simulation was not told
	}
	if b := r.PermissionsBoundaryDecisionDetail; b != nil && !b.AllowedByPermissionsBoundary && d.Result != Allowed {
		d.Result = OutOfBounds
	}
	if o := r.OrganizationsDecisionDetail; o != nil && !o.AllowedByOrganizations && d.Result != Allowed {
		d.Result = OutOfOrganization
	}
	return d
}

// AttachCore attaches AWS's policy for managed nodes to a role. partition is
// that of the account: aws, aws-cn, aws-us-gov.
func (s *Service) AttachCore(ctx context.Context, role, partition string) error {
	_, err := s.api.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String(role), PolicyArn: aws.String(CoreARN(partition))})
	return awsapi.Explain("attach "+Core+" to role "+role, err)
}

// CoreARN is the ARN of Core in a partition.
func CoreARN(partition string) string { return "arn:" + partition + ":iam::aws:policy/" + Core }

// missing reports whether IAM says that there is no such thing.
func missing(err error) bool {
	var none *types.NoSuchEntityException
	return errors.As(err, &none)
}

// plain is a document as IAM sends it, without the URL encoding.
func plain(document *string) string {
	text := aws.ToString(document)
	if decoded, err := url.PathUnescape(text); err == nil {
		return decoded
	}
	return text
}
