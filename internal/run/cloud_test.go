package run

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// cloud is a small SSM whose commands run by the clock: each node takes its
// turn under MaxConcurrency and works for a while. It counts calls.
type cloud struct {
	mu       sync.Mutex
	commands []*cloudCommand
	calls    []time.Time
	byOp     map[string]int

	work   time.Duration // of a node
	lag    time.Duration // until a new command can be read
	answer time.Duration // of a SendCommand, to a caller who is still there
	target []string      // what targets match
	result func(node string) nodeResult
	word   string        // the status of every command, in place of any
	life   time.Duration // of a command, until it expires
	// fail may refuse a call before it does anything.
	fail func(op string, n int) error
	// lose may fail a SendCommand that was carried out.
	lose func(n int) error
}

type nodeResult struct {
	code           int
	stdout, stderr string
	detail         string // instead of running at all
	word           string // the status, in place of any
}

// commandID is the id of the n-th command that was sent.
func commandID(n int) string { return fmt.Sprintf("01234567-89ab-cdef-0123-%012d", n) }

type cloudCommand struct {
	in        *ssm.SendCommandInput
	id        string
	ids       []string
	sent      time.Time
	cancelled time.Time
}

func (c *cloud) call(op string) error {
	c.calls = append(c.calls, time.Now())
	if c.byOp == nil {
		c.byOp = make(map[string]int)
	}
	c.byOp[op]++
	if c.fail != nil {
		return c.fail(op, c.byOp[op])
	}
	return nil
}

func (c *cloud) SendCommand(ctx context.Context, in *ssm.SendCommandInput, _ ...func(*ssm.Options)) (*ssm.SendCommandOutput, error) {
	if err := wait.Sleep(ctx, c.answer); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.call("SendCommand"); err != nil {
		return nil, err
	}
	cmd := &cloudCommand{in: in, id: commandID(len(c.commands) + 1), ids: in.InstanceIds, sent: time.Now()}
	if len(in.Targets) > 0 {
		cmd.ids = c.target
	}
	c.commands = append(c.commands, cmd)
	if c.lose != nil {
		if err := c.lose(c.byOp["SendCommand"]); err != nil {
			return nil, err
		}
	}
	return &ssm.SendCommandOutput{Command: &types.Command{
		CommandId: aws.String(cmd.id), DocumentName: in.DocumentName, RequestedDateTime: aws.Time(cmd.sent), Comment: in.Comment, ExpiresAfter: c.expires(cmd),
	}}, nil
}

func (c *cloud) expires(cmd *cloudCommand) *time.Time {
	if c.life == 0 {
		return nil
	}
	return aws.Time(cmd.sent.Add(c.life))
}

// turn is when node i of the command begins.
func (cmd *cloudCommand) turn(i int, work time.Duration) time.Time {
	width := 50
	if in := cmd.in.MaxConcurrency; in != nil {
		number, percent := strings.CutSuffix(*in, "%")
		width, _ = strconv.Atoi(number)
		if percent {
			width = max(1, width*len(cmd.ids)/100)
		}
	}
	return cmd.sent.Add(time.Duration(i/width) * work)
}

// status of node i. A node whose detail is set never runs.
func (c *cloud) status(cmd *cloudCommand, i int) (types.CommandInvocationStatus, string) {
	begin := cmd.turn(i, c.work)
	end := begin.Add(c.work)
	r := c.outcome(cmd.ids[i])
	now := time.Now()
	switch {
	case r.word != "":
		return types.CommandInvocationStatus(r.word), ""
	case !cmd.cancelled.IsZero() && cmd.cancelled.Before(end):
		return types.CommandInvocationStatusCancelled, "Cancelled"
	case now.Before(begin):
		return types.CommandInvocationStatusPending, "Pending"
	case now.Before(end):
		return types.CommandInvocationStatusInProgress, "InProgress"
	case r.detail == "DeliveryTimedOut":
		return types.CommandInvocationStatusTimedOut, r.detail
	case r.detail != "":
		return types.CommandInvocationStatusFailed, r.detail
	case r.code != 0:
		return types.CommandInvocationStatusFailed, "Failed"
	default:
		return types.CommandInvocationStatusSuccess, "Success"
	}
}

func (c *cloud) outcome(node string) nodeResult {
	if c.result == nil {
		return nodeResult{stdout: "hello\n"}
	}
	return c.result(node)
}

