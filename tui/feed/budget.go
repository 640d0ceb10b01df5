package feed

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// budget has the calls of what nobody has asked for wait until the minute has room for
// them. What is asked for never comes here, and counts all the same: the room is what the
// meters leave.
//
// Loads stand in a line. The first whose calls wait is let through, and goes to the end
// after some calls: small loads go one after the other, and a dear one takes turns with them.
type budget struct {
	desk *Desk

	mu      sync.Mutex
	line    []*turn
	passing int       // let through, and the meters have not counted them yet
	resting bool      // nobody looks: nothing is let through
	since   time.Time // when the rest began
	timer   *time.Timer
}

const (
	// quantum is how many calls a load makes before it lets others go.
	quantum = 10
	// lookAgain is when the meters may have forgotten something: they count by the second.
	lookAgain = time.Second
	// restLimit is for how long a load may stand still half read: then it begins anew,
	// since a list is read by tokens that do not live long.
	restLimit = time.Minute
)

// turn is one load in the line.
type turn struct {
	of     *budget
	cancel func()          // nil: it may stand still for any time
	late   *time.Timer     // ends a load whose calls are not answered; nil: nothing does
	calls  []chan struct{} // those that wait, closed to let one through
	used   int             // calls let through
	first  time.Time       // when the first was
}

// join puts a load at the end of the line.
func (b *budget) join(late *time.Timer, cancel func()) *turn {
	t := &turn{of: b, cancel: cancel, late: late}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.line = append(b.line, t)
	return t
}

// leave takes it out of the line. Like since it may be called for a load that never stood
// in it.
func (t *turn) leave() {
	if t == nil {
		return
	}
	b := t.of
	b.mu.Lock()
	defer b.mu.Unlock()
	b.line = slices.DeleteFunc(b.line, func(o *turn) bool { return o == t })
}

// spent are the calls that were let through, and when the first was.
func (t *turn) spent() (calls int, first time.Time) {
	if t == nil {
		return 0, time.Time{}
	}
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	return t.used, t.first
}

// since is how things stood that a load says which ends now: at its first call, if that has
// waited, since the others have waited longer.
func (t *turn) since(now time.Time) time.Time {
	if calls, first := t.spent(); calls > 0 {
		return first
	}
	return now
}

// gated is a context whose calls wait for their turn.
func (t *turn) gated(ctx context.Context) context.Context { return awsapi.Gated(ctx, t.wait) }

// wait is the awsapi.Gate of a load.
func (t *turn) wait(ctx context.Context) (sent func(), err error) {
	call := make(chan struct{})
	t.of.queue(t, call)
	select {
	case <-call:
		return sync.OnceFunc(t.of.counted), nil
	case <-ctx.Done():
		t.of.withdraw(t, call)
		return nil, ctx.Err()
	}
}

func (b *budget) queue(t *turn, call chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.calls = append(t.calls, call)
	if t.late != nil { // who waits here is not late
		t.late.Stop()
	}
	b.serve()
}

func (b *budget) counted() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.passing--
}

// withdraw takes back a call that has been given up.
func (b *budget) withdraw(t *turn, call chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(t.calls)
	t.calls = slices.DeleteFunc(t.calls, func(c chan struct{}) bool { return c == call })
	if len(t.calls) == before { // it was let through just then
		b.passing--
		b.serve()
	}
}

// serve lets through what there is room for, and looks again while something waits.
func (b *budget) serve() {
	t := b.next()
	for room := b.room(); t != nil && room > 0; room-- {
		b.pass(t)
		t = b.next()
	}
	if t == nil || b.resting {
		return
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(lookAgain, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.serve()
		})
	} else {
		b.timer.Reset(lookAgain)
	}
}

// room is how many more calls the minute has room for.
func (b *budget) room() int {
	switch {
	case b.resting:
		return 0
	case b.desk.Minute == nil:
		return b.desk.budget()
	}
	return b.desk.budget() - b.desk.Minute() - b.passing
}

// next is the first in the line whose calls wait; nil: there is none.
func (b *budget) next() *turn {
	for _, t := range b.line {
		if len(t.calls) > 0 {
			return t
		}
	}
	return nil
}

// pass lets a call of a load through.
func (b *budget) pass(t *turn) {
	close(t.calls[0])
	t.calls = t.calls[1:]
	b.passing++
	if t.used++; t.used == 1 {
		t.first = b.desk.now()
	}
	if t.late != nil {
		t.late.Reset(loadLimit)
	}
	if t.used%quantum == 0 {
		b.line = append(slices.DeleteFunc(b.line, func(o *turn) bool { return o == t }), t)
	}
}

// rest has all wait, or go on.
func (b *budget) rest(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if on == b.resting {
		return
	}
	now := b.desk.now()
	if b.resting = on; on {
		b.since = now
		return
	}
	if elapsed(now, b.since) > restLimit {
		for _, t := range b.line {
			if t.used > 0 && t.cancel != nil {
				t.cancel()
			}
		}
	}
	b.serve()
}
