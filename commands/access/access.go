package access

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/access"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// NewCmd is `ssmdeck access`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "access <command>",
		Short: "Just-in-time node access: ask for it, follow, list",
		Long: `Ask for access to a node where sessions need an approval (just-in-time node
access), and use what was approved: with --access-request ID, shell, exec, ssh and
forward open their sessions with the temporary credentials of the request. They
are fetched when needed, renewed while the approval lasts, and never shown.`,
		Example: `  $ ssmdeck access request web-1 --reason 'INC-1234: restart nginx' --watch
  $ ssmdeck shell web-1 --access-request oi-0123456789ab`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newRequestCmd, newGetCmd, newListCmd)
	return cmd
}

func newRequestCmd(env *cli.Env) *cobra.Command {
	var (
		reason string
		watch  bool
		limit  time.Duration
	)
	cmd := &cobra.Command{
		Use:   "request <node> --reason <text>",
		Short: "Ask for access to a node",
		Long: `Ask for access to a node. The id of the request is printed; with --watch
the command ends when the request is decided: with 0 when it was approved, 4 when
it was not, and 8 when --wait was over first.`,
		Example: `  $ ssmdeck access request web-1 --reason 'INC-1234: restart nginx'
  $ id=$(ssmdeck access request web-1 --reason INC-1234 --watch) && ssmdeck shell web-1 --access-request "$id"`,
		Args:              nodechoice.Pickable(env, cli.ExactArgs("the node")),
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return fault.Usagef("%s: missing --reason", cmd.CommandPath()).WithHint("say why: --reason 'INC-1234: restart nginx'")
			}
			watch = watch || cmd.Flags().Changed("wait")
			if limit <= 0 {
				return fault.Usagef("--wait %s is not a time to wait", limit)
			}
			args, err := nodechoice.OrPick(cmd.Context(), env, args)
			if err != nil {
				return err
			}
			return request(cmd.Context(), env, args[0], reason, watch, limit)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`text` for whoever approves")
	bindAccessWatch(cmd, &watch, &limit)
	return cmd
}

func bindAccessWatch(cmd *cobra.Command, watch *bool, limit *time.Duration) {
	cmd.Flags().BoolVarP(watch, "watch", "w", false, "follow until the request is decided")
	cmd.Flags().DurationVar(limit, "wait", time.Hour, "follow, and stop following after `duration` (exit 8)")
}

func request(ctx context.Context, env *cli.Env, expr, reason string, watch bool, limit time.Duration) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	node, err := nodechoice.FindNode(ctx, env, expr)
	if err != nil {
		return err
	}
	svc, err := env.Access(ctx)
	if err != nil {
		return err
	}
	id, err := svc.Request(ctx, node.ID, reason)
	if err != nil {
		return err
	}
	st := access.State{ID: id, Status: access.Pending}
	env.Note("access request %s for %s", id, render.Visible(node.String()))
	var decided error
	if watch {
		if st, decided = svc.Wait(ctx, id, limit, changed(env, id)); decided != nil && st.ID == "" {
			return decided
		}
	}
	if ro.Format == render.FormatAuto { // what the next command wants
		_, err = fmt.Fprintln(env.Out, id)
	} else {
		err = render.Object(env.Out, ro, st, func(d *render.Detail) { details(d, ro, st) })
	}
	if decided != nil {
		return decided
	}
	if err == nil && st.Status == access.Approved {
		env.Note("open a shell with: ssmdeck shell %s --access-request %s", node.ID, id)
	}
	return err
}

// changed notes each new state of a request.
func changed(env *cli.Env, id string) func(access.Status) {
	return func(s access.Status) {
		if s == access.Pending {
			env.Note("%s is waiting for approval", id)
			return
		}
		env.Note("%s: %s", id, s)
	}
}

func details(d *render.Detail, o render.Options, st access.State) {
	d.ID(st.ID)
	d.Field("Request", st.ID)
	d.Human("Status", string(st.Status), o.Styles.Status(level(string(st.Status)), string(st.Status)))
	if st.CredentialsExpire != nil {
		cli.Moment(d, o, "Credentials expire", *st.CredentialsExpire)
	}
}

