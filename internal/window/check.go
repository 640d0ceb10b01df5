package window

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Fault is what is wrong with one field. Field is its name in a file
// ("cutoff_behavior"); Text may have several lines, the last with a caret.
type Fault struct{ Field, Text, Hint string }

// Line is the text with its hint beside it, before any marks.
func (f Fault) Line() string {
	if f.Hint == "" {
		return f.Text
	}
	head, marks, _ := strings.Cut(f.Text, "\n")
	return strings.TrimSuffix(head+" ("+f.Hint+")\n"+marks, "\n")
}

// faults collects them.
type faults []Fault

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, Fault{Field: field, Text: fmt.Sprintf(format, args...)})
}

func (f *faults) hint(format string, args ...any) {
	(*f)[len(*f)-1].Hint = fmt.Sprintf(format, args...)
}

// Limits of the API model (ssm 2014-11-06). That the cutoff is below the duration
// is in the user guide alone.
const (
	maxDuration      = 24 // hours
	maxDescription   = 128
	maxRun           = 1600 // characters of a task's document, function or state machine
	maxPayload       = 4096 // bytes
	maxClientContext = 8000
	maxQualifier     = 128
	maxExecutionName = 80
	maxComment       = 100
	maxLogGroup      = 512
	maxSelectors     = 5
	maxValues        = 50
	minTimeout       = 30 * time.Second
	maxTimeout       = 30 * 24 * time.Hour
)

