package run

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Output comes from two places. ListCommandInvocations has a short form of 50
// nodes in one call: stdout and stderr in one text, at most 2,500 characters.
// GetCommandInvocation has the long form of one node. Where the short form
// tells everything it is used, and the long one is asked for otherwise.
const (
	maxStdout = 24_000 // characters of the long form (API model)
	maxStderr = 8_000
	// certain is a length up to which the short form cannot have been cut.
	certain = 2_400

	// The texts the agent puts between stdout and stderr, and where it cut
	// (agent, pluginutil and the constants of its output handling).
	errorMark     = "\n----------ERROR-------\n"
	cutLong       = "--output truncated--"
	cutShort      = "---Output truncated---"
	cutShortError = "---Error truncated----"

	fetchPerRound = 50
	fetchTries    = 5
	// fetchAtEnd is how many long outputs are still fetched when all nodes are
	// done; of a run in which thousands wrote much the rest stays short.
	fetchAtEnd = 200
)

// owed is an output to be fetched.
type owed struct {
	inv     Invocation
	keep    keeping
	plugins []types.CommandPlugin
	silent  bool // the event of the final state waits for the exit code
	tries   int
}

// ended reports a node that is done: its state, and its output now or later.
func (f *follower) ended(t *tracked, inv Invocation, plugins []types.CommandPlugin) {
	if f.live != nil {
		f.live.ended(t, inv, plugins)
	}
	if !ran(inv.State, inv.Detail) {
		f.changed(inv)
		return
	}
	if tellsAll(plugins, f.size() <= pageSize) {
		f.changed(inv)
		f.printed(inv, preview(inv.NodeID, plugins, false))
		return
	}
	if f.failedOutputs && inv.State == Success && len(plugins) > 0 {
		f.changed(inv)
		f.printed(inv, preview(inv.NodeID, plugins, true))
		return
	}
	o := &owed{inv: inv, keep: t.keep, plugins: plugins, silent: len(plugins) == 0}
	if !o.silent {
		f.changed(inv)
	}
	f.owed = append(f.owed, o)
}

func (f *follower) printed(inv Invocation, o Output) {
	if f.live != nil {
		f.live.printed(inv, o)
	}
	f.emit(Event{Kind: Printed, Time: time.Now(), RunID: f.runID, CommandID: inv.CommandID, Output: &o})
}

// fetchSome fetches outputs that are due, those of failed nodes first. It
// reports whether there were any.
func (f *follower) fetchSome(ctx context.Context) (bool, error) {
	slices.SortStableFunc(f.owed, func(x, y *owed) int { return cmp.Compare(urgency(x.inv.State), urgency(y.inv.State)) })
	batch := f.owed[:min(len(f.owed), fetchPerRound)]
	rest := slices.Clone(f.owed[len(batch):])
	for i, o := range batch {
		settled, err := f.fetch(ctx, o)
		if err != nil {
			f.owed = append(batch[i:], rest...)
			return false, err
		}
		if !settled {
			rest = append(rest, o)
		}
	}
	f.owed = rest
	return len(batch) > 0, nil
}

// drain settles all outputs still owed at the end.
func (f *follower) drain(ctx context.Context) error {
	for budget := fetchAtEnd; len(f.owed) > 0 && budget > 0; budget -= fetchPerRound {
		before := len(f.owed)
		if _, err := f.fetchSome(ctx); err != nil {
			return err
		}
		if len(f.owed) == before { // nothing but "not yet"
			if err := wait.Sleep(ctx, wait.Jitter(fastest)); err != nil {
				return err
			}
		}
	}
	if n := len(f.owed); n > 0 && !f.noOutputs {
		f.notice(Notice{Kind: Shortened, Text: "the output of some nodes is shown up to 2,500 characters; `ssmdeck command output` gets all", Count: n})
	}
	for _, o := range f.owed {
		f.makeDo(o)
	}
	f.owed = nil
	return nil
}

