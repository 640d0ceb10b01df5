package sessionclient

import "time"

// EventKind says what happened to a session's connection.
type EventKind int

// The kinds of events.
const (
	// Lost: the connection broke; the session is kept and resumed. Err says how.
	Lost EventKind = iota
	// Retrying: resume attempt number Attempt failed with Err; the next comes after Wait.
	Retrying
	// Resumed: the session goes on after Outage.
	Resumed
	// AgentSilent: the connection is up, but nothing was acknowledged for Outage.
	AgentSilent
	// AgentBack: acknowledgements arrive again.
	AgentBack
	// Message: the agent has a text for the user (Text), for instance that the
	// session is encrypted.
	Message
	// Unsigned: the upgrade request could not be signed (Err) and went unsigned.
	Unsigned
)

var eventNames = [...]string{"lost", "retrying", "resumed", "agent silent", "agent back", "message", "unsigned"}

// String names the kind.
func (k EventKind) String() string {
	if k < 0 || int(k) >= len(eventNames) {
		return "unknown"
	}
	return eventNames[k]
}

// Event is something the user may want to see in a status line.
type Event struct {
	Kind    EventKind
	Attempt int
	Wait    time.Duration
	Outage  time.Duration
	Text    string // from the other side: make control characters visible before printing
	Err     error
}
