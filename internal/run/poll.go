package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	pageSize = 50 // the most ListCommands and ListCommandInvocations give

	fastest = 500 * time.Millisecond // between polls while something happens
	slowest = 5 * time.Second        // while nothing does
	// unhurried is what stands for fastest in large runs, whose counters move all
	// the time: the calls saved are wanted for reading the results.
	unhurried = 2 * time.Second

	// unlisted is how long a command just sent may be missing from the lists.
	unlisted = 30 * time.Second
	// settling is how long the invocations of a command that ended may lag
	// behind it.
	settling = 15 * time.Second
	// overtime is how long after its time a command is taken to have expired: the
	// clock of this machine may be ahead of the service's by as much.
	overtime = 5 * time.Minute
	// refresh is how often all states are read although no counter moved: going
	// from pending to running moves none.
	refresh = 30 * time.Second
	// refreshUpTo is how many nodes may be at work for that to be affordable.
	refreshUpTo = 1000
	// byIDUpTo is how many commands are polled one by one; more are read from
	// the list of recent commands, 50 in a call, of which listUpTo are looked at.
	byIDUpTo = 3
	listUpTo = 500
	// failuresUpTo is how many pages of failed nodes are read at a time.
	failuresUpTo = 4
)

// A follower polls the commands of a run and emits what changes. One goroutine
// owns it.
type follower struct {
	api   api
	store store
	emit  func(Event)
	pacer *pacer
	runID string
	// planned is how many ids are to be sent to in all; 0 for runs taken up.
	planned int

	commands  []*tracked
	countedAt time.Time

	owed      []*owed // outputs still to be fetched
	noOutputs bool    // the caller may not fetch them

	failedOutputs bool // long ones are wanted of failures only
	noWholes      bool // the caller may not read what the API cut
	room          int  // bytes that may still be kept of what the API cut

	noCounters bool // the caller may not list commands
	oneByOne   bool // the caller may not list invocations

	live *tail // nil: output is not shown while it is written

	strolls bool // states of large commands are wanted while they go on, too

	throttles, retries int

	strange []string // words of the service that mean nothing here, told once each
}

func newFollower(s *Service, emit func(Event)) *follower {
	return &follower{api: s.api, store: s.store, emit: emit, pacer: newPacer(), room: maxWholes, countedAt: time.Now()}
}

// tracked is one command being followed.
type tracked struct {
	id        string
	since     time.Time // when we began to follow it
	requested time.Time // by the service's clock
	expires   time.Time // when the service ends it at the latest; zero where that is not known
	document  string
	keep      keeping
	ids       []string // of the nodes it is for, as far as they are known
	expected  int      // ids sent; 0 when the service finds the nodes
	limit     int      // its concurrency in nodes, when we set one

	progress Progress
	nodes    map[string]Invocation // as last seen
	finals   int                   // of nodes
	news     time.Time             // when a node was last seen to change
	errors   int                   // of nodes that count as errors, as MaxErrors does

	token    *string   // the page of its invocations a stroll goes on with
	listed   bool      // the service knows it
	stale    bool      // the counters moved since the invocations were read
	failed   int       // errors counted when failures were last looked for
	walkedAt time.Time // last full reading
	endedAt  time.Time // when the service first said so
	closed   bool      // nothing more is to come
}

