package dash

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// programs runs other programs than ssmdeck, with the terminal and without a shell.
type programs struct{ w *wiring }

// Run runs the program of a line to its end.
func (p programs) Run(ctx context.Context, l deck.Line, in io.Reader, out, errs io.Writer) int {
	if b, ok := errs.(interface{ Behind() *os.File }); ok { // the program wants the terminal itself
		errs = b.Behind()
	}
	env := p.w.env.Again(l.Words, nil)
	env.In, env.Out, env.Err = in, out, errs
	if p.w.settings.ReadOnly { // nobody knows what a program does
		return env.Report(ctx, deck.Refused(l.Words[0]))
	}
	attended, signals := cli.IsTerminal(in), env.Interrupts
	env.Interrupts = nil // what ends us ends the dashboard, and the program with it
	if !attended || signals == nil {
		return env.Report(ctx, runProgram(ctx, env, l.Words))
	}
	back := signals.Spare()
	code := env.Report(ctx, runProgram(ctx, env, l.Words))
	_ = wait.Sleep(ctx, late)
	back()
	if l.Wait && ctx.Err() == nil {
		within, done := signals.Context(ctx) // Ctrl-C is an answer, too
		defer done()
		_, _ = env.Ask(within, "Press Enter to go back to the dashboard: ")
	}
	return code
}

// late is by how much the Ctrl-C that has ended a program may come to us after the
// program's end: the terminal sends it to both. It must not end the dashboard.
const late = 50 * time.Millisecond

// runProgram gives a program our streams. When ctx ends, so does it.
func runProgram(ctx context.Context, env *cli.Env, words []string) error {
	child, err := connect.NewChild(env, words)
	if err != nil {
		return err
	}
	if ext := strings.ToLower(filepath.Ext(child.Path)); runtime.GOOS == "windows" && (ext == ".bat" || ext == ".cmd") {
		return fault.New(fault.Refused, words[0], "it is a batch file, whose words Windows has a shell read").WithHint("name the program that it starts")
	}
	ended := make(chan struct{})
	child.Start(nil, words, func() { close(ended) })
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return child.End(ctx.Err())
}
