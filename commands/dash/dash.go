// Package dash is `dash`: it wires the dashboard to services and command lines.
package dash

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// Run runs a command line in an environment and returns its exit code.
type Run func(ctx context.Context, env *cli.Env) int

// NewCmd returns `dash`.
func NewCmd(env *cli.Env, run Run) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dash",
		Short: "Open the dashboard: the fleet, what needs action, and the action",
		Long: `Open the dashboard on the terminal: the state of the fleet at a glance, what needs
action first, and the action itself one key away.`,
		Example: `  $ ssmdeck dash
  $ ssmdeck dash -r eu-west-1,us-east-1`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return Open(cmd.Context(), env, run) },
	}
	return cli.Spans(cmd)
}

// Open shows the dashboard until it is left.
func Open(ctx context.Context, env *cli.Env, run Run) error {
	if env.Terminal() == nil {
		return fault.Usagef("the dashboard needs a terminal on standard input and output")
	}
	w, err := wire(ctx, env, run)
	if err != nil {
		return err
	}
	defer w.desk.Close()
	_, err = tui.Show(ctx, env.Terminal(), tui.Options{Deck: w.deck, Desk: w.desk, Pages: w.pages(), Run: w})
	return err
}

// wiring is what the pages are made from.
type wiring struct {
	env  *cli.Env
	run  Run
	grid *grid.Grid
	deck *deck.Deck
	desk *feed.Desk
	set  *sources.Set
}

func wire(ctx context.Context, env *cli.Env, run Run) (*wiring, error) {
	spec, err := env.GridSpec()
	if err != nil {
		return nil, err
	}
	g, err := env.OpenGrid(ctx, spec)
	if err != nil {
		return nil, err
	}
	s, err := env.Settings()
	if err != nil {
		return nil, err
	}
	w := &wiring{env: env, run: run, grid: g}
	w.deck = &deck.Deck{
		Styles: env.Styles(env.Out), Now: time.Now(), Location: time.Local, ReadOnly: s.ReadOnly,
		Where: deck.Where{Context: s.Context, Scopes: len(g.Cells) + len(g.Failures), Protected: s.Protected},
	}
	if len(g.Cells) > 0 {
		w.deck.Where.Account, w.deck.Where.Region = g.Cells[0].Account, g.Cells[0].Region
	}
	w.desk = feed.NewDesk(g.Cells, nil)
	w.set = w.feeds()
	return w, nil
}

// cell is the scope of a place; false: it is not in the grid.
func (w *wiring) cell(at grid.Place) (grid.Cell, bool) {
	for _, c := range w.grid.Cells {
		if c.Place == at {
			return c, true
		}
	}
	return grid.Cell{}, false
}

// scope is the scope of a place that rows came from.
func (w *wiring) scope(at grid.Place) (*awsapi.Scope, error) {
	c, ok := w.cell(at)
	if !ok {
		return nil, fault.New(fault.NotFound, "", "%s is not one of the places of this dashboard", at)
	}
	return c.Scope, nil
}

// at is the environment of a place, for what commands share.
func (w *wiring) at(at grid.Place) (*cli.Env, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	return w.env.At(s), nil
}

// Run runs a command line in this process.
func (w *wiring) Run(ctx context.Context, words []string, at grid.Place, in io.Reader, out, errs io.Writer) int {
	one := w.env.Anew(words)
	one.In, one.Out, one.Err = in, out, errs
	if c, ok := w.cell(at); ok {
		one.Use(c.Scope)
	}
	return w.run(ctx, one)
}

func (w *wiring) pages() []deck.Page {
	return []deck.Page{
		w.overview(), w.fleet(), w.patch(), w.commands(), w.sessions(), w.parameters(), w.automation(), w.windows(),
	}
}
