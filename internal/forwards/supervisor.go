package forwards

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

const (
	// againFirst and againMost bound the pause after something that ended a
	// forward for good, as a destination that does not resolve. What connects
	// meanwhile waits.
	againFirst = time.Second
	againMost  = 30 * time.Second
)

// Supervisor runs forwards in one process. Listeners stay, whatever happens to
// the sessions behind them: an error that would end a single forward is shown,
// and the next connection tries again, so that a new login is all it takes.
type Supervisor struct {
	// Emit is told of everything, one event at a time. It must not call back.
	Emit func(Event)

	ledger
	tunnels []*tunnel
	ended   chan struct{} // closed when nothing listens any more
	wg      sync.WaitGroup
}

// tunnel is one entry while it runs.
type tunnel struct {
	entry  Entry
	opener portforward.Opener
	meter  portforward.Meter
	orders chan order

	// Of the goroutine that runs it; before that, of Bind.
	ends []*end
}

type order struct {
	restart bool
	done    chan struct{} // closed when the sessions are
}

// Bind opens the local ends of all entries, or of none: the error names the
// entry, and the port and who holds it. opener makes the opener of an entry.
func Bind(entries []Entry, opener func(Entry) portforward.Opener) (*Supervisor, error) {
	if err := Clashes(entries); err != nil {
		return nil, err
	}
	s := &Supervisor{Emit: func(Event) {}, ledger: ledger{board: NewBoard(entries)}, ended: make(chan struct{})}
	for i := range entries {
		t := &tunnel{entry: entries[i], opener: opener(entries[i]), orders: make(chan order)}
		if err := t.listen(); err != nil {
			for _, other := range s.tunnels {
				other.close()
			}
			return nil, err
		}
		s.tunnels, s.meters = append(s.tunnels, t), append(s.meters, &t.meter)
		s.board.Listen(t.entry.Name, t.local())
	}
	return s, nil
}

// Close gives the local ends back when Run is not going to.
func (s *Supervisor) Close() {
	for _, t := range s.tunnels {
		t.close()
	}
}

// Run carries connections until ctx ends, which is no error, or every forward
// was stopped. When it returns, every session is closed.
func (s *Supervisor) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var tunnels sync.WaitGroup
	for _, t := range s.tunnels {
		tunnels.Go(func() { s.keep(ctx, t) })
	}
	s.wg.Go(func() { s.sample(ctx) })
	tunnels.Wait()
	cancel()
	s.wg.Wait()
}

// Stop ends forwards by name and waits until their sessions are closed. It
// returns the names that were running.
func (s *Supervisor) Stop(ctx context.Context, names []string) []string {
	return s.order(ctx, names, false)
}

// Restart closes the sessions of forwards, and listens again where that was
// stopped.
func (s *Supervisor) Restart(ctx context.Context, names []string) []string {
	return s.order(ctx, names, true)
}

