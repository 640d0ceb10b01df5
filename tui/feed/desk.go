package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// Want is a feed that is shown, and how old it may become.
type Want struct {
	Feed  Feed
	Every time.Duration
}

// DefaultBudget is how many requests a minute there may be for the dashboard to send more by
// itself. What a person asks for is never held back by it.
const DefaultBudget = 120

// loadLimit bounds one load, or what comes after the last call of it that has waited for the
// budget: longer ones have met a dead network.
const loadLimit = 2 * time.Minute

// emitGap is how often what a load has so far is taken at most.
const emitGap = 100 * time.Millisecond

// Calls counts requests: those of the last minute, those that were turned away as
// too many since the start, and all.
type Calls struct{ PerMinute, Throttled, Total int }

// Operation counts the calls of one operation since the start.
type Operation struct {
	Name                              string
	Calls, Retries, Throttled, Failed int
	Time                              time.Duration // of all together
}

// Desk loads feeds in all cells of a grid. A feed is loaded when it is wanted, and again
// when it has become too old. The first load, and one that was forced, is asked for, and
// goes at once; the calls of others wait for the budget. Loads that nobody wants any more
// are cancelled.
type Desk struct {
	Cells  []grid.Cell
	Budget int // requests a minute; 0: DefaultBudget
	// Count reads the meters; nil: nothing is counted.
	Count func() Calls
	// Minute is how many requests were sent in the last minute, up to this moment; nil:
	// that is not known, and nothing waits for it.
	Minute func() int
	// Lost are the places that could not be opened; feeds show them as failed.
	Lost []grid.Failure
	// Held loads nothing that is known already, however old, unless it is forced.
	Held bool
	// Asked has all loads be asked for: where each answers a line that was typed.
	Asked bool
	// Eager loads details at once, and waits for no events: for tests.
	Eager bool

	now     func() time.Time
	group   sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
	wanted  map[*core]time.Duration
	feeds   map[string]*core // all that were wanted ever
	waiting budget           // what nobody has asked for
	opened  bool
	details []func() // what leaves each Detail

	mu     sync.Mutex
	notes  []string
	closed bool // nothing may be begun any more
}

// NewDesk makes a desk over cells. now is the clock; nil: time.Now.
func NewDesk(cells []grid.Cell, now func() time.Time) *Desk {
	if now == nil {
		now = time.Now
	}
	d := &Desk{Cells: cells, now: now, wanted: map[*core]time.Duration{}, feeds: map[string]*core{}}
	d.waiting.desk = d
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d
}

// closeWait is how long what was cancelled may take to end.
const closeWait = 5 * time.Second

// Close cancels all loads and waits for them, but not for ever: whoever leaves does not
// stay because something does not hear that it is cancelled.
func (d *Desk) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.stop()
	ended := make(chan struct{})
	go func() {
		d.group.Wait()
		close(ended)
	}()
	late := time.NewTimer(closeWait)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
	}
}

// enter counts one more thing behind the dashboard; false: it is over.
func (d *Desk) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.group.Add(1)
	return true
}

// Context ends when the desk is closed: for what a page loads by itself.
func (d *Desk) Context() context.Context { return d.ctx }

// Go runs f behind the dashboard, in a goroutine the desk waits for. A panic in it
// becomes a Crashed message. It is a tea.Cmd; one that is never run is not waited for.
func (d *Desk) Go(f func(ctx context.Context) tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		if !d.enter() {
			return nil
		}
		defer d.group.Done()
		defer func() {
			if r := recover(); r != nil {
				msg = Crash(r)
			}
		}()
		return f(d.ctx)
	}
}

// Want says which feeds are shown now. Loads of others are cancelled.
func (d *Desk) Want(wants []Want) tea.Cmd {
	next := map[*core]time.Duration{}
	for _, w := range wants {
		c := w.Feed.core()
		if every, ok := next[c]; !ok || w.Every < every {
			next[c] = w.Every
		}
		d.place(c)
	}
	for c := range d.wanted {
		if _, still := next[c]; !still {
			for _, p := range c.parts {
				if p.cancel != nil {
					p.cancel()
				}
			}
		}
	}
	d.wanted = next
	return d.Tick(1)
}

