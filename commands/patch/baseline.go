package patch

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// openBaselines returns the service that knows patch baselines and groups.
func openBaselines(ctx context.Context, env *cli.Env) (*baseline.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return baseline.New(scope.SSM()), nil
}

func newBaselineCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "baseline <command>",
		Aliases: []string{"baselines"},
		Short:   "Patch baselines: which patches are approved, and when",
		Long: `A patch baseline says for one operating system which patches are approved: by
rules with a delay or a date, and by lists of approved and rejected patches. Nodes
go by the baseline that their patch group is registered with, else by the default
of their operating system.

A baseline is named by its id, its ARN, or its name where only one has it.`,
		Example: `  $ ssmdeck patch baseline list
  $ ssmdeck patch baseline create prod-al2023 --os al2023 --rule 'classification=Security after=7d'
  $ ssmdeck patch baseline diff prod-al2023 AWS-AmazonLinux2023DefaultPatchBaseline`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newBaselineListCmd, newBaselineGetCmd, newBaselineCreateCmd, newBaselineUpdateCmd, newBaselineApplyCmd,
		newBaselineExportCmd, newBaselineDiffCmd, newBaselineDeleteCmd, newBaselineDefaultCmd)
	return cmd
}

// osFlag is --os of a command.
type osFlag string

func (o *osFlag) bind(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar((*string)(o), "os", "", what+": `system`, such as al2023, windows, UBUNTU")
	cli.CompleteFlag(cmd, "os", baseline.Systems)
}

// parse returns the operating system as the API writes it, empty without the flag.
func (o osFlag) parse() (string, error) {
	if o == "" {
		return "", nil
	}
	return baseline.ParseOS(string(o))
}

