package world

import (
	"context"
	"slices"
	"sync"
)

// work counts what is at work, so that Forward knows when everything that an
// alarm set off has happened.
//
// An Activity is at work until it ends, except while it is parked: it then waits
// for the clock or for another activity. Being parked is not the whole truth: who
// is cancelled, or whose alarm has rung, is about to go on. So each parking says
// when it is over, and nothing moves until no parking is.
type work struct {
	mu      sync.Mutex // a leaf as well
	working int        // activities that are not parked
	parked  map[*parking]struct{}
	changes uint64
	watched int           // those in settle
	changed chan struct{} // closed and replaced when somebody watches
}

func newWork() *work { return &work{parked: map[*parking]struct{}{}, changed: make(chan struct{})} }

// Activity is something that goes on in a world: a command on a node, an
// automation, a maintenance window.
type Activity struct {
	work  *work
	parks int // guarded by work.mu
}

// parking is a wait of an activity; ready reports whether it is over. It is called
// with no lock of the clock's held.
type parking struct{ ready func() bool }

// begin starts an activity. It is called by who sets it off, before its goroutine
// starts, so that there is no gap.
func (w *work) begin() *Activity {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working++
	w.note()
	return &Activity{work: w}
}

// end is for the last moment of an activity, when all it does is seen by others.
func (a *Activity) end() {
	a.work.mu.Lock()
	defer a.work.mu.Unlock()
	a.work.working--
	a.work.note()
}

// park says that the activity waits until ready. The function that it returns
// ends that. Branches of an activity may park at the same time.
func (a *Activity) park(ready func() bool) (unpark func()) {
	if a == nil {
		return func() {}
	}
	p, w := &parking{ready}, a.work
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.parks++; a.parks == 1 {
		w.working--
	}
	w.parked[p] = struct{}{}
	w.note()
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.parked, p)
		if a.parks--; a.parks == 0 {
			w.working++
		}
		w.note()
	}
}

// note tells those who watch when it makes sense to look. Callers hold w.mu.
func (w *work) note() {
	w.changes++
	if w.watched > 0 && w.working == 0 {
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// settle waits until every activity waits for time, or for one that does.
func (w *work) settle(ctx context.Context) error {
	w.mu.Lock()
	w.watched++
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.watched--
	}()
	for {
		quiet, changed := w.quiet()
		if quiet {
			return ctx.Err()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// quiet reports whether nothing is at work or about to be. changed is closed when
// it makes sense to look again.
func (w *work) quiet() (ok bool, changed <-chan struct{}) {
	w.mu.Lock()
	before, working := w.changes, w.working
	changed = w.changed
	var parked []*parking
	if working == 0 {
		for p := range w.parked {
			parked = append(parked, p)
		}
	}
	w.mu.Unlock()
	if working > 0 {
		return false, changed
	}
	for _, p := range parked {
		if p.ready() {
			return false, changed
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changes == before, changed
}

type activityKey struct{}

// of is the context of what an activity does.
func (a *Activity) of(ctx context.Context) context.Context {
	return context.WithValue(ctx, activityKey{}, a)
}

// park parks the activity that ctx belongs to, if any.
func park(ctx context.Context, ready func() bool) (unpark func()) {
	a, _ := ctx.Value(activityKey{}).(*Activity)
	return a.park(ready)
}

// until waits until one of the channels is closed or ctx ends; nil ones never
// are. An activity that ctx belongs to is parked meanwhile. There can be five.
func until(ctx context.Context, channels ...<-chan struct{}) {
	var ch [5]<-chan struct{}
	copy(ch[:], channels)
	defer park(ctx, func() bool { return ctx.Err() != nil || slices.ContainsFunc(ch[:], closed) })()
	select {
	case <-ch[0]:
	case <-ch[1]:
	case <-ch[2]:
	case <-ch[3]:
	case <-ch[4]:
	case <-ctx.Done():
	}
}

// gate lets a number of activities in at a time. (A buffered channel would do, but
// for the moment in which who was let in is still parked and nobody can tell.)
type gate struct {
	mu      sync.Mutex
	free    int
	changed chan struct{} // closed and replaced when somebody leaves
}

func newGate(n int) *gate { return &gate{free: max(1, n), changed: make(chan struct{})} }

// enter waits for a place, or for over or the end of ctx; it then returns false.
func (g *gate) enter(ctx context.Context, over <-chan struct{}) bool {
	for !closed(over) && ctx.Err() == nil {
		ok, changed := g.try()
		if ok {
			return true
		}
		until(ctx, changed, over)
	}
	return false
}

func (g *gate) try() (ok bool, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return true, nil
	}
	return false, g.changed
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free++
	close(g.changed)
	g.changed = make(chan struct{})
}
