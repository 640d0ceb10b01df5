package activation

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/activation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// NewCmd is `ssmdeck activation`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "activation <command>",
		Aliases: []string{"activations"},
		Short:   "Hybrid activations: make machines outside EC2 managed nodes",
		Long: `Make activations, with which machines outside EC2 (on premises, in other clouds,
edge devices) register as managed nodes, and see which have. An activation is an
id and a code; whoever has both can register a machine until it expires or its
limit is reached.`,
		Example: `  $ ssmdeck activation create --role SSMServiceRole --limit 10 --expires 7d --install-script linux > install.sh
  $ ssmdeck activation list --state active`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newCreateCmd, newListCmd, newGetCmd,
		newWatchCmd, newDeleteCmd)
	return cmd
}

// states are what --state takes.
func states() []string {
	return []string{string(activation.Active), string(activation.UsedUp), string(activation.Expired)}
}

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		f     activation.Filter
		state string
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List activations and how many nodes they have registered",
		Example: `  $ ssmdeck activation list
  $ ssmdeck activation list --state active --iam-role SSMServiceRole
  $ ssmdeck activation list --state expired -o name
  $ ssmdeck activation list --all-regions`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if state != "" && !slices.Contains(states(), state) {
				return fault.Usagef("--state %q is not a state", state).WithHint("the states are %s", strings.Join(states(), ", "))
			}
			f.State = activation.State(state)
			return list(cmd.Context(), env, f)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only activations in this `state`: active, used_up, expired")
	cmd.Flags().StringVar(&f.Role, "iam-role", "", "only activations for this `role`, path and all")
	cmd.Flags().StringVar(&f.Name, "name", "", "only activations that give their nodes this `name`")
	cli.CompleteFlag(cmd, "state", states)
	_ = cmd.RegisterFlagCompletionFunc("iam-role", completeActivationRole(env))
	return cli.Spans(cmd)
}

func list(ctx context.Context, env *cli.Env, f activation.Filter) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[activation.Activation, error], error) {
		svc, err := openActivations(ctx, env)
		if err != nil {
			return nil, err
		}
		return svc.List(ctx, f), nil
	})
}

func level(s activation.State) theme.Level {
	switch s {
	case activation.Active:
		return theme.Good
	case activation.Expired:
		return theme.Idle
	default:
		return theme.Busy
	}
}

func table(o render.Options) render.Table[activation.Activation] {
	return render.Table[activation.Activation]{
		ID:    func(a activation.Activation) string { return a.ID },
		Empty: "no activations match",
		Columns: []render.Column[activation.Activation]{
			{
				Name: "STATE", Text: func(a activation.Activation) string { return string(a.State) },
				Human: func(a activation.Activation) string {
					return o.Styles.Status(level(a.State), string(a.State))
				},
			},
			{Name: "ACTIVATION ID", ID: true, Text: func(a activation.Activation) string { return a.ID }},
			{Name: "NAME", Text: func(a activation.Activation) string { return a.Name }},
			{Name: "ROLE", Text: func(a activation.Activation) string { return a.Role }},
			{
				Name: "REGISTERED", Text: func(a activation.Activation) string { return fmt.Sprintf("%d/%d", a.Registered, a.Limit) },
				Less: func(a, b activation.Activation) bool { return a.Registered < b.Registered },
			},
			cli.AgoColumn(o, "EXPIRES", func(a activation.Activation) time.Time { return a.Expires }),
			{
				Name: "CREATED", Wide: true, Text: func(a activation.Activation) string { return render.Timestamp(a.Created) },
				Human: func(a activation.Activation) string { return render.Ago(o.Now, a.Created) },
				Less:  func(a, b activation.Activation) bool { return a.Created.Before(b.Created) },
			},
			{Name: "DESCRIPTION", Wide: true, Text: func(a activation.Activation) string { return a.Description }},
			{Name: "TAGS", Wide: true, Text: func(a activation.Activation) string { return cli.TagLine(a.Tags) }},
		},
	}
}

// withNodes is the answer of `activation get`.
type withNodes struct {
	activation.Activation
	Nodes []activation.Node `json:"nodes"`
}

func newGetCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "get <activation-id>",
		Aliases: []string{"show"},
		Short:   "Show an activation and the nodes that have registered with it",
		Long: `Show an activation and the nodes that have registered with it and are still
there. Its code is told by ` + "`activation create`" + ` and never again.`,
		Example: `  $ ssmdeck activation get 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f
  $ ssmdeck activation get 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f -o json --query 'nodes[].id'`,
		Args:              cli.ExactArgs("the activation's id"),
		ValidArgsFunction: completeActivation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := activation.CheckID(args[0]); err != nil {
				return err
			}
			return get(cmd.Context(), env, args[0])
		},
	}
}

func get(ctx context.Context, env *cli.Env, id string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	svc, err := openActivations(ctx, env)
	if err != nil {
		return err
	}
	a := withNodes{Nodes: []activation.Node{}}
	if a.Activation, err = svc.Get(ctx, id); err != nil {
		return err
	}
	for n, err := range svc.Nodes(ctx, id) {
		if err != nil {
			return err
		}
		a.Nodes = append(a.Nodes, n)
	}
	return render.Object(env.Out, ro, a, func(d *render.Detail) {
		details(d, ro, a.Activation)
		if len(a.Nodes) > 0 {
			d.Section("Nodes")
			for _, n := range a.Nodes {
				d.Human(n.ID, strings.TrimSpace(n.Name+" "+n.Ping), render.Visible(n.Name)+"  "+ro.Styles.Status(levels.Ping(n.Ping), render.Visible(n.Ping)))
			}
		}
	})
}

func details(d *render.Detail, o render.Options, a activation.Activation) {
	d.ID(a.ID)
	d.Field("Activation", a.ID)
	d.Human("State", string(a.State), o.Styles.Status(level(a.State), string(a.State)))
	d.Field("Registered", fmt.Sprintf("%d of %d", a.Registered, a.Limit))
	cli.Moment(d, o, "Expires", a.Expires)
	d.Field("Role", a.Role)
	d.Field("Name", a.Name)
	d.Field("Description", a.Description)
	cli.Moment(d, o, "Created", a.Created)
	d.Field("Tags", cli.TagLine(a.Tags))
}

func newDeleteCmd(env *cli.Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:     "delete <activation-id>...",
		Aliases: []string{"rm"},
		Short:   "Delete activations, so that nobody registers with them any more",
		Long: `Delete activations. Nobody can register with them from then on; nodes that have
registered stay. The service knows no way to get an activation back.`,
		Example: `  $ ssmdeck activation delete 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f
  $ ssmdeck activation list --state expired -o name | xargs ssmdeck activation delete --yes`,
		Args:              cli.MinArgs("the activation's id"),
		ValidArgsFunction: completeActivation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, id := range args {
				if err := activation.CheckID(id); err != nil {
					return err
				}
			}
			return activationDelete(cmd.Context(), env, args, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be deleted and delete nothing")
	return cmd
}

func activationDelete(ctx context.Context, env *cli.Env, ids []string, dryRun bool) error {
	svc, err := openActivations(ctx, env)
	if err != nil {
		return err
	}
	what := cli.Plural(len(ids), "activation")
	if len(ids) == 1 || dryRun {
		found := make([]string, len(ids))
		for i, id := range ids {
			a, err := svc.Get(ctx, id)
			if err != nil {
				return err
			}
			found[i] = fmt.Sprintf("activation %s (%s, %d of %d registered, for role %s)", a.ID, a.State, a.Registered, a.Limit, a.Role)
		}
		what = strings.Join(found, ", ")
	}
	if dryRun {
		env.Note("would delete %s; nothing was deleted", what)
		return nil
	}
	if err := env.Confirm(ctx, "delete "+what); err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		if err := svc.Delete(ctx, id); err != nil {
			failed = append(failed, err)
			continue
		}
		env.Note("deleted activation %s; its nodes stay", id)
	}
	return cli.MoreThanOne("delete activations", failed, len(ids))
}

// completeActivation completes the ids of activations.
func completeActivation(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		const none, most = cobra.ShellCompDirectiveNoFileComp, 50
		if len(args) > 0 && cmd.Name() != "delete" {
			return nil, none
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := openActivations(ctx, env)
		if err != nil {
			return nil, none
		}
		var words []string
		for a, err := range svc.List(ctx, activation.Filter{}) {
			if err != nil || len(words) == most {
				break
			}
			if !slices.Contains(args, a.ID) {
				words = append(words, fmt.Sprintf("%s\t%s %d/%d %s", a.ID, a.State, a.Registered, a.Limit, render.Visible(a.Name)))
			}
		}
		return words, none
	}
}
