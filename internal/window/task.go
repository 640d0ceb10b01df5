package window

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Type is what a task runs, as the API writes it.
type Type string

// The types of tasks.
const (
	RunCommand    Type = "RUN_COMMAND"
	Automation    Type = "AUTOMATION"
	Lambda        Type = "LAMBDA"
	StepFunctions Type = "STEP_FUNCTIONS"
)

// What becomes of a task that runs at the cutoff.
const (
	ContinueTask = "CONTINUE_TASK"
	CancelTask   = "CANCEL_TASK"
)

// Task is something that a window does. The fields after Alarms are what the task
// hands to that which it runs; they are known of a task that was asked for by
// itself (see Details).
type Task struct {
	ID          string     `json:"task_id"`
	WindowID    string     `json:"window_id"`
	Name        string     `json:"name,omitempty"`
	Description string     `json:"description,omitempty"`
	Type        Type       `json:"type"`
	Run         string     `json:"run"` // the document, runbook, function or state machine
	Selectors   []Selector `json:"targets,omitempty"`
	Priority    int        `json:"priority"` // 0 is first; equal ones run at the same time
	Concurrency string     `json:"max_concurrency,omitempty"`
	MaxErrors   string     `json:"max_errors,omitempty"`
	ServiceRole string     `json:"service_role,omitempty"`
	Cutoff      string     `json:"cutoff_behavior,omitempty"` // ContinueTask, CancelTask
	Alarms      []string   `json:"alarms,omitempty"`
	// IgnoreAlarmFailure goes on when the alarms cannot be read.
	IgnoreAlarmFailure bool `json:"ignore_alarm_failure,omitempty"`

	Parameters      map[string][]string `json:"parameters,omitempty"` // of RunCommand and Automation
	DocumentVersion string              `json:"document_version,omitempty"`

	// Of RunCommand.
	Comment          string        `json:"comment,omitempty"`
	Timeout          time.Duration `json:"-"` // in which a node must begin; whole seconds
	OutputBucket     string        `json:"output_bucket,omitempty"`
	OutputPrefix     string        `json:"output_prefix,omitempty"`
	LogOutput        bool          `json:"log_output,omitempty"` // to CloudWatch Logs
	LogGroup         string        `json:"log_group,omitempty"`
	NotificationARN  string        `json:"notification_arn,omitempty"`
	NotifyOn         []string      `json:"notify_on,omitempty"`
	NotificationType string        `json:"notification_type,omitempty"` // Command, Invocation
	CommandRole      string        `json:"command_role,omitempty"`      // that publishes notifications
	DocumentHash     string        `json:"document_hash,omitempty"`
	DocumentHashType string        `json:"document_hash_type,omitempty"`

	// Of Lambda. Payload is JSON, as the service sends it.
	Payload       []byte `json:"-"`
	ClientContext string `json:"-"`
	Qualifier     string `json:"qualifier,omitempty"`

	// Of StepFunctions. Input is JSON.
	Input         string `json:"-"`
	ExecutionName string `json:"execution_name,omitempty"`

	deprecated bool // what it hands over is in fields that newer tasks have not
}

// label is what people call it.
func (t Task) label() string { return cmp.Or(t.Name, t.ID, taskLabel(t)) }

// WindowTargets are the ids of targets of the window that the task names.
func (t Task) WindowTargets() []string {
	var ids []string
	for _, s := range t.Selectors {
		if s.Key == ByWindowTarget {
			ids = append(ids, s.Values...)
		}
	}
	return ids
}

// namesNodes reports whether the task has nodes beside the targets of its window.
func (t Task) namesNodes() bool {
	return slices.ContainsFunc(t.Selectors, func(s Selector) bool { return s.Key != ByWindowTarget })
}

