package patch

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// completeGroupAndBaseline completes a group, then a baseline.
func completeGroupAndBaseline(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return completeGroup(env)(cmd, args, typed)
		}
		return completeBaseline(env, 2)(cmd, args, typed)
	}
}

func newGroupRegisterCmd(env *cli.Env) *cobra.Command {
	var (
		os     osFlag
		dryRun bool
	)
	cmd := &cobra.Command{
		Use: "register <group> <baseline>", Aliases: []string{"set"},
		Short: "Have the nodes of a patch group go by a baseline",
		Long: `Register a patch group with a baseline: nodes that carry the group and have the
baseline's operating system go by it from their next scan on. A group that is
registered with another baseline of the system is not moved unless --replace is
given: what is changed for its nodes is said and asked about.`,
		Example: `  $ ssmdeck patch group register web prod-al2023
  $ ssmdeck patch group register 'web servers' pb-0123456789abcdef0 --replace --dry-run`,
		Args: cli.ExactArgs("the patch group", "the baseline"), ValidArgsFunction: completeGroupAndBaseline(env),
	}
	replace := cmd.Flags().Bool("replace", false, "take it from the baseline that it is registered with")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change and change nothing")
	os.bind(cmd, "where several baselines have the name, that of this")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		system, err := os.parse()
		if err != nil {
			return err
		}
		return groupRegister(cmd.Context(), env, args[0], args[1], system, *replace, dryRun)
	}
	return cmd
}

func groupRegister(ctx context.Context, env *cli.Env, group, word, os string, replace, dryRun bool) error {
	if err := baseline.CheckGroup(group); err != nil {
		return err
	}
	if err := env.RefuseChange("RegisterPatchBaselineForPatchGroup", dryRun); err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	b, err := svc.Read(ctx, word, os)
	if err != nil {
		return err
	}
	mappings, err := svc.Registered(ctx, group)
	if err != nil {
		return err
	}
	old := ""
	if i := slices.IndexFunc(mappings, func(m baseline.Mapping) bool { return m.Baseline.OS == b.OS }); i >= 0 {
		was := mappings[i].Baseline
		switch {
		case baseline.SameID(was.ID, b.ID):
			env.Note("no change: %s is registered with %s already", render.Visible(group), b.Label())
			return nil
		case !replace:
			return fault.New(fault.Conflict, "register the patch group "+group, "for %s it is registered with %s already", b.OS, was.Label()).
				WithHint("add --replace to move it")
		}
		old = was.ID
	}
	what := fmt.Sprintf("have nodes of the patch group %s with %s go by %s", render.Visible(group), b.OS, b.Label())
	if old != "" {
		what += " instead of " + baseline.ShortID(old)
	}
	if dryRun {
		env.Note("dry run: would %s", what)
		return nil
	}
	if old != "" {
		if err := env.Confirm(ctx, what); err != nil {
			return err
		}
		if err := svc.Deregister(ctx, group, old); err != nil {
			return err
		}
	}
	if err := svc.Register(ctx, group, b.ID); err != nil {
		if old == "" {
			return err
		}
		if back := svc.Register(context.WithoutCancel(ctx), group, old); back != nil {
			return fault.New(fault.KindOf(err), "register the patch group "+group, "%w; and it could not be registered with %s again: %w", err, baseline.ShortID(old), back).
				WithHint("its nodes go by the default baseline now; `ssmdeck patch group register '%s' %s`", render.Visible(group), baseline.ShortID(old))
		}
		return err
	}
	env.Note("%s goes by %s for %s, from the next scan of each node on", render.Visible(group), b.Label(), b.OS)
	return nil
}

