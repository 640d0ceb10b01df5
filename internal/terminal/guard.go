package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
)

// errClosed is returned by Raw of a guard that has given the terminal back.
var errClosed = errors.New("terminal was already given back")

// Guard holds the terminal in raw mode and gives it back on every path out:
//
//	g := t.Guard()
//	defer g.Close()                  // return, error, panic
//	defer g.RestoreOnSignal()()      // SIGTERM, SIGHUP, SIGQUIT
//	defer g.RestoreOnDone(ctx)()     // cancelled
//	if err := g.Raw(); err != nil {
//	...
//	go func() { defer g.RestoreOnPanic(); ... }()
//
// Its methods may be called from any goroutine.
type Guard struct {
	t *Terminal

	mu     sync.Mutex
	raw    *rawMode // nil: not in raw mode
	lost   bool
	closed bool

	alternate func() bool              // may be nil
	onStop    func(pause func() error) // may be nil
	pending   func() error             // the face is told to put itself aside for this; nil: it is not
}

// Guard returns a guard. The terminal is not changed until its Raw is called.
func (t *Terminal) Guard() *Guard { return &Guard{t: t} }

// Raw switches to raw mode. Calling it again in raw mode does nothing; after
// the guard has given the terminal back for good it fails.
func (g *Guard) Raw() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed
	}
	if g.raw != nil {
		return nil
	}
	raw, err := g.t.raw()
	if err == nil {
		g.raw = raw
		g.holds()
	}
	return err
}

// Cooked leaves raw mode for a while, to ask a question. Raw goes back. When the
// process was told to stop just before, it does so now.
func (g *Guard) Cooked() error {
	g.mu.Lock()
	pause := g.pending
	g.pending = nil
	err := g.restore("")
	g.mu.Unlock()
	if pause != nil && err == nil {
		_ = pause() // where there is nobody to let it go on, it goes on
	}
	return err
}

// Lost notes that the session did not end by itself, so that the program at
// the far end may have left modes on: giving the terminal back then includes
// ResetSequence.
func (g *Guard) Lost() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost = true
}

// Alternate tells the guard how to know whether the alternate screen is in use;
// f is called while the terminal is given back, and must not use the guard.
func (g *Guard) Alternate(f func() bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alternate = f
}

// Close gives the terminal back for good. Calling it again does nothing.
func (g *Guard) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	return g.restore(g.reset())
}

// abandon is Close for the paths on which the session was cut.
func (g *Guard) abandon() {
	g.Lost()
	g.Close()
}

// Output returns a writer to out, where the terminal shows things, that drops
// everything once the terminal was given back for good: what the far end still
// has to say must not undo that.
func (g *Guard) Output(out io.Writer) io.Writer { return guarded{g, out} }

type guarded struct {
	g   *Guard
	out io.Writer
}

func (w guarded) Write(p []byte) (int, error) {
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	if w.g.closed {
		return len(p), nil
	}
	return w.out.Write(p)
}

func (g *Guard) reset() string {
	switch {
	case !g.lost:
		return ""
	case g.alternate != nil && !g.alternate():
		return resetModes + resetRest
	default:
		return ResetSequence
	}
}

// restore is called with mu held.
func (g *Guard) restore(reset string) error {
	if g.raw == nil {
		return nil
	}
	raw := g.raw
	g.raw = nil
	g.released()
	return raw.restore(reset)
}

// RestoreOnDone gives the terminal back as soon as ctx is done, even while the
// rest of the program is still busy ending. stop undoes the arrangement; when
// the context is already done, it returns after the terminal was given back.
func (g *Guard) RestoreOnDone(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		defer close(done)
		g.abandon()
	})
	return func() {
		if !forget() {
			<-done
		}
	}
}

// RestoreOnSignal gives the terminal back when the process is told to end:
// SIGTERM, SIGHUP or SIGQUIT; on Windows when the console is closed. It does
// not end the process: for SIGTERM and SIGHUP that is left to whoever cancels
// the program's context. SIGQUIT is sent on, so that Go prints its stacks, now
// readably. stop ends the watch and waits for it.
func (g *Guard) RestoreOnSignal() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endSignals()...)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case sig := <-signals:
			g.abandon()
			signal.Stop(signals)
			resend(sig)
		case <-quit:
		}
	}()
	return sync.OnceFunc(func() {
		signal.Stop(signals)
		close(quit)
		<-done
	})
}

// RestoreOnPanic is for `defer` in goroutines: when the goroutine panics it
// gives the terminal back and lets the panic go on. Without it the deferred
// Close of another goroutine never runs.
func (g *Guard) RestoreOnPanic() {
	if v := recover(); v != nil {
		g.abandon()
		panic(v)
	}
}
