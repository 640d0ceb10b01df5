package portforward

import (
	"encoding/json"
	"sync"
	"time"
)

// EventType says what an Event reports.
type EventType string

// The types of events. Fields that a type does not name are those of the tunnel:
// Local, Remote, Node and, once there is one, Session.
const (
	// Listening: the local end exists; Exposed when others than this machine may
	// reach it. Connections are accepted and wait for a session.
	Listening EventType = "listening"
	// Ready: the first session is open, and the agent has looked the destination up
	// if it can say so. Multiplexed and AgentVersion describe it.
	Ready EventType = "ready"
	// Connected: local connection number Connection from Peer is being carried.
	Connected EventType = "connected"
	// LocalEnd: the local side of Connection has ended, and all it sent is on its
	// way. Answers may still come.
	LocalEnd EventType = "local-end"
	// Closed: it ended after Duration. Err is set when it was cut short, and the
	// local program got a reset then. It got one, too, when Text says that the
	// destination was silent for too long after the local side had ended: mostly
	// the program had left, but one that waited must not take a part for the whole.
	Closed EventType = "closed"
	// Refused: the node could not reach the destination for Connection.
	Refused EventType = "refused"
	// Waiting: Connection waits until the one before it ends, for the agent is too
	// old to carry several at once.
	Waiting EventType = "waiting"
	// Reconnecting: the session's connection was lost, or attempt number Attempt to
	// resume it failed with Err and the next comes after Wait.
	Reconnecting EventType = "reconnecting"
	// Reconnected: the session goes on after Duration.
	Reconnected EventType = "reconnected"
	// Stalled: nothing is taken from us any more, for Duration so far. New
	// connections get another session.
	Stalled EventType = "stalled"
	// Recovered: what was stalled or silent goes on.
	Recovered EventType = "recovered"
	// Silent: the agent acknowledged nothing for Duration.
	Silent EventType = "agent-silent"
	// Ended: the session is over. Text is the service's reason, Err ours.
	Ended EventType = "session-ended"
	// Reopened: a session is open for new connections after there was none.
	Reopened EventType = "reopened"
	// LaneOpened: one more session is open, for connections at the same time; Lanes
	// of them carry now.
	LaneOpened EventType = "lane-opened"
	// Failed: a session could not be opened (Err), and the next attempt comes after
	// Wait; with Connection, that one was given up and reset.
	Failed EventType = "failed"
	// Notice: Text of the agent for the user, or Err as a warning.
	Notice EventType = "notice"
)

// Event is something that happened to a tunnel. Text and Err may hold words of
// the other side: make control characters visible before printing.
type Event struct {
	Type         EventType
	Time         time.Time
	Local        string // listener address: "127.0.0.1:5432" or a socket path
	Remote       string // destination as the node sees it: "host:port"
	Node         string
	Session      string // session id
	Connection   int64  // counted from 1 within one Run; 0: none
	Peer         string // who connected
	In, Out      int64  // bytes of the connection: from the destination, to it
	Duration     time.Duration
	Attempt      int
	Wait         time.Duration
	Lanes        int // sessions that carry, of Ready, Reopened, LaneOpened and Ended
	Exposed      bool
	Multiplexed  bool
	AgentVersion string
	Text         string
	Err          error
}

// MarshalJSON writes the event with durations in milliseconds and the error as
// text. Fields are only ever added.
func (e Event) MarshalJSON() ([]byte, error) {
	out := struct {
		Type         EventType `json:"type"`
		Time         time.Time `json:"time"`
		Local        string    `json:"local,omitempty"`
		Remote       string    `json:"remote,omitempty"`
		Node         string    `json:"node,omitempty"`
		Session      string    `json:"session_id,omitempty"`
		Connection   int64     `json:"connection,omitempty"`
		Peer         string    `json:"peer,omitempty"`
		In           *int64    `json:"bytes_in,omitempty"`
		Out          *int64    `json:"bytes_out,omitempty"`
		DurationMS   int64     `json:"duration_ms,omitempty"`
		Attempt      int       `json:"attempt,omitempty"`
		WaitMS       int64     `json:"wait_ms,omitempty"`
		Lanes        int       `json:"lanes,omitempty"`
		Exposed      bool      `json:"exposed,omitempty"`
		Multiplexed  bool      `json:"multiplexed,omitempty"`
		AgentVersion string    `json:"agent_version,omitempty"`
		Text         string    `json:"text,omitempty"`
		Error        string    `json:"error,omitempty"`
	}{
		Type: e.Type, Time: e.Time, Local: e.Local, Remote: e.Remote, Node: e.Node, Session: e.Session,
		Connection: e.Connection, Peer: e.Peer,
		DurationMS: e.Duration.Milliseconds(), Attempt: e.Attempt, WaitMS: e.Wait.Milliseconds(),
		Lanes: e.Lanes, Exposed: e.Exposed, Multiplexed: e.Multiplexed, AgentVersion: e.AgentVersion, Text: e.Text,
	}
	if e.Type == Closed { // zero bytes are a fact too
		out.In, out.Out = &e.In, &e.Out
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
	}
	return json.Marshal(out)
}

// mailbox hands events from many goroutines to the one that emits them. Putting
// never blocks: a tunnel must not wait for a screen.
type mailbox struct {
	mu     sync.Mutex
	events []Event
	closed bool
	wake   chan struct{} // capacity 1
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

func (m *mailbox) put(e Event) {
	m.mu.Lock()
	m.events = append(m.events, e)
	m.mu.Unlock()
	m.signal()
}

// close ends drain after what was put before.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.signal()
}

func (m *mailbox) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// drain calls emit for every event, in order, until the mailbox is closed.
func (m *mailbox) drain(emit func(Event)) {
	for range m.wake {
		m.mu.Lock()
		events, closed := m.events, m.closed
		m.events = nil
		m.mu.Unlock()
		for _, e := range events {
			emit(e)
		}
		if closed {
			return
		}
	}
}
