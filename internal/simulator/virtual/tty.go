package virtual

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
)

// Bounds of a terminal, in bytes.
const (
	maxTypedAhead = 1 << 20  // typed and not read yet; more makes Write wait
	maxUnshown    = 64 << 10 // printed and not read yet; more makes programs wait
)

// mode is how typed bytes are treated.
type mode int

const (
	modeEdit   mode = iota // kept for the line editor of the shell
	modeCooked             // lines with echo, as a program gets them by default
	modeRaw                // single bytes without echo, for full-screen programs
)

// terminal is a terminal with its line discipline. Users write what is typed
// and read what is shown; programs do the opposite.
type terminal struct {
	name string // pts/N

	mu         sync.Mutex
	cols, rows int
	mode       mode
	echo       bool
	plain      bool   // stty raw: what is printed stays as it is
	lastCR     bool   // the last typed byte was a CR
	ended      bool   // the program has ended
	hungUp     bool   // by Close, which cancels the context of the program before
	shown      []byte // printed and not read yet, with CR LF line ends

	// What was typed and not read yet, in this order. The line discipline takes
	// every byte once: what it made of typed stays so when the mode changes back,
	// or each command would cost as much as all that was typed ahead of it.
	lines  [][]byte // to read; an empty one is end of file
	queued int      // bytes in lines, with one more for each line
	line   []byte   // the line being typed
	typed  []byte   // not seen by the line discipline

	group *posix.Group  // who gets the signals of the keyboard
	wake  chan struct{} // closed at the next change; nil when nobody waits
}

var (
	_ posix.Terminal      = (*terminal)(nil)
	_ posix.ContextReader = (*terminal)(nil)
	_ posix.ContextWriter = (*terminal)(nil)
)

// newTerminal returns a terminal in the mode that its program begins with.
func newTerminal(name string, cols, rows int, m mode) *terminal {
	return &terminal{name: name, cols: cols, rows: rows, mode: m, echo: true}
}

// changed wakes everybody who waits. The lock must be held.
func (t *terminal) changed() {
	if t.wake != nil {
		close(t.wake)
		t.wake = nil
	}
}

