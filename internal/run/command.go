package run

import (
	"context"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Command is one command as the service keeps it, for 30 days.
type Command struct {
	ID               string            `json:"id"`
	RunID            string            `json:"run_id,omitempty"` // when ssmdeck sent it
	Number           int               `json:"number,omitempty"` // of Of commands in the run
	Of               int               `json:"of,omitempty"`
	Document         string            `json:"document"`
	DocumentVersion  string            `json:"document_version,omitempty"`
	Comment          string            `json:"comment,omitempty"` // the user's part
	State            State             `json:"state"`
	Detail           string            `json:"detail,omitempty"`
	Reason           string            `json:"reason,omitempty"`
	Requested        time.Time         `json:"requested"`
	Expires          *time.Time        `json:"expires,omitempty"`
	Targets          int               `json:"targets"`
	Completed        int               `json:"completed"`
	Errors           int               `json:"errors"`
	DeliveryTimedOut int               `json:"delivery_timed_out"`
	InstanceIDs      []string          `json:"instance_ids,omitempty"`
	TargetedBy       []fleet.APITarget `json:"targeted_by,omitempty"`
	MaxConcurrency   string            `json:"max_concurrency,omitempty"`
	MaxErrors        string            `json:"max_errors,omitempty"`
	S3Bucket         string            `json:"s3_bucket,omitempty"`
	S3Prefix         string            `json:"s3_prefix,omitempty"`
	LogGroup         string            `json:"log_group,omitempty"`
	TimeoutSeconds   int               `json:"timeout_seconds,omitempty"` // for delivery

	// Params are the values the document was given. They may hold secrets (the
	// API model marks them sensitive), so they are in no JSON; show them on
	// request only.
	Params map[string][]string `json:"-"`
}

// ScriptLine returns the first line of the script, shortened to width
// characters, for the detail view of one command. It may hold a secret: it
// belongs in no list and no log.
func (c Command) ScriptLine(width int) string {
	for _, element := range c.Params[paramCommands] {
		for line := range strings.Lines(element) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#!") {
				continue
			}
			if utf8.RuneCountInString(line) > width {
				line, _ = clip(line, max(width-1, 0))
				line += "…"
			}
			return line
		}
	}
	return ""
}

func commandOf(c types.Command) Command {
	p := progressOf(c)
	text, runID, number, of := splitComment(aws.ToString(c.Comment))
	out := Command{
		ID:     aws.ToString(c.CommandId),
		RunID:  runID,
		Number: number, Of: of, TimeoutSeconds: int(aws.ToInt32(c.TimeoutSeconds)),
		Document: aws.ToString(c.DocumentName), DocumentVersion: aws.ToString(c.DocumentVersion),
		Comment: text,
		State:   p.State, Detail: p.Detail, Reason: whyOf(p.State, p.Detail),
		Requested: aws.ToTime(c.RequestedDateTime), Expires: c.ExpiresAfter,
		Targets: p.Targets, Completed: p.Completed, Errors: p.Errors, DeliveryTimedOut: p.DeliveryTimedOut,
		InstanceIDs:    c.InstanceIds,
		MaxConcurrency: aws.ToString(c.MaxConcurrency), MaxErrors: aws.ToString(c.MaxErrors),
		S3Bucket: aws.ToString(c.OutputS3BucketName), S3Prefix: aws.ToString(c.OutputS3KeyPrefix),
		Params: c.Parameters,
	}
	for _, t := range c.Targets {
		out.TargetedBy = append(out.TargetedBy, fleet.APITarget{Key: aws.ToString(t.Key), Values: t.Values})
	}
	out.LogGroup = logGroup(c.CloudWatchOutputConfig, out.Document)
	return out
}

// logGroup is where a command's output goes in CloudWatch Logs, "" for nowhere. The
// service has a group for each document when none was named (API reference,
// CloudWatchOutputConfig).
func logGroup(c *types.CloudWatchOutputConfig, document string) string {
	if c == nil || !c.CloudWatchOutputEnabled {
		return ""
	}
	if name := aws.ToString(c.CloudWatchLogGroupName); name != "" || document == "" {
		return name
	}
	return "/aws/ssm/" + document[strings.LastIndex(document, "/")+1:]
}

func progressOf(c types.Command) Progress {
	state, detail := stateOf(string(c.Status), aws.ToString(c.StatusDetails))
	return Progress{
		State: state, Detail: detail,
		Targets: int(c.TargetCount), Completed: int(c.CompletedCount),
		Errors: int(c.ErrorCount), DeliveryTimedOut: int(c.DeliveryTimedOutCount),
	}
}

