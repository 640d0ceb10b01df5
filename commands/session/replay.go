package session

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/recording"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/vt"
)

// replayOptions are those of `session replay`.
type replayOptions struct {
	speed   float64
	maxIdle time.Duration
	text    bool
}

func newReplayCmd(env *cli.Env) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay <file>",
		Short: "Play a recorded session",
		Long: `Play a recording in asciicast format (version 2 or 3) on the terminal: one of
` + "`ssmdeck shell --record`" + `, or of asciinema. - is standard input.

Space pauses and goes on, . shows the next step of a pause, + and - change the
speed, q leaves. Sequences that would act on your terminal beyond drawing are left
out: its title, clipboard, keyboard and mouse, and requests that it would answer.

Without a terminal everything is printed at once; --text leaves out colours and
cursor movements as well.`,
		Example: `  $ ssmdeck session replay incident.cast
  $ ssmdeck session replay incident.cast --speed 4 --max-idle 1s
  $ ssmdeck session replay incident.cast --text | grep -n error`,
		Args: cli.ExactArgs("the file"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, args[0]) },
	}
	cmd.Flags().Float64Var(&o.speed, "speed", 1, "`factor` of the speed: 2 is twice as fast")
	cmd.Flags().DurationVar(&o.maxIdle, "max-idle", 0, "longest pause to keep, as a `duration` such as 2s; 0 keeps all")
	cmd.Flags().BoolVar(&o.text, "text", false, "print the text only, without escape sequences")
	return cmd
}

func (o *replayOptions) run(ctx context.Context, env *cli.Env, path string) error {
	switch {
	case !(o.speed >= 0.01 && o.speed <= 1000):
		return fault.Usagef("--speed %g is not between 0.01 and 1000", o.speed)
	case o.maxIdle < 0:
		return fault.Usagef("--max-idle %s is negative", o.maxIdle)
	}
	op := "replay " + path
	in := env.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			kind := fault.Failed
			if errors.Is(err, os.ErrNotExist) {
				kind = fault.NotFound
			}
			return fault.New(kind, op, "%w", err)
		}
		defer f.Close()
		in = f
	}
	rec, err := recording.NewReader(in)
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	term := env.Terminal()
	if o.text || path == "-" || term == nil || !cli.IsTerminal(env.Out) {
		err = o.print(env.Out, rec)
	} else {
		err = o.play(ctx, env, term, rec)
	}
	if errors.Is(err, recording.ErrCut) {
		env.Note("ssmdeck: %s: %v", path, err)
		return nil
	}
	var bad *recording.LineError
	if errors.As(err, &bad) {
		return fault.New(fault.Failed, op, "%w", err)
	}
	return err
}

