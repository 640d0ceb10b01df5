package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/window"
)

// stage is the real terminal, for what takes it over. Tests have none.
type stage struct {
	in, out, errs *os.File
	guard         *terminal.Guard
	keys          *keyboard
}

// execLeast is how long something keeps the terminal at least. Bubble Tea drops what
// it should do afterwards when that comes too early (bubbletea issue 1778).
const execLeast = 50 * time.Millisecond

// borrow runs f with the terminal as it was before the dashboard came.
type borrow struct {
	stage *stage
	fresh bool // what is typed before the end is not for the dashboard
	f     func(in io.Reader, out, errs io.Writer)

	in        io.Reader
	out, errs io.Writer
	ended     time.Time // zero in tests
	crash     *feed.Crashed
}

func (b *borrow) SetStdin(r io.Reader)  { b.in = r }
func (b *borrow) SetStdout(w io.Writer) { b.out = w }
func (b *borrow) SetStderr(w io.Writer) { b.errs = w }

// Run runs it. The dashboard's own raw mode is put aside for as long.
func (b *borrow) Run() (err error) {
	began := time.Now()
	if b.stage == nil {
		b.play(b.in, b.out, b.errs)
		return nil
	}
	defer func() { err = errors.Join(err, b.stage.keys.resume(b.fresh)) }()
	terminal.AwaitStill()
	if err := b.stage.guard.Cooked(); err != nil {
		return err
	}
	b.play(b.stage.in, b.stage.out, b.stage.errs)
	if left := execLeast - time.Since(began); left > 0 {
		time.Sleep(left)
	}
	b.ended = time.Now()
	return b.stage.guard.Raw()
}

// play runs f. A panic in it ends the dashboard once the terminal is its own again.
func (b *borrow) play(in io.Reader, out, errs io.Writer) {
	defer func() {
		if r := recover(); r != nil {
			b.crash = crash(r)
		}
	}()
	b.f(in, out, errs)
}

// lend gives the terminal to f; done makes the message when it is back. What is typed from
// now on is for f, and with fresh what it leaves of that is for nobody.
func (m *Model) lend(fresh bool, f func(in io.Reader, out, errs io.Writer), done func(error) screenEnded) tea.Cmd {
	b := &borrow{stage: m.stage, fresh: fresh, f: f}
	back := func(err error) tea.Msg {
		end := done(err)
		end.at = b.ended
		if b.crash != nil {
			return *b.crash
		}
		return end
	}
	if m.stage != nil {
		return m.parting(tea.Exec(b, back))
	}
	return func() tea.Msg { // in tests nobody has a terminal
		b.in, b.out, b.errs = bytes.NewReader(nil), io.Discard, io.Discard
		return back(b.Run())
	}
}

// screenEnded says that a line gives the terminal back.
type screenEnded struct {
	j    *job // nil: it was suspended
	code int
	took time.Duration
	said string // the end of its standard error
	err  error  // the terminal could not be had, or not be had back
	at   time.Time
}

// onScreen runs a line that needs the terminal.
func (m *Model) onScreen(l deck.Line) tea.Cmd {
	j := m.newJob(l)
	j.screen = true
	m.conceal(true)
	m.jobs.add(j)
	m.pace.onScreen = true
	ctx, cancel := context.WithCancel(m.ctx)
	j.cancel = cancel
	end := screenEnded{j: j}
	return m.lend(true, func(in io.Reader, out, errs io.Writer) {
		defer cancel()
		if l.Input != nil {
			in = bytes.NewReader(l.Input)
		}
		said := &tail{to: errs}
		began := time.Now()
		end.code = m.perform(ctx, j, in, out, said.writer())
		end.took, end.said = time.Since(began), said.text()
	}, func(err error) screenEnded {
		end.err = err
		return end
	})
}

// screenOver takes the terminal back: everything is drawn anew at the size it has now, and
// one line says how it went.
func (m *Model) screenOver(e screenEnded) tea.Cmd {
	if e.at.After(m.now()) { // no tick came meanwhile
		m.o.Deck.Now = e.at
	}
	m.stale, m.pace.onScreen, m.pace.blurred, m.pace.input = true, false, false, m.now()
	var again tea.Cmd = tea.ClearScreen
	if m.stage != nil {
		m.stage.keys.back()
		again = tea.Batch(again, window.Look)
	}
	if e.err != nil {
		m.say = deck.Say{Err: e.err}
	}
	if e.j == nil {
		return again
	}
	j := e.j
	j.code, j.took, j.ended = e.code, e.took, true
	text := fmt.Sprintf("%s ended: exit %d, %s", j.name(), e.code, render.Duration(e.took))
	m.say = deck.Say{Text: text}
	if why := lastWords(e.said); e.code != 0 && why != nil {
		m.say = deck.Say{Err: fmt.Errorf("%s: %w", text, why)}
	}
	cmds := []tea.Cmd{again}
	if len(j.line.Refresh) > 0 {
		cmds = append(cmds, m.refresh(j.line.Refresh...))
	}
	if j.line.Done != nil {
		cmds = append(cmds, deck.Ask(j.line.Done(deck.Result{Words: j.words, Code: j.code})))
	}
	return tea.Batch(cmds...)
}

func (j *job) name() string {
	if j.line.What != "" {
		return j.line.What
	}
	return j.shown
}

// stopped says that the process is told to stop, or was stopped and goes on: pause
// returns when it does.
type stopped struct{ pause func() error }

// suspend stops the process as Ctrl-Z does everywhere, until the shell continues it.
func (m *Model) suspend() tea.Cmd {
	m.conceal(true)
	if m.stage == nil {
		return nil
	}
	return m.aside(m.stage.guard.Pause)
}

// aside leaves the screen while pause runs, and comes back whole.
func (m *Model) aside(pause func() error) tea.Cmd {
	m.conceal(true)
	m.pace.onScreen = true
	var stopped error
	return m.lend(false, func(io.Reader, io.Writer, io.Writer) { stopped = pause() }, func(err error) screenEnded {
		if err == nil {
			err = stopped
		}
		return screenEnded{err: err}
	})
}

// tail passes a stream on and keeps its end.
type tail struct {
	to   io.Writer
	kept []byte
}

const tailKept = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	if t.kept = append(t.kept, p...); len(t.kept) > 2*tailKept {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-tailKept:]...)
	}
	return t.to.Write(p)
}

func (t *tail) text() string { return string(t.kept) }

// writer is the stream as the command gets it.
func (t *tail) writer() io.Writer {
	if f, ok := t.to.(*os.File); ok {
		return terminalTail{t, f}
	}
	return t
}

// terminalTail is a tail of a terminal: commands see what it is in front of.
type terminalTail struct {
	*tail
	file *os.File
}

// Behind is the file that what is written goes to.
func (t terminalTail) Behind() *os.File { return t.file }
