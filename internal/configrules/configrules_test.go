package configrules

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

var recorded = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func result(id string, verdict types.ComplianceType) types.EvaluationResult {
	return types.EvaluationResult{
		ComplianceType: verdict, ResultRecordedTime: aws.Time(recorded),
		EvaluationResultIdentifier: &types.EvaluationResultIdentifier{EvaluationResultQualifier: &types.EvaluationResultQualifier{ResourceId: aws.String(id)}},
	}
}

func TestVerdictsAreReadToTheEnd(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	var tokens []string
	m.EXPECT().GetComplianceDetailsByConfigRule(gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *configservice.GetComplianceDetailsByConfigRuleInput, _ ...func(*configservice.Options)) (*configservice.GetComplianceDetailsByConfigRuleOutput, error) {
			if in.Limit != detailsPage { // without it a page has ten
				t.Errorf("a page of %d", in.Limit)
			}
			tokens = append(tokens, aws.ToString(in.NextToken))
			if in.NextToken == nil {
				return &configservice.GetComplianceDetailsByConfigRuleOutput{NextToken: aws.String("2"), EvaluationResults: []types.EvaluationResult{
					result("AWS::SSM::ManagedInstanceInventory/i-0123456789abcdef0", types.ComplianceTypeNonCompliant), {ComplianceType: types.ComplianceTypeCompliant},
				}}, nil
			}
			return &configservice.GetComplianceDetailsByConfigRuleOutput{EvaluationResults: []types.EvaluationResult{result("mi-0123456789abcdef0", types.ComplianceTypeCompliant)}}, nil
		})
	list, err := (&Service{m}).Verdicts(t.Context(), "x")
	want := []Verdict{{"i-0123456789abcdef0", "NON_COMPLIANT", recorded}, {"mi-0123456789abcdef0", "COMPLIANT", recorded}}
	if err != nil || len(list) != 2 || list[0] != want[0] || list[1] != want[1] || strings.Join(tokens, ",") != ",2" {
		t.Errorf("got %+v, %v, tokens %q", list, err, tokens)
	}
}

func TestOnlyRulesAboutPatchingAreListed(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	rule := func(name, source string) types.ConfigRule {
		return types.ConfigRule{ConfigRuleName: aws.String(name), Source: &types.Source{SourceIdentifier: aws.String(source)}}
	}
	gomock.InOrder(
		m.EXPECT().DescribeConfigRules(gomock.Any(), gomock.Any()).Return(&configservice.DescribeConfigRulesOutput{ConfigRules: []types.ConfigRule{rule("a", "IAM_POLICY_CHECK"), {}}, NextToken: aws.String("2")}, nil),
		m.EXPECT().DescribeConfigRules(gomock.Any(), gomock.Any()).Return(&configservice.DescribeConfigRulesOutput{ConfigRules: []types.ConfigRule{rule("b", Identifier)}}, nil),
	)
	list, err := (&Service{m}).Rules(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "b" || !list[0].Ours() {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestARuleThatIsNotThereIsNoError(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().DescribeConfigRules(gomock.Any(), gomock.Any()).Return(nil, &types.NoSuchConfigRuleException{})
	if _, found, err := (&Service{m}).Find(t.Context(), "x"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestWithoutARecorderTheHintSaysWhatIsMissing(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().PutConfigRule(gomock.Any(), gomock.Any()).Return(nil, &types.NoAvailableConfigurationRecorderException{})
	err := (&Service{m}).Put(t.Context(), "x")
	if fault.KindOf(err) != fault.Failed || !strings.Contains(err.Error(), "records nothing") {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{"patch-compliance": true, "A_1": true, "": false, "a b": false, strings.Repeat("x", 65): false, "ä": false} {
		if (CheckName(name) == nil) != good {
			t.Errorf("%q: %v", name, CheckName(name))
		}
	}
}
