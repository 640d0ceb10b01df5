package control

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

const three = `
run_command: {visible_after: 0s}
nodes:
  - {id: i-00000000000000001, name: web, agent_version: 3.3.100.0, tags: {env: prod, role: web}}
  - {id: i-00000000000000002, name: win, platform: windows, agent_version: 3.2.50.0, tags: {env: prod}}
  - {id: i-00000000000000003, name: gone, ping: lost, last_ping: 2h, tags: {env: dev}}
  - {id: mi-00000000000000004, name: shed, iam_role: Shed, agent_version: 3.3.100.0}
`

// tails shortens node ids to their last digit.
func tails(ids string) string {
	var out []string
	for id := range strings.FieldsSeq(ids) {
		out = append(out, id[len(id)-1:])
	}
	return strings.Join(out, " ")
}

func TestDescribeInstanceInformationFilters(t *testing.T) {
	f := newFixture(t, three, nil)
	tests := []struct{ name, body, want, code string }{
		{"all", `{}`, "1 2 3 4", ""},
		{"old style ping", `{"InstanceInformationFilterList":[{"key":"PingStatus","valueSet":["Online"]}]}`, "1 2 4", ""},
		{"old style ids", `{"InstanceInformationFilterList":[{"key":"InstanceIds","valueSet":["i-00000000000000002","i-00000000000000009"]}]}`, "2", ""},
		{"a tag", `{"Filters":[{"Key":"tag:env","Values":["prod"]}]}`, "1 2", ""},
		{"a tag key", `{"Filters":[{"Key":"tag-key","Values":["role"]}]}`, "1", ""},
		{"platform and resource type", `{"Filters":[{"Key":"PlatformTypes","Values":["Linux"]},{"Key":"ResourceType","Values":["EC2Instance"]}]}`, "1 3", ""},
		{"agent version", `{"Filters":[{"Key":"AgentVersion","Values":["3.2.50.0"]}]}`, "2", ""},
		{"a tag with something else", `{"Filters":[{"Key":"tag:env","Values":["prod"]},{"Key":"PingStatus","Values":["Online"]}]}`, "", "InvalidInstanceInformationFilterValue"},
		{"a value that is none", `{"Filters":[{"Key":"PingStatus","Values":["online"]}]}`, "", "InvalidInstanceInformationFilterValue"},
		{"an unknown key", `{"Filters":[{"Key":"Colour","Values":["red"]}]}`, "", "InvalidFilterKey"},
		{"an unknown key, old style", `{"InstanceInformationFilterList":[{"key":"Colour","valueSet":["red"]}]}`, "", "ValidationException"},
		{"both styles", `{"Filters":[{"Key":"PingStatus","Values":["Online"]}],"InstanceInformationFilterList":[{"key":"PingStatus","valueSet":["Online"]}]}`, "", "ValidationException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, code := f.ssm("DescribeInstanceInformation", tt.body)
			if got := tails(column(answer["InstanceInformationList"], "InstanceId")); code != tt.code || got != tt.want {
				t.Errorf("got %q, %v", got, answer)
			}
		})
	}
}

