package sessionclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// Errors that callers may want to tell apart.
var (
	// ErrNotReady: the agent or the service did not get the session ready in time.
	ErrNotReady = errors.New("the session did not get ready")
	// ErrLost: the connection stayed away for longer than the budget.
	ErrLost = errors.New("the connection was lost")
)

// ChunkKind says what a Chunk is.
type ChunkKind int

// The kinds of chunks.
const (
	OutputChunk ChunkKind = iota // terminal output, standard output, tunnel bytes
	StderrChunk                  // standard error of a command
	FlagChunk                    // a signal of the agent, see Flag
)

// Chunk is one piece of what the agent sent, in order.
type Chunk struct {
	Kind ChunkKind
	Data []byte // the receiver owns it
	Flag wire.FlagValue
}

// Exit is how a session ended.
type Exit struct {
	Code    int    // exit status of the remote command, if HasCode
	HasCode bool   // only commands with separate output streams tell it
	Reason  string // the service's words for an unusual end; make control characters visible
	Closed  bool   // ended by Close
}

// Info describes a session that is ready.
type Info struct {
	SessionID    string
	Kind         wire.SessionType
	AgentVersion string          // "" when there was no handshake
	Properties   json.RawMessage // of the handshake; see wire.PortProperties
	Encrypted    bool            // payloads are sealed with a KMS data key
}

// Stats are a session's counters so far.
type Stats struct {
	SentBytes, ReceivedBytes int64 // payload
	Resends                  int64 // timeouts of our messages
	Damaged                  int64 // messages with a wrong digest
	RoundTrip                time.Duration

	InFlight   int64     // bytes kept until they are acknowledged, headers included
	Window     int64     // bytes that may be kept, as the path is known so far
	Reconnects int64     // connections that took the place of a lost one
	Connected  bool      // a connection stands
	Since      time.Time // when it came up, or when it was lost
}

// Session is a running session. Read (or Next) and Write may be called
// concurrently, each from one goroutine at a time; all else from anywhere.
type Session struct {
	ch     *channel
	cancel context.CancelFunc

	closeOnce sync.Once

	mu   sync.Mutex // of the reading side
	have []Chunk    // taken from the channel, not yet returned
	tail bool       // have is the channel's tail: nothing comes after
}

// Dial opens the data channel of t and waits until the agent is ready for input.
// ctx bounds Dial only; the session ends with Close or when the far end ends it.
//
// The caller still has to end the session at the service (TerminateSession),
// also when Dial fails.
func Dial(ctx context.Context, t Ticket, opts ...Option) (*Session, error) {
	cfg := newConfig(opts)
	ch := newChannel(t, cfg)
	conn, err := ch.firstConn(ctx)
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Session{ch: ch, cancel: cancel}
	go ch.run(run, conn)
	select {
	case <-ch.ready:
		return s, nil
	case <-ch.done:
		defer cancel()
		select {
		case <-ch.ready: // got ready and ended at once: a short command
			return s, nil
		default:
		}
		return nil, ch.startError()
	case <-ctx.Done():
		cancel()
		<-ch.done
		return nil, ctx.Err()
	}
}

// EndedError is a session that the far end ended for a reason.
type EndedError struct{ Reason string }

func (e *EndedError) Error() string { return e.Reason }

// Info describes the session. It may change once, when an agent that was taken
// for ready makes its handshake late.
func (s *Session) Info() Info { return *s.ch.info.Load() }

// Stats returns the counters so far.
func (s *Session) Stats() Stats {
	st := &s.ch.stats
	since := st.since.Load()
	return Stats{
		SentBytes: st.sentBytes.Load(), ReceivedBytes: st.receivedBytes.Load(),
		Resends: st.resends.Load(), Damaged: st.damaged.Load(),
		RoundTrip: time.Duration(st.roundTrip.Load()),
		InFlight:  st.inFlight.Load(), Window: st.window.Load(), Reconnects: st.reconnects.Load(),
		Connected: since > 0, Since: time.Unix(0, max(since, -since)),
	}
}

// Reconnect replaces the present connection at once, or, while that goes on
// already, tries again without waiting. It does not block. It does nothing when
// the session is over or cannot be resumed.
func (s *Session) Reconnect() {
	select {
	case s.ch.reconnects <- struct{}{}:
	default: // asked already
	}
}

