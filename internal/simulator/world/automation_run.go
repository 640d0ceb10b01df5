package world

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// changeTemplate is the document type of Change Manager.
const changeTemplate = "Automation.ChangeTemplate"

func itoa(n int) string { return strconv.Itoa(n) }

// whole is a whole number of a document that may be written as text; 0 when it is
// none.
func whole(v any) int {
	n, err := strconv.ParseFloat(strings.TrimSpace(text(v)), 64)
	if err != nil {
		return 0
	}
	return int(n)
}

// errStepStopped is the end of a step that somebody stopped.
var errStepStopped = errors.New("the step was stopped")

// runAutomation runs an execution to its end.
func (w *World) runAutomation(a *Automation) {
	if !a.Scheduled.IsZero() && !w.untilScheduled(a) {
		w.endAutomation(a, statusCancelled, "")
		return
	}
	w.update(func() { a.Status = statusInProgress })
	switch {
	case len(a.TargetLocations) > 0:
		w.runLocations(a)
	case len(a.Resolved) > 0:
		w.runTargets(a)
	default:
		w.runPlan(a)
	}
}

// update changes something that readers see.
func (w *World) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *World) untilScheduled(a *Automation) bool {
	w.update(func() { a.Status = statusScheduled })
	return w.clock.Sleep(a.ctx, a.Scheduled.Sub(w.now())) == nil
}

// endAutomation sums up an execution. Steps that did not run stay Pending.
func (w *World) endAutomation(a *Automation, status, failure string) {
	w.update(func() {
		a.Status, a.Failure, a.Ended = status, failure, w.now()
		outputs := map[string][]string{}
		for _, name := range a.body.Outputs {
			if v, ok := a.args[name]; ok {
				outputs[name] = v
			}
		}
		a.Outputs = outputs
	})
}

// runPlan runs the steps in the order in which they follow each other.
func (w *World) runPlan(a *Automation) {
	status, failure := statusSuccess, ""
	for i := 0; i >= 0 && i < len(a.Steps); {
		if a.Mode == "Interactive" && !w.untilStarted(a) {
			w.endAutomation(a, statusCancelled, "")
			return
		}
		step := w.runAutomationStep(a, i)
		next := a.follow(i, step)
		if step.Status != statusSuccess && (step.Critical || next < 0) {
			status, failure = step.Status, "Step fails when it is Execute/Cancelling action. "+step.Failure
		}
		var finish bool
		w.update(func() { finish = a.finish })
		if a.ctx.Err() != nil {
			status = statusCancelled
			break
		}
		if finish {
			break
		}
		i = next
	}
	w.endAutomation(a, status, failure)
}

// follow is the index of the step after step i, -1 at the end.
func (a *Automation) follow(i int, step AutomationStep) int {
	at := func(name string) int {
		return slices.IndexFunc(a.Steps, func(s AutomationStep) bool { return s.Name == name })
	}
	if step.Status != statusSuccess {
		switch name, jump := strings.CutPrefix(step.OnFailure, "step:"); {
		case jump:
			return at(name)
		case step.OnFailure != "Continue":
			return -1
		}
	}
	switch {
	case step.IsEnd:
		return -1
	case step.NextStep != "":
		return at(step.NextStep)
	case i+1 < len(a.Steps):
		return i + 1
	}
	return -1
}

// untilStarted waits for the signal that starts the next step of an interactive
// execution.
func (w *World) untilStarted(a *Automation) bool {
	w.update(func() { a.Status = statusWaiting })
	for {
		s, err := a.signalled(a.ctx, nil)
		switch {
		case err != nil:
			return false
		case s.kind == "StartStep":
			w.update(func() { a.Status = statusInProgress })
			return true
		}
	}
}

// runAutomationStep runs one step, again when it fails and may.
func (w *World) runAutomationStep(a *Automation, i int) AutomationStep {
	var spec Step
	if i < len(a.body.MainSteps) {
		spec = a.body.MainSteps[i]
	} else { // a runbook of a change request
		book, _ := a.Runbooks[i-len(a.body.MainSteps)].(map[string]any)
		spec = Step{Action: "aws:executeAutomation", Inputs: map[string]any{"DocumentName": book["DocumentName"], "DocumentVersion": book["DocumentVersion"], "RuntimeParameters": book["Parameters"]}}
	}
	inputs, _ := filled(spec.Inputs, a.args, a.isList).(map[string]any)
	w.update(func() {
		s := &a.Steps[i]
		s.Status, s.Started, s.Inputs = statusInProgress, w.now(), jsonTexts(inputs)
	})
	var outputs map[string][]string
	var err error
	for attempt := range a.Steps[i].Attempts {
		ctx, cancel := a.ctx, context.CancelFunc(func() {})
		if t := a.Steps[i].Timeout; t > 0 {
			ctx, cancel = w.clock.within(a.ctx, time.Duration(t)*time.Second)
		}
		outputs, err = w.act(ctx, a, i, spec, inputs)
		if err != nil && ctx.Err() != nil && a.ctx.Err() == nil {
			err = context.DeadlineExceeded
		}
		cancel()
		if err == nil || a.ctx.Err() != nil || errors.Is(err, errStepStopped) || attempt+1 == a.Steps[i].Attempts {
			break
		}
	}
	return w.endStep(a, i, outputs, err)
}

