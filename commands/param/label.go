package param

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// hideBadWords keeps a word that begins with - and is no flag out of the error: it may
// be a value.
func hideBadWords(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		told := cli.FlagError(cmd, err)
		var unknown *pflag.NotExistError
		if errors.As(err, &unknown) && !strings.HasPrefix(fault.HintOf(told), "did you mean") {
			return fault.Usagef("%s: a word begins with -, and is none of its flags", cmd.CommandPath()).
				WithHint("give a value that begins with - as --value=..., or on standard input; `%s --help` lists the flags", cmd.CommandPath())
		}
		return told
	})
}

// paramVersion is a parameter with a version or a label: NAME, NAME:3, NAME:live.
type paramVersion struct {
	name, label string
	version     int64
}

func parseParamVersion(text string) (v paramVersion, err error) {
	name, selector, cut := strings.Cut(text, ":")
	v.name = name
	if err := parameter.CheckName(name); err != nil {
		return v, err
	}
	if !cut {
		return v, nil
	}
	return v, v.choose(selector)
}

// choose reads the part behind the colon.
func (v *paramVersion) choose(selector string) error {
	if n, err := strconv.ParseInt(selector, 10, 64); err == nil {
		if n < 1 {
			return fault.Usagef("%d is no version: they count from 1", n)
		}
		v.version = n
		return nil
	}
	v.label = selector
	return parameter.CheckLabel(selector)
}

// of finds the version that is meant among those of the parameter, the oldest first;
// the latest when none is named.
func (v *paramVersion) of(history []parameter.Parameter) (parameter.Parameter, error) {
	for _, p := range slices.Backward(history) {
		if v.version == 0 && v.label == "" || p.Version == v.version && v.version > 0 || v.label != "" && slices.Contains(p.Labels, v.label) {
			return p, nil
		}
	}
	what := "version " + itoa(v.version)
	if v.label != "" {
		what = "label " + v.label
	}
	return parameter.Parameter{}, fault.New(fault.NotFound, "", "%s has no %s", v.name, what).WithHint("see `ssmdeck param history %s`", v.name)
}

// paramHistory reads all versions of a parameter.
func paramHistory(ctx context.Context, svc *parameter.Service, name string, decrypt bool) ([]parameter.Parameter, error) {
	list, err := awsapi.Collect(svc.History(ctx, name, decrypt))
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.NotFound, "", "there is no parameter %s", render.Visible(name)).WithHint("list them with `ssmdeck param list`")
	}
	return list, err
}

// labelOutcome is what label and unlabel did.
type labelOutcome struct {
	Name    string   `json:"name"`
	Version int64    `json:"version"`
	Labels  []string `json:"labels"` // that were put on the version, or taken off
}

func writeLabelOutcome(env *cli.Env, ro render.Options, r labelOutcome) error {
	return render.Object(env.Out, ro, r, func(d *render.Detail) {
		d.ID(r.Name)
		d.Field("Name", r.Name)
		d.Field("Version", itoa(r.Version))
		d.Field("Labels", strings.Join(r.Labels, ", "))
	})
}

