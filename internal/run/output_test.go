package run

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func plugin(name, output string, code int32) types.CommandPlugin {
	return types.CommandPlugin{Name: aws.String(name), Output: aws.String(output), ResponseCode: code, Status: types.CommandPluginStatusSuccess}
}

func TestTellsAll(t *testing.T) {
	tests := []struct {
		name         string
		plugins      []types.CommandPlugin
		small, large bool
	}{
		{"no steps listed", nil, false, false},
		{"a short text", []types.CommandPlugin{plugin("a", "hi\n", 0)}, true, true},
		{"no text: a service may leave it out", []types.CommandPlugin{plugin("a", "", 0)}, false, true},
		{"stderr: one text must be split", []types.CommandPlugin{plugin("a", "hi"+errorMark+"ho", 1)}, false, true},
		{"two marks: the script wrote one itself", []types.CommandPlugin{plugin("a", "hi"+errorMark+"ho"+errorMark, 1)}, false, false},
		{"cut", []types.CommandPlugin{plugin("a", "hi\n"+cutShort, 0)}, false, false},
		{"cut in the middle", []types.CommandPlugin{plugin("a", "hi\n"+cutShort+errorMark+"ho", 0)}, false, false},
		{"cut errors", []types.CommandPlugin{plugin("a", errorMark+"ho\n"+cutShortError, 0)}, false, false},
		{"as long as it gets, with no mark", []types.CommandPlugin{plugin("a", strings.Repeat("x", 2500), 0)}, false, false},
		{"one step of two cut", []types.CommandPlugin{plugin("a", "hi", 0), plugin("b", cutShort, 0)}, false, false},
	}
	for _, tt := range tests {
		if got := tellsAll(tt.plugins, true); got != tt.small {
			t.Errorf("%s, small run: got %v", tt.name, got)
		}
		if got := tellsAll(tt.plugins, false); got != tt.large {
			t.Errorf("%s, large run: got %v", tt.name, got)
		}
	}
}