// fetch gets one output in its long form. When the service does not have it
// yet, settled is false; when the caller may not have it, the short form must
// do.
func (f *follower) fetch(ctx context.Context, o *owed) (settled bool, err error) {
	if f.noOutputs {
		f.makeDo(o)
		return true, nil
	}
	inv, out, err := f.reader(o.keep).long(ctx, o.inv, o.plugins)
	switch {
	case err == nil && inv.State.Final():
		if o.silent || inv.ExitCode != o.inv.ExitCode {
			f.changed(inv)
		}
		f.printed(inv, out)
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil && weigh(err) != isNotYet:
		f.noOutputs = true
		f.notice(Notice{Kind: Shortened, Text: "the output is shown up to 2,500 characters: " + plain(awsapi.Explain("read output", err))})
		f.makeDo(o)
		return true, nil
	}
	if o.tries++; o.tries < fetchTries {
		return false, nil
	}
	f.makeDo(o)
	return true, nil
}

// makeDo reports the short form in place of the long one.
func (f *follower) makeDo(o *owed) {
	if o.silent {
		f.changed(o.inv)
	}
	f.printed(o.inv, preview(o.inv.NodeID, o.plugins, true))
}

// getter is GetCommandInvocation, with or without repeating.
type getter func(context.Context, *ssm.GetCommandInvocationInput) (*ssm.GetCommandInvocationOutput, error)

// A reader gets the output of nodes as long as it can be had.
type reader struct {
	get   getter
	store store
	keep  keeping
	room  *int            // bytes that may still be kept in memory beyond the API's form
	warn  func(err error) // what is kept elsewhere cannot be read
}

// reader returns one that repeats its calls, and says once what cannot be read.
func (f *follower) reader(keep keeping) reader {
	if f.noWholes {
		keep = keeping{}
	}
	return reader{
		get: func(ctx context.Context, in *ssm.GetCommandInvocationInput) (*ssm.GetCommandInvocationOutput, error) {
			return call(ctx, f, func(ctx context.Context) (*ssm.GetCommandInvocationOutput, error) {
				return f.api.GetCommandInvocation(ctx, in)
			})
		},
		store: f.store, keep: keep, room: &f.room,
		warn: func(err error) {
			f.noWholes = true
			f.notice(Notice{Kind: Shortened, Text: "long outputs are shown as far as the service keeps them: " + explainWhole(err)})
		},
	}
}

// long reads the long output of one node, step by step when the document has
// several: the service wants the name of the step then. The invocation comes
// back with what only the long form told.
func (r reader) long(ctx context.Context, inv Invocation, plugins []types.CommandPlugin) (Invocation, Output, error) {
	out := Output{NodeID: inv.NodeID}
	steps := plugins
	if len(steps) == 0 {
		steps = []types.CommandPlugin{{}}
	}
	for _, p := range steps {
		if len(steps) > 1 && tellsAll([]types.CommandPlugin{p}, false) {
			out.add(preview(inv.NodeID, []types.CommandPlugin{p}, false))
			continue
		}
		in := &ssm.GetCommandInvocationInput{CommandId: aws.String(inv.CommandID), InstanceId: aws.String(inv.NodeID)}
		if len(steps) > 1 {
			in.PluginName = p.Name
		}
		got, err := r.get(ctx, in)
		if err != nil {
			return inv, Output{}, err
		}
		if len(plugins) < 2 {
			inv = merged(inv, got)
		}
		o := longOf(got).clipped()
		at := part{command: inv.CommandID, node: inv.NodeID, step: cmp.Or(aws.ToString(p.Name), aws.ToString(got.PluginName)), ended: inv.Ended}
		switch err := complete(ctx, r.store, r.keep, at, &o, r.room); {
		case ctx.Err() != nil:
			return inv, Output{}, ctx.Err()
		case err != nil:
			r.warn(err)
		}
		out.add(o)
	}
	return inv, out, nil
}

// merged adds to inv what the long form of a document with one step knows.
func merged(inv Invocation, got *ssm.GetCommandInvocationOutput) Invocation {
	state, detail := stateOf(string(got.Status), aws.ToString(got.StatusDetails))
	if !state.Final() && inv.State.Final() {
		inv.State = state // a replica that lags: its output cannot be complete
		return inv
	}
	inv.State, inv.Detail, inv.Reason = state, detail, whyOf(state, detail)
	if ran(state, detail) && got.ResponseCode >= 0 {
		inv.ExitCode = int(got.ResponseCode)
	}
	if inv.Started == nil {
		inv.Started = isoTime(got.ExecutionStartDateTime)
	}
	if inv.Ended == nil && state.Final() {
		inv.Ended = isoTime(got.ExecutionEndDateTime)
	}
	return inv
}