// endStep records what a step did and hands its outputs to those that follow.
func (w *World) endStep(a *Automation, i int, outputs map[string][]string, err error) AutomationStep {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &a.Steps[i]
	s.Ended, s.Outputs, s.Status, s.Code = w.now(), outputs, statusSuccess, "0"
	if next := outputs[branchOutput]; len(next) > 0 {
		s.NextStep, s.Outputs = next[0], nil
	}
	switch {
	case err == nil:
	case a.ctx.Err() != nil, errors.Is(err, errStepStopped):
		s.Status, s.Code, s.Failure = statusCancelled, "", "The step was cancelled."
	case errors.Is(err, context.DeadlineExceeded):
		s.Status, s.Code, s.Failure = statusTimedOut, "", "The step timed out after "+itoa(s.Timeout)+" seconds."
	default:
		s.Status, s.Code, s.Failure = statusFailed, "1", err.Error()
	}
	args := maps.Clone(a.args)
	for name, values := range s.Outputs {
		args[s.Name+"."+name] = values
	}
	a.args = args
	return *s
}

// isList reports whether the value of a name is put in place of a placeholder as
// a list.
func (a *Automation) isList(name string) bool {
	switch p, ok := a.body.Parameters[name]; {
	case ok:
		return p.Type == "StringList" || p.Type == "MapList" || strings.HasPrefix(p.Type, "List<")
	default:
		return len(a.args[name]) > 1
	}
}

// jsonTexts is how the API shows the inputs of a step.
func jsonTexts(inputs map[string]any) map[string]string {
	out := map[string]string{}
	for name, v := range inputs {
		j, err := json.Marshal(v)
		if err == nil {
			out[name] = string(j)
		}
	}
	return out
}

// runTargets runs an execution of its own for each target, as many at a time as
// the rate control allows.
func (w *World) runTargets(a *Automation) {
	limit := max(1, share(a.MaxConcurrency, len(a.Resolved)))
	slots, always := newGate(limit), context.WithoutCancel(a.ctx)
	for i, target := range a.Resolved {
		slots.enter(always, nil)
		var failed int
		w.update(func() { failed = a.count(statusFailed) + a.count(statusTimedOut) })
		if a.ctx.Err() != nil || failed > share(a.MaxErrors, len(a.Resolved)) {
			slots.leave()
			break
		}
		act := w.clock.work.begin()
		w.group.Go(func() {
			defer act.end()
			defer slots.leave()
			r := AutomationRequest{
				DocumentName: a.DocumentName, Version: a.DocumentVersion, Parameters: maps.Clone(a.Parameters), ExecutedBy: a.ExecutedBy,
				Parent: a.ID, Target: target, AssociationID: a.AssociationID,
			}
			if r.Parameters == nil {
				r.Parameters = map[string][]string{}
			}
			r.Parameters[a.TargetParameter] = []string{target}
			w.runChild(act.of(a.ctx), a, i, r)
		})
	}
	for range limit {
		slots.enter(always, nil)
	}
	w.endParent(a)
}

// runLocations runs the execution where a place is this account and Region; other
// places do not exist here.
func (w *World) runLocations(a *Automation) {
	for i, l := range a.TargetLocations {
		place, _ := l.(map[string]any)
		here := func(member, mine string) bool {
			list, _ := place[member].([]any)
			return len(list) == 1 && list[0] == mine
		}
		if !here("Accounts", w.sc.Account) || !here("Regions", w.sc.Region) {
			w.update(func() {
				a.Steps[i].Status, a.Steps[i].Started, a.Steps[i].Ended = statusFailed, w.now(), w.now()
				a.Steps[i].Failure = "The simulator is account " + w.sc.Account + " in " + w.sc.Region + " only."
			})
			continue
		}
		w.runChild(a.ctx, a, i, AutomationRequest{
			DocumentName: a.DocumentName, Version: a.DocumentVersion, Parameters: a.Parameters, ExecutedBy: a.ExecutedBy, Parent: a.ID,
			TargetParameter: a.TargetParameter, Targets: a.Targets, MaxConcurrency: a.MaxConcurrency, MaxErrors: a.MaxErrors,
		})
	}
	w.endParent(a)
}

// runChild runs an execution as step i of another.
func (w *World) runChild(ctx context.Context, a *Automation, i int, r AutomationRequest) {
	w.update(func() { a.Steps[i].Status, a.Steps[i].Started = statusInProgress, w.now() })
	outputs, err := w.child(ctx, r)
	w.endStep(a, i, outputs, err)
}

// count is how many steps have a status. Callers hold w.mu.
func (a *Automation) count(status string) (n int) {
	for _, s := range a.Steps {
		if s.Status == status {
			n++
		}
	}
	return n
}

// endParent sums up an execution of executions.
func (w *World) endParent(a *Automation) {
	status, failure := statusSuccess, ""
	w.update(func() {
		switch {
		case a.ctx.Err() != nil:
			status = statusCancelled
		case a.count(statusSuccess) < len(a.Steps):
			status, failure = statusFailed, itoa(len(a.Steps)-a.count(statusSuccess))+" of "+itoa(len(a.Steps))+" targets did not succeed."
		}
	})
	w.endAutomation(a, status, failure)
}

// child runs an execution and waits for its end.
func (w *World) child(ctx context.Context, r AutomationRequest) (map[string][]string, error) {
	w.mu.Lock()
	c, err := w.startAutomation(r, nil)
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	until(ctx, c.ended)
	if ctx.Err() != nil {
		c.cancel()
		until(context.WithoutCancel(ctx), c.ended)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	outputs := map[string][]string{"ExecutionId": {c.ID}, "Status": {c.Status}}
	for name, v := range c.Outputs {
		outputs["Output"] = append(outputs["Output"], v...)
		outputs[name] = v
	}
	if c.Status != statusSuccess {
		return outputs, errors.New("Automation execution " + c.ID + " ended with status " + c.Status + ": " + c.Failure)
	}
	return outputs, nil
}
