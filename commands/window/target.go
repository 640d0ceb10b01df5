package window

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newTargetCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "target <command>",
		Aliases: []string{"targets"},
		Short:   "What a maintenance window is for: nodes, tags, resource groups",
		Long: `The targets of a window. Tags and groups are looked up when the window opens;
nodes that are named are in it by their ids. A target has up to 5 tags, of which a
node must carry all, or up to 50 nodes.`,
		Example: "  $ ssmdeck window target list weekly-patch\n  $ ssmdeck window target add weekly-patch --name web --tag role=web",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd, newTargetListCmd, newTargetAddCmd, newTargetUpdateCmd, newTargetRemoveCmd)
	return cmd
}

func newTargetListCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:               "list <window>",
		Aliases:           []string{"ls"},
		Short:             "List the targets of a window",
		Example:           "  $ ssmdeck window target list weekly-patch\n  $ ssmdeck window target list weekly-patch -o json",
		Args:              cli.ExactArgs("the window"),
		ValidArgsFunction: completeWindow(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := cli.ListOptions(env, targetTable)
			if err != nil {
				return err
			}
			svc, err := openWindows(cmd.Context(), env)
			if err != nil {
				return err
			}
			w, err := svc.Lookup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			targets, err := svc.Targets(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			return cli.WriteList(env, targetTable, ro, targets)
		},
	}
}

func targetTable(render.Options) render.Table[window.Target] {
	return render.Table[window.Target]{
		ID:    func(t window.Target) string { return t.ID },
		Empty: "the window has no targets",
		Columns: []render.Column[window.Target]{
			{Name: "NAME", Text: func(t window.Target) string { return t.Name }},
			{Name: "TARGET ID", ID: true, Text: func(t window.Target) string { return t.ID }},
			{Name: "TYPE", Text: func(t window.Target) string { return t.ResourceType }},
			{Name: "TARGETS", Text: func(t window.Target) string { return selectorLine(t.Selectors) }},
			{Name: "OWNER", Wide: true, Text: func(t window.Target) string { return t.Owner }},
			{Name: "DESCRIPTION", Wide: true, Text: func(t window.Target) string { return t.Description }},
		},
	}
}

// windowTarget are the flags of target add and target update.
type windowTarget struct {
	targets, tags, groupTypes []string
	name, description, owner  string
	dryRun                    bool
}

func (o *windowTarget) bind(env *cli.Env, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.targets, "target", "t", nil, "a `target`: node id or name, tag:K=V, @group; repeat for more")
	f.StringArrayVar(&o.tags, "tag", nil, "short for -t tag:`KEY=VALUE`; a node must carry all of several")
	f.StringArrayVar(&o.groupTypes, "group-type", nil, "only resources of this `type` in the group, such as AWS::EC2::Instance; repeat for more")
	f.StringVar(&o.name, "name", "", "a `name`, which tasks and files call it by")
	f.StringVar(&o.description, "description", "", "`text` for people")
	f.StringVar(&o.owner, "owner-information", "", "`text` that is in the events of the window's tasks")
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything, show what would be sent and send nothing")
	_ = cmd.RegisterFlagCompletionFunc("target", nodechoice.CompleteTargets(env))
}

// check finds what is wrong before any call.
func (o *windowTarget) check() error {
	targets, err := nodechoice.ParseTargets(o.targets, o.tags)
	if err != nil {
		return err
	}
	_, _, groups, err := sortTargets(targets)
	if err == nil && len(o.groupTypes) > 0 && !groups {
		return fault.Usagef("--group-type goes with a resource group: -t @NAME")
	}
	return err
}

func (o *windowTarget) selectors(ctx context.Context, env *cli.Env) ([]window.Selector, string, error) {
	list, kind, err := windowSelectors(ctx, env, o.targets, o.tags)
	if len(o.groupTypes) > 0 {
		list = append(list, window.Selector{Key: "resource-groups:ResourceTypeFilters", Values: o.groupTypes})
	}
	return list, kind, err
}