// print writes the output of the recording without its pauses.
func (o *replayOptions) print(w io.Writer, rec *recording.Reader) error {
	var (
		safe recording.Safe
		scan vt.Scanner
		buf  []byte
	)
	out := bufio.NewWriter(w)
	for {
		e, err := rec.Next()
		if err != nil {
			if flushed := out.Flush(); flushed != nil {
				return flushed
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if e.Kind != recording.Output {
			continue
		}
		if buf = buf[:0]; o.text {
			buf = recording.Plain(buf, &scan, e.Data)
		} else {
			buf = safe.Append(buf, e.Data)
		}
		if _, err := out.Write(buf); err != nil {
			return err
		}
	}
}

// play shows the recording in its time, and obeys keys.
func (o *replayOptions) play(ctx context.Context, env *cli.Env, term *terminal.Terminal, rec *recording.Reader) (err error) {
	h := rec.Header()
	if cols, rows, err := term.Size(); err == nil && (h.Width > cols || h.Height > rows) {
		env.Note("ssmdeck: recorded at %dx%d, this window is %dx%d: lines will not fit", h.Width, h.Height, cols, rows)
	}
	guard := term.Guard()
	defer guard.Close()
	defer guard.RestoreOnSignal()()
	defer guard.RestoreOnDone(ctx)()
	guard.Lost() // a recording may end in the middle of a full-screen program
	if err := guard.Raw(); err != nil {
		return fault.New(fault.Failed, "prepare the terminal", "%w", err)
	}
	keys, err := terminal.CancelableReader(env.In.(*os.File))
	if err != nil {
		return fault.New(fault.Failed, "read the terminal", "%w", err)
	}
	pressed := make(chan byte)
	reading, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer guard.RestoreOnPanic()
		readKeys(reading, keys, pressed)
	}()
	defer func() {
		stop()
		_ = keys.Close()
		<-done
	}()
	p := &player{speed: o.speed, maxIdle: o.maxIdle, out: guard.Output(env.Out), keys: pressed}
	guard.Alternate(p.alternate.Load)
	for {
		e, err := rec.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if quit, err := p.show(ctx, e); quit || err != nil {
			return err
		}
	}
}

// readKeys passes on keys until ctx is done.
func readKeys(ctx context.Context, keys io.Reader, pressed chan<- byte) {
	buf := make([]byte, 64)
	for {
		n, err := keys.Read(buf)
		for _, c := range buf[:n] {
			select {
			case pressed <- c:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// player shows events in their time.
type player struct {
	speed   float64
	maxIdle time.Duration // 0: no limit
	out     io.Writer
	keys    <-chan byte

	safe   recording.Safe
	scan   vt.Scanner
	seq    []byte // the present control sequence
	modes  vt.Modes
	at     time.Duration // of the event before
	paused bool
	step   bool // show one event, although paused
	buf    []byte

	alternate atomic.Bool // the alternate screen is in use
}

// show waits until it is time for e and writes it. quit is true when the person
// wants no more.
func (p *player) show(ctx context.Context, e recording.Event) (quit bool, err error) {
	if e.Kind != recording.Output {
		return false, nil
	}
	pause := e.At - p.at
	p.at = e.At
	if p.maxIdle > 0 {
		pause = min(pause, p.maxIdle)
	}
	if quit, err = p.wait(ctx, pause); quit || err != nil {
		return quit, err
	}
	p.buf = p.safe.Append(p.buf[:0], e.Data)
	p.follow()
	_, err = p.out.Write(p.buf)
	p.alternate.Store(p.modes.Alternate())
	return false, err
}

// follow notes which modes are switched by what is about to be shown. That the
// alternate screen is left counts once it is shown.
func (p *player) follow() {
	for _, c := range p.buf {
		switch p.scan.Step(c) {
		case vt.Sequence:
			p.seq = append(p.seq, c)
		case vt.End:
			p.modes.See(append(p.seq, c), 0)
			p.seq = p.seq[:0]
			if p.modes.Alternate() {
				p.alternate.Store(true)
			}
		default:
		}
	}
}

// wait waits for a pause of the recording, longer while paused, and obeys keys.
func (p *player) wait(ctx context.Context, pause time.Duration) (quit bool, err error) {
	for begun := time.Now(); ; begun = time.Now() {
		var due <-chan time.Time
		timer := time.NewTimer(time.Duration(float64(pause) / p.speed))
		if !p.paused {
			due = timer.C
		}
		if p.step {
			p.step = false
			timer.Stop()
			return false, nil
		}
		select {
		case <-due:
			return false, nil
		case <-ctx.Done():
			timer.Stop()
			return true, ctx.Err()
		case c := <-p.keys:
			timer.Stop()
			if !p.paused {
				pause -= time.Duration(float64(time.Since(begun)) * p.speed)
			}
			if p.obey(c) {
				return true, nil
			}
		}
	}
}

// obey does what a key asks for. It reports whether that is the end.
func (p *player) obey(c byte) (quit bool) {
	const fastest, slowest = 64, 1.0 / 16
	switch c {
	case 'q', 0x03, 0x04:
		return true
	case ' ':
		p.paused = !p.paused
	case '.':
		p.step = p.paused
	case '+':
		p.speed = min(2*p.speed, max(fastest, p.speed))
	case '-':
		p.speed = max(p.speed/2, min(slowest, p.speed))
	}
	return false
}