func TestDescribeInstanceInformationItem(t *testing.T) {
	f := newFixture(t, three, nil)
	list := f.must("DescribeInstanceInformation", `{}`)["InstanceInformationList"]
	for path, want := range map[string]any{"PingStatus": "ConnectionLost", "PlatformType": "Linux", "IsLatestVersion": true, "ResourceType": "EC2Instance", "Name": nil, "IamRole": nil} {
		if got := at(list, 2, path); got != want {
			t.Errorf("%s of an EC2 node: %v, want %v", path, got, want)
		}
	}
	for path, want := range map[string]any{"Name": "shed", "IamRole": "Shed", "ResourceType": "ManagedInstance", "SourceType": "AWS::SSM::ManagedInstance", "IsLatestVersion": false} {
		if got := at(list, 3, path); got != want {
			t.Errorf("%s of a hybrid node: %v, want %v", path, got, want)
		}
	}
	if ping, ok := at(list, 2, "LastPingDateTime").(float64); !ok || time.Since(time.UnixMilli(int64(ping*1000))) < 2*time.Hour {
		t.Errorf("last ping %v", at(list, 2, "LastPingDateTime"))
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	f := newFixture(t, "demo", nil)
	for op, list := range map[string]string{"DescribeInstanceInformation": "InstanceInformationList", "DescribeInstanceProperties": "InstanceProperties"} {
		var ids []string
		token, pages := "", 0
		for {
			body := `{"MaxResults":5}`
			if token != "" {
				body = `{"MaxResults":5,"NextToken":"` + token + `"}`
			}
			answer := f.must(op, body)
			ids = append(ids, strings.Fields(column(answer[list], "InstanceId"))...)
			pages++
			if token, _ = answer["NextToken"].(string); token == "" {
				break
			}
		}
		seen := map[string]bool{}
		for _, id := range ids {
			seen[id] = true
		}
		if pages != 3 || len(ids) != 13 || len(seen) != 13 {
			t.Errorf("%s: %d ids, %d different, on %d pages", op, len(ids), len(seen), pages)
		}
	}
	if got := column(f.must("DescribeInstanceInformation", "{}")["InstanceInformationList"], "InstanceId"); len(strings.Fields(got)) != 10 {
		t.Errorf("a page without a size has %q", got)
	}
}

func TestDescribeInstancePropertiesFilters(t *testing.T) {
	f := newFixture(t, three, nil)
	tests := []struct{ name, body, want, code string }{
		{"all", `{}`, "1 2 3 4", ""},
		{"lower-case names", `{"InstancePropertyFilterList":[{"key":"PingStatus","valueSet":["ConnectionLost"]}]}`, "3", ""},
		{"agents older than", `{"FiltersWithOperator":[{"Key":"AgentVersion","Values":["3.3.100.0"],"Operator":"LessThan"}]}`, "2", ""},
		{"not equal", `{"FiltersWithOperator":[{"Key":"PlatformTypes","Values":["Linux"],"Operator":"NotEqual"}]}`, "2", ""},
		{"a tag", `{"FiltersWithOperator":[{"Key":"tag:Name","Values":["web"],"Operator":"Equal"}]}`, "1", ""},
		{"begins with", `{"FiltersWithOperator":[{"Key":"InstanceIds","Values":["mi-"],"Operator":"BeginWith"}]}`, "4", ""},
		{"a bad value", `{"InstancePropertyFilterList":[{"key":"PlatformTypes","valueSet":["Amiga"]}]}`, "", "InvalidInstancePropertyFilterValue"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, code := f.ssm("DescribeInstanceProperties", tt.body)
			if got := tails(column(answer["InstanceProperties"], "InstanceId")); code != tt.code || got != tt.want {
				t.Errorf("got %q, %v", got, answer)
			}
		})
	}
	if got := column(f.must("DescribeInstanceProperties", "{}")["InstanceProperties"], "Name"); got != "web win gone shed" {
		t.Errorf("names %q", got)
	}
}

func TestGetConnectionStatus(t *testing.T) {
	f := newFixture(t, three, nil)
	for id, want := range map[string]string{"i-00000000000000001": "connected", "i-00000000000000003": "notconnected", "i-0unknown": "notconnected"} {
		if got := f.must("GetConnectionStatus", `{"Target":"`+id+`"}`); got["Status"] != want || got["Target"] != id {
			t.Errorf("%s: %v", id, got)
		}
	}
}

func TestSessionLife(t *testing.T) {
	f := newFixture(t, three, nil)
	start := f.must("StartSession", `{"Target":"i-00000000000000001","Reason":"look"}`)
	id, _ := start["SessionId"].(string)
	if !strings.HasPrefix(id, "tester-") || len(id) != len("tester-")+26 || start["TokenValue"] != "token" || !strings.Contains(fmt.Sprint(start["StreamUrl"]), id) {
		t.Errorf("started %v", start)
	}
	spec := f.gate.opened[0]
	if spec.SessionType != "Standard_Stream" || spec.DocumentName != world.PreferencesDocument || spec.IdleTimeout != 20*time.Minute || spec.Properties != nil {
		t.Errorf("spec %+v", spec)
	}
	active := f.must("DescribeSessions", `{"State":"Active"}`)
	if at(active, "Sessions", 0, "Status") != "Connected" || at(active, "Sessions", 0, "Reason") != "look" || at(active, "Sessions", 0, "Owner") != "arn:aws:iam::123456789012:user/tester" {
		t.Errorf("active %v", active)
	}
	if got := f.must("ResumeSession", `{"SessionId":"`+id+`"}`); got["TokenValue"] != "token-2" {
		t.Errorf("resumed %v", got)
	}
	for range 2 { // it is idempotent
		if got := f.must("TerminateSession", `{"SessionId":"`+id+`"}`); got["SessionId"] != id {
			t.Errorf("terminated %v", got)
		}
	}
	if _, code := f.ssm("ResumeSession", `{"SessionId":"`+id+`"}`); code != "DoesNotExistException" {
		t.Errorf("resume after the end: %q", code)
	}
	history := f.must("DescribeSessions", `{"State":"History"}`)
	if at(history, "Sessions", 0, "Status") != "Terminated" || at(history, "Sessions", 0, "EndDate") == nil {
		t.Errorf("history %v", history)
	}
	if got := f.must("DescribeSessions", `{"State":"Active"}`); column(got["Sessions"], "SessionId") != "" {
		t.Errorf("still active: %v", got)
	}
}