// follow adds a command.
func (f *follower) follow(c Command, keep keeping, ids []string, expected, limit int) {
	f.commands = append(f.commands, &tracked{
		id: c.ID, since: time.Now(), requested: c.Requested, expires: aws.ToTime(c.Expires), document: c.Document,
		keep: keep, ids: ids, expected: expected, limit: limit,
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
		paused, err := g.advance(ctx, f)
		if err != nil {
			return err
		}
		if paused {
			if err := f.glance(ctx); err != nil {
				return err
			}
			continue
		}
		changed, err := f.round(ctx)
		if err != nil {
			return err
		}
		if g.done() && f.allClosed() {
			if err := f.drain(ctx); err != nil {
				return err
			}
			if f.live != nil {
				if err := f.live.finish(ctx, f); err != nil {
					return err
				}
			}
			f.emit(Event{Kind: Done, Time: time.Now(), RunID: f.runID})
			return nil
		}
		pause = min(pause*3/2, slowest)
		if changed {
			pause = fastest
			if f.atWork() > refreshUpTo && f.counting() {
				pause = unhurried
			}
		}
		if err := f.idle(ctx, wait.Jitter(pause)); err != nil {
			return err
		}
	}
}

// outdated reports whether the counters are older than sending may rely on.
func (f *follower) outdated() bool { return time.Since(f.countedAt) > slowest }

// glance is what is looked at between two sends that could follow each other at
// once: the counters, and nothing that takes many calls.
func (f *follower) glance(ctx context.Context) error {
	if f.live != nil {
		if err := f.live.poll(ctx, f); err != nil {
			return err
		}
	}
	if _, err := f.count(ctx); err != nil || !f.noCounters {
		return err
	}
	_, err := f.round(ctx)
	return err
}

// idle waits until the next round, and shows meanwhile what is written.
func (f *follower) idle(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); f.live != nil; {
		if err := f.live.poll(ctx, f); err != nil {
			return err
		}
		left := time.Until(end)
		if left <= 0 {
			return ctx.Err()
		}
		if err := wait.Sleep(ctx, min(left, liveEvery)); err != nil {
			return err
		}
	}
	return wait.Sleep(ctx, d)
}

// atWork is how many nodes the commands that are not closed are for.
func (f *follower) atWork() int {
	nodes := 0
	for _, t := range f.commands {
		if !t.closed {
			nodes += max(t.expected, t.progress.Targets, 1)
		}
	}
	return nodes
}

// size is how many nodes the run is for, as far as that is known.
func (f *follower) size() int {
	nodes := 0
	for _, t := range f.commands {
		nodes += max(t.expected, t.progress.Targets)
	}
	return max(nodes, f.planned)
}