// completeBaseline completes the names and ids of baselines in the first n arguments.
func completeBaseline(env *cli.Env, n int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nodechoice.Beginning(baselineWords(cmd.Context(), env), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// baselineWords returns the names and ids of baselines, in the time that a key press
// may take. Errors are silent.
func baselineWords(ctx context.Context, env *cli.Env) []string {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return nil
	}
	var words []string
	for b, err := range svc.List(ctx, baseline.Query{}) {
		if err != nil {
			break
		}
		words = append(words, render.Visible(b.Name)+"\t"+baseline.ShortID(b.ID)+" "+b.OS)
		if !b.AWS {
			words = append(words, b.ID+"\t"+render.Visible(b.Name)+" "+b.OS)
		}
	}
	return words
}

func newBaselineListCmd(env *cli.Env) *cobra.Command {
	var (
		os    osFlag
		owner string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the baselines, with their groups and which are defaults",
		Long: `List the baselines of the account and those of AWS. A baseline that is the
default counts for all nodes of its operating system that no group puts elsewhere.`,
		Example: `  $ ssmdeck patch baseline list
  $ ssmdeck patch baseline list --owner self
  $ ssmdeck patch baseline list --os windows --all-regions -o json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := baselineQuery(os, owner)
			if err != nil {
				return err
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := cli.CheckGridTable(env, baselineTable, ro); err != nil {
				return err
			}
			return cli.WriteGrid(cmd.Context(), env, baselineTable, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[baseline.Identity, error], error) {
				svc, err := openBaselines(ctx, env)
				if err != nil {
					return nil, err
				}
				list, err := svc.All(ctx, q)
				return cli.Each(list), err
			})
		},
	}
	os.bind(cmd, "only baselines of this")
	cmd.Flags().StringVar(&owner, "owner", "", "only baselines of this `owner`: self, aws")
	cli.CompleteFlag(cmd, "owner", func() []string { return []string{"self", "aws"} })
	return cli.Spans(cmd)
}

func baselineQuery(os osFlag, owner string) (q baseline.Query, err error) {
	if q.OS, err = os.parse(); err != nil {
		return q, err
	}
	switch strings.ToLower(owner) {
	case "", "all":
	case "self":
		q.Owner = baseline.OwnerSelf
	case "aws", "amazon":
		q.Owner = baseline.OwnerAWS
	default:
		return q, fault.Usagef("--owner %q is neither self nor aws", owner)
	}
	return q, nil
}

func baselineTable(o render.Options) render.Table[baseline.Identity] {
	return render.Table[baseline.Identity]{
		ID: func(b baseline.Identity) string { return b.ID }, Empty: "there is no such baseline",
		Columns: []render.Column[baseline.Identity]{
			{Name: "NAME", Text: func(b baseline.Identity) string { return b.Name }},
			{Name: "OS", Text: func(b baseline.Identity) string { return b.OS }},
			{
				Name: "DEFAULT", Text: func(b baseline.Identity) string { return yesOrNothing(b.Default) },
				Human: func(b baseline.Identity) string { return o.Styles.Good.Render(yesOrNothing(b.Default)) },
			},
			{Name: "OWNER", Text: func(b baseline.Identity) string { return ownerOf(b.AWS) }},
			{
				Name: "GROUPS", Text: func(b baseline.Identity) string { return strings.Join(b.Groups, ",") },
				Human: func(b baseline.Identity) string { return render.Visible(cli.SomeOf(b.Groups, 5)) },
			},
			{Name: "ID", ID: true, Text: func(b baseline.Identity) string { return baseline.ShortID(b.ID) }},
			{Name: "ARN", Wide: true, ID: true, Text: func(b baseline.Identity) string {
				if b.AWS {
					return b.ID
				}
				return ""
			}},
			{Name: "DESCRIPTION", Wide: true, Text: func(b baseline.Identity) string { return b.Description }},
		},
	}
}

func ownerOf(aws bool) string {
	if aws {
		return "aws"
	}
	return "self"
}

func yesOrNothing(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func newBaselineGetCmd(env *cli.Env) *cobra.Command {
	var os osFlag
	cmd := &cobra.Command{
		Use: "get <baseline>", Aliases: []string{"show"},
		Short: "Show what a baseline approves, in sentences",
		Example: `  $ ssmdeck patch baseline get prod-al2023
  $ ssmdeck patch baseline get AWS-UbuntuDefaultPatchBaseline -o json`,
		Args: cli.ExactArgs("the baseline"), ValidArgsFunction: completeBaseline(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := cli.CheckObject(ro, baseline.Baseline{}); err != nil {
				return err
			}
			svc, err := openBaselines(cmd.Context(), env)
			if err != nil {
				return err
			}
			b, err := readBaseline(cmd.Context(), svc, args[0], system)
			if err != nil {
				return err
			}
			return render.Object(env.Out, ro, b, func(d *render.Detail) { baselineDetail(d, ro, b) })
		},
	}
	os.bind(cmd, "where several have the name, that of this")
	return cmd
}

// readBaseline reads a baseline, and whether it is a default.
func readBaseline(ctx context.Context, svc *baseline.Service, word, os string) (baseline.Baseline, error) {
	b, err := svc.Read(ctx, word, os)
	if err != nil {
		return b, err
	}
	id, err := svc.DefaultID(ctx, b.OS)
	b.Default = baseline.SameID(id, b.ID)
	return b, err
}

func baselineDetail(d *render.Detail, ro render.Options, b baseline.Baseline) {
	d.ID(b.ID)
	d.Field("Name", b.Name)
	d.Field("Id", b.ID)
	d.Human("OS", b.OS, b.OS+" ("+baseline.SystemName(b.OS)+")")
	d.Field("Owner", ownerOf(b.AWS))
	d.Field("Default", yesOrNothing(b.Default))
	d.Field("Groups", strings.Join(b.Groups, ", "))
	d.Field("Description", b.Description)
	cli.Moment(d, ro, "Created", b.Created)
	cli.Moment(d, ro, "Modified", b.Modified)
	d.Section("Approves")
	for _, f := range b.GlobalFilters {
		d.Field("Of all only "+strings.ToLower(f.Key), strings.Join(f.Values, ", "))
	}
	for i, r := range b.Rules {
		d.Field(fmt.Sprintf("Rule %d", i+1), r.Sentence())
	}
	d.Field("Patches", strings.Join(b.Approve, ", "))
	if len(b.Approve) > 0 {
		d.Field("Level of those", b.ApproveLevel)
		d.Field("Also not security", yesOrNothing(b.ApproveNonSecurity))
	}
	d.Section("Rejects")
	d.Field("Patches", strings.Join(b.Reject, ", "))
	d.Field("Action", b.RejectAction)
	if b.SecurityUpdates != "" {
		d.Section("Security updates")
		d.Field("Available, not approved", b.SecurityUpdates)
	}
	for _, s := range b.Sources {
		d.Section("Source " + s.Name)
		d.Field("Products", strings.Join(s.Products, ", "))
		d.Block("Configuration", s.Configuration)
	}
}

func newBaselineExportCmd(env *cli.Env) *cobra.Command {
	var os osFlag
	cmd := &cobra.Command{
		Use:   "export <baseline>",
		Short: "Print a baseline as a file for `patch baseline apply`",
		Long: `Print a baseline as YAML (-o json for JSON), as ` + "`patch baseline apply -f`" + ` and
` + "`patch plan --baseline-file`" + ` read it. Ids, dates, groups and what the service
assumes anyway are left out.`,
		Example: `  $ ssmdeck patch baseline export prod-al2023 > prod-al2023.yaml
  $ ssmdeck patch baseline export AWS-DefaultPatchBaseline -o json`,
		Args: cli.ExactArgs("the baseline"), ValidArgsFunction: completeBaseline(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, err := os.parse()
			if err != nil {
				return err
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			switch {
			case ro.Format == render.FormatAuto:
				ro.Format = render.FormatYAML
			case !slices.Contains([]render.Format{render.FormatYAML, render.FormatJSON, render.FormatJSONL}, ro.Format):
				return fault.Usagef("-o %s: a baseline is exported as yaml or json", ro.Format)
			}
			svc, err := openBaselines(cmd.Context(), env)
			if err != nil {
				return err
			}
			b, err := svc.Read(cmd.Context(), args[0], system)
			if err != nil {
				return err
			}
			return render.Object(env.Out, ro, b.File(), func(*render.Detail) {})
		},
	}
	os.bind(cmd, "where several have the name, that of this")
	return cmd
}

// readBaselineFile reads a file for apply, diff and plan.
func readBaselineFile(env *cli.Env, path string, anyValue bool) (baseline.Baseline, error) {
	data, err := env.ReadInput()(path)
	if err != nil {
		return baseline.Baseline{}, err
	}
	if path == "-" {
		path = "standard input"
	}
	return baseline.Read(path, data, anyValue)
}
