package world

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Job is one order of Run Command for a real agent. Its id is also that of the
// message which carries it over the older path.
type Job struct {
	ID      string // "aws.ssm.<command id>.<instance id>"
	Topic   string // "aws.ssm.sendCommand.<region>", "aws.ssm.cancelCommand.<region>"
	Content string // JSON text
	Created time.Time
}

// The topics of jobs, to which the Region is added.
const (
	topicSend   = "aws.ssm.sendCommand"
	topicCancel = "aws.ssm.cancelCommand"
)

const (
	// resendJob is after how long a job without an acknowledgement is sent again.
	resendJob = 15 * time.Second
	// cancelWait is how long an agent may take to end what is cancelled.
	cancelWait = 30 * time.Second
)

// What agents answer to a job that is theirs: taken, taken before, not now
// (agent/messageservice/interactor of amazon-ssm-agent).
const (
	ackTaken     = "200"
	ackDuplicate = "51405"
	ackFull      = "51402"
)

// job is one on its way and at work. It is guarded by the World's lock.
type job struct {
	Job
	hidden time.Time     // until then it is not given out again
	given  bool          // the agent may have it, acknowledged or not
	over   bool          // it is cancelled, and not given out any more
	acked  bool          // the agent has it
	ended  bool          // there is nothing more to come
	status string        // how it ended: a documentStatus, or Undeliverable
	ready  chan struct{} // closed and replaced when the fields above change
}

func (j *job) kick() {
	close(j.ready)
	j.ready = make(chan struct{})
}

// end notes how the job ended, once: the final reply may come before others.
func (j *job) end(status string) {
	if !j.ended {
		j.acked, j.ended, j.status = true, true, status
	}
}

// deliverToAgent gives a command to the real agent of a node and follows it to
// its end.
func (w *World) deliverToAgent(c *command, inv *invocation) {
	w.mu.Lock()
	a := inv.node.agent
	if final(inv.Status) {
		w.mu.Unlock()
		return
	}
	content, err := c.jobContent()
	if err != nil {
		inv.Trace = err.Error()
		w.finish(c, inv, statusFailed, statusFailed)
		w.mu.Unlock()
		return
	}
	j := &job{Job: Job{ID: "aws.ssm." + c.ID + "." + inv.NodeID, Topic: topicSend + "." + w.sc.Region, Content: content, Created: w.now()}, ready: make(chan struct{})}
	inv.job = j
	a.outbox = append(a.outbox, j)
	a.kick()
	w.mu.Unlock()
	status, details := w.followJob(c, inv, a, j)
	w.mu.Lock()
	defer w.mu.Unlock()
	a.drop(j)
	w.finish(c, inv, status, details)
}

// drop takes a job out of the outbox. Callers hold w.mu.
func (a *realAgent) drop(j *job) {
	a.outbox = slices.DeleteFunc(a.outbox, func(o *job) bool { return o == j })
}

// followJob sends a job until the agent has it and waits for its end.
func (w *World) followJob(c *command, inv *invocation, a *realAgent, j *job) (status, details string) {
	late := time.NewTimer(delayedAfter)
	defer late.Stop()
	again := time.NewTicker(resendJob)
	defer again.Stop()
	cancelled := inv.ctx.Done()
	var giveUp <-chan time.Time
	for {
		over, status, details, changed, ready := w.lookAtJob(c, inv, a, j)
		if over {
			return status, details
		}
		select {
		case <-changed:
		case <-ready:
		case <-again.C:
		case <-late.C:
			w.mark(c, inv, statusDelayed)
		case <-cancelled:
			cancelled = nil
			if !w.cancelJob(a, inv, j) {
				return statusCancelled, statusCancelled
			}
			t := time.NewTimer(cancelWait)
			defer t.Stop()
			giveUp = t.C
		case <-giveUp:
			return statusCancelled, statusCancelled
		case <-c.expired.ring:
			w.mu.Lock()
			acked := j.acked
			w.mu.Unlock()
			if acked {
				return statusTimedOut, detailExecution
			}
			return statusTimedOut, detailDelivery
		case <-a.gone:
			return statusFailed, detailUndeliverable
		case <-w.ctx.Done():
			return statusCancelled, statusCancelled
		}
	}
}