// counting reports whether a counter may still move.
func (f *follower) counting() bool {
	return slices.ContainsFunc(f.commands, func(t *tracked) bool { return !t.progress.State.Final() })
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
// that failed as MaxErrors counts them. The nodes tell where counters are not to
// be had.
func (f *follower) load() (running, failed int) {
	for _, t := range f.commands {
		failed += max(t.progress.Errors, t.errors)
		left := max(t.expected, t.progress.Targets) - max(t.progress.Completed, t.finals)
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
	// With few nodes all are looked at in every round: their states tell more than
	// the counters do. With many, all are read once, when their command has ended.
	nodes := f.atWork()
	for _, t := range f.commands {
		if t.closed {
			continue
		}
		var moved bool
		switch {
		case t.complete():
		case nodes > refreshUpTo && !t.progress.State.Final() && !f.noCounters:
			if moved, err = f.failures(ctx, t); err == nil && f.strolls {
				var seen bool
				seen, err = f.stroll(ctx, t)
				moved = moved || seen
			}
		case t.stale, nodes <= pageSize, time.Since(t.walkedAt) > refresh:
			moved, err = f.walk(ctx, t)
		}
		if err != nil {
			return false, err
		}
		changed = changed || moved
		if t.endedAt.IsZero() && t.over() {
			t.endedAt = time.Now()
		}
		f.settle(t)
	}
	fetched, err := f.fetchSome(ctx)
	return changed || fetched, err
}

// count reads the counters of all open commands.
func (f *follower) count(ctx context.Context) (changed bool, err error) {
	f.countedAt = time.Now()
	if f.noCounters {
		return false, f.overdue()
	}
	changed, err = f.counters(ctx)
	if err == nil || !mayNotList(err) {
		return changed, err
	}
	for _, t := range f.commands { // where nodes are known, they tell the end
		if len(t.ids) == 0 {
			return false, err
		}
	}
	f.noCounters = true
	f.notice(Notice{Kind: OneByOne, Text: "the end is told from the nodes alone: " + plain(err)})
	return false, nil
}

// overdue is an error when a command without counters is not seen on any node.
func (f *follower) overdue() error {
	for _, t := range f.commands {
		if len(t.nodes) == 0 && time.Since(t.since) > unlisted {
			return fault.New(fault.NotFound, "follow command "+t.id, "no node shows it %s after it was sent", unlisted)
		}
	}
	return nil
}

func (f *follower) counters(ctx context.Context) (changed bool, err error) {
	open := make(map[string]*tracked)
	var oldest time.Time
	for _, t := range f.commands {
		if p := t.progress; t.closed || p.State.Final() && p.Completed >= p.Targets && p.Targets > 0 {
			continue // nothing moves any more
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
				changed = f.counted(t, progressOf(c)) || changed
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
				return f.counted(t, progressOf(c)), nil
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
func (f *follower) counted(t *tracked, p Progress) bool {
	t.listed = true
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
	f.unknown(p.State, p.Detail, "command "+t.id)
	return true
}

// final counts a node that is done.
func (t *tracked) final(inv Invocation) {
	t.finals++
	if (inv.State == Failed || inv.State == TimedOut) && ran(inv.State, inv.Detail) {
		t.errors++
	}
}

// over reports whether the command has ended, so that only its invocations may lag
// behind. Where the service's word for its state means nothing here, its end is told
// by its nodes, by its counters, or by the time at which the service ends it anyhow.
func (t *tracked) over() bool {
	p := t.progress
	switch {
	case p.State.Final():
		return true
	case p.State != Strange:
		return false
	}
	return t.complete() || p.Targets > 0 && p.Completed >= p.Targets || t.expired()
}

// expired reports whether the service has ended the command by its own rule (API
// reference, Command, ExpiresAfter).
func (t *tracked) expired() bool {
	return !t.expires.IsZero() && time.Since(t.expires) > overtime
}

// complete reports whether every node of the command was seen to be done.
func (t *tracked) complete() bool {
	n := max(t.expected, t.progress.Targets)
	return n > 0 && t.finals >= n
}

// walk reads the invocations of a command, page by page.
func (f *follower) walk(ctx context.Context, t *tracked) (changed bool, err error) {
	if f.oneByOne {
		return f.walkEach(ctx, t)
	}
	in := &ssm.ListCommandInvocationsInput{CommandId: aws.String(t.id), Details: true, MaxResults: aws.Int32(pageSize)}
	t.stale = false // before the first page: what moves meanwhile is news again
	for {
		out, err := call(ctx, f, func(ctx context.Context) (*ssm.ListCommandInvocationsOutput, error) {
			return f.api.ListCommandInvocations(ctx, in)
		})
		switch {
		case err == nil:
		case weigh(err) == isNotYet:
			t.stale = true
			return changed, nil
		case mayNotList(err) && len(t.ids) > 0:
			f.oneByOne = true
			f.notice(Notice{Kind: OneByOne, Text: "nodes are looked at one by one: " + plain(err)})
			return f.walkEach(ctx, t)
		default:
			return false, err
		}
		for _, inv := range out.CommandInvocations {
			changed = f.observe(t, invocationOf(t.id, inv), inv.CommandPlugins) || changed
		}
		if !nextPage(&in.NextToken, out.NextToken) || t.complete() {
			t.walkedAt = time.Now()
			return changed, nil
		}
		if f.live != nil {
			if err := f.live.poll(ctx, f); err != nil {
				return false, err
			}
		}
		if time.Since(f.countedAt) > slowest && !f.noCounters && f.counting() { // a long walk must not freeze the counters
			if _, err := f.count(ctx); err != nil {
				return false, err
			}
		}
	}
}

// failures reads which nodes of a large command have failed, when the counters
// say that more have: that must be known before the end.
func (f *follower) failures(ctx context.Context, t *tracked) (changed bool, err error) {
	if t.progress.Errors <= t.failed || f.oneByOne {
		return false, nil
	}
	errors := t.progress.Errors
	in := &ssm.ListCommandInvocationsInput{
		CommandId: aws.String(t.id), Details: true, MaxResults: aws.Int32(pageSize),
		Filters: []types.CommandFilter{{Key: types.CommandFilterKeyStatus, Value: aws.String(string(types.CommandInvocationStatusFailed))}},
	}
	for range failuresUpTo {
		out, err := call(ctx, f, func(ctx context.Context) (*ssm.ListCommandInvocationsOutput, error) {
			return f.api.ListCommandInvocations(ctx, in)
		})
		if err != nil {
			if weigh(err) == isNotYet || mayNotList(err) {
				return changed, nil // the walk at the end tells
			}
			return false, err
		}
		for _, inv := range out.CommandInvocations {
			changed = f.observe(t, invocationOf(t.id, inv), inv.CommandPlugins) || changed
		}
		if !nextPage(&in.NextToken, out.NextToken) {
			break
		}
	}
	t.failed = errors
	return changed, nil
}

// stroll reads some of the invocations of a large command, and goes on with the rest
// in the next round: who looks at the run sees how it is on each node, some rounds
// late. It takes a page a round, and more while half of what may be called at once is
// left for the end.
func (f *follower) stroll(ctx context.Context, t *tracked) (changed bool, err error) {
	for first := true; !f.oneByOne && (first || t.token != nil && f.pacer.left() > callsAtOnce/2); first = false {
		in := &ssm.ListCommandInvocationsInput{CommandId: aws.String(t.id), Details: true, MaxResults: aws.Int32(pageSize), NextToken: t.token}
		out, err := call(ctx, f, func(ctx context.Context) (*ssm.ListCommandInvocationsOutput, error) {
			return f.api.ListCommandInvocations(ctx, in)
		})
		if err != nil {
			begun := t.token != nil
			t.token = nil // it may have expired
			if begun && ctx.Err() == nil || weigh(err) == isNotYet || mayNotList(err) {
				return changed, nil // the walk at the end tells
			}
			return false, err
		}
		for _, inv := range out.CommandInvocations {
			changed = f.observe(t, invocationOf(t.id, inv), inv.CommandPlugins) || changed
		}
		if t.token = out.NextToken; aws.ToString(t.token) == "" {
			t.token = nil // from the beginning
		}
	}
	return changed, nil
}

// walkEach reads the invocations of a command without the list: one call a node
// that is not done.
func (f *follower) walkEach(ctx context.Context, t *tracked) (changed bool, err error) {
	t.stale = false
	for _, id := range t.ids {
		if t.nodes[id].State.Final() {
			continue
		}
		in := &ssm.GetCommandInvocationInput{CommandId: aws.String(t.id), InstanceId: aws.String(id)}
		got, err := call(ctx, f, func(ctx context.Context) (*ssm.GetCommandInvocationOutput, error) {
			return f.api.GetCommandInvocation(ctx, in)
		})
		switch {
		case err == nil:
			changed = f.observeOne(t, invocationFrom(t.id, id, got), got) || changed
		case weigh(err) != isNotYet:
			return false, err
		}
	}
	t.walkedAt = time.Now()
	t.stale = !t.complete()
	return changed, nil
}

// observeOne is observe for what GetCommandInvocation tells, output and all.
func (f *follower) observeOne(t *tracked, now Invocation, got *ssm.GetCommandInvocationOutput) bool {
	o := longOf(got).clipped()
	if !now.State.Final() || !ran(now.State, now.Detail) || o.Truncated && t.keep.anywhere() {
		return f.observe(t, now, nil)
	}
	t.nodes[now.NodeID], t.news = now, time.Now()
	t.final(now)
	if f.live != nil {
		f.live.ended(t, now, nil)
	}
	f.changed(now)
	o.NodeID = now.NodeID
	f.printed(now, o)
	return true
}

// mayNotList reports whether a list was refused in a way that leaves other calls:
// a policy that allows few, or a service that has few.
func mayNotList(err error) bool {
	if weigh(err) != isRefused {
		return false
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	return slices.Contains([]string{
		"AccessDenied", "AccessDeniedException", "UnknownOperationException", "NotImplemented", "NotImplementedException", "InvalidAction",
	}, api.ErrorCode())
}

// observe compares an invocation with what was known and emits the difference.
// A final state stays: the lists are answered by replicas that may lag.
func (f *follower) observe(t *tracked, now Invocation, plugins []types.CommandPlugin) bool {
	old, known := t.nodes[now.NodeID]
	if known && (old.State.Final() || same(old, now)) {
		return false
	}
	t.nodes[now.NodeID], t.news = now, time.Now()
	if now.State.Final() {
		t.final(now)
		f.ended(t, now, plugins)
	} else {
		f.changed(now)
	}
	return true
}

// unknown tells of a word of the service that this program does not know: whoever
// waits for the end of a run shall know what it hangs on.
func (f *follower) unknown(s State, word, of string) {
	if s != Strange || slices.Contains(f.strange, word) {
		return
	}
	f.strange = append(f.strange, word)
	f.notice(Notice{Kind: Untold, Text: fmt.Sprintf("the service calls %s %q, which ssmdeck does not know: its end is waited for", of, word)})
}

func (f *follower) changed(inv Invocation) {
	f.unknown(inv.State, inv.Detail, "the command on node "+inv.NodeID)
	f.emit(Event{Kind: Changed, Time: time.Now(), RunID: f.runID, CommandID: inv.CommandID, Invocation: &inv})
}

// settle closes a command that has ended once its invocations have, too, or
// have had the time to.
func (f *follower) settle(t *tracked) {
	if f.noCounters {
		f.settleAlone(t)
		return
	}
	if !t.over() || t.stale && !t.complete() {
		return
	}
	open := len(t.nodes) - t.finals
	expected := t.expected
	if expected == 0 {
		expected = t.progress.Completed
	}
	if open == 0 && (t.finals >= expected || t.finals >= t.progress.Completed && t.progress.Completed > 0) {
		t.closed = true
		f.hold(t)
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

// settleAlone closes a command without counters once all nodes it is for are done:
// those that it was sent to, or that its targets stood for. One that the service
// made no invocation for, because its tag has changed, is not waited for for ever.
func (f *follower) settleAlone(t *tracked) {
	open := 0
	for _, inv := range t.nodes {
		if !inv.State.Final() && (inv.State != Strange || !t.expired()) {
			open++
		}
	}
	if open > 0 || len(t.nodes) == 0 {
		return // some are at work, or none was seen: see overdue
	}
	missing := max(t.expected, len(t.ids)) - t.finals
	if missing > 0 && time.Since(t.news) < unlisted {
		return
	}
	t.closed = true
	if missing > 0 {
		f.notice(Notice{Kind: Unsettled, Text: "the service does not say how the command ended on some nodes", Count: missing})
	}
}

// hold holds the counters of a command that has ended against its invocations.
// What exactly the service counts is its own business: only what cannot both be
// true is told.
func (f *follower) hold(t *tracked) {
	bad, failed := 0, 0
	for _, inv := range t.nodes {
		if inv.State.Bad() {
			bad++
		}
		if inv.State == Failed && ran(inv.State, inv.Detail) {
			failed++
		}
	}
	counted := t.progress.Errors + t.progress.DeliveryTimedOut
	if counted > bad || t.progress.State == Success && failed > 0 {
		f.notice(Notice{Kind: Disagree, Count: counted, Text: fmt.Sprintf(
			"the service calls command %s %s with %d errors, and lists %d nodes on which it did not succeed", t.id, t.progress.State, counted, bad)})
	}
}
