package agent

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agent/mailbox"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
)

// ErrTerminated is returned by Config.Dial for a session that is over. The agent
// does not try again.
var ErrTerminated = errors.New("Session is already terminated") // the service's own words

// Conn is one attachment to the gateway. Closing both boxes hangs up; either
// end may.
type Conn struct {
	In  *mailbox.Box // the agent takes
	Out *mailbox.Box // the agent puts
}

// Config says what session to work on, and for which node.
type Config struct {
	Spec world.SessionSpec
	Node world.NodeRuntime
	Keys world.DataKeys // needed for encrypted sessions only
	// Dial attaches to the data channel of the session, at the start and again
	// after a loss.
	Dial    func(ctx context.Context) (*Conn, error)
	Options Options
	// Log, if set, gets the output of shells and commands, one Write at a time.
	Log io.Writer
}

// Options are the knobs of a simulated agent. The zero value is a fast agent
// without the real one's defects.
type Options struct {
	// Chunk is the size of output payloads in bytes; 0: 1024, as real agents.
	Chunk int
	// Window bounds what is sent unacknowledged; zero fields: 8 MiB, 4096
	// messages, and no further ahead than a client holds. The real agent has no
	// window.
	Window reliable.Window
	// Pace waits a millisecond after each output message, as real agents do
	// for everything but commands with separate output streams.
	Pace bool
	// Drain is how long outstanding acknowledgements are waited for at the end;
	// 0: 2 s, as real agents.
	Drain time.Duration

	// TextDefects reproduces what real agents do to the output of shells and
	// commands: U+FFFD arrives as the byte EF, an incomplete UTF-8 sequence at
	// the end is lost.
	TextDefects bool
	// PauseLosesOutput makes a command with separate output streams fail when
	// the service pauses its output, as in real agents.
	PauseLosesOutput bool
	// HangOnSecondResponse makes a HandshakeResponse nobody waits for stop the
	// agent's reading for ever, as in real agents; else it is acknowledged and
	// ignored.
	HangOnSecondResponse bool
}

const (
	defaultChunk  = 1024
	defaultDrain  = 2 * time.Second
	windowBytes   = 8 << 20
	windowCount   = 4096
	aheadBytes    = 6 << 20 // clients hold 8 MiB or 10000 messages ahead of a gap
	aheadCount    = 8000
	heldOverhead  = 64 // what a message costs a client that holds it
	paceInterval  = time.Millisecond
	redialRetries = 5 // after the first failure; then the agent stays away for ever
	redialFirst   = 100 * time.Millisecond
	redialMost    = 5 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Chunk <= 0 {
		o.Chunk = defaultChunk
	}
	if o.Drain <= 0 {
		o.Drain = defaultDrain
	}
	if o.Window.Bytes <= 0 {
		o.Window.Bytes = windowBytes
	}
	if o.Window.Messages <= 0 {
		o.Window.Messages = windowCount
	}
	if o.Window.Ahead <= 0 {
		o.Window.Ahead = max(1, min(aheadCount, aheadBytes/(o.Chunk+heldOverhead)))
	}
	return o
}

// Result is how a session ended, as the agent reports it to the service.
type Result struct {
	Failed bool
	// Output is the reason in words, empty for an ordinary end. It is what the
	// client's channel_closed message will say.
	Output string
}

// Status returns the result's name on the wire.
func (r Result) Status() string {
	if r.Failed {
		return "Failed"
	}
	return "Success"
}

func failed(output string) Result { return Result{Failed: true, Output: output} }

// Run works on one session until it ends, the gateway says it is over or ctx is
// cancelled. It returns after all its goroutines have.
func Run(ctx context.Context, cfg Config) Result {
	ctx, cancel := context.WithCancel(ctx)
	w := newWorker(ctx, cfg)
	defer w.finish()
	defer cancel()
	return w.run(ctx)
}