// wait gives the lock up until something changes or ctx ends.
func (t *terminal) wait(ctx context.Context) error {
	if t.wake == nil {
		t.wake = make(chan struct{})
	}
	wake := t.wake
	t.mu.Unlock()
	defer t.mu.Lock()
	select {
	case <-wake:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *terminal) size() (cols, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cols, t.rows
}

func (t *terminal) resize(cols, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cols > 0 {
		t.cols = cols
	}
	if rows > 0 {
		t.rows = rows
	}
	t.changed()
}

// SetEcho implements posix.Terminal.
func (t *terminal) SetEcho(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.echo = on
}

// SetRaw implements posix.Terminal.
func (t *terminal) SetRaw(on bool) {
	t.setRaw(on)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plain = on
}

// foreground sets who gets the signals of the keyboard and returns who did.
func (t *terminal) foreground(g *posix.Group) (old *posix.Group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, t.group = t.group, g
	return old
}

// setMode changes how typed bytes are treated. What was typed ahead is kept.
func (t *terminal) setMode(to mode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mode == to {
		return
	}
	t.mode = to
	t.plain = t.plain && to == modeRaw
	if to == modeCooked {
		// It was not echoed when it was typed; who types ahead sees it once, at
		// the prompt, if no program reads it first.
		all, echo := t.typed, t.echo
		t.typed, t.echo = nil, false
		for _, b := range all {
			t.discipline(b)
		}
		t.echo = echo
	}
	t.changed()
}

func (t *terminal) setRaw(on bool) {
	if on {
		t.setMode(modeRaw)
	} else {
		t.setMode(modeCooked)
	}
}

// Control characters.
const (
	ctrlC         = 0x03
	ctrlD         = 0x04
	ctrlU         = 0x15
	ctrlW         = 0x17
	ctrlZ         = 0x1a
	ctrlBackslash = 0x1c
	backspace     = 0x7f
)

// discipline treats one byte typed while a program has the terminal in its
// usual mode. The lock must be held.
func (t *terminal) discipline(b byte) {
	switch b {
	case ctrlC, ctrlBackslash:
		t.lines, t.queued, t.line = nil, 0, nil
		text, sig := "^C", posix.SIGINT
		if b == ctrlBackslash {
			text, sig = "^\\", posix.SIGQUIT
		}
		t.show([]byte(text), false)
		if t.group != nil {
			t.group.Signal(sig)
		}
	case ctrlD:
		t.enqueue(t.line) // empty: end of file
	case ctrlZ: // stopping a program is not simulated
	case '\r', '\n':
		t.enqueue(append(t.line, '\n'))
		t.echoBytes([]byte("\n"))
	case backspace, '\b':
		t.erase(1)
	case ctrlU:
		t.erase(utf8.RuneCount(t.line))
	case ctrlW:
		trimmed := bytes.TrimRight(t.line, " \t")
		word := trimmed[bytes.LastIndexAny(trimmed, " \t")+1:]
		t.erase(utf8.RuneCount(t.line) - utf8.RuneCount(trimmed) + utf8.RuneCount(word))
	default:
		t.line = append(t.line, b)
		if b < 0x20 && b != '\t' {
			t.echoBytes([]byte{'^', b + '@'})
		} else {
			t.echoBytes([]byte{b})
		}
	}
	t.changed()
}

// enqueue ends the line being typed.
func (t *terminal) enqueue(line []byte) {
	t.lines = append(t.lines, line)
	t.queued += len(line) + 1
	t.line = nil
}

// dequeue copies from the first line to read, and drops it once it is read.
func (t *terminal) dequeue(p []byte) int {
	n := copy(p, t.lines[0])
	t.queued -= n
	if t.lines[0] = t.lines[0][n:]; len(t.lines[0]) == 0 {
		t.lines[0] = nil // the rest of the slice may live long
		t.lines = t.lines[1:]
		t.queued--
	}
	return n
}

// take copies what was typed as it was typed, whoever has seen it, for those
// who do not read lines. p must not be empty.
func (t *terminal) take(p []byte) (n int) {
	switch {
	case len(t.lines) > 0 && len(t.lines[0]) == 0:
		p[0] = ctrlD
		t.dequeue(nil)
		return 1
	case len(t.lines) > 0:
		return t.dequeue(p)
	case len(t.line) > 0:
		n = copy(p, t.line)
		t.line = t.line[n:]
	default:
		n = copy(p, t.typed)
		t.typed = t.typed[n:]
	}
	return n
}

// erase removes n characters from the line being typed.
func (t *terminal) erase(n int) {
	for ; n > 0 && len(t.line) > 0; n-- {
		r, size := utf8.DecodeLastRune(t.line)
		t.line = t.line[:len(t.line)-size]
		t.echoBytes([]byte("\b \b"))
		if r < 0x20 && r != '\t' {
			t.echoBytes([]byte("\b \b"))
		}
	}
}

func (t *terminal) echoBytes(p []byte) {
	if t.echo {
		t.show(p, false)
	}
}

// show appends output, turning LF into CR LF unless it is done already. The
// lock must be held.
func (t *terminal) show(p []byte, done bool) {
	if done {
		t.shown = append(t.shown, p...)
	} else {
		for len(p) > 0 {
			i := bytes.IndexByte(p, '\n')
			if i < 0 {
				t.shown = append(t.shown, p...)
				break
			}
			t.shown = append(append(t.shown, p[:i]...), '\r', '\n')
			p = p[i+1:]
		}
	}
	t.changed()
}

// WriteContext is how programs print. It waits while too much is unread.
func (t *terminal) WriteContext(ctx context.Context, p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for n < len(p) {
		for len(t.shown) >= maxUnshown && !t.hungUp {
			if err := t.wait(ctx); err != nil {
				return n, err
			}
		}
		if t.hungUp {
			return n, posix.ErrBrokenPipe
		}
		k := min(len(p)-n, maxUnshown)
		t.show(p[n:n+k], t.plain)
		n += k
	}
	return n, nil
}

// ReadContext is how programs read: a line, or single bytes in modeRaw.
func (t *terminal) ReadContext(ctx context.Context, p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		switch {
		case len(p) == 0:
			return 0, nil
		case t.mode == modeRaw && t.pending() > 0:
			n := t.take(p)
			t.changed()
			return n, nil
		case t.mode != modeRaw && len(t.lines) > 0:
			eof := len(t.lines[0]) == 0
			n := t.dequeue(p)
			t.changed()
			if eof {
				return 0, io.EOF
			}
			return n, nil
		case t.hungUp:
			return 0, io.EOF
		}
		if err := t.wait(ctx); err != nil {
			return 0, err
		}
	}
}

