package world

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"
)

// Types of window tasks.
const (
	taskRunCommand    = "RUN_COMMAND"
	taskAutomation    = "AUTOMATION"
	taskLambda        = "LAMBDA"
	taskStepFunctions = "STEP_FUNCTIONS"
)

// startWindowTask finds what a task is for and starts as much of it as its rate
// control allows.
func (w *World) startWindowTask(r *windowRun, t *windowTask) {
	now := w.now()
	w.windows.change(func() { t.Status, t.Start = WindowInProgress, now })
	list, err := w.windowInvocations(r, t)
	if err != nil {
		w.endWindowTask(t, WindowFailed, err.Error())
		return
	}
	w.windows.change(func() { t.invocations = list })
	t.limit, t.errors = len(list), len(list)
	if textIn(t.Task, "TaskType") != taskRunCommand && len(targetsIn(t.Task, "Targets")) > 0 {
		t.limit = max(1, share(textIn(t.Task, "MaxConcurrency"), len(list)))
		t.errors = share(textIn(t.Task, "MaxErrors"), len(list))
	}
	w.pumpWindowTask(r, t)
}

// windowInvocations lists the invocations of a task: for Run Command one for each
// target, since a command goes to many nodes; else one for each node, or a single
// one without targets.
func (w *World) windowInvocations(r *windowRun, t *windowTask) ([]*windowInvocation, error) {
	kind := textIn(t.Task, "TaskType")
	one := func(target Record) *windowInvocation {
		i := &windowInvocation{target: target, WindowInvocation: WindowInvocation{ID: newUUID(), Type: kind, Status: WindowPending}}
		i.Owner, i.TargetID = textIn(target, "OwnerInformation"), textIn(target, "WindowTargetId")
		i.byGroup = textIn(target, "ResourceType") == "RESOURCE_GROUP"
		return i
	}
	targets := targetsIn(t.Task, "Targets")
	if len(targets) == 0 {
		return []*windowInvocation{one(nil)}, nil
	}
	var list []*windowInvocation
	add := func(target Record, targets []Target) {
		if kind == taskRunCommand {
			i := one(target)
			i.targets = targets
			list = append(list, i)
			return
		}
		for _, id := range w.Targeted(targets) {
			i := one(target)
			i.resource = id
			list = append(list, i)
		}
	}
	var direct []Target
	for _, target := range targets {
		if target.Key != "WindowTargetIds" {
			direct = append(direct, target)
			continue
		}
		for _, id := range target.Values {
			registered, ok := r.targets[id]
			if !ok {
				return nil, errors.New("Target " + id + " is not registered with the maintenance window.")
			}
			add(registered, targetsIn(registered, "Targets"))
		}
	}
	if len(direct) == 0 {
		return list, nil
	}
	if r.window["AllowUnassociatedTargets"] != true {
		for _, id := range w.Targeted(direct) {
			if !w.isRegistered(r, id) {
				return nil, errors.New("Node " + id + " is not registered with the maintenance window, which does not allow unassociated targets.")
			}
		}
	}
	add(nil, direct)
	return list, nil
}

// isRegistered reports whether a node is one of the window's targets.
func (w *World) isRegistered(r *windowRun, node string) bool {
	for _, target := range r.targets {
		if slices.Contains(w.Targeted(targetsIn(target, "Targets")), node) {
			return true
		}
	}
	return false
}

// pumpWindowTask starts invocations while it may, and ends the task when none is
// active or to come.
func (w *World) pumpWindowTask(r *windowRun, t *windowTask) {
	for t.started < len(t.invocations) && t.active < t.limit && t.failed <= t.errors && !t.cut {
		i := t.invocations[t.started]
		t.started++
		t.active++
		w.windows.change(func() { i.Status, i.Start = WindowInProgress, w.now() })
		if err := w.invoke(r, t, i); err != nil {
			w.noteWindowInvocation(t, i, WindowFailed, err.Error())
		}
	}
	if t.active > 0 {
		return
	}
	for _, i := range t.invocations[t.started:] {
		t.started++
		status, details := WindowCancelled, "More invocations had failed than MaxErrors allows."
		if t.cut {
			status, details = WindowTimedOut, "The cutoff of the maintenance window was reached before the invocation started."
		}
		w.windows.change(func() { i.Status, i.Details, i.Start, i.End = status, details, w.now(), w.now() })
	}
	status, details := WindowSuccess, ""
	for _, worse := range []string{WindowCancelled, WindowTimedOut, WindowFailed} {
		if n := len(t.with(worse)); n > 0 {
			status, details = worse, itoa(n)+" of "+itoa(len(t.invocations))+" invocations ended with status "+worse+"."
		}
	}
	if len(t.invocations) == 0 {
		details = "No invocations to execute."
	}
	w.endWindowTask(t, status, details)
}

func (t *windowTask) with(status string) []*windowInvocation {
	return slices.DeleteFunc(slices.Clone(t.invocations), func(i *windowInvocation) bool { return i.Status != status })
}

