package commands

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/activation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newActivationCmd(env *Env) *cobra.Command {
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
		RunE: runGroup,
	}
	env.subcommands(cmd, newActivationCreateCmd, newActivationListCmd, newActivationGetCmd,
		newActivationWatchCmd, newActivationDeleteCmd)
	return cmd
}

// activationStates are what --state takes.
func activationStates() []string {
	return []string{string(activation.Active), string(activation.UsedUp), string(activation.Expired)}
}

func newActivationListCmd(env *Env) *cobra.Command {
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
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if state != "" && !slices.Contains(activationStates(), state) {
				return fault.Usagef("--state %q is not a state", state).WithHint("the states are %s", strings.Join(activationStates(), ", "))
			}
			f.State = activation.State(state)
			return activationList(cmd.Context(), env, f)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only activations in this `state`: active, used_up, expired")
	cmd.Flags().StringVar(&f.Role, "iam-role", "", "only activations for this `role`, path and all")
	cmd.Flags().StringVar(&f.Name, "name", "", "only activations that give their nodes this `name`")
	completeFlag(cmd, "state", activationStates)
	_ = cmd.RegisterFlagCompletionFunc("iam-role", env.completeActivationRole)
	return spans(cmd)
}

func activationList(ctx context.Context, env *Env, f activation.Filter) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	return writeGrid(ctx, env, activationTable, ro, func(ctx context.Context, env *Env) (iter.Seq2[activation.Activation, error], error) {
		svc, err := env.Activations(ctx)
		if err != nil {
			return nil, err
		}
		return svc.List(ctx, f), nil
	})
}

func activationLevel(s activation.State) theme.Level {
	switch s {
	case activation.Active:
		return theme.Good
	case activation.Expired:
		return theme.Idle
	default:
		return theme.Busy
	}
}

func activationTable(o render.Options) render.Table[activation.Activation] {
	return render.Table[activation.Activation]{
		ID:    func(a activation.Activation) string { return a.ID },
		Empty: "no activations match",
		Columns: []render.Column[activation.Activation]{
			{
				Name: "STATE", Text: func(a activation.Activation) string { return string(a.State) },
				Human: func(a activation.Activation) string {
					return o.Styles.Status(activationLevel(a.State), string(a.State))
				},
			},
			{Name: "ACTIVATION ID", ID: true, Text: func(a activation.Activation) string { return a.ID }},
			{Name: "NAME", Text: func(a activation.Activation) string { return a.Name }},
			{Name: "ROLE", Text: func(a activation.Activation) string { return a.Role }},
			{
				Name: "REGISTERED", Text: func(a activation.Activation) string { return fmt.Sprintf("%d/%d", a.Registered, a.Limit) },
				Less: func(a, b activation.Activation) bool { return a.Registered < b.Registered },
			},
			agoColumn(o, "EXPIRES", func(a activation.Activation) time.Time { return a.Expires }),
			{
				Name: "CREATED", Wide: true, Text: func(a activation.Activation) string { return render.Timestamp(a.Created) },
				Human: func(a activation.Activation) string { return render.Ago(o.Now, a.Created) },
				Less:  func(a, b activation.Activation) bool { return a.Created.Before(b.Created) },
			},
			{Name: "DESCRIPTION", Wide: true, Text: func(a activation.Activation) string { return a.Description }},
			{Name: "TAGS", Wide: true, Text: func(a activation.Activation) string { return tagLine(a.Tags) }},
		},
	}
}

// tagLine is a set of tags on one line, in the order of their keys.
func tagLine(tags map[string]string) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, k+"="+tags[k])
	}
	return strings.Join(words, ",")
}

// activationWithNodes is the answer of `activation get`.
type activationWithNodes struct {
	activation.Activation
	Nodes []activation.Node `json:"nodes"`
}

func newActivationGetCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "get <activation-id>",
		Aliases: []string{"show"},
		Short:   "Show an activation and the nodes that have registered with it",
		Long: `Show an activation and the nodes that have registered with it and are still
there. Its code is told by ` + "`activation create`" + ` and never again.`,
		Example: `  $ ssmdeck activation get 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f
  $ ssmdeck activation get 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f -o json --query 'nodes[].id'`,
		Args:              exactArgs("the activation's id"),
		ValidArgsFunction: env.completeActivation,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := activation.CheckID(args[0]); err != nil {
				return err
			}
			return activationGet(cmd.Context(), env, args[0])
		},
	}
}

func activationGet(ctx context.Context, env *Env, id string) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	svc, err := env.Activations(ctx)
	if err != nil {
		return err
	}
	a := activationWithNodes{Nodes: []activation.Node{}}
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
		activationDetails(d, ro, a.Activation)
		if len(a.Nodes) > 0 {
			d.Section("Nodes")
			for _, n := range a.Nodes {
				d.Human(n.ID, strings.TrimSpace(n.Name+" "+n.Ping), render.Visible(n.Name)+"  "+ro.Styles.Status(pingLevel(n.Ping), render.Visible(n.Ping)))
			}
		}
	})
}

func activationDetails(d *render.Detail, o render.Options, a activation.Activation) {
	d.ID(a.ID)
	d.Field("Activation", a.ID)
	d.Human("State", string(a.State), o.Styles.Status(activationLevel(a.State), string(a.State)))
	d.Field("Registered", fmt.Sprintf("%d of %d", a.Registered, a.Limit))
	moment(d, o, "Expires", a.Expires)
	d.Field("Role", a.Role)
	d.Field("Name", a.Name)
	d.Field("Description", a.Description)
	moment(d, o, "Created", a.Created)
	d.Field("Tags", tagLine(a.Tags))
}

func newActivationDeleteCmd(env *Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:     "delete <activation-id>...",
		Aliases: []string{"rm"},
		Short:   "Delete activations, so that nobody registers with them any more",
		Long: `Delete activations. Nobody can register with them from then on; nodes that have
registered stay. The service knows no way to get an activation back.`,
		Example: `  $ ssmdeck activation delete 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f
  $ ssmdeck activation list --state expired -o name | xargs ssmdeck activation delete --yes`,
		Args:              minArgs("the activation's id"),
		ValidArgsFunction: env.completeActivation,
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

func activationDelete(ctx context.Context, env *Env, ids []string, dryRun bool) error {
	svc, err := env.Activations(ctx)
	if err != nil {
		return err
	}
	what := plural(len(ids), "activation")
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
		env.note("would delete %s; nothing was deleted", what)
		return nil
	}
	if err := env.confirm(ctx, "delete "+what); err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		if err := svc.Delete(ctx, id); err != nil {
			failed = append(failed, err)
			continue
		}
		env.note("deleted activation %s; its nodes stay", id)
	}
	return moreThanOne("delete activations", failed, len(ids))
}

// completeActivation completes the ids of activations.
func (e *Env) completeActivation(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none, most = cobra.ShellCompDirectiveNoFileComp, 50
	if len(args) > 0 && cmd.Name() != "delete" {
		return nil, none
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionWait)
	defer cancel()
	svc, err := e.Activations(ctx)
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
