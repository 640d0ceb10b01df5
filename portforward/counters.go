package portforward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

// Counters is what passed through a listener so far, connections that are still
// open included.
type Counters struct {
	Open  int64 `json:"open"`        // connections now
	Half  int64 `json:"half_closed"` // of them, those whose local side has ended: answers may still come
	Total int64 `json:"connections"` // connections ever
	In    int64 `json:"bytes_in"`    // to local programs
	Out   int64 `json:"bytes_out"`   // from them
}

// Now says in a word how many connections are open: "3", "3 (1 half closed)".
func (c Counters) Now() string {
	if c.Half == 0 {
		return strconv.FormatInt(c.Open, 10)
	}
	return fmt.Sprintf("%d (%d half closed)", c.Open, c.Half)
}

// Meter counts the connections of listeners and their bytes. It may be read at
// any time, by anybody; the zero Meter is ready.
type Meter struct{ open, half, total, in, out atomic.Int64 }

// Counters returns the present counts.
func (m *Meter) Counters() Counters {
	open := m.open.Load()
	return Counters{Open: open, Half: min(m.half.Load(), open), Total: m.total.Load(), In: m.in.Load(), Out: m.out.Load()}
}

// Listener returns ln with its connections counted by m.
func (m *Meter) Listener(ln net.Listener) net.Listener { return &meteredListener{ln, m} }

type meteredListener struct {
	net.Listener
	meter *Meter
}

func (l *meteredListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.meter.open.Add(1)
	l.meter.total.Add(1)
	return &meteredConn{Conn: c, meter: l.meter}, nil
}

// Exposed passes on what the listener within says.
func (l *meteredListener) Exposed() bool { return exposed(l.Listener) }

// meteredConn keeps what relays need of a connection.
type meteredConn struct {
	net.Conn
	meter *Meter

	mu     sync.Mutex
	half   bool // its local side has ended, and is counted as such
	closed bool
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.meter.out.Add(int64(n))
	if errors.Is(err, io.EOF) {
		c.ended()
	}
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	c.meter.in.Add(int64(len(p))) // before: whoever got it may look
	n, err := c.Conn.Write(p)
	c.meter.in.Add(int64(n - len(p)))
	return n, err
}

func (c *meteredConn) Close() error {
	c.over()
	return c.Conn.Close()
}

// ended counts the connection as one whose local side has ended.
func (c *meteredConn) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.half && !c.closed {
		c.half = true
		c.meter.half.Add(1)
	}
}

// over counts the connection no more.
func (c *meteredConn) over() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	if c.half {
		c.meter.half.Add(-1)
	}
	c.meter.open.Add(-1)
}

func (c *meteredConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (c *meteredConn) SetLinger(sec int) error {
	if l, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok {
		return l.SetLinger(sec)
	}
	return errors.ErrUnsupported
}