// noteWindowInvocation notes how an invocation ended.
func (w *World) noteWindowInvocation(t *windowTask, i *windowInvocation, status, details string) {
	t.active--
	if status == WindowFailed || status == WindowTimedOut {
		t.failed++
	}
	w.windows.change(func() { i.Status, i.Details, i.End = status, short(details), w.now() })
}

// endWindowInvocation ends an invocation and goes on with what waits for it.
func (w *World) endWindowInvocation(r *windowRun, t *windowTask, i *windowInvocation, status, details string) {
	w.noteWindowInvocation(t, i, status, details)
	w.pumpWindowTask(r, t)
	w.nextWindowTasks(r)
}

// windowStatuses translates the statuses of commands and automations.
var windowStatuses = map[string]string{
	statusSuccess: WindowSuccess, statusFailed: WindowFailed, statusTimedOut: WindowTimedOut, statusCancelled: WindowCancelled,
	"CompletedWithSuccess": WindowSuccess,
}

func windowStatus(status string) string {
	if s, ok := windowStatuses[status]; ok {
		return s
	}
	return WindowFailed
}

// invoke starts what an invocation is, which reports its end to the agenda.
func (w *World) invoke(r *windowRun, t *windowTask, i *windowInvocation) error {
	pseudo := w.pseudoParameters(r, t, i)
	switch parameters := recordIn(t.Task, "TaskInvocationParameters"); i.Type {
	case taskRunCommand:
		return w.invokeCommand(r, t, i, recordIn(parameters, "RunCommand"), pseudo)
	case taskAutomation:
		return w.invokeAutomation(r, t, i, recordIn(parameters, "Automation"), pseudo)
	case taskLambda:
		payload := textIn(recordIn(parameters, "Lambda"), "Payload")
		if b, err := base64.StdEncoding.DecodeString(payload); err == nil {
			payload = string(b)
		}
		w.invokeFunction(r, t, i, newUUID(), text(filled(payload, pseudo, noList)))
	default:
		in := recordIn(parameters, "StepFunctions")
		name := text(filled(textIn(in, "Name"), pseudo, noList))
		fill(&name, newUUID())
		arn := textIn(t.Task, "TaskArn")
		w.invokeFunction(r, t, i, executionARN(arn, name), text(filled(textIn(in, "Input"), pseudo, noList)))
	}
	return nil
}

func noList(string) bool { return false }

// pseudoParameters are what a task can name in its parameters (User Guide, "Using
// pseudo parameters when registering maintenance window tasks"). Commands know no
// resource.
func (w *World) pseudoParameters(r *windowRun, t *windowTask, i *windowInvocation) map[string][]string {
	all := map[string]string{
		"WINDOW_ID": r.WindowID, "WINDOW_EXECUTION_ID": r.ID, "WINDOW_TASK_ID": textIn(t.Task, "WindowTaskId"), "TASK_EXECUTION_ID": t.ID,
		"INVOCATION_ID": i.ID,
	}
	if i.target != nil {
		all["WINDOW_TARGET_ID"], all["OWNER_INFORMATION"], all["TARGET_TYPE"] = i.TargetID, i.Owner, textIn(i.target, "ResourceType")
	}
	if i.resource != "" {
		all["RESOURCE_ID"], all["TARGET_ID"] = i.resource, i.resource
		if i.byGroup {
			all["TARGET_ID"] = w.ARN("ec2", "instance/"+i.resource)
		}
	}
	out := map[string][]string{}
	for name, v := range all {
		out[name] = []string{v}
	}
	return out
}

// invokeFunction imagines a Lambda function or a state machine: it takes its time
// and ends as the scenario says.
func (w *World) invokeFunction(r *windowRun, t *windowTask, i *windowInvocation, execution, input string) {
	f := w.sc.function(textIn(t.Task, "TaskArn"))
	w.windows.change(func() { i.ExecutionID, i.Parameters = execution, input })
	status := WindowSuccess
	if f.Fails != "" {
		status = WindowFailed
	}
	w.agenda.plan("end of invocation "+i.ID, w.now().Add(f.Takes), rankEnd, func(time.Time) { w.endWindowInvocation(r, t, i, status, f.Fails) })
}

// argumentsOf are the parameters of a task with its pseudo parameters put in.
// Tasks of old have them as TaskParameters.
func argumentsOf(task, in Record, pseudo map[string][]string) map[string][]string {
	out := map[string][]string{}
	for name, v := range recordIn(task, "TaskParameters") {
		values, _ := v.(map[string]any)
		out[name] = textList(filled(values["Values"], pseudo, noList))
	}
	for name, v := range recordIn(in, "Parameters") {
		out[name] = textList(filled(v, pseudo, noList))
	}
	return out
}

// shown is how the parameters of an invocation are told.
func shown(parameters map[string]any) string {
	maps.DeleteFunc(parameters, func(_ string, v any) bool { return v == nil || v == "" })
	j, err := json.Marshal(parameters)
	if err != nil {
		return ""
	}
	return string(j)
}
