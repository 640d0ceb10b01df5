package forwards

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/portforward"
)

// State is what a forward is doing.
type State string

// The states.
const (
	Idle         State = "idle"         // listens, no session
	Opening      State = "opening"      // a session is being opened
	Open         State = "open"         // a session is open
	Reconnecting State = "reconnecting" // its connection was lost and is being resumed
	Stalled      State = "stalled"      // open, and nothing moves
	Failed       State = "failed"       // the last attempt failed; see Error
	Closed       State = "closed"       // does not listen
	Mute         State = "no-answer"    // of a process that does not answer
)

// What the supervisor reports beside the events of portforward.
const (
	// OpeningSession: somebody connected, and a session is being opened.
	OpeningSession portforward.EventType = "opening"
	// Stopped: the forward does not listen any more.
	Stopped portforward.EventType = "stopped"
)

// Event is an event of one forward.
type Event struct {
	Forward string
	portforward.Event
}

// MarshalJSON writes the event of portforward with the forward's name in front.
func (e Event) MarshalJSON() ([]byte, error) {
	name, err := json.Marshal(e.Forward)
	if err != nil {
		return nil, err
	}
	rest, err := e.Event.MarshalJSON()
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"forward":`), name...)
	return append(append(out, ','), rest[1:]...), nil
}

// Row is what is known of one forward.
type Row struct {
	Name   string   `json:"name"`
	State  State    `json:"state"`
	Local  []string `json:"local"`
	Remote []string `json:"remote"`
	Node   string   `json:"node"`
	Lanes  int      `json:"sessions"`
	portforward.Counters
	InRate  float64   `json:"bytes_in_per_second"`
	OutRate float64   `json:"bytes_out_per_second"`
	Error   string    `json:"error,omitempty"`
	Hint    string    `json:"hint,omitempty"`
	Retry   time.Time `json:"retry,omitzero"` // when the next attempt comes
	Exposed bool      `json:"exposed,omitempty"`
}

// Board adds up what happens to forwards. It performs no I/O and reads no clock;
// one goroutine uses it.
type Board struct {
	rows   []*line
	byName map[string]*line
}

// line is a row and what its state follows from.
type line struct {
	Row
	sessions map[string]*session // by id
	about    string              // the destination that Error is about
	refused  bool                // it took no connection
	opening  bool
	failed   bool
	closed   bool
	sampled  time.Time
}

type session struct{ lost, stuck bool }

// NewBoard returns a board with a row for each entry, in that order.
func NewBoard(entries []Entry) *Board {
	b := &Board{byName: map[string]*line{}}
	for i := range entries {
		e := &entries[i]
		l := &line{
			Row:      Row{Name: e.Name, State: Closed, Local: e.Local(), Remote: e.Remote(), Node: e.Node},
			sessions: map[string]*session{}, closed: true,
		}
		b.rows = append(b.rows, l)
		b.byName[e.Name] = l
	}
	return b
}

// Rows returns a copy of what is known.
func (b *Board) Rows() []Row {
	rows := make([]Row, len(b.rows))
	for i, l := range b.rows {
		rows[i] = l.Row
	}
	return rows
}

// Listen notes the real local ends of a forward, with the ports that were free.
func (b *Board) Listen(name string, local []string) {
	if l := b.byName[name]; l != nil {
		l.Local = local
		*l = line{Row: l.Row, sessions: map[string]*session{}, sampled: l.sampled}
		l.Error, l.Hint, l.Retry = "", "", time.Time{}
		l.settle()
	}
}

// Apply takes an event. hint says what to do about its error.
func (b *Board) Apply(e Event, hint string) {
	l := b.byName[e.Forward]
	if l == nil {
		return
	}
	s := l.sessions[e.Session]
	switch e.Type {
	case portforward.Listening:
		l.Exposed = l.Exposed || e.Exposed
	case OpeningSession:
		l.opening = true
	case portforward.Ready, portforward.Reopened, portforward.LaneOpened:
		l.sessions[e.Session] = &session{}
		l.opening = false
		if !l.wrongElsewhere(e.Remote) {
			l.failed = false
			l.Error, l.Hint, l.Retry = "", "", time.Time{}
		}
	case portforward.Ended:
		delete(l.sessions, e.Session)
		if e.Text != "" || e.Err != nil {
			l.fault(e, hint)
		}
	case portforward.Failed:
		l.opening, l.failed = false, true
		l.fault(e, hint)
		if e.Wait > 0 {
			l.Retry = e.Time.Add(e.Wait)
		}
	case portforward.Notice: // no further session, for one
		l.opening = l.opening && e.Err == nil
	case portforward.Refused:
		l.Error, l.Hint, l.about, l.refused = "the node cannot reach "+e.Remote, "", e.Remote, true
	case portforward.Closed:
		if e.In > 0 && l.refused && e.Remote == l.about { // it has answered since
			l.Error, l.refused = "", false
		}
	case portforward.Reconnecting:
		if s != nil {
			s.lost = true
		}
		l.fault(e, hint)
	case portforward.Reconnected:
		if s != nil {
			s.lost = false
		}
		l.Error, l.Hint = "", ""
	case portforward.Stalled, portforward.Silent:
		if s != nil {
			s.stuck = true
		}
	case portforward.Recovered:
		if s != nil {
			s.stuck = false
		}
	case Stopped:
		l.closed, l.opening = true, false
		clear(l.sessions)
		if e.Err != nil {
			l.fault(e, hint)
		}
	}
	l.settle()
}

func (l *line) fault(e Event, hint string) {
	switch {
	case e.Err != nil:
		l.Error, l.Hint, l.about, l.refused = e.Err.Error(), hint, e.Remote, false
	case e.Text != "":
		l.Error, l.Hint, l.about, l.refused = e.Text, hint, e.Remote, false
	}
}

// wrongElsewhere reports whether Error is about a destination of the forward other than
// remote: that remote can be reached says nothing about it.
func (l *line) wrongElsewhere(remote string) bool {
	return l.Error != "" && l.about != remote && slices.Contains(l.Remote, l.about)
}

// settle derives the state.
func (l *line) settle() {
	l.Lanes = len(l.sessions)
	lost, stuck := 0, 0
	for _, s := range l.sessions {
		if s.lost {
			lost++
		} else if s.stuck {
			stuck++
		}
	}
	switch {
	case l.closed:
		l.State = Closed
	case l.Lanes > 0 && lost == l.Lanes:
		l.State = Reconnecting
	case l.Lanes > 0 && lost+stuck == l.Lanes:
		l.State = Stalled
	case l.Lanes > 0:
		l.State = Open
	case l.opening:
		l.State = Opening
	case l.failed:
		l.State = Failed
	default:
		l.State = Idle
	}
}

// Sample takes the counters of a forward at now, for totals and rates. Rates are
// those since the last sample.
func (b *Board) Sample(name string, c portforward.Counters, now time.Time) {
	l := b.byName[name]
	if l == nil {
		return
	}
	if d := now.Sub(l.sampled).Seconds(); !l.sampled.IsZero() && d > 0 {
		l.InRate = max(0, float64(c.In-l.In)/d)
		l.OutRate = max(0, float64(c.Out-l.Out)/d)
	}
	l.Counters, l.sampled = c, now
}
