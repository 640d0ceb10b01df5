package control

import (
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func automationOperations() map[string]operation {
	return map[string]operation{
		"StartAutomationExecution":         untyped((*call).startAutomationExecution),
		"StartChangeRequestExecution":      untyped((*call).startChangeRequestExecution),
		"GetAutomationExecution":           untyped((*call).getAutomationExecution),
		"DescribeAutomationExecutions":     untyped((*call).describeAutomationExecutions),
		"DescribeAutomationStepExecutions": untyped((*call).describeAutomationStepExecutions),
		"SendAutomationSignal":             untyped((*call).sendAutomationSignal),
		"StopAutomationExecution":          untyped((*call).stopAutomationExecution),
		"StartExecutionPreview":            recorded((*call).startExecutionPreview),
		"GetExecutionPreview":              recorded((*call).getExecutionPreview),
	}
}

// items is a list of anything.
func (r request) items(name string) []any {
	list, _ := r[name].([]any)
	return list
}

func (c *call) automationRequest(in request) (world.AutomationRequest, error) {
	tags, err := in.tags("Tags")
	return world.AutomationRequest{
		DocumentName: in.text("DocumentName"), Version: in.text("DocumentVersion"), Parameters: in.lists("Parameters"),
		ClientToken: in.text("ClientToken"), Mode: in.text("Mode"), ExecutedBy: c.caller.ARN,
		TargetParameter: in.text("TargetParameterName"), Targets: in.targets("Targets"),
		TargetMaps: in.items("TargetMaps"), TargetLocations: in.items("TargetLocations"),
		MaxConcurrency: in.text("MaxConcurrency"), MaxErrors: in.text("MaxErrors"), RequestTags: tags,
	}, err
}

func (c *call) startAutomationExecution(in request) (any, error) {
	r, err := c.automationRequest(in)
	if err != nil {
		return nil, err
	}
	return c.startAutomation(r)
}

// startChangeRequestExecution runs the approvals of a change template and then
// the runbooks.
func (c *call) startChangeRequestExecution(in request) (any, error) {
	r, err := c.automationRequest(in)
	if err != nil {
		return nil, err
	}
	r.Subtype, r.ChangeRequest, r.Runbooks = "ChangeRequest", in.text("ChangeRequestName"), in.items("Runbooks")
	r.Scheduled, r.AutoApprove = in.time("ScheduledTime"), in.flag("AutoApprove")
	return c.startAutomation(r)
}

func (c *call) startAutomation(r world.AutomationRequest) (any, error) {
	id, err := c.world.StartAutomation(r)
	if err != nil {
		return nil, err
	}
	return world.Record{"AutomationExecutionId": id}, nil
}

// automationRecord is an execution with all that any operation shows of it.
func automationRecord(a *world.Automation) world.Record {
	r := world.Record{
		"AutomationExecutionId": a.ID, "DocumentName": a.DocumentName, "DocumentVersion": a.DocumentVersion,
		"ExecutionStartTime": a.Started, "ExecutionEndTime": a.Ended, "AutomationExecutionStatus": a.Status,
		"Parameters": a.Parameters, "Outputs": a.Outputs, "FailureMessage": a.Failure, "Mode": a.Mode, "ExecutedBy": a.ExecutedBy,
		"ParentAutomationExecutionId": a.Parent, "TargetParameterName": a.TargetParameter, "Targets": a.Targets, "Target": a.Target,
		"ResolvedTargets": world.Record{"ParameterValues": a.Resolved, "Truncated": false},
		"MaxConcurrency":  a.MaxConcurrency, "MaxErrors": a.MaxErrors, "AutomationType": "Local", "AutomationSubtype": a.Subtype,
		"ScheduledTime": a.Scheduled, "AssociationId": a.AssociationID, "ChangeRequestName": a.ChangeRequest,
		"LogFile": "",
	}
	for name, list := range map[string][]any{"TargetMaps": a.TargetMaps, "TargetLocations": a.TargetLocations, "Runbooks": a.Runbooks} {
		if list != nil {
			r[name] = list
		}
	}
	if len(a.TargetLocations) > 0 {
		r["AutomationType"] = "CrossAccount"
	}
	if a.Resolved == nil {
		delete(r, "ResolvedTargets")
	}
	if a.Targets == nil {
		delete(r, "Targets")
	}
	for _, name := range []string{"Parameters", "Outputs"} {
		if m, _ := r[name].(map[string][]string); m == nil {
			r[name] = map[string][]string{}
		}
	}
	if s := a.Current(); s != nil && !world.AutomationOver(a.Status) {
		r["CurrentStepName"], r["CurrentAction"] = s.Name, s.Action
	}
	return r
}

func stepRecord(s world.AutomationStep) world.Record {
	r := world.Record{
		"StepExecutionId": s.ID, "StepName": s.Name, "Action": s.Action, "StepStatus": s.Status, "FailureMessage": s.Failure,
		"ExecutionStartTime": s.Started, "ExecutionEndTime": s.Ended, "ResponseCode": s.Code, "NextStep": s.NextStep,
		"OnFailure": s.OnFailure, "IsEnd": s.IsEnd, "IsCritical": s.Critical, "MaxAttempts": s.Attempts,
	}
	if s.Timeout > 0 {
		r["TimeoutSeconds"] = s.Timeout
	}
	if s.Inputs != nil {
		r["Inputs"] = s.Inputs
	}
	if s.Outputs != nil {
		r["Outputs"] = s.Outputs
	}
	if s.Failure != "" {
		r["FailureDetails"] = world.Record{"FailureStage": "Invocation", "FailureType": "Verification", "Details": map[string][]string{"VerificationErrorMessage": {s.Failure}}}
	}
	return r
}

// maxSteps is how many steps GetAutomationExecution shows (API reference,
// StepExecutionsTruncated).
const maxSteps = 100

func (c *call) getAutomationExecution(in request) (any, error) {
	a, err := c.world.Automation(in.text("AutomationExecutionId"))
	if err != nil {
		return nil, err
	}
	r := automationRecord(a)
	counts := map[string]int{}
	steps := []world.Record{}
	for _, s := range a.Steps {
		counts[s.Status]++
		if len(steps) < maxSteps {
			steps = append(steps, stepRecord(s))
		}
	}
	r["StepExecutions"], r["StepExecutionsTruncated"] = steps, len(a.Steps) > maxSteps
	if len(a.Resolved) > 0 || len(a.TargetLocations) > 0 {
		r["ProgressCounters"] = map[string]any{
			"TotalSteps": len(a.Steps), "SuccessSteps": counts["Success"], "FailedSteps": counts["Failed"],
			"CancelledSteps": counts["Cancelled"], "TimedOutSteps": counts["TimedOut"],
		}
	}
	return world.Record{"AutomationExecution": r}, nil
}

// automationFilters are the filter keys of DescribeAutomationExecutions.
var automationFilters = map[string]func(a *world.Automation, want string) bool{
	"DocumentNamePrefix": func(a *world.Automation, v string) bool { return strings.HasPrefix(a.DocumentName, v) },
	"ExecutionStatus":    func(a *world.Automation, v string) bool { return a.Status == v },
	"ExecutionId":        func(a *world.Automation, v string) bool { return a.ID == v },
	"ParentExecutionId":  func(a *world.Automation, v string) bool { return a.Parent == v },
	"CurrentAction": func(a *world.Automation, v string) bool {
		s := a.Current()
		return s != nil && !world.AutomationOver(a.Status) && s.Action == v
	},
	"StartTimeBefore":     func(a *world.Automation, v string) bool { return a.Started.Before(filterTime(v)) },
	"StartTimeAfter":      func(a *world.Automation, v string) bool { return a.Started.After(filterTime(v)) },
	"AutomationType":      func(a *world.Automation, v string) bool { return (v == "CrossAccount") == (len(a.TargetLocations) > 0) },
	"TagKey":              func(a *world.Automation, v string) bool { _, ok := a.Tags[v]; return ok },
	"TargetResourceGroup": func(a *world.Automation, v string) bool { return inGroups(a.Targets, v) },
	"AutomationSubtype":   func(a *world.Automation, v string) bool { return a.Subtype == v },
	"OpsItemId":           func(*world.Automation, string) bool { return false },
}

func inGroups(targets []world.Target, name string) bool {
	return slices.ContainsFunc(targets, func(t world.Target) bool {
		return (t.Key == "ResourceGroup" || t.Key == "resource-groups:Name") && slices.Contains(t.Values, name)
	})
}

func filterTime(v string) time.Time {
	t, _ := time.Parse(time.RFC3339, v)
	return t
}

// describeAutomationExecutions leaves out the executions that others started,
// unless they are asked for.
func (c *call) describeAutomationExecutions(in request) (any, error) {
	filters := in.filters("Filters", "Key", "Values", "")
	children := false
	for _, f := range filters {
		children = children || f.key == "ParentExecutionId" || f.key == "ExecutionId"
		if err := checkTimes(f); err != nil {
			return nil, err
		}
	}
	var list []world.Record
	for _, a := range c.world.Automations() {
		if a.Parent != "" && !children || slices.ContainsFunc(filters, func(f filter) bool {
			return !slices.ContainsFunc(f.values, func(v string) bool { return automationFilters[f.key](a, v) })
		}) {
			continue
		}
		list = append(list, automationRecord(a))
	}
	return c.listing("DescribeAutomationExecutions", "AutomationExecutionMetadataList", "AutomationExecutionId", list, in, 50)
}

func checkTimes(f filter) error {
	if !strings.HasPrefix(f.key, "StartTime") {
		return nil
	}
	for _, v := range f.values {
		if _, err := time.Parse(time.RFC3339, v); err != nil {
			return world.Errorf("InvalidFilterValue", "The filter value is not valid: %s is not an ISO 8601 time such as 2018-08-29T00:00:00Z.", v)
		}
	}
	return nil
}

func (c *call) describeAutomationStepExecutions(in request) (any, error) {
	a, err := c.world.Automation(in.text("AutomationExecutionId"))
	if err != nil {
		return nil, err
	}
	filters := in.filters("Filters", "Key", "Values", "")
	for _, f := range filters {
		if err := checkTimes(f); err != nil {
			return nil, err
		}
	}
	var list []world.Record
	for _, s := range a.Steps {
		if !slices.ContainsFunc(filters, func(f filter) bool {
			return !slices.ContainsFunc(f.values, func(v string) bool { return stepMatches(s, f.key, v) })
		}) {
			list = append(list, stepRecord(s))
		}
	}
	if in.flag("ReverseOrder") {
		slices.Reverse(list)
	}
	return c.listing("DescribeAutomationStepExecutions", "StepExecutions", "StepExecutionId", list, in, 50)
}

func stepMatches(s world.AutomationStep, key, want string) bool {
	switch key {
	case "StepExecutionStatus":
		return s.Status == want
	case "StepExecutionId":
		return s.ID == want
	case "StepName":
		return s.Name == want
	case "Action":
		return s.Action == want
	case "StartTimeBefore":
		return !s.Started.IsZero() && s.Started.Before(filterTime(want))
	case "StartTimeAfter":
		return s.Started.After(filterTime(want))
	}
	return false // there are no loops, so no step has a parent
}

func (c *call) sendAutomationSignal(in request) (any, error) {
	return empty(), c.world.SignalAutomation(in.text("AutomationExecutionId"), in.text("SignalType"), c.caller.ARN, in.lists("Payload"))
}

func (c *call) stopAutomationExecution(in request) (any, error) {
	return empty(), c.world.StopAutomation(in.text("AutomationExecutionId"), in.text("Type") == "Complete")
}

// readOnlyActions change nothing in the account; others might.
var readOnlyActions = []string{
	"aws:assertAwsResourceProperty", "aws:waitForAwsResourceProperty", "aws:sleep", "aws:pause", "aws:branch", "aws:approve", "aws:updateVariable",
}

func (c *call) startExecutionPreview(t *world.Tables, in request) (any, error) {
	d, v, err := c.documentVersion(in.text("DocumentName"), in.text("DocumentVersion"), "")
	if err != nil || d.Type != "Automation" {
		return nil, invalid("Automation document " + in.text("DocumentName") + " does not exist.")
	}
	steps := map[string]int{}
	for _, s := range v.Body.MainSteps {
		switch {
		case slices.Contains(readOnlyActions, s.Action):
			steps["NonMutating"]++
		case s.Action == "aws:executeAwsApi" || s.Action == "aws:executeScript":
			steps["Undetermined"]++
		default:
			steps["Mutating"]++
		}
	}
	id := world.NewUUID()
	t.Put(world.KindPreview, id, world.Record{
		"ExecutionPreviewId": id, "EndedAt": c.world.Now(), "Status": "Success",
		"ExecutionPreview": world.Record{"Automation": world.Record{
			"StepPreviews": steps, "Regions": []string{c.world.Region()}, "TotalAccounts": 1,
		}},
	})
	t.Keep(world.KindPreview, 100)
	return world.Record{"ExecutionPreviewId": id}, nil
}

func (c *call) getExecutionPreview(t *world.Tables, in request) (any, error) {
	r, ok := t.Get(world.KindPreview, in.text("ExecutionPreviewId"))
	if !ok {
		return nil, missing("ResourceNotFoundException", "Execution preview", in.text("ExecutionPreviewId"))
	}
	return r, nil
}
