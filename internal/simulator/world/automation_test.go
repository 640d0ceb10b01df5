package world

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// automationWorld has the document "book" with the steps given, as YAML.
func automationWorld(t *testing.T, steps string) *World {
	t.Helper()
	w := newWorld(t, fleet(3), succeed)
	newBook(t, w, "book", steps)
	return w
}

func newBook(t *testing.T, w *World, name, steps string) {
	t.Helper()
	content := "schemaVersion: '0.3'\nparameters:\n  Node: {type: String, default: " + nodeName(0) + "}\n" + steps
	if _, err := w.CreateDocument(NewDocument{Name: name, Type: "Automation", Format: "YAML", Content: content}); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, w *World, r AutomationRequest) string {
	t.Helper()
	if r.DocumentName == "" {
		r.DocumentName = "book"
	}
	id, err := w.StartAutomation(r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func state(t *testing.T, w *World, id string) *Automation {
	t.Helper()
	a, err := w.Automation(id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// statuses are the states of an execution and its steps.
func statuses(a *Automation) string {
	out := a.Status + ":"
	for _, s := range a.Steps {
		out += " " + s.Name + "=" + s.Status
	}
	return out
}

func TestAutomationStepsFollowTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := automationWorld(t, `
outputs: [command.Output, command.CommandId]
mainSteps:
  - {name: nap, action: "aws:sleep", inputs: {Duration: PT2M}}
  - {name: command, action: "aws:runCommand", inputs: {DocumentName: AWS-RunShellScript, InstanceIds: ["{{ Node }}"], Parameters: {commands: ["echo {{ global:REGION }}"]}}}
  - {name: api, action: "aws:executeAwsApi", outputs: [{Name: State, Selector: $.State, Type: String}], inputs: {Service: ec2, Api: DescribeInstances}}
`)
		id := start(t, w, AutomationRequest{ExecutedBy: "arn:me"})
		synctest.Wait()
		if got := statuses(state(t, w, id)); got != "InProgress: nap=InProgress command=Pending api=Pending" {
			t.Errorf("at first %s", got)
		}
		time.Sleep(2*time.Minute - time.Second)
		synctest.Wait()
		if got := statuses(state(t, w, id)); got != "InProgress: nap=InProgress command=Pending api=Pending" {
			t.Errorf("before the nap ends %s", got)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		a := state(t, w, id)
		if got := statuses(a); got != "Success: nap=Success command=Success api=Success" {
			t.Fatalf("in the end %s: %+v", got, a.Steps)
		}
		if got := a.Outputs["command.Output"]; len(got) != 1 || got[0] != "echo us-east-1\n" {
			t.Errorf("outputs %q", a.Outputs)
		}
		if got := a.Steps[2].Outputs["State"]; !slices.Equal(got, []string{"simulated-State"}) {
			t.Errorf("outputs of the last step %q", got)
		}
		if got := a.Steps[1].Inputs["InstanceIds"]; got != `["`+nodeName(0)+`"]` {
			t.Errorf("inputs %q", got)
		}
		if a.Ended.Sub(a.Started) < 2*time.Minute {
			t.Errorf("it took %v", a.Ended.Sub(a.Started))
		}
	})
}

func TestAutomationWaitsForSignals(t *testing.T) {
	const steps = `
mainSteps:
  - {name: ask, action: "aws:approve", inputs: {Approvers: [a, b], MinRequiredApprovals: 2}}
  - {name: hold, action: "aws:pause", isEnd: true}
`
	type told struct{ kind, by string }
	tests := []struct {
		name    string
		signals []told
		want    string
	}{
		{"two approve", []told{{"Approve", "a"}, {"Approve", "b"}}, "Waiting: ask=Success hold=Waiting"},
		{"one approves twice", []told{{"Approve", "a"}, {"Approve", "a"}}, "Waiting: ask=Waiting hold=Pending"},
		{"one rejects", []told{{"Approve", "a"}, {"Reject", "b"}}, "Failed: ask=Failed hold=Pending"},
		{"and goes on", []told{{"Approve", "a"}, {"Approve", "b"}, {"Resume", "a"}}, "Success: ask=Success hold=Success"},
		{"stopped", []told{{"StopStep", "a"}}, "Cancelled: ask=Cancelled hold=Pending"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := automationWorld(t, steps)
				id := start(t, w, AutomationRequest{})
				synctest.Wait()
				for _, s := range tt.signals {
					if err := w.SignalAutomation(id, s.kind, s.by, nil); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				if got := statuses(state(t, w, id)); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

func TestSignalsThatMakeNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := automationWorld(t, "mainSteps: [{name: ask, action: 'aws:approve'}]")
		id := start(t, w, AutomationRequest{})
		synctest.Wait()
		for _, tt := range []struct {
			id, kind string
			payload  map[string][]string
			code     string
		}{
			{"none", "Approve", nil, "AutomationExecutionNotFoundException"},
			{id, "Resume", nil, "InvalidAutomationSignalException"},
			{id, "StartStep", nil, "InvalidAutomationSignalException"},
			{id, "Approve", map[string][]string{"StepName": {"other"}}, "AutomationStepNotFoundException"},
			{id, "StopStep", map[string][]string{"StepExecutionId": {"other"}}, "AutomationStepNotFoundException"},
		} {
			if got := codeOf(w.SignalAutomation(tt.id, tt.kind, "me", tt.payload)); got != tt.code {
				t.Errorf("%s %v: %q", tt.kind, tt.payload, got)
			}
		}
		if err := w.StopAutomation(id, false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := statuses(state(t, w, id)); got != "Cancelled: ask=Cancelled" {
			t.Errorf("stopped: %s", got)
		}
		if got := codeOf(w.StopAutomation(id, false)); got != "InvalidAutomationStatusUpdateException" {
			t.Errorf("stopped again: %q", got)
		}
	})
}

func TestAutomationBranchesAndFailures(t *testing.T) {
	tests := []struct{ name, steps, want string }{
		{"the default of a branch", `[{name: b, action: "aws:branch", inputs: {Choices: [{NextStep: no, Variable: "{{ Node }}", StringEquals: x}], Default: yes1}}, {name: no, action: "aws:pause"}, {name: yes1, action: "aws:createTags"}]`, "Success: b=Success no=Pending yes1=Success"},
		{"a choice", `[{name: b, action: "aws:branch", inputs: {Choices: [{NextStep: z, And: [{Variable: "5", NumericGreater: 4}, {Not: {Variable: a, StringEquals: b}}]}]}}, {name: no, action: "aws:pause"}, {name: z, action: "aws:createTags"}]`, "Success: b=Success no=Pending z=Success"},
		{"an action that nobody has", `[{name: a, action: "aws:fly"}, {name: b, action: "aws:createTags"}]`, "Failed: a=Failed b=Pending"},
		{"going on after a failure", `[{name: a, action: "aws:fly", onFailure: Continue, isCritical: false}, {name: b, action: "aws:createTags"}]`, "Success: a=Failed b=Success"},
		{"a critical failure", `[{name: a, action: "aws:fly", onFailure: Continue}, {name: b, action: "aws:createTags"}]`, "Failed: a=Failed b=Success"},
		{"a step for failures", `[{name: a, action: "aws:fly", onFailure: "step:c", isCritical: false}, {name: b, action: "aws:pause"}, {name: c, action: "aws:createTags"}]`, "Success: a=Failed b=Pending c=Success"},
		{"the time is up", `[{name: a, action: "aws:sleep", timeoutSeconds: 5, inputs: {Duration: PT1H}}]`, "TimedOut: a=TimedOut"},
		{"no duration", `[{name: a, action: "aws:sleep", inputs: {Duration: long}}]`, "Failed: a=Failed"},
		{"a command that fails", `[{name: a, action: "aws:runCommand", inputs: {DocumentName: AWS-RunShellScript, InstanceIds: [i-1], Parameters: {commands: [x]}}}]`, "Failed: a=Failed"},
		{"another document", `[{name: a, action: "aws:executeAutomation", inputs: {DocumentName: AWS-RestartEC2Instance, RuntimeParameters: {InstanceId: ["{{ Node }}"]}}}]`, "Success: a=Success"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := automationWorld(t, "mainSteps: "+tt.steps)
				id := start(t, w, AutomationRequest{})
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := statuses(state(t, w, id)); got != tt.want {
					t.Errorf("got  %s\nwant %s\n%+v", got, tt.want, state(t, w, id).Steps)
				}
			})
		})
	}
}

func TestAutomationOnManyTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := automationWorld(t, `mainSteps: [{name: nap, action: "aws:sleep", inputs: {Duration: PT10S}}]`)
		id := start(t, w, AutomationRequest{TargetParameter: "Node", Targets: []Target{{Key: "tag:env", Values: []string{"prod"}}}, MaxConcurrency: "1"})
		time.Sleep(11 * time.Second)
		synctest.Wait()
		want := fmt.Sprintf("InProgress: %s=Success %s=InProgress %s=Pending", nodeName(0), nodeName(1), nodeName(2))
		if got := statuses(state(t, w, id)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := state(t, w, id).Status; got != "Success" {
			t.Errorf("in the end %s", got)
		}
		children := 0
		for _, a := range w.Automations() {
			if a.Parent == id && a.Parameters["Node"][0] == a.Target {
				children++
			}
		}
		if children != 3 {
			t.Errorf("%d children", children)
		}
	})
}

