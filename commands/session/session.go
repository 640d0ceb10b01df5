package session

import (
	"context"
	"iter"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

// NewCmd is `ssmdeck session`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "session <command>",
		Aliases: []string{"sessions"},
		Short:   "Session Manager sessions, running and past",
		Example: "  $ ssmdeck session list\n  $ ssmdeck session terminate alice-0a1b2c3d4e5f6a7b8\n  $ ssmdeck session replay incident.cast",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd, newListCmd, newGetCmd, newTerminateCmd, newLogsCmd, newPrefsCmd,
		newReplayCmd, newShimCmd)
	return cmd
}

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		f    sessions.Filter
		node string
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List running sessions, or those of the last 30 days",
		Example: `  $ ssmdeck session list
  $ ssmdeck session list --history --node web-1 --limit 20
  $ ssmdeck session list --all-regions
  $ ssmdeck session list -o name | xargs -r ssmdeck session terminate --yes`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), env, f, node)
		},
	}
	cmd.Flags().BoolVar(&f.History, "history", false, "ended sessions of the last 30 days instead of running ones")
	cmd.Flags().StringVar(&node, "node", "", "only sessions on `node`")
	cmd.Flags().StringVar(&f.Owner, "owner", "", "only sessions started by the principal with this `ARN`")
	return cli.Spans(cmd)
}

func list(ctx context.Context, env *cli.Env, f sessions.Filter, node string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[sessions.Entry, error], error) {
		f := f
		if node != "" {
			n, err := nodechoice.FindNodeHere(ctx, env, node)
			if err != nil {
				return nil, err
			}
			f.Target = n.ID
		}
		svc, err := env.Sessions(ctx)
		if err != nil {
			return nil, err
		}
		return svc.List(ctx, f), nil
	})
}

func table(o render.Options) render.Table[sessions.Entry] {
	return render.Table[sessions.Entry]{
		ID:    func(e sessions.Entry) string { return e.ID },
		Empty: "no sessions",
		Columns: []render.Column[sessions.Entry]{
			{
				Name: "STATUS", Text: func(e sessions.Entry) string { return e.Status },
				Human: func(e sessions.Entry) string { return o.Styles.Status(levels.Session(e.Status), e.Status) },
			},
			{Name: "SESSION ID", ID: true, Text: func(e sessions.Entry) string { return e.ID }},
			{Name: "NODE ID", ID: true, Text: func(e sessions.Entry) string { return e.Target }},
			{
				Name: "OWNER", Text: func(e sessions.Entry) string { return e.Owner },
				Human: func(e sessions.Entry) string { return e.OwnerName() },
			},
			cli.AgoColumn(o, "STARTED", func(e sessions.Entry) time.Time { return e.Started }),
			{
				Name: "ENDED", Wide: true, Text: func(e sessions.Entry) string { return render.Timestamp(ended(e)) },
				Human: func(e sessions.Entry) string { return render.Ago(o.Now, ended(e)) },
			},
			{Name: "DOCUMENT", Wide: true, Text: func(e sessions.Entry) string { return e.Document }},
			{Name: "REASON", Wide: true, Text: func(e sessions.Entry) string { return e.Reason }},
		},
	}
}

func ended(e sessions.Entry) (t time.Time) {
	if e.Ended != nil {
		t = *e.Ended
	}
	return t
}

func newGetCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "get <session-id>",
		Aliases: []string{"show"},
		Short:   "Show a session, running or of the last 30 days",
		Example: `  $ ssmdeck session get alice-0a1b2c3d4e5f6a7b8
  $ ssmdeck session get alice-0a1b2c3d4e5f6a7b8 -o json --query output_s3`,
		Args:              cli.ExactArgs("the session id"),
		ValidArgsFunction: completeSession(env),
		RunE:              func(cmd *cobra.Command, args []string) error { return sessionGet(cmd.Context(), env, args[0]) },
	}
}

func sessionGet(ctx context.Context, env *cli.Env, id string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	svc, err := env.Sessions(ctx)
	if err != nil {
		return err
	}
	e, err := svc.Get(ctx, id)
	if err != nil {
		return err
	}
	return render.Object(env.Out, ro, e, func(d *render.Detail) {
		d.ID(e.ID)
		d.Field("Session", e.ID)
		d.Human("Status", e.Status, ro.Styles.Status(levels.Session(e.Status), e.Status))
		d.Field("Node", e.Target)
		d.Field("Owner", e.Owner)
		cli.Moment(d, ro, "Started", e.Started)
		cli.Moment(d, ro, "Ended", ended(e))
		d.Field("Document", e.Document)
		d.Field("Reason", e.Reason)
		d.Field("Longest, in minutes", e.MaxDuration)
		d.Field("Log in S3", e.OutputS3)
		d.Field("Log in CloudWatch Logs", e.OutputCloudWatch)
	})
}

func newTerminateCmd(env *cli.Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "terminate <session-id>...",
		Short: "End sessions",
		Long:  "End sessions at the service, whoever started them and wherever they run.",
		Example: `  $ ssmdeck session terminate alice-0a1b2c3d4e5f6a7b8
  $ ssmdeck session list -o name | xargs -r ssmdeck session terminate --yes`,
		Args:              cli.MinArgs("a session id"),
		ValidArgsFunction: completeSession(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return terminate(cmd.Context(), env, args, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say which sessions would be ended and end none")
	return cmd
}

func terminate(ctx context.Context, env *cli.Env, ids []string, dryRun bool) error {
	svc, err := env.Sessions(ctx)
	if err != nil {
		return err
	}
	if dryRun {
		for _, id := range ids {
			s, err := svc.Get(ctx, id)
			if err != nil {
				return err
			}
			env.Note("would terminate %s of %s on %s (%s); nothing was sent", s.ID, s.Owner, s.Target, s.Status)
		}
		return nil
	}
	what := "terminate session " + ids[0]
	if len(ids) > 1 {
		what = "terminate " + cli.Plural(len(ids), "session")
	}
	if err := env.Confirm(ctx, what); err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		ended, err := svc.Terminate(ctx, id)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if ended {
			env.Note("%s had already ended", id)
			continue
		}
		env.Note("terminated %s", id)
	}
	return cli.MoreThanOne("terminate sessions", failed, len(ids))
}

// completeSession completes the ids of running sessions.
func completeSession(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := env.Sessions(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for s, err := range svc.List(ctx, sessions.Filter{}) {
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			words = append(words, s.ID+"\t"+s.Target+" "+s.Status)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
