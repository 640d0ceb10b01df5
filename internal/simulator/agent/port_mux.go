package agent

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
	"github.com/xtaci/smux"
)

// muxPort carries many connections in one session: the Output payloads are the
// byte stream of one smux session, of which the agent is the server.
type muxPort struct {
	ender
	dest      *destination
	in        *inlet
	out       *outlet
	keepAlive bool
}

func newMuxPort(d *destination, out *outlet, terminates, keepAlive bool) *muxPort {
	return &muxPort{ender: newEnder(terminates), dest: d, in: newInlet(), out: out, keepAlive: keepAlive}
}

func (p *muxPort) room() <-chan struct{} { return p.in.room }

func (p *muxPort) input(t wire.PayloadType, payload []byte) verdict {
	switch t {
	case wire.PayloadOutput:
		return p.in.offer(t, payload)
	case wire.PayloadFlag:
		p.flag(payload)
	}
	return taken
}

// config is that of the multiplexer in real agents.
//
// Deviation: their release of the library reads a SYN with a length as an
// ordinary one; this one takes it for an error.
func (p *muxPort) config() *smux.Config {
	return &smux.Config{
		Version:           1,
		KeepAliveDisabled: !p.keepAlive,
		KeepAliveInterval: 10 * time.Second,
		KeepAliveTimeout:  30 * time.Second,
		MaxFrameSize:      32768,
		MaxReceiveBuffer:  4 << 20, // shared by all streams: one that stalls stalls all
		MaxStreamBuffer:   64 << 10,
	}
}

func (p *muxPort) run(ctx context.Context) Result {
	ctx, cancel := p.until(ctx)
	defer cancel()
	conn := newByteStream(p.in, p.out)
	mux, err := smux.Server(conn, p.config())
	if err != nil {
		return failed(err.Error())
	}
	var streams sync.WaitGroup
	stop := context.AfterFunc(ctx, func() {
		p.out.close(true) // nobody reads it any more; frees who writes
		_ = mux.Close()
	})
	defer stop()
	for {
		stream, err := mux.AcceptStream()
		if err != nil {
			break
		}
		// The dial is part of the accept loop, as in real agents: while it
		// hangs, no other stream is accepted.
		dest, err := p.dest.dial(ctx)
		if err != nil {
			// The flag does not say which stream it means. It comes first.
			_ = p.out.write(wire.PayloadFlag, true, wire.AppendFlag(nil, wire.ConnectToPortError))
			_ = stream.Close()
			continue
		}
		streams.Go(func() { join(ctx, stream, dest) })
	}
	asked := ctx.Err() != nil
	cancel()
	_ = mux.Close()
	streams.Wait()
	if !asked {
		return failed("multiplexed connection has ended")
	}
	return Result{}
}

// join copies both ways until either side ends, then closes both: there is no
// half-close behind a real agent.
func join(ctx context.Context, stream *smux.Stream, dest net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = dest.Close() })
	defer stop()
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(dest, stream) // a failure is the end of the connection, as EOF is
		_ = dest.Close()
	})
	_, _ = io.Copy(writerOnly{stream}, dest)
	_ = stream.Close()
	_ = dest.Close()
	up.Wait()
}

// writerOnly hides everything but Write, so that io.Copy uses its own buffer.
type writerOnly struct{ io.Writer }
