package run

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// cid is the command of tests that need only one.
const cid = "01234567-89ab-cdef-0123-456789abcdef"

func fullCommand() types.Command {
	return types.Command{
		CommandId: aws.String(cid), DocumentName: aws.String("AWS-RunShellScript"), Comment: aws.String("nightly [ssmdeck abcdefghij.1]"),
		Status: types.CommandStatusFailed, StatusDetails: aws.String("Incomplete"), RequestedDateTime: aws.Time(t0),
		TargetCount: 9, CompletedCount: 8, ErrorCount: 2, DeliveryTimedOutCount: 1,
		Targets:                []types.Target{{Key: aws.String("tag:env"), Values: []string{"prod"}}},
		Parameters:             map[string][]string{"commands": {"#!/bin/sh\n\n  export TOKEN=s3cr3t\nrun"}},
		CloudWatchOutputConfig: &types.CloudWatchOutputConfig{CloudWatchLogGroupName: aws.String("/ssm"), CloudWatchOutputEnabled: true},
	}
}

func TestCommandOf(t *testing.T) {
	got := commandOf(fullCommand())
	want := Command{
		ID: cid, RunID: "abcdefghij", Number: 1, Document: "AWS-RunShellScript", Comment: "nightly",
		State: Failed, Detail: "Incomplete", Reason: "it did not end well on every node", Requested: t0,
		Targets: 9, Completed: 8, Errors: 2, DeliveryTimedOut: 1,
		TargetedBy: []fleet.APITarget{{Key: "tag:env", Values: []string{"prod"}}}, LogGroup: "/ssm",
		Params: map[string][]string{"commands": {"#!/bin/sh\n\n  export TOKEN=s3cr3t\nrun"}},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhereOutputGoesInCloudWatchLogs(t *testing.T) {
	for want, c := range map[string]*types.CloudWatchOutputConfig{
		"":                            nil,
		"/g":                          {CloudWatchLogGroupName: aws.String("/g"), CloudWatchOutputEnabled: true},
		"/aws/ssm/AWS-RunShellScript": {CloudWatchOutputEnabled: true},
	} {
		if got := logGroup(c, "AWS-RunShellScript"); got != want {
			t.Errorf("%+v: got %q, want %q", c, got, want)
		}
	}
	if got := logGroup(&types.CloudWatchOutputConfig{CloudWatchLogGroupName: aws.String("/g")}, "D"); got != "" {
		t.Errorf("a group that is not used: got %q", got)
	}
}

func TestParametersAreInNoJSON(t *testing.T) {
	b, err := json.Marshal(commandOf(fullCommand()))
	if err != nil || strings.Contains(string(b), "s3cr3t") || !strings.Contains(string(b), `"document":"AWS-RunShellScript"`) {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestScriptLine(t *testing.T) {
	c := commandOf(fullCommand())
	if got := c.ScriptLine(12); got != "export TOKE…" {
		t.Errorf("got %q", got)
	}
	if got := c.ScriptLine(80); got != "export TOKEN=s3cr3t" {
		t.Errorf("got %q", got)
	}
	if got := (Command{}).ScriptLine(80); got != "" {
		t.Errorf("got %q of no script", got)
	}
}

func TestSplitComment(t *testing.T) {
	type parts struct {
		text, id   string
		number, of int
	}
	for comment, want := range map[string]parts{
		"":                                    {},
		"by hand":                             {text: "by hand"},
		"[ssmdeck abcdefghij.1]":              {"", "abcdefghij", 1, 0},
		"[ssmdeck abcdefghij.2/5]":            {"", "abcdefghij", 2, 5},
		"a [b] [ssmdeck abcdefghij.12/200]":   {"a [b]", "abcdefghij", 12, 200},
		"about [ssmdeck x]":                   {text: "about [ssmdeck x]"},
		"[ssmdeck abcdefghij.1] and then":     {text: "[ssmdeck abcdefghij.1] and then"},
		"[ssmdeck abcdefghi0.1/1]":            {text: "[ssmdeck abcdefghi0.1/1]"},
		"[ssmdeck x] [ssmdeck abcdefghij.10]": {"[ssmdeck x]", "abcdefghij", 10, 0},
	} {
		var got parts
		got.text, got.id, got.number, got.of = splitComment(comment)
		if got != want {
			t.Errorf("%q: got %+v", comment, got)
		}
	}
	tag := commentTag(NewRunID(), 1000, 1000)
	if n := len(strings.Repeat("x", MaxComment) + " " + tag); n != 100 {
		t.Errorf("the longest comment has %d characters, want 100", n)
	}
	if _, id, _, _ := splitComment("x " + tag); len(id) != runIDLength {
		t.Errorf("our own tag %q is not read", tag)
	}
}

func TestListPagesLazily(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	first := &ssm.ListCommandsOutput{Commands: []types.Command{{CommandId: aws.String("1")}, {CommandId: aws.String("2")}}, NextToken: aws.String("more")}
	second := &ssm.ListCommandsOutput{Commands: []types.Command{{CommandId: aws.String("3")}}}
	calls := client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(first, nil)
	for range New(client, nil).List(t.Context(), Filter{}) {
		break // one page was enough
	}
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).After(calls).Return(first, nil)
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ any, in *ssm.ListCommandsInput, _ ...func(*ssm.Options)) (*ssm.ListCommandsOutput, error) {
			if aws.ToString(in.NextToken) != "more" {
				t.Errorf("asked for page %q", aws.ToString(in.NextToken))
			}
			return second, nil
		})
	var ids string
	for c, err := range New(client, nil).List(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids += c.ID
	}
	if ids != "123" {
		t.Errorf("got %s", ids)
	}
}

func TestListFilters(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	filter := func(k types.CommandFilterKey, v string) types.CommandFilter {
		return types.CommandFilter{Key: k, Value: aws.String(v)}
	}
	client.EXPECT().ListCommands(gomock.Any(), &ssm.ListCommandsInput{
		MaxResults: aws.Int32(50), InstanceId: aws.String("i-1"),
		Filters: []types.CommandFilter{
			filter("Status", "InProgress"), filter("DocumentName", "D"),
			filter("InvokedAfter", "2026-03-01T12:00:00Z"), filter("InvokedBefore", "2026-03-01T13:00:00Z"),
		},
	}).Return(&ssm.ListCommandsOutput{}, nil)
	berlin := time.FixedZone("", 3600)
	for range New(client, nil).List(t.Context(), Filter{State: Running, Document: "D", NodeID: "i-1", After: t0.In(berlin), Before: t0.Add(time.Hour)}) {
		t.Error("got a command")
	}
	for _, err := range New(client, nil).List(t.Context(), Filter{State: NotSent}) {
		wantKind(t, err, fault.Usage, "not listed by state not_sent")
	}
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidFilterKey{})
	n := 0
	for _, err := range New(client, nil).List(t.Context(), Filter{}) {
		n++
		wantKind(t, err, fault.Usage, "list commands")
	}
	if n != 1 {
		t.Errorf("yielded %d times after an error", n)
	}
}

func TestShow(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	full := fullCommand()
	full.Status = types.CommandStatusInProgress
	client.EXPECT().ListCommands(gomock.Any(), &ssm.ListCommandsInput{CommandId: aws.String(cid)}).
		Return(&ssm.ListCommandsOutput{Commands: []types.Command{full}}, nil)
	page := states("a", "Pending")
	page.NextToken = aws.String("2")
	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(page, nil)
	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(states("b", "InProgress"), nil)
	s := New(client, nil)
	r, err := s.Find(t.Context(), cid)
	if err != nil || len(r.Commands) != 1 || r.Ref() != cid {
		t.Fatalf("got %+v, %v", r, err)
	}
	var seen recorder
	if err := s.Show(t.Context(), r, seen.emit); err != nil || seen.board.Count(Pending) != 1 || seen.board.Count(Running) != 1 || seen.board.Done() {
		t.Errorf("got %s, %v", seen.kinds(), err)
	}

	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(nil, errors.New("reset"))
	_, err = s.Find(t.Context(), cid)
	wantKind(t, err, fault.Failed, "reset")
}
