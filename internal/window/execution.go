package window

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// State is what an execution or a part of one is doing, as the API writes it.
type State string

// The states.
const (
	Pending    State = "PENDING"
	InProgress State = "IN_PROGRESS"
	Success    State = "SUCCESS"
	Failed     State = "FAILED"
	TimedOut   State = "TIMED_OUT"
	Cancelling State = "CANCELLING"
	Cancelled  State = "CANCELLED"
	Skipped    State = "SKIPPED_OVERLAPPING"
)

// Final reports whether nothing more happens.
func (s State) Final() bool {
	switch s {
	case Success, Failed, TimedOut, Cancelled, Skipped:
		return true
	}
	return false
}

// Runs reports whether something is under way. Of a state of tomorrow neither this nor
// Final is known.
func (s State) Runs() bool { return s == Pending || s == InProgress || s == Cancelling }

// Known reports whether it is one of the states above. Of any other nothing else tells.
func (s State) Known() bool { return s.Runs() || s.Final() }

// Bad reports whether it ended, and not well. One that was skipped since the one
// before it still ran did nothing, which is not well either.
func (s State) Bad() bool { return s.Final() && s != Success }

// Execution is one opening of a window.
type Execution struct {
	ID       string    `json:"execution_id"`
	WindowID string    `json:"window_id,omitempty"`
	State    State     `json:"state"`
	Details  string    `json:"details,omitempty"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
}

// Over reports whether it has ended: its state says so, or, where that is not known,
// its end.
func (e Execution) Over() bool { return e.State.Final() || !e.State.Known() && !e.Ended.IsZero() }

// TaskRun is what one task did in an execution. Priority and what follows are
// known of one that was asked for by itself.
type TaskRun struct {
	ID          string    `json:"task_execution_id"`
	ExecutionID string    `json:"execution_id"`
	Type        Type      `json:"type"`
	Run         string    `json:"run"`
	State       State     `json:"state"`
	Details     string    `json:"details,omitempty"`
	Started     time.Time `json:"started,omitzero"`
	Ended       time.Time `json:"ended,omitzero"`
	Alarms      []string  `json:"triggered_alarms,omitempty"`
	Priority    int       `json:"priority,omitempty"`
	Concurrency string    `json:"max_concurrency,omitempty"`
	MaxErrors   string    `json:"max_errors,omitempty"`
	ServiceRole string    `json:"service_role,omitempty"`
}

// Invocation is a task run for one target of the window, or once where it has
// none. Started is the id of what it started: a command of Run Command, an
// automation.
type Invocation struct {
	ID          string    `json:"invocation_id"`
	TaskRunID   string    `json:"task_execution_id"`
	ExecutionID string    `json:"execution_id"`
	Type        Type      `json:"type"`
	State       State     `json:"state"`
	Details     string    `json:"details,omitempty"`
	Started     time.Time `json:"started,omitzero"`
	Ended       time.Time `json:"ended,omitzero"`
	Target      string    `json:"window_target_id,omitempty"`
	Owner       string    `json:"owner_information,omitempty"`
	Made        string    `json:"started_id,omitempty"` // a command's or an automation's id
	Parameters  string    `json:"-"`                    // JSON; may hold secrets
}

// Period narrows executions to those that began in it; a zero end is open.
type Period struct{ After, Before time.Time }

// Executions lists the executions of a window, newest first as the service does.
// An error is the last element.
func (s *Service) Executions(ctx context.Context, window string, p Period) iter.Seq2[Execution, error] {
	in := &ssm.DescribeMaintenanceWindowExecutionsInput{WindowId: aws.String(window), MaxResults: aws.Int32(pageSize)}
	add := func(key string, t time.Time) {
		if !t.IsZero() {
			in.Filters = append(in.Filters, types.MaintenanceWindowFilter{Key: aws.String(key), Values: []string{t.UTC().Format(time.RFC3339)}})
		}
	}
	add("ExecutedAfter", p.After)
	add("ExecutedBefore", p.Before)
	return awsapi.Pages("list executions of maintenance window "+window, func(token *string) ([]types.MaintenanceWindowExecution, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindowExecutions(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.WindowExecutions, out.NextToken, nil
	}, func(e types.MaintenanceWindowExecution) Execution {
		return Execution{
			ID: aws.ToString(e.WindowExecutionId), WindowID: aws.ToString(e.WindowId), State: State(e.Status), Details: aws.ToString(e.StatusDetails),
			Started: aws.ToTime(e.StartTime), Ended: aws.ToTime(e.EndTime),
		}
	})
}

// Execution reads one execution. The service does not say of which window it is.
func (s *Service) Execution(ctx context.Context, id string) (Execution, error) {
	out, err := s.api.GetMaintenanceWindowExecution(ctx, &ssm.GetMaintenanceWindowExecutionInput{WindowExecutionId: aws.String(id)})
	if err != nil {
		return Execution{}, awsapi.Explain("get execution "+id, err)
	}
	return Execution{
		ID: aws.ToString(out.WindowExecutionId), State: State(out.Status), Details: aws.ToString(out.StatusDetails),
		Started: aws.ToTime(out.StartTime), Ended: aws.ToTime(out.EndTime),
	}, nil
}

// TaskRuns reads what the tasks did in an execution, all of it.
func (s *Service) TaskRuns(ctx context.Context, execution string) ([]TaskRun, error) {
	in := &ssm.DescribeMaintenanceWindowExecutionTasksInput{WindowExecutionId: aws.String(execution), MaxResults: aws.Int32(pageSize)}
	return collect(awsapi.Pages("list tasks of execution "+execution, func(token *string) ([]types.MaintenanceWindowExecutionTaskIdentity, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindowExecutionTasks(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.WindowExecutionTaskIdentities, out.NextToken, nil
	}, func(t types.MaintenanceWindowExecutionTaskIdentity) TaskRun {
		return TaskRun{
			ID: aws.ToString(t.TaskExecutionId), ExecutionID: execution, Type: Type(t.TaskType), Run: aws.ToString(t.TaskArn),
			State: State(t.Status), Details: aws.ToString(t.StatusDetails), Started: aws.ToTime(t.StartTime), Ended: aws.ToTime(t.EndTime),
			Alarms: triggered(t.TriggeredAlarms),
		}
	}))
}

func triggered(list []types.AlarmStateInformation) []string {
	var names []string
	for _, a := range list {
		names = append(names, aws.ToString(a.Name))
	}
	return names
}

// TaskRun reads what one task did in an execution.
func (s *Service) TaskRun(ctx context.Context, execution, id string) (TaskRun, error) {
	out, err := s.api.GetMaintenanceWindowExecutionTask(ctx, &ssm.GetMaintenanceWindowExecutionTaskInput{WindowExecutionId: aws.String(execution), TaskId: aws.String(id)})
	if err != nil {
		return TaskRun{}, awsapi.Explain("get task "+id+" of execution "+execution, err)
	}
	return TaskRun{
		ID: aws.ToString(out.TaskExecutionId), ExecutionID: execution, Type: Type(out.Type), Run: aws.ToString(out.TaskArn),
		State: State(out.Status), Details: aws.ToString(out.StatusDetails), Started: aws.ToTime(out.StartTime), Ended: aws.ToTime(out.EndTime),
		Alarms: triggered(out.TriggeredAlarms), Priority: int(out.Priority), Concurrency: aws.ToString(out.MaxConcurrency),
		MaxErrors: aws.ToString(out.MaxErrors), ServiceRole: aws.ToString(out.ServiceRole),
	}, nil
}

// Invocations reads the invocations of a task in an execution, all of them.
func (s *Service) Invocations(ctx context.Context, execution, task string) ([]Invocation, error) {
	in := &ssm.DescribeMaintenanceWindowExecutionTaskInvocationsInput{
		WindowExecutionId: aws.String(execution), TaskId: aws.String(task), MaxResults: aws.Int32(pageSize),
	}
	return collect(awsapi.Pages("list invocations of task "+task, func(token *string) ([]types.MaintenanceWindowExecutionTaskInvocationIdentity, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindowExecutionTaskInvocations(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.WindowExecutionTaskInvocationIdentities, out.NextToken, nil
	}, func(i types.MaintenanceWindowExecutionTaskInvocationIdentity) Invocation {
		return Invocation{
			ID: aws.ToString(i.InvocationId), TaskRunID: task, ExecutionID: execution, Type: Type(i.TaskType), State: State(i.Status),
			Details: aws.ToString(i.StatusDetails), Started: aws.ToTime(i.StartTime), Ended: aws.ToTime(i.EndTime),
			Target: aws.ToString(i.WindowTargetId), Owner: aws.ToString(i.OwnerInformation), Made: aws.ToString(i.ExecutionId),
			Parameters: aws.ToString(i.Parameters),
		}
	}))
}

// Invocation reads one invocation of a task in an execution.
func (s *Service) Invocation(ctx context.Context, execution, task, id string) (Invocation, error) {
	out, err := s.api.GetMaintenanceWindowExecutionTaskInvocation(ctx, &ssm.GetMaintenanceWindowExecutionTaskInvocationInput{
		WindowExecutionId: aws.String(execution), TaskId: aws.String(task), InvocationId: aws.String(id),
	})
	if err != nil {
		return Invocation{}, awsapi.Explain("get invocation "+id, err)
	}
	return Invocation{
		ID: aws.ToString(out.InvocationId), TaskRunID: task, ExecutionID: execution, Type: Type(out.TaskType), State: State(out.Status),
		Details: aws.ToString(out.StatusDetails), Started: aws.ToTime(out.StartTime), Ended: aws.ToTime(out.EndTime),
		Target: aws.ToString(out.WindowTargetId), Owner: aws.ToString(out.OwnerInformation), Made: aws.ToString(out.ExecutionId),
		Parameters: aws.ToString(out.Parameters),
	}, nil
}

// Cancel asks to cancel an execution: no more tasks begin, those that run go on to
// their end (API reference, CancelMaintenanceWindowExecution).
func (s *Service) Cancel(ctx context.Context, id string) error {
	_, err := s.api.CancelMaintenanceWindowExecution(ctx, &ssm.CancelMaintenanceWindowExecutionInput{WindowExecutionId: aws.String(id)})
	return awsapi.Explain("cancel execution "+id, err)
}

// States are all states, as people type them.
func States() []string {
	var list []string
	for _, s := range []State{Pending, InProgress, Success, Failed, TimedOut, Cancelling, Cancelled, Skipped} {
		list = append(list, strings.ToLower(string(s)))
	}
	return list
}

// ParseState finds the state that somebody has typed, in any case; "" is none.
func ParseState(word string) (State, error) {
	w := strings.ReplaceAll(strings.ToLower(word), "-", "_")
	if w == "" || slices.Contains(States(), w) {
		return State(strings.ToUpper(w)), nil
	}
	err := fault.Usagef("an execution is never %q", word)
	if near := fault.Nearest(w, States()); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("its states are %s", strings.Join(States(), ", "))
}
