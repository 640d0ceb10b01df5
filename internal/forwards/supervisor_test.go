package forwards

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// echoSession is a session of an old agent whose destination is an echo.
type echoSession struct {
	id     string
	output chan []byte
	done   chan struct{}
	once   sync.Once
	closed func()
}

func (s *echoSession) Flush(context.Context) error { return nil }
func (s *echoSession) SetPayloadSize(int)          {}
func (s *echoSession) Probe(context.Context, []byte, []byte) (bool, error) {
	return false, nil
}

func (s *echoSession) Info() sessionclient.Info {
	props, _ := json.Marshal(map[string]string{"type": wire.LocalPortForwarding})
	return sessionclient.Info{SessionID: s.id, Kind: wire.Port, AgentVersion: "3.0.100.0", Properties: props}
}

func (s *echoSession) Next() (sessionclient.Chunk, error) {
	select {
	case b := <-s.output:
		return sessionclient.Chunk{Data: b}, nil
	case <-s.done:
		return sessionclient.Chunk{}, io.EOF
	}
}

func (s *echoSession) Write(p []byte) (int, error) {
	select {
	case s.output <- slices.Clone(p):
		return len(p), nil
	case <-s.done:
		return 0, io.ErrClosedPipe
	}
}
func (s *echoSession) Signal(wire.FlagValue) error { return nil }
func (s *echoSession) Stats() sessionclient.Stats  { return sessionclient.Stats{} }
func (s *echoSession) Done() <-chan struct{}       { return s.done }
func (s *echoSession) Wait() (sessionclient.Exit, error) {
	<-s.done
	return sessionclient.Exit{Closed: true}, nil
}

func (s *echoSession) Close() error {
	s.once.Do(func() { close(s.done) })
	s.closed()
	return nil
}

// service opens sessions, unless it has an error for a port.
type service struct {
	mu     sync.Mutex
	errs   map[int]error
	opened int
	open   int
}

func (s *service) Open(_ context.Context, spec portforward.Spec, _ func(sessionclient.Event)) (portforward.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.errs[spec.Port]; err != nil {
		return nil, err
	}
	s.opened++
	s.open++
	return &echoSession{id: string(rune('a' + s.opened)), output: make(chan []byte, 16), done: make(chan struct{}), closed: func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
	}}, nil
}

func (s *service) set(port int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs[port] = err
}

func (s *service) running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// watched is a supervisor that runs, and its events.
type watched struct {
	*Supervisor
	events chan Event
	cancel context.CancelFunc
	done   chan struct{}
}

func run(t *testing.T, svc *service, entries ...Entry) *watched {
	t.Helper()
	sup, err := Bind(entries, func(Entry) portforward.Opener { return svc })
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{Supervisor: sup, events: make(chan Event, 1000), done: make(chan struct{})}
	sup.Emit = func(e Event) { w.events <- e }
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	go func() {
		defer close(w.done)
		sup.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-w.done
		if n := svc.running(); n != 0 {
			t.Errorf("%d sessions are open", n)
		}
	})
	return w
}

func (w *watched) await(t *testing.T, name string, typ portforward.EventType) Event {
	t.Helper()
	for timeout := time.After(30 * time.Second); ; {
		select {
		case e := <-w.events:
			if e.Forward == name && e.Type == typ {
				return e
			}
		case <-timeout:
			t.Fatalf("no %s of %s", typ, name)
		}
	}
}

// until waits until the row of a forward is as wanted: events come later than the bytes
// that a program reads.
func (w *watched) until(t *testing.T, name string, wanted func(Row) bool) {
	t.Helper()
	for timeout := time.After(30 * time.Second); !wanted(w.row(name)); {
		select {
		case <-w.events: // the row is changed first
		case <-timeout:
			t.Fatalf("row %+v", w.row(name))
		}
	}
}

func (w *watched) row(name string) Row {
	for _, r := range w.Rows() {
		if r.Name == name {
			return r
		}
	}
	return Row{}
}

func entry(name string, ports ...int) Entry {
	e := Entry{Name: name, Node: "n", Idle: time.Hour}
	for _, p := range ports {
		e.Specs = append(e.Specs, portforward.Spec{Port: p})
	}
	return e
}

// talk sends text to an address and expects it back; the connection stays open.
func talk(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	say(t, c)
	return c
}

func say(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(c, "ping")
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "ping" {
		t.Fatalf("got %q, %v", b, err)
	}
}

