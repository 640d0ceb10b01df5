package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"sync"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/window"
)

// Terminal is the terminal that dashboards have, one after the other.
type Terminal struct {
	t     *terminal.Terminal
	guard *terminal.Guard
	keys  *keyboard
	gone  atomic.Pointer[func()] // what is told when the terminal is gone
	close func()
}

// Take takes a terminal, so that what is typed shows nowhere and waits for the dashboard.
func Take(t *terminal.Terminal) (*Terminal, error) {
	in, _ := t.Files()
	back, err := t.Keep()
	if err != nil {
		return nil, err
	}
	g := t.Guard()
	stop := g.RestoreOnSignal()
	tt := &Terminal{t: t, guard: g, close: func() {
		stop()
		_ = g.Close()
		_ = back() // last: Bubble Tea restores what it has found, which is raw
	}}
	tt.keys = newKeyboard(in, func() {
		if told := tt.gone.Load(); told != nil {
			(*told)()
		}
	})
	if err := g.Raw(); err != nil {
		tt.Close()
		return nil, err
	}
	return tt, nil
}

// Close gives the terminal back: it is as it was before.
func (t *Terminal) Close() { t.close() }

// Aside runs f with the terminal as it was before, to ask something there between two
// dashboards.
func (t *Terminal) Aside(f func()) error {
	if err := t.guard.Cooked(); err != nil {
		return err
	}
	f()
	return t.guard.Raw()
}

// Show shows a dashboard until it is left, or ctx ends. A panic anywhere becomes an error
// that names the file with its trace. Nothing that is typed behind what leaves it is taken
// from whoever has the terminal next.
//
// Loads and lines may still be ending then: closing the desk waits for them.
func (t *Terminal) Show(ctx context.Context, o Options) (Outcome, error) {
	in, out := t.t.Files()
	g := t.guard
	m := New(o)
	m.ctx, m.stage = ctx, &stage{in: in, out: out, errs: os.Stderr, guard: g, keys: t.keys}
	if err := t.keys.resume(false); err != nil {
		return Outcome{}, err
	}
	defer t.keys.pause()
	_, _ = io.WriteString(out, keepTitle)
	defer func() { _, _ = io.WriteString(out, restoreTitle) }()
	model := &program{m: m}
	to := g.Output(out)
	shown := terminal.Canvas(func(b []byte) error {
		_, err := to.Write(t.keys.asking(b))
		return err
	})
	size := t.t.Window()
	p := tea.NewProgram(model, append(window.Options(t.t, size), tea.WithInput(t.keys), tea.WithOutput(shown), tea.WithoutSignalHandler(),
		tea.WithColorProfile(colorprofile.TrueColor))...) // styles have no others than the terminal shows
	model.quit = p.Quit
	gone := func() { go p.Send(terminalGone{}) }
	t.gone.Store(&gone)
	g.OnStop(func(pause func() error) { p.Send(stopped{pause}) })
	defer g.OnStop(nil)
	err := run(ctx, t.t, size, p)
	if m.crash == nil && errors.Is(err, tea.ErrProgramPanic) {
		m.crash = crash(err)
	}
	if m.crash != nil {
		g.Lost()
		_ = g.Close()
		return Outcome{}, m.crash.Report(o.CrashFile)
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
func run(ctx context.Context, t *terminal.Terminal, size terminal.Size, p *tea.Program) error {
	ended := make(chan struct{})
	following, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { window.Follow(following, t, size, p) })
	group.Go(func() {
		select {
		case <-ctx.Done():
			p.Send(cancelled{})
		case <-ended:
		}
	})
	_, err := p.Run()
	close(ended)
	stop()
	group.Wait()
	return err
}

// program is the model as Bubble Tea sees it: a panic in it, or in one of its
// commands, ends the program in order, so that the terminal is given back first.
type program struct {
	m    *Model
	quit func() // blocks until the program takes it
}

func (p *program) Init() (cmd tea.Cmd) {
	defer p.caught(&cmd)
	return guarded(p.m.Init())
}

func (p *program) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	model = p
	if p.m.crash != nil {
		return p, tea.Quit
	}
	defer p.caught(&cmd)
	_, cmd = p.m.Update(msg)
	return p, guarded(cmd)
}

func (p *program) View() (v tea.View) {
	if p.m.crash != nil {
		return tea.NewView("")
	}
	defer func() {
		if r := recover(); r != nil {
			p.m.crash = crash(r)
			v = tea.NewView("")
			go p.quit() // it is over as soon as the program ends for another reason
		}
	}()
	return p.m.View()
}

func crash(recovered any) *feed.Crashed {
	c := feed.Crash(recovered)
	return &c
}

func (p *program) caught(cmd *tea.Cmd) {
	if r := recover(); r != nil {
		p.m.crash = crash(r)
		*cmd = tea.Quit
	}
}

// guarded makes a panic in a command a message.
func guarded(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if r := recover(); r != nil {
				msg = feed.Crash(r)
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = guarded(batch[i])
			}
		}
		return msg
	}
}

// terminalGone says that nobody can type any more.
type terminalGone struct{}
