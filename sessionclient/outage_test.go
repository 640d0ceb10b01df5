package sessionclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// TestFlappingServiceIsNotHammered: connections that are taken and dropped at
// once make neither a loop without pauses nor one without end.
func TestFlappingServiceIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newVirtualGateway(t, func(n int, ws *websocket.Conn) {
			if n == 0 {
				prompt(t, ws)
				_, _, _ = ws.Read(t.Context())
			}
		})
		w := &world{t: t}
		resumes := 0
		s, err := g.dial(w.options(WithDialer(nil), WithResume(func(context.Context) (Ticket, error) {
			resumes++
			return g.ticket(), nil
		}))...)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = s.Wait()
		d := time.Since(start)
		if !errors.Is(err, ErrLost) || d < defaultBudget || d > defaultBudget+2*resumeMost {
			t.Errorf("ended with %v after %s, want the budget of %s", err, d, defaultBudget)
		}
		if resumes < 50 || resumes > 100 {
			t.Errorf("%d resumptions, want one about every 10 s", resumes)
		}
	})
}

// TestIdleConnectionsThatHold are no flaps, though nothing goes over them.
func TestIdleConnectionsThatHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell(WithBudget(time.Minute))
		for range 20 {
			time.Sleep(steadyAfter)
			_ = w.pipes[len(w.pipes)-1].Close()
			start := time.Now()
			synctest.Wait()
			if time.Since(start) != 0 || len(w.events)%2 != 0 || w.events[len(w.events)-1].Kind != Resumed {
				t.Fatalf("events %q", w.kinds())
			}
		}
		_ = s.Close()
	})
}

func TestEventsTellTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		down := errors.New("network is down")
		n := 0
		s := w.shell(WithResume(func(context.Context) (Ticket, error) {
			if n++; n <= 8 {
				return Ticket{}, down
			}
			return ticket, nil
		}))
		start := time.Now()
		_ = w.pipes[0].Close()
		_, _ = s.Write([]byte("x"))
		_, _ = io.ReadFull(s, make([]byte, 1))
		if len(w.events) != 10 {
			t.Fatalf("events %q", w.kinds())
		}
		if e := w.events[0]; e.Kind != Lost || !errors.Is(e.Err, errPipe) {
			t.Errorf("first %+v", e)
		}
		var waited time.Duration
		for i, e := range w.events[1:9] {
			want := min(resumeFirst<<i, resumeMost)
			if e.Kind != Retrying || e.Attempt != i+1 || !errors.Is(e.Err, down) || e.Outage != waited || e.Wait < want*8/10 || e.Wait > want*12/10 {
				t.Errorf("event %d: %+v, want a wait of about %s after %s", i+1, e, want, waited)
			}
			waited += e.Wait
		}
		if e := w.events[9]; e.Kind != Resumed || e.Attempt != 9 || e.Outage != waited || time.Since(start) != waited {
			t.Errorf("last %+v, want an outage of %s", e, waited)
		}
		_ = s.Close()
	})
}

// TestTenMinutesWithoutNetwork: what is written while the network is away arrives
// once and in order when it is back.
func TestTenMinutesWithoutNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		begin := time.Now()
		s := w.shell(WithBudget(0), WithResume(func(context.Context) (Ticket, error) {
			if time.Since(begin) < 10*time.Minute {
				return Ticket{}, errors.New("network is down")
			}
			return ticket, nil
		}))
		_ = w.pipes[0].Close()
		var want []byte
		for i := range 10 * 60 {
			line := fmt.Appendf(nil, "line %d\n", i)
			want = append(want, line...)
			if _, err := s.Write(line); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("echoed %d bytes, %v, want %d the same", len(got), err, len(want))
		}
		if d := time.Since(begin); d > 10*time.Minute+2*resumeMost {
			t.Errorf("it took %s to come back", d)
		}
		_ = s.Close()
	})
}

// TestHangingResume: a call that never comes back counts as one that failed.
func TestHangingResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell(WithBudget(time.Minute), WithResume(func(ctx context.Context) (Ticket, error) {
			<-ctx.Done()
			return Ticket{}, fmt.Errorf("resume: %w", ctx.Err())
		}))
		start := time.Now()
		_ = w.pipes[0].Close()
		_, err := s.Wait()
		if d := time.Since(start); !errors.Is(err, ErrLost) || errors.Is(err, context.DeadlineExceeded) || d < time.Minute || d > time.Minute+2*attemptTimeout {
			t.Errorf("ended with %v after %s", err, d)
		}
	})
}

// TestCloseDuringAnOutage does not wait for the network.
func TestCloseDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell(WithResume(func(ctx context.Context) (Ticket, error) {
			<-ctx.Done()
			return Ticket{}, ctx.Err()
		}))
		_ = w.pipes[0].Close()
		_, _ = s.Write([]byte("typed while the line is down"))
		start := time.Now()
		_ = s.Close()
		if exit, err := s.Wait(); err != nil || !exit.Closed || time.Since(start) != 0 {
			t.Errorf("ended with %+v, %v after %s", exit, err, time.Since(start))
		}
	})
}

// TestReasonIsReadThoughWritingFails: the service says why and drops the
// connection, and a write notices first.
func TestReasonIsReadThoughWritingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &brokenPipe{frames: make(chan []byte, 1), closed: make(chan struct{})}
		c.frames <- numbered(t, 0, wire.PayloadOutput, []byte("$"))
		s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return c, nil }),
			WithResume(func(context.Context) (Ticket, error) { return Ticket{}, ErrSessionGone }))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write([]byte("x"))
		time.Sleep(drainWait / 2) // the write has failed
		c.frames <- closedFrame(t, "session timed out")
		if exit, err := s.Wait(); err != nil || exit.Reason != "session timed out" {
			t.Errorf("ended with %+v, %v; want the service's reason", exit, err)
		}
	})
}

// brokenPipe cannot be written to any more, while something is still to be read.
type brokenPipe struct {
	frames chan []byte
	closed chan struct{}
}

func (c *brokenPipe) Read() ([]byte, error) {
	select {
	case b := <-c.frames:
		return b, nil
	case <-c.closed:
		return nil, errPipe
	}
}

func (c *brokenPipe) Write([]byte) error { return errPipe }

func (c *brokenPipe) Close() error {
	close(c.closed)
	return nil
}
