package pagecommands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// board is one run that is open. What it shows is the sum that run.Board makes of
// the events; nothing is counted here.
type board struct {
	at   grid.Place
	refs []string // as it was asked for: the id of a run, or those of commands
	run  run.Run  // as it was found
	sum  run.Board
	gen  uint64 // of sum

	events  *feed.Events[happening]
	stop    context.CancelFunc
	waiting bool // for the next batch
	busy    bool // it is being followed
	err     error
	again   time.Time // when a following that failed is taken up
	notices []remark
	pace    pace
	tails   *tails
	ended   time.Time // when the last node ended, as far as is known
	late    bool      // a node ran out of time: the service does not say when
	began   time.Time // when the first one began
}

// remark is a notice of the following, and when it came.
type remark struct {
	run.Notice
	at time.Time
}

// passing is how long a remark stands that is soon over: the service was slow.
const passing = 20 * time.Second

// stands reports whether a remark still says something.
func (r remark) stands(now time.Time, over bool) bool {
	if r.Kind == run.Throttled || r.Kind == run.Retrying {
		return !over && now.Sub(r.at) < passing
	}
	return true
}

// happening is what comes of a run that is followed: what was found, then events.
type happening struct {
	found *run.Run
	event run.Event
}

func (h happening) key() string {
	if h.found != nil {
		return "found"
	}
	return h.event.Key()
}

// followed says that a following has ended.
type followed struct{ events *feed.Events[happening] }

// batchGap is the least time between two batches: a frame shows ten a second.
const batchGap = 100 * time.Millisecond

// retryAfter is when a following that failed is taken up again.
const retryAfter = 30 * time.Second

// open opens the board of a run and follows it.
func (p *Page) open(at grid.Place, refs []string, known run.Run) tea.Cmd {
	p.put(at, refs, known)
	return p.follow()
}

// put shows the board of a run with what is known of it; the next tick follows it.
func (p *Page) put(at grid.Place, refs []string, known run.Run) {
	p.close()
	p.board = &board{at: at, refs: refs, run: known, tails: &tails{}}
	p.nodes.ClearMarks()
	_ = p.nodes.SetFilter("")
	p.full, p.focus, p.failures, p.unfolded = false, false, false, map[string]bool{}
	p.pane.stale()
	p.entries()
	p.arrange()
}

// close leaves the board: the run goes on, the following does not.
func (p *Page) close() {
	if p.board == nil {
		return
	}
	p.halt()
	p.details.Leave()
	p.board = nil
	p.full, p.focus = false, false
	p.arrange()
}

// halt stops following.
func (p *Page) halt() {
	if b := p.board; b.stop != nil {
		b.stop()
		b.stop, b.busy, b.waiting, b.events = nil, false, false, nil
	}
}

// follow takes the run up: from the beginning, since the board takes what it knows
// already without harm.
func (p *Page) follow() tea.Cmd {
	b := p.board
	b.busy, b.err = true, nil
	events, texts := feed.NewEvents(happening.key), b.tails
	b.events = events
	ctx, stop := context.WithCancel(p.desk.Context())
	b.stop = stop
	at, refs := b.at, b.refs
	work := p.desk.Go(func(context.Context) tea.Msg {
		defer stop()
		events.Close(p.carry(ctx, at, refs, texts, events.Put))
		return followed{events}
	})
	return tea.Batch(work, p.next())
}

// carry finds the run and brings what happens to it.
func (p *Page) carry(ctx context.Context, at grid.Place, refs []string, texts *tails, put func(happening)) error {
	svc, err := p.svc.Run(at)
	if err != nil {
		return err
	}
	r, err := svc.FindAll(ctx, refs)
	if err != nil {
		return err
	}
	put(happening{found: &r})
	nodes := r.Targets
	emit := func(e run.Event) {
		switch e.Kind {
		case run.Logged: // no event: it is read when it is looked at
			texts.add(e.CommandID, *e.Log)
			return
		case run.Printed:
			texts.drop(e.CommandID, e.Output.NodeID)
		case run.Progressed: // a command may find more nodes than it was sent to
			nodes = max(nodes, e.Progress.Targets)
		case run.Planned, run.WasSent, run.Changed, run.Noticed, run.Done:
		}
		put(happening{event: modest(e, nodes)})
	}
	if r.State.Final() {
		return svc.Show(ctx, r, emit)
	}
	logged := slices.ContainsFunc(r.Commands, func(c run.Command) bool { return c.LogGroup != "" })
	return svc.Watch(ctx, r, logged, emit)
}

func (p *Page) next() tea.Cmd {
	b := p.board
	if b.waiting || b.events == nil {
		return nil
	}
	cmd := b.events.Next(p.desk, batchGap)
	b.waiting = cmd != nil
	return cmd
}

