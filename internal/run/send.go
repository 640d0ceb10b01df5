package run

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// sendTime bounds one SendCommand, which is not cut short by a cancelled
	// context: whether it was taken must be known.
	sendTime = time.Minute
	// lookFor is how long an unanswered command is looked for in the list.
	lookFor = 20 * time.Second
	// lookBack allows for clocks that differ from the service's.
	lookBack = 15 * time.Minute
)

// input is the SendCommand of s under the given limits.
func (s send) input(runID, concurrency, maxErrors string) *ssm.SendCommandInput {
	r := s.request
	in := &ssm.SendCommandInput{
		DocumentName: aws.String(s.document),
		InstanceIds:  s.ids,
		Parameters:   s.params,
		Comment:      aws.String(strings.TrimSpace(r.Comment + " " + commentTag(runID, s.number, s.of))),
	}
	for _, t := range s.targets {
		in.Targets = append(in.Targets, types.Target{Key: aws.String(t.Key), Values: t.Values})
	}
	for _, text := range []struct {
		to    **string
		value string
	}{
		{&in.DocumentVersion, s.version},
		{&in.MaxConcurrency, concurrency},
		{&in.MaxErrors, maxErrors},
		{&in.OutputS3BucketName, r.S3Bucket},
		{&in.OutputS3KeyPrefix, r.S3Prefix},
	} {
		if text.value != "" {
			*text.to = aws.String(text.value)
		}
	}
	if t := cmp.Or(seconds(r.Timeout), s.timeout); t != 0 {
		in.TimeoutSeconds = aws.Int32(int32(t)) // at most 2,592,000
	}
	if r.LogGroup != "" {
		in.CloudWatchOutputConfig = &types.CloudWatchOutputConfig{
			CloudWatchLogGroupName:  aws.String(r.LogGroup),
			CloudWatchOutputEnabled: true,
		}
	}
	return in
}

// send makes the call and starts following the command. When nobody knows
// whether the service took it, the command is looked for by its comment and
// never sent again: SendCommand has no token that would make that safe.
func (f *follower) send(ctx context.Context, s send, in *ssm.SendCommandInput) error {
	// Ctrl-C must not turn a sent command into an unknown one.
	sendCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer cancel()
	before := time.Now()
	out, err := f.api.SendCommand(sendCtx, in)
	var cmd Command
	switch {
	case err == nil && out.Command != nil && aws.ToString(out.Command.CommandId) != "":
		cmd = commandOf(*out.Command)
	case err != nil && !unanswered(err):
		return awsapi.Explain(s.name(), err)
	default:
		if err == nil {
			err = errors.New("the service took the command without an id")
		}
		var ok bool
		if cmd, ok = f.look(ctx, before.Add(-lookBack), aws.ToString(in.Comment), plain(err)); !ok {
			return awsapi.Explain(s.name(), err)
		}
	}
	limit, _ := strconv.Atoi(aws.ToString(in.MaxConcurrency)) // a percentage is of no concern: then there is one send
	f.follow(cmd, keepingOf(cmd).or(s.request), s.known, len(s.ids), limit)
	f.emit(Event{
		Kind: WasSent, Time: time.Now(), RunID: f.runID, CommandID: cmd.ID,
		Sent: &Sent{Document: s.document, Nodes: len(s.ids), Number: s.number, Of: s.of},
	})
	return nil
}

// look searches the list of commands for one with that comment, for a while:
// the list may lag behind.
func (f *follower) look(ctx context.Context, since time.Time, comment, why string) (Command, bool) {
	f.notice(Notice{Kind: Unknown, Text: "the command may have been sent, looking for it: " + why})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
	defer cancel()
	for pause := time.Second; ; pause *= 2 {
		var found Command
		err := f.recent(ctx, since, func(c types.Command) bool {
			if aws.ToString(c.Comment) == comment {
				found = commandOf(c)
			}
			return found.ID == ""
		})
		if found.ID != "" {
			return found, true
		}
		if err != nil || wait.Sleep(ctx, pause) != nil {
			return Command{}, false
		}
	}
}

// recent walks the commands requested since then, newest first, while more says
// so.
func (f *follower) recent(ctx context.Context, since time.Time, more func(types.Command) bool) error {
	in := &ssm.ListCommandsInput{
		MaxResults: aws.Int32(pageSize),
		Filters:    []types.CommandFilter{timeFilter(types.CommandFilterKeyInvokedAfter, since)},
	}
	for {
		out, err := call(ctx, f, func(ctx context.Context) (*ssm.ListCommandsOutput, error) { return f.api.ListCommands(ctx, in) })
		if err != nil {
			return err
		}
		for _, c := range out.Commands {
			if !more(c) {
				return nil
			}
		}
		if !nextPage(&in.NextToken, out.NextToken) {
			return nil
		}
	}
}

