package dash

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/plain"
)

// showPlain shows the dashboard as text, line by line: it needs no terminal.
func showPlain(ctx context.Context, env *cli.Env, run Run, o Options) error {
	s, err := env.Settings()
	if err != nil {
		return err
	}
	w, err := newWiring(ctx, env, run, s, o)
	if err != nil {
		return err
	}
	defer w.close()
	return plain.Show(ctx, env.In, env.Out, env.Err, w.plain(o))
}

// plain are the same pages and feeds as options has.
func (w *wiring) plain(o Options) plain.Options {
	w.deck.Still, w.deck.Styles = true, theme.New(theme.Plain, false, true)
	p := plain.Options{
		Deck: w.deck, Desk: w.desk, Pages: w.pages(), Run: w, Start: o.View, Filter: o.Filter,
		Programs: programs{w}, Own: w,
		Begin: tea.Batch(w.start(), w.readOwn()), Take: w.take, Browse: w.browse,
	}
	if w.env.Interrupts != nil {
		p.Stoppable = w.env.Interrupts.Context
	}
	if term := w.env.Terminal(); term != nil {
		p.Secret = term.Hidden
	} else {
		p.Echo = true
	}
	return p
}