var (
	namePattern        = pattern.Lazy(`^[a-zA-Z0-9_\-.]{3,128}$`)
	concurrencyPattern = pattern.Lazy(`^([1-9][0-9]{0,6}|[1-9][0-9]%|[1-9]%|100%)$`)
	errorsPattern      = pattern.Lazy(`^([1-9][0-9]{0,6}|[0]|[1-9][0-9]%|[0-9]%|100%)$`)
	rolePattern        = pattern.Lazy(`^arn:[a-z0-9-]+:iam::[0-9]{12}:role/.+$`)
	snsPattern         = pattern.Lazy(`^arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}$`)
	machinePattern     = pattern.Lazy(`^arn:[a-z0-9-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[^:\s]{1,80}(:.+)?$`)
	functionPattern    = pattern.Lazy(`^(arn:[a-z0-9-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:)?[a-zA-Z0-9_-]{1,140}(:(\$LATEST|[a-zA-Z0-9_-]+))?$`)
	versionPattern     = pattern.Lazy(`^(\$LATEST|\$DEFAULT|[1-9][0-9]*)$`)
	selectorKey        = pattern.Lazy(`^[\p{L}\p{Z}\p{N}_.:/=\-@]{1,163}$`)
	nodeID             = pattern.Lazy(`^(i-(?:[0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17})$`)
	bucketPattern      = pattern.Lazy(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

func (f *faults) name(field, name string, required bool) {
	if name == "" && !required {
		return
	}
	if !namePattern().MatchString(name) {
		f.add(field, "%q is no name: 3 to 128 letters, digits, and . _ -", name)
	}
}

func (f *faults) most(field, text string, n int) {
	if have := utf8.RuneCountInString(text); have > n {
		f.add(field, "it has %d characters; %d are possible", have, n)
	}
}

// Check returns what is wrong with a window, everything at once. now is the time
// that a schedule is read at.
func (w Window) Check(now time.Time) []Fault {
	var f faults
	f.name("name", w.Name, true)
	f.most("description", w.Description, maxDescription)
	if w.Duration < 1 || w.Duration > maxDuration {
		f.add("duration", "%d is not a number of hours from 1 to %d", w.Duration, maxDuration)
	}
	switch {
	case w.Cutoff < 0 || w.Cutoff >= maxDuration:
		f.add("cutoff", "%d is not a number of hours from 0 to %d", w.Cutoff, maxDuration-1)
	case w.Duration >= 1 && w.Cutoff >= w.Duration:
		f.add("cutoff", "%d h before the end of a window of %d h: no task could ever begin", w.Cutoff, w.Duration)
		f.hint("it must be less than the duration")
	}
	start, end := f.date("start", w.Start), f.date("end", w.End)
	if !start.IsZero() && !end.IsZero() && !end.After(start) {
		f.add("end", "%s is not after the start, %s", w.End, w.Start)
	}
	f.schedule(w, now)
	return f
}

// date reads a start or an end; zero for none and for one that is none.
func (f *faults) date(field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t := ParseTime(text)
	if t.IsZero() {
		f.add(field, "%q is no date and time in ISO 8601", text)
		f.hint("write 2026-03-01T00:00:00Z, or with a zone 2026-03-01T00:00:00+02:00")
	}
	return t
}

// Check returns what is wrong with a target.
func (t Target) Check() []Fault {
	var f faults
	f.name("name", t.Name, false)
	f.most("description", t.Description, maxDescription)
	f.most("owner_information", t.Owner, maxDescription)
	if t.ResourceType != Nodes && t.ResourceType != Groups {
		f.add("resource_type", "%q is not %s or %s", t.ResourceType, Nodes, Groups)
	}
	if len(t.Selectors) == 0 {
		f.add("select", "it selects nothing")
	}
	for _, s := range t.Selectors {
		group := strings.HasPrefix(s.Key, "resource-groups:")
		switch {
		case s.Key == ByWindowTarget:
			f.add("select", "%s is for tasks", s.Key)
		case group && t.ResourceType == Nodes, !group && t.ResourceType == Groups:
			f.add("select", "%s does not go with the resource type %s", s.Key, t.ResourceType)
		}
	}
	f.selectors(t.Selectors)
	return f
}

// selectors checks what the API takes for targets: 5 keys, 50 values of each.
func (f *faults) selectors(list []Selector) {
	if len(list) > maxSelectors {
		f.add("select", "%d keys; %d are possible", len(list), maxSelectors)
	}
	for _, s := range list {
		known := s.Key == "InstanceIds" || s.Key == "tag-key" || s.Key == ByWindowTarget ||
			s.Key == "resource-groups:Name" || s.Key == "resource-groups:ResourceTypeFilters" || strings.HasPrefix(s.Key, "tag:") && len(s.Key) > len("tag:")
		switch {
		case !known || !selectorKey().MatchString(s.Key):
			f.add("select", "%q is no key of a target", s.Key)
			f.hint("keys are InstanceIds, tag:NAME, tag-key, resource-groups:Name, resource-groups:ResourceTypeFilters")
			continue
		case len(s.Values) == 0:
			f.add("select", "%s has no values", s.Key)
		case len(s.Values) > maxValues:
			f.add("select", "%s has %d values; %d are possible", s.Key, len(s.Values), maxValues)
		}
		for _, v := range s.Values {
			if s.Key == "InstanceIds" && !nodeID().MatchString(v) {
				f.add("select", "%q is no node id", v)
				f.hint("an id is i- and 8 or 17, or mi- and 17, of 0-9 and a-f")
			}
		}
	}
}

// Types are the types of tasks in the words of a file and of the command line.
func Types() []string { return []string{"run-command", "automation", "lambda", "step-functions"} }

// Word is the type in the words of a file.
func (t Type) Word() string { return strings.ReplaceAll(strings.ToLower(string(t)), "_", "-") }

// ParseType reads a type: run-command, RUN_COMMAND.
func ParseType(word string) (Type, error) {
	t := strings.ReplaceAll(strings.ToLower(word), "_", "-")
	if slices.Contains(Types(), t) {
		return Type(strings.ReplaceAll(strings.ToUpper(t), "-", "_")), nil
	}
	err := fault.Usagef("there are no tasks of type %q", word)
	if near := fault.Nearest(t, Types()); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("types are %s", strings.Join(Types(), ", "))
}

// DefaultTask has what a task begins with here. The service has no default of its
// own for the rates of a task with targets.
func DefaultTask(t Type) Task {
	return Task{Type: t, Priority: 1, Cutoff: ContinueTask}
}

// The rates of a task with targets that says nothing else.
const (
	DefaultConcurrency = "10"
	DefaultMaxErrors   = "1"
)

// Rated fills in the rates where they are needed and not given.
func (t Task) Rated() Task {
	if len(t.Selectors) > 0 {
		if t.Concurrency == "" {
			t.Concurrency = DefaultConcurrency
		}
		if t.MaxErrors == "" {
			t.MaxErrors = DefaultMaxErrors
		}
	}
	return t
}

// Check returns what is wrong with a task, as far as it can be said without its
// document.
func (t Task) Check() []Fault {
	var f faults
	f.name("name", t.Name, false)
	f.most("description", t.Description, maxDescription)
	if t.Run == "" {
		f.add("run", "it runs nothing: the document, runbook, function or state machine is missing")
	}
	f.most("run", t.Run, maxRun)
	switch {
	case t.Type == RunCommand && len(t.Selectors) == 0:
		f.add("targets", "a task of type %s needs targets", t.Type.Word())
		f.hint("name targets of the window, or nodes")
	case len(t.Selectors) == 0 && t.Concurrency+t.MaxErrors != "":
		f.add("concurrency", "concurrency and max_errors are for tasks with targets")
	}
	f.selectors(t.Selectors)
	for _, s := range t.Selectors {
		if s.Key != ByWindowTarget && s.Key != "InstanceIds" {
			f.add("select", "a task takes node ids and targets of its window, not %s", s.Key)
			f.hint("make it a target of the window, and name that")
		}
	}
	if t.Concurrency != "" && !concurrencyPattern().MatchString(t.Concurrency) {
		f.add("concurrency", "%q is neither a number such as 10 nor a percentage such as 10%%", t.Concurrency)
	}
	if t.MaxErrors != "" && !errorsPattern().MatchString(t.MaxErrors) {
		f.add("max_errors", "%q is neither a number such as 0 nor a percentage such as 10%%", t.MaxErrors)
	}
	if t.Priority < 0 {
		f.add("priority", "%d: 0 is the first", t.Priority)
	}
	if t.ServiceRole != "" && !rolePattern().MatchString(t.ServiceRole) {
		f.add("service_role", "%q is no ARN of a role", t.ServiceRole)
		f.hint("write arn:aws:iam::123456789012:role/NAME")
	}
	if t.Cutoff != "" && t.Cutoff != ContinueTask && t.Cutoff != CancelTask {
		f.add("cutoff_behavior", "%q is not continue or cancel", t.Cutoff)
	}
	if len(t.Alarms) > 1 {
		f.add("alarms", "%d alarms; the service takes one", len(t.Alarms))
	}
	f.handed(t)
	return f
}

// handed checks what a task hands over, by its type.
func (f *faults) handed(t Task) {
	of := func(types ...Type) bool { return slices.Contains(types, t.Type) }
	f.only(of(RunCommand, Automation), "parameters", len(t.Parameters) > 0, t.Type)
	f.only(of(RunCommand, Automation), "document_version", t.DocumentVersion != "", t.Type)
	f.only(of(RunCommand), "comment", t.Comment != "", t.Type)
	f.only(of(RunCommand), "timeout", t.Timeout != 0, t.Type)
	f.only(of(RunCommand), "output_s3", t.OutputBucket != "", t.Type)
	f.only(of(RunCommand), "log_group", t.LogGroup != "" || t.LogOutput, t.Type)
	f.only(of(RunCommand), "notification_arn", t.NotificationARN != "", t.Type)
	f.only(of(Lambda), "payload", t.Payload != nil, t.Type)
	f.only(of(Lambda), "client_context", t.ClientContext != "", t.Type)
	f.only(of(Lambda), "qualifier", t.Qualifier != "", t.Type)
	f.only(of(StepFunctions), "input", t.Input != "", t.Type)
	f.only(of(StepFunctions), "execution_name", t.ExecutionName != "", t.Type)
	switch t.Type {
	case RunCommand, Automation:
		f.command(t)
	case Lambda:
		if t.Run != "" && !functionPattern().MatchString(t.Run) {
			f.add("run", "%q is neither the name nor the ARN of a function", t.Run)
		}
		f.document("payload", string(t.Payload))
		f.most("client_context", t.ClientContext, maxClientContext)
		f.most("qualifier", t.Qualifier, maxQualifier)
	case StepFunctions:
		if t.Run != "" && !machinePattern().MatchString(t.Run) {
			f.add("run", "%q is no ARN of a state machine", t.Run)
			f.hint("write arn:aws:states:REGION:ACCOUNT:stateMachine:NAME")
		}
		f.document("input", t.Input)
		f.most("execution_name", t.ExecutionName, maxExecutionName)
	}
}

func (f *faults) only(legal bool, field string, given bool, t Type) {
	if given && !legal {
		f.add(field, "it is not for tasks of type %s", t.Word())
	}
}

// document checks that a payload is JSON, without showing it.
func (f *faults) document(field, text string) {
	switch {
	case text == "":
	case len(text) > maxPayload:
		f.add(field, "it has %d bytes; %d are possible", len(text), maxPayload)
	case !json.Valid([]byte(text)):
		f.add(field, "it is no JSON")
	}
}

// NotifyEvents are the states that a notification can be about.
func NotifyEvents() []string {
	return []string{"All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"}
}

func (f *faults) command(t Task) {
	if t.DocumentVersion != "" && !versionPattern().MatchString(t.DocumentVersion) {
		f.add("document_version", "%q is no version: a number, $LATEST or $DEFAULT", t.DocumentVersion)
	}
	f.most("comment", t.Comment, maxComment)
	f.most("log_group", t.LogGroup, maxLogGroup)
	if t.Timeout != 0 && (t.Timeout < minTimeout || t.Timeout > maxTimeout) {
		f.add("timeout", "%s is not between 30s and 30d", t.Timeout)
	}
	if t.OutputBucket != "" && !bucketPattern().MatchString(t.OutputBucket) {
		f.add("output_s3", "%q is no name of a bucket", t.OutputBucket)
	}
	if t.NotificationARN != "" && !snsPattern().MatchString(t.NotificationARN) {
		f.add("notification_arn", "%q is no ARN of an SNS topic", t.NotificationARN)
	}
	for _, e := range t.NotifyOn {
		if !slices.Contains(NotifyEvents(), e) {
			f.add("notify_on", "%q is not one of %s", e, strings.Join(NotifyEvents(), ", "))
		}
	}
	if t.NotificationType != "" && t.NotificationType != "Command" && t.NotificationType != "Invocation" {
		f.add("notification_type", "%q is not Command or Invocation", t.NotificationType)
	}
	if t.CommandRole != "" && !rolePattern().MatchString(t.CommandRole) {
		f.add("command_role", "%q is no ARN of a role", t.CommandRole)
	}
	if t.NotificationARN != "" && t.CommandRole == "" {
		f.add("command_role", "notifications need a role that may publish them")
	}
}
