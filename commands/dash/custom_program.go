package dash

import (
	"context"
	"io"
	"os"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
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
	code := env.Report(ctx, runProgram(ctx, env, l.Words))
	if l.Wait && cli.IsTerminal(in) && ctx.Err() == nil {
		if env.Interrupts != nil { // Ctrl-C is an answer, too
			var done func()
			ctx, done = env.Interrupts.Context(ctx)
			defer done()
		}
		_, _ = env.Ask(ctx, "Press Enter to go back to the dashboard: ")
	}
	return code
}

// runProgram gives a program our streams, and the signals for as long as it runs.
func runProgram(ctx context.Context, env *cli.Env, words []string) error {
	child, err := connect.NewChild(env, words)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	child.Start(nil, words, func() { close(ended) })
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return child.End(ctx.Err())
}
