package patch

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// statusOptions are those of `patch status`.
type statusOptions struct {
	nodes nodechoice.Scanned
	gate  patchGate
	by    string

	severities, classes []string
	olderThan           string
	scope               string // of the history
	noncompliant, never bool

	match patch.Match
	age   time.Duration // of olderThan
}

// dimensions are what patches and nodes are put together by.
var dimensions = []patch.Dimension{
	patch.ByNode, patch.ByGroup, patch.ByLevel, patch.BySeverity, patch.ByClassification, patch.ByPatch, patch.ByCVE,
	patch.ByBaseline, patch.ByPlatform, patch.ByAge,
}

func newStatusCmd(env *cli.Env) *cobra.Command {
	o := statusOptions{by: string(patch.ByNode)}
	cmd := &cobra.Command{
		Use:     "status [<target>...]",
		Aliases: []string{"compliance"},
		Short:   "What the last scans found: missing, failed, waiting for a reboot, never scanned",
		Long: `Show what Patch Manager found on nodes, the worst first, with the time of the scan
beside every number. Without a target that is every managed node, online or not.

Each scan or installation of a node overwrites what the one before found, and
nothing changes in between: SCANNED says how old a number is. Nodes that were never
scanned are in the list and in no number; they are not compliant.

--by counts nodes by patch group, baseline, platform, age of the scan, or level
(critical and security, as the baselines say); and patches by severity (in the words
of the systems' makers), classification, patch or CVE. For these, and with --severity
and --classification, the patches of the nodes are read: node by node, or in one
sweep over the whole account where that is less, held against the counts of every
node. CVEs are known of missing and failed patches only.

--fail-on is for pipelines: the list is printed, and the exit code is 6 when a node
among all that were looked at has what it names, or when a state could not be read.`,
		Example: `  $ ssmdeck patch status
  $ ssmdeck patch status --tag env=prod --by group
  $ ssmdeck patch status --by patch --severity critical,important
  $ ssmdeck patch status --older-than 14d -o name

  # A gate for a pipeline
  $ ssmdeck patch status --tag env=prod --fail-on critical,never-scanned

  # All Regions of all accounts
  $ ssmdeck patch status --accounts org --all-regions --by group`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := noEmptyList(cmd, "severity", "classification"); err != nil {
				return err
			}
			if err := o.parse(args); err != nil {
				return err
			}
			return o.run(cmd.Context(), env)
		},
	}
	o.nodes.Bind(env, cmd)
	bindNoHistory(&o.nodes, cmd)
	o.gate.bind(cmd)
	f := cmd.Flags()
	f.StringVar(&o.by, "by", o.by, "count by this `dimension`: "+dimensionWords())
	bindPatchMatch(cmd, &o.severities, &o.classes)
	f.StringVar(&o.olderThan, "older-than", "", "only nodes whose last scan is older than this `age`, or that were never scanned")
	f.BoolVar(&o.noncompliant, "noncompliant", false, "only nodes that are not compliant")
	f.BoolVar(&o.never, "never-scanned", false, "only nodes that were never scanned")
	cli.CompleteFlag(cmd, "by", func() []string { return strings.Split(dimensionWords(), ", ") })
	return cli.Spans(cmd)
}

func dimensionWords() string {
	words := make([]string, len(dimensions))
	for i, d := range dimensions {
		words[i] = string(d)
	}
	return strings.Join(words, ", ")
}

// bindPatchMatch binds the flags that choose patches by what they are.
func bindPatchMatch(cmd *cobra.Command, severities, classes *[]string) {
	cmd.Flags().StringSliceVar(severities, "severity", nil, "only patches of these `severities`; medium and moderate are the same")
	cmd.Flags().StringSliceVar(classes, "classification", nil, "only patches of these `classifications`; security is also that of Windows")
	cli.CompleteFlag(cmd, "severity", patch.Severities)
	cli.CompleteFlag(cmd, "classification", patch.Classifications)
}

// noEmptyList refuses flags that were given and name nothing, such as a variable that
// is not set: they would choose everything.
func noEmptyList(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if f := cmd.Flags().Lookup(name); f.Changed && f.Value.String() == "[]" {
			return fault.Usagef("--%s names nothing", name).WithHint("leave it out for all")
		}
	}
	return nil
}

func (o *statusOptions) parse(args []string) (err error) {
	if !slices.Contains(dimensions, patch.Dimension(o.by)) {
		err := fault.Usagef("--by %q is no dimension", o.by)
		if near := fault.Nearest(o.by, strings.Split(dimensionWords(), ", ")); near != "" {
			return err.WithHint("did you mean --by %s?", near)
		}
		return err.WithHint("use: %s", dimensionWords())
	}
	if err := o.nodes.Parse(args); err != nil {
		return err
	}
	o.scope = scope(&o.nodes, args)
	if o.match.Severities, err = patch.ParseSeverities("severity", o.severities); err != nil {
		return err
	}
	if o.match.Classifications, err = patch.ParseClassifications("classification", o.classes); err != nil {
		return err
	}
	if o.olderThan != "" {
		if o.age, err = cli.ParseAge("older-than", o.olderThan); err != nil {
			return err
		}
	}
	switch {
	case o.never && o.patches():
		return fault.Usagef("--never-scanned leaves nodes of which no patch is known, and there is nothing to count by them").
			WithHint("use `--by node`, group, baseline, platform or age, and neither --severity nor --classification")
	case !o.match.Empty() && patch.Dimension(o.by) == patch.ByLevel:
		return fault.Usagef("--by level counts what the baselines say, which a patch that is chosen does not tell").WithHint("use `--by severity`")
	case !o.match.Empty():
		return o.gate.check("missing", "failed", "pending-reboot", "noncompliant", "never-scanned", "stale")
	}
	return o.gate.check()
}

