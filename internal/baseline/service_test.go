package baseline

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func newMock(t *testing.T) (*Mockapi, *Service) {
	m := NewMockapi(gomock.NewController(t))
	return m, New(m)
}

func identity(id, name, os string, def bool) types.PatchBaselineIdentity {
	return types.PatchBaselineIdentity{BaselineId: aws.String(id), BaselineName: aws.String(name), OperatingSystem: types.OperatingSystem(os), DefaultBaseline: def}
}

func lists(m *Mockapi, list ...types.PatchBaselineIdentity) {
	m.EXPECT().DescribePatchBaselines(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.DescribePatchBaselinesInput, _ ...func(*ssm.Options)) (*ssm.DescribePatchBaselinesOutput, error) {
			out := &ssm.DescribePatchBaselinesOutput{}
			for _, b := range list {
				fits := true
				for _, f := range in.Filters {
					switch aws.ToString(f.Key) {
					case "NAME_PREFIX":
						fits = fits && strings.HasPrefix(aws.ToString(b.BaselineName), f.Values[0])
					case "OPERATING_SYSTEM":
						fits = fits && string(b.OperatingSystem) == f.Values[0]
					}
				}
				if fits {
					out.BaselineIdentities = append(out.BaselineIdentities, b)
				}
			}
			return out, nil
		}).AnyTimes()
}

