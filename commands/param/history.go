package param

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/textdiff"
)

// paramVersions is what `param history` was asked for.
type paramVersions struct {
	flags        valueFlags
	values, diff bool
	version      string
	versions     parameter.Range
}

func newHistoryCmd(env *cli.Env) *cobra.Command {
	var o paramVersions
	cmd := &cobra.Command{
		Use:   "history <name>",
		Short: "Show the versions of a parameter, and what changed between them",
		Long: `List the versions of a parameter, the newest first: who wrote it, when, with which
labels. The service keeps the last 100.

--diff shows what each version changed of the one before; with --version A..B what lies
between these two. How secrets differ is shown with --decrypt, and on a terminal with
--show; with --decrypt alone a terminal learns whether they do.`,
		Example: `  $ ssmdeck param history /app/prod/db-url
  $ ssmdeck param history /app/prod/db-url --values --limit 5
  $ ssmdeck param history /app/prod/db-url --diff
  $ ssmdeck param history /app/prod/db-url --diff --version 12..15`,
		Args:              cli.ExactArgs("the parameter's name"),
		ValidArgsFunction: completeParamName(env, 1),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, args[0]) },
	}
	o.flags.bind(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.values, "values", false, "show the values, too")
	f.BoolVar(&o.diff, "diff", false, "show what changed between versions")
	f.StringVar(&o.version, "version", "", "only these `versions`: 3, 3..7, 3.. or ..7")
	return cmd
}

func (o *paramVersions) check(name string) error {
	var faults faultList
	if r, err := parameter.ParseRef(name); err != nil {
		faults = append(faults, err)
	} else if r.Selector() != "" {
		faults = append(faults, fault.Usagef("%s names one version, and the history has all", name).WithHint("use --version %d", max(r.Version, 1)))
	} else if r.Shared() || strings.HasPrefix(r.Name, "/aws/") {
		faults = append(faults, fault.Usagef("%s: only this account's own parameters have a history", name))
	}
	faults.add(o.flags.check(o.values || o.diff))
	if o.version != "" {
		var ok bool
		if o.versions, ok = parameter.ParseRange(o.version); !ok {
			faults = append(faults, fault.Usagef("--version %q is no range of versions", o.version).WithHint("write 3, 3..7, 3.. or ..7"))
		}
	}
	if o.values && o.diff {
		faults = append(faults, fault.Usagef("param history: --values and --diff exclude each other"))
	}
	return cli.AllFaults("param history", faults)
}

func (o *paramVersions) run(ctx context.Context, env *cli.Env, name string) error {
	if err := o.check(name); err != nil {
		return err
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if o.diff {
		err = changeTable(ro).Check(ro)
	} else {
		err = versionTable(o.values)(ro).Check(ro)
	}
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	all, err := awsapi.Collect(svc.History(ctx, name, o.flags.reads() && (o.values || o.diff)))
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return missingParams(ctx, env, svc, []string{name}, 1)
	case err != nil && len(all) == 0:
		return err
	}
	slices.SortFunc(all, func(a, b parameter.Parameter) int { return int(b.Version - a.Version) })
	picked, perr := o.pick(name, all)
	if perr != nil {
		return perr
	}
	if o.diff {
		return o.writeSteps(env, ro, name, o.steps(env, all, picked), err)
	}
	var secrets secretCount
	for i, p := range picked {
		switch {
		case o.values:
			secrets.see(p, o.flags.masks(env))
			picked[i] = o.flags.hidden(env, p)
		default:
			picked[i].Value = ""
		}
	}
	err = cli.WriteSeq(env, versionTable(o.values), ro, cli.WithPartial(picked, err))
	secrets.say(env, &o.flags)
	return err
}

