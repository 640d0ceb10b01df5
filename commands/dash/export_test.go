package dash

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
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
	last, lastWired = w.set, w
	return w.options(o), w.close, nil
}

// lastWired is the dashboard wired last.
var lastWired *wiring

// LoseScopes takes the scopes away that details are read with, of the dashboard wired last.
func LoseScopes() {
	w := lastWired
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cells = slices.Clone(w.cells)
	for i := range w.cells {
		w.cells[i].Scope = nil
	}
}

// last are the feeds of the dashboard wired last.
var last *sources.Set

// Feeds are the feeds of the dashboard wired last, to be used in its update loop.
func Feeds() *sources.Set { return last }

// IsOwn reports whether a message brings what the user's own file has.
func IsOwn(msg tea.Msg) bool {
	_, ok := msg.(ownRead)
	return ok
}

// Settled holds a file of the user's own against the views and the commands: how its
// command lines are asked for, by name, and what is wrong with it.
func Settled(ctx context.Context, env *cli.Env, run Run, o Options, text string) (levels map[string]deck.Level, faults []error, err error) {
	s, err := env.Settings()
	if err != nil {
		return nil, nil, err
	}
	w, err := newWiring(ctx, env, run, s, o)
	if err != nil {
		return nil, nil, err
	}
	defer w.close()
	blank := w.blank()
	defer blank.close()
	c := w.settle(dashfile.Parse("dash.yaml", []byte(text)), blank.pages())
	levels = map[string]deck.Level{}
	for _, l := range c.lines {
		levels[l.Name] = l.level
	}
	return levels, c.faults, nil
}

// Least is how the user's own line of these words is asked for at least.
func Least(env *cli.Env, parse Parse, words []string) (deck.Level, error) {
	cmd, err := parse(env, words)
	if err != nil {
		return 0, err
	}
	return least(cmd), nil
}

// Reading are the paths of commands that only read, their words joined by hyphens.
func Reading() []string { return reading }

// ValueAt is what the user's own lines are given for a field of a row of a place.
func ValueAt(ctx context.Context, env *cli.Env, run Run, o Options, at grid.Place, field string) (string, error) {
	s, err := env.Settings()
	if err != nil {
		return "", err
	}
	w, err := newWiring(ctx, env, run, s, o)
	if err != nil {
		return "", err
	}
	defer w.close()
	return w.values(at, []deck.Row{deck.NodeRow(at, "i-0a", "a", "", nil)}, nil).Field(field), nil
}
