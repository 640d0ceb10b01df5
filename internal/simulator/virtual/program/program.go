// Package program is the frame in which the simulated programs of a node run:
// arguments, standard streams, files as seen by the calling shell, and the
// conventions for options and messages of GNU programs.
package program

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
)

// Sizes of buffers in bytes.
const (
	lineBuffer = 64 << 10
	copyBuffer = 256 << 10
	maxLine    = 16 << 20 // a longer line is cut into several
)

// Func runs a program and returns its exit status. It returns soon after ctx
// has ended.
type Func func(ctx context.Context, p *Proc) int

// Proc is one run of a program.
type Proc struct {
	Args  []string
	Shell *posix.Shell
	// Stdin, Stdout and Stderr fail once the context has ended.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Call is what the shell asked for.
	Call *posix.Call

	out  *bufio.Writer
	late []byte
}

// Run runs fn for a call of the shell.
func Run(ctx context.Context, fn Func, c *posix.Call) int {
	out := &checkedWriter{ctx: ctx, w: c.Stdout}
	p := &Proc{
		Args: c.Args, Shell: c.Shell, Call: c,
		Stdin: checkedReader{ctx, c.Stdin}, Stdout: out, Stderr: c.Stderr,
	}
	status := fn(ctx, p)
	if p.out != nil {
		p.out.Flush()
	}
	if len(p.late) > 0 {
		c.Stderr.Write(p.late)
	}
	switch {
	case out.err == nil || ctx.Err() != nil:
	case errors.Is(out.err, posix.ErrBrokenPipe), errors.Is(out.err, io.ErrClosedPipe):
		return 128 + int(posix.SIGPIPE)
	default:
		p.Errorf("write error: %s", memfs.Reason(out.err))
		return max(status, 1)
	}
	return status
}

// checkedWriter ends a program that goes on writing after it was told to end.
type checkedWriter struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	if c.err == nil {
		c.err = c.ctx.Err()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(p)
	c.err = err
	return n, err
}

type checkedReader struct {
	ctx context.Context
	r   io.Reader
}

func (c checkedReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Name returns the name the program was called by.
func (p *Proc) Name() string {
	return p.Args[0][strings.LastIndexByte(p.Args[0], '/')+1:]
}

// Errorf prints a message after the name of the program.
func (p *Proc) Errorf(format string, args ...any) {
	p.Flush()
	fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name(), fmt.Sprintf(format, args...))
}

// Later prints a line to the standard error once the program has returned. It
// is for programs that hold a lock while they find out what to say: a write
// may block for as long as nobody reads.
func (p *Proc) Later(format string, args ...any) {
	p.late = fmt.Appendf(p.late, format+"\n", args...)
}

// FileError reports err for a file and returns 1.
func (p *Proc) FileError(name string, err error) int {
	if !errors.Is(err, context.Canceled) && !isSignal(err) {
		p.Errorf("%s: %s", name, memfs.Reason(err))
	}
	return 1
}

func isSignal(err error) bool {
	var sig posix.Signal
	return errors.As(err, &sig)
}

// Out returns the buffered standard output.
func (p *Proc) Out() *bufio.Writer {
	if p.out == nil {
		p.out = bufio.NewWriterSize(p.Stdout, lineBuffer)
	}
	return p.out
}

// Printf prints to the buffered standard output and reports whether the
// program should go on.
func (p *Proc) Printf(format string, args ...any) bool {
	_, err := fmt.Fprintf(p.Out(), format, args...)
	return err == nil
}

// Flush sends what is buffered. It reports whether the program should go on.
func (p *Proc) Flush() bool { return p.out == nil || p.out.Flush() == nil }

// Lines returns a reader for lines from r. Whenever it has to wait for more
// input, what the program has printed so far is flushed, so that a pipe in
// which little happens shows it at once.
func (p *Proc) Lines(r io.Reader) *bufio.Reader {
	return bufio.NewReaderSize(flushing{p, r}, lineBuffer)
}

type flushing struct {
	p *Proc
	r io.Reader
}

func (f flushing) Read(b []byte) (int, error) {
	if !f.p.Flush() {
		return 0, io.ErrClosedPipe
	}
	return f.r.Read(b)
}

// EachLine calls fn for every line of r, without its newline, until fn returns
// false. full says that the line ended with a newline. The slice is valid only
// during the call.
func (p *Proc) EachLine(r io.Reader, fn func(line []byte, full bool) bool) error {
	br := p.Lines(r)
	var long []byte
	for {
		part, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) && len(long) < maxLine {
			long = append(long, part...)
			continue
		}
		if len(long) > 0 {
			long = append(long, part...)
			part = long
		}
		full := len(part) > 0 && part[len(part)-1] == '\n'
		if full {
			part = part[:len(part)-1]
		}
		if (full || len(part) > 0) && !fn(part, full) {
			return nil
		}
		long = long[:0]
		switch {
		case err == nil || errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// Copy copies all of r to the standard output with a large buffer.
func (p *Proc) Copy(r io.Reader) error {
	p.Flush()
	buf := make([]byte, copyBuffer)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, werr := p.Stdout.Write(buf[:n]); werr != nil {
				return nil // Run reports it
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// Open opens a file for reading; "-" is the standard input.
func (p *Proc) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(p.Stdin), nil
	}
	f, err := p.Shell.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{checkedReader{ctx, f}, f}, nil
}

// EachFile calls fn for every named file, or the standard input when there is
// none, and returns 0, or 1 when a file could not be read.
func (p *Proc) EachFile(ctx context.Context, names []string, fn func(name string, r io.Reader) error) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	status := 0
	for _, name := range names {
		f, err := p.Open(ctx, name)
		switch {
		case err == nil:
			err = fn(name, f)
			f.Close()
		case p.Name() == "head" || p.Name() == "tail":
			p.Errorf("cannot open '%s' for reading: %s", name, memfs.Reason(err))
			status, err = 1, nil
		}
		if err != nil {
			status = p.FileError(name, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return status
}

// Stat describes a file relative to the directory of the program.
func (p *Proc) Stat(name string) (memfs.Info, error) {
	return p.Shell.FS().Stat(p.Shell.Cred(), p.path(name))
}

// Lstat is Stat that does not follow a symbolic link at the end.
func (p *Proc) Lstat(name string) (memfs.Info, error) {
	return p.Shell.FS().Lstat(p.Shell.Cred(), p.path(name))
}

// path makes name absolute; the empty name stays one that does not exist.
func (p *Proc) path(name string) string {
	if name == "" {
		return "/\x00"
	}
	return p.Shell.Abs(name)
}