// nextPage moves to the next page and reports whether there is one. A token
// that does not change would never end.
func nextPage(token **string, next *string) bool {
	if aws.ToString(next) == "" || aws.ToString(next) == aws.ToString(*token) {
		return false
	}
	*token = next
	return true
}

// unanswered reports whether a failed SendCommand may have been carried out:
// the request had left, and no answer came that says no.
func unanswered(err error) bool {
	if serverFault(err) {
		return true
	}
	var api smithy.APIError
	var input smithy.InvalidParamsError
	var dns *net.DNSError
	var dial *net.OpError
	switch {
	case errors.As(err, &api), errors.As(err, &input), errors.As(err, &dns):
		return false
	case errors.As(err, &dial):
		return dial.Op != "dial" && dial.Op != "proxyconnect"
	default:
		return weigh(err) == isTransient
	}
}

// serverFault reports whether the service answered with a fault of its own. A
// throttle is none: it is refused before anything is done.
func serverFault(err error) bool {
	var http interface{ HTTPStatusCode() int }
	if errors.As(err, &http) && http.HTTPStatusCode() >= 500 {
		return true
	}
	var api smithy.APIError
	return errors.As(err, &api) &&
		(api.ErrorFault() == smithy.FaultServer || slices.Contains([]string{"InternalServerError", "InternalFailure", "ServiceUnavailable"}, api.ErrorCode()))
}

// A stager sends a run's commands so that its limits hold over all of them. The
// service knows the limits of one command only, so with several a command is
// sent when there is room for it, under what is left of the limits.
//
// With NoWait nobody is there later, so the limits are shared out at once.
type stager struct {
	plan plan
	next int   // index of the next send
	err  error // why the rest is not sent
}

// unsent returns how many nodes were not sent the command yet.
func (g *stager) unsent() int {
	n := 0
	for _, s := range g.plan.sends[g.next:] {
		n += len(s.ids)
	}
	return n
}

func (g *stager) done() bool { return g.next == len(g.plan.sends) || g.err != nil }

// advance sends what may be sent now, for some seconds at a time: sending all of a
// large run takes minutes, and paused says that there is more to send at once. An
// error of the first send is returned; later ones stop the sending, and are kept for
// the end.
func (g *stager) advance(ctx context.Context, f *follower) (paused bool, err error) {
	for !g.done() {
		s := g.plan.sends[g.next]
		r := s.request
		concurrency, maxErrors, ok := g.room(f, s)
		if !ok {
			return false, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		// Sends count towards what one run may call in a minute, as reads do.
		if err := f.pacer.wait(ctx); err != nil {
			return false, err
		}
		err := f.send(ctx, s, s.input(g.plan.runID, concurrency, maxErrors))
		if err == nil {
			g.next++
			if !r.NoWait && !g.done() && f.outdated() {
				return true, nil // whether the rest may go is for newer counters to say
			}
			continue
		}
		if g.next == 0 {
			return false, err
		}
		g.err = err
		f.notice(Notice{Kind: Held, Text: "the rest was not sent: " + err.Error(), Count: g.unsent()})
	}
	return false, nil
}

// room returns the limits for the next send, and whether it may go now.
func (g *stager) room(f *follower, s send) (concurrency, maxErrors string, ok bool) {
	r, n := s.request, len(g.plan.sends)
	if n == 1 {
		return r.Concurrency, r.MaxErrors, true // as typed: the service reads percentages itself
	}
	if r.NoWait {
		return strconv.Itoa(max(1, g.plan.concurrency/n)), strconv.Itoa(g.plan.errors / n), true
	}
	running, failed := f.load()
	switch {
	case f.cancelled():
		g.err = errCancelled
	case failed > g.plan.errors:
		g.err = errLimit
	}
	if g.err != nil {
		f.notice(Notice{Kind: Held, Text: "the rest was not sent: " + g.err.Error(), Count: g.unsent()})
		return "", "", false
	}
	free := g.plan.concurrency - running
	// Waiting for half of the room keeps the number of commands small.
	if free < min(maxIDs, max(1, g.plan.concurrency/2)) {
		return "", "", false
	}
	return strconv.Itoa(min(free, maxIDs)), strconv.Itoa(g.plan.errors - failed), true
}

// Why sending stopped without a failure of ours: the nodes show as not sent.
var (
	errLimit     = errors.New("the error limit was reached")
	errCancelled = errors.New("the run was cancelled")
)

// failure is why the rest was not sent, unless that was as it should be.
func (g *stager) failure() error {
	if errors.Is(g.err, errLimit) || errors.Is(g.err, errCancelled) {
		return nil
	}
	return g.err
}