func (c *cloud) describe(cmd *cloudCommand) types.Command {
	out := types.Command{
		CommandId: aws.String(cmd.id), DocumentName: cmd.in.DocumentName, Comment: cmd.in.Comment,
		RequestedDateTime: aws.Time(cmd.sent), InstanceIds: cmd.in.InstanceIds, Parameters: cmd.in.Parameters,
		TargetCount: int32(len(cmd.ids)), Status: types.CommandStatusInProgress,
	}
	worst := types.CommandStatusSuccess
	for i := range cmd.ids {
		s, detail := c.status(cmd, i)
		state, _ := stateOf(string(s), detail)
		if !state.Final() {
			continue
		}
		out.CompletedCount++
		if state == Failed && detail == "Failed" {
			out.ErrorCount++
			worst = types.CommandStatusFailed
		}
		if state == Cancelled {
			worst = types.CommandStatusCancelled
		}
	}
	if int(out.CompletedCount) == len(cmd.ids) {
		out.Status = worst
		if len(cmd.ids) == 0 {
			out.StatusDetails = aws.String("NoInstancesInTag")
		}
	}
	if c.life > 0 && time.Since(cmd.sent) > c.life && int(out.CompletedCount) < len(cmd.ids) {
		out.Status = types.CommandStatusTimedOut
	}
	if c.word != "" {
		out.Status, out.StatusDetails = types.CommandStatus(c.word), nil
	}
	return out
}

func (c *cloud) visible(cmd *cloudCommand) bool { return time.Since(cmd.sent) >= c.lag }

func (c *cloud) ListCommands(_ context.Context, in *ssm.ListCommandsInput, _ ...func(*ssm.Options)) (*ssm.ListCommandsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.call("ListCommands"); err != nil {
		return nil, err
	}
	var all []types.Command
	for i := len(c.commands) - 1; i >= 0; i-- { // newest first
		cmd := c.commands[i]
		if !c.visible(cmd) || in.CommandId != nil && *in.CommandId != cmd.id {
			continue
		}
		all = append(all, c.describe(cmd))
	}
	page, next := paged(all, in.NextToken)
	return &ssm.ListCommandsOutput{Commands: page, NextToken: next}, nil
}

func paged[T any](all []T, token *string) ([]T, *string) {
	start, _ := strconv.Atoi(aws.ToString(token))
	end := min(start+pageSize, len(all))
	if end < len(all) {
		return all[start:end], aws.String(strconv.Itoa(end))
	}
	return all[start:end], nil
}

func (c *cloud) find(id string) *cloudCommand {
	for _, cmd := range c.commands {
		if cmd.id == id && c.visible(cmd) {
			return cmd
		}
	}
	return nil
}

func (c *cloud) ListCommandInvocations(_ context.Context, in *ssm.ListCommandInvocationsInput, _ ...func(*ssm.Options)) (*ssm.ListCommandInvocationsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.call("ListCommandInvocations"); err != nil {
		return nil, err
	}
	cmd := c.find(aws.ToString(in.CommandId))
	if cmd == nil {
		return &ssm.ListCommandInvocationsOutput{}, nil // "not yet" is an empty list, too
	}
	var indexes []int
	for i, id := range cmd.ids {
		status, _ := c.status(cmd, i)
		if (in.InstanceId == nil || *in.InstanceId == id) && (len(in.Filters) == 0 || aws.ToString(in.Filters[0].Value) == string(status)) {
			indexes = append(indexes, i)
		}
	}
	page, next := paged(indexes, in.NextToken)
	out := &ssm.ListCommandInvocationsOutput{NextToken: next}
	for _, i := range page {
		out.CommandInvocations = append(out.CommandInvocations, c.invocation(cmd, i))
	}
	return out, nil
}

func (c *cloud) invocation(cmd *cloudCommand, i int) types.CommandInvocation {
	status, detail := c.status(cmd, i)
	inv := types.CommandInvocation{
		CommandId: aws.String(cmd.id), InstanceId: aws.String(cmd.ids[i]), Status: status, StatusDetails: aws.String(detail),
	}
	r := c.outcome(cmd.ids[i])
	if status == types.CommandInvocationStatusSuccess || detail == "Failed" {
		begin := cmd.turn(i, c.work)
		inv.CommandPlugins = []types.CommandPlugin{{
			Name: aws.String("aws:runShellScript"), ResponseCode: int32(r.code), Output: aws.String(shortForm(r)),
			ResponseStartDateTime: aws.Time(begin), ResponseFinishDateTime: aws.Time(begin.Add(c.work)),
		}}
	}
	return inv
}