func TestDescribeSessionsFilters(t *testing.T) {
	f := newFixture(t, three, func() time.Time { return noon })
	f.must("StartSession", `{"Target":"i-00000000000000001"}`)
	f.must("StartSession", `{"Target":"i-00000000000000002"}`)
	for filter, want := range map[string]string{
		`"Target","value":"i-00000000000000002"`:         "2",
		`"Owner","value":"arn:aws:iam::1:user/x"`:        "",
		`"Status","value":"Connected"`:                   "1 2",
		`"InvokedAfter","value":"2026-03-01T12:00:01Z"`:  "",
		`"InvokedBefore","value":"2026-03-01T12:00:01Z"`: "1 2",
		`"AccessType","value":"Standard"`:                "1 2",
		`"AccessType","value":"JustInTime"`:              "",
	} {
		got := f.must("DescribeSessions", `{"State":"Active","Filters":[{"key":`+filter+`}]}`)
		ids := strings.Fields(tails(column(got["Sessions"], "Target")))
		if len(ids) == 2 && ids[0] > ids[1] {
			ids[0], ids[1] = ids[1], ids[0]
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%s: got %v", filter, ids)
		}
	}
	if _, code := f.ssm("DescribeSessions", `{"State":"Active","Filters":[{"key":"InvokedAfter","value":"yesterday"}]}`); code != "ValidationException" {
		t.Errorf("a date that is none: %q", code)
	}
}

func TestStartSessionRefusals(t *testing.T) {
	f := newFixture(t, three, nil)
	tests := []struct{ name, body, code string }{
		{"a lost node", `{"Target":"i-00000000000000003"}`, "TargetNotConnected"},
		{"an unknown node", `{"Target":"i-00000000000000009"}`, "TargetNotConnected"},
		{"an unknown document", `{"Target":"i-00000000000000001","DocumentName":"Nope"}`, "InvalidDocument"},
		{"a Command document", `{"Target":"i-00000000000000001","DocumentName":"AWS-RunShellScript"}`, "InvalidDocument"},
		{"a bad port", `{"Target":"i-00000000000000001","DocumentName":"AWS-StartPortForwardingSession","Parameters":{"portNumber":["0"]}}`, "InvalidParameters"},
		{"no host", `{"Target":"i-00000000000000001","DocumentName":"AWS-StartPortForwardingSessionToRemoteHost"}`, "InvalidParameters"},
		{"no command", `{"Target":"i-00000000000000001","DocumentName":"AWS-StartNonInteractiveCommand"}`, "InvalidParameters"},
		{"a reason too long", `{"Target":"i-00000000000000001","Reason":"` + strings.Repeat("x", 257) + `"}`, "ValidationException"},
	}
	for _, tt := range tests {
		if answer, code := f.ssm("StartSession", tt.body); code != tt.code {
			t.Errorf("%s: got %v", tt.name, answer)
		}
	}
	if len(f.gate.opened) != 0 {
		t.Errorf("%d sessions were opened", len(f.gate.opened))
	}
}

