package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime/debug"
	"sync"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Show shows the dashboard on a terminal until it is left, or ctx ends. Whatever
// happens, the terminal is as it was before when Show returns. A panic anywhere
// becomes an error that names the file with its trace.
//
// Loads and lines may still be ending then: closing the desk waits for them.
func Show(ctx context.Context, t *terminal.Terminal, o Options) (Outcome, error) {
	in, out := t.Files()
	back, err := t.Keep()
	if err != nil {
		return Outcome{}, err
	}
	defer func() { _ = back() }() // last: Bubble Tea restores what it has found, which is raw
	g := t.Guard()
	defer func() { _ = g.Close() }()
	defer g.RestoreOnSignal()()
	m := New(o)
	m.ctx, m.stage = ctx, &stage{in: in, out: out, errs: os.Stderr, guard: g}
	if err := g.Raw(); err != nil {
		return Outcome{}, err
	}
	_, _ = io.WriteString(out, keepTitle)
	defer func() { _, _ = io.WriteString(out, restoreTitle) }()
	model := &program{m: m}
	var p *tea.Program
	typed := keys{in, func() { go p.Send(terminalGone{}) }}
	shown := &screen{File: out, to: g.Output(out)}
	defer shown.leave()
	p = tea.NewProgram(model, tea.WithInput(typed), tea.WithOutput(shown),
		tea.WithoutSignalHandler(), tea.WithColorProfile(colorprofile.TrueColor)) // styles have no others than the terminal shows
	model.quit = p.Quit
	g.OnStop(func(pause func() error) { p.Send(stopped{pause}) })
	err = run(ctx, p)
	if m.crash == nil && errors.Is(err, tea.ErrProgramPanic) {
		m.crash = &feed.Crashed{Value: err, Stack: debug.Stack()}
	}
	if m.crash != nil {
		g.Lost()
		_ = g.Close()
		return Outcome{}, m.crashReport()
	}
	m.outcome.Layout = m.layout()
	if o.SaveLayout != nil && !reflect.DeepEqual(m.outcome.Layout, m.keep.last) {
		_ = o.SaveLayout(m.outcome.Layout) // it was said once that it cannot be kept
	}
	switch {
	case ctx.Err() != nil:
		return m.outcome, context.Cause(ctx)
	case m.gone:
		return m.outcome, fault.New(fault.Interrupted, "", "the terminal is gone")
	}
	return m.outcome, err
}

// The title of the window is put on a stack of the terminal, and taken from it again;
// a terminal without one ignores both (ctlseqs, XTWINOPS).
const (
	keepTitle    = "\x1b[22;2t"
	restoreTitle = "\x1b[23;2t"
)

// run runs the program until it is left or ctx ends. With the context of its own
// Bubble Tea would end in the middle of what it draws.
func run(ctx context.Context, p *tea.Program) error {
	ended := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		select {
		case <-ctx.Done():
			p.Send(cancelled{})
		case <-ended:
		}
	})
	_, err := p.Run()
	close(ended)
	group.Wait()
	return err
}

// crashReport writes the trace of a panic into a file and says where it is.
func (m *Model) crashReport() error {
	c := m.crash
	f := fault.New(fault.Failed, "", "the dashboard broke: %v", c.Value)
	if m.o.CrashFile == nil {
		return f.WithHint("report it with this trace:\n%s", c.Stack)
	}
	w, path, err := m.o.CrashFile()
	if err == nil {
		_, err = fmt.Fprintf(w, "%v\n\n%s", c.Value, c.Stack)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return errors.Join(f, fmt.Errorf("and its trace could not be kept: %w", err))
	}
	return f.WithHint("report it with the trace in %s", path)
}

// program is the model as Bubble Tea sees it: a panic in it, or in one of its
// commands, ends the program in order, so that the terminal is given back first.
type program struct {
	m    *Model
	quit func() // blocks until the program takes it
}

func (p *program) Init() (cmd tea.Cmd) {
	defer p.caught(&cmd)
	return p.guarded(p.m.Init())
}

func (p *program) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	model = p
	if p.m.crash != nil {
		return p, tea.Quit
	}
	defer p.caught(&cmd)
	_, cmd = p.m.Update(msg)
	return p, p.guarded(cmd)
}

func (p *program) View() (v tea.View) {
	if p.m.crash != nil {
		return tea.NewView("")
	}
	defer func() {
		if r := recover(); r != nil {
			p.m.crash = &feed.Crashed{Value: r, Stack: debug.Stack()}
			v = tea.NewView("")
			go p.quit() // it is over as soon as the program ends for another reason
		}
	}()
	return p.m.View()
}

func (p *program) caught(cmd *tea.Cmd) {
	if r := recover(); r != nil {
		p.m.crash = &feed.Crashed{Value: r, Stack: debug.Stack()}
		*cmd = tea.Quit
	}
}

// guarded makes a panic in a command a message.
func (p *program) guarded(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if r := recover(); r != nil {
				msg = feed.Crashed{Value: r, Stack: debug.Stack()}
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = p.guarded(batch[i])
			}
		}
		return msg
	}
}

// keys is the terminal as Bubble Tea reads from it, which stops reading at its end and
// says nothing: a terminal that is gone ends the dashboard, also where nobody hears of
// SIGHUP (nohup).
type keys struct {
	*os.File
	gone func()
}

func (k keys) Read(p []byte) (int, error) {
	n, err := k.File.Read(p)
	if n == 0 && err != nil {
		k.gone()
	}
	return n, err
}

// terminalGone says that nobody can type any more.
type terminalGone struct{}

// screen is the terminal as Bubble Tea writes to it: a terminal to whoever asks for
// its size, but nothing passes once it was given back. The shape of the cursor is the
// user's: Bubble Tea sets one and has no way back to what it was.
type screen struct {
	*os.File
	to io.Writer

	mu   sync.Mutex
	left bool
}

// Fd is asked for by a goroutine of Bubble Tea that nobody waits for, which looks at the
// size after a line has had the terminal: there is none when the dashboard has ended.
func (s *screen) Fd() uintptr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return ^uintptr(0)
	}
	return s.File.Fd()
}

// leave makes the terminal somebody else's.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

func (s *screen) Write(p []byte) (int, error) {
	if _, err := s.to.Write(withoutShape(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// withoutShape takes sequences that set the shape of the cursor, CSI n SP q, out of
// what is written.
func withoutShape(p []byte) []byte {
	var out []byte // nil: nothing has been taken out
	kept := 0
	for i := 0; i+3 < len(p); i++ {
		if p[i] != 0x1b || p[i+1] != '[' {
			continue
		}
		end := i + 2
		for end < len(p) && p[end] >= '0' && p[end] <= '9' {
			end++
		}
		if end+1 < len(p) && p[end] == ' ' && p[end+1] == 'q' {
			out = append(out, p[kept:i]...)
			kept = end + 2
			i = end + 1
		}
	}
	if kept == 0 {
		return p
	}
	return append(out, p[kept:]...)
}
