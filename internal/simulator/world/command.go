package world

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// commandHistory is how many finished commands are kept, commandMemory how many bytes
// they take together at most, those of the last hour apart, which clients still read,
// commandAge for how long: the service's 30 days, by the world's clock. One run on
// 10,000 node ids is 200 commands; a window that scans as many nodes daily would have
// 300,000 invocations, each of several KB.
const (
	commandHistory = 2000
	commandMemory  = 256 << 20
	commandAge     = 30 * 24 * time.Hour
)

// invocationSize and stepSize are about what an invocation and each of its steps take
// without output.
const (
	invocationSize = 1 << 10
	stepSize       = 256
)

// defaultDelivery is TimeoutSeconds when a request has none.
const defaultDelivery = time.Hour

// Words of statuses and status details, as they are on the wire.
const (
	statusPending    = "Pending"
	statusInProgress = "InProgress"
	statusDelayed    = "Delayed"
	statusSuccess    = "Success"
	statusCancelling = "Cancelling"
	statusCancelled  = "Cancelled"
	statusFailed     = "Failed"
	statusTimedOut   = "TimedOut"

	detailDelivery   = "DeliveryTimedOut"
	detailExecution  = "ExecutionTimedOut"
	detailTerminated = "Terminated"
	detailPlatform   = "InvalidPlatform"
	detailIncomplete = "Incomplete"
	detailNoTargets  = "NoInstancesInTag"

	detailUndeliverable = "Undeliverable"
)

// CommandRequest is what SendCommand is given, its fields already valid by
// themselves.
type CommandRequest struct {
	DocumentName, DocumentVersion  string
	DocumentHash, DocumentHashType string
	Comment                        string
	Parameters                     map[string][]string
	InstanceIDs                    []string
	Targets                        []Target
	Timeout                        time.Duration // for delivery; 0: an hour
	MaxConcurrency, MaxErrors      string        // 50 and 0 when empty

	// Where the agents put the whole output; nowhere when empty.
	S3Bucket, S3Prefix, LogGroup string
}

// Command is a command as ListCommands tells of it.
type Command struct {
	CommandRequest
	ID                  string
	Requested, Expires  time.Time
	Status, Details     string
	Total, Completed    int // invocations; those in a final state
	Errors, Undelivered int // failed or timed out in execution; delivery timed out
}

// Invocation is a command on one node.
type Invocation struct {
	CommandID, NodeID, NodeName   string
	DocumentName, DocumentVersion string
	Comment                       string
	Requested                     time.Time
	Status, Details, Trace        string
	Plugins                       []PluginResult // one for each step, as they finish
}

// PluginResult is what a step of a document did on one node.
type PluginResult struct {
	Name            string
	Status, Details string
	Code            int
	Start, Finish   time.Time
	Stdout, Stderr  string // cut as the service cuts them
	// StdoutURL and StderrURL are where S3 has everything, if a bucket was named.
	StdoutURL, StderrURL string
}

type command struct {
	Command
	version     DocumentVersion
	body        *Body
	args        map[string][]string
	invocations []*invocation // in the order in which they are sent
	size        int           // in bytes, of what has ended
	cancelled   bool          // CancelCommand came
	sent        time.Time     // in real time
	expired     *alarm        // for Expires
	done        chan struct{} // closed when every invocation has ended
	then        func()        // called when it has; may be nil
}

type invocation struct {
	Invocation
	node   *Node
	job    *job // for a real agent, once it is on its way
	ctx    context.Context
	cancel context.CancelFunc
}

// final reports whether a status is one that never changes.
func final(status string) bool {
	switch status {
	case statusSuccess, statusCancelled, statusFailed, statusTimedOut:
		return true
	}
	return false
}

// SendCommand starts a command and returns it as it is at the start. Its errors
// are those of the API operation.
func (w *World) SendCommand(r CommandRequest) (Command, error) { return w.sendCommand(r, nil) }

// sendCommand has then called, with w.mu held, when every invocation has ended.
func (w *World) sendCommand(r CommandRequest, then func()) (Command, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		return Command{}, Errorf("InternalServerError", "The simulator is shutting down.")
	}
	c, err := w.newCommand(r)
	if err != nil {
		return Command{}, err
	}
	c.then = then
	started := c.copy()
	if len(r.Targets) > 0 {
		started.Total = 0 // the service counts the targets later
	}
	w.commands[c.ID] = c
	w.order = append(w.order, c.ID)
	w.forgetCommands()
	if c.Total == 0 {
		// Success is the service's word even for nothing done.
		c.Status, c.Details = statusSuccess, detailNoTargets
		c.end()
		return started, nil
	}
	act := w.clock.work.begin()
	w.group.Go(func() { w.dispatch(c, act) })
	return started, nil
}

