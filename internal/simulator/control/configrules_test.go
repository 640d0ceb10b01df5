package control

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// other calls a service of JSON 1.1 that is not Systems Manager.
func (f *fixture) other(target, service, body string) answer {
	f.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	sign(r, body, service, f.creds, f.world.Clock().Real())
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	a, err := readAnswer(rec)
	if err != nil {
		f.t.Fatalf("%s: %v", target, err)
	}
	return a
}

const patchedFleet = `
nodes:
  - {id: i-00000000000000001, patch: {missing: 2, ended: 1h}}
  - {id: i-00000000000000002, patch: {installed: 9, ended: 1h}}
  - {id: i-00000000000000003, patch: {never: true}}
`

func TestARuleFollowsTheStateOfPatching(t *testing.T) {
	f := newFixture(t, patchedFleet, nil)
	config := func(op, body string) answer { t.Helper(); return f.other(configTarget+"."+op, configService, body) }
	rule := `{"ConfigRule":{"ConfigRuleName":"p","Source":{"Owner":"AWS","SourceIdentifier":"` + patchRule + `"}}}`
	if a := config("DescribeComplianceByConfigRule", `{"ConfigRuleNames":["p"]}`); a.code != "NoSuchConfigRuleException" {
		t.Errorf("before: %v", a.body)
	}
	if a := config("PutConfigRule", rule); a.code != "" {
		t.Fatal(a.body)
	}
	first := config("DescribeConfigRules", `{}`).body["ConfigRules"].([]any)[0].(map[string]any)
	if a := config("PutConfigRule", rule); a.code != "" {
		t.Fatal(a.body)
	}
	again := config("DescribeConfigRules", `{}`).body["ConfigRules"].([]any)
	if len(again) != 1 || again[0].(map[string]any)["ConfigRuleArn"] != first["ConfigRuleArn"] {
		t.Errorf("made twice it is %v", again)
	}
	all := config("GetComplianceDetailsByConfigRule", `{"ConfigRuleName":"p"}`).body["EvaluationResults"].([]any)
	got := map[string]any{}
	for _, e := range all {
		r := e.(map[string]any)
		got[r["EvaluationResultIdentifier"].(map[string]any)["EvaluationResultQualifier"].(map[string]any)["ResourceId"].(string)] = r["ComplianceType"]
		if _, isNumber := r["ResultRecordedTime"].(json.Number); !isNumber {
			t.Errorf("a time is %T on the wire", r["ResultRecordedTime"])
		}
	}
	const prefix = "AWS::SSM::ManagedInstanceInventory/i-0000000000000000"
	if len(got) != 2 || got[prefix+"1"] != configBad || got[prefix+"2"] != configGood {
		t.Errorf("verdicts %v: a node that was never scanned has none", got)
	}
	paged := config("GetComplianceDetailsByConfigRule", `{"ConfigRuleName":"p","Limit":1}`)
	if len(paged.body["EvaluationResults"].([]any)) != 1 || paged.body["NextToken"] == nil {
		t.Errorf("a page of one: %v", paged.body)
	}
	if a := config("DeleteConfigRule", `{"ConfigRuleName":"p"}`); a.code != "" {
		t.Error(a.body)
	}
	if a := config("DeleteConfigRule", `{"ConfigRuleName":"p"}`); a.code != "NoSuchConfigRuleException" {
		t.Error(a.body)
	}
	for _, bad := range []string{
		`{"ConfigRule":{"ConfigRuleName":"p","Source":{"Owner":"AWS"}}}`,
		`{"ConfigRule":{"ConfigRuleName":" ","Source":{"Owner":"AWS","SourceIdentifier":"X"}}}`,
		`{"ConfigRule":{"ConfigRuleName":"p","MaximumExecutionFrequency":"One_Hour","Source":{"Owner":"AWS","SourceIdentifier":"` + patchRule + `"}}}`,
	} {
		if a := config("PutConfigRule", bad); a.code != "InvalidParameterValueException" {
			t.Errorf("%s: %v", bad, a.body)
		}
	}
}

func TestRulesOfEventBridge(t *testing.T) {
	f := newFixture(t, "", nil)
	events := func(op, body string) answer { t.Helper(); return f.other(eventsTarget+"."+op, eventsService, body) }
	tests := []struct{ name, op, body, code string }{
		{"a target of no rule", "PutTargets", `{"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sns:us-east-1:123456789012:t"}]}`, "ResourceNotFoundException"},
		{"a rule that waits for nothing", "PutRule", `{"Name":"r"}`, "ValidationException"},
		{"a pattern that is no JSON", "PutRule", `{"Name":"r","EventPattern":"{"}`, "InvalidEventPatternException"},
		{"a pattern without lists", "PutRule", `{"Name":"r","EventPattern":"{\"source\":\"aws.ssm\"}"}`, "InvalidEventPatternException"},
		{"a name with a space", "PutRule", `{"Name":"a b","EventPattern":"{\"source\":[\"aws.ssm\"]}"}`, "ValidationException"},
		{"another bus", "PutRule", `{"Name":"r","EventBusName":"x","EventPattern":"{\"source\":[\"aws.ssm\"]}"}`, "ResourceNotFoundException"},
		{"a rule", "PutRule", `{"Name":"r","EventPattern":"{\"source\":[\"aws.ssm\"]}"}`, ""},
		{"no ARN", "PutTargets", `{"Rule":"r","Targets":[{"Id":"1","Arn":"t"}]}`, "ValidationException"},
		{"a target", "PutTargets", `{"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sns:us-east-1:123456789012:t"}]}`, ""},
		{"more than five", "PutTargets", `{"Rule":"r","Targets":[{"Id":"2","Arn":"arn:aws:a"},{"Id":"3","Arn":"arn:aws:a"},{"Id":"4","Arn":"arn:aws:a"},{"Id":"5","Arn":"arn:aws:a"},{"Id":"6","Arn":"arn:aws:a"}]}`, "LimitExceededException"},
		{"a rule with targets is not deleted", "DeleteRule", `{"Name":"r"}`, "ValidationException"},
		{"its target is taken away", "RemoveTargets", `{"Rule":"r","Ids":["1"]}`, ""},
		{"it is deleted", "DeleteRule", `{"Name":"r"}`, ""},
		{"and once more", "DeleteRule", `{"Name":"r"}`, ""},
		{"it is gone", "DescribeRule", `{"Name":"r"}`, "ResourceNotFoundException"},
	}
	for _, tt := range tests {
		if a := events(tt.op, tt.body); a.code != tt.code {
			t.Errorf("%s: %v", tt.name, a.body)
		}
	}
}
