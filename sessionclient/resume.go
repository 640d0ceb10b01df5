package sessionclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	resumeFirst = 200 * time.Millisecond
	resumeMost  = 10 * time.Second
	// attemptTimeout bounds one attempt: the API call, the dial, the opening.
	attemptTimeout = 20 * time.Second
)

// resumeStep is what the resuming goroutine tells the loop: a failed attempt, or
// the end of its work.
type resumeStep struct {
	conn    Conn // set when resumed
	attempt int
	wait    time.Duration
	err     error
	over    bool // no further attempt comes
}

// attach starts serving a connection.
func (c *channel) attach(conn Conn) {
	c.link = newLink(conn)
	c.snd.Reconnected(time.Now())
	c.outgoing = nil
}

// lost takes leave of a broken link and starts to resume, if that can help.
func (c *channel) lost(err error, workers *group) {
	old := c.link
	c.link, c.outgoing, c.acks = nil, nil, nil
	var protocol *ProtocolError
	switch {
	case errors.As(err, &protocol):
	case errors.Is(err, errTooBig), errors.Is(err, errText):
		err = &ProtocolError{Err: err}
	case c.closed:
		c.finish(Exit{Closed: true}, nil)
	case c.cfg.resume == nil:
		err = fmt.Errorf("%w and the session cannot be resumed", err)
	default:
		c.lostAt = time.Now()
		c.cfg.onEvent(Event{Kind: Lost, Err: err})
		workers.start(func(ctx context.Context) {
			old.close()
			c.resume(ctx)
		})
		return
	}
	old.close()
	c.finish(Exit{}, err)
}

// resume asks for tickets and dials until a connection stands, the session is
// gone or ctx ends. The loop watches the budget.
func (c *channel) resume(ctx context.Context) {
	delay := resumeFirst
	for attempt := 1; ; attempt++ {
		conn, err := c.tryResume(ctx)
		step := resumeStep{conn: conn, attempt: attempt, err: err, over: conn != nil || errors.Is(err, ErrSessionGone)}
		step.wait = time.Duration(float64(delay) * (0.8 + 0.4*rand.Float64()))
		select {
		case c.resumes <- step:
		case <-ctx.Done():
			if conn != nil {
				_ = conn.Close()
			}
			return
		}
		if step.over {
			return
		}
		timer := time.NewTimer(step.wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		delay = min(2*delay, resumeMost)
	}
}

func (c *channel) tryResume(ctx context.Context) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	t, err := c.cfg.resume(ctx)
	if err != nil {
		return nil, err
	}
	if t.Token == "" { // how the service says that the session has ended
		return nil, ErrSessionGone
	}
	if t.StreamURL == "" {
		t.StreamURL = c.ticket.StreamURL
	}
	t.SessionID = c.ticket.SessionID
	return openConn(ctx, &c.cfg, t, c.clientID)
}

// openConn dials and presents the token.
func openConn(ctx context.Context, cfg *config, t Ticket, clientID string) (Conn, error) {
	conn, err := cfg.dial(ctx, t)
	if err != nil {
		return nil, err
	}
	if o, ok := conn.(interface{ open([]byte) error }); ok {
		if err := o.open(openMessage(t, clientID)); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("open the data channel: %w", err)
		}
	}
	return conn, nil
}

// resumeStep takes one report of the resuming goroutine.
func (c *channel) resumeStep(s resumeStep) {
	outage := time.Since(c.lostAt)
	switch {
	case s.conn != nil:
		c.lostAt = time.Time{}
		c.attach(s.conn)
		c.cfg.onEvent(Event{Kind: Resumed, Attempt: s.attempt, Outage: outage})
	case s.over:
		c.finish(Exit{}, s.err)
	case c.closed:
		c.finish(Exit{Closed: true}, nil)
	case c.cfg.budget > 0 && outage > c.cfg.budget:
		c.finish(Exit{}, fmt.Errorf("%w for %s: %w", ErrLost, outage.Round(time.Second), s.err))
	default:
		c.cfg.onEvent(Event{Kind: Retrying, Attempt: s.attempt, Wait: s.wait, Outage: outage, Err: s.err})
	}
}

// refused reports whether the gateway rejected the upgrade for good, so that
// Dial need not try again.
func refused(err error) bool {
	var up *UpgradeError
	return errors.As(err, &up) && up.Status >= http.StatusBadRequest && up.Status < http.StatusInternalServerError
}

// group runs goroutines that all end with its context.
type group struct {
	ctx context.Context
	wg  sync.WaitGroup
}

func newGroup(ctx context.Context) *group { return &group{ctx: ctx} }

func (g *group) start(f func(context.Context)) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		f(g.ctx)
	}()
}

func (g *group) wait() { g.wg.Wait() }
