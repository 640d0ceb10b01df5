package param

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newPlanCmd(env *cli.Env) *cobra.Command {
	var (
		o     files
		out   string
		force bool
	)
	cmd := &cobra.Command{
		Use:   "plan <file or folder>...",
		Short: "Show what apply would change, and change nothing",
		Long: `Compare files with the parameters that are there and with what was last applied, and
show what apply would do. Nothing is changed. Values are not shown without --show.

The status is 0 when there is nothing to do, 6 when there are changes, and 7 when
apply would refuse: somebody else has changed a parameter since it was applied, or it
is there with other content and was never applied from these files.

With --no-secrets the values of SecureStrings are left alone: where pull requests are
checked, neither they nor the right to decrypt them are needed.`,
		Example: `  $ ssmdeck param plan params/
  $ ssmdeck param plan params/app/prod.yaml --show
  $ ssmdeck param plan params/ --no-secrets
  $ ssmdeck param plan params/ --prune --out plan.json`,
		Args: cli.MinArgs("file or folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := cli.ListOptions(env, planTable)
			if err != nil {
				return err
			}
			file := cli.OutputFile{Flag: "out", Path: out, Force: force, Mode: 0o600}
			if out != "" {
				if o.without {
					return fault.Usagef("--out keeps a plan for apply, and with --no-secrets it is not a whole one").WithHint("leave one of them out")
				}
				if err := file.Check(); err != nil {
					return err
				}
			}
			t, _, err := o.open(cmd.Context(), env, "check what would be written", args, false)
			if err != nil {
				return err
			}
			if forPeople(ro) {
				if _, err := fmt.Fprint(env.Out, strings.Join(append(o.lines(t.plan, ro.Styles), ""), "\n")); err != nil {
					return err
				}
			} else if err := cli.WriteList(env, planTable, ro, t.plan.Actions); err != nil {
				return err
			}
			sayParamPlan(env, t.plan)
			if o.without {
				env.Note("the values of SecureStrings were not compared")
			}
			if err := conflict("compare with what is there", t.plan, driftHint); err != nil {
				return err
			}
			if out != "" {
				raw, err := json.MarshalIndent(t.plan.Saved(t.account, t.region), "", "  ")
				if err != nil {
					return err
				}
				if err := file.Write(append(raw, '\n')); err != nil {
					return err
				}
				env.Note("the plan is in %s, without values: `ssmdeck param apply --plan` makes exactly these changes", out)
			}
			if n := t.plan.Pending(); n > 0 {
				return fault.New(fault.RemoteFailed, "compare with account "+t.account+" in "+t.region, "%s to make", cli.Plural(n, "change")).
					WithHint("`ssmdeck param apply %s` makes them", o.words(args))
			}
			return nil
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&o.without, "no-secrets", false, "do not compare the values of SecureStrings: none are read here or there")
	cmd.Flags().StringVar(&out, "out", "", "keep the plan in a new `file`, for apply --plan; no values are in it")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file of --out")
	return cmd
}

const driftHint = "put what is there into the file to keep it, or write over it with --accept-drift, or --replace where that is not possible; --only chooses parameters"

// words are the arguments and flags that make of a plan what it is, to be pasted.
func (o *files) words(args []string) string {
	words := slices.Clone(args)
	for flag, on := range map[string]bool{"--prune": o.prune, "--accept-drift": o.drift, "--replace": o.replace} {
		if on {
			words = append(words, flag)
		}
	}
	slices.Sort(words[len(args):])
	for _, w := range o.only {
		words = append(words, "--only", w)
	}
	for _, w := range o.except {
		words = append(words, "--except", w)
	}
	if o.state != "" {
		words = append(words, "--state", o.state)
	}
	for i, w := range words {
		words[i] = render.ShellWord(w)
	}
	return strings.Join(words, " ")
}

func newApplyCmd(env *cli.Env) *cobra.Command {
	var (
		o    files
		plan string
	)
	cmd := &cobra.Command{
		Use:   "apply <file or folder>...",
		Short: "Make parameters as files describe them",
		Long: `Make parameters as files describe them. What would change is shown and asked about.
What is in no file stays; with --prune, parameters that were applied from these files
and are not in them any more are deleted. Other parameters are never touched.

Which version of each parameter was applied is kept beside the files, and nothing of
its value. When somebody else has changed a parameter since, nothing is written.

When something fails, the others go on, and what was done is told. Applying again goes
on where this ended, also after the program was killed.`,
		Example: `  $ ssmdeck param apply params/
  $ ssmdeck param apply params/ --prune --yes
  $ ssmdeck param apply params/ --plan plan.json --yes
  $ ssmdeck param apply params/app/prod.yaml --only 'db-*' --accept-drift`,
		Args: cli.MinArgs("file or folder"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, args, plan) },
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would change and change nothing")
	cmd.Flags().StringVar(&plan, "plan", "", "only what `file` of plan --out says; refused when it would be something else now")
	return cmd
}

func (o *files) run(cmd *cobra.Command, env *cli.Env, args []string, plan string) error {
	ctx := cmd.Context()
	ro, err := cli.ListOptions(env, planTable)
	if err != nil {
		return err
	}
	if err := env.RefuseChange("PutParameter", o.dryRun); err != nil {
		return err
	}
	var saved paramplan.Saved
	if plan != "" {
		if saved, err = paramplan.ReadPlan(plan); err != nil {
			return err
		}
	}
	t, release, err := o.open(ctx, env, "check what would be written", args, !o.dryRun)
	defer func() { release() }()
	if err != nil {
		return err
	}
	if plan != "" {
		if moved := saved.Moved(t.plan.Saved(t.account, t.region)); len(moved) > 0 {
			return fault.New(fault.Refused, "apply the plan "+plan, "it is not what would be done now: %s", strings.Join(moved, "; ")).
				WithHint("plan again, with the same flags")
		}
	}
	for _, line := range o.lines(t.plan, env.ErrStyles()) {
		env.Note("%s", line)
	}
	sayParamPlan(env, t.plan)
	if err := conflict("apply", t.plan, driftHint); err != nil {
		return err
	}
	switch n := t.plan.Pending(); {
	case o.dryRun:
		env.Note("dry run: %s not made", cli.Plural(n, "change"))
		if !forMachines(ro) {
			return nil
		}
		return cli.WriteList(env, planTable, ro, t.plan.Actions)
	case n > 0:
		if err := env.Confirm(ctx, question(t.plan, "account "+t.account+" in "+t.region)); err != nil {
			return err
		}
	}
	o.again = "apply again: it goes on where this ended"
	return o.apply(ctx, env, ro, t.store, t.state, t.plan)
}