// shortForm joins and cuts as the agent does.
func shortForm(r nodeResult) string {
	text := r.stdout
	if r.stderr != "" {
		text += errorMark + r.stderr
	}
	if len(text) > 2500 {
		return text[:2500-len(cutShort)-1] + "\n" + cutShort
	}
	return text
}

func (c *cloud) GetCommandInvocation(_ context.Context, in *ssm.GetCommandInvocationInput, _ ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.call("GetCommandInvocation"); err != nil {
		return nil, err
	}
	cmd := c.find(aws.ToString(in.CommandId))
	if cmd == nil {
		return nil, &types.InvocationDoesNotExist{}
	}
	for i, id := range cmd.ids {
		if id == aws.ToString(in.InstanceId) {
			status, detail := c.status(cmd, i)
			r := c.outcome(id)
			return &ssm.GetCommandInvocationOutput{
				Status: status, StatusDetails: aws.String(detail), ResponseCode: int32(r.code),
				StandardOutputContent: aws.String(r.stdout), StandardErrorContent: aws.String(r.stderr),
			}, nil
		}
	}
	return nil, &types.InvocationDoesNotExist{}
}

func (c *cloud) CancelCommand(_ context.Context, in *ssm.CancelCommandInput, _ ...func(*ssm.Options)) (*ssm.CancelCommandOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.call("CancelCommand"); err != nil {
		return nil, err
	}
	cmd := c.find(aws.ToString(in.CommandId))
	if cmd == nil {
		return nil, &types.InvalidCommandId{}
	}
	if cmd.cancelled.IsZero() {
		cmd.cancelled = time.Now()
	}
	return &ssm.CancelCommandOutput{}, nil
}

// busiest returns the most calls made in any minute.
func (c *cloud) busiest() int {
	most, from := 0, 0
	for i, t := range c.calls {
		for t.Sub(c.calls[from]) >= time.Minute {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// atOnce returns the most nodes of all commands that were at work together.
func (c *cloud) atOnce() int {
	moves := make(map[time.Time]int)
	for _, cmd := range c.commands {
		for i := range cmd.ids {
			begin := cmd.turn(i, c.work)
			moves[begin]++
			moves[begin.Add(c.work)]--
		}
	}
	most, now := 0, 0
	for _, t := range sortedTimes(moves) {
		now += moves[t]
		most = max(most, now)
	}
	return most
}

func nodes(n int, platform string) []fleet.Node {
	out := make([]fleet.Node, n)
	for i := range out {
		out[i] = fleet.Node{ID: fmt.Sprintf("i-%s%04d", platform[:1], i), Name: fmt.Sprintf("%s-%d", platform, i), Platform: platform, Ping: "online"}
	}
	return out
}

func idsOf(nodes []fleet.Node) []string {
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
	}
	return ids
}

// selected is a selection by ids.
func selected(groups ...[]fleet.Node) fleet.Selection {
	var sel fleet.Selection
	for _, g := range groups {
		sel.Nodes = append(sel.Nodes, g...)
		sel.InstanceIDs = append(sel.InstanceIDs, idsOf(g)...)
	}
	return sel
}

// recorder keeps the events of a run and its board.
type recorder struct {
	board  Board
	events []Event
}

func (r *recorder) emit(e Event) {
	r.board.Apply(e)
	r.events = append(r.events, e)
}

func (r *recorder) kinds() string {
	var b strings.Builder
	for _, e := range r.events {
		fmt.Fprintf(&b, "%s ", e.Kind)
	}
	return strings.TrimSpace(b.String())
}

func (r *recorder) notices(k NoticeKind) []Notice {
	var out []Notice
	for _, e := range r.events {
		if e.Kind == Noticed && e.Notice.Kind == k {
			out = append(out, *e.Notice)
		}
	}
	return out
}

// diff shows both sides when they differ, and is "" when they do not.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	show := func(v any) string {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Sprintf("%#v", v)
		}
		return string(b)
	}
	return fmt.Sprintf("got  %s\nwant %s", show(got), show(want))
}

func wantKind(t *testing.T, err error, kind interface{ String() string }, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("got error %v, want one with %q", err, text)
	}
	if got := kindName(err); got != kind.String() {
		t.Errorf("got kind %s of %v, want %s", got, err, kind)
	}
}

// errDenied is a policy that says no.
var errDenied = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: it"}
