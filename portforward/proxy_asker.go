package portforward

import (
	"errors"
	"net"
	"sync"
	"time"
)

// ask is what a program wants of a proxy.
type ask struct {
	spec  Spec
	early []byte // first bytes for the destination
	// yes is the answer when it is connected. Without one, as for a plain HTTP
	// request, the destination's own answer is it.
	yes []byte
	no  func(refusal, error) []byte
}

// asker is a local connection whose program waits for an answer. The relay uses
// it like any other: the answer is yes when the destination speaks, or has not
// refused for settle once somebody wants to read, and no when the relay gives up
// before.
type asker struct {
	net.Conn
	ask
	settle time.Duration

	mu      sync.Mutex
	decided bool
	failed  bool          // the answer is to be no
	settled chan struct{} // closed when it is yes or no
}

func (a *asker) Read(p []byte) (int, error) {
	if err := a.await(); err != nil {
		return 0, err
	}
	if len(a.early) > 0 {
		n := copy(p, a.early)
		a.early = a.early[n:]
		return n, nil
	}
	return a.Conn.Read(p)
}

// await waits for the decision, and is it when nothing comes.
func (a *asker) await() error {
	if a.yes != nil {
		timer := time.NewTimer(a.settle)
		defer timer.Stop()
		select {
		case <-a.settled:
		case <-timer.C:
		}
		return a.accept()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed {
		return net.ErrClosed
	}
	return nil
}

// accept answers yes, once.
func (a *asker) accept() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed {
		return net.ErrClosed
	}
	if a.decided {
		return nil
	}
	a.decided = true
	close(a.settled)
	if len(a.yes) == 0 {
		return nil
	}
	_, err := a.Conn.Write(a.yes)
	return err
}

func (a *asker) Write(p []byte) (int, error) {
	if err := a.accept(); err != nil {
		return 0, err
	}
	return a.Conn.Write(p)
}

// Close closes the connection, or leaves it to fail while there is no answer.
func (a *asker) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.decided {
		return a.Conn.Close()
	}
	if !a.failed {
		a.failed = true
		close(a.settled)
		_ = a.Conn.SetReadDeadline(time.Unix(1, 0)) // whoever reads shall stop
	}
	return nil
}

// CloseWrite ends what the program receives.
func (a *asker) CloseWrite() error {
	if err := a.accept(); err != nil {
		return err
	}
	if c, ok := a.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SetLinger prepares a reset, which is no way to answer.
func (a *asker) SetLinger(sec int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.Conn.(interface{ SetLinger(sec int) error }); ok && a.decided {
		return c.SetLinger(sec)
	}
	return nil
}

// fail answers no because of err, unless there was an answer.
func (a *asker) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.decided {
		return
	}
	a.decided, a.failed = true, true
	if err == nil {
		return // the program has left
	}
	_ = a.Conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = a.Conn.Write(a.no(classify(err), err))
	finish(a.Conn)
}

// finish closes a connection so that what was written last arrives: unread input
// would turn the close into a reset.
func finish(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok && w.CloseWrite() == nil {
		buf := make([]byte, 4<<10)
		for range 64 { // the deadline is set
			if _, err := c.Read(buf); err != nil {
				break
			}
		}
	}
	_ = c.Close()
}
