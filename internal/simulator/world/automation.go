package world

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits of Automation: executions at once and queued together (User Guide,
// "Scheduling automations with State Manager associations"), tags of one (API
// reference, StartAutomationExecution), how many are remembered.
const (
	automationLimit   = 1100
	automationTags    = 5
	automationHistory = 300
)

// The states of executions and steps beyond those of commands.
const (
	statusWaiting   = "Waiting"
	statusScheduled = "Scheduled"
)

// Automation is an execution of an Automation document.
type Automation struct {
	AutomationRequest
	ID              string
	DocumentVersion string // the number
	Status, Failure string
	Started, Ended  time.Time // Ended is zero while it runs
	Steps           []AutomationStep
	Outputs         map[string][]string
	Resolved        []string // values of the target parameter
	Tags            map[string]string

	body    *Body
	args    map[string][]string // parameters with defaults, outputs, globals
	given   *AutomationRequest  // for the client token
	signals chan signal
	ctx     context.Context
	cancel  context.CancelFunc
	finish  bool // stop after the step that runs
	ended   chan struct{}
	then    func() // called when it has ended; may be nil
}

// AutomationRequest is what StartAutomationExecution is given, its fields valid by
// themselves.
type AutomationRequest struct {
	DocumentName, Version         string
	Parameters                    map[string][]string
	ClientToken, Mode, ExecutedBy string // mode: Auto, Interactive
	TargetParameter               string
	Targets                       []Target
	TargetMaps, TargetLocations   []any
	MaxConcurrency, MaxErrors     string
	RequestTags                   map[string]string
	Parent, Target, AssociationID string
	Subtype, ChangeRequest        string // ChangeRequest, the name of one
	Runbooks                      []any
	Scheduled                     time.Time
	AutoApprove                   bool
}

// AutomationStep is a step of an execution.
type AutomationStep struct {
	ID, Name, Action    string
	Status, Failure     string
	Started, Ended      time.Time
	Code                string
	Inputs              map[string]string // JSON
	Outputs             map[string][]string
	NextStep, OnFailure string
	IsEnd, Critical     bool
	Attempts, Timeout   int // Timeout in seconds; 0: none
}

// AutomationOver reports whether a status is one that never changes.
func AutomationOver(status string) bool {
	return final(status) || status == "Rejected" || status == "CompletedWithFailure" || status == "CompletedWithSuccess"
}

// Current is the step that runs, or the last one that ran; nil before the first.
func (a *Automation) Current() *AutomationStep {
	for i := len(a.Steps) - 1; i >= 0; i-- {
		if a.Steps[i].Status != statusPending {
			return &a.Steps[i]
		}
	}
	return nil
}

// StartAutomation starts an execution. Its errors are those of the API operation.
func (w *World) StartAutomation(r AutomationRequest) (string, error) {
	return w.beginAutomation(r, nil)
}

// beginAutomation has then called when the execution has ended.
func (w *World) beginAutomation(r AutomationRequest, then func()) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		return "", Errorf("InternalServerError", "The simulator is shutting down.")
	}
	if r.ClientToken != "" {
		for _, a := range w.automations {
			if a.given.ClientToken != r.ClientToken {
				continue
			}
			if a.given.DocumentName != r.DocumentName || !maps.EqualFunc(a.given.Parameters, r.Parameters, slices.Equal) {
				return "", Errorf("IdempotentParameterMismatch", "The client token was used for another request.")
			}
			return a.ID, nil
		}
	}
	a, err := w.startAutomation(r, then)
	if err != nil {
		return "", err
	}
	return a.ID, nil
}

// startAutomation makes an execution and runs it. Callers hold w.mu.
func (w *World) startAutomation(r AutomationRequest, then func()) (*Automation, error) {
	a, err := w.newAutomation(r)
	if err != nil {
		return nil, err
	}
	a.then = then
	w.automations[a.ID] = a
	w.automationOrder = append(w.automationOrder, a.ID)
	w.forgetAutomations()
	act := w.clock.work.begin()
	a.ctx = act.of(a.ctx)
	w.group.Go(func() {
		defer act.end()
		if a.then != nil {
			defer a.then()
		}
		defer close(a.ended)
		defer a.cancel()
		w.runAutomation(a)
	})
	return a, nil
}