func newTargetAddCmd(env *cli.Env) *cobra.Command {
	var o windowTarget
	cmd := &cobra.Command{
		Use:   "add <window> --tag <key=value>",
		Short: "Add a target to a window",
		Long: `Add a target to a window. Nodes that are named are looked up and registered by
their ids, up to 50; tags and groups are looked up when the window opens.`,
		Example: `  $ ssmdeck window target add weekly-patch --name web --tag role=web --tag env=prod
  $ ssmdeck window target add weekly-patch --name databases -t db-1 -t db-2
  $ ssmdeck window target add weekly-patch --name shop -t @shop --group-type AWS::EC2::Instance`,
		Args:              cli.ExactArgs("the window"),
		ValidArgsFunction: completeWindow(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.add(cmd.Context(), env, args[0])
		},
	}
	o.bind(env, cmd)
	return cmd
}

var targetFlagNames = map[string]string{"select": "the target"}

func (o *windowTarget) add(ctx context.Context, env *cli.Env, expr string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := env.RefuseChange("RegisterTargetWithMaintenanceWindow", o.dryRun); err != nil {
		return err
	}
	t := window.Target{Name: o.name, Description: o.description, Owner: o.owner, ResourceType: window.Nodes, Selectors: []window.Selector{{Key: "tag-key", Values: []string{"a"}}}}
	if err := faults("window target add", t.Check(), targetFlagNames); err != nil { // before any call
		return err
	}
	svc, w, err := findWindow(ctx, env, expr)
	if err != nil {
		return err
	}
	if t.Selectors, t.ResourceType, err = o.selectors(ctx, env); err != nil {
		return err
	}
	if err := faults("window target add", t.Check(), targetFlagNames); err != nil {
		return err
	}
	have, err := svc.Targets(ctx, w.ID)
	if err != nil {
		return err
	}
	if t.Name != "" && slices.ContainsFunc(have, func(other window.Target) bool { return other.Name == t.Name }) {
		return fault.New(fault.Conflict, "add target "+t.Name+" to maintenance window "+w.Name, "it has a target of this name").
			WithHint("change it with `ssmdeck window target update %s %s`, or take another name", w.Name, t.Name)
	}
	if o.dryRun {
		env.Note("dry run: would add %s to %s", render.Visible(selectorLine(t.Selectors)), render.Visible(w.Name))
		return nil
	}
	id, err := svc.AddTarget(ctx, w, t)
	if err != nil {
		return err
	}
	env.Note("added %s to %s", render.Visible(selectorLine(t.Selectors)), render.Visible(w.Name))
	return printMade(env, ro, id, map[string]string{"target_id": id, "window_id": w.ID, "name": t.Name})
}

func newTargetUpdateCmd(env *cli.Env) *cobra.Command {
	var o windowTarget
	cmd := &cobra.Command{
		Use:   "update <window> <target>",
		Short: "Change a target of a window",
		Long: `Change a target. Only what is given changes; an empty text takes a value away. What
it selects is replaced as a whole. What differs is shown and asked about.`,
		Example: `  $ ssmdeck window target update weekly-patch web --tag role=web --tag env=prod
  $ ssmdeck window target update weekly-patch web --name frontends --yes`,
		Args:              cli.ExactArgs("the window", "the target"),
		ValidArgsFunction: completePart(env, targetWords),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().NFlag() == 0 {
				return fault.Usagef("%s: nothing to change is given", cmd.CommandPath()).WithHint("see `ssmdeck window target update --help`")
			}
			return o.update(cmd, env, args[0], args[1])
		},
	}
	o.bind(env, cmd)
	return cmd
}