func longOf(got *ssm.GetCommandInvocationOutput) Output {
	o := Output{
		Stdout:    aws.ToString(got.StandardOutputContent),
		Stderr:    aws.ToString(got.StandardErrorContent),
		StdoutURL: aws.ToString(got.StandardOutputUrl),
		StderrURL: aws.ToString(got.StandardErrorUrl),
	}
	o.Truncated = isCutAt(o.Stdout, maxStdout) || isCutAt(o.Stderr, maxStderr)
	return o
}

// isCutAt reports whether a text ends in a mark of a cut, or is as long as the
// service keeps: then nobody knows.
func isCutAt(s string, characters int) bool {
	return isCut(s) || utf8.RuneCountInString(s) >= characters
}

// add appends the output of another step; each begins on its own line.
func (o *Output) add(more Output) {
	o.Stdout = appendText(o.Stdout, more.Stdout)
	o.Stderr = appendText(o.Stderr, more.Stderr)
	o.Truncated = o.Truncated || more.Truncated
	o.More = cmp.Or(o.More, more.More)
	o.StdoutURL = cmp.Or(o.StdoutURL, more.StdoutURL)
	o.StderrURL = cmp.Or(o.StderrURL, more.StderrURL)
}

func appendText(text, more string) string {
	if text != "" && more != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + more
}

// clipped bounds what a node may cost in memory, whatever the service sends.
func (o Output) clipped() Output {
	var cutOut, cutErr bool
	o.Stdout, cutOut = clip(o.Stdout, maxStdout+len(cutLong)+1)
	o.Stderr, cutErr = clip(o.Stderr, maxStderr+len(cutLong)+1)
	o.Truncated = o.Truncated || cutOut || cutErr
	return o
}

func clip(s string, characters int) (string, bool) {
	if utf8.RuneCountInString(s) <= characters {
		return s, false
	}
	n := 0
	for i := range s {
		if n == characters {
			return s[:i], true
		}
		n++
	}
	return s, false
}

// isCut reports whether a text ends in one of the marks of a cut. A script that
// writes such a mark itself is called cut, too; nothing is lost by that.
func isCut(s string) bool {
	s = strings.ToLower(strings.TrimRight(s, " \t\r\n"))
	for _, mark := range []string{cutLong, cutShort, cutShortError} {
		if strings.HasSuffix(s, strings.ToLower(mark)) {
			return true
		}
	}
	return false
}

// tellsAll reports whether the short form of the steps is all there is. In a
// small run certainty is cheap, so that an empty text, which a service may
// leave out, and one that must be split are asked for in their long form.
func tellsAll(plugins []types.CommandPlugin, small bool) bool {
	for _, p := range plugins {
		text := aws.ToString(p.Output)
		if utf8.RuneCountInString(text) > certain || strings.Contains(text, cutShort) || isCut(text) {
			return false
		}
		marks := strings.Count(text, errorMark)
		if marks > 1 || small && (marks == 1 || text == "") {
			return false
		}
	}
	return len(plugins) > 0
}

// preview makes an Output of the short form. partial says that there may be a
// longer one.
func preview(node string, plugins []types.CommandPlugin, partial bool) Output {
	out := Output{NodeID: node}
	for _, p := range plugins {
		stdout, stderr, _ := strings.Cut(aws.ToString(p.Output), errorMark)
		out.add(Output{
			Stdout: stdout, Stderr: stderr, Truncated: isCut(stdout) || isCut(stderr),
			StdoutURL: aws.ToString(p.StandardOutputUrl), StderrURL: aws.ToString(p.StandardErrorUrl),
		})
	}
	out = out.clipped()
	out.Preview = partial
	return out
}

// isoTime reads a time of GetCommandInvocation, which are texts.
func isoTime(s *string) *time.Time {
	t, err := time.Parse(time.RFC3339Nano, aws.ToString(s))
	if err != nil {
		return nil // empty: the step has not started
	}
	return &t
}
