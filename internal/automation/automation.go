// Package automation runs runbooks, the documents of type Automation: it starts
// executions, follows their steps, decides those that wait for somebody, and
// stops them.
//
// Values of parameters never appear in its errors, since they may be secrets.
package automation

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Service runs the automations of one account and Region. It keeps nothing and
// may be used concurrently.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{api: client} }

// State is what an execution or a step is doing, as the API writes it.
type State string

// The states that decide something here; the API has more.
const (
	Success  State = "Success"
	Failed   State = "Failed"
	Waiting  State = "Waiting"
	Rejected State = "Rejected"
)

// final says which states are the last, and whether they are good.
var final = map[State]bool{
	Success: true, "CompletedWithSuccess": true, "Exited": true,
	Failed: false, "TimedOut": false, "Cancelled": false, Rejected: false, "CompletedWithFailure": false,
	"ChangeCalendarOverrideRejected": false,
}

// Final reports whether nothing more happens.
func (s State) Final() bool { _, ok := final[s]; return ok }

// Bad reports whether it ended, and not well.
func (s State) Bad() bool { good, ok := final[s]; return ok && !good }

// Waits reports whether it goes on only when somebody decides.
func (s State) Waits() bool {
	return s == Waiting || s == "PendingApproval" || s == "PendingChangeCalendarOverride"
}

// Known reports whether the state is one of the API as this program knows it. Of any
// other neither Final nor Waits tells.
func (s State) Known() bool { return slices.Contains(States(), string(s)) }

// States returns every state of the API.
func States() []string {
	var names []string
	for _, s := range types.AutomationExecutionStatus("").Values() {
		names = append(names, string(s))
	}
	return names
}

// ParseState finds the state that somebody has typed, in any case.
func ParseState(s string) (State, error) {
	for _, known := range States() {
		if strings.EqualFold(s, known) {
			return State(known), nil
		}
	}
	err := fault.Usagef("an automation is never %q", s)
	if near := fault.Nearest(s, States()); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("its states are %s", strings.Join(States(), ", "))
}

// Execution is one run of a runbook.
type Execution struct {
	ID              string              `json:"id"`
	Document        string              `json:"document"`
	DocumentVersion string              `json:"document_version,omitempty"`
	State           State               `json:"state"`
	Mode            string              `json:"mode,omitempty"` // Auto, Interactive
	ExecutedBy      string              `json:"executed_by,omitempty"`
	Started         time.Time           `json:"started"`
	Ended           time.Time           `json:"ended,omitzero"`
	CurrentStep     string              `json:"current_step,omitempty"`
	CurrentAction   string              `json:"current_action,omitempty"`
	Failure         string              `json:"failure,omitempty"`
	Warning         string              `json:"warning,omitempty"`
	Target          string              `json:"target,omitempty"`
	Parent          string              `json:"parent_id,omitempty"`
	Parameters      map[string][]string `json:"parameters,omitempty"` // of one that was asked for by its id
	Outputs         map[string][]string `json:"outputs,omitempty"`
	Counts          *Counts             `json:"steps,omitempty"` // of one over several targets
	// What follows is known of one over several targets that was asked for by its id.
	TargetParameter string   `json:"target_parameter,omitempty"`
	Targets         []Target `json:"targets,omitempty"`
	Concurrency     string   `json:"max_concurrency,omitempty"`
	MaxErrors       string   `json:"max_errors,omitempty"`
}

// Over reports whether it has ended: its state says so, or, where that is not known,
// its end.
func (e Execution) Over() bool { return e.State.Final() || !e.State.Known() && !e.Ended.IsZero() }

