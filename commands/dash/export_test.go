package dash

import (
	"context"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// Wire makes the options of the dashboard as `dash` shows it.
func Wire(ctx context.Context, env *cli.Env, run Run, o Options) (opts tui.Options, end func(), err error) {
	s, err := env.Settings()
	if err != nil {
		return opts, nil, err
	}
	w, err := newWiring(ctx, env, run, s, o)
	if err != nil {
		return opts, nil, err
	}
	last = w.set
	return w.options(o), w.close, nil
}

// last are the feeds of the dashboard wired last.
var last *sources.Set

// Feeds are the feeds of the dashboard wired last, to be used in its update loop.
func Feeds() *sources.Set { return last }
