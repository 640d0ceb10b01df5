package agenttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// work is a command that runs.
type work struct{ cancel context.CancelFunc }

// order is the content of a job.
type order struct {
	Parameters      map[string]any
	DocumentContent struct {
		MainSteps     []documentStep `json:"mainSteps"`
		RuntimeConfig map[string]struct {
			Properties []map[string]any `json:"properties"`
		} `json:"runtimeConfig"`
	}
	CommandID       string `json:"CommandId"`
	CancelMessageID string `json:"CancelMessageId"`
	// Real agents refuse a content that has a boolean here.
	CloudWatchOutputEnabled string
}

// documentStep is a step of a document.
type documentStep struct {
	Action string         `json:"action"`
	Name   string         `json:"name"`
	Inputs map[string]any `json:"inputs"`
}

// steps are those of a document of either schema.
func (o order) steps() []documentStep {
	steps := o.DocumentContent.MainSteps
	for action, c := range o.DocumentContent.RuntimeConfig {
		for _, inputs := range c.Properties {
			steps = append(steps, documentStep{action, action, inputs})
		}
	}
	return steps
}

// job takes an order from the control channel.
func (c *control) job(ctx context.Context, group *sync.WaitGroup, m wire.Message) {
	var j struct{ JobId, Topic, Content string } //nolint:revive // the wire's own spelling
	if json.Unmarshal(m.Payload, &j) != nil {
		return
	}
	if c.a.cfg.Orders != nil {
		c.a.cfg.Orders(j.Content)
	}
	status, text := "200", "Successful"
	var o order
	topic, known := topicOf(j.Topic)
	switch err := json.Unmarshal([]byte(j.Content), &o); {
	case err != nil:
		status, text = "51408", "parse error: "+err.Error()
	case !known:
		status, text = "51403", "unexpected document type"
	case topic == "aws.ssm.sendCommand" && !c.a.begin(j.JobId):
		status, text = "51405", "duplicate command"
	}
	c.send(ctx, wire.AgentJobAck, map[string]string{
		"jobId": j.JobId, "acknowledgedMessageId": m.ID.String(), "createdDate": now(), "statusCode": status, "errorMessage": text,
	})
	if status != "200" {
		return
	}
	reply := func(r reply) {
		c.send(ctx, wire.AgentJobReply, map[string]any{"schemaVersion": 1, "jobId": j.JobId, "content": r.text(), "topic": topic})
	}
	group.Go(func() { c.a.work(ctx, j.JobId, o, reply) })
}

// topicOf is a topic without its Region.
func topicOf(topic string) (string, bool) {
	for _, t := range []string{"aws.ssm.sendCommand", "aws.ssm.cancelCommand"} {
		if strings.HasPrefix(topic, t+".") {
			return t, true
		}
	}
	return topic, false
}

// begin notes a command, once.
func (a *Agent) begin(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.jobs[id]; known {
		return false
	}
	a.jobs[id] = &work{cancel: func() {}}
	return true
}

// reply is what the agent says about a command.
type reply struct {
	status string
	steps  map[string]step
	mds    bool
}

type step struct {
	Status   string `json:"status"`
	Code     int    `json:"code"`
	Name     string `json:"name"`
	Output   string `json:"output"`
	Start    string `json:"startDateTime"`
	End      string `json:"endDateTime"`
	Bucket   string `json:"outputS3BucketName"`
	Prefix   string `json:"outputS3KeyPrefix"`
	StepName string `json:"stepName"`
	Stdout   string `json:"standardOutput"`
	Stderr   string `json:"standardError"`
}

// text is the reply as it is sent, in the agent's order of members.
func (r reply) text() string {
	counts := map[string]int{}
	for _, s := range r.steps {
		counts[s.Status]++
	}
	info := struct {
		Agent  map[string]string `json:"agent"`
		Date   string            `json:"dateTime"`
		RunID  string            `json:"runId"`
		Counts map[string]int    `json:"runtimeStatusCounts"`
		Able   *bool             `json:"ableToOpenMGSConnection,omitempty"`
	}{Agent: map[string]string{"lang": "en-US", "name": "amazon-ssm-agent", "os": "linux", "osver": "1", "ver": "3.3.0.0"}, Date: now()}
	if r.steps != nil {
		info.Counts = counts
	}
	if r.mds {
		able := false
		info.Able = &able
	}
	text, err := json.Marshal(struct {
		Info   any             `json:"additionalInfo"`
		Status string          `json:"documentStatus"`
		Trace  string          `json:"documentTraceOutput"`
		Steps  map[string]step `json:"runtimeStatus"`
	}{info, r.status, "", r.steps})
	if err != nil {
		panic(err) // texts always encode
	}
	return string(text)
}