// Read and Write complete io.Reader and io.Writer for programs.
func (t *terminal) Read(p []byte) (int, error)  { return t.ReadContext(context.Background(), p) }
func (t *terminal) Write(p []byte) (int, error) { return t.WriteContext(context.Background(), p) }

// key returns the next byte typed at the prompt, and the width of the terminal.
func (t *terminal) key(ctx context.Context) (b byte, cols int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.pending() == 0 {
		if t.hungUp {
			return 0, 0, io.EOF
		}
		if err := t.wait(ctx); err != nil {
			return 0, 0, err
		}
	}
	if ctx.Err() != nil { // the shell is dead, whatever was typed ahead
		return 0, 0, context.Cause(ctx)
	}
	var p [1]byte
	t.take(p[:])
	t.changed()
	return p[0], t.cols, nil
}

// print shows text that already has CR LF line ends.
func (t *terminal) print(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.show([]byte(text), true)
}

// session is a terminal with the program on it; it is the shell.TTY.
type session struct {
	t      *terminal
	cancel context.CancelCauseFunc
	done   chan struct{}
	status int // valid once done is closed
}

// Read implements shell.TTY.
func (s *session) Read(p []byte) (int, error) {
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.shown) == 0 {
		if t.ended || t.hungUp {
			return 0, io.EOF
		}
		if len(p) == 0 {
			return 0, nil
		}
		if err := t.wait(context.Background()); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.shown)
	if t.shown = t.shown[n:]; len(t.shown) == 0 {
		t.shown = nil
	}
	t.changed()
	return n, nil
}

// Write implements shell.TTY.
func (s *session) Write(p []byte) (int, error) {
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for n := 0; n < len(p); {
		for !t.ended && !t.hungUp && t.pending() >= maxTypedAhead {
			if err := t.wait(context.Background()); err != nil {
				return n, err
			}
		}
		if t.ended || t.hungUp {
			return n, io.ErrClosedPipe
		}
		k := min(len(p)-n, 4096)
		for _, b := range p[n : n+k] {
			t.typeByte(b)
		}
		n += k
		t.changed()
	}
	return len(p), nil
}

// typeByte takes one typed byte. The lock must be held.
func (t *terminal) typeByte(b byte) {
	cr := t.lastCR
	t.lastCR = b == '\r'
	switch {
	case cr && b == '\n' && t.mode != modeRaw: // CR LF is one Enter, whoever reads it
	case t.mode == modeCooked:
		t.discipline(b)
	default:
		t.typed = append(t.typed, b)
	}
}

// pending is how much was typed and not read. The lock must be held.
func (t *terminal) pending() int { return t.queued + len(t.line) + len(t.typed) }

// Resize implements shell.TTY.
func (s *session) Resize(cols, rows int) error {
	if cols < 1 || rows < 1 || cols > 1<<14 || rows > 1<<14 {
		return errors.New("terminal size out of range")
	}
	s.t.resize(cols, rows)
	return nil
}

// Wait implements shell.TTY.
func (s *session) Wait() int {
	<-s.done
	return s.status
}

// Close implements shell.TTY: it hangs up and waits for the program. The signal
// comes first: whoever finds the terminal gone must also find out why, else it
// would report another death than the hang-up.
func (s *session) Close() error {
	s.cancel(posix.SIGHUP)
	s.t.mu.Lock()
	s.t.hungUp = true
	s.t.changed()
	s.t.mu.Unlock()
	<-s.done
	return nil
}

// freeName returns the lowest terminal number that no process uses.
func (m *Machine) freeName() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var used []string
	for _, p := range m.procs {
		used = append(used, p.tty)
	}
	for i := m.nextTTY; ; i++ {
		name := "pts/" + itoa(i)
		if !slices.Contains(used, name) {
			return name
		}
	}
}
