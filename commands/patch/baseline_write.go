package patch

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// baselineOutcome is what create, update and apply did.
type baselineOutcome struct {
	Result string `json:"result"` // created, updated, unchanged
	ID     string `json:"id"`
	Name   string `json:"name"`
	OS     string `json:"os"`
}

func writeBaselineOutcome(env *cli.Env, ro render.Options, r baselineOutcome) error {
	return render.Object(env.Out, ro, r, func(d *render.Detail) {
		d.ID(r.ID)
		d.Field("Result", r.Result)
		d.Field("Id", r.ID)
		d.Field("Name", r.Name)
		d.Field("OS", r.OS)
	})
}

func newBaselineCreateCmd(env *cli.Env) *cobra.Command {
	var (
		o    baselineFlags
		os   osFlag
		from string
		tags []string
	)
	cmd := &cobra.Command{
		Use: "create <name> --os <system>", Aliases: []string{"new"},
		Short: "Make a baseline from rules and lists, or from another one",
		Long: `Make a baseline. --from copies another one first: an id, a name, or aws-default,
which is AWS's own for the operating system; flags then change the copy, and
--after the delay of all its rules.

` + ruleHelp + `

Everything is checked before it is sent. Nodes go by the new baseline once a group
is registered with it (ssmdeck patch group register) or it is made the default.`,
		Example: `  $ ssmdeck patch baseline create prod-al2023 --os al2023 --rule 'classification=Security severity=Critical,Important after=7d level=high' --reject 'kernel*'
  $ ssmdeck patch baseline create db-windows --os windows --from aws-default --after 14d
  $ ssmdeck patch baseline create web-ubuntu --os ubuntu --rule 'priority=Required,Important' --dry-run`,
		Args: cli.ExactArgs("the name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			return baselineCreate(cmd.Context(), env, &o, args[0], system, from, tags)
		},
	}
	o.bind(cmd, false)
	os.bind(cmd, "the operating")
	cmd.Flags().StringVar(&from, "from", "", "copy this `baseline` first: id, name, or aws-default")
	cli.CompleteFlag(cmd, "from", func() []string {
		return append(baselineWords(context.Background(), env), "aws-default\tAWS's own for the system")
	})
	cli.BindTags(cmd.Flags(), &tags, "the baseline")
	return cmd
}

func baselineCreate(ctx context.Context, env *cli.Env, o *baselineFlags, name, os, from string, tagTexts []string) error {
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
	p := o.parse(env)
	b := baseline.Baseline{Name: name, OS: os}
	switch {
	case os == "" && (from == "" || from == "aws-default"):
		p.problems = append(p.problems, baseline.Problem{Field: "--os", Text: "is missing", Hint: "the service would take WINDOWS; say which system it is for"})
		b.OS = "" // and what depends on it is not told
	case o.after != "" && from == "" && len(p.rules) == 0:
		p.problems = append(p.problems, baseline.Problem{Field: "--after", Text: "there is no rule to change", Hint: "it goes with --from or --rule"})
	}
	o.apply(&b, p)
	if os == "" && len(p.problems) > 0 {
		return baseline.Fault("the baseline", p.problems)
	}
	if os != "" || from == "" {
		if err := baseline.Fault("the baseline", append(p.problems, b.Check(o.noValidate)...)); err != nil {
			return err
		}
	}
	if err := env.RefuseChange("CreatePatchBaseline", o.dryRun); err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	if from != "" {
		if b, err = copyBaseline(ctx, svc, name, os, from); err != nil {
			return err
		}
		o.apply(&b, p)
	}
	if err := o.check(env, &b, p); err != nil {
		return err
	}
	if o.dryRun {
		env.Note("dry run: CreatePatchBaseline was not sent")
		return showBaseline(env, ro, b)
	}
	if err := noSuchBaseline(ctx, svc, b); err != nil {
		return err
	}
	id, err := svc.Create(ctx, b, tags)
	if err != nil {
		return err
	}
	env.Note("no node goes by it yet: `ssmdeck patch group register GROUP %s` or `ssmdeck patch baseline set-default %s`", id, id)
	return writeBaselineOutcome(env, ro, baselineOutcome{"created", id, b.Name, b.OS})
}

// copyBaseline reads the baseline to start from, under another name.
func copyBaseline(ctx context.Context, svc *baseline.Service, name, os, from string) (baseline.Baseline, error) {
	if from == "aws-default" {
		from = baseline.Predefined(os)
	}
	b, err := svc.Read(ctx, from, os)
	switch {
	case err != nil:
		return b, err
	case os != "" && b.OS != os:
		return b, fault.Usagef("--from %s is for %s, and --os says %s", from, b.OS, os).WithHint("filters and values differ from system to system; leave --os out to copy it for %s", b.OS)
	}
	b = b.File()
	b.Name = name
	return b, nil
}

// noSuchBaseline refuses a second baseline of one name and system: the service
// would make it, and the name would mean neither.
func noSuchBaseline(ctx context.Context, svc *baseline.Service, b baseline.Baseline) error {
	for have, err := range svc.List(ctx, baseline.Query{NamePrefix: b.Name, OS: b.OS}) {
		switch {
		case err != nil:
			return err
		case have.Name == b.Name:
			return fault.New(fault.Conflict, "create the baseline "+b.Name, "there is one for %s already: %s", b.OS, baseline.ShortID(have.ID)).
				WithHint("change it with `ssmdeck patch baseline update %s`", baseline.ShortID(have.ID))
		}
	}
	return nil
}