// Next returns the next chunk in order. After the last one it returns io.EOF, or
// the error that Wait returns too.
func (s *Session) Next() (Chunk, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next()
}

func (s *Session) next() (Chunk, error) {
	if err := s.fetch(); err != nil {
		return Chunk{}, err
	}
	c := s.have[0]
	s.drop()
	return c, nil
}

// fetch makes sure that have holds at least one chunk.
func (s *Session) fetch() error {
	for len(s.have) == 0 {
		if s.tail {
			if err := s.ch.end.err; err != nil {
				return err
			}
			return io.EOF
		}
		select {
		case s.have = <-s.ch.delivered:
		case <-s.ch.done:
			s.have, s.tail = s.ch.tail, true
		}
	}
	return nil
}

func (s *Session) drop() {
	s.have[0] = Chunk{} // let go of the data
	s.have = s.have[1:]
}

// Read reads output; other chunks are skipped. See Next for the end.
func (s *Session) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if err := s.fetch(); err != nil {
			return 0, err
		}
		c := &s.have[0]
		if c.Kind != OutputChunk || len(c.Data) == 0 {
			s.drop()
			continue
		}
		n := copy(p, c.Data)
		if c.Data = c.Data[n:]; len(c.Data) == 0 {
			s.drop()
		}
		return n, nil
	}
}

// Write sends p as input, cut to the payload size. It returns when everything
// has room in the window, which is when p may be reused; a full window blocks.
// Concurrent writes follow each other whole.
func (s *Session) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return s.send(wire.PayloadOutput, p)
}

// Signal sends a flag to the agent.
func (s *Session) Signal(f wire.FlagValue) error {
	_, err := s.send(wire.PayloadFlag, wire.AppendFlag(nil, f))
	return err
}

// send returns how much of p the window took, which the agent may have got.
func (s *Session) send(typ wire.PayloadType, p []byte) (int, error) {
	w := &write{typ: typ, data: p, done: make(chan error, 1)}
	select {
	case s.ch.writes <- w:
	case <-s.ch.done:
		return 0, s.ch.writeError()
	}
	err := <-w.done // the loop answers whatever it took, also when it ends
	return len(p) - len(w.data), err
}

// Resize tells the agent the size of the terminal. It never blocks: of several
// sizes in quick succession the last one is sent.
func (s *Session) Resize(cols, rows int) {
	size := terminalSize(cols, rows)
	for {
		select {
		case s.ch.sizes <- size:
			return
		default:
		}
		select {
		case <-s.ch.sizes:
		default:
		}
	}
}

// Close ends our side: what was written is flushed for up to a second, a port
// session is told to end, the connection is closed. It returns when everything
// the session started is over, and may be called repeatedly.
func (s *Session) Close() error {
	s.closeOnce.Do(func() { close(s.ch.closing) })
	<-s.ch.done
	s.cancel()
	return nil
}

// Abort ends our side at once, without flushing, also while Close waits.
func (s *Session) Abort() {
	s.cancel()
	<-s.ch.done
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.ch.done }

// Wait blocks until the session has ended. The error says why it ended before
// its time; after Close, and when the far end ended it, there is none, but Exit
// may hold a Reason.
func (s *Session) Wait() (Exit, error) {
	<-s.ch.done
	return s.ch.end.exit, s.ch.end.err
}

// CopyOutput writes standard output and standard error to their writers until
// the session ends, and returns what Wait returns. A write error ends the
// session.
func (s *Session) CopyOutput(stdout, stderr io.Writer) (Exit, error) {
	for {
		c, err := s.Next()
		if errors.Is(err, io.EOF) {
			return s.Wait()
		}
		if err != nil {
			exit, _ := s.Wait()
			return exit, err
		}
		w := stdout
		if c.Kind == StderrChunk {
			w = stderr
		}
		if c.Kind == FlagChunk {
			continue
		}
		if _, err := w.Write(c.Data); err != nil {
			s.Abort()
			exit, _ := s.Wait()
			return exit, fmt.Errorf("write output: %w", err)
		}
	}
}