func (o *windowTarget) update(cmd *cobra.Command, env *cli.Env, expr, target string) error {
	ctx := cmd.Context()
	reselect := len(o.targets)+len(o.tags) > 0
	if reselect {
		if err := o.check(); err != nil {
			return err
		}
	}
	if err := env.RefuseChange("UpdateMaintenanceWindowTarget", o.dryRun); err != nil {
		return err
	}
	svc, w, err := findWindow(ctx, env, expr)
	if err != nil {
		return err
	}
	old, err := svc.FindTarget(ctx, w, target)
	if err != nil {
		return err
	}
	next := old
	if cmd.Flags().Changed("name") {
		next.Name = o.name
	}
	if cmd.Flags().Changed("description") {
		next.Description = o.description
	}
	if cmd.Flags().Changed("owner-information") {
		next.Owner = o.owner
	}
	if reselect {
		if next.Selectors, next.ResourceType, err = o.selectors(ctx, env); err != nil {
			return err
		}
		if next.ResourceType != old.ResourceType {
			return fault.Usagef("the target is of type %s, which cannot become %s", old.ResourceType, next.ResourceType).
				WithHint("add another with `ssmdeck window target add %s`, and remove this one", w.Name)
		}
	}
	if err := faults("window target update", next.Check(), targetFlagNames); err != nil {
		return err
	}
	changes := old.Differences(next)
	if len(changes) == 0 {
		env.Note("%s is so already", render.Visible(target))
		return nil
	}
	showDifferences(env, changes)
	if o.dryRun {
		env.Note("dry run: %s was not changed", render.Visible(target))
		return nil
	}
	if err := env.Confirm(ctx, "change the target "+render.Visible(target)+" of "+render.Visible(w.Name)); err != nil {
		return err
	}
	if err := svc.UpdateTarget(ctx, w, next); err != nil {
		return err
	}
	env.Note("changed %s", render.Visible(target))
	return nil
}

func targetWords(ctx context.Context, svc *window.Service, w window.Window) []string {
	targets, err := svc.Targets(ctx, w.ID)
	if err != nil {
		return nil
	}
	var words []string
	for _, t := range targets {
		words = append(words, shortName(t.Name, t.ID)+"\t"+selectorLine(t.Selectors))
	}
	return words
}

func newTargetRemoveCmd(env *cli.Env) *cobra.Command {
	force, dryRun := false, false
	cmd := &cobra.Command{
		Use:     "remove <window> <target>",
		Aliases: []string{"rm"},
		Short:   "Remove a target from a window",
		Long: `Remove a target from a window. One that a task is for is refused, and the tasks
are named; with --force it is removed, and those tasks run on fewer nodes or on
none.`,
		Example:           "  $ ssmdeck window target remove weekly-patch web\n  $ ssmdeck window target remove weekly-patch web --force --yes",
		Args:              cli.ExactArgs("the window", "the target"),
		ValidArgsFunction: completePart(env, targetWords),
		RunE: func(cmd *cobra.Command, args []string) error {
			return removeTarget(cmd.Context(), env, args[0], args[1], force, dryRun)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also when a task is for it")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be removed and remove nothing")
	return cmd
}

func removeTarget(ctx context.Context, env *cli.Env, expr, target string, force, dryRun bool) error {
	if err := env.RefuseChange("DeregisterTargetFromMaintenanceWindow", dryRun); err != nil {
		return err
	}
	svc, w, err := findWindow(ctx, env, expr)
	if err != nil {
		return err
	}
	t, err := svc.FindTarget(ctx, w, target)
	if err != nil {
		return err
	}
	tasks, err := svc.Tasks(ctx, w.ID)
	if err != nil {
		return err
	}
	var users []string
	for _, task := range tasks {
		if slices.Contains(task.WindowTargets(), t.ID) {
			users = append(users, shortName(task.Name, task.ID))
		}
	}
	name := render.Visible(shortName(t.Name, t.ID))
	switch {
	case len(users) > 0 && !force:
		return fault.New(fault.Conflict, "remove target "+name+" from maintenance window "+w.Name, "tasks are for it: %s", strings.Join(users, ", ")).
			WithHint("change those tasks first, or add --force")
	case dryRun:
		env.Note("dry run: would remove %s (%s) from %s", name, render.Visible(selectorLine(t.Selectors)), render.Visible(w.Name))
		return nil
	}
	ask := "remove the target " + name + " (" + render.Visible(selectorLine(t.Selectors)) + ") from " + render.Visible(w.Name)
	if len(users) > 0 {
		ask += ", which these tasks are for: " + render.Visible(strings.Join(users, ", "))
	}
	if err := env.Confirm(ctx, ask); err != nil {
		return err
	}
	if err := svc.RemoveTarget(ctx, w, t, force); err != nil {
		return err
	}
	env.Note("removed %s", name)
	return nil
}
