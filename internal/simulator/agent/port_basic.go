package agent

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// basicPort carries one connection at a time, as raw bytes without framing. It
// serves clients or agents too old to multiplex, and SSH over stdio.
type basicPort struct {
	ender
	dest       *destination
	in         *inlet
	out        *outlet
	forwarding bool        // dial again after a connection; else its end is the session's
	connected  atomic.Bool // the first dial is done
}

func newBasicPort(d *destination, out *outlet, terminates, forwarding bool) *basicPort {
	return &basicPort{ender: newEnder(terminates), dest: d, in: newInlet(), out: out, forwarding: forwarding}
}

func (p *basicPort) room() <-chan struct{} { return p.in.room }

func (p *basicPort) input(t wire.PayloadType, payload []byte) verdict {
	switch t {
	case wire.PayloadOutput:
		if !p.connected.Load() {
			return notReady
		}
		return p.in.offer(t, payload)
	case wire.PayloadFlag:
		if p.flag(payload) == wire.DisconnectToPort {
			return p.in.offer(t, payload) // in order with the data before it
		}
	}
	return taken
}

func (p *basicPort) run(ctx context.Context) Result {
	ctx, cancel := p.until(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { p.out.close(true) }) // frees who writes
	defer stop()
	link, err := p.connect(ctx)
	if err != nil {
		return p.refused(ctx, err)
	}
	p.connected.Store(true)
	defer func() { link.close() }()
	var items []item
	for {
		select {
		case <-p.in.ready:
			items = p.in.take(items)
			for _, it := range items {
				if link, err = p.handle(ctx, link, it); err != nil {
					return p.refused(ctx, err)
				}
			}
		case <-link.ended():
			if !p.forwarding {
				return p.last(ctx, link)
			}
			// Nothing tells the client. The next payload dials again.
			link.close()
			link = nil
		case <-ctx.Done():
			return Result{}
		}
	}
}

// handle writes a payload to the destination, dialling first when there is no
// connection, or closes it.
func (p *basicPort) handle(ctx context.Context, l *link, it item) (*link, error) {
	if it.ptype == wire.PayloadFlag {
		l.close()
		if !p.forwarding {
			return l, nil // its end is noticed like any other
		}
		return nil, nil
	}
	if l == nil {
		var err error
		if l, err = p.connect(ctx); err != nil {
			return nil, err
		}
	}
	_, _ = l.conn.Write(it.payload) // a failure shows as the end of the connection
	return l, nil
}

// refused is the result of a session whose destination could not be reached.
func (p *basicPort) refused(ctx context.Context, err error) Result {
	if ctx.Err() != nil {
		return Result{}
	}
	return failed(textNoConnect + err.Error())
}

// last is the result of a stdio session whose connection has ended.
func (p *basicPort) last(ctx context.Context, l *link) Result {
	if ctx.Err() != nil || l.err == nil || errors.Is(l.err, net.ErrClosed) {
		return Result{}
	}
	return failed(l.err.Error())
}

// link is one connection to the destination and the goroutine that reads it.
type link struct {
	conn  net.Conn
	stop  func() bool
	group sync.WaitGroup
	end   chan struct{}
	err   error // why it ended, nil for EOF; set before end is closed
}

func (p *basicPort) connect(ctx context.Context) (*link, error) {
	conn, err := p.dest.dial(ctx)
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn, end: make(chan struct{})}
	l.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	l.group.Go(func() {
		_, l.err = io.Copy(outletWriter{p.out}, conn)
		close(l.end)
	})
	return l, nil
}

// ended is closed when the destination has closed the connection; nil without
// one.
func (l *link) ended() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.end
}

// close closes the connection and waits for its reader. A nil link is closed.
func (l *link) close() {
	if l == nil {
		return
	}
	l.stop()
	_ = l.conn.Close()
	l.group.Wait()
}

// outletWriter makes Output payloads of what is written.
type outletWriter struct{ out *outlet }

func (w outletWriter) Write(b []byte) (int, error) {
	if err := w.out.write(wire.PayloadOutput, false, b); err != nil {
		return 0, err
	}
	return len(b), nil
}
