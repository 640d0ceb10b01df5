package sessionclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	resumeFirst = 200 * time.Millisecond
	resumeMost  = 10 * time.Second
	// attemptTimeout bounds one attempt: the API call, the dial, the opening.
	attemptTimeout = 20 * time.Second
	// firstTries is how often Dial tries to connect.
	firstTries = 5
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

// resume asks for tickets and dials until a connection stands, the session is
// gone or ctx ends. The loop watches the budget. After flaps connections that
// came to nothing it does not begin at once. Haste cuts a wait short, and starts
// the back-off anew.
func (c *channel) resume(ctx context.Context, flaps int) {
	delay := resumeFirst
	if flaps > 0 {
		for range min(flaps-1, 8) {
			delay = min(2*delay, resumeMost)
		}
		hurried, err := c.haste.sleep(ctx, wait.Jitter(delay))
		if err != nil {
			return
		}
		if hurried {
			delay = resumeFirst
		}
	}
	for attempt := 1; ; attempt++ {
		conn, err := c.hastyResume(ctx)
		step := resumeStep{conn: conn, attempt: attempt, err: err, over: conn != nil || errors.Is(err, ErrSessionGone)}
		step.wait = wait.Jitter(delay)
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
		hurried, err := c.haste.sleep(ctx, step.wait)
		if err != nil {
			return
		}
		if delay = min(2*delay, resumeMost); hurried {
			delay = resumeFirst
		}
	}
}

// hastyResume is tryResume that haste can cut short.
func (c *channel) hastyResume(ctx context.Context) (Conn, error) {
	limited, done := c.haste.attempt(ctx)
	defer done()
	conn, err := c.tryResume(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = errStale
	}
	return conn, err
}

// tryResume makes one attempt to get a new connection with a new ticket.
func (c *channel) tryResume(ctx context.Context) (Conn, error) {
	return c.attempt(ctx, func(ctx context.Context) (Ticket, error) {
		t, err := c.cfg.resume(ctx)
		if err != nil {
			return Ticket{}, err
		}
		if t.Token == "" { // how the service says that the session has ended
			return Ticket{}, ErrSessionGone
		}
		if t.StreamURL == "" {
			t.StreamURL = c.ticket.StreamURL
		}
		t.SessionID = c.ticket.SessionID
		return t, nil
	})
}

// attempt gets a ticket and opens its connection in bounded time.
func (c *channel) attempt(ctx context.Context, get func(context.Context) (Ticket, error)) (Conn, error) {
	limited, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	conn, err := func() (Conn, error) {
		t, err := get(limited)
		if err != nil {
			return nil, err
		}
		return openConn(limited, &c.cfg, t, c.clientID)
	}()
	switch {
	case err == nil, errors.Is(err, ErrSessionGone):
		return conn, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil: // but the caller's own time is not up
		return nil, fmt.Errorf("no connection within %s", attemptTimeout)
	default:
		return nil, err
	}
}

// firstConn dials; a network that fails at once is tried again with a fresh
// ticket a few times, for a token is good for one connection only.
func (c *channel) firstConn(ctx context.Context) (Conn, error) {
	start := time.Now()
	conn, err := c.attempt(ctx, func(context.Context) (Ticket, error) { return c.ticket, nil })
	delay := resumeFirst
	for try := 1; err != nil && c.cfg.resume != nil && !refused(err); try++ {
		if try == firstTries || time.Since(start) >= attemptTimeout {
			break
		}
		if err := wait.Sleep(ctx, wait.Jitter(delay)); err != nil {
			return nil, err
		}
		delay *= 2
		var again error
		conn, again = c.tryResume(ctx)
		switch {
		case again == nil, ctx.Err() != nil, errors.Is(again, ErrSessionGone), refused(again):
			return conn, again
		} // else the first error is the one to show
	}
	return conn, err
}

// openConn dials and presents the token.
func openConn(ctx context.Context, cfg *config, t Ticket, clientID string) (Conn, error) {
	conn, err := cfg.dial(ctx, t)
	if err != nil {
		return nil, err
	}
	if o, ok := conn.(opener); ok {
		if err := o.open(ctx, openMessage(t, clientID)); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("open the data channel: %w", err)
		}
	}
	return conn, nil
}

// refused reports whether trying again is no use: the ticket is not to be used,
// or the gateway rejected the upgrade for good.
func refused(err error) bool {
	var (
		up     *UpgradeError
		ticket *ticketError
	)
	return errors.As(err, &ticket) ||
		errors.As(err, &up) && up.Status < http.StatusInternalServerError && up.Status != http.StatusTooManyRequests
}

// starter starts a goroutine that must end with its context, and is waited for.
type starter func(func(context.Context))
