package sessionclient

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// ClientVersion is the version told to service and agent. It is the reference
// client's, not ours: agents switch features by it, and releases below 1.2.764.0
// are announced to be refused one day.
const ClientVersion = "1.2.764.0"

// ErrSessionGone is returned by a Resume function when the service says that
// the session no longer exists. It ends the session; any other error is retried.
var ErrSessionGone = errors.New("the session no longer exists")

// Resume returns a fresh ticket for the running session. It is called with a
// bounded context for every attempt and must use current credentials.
type Resume func(ctx context.Context) (Ticket, error)

// KeySource makes data keys for encrypted sessions: 64 bytes in plain and
// sealed form (kms:GenerateDataKey).
type KeySource interface {
	DataKey(ctx context.Context, keyID string, encContext map[string]string) (plain, sealed []byte, err error)
}

// Dialer opens the connection of a ticket. The production one is a websocket.
type Dialer func(ctx context.Context, t Ticket) (Conn, error)

// Signer signs the upgrade request of the websocket with the caller's current
// credentials, unless its URL brings a signature. An error is reported as an
// event, and the request goes unsigned.
type Signer func(ctx context.Context, r *http.Request) error

// Option changes a default of Dial.
type Option func(*config)

type config struct {
	resume     Resume
	keys       KeySource
	targetID   string
	dial       Dialer
	sign       Signer
	httpClient *http.Client
	userAgent  string
	onEvent    func(Event)
	log        *slog.Logger
	size       wire.TerminalSize
	payload    int
	window     reliable.Window
	receive    reliable.Limits
	handshake  bool

	firstWait time.Duration
	budget    time.Duration
	silence   time.Duration

	wall func(now time.Time) time.Time // the wall clock
}

// Defaults, in the words of the protocol's own numbers.
const (
	// defaultPayload is what every deployed agent and client sends and takes.
	defaultPayload = 1024
	// firstMessageWait is how long an agent may take to open its end.
	firstMessageWait = 60 * time.Second
	// defaultBudget is how long a lost connection is retried.
	defaultBudget = 10 * time.Minute
	// firstWindow is how many bytes may be in flight to begin with, mostWindow what
	// a long and fast path may make of it.
	firstWindow = 1 << 20
	mostWindow  = 8 << 20
)

func newConfig(opts []Option) config {
	c := config{
		payload: defaultPayload, firstWait: firstMessageWait, budget: defaultBudget, silence: defaultSilence,
		window:  reliable.Window{Bytes: firstWindow, Most: mostWindow},
		wall:    func(now time.Time) time.Time { return now.Round(0) },
		onEvent: func(Event) {}, log: slog.New(slog.DiscardHandler),
	}
	for _, o := range opts {
		o(&c)
	}
	var mu sync.Mutex
	tell := c.onEvent
	c.onEvent = func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		tell(e)
	}
	if c.dial == nil {
		c.dial = c.dialWebsocket
	}
	return c
}

// WithResume lets the session survive the loss of its connection.
func WithResume(r Resume) Option { return func(c *config) { c.resume = r } }

// WithKeys lets the session be encrypted with KMS. targetID is the Target of the
// StartSession call, a part of the encryption context.
func WithKeys(k KeySource, targetID string) Option {
	return func(c *config) { c.keys, c.targetID = k, targetID }
}

// WithSigner signs the websocket upgrade.
func WithSigner(s Signer) Option { return func(c *config) { c.sign = s } }

// WithHTTPClient gives the client whose transport (proxy, CA bundle) is used.
func WithHTTPClient(h *http.Client) Option { return func(c *config) { c.httpClient = h } }

// WithUserAgent sets the User-Agent of the upgrade request.
func WithUserAgent(ua string) Option { return func(c *config) { c.userAgent = ua } }

// WithDialer replaces the websocket.
func WithDialer(d Dialer) Option { return func(c *config) { c.dial = d } }

// WithEvents registers a function that is told of the connection's fate. It is
// called by one goroutine at a time, must return at once and must not call the
// session.
func WithEvents(f func(Event)) Option { return func(c *config) { c.onEvent = f } }

// WithLogger sets where debug messages go. They hold no payload and no secret.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.log = l } }

// WithSize sets the terminal size to send as soon as the agent is ready.
func WithSize(cols, rows int) Option {
	return func(c *config) { c.size = terminalSize(cols, rows) }
}

// WithHandshake says that the session's document always makes the agent begin
// with a handshake, as those for ports and commands do: silence is never taken
// for its readiness then.
func WithHandshake() Option { return func(c *config) { c.handshake = true } }

// WithPayloadSize sets the largest payload of an Output message in bytes, 1024
// unless the agent is known to take more.
func WithPayloadSize(n int) Option { return func(c *config) { c.payload = payloadSize(n) } }

// WithWindow bounds what is in flight unacknowledged: by 1 MiB at first, and then
// by what the path is found to need, up to 8 MiB, unless told otherwise.
func WithWindow(w reliable.Window) Option { return func(c *config) { c.window = w } }

// WithReceiveBuffer bounds what is kept for an application that does not read, in
// bytes: 16 MiB unless set. When it is full, the agent is slowed down.
func WithReceiveBuffer(n int) Option {
	return func(c *config) { c.receive = reliable.Limits{ReadyBytes: n, EarlyBytes: n} }
}

// WithFirstMessageWait sets how long Dial waits for the agent, 60 s by default.
func WithFirstMessageWait(d time.Duration) Option { return func(c *config) { c.firstWait = d } }

// WithBudget sets how long a lost connection is retried before the session is
// given up: 10 minutes by default, for ever when 0.
func WithBudget(d time.Duration) Option { return func(c *config) { c.budget = d } }

// WithSilence sets after how long without an acknowledgement AgentSilent is
// reported, 30 s by default.
func WithSilence(d time.Duration) Option { return func(c *config) { c.silence = d } }

func terminalSize(cols, rows int) wire.TerminalSize {
	clamp := func(n int) uint32 { return uint32(min(max(n, 0), 1<<15)) }
	return wire.TerminalSize{Cols: clamp(cols), Rows: clamp(rows)}
}
