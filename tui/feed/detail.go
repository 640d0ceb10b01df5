package feed

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Detail loads what is known of one thing when somebody looks at it: the patches of
// a node, the history of a parameter. It keeps the last few. A cursor that runs over
// rows loads only where it rests; what it has left is cancelled.
type Detail[V any] struct {
	desk *Desk
	keep int
	seen map[string]*detail[V]
	now  string    // the key asked for last
	came time.Time // when that came in place of another
	stop context.CancelFunc
}

type detail[V any] struct {
	value V
	at    time.Time // of the value
	tried time.Time // when the last load ended, good or bad
	err   error
	busy  bool
}

// Got brings the value of a key; the page gives it to Take.
type Got[V any] struct {
	From  *Detail[V]
	Key   string
	val   V
	err   error
	first time.Time // when the first call was, of those that waited; see turn.since
}

// A cursor must rest on a row before its detail is loaded, and for longer while it goes from
// row to row: who reads a list has a dozen calls sent for each line of it otherwise.
const (
	rest      = 120 * time.Millisecond
	settled   = 400 * time.Millisecond // where it came from another row soon after the one before
	onTheMove = time.Second
)

// NewDetail makes a store on a desk that keeps a number of values.
func NewDetail[V any](d *Desk, keep int) *Detail[V] {
	s := &Detail[V]{desk: d, keep: keep, seen: map[string]*detail[V]{}}
	d.details = append(d.details, s.Leave)
	return s
}

// Get returns what is known of a key: its value and when it was read (zero: not
// yet), the failure of the last load, and whether one is under way.
func (d *Detail[V]) Get(key string) (value V, at time.Time, err error, loading bool) {
	if s := d.seen[key]; s != nil {
		return s.value, s.at, s.err, s.busy
	}
	return value, at, nil, false
}

// Want loads the value of a key unless it is younger than age, or being loaded. What
// was asked for before and has not come is cancelled.
func (d *Detail[V]) Want(key string, age time.Duration, load func(ctx context.Context) (V, error)) tea.Cmd {
	young := func(s *detail[V]) bool { return !s.tried.IsZero() && elapsed(d.desk.now(), s.tried) < age }
	if s := d.seen[key]; key == d.now && s != nil && (s.busy || young(s)) {
		return nil
	}
	again := key == d.now // nobody has done anything: it is read because it has become old
	pause := d.pause(key)
	d.Leave()
	s := d.seen[key]
	if s == nil {
		if len(d.seen) >= d.keep {
			d.forget()
		}
		s = &detail[V]{}
		d.seen[key] = s
	}
	d.now = key
	if young(s) {
		return nil
	}
	s.busy = true
	ctx, stop := context.WithCancel(d.desk.Context())
	d.stop = stop
	var t *turn
	if again && !s.tried.IsZero() && age > 0 && !d.desk.Asked {
		t = d.desk.waiting.join(nil, nil)
		ctx = t.gated(ctx)
	}
	return d.desk.Go(func(context.Context) tea.Msg {
		defer stop()
		defer t.leave()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Got[V]{From: d, Key: key, err: context.Cause(ctx)}
		}
		v, err := load(ctx)
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		_, first := t.spent()
		return Got[V]{From: d, Key: key, val: v, err: err, first: first}
	})
}

// pause is how long the cursor must rest on the row of a key that it comes to.
func (d *Detail[V]) pause(key string) time.Duration {
	pause := rest
	if d.now != "" && key != d.now {
		now := d.desk.now()
		if now.Sub(d.came) < onTheMove && !d.desk.Asked {
			pause = settled
		}
		d.came = now
	}
	if d.desk.Eager {
		return 0
	}
	return pause
}

// Leave cancels what is under way: the page is not shown any more.
func (d *Detail[V]) Leave() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
	if s := d.seen[d.now]; s != nil {
		s.busy = false
	}
	d.now = ""
}

// Take puts a value in; false when it is not this store's.
func (d *Detail[V]) Take(g Got[V]) bool {
	if g.From != d {
		return false
	}
	s := d.seen[g.Key]
	if s == nil || context.Canceled == g.err { //nolint:errorlint // ours, unwrapped
		return true
	}
	s.busy, s.tried = false, d.desk.now()
	if s.err = g.err; g.err == nil {
		s.value, s.at = g.val, byTheClock(s.tried)
		if !g.first.IsZero() {
			s.at = byTheClock(g.first)
		}
	}
	return true
}

// forget drops the oldest value.
func (d *Detail[V]) forget() {
	oldest := ""
	for k, s := range d.seen {
		if oldest == "" || s.at.Before(d.seen[oldest].at) {
			oldest = k
		}
	}
	delete(d.seen, oldest)
}