// pick are the versions that --version means, of all that there are.
func (o *paramVersions) pick(name string, all []parameter.Parameter) ([]parameter.Parameter, error) {
	if o.version == "" || len(all) == 0 {
		return slices.Clone(all), nil
	}
	newest, oldest := all[0].Version, all[len(all)-1].Version
	for _, end := range []int64{o.versions.From, o.versions.To} {
		if end != 0 && (end > newest || end < oldest) {
			e := fault.New(fault.NotFound, "", "%s has no version %d: there are %d to %d", name, end, oldest, newest)
			if end < oldest {
				return nil, e.WithHint("the service keeps the last 100 versions")
			}
			return nil, e
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(p parameter.Parameter) bool { return !o.versions.Holds(p.Version) }), nil
}

// steps are the differences that were asked for: between the ends of a range, or of each
// version and the one before it, the newest first.
func (o *paramVersions) steps(env *cli.Env, all, picked []parameter.Parameter) (steps []parameter.Step) {
	hide := o.flags.masks(env)
	if o.version != "" && len(picked) > 1 {
		return []parameter.Step{parameter.Compare(picked[len(picked)-1], picked[0], hide)}
	}
	for _, p := range picked {
		at := slices.IndexFunc(all, func(v parameter.Parameter) bool { return v.Version == p.Version })
		if at+1 < len(all) {
			steps = append(steps, parameter.Compare(all[at+1], p, hide))
		}
	}
	return steps
}

// paramChange is a row: one thing that one step changed.
type paramChange struct {
	parameter.Step
	parameter.Changed
}

// writeSteps prints differences: as texts for people, as rows for machines, and whole as
// JSON.
func (o *paramVersions) writeSteps(env *cli.Env, ro render.Options, name string, steps []parameter.Step, partial error) error {
	unknown := countOf(steps, func(s parameter.Step) bool {
		return slices.ContainsFunc(s.Changes, func(c parameter.Changed) bool { return c.Unknown })
	})
	if unknown > 0 {
		env.Note("ssmdeck: note: values of SecureStrings were not compared: add --decrypt")
	}
	if ro.Limit > 0 && len(steps) > ro.Limit {
		steps = steps[:ro.Limit]
	}
	plain := ro.Query == "" && len(ro.Columns) == 0 && ro.SortBy == ""
	switch f := ro.Format; {
	case plain && (f == render.FormatAuto || f == render.FormatTable || f == render.FormatWide || f == render.FormatText):
		return printSteps(env, ro, name, steps, partial)
	case len(ro.Columns) > 0 || ro.SortBy != "" || f == render.FormatCSV || f == render.FormatName:
		var rows []paramChange
		for _, s := range steps {
			for _, c := range s.Changes {
				rows = append(rows, paramChange{s, c})
			}
		}
		return cli.WriteSeq(env, changeTable, ro, cli.WithPartial(rows, partial))
	}
	if steps == nil {
		steps = []parameter.Step{}
	}
	if err := render.Object(env.Out, ro, steps, func(*render.Detail) {}); err != nil {
		return err
	}
	return partial
}

func printSteps(env *cli.Env, ro render.Options, name string, steps []parameter.Step, partial error) error {
	var b strings.Builder
	for i, s := range steps {
		at, by := render.Timestamp(s.Modified), s.ModifiedBy
		if ro.Terminal() {
			at, by = render.Local(s.Modified, ro.Location), shortARN(by)
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		head := fmt.Sprintf("version %d %s %d", s.From, ro.Styles.Glyphs.Arrow, s.To)
		b.WriteString(ro.Styles.Title.Render(head) + dim(ro, "  "+at+"  "+render.Visible(by)) + "\n")
		if len(s.Changes) == 0 {
			b.WriteString(dim(ro, "  nothing but the version") + "\n")
		}
		for _, c := range s.Changes {
			printChange(&b, ro, s, c)
		}
	}
	if len(steps) == 0 {
		env.Note("there is one version of %s, and nothing to compare", name)
	}
	if _, err := io.WriteString(env.Out, b.String()); err != nil {
		return err
	}
	return partial
}

// printChange writes one thing that changed: short texts on one line, others line by
// line.
func printChange(b *strings.Builder, ro render.Options, s parameter.Step, c parameter.Changed) {
	field := strings.ReplaceAll(c.Field, "_", " ")
	switch {
	case c.Unknown:
		b.WriteString("  " + field + ": not compared\n")
	case c.Secret:
		b.WriteString("  " + field + ": changed\n")
	default:
		b.WriteString("  " + field + ":\n")
		for _, line := range textdiff.Unified(strconv.FormatInt(s.From, 10), strconv.FormatInt(s.To, 10), c.Before, c.After)[2:] {
			if strings.HasPrefix(line, "@@") && !strings.Contains(c.Before+c.After, "\n") {
				continue
			}
			for part := range strings.SplitSeq(line, "\n") { // "no newline at end of file" is one of its own
				if strings.HasPrefix(part, `\`) && !differInEnd(c) {
					continue
				}
				b.WriteString("    " + paintedDiff(ro, part) + "\n")
			}
		}
	}
}

// differInEnd reports whether a text ends in a line break and the other does not.
func differInEnd(c parameter.Changed) bool {
	return strings.HasSuffix(c.Before, "\n") != strings.HasSuffix(c.After, "\n")
}

func paintedDiff(ro render.Options, line string) string {
	text := render.Visible(line)
	switch {
	case strings.HasPrefix(line, "@@"), strings.HasPrefix(line, `\`):
		return dim(ro, text)
	case strings.HasPrefix(line, "-"):
		return ro.Styles.Bad.Render(text)
	case strings.HasPrefix(line, "+"):
		return ro.Styles.Good.Render(text)
	}
	return text
}

// versionTable is the list of versions, with their values or without.
func versionTable(values bool) func(render.Options) render.Table[parameter.Parameter] {
	type row = parameter.Parameter
	return func(o render.Options) render.Table[row] {
		cols := []render.Column[row]{{
			Name: "VERSION", Right: true, Text: func(p row) string { return strconv.FormatInt(p.Version, 10) },
			Less: func(a, b row) bool { return a.Version < b.Version },
		}}
		if values {
			cols = append(cols, valueColumn(o))
		}
		return render.Table[row]{
			ID: func(p row) string { return p.Name + ":" + strconv.FormatInt(p.Version, 10) },
			Columns: append(
				cols,
				render.Column[row]{Name: "LABELS", Text: func(p row) string { return strings.Join(p.Labels, ",") }},
				cli.AgoColumn(o, "MODIFIED", func(p row) time.Time { return p.Modified }),
				modifiedByColumn(false),
				render.Column[row]{Name: "TYPE", Wide: true, Text: func(p row) string { return p.Type }},
				render.Column[row]{Name: "TIER", Text: func(p row) string { return p.Tier }},
				render.Column[row]{Name: "KEY", Wide: true, Text: func(p row) string { return p.KeyID }},
				render.Column[row]{Name: "DATA TYPE", Wide: true, Text: func(p row) string { return p.DataType }},
				render.Column[row]{Name: "POLICIES", Wide: true, Text: func(p row) string { return policyTypes(p.Policies) }},
				render.Column[row]{Name: "PATTERN", Wide: true, Text: func(p row) string { return p.AllowedPattern }},
				render.Column[row]{Name: "DESCRIPTION", Wide: true, Text: func(p row) string { return p.Description }},
			),
		}
	}
}

func changeTable(o render.Options) render.Table[paramChange] {
	type row = paramChange
	secret := func(c row, text string) string {
		if c.Secret {
			return ""
		}
		return text
	}
	return render.Table[row]{
		ID: func(c row) string { return strconv.FormatInt(c.To, 10) + " " + c.Field },
		Columns: []render.Column[row]{
			{Name: "FROM", Right: true, Text: func(c row) string { return strconv.FormatInt(c.From, 10) }},
			{Name: "TO", Right: true, Text: func(c row) string { return strconv.FormatInt(c.To, 10) }},
			{Name: "FIELD", Text: func(c row) string { return c.Field }},
			{Name: "BEFORE", Text: func(c row) string { return secret(c, c.Before) }},
			{Name: "AFTER", Text: func(c row) string { return secret(c, c.After) }},
			cli.AgoColumn(o, "MODIFIED", func(c row) time.Time { return c.Modified }),
			{Name: "MODIFIED BY", Text: func(c row) string { return c.ModifiedBy }},
		},
	}
}
