package posix

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Signal is a POSIX signal by its Linux number. It is an error so that it can
// be the cause of a cancelled context.
type Signal int

// The signals that the shell knows by name.
const (
	SIGHUP  Signal = 1
	SIGINT  Signal = 2
	SIGQUIT Signal = 3
	SIGKILL Signal = 9
	SIGPIPE Signal = 13
	SIGTERM Signal = 15
)

// signalNames is ordered by number, from 1.
const signalNames = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"

func (s Signal) Error() string { return "signal: " + s.String() }

// String returns the name without SIG, "TERM" and the like.
func (s Signal) String() string {
	names := strings.Fields(signalNames)
	if s < 1 || int(s) > len(names) {
		return strconv.Itoa(int(s))
	}
	return names[s-1]
}

// Text returns what a shell prints for a job that died of the signal.
func (s Signal) Text() string {
	switch s {
	case SIGHUP:
		return "Hangup"
	case SIGINT:
		return "Interrupt"
	case SIGQUIT:
		return "Quit"
	case SIGKILL:
		return "Killed"
	case SIGPIPE:
		return "Broken pipe"
	case SIGTERM:
		return "Terminated"
	}
	return "Signal " + s.String()
}

// harmless reports whether a process survives the signal by default. Stopping
// is not simulated and therefore counts as harmless.
func (s Signal) harmless() bool {
	switch s.String() {
	case "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "WINCH":
		return true
	}
	return s == 0
}

// ParseSignal reads a number or a name with or without SIG.
func ParseSignal(text string) (Signal, error) {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n <= 64 {
		return Signal(n), nil
	}
	want := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	for i, name := range strings.Fields(signalNames) {
		if name == want {
			return Signal(i + 1), nil
		}
	}
	return 0, fmt.Errorf("%s: invalid signal specification", text)
}

// Group is a process group: what one signal reaches together. It is safe for
// concurrent use.
type Group struct {
	mu      sync.Mutex
	gen     int
	last    Signal
	ignored map[Signal]bool
	cancels map[int]context.CancelCauseFunc
	nextID  int
}

// Signal delivers sig: it ends the foreground commands of the group, and each
// of its shells acts on it before its next command.
func (g *Group) Signal(sig Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if sig.harmless() || (g.ignored[sig] && sig != SIGKILL) {
		return
	}
	g.gen++
	g.last = sig
	for _, cancel := range g.cancels {
		cancel(sig)
	}
}

// Ignore makes the group deaf for sig, or hear it again.
func (g *Group) Ignore(sig Signal, ignore bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ignored == nil {
		g.ignored = map[Signal]bool{}
	}
	g.ignored[sig] = ignore
}

// since returns the generation, and the last signal if it is newer than gen.
func (g *Group) since(gen int) (Signal, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if gen == g.gen {
		return 0, gen
	}
	return g.last, g.gen
}

// Context returns a child of ctx that the next signal to the group cancels,
// with the signal as its cause.
func (g *Group) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	_, gen := g.since(-1)
	return g.context(ctx, gen)
}

// context is Context for a shell that has acted on the signals up to
// generation gen: a later one cancels it at once.
func (g *Group) context(ctx context.Context, gen int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gen != gen {
		cancel(g.last)
		return ctx, func() { cancel(nil) }
	}
	if g.cancels == nil {
		g.cancels = map[int]context.CancelCauseFunc{}
	}
	g.nextID++
	id := g.nextID
	g.cancels[id] = cancel
	return ctx, func() {
		g.mu.Lock()
		delete(g.cancels, id)
		g.mu.Unlock()
		cancel(nil)
	}
}

// KilledStatus returns the exit status of what the end of ctx has killed: 128
// plus the signal that is its cause, else that of SIGKILL.
func KilledStatus(ctx context.Context) int {
	var sig Signal
	if errors.As(context.Cause(ctx), &sig) {
		return 128 + int(sig)
	}
	return 128 + int(SIGKILL)
}