func invocationOf(id string, inv types.CommandInvocation) Invocation {
	state, detail := stateOf(string(inv.Status), aws.ToString(inv.StatusDetails))
	out := Invocation{
		CommandID: id, NodeID: aws.ToString(inv.InstanceId), NodeName: aws.ToString(inv.InstanceName),
		State: state, Detail: detail, Reason: whyOf(state, detail), ExitCode: NoExit,
	}
	for _, p := range inv.CommandPlugins {
		if t := p.ResponseStartDateTime; t != nil && (out.Started == nil || t.Before(*out.Started)) {
			out.Started = t
		}
		if t := p.ResponseFinishDateTime; state.Final() && t != nil && (out.Ended == nil || t.After(*out.Ended)) {
			out.Ended = t
		}
		if len(inv.CommandPlugins) > 1 {
			s, _ := stateOf(string(p.Status), aws.ToString(p.StatusDetails))
			out.Steps = append(out.Steps, Step{Name: aws.ToString(p.Name), State: s, ExitCode: int(p.ResponseCode)})
		}
	}
	if ran(state, detail) {
		out.ExitCode = exitCode(inv.CommandPlugins)
	}
	return out
}

// exitCode is that of the first step that failed, else of the last.
func exitCode(plugins []types.CommandPlugin) int {
	code := NoExit
	for _, p := range plugins {
		code = max(int(p.ResponseCode), NoExit)
		if p.ResponseCode > 0 {
			break
		}
	}
	return code
}

// same reports whether two sightings of an invocation that is not done tell the
// user the same.
func same(x, y Invocation) bool {
	return x.State == y.State && x.Detail == y.Detail && (x.Started == nil) == (y.Started == nil)
}

// Filter narrows List. Zero fields do not.
type Filter struct {
	State    State // of those a command can have: Pending, Running, Cancelling, Success, Failed, TimedOut, Cancelled
	Document string
	NodeID   string
	After    time.Time
	Before   time.Time
}

// List yields commands, newest first as the service lists them, page by page as
// they are asked for. It ends after the first error.
func (s *Service) List(ctx context.Context, filter Filter) iter.Seq2[Command, error] {
	return awsapi.Unique(func(yield func(Command, error) bool) {
		in, err := filter.input()
		if err != nil {
			yield(Command{}, err)
			return
		}
		for {
			out, err := s.api.ListCommands(ctx, in)
			if err != nil {
				yield(Command{}, awsapi.Explain("list commands", err))
				return
			}
			for _, c := range out.Commands {
				if !yield(commandOf(c), nil) {
					return
				}
			}
			if !nextPage(&in.NextToken, out.NextToken) {
				return
			}
		}
	}, func(c Command) string { return c.ID })
}

func (f Filter) input() (*ssm.ListCommandsInput, error) {
	in := &ssm.ListCommandsInput{MaxResults: aws.Int32(pageSize)}
	if f.NodeID != "" {
		in.InstanceId = aws.String(f.NodeID)
	}
	if f.State != "" {
		status, ok := commandStatus(f.State)
		if !ok {
			return nil, fault.Usagef("commands are not listed by state %s; pending, running, cancelling, ok, failed, timed_out and cancelled are possible", f.State)
		}
		in.Filters = append(in.Filters, types.CommandFilter{Key: types.CommandFilterKeyStatus, Value: aws.String(string(status))})
	}
	if f.Document != "" {
		in.Filters = append(in.Filters, types.CommandFilter{Key: types.CommandFilterKeyDocumentName, Value: aws.String(f.Document)})
	}
	if !f.After.IsZero() {
		in.Filters = append(in.Filters, timeFilter(types.CommandFilterKeyInvokedAfter, f.After))
	}
	if !f.Before.IsZero() {
		in.Filters = append(in.Filters, timeFilter(types.CommandFilterKeyInvokedBefore, f.Before))
	}
	return in, nil
}

func timeFilter(key types.CommandFilterKey, t time.Time) types.CommandFilter {
	return types.CommandFilter{Key: key, Value: aws.String(t.UTC().Format("2006-01-02T15:04:05Z"))}
}

func commandStatus(s State) (types.CommandStatus, bool) {
	for _, status := range types.CommandStatus("").Values() {
		if state, _ := stateOf(string(status), ""); state == s {
			return status, true
		}
	}
	return "", false
}