// newAutomation checks a request. Callers hold w.mu.
func (w *World) newAutomation(r AutomationRequest) (*Automation, error) {
	doc, err := w.document(r.DocumentName)
	if err != nil || doc.Type != "Automation" && doc.Type != changeTemplate {
		return nil, Errorf("AutomationDefinitionNotFoundException", "Automation document %s does not exist.", r.DocumentName)
	}
	if (doc.Type == changeTemplate) != (r.Subtype == "ChangeRequest") {
		return nil, Errorf("AutomationDefinitionNotFoundException", "Document %s is of type %s.", doc.Name, doc.Type)
	}
	v, err := doc.Version(r.Version)
	if err != nil {
		return nil, Errorf("AutomationDefinitionVersionNotFoundException", "Version %s of Automation document %s does not exist.", r.Version, doc.Name)
	}
	if len(r.RequestTags) > automationTags {
		return nil, Errorf("InvalidAutomationExecutionParametersException", "An automation can have at most %d tags.", automationTags)
	}
	if active := w.activeAutomations(); active >= automationLimit {
		return nil, Errorf("AutomationExecutionLimitExceededException", "%d automations run or wait already.", active)
	}
	a := &Automation{
		AutomationRequest: r, ID: newUUID(), DocumentVersion: itoa(v.Number), Status: statusPending, Started: w.now(),
		Tags: maps.Clone(r.RequestTags), body: v.Body, given: &r, signals: make(chan signal, signalQueue), ended: make(chan struct{}),
	}
	a.DocumentName = doc.Name
	fill(&a.Mode, "Auto")
	if err := w.aim(a); err != nil {
		return nil, err
	}
	given := a.Parameters
	if len(a.Resolved) > 0 { // each execution of its own gets one of them
		given = maps.Clone(given)
		if given == nil {
			given = map[string][]string{}
		}
		given[a.TargetParameter] = a.Resolved[:1]
	}
	if a.args, err = v.Body.Arguments(given); err != nil {
		var e *Error
		errors.As(err, &e)
		return nil, Errorf("InvalidAutomationExecutionParametersException", "%s", e.Message)
	}
	maps.Copy(a.args, w.globals(a))
	a.plan()
	a.ctx, a.cancel = context.WithCancel(w.ctx)
	return a, nil
}

// aim finds the values of the target parameter. Callers hold w.mu.
func (w *World) aim(a *Automation) error {
	if len(a.Targets) == 0 && len(a.TargetMaps) == 0 {
		return nil
	}
	if _, ok := a.body.Parameters[a.TargetParameter]; !ok && len(a.TargetMaps) == 0 {
		return Errorf("InvalidTarget", "TargetParameterName must be a parameter of the document, not %q.", a.TargetParameter)
	}
	fill(&a.MaxConcurrency, "10")
	fill(&a.MaxErrors, "0")
	for _, t := range a.Targets {
		if t.Key == "ParameterValues" {
			a.Resolved = append(a.Resolved, t.Values...)
		}
	}
	if len(a.Resolved) == 0 {
		a.Resolved = w.targeted(a.Targets)
	}
	if len(a.Resolved) == 0 && len(a.Targets) > 0 {
		return Errorf("InvalidTarget", "No resources match the targets.")
	}
	return nil
}

// globals are the variables that every Automation document can use.
func (w *World) globals(a *Automation) map[string][]string {
	now := w.now().UTC()
	return map[string][]string{
		"global:ACCOUNT_ID": {w.sc.Account}, "global:REGION": {w.sc.Region},
		"global:DATE": {now.Format("2006-01-02")}, "global:DATE_TIME": {now.Format("2006-01-02_15.04.05")},
		"automation:EXECUTION_ID": {a.ID},
	}
}

// plan lists the steps before they run: those of the document, or one for each
// target or place.
func (a *Automation) plan() {
	one := func(name, action string) AutomationStep {
		return AutomationStep{ID: newUUID(), Name: name, Action: action, Status: statusPending, OnFailure: "Abort", Critical: true, Attempts: 1}
	}
	switch {
	case len(a.TargetLocations) > 0:
		for range a.TargetLocations {
			a.Steps = append(a.Steps, one("executeAutomation", "aws:executeAutomation"))
		}
		return
	case len(a.Resolved) > 0:
		for _, target := range a.Resolved {
			a.Steps = append(a.Steps, one(target, "aws:executeAutomation"))
		}
		return
	}
	for _, s := range a.body.MainSteps {
		step := one(s.Name, s.Action)
		step.NextStep, step.IsEnd = s.NextStep, s.IsEnd
		fill(&s.OnFailure, "Abort")
		step.OnFailure = s.OnFailure
		step.Critical = s.IsCritical == nil || *s.IsCritical
		step.Attempts, step.Timeout = max(1, whole(s.MaxAttempts)), whole(s.Timeout)
		a.Steps = append(a.Steps, step)
	}
	for range a.Runbooks {
		a.Steps = append(a.Steps, one("runbook", "aws:executeAutomation"))
	}
}