// take adds a batch to the board.
func (p *Page) take(m feed.Batch[happening]) tea.Cmd {
	b := p.board
	if b == nil || m.From != b.events {
		return nil
	}
	b.waiting = false
	for _, h := range m.Events {
		if h.found != nil {
			b.run = *h.found
			continue
		}
		b.apply(h.event, p.deck.Now)
	}
	b.gen++
	b.pace.note(p.deck.Now, b.sum.Finished())
	if m.Done {
		b.busy, b.stop = false, nil
		b.fail(m.Err, p.deck.Now)
	}
	p.entries()
	p.arrange()
	p.pane.stale()
	if m.Done {
		return p.rest()
	}
	return tea.Batch(p.next(), p.rest())
}

func (b *board) apply(e run.Event, now time.Time) {
	b.sum.Apply(e)
	switch e.Kind {
	case run.Changed:
		if t := e.Invocation.Ended; t != nil && t.After(b.ended) {
			b.ended = *t
		}
		if t := e.Invocation.Started; t != nil && (b.began.IsZero() || t.Before(b.began)) {
			b.began = *t
		}
		b.late = b.late || e.Invocation.State == run.TimedOut && e.Invocation.Ended == nil
	case run.Done: // who has watched it knows the end that the service does not tell
		if b.late && !b.run.State.Final() {
			b.ended, b.late = e.Time, false
		}
	case run.Noticed:
		b.notices = append(slices.DeleteFunc(b.notices, func(r remark) bool { return r.Kind == e.Notice.Kind }), remark{*e.Notice, now})
	case run.Planned, run.WasSent, run.Progressed, run.Printed, run.Logged:
	}
}

// fail notes why the following ended, unless we ended it.
func (b *board) fail(err error, now time.Time) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	b.err = err
	if k := fault.KindOf(err); k != fault.Usage && k != fault.NotFound {
		b.again = now.Add(retryAfter)
	}
}

// due reports whether the run is to be taken up again: the page was hidden for a
// while, or the following had failed.
func (b *board) due(now time.Time) bool {
	switch {
	case b.busy || b.sum.Done():
		return false
	case b.err != nil:
		return !b.again.IsZero() && !now.Before(b.again)
	}
	return true
}

// ref is how the run is named on a command line.
func (b *board) ref() string {
	if r := b.run.Ref(); r != "" {
		return r
	}
	return strings.Join(b.refs, " ")
}

// short is the run as it is spoken of: by its own id, or by the beginning of that of
// its command.
func (b *board) short() string {
	ref := b.ref()
	id, rest, several := strings.Cut(ref, " ")
	switch {
	case run.IsCommandID(id) && several:
		return fmt.Sprintf("commands %s and %d more", id[:8], len(strings.Fields(rest)))
	case run.IsCommandID(id):
		return "command " + id[:8]
	}
	return "run " + ref
}

// total is for how many nodes the run is; what the list knew while nothing has come.
func (b *board) total() int {
	if b.sum.Done() {
		return b.sum.Total()
	}
	return max(b.sum.Total(), b.run.Targets)
}

// counts are the nodes by state. unread of them are done as the service counts them,
// and not known one by one: of large runs states come later than counters. They were
// last seen before their end, and are taken out there.
func (b *board) counts() (by map[run.State]int, unread int) {
	by = map[run.State]int{}
	seen := 0
	for _, s := range run.States() {
		if by[s] = b.sum.Count(s); s.Final() {
			seen += by[s]
		}
	}
	if b.sum.Done() {
		return by, 0
	}
	by[run.Waiting] += max(b.total()-b.sum.Total()+b.sum.Unlisted(), 0)
	unread = max(b.sum.Finished()-seen, 0)
	left := unread
	for _, s := range []run.State{run.Waiting, run.Pending, run.Running, run.Delayed, run.Cancelling, run.Strange} {
		n := min(left, by[s])
		by[s] -= n
		left -= n
	}
	return by, unread
}

// over reports whether the run has ended, as far as is known.
func (b *board) over() bool { return b.sum.Done() || b.run.State.Final() }

// elapsed is how long the run has been going, or went, as far as is known.
func (b *board) elapsed(now time.Time) time.Duration {
	begin := b.run.Requested
	if begin.IsZero() {
		begin = b.began
	}
	switch {
	case begin.IsZero():
		return 0
	case !b.over():
		return now.Sub(begin)
	case b.ended.IsZero():
		return 0
	}
	return b.ended.Sub(begin)
}

// command is the one that reached a node.
func (b *board) command(id string) run.Command {
	for _, c := range b.run.Commands {
		if c.ID == id {
			return c
		}
	}
	return run.Command{ID: cmp.Or(id, strings.Join(b.refs, " "))}
}
