package iam

import (
	"context"
	"net/url"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func service(t *testing.T) (*Service, *Mockapi) {
	t.Helper()
	m := NewMockapi(gomock.NewController(t))
	return &Service{api: m}, m
}

// encoded is a document as IAM sends it (RFC 3986).
func encoded(text string) *string { return aws.String(url.PathEscape(text)) }

func TestWhatIsMissingIsNoError(t *testing.T) {
	s, m := service(t)
	none := &types.NoSuchEntityException{}
	m.EXPECT().GetInstanceProfile(gomock.Any(), gomock.Any()).Return(nil, none)
	m.EXPECT().GetRole(gomock.Any(), gomock.Any()).Return(nil, none)
	if p, ok, err := s.Profile(t.Context(), "gone"); ok || err != nil || p.Name != "gone" {
		t.Errorf("got %+v, %v, %v", p, ok, err)
	}
	if r, ok, err := s.Role(t.Context(), "gone"); ok || err != nil || r.Name != "gone" {
		t.Errorf("got %+v, %v, %v", r, ok, err)
	}
}

func TestWhatIsDeniedNamesTheAction(t *testing.T) {
	s, m := service(t)
	m.EXPECT().GetRole(gomock.Any(), gomock.Any()).Return(nil, &smithy.OperationError{
		ServiceID: "IAM", OperationName: "GetRole", Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"},
	})
	_, _, err := s.Role(t.Context(), "web")
	if fault.KindOf(err) != fault.Auth || err.Error() != "read role web: not allowed: iam:GetRole" {
		t.Errorf("got %v", err)
	}
}

func TestRoleAndProfile(t *testing.T) {
	s, m := service(t)
	m.EXPECT().GetInstanceProfile(gomock.Any(), gomock.Any()).Return(&iam.GetInstanceProfileOutput{
		InstanceProfile: &types.InstanceProfile{Roles: []types.Role{{RoleName: aws.String("web")}}},
	}, nil)
	m.EXPECT().GetRole(gomock.Any(), gomock.Any()).Return(&iam.GetRoleOutput{Role: &types.Role{
		Arn: aws.String("arn:aws:iam::1:role/web"), AssumeRolePolicyDocument: encoded(`{"Statement": [{"Action": "sts:AssumeRole"}]}`),
		PermissionsBoundary: &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String("arn:aws:iam::1:policy/limits")},
	}}, nil)
	if p, ok, err := s.Profile(t.Context(), "web-profile"); !ok || err != nil || p != (Profile{"web-profile", "web"}) {
		t.Errorf("got %+v, %v, %v", p, ok, err)
	}
	want := Role{Name: "web", ARN: "arn:aws:iam::1:role/web", Trust: `{"Statement": [{"Action": "sts:AssumeRole"}]}`, Boundary: "arn:aws:iam::1:policy/limits"}
	if r, ok, err := s.Role(t.Context(), "web"); !ok || err != nil || r != want {
		t.Errorf("got %+v, %v, %v", r, ok, err)
	}
}

func TestPoliciesReadsAllPagesAndBothKinds(t *testing.T) {
	s, m := service(t)
	attached := []*iam.ListAttachedRolePoliciesOutput{
		{IsTruncated: true, Marker: aws.String("more"), AttachedPolicies: []types.AttachedPolicy{{PolicyName: aws.String(Core), PolicyArn: aws.String(CoreARN("aws"))}}},
		{AttachedPolicies: []types.AttachedPolicy{{PolicyName: aws.String("mine"), PolicyArn: aws.String("arn:aws:iam::1:policy/mine")}}},
	}
	call := 0
	m.EXPECT().ListAttachedRolePolicies(gomock.Any(), gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *iam.ListAttachedRolePoliciesInput, _ ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error) {
			call++
			if (in.Marker != nil) != (call == 2) {
				t.Errorf("call %d: marker %v", call, in.Marker)
			}
			return attached[call-1], nil
		})
	m.EXPECT().GetPolicy(gomock.Any(), gomock.Any()).Return(&iam.GetPolicyOutput{Policy: &types.Policy{DefaultVersionId: aws.String("v7")}}, nil)
	m.EXPECT().GetPolicyVersion(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *iam.GetPolicyVersionInput, _ ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error) {
			if *in.VersionId != "v7" {
				t.Errorf("asked for %s", *in.VersionId)
			}
			return &iam.GetPolicyVersionOutput{PolicyVersion: &types.PolicyVersion{Document: encoded(`{"a": "b+c"}`)}}, nil
		})
	m.EXPECT().ListRolePolicies(gomock.Any(), gomock.Any(), gomock.Any()).Return(&iam.ListRolePoliciesOutput{PolicyNames: []string{"inline"}}, nil)
	m.EXPECT().GetRolePolicy(gomock.Any(), gomock.Any()).Return(&iam.GetRolePolicyOutput{PolicyDocument: encoded(`{"x": 1}`)}, nil)
	got, err := s.Policies(t.Context(), "web")
	want := []Policy{{Name: Core, ARN: CoreARN("aws")}, {"mine", "arn:aws:iam::1:policy/mine", `{"a": "b+c"}`}, {"inline", "", `{"x": 1}`}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSimulate(t *testing.T) {
	s, m := service(t)
	m.EXPECT().SimulatePrincipalPolicy(gomock.Any(), gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *iam.SimulatePrincipalPolicyInput, _ ...func(*iam.Options)) (*iam.SimulatePrincipalPolicyOutput, error) {
			if *in.PolicySourceArn != "arn:aws:iam::1:role/web" || in.ResourceArns[0] != "arn:x" {
				t.Errorf("asked %+v", in)
			}
			result := func(action string, d types.PolicyEvaluationDecisionType) types.EvaluationResult {
				return types.EvaluationResult{EvalActionName: aws.String(action), EvalDecision: d}
			}
			all := []types.EvaluationResult{
				result("yes", "allowed"), result("no", "implicitDeny"), result("never", "explicitDeny"), result("bounds", "implicitDeny"),
				result("org", "implicitDeny"), result("tags", "implicitDeny"),
			}
			all[2].MatchedStatements = []types.Statement{{SourcePolicyId: aws.String("deny-it")}}
			all[3].PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{}
			all[4].OrganizationsDecisionDetail = &types.OrganizationsDecisionDetail{}
			all[5].MissingContextValues = []string{"ssm:resourceTag/env"}
			return &iam.SimulatePrincipalPolicyOutput{EvaluationResults: all}, nil
		})
	got, err := s.Simulate(t.Context(), "arn:aws:iam::1:role/web", []string{"yes"}, "arn:x")
	want := []Decision{
		{"yes", Allowed, ""}, {"no", NotAllowed, ""}, {"never", Denied, "deny-it"}, {"bounds", OutOfBounds, ""}, {"org", OutOfOrganization, ""}, {"tags", Perhaps, ""},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAttachCore(t *testing.T) {
	s, m := service(t)
	m.EXPECT().AttachRolePolicy(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *iam.AttachRolePolicyInput, _ ...func(*iam.Options)) (*iam.AttachRolePolicyOutput, error) {
			if *in.RoleName != "web" || *in.PolicyArn != "arn:aws-cn:iam::aws:policy/AmazonSSMManagedInstanceCore" {
				t.Errorf("asked %+v", in)
			}
			return &iam.AttachRolePolicyOutput{}, nil
		})
	if err := s.AttachCore(t.Context(), "web", "aws-cn"); err != nil {
		t.Error(err)
	}
}
