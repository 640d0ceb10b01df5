package dash

import (
	"context"
	"io"
	"os"

	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// programs runs other programs than ssmdeck, with the terminal and without a shell.
type programs struct{ w *wiring }

// Run runs a program to its end and returns its exit code, as a shell counts it.
func (p programs) Run(ctx context.Context, words []string, _ grid.Place, in io.Reader, out, errs io.Writer) int {
	if b, ok := errs.(interface{ Behind() *os.File }); ok { // the program wants the terminal itself
		errs = b.Behind()
	}
	env := p.w.env.Again(words, nil)
	env.In, env.Out, env.Err = in, out, errs
	if p.w.settings.ReadOnly { // nobody knows what a program does
		return env.Report(ctx, deck.Refused(words[0]))
	}
	child, err := connect.NewChild(env, words)
	if err != nil {
		return env.Report(ctx, err)
	}
	ended := make(chan struct{})
	child.Start(nil, words, func() { close(ended) })
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return env.Report(ctx, child.End(ctx.Err()))
}