func TestListenersOutliveWhatCannotBeOpened(t *testing.T) {
	svc := &service{errs: map[int]error{80: fault.New(fault.Auth, "", "expired").WithHint("log in")}}
	w := run(t, svc, entry("a", 80, 81))
	w.await(t, "a", portforward.Listening)
	if svc.opened != 0 {
		t.Error("a session was opened before anybody came")
	}
	row := w.row("a")
	good := talk(t, row.Local[1])
	if c, err := net.Dial("tcp", row.Local[0]); err == nil { // else it was broken at once
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("something was read from nowhere")
		}
		_ = c.Close()
	}
	w.await(t, "a", portforward.Failed)
	if r := w.row("a"); r.Hint != "log in" || !strings.Contains(r.Error, "expired") {
		t.Errorf("row %+v", r)
	}
	say(t, good) // goes on
	svc.set(80, nil)
	talk(t, row.Local[0])
	w.until(t, "a", func(r Row) bool { return r.State == Open && r.Open == 2 && r.Error == "" })
}

func TestStopAndRestart(t *testing.T) {
	svc := &service{errs: map[int]error{}}
	w := run(t, svc, entry("a", 80), entry("b", 80))
	a, b := w.row("a").Local[0], w.row("b").Local[0]
	ca, cb := talk(t, a), talk(t, b)
	if got := w.Stop(t.Context(), []string{"a", "nobody"}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("stopped %v", got)
	}
	if n := svc.running(); n != 1 {
		t.Errorf("%d sessions when the stop returns", n)
	}
	if _, err := ca.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	if _, err := net.Dial("tcp", a); err == nil {
		t.Error("it still listens")
	}
	if got := w.Stop(t.Context(), []string{"a"}); len(got) != 0 || w.row("a").State != Closed {
		t.Errorf("stopped again: %v", got)
	}
	say(t, cb)
	w.Restart(t.Context(), []string{"a"})
	talk(t, w.row("a").Local[0])
	if got := w.Restart(t.Context(), []string{"b"}); len(got) != 1 || w.row("b").Local[0] != b {
		t.Errorf("restarted %v, listening at %v, before at %s", got, w.row("b").Local, b)
	}
	talk(t, b)
	w.Stop(t.Context(), []string{"a", "b"})
	<-w.Ended()
}

func TestBindIsAllOrNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := func(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
	_ = free.Close()
	good, bad := entry("good", 80), entry("bad", 80)
	good.Specs[0].Local, bad.Specs[0].Local = port(free), port(taken)
	_, err = Bind([]Entry{good, bad}, func(Entry) portforward.Opener { return nil })
	if err == nil || !strings.Contains(err.Error(), "forward bad: ") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	again, err := net.Listen("tcp", free.Addr().String())
	if err != nil {
		t.Fatalf("the other end was left open: %v", err)
	}
	_ = again.Close()
}

