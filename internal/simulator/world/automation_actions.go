package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// branchOutput is where aws:branch puts the step that it chose.
const branchOutput = " next"

// act does what a step is for and returns its outputs.
func (w *World) act(ctx context.Context, a *Automation, i int, s Step, in map[string]any) (map[string][]string, error) {
	switch s.Action {
	case "aws:sleep":
		return nil, w.actSleep(ctx, a, in)
	case "aws:pause":
		_, err := w.await(ctx, a, i, "Resume")
		return nil, err
	case "aws:approve":
		return w.actApprove(ctx, a, i, in)
	case "aws:runCommand":
		return w.actRunCommand(ctx, in)
	case "aws:executeAutomation":
		return w.child(ctx, AutomationRequest{
			DocumentName: text(in["DocumentName"]), Version: text(in["DocumentVersion"]), Parameters: argumentLists(in["RuntimeParameters"]),
			ExecutedBy: a.ExecutedBy, Parent: a.ID,
		})
	case "aws:branch":
		next := chooseStep(in)
		if next == "" && !s.IsEnd {
			return nil, errors.New("no choice is true and there is no default")
		}
		return map[string][]string{branchOutput: {next}}, nil
	}
	if !imagined[s.Action] {
		return nil, fmt.Errorf("the simulator has no action %s", s.Action)
	}
	outputs := map[string][]string{}
	for _, o := range s.Outputs {
		outputs[o.Name] = []string{"simulated-" + o.Name}
	}
	return outputs, nil
}

// imagined are the actions that always succeed without doing anything. Each of
// their outputs is simulated-NAME.
var imagined = map[string]bool{
	"aws:assertAwsResourceProperty": true, "aws:waitForAwsResourceProperty": true, "aws:executeAwsApi": true, "aws:executeScript": true,
	"aws:changeInstanceState": true, "aws:copyImage": true, "aws:createImage": true, "aws:createStack": true, "aws:createTags": true,
	"aws:deleteImage": true, "aws:deleteStack": true, "aws:executeStateMachine": true, "aws:invokeLambdaFunction": true,
	"aws:invokeWebhook": true, "aws:runInstances": true, "aws:updateVariable": true,
}

// isoDuration is what aws:sleep takes: PT10M, P1DT2H.
var isoDuration = pattern.Lazy(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

func parseISODuration(s string) (time.Duration, error) {
	m := isoDuration().FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return 0, fmt.Errorf("%q is not a duration such as PT10M", s)
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, err := strconv.Atoi("0" + m[i+1])
		if err != nil || n > 1_000_000 {
			return 0, fmt.Errorf("%q is too long", s)
		}
		d += time.Duration(n) * unit
	}
	return d, nil
}

func (w *World) actSleep(ctx context.Context, a *Automation, in map[string]any) error {
	d, err := time.Duration(0), error(nil)
	if at := text(in["Timestamp"]); at != "" {
		var t time.Time
		if t, err = time.Parse(time.RFC3339, at); err == nil {
			d = t.Sub(w.now())
		}
	} else {
		d, err = parseISODuration(text(in["Duration"]))
	}
	if err != nil {
		return err
	}
	over := w.clock.alarm(w.now().Add(d))
	defer over.stop()
	for {
		s, err := a.signalled(ctx, over.ring)
		switch {
		case err != nil:
			return err
		case s.kind == "StopStep":
			return errStepStopped
		case over.rung():
			return nil
		}
	}
}

// signalled waits for a signal, for over, or for the end of ctx.
func (a *Automation) signalled(ctx context.Context, over <-chan struct{}) (signal, error) {
	defer park(ctx, func() bool { return len(a.signals) > 0 || closed(over) || ctx.Err() != nil })()
	select {
	case s := <-a.signals:
		return s, nil
	case <-over:
		return signal{}, nil
	case <-ctx.Done():
		return signal{}, ctx.Err()
	}
}

// await marks a step Waiting until one of the signals comes.
func (w *World) await(ctx context.Context, a *Automation, i int, kinds ...string) (signal, error) {
	mark := func(status string) {
		w.update(func() {
			a.Steps[i].Status = status
			if a.ctx.Err() == nil {
				a.Status = status
			}
		})
	}
	mark(statusWaiting)
	defer mark(statusInProgress)
	for {
		s, err := a.signalled(ctx, nil)
		switch {
		case err != nil:
			return s, err
		case s.kind == "StopStep":
			return s, errStepStopped
		case slices.Contains(kinds, s.kind):
			return s, nil
		}
	}
}

