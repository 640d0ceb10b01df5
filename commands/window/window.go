package window

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// NewCmd is `ssmdeck window`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "window <command>",
		Aliases: []string{"windows", "maintenance-window", "mw"},
		Short:   "Maintenance windows: when things may run",
		Long: `Maintenance windows run their tasks on their targets when their schedule says so.
A window is named by its id or its name.`,
		Example: `  $ ssmdeck window list
  $ ssmdeck window create weekly-patch --schedule 'cron(0 2 ? * SUN *)' --duration 3 --cutoff 1 --timezone Europe/Berlin
  $ ssmdeck window target add weekly-patch --name web --tag role=web
  $ ssmdeck window task add weekly-patch patch --operation install --window-target web
  $ ssmdeck window watch weekly-patch --next`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd,
		newListCmd, newGetCmd, newCreateCmd, newUpdateCmd, windowSwitch(true),
		windowSwitch(false), newDeleteCmd, newTargetCmd, newTaskCmd, newExecutionCmd,
		newWatchCmd, newExportCmd, newPlanCmd, newApplyCmd, newScheduleCmd,
		newCalendarCmd, newPreviewCmd, newCoverageCmd,
	)
	return cmd
}

// windowSwitch makes the command that enables or disables windows.
func windowSwitch(on bool) func(*cli.Env) *cobra.Command {
	return func(env *cli.Env) *cobra.Command { return newSwitchCmd(env, on) }
}

// openWindows returns the service that knows maintenance windows.
func openWindows(ctx context.Context, env *cli.Env) (*window.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return window.New(scope.SSM()), nil
}

// findWindow finds the one window that an id or a name means.
func findWindow(ctx context.Context, env *cli.Env, expr string) (*window.Service, window.Window, error) {
	svc, err := openWindows(ctx, env)
	if err != nil {
		return nil, window.Window{}, err
	}
	w, err := svc.Find(ctx, expr)
	return svc, w, err
}

// completeWindow completes names of windows, and ids where names do not tell them
// apart.
func completeWindow(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if len(args) > 0 {
			return nil, none
		}
		return windowWords(cmd.Context(), env), none
	}
}

func windowWords(ctx context.Context, env *cli.Env) []string {
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	svc, err := openWindows(ctx, env)
	if err != nil {
		return nil
	}
	count := map[string]int{}
	var all []window.Window
	for w, err := range svc.List(ctx, window.Filter{}) {
		if err != nil {
			break
		}
		count[w.Name]++
		all = append(all, w)
	}
	var words []string
	for _, w := range all {
		word, also := w.Name, w.ID
		if count[w.Name] > 1 {
			word, also = also, word
		}
		words = append(words, word+"\t"+also+" "+w.Schedule)
	}
	return words
}

// completeWindows completes several windows.
func completeWindows(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		words := slices.DeleteFunc(windowWords(cmd.Context(), env), func(w string) bool {
			name, _, _ := strings.Cut(w, "\t")
			return slices.Contains(args, name)
		})
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// completePart completes a window, and then one of its parts.
func completePart(env *cli.Env, words func(ctx context.Context, svc *window.Service, w window.Window) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return completeWindow(env)(cmd, args, typed)
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := openWindows(ctx, env)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		w, err := svc.Lookup(ctx, args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(ctx, svc, w), cobra.ShellCompDirectiveNoFileComp
	}
}

// faults makes one error of what is wrong with the fields of a window or a
// part of one: each is named by its flag, or by what flags calls it.
func faults(path string, list []window.Fault, flags map[string]string) error {
	if len(list) == 0 {
		return nil
	}
	var errs []error
	for _, f := range list {
		name, ok := flags[f.Field]
		if !ok {
			name = "--" + strings.ReplaceAll(f.Field, "_", "-")
		}
		text := f.Text
		if len(list) > 1 {
			text = f.Line()
		}
		errs = append(errs, fault.Usagef("%s: %s", name, text))
	}
	if len(errs) == 1 {
		return fault.Usagef("%w", errs[0]).WithHint("%s", list[0].Hint)
	}
	return cli.AllFaults(path, errs)
}

// windowSelectors makes of targets and tags what a window's target is made of, and
// says of which type. Ids are looked up; tags and groups are what they are on the
// day that the window opens.
func windowSelectors(ctx context.Context, env *cli.Env, exprs, tags []string) (list []window.Selector, resourceType string, err error) {
	targets, err := nodechoice.ParseTargets(exprs, tags)
	if err != nil {
		return nil, "", err
	}
	named, list, groups, err := sortTargets(targets)
	if err != nil {
		return nil, "", err
	}
	if groups {
		return list, window.Groups, nil
	}
	if len(named) == 0 {
		return list, window.Nodes, nil
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, "", err
	}
	nodes, err := nodechoice.Members(ctx, svc, named, fleet.Filter{})
	if err != nil {
		return nil, "", err
	}
	ids := window.Selector{Key: "InstanceIds"}
	for _, n := range nodes {
		ids.Values = append(ids.Values, n.ID)
	}
	if slices.ContainsFunc(named, func(t fleet.Target) bool { return t.Kind != fleet.KindID && t.Kind != fleet.KindName }) {
		env.Note("the nodes of today are meant, by their ids: those that come later are not in it; tags would have them")
	}
	return append(list, ids), window.Nodes, nil
}

// sortTargets tells nodes, which are looked up, from tags and groups. No call is
// made.
func sortTargets(targets []fleet.Target) (named []fleet.Target, list []window.Selector, groups bool, err error) {
	for _, t := range targets {
		switch t.Kind {
		case fleet.KindTag:
			list = append(list, window.Selector{Key: "tag:" + t.Key, Values: t.Values})
		case fleet.KindTagKey:
			list = append(list, window.Selector{Key: "tag-key", Values: []string{t.Key}})
		case fleet.KindGroup:
			groups = true
			list = append(list, window.Selector{Key: "resource-groups:Name", Values: []string{t.Value}})
		case fleet.KindAll:
			return nil, nil, false, fault.Usagef("a window has no target that means all nodes").WithHint("choose nodes by a tag that all of them have: --tag KEY")
		case fleet.KindECS:
			return nil, nil, false, fault.Usagef("%s is a container, and windows are for nodes", t.Expr)
		default:
			named = append(named, t)
		}
	}
	switch {
	case len(targets) == 0:
		return nil, nil, false, fault.Usagef("no target is given").WithHint("choose nodes with --tag KEY=VALUE, or name them with -t")
	case groups && len(list)+len(named) > 1:
		return nil, nil, false, fault.Usagef("a resource group stands alone in a target")
	case len(named) > 0 && len(list) > 0:
		return nil, nil, false, fault.Usagef("a target is made of nodes or of tags, not of both").WithHint("make two targets")
	}
	return named, list, groups, nil
}

// styledState is a state for people.
func styledState(o render.Options, s window.State) string {
	if s == "" {
		return ""
	}
	return o.Styles.Status(levels.Window(s), render.Visible(string(s)))
}