// work carries an order out and says how it goes.
func (a *Agent) work(ctx context.Context, id string, o order, say func(reply)) {
	if o.CancelMessageID != "" {
		say(reply{status: "InProgress"})
		a.mu.Lock()
		defer a.mu.Unlock()
		if w, ok := a.jobs[o.CancelMessageID]; ok {
			w.cancel()
		}
		return
	}
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	a.mu.Lock()
	a.jobs[id].cancel = cancel
	a.mu.Unlock()
	say(reply{status: "InProgress"})
	steps, status := map[string]step{}, "Success"
	var last reply
	for _, s := range o.steps() {
		if s.Action != "aws:runShellScript" {
			continue // as on a Linux node with another's precondition
		}
		if last.steps != nil {
			say(last)
		}
		r := a.runStep(run, lines(s.Inputs["runCommand"], o.Parameters))
		r.Name = s.Action
		steps[s.Name] = r
		if r.Status != "Success" {
			status = r.Status
		}
		last = reply{status: "InProgress", steps: clone(steps)}
	}
	final := reply{status: status, steps: steps}
	if a.cfg.FinalFirst {
		say(final)
		say(last)
		return
	}
	say(last)
	say(final)
}

func clone(m map[string]step) map[string]step {
	c := map[string]step{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

// lines fills the placeholder of a step's input.
func lines(input any, parameters map[string]any) string {
	text, ok := input.(string)
	if !ok {
		return fmt.Sprint(input)
	}
	value := parameters[strings.TrimSpace(strings.Trim(text, "{} "))]
	list, _ := value.([]any)
	var all []string
	for _, l := range list {
		all = append(all, fmt.Sprint(l))
	}
	return strings.Join(all, "\n")
}

// runStep runs a script and describes it as the agent does.
func (a *Agent) runStep(ctx context.Context, script string) step {
	s := step{Start: now(), Status: "Success"}
	var stdout, stderr bytes.Buffer
	code, err := a.cfg.Machine.Run(ctx, shell.Command{Script: script, Elevated: true}, shell.IO{Stdout: &stdout, Stderr: &stderr})
	s.Code, s.End, s.Stdout, s.Stderr = code, now(), stdout.String(), stderr.String()
	switch {
	case ctx.Err() != nil:
		s.Status, s.Code = "Cancelled", 137
	case err != nil:
		s.Status, s.Code, s.Stderr = "Failed", 1, s.Stderr+"failed to run commands: "+err.Error()
	case code != 0:
		s.Status, s.Stderr = "Failed", s.Stderr+fmt.Sprintf("failed to run commands: exit status %d", code)
	}
	s.Output = s.Stdout
	if s.Stderr != "" {
		s.Output += "\n----------ERROR-------\n" + s.Stderr
	}
	return s
}

// poll asks for messages on the older path until ctx is done.
func (a *Agent) poll(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	for ctx.Err() == nil {
		var out struct {
			Messages []struct{ MessageId, Payload, Topic string } //nolint:revive // the wire's own spelling
		}
		err := a.Call(ctx, "EC2WindowsMessageDeliveryService.GetMessages", map[string]any{
			"Destination": a.ID, "MessagesRequestId": newUUID(), "VisibilityTimeoutInSeconds": 10,
		}, &out)
		if err != nil {
			var refused *Error
			if errors.As(err, &refused) || ctx.Err() != nil {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		for _, m := range out.Messages {
			a.message(ctx, &group, m.MessageId, m.Payload)
		}
	}
}

// message takes an order from message delivery.
func (a *Agent) message(ctx context.Context, group *sync.WaitGroup, id, payload string) {
	if a.cfg.Orders != nil {
		a.cfg.Orders(payload)
	}
	var o order
	if json.Unmarshal([]byte(payload), &o) != nil {
		_ = a.Call(ctx, "EC2WindowsMessageDeliveryService.FailMessage", map[string]string{"MessageId": id, "FailureType": "InvalidDocument"}, nil)
		return
	}
	if o.CancelMessageID == "" && !a.begin(id) {
		return
	}
	_ = a.Call(ctx, "EC2WindowsMessageDeliveryService.AcknowledgeMessage", map[string]string{"MessageId": id}, nil)
	group.Go(func() {
		a.work(ctx, id, o, func(r reply) {
			r.mds = true
			_ = a.Call(ctx, "EC2WindowsMessageDeliveryService.SendReply", map[string]string{"MessageId": id, "Payload": r.text(), "ReplyId": newUUID()}, nil)
		})
	})
}
