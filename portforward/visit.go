package portforward

import (
	"context"
	"errors"
	"time"
)

// visit is one local connection on its way through a pool, to its end.
type visit struct {
	pool  *pool
	conn  *connection
	event Event // Connection and Peer
	start time.Time
	// chosen is called with the carrier before it carries.
	chosen func(*carrier)
	// rest is called when the local program has ended its side, unrest when the
	// connection is over on that carrier; nil: nobody wants to know.
	rest, unrest func()

	connected bool // Connected was reported
}

// run carries the connection over one carrier, or over another when the first
// cannot, and returns the last one, nil when none could be had. Unless connected,
// the local program has got nothing, and its connection is still open.
func (v *visit) run(ctx context.Context) (*carrier, error) {
	retried := false
	for {
		carrier, err := v.pool.take(ctx)
		if err != nil {
			return nil, err
		}
		v.chosen(carrier)
		c := v.conn
		c.tell = func(t EventType) { v.tell(carrier, t) }
		c.again = func() bool { return !retried && v.pool.relocated(carrier) }
		c.rested = false
		c.rest = func() {
			c.rested = true
			v.pool.rest(carrier)
			if v.rest != nil {
				v.rest()
			}
			c.tell(LocalEnd)
		}
		err = carrier.bearer.carry(ctx, c)
		again := errors.Is(err, errAgain)
		retried = retried || again && v.connected
		if c.in > 0 {
			v.pool.answered()
		}
		if c.rested && v.unrest != nil {
			v.unrest()
		}
		v.pool.release(carrier, c, again)
		if !again {
			return carrier, err
		}
	}
}

// tell reports of the connection; that it is connected only once.
func (v *visit) tell(c *carrier, t EventType) {
	if t == Connected && v.connected {
		return
	}
	v.connected = v.connected || t == Connected
	e := v.event
	e.Type = t
	c.health.put(e)
}

// over reports the end, with the error that cut the connection short.
func (v *visit) over(c *carrier, err error) {
	if errors.Is(err, errRefused) {
		v.tell(c, Refused)
	}
	e := v.event
	e.Type, e.In, e.Out, e.Duration = Closed, v.conn.in, v.conn.out, time.Since(v.start)
	var linger lingerError
	if errors.As(err, &linger) {
		e.Text = linger.Error()
	} else {
		e.Err = err
	}
	c.health.put(e)
}