func level(status string) theme.Level {
	switch status {
	case "Approved":
		return theme.Good
	case "Pending", "PendingApproval":
		return theme.Busy
	case "Rejected", "Revoked", "Failed":
		return theme.Bad
	default:
		return theme.Idle
	}
}

func newGetCmd(env *cli.Env) *cobra.Command {
	var (
		watch bool
		limit time.Duration
	)
	cmd := &cobra.Command{
		Use:     "get <request-id>",
		Aliases: []string{"show"},
		Short:   "Show the state of a request",
		Long: `Show the state of a request. With --watch the command ends when the request is
decided: with 0 when it was approved, 4 when it was not, and 8 when --wait was
over first. The credentials of an approved request are not shown.`,
		Example: `  $ ssmdeck access get oi-0123456789ab
  $ ssmdeck access get oi-0123456789ab --wait 10m`,
		Args:              cli.ExactArgs("the request's id"),
		ValidArgsFunction: env.CompleteAccessRequest,
		RunE: func(cmd *cobra.Command, args []string) error {
			watch = watch || cmd.Flags().Changed("wait")
			if limit <= 0 {
				return fault.Usagef("--wait %s is not a time to wait", limit)
			}
			if err := access.CheckID(args[0]); err != nil {
				return err
			}
			return get(cmd.Context(), env, args[0], watch, limit)
		},
	}
	bindAccessWatch(cmd, &watch, &limit)
	return cmd
}

func get(ctx context.Context, env *cli.Env, id string, watch bool, limit time.Duration) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	svc, err := env.Access(ctx)
	if err != nil {
		return err
	}
	var st access.State
	if watch {
		st, err = svc.Wait(ctx, id, limit, changed(env, id))
	} else {
		st, err = svc.Get(ctx, id)
	}
	if st.ID == "" {
		return err
	}
	if werr := render.Object(env.Out, ro, st, func(d *render.Detail) { details(d, ro, st) }); werr != nil {
		return werr
	}
	return err
}

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		node   string
		status string
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List access requests",
		Long:    "List access requests of the account and Region, which the service keeps as OpsItems.",
		Example: `  $ ssmdeck access list
  $ ssmdeck access list --status PendingApproval -o name`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), env, node, status)
		},
	}
	cmd.Flags().StringVar(&node, "node", "", "only requests for `node`")
	cmd.Flags().StringVar(&status, "status", "", "only requests in this `state`: PendingApproval, Approved, Rejected, Revoked")
	cli.CompleteFlag(cmd, "status", func() []string { return []string{"PendingApproval", "Approved", "Rejected", "Revoked"} })
	return cli.Spans(cmd)
}

func list(ctx context.Context, env *cli.Env, node, status string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	f := access.Filter{Status: status}
	return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[access.Entry, error], error) {
		f := f
		if node != "" {
			n, err := nodechoice.FindNodeHere(ctx, env, node)
			if err != nil {
				return nil, err
			}
			f.Node = n.ID
		}
		svc, err := env.Access(ctx)
		if err != nil {
			return nil, err
		}
		return svc.List(ctx, f), nil
	})
}

func table(o render.Options) render.Table[access.Entry] {
	return render.Table[access.Entry]{
		ID:    func(e access.Entry) string { return e.ID },
		Empty: "no access requests",
		Columns: []render.Column[access.Entry]{
			{
				Name: "STATUS", Text: func(e access.Entry) string { return e.Status },
				Human: func(e access.Entry) string { return o.Styles.Status(level(e.Status), e.Status) },
			},
			{Name: "REQUEST ID", ID: true, Text: func(e access.Entry) string { return e.ID }},
			{Name: "NODE ID", ID: true, Text: func(e access.Entry) string { return e.Node }},
			cli.AgoColumn(o, "CREATED", func(e access.Entry) time.Time { return e.Created }),
			{Name: "TITLE", Text: func(e access.Entry) string { return e.Title }},
			{Name: "OWNER", Wide: true, Text: func(e access.Entry) string { return e.Owner }},
		},
	}
}
