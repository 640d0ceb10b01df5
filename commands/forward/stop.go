package forward

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
)

func newStopCmd(env *cli.Env) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "stop <name>... | --all",
		Short: "Stop running forwards",
		Long: `Stop forwards that run, saved or not, in whatever process of yours. Their connections
are cut and their sessions are ended at the service before this returns. A process
that has no forward left ends; that of a forward which was typed ends as by Ctrl-C,
and a command behind its -- is told by SIGTERM. ` + "`ssmdeck forward list`" + ` has the names.`,
		Example: `  $ ssmdeck forward stop orders-db
  $ ssmdeck forward stop web-1:8080
  $ ssmdeck forward stop --all`,
		Args:              namesOrAll(&all),
		ValidArgsFunction: completeForwards(env, new(string), true),
		RunE: func(cmd *cobra.Command, args []string) error {
			return order(cmd.Context(), env, forwards.OpStop, args)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "stop everything that runs, saved or not")
	return cmd
}

func newRestartCmd(env *cli.Env) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "restart <name>... | --all",
		Short: "Restart running forwards",
		Long: `Close the sessions of forwards that run, in whatever process of yours: their ports
go on listening, connections are cut, and the next one opens a new session. For a
saved forward the node is looked up anew; one that was typed stays with its node. A
saved one that was stopped in a process that still runs others listens again.`,
		Example: `  $ ssmdeck forward restart orders-db
  $ ssmdeck forward restart --all`,
		Args:              namesOrAll(&all),
		ValidArgsFunction: completeForwards(env, new(string), true),
		RunE: func(cmd *cobra.Command, args []string) error {
			return order(cmd.Context(), env, forwards.OpRestart, args)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "restart everything that runs, saved or not")
	return cmd
}

// namesOrAll takes names, or none with --all.
func namesOrAll(all *bool) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if *all {
			return cli.NoArgs(cmd, args)
		}
		return cli.MinArgs("the name (or --all)")(cmd, args)
	}
}

// order stops or restarts forwards by name, in every process that runs them; no name
// means all.
func order(ctx context.Context, env *cli.Env, op string, names []string) error {
	alive, err := runningForwards(ctx, env)
	if err != nil {
		return err
	}
	var did []string
	for _, p := range alive {
		here := meant(p, op, names)
		if len(here) == 0 {
			continue
		}
		answer, err := forwards.Ask(ctx, p.Socket, forwards.Request{Op: op, Forwards: here})
		if err != nil {
			return fault.New(fault.Failed, op+" "+strings.Join(here, ", "), "process %d: %w", p.PID, err).
				WithHint("if it is suspended, let it go on (kill -CONT %d); if it was killed, `ssmdeck forward list` ends its sessions", p.PID)
		}
		did = append(append(did, answer.Stopped...), answer.Restarted...)
	}
	past := "stopped"
	if op == forwards.OpRestart {
		past = "restarted"
	}
	for _, s := range did {
		env.Note("%s %s", past, s)
	}
	for _, n := range names {
		if !slices.Contains(did, n) {
			err := fault.New(fault.NotFound, "", "no forward %q is running", n)
			if near := nearest(n, alive); near != "" {
				return err.WithHint("did you mean %q?", near)
			}
			return err.WithHint("`ssmdeck forward list` shows what runs")
		}
	}
	if len(did) == 0 {
		env.Note("nothing is running")
	}
	return nil
}

// nearest is the forward that runs and may have been meant: one through the node of that
// name, or one that is written much the same.
func nearest(word string, alive []forwards.Running) string {
	var names []string
	for _, p := range alive {
		for _, r := range p.Rows {
			if r.State == forwards.Closed {
				continue
			}
			if strings.HasPrefix(r.Name, word+":") {
				return r.Name
			}
			names = append(names, r.Name)
		}
	}
	return fault.Nearest(word, names)
}

// meant are the forwards of a process that names mean: all that run without any. A
// forward that was stopped can be restarted by its name.
func meant(p forwards.Running, op string, names []string) (here []string) {
	for _, r := range p.Rows {
		switch {
		case len(names) > 0 && !slices.Contains(names, r.Name):
		case r.State != forwards.Closed, op == forwards.OpRestart && len(names) > 0:
			here = append(here, r.Name)
		}
	}
	return here
}
