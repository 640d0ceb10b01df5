package commands

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/access"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newAccessCmd(env *Env) *cobra.Command {
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
		RunE: runGroup,
	}
	env.subcommands(cmd, newAccessRequestCmd, newAccessGetCmd, newAccessListCmd)
	return cmd
}

// Access returns the service that knows access requests.
func (e *Env) Access(ctx context.Context) (*access.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return access.New(scope.SSM()), nil
}

// bindAccess declares --access-request on a command that opens sessions.
func (e *Env) bindAccess(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.accessRequest, "access-request", "", "open sessions with the approved access request of this `id`")
	_ = cmd.RegisterFlagCompletionFunc("access-request", e.completeAccessRequest)
}

// accessScope is scope with the credentials of --access-request. They are
// fetched once now, so that a request without them is told before anything else
// is tried.
func (e *Env) accessScope(ctx context.Context, scope *awsapi.Scope) (*awsapi.Scope, error) {
	if err := access.CheckID(e.accessRequest); err != nil {
		return nil, err
	}
	with := scope.With(access.New(scope.SSM()).Credentials(e.accessRequest))
	if _, err := with.Config().Credentials.Retrieve(ctx); err != nil {
		return nil, awsapi.Explain("use access request "+e.accessRequest, err)
	}
	return with, nil
}

func newAccessRequestCmd(env *Env) *cobra.Command {
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
		Args:              env.pickable(exactArgs("the node")),
		ValidArgsFunction: env.completeNode,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return fault.Usagef("%s: missing --reason", cmd.CommandPath()).WithHint("say why: --reason 'INC-1234: restart nginx'")
			}
			watch = watch || cmd.Flags().Changed("wait")
			if limit <= 0 {
				return fault.Usagef("--wait %s is not a time to wait", limit)
			}
			args, err := env.orPick(cmd.Context(), args)
			if err != nil {
				return err
			}
			return accessRequest(cmd.Context(), env, args[0], reason, watch, limit)
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

func accessRequest(ctx context.Context, env *Env, expr, reason string, watch bool, limit time.Duration) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	node, err := env.findNode(ctx, expr)
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
	env.note("access request %s for %s", id, render.Visible(node.String()))
	var decided error
	if watch {
		if st, decided = svc.Wait(ctx, id, limit, env.accessChanged(id)); decided != nil && st.ID == "" {
			return decided
		}
	}
	if ro.Format == render.FormatAuto { // what the next command wants
		_, err = fmt.Fprintln(env.Out, id)
	} else {
		err = render.Object(env.Out, ro, st, func(d *render.Detail) { accessDetails(d, ro, st) })
	}
	if decided != nil {
		return decided
	}
	if err == nil && st.Status == access.Approved {
		env.note("open a shell with: ssmdeck shell %s --access-request %s", node.ID, id)
	}
	return err
}

// accessChanged notes each new state of a request.
func (e *Env) accessChanged(id string) func(access.Status) {
	return func(s access.Status) {
		if s == access.Pending {
			e.note("%s is waiting for approval", id)
			return
		}
		e.note("%s: %s", id, s)
	}
}

func accessDetails(d *render.Detail, o render.Options, st access.State) {
	d.ID(st.ID)
	d.Field("Request", st.ID)
	d.Human("Status", string(st.Status), o.Styles.Status(accessLevel(string(st.Status)), string(st.Status)))
	if st.CredentialsExpire != nil {
		moment(d, o, "Credentials expire", *st.CredentialsExpire)
	}
}

func accessLevel(status string) theme.Level {
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

func newAccessGetCmd(env *Env) *cobra.Command {
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
		Args:              exactArgs("the request's id"),
		ValidArgsFunction: env.completeAccessRequest,
		RunE: func(cmd *cobra.Command, args []string) error {
			watch = watch || cmd.Flags().Changed("wait")
			if limit <= 0 {
				return fault.Usagef("--wait %s is not a time to wait", limit)
			}
			if err := access.CheckID(args[0]); err != nil {
				return err
			}
			return accessGet(cmd.Context(), env, args[0], watch, limit)
		},
	}
	bindAccessWatch(cmd, &watch, &limit)
	return cmd
}

func accessGet(ctx context.Context, env *Env, id string, watch bool, limit time.Duration) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	svc, err := env.Access(ctx)
	if err != nil {
		return err
	}
	var st access.State
	if watch {
		st, err = svc.Wait(ctx, id, limit, env.accessChanged(id))
	} else {
		st, err = svc.Get(ctx, id)
	}
	if st.ID == "" {
		return err
	}
	if werr := render.Object(env.Out, ro, st, func(d *render.Detail) { accessDetails(d, ro, st) }); werr != nil {
		return werr
	}
	return err
}

func newAccessListCmd(env *Env) *cobra.Command {
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
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return accessList(cmd.Context(), env, node, status)
		},
	}
	cmd.Flags().StringVar(&node, "node", "", "only requests for `node`")
	cmd.Flags().StringVar(&status, "status", "", "only requests in this `state`: PendingApproval, Approved, Rejected, Revoked")
	completeFlag(cmd, "status", func() []string { return []string{"PendingApproval", "Approved", "Rejected", "Revoked"} })
	return spans(cmd)
}

func accessList(ctx context.Context, env *Env, node, status string) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	f := access.Filter{Status: status}
	return writeGrid(ctx, env, accessTable, ro, func(ctx context.Context, env *Env) (iter.Seq2[access.Entry, error], error) {
		f := f
		if node != "" {
			n, err := env.findNodeHere(ctx, node)
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

func accessTable(o render.Options) render.Table[access.Entry] {
	return render.Table[access.Entry]{
		ID:    func(e access.Entry) string { return e.ID },
		Empty: "no access requests",
		Columns: []render.Column[access.Entry]{
			{
				Name: "STATUS", Text: func(e access.Entry) string { return e.Status },
				Human: func(e access.Entry) string { return o.Styles.Status(accessLevel(e.Status), e.Status) },
			},
			{Name: "REQUEST ID", ID: true, Text: func(e access.Entry) string { return e.ID }},
			{Name: "NODE ID", ID: true, Text: func(e access.Entry) string { return e.Node }},
			agoColumn(o, "CREATED", func(e access.Entry) time.Time { return e.Created }),
			{Name: "TITLE", Text: func(e access.Entry) string { return e.Title }},
			{Name: "OWNER", Wide: true, Text: func(e access.Entry) string { return e.Owner }},
		},
	}
}

// completeAccessRequest completes the ids of requests that are not over.
func (e *Env) completeAccessRequest(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	ctx, cancel := context.WithTimeout(cmd.Context(), completionWait)
	defer cancel()
	svc, err := e.Access(ctx)
	if err != nil {
		return nil, none
	}
	var words []string
	for r, err := range svc.List(ctx, access.Filter{}) {
		if err != nil {
			return nil, none
		}
		if r.Status == "Approved" || r.Status == "PendingApproval" {
			words = append(words, r.ID+"\t"+r.Node+" "+r.Status)
		}
	}
	return words, none
}
