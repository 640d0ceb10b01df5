// Package dash is `dash`: it wires the dashboard to services and command lines.
package dash

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Run runs a command line in an environment and returns its exit code.
type Run func(ctx context.Context, env *cli.Env) int

// Parse finds the command of an ssmdeck command line and reads its flags and
// arguments. Nothing is run. It may be called concurrently.
type Parse func(env *cli.Env, words []string) (*cobra.Command, error)

// Options say how the dashboard starts.
type Options struct {
	View   string // the page shown first; empty: that of the last time
	Filter string // of its rows
	Plain  bool   // as text, line by line
	// NoMouse leaves the mouse to the terminal.
	NoMouse bool
	Calls   int // requests a minute that it may send by itself; 0: feed.DefaultBudget
	// Parse reads the command lines of the user's own; nil: there are none.
	Parse Parse
}

// views are the pages in the order of their tabs.
var views = dashfile.ViewNames()

// NewCmd returns `dash`.
func NewCmd(env *cli.Env, run Run, parse Parse) *cobra.Command {
	o := Options{Parse: parse}
	cmd := &cobra.Command{
		Use:   "dash [<view>]",
		Short: "Open the dashboard: the fleet, what needs action, and the action",
		Long: `Open the dashboard on the terminal: the state of the fleet at a glance, what needs
action first, and the action itself one key away. The views are overview, fleet,
patch, commands, sessions, parameters, automation and windows.

In it, ? shows every key, : goes anywhere by its name (:web-1, :fleet ping=lost
@eu-west-1, :run AWS-RunShellScript, :rds orders), / filters with the terms of
--filter of ssmdeck ls, and q leaves. Before something is changed it shows the
ssmdeck command line that does it, which c copies. With --read-only nothing can be
changed.

Views, command lines and keys of your own are read from dash.yaml beside the
configuration file, or from the file that SSMDECK_DASH names.

With --plain it is plain text for screen readers: nothing is drawn and nothing moves,
items and actions are chosen by their numbers, : finds by name, and h shows what
else can be typed. It works in a pipe, too.

Where no account and Region can be opened it says why and what to do, and tries
again with ctrl+r.

It asks the service again while it is looked at, more often while something runs,
and stops when the window loses the focus, after 10 minutes without a key, or when z
is pressed, until it is pressed again. The header shows how many API calls a minute
that is, and how many it may be.`,
		Example: `  $ ssmdeck dash
  $ ssmdeck dash fleet --filter 'ping=lost tag:env=prod'

  # Several Regions, or all accounts of the organization
  $ ssmdeck dash -r eu-west-1,us-east-1
  $ ssmdeck dash --accounts org --role ops

  # What needs attention, as text
  $ echo q | ssmdeck dash --plain

  # Without an AWS account
  $ ssmdeck demo`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return views, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View = strings.ToLower(strings.Join(args, ""))
			if err := o.check(); err != nil {
				return err
			}
			if o.Plain {
				return showPlain(cmd.Context(), env, run, o)
			}
			return Open(cmd.Context(), env, run, o)
		},
	}
	cmd.Flags().StringVar(&o.Filter, "filter", "", "only rows for which all `terms` hold, to begin with (see `ssmdeck help targets`)")
	cmd.Flags().BoolVar(&o.Plain, "plain", false, "as text, line by line, with numbers to choose by: for screen readers and pipes")
	BindMouse(cmd.Flags(), &o.NoMouse)
	cmd.Flags().IntVar(&o.Calls, "calls-per-minute", feed.DefaultBudget, "send at most `n` API calls a minute unasked")
	return cli.Spans(cmd)
}

// BindMouse is the flag of everything that opens the dashboard.
func BindMouse(f *pflag.FlagSet, off *bool) {
	f.BoolVar(off, "no-mouse", false, "leave the mouse to the terminal, which selects text with it")
}

func (o Options) check() error {
	if o.View != "" && !slices.Contains(views, o.View) {
		return fault.Usagef("there is no view %q", o.View).WithHint("the views are %s", strings.Join(views, ", "))
	}
	if o.Filter != "" && o.View == "" {
		return fault.Usagef("--filter needs the view whose rows it filters").WithHint("ssmdeck dash fleet --filter %q", o.Filter)
	}
	if o.Calls < 1 {
		return fault.Usagef("--calls-per-minute %d is not a number of calls", o.Calls)
	}
	return nil
}

// elsewhere are the options in another context, whose views and rows are others.
func (o Options) elsewhere() Options {
	o.View, o.Filter = "", ""
	return o
}

// Open shows the dashboard until it is left, in one context after the other. What is typed
// while it goes from one to the next waits for the next.
func Open(ctx context.Context, env *cli.Env, run Run, o Options) error {
	var st stage
	defer st.close()
	for {
		out, err := st.show(ctx, env, run, o)
		switch {
		case out.Context != "":
			env, o = env.InContext(out.Context), o.elsewhere()
			env.Asking = st.asking
		case err != nil || !out.Again:
			return err
		}
	}
}

// stage is the terminal, from the first dashboard on.
type stage struct{ taken *tui.Terminal }

func (st *stage) close() {
	if st.taken != nil {
		st.taken.Close()
	}
}

// take takes the terminal, unless it is taken.
func (st *stage) take(term *terminal.Terminal) (err error) {
	if st.taken == nil {
		st.taken, err = tui.Take(term)
	}
	return err
}

// asking gives the terminal back while something is asked there.
func (st *stage) asking(ask func()) error { return st.taken.Aside(ask) }

// show shows it in one context.
func (st *stage) show(ctx context.Context, env *cli.Env, run Run, o Options) (out tui.Outcome, err error) {
	term := env.Terminal()
	if term == nil || !cli.IsTerminal(env.Out) { // keys from a terminal do: ssmdeck shell web-1 | tee log
		return out, fault.Usagef("the dashboard needs a terminal, and standard input or output is none").
			WithHint("add --plain for plain text; for scripts, ssmdeck ls, patch status, command list and the rest print lists")
	}
	if theme.Dumb(env.Lookup) {
		return out, fault.Usagef("the dashboard needs a terminal that can place text, and TERM says dumb").WithHint("add --plain for plain text, or set TERM to what the terminal is")
	}
	s, err := env.Settings()
	if err != nil {
		return out, err
	}
	if s.Debug && s.LogFile == "" {
		return out, fault.Usagef("--debug would write over the dashboard").WithHint("add --log-file FILE")
	}
	w, err := newWiring(ctx, env, run, s, o)
	if err != nil {
		return out, err
	}
	env.Asking = nil // what asks from now on is told that the terminal is taken
	defer env.Busy()()
	defer w.close()
	defer sparing(env)()
	if err := st.take(term); err != nil {
		return out, err
	}
	return w.left(st.taken.Show(ctx, w.options(o)))
}

// left is how the dashboard ended: where no place could be opened and nothing else is
// tried, with the reason, so that it stays on the terminal and in the exit code.
func (w *wiring) left(out tui.Outcome, err error) (tui.Outcome, error) {
	if err == nil && out.Context == "" && !out.Again {
		err = w.shut
	}
	return out, err
}

// leanGC is how much memory may be garbage, in percent of what is in use.
const leanGC = 50

// sparing spends CPU time on collecting garbage earlier than usual: the dashboard is
// open all day, and every load of a large fleet makes as much garbage as it keeps.
// Whoever has set GOGC knows better.
func sparing(env *cli.Env) (back func()) {
	if v, _ := env.Lookup("GOGC"); v != "" {
		return func() {}
	}
	before := debug.SetGCPercent(leanGC)
	return func() { debug.SetGCPercent(before) }
}
