package run

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	pageSize = 50 // the most ListCommands and ListCommandInvocations give

	fastest = 500 * time.Millisecond // between polls while something happens
	slowest = 5 * time.Second        // while nothing does

	// unlisted is how long a command just sent may be missing from the lists.
	unlisted = 30 * time.Second
	// settling is how long the invocations of a command that ended may lag
	// behind it.
	settling = 15 * time.Second
	// refresh is how often all states are read although no counter moved: going
	// from pending to running moves none.
	refresh = 30 * time.Second
	// refreshUpTo is the size of a command up to which that is affordable.
	refreshUpTo = 1000
	// byIDUpTo is how many commands are polled one by one; more are read from
	// the list of recent commands, 50 in a call, of which listUpTo are looked at.
	byIDUpTo = 3
	listUpTo = 500
)

// A follower polls the commands of a run and emits what changes. One goroutine
// owns it.
type follower struct {
	api   api
	emit  func(Event)
	pacer *pacer
	runID string

	commands  []*tracked
	countedAt time.Time

	owed      []*owed // outputs still to be fetched
	noOutputs bool    // the caller may not fetch them

	throttles, retries int
}

func newFollower(client api, emit func(Event)) *follower {
	return &follower{api: client, emit: emit, pacer: newPacer()}
}

// tracked is one command being followed.
type tracked struct {
	id        string
	since     time.Time // when we began to follow it
	requested time.Time // by the service's clock
	document  string
	expected  int // ids sent; 0 when the service finds the nodes
	limit     int // its concurrency in nodes, when we set one

	progress Progress
	nodes    map[string]Invocation // as last seen
	finals   int                   // of nodes

	listed   bool      // the service knows it
	stale    bool      // the counters moved since the invocations were read
	walkedAt time.Time // last full reading
	endedAt  time.Time // when the service first said so
	closed   bool      // nothing more is to come
}

// follow adds a command.
func (f *follower) follow(c Command, expected, limit int) {
	f.commands = append(f.commands, &tracked{
		id: c.ID, since: time.Now(), requested: c.Requested, document: c.Document,
		expected: expected, limit: limit,
		progress: Progress{State: Pending}, nodes: make(map[string]Invocation), stale: true,
	})
}

func (f *follower) notice(n Notice) {
	f.emit(Event{Kind: Noticed, Time: time.Now(), RunID: f.runID, Notice: &n})
}

// run follows until everything is sent, has ended and was reported.
func (f *follower) run(ctx context.Context, g *stager) error {
	pause := fastest
	for {
		if err := g.advance(ctx, f); err != nil {
			return err
		}
		changed, err := f.round(ctx)
		if err != nil {
			return err
		}
		if g.done() && f.allClosed() {
			if err := f.drain(ctx); err != nil {
				return err
			}
			f.emit(Event{Kind: Done, Time: time.Now(), RunID: f.runID})
			return nil
		}
		pause = min(pause*3/2, slowest)
		if changed {
			pause = fastest
		}
		if err := wait.Sleep(ctx, wait.Jitter(pause)); err != nil {
			return err
		}
	}
}

func (f *follower) allClosed() bool {
	for _, t := range f.commands {
		if !t.closed {
			return false
		}
	}
	return true
}

// load sums up, over all commands, the nodes at work or next in line, and those
// that failed as MaxErrors counts them.
func (f *follower) load() (running, failed int) {
	for _, t := range f.commands {
		failed += t.progress.Errors
		left := max(t.expected, t.progress.Targets) - t.progress.Completed
		if t.closed || t.progress.State.Final() {
			left = 0
		}
		if t.limit > 0 {
			left = min(left, t.limit)
		}
		running += left
	}
	return running, failed
}

// cancelled reports whether somebody cancelled one of the commands, from here
// or from elsewhere: what is left of the run must not start then.
func (f *follower) cancelled() bool {
	for _, t := range f.commands {
		if s := t.progress.State; s == Cancelled || s == Cancelling {
			return true
		}
	}
	return false
}

// round is one poll: the counters, the invocations where they may have changed,
// and some of the outputs that are due.
func (f *follower) round(ctx context.Context) (changed bool, err error) {
	if changed, err = f.count(ctx); err != nil {
		return false, err
	}
	// A small run costs one page, which tells more than the counters do.
	small := 0
	for _, t := range f.commands {
		if !t.closed {
			small += max(t.expected, t.progress.Targets, 1)
		}
	}
	for _, t := range f.commands {
		due := t.stale || small <= pageSize || t.progress.Targets <= refreshUpTo && time.Since(t.walkedAt) > refresh
		if t.closed || !due {
			continue
		}
		if !t.complete() {
			moved, err := f.walk(ctx, t)
			if err != nil {
				return false, err
			}
			changed = changed || moved
		}
		f.settle(t)
	}
	fetched, err := f.fetchSome(ctx)
	return changed || fetched, err
}

