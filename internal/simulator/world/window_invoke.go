package world

import (
	"strings"
	"time"
)

// invokeCommand sends a command to the nodes of a target.
func (w *World) invokeCommand(r *windowRun, t *windowTask, i *windowInvocation, in Record, pseudo map[string][]string) error {
	logs, old := recordIn(in, "CloudWatchOutputConfig"), recordIn(t.Task, "LoggingInfo")
	document, version, _ := strings.Cut(textIn(t.Task, "TaskArn"), ":")
	if strings.HasPrefix(textIn(t.Task, "TaskArn"), "arn:") {
		document, version = textIn(t.Task, "TaskArn"), ""
	}
	fill(&version, textIn(in, "DocumentVersion"))
	req := CommandRequest{
		DocumentName: document, DocumentVersion: version, DocumentHash: textIn(in, "DocumentHash"), DocumentHashType: textIn(in, "DocumentHashType"),
		Comment: textIn(in, "Comment"), Parameters: argumentsOf(t.Task, in, pseudo), Targets: i.targets,
		Timeout:        time.Duration(numberIn(in, "TimeoutSeconds", int(defaultDelivery/time.Second))) * time.Second,
		MaxConcurrency: textIn(t.Task, "MaxConcurrency"), MaxErrors: textIn(t.Task, "MaxErrors"),
		S3Bucket: textIn(in, "OutputS3BucketName"), S3Prefix: textIn(in, "OutputS3KeyPrefix"),
	}
	if req.S3Bucket == "" {
		req.S3Bucket, req.S3Prefix = textIn(old, "S3BucketName"), textIn(old, "S3KeyPrefix")
	}
	if logs["CloudWatchOutputEnabled"] == true {
		req.LogGroup = textIn(logs, "CloudWatchLogGroupName")
		fill(&req.LogGroup, "/aws/ssm/"+document)
	}
	shownTargets := make([]any, len(i.targets))
	for n, target := range i.targets {
		shownTargets[n] = map[string]any{"key": target.Key, "values": target.Values}
	}
	parameters := shown(map[string]any{
		"documentName": document, "documentVersion": version, "targets": shownTargets, "parameters": req.Parameters, "comment": req.Comment,
		"maxConcurrency": req.MaxConcurrency, "maxErrors": req.MaxErrors, "outputS3BucketName": req.S3Bucket, "outputS3KeyPrefix": req.S3Prefix,
	})
	w.windows.change(func() { i.Parameters = parameters })
	var id string
	cmd, err := w.sendCommand(req, func() {
		w.agenda.soon(func() { w.windowCommandEnded(r, t, i, id) })
	})
	if err != nil {
		return err
	}
	id = cmd.ID // before the agenda, whose turn it is, gets to the end of the command
	w.windows.change(func() { i.ExecutionID = id })
	return nil
}

// windowCommandEnded notes how the command of an invocation ended. One that the
// cutoff ended has run out of time.
func (w *World) windowCommandEnded(r *windowRun, t *windowTask, i *windowInvocation, id string) {
	status, details := WindowSuccess, ""
	w.update(func() {
		c, ok := w.commands[id]
		if !ok {
			return
		}
		status = windowStatus(c.Status)
		if c.Details != c.Status || status != WindowSuccess {
			details = c.Details
		}
	})
	if status == WindowCancelled && t.cut {
		status, details = WindowTimedOut, "The cutoff of the maintenance window was reached, and the command was cancelled."
	}
	w.endWindowInvocation(r, t, i, status, details)
}

// invokeAutomation starts an automation.
func (w *World) invokeAutomation(r *windowRun, t *windowTask, i *windowInvocation, in Record, pseudo map[string][]string) error {
	req := AutomationRequest{
		DocumentName: textIn(t.Task, "TaskArn"), Version: textIn(in, "DocumentVersion"), Parameters: argumentsOf(t.Task, in, pseudo),
		ExecutedBy: w.ARN("sts", "assumed-role/"+roleOfTask(t.Task)+"/"+r.WindowID),
	}
	parameters := shown(map[string]any{"documentName": req.DocumentName, "documentVersion": req.Version, "parameters": req.Parameters})
	w.windows.change(func() { i.Parameters = parameters })
	var id string
	started, err := w.beginAutomation(req, func() {
		w.agenda.soon(func() { w.windowAutomationEnded(r, t, i, id) })
	})
	if err != nil {
		return err
	}
	id = started
	w.windows.change(func() { i.ExecutionID = id })
	return nil
}

func (w *World) windowAutomationEnded(r *windowRun, t *windowTask, i *windowInvocation, id string) {
	status, details := WindowSuccess, ""
	if a, err := w.Automation(id); err == nil {
		status, details = windowStatus(a.Status), a.Failure
	}
	w.endWindowInvocation(r, t, i, status, details)
}

// roleOfTask is the name of the role that a task runs with.
func roleOfTask(task Record) string {
	arn := textIn(task, "ServiceRoleArn")
	if name := arn[strings.LastIndexByte(arn, '/')+1:]; name != "" {
		return name
	}
	return "AWSServiceRoleForAmazonSSM"
}

// executionARN is the execution of a state machine.
func executionARN(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}

// FunctionSpec is a Lambda function or state machine that tasks of maintenance
// windows invoke. Those of no name in the scenario succeed after a moment.
type FunctionSpec struct {
	ARN   string        `yaml:"arn"` // or the end of it: the name
	Takes time.Duration `yaml:"takes"`
	Fails string        `yaml:"fails"` // with this message
}

// functionTakes is how long a function takes that says nothing.
const functionTakes = time.Second

func (sc *Scenario) function(arn string) FunctionSpec {
	for _, f := range sc.Functions {
		if f.ARN == arn || strings.HasSuffix(arn, ":"+f.ARN) {
			return f
		}
	}
	return FunctionSpec{Takes: functionTakes}
}