// Leave cancels the details that are being read: another page is shown.
func (d *Desk) Leave() {
	for _, leave := range d.details {
		leave()
	}
}

// Force loads feeds anew, by name, whatever their age and the budget, as soon as they
// are wanted; none: all that are. A load that is under way began before whatever they
// are to show: another comes after it, or instead of one that waits for the budget.
func (d *Desk) Force(names ...string) tea.Cmd {
	for _, name := range names {
		if c := d.feeds[name]; c != nil {
			c.outdate()
		}
	}
	if len(names) == 0 {
		for c := range d.wanted {
			c.outdate()
		}
	}
	return d.Tick(1)
}

// Rest has what nobody has asked for stand still while nobody looks, or go on.
func (d *Desk) Rest(on bool) { d.waiting.rest(on) }

// Tick starts the loads that are due. slow stretches all ages: 1 is as wanted.
func (d *Desk) Tick(slow float64) tea.Cmd {
	var cmds []tea.Cmd
	for _, l := range d.due(d.now(), slow) {
		cmds = append(cmds, d.start(l))
	}
	return tea.Batch(cmds...)
}

// dueLoad is a load whose time has come.
type dueLoad struct {
	feed  *core
	part  *part
	in    grid.Cell
	asked bool          // it waits for nothing
	late  time.Duration // for how long it has been due
}

// due are the loads whose time has come, the latest first.
func (d *Desk) due(now time.Time, slow float64) (all []dueLoad) {
	for c, every := range d.wanted {
		for _, cell := range d.cells(c) {
			p := c.part(cell.Place)
			l := dueLoad{feed: c, part: p, in: cell, asked: d.Asked || p.ended.IsZero()}
			switch {
			case p.job != nil:
				continue
			case p.ended.IsZero():
			case d.Held, now.Before(p.dear):
				continue
			default:
				l.late = elapsed(now, p.ended) - time.Duration(float64(every)*slow)
			}
			if l.late >= 0 {
				all = append(all, l)
			}
		}
	}
	slices.SortFunc(all, func(a, b dueLoad) int {
		return cmp.Or(cmp.Compare(b.late, a.late), strings.Compare(a.feed.name, b.feed.name), comparePlaces(a.in.Place, b.in.Place))
	})
	return all
}

// place gives a feed its places: those that are asked, and those that cannot be.
func (d *Desk) place(c *core) {
	d.feeds[c.name] = c
	for _, cell := range d.cells(c) {
		c.part(cell.Place)
	}
	if c.local {
		return
	}
	for _, f := range d.Lost {
		c.part(f.Place).err = f.Err
	}
}

// Open gives the desk its cells, once they are known, and starts the loads that
// waited for them.
func (d *Desk) Open(cells []grid.Cell, lost []grid.Failure) tea.Cmd {
	d.Cells, d.Lost, d.opened = cells, lost, true
	for c := range d.wanted {
		d.place(c)
	}
	return d.Tick(1)
}

// maxNotes is how many remarks are kept.
const maxNotes = 100

// Note keeps a remark of something behind the dashboard, for the command log. It may
// be called from any goroutine.
func (d *Desk) Note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.notes) < maxNotes {
		d.notes = append(d.notes, fmt.Sprintf(format, args...))
	}
}

// Notes are the remarks so far, at most 100.
func (d *Desk) Notes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notes)
}

// Opened reports whether the places are known.
func (d *Desk) Opened() bool { return d.opened }

// cells are where a feed is loaded: what is on this machine alone belongs to no account.
func (d *Desk) cells(c *core) []grid.Cell {
	if c.local {
		return []grid.Cell{{}}
	}
	return d.Cells
}