func (s *Supervisor) order(ctx context.Context, names []string, restart bool) []string {
	var (
		did  []string
		wait []chan struct{}
	)
	for _, t := range s.tunnels {
		if !slices.Contains(names, t.entry.Name) {
			continue
		}
		if !restart && s.state(t.entry.Name) == Closed {
			continue
		}
		o := order{restart: restart, done: make(chan struct{})}
		select {
		case t.orders <- o:
			did = append(did, t.entry.Name)
			wait = append(wait, o.done)
		case <-ctx.Done():
			return did
		case <-s.ended:
			return did
		}
	}
	for _, done := range wait {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
	return did
}

func (s *Supervisor) state(name string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.board.byName[name].State
}

// emit takes note of an event and passes it on.
func (s *Supervisor) emit(name string, e portforward.Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	event := Event{Forward: name, Event: e}
	s.board.Apply(event, fault.HintOf(e.Err))
	s.Emit(event)
}

// keep runs a tunnel until ctx ends, and obeys orders meanwhile.
func (s *Supervisor) keep(ctx context.Context, t *tunnel) {
	defer t.close()
	for ctx.Err() == nil {
		if o := s.runOnce(ctx, t); o != nil {
			s.obey(ctx, t, o)
		}
	}
}

// obey carries an order out: the sessions are closed already. A stopped tunnel
// waits for the order to start again.
func (s *Supervisor) obey(ctx context.Context, t *tunnel, o *order) {
	for o != nil {
		if !o.restart {
			t.close()
			s.emit(t.entry.Name, portforward.Event{Type: Stopped})
			s.checkEnd()
			close(o.done)
			o = t.wait(ctx)
			continue
		}
		if t.ends == nil {
			if err := t.listen(); err != nil {
				s.emit(t.entry.Name, portforward.Event{Type: Stopped, Err: err})
				close(o.done)
				o = t.wait(ctx)
				continue
			}
		}
		s.mu.Lock()
		s.board.Listen(t.entry.Name, t.local())
		s.mu.Unlock()
		close(o.done)
		return
	}
}

// Ended is closed when every forward was stopped.
func (s *Supervisor) Ended() <-chan struct{} { return s.ended }

func (s *Supervisor) checkEnd() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.board.rows {
		if l.State != Closed {
			return
		}
	}
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

// runOnce runs a tunnel until ctx ends or an order comes, which is returned once
// the sessions are closed.
func (s *Supervisor) runOnce(ctx context.Context, t *tunnel) *order {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i := range t.ends {
		wg.Go(func() { s.serve(ctx, t, i) })
	}
	var came *order
	select {
	case o := <-t.orders:
		came = &o
	case <-ctx.Done():
	}
	cancel()
	wg.Wait()
	return came
}

// serve runs one spec of a tunnel, again and again: each has a Forward of its
// own, so that what is wrong with one destination does not end the others.
func (s *Supervisor) serve(ctx context.Context, t *tunnel, i int) {
	spec, name := t.entry.Specs[i], t.entry.Name
	if a, ok := t.ends[i].Addr().(*net.TCPAddr); ok {
		spec.Local = a.Port
	}
	f := &portforward.Forward{
		Opener: &telling{Opener: t.opener, opening: func() { s.emit(name, portforward.Event{Type: OpeningSession, Remote: spec.Remote()}) }},
		Node:   t.entry.Node, Lazy: true, Lanes: t.entry.Lanes, Idle: t.entry.Idle,
	}
	pause := againFirst
	for {
		began := time.Now()
		err := f.Run(ctx, []portforward.Spec{spec}, []net.Listener{t.ends[i].lend(&t.meter)}, func(e portforward.Event) { s.emit(name, e) })
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > againMost {
			pause = againFirst
		}
		s.emit(name, portforward.Event{Type: portforward.Failed, Remote: spec.Remote(), Node: t.entry.Node, Err: err, Wait: pause})
		_ = wait.Sleep(ctx, pause)
		pause = min(2*pause, againMost)
	}
}

// wait waits for an order; nil when ctx ends.
func (t *tunnel) wait(ctx context.Context) *order {
	select {
	case o := <-t.orders:
		return &o
	case <-ctx.Done():
		return nil
	}
}

func (t *tunnel) listen() error {
	for _, spec := range t.entry.Specs {
		l, err := portforward.Listen(spec, portforward.Options{Bind: t.entry.Bind})
		if err != nil {
			t.close()
			var known *fault.Error
			if errors.As(err, &known) {
				return &fault.Error{Kind: known.Kind, Op: "forward " + t.entry.Name, Hint: known.Hint, Err: err}
			}
			return fault.New(fault.Failed, "forward "+t.entry.Name, "%w", err)
		}
		t.ends = append(t.ends, &end{Listener: l})
	}
	return nil
}

func (t *tunnel) close() {
	for _, e := range t.ends {
		_ = e.Close()
	}
	t.ends = nil
}

func (t *tunnel) local() []string {
	var ends []string
	for _, e := range t.ends {
		ends = append(ends, e.Addr().String())
	}
	return ends
}

// telling tells when a session is about to be opened.
type telling struct {
	portforward.Opener
	opening func()
}

func (o *telling) Open(ctx context.Context, spec portforward.Spec, events func(sessionclient.Event)) (portforward.Session, error) {
	o.opening()
	return o.Opener.Open(ctx, spec, events)
}