// activeAutomations counts those that have not ended. Callers hold w.mu.
func (w *World) activeAutomations() (n int) {
	for _, a := range w.automations {
		if !AutomationOver(a.Status) {
			n++
		}
	}
	return n
}

// forgetAutomations drops the oldest that have ended. Callers hold w.mu.
func (w *World) forgetAutomations() {
	excess := len(w.automationOrder) - automationHistory
	w.automationOrder = slices.DeleteFunc(w.automationOrder, func(id string) bool {
		if excess <= 0 || !AutomationOver(w.automations[id].Status) {
			return false
		}
		excess--
		delete(w.automations, id)
		return true
	})
}

// Automation returns an execution as it is now.
func (w *World) Automation(id string) (*Automation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.automation(id)
	if err != nil {
		return nil, err
	}
	return a.copy(), nil
}

func (w *World) automation(id string) (*Automation, error) {
	a, ok := w.automations[id]
	if !ok {
		return nil, Errorf("AutomationExecutionNotFoundException", "Automation execution %s does not exist.", id)
	}
	return a, nil
}

// copy is safe to give away: maps within are replaced, never changed.
func (a *Automation) copy() *Automation {
	c := *a
	c.Steps = slices.Clone(a.Steps)
	c.Tags = maps.Clone(a.Tags)
	return &c
}

// Automations returns all executions, the latest first.
func (w *World) Automations() []*Automation {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []*Automation
	for _, id := range slices.Backward(w.automationOrder) {
		list = append(list, w.automations[id].copy())
	}
	return list
}

// StopAutomation stops an execution: at once, or with complete after the step
// that runs.
func (w *World) StopAutomation(id string, complete bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.automation(id)
	if err != nil {
		return err
	}
	switch {
	case AutomationOver(a.Status):
		return Errorf("InvalidAutomationStatusUpdateException", "Automation execution %s has ended with status %s.", id, a.Status)
	case complete:
		a.finish = true
	default:
		a.Status = statusCancelling
		a.cancel()
	}
	return nil
}

// signal is what somebody tells an execution that waits.
type signal struct {
	kind string // Approve, Reject, StartStep, StopStep, Resume, Revoke
	by   string
	step string // name; empty: the one that waits
}

// signalQueue is how many signals may wait; who sends more is refused.
const signalQueue = 16

// SignalAutomation tells an execution something. by is the sender's ARN; payload
// is that of the API.
func (w *World) SignalAutomation(id, kind, by string, payload map[string][]string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.automation(id)
	if err != nil {
		return err
	}
	step := strings.Join(payload["StepName"], "")
	if id := strings.Join(payload["StepExecutionId"], ""); id != "" {
		i := slices.IndexFunc(a.Steps, func(s AutomationStep) bool { return s.ID == id })
		if i < 0 {
			return Errorf("AutomationStepNotFoundException", "Step execution %s does not exist.", id)
		}
		step = a.Steps[i].Name
	}
	if step != "" && !slices.ContainsFunc(a.Steps, func(s AutomationStep) bool { return s.Name == step }) {
		return Errorf("AutomationStepNotFoundException", "Step %s does not exist.", step)
	}
	if !a.awaits(kind, step) {
		return Errorf("InvalidAutomationSignalException", "Automation execution %s does not wait for the signal %s.", a.ID, kind)
	}
	select {
	case a.signals <- signal{kind, by, step}:
		return nil
	default:
		return Errorf("InvalidAutomationSignalException", "Automation execution %s has signals waiting already.", a.ID)
	}
}

// awaits reports whether a signal makes sense now. Callers hold w.mu.
func (a *Automation) awaits(kind, step string) bool {
	if AutomationOver(a.Status) {
		return false
	}
	current := a.Current()
	waiting := current != nil && current.Status == statusWaiting && (step == "" || step == current.Name)
	switch kind {
	case "Approve", "Reject", "Revoke":
		return waiting && current.Action == "aws:approve"
	case "Resume":
		return waiting && current.Action == "aws:pause"
	case "StartStep":
		return a.Mode == "Interactive" && a.Status == statusWaiting
	case "StopStep":
		return current != nil && !AutomationOver(current.Status)
	}
	return false
}