func TestSessionSpecOfDocuments(t *testing.T) {
	const prefs = three + `
keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/sessions}]
session_preferences: {idle_timeout: 5m, max_duration: 60m, kms_key: alias/sessions, run_as: ops, shell_profile_linux: cd /}
`
	f := newFixture(t, prefs, nil)
	f.must("CreateDocument", `{"Name":"Mine","DocumentType":"Session","Content":"{\"schemaVersion\":\"1.0\",\"sessionType\":\"NonInteractiveCommands\",\"inputs\":{\"idleSessionTimeout\":\"7\"},\"parameters\":{\"command\":{\"type\":\"String\"}},\"properties\":{\"linux\":{\"commands\":\"{{ command }}\",\"separateOutputStream\":\"true\"}}}"}`)
	start := func(document, parameters string) world.SessionSpec {
		t.Helper()
		f.must("StartSession", `{"Target":"i-00000000000000001","DocumentName":"`+document+`","Parameters":`+parameters+`}`)
		return f.gate.opened[len(f.gate.opened)-1]
	}
	key := "arn:aws:kms:us-east-1:123456789012:key/7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11"
	s := start("AWS-StartInteractiveCommand", `{"command":["top \"x\""]}`)
	if s.KMSKeyID != key || s.IdleTimeout != 5*time.Minute || s.MaxDuration != time.Hour || s.RunAsUser != "ops" || s.ShellProfile != "cd /" {
		t.Errorf("with the preferences: %+v", s)
	}
	var props struct{ Linux struct{ Commands string } }
	if err := json.Unmarshal(s.Properties, &props); err != nil || props.Linux.Commands != `top "x"` {
		t.Errorf("properties %s, %v", s.Properties, err)
	}
	s = start("AWS-StartPortForwardingSession", `{"portNumber":["8080"]}`)
	if s.KMSKeyID != "" || s.SessionType != "Port" || s.Parameters["localPortNumber"][0] != "0" {
		t.Errorf("a port session: %+v", s)
	}
	s = start("Mine", `{"command":["id"]}`)
	if s.IdleTimeout != 7*time.Minute || s.KMSKeyID != "" || !strings.Contains(string(s.Properties), `"commands":"id"`) {
		t.Errorf("a document with its own inputs: %+v", s)
	}
}

// run sends a command in a bubble and waits until it has ended.
func run(f *fixture, body string) string {
	f.t.Helper()
	id, _ := at(f.must("SendCommand", body), "Command", "CommandId").(string)
	synctest.Wait()
	return id
}

func TestRunCommandOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, three, nil)
		sent := f.must("SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"Parameters":{"commands":["id"]},"Comment":"hi","TimeoutSeconds":60}`)
		for path, want := range map[string]any{"Status": "Pending", "TargetCount": 1.0, "MaxConcurrency": "50", "MaxErrors": "0", "TimeoutSeconds": 60.0, "DocumentVersion": "$DEFAULT", "Comment": "hi"} {
			if got := at(sent, "Command", path); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
		expires, _ := at(sent, "Command", "ExpiresAfter").(float64)
		requested, _ := at(sent, "Command", "RequestedDateTime").(float64)
		if d := expires - requested; d < 3659 || d > 3661 {
			t.Errorf("it expires after %v s", d)
		}
		synctest.Wait()
		id := fmt.Sprint(at(sent, "Command", "CommandId"))
		got := f.must("GetCommandInvocation", `{"CommandId":"`+id+`","InstanceId":"i-00000000000000001"}`)
		for path, want := range map[string]any{"Status": "Success", "StatusDetails": "Success", "ResponseCode": 0.0, "StandardOutputContent": "ran id\n", "StandardErrorContent": "", "PluginName": "aws:runShellScript", "ExecutionElapsedTime": "PT0S"} {
			if got[path] != want {
				t.Errorf("%s is %v, want %v", path, got[path], want)
			}
		}
		list := f.must("ListCommandInvocations", `{"CommandId":"`+id+`","Details":true}`)
		if at(list, "CommandInvocations", 0, "CommandPlugins", 0, "Output") != "ran id\n" || at(list, "CommandInvocations", 0, "CommandPlugins", 0, "ResponseFinishDateTime") == nil {
			t.Errorf("details %v", list)
		}
		if plain := f.must("ListCommandInvocations", `{"CommandId":"`+id+`"}`); len(at(plain, "CommandInvocations", 0, "CommandPlugins").([]any)) != 0 {
			t.Errorf("without details %v", plain)
		}
		commands := f.must("ListCommands", `{"CommandId":"`+id+`"}`)
		if at(commands, "Commands", 0, "CompletedCount") != 1.0 || at(commands, "Commands", 0, "Status") != "Success" {
			t.Errorf("commands %v", commands)
		}
	})
}

func TestFailedInvocationOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, three, nil)
		id := run(f, `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"Parameters":{"commands":["fail"]}}`)
		got := f.must("GetCommandInvocation", `{"CommandId":"`+id+`","InstanceId":"i-00000000000000001"}`)
		if got["ResponseCode"] != 2.0 || got["Status"] != "Failed" || got["StandardErrorContent"] != "bad\nfailed to run commands: exit status 2" {
			t.Errorf("got %v", got)
		}
		list := f.must("ListCommandInvocations", `{"CommandId":"`+id+`","Details":true}`)
		if out := at(list, "CommandInvocations", 0, "CommandPlugins", 0, "Output"); out != "\n----------ERROR-------\nbad\nfailed to run commands: exit status 2" {
			t.Errorf("output %q", out)
		}
	})
}

func TestOutputLimitsOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, three, nil)
		id := run(f, `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"Parameters":{"commands":["flood"]}}`)
		got := f.must("GetCommandInvocation", `{"CommandId":"`+id+`","InstanceId":"i-00000000000000001"}`)
		if out := fmt.Sprint(got["StandardOutputContent"]); len(out) != 24000 || !strings.HasSuffix(out, "--output truncated--") {
			t.Errorf("%d characters", len(out))
		}
		list := f.must("ListCommandInvocations", `{"CommandId":"`+id+`","Details":true}`)
		if out := fmt.Sprint(at(list, "CommandInvocations", 0, "CommandPlugins", 0, "Output")); len(out) != 2500 || !strings.HasSuffix(out, "---Output truncated---") {
			t.Errorf("%d characters", len(out))
		}
	})
}

func TestCommandErrorsOnTheWire(t *testing.T) {
	f := newFixture(t, three, nil)
	const none = "00000000-0000-4000-8000-000000000000"
	tests := []struct{ name, op, body, code string }{
		{"neither ids nor targets", "SendCommand", `{"DocumentName":"AWS-RunShellScript"}`, "ValidationException"},
		{"both", "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"Targets":[{"Key":"tag:a","Values":["b"]}]}`, "ValidationException"},
		{"six targets", "SendCommand", `{"DocumentName":"AWS-RunShellScript","Targets":[` + strings.TrimSuffix(strings.Repeat(`{"Key":"tag:a","Values":["b"]},`, 6), ",") + `]}`, "ValidationException"},
		{"a delivery timeout below 30", "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"TimeoutSeconds":29}`, "ValidationException"},
		{"a concurrency of 0", "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"MaxConcurrency":"0"}`, "ValidationException"},
		{"a comment of 101", "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"Comment":"` + strings.Repeat("x", 101) + `"}`, "ValidationException"},
		{"a malformed id", "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["web-1"]}`, "ValidationException"},
		{"a lost node", "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000003"],"Parameters":{"commands":["id"]}}`, "InvalidInstanceId"},
		{"an invocation that is not there", "GetCommandInvocation", `{"CommandId":"` + none + `","InstanceId":"i-00000000000000001"}`, "InvocationDoesNotExist"},
		{"a short command id", "GetCommandInvocation", `{"CommandId":"x","InstanceId":"i-00000000000000001"}`, "ValidationException"},
		{"cancelling what is not there", "CancelCommand", `{"CommandId":"` + none + `"}`, "InvalidCommandId"},
		{"51 a page", "ListCommands", `{"MaxResults":51}`, "ValidationException"},
	}
	for _, tt := range tests {
		if answer, code := f.ssm(tt.op, tt.body); code != tt.code {
			t.Errorf("%s: got %v", tt.name, answer)
		}
	}
	if got := f.must("ListCommandInvocations", `{"CommandId":"`+none+`"}`); len(got["CommandInvocations"].([]any)) != 0 {
		t.Errorf("invocations of an unknown command: %v", got)
	}
}

func TestListCommandsFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, three, nil)
		run(f, `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"Parameters":{"commands":["id"]}}`)
		run(f, `{"DocumentName":"AWS-RunPowerShellScript","InstanceIds":["i-00000000000000002"],"Parameters":{"commands":["fail"]}}`)
		for body, want := range map[string]string{
			`{}`:                                   "AWS-RunPowerShellScript AWS-RunShellScript", // the latest first
			`{"InstanceId":"i-00000000000000001"}`: "AWS-RunShellScript",
			`{"Filters":[{"key":"Status","value":"Failed"}]}`:                     "AWS-RunPowerShellScript",
			`{"Filters":[{"key":"ExecutionStage","value":"Executing"}]}`:          "",
			`{"Filters":[{"key":"ExecutionStage","value":"Complete"}]}`:           "AWS-RunPowerShellScript AWS-RunShellScript",
			`{"Filters":[{"key":"DocumentName","value":"AWS-RunShellScript"}]}`:   "AWS-RunShellScript",
			`{"Filters":[{"key":"InvokedAfter","value":"2999-01-01T00:00:00Z"}]}`: "",
			`{"MaxResults":1}`: "AWS-RunPowerShellScript",
		} {
			if got := column(f.must("ListCommands", body)["Commands"], "DocumentName"); got != want {
				t.Errorf("%s: got %q", body, got)
			}
		}
	})
}

func TestDocumentsOnTheWire(t *testing.T) {
	f := newFixture(t, "demo", nil)
	doc := f.must("DescribeDocument", `{"Name":"AWS-RunShellScript"}`)
	if got := column(at(doc, "Document", "Parameters"), "Name"); got != "commands workingDirectory executionTimeout" {
		t.Errorf("parameters %q", got)
	}
	for path, want := range map[string]any{"Owner": "Amazon", "DocumentType": "Command", "SchemaVersion": "1.2", "DefaultVersion": "1", "Status": "Active", "HashType": "Sha256"} {
		if got := at(doc, "Document", path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	text := f.must("GetDocument", `{"Name":"Shop-RestartService"}`)
	if !json.Valid([]byte(fmt.Sprint(text["Content"]))) || text["DocumentFormat"] != "JSON" {
		t.Errorf("a YAML document as JSON: %v", text)
	}
	if yaml := f.must("GetDocument", `{"Name":"Shop-RestartService","DocumentFormat":"YAML"}`); !strings.HasPrefix(fmt.Sprint(yaml["Content"]), "schemaVersion:") {
		t.Errorf("as YAML: %v", yaml)
	}
	for body, want := range map[string]string{
		`{"Filters":[{"Key":"Owner","Values":["Self"]}]}`:                                                      "SSM-SessionManagerRunShell Shop-RestartService",
		`{"Filters":[{"Key":"DocumentType","Values":["Session"]},{"Key":"Name","Values":["AWS-StartSSH"]}]}`:   "AWS-StartSSHSession",
		`{"DocumentFilterList":[{"key":"PlatformTypes","value":"Windows"},{"key":"Name","value":"AWS-RunP"}]}`: "AWS-RunPatchBaseline AWS-RunPatchBaselineAssociation AWS-RunPatchBaselineWithHooks AWS-RunPowerShellScript",
	} {
		if got := column(f.must("ListDocuments", body)["DocumentIdentifiers"], "Name"); got != want {
			t.Errorf("%s: got %q", body, got)
		}
	}
	if _, code := f.ssm("ListDocuments", `{"Filters":[{"Key":"Colour","Values":["red"]}]}`); code != "InvalidFilterKey" {
		t.Errorf("an unknown filter: %q", code)
	}
}

func TestDocumentVersionsOnTheWire(t *testing.T) {
	f := newFixture(t, "", nil)
	content := `{\"schemaVersion\":\"2.2\",\"description\":\"D\",\"mainSteps\":[{\"action\":\"aws:runShellScript\",\"name\":\"one\",\"inputs\":{\"runCommand\":[\"id\"]}}]}`
	made := f.must("CreateDocument", `{"Name":"Mine","Content":"`+content+`","VersionName":"first","Tags":[{"Key":"a","Value":"b"}]}`)
	if at(made, "DocumentDescription", "DocumentVersion") != "1" || at(made, "DocumentDescription", "Status") != "Creating" {
		t.Errorf("made %v", made)
	}
	if _, code := f.ssm("UpdateDocument", `{"Name":"Mine","Content":"`+content+`","DocumentVersion":"$LATEST"}`); code != "DuplicateDocumentContent" {
		t.Errorf("the same content: %q", code)
	}
	f.must("UpdateDocument", `{"Name":"Mine","Content":"`+content+` ","DocumentVersion":"$LATEST"}`)
	if got := f.must("GetDocument", `{"Name":"Mine"}`); got["DocumentVersion"] != "1" || got["VersionName"] != "first" {
		t.Errorf("the default version: %v", got)
	}
	if got := f.must("UpdateDocumentDefaultVersion", `{"Name":"Mine","DocumentVersion":"2"}`); at(got, "Description", "DefaultVersion") != "2" {
		t.Errorf("default %v", got)
	}
	if got := f.must("ListTagsForResource", `{"ResourceType":"Document","ResourceId":"Mine"}`); at(got, "TagList", 0, "Value") != "b" {
		t.Errorf("tags %v", got)
	}
	f.must("DeleteDocument", `{"Name":"Mine"}`)
	if _, code := f.ssm("GetDocument", `{"Name":"Mine"}`); code != "InvalidDocument" {
		t.Errorf("after deletion: %q", code)
	}
}

func TestParametersOnTheWire(t *testing.T) {
	f := newFixture(t, "demo", nil)
	got := f.must("GetParameter", `{"Name":"/myapp/prod/db-password","WithDecryption":true}`)
	if at(got, "Parameter", "Value") != "correct-horse-battery-staple" || at(got, "Parameter", "ARN") != "arn:aws:ssm:us-east-1:123456789012:parameter/myapp/prod/db-password" {
		t.Errorf("decrypted %v", got)
	}
	sealed := f.must("GetParameter", `{"Name":"/myapp/prod/db-password"}`)
	if v := fmt.Sprint(at(sealed, "Parameter", "Value")); strings.Contains(v, "horse") || v == "" {
		t.Errorf("sealed %q", v)
	}
	many := f.must("GetParameters", `{"Names":["/myapp/prod/log-level","/none","/myapp/prod/log-level:1"]}`)
	if column(many["Parameters"], "Value") != "info info" || at(many, "Parameters", 1, "Selector") != ":1" || at(many, "InvalidParameters", 0) != "/none" {
		t.Errorf("many %v", many)
	}
	for body, want := range map[string]string{
		`{"Path":"/myapp/prod"}`:                 "/myapp/prod/db-password /myapp/prod/db-url /myapp/prod/feature-flags /myapp/prod/log-level",
		`{"Path":"/myapp/prod/","MaxResults":1}`: "/myapp/prod/db-password",
		`{"Path":"/myapp"}`:                      "",
		`{"Path":"/myapp/pro","Recursive":true}`: "",
		`{"Path":"/myapp","Recursive":true,"ParameterFilters":[{"Key":"Type","Values":["StringList"]}]}`: "/myapp/prod/feature-flags /myapp/staging/feature-flags",
	} {
		if got := column(f.must("GetParametersByPath", body)["Parameters"], "Name"); got != want {
			t.Errorf("%s: got %q", body, got)
		}
	}
	for body, want := range map[string]string{
		`{"ParameterFilters":[{"Key":"Name","Option":"Contains","Values":["db-u"]}]}`:      "/myapp/prod/db-url /myapp/staging/db-url",
		`{"ParameterFilters":[{"Key":"Path","Values":["/myapp/staging"]}],"MaxResults":2}`: "/myapp/staging/db-password /myapp/staging/db-url",
		`{"Filters":[{"Key":"Type","Values":["SecureString"]}]}`:                           "/myapp/prod/db-password /myapp/staging/db-password /shop/dev/db/password /shop/prod/db/password /shop/prod/partner/token /shop/staging/db/password",
	} {
		if got := column(f.must("DescribeParameters", body)["Parameters"], "Name"); got != want {
			t.Errorf("%s: got %q", body, got)
		}
	}
}

func TestParameterErrorsOnTheWire(t *testing.T) {
	f := newFixture(t, "demo", nil)
	tests := []struct{ op, body, code string }{
		{"GetParameter", `{"Name":"/none"}`, "ParameterNotFound"},
		{"GetParameter", `{"Name":"/myapp/prod/log-level:9"}`, "ParameterVersionNotFound"},
		{"GetParametersByPath", `{"Path":"myapp"}`, "ValidationException"},
		{"GetParametersByPath", `{"Path":"/","ParameterFilters":[{"Key":"Name","Values":["x"]}]}`, "InvalidFilterKey"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Name","Option":"Recursive","Values":["x"]}]}`, "InvalidFilterOption"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Type","Values":["x"]}]}`, "InvalidFilterValue"},
		{"PutParameter", `{"Name":"/myapp/prod/log-level","Value":"x","Type":"String"}`, "ParameterAlreadyExists"},
		{"PutParameter", `{"Name":"/x","Value":"x","Type":"Text"}`, "ValidationException"},
		{"DeleteParameter", `{"Name":"/none"}`, "ParameterNotFound"},
		{"GetParameterHistory", `{"Name":"/none"}`, "ParameterNotFound"},
		{"GetServiceSetting", `{"SettingId":"/ssm/none"}`, "ServiceSettingNotFound"},
	}
	for _, tt := range tests {
		if answer, code := f.ssm(tt.op, tt.body); code != tt.code {
			t.Errorf("%s %s: got %v", tt.op, tt.body, answer)
		}
	}
}

func TestParameterHistoryAndDeletion(t *testing.T) {
	f := newFixture(t, "", nil)
	for i := range 3 {
		got := f.must("PutParameter", fmt.Sprintf(`{"Name":"/a","Value":"same","Type":"String","Overwrite":true,"Description":"%d"}`, i))
		if got["Version"] != float64(i+1) || got["Tier"] != "Standard" {
			t.Errorf("put %v", got)
		}
	}
	var versions string
	for body := `{"Name":"/a","MaxResults":2}`; body != ""; {
		page := f.must("GetParameterHistory", body)
		versions += column(page["Parameters"], "Version") + " | "
		body = ""
		if token, ok := page["NextToken"].(string); ok {
			body = `{"Name":"/a","MaxResults":2,"NextToken":"` + token + `"}`
		}
	}
	if versions != "1 2 | 3 | " {
		t.Errorf("history %q", versions)
	}
	got := f.must("DeleteParameters", `{"Names":["/a","/b"]}`)
	if at(got, "DeletedParameters", 0) != "/a" || at(got, "InvalidParameters", 0) != "/b" {
		t.Errorf("deleted %v", got)
	}
}

func TestKMSOnTheWire(t *testing.T) {
	f := newFixture(t, "demo", nil)
	key, code := f.json("TrentService.GenerateDataKey", `{"KeyId":"alias/sessions","NumberOfBytes":64,"EncryptionContext":{"a":"b"}}`)
	plain, err := base64.StdEncoding.DecodeString(fmt.Sprint(key["Plaintext"]))
	if code != "" || err != nil || len(plain) != 64 {
		t.Fatalf("data key %v", key)
	}
	open := func(extra string) (map[string]any, string) {
		return f.json("TrentService.Decrypt", `{"CiphertextBlob":"`+fmt.Sprint(key["CiphertextBlob"])+`"`+extra+`}`)
	}
	if got, code := open(`,"EncryptionContext":{"a":"b"}`); code != "" || got["Plaintext"] != key["Plaintext"] || got["KeyId"] != key["KeyId"] {
		t.Errorf("opened %v", got)
	}
	if _, code := open(``); code != "InvalidCiphertextException" {
		t.Errorf("without the context: %q", code)
	}
	if _, code := open(`,"EncryptionContext":{"a":"b"},"KeyId":"alias/aws/ssm"`); code != "IncorrectKeyException" {
		t.Errorf("with another key: %q", code)
	}
	if _, code := f.json("TrentService.GenerateDataKey", `{"KeyId":"alias/none","NumberOfBytes":64}`); code != "NotFoundException" {
		t.Errorf("an unknown key: %q", code)
	}
	if _, code := f.json("TrentService.GenerateDataKey", `{"KeyId":"alias/sessions"}`); code != "ValidationException" {
		t.Errorf("no size: %q", code)
	}
}

func TestSTS(t *testing.T) {
	f := newFixture(t, "", nil)
	rec := f.post("", "Action=GetCallerIdentity&Version=2011-06-15")
	var id callerIdentityResponse
	if err := xml.Unmarshal(rec.Body.Bytes(), &id); err != nil || id.Arn != "arn:aws:iam::123456789012:user/tester" || id.Account != "123456789012" {
		t.Errorf("%v in %s", err, rec.Body)
	}
	rec = f.post("", "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/ops/Deploy&RoleSessionName=me@example.com&DurationSeconds=900")
	var role assumeRoleResponse
	if err := xml.Unmarshal(rec.Body.Bytes(), &role); err != nil || !strings.HasPrefix(role.AccessKeyID, "ASIA") {
		t.Fatalf("%v in %s", err, rec.Body)
	}
	f.creds = Credentials{AccessKeyID: role.AccessKeyID, SecretAccessKey: role.SecretAccessKey, SessionToken: role.SessionToken}
	rec = f.post("", "Action=GetCallerIdentity&Version=2011-06-15")
	if !strings.Contains(rec.Body.String(), "<Arn>arn:aws:sts::123456789012:assumed-role/Deploy/me@example.com</Arn>") {
		t.Errorf("as the role: %s", rec.Body)
	}
	f.must("DescribeInstanceInformation", "{}") // temporary credentials sign for SSM too
	for body, want := range map[string]string{
		"Action=Fly": "InvalidAction",
		"Action=AssumeRole&RoleArn=x&RoleSessionName=me":                                                  "ValidationError",
		"Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/denied-role&RoleSessionName=me":         "AccessDenied",
		"Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=me&DurationSeconds=5": "ValidationError",
	} {
		if rec := f.post("", body); rec.Code < 400 || !strings.Contains(rec.Body.String(), "<Code>"+want+"</Code>") {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	rec = f.post("", "Action=GetCallerIdentity", func(r *http.Request) { r.Header.Del("Authorization") })
	if rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), "<Code>MissingAuthenticationToken</Code>") {
		t.Errorf("unsigned: %d %s", rec.Code, rec.Body)
	}
}
