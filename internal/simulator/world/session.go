package world

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// ErrNoSession is returned by Sessions.Resume for a session that is unknown or
// has ended; the API answers DoesNotExistException.
var ErrNoSession = errors.New("session does not exist")

// Sessions is what the message gateway does for the API.
type Sessions interface {
	// Open registers a session and starts the agent's side of it. The token is
	// good for one opening of the data channel and for a short time only.
	Open(ctx context.Context, s SessionSpec) (token, streamURL string, err error)
	// Resume issues a new token for a live session, ErrNoSession for any other.
	// An empty token with a nil error is passed on to the client as it is.
	Resume(id string) (token, streamURL string, err error)
	// Terminate ends a session. It is idempotent; an unknown id is no error.
	Terminate(id string) error
	// Status is one of the Session… constants; ok is false when the gateway
	// has never heard of id or has forgotten it.
	Status(id string) (status string, ok bool)
}

// The states of a session, as they are on the wire.
const (
	SessionConnected    = "Connected"
	SessionConnecting   = "Connecting"
	SessionDisconnected = "Disconnected"
	SessionTerminated   = "Terminated"
	SessionTerminating  = "Terminating"
	SessionFailed       = "Failed"
)

// SessionSpec is everything the gateway and the agent need to know about a new
// session. It is what the service would put into the agent's start message.
type SessionSpec struct {
	ID           string // <owner's name>-<26 characters of base 36>
	NodeID       string
	Owner        string // ARN of the caller
	DocumentName string
	SessionType  string // Standard_Stream, InteractiveCommands, NonInteractiveCommands, Port
	// Properties is the document's properties with all {{ placeholders }}
	// filled; nil when the document has none. For command types it is keyed by
	// platform (linux, windows, macos); for Port it is flat and all text.
	Properties json.RawMessage
	// Parameters holds the values given by the caller and, for those not given,
	// the defaults of the document.
	Parameters map[string][]string

	KMSKeyID    string        // ARN of the key; empty: the session is not encrypted
	IdleTimeout time.Duration // never 0
	MaxDuration time.Duration // 0: no limit
	RunAs       bool          // shells run as RunAsUser, which must not be empty then
	RunAsUser   string        // empty without RunAs: ssm-user
	// ShellProfile is what the preferences say to run first in every shell of
	// the node's platform; may be empty.
	ShellProfile string
	Reason       string
	Logging      Logging
}

// NodeRuntime is a node as the agent on it sees it.
type NodeRuntime struct {
	ID           string
	Platform     string // linux, windows, macos
	AgentVersion string // as it is now: updating the agent changes it
	Machine      shell.Machine

	// Resolve is the lookup the agent makes once, when a session to a remote
	// host starts. Its error is the text the agent reports: "lookup NAME: no
	// such host", or a *ForbiddenError: for addresses of the metadata service
	// and, from agent 3.3.4851 on, for loopback. It is not asked for sessions to
	// the node itself, which have no host. Dial knows the addresses of then.
	Resolve func(host string) error
	// Dial connects to a port of host as seen from the node; an empty host is
	// the node itself. Errors read as those of the node's own network:
	// "… no such host", "… connection refused". A hanging port (a fault)
	// blocks until ctx is done.
	Dial DialFunc

	Agent AgentSpec
}

// ForbiddenError refuses a destination that the agent does not forward to.
type ForbiddenError struct{ Host string }

// Error returns the agent's own words.
func (e *ForbiddenError) Error() string {
	return "Forwarding to IP address " + e.Host + " is forbidden."
}

// AgentSpec says how the agent of a node departs from a healthy one.
type AgentSpec struct {
	// Silent: the agent never opens its end of a data channel.
	Silent bool `yaml:"silent"`
	// RequireChallenge: sessions with KMS are refused to clients that do not
	// acknowledge the random challenge.
	RequireChallenge bool `yaml:"require_challenge"`
	// StartDelay is waited before the first output of a shell; real agents take
	// a second.
	StartDelay time.Duration `yaml:"start_delay"`
}

// DataKeys opens sealed data keys for the agent's side of encrypted sessions.
type DataKeys interface {
	// Decrypt returns the plain key. encContext must be what the key was made
	// with.
	Decrypt(ctx context.Context, sealed []byte, encContext map[string]string) (plain []byte, err error)
}

// Faults are the troubles of a data channel. The zero value is a perfect one.
// Probabilities are from 0 to 1 and apply to each message in each direction.
type Faults struct {
	Latency   time.Duration `yaml:"latency"` // added one way
	Jitter    time.Duration `yaml:"jitter"`  // up to this much more
	Loss      float64       `yaml:"loss"`
	Duplicate float64       `yaml:"duplicate"`
	Reorder   float64       `yaml:"reorder"`
	Corrupt   float64       `yaml:"corrupt"` // wrong payload digest

	CutEvery   time.Duration `yaml:"cut_every"`   // the client's socket is dropped this often (1006)
	ByeEvery   time.Duration `yaml:"bye_every"`   // the same, politely: close 1000 "Bye"
	MaxMessage int           `yaml:"max_message"` // bytes; larger ones close the socket with 1009; 0: 1 MiB

	// Pace makes the agent as slow as the real one: 1 KiB in a millisecond.
	Pace bool `yaml:"pace"`
	// RefuseResume answers ResumeSession with "not-found", "denied" or
	// "empty-token"; empty: sessions resume.
	RefuseResume string `yaml:"refuse_resume"`
	// TokenTTL is how long a token can be used; 0: one minute.
	TokenTTL time.Duration `yaml:"token_ttl"`
	// Seed makes the random faults repeatable; 0: a fixed default.
	Seed uint64 `yaml:"seed"`
}
