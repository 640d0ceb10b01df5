package patch

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newBaselineDeleteCmd(env *cli.Env) *cobra.Command {
	var (
		os     osFlag
		dryRun bool
	)
	cmd := &cobra.Command{
		Use: "delete <baseline>", Aliases: []string{"rm"},
		Short: "Delete a baseline that nobody uses",
		Long: `Delete a baseline. One that is the default, or that patch groups are registered
with, is not deleted: who uses it is said instead.`,
		Example: `  $ ssmdeck patch baseline delete test-al2023
  $ ssmdeck patch baseline delete pb-0123456789abcdef0 --yes`,
		Args: cli.ExactArgs("the baseline"), ValidArgsFunction: completeBaseline(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			return baselineDelete(cmd.Context(), env, args[0], system, dryRun)
		},
	}
	os.bind(cmd, "where several have the name, that of this")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say whether it could be deleted and delete nothing")
	return cmd
}

func baselineDelete(ctx context.Context, env *cli.Env, word, os string, dryRun bool) error {
	if err := env.RefuseChange("DeletePatchBaseline", dryRun); err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	b, err := readBaseline(ctx, svc, word, os)
	if err != nil {
		return err
	}
	op := "delete the baseline " + b.Label()
	switch {
	case b.AWS:
		return fault.New(fault.Usage, op, "it is AWS's own")
	case len(b.Groups) > 0:
		return fault.New(fault.Conflict, op, "the patch groups %s are registered with it", render.Visible(cli.SomeOf(b.Groups, 5))).
			WithHint("first `ssmdeck patch group deregister '%s' %s`", render.Visible(b.Groups[0]), baseline.ShortID(b.ID))
	case b.Default:
		return fault.New(fault.Conflict, op, "it is the default of %s", b.OS).WithHint("first `ssmdeck patch baseline set-default %s`", baseline.Predefined(b.OS))
	case dryRun:
		env.Note("dry run: %s could be deleted: no group uses it, and it is no default", b.Label())
		return nil
	}
	if err := env.Confirm(ctx, op); err != nil {
		return err
	}
	if err := svc.Delete(ctx, b.ID); err != nil {
		return err
	}
	env.Note("%s is deleted", b.Label())
	return nil
}

func newBaselineDefaultCmd(env *cli.Env) *cobra.Command {
	var (
		os     osFlag
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "set-default <baseline>",
		Short: "Make a baseline the default of its operating system",
		Long: `Make a baseline the default of its operating system: all its nodes in the account
and Region go by it, but for those whose patch group is registered with another.
What is the default now is said and asked about.`,
		Example: `  $ ssmdeck patch baseline set-default prod-al2023
  $ ssmdeck patch baseline set-default AWS-AmazonLinux2023DefaultPatchBaseline --yes`,
		Args: cli.ExactArgs("the baseline"), ValidArgsFunction: completeBaseline(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			return baselineSetDefault(cmd.Context(), env, args[0], system, dryRun)
		},
	}
	os.bind(cmd, "where several have the name, that of this")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change and change nothing")
	return cmd
}

func baselineSetDefault(ctx context.Context, env *cli.Env, word, os string, dryRun bool) error {
	if err := env.RefuseChange("RegisterDefaultPatchBaseline", dryRun); err != nil {
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
	id, err := svc.DefaultID(ctx, b.OS)
	switch {
	case err != nil:
		return err
	case baseline.SameID(id, b.ID):
		env.Note("no change: %s is the default of %s already", b.Label(), b.OS)
		return nil
	}
	was := baseline.ShortID(id)
	if old, err := svc.Get(ctx, id); err == nil { // for people only
		was = old.Label()
	}
	if dryRun {
		env.Note("dry run: the default of %s would be %s instead of %s", b.OS, b.Label(), was)
		return nil
	}
	if err := env.Confirm(ctx, fmt.Sprintf("make %s the default of %s instead of %s, for every node without a group of its own", b.Label(), b.OS, was)); err != nil {
		return err
	}
	if err := svc.SetDefault(ctx, b.ID); err != nil {
		return err
	}
	env.Note("%s is the default of %s", b.Label(), b.OS)
	return nil
}