// lookAtJob does what is due for a job: it sends it over the control channel if
// there is one, and says when there is something to look at again.
func (w *World) lookAtJob(c *command, inv *invocation, a *realAgent, j *job) (over bool, status, details string, changed, ready <-chan struct{}) {
	w.mu.Lock()
	now := w.clock.Real()
	changed, ready = a.changed, j.ready
	send := !j.ended && !j.acked && !j.over && a.connected && !now.Before(j.hidden)
	if send {
		j.given = true
		j.hidden = now.Add(resendJob - time.Second) // gone by when it is looked at again
	}
	if j.acked && (inv.Status == statusPending || inv.Status == statusDelayed) {
		inv.Status, inv.Details = statusInProgress, statusInProgress
		if c.Status == statusPending {
			c.Status, c.Details = statusInProgress, statusInProgress
		}
	}
	if j.ended {
		status, details = outcomeOf(j.status)
		w.mu.Unlock()
		return true, status, details, nil, nil
	}
	w.mu.Unlock()
	if send && w.agents.SendJob(inv.NodeID, j.Job) != nil {
		w.mu.Lock()
		j.given, j.hidden = false, time.Time{} // the channel has just gone: the older path may have it
		w.mu.Unlock()
	}
	return false, "", "", changed, ready
}

// outcomeOf translates the status of a document on an agent.
func outcomeOf(document string) (status, details string) {
	switch document {
	case statusSuccess, statusCancelled:
		return document, document
	case statusTimedOut:
		return statusTimedOut, detailExecution
	case detailUndeliverable:
		return statusFailed, detailUndeliverable
	}
	return statusFailed, statusFailed
}

// cancelJob asks the agent to end a job. It reports false when the agent does
// not have it: then it never will. One that is on its way may have arrived.
func (w *World) cancelJob(a *realAgent, inv *invocation, j *job) bool {
	w.mu.Lock()
	a.drop(j)
	j.over = true
	if !j.given {
		w.mu.Unlock()
		return false
	}
	content, err := json.Marshal(map[string]string{"CancelMessageId": j.ID})
	if err != nil {
		panic(err) // texts always encode
	}
	cancel := &job{
		Job:   Job{ID: "aws.ssm." + newUUID() + "." + inv.NodeID, Topic: topicCancel + "." + w.sc.Region, Content: string(content), Created: w.now()},
		ready: make(chan struct{}),
	}
	connected := a.connected
	if !connected {
		a.outbox = append(a.outbox, cancel)
		a.kick()
	}
	w.mu.Unlock()
	if connected {
		_ = w.agents.SendJob(inv.NodeID, cancel.Job) // a channel that has just gone: the job runs to its end
	}
	return true
}

// jobContent is what an agent is told to do: the document and its parameters.
func (c *command) jobContent() (string, error) {
	document := json.RawMessage(c.version.Content)
	if c.version.Format == "YAML" {
		var v any
		if err := yaml.Load([]byte(c.version.Content), &v); err != nil {
			return "", err
		}
		var err error
		if document, err = json.Marshal(v); err != nil {
			return "", err
		}
	}
	parameters := map[string]any{}
	for name, values := range c.args {
		if c.body.isList(name) {
			parameters[name] = values
		} else {
			parameters[name] = strings.Join(values, " ")
		}
	}
	logs := "false" // agents want text
	if c.LogGroup != "" {
		logs = "true"
	}
	text, err := json.Marshal(struct {
		Parameters              map[string]any
		DocumentContent         json.RawMessage
		CommandId, DocumentName string //nolint:revive // the wire's own spelling
		OutputS3KeyPrefix       string
		OutputS3BucketName      string
		CloudWatchLogGroupName  string
		CloudWatchOutputEnabled string
	}{parameters, document, c.ID, c.DocumentName, c.S3Prefix, c.S3Bucket, c.LogGroup, logs})
	return string(text), err
}

// findJob finds a job of a node by its id. Callers hold w.mu.
func (w *World) findJob(node, id string) (*realAgent, *command, *invocation, *job) {
	n, ok := w.nodes[node]
	if !ok || n.agent == nil {
		return nil, nil, nil, nil
	}
	rest, _ := strings.CutPrefix(id, "aws.ssm.")
	if c, ok := w.commands[strings.TrimSuffix(rest, "."+node)]; ok {
		for _, inv := range c.invocations {
			if inv.NodeID == node && inv.job != nil && inv.job.ID == id {
				return n.agent, c, inv, inv.job
			}
		}
	}
	for _, j := range n.agent.outbox { // a cancellation belongs to no invocation
		if j.ID == id {
			return n.agent, nil, nil, j
		}
	}
	return n.agent, nil, nil, nil
}

