// Package picker lets a person choose from a list on a terminal: what is typed
// filters it, arrows move, Enter chooses. It is drawn under the prompt, not on a
// screen of its own, and takes itself away when it is over.
//
// Guarantees: the terminal is as it was before on every way out; no byte that was
// typed behind the key that ends the picker is taken; nothing is asked of the
// terminal, so that no answer can arrive at whoever reads next.
package picker

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"sync"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/window"
)

// ErrLeft is returned when the person left without choosing.
var ErrLeft = errors.New("nothing was chosen")

// Item is one row. Only ID is required; the filter looks at everything.
type Item struct {
	ID      string // what Run returns
	Name    string
	State   string // one word, such as online
	Level   theme.Level
	Address string
	Detail  string   // what matters least: the platform
	Also    []string // what the filter looks at and nobody sees: tags
}

// label is what stands where the name belongs.
func (it Item) label() string { return cmp.Or(it.Name, it.ID) }

// Options say what to choose from.
type Options struct {
	Title string // what is chosen: "node"
	Items []Item // shown at once, best first
	// Load, when set, fetches the present items while the first are shown; its
	// context ends with the picker.
	Load   func(ctx context.Context) ([]Item, error)
	Many   bool          // several can be marked
	Filter string        // what is typed already
	Styles *theme.Styles // of the output
}

// Run shows the picker on out and reads keys from in, both of which must be
// terminals. It returns the ids chosen, at least one, in the order in which they
// were marked; ErrLeft; the error of Load when there was nothing to choose from
// (none at all: an empty list); or that of ctx.
func Run(ctx context.Context, in, out *os.File, o Options) ([]string, error) {
	t, err := terminal.Open(in, out)
	if err != nil {
		return nil, err
	}
	keys, err := terminal.CancelableReader(in)
	if err != nil {
		return nil, err
	}
	defer func() { _ = keys.Close() }()
	g := t.Guard()
	g.Alternate(func() bool { return false }) // it is never used: leaving it would move the cursor
	defer func() { _ = g.Close() }()
	defer g.RestoreOnSignal()()
	if err := g.Raw(); err != nil {
		return nil, err
	}
	m := newModel(o)
	profile := colorprofile.ASCII
	if o.Styles.Color {
		profile = colorprofile.ANSI
	}
	size := t.Window()
	p := tea.NewProgram(m, append(window.Options(t, size), tea.WithInput(nil), tea.WithOutput(canvas(out)),
		tea.WithoutSignalHandler(), tea.WithColorProfile(profile))...)
	g.OnStop(func(pause func() error) { p.Send(stopped{pause}) })
	err = serve(ctx, p, keys, o.Load, func(ctx context.Context) { window.Follow(ctx, t, size, p) })
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case m.left:
		return nil, ErrLeft
	case len(m.chosen) == 0:
		return nil, m.failed
	}
	return m.chosen, nil
}

// serve runs the program with a keyboard, what loads the items and what follows the size,
// and returns when all have ended.
func serve(ctx context.Context, p *tea.Program, keys input, load func(context.Context) ([]Item, error), follow func(context.Context)) error {
	ctx, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	kb := keyboard{in: keys, to: p, over: ctx.Done()}
	group.Go(kb.run)
	group.Go(func() { follow(ctx) })
	if load != nil {
		group.Go(func() { reload(ctx, load, p.Send) })
	}
	// With the context of its own, Bubble Tea would leave its last frame on the screen.
	group.Go(func() {
		<-ctx.Done()
		p.Send(cancelled{}) // does nothing when it has ended
	})
	_, err := p.Run()
	stop()
	keys.Cancel()
	group.Wait()
	return err
}

// reload fetches the present items. What the end of the picker has cut off is told to
// nobody: it would be drawn as a failure on the way out.
func reload(ctx context.Context, load func(context.Context) ([]Item, error), tell func(tea.Msg)) {
	items, err := load(ctx)
	if ctx.Err() == nil {
		tell(loaded{items, err})
	}
}

// stopped says that the process is told to stop, or was stopped and goes on: pause
// returns when it does, with the terminal in raw mode again. The window may have another
// size then, of which only those heard who had it.
type stopped struct{ pause func() error }

// aside is a pause as a command that has the terminal.
type aside struct{ pause func() error }

func (a aside) Run() error {
	terminal.AwaitStill()
	return a.pause()
}

func (aside) SetStdin(io.Reader)  {}
func (aside) SetStdout(io.Writer) {}
func (aside) SetStderr(io.Writer) {}

// canvas is what the picker is drawn on.
func canvas(out io.Writer) io.Writer {
	return terminal.Canvas(func(b []byte) error {
		_, err := out.Write(withReturns(b))
		return err
	})
}

// withReturns is what is written to a terminal in raw mode, where a line break does not go
// to the beginning of the line by itself.
func withReturns(b []byte) []byte {
	made := make([]byte, 0, len(b)+16)
	for i, c := range b {
		if c == '\n' && (i == 0 || b[i-1] != '\r') {
			made = append(made, '\r')
		}
		made = append(made, c)
	}
	return made
}
