package patch

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func newBaselineApplyCmd(env *cli.Env) *cobra.Command {
	var (
		file               string
		tags               []string
		noValidate, dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "apply -f <file>",
		Short: "Create or update a baseline so that it says what a file says",
		Long: `Make the baseline with the file's name and operating system say what the file says:
it is created when there is none, changed when it differs, and left alone else. The
file is the whole of it: what it does not name is set back to nothing. Changes are
shown and asked about. The status is 0 also when there was nothing to do.

    name: prod-al2023
    os: AMAZON_LINUX_2023
    rules:
      - classification: [Security]
        severity: [Critical, Important]
        after_days: 7
        level: HIGH
    reject: [kernel*]
    reject_action: BLOCK`,
		Example: `  $ ssmdeck patch baseline apply -f prod-al2023.yaml --dry-run
  $ ssmdeck patch baseline apply -f prod-al2023.yaml --yes
  $ ssmdeck patch baseline export prod-al2023 | ssmdeck patch baseline apply -f - --region eu-west-1`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return fault.Usagef("%s: missing the file", cmd.CommandPath()).WithHint("name it with -f; - is standard input")
			}
			return baselineApply(cmd.Context(), env, file, tags, noValidate, dryRun)
		},
	}
	cli.BindFile(cmd, &file)
	cli.BindTags(cmd.Flags(), &tags, "a new baseline")
	cmd.Flags().BoolVar(&noValidate, "no-validate", false, "take products, classifications and severities that are not documented")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change and change nothing")
	return cmd
}

func baselineApply(ctx context.Context, env *cli.Env, file string, tagTexts []string, noValidate, dryRun bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, baselineOutcome{}); err != nil {
		return err
	}
	tags, err := cli.ParseTags(tagTexts)
	if err != nil {
		return err
	}
	b, err := readBaselineFile(env, file, noValidate)
	if err != nil {
		return err
	}
	if err := env.RefuseChange("UpdatePatchBaseline", dryRun); err != nil {
		return err
	}
	warnBaseline(env, &b)
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	was, err := svc.Named(ctx, b.Name, b.OS)
	switch {
	case err != nil:
		return err
	case was.ID == "":
		if dryRun {
			env.Note("dry run: CreatePatchBaseline was not sent")
			return showBaseline(env, ro, b)
		}
		if err := env.Confirm(ctx, fmt.Sprintf("create the baseline %s for %s", b.Name, b.OS)); err != nil {
			return err
		}
		id, err := svc.Create(ctx, b, tags)
		if err != nil {
			return err
		}
		return writeBaselineOutcome(env, ro, baselineOutcome{"created", id, b.Name, b.OS})
	case was.AWS:
		return fault.Usagef("%s is AWS's own and cannot be changed", was.Name).WithHint("give the file another name")
	}
	b.ID, b.Groups = was.ID, was.Groups
	return changeBaseline(ctx, env, ro, svc, was, b, true, dryRun)
}