// JobAcknowledged notes that an agent has taken a job, or why not. It reports
// whether there is such a job.
func (w *World) JobAcknowledged(node, id, status, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, _, inv, j := w.findJob(node, id)
	if j == nil {
		return false
	}
	switch status {
	case ackTaken, ackDuplicate:
		j.acked = true
		a.drop(j)
	case ackFull:
		j.given, j.hidden = false, w.clock.Real().Add(resendJob)
	default:
		if inv != nil {
			inv.Trace = "the agent refused the command: " + strings.TrimSpace(status+" "+text)
		}
		j.end(statusFailed)
		a.drop(j)
	}
	j.kick()
	return true
}

// agentReply is what an agent says about a command at work
// (agent/runcommand/reply of amazon-ssm-agent).
type agentReply struct {
	DocumentStatus string               `json:"documentStatus"`
	Trace          string               `json:"documentTraceOutput"`
	Steps          map[string]agentStep `json:"runtimeStatus"`
}

type agentStep struct {
	Status string `json:"status"`
	Code   int    `json:"code"`
	Output string `json:"output"`
	Start  string `json:"startDateTime"`
	End    string `json:"endDateTime"`
	Stdout string `json:"standardOutput"`
	Stderr string `json:"standardError"`
}

// result is what the step did, in the service's words.
func (s agentStep) result(name string) PluginResult {
	status, details := s.Status, s.Status
	if status == statusTimedOut {
		details = detailExecution
	}
	stdout := s.Stdout
	if stdout == "" && s.Stderr == "" {
		stdout = s.Output
	}
	start, _ := time.Parse(time.RFC3339, s.Start) // zero when it has none
	end, _ := time.Parse(time.RFC3339, s.End)
	return PluginResult{
		Name: name, Status: status, Details: details, Code: s.Code, Start: start, Finish: end,
		Stdout: cut(stdout, maxStdout), Stderr: cut(s.Stderr, maxStderr),
	}
}

// JobReplied notes what an agent says about a job. A final status is never gone
// back from: the last reply can overtake the one before. It reports whether
// there is such a job and the reply can be read.
func (w *World) JobReplied(node, id, content string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, c, inv, j := w.findJob(node, id)
	if j == nil {
		return false
	}
	var r agentReply
	if json.Unmarshal([]byte(content), &r) != nil {
		return false
	}
	j.acked = true
	a.drop(j)
	defer j.kick()
	if inv == nil || j.ended || final(inv.Status) {
		return true
	}
	if r.Trace != "" {
		inv.Trace = r.Trace
	}
	var results []PluginResult
	for _, step := range c.body.steps() {
		if s, ok := r.Steps[step.Name]; ok {
			results = append(results, s.result(step.Name))
		}
	}
	if len(results) >= len(inv.Plugins) {
		inv.Plugins = results
	}
	switch r.DocumentStatus {
	case statusInProgress, "SuccessAndReboot", "PassedAndReboot", "": // it goes on after the reboot
	default:
		j.end(r.DocumentStatus)
	}
	return true
}

// NextMessage waits until there is a job for the agent of a node and gives it
// out; again, when it is not acknowledged, after visibility. It returns false
// when ctx ends first.
func (w *World) NextMessage(ctx context.Context, node string, visibility time.Duration) (Job, bool) {
	tick := time.NewTicker(time.Second) // what was given out becomes visible without a word
	defer tick.Stop()
	for {
		w.mu.Lock()
		n, ok := w.nodes[node]
		if !ok || n.agent == nil {
			w.mu.Unlock()
			return Job{}, false
		}
		a, now := n.agent, w.clock.Real()
		for _, j := range a.outbox {
			if !j.acked && !now.Before(j.hidden) {
				j.given, j.hidden = true, now.Add(visibility)
				w.mu.Unlock()
				return j.Job, true
			}
		}
		changed := a.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-tick.C:
		case <-a.gone:
			return Job{}, false
		case <-ctx.Done():
			return Job{}, false
		case <-w.polls.Done():
			return Job{}, false
		case <-w.ctx.Done():
			return Job{}, false
		}
	}
}

// EndPolls lets those who wait for messages go, so that a server can close.
func (w *World) EndPolls() { w.endPolls() }
