package grid

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestSpecsThatCannotBeFollowed(t *testing.T) {
	const role = "arn:aws:iam::222222222222:role/Reader"
	for _, tt := range []struct {
		spec Spec
		want string // part of the error; empty: none
	}{
		{Spec{}, ""},
		{Spec{Regions: []string{"eu-west-1", "us-gov-east-1", "ap-southeast-2", "eusc-de-east-1"}}, ""},
		{Spec{Regions: []string{"all"}}, ""},
		{Spec{Regions: []string{"all", "eu-west-1"}}, "all Regions and eu-west-1"},
		{Spec{Regions: []string{"eu-west"}}, "not a Region"},
		{Spec{Accounts: []string{"222222222222"}, Role: "Reader"}, ""},
		{Spec{Accounts: []string{"222222222222"}, Role: "ops/Reader"}, ""},
		{Spec{Accounts: []string{"222222222222"}, Role: role}, ""},
		{Spec{Accounts: []string{"333333333333"}, Role: role}, "alone"},
		{Spec{Accounts: []string{"org"}, Role: role}, "alone"},
		{Spec{Accounts: []string{"org", "ou:ou-ab12-cdefghij", "ou:r-ab12"}, Role: "Reader"}, ""},
		{Spec{Accounts: []string{"ou:prod"}, Role: "Reader"}, "not an account"},
		{Spec{Accounts: []string{"22222222222"}, Role: "Reader"}, "not an account"},
		{Spec{Accounts: []string{"222222222222"}}, "need a role"},
		{Spec{Accounts: []string{"222222222222"}, Role: "not a role"}, "neither"},
		{Spec{Accounts: []string{"222222222222"}, Role: "arn:aws:iam::222222222222:user/me"}, "neither"},
		{Spec{Role: "Reader"}, "no accounts"},
		{Spec{ExternalID: "x"}, "external id"},
		{Spec{Profiles: []string{"a", "b"}, Accounts: []string{"org"}, Role: "Reader"}, "exclude"},
		{Spec{Parallel: -1}, "--parallel"},
		{Spec{Parallel: 65}, "--parallel"},
	} {
		err := tt.spec.Check()
		if tt.want == "" && err != nil || tt.want != "" && (fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v", tt.spec, err)
		}
	}
}

func TestRolesFollowThePartition(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1":     "arn:aws:iam::222222222222:role/Reader",
		"cn-north-1":    "arn:aws-cn:iam::222222222222:role/Reader",
		"us-gov-west-1": "arn:aws-us-gov:iam::222222222222:role/Reader",
	} {
		if got := (Spec{Role: "Reader"}).roleIn("222222222222", region); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
	const arn = "arn:aws:iam::222222222222:role/Reader"
	if got := (Spec{Role: arn}).roleIn("222222222222", "eu-west-1"); got != arn {
		t.Errorf("an ARN became %s", got)
	}
}