// patches reports whether single patches must be read.
func (o *statusOptions) patches() bool {
	switch patch.Dimension(o.by) {
	case patch.BySeverity, patch.ByClassification, patch.ByPatch, patch.ByCVE:
		return true
	}
	return !o.match.Empty()
}

func (o *statusOptions) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	by := patch.Dimension(o.by)
	switch {
	case o.patches():
		table := func(ro render.Options) render.Table[patch.Tally] { return tallyTable(ro, by) }
		err = writePatchStatus(ctx, env, o, ro, table, by.CompareTallies, nil)
	case by == patch.ByNode:
		err = writePatchStatus(ctx, env, o, ro, rowTable, patch.CompareRows, func(rows []patch.Row) []patch.Row { return rows })
	case by == patch.ByLevel:
		err = writePatchStatus(ctx, env, o, ro, levelTable, nil, patch.Levels)
	default:
		table := func(ro render.Options) render.Table[patch.Slice] { return sliceTable(ro, by) }
		err = writePatchStatus(ctx, env, o, ro, table, by.CompareSlices, func(rows []patch.Row) []patch.Slice {
			return patch.Slices(rows, by, ro.Now)
		})
	}
	return o.gate.end(env, "patch status", err)
}

// writePatchStatus prints one view of the states of all scopes. of makes it of the
// nodes that are to be shown; nil for tallies, which are made of their patches.
func writePatchStatus[T any](ctx context.Context, env *cli.Env, o *statusOptions, ro render.Options, table func(render.Options) render.Table[T],
	compare func(a, b T) int, of func([]patch.Row) []T,
) error {
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	return cli.WriteGridSorted(ctx, env, table, ro, compare, func(ctx context.Context, env *cli.Env) (iter.Seq2[T, error], error) {
		var parts fleet.Part
		if patch.Dimension(o.by) == patch.ByGroup {
			parts = fleet.PartEC2 | fleet.PartTags // for the groups of nodes never scanned
		}
		l, err := read(ctx, &o.nodes, env, parts)
		if err != nil {
			return nil, err
		}
		noteReport(env, l.report)
		keep(ctx, &o.nodes, env, l, o.scope)
		rows := o.shown(l.report.Nodes, l.report.Made)
		if of != nil {
			o.gate.add(l.report.Total)
			return cli.WithPartial(of(rows), l.partial), nil
		}
		tallies, partial, err := o.tally(ctx, env, l, rows)
		if err != nil {
			return nil, err
		}
		list, _ := any(tallies).([]T) // T is patch.Tally where of is nil
		return cli.WithPartial(list, errors.Join(l.partial, partial)), nil
	})
}

// tally counts the patches of the nodes shown, and for the gate those of all.
func (o *statusOptions) tally(ctx context.Context, env *cli.Env, l look, rows []patch.Row) (tallies []patch.Tally, partial, err error) {
	by := patch.Dimension(o.by)
	read := rows
	if len(o.gate.kinds) > 0 {
		read = l.report.Nodes
	}
	nodes, partial, err := reading(ctx, env, read, patch.Wanted{CVEs: o.by == string(patch.ByCVE) || o.by == string(patch.ByPatch), Whole: o.nodes.Whole()})
	if err != nil {
		return nil, nil, err
	}
	nodes = patch.Select(nodes, o.match)
	var sum patch.Counts
	for _, r := range patch.Narrow(l.report.Nodes, nodes) {
		sum.Add(&r)
	}
	if o.match.Empty() {
		sum = l.report.Total
	}
	o.gate.add(sum)
	shown := map[string]bool{}
	for _, r := range rows {
		shown[r.ID] = true
	}
	nodes = slices.DeleteFunc(nodes, func(n patch.NodePatches) bool { return !shown[n.Row.ID] })
	tallies = patch.Tallies(nodes, by, l.report.Made)
	if by == patch.ByNode {
		tallies = append(tallies, unseenTallies(rows)...)
		slices.SortStableFunc(tallies, by.CompareTallies)
	}
	noteUnseen(env, rows)
	return tallies, partial, nil
}

// unseenTallies are the nodes of which no patch is known.
func unseenTallies(rows []patch.Row) (out []patch.Tally) {
	for _, r := range rows {
		if r.Status == patch.NeverScanned || r.Status == patch.Unknown {
			out = append(out, patch.Tally{Key: r.ID, Name: r.Name, Status: r.Status, Nodes: 1, NodeIDs: []string{r.ID}})
		}
	}
	return out
}

// noteUnseen says of how many nodes no patch is known, since a list of patches
// cannot show them.
func noteUnseen(env *cli.Env, rows []patch.Row) {
	never, unknown := 0, 0
	for _, r := range rows {
		switch r.Status {
		case patch.NeverScanned:
			never++
		case patch.Unknown:
			unknown++
		}
	}
	if never > 0 {
		env.Note("ssmdeck: warning: nothing is known of the patches of %s never scanned", cli.Plural(never, "node"))
	}
	if unknown > 0 {
		env.Note("ssmdeck: warning: nothing is known of the patches of %s whose state could not be read", cli.Plural(unknown, "node"))
	}
}

// shown are the rows that the flags leave.
func (o *statusOptions) shown(rows []patch.Row, now time.Time) []patch.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r patch.Row) bool {
		switch {
		case o.noncompliant && o.never:
			if r.Status != patch.NonCompliant && r.Status != patch.NeverScanned {
				return true
			}
		case o.noncompliant && r.Status != patch.NonCompliant, o.never && r.Status != patch.NeverScanned:
			return true
		}
		return o.age > 0 && r.Status != patch.NeverScanned && (r.Scanned.IsZero() || now.Sub(r.Scanned) <= o.age)
	})
}