func TestFindTakesNoGuess(t *testing.T) {
	m, s := newMock(t)
	lists(m, identity("pb-00000000000000001", "prod", "WINDOWS", false), identity("pb-00000000000000002", "prod", "UBUNTU", false), identity("pb-00000000000000003", "prod-2", "UBUNTU", false))
	ctx := t.Context()
	for _, c := range []struct{ word, os, want string }{
		{"prod", "UBUNTU", "pb-00000000000000002"},
		{"prod-2", "", "pb-00000000000000003"},
		{"pb-0123456789abcdef0", "", "pb-0123456789abcdef0"},
		{"arn:aws:ssm:eu-west-1:1:patchbaseline/pb-0123456789abcdef0", "", "arn:aws:ssm:eu-west-1:1:patchbaseline/pb-0123456789abcdef0"},
	} {
		if got, err := s.Find(ctx, c.word, c.os); got != c.want || err != nil {
			t.Errorf("%v: %s %v", c, got, err)
		}
	}
	for _, c := range []struct{ word, os, want string }{
		{"prod", "", "2 baselines have this name: pb-00000000000000001 (WINDOWS), pb-00000000000000002 (UBUNTU)"},
		{"pro", "", "no baseline has this name"},
		{"prod-2", "WINDOWS", "the one with this name is for UBUNTU, and not for WINDOWS"},
	} {
		_, err := s.Find(ctx, c.word, c.os)
		if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != fault.NotFound {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestReadKnowsTheBaselinesOfAWSWithoutTheirARN(t *testing.T) {
	m, s := newMock(t)
	arn := "arn:aws:ssm:eu-west-1:1:patchbaseline/pb-0123456789abcdef0"
	lists(m, identity(arn, "AWS-X", "UBUNTU", true))
	m.EXPECT().GetPatchBaseline(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.GetPatchBaselineInput, _ ...func(*ssm.Options)) (*ssm.GetPatchBaselineOutput, error) {
			if aws.ToString(in.BaselineId) != arn {
				return nil, &types.DoesNotExistException{Message: aws.String("no")}
			}
			return &ssm.GetPatchBaselineOutput{BaselineId: aws.String(arn), Name: aws.String("AWS-X")}, nil
		}).AnyTimes()
	if b, err := s.Read(t.Context(), "pb-0123456789abcdef0", ""); err != nil || !b.AWS || b.Name != "AWS-X" {
		t.Errorf("%+v %v", b, err)
	}
	if _, err := s.Read(t.Context(), "pb-0123456789abcdef9", ""); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func TestUpdateSendsWhatDiffers(t *testing.T) {
	was := *with("AMAZON_LINUX_2023", "classification=Security after=7")
	was.ID, was.Description, was.Approve, was.Reject = "pb-1", "old", []string{"a"}, []string{"b"}
	b := was
	b.Reject, b.RejectAction = nil, Block
	in := updateInput(was, b, false)
	switch {
	case in.Replace != nil, in.Name != nil, in.ApprovalRules != nil, in.ApprovedPatches != nil, in.Description != nil, in.Sources != nil, in.GlobalFilters != nil, in.ApprovedPatchesEnableNonSecurity != nil:
		t.Errorf("sends what is the same: %+v", in)
	case in.RejectedPatches == nil || len(in.RejectedPatches) != 0:
		t.Error("a list that is empty now must be sent as such")
	case in.RejectedPatchesAction != types.PatchActionBlock:
		t.Error(in.RejectedPatchesAction)
	}
	b = was
	b.Rules = nil
	if in := updateInput(was, b, false); in.ApprovalRules == nil || in.ApprovalRules.PatchRules == nil || len(in.ApprovalRules.PatchRules) != 0 {
		t.Error("no rules must be sent as such")
	}
	b = was
	b.Description = ""
	if in := updateInput(was, b, false); !aws.ToBool(in.Replace) || aws.ToString(in.Name) != "test" || in.Description != nil || len(in.ApprovalRules.PatchRules) != 1 || len(in.ApprovedPatches) != 1 || len(in.RejectedPatches) != 1 {
		t.Errorf("a description is taken away by replacing all: %+v", in)
	}
}

func TestCreateSendsOneOfDelayAndDate(t *testing.T) {
	b := with("UBUNTU", "priority=Required", "priority=Optional until=2026-01-31")
	rules := createInput(*b).ApprovalRules.PatchRules
	if aws.ToInt32(rules[0].ApproveAfterDays) != 0 || rules[0].ApproveAfterDays == nil || rules[0].ApproveUntilDate != nil {
		t.Errorf("%+v", rules[0])
	}
	if rules[1].ApproveAfterDays != nil || aws.ToString(rules[1].ApproveUntilDate) != "2026-01-31" {
		t.Errorf("%+v", rules[1])
	}
	w := with("WINDOWS", "product=* after=1")
	if r := createInput(*w).ApprovalRules.PatchRules[0]; r.EnableNonSecurity != nil || r.ComplianceLevel != types.PatchComplianceLevelUnspecified {
		t.Errorf("%+v", r)
	}
}

func TestWhatComesFromTheServiceGoesBack(t *testing.T) {
	out := &ssm.GetPatchBaselineOutput{
		BaselineId: aws.String("pb-1"), Name: aws.String("x-y"), OperatingSystem: types.OperatingSystemWindows, Description: aws.String("d"),
		GlobalFilters: &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{{Key: types.PatchFilterKeyProduct, Values: []string{"WindowsServer2022"}}}},
		ApprovalRules: &types.PatchRuleGroup{PatchRules: []types.PatchRule{{
			PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{{Key: types.PatchFilterKeyMsrcSeverity, Values: []string{"Critical"}}}},
			ApproveAfterDays: aws.Int32(3), ComplianceLevel: types.PatchComplianceLevelHigh,
		}}},
		ApprovedPatches: []string{"KB1"}, RejectedPatches: []string{"KB2"}, RejectedPatchesAction: types.PatchActionBlock,
		ApprovedPatchesComplianceLevel: types.PatchComplianceLevelLow, AvailableSecurityUpdatesComplianceStatus: types.PatchComplianceStatusNonCompliant,
	}
	b := fromAPI(out)
	if problems := b.Check(false); len(problems) > 0 {
		t.Error(problems)
	}
	in := createInput(b)
	back := fromAPI(&ssm.GetPatchBaselineOutput{
		Name: in.Name, OperatingSystem: in.OperatingSystem, Description: in.Description, GlobalFilters: in.GlobalFilters, ApprovalRules: in.ApprovalRules,
		ApprovedPatches: in.ApprovedPatches, RejectedPatches: in.RejectedPatches, RejectedPatchesAction: in.RejectedPatchesAction,
		ApprovedPatchesComplianceLevel: in.ApprovedPatchesComplianceLevel, AvailableSecurityUpdatesComplianceStatus: in.AvailableSecurityUpdatesComplianceStatus,
	})
	if !Equal(b, back) {
		t.Error(strings.Join(Diff("a", "b", b, back), "\n"))
	}
}

func TestAssignment(t *testing.T) {
	m, s := newMock(t)
	def, prod := identity("arn:aws:ssm:x:1:patchbaseline/pb-0", "AWS-D", "UBUNTU", true), identity("pb-1", "prod", "UBUNTU", false)
	lists(m, def, prod)
	m.EXPECT().DescribePatchGroups(gomock.Any(), gomock.Any()).Return(&ssm.DescribePatchGroupsOutput{Mappings: []types.PatchGroupPatchBaselineMapping{{PatchGroup: aws.String("web"), BaselineIdentity: &prod}}}, nil)
	a, err := s.Assignment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		os, tag, group, want, why string
	}{
		{"UBUNTU", GroupTag, "web", "prod", "is registered with this baseline for UBUNTU"},
		{"UBUNTU", GroupTagShort, "web", "prod", `its tag "PatchGroup" says "web"`},
		{"UBUNTU", GroupTag, "Web", "AWS-D", "which no baseline knows"},
		{"UBUNTU", "other", "web", "AWS-D", `it has no tag "Patch Group" or "PatchGroup"`},
		{"DEBIAN", GroupTag, "web", "", "which is registered for UBUNTU only"},
	} {
		x := a.Of(c.os, map[string]string{c.tag: c.group})
		if x.Baseline.Name != c.want || !strings.Contains(x.Why(c.os), c.why) || x.Registered != (c.want == "prod") {
			t.Errorf("%+v: %+v: %s", c, x, x.Why(c.os))
		}
	}
}