func TestIsCut(t *testing.T) {
	for s, want := range map[string]bool{
		"": false, "x\n--output truncated--": true, "x --output truncated--\n\n": true, "x\n---Output truncated---": true,
		"x\n---Error truncated----": true, "--output truncated-- not": false,
	} {
		if got := isCut(s); got != want {
			t.Errorf("%q: got %v", s, got)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	huge := Output{Stdout: strings.Repeat("é", 100_000), Stderr: strings.Repeat("x", 100_000)}.clipped()
	if n := len([]rune(huge.Stdout)); n > maxStdout+30 || !huge.Truncated {
		t.Errorf("kept %d characters of stdout, truncated %v", n, huge.Truncated)
	}
	if n := len(huge.Stderr); n > maxStderr+30 {
		t.Errorf("kept %d characters of stderr", n)
	}
	exact := Output{Stdout: strings.Repeat("é", maxStdout), Stderr: strings.Repeat("x", maxStderr)}
	if got := exact.clipped(); got != exact {
		t.Error("what the service may send was cut")
	}
}

// one answers ListCommandInvocations with a node of these steps.
func one(status types.CommandInvocationStatus, plugins ...types.CommandPlugin) *ssm.ListCommandInvocationsOutput {
	return &ssm.ListCommandInvocationsOutput{CommandInvocations: []types.CommandInvocation{{
		CommandId: aws.String(cid), InstanceId: aws.String("i-1"), Status: status, CommandPlugins: plugins,
	}}}
}

func wholeOutput(stdout, stderr string, code int32) *ssm.GetCommandInvocationOutput {
	return &ssm.GetCommandInvocationOutput{
		Status: types.CommandInvocationStatusSuccess, ResponseCode: code,
		StandardOutputContent: aws.String(stdout), StandardErrorContent: aws.String(stderr),
		ExecutionStartDateTime: aws.String("2026-03-01T12:00:00.123Z"), ExecutionEndDateTime: aws.String(""),
	}
}

// copied is what On and Copy give of a node.
func copied(t *testing.T, s *Service) (inv Invocation, out Output, stdout, stderr string, err error) {
	t.Helper()
	cmd, inv, err := s.On(t.Context(), cid, "i-1")
	if err != nil {
		return inv, out, "", "", err
	}
	var o, e strings.Builder
	out, err = s.Copy(t.Context(), cmd, inv, &o, &e)
	return inv, out, o.String(), e.String(), err
}

// knowing is a client that lists the command.
func knowing(t *testing.T) *Mockapi {
	t.Helper()
	client := NewMockapi(gomock.NewController(t))
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.ListCommandsOutput{Commands: []types.Command{{
		CommandId: aws.String(cid), Status: types.CommandStatusSuccess,
	}}}, nil)
	return client
}

func TestCopyOfOneStep(t *testing.T) {
	client := knowing(t)
	client.EXPECT().ListCommandInvocations(gomock.Any(), &ssm.ListCommandInvocationsInput{
		CommandId: aws.String(cid), InstanceId: aws.String("i-1"), Details: true,
	}).Return(one(types.CommandInvocationStatusSuccess, plugin("aws:runShellScript", "long\n"+cutShort, 0)), nil)
	client.EXPECT().GetCommandInvocation(gomock.Any(), &ssm.GetCommandInvocationInput{
		CommandId: aws.String(cid), InstanceId: aws.String("i-1"),
	}).Return(wholeOutput("very long\n--output truncated--", "", 0), nil)

	inv, out, stdout, _, err := copied(t, New(client, nil))
	if err != nil {
		t.Fatal(err)
	}
	if stdout != "very long\n--output truncated--" || !out.Truncated || out.More != "" {
		t.Errorf("got %q, %+v", stdout, out)
	}
	if inv.State != Success || inv.ExitCode != 0 {
		t.Errorf("got %+v", inv)
	}
}

func TestCopyOfSeveralStepsIsReadByName(t *testing.T) {
	client := knowing(t)
	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(one(types.CommandInvocationStatusFailed,
		plugin("PatchWindows", "skipped", 0), plugin("PatchLinux", cutShort, 100), plugin("Report", "", -1)), nil)
	for name, text := range map[string]string{"PatchWindows": "skipped", "PatchLinux": "patched\n", "Report": ""} {
		client.EXPECT().GetCommandInvocation(gomock.Any(), &ssm.GetCommandInvocationInput{
			CommandId: aws.String(cid), InstanceId: aws.String("i-1"), PluginName: aws.String(name),
		}).Return(wholeOutput(text, map[bool]string{true: "careful\n"}[name == "PatchLinux"], 100), nil)
	}

	inv, _, stdout, stderr, err := copied(t, New(client, nil))
	if err != nil {
		t.Fatal(err)
	}
	if stdout != "skipped\npatched\n" || stderr != "careful\n" {
		t.Errorf("got %q and %q", stdout, stderr)
	}
	if inv.ExitCode != 100 || len(inv.Steps) != 3 || inv.Steps[1].Name != "PatchLinux" || inv.Steps[2].ExitCode != NoExit {
		t.Errorf("got exit code %d and steps %+v, want that of the step that failed", inv.ExitCode, inv.Steps)
	}
}

func TestOnAndCopyRefuse(t *testing.T) {
	client := knowing(t)
	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(&ssm.ListCommandInvocationsOutput{}, nil)
	_, _, _, _, err := copied(t, New(client, nil))
	wantKind(t, err, fault.NotFound, "read output of "+cid+" on i-1: the command has no invocation on this node")

	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(one(types.CommandInvocationStatusInProgress), nil)
	inv, _, stdout, _, err := copied(t, New(client, nil))
	if err != nil || inv.State != Running || stdout != "" {
		t.Errorf("a node at work: got %+v, %q, %v", inv, stdout, err)
	}

	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidCommandId{})
	_, _, _, _, err = copied(t, New(client, nil))
	wantKind(t, err, fault.NotFound, "read output of "+cid+" on i-1")
}

// TestOutputIsReadWithoutTheRightToList: whoever has the ids needs no list.
func TestOutputIsReadWithoutTheRightToList(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(nil, errDenied)
	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(nil, errDenied)
	client.EXPECT().GetCommandInvocation(gomock.Any(), gomock.Any()).Times(2).Return(wholeOutput("all\n", "", 0), nil)
	inv, _, stdout, _, err := copied(t, New(client, nil))
	if err != nil || inv.State != Success || stdout != "all\n" {
		t.Errorf("got %+v, %q, %v", inv, stdout, err)
	}
}

