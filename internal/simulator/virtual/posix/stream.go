package posix

import (
	"context"
	"errors"
	"io"
	"sync"
)

// ErrBrokenPipe is returned by a Write that nobody will ever read.
var ErrBrokenPipe = errors.New("Broken pipe")

// ContextReader is a source whose Read can be given up.
type ContextReader interface {
	ReadContext(ctx context.Context, p []byte) (int, error)
}

// ContextWriter is a sink whose Write can be given up.
type ContextWriter interface {
	WriteContext(ctx context.Context, p []byte) (int, error)
}

// Terminal is implemented by what stands for a terminal.
type Terminal interface {
	// SetEcho switches the echo of typed characters.
	SetEcho(on bool)
	// SetRaw makes it a plain pipe for bytes, both ways, or a terminal again.
	SetRaw(on bool)
}

type boundReader struct {
	ctx context.Context
	r   ContextReader
}

func (b boundReader) Read(p []byte) (int, error) { return b.r.ReadContext(b.ctx, p) }

type boundWriter struct {
	ctx context.Context
	w   ContextWriter
}

func (b boundWriter) Write(p []byte) (int, error) { return b.w.WriteContext(b.ctx, p) }

type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, io.EOF }

// bindReader ties r to ctx where it can be; a nil r is empty.
func bindReader(ctx context.Context, r io.Reader) io.Reader {
	switch r := r.(type) {
	case nil:
		return empty{}
	case ContextReader:
		return boundReader{ctx, r}
	}
	return r
}

// bindWriter ties w to ctx where it can be; a nil w is a closed descriptor.
func bindWriter(ctx context.Context, w io.Writer) io.Writer {
	switch w := w.(type) {
	case nil:
		return closedWriter{}
	case ContextWriter:
		return boundWriter{ctx, w}
	}
	return w
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, errors.New("Bad file descriptor") }

// pipeSize is the capacity of a pipe in bytes; that of Linux.
const pipeSize = 64 << 10

// Pipe is a pipe in memory. Its ends may be used by several goroutines.
type Pipe struct {
	mu             sync.Mutex
	buf            []byte // unread bytes are buf[off:]
	off            int
	rClosed, wDone bool
	wake           chan struct{} // closed at the next change; nil when nobody waits
}

// changed wakes everybody who waits.
func (p *Pipe) changed() {
	if p.wake != nil {
		close(p.wake)
		p.wake = nil
	}
}

func (p *Pipe) wait(ctx context.Context) error {
	if p.wake == nil {
		p.wake = make(chan struct{})
	}
	wake := p.wake
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-wake:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ReadContext reads what is there, or waits for it.
func (p *Pipe) ReadContext(ctx context.Context, b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.off == len(p.buf) {
		switch {
		case p.rClosed:
			return 0, io.ErrClosedPipe
		case p.wDone:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		if err := p.wait(ctx); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.buf[p.off:])
	if p.off += n; p.off == len(p.buf) {
		p.buf, p.off = p.buf[:0], 0
	}
	p.changed()
	return n, nil
}

// WriteContext writes all of b, waiting for room.
func (p *Pipe) WriteContext(ctx context.Context, b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := 0
	for done < len(b) {
		if p.rClosed || p.wDone {
			return done, ErrBrokenPipe
		}
		room := pipeSize - (len(p.buf) - p.off)
		if room <= 0 {
			if err := p.wait(ctx); err != nil {
				return done, err
			}
			continue
		}
		if p.off > 0 && len(p.buf)+min(room, len(b)-done) > cap(p.buf) {
			p.buf = p.buf[:copy(p.buf, p.buf[p.off:])]
			p.off = 0
		}
		n := min(room, len(b)-done)
		p.buf = append(p.buf, b[done:done+n]...)
		done += n
		p.changed()
	}
	return done, nil
}

// Read is ReadContext without a way out.
func (p *Pipe) Read(b []byte) (int, error) { return p.ReadContext(context.Background(), b) }

// Write is WriteContext without a way out.
func (p *Pipe) Write(b []byte) (int, error) { return p.WriteContext(context.Background(), b) }

// CloseRead makes every later Write fail.
func (p *Pipe) CloseRead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rClosed = true
	p.changed()
}

// CloseWrite lets readers see io.EOF after what is buffered.
func (p *Pipe) CloseWrite() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wDone = true
	p.changed()
}
