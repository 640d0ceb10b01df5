package connect

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// interruptGrace is how long a command may take to end after Ctrl-C was passed
// on to it.
const interruptGrace = 3 * time.Second

// NewExecCmd is `ssmdeck exec`.
func NewExecCmd(env *cli.Env) *cobra.Command {
	var o ShellOptions
	cmd := &cobra.Command{
		Use:   "exec <node> -- <command>...",
		Short: "Run a command on a node and exit with its status",
		Long: `Run a command on one node through Session Manager. Its standard output and
standard error arrive apart, as they are written and whatever their size, and
its exit status becomes ours. Standard input is not passed on.

One argument after -- is a script for the node's shell; several are a command
whose words arrive exactly as they are.

A status above 254 of ours, or a session that breaks off, exits with 255. Before
the command has started, the usual codes apply (see ` + "`ssmdeck help exit-codes`" + `).`,
		Example: `  $ ssmdeck exec web-1 -- systemctl is-active nginx
  $ ssmdeck exec web-1 -- 'journalctl -u nginx | tail -20'
  $ ssmdeck exec i-0123456789abcdef0 -- cat /var/log/app/app.log > app.log`,
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			nodes, command, dash := cli.SplitDash(cmd, args)
			if !dash && len(args) > 1 {
				nodes, command = args[:1], args[1:]
			}
			if len(command) > 0 {
				var err error
				if nodes, err = nodechoice.OrPick(cmd.Context(), env, nodes); err != nil {
					return err
				}
			}
			if err := cli.ExactArgs("the node")(cmd, nodes); err != nil {
				return err
			}
			return runExec(cmd.Context(), env, o, nodes[0], command)
		},
	}
	o.bind(env, cmd)
	return cmd
}

func runExec(ctx context.Context, env *cli.Env, o ShellOptions, expr string, command []string) error {
	req, err := o.Request()
	if err != nil {
		return err
	}
	if len(command) == 0 {
		return fault.Usagef("exec: missing the command").WithHint("put it behind --: ssmdeck exec %s -- uptime", expr)
	}
	if req.Parameters, err = o.documentParams(ctx, env, &req, "command"); err != nil {
		return err
	}
	node, svc, err := SessionNode(ctx, env, expr)
	if err != nil {
		return err
	}
	status := NewLinkStatus(env, false)
	done := status.connecting(node)
	e, err := svc.Exec(ctx, sessions.ExecRequest{
		Target: node.ID, Platform: node.Platform, Command: run.Quote(command, node.Platform),
		Document: req.Document, Parameters: req.Parameters, Reason: req.Reason,
	}, sessionclient.WithEvents(status.Event))
	done()
	if err != nil {
		return err
	}
	defer e.Close()
	if e.Merged {
		env.Note("ssmdeck: %s is not offered here: standard error arrives within standard output", sessions.DocumentNonInteractive)
	}
	stop := context.AfterFunc(ctx, func() { Interrupt(e) })
	defer stop()
	code, known, err := e.Copy(env.Out, env.Err)
	switch {
	case ctx.Err() != nil && !known:
		return ctx.Err()
	case err != nil:
		return cli.Own(err)
	case !known:
		return cli.Own(fault.New(fault.Failed, "run command on "+node.String(), "it ended and nobody told its exit status").
			WithHint("the session document must have separateOutputStream set to true"))
	case code == 0:
		return nil
	default:
		return &fault.Exit{Code: cli.ClampStatus(code)}
	}
}

// Interrupt passes Ctrl-C on and ends the session if the command does not.
func Interrupt(e *sessions.Exec) {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = e.Write([]byte{0x03})
	}()
	timer := time.NewTimer(interruptGrace)
	defer timer.Stop()
	select {
	case <-e.Done():
	case <-timer.C:
		e.Abort()
	}
	<-sent // the session is over: the write has failed or is done
}