func TestInteractiveAutomation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := automationWorld(t, `mainSteps: [{name: a, action: "aws:createTags"}, {name: b, action: "aws:createTags"}]`)
		id := start(t, w, AutomationRequest{Mode: "Interactive"})
		for _, want := range []string{"Waiting: a=Pending b=Pending", "Waiting: a=Success b=Pending"} {
			synctest.Wait()
			if got := statuses(state(t, w, id)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if err := w.SignalAutomation(id, "StartStep", "me", nil); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := statuses(state(t, w, id)); got != "Success: a=Success b=Success" {
			t.Errorf("in the end %s", got)
		}
	})
}

func TestRequestsForAutomationsThatAreRefused(t *testing.T) {
	w := automationWorld(t, "mainSteps: [{name: a, action: 'aws:pause'}]")
	tags := map[string]string{}
	for i := range 6 {
		tags[fmt.Sprint(i)] = ""
	}
	for _, tt := range []struct {
		r    AutomationRequest
		code string
	}{
		{AutomationRequest{DocumentName: "none"}, "AutomationDefinitionNotFoundException"},
		{AutomationRequest{DocumentName: "AWS-RunShellScript"}, "AutomationDefinitionNotFoundException"},
		{AutomationRequest{DocumentName: "book", Version: "7"}, "AutomationDefinitionVersionNotFoundException"},
		{AutomationRequest{DocumentName: "book", Parameters: map[string][]string{"Other": {"x"}}}, "InvalidAutomationExecutionParametersException"},
		{AutomationRequest{DocumentName: "book", RequestTags: tags}, "InvalidAutomationExecutionParametersException"},
		{AutomationRequest{DocumentName: "book", TargetParameter: "Other", Targets: []Target{{"ParameterValues", []string{"x"}}}}, "InvalidTarget"},
		{AutomationRequest{DocumentName: "book", TargetParameter: "Node", Targets: []Target{{"tag:env", []string{"none"}}}}, "InvalidTarget"},
	} {
		if _, err := w.StartAutomation(tt.r); codeOf(err) != tt.code {
			t.Errorf("%+v: %v", tt.r, err)
		}
	}
	first := start(t, w, AutomationRequest{ClientToken: "t"})
	if again := start(t, w, AutomationRequest{ClientToken: "t"}); again != first {
		t.Errorf("the same request twice made two executions")
	}
	if _, err := w.StartAutomation(AutomationRequest{DocumentName: "book", ClientToken: "t", Parameters: map[string][]string{"Node": {"x"}}}); codeOf(err) != "IdempotentParameterMismatch" {
		t.Errorf("another request with the same token: %v", err)
	}
}

func TestAutomationDocumentsThatAreRefused(t *testing.T) {
	for _, content := range []string{
		"schemaVersion: '2.2'\nmainSteps: [{name: a, action: 'aws:sleep'}]",
		"schemaVersion: '0.3'",
		"schemaVersion: '0.3'\nmainSteps: [{name: a}]",
		"schemaVersion: '0.3'\nmainSteps: [{name: a, action: 'aws:sleep', nextStep: b}]",
		"schemaVersion: '0.3'\nparameters: {a: {type: Thing}}\nmainSteps: [{name: a, action: 'aws:sleep'}]",
	} {
		if _, err := ParseBody(content, "YAML", "Automation"); err == nil {
			t.Errorf("taken: %s", content)
		}
	}
}

func TestISODurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"PT10M": 10 * time.Minute, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second} {
		if got, err := parseISODuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "P", "PT", "10m", "PT1.5H", "PT" + strings.Repeat("9", 30) + "S"} {
		if _, err := parseISODuration(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