func newLabelCmd(env *cli.Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "label <name[:version]> <label>...",
		Short: "Put labels on a version of a parameter",
		Long: `Put labels on a version of a parameter: the latest, or the one behind the colon,
which may also be another label. A label is on one version at a time: it moves, and
from where is said. A version can have 10.

Labels have letters, digits, and . - _; they do not begin with a digit, aws or ssm.`,
		Example: `  $ ssmdeck param label /app/prod/db-url live
  $ ssmdeck param label /app/prod/db-url:3 last-good before-migration
  $ ssmdeck param label /app/prod/db-url:candidate live`,
		Args: cli.MinArgs("the parameter", "the label"), ValidArgsFunction: completeParamName(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return paramLabel(cmd.Context(), env, args[0], args[1:], dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be labelled, and change nothing")
	return cmd
}

func paramLabel(ctx context.Context, env *cli.Env, text string, labels []string, dryRun bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, labelOutcome{}); err != nil {
		return err
	}
	at, svc, err := openLabels(ctx, env, "label", "LabelParameterVersion", text, labels, dryRun)
	if err != nil {
		return err
	}
	history, err := paramHistory(ctx, svc, at.name, false)
	if fault.KindOf(err) == fault.Auth && at.label == "" { // it can be labelled without being read
		history, err = nil, nil
	}
	if err != nil {
		return err
	}
	version := at.version
	if history != nil {
		p, err := at.of(history)
		if err != nil {
			return err
		}
		if err := labelsFit(p, labels); err != nil {
			return err
		}
		version = p.Version
		sayLabelMoves(env, history, version, labels)
	}
	if dryRun {
		env.Note("dry run: nothing was labelled")
		return writeLabelOutcome(env, ro, labelOutcome{at.name, version, labels})
	}
	version, err = putLabels(ctx, svc, at.name, version, labels)
	if err != nil {
		return err
	}
	return writeLabelOutcome(env, ro, labelOutcome{at.name, version, labels})
}

// openLabels reads which version of which parameter is meant, and refuses what is wrong
// with that or with the labels before any call; word is what is done.
func openLabels(ctx context.Context, env *cli.Env, word, operation, text string, labels []string, dryRun bool) (at paramVersion, svc *parameter.Service, err error) {
	at, err = parseParamVersion(text)
	faults := parameter.CheckLabels(labels)
	if err != nil {
		faults = append([]error{err}, faults...)
	}
	if err := cli.AllFaults(word+" a parameter", faults); err != nil {
		return at, nil, err
	}
	if err := env.RefuseChange(operation, dryRun); err != nil {
		return at, nil, err
	}
	svc, err = openParameters(ctx, env)
	return at, svc, err
}

// labelsFit counts the labels that the version would have.
func labelsFit(p parameter.Parameter, labels []string) error {
	all := uniqueSorted(slices.Concat(p.Labels, labels))
	if len(all) > parameter.MaxLabels {
		return fault.New(fault.Limit, "label parameter "+p.Name, "version %d would have %d labels; it can have %d", p.Version, len(all), parameter.MaxLabels).
			WithHint("take some off first: `ssmdeck param unlabel %s:%d %s`", p.Name, p.Version, p.Labels[0])
	}
	return nil
}

// sayLabelMoves tells which labels leave another version.
func sayLabelMoves(env *cli.Env, history []parameter.Parameter, version int64, labels []string) {
	for _, p := range history {
		for _, l := range p.Labels {
			if p.Version != version && slices.Contains(labels, l) {
				env.Note("%s moves from version %d to %d", l, p.Version, version)
			}
		}
	}
}

// putLabels labels a version; labels that the service does not take are an error.
func putLabels(ctx context.Context, svc *parameter.Service, name string, version int64, labels []string) (int64, error) {
	refused, at, err := svc.Label(ctx, name, version, labels)
	if err == nil && len(refused) > 0 {
		err = fault.New(fault.RemoteFailed, "label parameter "+name, "the service did not take %s; other labels are on version %d", strings.Join(refused, ", "), at)
	}
	return at, err
}

// paramPutLabels labels a version that was just written, and tells what moved.
func paramPutLabels(ctx context.Context, env *cli.Env, svc *parameter.Service, name string, version int64, labels []string) error {
	if version > 1 {
		if history, err := paramHistory(ctx, svc, name, false); err == nil {
			sayLabelMoves(env, history, version, labels)
		}
	}
	_, err := putLabels(ctx, svc, name, version, labels)
	return err
}

func newUnlabelCmd(env *cli.Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "unlabel <name[:version]> <label>...",
		Short: "Take labels off a version of a parameter",
		Long: `Take labels off a parameter: from whichever version has them, or only from the one
behind the colon. A label that is not there is an error, and then nothing is changed.`,
		Example: `  $ ssmdeck param unlabel /app/prod/db-url candidate
  $ ssmdeck param unlabel /app/prod/db-url:3 last-good`,
		Args: cli.MinArgs("the parameter", "the label"), ValidArgsFunction: completeParamName(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return unlabel(cmd.Context(), env, args[0], args[1:], dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say from where they would be taken, and change nothing")
	return cmd
}

func unlabel(ctx context.Context, env *cli.Env, text string, labels []string, dryRun bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	table := labelTable()
	if err := table.Check(ro); err != nil {
		return err
	}
	at, svc, err := openLabels(ctx, env, "unlabel", "UnlabelParameterVersion", text, labels, dryRun)
	if err != nil {
		return err
	}
	history, err := paramHistory(ctx, svc, at.name, false)
	if err != nil {
		return err
	}
	if at.version > 0 || at.label != "" {
		p, err := at.of(history)
		if err != nil {
			return err
		}
		history = []parameter.Parameter{p}
	}
	plan, missing := labelsToTake(history, labels)
	if len(missing) > 0 {
		return fault.New(fault.NotFound, "unlabel parameter "+at.name, "no version of it has the label %s; nothing was changed", strings.Join(missing, ", ")).
			WithHint("see `ssmdeck param history %s`", at.name)
	}
	if dryRun {
		env.Note("dry run: nothing was changed")
		return table.Write(env.Out, ro, cli.Each(plan))
	}
	var done []labelOutcome
	for _, one := range plan {
		removed, refused, err := svc.Unlabel(ctx, one.Name, one.Version, one.Labels)
		if len(refused) > 0 && err == nil {
			err = fault.New(fault.RemoteFailed, "unlabel parameter "+one.Name, "version %d does not have %s any more", one.Version, strings.Join(refused, ", "))
		}
		if len(removed) > 0 {
			done = append(done, labelOutcome{one.Name, one.Version, removed})
		}
		if err != nil {
			return errors.Join(table.Write(env.Out, ro, cli.Each(done)), err)
		}
	}
	return table.Write(env.Out, ro, cli.Each(done))
}

// labelsToTake says which labels are taken from which version, and which are on none.
func labelsToTake(history []parameter.Parameter, labels []string) (plan []labelOutcome, missing []string) {
	found := map[string]bool{}
	for _, p := range history {
		var some []string
		for _, l := range p.Labels {
			if slices.Contains(labels, l) {
				some, found[l] = append(some, l), true
			}
		}
		if len(some) > 0 {
			plan = append(plan, labelOutcome{p.Name, p.Version, some})
		}
	}
	for _, l := range labels {
		if !found[l] {
			missing = append(missing, l)
		}
	}
	return plan, missing
}

func labelTable() render.Table[labelOutcome] {
	return render.Table[labelOutcome]{
		ID: func(r labelOutcome) string { return r.Name }, Empty: "no labels",
		Columns: []render.Column[labelOutcome]{
			{Name: "NAME", ID: true, Text: func(r labelOutcome) string { return r.Name }},
			{Name: "VERSION", Text: func(r labelOutcome) string { return itoa(r.Version) }},
			{Name: "LABELS", Text: func(r labelOutcome) string { return strings.Join(r.Labels, ", ") }},
		},
	}
}
