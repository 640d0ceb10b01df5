package forwards

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// Single is a forward that is in no file. Its command runs it; Single is told what
// happens, so that it can answer others, and passes on what they want.
type Single struct {
	ledger
	meter  portforward.Meter
	name   string                         // in the board
	open   map[string]portforward.Session // by id
	begun  map[*opening]bool              // sessions that are being opened
	ending bool                           // somebody has stopped it
	stop   func()
	ended  chan struct{} // closed by End
	wg     sync.WaitGroup
	rest   context.CancelFunc // of the sampling
}

// NewSingle returns the forward of row, which listens already. stop, called at most
// once, makes its command end it.
func NewSingle(row Row, stop func()) *Single {
	board := NewBoard([]Entry{{Name: row.Name}})
	board.rows[0].Row = row
	board.Listen(row.Name, row.Local)
	s := &Single{name: row.Name, open: map[string]portforward.Session{}, begun: map[*opening]bool{}, stop: stop, ended: make(chan struct{})}
	s.board, s.meters = board, []*portforward.Meter{&s.meter}
	ctx, cancel := context.WithCancel(context.Background())
	s.rest = cancel
	s.wg.Go(func() { s.sample(ctx) })
	return s
}

// Rename gives the forward the name under which it was registered.
func (s *Single) Rename(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.board.byName[s.name]
	delete(s.board.byName, s.name)
	l.Name, s.name = name, name
	s.board.byName[name] = l
}

// Listener returns ln with what passes through it counted.
func (s *Single) Listener(ln net.Listener) net.Listener { return s.meter.Listener(ln) }

// Opener returns o with its sessions noted.
func (s *Single) Opener(o portforward.Opener) portforward.Opener {
	return &telling{Opener: &noting{Opener: o, s: s}, opening: func() { s.Event(portforward.Event{Type: OpeningSession}) }}
}

// Event takes note of an event.
func (s *Single) Event(e portforward.Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Type == portforward.Ended {
		delete(s.open, e.Session)
	}
	s.board.Apply(Event{Forward: s.name, Event: e}, fault.HintOf(e.Err))
}

// End says that every session is closed, and nothing listens any more.
func (s *Single) End() {
	s.Event(portforward.Event{Type: Stopped})
	close(s.ended)
	s.rest()
	s.wg.Wait()
}

// Stopped reports whether somebody has stopped it.
func (s *Single) Stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// Stop ends the forward if it is among names, and waits until it has ended.
func (s *Single) Stop(ctx context.Context, names []string) []string {
	s.mu.Lock()
	name, first := s.name, !s.ending
	if !slices.Contains(names, name) || s.board.byName[name].closed {
		s.mu.Unlock()
		return nil
	}
	s.ending = true
	s.mu.Unlock()
	if first {
		s.stop()
	}
	select {
	case <-s.ended:
	case <-ctx.Done():
	}
	return []string{name}
}

// Restart closes the forward's sessions if it is among names; whoever connects next
// gets a new one. The opening of one is given up and begun anew: it may hang.
func (s *Single) Restart(_ context.Context, names []string) []string {
	s.mu.Lock()
	name := s.name
	l := s.board.byName[name]
	if !slices.Contains(names, name) || l.closed {
		s.mu.Unlock()
		return nil
	}
	var old []portforward.Session
	for id := range l.sessions {
		if o := s.open[id]; o != nil {
			old = append(old, o)
		}
	}
	for o := range s.begun {
		o.anew = true
		o.cancel()
	}
	s.mu.Unlock()
	var closing sync.WaitGroup
	for _, o := range old {
		closing.Go(func() { _ = o.Close() })
	}
	closing.Wait()
	return []string{name}
}

// noting keeps the sessions that are opened, so that they can be closed from outside.
type noting struct {
	portforward.Opener
	s *Single
}

// opening is one attempt to open a session.
type opening struct {
	cancel context.CancelFunc
	anew   bool // it was given up for another
}

func (n *noting) Open(ctx context.Context, spec portforward.Spec, events func(sessionclient.Event)) (portforward.Session, error) {
	for {
		session, anew, err := n.attempt(ctx, spec, events)
		switch {
		case err == nil:
			return session, nil
		case !anew || ctx.Err() != nil:
			return nil, err
		}
	}
}

// attempt opens a session unless a restart comes: then another is wanted.
func (n *noting) attempt(ctx context.Context, spec portforward.Spec, events func(sessionclient.Event)) (s portforward.Session, anew bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := &opening{cancel: cancel}
	n.s.mu.Lock()
	n.s.begun[o] = true
	n.s.mu.Unlock()
	inner, err := n.Opener.Open(ctx, spec, events)
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	delete(n.s.begun, o)
	if err != nil {
		return nil, o.anew, err
	}
	session := &closedOnce{Session: inner}
	n.s.open[session.Info().SessionID] = session
	return session, false, nil
}

// closedOnce is a session that may be closed from outside and by its forward.
type closedOnce struct {
	portforward.Session
	once sync.Once
	err  error
}

func (o *closedOnce) Close() error {
	o.once.Do(func() { o.err = o.Session.Close() })
	return o.err
}

// mostLabel is the longest part of a name that is made of the name of something.
const mostLabel = 64

// NameOf makes the name of a forward that nobody named, of what it leads to and of
// its local end: "web-1:8080". It can be typed without quotes, and no saved forward
// can have it. The first label that can be typed is used, else the last.
func NameOf(end net.Addr, labels ...string) string {
	label := labels[len(labels)-1]
	if i := slices.IndexFunc(labels, legalName().MatchString); i >= 0 {
		label = labels[i]
	}
	port := ""
	if a, ok := end.(*net.TCPAddr); ok {
		port = strconv.Itoa(a.Port)
	} else {
		port = filepath.Base(end.String())
	}
	return plain(label) + ":" + plain(port)
}

// plain replaces what a shell or a file system may take amiss.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), mostLabel)]
}