func TestStderrIsKeptApart(t *testing.T) {
	c, req := bySize(3)
	c.work = time.Second
	c.result = func(string) nodeResult {
		return nodeResult{stdout: "out" + errorMark + "still out\n", stderr: "err\n", code: 1}
	}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for row := range r.board.Rows() {
			if row.Stdout != "out"+errorMark+"still out\n" || row.Stderr != "err\n" {
				t.Errorf("got %q and %q", row.Stdout, row.Stderr)
			}
		}
		if groups := r.board.Groups(); len(groups) != 1 || len(groups[0].Nodes) != 3 {
			t.Errorf("got %d groups", len(groups))
		}
	})
}

func TestOutputThatMayNotBeReadInFullIsShownShort(t *testing.T) {
	c, req := bySize(3)
	c.work = time.Second
	c.result = func(string) nodeResult { return nodeResult{stdout: strings.Repeat("x", 3000)} }
	c.fail = func(op string, _ int) error {
		if op == "GetCommandInvocation" {
			return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: ssm:GetCommandInvocation"}
		}
		return nil
	}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil || r.board.Err() != nil {
			t.Fatal(err, r.board.Err())
		}
		for row := range r.board.Rows() {
			if !row.Preview || !row.Truncated || len(row.Stdout) != 2500 {
				t.Errorf("got preview %v, truncated %v, %d characters", row.Preview, row.Truncated, len(row.Stdout))
			}
		}
		if n := r.notices(Shortened); len(n) != 1 || c.byOp["GetCommandInvocation"] != 1 {
			t.Errorf("notices %+v after %d tries", n, c.byOp["GetCommandInvocation"])
		}
	})
}

// TestLateOutput: the list says a node is done before its output can be read,
// and a service that lists no steps tells the exit code only there.
func TestLateOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		list := counters(types.CommandStatusSuccess, 1)
		list.Commands[0].TargetCount = 1
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().Return(list, nil)
		client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).AnyTimes().Return(one(types.CommandInvocationStatusSuccess), nil)
		tries := 0
		client.EXPECT().GetCommandInvocation(gomock.Any(), gomock.Any()).Times(3).DoAndReturn(
			func(context.Context, *ssm.GetCommandInvocationInput, ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error) {
				tries++
				switch tries {
				case 1:
					return nil, &types.InvocationDoesNotExist{}
				case 2:
					return &ssm.GetCommandInvocationOutput{Status: types.CommandInvocationStatusInProgress, ResponseCode: -1}, nil
				default:
					return wholeOutput("late\n", "", 0), nil
				}
			})
		var r recorder
		if err := followIDs(t.Context(), New(client, nil), []string{cid}, r.emit); err != nil {
			t.Fatal(err)
		}
		if r.kinds() != "sent progress invocation output done" {
			t.Errorf("events are %s: want one of the final state, with the exit code", r.kinds())
		}
		for row := range r.board.Rows() {
			if row.State != Success || row.ExitCode != 0 || row.Stdout != "late\n" {
				t.Errorf("got %+v", row)
			}
		}
	})
}

func TestLongOutputsAreReadOfFailuresOnlyWhenNoOthersAreWanted(t *testing.T) {
	long := strings.Repeat("a line of what a node wrote\n", 200)
	c := &cloud{work: time.Second, result: func(node string) nodeResult {
		r := nodeResult{stdout: long}
		if node == "i-l0002" {
			r.code = 1
		}
		return r
	}}
	req := Request{Selection: selected(nodes(4, "linux")), Script: "x", FailedOutputs: true, RunID: NewRunID(), MaxErrors: "100%"}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil || c.byOp["GetCommandInvocation"] != 1 {
			t.Errorf("%v, %d outputs were read", err, c.byOp["GetCommandInvocation"])
		}
		for row := range r.board.Rows() {
			if whole := row.NodeID == "i-l0002"; row.Preview == whole || (row.Stdout == long) != whole || row.ExitCode == NoExit {
				t.Errorf("%s: %d bytes, preview %v, exit %d", row.NodeID, len(row.Stdout), row.Preview, row.ExitCode)
			}
		}
		if r.board.RunID() != req.RunID || !strings.Contains(aws.ToString(c.commands[0].in.Comment), req.RunID) {
			t.Errorf("the run is %s and was to be %s", r.board.RunID(), req.RunID)
		}
	})
	req.RunID = "mine"
	if err := req.Validate(); fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
}