// count reads the counters of all open commands.
func (f *follower) count(ctx context.Context) (changed bool, err error) {
	f.countedAt = time.Now()
	open := make(map[string]*tracked)
	var oldest time.Time
	for _, t := range f.commands {
		if t.closed {
			continue
		}
		open[t.id] = t
		if oldest.IsZero() || t.requested.Before(oldest) {
			oldest = t.requested
		}
	}
	if len(open) > byIDUpTo && !oldest.IsZero() {
		seen := 0
		err = f.recent(ctx, oldest.Add(-time.Minute), func(c types.Command) bool {
			if t := open[aws.ToString(c.CommandId)]; t != nil {
				changed = f.counted(t, c) || changed
				delete(open, t.id)
			}
			seen++
			return len(open) > 0 && seen < listUpTo
		})
		if err != nil {
			return false, err
		}
	}
	for _, t := range f.commands {
		if open[t.id] == nil {
			continue
		}
		moved, err := f.countOne(ctx, t)
		if err != nil {
			return false, err
		}
		changed = changed || moved
	}
	return changed, nil
}

func (f *follower) countOne(ctx context.Context, t *tracked) (changed bool, err error) {
	in := &ssm.ListCommandsInput{CommandId: aws.String(t.id)}
	out, err := call(ctx, f, func(ctx context.Context) (*ssm.ListCommandsOutput, error) { return f.api.ListCommands(ctx, in) })
	if err != nil && weigh(err) != isNotYet {
		return false, err
	}
	if err == nil {
		for _, c := range out.Commands {
			if aws.ToString(c.CommandId) == t.id {
				return f.counted(t, c), nil
			}
		}
	}
	if !t.listed && len(t.nodes) == 0 && time.Since(t.since) > unlisted {
		return false, fault.New(fault.NotFound, "follow command "+t.id, "the service does not list it %s after it was sent", unlisted)
	}
	return false, nil
}

// counted takes in the counters of a command and reports whether they moved.
// Counters never go back: an older answer is one from a replica that lags.
func (f *follower) counted(t *tracked, c types.Command) bool {
	t.listed = true
	p := progressOf(c)
	old := t.progress
	if p.Completed < old.Completed || old.State.Final() && !p.State.Final() {
		return false
	}
	p.Targets = max(p.Targets, old.Targets)
	if p == old {
		return false
	}
	t.progress = p
	t.stale = true
	if p.State.Final() && t.endedAt.IsZero() {
		t.endedAt = time.Now()
	}
	f.emit(Event{Kind: Progressed, Time: time.Now(), RunID: f.runID, CommandID: t.id, Progress: &p})
	return true
}

// complete reports whether every node of the command was seen to be done.
func (t *tracked) complete() bool {
	n := max(t.expected, t.progress.Targets)
	return n > 0 && t.finals >= n
}

// walk reads the invocations of a command, page by page. In a large one it
// stops once it has seen as many nodes done as the counters say, unless the
// command has ended and this is the last look.
func (f *follower) walk(ctx context.Context, t *tracked) (changed bool, err error) {
	in := &ssm.ListCommandInvocationsInput{CommandId: aws.String(t.id), Details: true, MaxResults: aws.Int32(pageSize)}
	t.stale = false // before the first page: what moves meanwhile is news again
	for {
		out, err := call(ctx, f, func(ctx context.Context) (*ssm.ListCommandInvocationsOutput, error) {
			return f.api.ListCommandInvocations(ctx, in)
		})
		if err != nil {
			if weigh(err) == isNotYet {
				t.stale = true
				return changed, nil
			}
			return false, err
		}
		for _, inv := range out.CommandInvocations {
			changed = f.observe(t, inv) || changed
		}
		if !nextPage(&in.NextToken, out.NextToken) {
			t.walkedAt = time.Now()
			return changed, nil
		}
		sated := t.progress.Targets > refreshUpTo && t.finals >= t.progress.Completed && !t.progress.State.Final()
		if sated || t.complete() {
			return changed, nil
		}
		if time.Since(f.countedAt) > slowest { // a long walk must not freeze the counters
			if _, err := f.count(ctx); err != nil {
				return false, err
			}
		}
	}
}

// observe compares an invocation with what was known and emits the difference.
// A final state stays: the lists are answered by replicas that may lag.
func (f *follower) observe(t *tracked, inv types.CommandInvocation) bool {
	now := invocationOf(t.id, inv)
	old, known := t.nodes[now.NodeID]
	if known && (old.State.Final() || same(old, now)) {
		return false
	}
	t.nodes[now.NodeID] = now
	if now.State.Final() {
		t.finals++
		f.ended(t, now, inv.CommandPlugins)
	} else {
		f.changed(now)
	}
	return true
}

func (f *follower) changed(inv Invocation) {
	f.emit(Event{Kind: Changed, Time: time.Now(), RunID: f.runID, CommandID: inv.CommandID, Invocation: &inv})
}

// settle closes a command that has ended once its invocations have, too, or
// have had the time to.
func (f *follower) settle(t *tracked) {
	if !t.progress.State.Final() || t.stale && !t.complete() {
		return
	}
	open := len(t.nodes) - t.finals
	expected := t.expected
	if expected == 0 {
		expected = t.progress.Completed
	}
	if open == 0 && (t.finals >= expected || t.finals >= t.progress.Completed && t.progress.Completed > 0) {
		t.closed = true
		return
	}
	if time.Since(t.endedAt) < settling {
		t.stale = true // look again
		return
	}
	t.closed = true
	if missing := max(expected, t.progress.Targets) - t.finals; missing > 0 {
		f.notice(Notice{Kind: Unsettled, Text: "the command has ended, and the service does not say how on every node", Count: missing})
	}
}
