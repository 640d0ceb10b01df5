package grid

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func account1(id string, status types.AccountStatus) types.Account {
	return types.Account{Id: aws.String(id), Status: status}
}

func TestMembersReadsAllPagesAndUnits(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().ListAccounts(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *organizations.ListAccountsInput, _ ...func(*organizations.Options)) (*organizations.ListAccountsOutput, error) {
		if in.NextToken == nil { // a page may be empty and still have a successor
			return &organizations.ListAccountsOutput{NextToken: aws.String("more")}, nil
		}
		return &organizations.ListAccountsOutput{Accounts: []types.Account{
			account1("333333333333", types.AccountStatusActive), account1("222222222222", types.AccountStatusSuspended),
			{Id: aws.String("111111111111"), State: types.AccountStateActive},
			{Id: aws.String("444444444444"), State: types.AccountStatePendingClosure},
		}}, nil
	}).Times(2)
	ids, skipped, err := members(t.Context(), m, []string{"555555555555", Organization, "111111111111"})
	if err != nil || !slices.Equal(ids, []string{"111111111111", "333333333333", "555555555555"}) {
		t.Errorf("accounts %v, %v", ids, err)
	}
	if !slices.Equal(skipped, []string{"222222222222 (suspended)", "444444444444 (pending closure)"}) {
		t.Errorf("skipped %v", skipped)
	}

	units := map[string][]string{"ou-a": {"ou-b", "ou-c"}, "ou-c": {"ou-d"}}
	m.EXPECT().ListOrganizationalUnitsForParent(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *organizations.ListOrganizationalUnitsForParentInput, _ ...func(*organizations.Options)) (*organizations.ListOrganizationalUnitsForParentOutput, error) {
		var out organizations.ListOrganizationalUnitsForParentOutput
		for _, u := range units[*in.ParentId] {
			out.OrganizationalUnits = append(out.OrganizationalUnits, types.OrganizationalUnit{Id: aws.String(u)})
		}
		return &out, nil
	}).Times(4)
	m.EXPECT().ListAccountsForParent(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *organizations.ListAccountsForParentInput, _ ...func(*organizations.Options)) (*organizations.ListAccountsForParentOutput, error) {
		return &organizations.ListAccountsForParentOutput{Accounts: []types.Account{account1("account of "+*in.ParentId, types.AccountStatusActive)}}, nil
	}).Times(4)
	ids, _, err = members(t.Context(), m, []string{"ou:ou-a"})
	if err != nil || strings.Join(ids, ", ") != "account of ou-a, account of ou-b, account of ou-c, account of ou-d" {
		t.Errorf("accounts %v, %v", ids, err)
	}
}

func TestMembersFail(t *testing.T) {
	for _, tt := range []struct {
		err  error
		kind fault.Kind
		want string
	}{
		{&types.AWSOrganizationsNotInUseException{}, fault.NotFound, "in no organization"},
		{&types.AccessDeniedException{Message: aws.String("You don't have permissions to access this resource.")}, fault.Auth, "management account"},
	} {
		m := NewMockapi(gomock.NewController(t))
		m.EXPECT().ListAccounts(gomock.Any(), gomock.Any()).Return(nil, tt.err)
		_, _, err := members(t.Context(), m, []string{Organization})
		if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error()+fault.HintOf(err), tt.want) {
			t.Errorf("%T: %v (%s)", tt.err, err, fault.HintOf(err))
		}
	}
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().ListAccounts(gomock.Any(), gomock.Any()).Return(&organizations.ListAccountsOutput{NextToken: aws.String("same")}, nil).Times(2)
	if _, _, err := members(t.Context(), m, []string{Organization}); err == nil || !strings.Contains(err.Error(), "same page twice") {
		t.Errorf("an endless list: %v", err)
	}
}
