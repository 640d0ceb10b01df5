package commands

import (
	"context"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newSessionCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "session <command>",
		Aliases: []string{"sessions"},
		Short:   "Session Manager sessions, running and past",
		Example: "  $ ssmdeck session list\n  $ ssmdeck session terminate alice-0a1b2c3d4e5f6a7b8\n  $ ssmdeck session replay incident.cast",
		Args:    cobra.ArbitraryArgs,
		RunE:    runGroup,
	}
	env.subcommands(cmd, newSessionListCmd, newSessionGetCmd, newSessionTerminateCmd, newSessionLogsCmd, newSessionPrefsCmd,
		newSessionReplayCmd, newSessionShimCmd)
	return cmd
}

func newSessionListCmd(env *Env) *cobra.Command {
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
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sessionList(cmd.Context(), env, f, node)
		},
	}
	cmd.Flags().BoolVar(&f.History, "history", false, "ended sessions of the last 30 days instead of running ones")
	cmd.Flags().StringVar(&node, "node", "", "only sessions on `node`")
	cmd.Flags().StringVar(&f.Owner, "owner", "", "only sessions started by the principal with this `ARN`")
	return spans(cmd)
}

func sessionList(ctx context.Context, env *Env, f sessions.Filter, node string) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	return writeGrid(ctx, env, sessionTable, ro, func(ctx context.Context, env *Env) (iter.Seq2[sessions.Entry, error], error) {
		f := f
		if node != "" {
			n, err := env.findNodeHere(ctx, node)
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

func sessionTable(o render.Options) render.Table[sessions.Entry] {
	return render.Table[sessions.Entry]{
		ID:    func(e sessions.Entry) string { return e.ID },
		Empty: "no sessions",
		Columns: []render.Column[sessions.Entry]{
			{
				Name: "STATUS", Text: func(e sessions.Entry) string { return e.Status },
				Human: func(e sessions.Entry) string { return o.Styles.Status(sessionLevel(e.Status), e.Status) },
			},
			{Name: "SESSION ID", ID: true, Text: func(e sessions.Entry) string { return e.ID }},
			{Name: "NODE ID", ID: true, Text: func(e sessions.Entry) string { return e.Target }},
			{
				Name: "OWNER", Text: func(e sessions.Entry) string { return e.Owner },
				Human: func(e sessions.Entry) string { return e.OwnerName() },
			},
			agoColumn(o, "STARTED", func(e sessions.Entry) time.Time { return e.Started }),
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

func sessionLevel(status string) theme.Level {
	switch status {
	case "Connected":
		return theme.Good
	case "Connecting", "Terminating":
		return theme.Busy
	case "Disconnected":
		return theme.Warn
	case "Failed":
		return theme.Bad
	default:
		return theme.Idle
	}
}

func newSessionGetCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "get <session-id>",
		Aliases: []string{"show"},
		Short:   "Show a session, running or of the last 30 days",
		Example: `  $ ssmdeck session get alice-0a1b2c3d4e5f6a7b8
  $ ssmdeck session get alice-0a1b2c3d4e5f6a7b8 -o json --query output_s3`,
		Args:              exactArgs("the session id"),
		ValidArgsFunction: env.completeSession,
		RunE:              func(cmd *cobra.Command, args []string) error { return sessionGet(cmd.Context(), env, args[0]) },
	}
}

func sessionGet(ctx context.Context, env *Env, id string) error {
	ro, err := env.renderOptions()
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
		d.Human("Status", e.Status, ro.Styles.Status(sessionLevel(e.Status), e.Status))
		d.Field("Node", e.Target)
		d.Field("Owner", e.Owner)
		moment(d, ro, "Started", e.Started)
		moment(d, ro, "Ended", ended(e))
		d.Field("Document", e.Document)
		d.Field("Reason", e.Reason)
		d.Field("Longest, in minutes", e.MaxDuration)
		d.Field("Log in S3", e.OutputS3)
		d.Field("Log in CloudWatch Logs", e.OutputCloudWatch)
	})
}

func newSessionTerminateCmd(env *Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "terminate <session-id>...",
		Short: "End sessions",
		Long:  "End sessions at the service, whoever started them and wherever they run.",
		Example: `  $ ssmdeck session terminate alice-0a1b2c3d4e5f6a7b8
  $ ssmdeck session list -o name | xargs -r ssmdeck session terminate --yes`,
		Args:              minArgs("a session id"),
		ValidArgsFunction: env.completeSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return sessionTerminate(cmd.Context(), env, args, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say which sessions would be ended and end none")
	return cmd
}

func sessionTerminate(ctx context.Context, env *Env, ids []string, dryRun bool) error {
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
			env.note("would terminate %s of %s on %s (%s); nothing was sent", s.ID, s.Owner, s.Target, s.Status)
		}
		return nil
	}
	what := "terminate session " + ids[0]
	if len(ids) > 1 {
		what = "terminate " + plural(len(ids), "session")
	}
	if err := env.confirm(ctx, what); err != nil {
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
			env.note("%s had already ended", id)
			continue
		}
		env.note("terminated %s", id)
	}
	return moreThanOne("terminate sessions", failed, len(ids))
}

// completeSession completes the ids of running sessions.
func (e *Env) completeSession(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionWait)
	defer cancel()
	svc, err := e.Sessions(ctx)
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