// Tasks reads the tasks of a window, all of them, without what they hand over. It
// takes one call for 100 tasks, where Details takes one for each.
func (s *Service) Tasks(ctx context.Context, window string) ([]Task, error) {
	in := &ssm.DescribeMaintenanceWindowTasksInput{WindowId: aws.String(window), MaxResults: aws.Int32(pageSize)}
	return collect(awsapi.Pages("list tasks of maintenance window "+window, func(token *string) ([]types.MaintenanceWindowTask, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindowTasks(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.Tasks, out.NextToken, nil
	}, func(t types.MaintenanceWindowTask) Task {
		task := Task{
			ID: aws.ToString(t.WindowTaskId), WindowID: window, Name: aws.ToString(t.Name), Description: aws.ToString(t.Description),
			Type: Type(t.Type), Run: aws.ToString(t.TaskArn), Selectors: selectors(t.Targets), Priority: int(t.Priority),
			Concurrency: aws.ToString(t.MaxConcurrency), MaxErrors: aws.ToString(t.MaxErrors), ServiceRole: aws.ToString(t.ServiceRoleArn),
			Cutoff: string(t.CutoffBehavior),
		}
		task.setAlarms(t.AlarmConfiguration)
		return task
	}))
}

// Details reads a task with what it hands over.
func (s *Service) Details(ctx context.Context, window, id string) (Task, error) {
	out, err := s.api.GetMaintenanceWindowTask(ctx, &ssm.GetMaintenanceWindowTaskInput{WindowId: aws.String(window), WindowTaskId: aws.String(id)})
	if err != nil {
		return Task{}, awsapi.Explain("get task "+id+" of maintenance window "+window, err)
	}
	t := Task{
		ID: aws.ToString(out.WindowTaskId), WindowID: window, Name: aws.ToString(out.Name), Description: aws.ToString(out.Description),
		Type: Type(out.TaskType), Run: aws.ToString(out.TaskArn), Selectors: selectors(out.Targets), Priority: int(out.Priority),
		Concurrency: aws.ToString(out.MaxConcurrency), MaxErrors: aws.ToString(out.MaxErrors), ServiceRole: aws.ToString(out.ServiceRoleArn),
		Cutoff: string(out.CutoffBehavior),
	}
	t.setAlarms(out.AlarmConfiguration)
	t.setInvocation(out.TaskInvocationParameters)
	t.deprecated = len(out.TaskParameters) > 0 || out.LoggingInfo != nil
	if t.Type == RunCommand && out.TaskInvocationParameters == nil {
		t.setDeprecated(out.TaskParameters, out.LoggingInfo)
	}
	return t, nil
}

func (t *Task) setAlarms(a *types.AlarmConfiguration) {
	if a == nil {
		return
	}
	t.IgnoreAlarmFailure = a.IgnorePollAlarmFailure
	for _, alarm := range a.Alarms {
		t.Alarms = append(t.Alarms, aws.ToString(alarm.Name))
	}
}

// setDeprecated takes what older tasks of type RunCommand have in fields that the
// service heeds only where the newer ones are empty (API reference,
// MaintenanceWindowRunCommandParameters).
func (t *Task) setDeprecated(params map[string]types.MaintenanceWindowTaskParameterValueExpression, logging *types.LoggingInfo) {
	for name, v := range params {
		if t.Parameters == nil {
			t.Parameters = map[string][]string{}
		}
		t.Parameters[name] = v.Values
	}
	if logging != nil {
		t.OutputBucket, t.OutputPrefix = aws.ToString(logging.S3BucketName), aws.ToString(logging.S3KeyPrefix)
	}
}

func (t *Task) setInvocation(p *types.MaintenanceWindowTaskInvocationParameters) {
	if p == nil {
		return
	}
	if a := p.Automation; a != nil && t.Type == Automation {
		t.DocumentVersion, t.Parameters = aws.ToString(a.DocumentVersion), a.Parameters
	}
	if l := p.Lambda; l != nil && t.Type == Lambda {
		t.Payload, t.ClientContext, t.Qualifier = l.Payload, aws.ToString(l.ClientContext), aws.ToString(l.Qualifier)
	}
	if f := p.StepFunctions; f != nil && t.Type == StepFunctions {
		t.Input, t.ExecutionName = aws.ToString(f.Input), aws.ToString(f.Name)
	}
	r := p.RunCommand
	if r == nil || t.Type != RunCommand {
		return
	}
	t.Parameters, t.DocumentVersion, t.Comment = r.Parameters, aws.ToString(r.DocumentVersion), aws.ToString(r.Comment)
	t.Timeout = time.Duration(aws.ToInt32(r.TimeoutSeconds)) * time.Second
	t.OutputBucket, t.OutputPrefix, t.CommandRole = aws.ToString(r.OutputS3BucketName), aws.ToString(r.OutputS3KeyPrefix), aws.ToString(r.ServiceRoleArn)
	t.DocumentHash, t.DocumentHashType = aws.ToString(r.DocumentHash), string(r.DocumentHashType)
	if c := r.CloudWatchOutputConfig; c != nil {
		t.LogOutput, t.LogGroup = c.CloudWatchOutputEnabled, aws.ToString(c.CloudWatchLogGroupName)
	}
	if n := r.NotificationConfig; n != nil {
		t.NotificationARN, t.NotificationType = aws.ToString(n.NotificationArn), string(n.NotificationType)
		for _, e := range n.NotificationEvents {
			t.NotifyOn = append(t.NotifyOn, string(e))
		}
	}
}

// FindTask reads the task of a window that an id or a name means, with what it
// hands over.
func (s *Service) FindTask(ctx context.Context, w Window, expr string) (Task, error) {
	if IsPartID(expr) {
		return s.Details(ctx, w.ID, expr)
	}
	all, err := s.Tasks(ctx, w.ID)
	if err != nil {
		return Task{}, err
	}
	t, err := oneTask(w, expr, all)
	if err != nil {
		return Task{}, err
	}
	return s.Details(ctx, w.ID, t.ID)
}

func oneTask(w Window, expr string, all []Task) (Task, error) {
	return one("find task "+expr+" of maintenance window "+w.Name, "task", "ssmdeck window task list "+w.Name, expr, all,
		func(t Task) (string, string) { return t.ID, t.Name })
}

// collect is a list whose error is not lost.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	all := []T{}
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