func showBaseline(env *cli.Env, ro render.Options, b baseline.Baseline) error {
	if ro.Format == render.FormatAuto {
		ro.Format = render.FormatYAML
	}
	return render.Object(env.Out, ro, b.File(), func(d *render.Detail) { baselineDetail(d, ro, b) })
}

func newBaselineUpdateCmd(env *cli.Env) *cobra.Command {
	var (
		o  baselineFlags
		os osFlag
	)
	cmd := &cobra.Command{
		Use:   "update <baseline>",
		Short: "Change rules and lists of a baseline, after showing what changes",
		Long: `Change a baseline: each flag replaces what it names, --add-… and --drop-… change
lists, and all else stays. The difference is shown and asked about, and only it is
sent. --replace sets everything that no flag names back to nothing, but for name and
operating system. What the change means for nodes is shown by ssmdeck patch plan.

` + ruleHelp,
		Example: `  $ ssmdeck patch baseline update prod-al2023 --after 14d
  $ ssmdeck patch baseline update prod-al2023 --add-reject 'kernel*' --reject-action block
  $ ssmdeck patch baseline update prod-al2023 --rule 'classification=Security after=3d' --dry-run`,
		Args: cli.ExactArgs("the baseline"), ValidArgsFunction: completeBaseline(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			return baselineUpdate(cmd.Context(), env, &o, args[0], system)
		},
	}
	o.bind(cmd, true)
	os.bind(cmd, "where several have the name, that of this")
	return cmd
}

func baselineUpdate(ctx context.Context, env *cli.Env, o *baselineFlags, word, os string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, baselineOutcome{}); err != nil {
		return err
	}
	p := o.parse(env)
	if err := baseline.Fault("the baseline", p.problems); err != nil {
		return err
	}
	// What is wrong whatever the baseline says is told before it is read.
	draft := baseline.Baseline{Name: "draft", OS: os}
	o.apply(&draft, p)
	if err := baseline.Fault("the baseline", withoutSystem(draft.Check(o.noValidate), os)); err != nil {
		return err
	}
	if err := env.RefuseChange("UpdatePatchBaseline", o.dryRun); err != nil {
		return err
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	was, err := svc.Read(ctx, word, os)
	if err != nil {
		return err
	}
	if was.AWS {
		return fault.Usagef("%s is AWS's own and cannot be changed", was.Name).
			WithHint("copy it: `ssmdeck patch baseline create NAME --os %s --from %s`", was.OS, was.Name)
	}
	if err := o.dropped(was); err != nil {
		return err
	}
	b := was
	if o.replace {
		b = baseline.Baseline{ID: was.ID, Name: was.Name, OS: was.OS, Groups: was.Groups}
	}
	o.apply(&b, p)
	if err := o.check(env, &b, p); err != nil {
		return err
	}
	return changeBaseline(ctx, env, ro, svc, was, b, o.replace, o.dryRun)
}

// withoutSystem leaves out that the system is missing, which is read later.
func withoutSystem(problems []baseline.Problem, os string) []baseline.Problem {
	if os != "" {
		return problems
	}
	var out []baseline.Problem
	for _, p := range problems {
		if p.Field != "os" {
			out = append(out, p)
		}
	}
	return out
}

// changeBaseline shows the difference, asks, and sends it.
func changeBaseline(ctx context.Context, env *cli.Env, ro render.Options, svc *baseline.Service, was, b baseline.Baseline, replace, dryRun bool) error {
	if baseline.Equal(was, b) {
		env.Note("no change: %s says so already", was.Label())
		return writeBaselineOutcome(env, ro, baselineOutcome{"unchanged", was.ID, was.Name, was.OS})
	}
	lines := baseline.Diff(was.Label(), "after the change", was, b)
	if dryRun {
		env.Note("dry run: UpdatePatchBaseline was not sent")
		if plainFormat(ro) {
			return cli.WriteDiff(env, ro, lines)
		}
		return showBaseline(env, ro, b)
	}
	for _, l := range lines {
		env.Note("%s", cli.VisibleLine(l))
	}
	used, err := usedBy(ctx, svc, was)
	if err != nil {
		return err
	}
	if err := env.Confirm(ctx, fmt.Sprintf("change the baseline %s%s", was.Label(), used)); err != nil {
		return err
	}
	if err := svc.Update(ctx, was, b, replace); err != nil {
		return err
	}
	env.Note("the next scan of each node goes by it; what was found until now stays as it is")
	return writeBaselineOutcome(env, ro, baselineOutcome{"updated", was.ID, b.Name, b.OS})
}

// usedBy says who goes by a baseline: ", the default of WINDOWS, of the groups a, b".
func usedBy(ctx context.Context, svc *baseline.Service, b baseline.Baseline) (string, error) {
	id, err := svc.DefaultID(ctx, b.OS)
	if err != nil {
		return "", err
	}
	var by []string
	if baseline.SameID(id, b.ID) {
		by = append(by, "the default of "+b.OS)
	}
	if len(b.Groups) > 0 {
		by = append(by, "of the patch groups "+render.Visible(cli.SomeOf(b.Groups, 5)))
	}
	if len(by) == 0 {
		return ", which no group uses", nil
	}
	return ", " + strings.Join(by, " and "), nil
}
