package configrules

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// script answers calls in order with JSON, or with an error whose code is given.
type script struct {
	t     *testing.T
	steps []step
}

type step struct{ operation, request, answer, code string }

func (s *script) Call(_ context.Context, operation string, in, out any) error {
	s.t.Helper()
	if len(s.steps) == 0 {
		s.t.Fatalf("%s is called, and nothing more is expected", operation)
	}
	next := s.steps[0]
	s.steps = s.steps[1:]
	body, err := json.Marshal(in)
	if err != nil || operation != next.operation || string(body) != next.request {
		s.t.Errorf("called %s %s, want %s %s", operation, body, next.operation, next.request)
	}
	if next.code != "" {
		return &smithy.GenericAPIError{Code: next.code}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal([]byte(next.answer), out)
}

func scripted(t *testing.T, steps ...step) *Service {
	s := &script{t, steps}
	t.Cleanup(func() {
		if len(s.steps) > 0 {
			t.Errorf("%d calls were not made, the first %s", len(s.steps), s.steps[0].operation)
		}
	})
	return &Service{s}
}

func TestVerdictsAreReadToTheEnd(t *testing.T) {
	const details = "GetComplianceDetailsByConfigRule"
	list, err := scripted(t,
		step{details, `{"ConfigRuleName":"x","Limit":100}`, `{"NextToken":"2","EvaluationResults":[
			{"ComplianceType":"NON_COMPLIANT","ResultRecordedTime":1772352000.5,"EvaluationResultIdentifier":{"EvaluationResultQualifier":{"ResourceId":"AWS::SSM::ManagedInstanceInventory/i-0123456789abcdef0"}}},
			{"ComplianceType":"COMPLIANT"}]}`, ""},
		step{details, `{"ConfigRuleName":"x","Limit":100,"NextToken":"2"}`, `{"EvaluationResults":[
			{"ComplianceType":"COMPLIANT","ResultRecordedTime":1772352000,"EvaluationResultIdentifier":{"EvaluationResultQualifier":{"ResourceId":"mi-0123456789abcdef0"}}}]}`, ""},
	).Verdicts(t.Context(), "x")
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	want := []Verdict{{"i-0123456789abcdef0", "NON_COMPLIANT", at.Add(500 * time.Millisecond)}, {"mi-0123456789abcdef0", "COMPLIANT", at}}
	if err != nil || len(list) != 2 || list[0] != want[0] || list[1] != want[1] {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestOnlyRulesAboutPatchingAreListed(t *testing.T) {
	list, err := scripted(t,
		step{"DescribeConfigRules", `{}`, `{"ConfigRules":[{"ConfigRuleName":"a","Source":{"SourceIdentifier":"IAM_POLICY_CHECK"}},{}],"NextToken":"2"}`, ""},
		step{"DescribeConfigRules", `{"NextToken":"2"}`, `{"ConfigRules":[{"ConfigRuleName":"b","Source":{"SourceIdentifier":"` + Identifier + `"}}]}`, ""},
	).Rules(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "b" || !list[0].Ours() {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestARuleThatIsNotThereIsNoError(t *testing.T) {
	s := scripted(t, step{"DescribeConfigRules", `{"ConfigRuleNames":["x"]}`, "", "NoSuchConfigRuleException"})
	if _, found, err := s.Find(t.Context(), "x"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestTheManagedRuleIsMade(t *testing.T) {
	const request = `{"ConfigRule":{"ConfigRuleName":"x","Description":"Managed nodes are as their patch baseline wants them.","Scope":{"ComplianceResourceTypes":["AWS::SSM::PatchCompliance"]},"Source":{"Owner":"AWS","SourceIdentifier":"EC2_MANAGEDINSTANCE_PATCH_COMPLIANCE_STATUS_CHECK"}}}`
	if err := scripted(t, step{"PutConfigRule", request, "", ""}).Put(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	err := scripted(t, step{"PutConfigRule", request, "", "NoAvailableConfigurationRecorderException"}).Put(t.Context(), "x")
	if fault.KindOf(err) != fault.Failed || !strings.Contains(err.Error(), "records nothing") {
		t.Errorf("without a recorder: %v", err)
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{"patch-compliance": true, "A_1": true, "": false, "a b": false, strings.Repeat("x", 65): false, "ä": false} {
		if (CheckName(name) == nil) != good {
			t.Errorf("%q: %v", name, CheckName(name))
		}
	}
}