// Counts add up the children of an execution over several targets.
type Counts struct {
	Total     int `json:"total"`
	Success   int `json:"success"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	TimedOut  int `json:"timed_out"`
}

// Step is one step of an execution.
type Step struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Action   string              `json:"action"`
	State    State               `json:"state"`
	Started  time.Time           `json:"started,omitzero"`
	Ended    time.Time           `json:"ended,omitzero"`
	Failure  string              `json:"failure,omitempty"`
	Warning  string              `json:"warning,omitempty"`
	Code     string              `json:"response_code,omitempty"`
	Response string              `json:"response,omitempty"`
	Critical bool                `json:"critical"`
	Inputs   map[string]string   `json:"inputs,omitempty"`
	Outputs  map[string][]string `json:"outputs,omitempty"`
}

// Target says what a runbook runs over, as the API does: Key is ParameterValues,
// tag:NAME or ResourceGroup.
type Target struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// Request starts an execution. Zero fields are the service's defaults.
type Request struct {
	Document        string
	DocumentVersion string
	Parameters      map[string][]string
	Interactive     bool // every step waits for StartStep
	TargetParameter string
	Targets         []Target
	Concurrency     string
	MaxErrors       string
	Tags            map[string]string
}

// Start starts an execution and returns its id. It carries a token of its own: when
// the answer is lost, it is sent once more and the service starts no second one.
func (s *Service) Start(ctx context.Context, r Request) (string, error) {
	op := "start automation " + r.Document
	in := &ssm.StartAutomationExecutionInput{
		DocumentName: aws.String(r.Document), DocumentVersion: optional(r.DocumentVersion),
		TargetParameterName: optional(r.TargetParameter), MaxConcurrency: optional(r.Concurrency), MaxErrors: optional(r.MaxErrors),
		ClientToken: aws.String(awsapi.Token()), Mode: types.ExecutionModeAuto,
	}
	if len(r.Parameters) > 0 { // the API takes no empty map
		in.Parameters = r.Parameters
	}
	if r.Interactive {
		in.Mode = types.ExecutionModeInteractive
	}
	for _, t := range r.Targets {
		in.Targets = append(in.Targets, types.Target{Key: aws.String(t.Key), Values: t.Values})
	}
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(r.Tags[k])})
	}
	out, err := awsapi.Again(ctx, func() (*ssm.StartAutomationExecutionOutput, error) { return s.api.StartAutomationExecution(ctx, in) })
	if err != nil {
		return "", awsapi.Explain(op, err)
	}
	return aws.ToString(out.AutomationExecutionId), nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

// Filter narrows a list of executions.
type Filter struct {
	State    State
	Document string // a prefix of its name
	Parent   string
	After    time.Time
}

// List lists executions, newest first, as the service does. An error is the last
// element.
func (s *Service) List(ctx context.Context, f Filter) iter.Seq2[Execution, error] {
	in := &ssm.DescribeAutomationExecutionsInput{MaxResults: aws.Int32(50)}
	add := func(key types.AutomationExecutionFilterKey, value string) {
		if value != "" {
			in.Filters = append(in.Filters, types.AutomationExecutionFilter{Key: key, Values: []string{value}})
		}
	}
	add(types.AutomationExecutionFilterKeyExecutionStatus, string(f.State))
	add(types.AutomationExecutionFilterKeyDocumentNamePrefix, f.Document)
	add(types.AutomationExecutionFilterKeyParentExecutionId, f.Parent)
	if !f.After.IsZero() {
		add(types.AutomationExecutionFilterKeyStartTimeAfter, f.After.UTC().Format(time.RFC3339))
	}
	return awsapi.Unique(awsapi.Pages("list automations", func(token *string) ([]types.AutomationExecutionMetadata, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeAutomationExecutions(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.AutomationExecutionMetadataList, out.NextToken, nil
	}, fromMetadata), func(e Execution) string { return e.ID })
}

func fromMetadata(m types.AutomationExecutionMetadata) Execution {
	return Execution{
		ID: aws.ToString(m.AutomationExecutionId), Document: aws.ToString(m.DocumentName), DocumentVersion: aws.ToString(m.DocumentVersion),
		State: State(m.AutomationExecutionStatus), Mode: string(m.Mode), ExecutedBy: aws.ToString(m.ExecutedBy),
		Started: aws.ToTime(m.ExecutionStartTime), Ended: aws.ToTime(m.ExecutionEndTime),
		CurrentStep: aws.ToString(m.CurrentStepName), CurrentAction: aws.ToString(m.CurrentAction),
		Failure: aws.ToString(m.FailureMessage), Warning: aws.ToString(m.WarningMessage), Target: aws.ToString(m.Target),
		Parent: aws.ToString(m.ParentAutomationExecutionId), Outputs: m.Outputs,
	}
}

// Get returns an execution.
func (s *Service) Get(ctx context.Context, id string) (Execution, error) {
	op := "get automation " + id
	out, err := s.api.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: aws.String(id)})
	switch {
	case err != nil:
		return Execution{}, awsapi.Explain(op, err)
	case out.AutomationExecution == nil:
		return Execution{}, fault.New(fault.Failed, op, "the service answered without an execution")
	}
	a := out.AutomationExecution
	e := Execution{
		ID: aws.ToString(a.AutomationExecutionId), Document: aws.ToString(a.DocumentName), DocumentVersion: aws.ToString(a.DocumentVersion),
		State: State(a.AutomationExecutionStatus), Mode: string(a.Mode), ExecutedBy: aws.ToString(a.ExecutedBy),
		Started: aws.ToTime(a.ExecutionStartTime), Ended: aws.ToTime(a.ExecutionEndTime),
		CurrentStep: aws.ToString(a.CurrentStepName), CurrentAction: aws.ToString(a.CurrentAction),
		Failure: aws.ToString(a.FailureMessage), Warning: aws.ToString(a.WarningMessage), Target: aws.ToString(a.Target),
		Parent: aws.ToString(a.ParentAutomationExecutionId), Parameters: a.Parameters, Outputs: a.Outputs,
	}
	if len(a.Targets) > 0 {
		e.TargetParameter, e.Concurrency, e.MaxErrors = aws.ToString(a.TargetParameterName), aws.ToString(a.MaxConcurrency), aws.ToString(a.MaxErrors)
	}
	for _, t := range a.Targets {
		e.Targets = append(e.Targets, Target{Key: aws.ToString(t.Key), Values: t.Values})
	}
	if c := a.ProgressCounters; c != nil && c.TotalSteps > 0 {
		e.Counts = &Counts{int(c.TotalSteps), int(c.SuccessSteps), int(c.FailedSteps), int(c.CancelledSteps), int(c.TimedOutSteps)}
	}
	return e, nil
}

// Steps lists all steps of an execution that the service knows of, in the order
// they began; those that have not begun come last.
func (s *Service) Steps(ctx context.Context, id string) ([]Step, error) {
	in := &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: aws.String(id), MaxResults: aws.Int32(50)}
	steps := []Step{}
	for {
		out, err := s.api.DescribeAutomationStepExecutions(ctx, in)
		if err != nil {
			return nil, awsapi.Explain("list steps of automation "+id, err)
		}
		for _, e := range out.StepExecutions {
			steps = append(steps, step(e))
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			break
		}
	}
	slices.SortStableFunc(steps, func(a, b Step) int {
		if a.Started.IsZero() != b.Started.IsZero() {
			return cmp.Compare(btoi(a.Started.IsZero()), btoi(b.Started.IsZero()))
		}
		return a.Started.Compare(b.Started)
	})
	return steps, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func step(e types.StepExecution) Step {
	return Step{
		ID: aws.ToString(e.StepExecutionId), Name: aws.ToString(e.StepName), Action: aws.ToString(e.Action), State: State(e.StepStatus),
		Started: aws.ToTime(e.ExecutionStartTime), Ended: aws.ToTime(e.ExecutionEndTime),
		Failure: aws.ToString(e.FailureMessage), Warning: aws.ToString(e.WarningMessage),
		Code: aws.ToString(e.ResponseCode), Response: aws.ToString(e.Response), Critical: aws.ToBool(e.IsCritical),
		Inputs: e.Inputs, Outputs: e.Outputs,
	}
}

// Stop ends an execution: at once, or with complete when its current step has
// ended.
func (s *Service) Stop(ctx context.Context, id string, complete bool) error {
	in := &ssm.StopAutomationExecutionInput{AutomationExecutionId: aws.String(id), Type: types.StopTypeCancel}
	if complete {
		in.Type = types.StopTypeComplete
	}
	_, err := s.api.StopAutomationExecution(ctx, in)
	return awsapi.Explain("stop automation "+id, err)
}

// Signal is what a waiting execution can be told.
type Signal string

// The signals: the first two decide an approval, Resume ends a pause, StartStep is
// for executions in interactive mode.
const (
	Approve   Signal = "Approve"
	Reject    Signal = "Reject"
	Resume    Signal = "Resume"
	StartStep Signal = "StartStep"
)

// ForStep reports whether a signal has to name a step.
func (s Signal) ForStep() bool { return s == Resume || s == StartStep }

// Decide sends a signal: with the name of a step where it is for one, else with a
// comment, which may be empty.
func (s *Service) Decide(ctx context.Context, id string, signal Signal, comment, step string) error {
	in := &ssm.SendAutomationSignalInput{AutomationExecutionId: aws.String(id), SignalType: types.SignalType(signal)}
	switch {
	case signal.ForStep():
		in.Payload = map[string][]string{"StepName": {step}}
	case comment != "":
		in.Payload = map[string][]string{"Comment": {comment}}
	}
	_, err := s.api.SendAutomationSignal(ctx, in)
	return awsapi.Explain(strings.ToLower(string(signal))+" automation "+id, err)
}