func (d *Desk) budget() int { return cmp.Or(d.Budget, DefaultBudget) }

// Spending returns the requests counted and the budget.
func (d *Desk) Spending() (c Calls, budget int) {
	if d.Count != nil {
		c = d.Count()
	}
	return c, d.budget()
}

// arrived says that a job has something to take.
type arrived struct{ j *job }

func (d *Desk) start(l dueLoad) tea.Cmd {
	ctx, end := context.WithCancelCause(d.ctx)
	late := time.AfterFunc(loadLimit, func() { end(context.DeadlineExceeded) })
	cancel := func() { end(nil) }
	c, j := l.feed, &job{feed: l.feed, in: l.in, wake: make(chan struct{}, 1)}
	if !l.asked {
		j.turn = d.waiting.join(late, cancel)
		ctx = j.turn.gated(ctx)
	}
	l.part.job, l.part.cancel = j, cancel
	run := d.Go(func(context.Context) tea.Msg {
		defer cancel()
		rows, err := c.load(ctx, l.in, func(rows any) { j.put(rows, false, nil) })
		late.Stop()
		j.turn.leave()
		switch {
		case err == nil:
		case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
			err = tooLate(c.name, err)
		case ctx.Err() != nil: // whatever the call made of it
			err = context.Canceled
		}
		j.put(rows, true, err)
		return nil
	})
	return tea.Batch(run, d.wait(j, 0))
}

// tooLate is the error of a load that took too long, with the call that it waited for.
func tooLate(name string, err error) error {
	why := fmt.Sprintf("no answer within %s", loadLimit)
	if e := (*fault.Error)(nil); errors.As(err, &e) && e.Op != "" {
		why += " to: " + e.Op
	}
	return fault.New(fault.Failed, "load "+name, "%s", why)
}

// wait is the command that tells when the job has something.
func (d *Desk) wait(j *job, pause time.Duration) tea.Cmd {
	return d.Go(func(ctx context.Context) tea.Msg {
		if pause > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-j.wake:
			return arrived{j}
		case <-ctx.Done():
			return nil
		}
	})
}

// Update takes the messages of the desk; handled is false for others. changed is
// the feed whose rows or state are not what they were, to be told to the pages.
func (d *Desk) Update(msg tea.Msg) (changed string, cmd tea.Cmd, handled bool) {
	a, ok := msg.(arrived)
	if !ok {
		return "", nil, false
	}
	j, c := a.j, a.j.feed
	p := c.part(j.in.Place)
	if p.job != j {
		return "", nil, true
	}
	rows, fresh, done, err := j.take()
	now := d.now()
	good := done && (err == nil || IsPartly(err))
	// What a load has so far is shown the first time alone: later it would take away
	// what is known already.
	if fresh && (good || !p.whole) {
		p.rows, p.at = rows, byTheClock(j.turn.since(now))
		c.gen++
	}
	p.whole = p.whole || good
	if !done {
		return c.name, d.wait(j, emitGap), true
	}
	p.job, p.cancel = nil, nil
	again := p.again
	p.again = false
	switch {
	case again: // it is due at once
		p.ended = time.Time{}
	case errors.Is(err, context.Canceled): // nobody wanted it any more: due as it was when somebody does
		p.dear = d.paidOff(j)
	default:
		p.ended = now
	}
	if !errors.Is(err, context.Canceled) {
		p.err = err
		c.gen++
	}
	if again {
		return c.name, d.Tick(1), true
	}
	return c.name, nil, true
}

// paidOff is when a load that was cancelled has been paid for: until then it is not begun
// anew by itself, or whoever goes to and fro would have it read for nothing again and again.
func (d *Desk) paidOff(j *job) time.Time {
	calls, first := j.turn.spent()
	return first.Add(time.Minute * time.Duration(calls) / time.Duration(d.budget()))
}

func comparePlaces(a, b grid.Place) int {
	return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region))
}
