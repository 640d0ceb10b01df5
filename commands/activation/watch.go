package activation

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/activation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newWatchCmd(env *cli.Env) *cobra.Command {
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "watch <activation-id>",
		Short: "Show nodes as they register with an activation",
		Long: `Print a line for each node that has registered with an activation, and for each
that does from now on: id, name, state of the agent, platform. It ends when as
many have registered as the activation allows. The status is 8 when the activation
expires or --wait is over first.`,
		Example: `  $ ssmdeck activation watch 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f
  $ ssmdeck activation watch 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f -o jsonl --wait 1h`,
		Args:              cli.ExactArgs("the activation's id"),
		ValidArgsFunction: completeActivation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := activation.CheckID(args[0]); err != nil {
				return err
			}
			if limit < 0 || limit == 0 && cmd.Flags().Changed("wait") {
				return fault.Usagef("--wait %s is not a time to wait", limit)
			}
			return activationWatch(cmd.Context(), env, args[0], limit)
		},
	}
	cmd.Flags().DurationVar(&limit, "wait", 0, "stop following after `duration` (exit 8)")
	return cmd
}

func activationWatch(ctx context.Context, env *cli.Env, id string, limit time.Duration) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	switch ro.Format { // a table is only there at its end
	case render.FormatAuto, render.FormatTable, render.FormatWide:
		ro.Format = render.FormatText
	}
	svc, err := openActivations(ctx, env)
	if err != nil {
		return err
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	if limit > 0 {
		watch, stop = context.WithTimeout(ctx, limit)
		defer stop()
	}
	shown := -1
	var last activation.Activation
	progress := func(a activation.Activation) {
		if last = a; a.Registered != shown {
			shown = a.Registered
			env.Note("%d of %d registered (%s)", a.Registered, a.Limit, a.State)
		}
	}
	err = cli.WriteSeq(env, registeredTable, ro, svc.Watch(watch, id, progress))
	switch {
	case ctx.Err() != nil: // Ctrl-C: watching is over, and nothing is wrong
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	case watch.Err() != nil:
		return fault.New(fault.Pending, "watch activation "+id, "%d of %d nodes have registered after %s", last.Registered, last.Limit, limit)
	}
	return err
}

func registeredTable(render.Options) render.Table[activation.Node] {
	return render.Table[activation.Node]{
		ID:    func(n activation.Node) string { return n.ID },
		Empty: "no nodes have registered",
		Columns: []render.Column[activation.Node]{
			{Name: "NODE ID", ID: true, Text: func(n activation.Node) string { return n.ID }},
			{Name: "NAME", Text: func(n activation.Node) string { return n.Name }},
			{Name: "PING", Text: func(n activation.Node) string { return n.Ping }},
			{Name: "PLATFORM", Text: func(n activation.Node) string { return n.Platform }},
			{Name: "COMPUTER NAME", Text: func(n activation.Node) string { return n.ComputerName }},
			{Name: "REGISTERED", Text: func(n activation.Node) string { return render.Timestamp(n.Registered) }},
		},
	}
}
