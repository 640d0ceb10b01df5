package world

import (
	"cmp"
	"sync"
	"time"
)

// The order of what is due at the same time: a window that ends makes room for
// one that begins.
const (
	rankEnd = iota
	rankCutoff
	rankStart
)

// agenda is what a world will do and when. One goroutine does it, one thing after
// the other: in the order of time, then of rank, then in which it was first
// planned.
type agenda struct {
	mu     sync.Mutex // a leaf
	events map[string]*event
	count  int
	now    []func()      // to be done without waiting for the clock
	wake   chan struct{} // closed and replaced
}

type event struct {
	at       time.Time
	rank, no int
	name     string
	do       func(at time.Time)
}

func newAgenda() *agenda { return &agenda{events: map[string]*event{}, wake: make(chan struct{})} }

// plan has something done at a time. It takes the place of what was planned under
// that name and keeps its turn.
func (a *agenda) plan(name string, at time.Time, rank int, do func(at time.Time)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.events[name]
	if e == nil {
		a.count++
		e = &event{name: name, no: a.count}
		a.events[name] = e
	}
	e.at, e.rank, e.do = at, rank, do
	a.kick()
}

// drop takes something off the agenda.
func (a *agenda) drop(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.events[name]; ok {
		delete(a.events, name)
		a.kick()
	}
}

// soon has something done next. It may be called with any lock held: it is how
// those who end tell those who care.
func (a *agenda) soon(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = append(a.now, do)
	a.kick()
}

func (a *agenda) kick() {
	close(a.wake)
	a.wake = make(chan struct{})
}

// next is the thing to do at once, or else the event that comes first, if any.
// wake is closed when that changes.
func (a *agenda) next() (do func(), first *event, wake <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.now) > 0 {
		do, a.now = a.now[0], a.now[1:]
		return do, nil, nil
	}
	for _, e := range a.events {
		if first == nil || e.compare(first) < 0 {
			first = e
		}
	}
	if first != nil {
		c := *first
		first = &c
	}
	return nil, first, a.wake
}

func (e *event) compare(other *event) int {
	return cmp.Or(e.at.Compare(other.at), e.rank-other.rank, e.no-other.no)
}

// take takes the event off the agenda that next returned, unless it has changed.
func (a *agenda) take(e *event) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.events[e.name]; now == nil || now.no != e.no || !now.at.Equal(e.at) {
		return false
	}
	delete(a.events, e.name)
	return true
}

// keepAgenda does what is on the agenda until the world ends.
func (w *World) keepAgenda(act *Activity) {
	defer act.end()
	ctx := act.of(w.ctx)
	for ctx.Err() == nil {
		do, first, wake := w.agenda.next()
		switch {
		case do != nil:
			do()
		case first == nil:
			until(ctx, wake)
		default:
			a := w.clock.setAlarm(first.at, turnLast)
			until(ctx, wake, a.ring)
			a.stop()
			if a.rung() && !closed(wake) && w.agenda.take(first) {
				first.do(first.at)
			}
		}
	}
}