// newCommand checks the request against the documents and the fleet. Callers
// hold w.mu.
func (w *World) newCommand(r CommandRequest) (*command, error) {
	doc, err := w.document(r.DocumentName)
	if err != nil {
		return nil, err
	}
	if doc.Type != "Command" {
		return nil, Errorf("InvalidDocument", "Document %s is of type %s; only Command documents can be sent.", doc.Name, doc.Type)
	}
	v, err := doc.Version(r.DocumentVersion)
	if err != nil {
		return nil, err
	}
	if r.DocumentHash != "" && r.DocumentHashType != "Sha1" && !strings.EqualFold(r.DocumentHash, v.Hash()) {
		return nil, Errorf("InvalidDocument", "The document hash does not match that of document %s.", doc.Name)
	}
	args, err := v.Body.Arguments(r.Parameters)
	if err != nil {
		return nil, err
	}
	ids, err := w.recipients(r, v.Body)
	if err != nil {
		return nil, err
	}
	c := &command{Command: Command{CommandRequest: r, ID: newUUID(), Requested: w.now(), Status: statusPending, Details: statusPending, Total: len(ids)}, version: v, body: v.Body, args: args, sent: w.clock.Real(), done: make(chan struct{})}
	c.DocumentName = doc.Name
	if c.DocumentVersion == "" {
		c.DocumentVersion = "$DEFAULT"
	}
	fill(&c.MaxConcurrency, "50")
	fill(&c.MaxErrors, "0")
	c.Expires = c.Requested.Add(w.deliveryTimeout(r, args))
	for _, id := range ids {
		c.invocations = append(c.invocations, w.newInvocation(c, w.nodes[id]))
	}
	return c, nil
}

// deliveryTimeout is how long a command may wait: TimeoutSeconds and the
// document's executionTimeout together (User Guide, "Understanding command
// statuses").
func (w *World) deliveryTimeout(r CommandRequest, args map[string][]string) time.Duration {
	if d := w.sc.RunCommand.DeliveryTimeout; d > 0 {
		return d
	}
	d := r.Timeout
	if d == 0 {
		d = defaultDelivery
	}
	if t := args["executionTimeout"]; len(t) == 1 {
		if s, err := strconv.Atoi(t[0]); err == nil {
			d += time.Duration(s) * time.Second
		}
	}
	return d
}

// recipients returns the ids of the nodes a request goes to. Callers hold w.mu.
func (w *World) recipients(r CommandRequest, body *Body) ([]string, error) {
	if len(r.Targets) > 0 {
		for _, t := range r.Targets {
			if !t.byID() && t.Key != "tag-key" && !strings.HasPrefix(t.Key, "tag:") && !strings.HasPrefix(t.Key, "resource-groups:") {
				return nil, Errorf("ValidationException", "Target key %q is not valid.", t.Key)
			}
		}
		return w.targeted(r.Targets), nil
	}
	var bad []string
	seen := map[string]bool{}
	for _, id := range r.InstanceIDs {
		if seen[id] {
			return nil, Errorf("DuplicateInstanceId", "Duplicate instance id %s in the request.", id)
		}
		seen[id] = true
		if n, ok := w.nodes[id]; !ok || w.ping(n) != PingOnline {
			bad = append(bad, id)
		}
	}
	if len(bad) > 0 {
		return nil, Errorf("InvalidInstanceId", "Instances [[%s]] not in a valid state for account %s", strings.Join(bad, ", "), w.sc.Account)
	}
	for _, id := range r.InstanceIDs {
		if p := w.nodes[id].PlatformType(); !slices.Contains(body.Platforms(), p) {
			return nil, Errorf("UnsupportedPlatformType", "Document does not support the platform type %s of instance %s.", p, id)
		}
	}
	return r.InstanceIDs, nil
}