// actApprove waits for as many approvals as the step wants, or for one refusal.
func (w *World) actApprove(ctx context.Context, a *Automation, i int, in map[string]any) (map[string][]string, error) {
	wanted := max(1, whole(in["MinRequiredApprovals"]))
	decisions, approvers := []string{}, []string{}
	for len(approvers) < wanted {
		if a.AutoApprove {
			break
		}
		s, err := w.await(ctx, a, i, "Approve", "Reject", "Revoke")
		if err != nil {
			return nil, err
		}
		decisions = append(decisions, fmt.Sprintf(`{"approver":%q,"decision":%q}`, s.by, s.kind))
		if s.kind != "Approve" {
			return map[string][]string{"ApprovalStatus": {"Rejected"}, "ApproverDecisions": decisions}, errors.New("the request was rejected by " + s.by)
		}
		if !slices.Contains(approvers, s.by) {
			approvers = append(approvers, s.by)
		}
	}
	return map[string][]string{"ApprovalStatus": {"Approved"}, "ApproverDecisions": decisions}, nil
}

// argumentLists turns parameters in a document into those of a request: every
// value is a list of texts.
func argumentLists(v any) map[string][]string {
	m, _ := v.(map[string]any)
	out := map[string][]string{}
	for name, value := range m {
		out[name] = textList(value)
	}
	return out
}

// actRunCommand sends a command and waits for its end.
func (w *World) actRunCommand(ctx context.Context, in map[string]any) (map[string][]string, error) {
	r := CommandRequest{
		DocumentName: text(in["DocumentName"]), DocumentVersion: text(in["DocumentVersion"]), Comment: text(in["Comment"]),
		Parameters: argumentLists(in["Parameters"]), MaxConcurrency: text(in["MaxConcurrency"]), MaxErrors: text(in["MaxErrors"]),
		Timeout: time.Duration(whole(in["TimeoutSeconds"])) * time.Second,
	}
	if in["InstanceIds"] != nil {
		r.InstanceIDs = textList(in["InstanceIds"])
	}
	targets, _ := in["Targets"].([]any)
	for _, t := range targets {
		m, _ := t.(map[string]any)
		key, values := m["Key"], m["Values"]
		if key == nil {
			key, values = m["key"], m["values"]
		}
		r.Targets = append(r.Targets, Target{Key: text(key), Values: textList(values)})
	}
	cmd, err := w.SendCommand(r)
	if err != nil {
		return nil, err
	}
	status, err := w.commandEnd(ctx, cmd.ID)
	if err != nil {
		return nil, err
	}
	outputs := map[string][]string{"CommandId": {cmd.ID}, "Status": {status}, "ResponseCode": {"0"}}
	for _, inv := range w.Invocations(cmd.ID) {
		for _, p := range inv.Plugins {
			outputs["Output"] = append(outputs["Output"], p.Output())
			if p.Code != 0 {
				outputs["ResponseCode"] = []string{itoa(p.Code)}
			}
		}
	}
	if status != statusSuccess {
		return outputs, fmt.Errorf("command %s ended with status %s", cmd.ID, status)
	}
	return outputs, nil
}

// commandEnd waits until a command has ended; the command ends with ctx.
func (w *World) commandEnd(ctx context.Context, id string) (status string, err error) {
	var c *command
	w.update(func() { c = w.commands[id] })
	if c == nil { // it has ended, and so long ago that it is forgotten
		return "", nil
	}
	until(ctx, c.done)
	if !closed(c.done) {
		return "", errors.Join(ctx.Err(), w.CancelCommand(id, nil))
	}
	w.update(func() { status = c.Status })
	return status, nil
}

// chooseStep is the step that aws:branch goes on with: that of the first choice
// whose comparison is true, else the default.
func chooseStep(in map[string]any) string {
	choices, _ := in["Choices"].([]any)
	for _, c := range choices {
		choice, _ := c.(map[string]any)
		if holds(choice) {
			return text(choice["NextStep"])
		}
	}
	return text(in["Default"])
}

// holds evaluates a choice: comparisons, And, Or, Not.
func holds(choice map[string]any) bool {
	each := func(name string) (list []map[string]any) {
		items, _ := choice[name].([]any)
		for _, i := range items {
			m, _ := i.(map[string]any)
			list = append(list, m)
		}
		return list
	}
	if not, ok := choice["Not"].(map[string]any); ok {
		return !holds(not)
	}
	if and := each("And"); and != nil {
		for _, c := range and {
			if !holds(c) {
				return false
			}
		}
		return true
	}
	for _, c := range each("Or") {
		if holds(c) {
			return true
		}
	}
	have := text(choice["Variable"])
	x, errX := strconv.ParseFloat(have, 64)
	for name, v := range choice {
		want := text(v)
		y, errY := strconv.ParseFloat(want, 64)
		numbers := errX == nil && errY == nil
		switch name {
		case "StringEquals", "BooleanEquals":
			return have == want
		case "EqualsIgnoreCase":
			return strings.EqualFold(have, want)
		case "StartsWith":
			return strings.HasPrefix(have, want)
		case "EndsWith":
			return strings.HasSuffix(have, want)
		case "Contains":
			return strings.Contains(have, want)
		case "NumericEquals":
			return numbers && x == y
		case "NumericGreater":
			return numbers && x > y
		case "NumericLesser":
			return numbers && x < y
		case "NumericGreaterOrEquals":
			return numbers && x >= y
		case "NumericLesserOrEquals":
			return numbers && x <= y
		}
	}
	return false
}
