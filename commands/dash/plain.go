package dash

import (
	"bufio"
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/plain"
)

// showPlain shows the dashboard as text, line by line, in one context after the other:
// it needs no terminal.
func showPlain(ctx context.Context, env *cli.Env, run Run, o Options) error {
	ahead := bufio.NewReader(env.In)
	for {
		out, err := showPlainIn(ctx, env, run, o, ahead)
		switch {
		case out.Context != "":
			env, o = env.InContext(out.Context), o.elsewhere()
		case err != nil || !out.Again:
			return err
		}
	}
}

// showPlainIn shows it in one context.
func showPlainIn(ctx context.Context, env *cli.Env, run Run, o Options, ahead *bufio.Reader) (out plain.Outcome, err error) {
	s, err := env.Settings()
	if err != nil {
		return out, err
	}
	w, err := newWiring(ctx, env, run, s, o)
	if err != nil {
		return out, err
	}
	defer w.close()
	p := w.plain(o)
	p.Ahead = ahead
	out, err = plain.Show(ctx, env.In, env.Out, env.Err, p)
	if err == nil && out == (plain.Outcome{}) {
		err = w.shut
	}
	return out, err
}

// plain are the same pages and feeds as options has.
func (w *wiring) plain(o Options) plain.Options {
	w.deck.Still, w.deck.Styles = true, theme.New(theme.Plain, false, true)
	w.desk.Asked = true // each load is for a line that was typed
	p := plain.Options{
		Deck: w.deck, Desk: w.desk, Pages: w.pages(), Run: w, Start: o.View, Filter: o.Filter,
		Programs: programs{w}, Own: w,
		Begin: tea.Batch(w.start(), w.readOwn()), Take: w.take, Find: &finder{wiring: w}, Operations: w.meters.operations, Browse: w.browse,
		CrashFile: w.crashFile,
	}
	if w.env.Local == nil {
		p.Contexts = w.settings.Contexts
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
