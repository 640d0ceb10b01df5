package window

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// newSwitchCmd is enable or disable.
func newSwitchCmd(env *cli.Env, on bool) *cobra.Command {
	word, short := "enable", "Enable a window: it opens again when its schedule says so"
	long := "Enable a window. It opens the next time that its schedule says so; what it missed is not made up for."
	if !on {
		word, short = "disable", "Disable a window: it does not open until it is enabled"
		long = "Disable a window. An execution that runs goes on; `ssmdeck window execution cancel` stops it."
	}
	dryRun := false
	cmd := &cobra.Command{
		Use: word + " <window>...", Short: short, Long: long,
		Example: "  $ ssmdeck window " + word + " weekly-patch\n  $ ssmdeck window " + word + " mw-0123456789abcdef0 --yes",
		Args:    cli.MinArgs("the window"), ValidArgsFunction: completeWindows(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return switchWindows(cmd.Context(), env, args, on, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change and change nothing")
	return cmd
}

func switchWindows(ctx context.Context, env *cli.Env, exprs []string, on, dryRun bool) error {
	if err := env.RefuseChange("UpdateMaintenanceWindow", dryRun); err != nil {
		return err
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	word := map[bool]string{true: "enable", false: "disable"}[on]
	var todo []window.Window
	var names []string
	svc, err := openWindows(ctx, env)
	if err != nil {
		return err
	}
	list, err := namedWindows(ctx, svc, exprs)
	if err != nil {
		return err
	}
	for _, w := range list {
		if w, err = svc.Get(ctx, w.ID); err != nil {
			return err
		}
		if w.Enabled == on {
			env.Note("%s is %sd already", render.Visible(w.Name), word)
			continue
		}
		todo, names = append(todo, w), append(names, render.Visible(w.Name))
	}
	switch {
	case len(todo) == 0:
		return nil
	case dryRun:
		env.Note("dry run: would %s %s", word, strings.Join(names, ", "))
		return nil
	}
	if on {
		for _, w := range todo {
			w.Enabled = true
			showSchedule(env, ro, w)
		}
	}
	if err := env.Confirm(ctx, word+" "+strings.Join(names, ", ")); err != nil {
		return err
	}
	var failed []error
	for _, w := range todo {
		next := w
		next.Enabled = on
		if err := svc.Update(ctx, w, next); err != nil {
			failed = append(failed, err)
			continue
		}
		env.Note("%sd %s", word, render.Visible(w.Name))
	}
	return cli.MoreThanOne(word+" maintenance windows", failed, len(todo))
}

func newDeleteCmd(env *cli.Env) *cobra.Command {
	dryRun := false
	cmd := &cobra.Command{
		Use:     "delete <window>...",
		Aliases: []string{"rm"},
		Short:   "Delete windows with their targets, tasks and history",
		Long: `Delete windows. Their targets and tasks go with them, and so does the record of
their executions; what that is, is said before it is asked. There is no undo:
` + "`ssmdeck window export`" + ` writes a file that makes a window again.`,
		Example: `  $ ssmdeck window export weekly-patch > weekly-patch.yaml && ssmdeck window delete weekly-patch
  $ ssmdeck window delete mw-0123456789abcdef0 --dry-run`,
		Args: cli.MinArgs("the window"), ValidArgsFunction: completeWindows(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return deleteWindows(cmd.Context(), env, args, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be lost and delete nothing")
	return cmd
}

func deleteWindows(ctx context.Context, env *cli.Env, exprs []string, dryRun bool) error {
	if err := env.RefuseChange("DeleteMaintenanceWindow", dryRun); err != nil {
		return err
	}
	svc, err := openWindows(ctx, env)
	if err != nil {
		return err
	}
	list, err := namedWindows(ctx, svc, exprs)
	if err != nil {
		return err
	}
	known, err := svc.ReadAll(ctx, list, window.Read{Targets: true, Tasks: true, Last: true, Lenient: true})
	if err != nil {
		return err
	}
	noteDenied(env, known)
	var names []string
	for _, k := range known {
		names = append(names, render.Visible(k.Name))
		env.Note("%s %s: %s, %s and their history are lost%s", render.Visible(k.Name), k.ID,
			cli.Plural(len(k.Targets), "target"), cli.Plural(len(k.Tasks), "task"), runningNow(k))
	}
	if dryRun {
		env.Note("dry run: nothing was deleted")
		return nil
	}
	if err := env.Confirm(ctx, "delete "+strings.Join(names, ", ")); err != nil {
		return err
	}
	var failed []error
	for _, k := range known {
		if err := svc.Delete(ctx, k.Window); err != nil {
			failed = append(failed, err)
			continue
		}
		env.Note("deleted %s", render.Visible(k.Name))
	}
	return cli.MoreThanOne("delete maintenance windows", failed, len(known))
}

func runningNow(k window.Known) string {
	if k.Last != nil && !k.Last.State.Final() {
		return "; it is open now (" + k.Last.ID + ")"
	}
	return ""
}