func (w *World) newInvocation(c *command, n *Node) *invocation {
	inv := &invocation{node: n, Invocation: Invocation{
		CommandID: c.ID, NodeID: n.ID, NodeName: n.ComputerName,
		DocumentName: c.DocumentName, DocumentVersion: c.DocumentVersion, Comment: c.Comment,
		Requested: c.Requested, Status: statusPending, Details: statusPending,
	}}
	inv.ctx, inv.cancel = context.WithCancel(w.ctx)
	return inv
}

// forgetCommands drops the oldest finished commands. Callers hold w.mu.
func (w *World) forgetCommands() {
	excess, now := len(w.order)-commandHistory, w.now()
	oldest, read := now.Add(-commandAge), now.Add(-time.Hour)
	bytes := -commandMemory
	for _, c := range w.commands {
		bytes += c.size
	}
	w.order = slices.DeleteFunc(w.order, func(id string) bool {
		c := w.commands[id]
		tooMuch := excess > 0 || bytes > 0 && c.Requested.Before(read)
		if !tooMuch && !c.Requested.Before(oldest) || !final(c.Status) {
			return false
		}
		excess--
		bytes -= c.size
		delete(w.commands, id)
		return true
	})
}

func (c *command) copy() Command {
	out := c.Command
	out.Parameters = maps.Clone(c.Parameters)
	return out
}

// end tells those who wait for the command. Callers hold w.mu.
func (c *command) end() {
	close(c.done)
	if c.then != nil {
		c.then()
	}
}

// visible reports whether the eventually consistent store shows the invocations
// of c yet; the command itself it shows at once. That takes real time, unless the
// clock was put forward by as much.
func (w *World) visible(c *command) bool {
	after := *w.sc.RunCommand.VisibleAfter
	return !w.clock.Real().Before(c.sent.Add(after)) || !w.now().Before(c.Requested.Add(after))
}

// Commands returns the commands, the latest first.
func (w *World) Commands() []Command {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Command
	for _, id := range slices.Backward(w.order) {
		list = append(list, w.commands[id].copy())
	}
	return list
}

// Invocations returns the invocations the store shows, those of the latest
// command first; with a command id only that one's.
func (w *World) Invocations(commandID string) []Invocation {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Invocation
	for _, id := range slices.Backward(w.order) {
		c := w.commands[id]
		if commandID != "" && id != commandID || !w.visible(c) {
			continue
		}
		for _, inv := range c.invocations {
			i := inv.Invocation
			i.Plugins = slices.Clone(inv.Plugins)
			list = append(list, i)
		}
	}
	return list
}

// Invocation returns what the store shows of a command on one node.
func (w *World) Invocation(commandID, nodeID string) (Invocation, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.commands[commandID]
	if !ok || !w.visible(c) {
		return Invocation{}, false
	}
	for _, inv := range c.invocations {
		if inv.NodeID == nodeID {
			i := inv.Invocation
			i.Plugins = slices.Clone(inv.Plugins)
			return i, true
		}
	}
	return Invocation{}, false
}

// StepNames returns the names of the steps of a command's document.
func (w *World) StepNames(commandID string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.commands[commandID]
	if !ok {
		return nil
	}
	var names []string
	for _, s := range c.body.steps() {
		names = append(names, s.Name)
	}
	return names
}

// CancelCommand asks to stop a command on the nodes given, or on all. It says
// nothing about success: invocations that have ended stay as they are.
func (w *World) CancelCommand(id string, nodes []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.commands[id]
	if !ok {
		return Errorf("InvalidCommandId", "")
	}
	for _, n := range nodes {
		if !slices.ContainsFunc(c.invocations, func(i *invocation) bool { return i.NodeID == n }) {
			return Errorf("InvalidInstanceId", "Instance %s is not a target of command %s.", n, id)
		}
	}
	if final(c.Status) {
		return nil
	}
	c.cancelled = true
	c.Status, c.Details = statusCancelling, statusCancelling
	for _, inv := range c.invocations {
		if len(nodes) > 0 && !slices.Contains(nodes, inv.NodeID) {
			continue
		}
		switch {
		case (inv.Status == statusPending || inv.Status == statusDelayed) && (inv.job == nil || !inv.job.given):
			w.finish(c, inv, statusCancelled, statusCancelled)
		case !final(inv.Status): // it is at work, or a real agent may have it
			inv.Status, inv.Details = statusCancelling, statusCancelling
		}
		inv.cancel()
	}
	return nil
}