// TestAProcessThatDoesNotAnswerIsNotDead: it may be suspended, and its sessions
// are its own.
func TestAProcessThatDoesNotAnswerIsNotDead(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Skipf("no unix sockets here: %v", err)
	}
	defer ln.Close() // it accepts and says nothing
	reg := Registry{Dir: t.TempDir()}
	if _, err := reg.Register(Record{PID: 1, Started: time.Now(), Socket: socket, Forwards: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	alive, dead, err := reg.Look(ctx)
	if err != nil || len(dead) != 0 || len(alive) != 1 || len(alive[0].Rows) != 1 || alive[0].Rows[0].State != Mute {
		t.Errorf("alive %+v, dead %+v, %v", alive, dead, err)
	}
}

func TestOtherProcessesAskAndStop(t *testing.T) {
	svc := &service{errs: map[int]error{}}
	w := run(t, svc, entry("a", 80), entry("b", 80))
	server, err := Listen("")
	if err != nil {
		t.Fatal(err)
	}
	server.Serve(t.Context(), w.Supervisor)
	reg := Registry{Dir: t.TempDir()}
	mine, err := reg.Register(Record{PID: 1, Started: time.Now(), Socket: server.Path(), Forwards: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	talk(t, w.row("a").Local[0])
	w.until(t, "a", func(r Row) bool { return r.State == Open })
	alive, dead, err := reg.Look(t.Context())
	if err != nil || len(alive) != 1 || len(dead) != 0 || len(alive[0].Rows) != 2 || alive[0].Rows[0].State != Open || alive[0].Rows[0].In != 4 {
		t.Fatalf("alive %+v, dead %+v, %v", alive, dead, err)
	}
	if _, err := Ask(t.Context(), server.Path(), Request{Op: "dance"}); err == nil || !strings.Contains(err.Error(), "unknown operation") {
		t.Errorf("got %v", err)
	}
	a, err := Ask(t.Context(), server.Path(), Request{Op: OpRestart, Forwards: []string{"a"}})
	if err != nil || !slices.Equal(a.Restarted, []string{"a"}) || len(a.Stopped) > 0 || svc.running() != 0 {
		t.Errorf("restarted %v, %v, %d sessions", a.Restarted, err, svc.running())
	}
	talk(t, w.row("a").Local[0]) // it listens again
	a, err = Ask(t.Context(), server.Path(), Request{Op: OpStop, Forwards: []string{"a"}})
	if err != nil || !slices.Equal(a.Stopped, []string{"a"}) || svc.running() != 0 {
		t.Errorf("stopped %v, %v, %d sessions", a.Stopped, err, svc.running())
	}
	if a, err = Ask(t.Context(), server.Path(), Request{Op: OpStop}); err != nil || !slices.Equal(a.Stopped, []string{"b"}) {
		t.Errorf("stopped %v, %v", a.Stopped, err)
	}
	<-w.Ended()
	server.Close()
	mine.Leave()
	if alive, dead, err := reg.Look(t.Context()); err != nil || len(alive)+len(dead) > 0 {
		t.Errorf("left: %v %v %v", alive, dead, err)
	}
}

func TestWhatADeadProcessLeft(t *testing.T) {
	reg := Registry{Dir: t.TempDir()}
	server, err := Listen("")
	if err != nil {
		t.Fatal(err)
	}
	mine, err := reg.Register(Record{PID: 1, Started: time.Now(), Socket: server.Path()})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"s1", "s2", "s3"} {
		mine.Opened(OpenSession{ID: id, Profile: "p"})
	}
	mine.Ended("s2")
	mine.Leave()   // refuses: sessions are left
	server.Close() // as if it had been killed
	_, dead, err := reg.Look(t.Context())
	if err != nil || len(dead) != 1 || len(dead[0].Sessions) != 2 {
		t.Fatalf("dead %+v, %v", dead, err)
	}
	var asked []string
	offline := errors.New("no network")
	err = reg.Bury(dead[0], time.Now(), func(s OpenSession) error {
		asked = append(asked, s.ID+s.Profile)
		if s.ID == "s1" {
			return offline
		}
		return nil
	})
	if !slices.Equal(asked, []string{"s1p", "s3p"}) || !errors.Is(err, offline) {
		t.Errorf("asked for %v: %v", asked, err)
	}
	_, dead, _ = reg.Look(t.Context()) // the one that failed stays for the next time
	if len(dead) != 1 || len(dead[0].Sessions) != 1 || dead[0].Sessions[0].ID != "s1" || dead[0].Dead.IsZero() {
		t.Fatalf("dead %+v", dead)
	}
	if err := reg.Bury(dead[0], time.Now(), func(OpenSession) error { return nil }); err != nil {
		t.Error(err)
	}
	if _, dead, _ = reg.Look(t.Context()); len(dead) != 0 {
		t.Errorf("dead %+v", dead)
	}
}

func TestWhatADeadProcessLeftIsForgottenAfterADay(t *testing.T) {
	reg := Registry{Dir: t.TempDir()}
	mine, err := reg.Register(Record{PID: 1, Started: time.Now(), Socket: filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	mine.Opened(OpenSession{ID: "s1"})
	first := time.Now()
	for _, tt := range []struct {
		after time.Duration
		left  int
	}{{0, 1}, {time.Hour, 1}, {23 * time.Hour, 1}, {25 * time.Hour, 0}} {
		_, dead, err := reg.Look(t.Context())
		if err != nil || len(dead) != 1 {
			t.Fatalf("dead %+v, %v", dead, err)
		}
		if err := reg.Bury(dead[0], first.Add(tt.after), func(OpenSession) error { return errors.New("no network") }); err == nil {
			t.Error("what could not be ended is not said")
		}
		if _, dead, _ = reg.Look(t.Context()); len(dead) != tt.left {
			t.Errorf("after %s: %d are left, want %d", tt.after, len(dead), tt.left)
		}
	}
}

func TestRemoveSocketRemovesNothingElse(t *testing.T) {
	dir := t.TempDir()
	ln, err := net.Listen("unix", dir+"/control")
	if err != nil {
		t.Skip("no unix sockets here:", err)
	}
	defer ln.Close()
	removeSocket(dir + "/control") // not in a folder of ours
	if c, err := net.Dial("unix", dir+"/control"); err != nil {
		t.Errorf("somebody else's socket is gone: %v", err)
	} else {
		_ = c.Close()
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"op":"status"}`))
	f.Add([]byte(`{"op":"stop","forwards":["a"]}`))
	f.Add([]byte(`{"op":"stop","x":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := decodeRequest(data); err == nil && r.Op != OpStatus && r.Op != OpStop && r.Op != OpRestart {
			t.Fatalf("%q became %+v", data, r)
		}
	})
}