func newGroupDeregisterCmd(env *cli.Env) *cobra.Command {
	var (
		os     osFlag
		dryRun bool
	)
	cmd := &cobra.Command{
		Use: "deregister <group> <baseline>", Aliases: []string{"unset"},
		Short: "Have the nodes of a patch group go by the default baseline again",
		Example: `  $ ssmdeck patch group deregister web prod-al2023
  $ ssmdeck patch group deregister 'web servers' pb-0123456789abcdef0 --yes`,
		Args: cli.ExactArgs("the patch group", "the baseline"), ValidArgsFunction: completeGroupAndBaseline(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			return groupDeregister(cmd.Context(), env, args[0], args[1], system, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change and change nothing")
	os.bind(cmd, "where several baselines have the name, that of this")
	return cmd
}

func groupDeregister(ctx context.Context, env *cli.Env, group, word, os string, dryRun bool) error {
	if err := baseline.CheckGroup(group); err != nil {
		return err
	}
	if err := env.RefuseChange("DeregisterPatchBaselineForPatchGroup", dryRun); err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	b, err := svc.Read(ctx, word, os)
	if err != nil {
		return err
	}
	if !slices.Contains(b.Groups, group) {
		err := fault.New(fault.NotFound, "deregister the patch group "+group, "it is not registered with %s", b.Label())
		if len(b.Groups) > 0 {
			return err.WithHint("these are: %s", render.Visible(cli.SomeOf(b.Groups, 5)))
		}
		return err.WithHint("no group is; `ssmdeck patch group list` shows where it is")
	}
	id, err := svc.DefaultID(ctx, b.OS)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("have nodes of the patch group %s with %s go by the default baseline %s instead of %s", render.Visible(group), b.OS, baseline.ShortID(id), b.Label())
	if dryRun {
		env.Note("dry run: would %s", what)
		return nil
	}
	if err := env.Confirm(ctx, what); err != nil {
		return err
	}
	if err := svc.Deregister(ctx, group, b.ID); err != nil {
		return err
	}
	env.Note("%s is no longer registered with %s", render.Visible(group), b.Label())
	return nil
}

// groupBaseline is the answer of `patch group baseline`: which one applies.
type groupBaseline struct {
	Group        string `json:"group"`
	OS           string `json:"os"`
	Baseline     string `json:"baseline"`
	BaselineName string `json:"baseline_name"`
	Registered   bool   `json:"registered"`
}

func newGroupBaselineCmd(env *cli.Env) *cobra.Command {
	var os osFlag
	cmd := &cobra.Command{
		Use:   "baseline <group> --os <system>",
		Short: "Show which baseline the nodes of a patch group go by",
		Long: `Show which baseline nodes of a group with an operating system go by, as the service
decides it: the one that is registered, else the default. Without --os it is shown for
every system that the group is registered for.`,
		Example: `  $ ssmdeck patch group baseline web --os al2023
  $ ssmdeck patch group baseline web -o name`,
		Args: cli.ExactArgs("the patch group"), ValidArgsFunction: completeGroup(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			return groupBaselines(cmd.Context(), env, args[0], system)
		},
	}
	os.bind(cmd, "for this")
	return cmd
}

func groupBaselines(ctx context.Context, env *cli.Env, group, os string) error {
	if err := baseline.CheckGroup(group); err != nil {
		return err
	}
	ro, err := cli.ListOptions(env, groupBaselineTable)
	if err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	mappings, err := svc.Registered(ctx, group)
	if err != nil {
		return err
	}
	systems := []string{os}
	if os == "" {
		systems = nil
		for _, m := range mappings {
			systems = append(systems, m.Baseline.OS)
		}
		if len(systems) == 0 {
			return unknownGroup(ctx, svc, group)
		}
	}
	var rows []groupBaseline
	for _, system := range systems {
		id, err := svc.ForGroup(ctx, group, system)
		if err != nil {
			return err
		}
		b, err := svc.Get(ctx, id)
		if err != nil {
			return err
		}
		rows = append(rows, groupBaseline{group, system, id, b.Name, slices.ContainsFunc(mappings, func(m baseline.Mapping) bool { return baseline.SameID(m.Baseline.ID, id) })})
	}
	return cli.WriteList(env, groupBaselineTable, ro, rows)
}

func groupBaselineTable(render.Options) render.Table[groupBaseline] {
	return render.Table[groupBaseline]{
		ID: func(r groupBaseline) string { return r.Baseline }, Empty: "there is no such group",
		Columns: []render.Column[groupBaseline]{
			{Name: "GROUP", Text: func(r groupBaseline) string { return r.Group }},
			{Name: "OS", Text: func(r groupBaseline) string { return r.OS }},
			{Name: "BASELINE", Text: func(r groupBaseline) string { return r.BaselineName }},
			{Name: "BY", Text: func(r groupBaseline) string { return byWhat(r.Registered) }},
			{Name: "BASELINE ID", ID: true, Text: func(r groupBaseline) string { return baseline.ShortID(r.Baseline) }},
		},
	}
}
