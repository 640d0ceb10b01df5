package portforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// stdioLinger is how long the answer may be silent after the end of the input.
const stdioLinger = 5 * time.Second

// Stdio joins a port session of the plain kind (AWS-StartSSHSession) to in and
// out, as a ProxyCommand does, until the session ends, ctx ends, or in has ended
// and the far end was silent for 5 s. Nothing but what the destination sends is
// written to out. It closes the session.
//
// in is read by a goroutine of Stdio's. If in has a method Cancel, as the
// terminal's reader, or Close, it is called to release that goroutine, which is
// then waited for; a Read of any other in that never returns is left behind.
//
// The error is nil when the destination or in ended; a session that the service
// ended for a reason, or that was lost, is of kind Failed.
func Stdio(ctx context.Context, s Session, in io.Reader, out io.Writer) error {
	if err := plain(s.Info()); err != nil {
		_ = s.Close()
		return err
	}
	j := &stdio{session: s, ended: make(chan struct{}), received: make(chan struct{}, 1)}
	var wg sync.WaitGroup
	reading := make(chan struct{})
	go func() { // released below
		defer close(reading)
		j.up(in)
	}()
	over := make(chan struct{})
	wg.Go(func() {
		defer close(over)
		j.down(out)
	})
	j.wait(ctx, over)
	_ = s.Close()
	wg.Wait()
	if release(in) {
		<-reading
	}
	return j.result(ctx, "session "+s.Info().SessionID)
}

// plain complains about sessions that do not carry the bytes of one connection.
func plain(info sessionclient.Info) error {
	props, err := properties(info)
	switch {
	case err != nil:
		return fault.New(fault.Failed, "session "+info.SessionID, "%w", err)
	case info.Kind != wire.Port || multiplexed(info, props):
		return fault.New(fault.Failed, "session "+info.SessionID, "it carries no plain stream of one connection").
			WithHint("use a document like AWS-StartSSHSession")
	}
	return nil
}

// release makes a Read of in return; it is false when there is no way to.
func release(in io.Reader) bool {
	switch r := in.(type) {
	case interface{ Cancel() }:
		r.Cancel()
	case io.Closer:
		_ = r.Close()
	default:
		return false
	}
	return true
}

// stdio is a running Stdio.
type stdio struct {
	session  Session
	ended    chan struct{} // closed when in has ended
	received chan struct{} // capacity 1: something came

	inErr, outErr error // of in, after ended; of out, after down
	graceful      bool  // we ended it, because in had ended
}

func (j *stdio) up(in io.Reader) {
	defer close(j.ended)
	buf := make([]byte, blockSize)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if _, werr := j.session.Write(buf[:n]); werr != nil {
				return // the session says why
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				j.inErr = err
			}
			return
		}
	}
}

func (j *stdio) down(out io.Writer) {
	for {
		c, err := j.session.Next()
		if err != nil {
			return
		}
		if c.Kind != sessionclient.OutputChunk {
			continue
		}
		if _, err := out.Write(c.Data); err != nil {
			j.outErr = err
			return
		}
		select {
		case j.received <- struct{}{}:
		default:
		}
	}
}

// wait returns when the session is to be closed.
func (j *stdio) wait(ctx context.Context, over <-chan struct{}) {
	ended, received := j.ended, (chan struct{})(nil)
	timer := time.NewTimer(stdioLinger)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-over:
			return
		case <-ended:
			ended, received = nil, j.received
			timer.Reset(stdioLinger)
		case <-received:
			timer.Reset(stdioLinger)
		case <-timer.C:
			j.graceful = true
			return
		}
	}
}

func (j *stdio) result(ctx context.Context, op string) error {
	exit, err := j.session.Wait()
	switch {
	case j.outErr != nil:
		return &fault.Error{Op: op, Err: fmt.Errorf("write output: %w", j.outErr)}
	case ctx.Err() != nil:
		return ctx.Err()
	case j.graceful:
		if j.inErr != nil {
			return &fault.Error{Op: op, Err: fmt.Errorf("read input: %w", j.inErr)}
		}
		return nil
	case err != nil:
		return &fault.Error{Op: op, Err: err}
	case exit.Reason != "":
		return fault.New(fault.Failed, op, "%s", exit.Reason)
	default:
		return nil
	}
}