func TestEnrichTakesTheSameVersion(t *testing.T) {
	m, s := newMock(t)
	m.EXPECT().DescribePatchProperties(gomock.Any(), gomock.Any()).Return(&ssm.DescribePatchPropertiesOutput{Properties: []map[string]string{{"Name": "RedhatEnterpriseLinux9"}}}, nil).AnyTimes()
	m.EXPECT().DescribeAvailablePatches(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.DescribeAvailablePatchesInput, _ ...func(*ssm.Options)) (*ssm.DescribeAvailablePatchesOutput, error) {
			asked := map[string][]string{}
			for _, f := range in.Filters {
				asked[aws.ToString(f.Key)] = f.Values
			}
			if strings.Join(asked["PRODUCT"], "") != "RedhatEnterpriseLinux9" || strings.Join(asked["NAME"], ",") != "curl,less" {
				t.Errorf("%v", asked)
			}
			patch := func(name, version string, day int) types.Patch {
				return types.Patch{
					Name: aws.String(name), Arch: aws.String("x86_64"), Version: aws.String(version), Release: aws.String("1"), Classification: aws.String("Security"),
					Product: aws.String("RedhatEnterpriseLinux9"), ReleaseDate: aws.Time(now.AddDate(0, 0, -day)),
				}
			}
			return &ssm.DescribeAvailablePatchesOutput{Patches: []types.Patch{patch("curl", "8", 1), patch("curl", "7", 20)}}, nil
		})
	list := []Patch{FromScan("curl.x86_64", "curl.x86_64:0:7-1", "", "Important", []string{"CVE-2026-9999"}), FromScan("less.x86_64", "less.x86_64:0:1-1", "", "", nil)}
	if err := s.Enrich(t.Context(), "REDHAT_ENTERPRISE_LINUX", "RedhatEnterpriseLinux9.4", list); err != nil {
		t.Fatal(err)
	}
	got := list[0]
	if got.Partial || !got.Released.Equal(now.AddDate(0, 0, -20)) || got.Classification != "Security" || got.Severity != "Important" || got.Product != "RedhatEnterpriseLinux9.4" || len(got.CVEs) != 1 {
		t.Errorf("%+v", got)
	}
	if !list[1].Partial || list[1].Product != "RedhatEnterpriseLinux9.4" {
		t.Errorf("what the catalogue does not have stays: %+v", list[1])
	}
}

// Names are written in several forms: KB numbers with KB and without, packages with
// their architecture and without, the product of Amazon Linux 2 with .0 and without.
func TestEnrichKnowsTheFormsOfNames(t *testing.T) {
	for name, c := range map[string]struct {
		os, product, listed string
		scan                Patch
		told                types.Patch
	}{
		"a KB number":      {"WINDOWS", "WindowsServer2022", "WindowsServer2022", FromScan("KB5034123", "Update", "", "", nil), types.Patch{KbNumber: aws.String("5034123")}},
		"Debian's kin":     {"UBUNTU", "Ubuntu24.04", "Ubuntu24.04", FromScan("curl", "curl:0:8-1", "", "", nil), types.Patch{Name: aws.String("curl"), Arch: aws.String("amd64"), Version: aws.String("8"), Release: aws.String("1")}},
		"Amazon Linux 2.0": {"AMAZON_LINUX_2", "AmazonLinux2", "AmazonLinux2.0", FromScan("a.noarch", "a.noarch:0:1-1", "", "", nil), types.Patch{Name: aws.String("a"), Arch: aws.String("noarch"), Version: aws.String("1"), Release: aws.String("1")}},
	} {
		t.Run(name, func(t *testing.T) {
			m, s := newMock(t)
			m.EXPECT().DescribePatchProperties(gomock.Any(), gomock.Any()).Return(&ssm.DescribePatchPropertiesOutput{Properties: []map[string]string{{"Name": c.listed}}}, nil).AnyTimes()
			m.EXPECT().DescribeAvailablePatches(gomock.Any(), gomock.Any()).DoAndReturn(
				func(_ context.Context, in *ssm.DescribeAvailablePatchesInput, _ ...func(*ssm.Options)) (*ssm.DescribeAvailablePatchesOutput, error) {
					for _, f := range in.Filters {
						if aws.ToString(f.Key) == "PRODUCT" && f.Values[0] != c.listed {
							return &ssm.DescribeAvailablePatchesOutput{}, nil
						}
					}
					c.told.ReleaseDate = aws.Time(now)
					return &ssm.DescribeAvailablePatchesOutput{Patches: []types.Patch{c.told}}, nil
				})
			list := []Patch{c.scan}
			if err := s.Enrich(t.Context(), c.os, c.product, list); err != nil || !list[0].Released.Equal(now) || list[0].ID != c.scan.ID {
				t.Errorf("%+v, %v", list[0], err)
			}
		})
	}
}
