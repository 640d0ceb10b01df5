package patch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// missingOptions are those of `patch missing`.
type missingOptions struct {
	nodes nodechoice.Scanned
	gate  patchGate
	by    string

	ids, cves, severities, classes []string
	released                       bool

	match patch.Match
}

// missingDimensions are what `patch missing` lists.
var missingDimensions = []string{string(patch.ByPatch), string(patch.ByNode), string(patch.ByCVE)}

func newMissingCmd(env *cli.Env) *cobra.Command {
	var o missingOptions
	cmd := &cobra.Command{
		Use:   "missing [<target>...]",
		Short: "Which patches are missing or failed, on which nodes; who is open to a CVE",
		Long: `List the patches that nodes lack: those that the baseline wants and that are missing,
and those that failed to install. The nodes of a patch are written so that they can
be a target: ssmdeck run -t 'web-[1-3]'.

--cve asks who lacks a patch for a CVE, and lists the nodes, also those that have it
and wait for a reboot, and those of which nobody knows: never scanned, or not
readable. It ends with a sentence that counts all
of them. A node that is not in the list misses no patch that names the CVE; that is
not a proof: Patch Manager knows of patches in the node's repositories that its
baseline wants, and some systems' security patches name no CVE, which is said, too.

--released asks when each patch came out, which the service tells of Windows updates
and packages of Amazon Linux 2.`,
		Example: `  $ ssmdeck patch missing
  $ ssmdeck patch missing --tag env=prod --severity critical --released
  $ ssmdeck patch missing --patch openssl --by node

  # Who is open to it? Patch them
  $ ssmdeck patch missing --cve CVE-2026-1000
  $ ssmdeck patch missing --cve CVE-2026-1000 -o json --query "[?patch].id" `,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := noEmptyList(cmd, "patch", "cve", "severity", "classification"); err != nil {
				return err
			}
			if err := o.parse(args); err != nil {
				return err
			}
			return o.run(cmd.Context(), env)
		},
	}
	o.nodes.Bind(env, cmd)
	o.gate.bind(cmd)
	f := cmd.Flags()
	f.StringVar(&o.by, "by", "", "list by this `dimension`: patch, node, cve; patch when not given, and node with --cve")
	f.StringSliceVar(&o.ids, "patch", nil, "only these patches: KB `numbers`, or packages with or without their architecture")
	f.StringSliceVar(&o.cves, "cve", nil, "only patches for these CVEs: `numbers` such as CVE-2026-1000")
	bindPatchMatch(cmd, &o.severities, &o.classes)
	f.BoolVar(&o.released, "released", false, "also ask when the patches were released")
	cli.CompleteFlag(cmd, "by", func() []string { return missingDimensions })
	return cli.Spans(cmd)
}

func (o *missingOptions) parse(args []string) (err error) {
	if o.by == "" {
		o.by = string(patch.ByPatch)
		if len(o.cves) > 0 {
			o.by = string(patch.ByNode)
		}
	}
	if !slices.Contains(missingDimensions, o.by) {
		return fault.Usagef("--by %q is no dimension of what is missing", o.by).WithHint("use: %s; `ssmdeck patch status --by` has more", strings.Join(missingDimensions, ", "))
	}
	if o.released && o.by != string(patch.ByPatch) {
		return fault.Usagef("--released is of patches, and goes with --by patch")
	}
	if err := o.nodes.Parse(args); err != nil {
		return err
	}
	if o.match.Severities, err = patch.ParseSeverities("severity", o.severities); err != nil {
		return err
	}
	if o.match.Classifications, err = patch.ParseClassifications("classification", o.classes); err != nil {
		return err
	}
	if o.match.CVEs, err = patch.ParseCVEs("cve", o.cves); err != nil {
		return err
	}
	for _, id := range o.ids {
		if strings.TrimSpace(id) == "" {
			return fault.Usagef("--patch names nothing").WithHint("for instance --patch KB5034123, or --patch openssl")
		}
		o.match.IDs = append(o.match.IDs, strings.TrimSpace(id))
	}
	allowed := []string{"missing", "failed", "never-scanned", "stale"}
	if len(o.cves) > 0 {
		allowed = append(allowed, "pending-reboot") // else they are not read
	}
	return o.gate.check(allowed...)
}

func (o *missingOptions) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	by := patch.Dimension(o.by)
	if by == patch.ByNode {
		err = writePatchMissing(ctx, env, o, ro, lackTable, patch.CompareLacks, func(_ context.Context, _ *cli.Env, l look, nodes []patch.NodePatches) ([]patch.Lack, error) {
			return patch.Lacking(l.report.Nodes, nodes), nil
		})
	} else {
		table := func(ro render.Options) render.Table[patch.Tally] { return missingTable(ro, by, o.released) }
		err = writePatchMissing(ctx, env, o, ro, table, by.CompareTallies, o.tallies)
	}
	return o.gate.end(env, "patch missing", err)
}

func (o *missingOptions) tallies(ctx context.Context, env *cli.Env, l look, nodes []patch.NodePatches) ([]patch.Tally, error) {
	tallies := patch.Tallies(nodes, patch.Dimension(o.by), l.report.Made)
	if !o.released || len(tallies) == 0 {
		return tallies, nil
	}
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return nil, err
	}
	untold, err := patch.Released(ctx, svc, tallies, nodes)
	if err == nil && untold > 0 {
		env.Note("ssmdeck: note: of %d of %d patches the service does not tell when they were released", untold, len(tallies))
	}
	return tallies, err
}

// writePatchMissing prints what the nodes of all scopes lack. of makes the list of
// the patches that are chosen.
func writePatchMissing[T any](ctx context.Context, env *cli.Env, o *missingOptions, ro render.Options, table func(render.Options) render.Table[T],
	compare func(a, b T) int, of func(context.Context, *cli.Env, look, []patch.NodePatches) ([]T, error),
) error {
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	return cli.WriteGridSorted(ctx, env, table, ro, compare, func(ctx context.Context, env *cli.Env) (iter.Seq2[T, error], error) {
		l, err := read(ctx, &o.nodes, env, 0)
		if err != nil {
			return nil, err
		}
		states := []patch.State{patch.Missing, patch.Failed}
		if len(o.cves) > 0 { // what is installed is not in effect before the reboot
			states = append(states, patch.InstalledPendingReboot)
		}
		all, partial, err := reading(ctx, env, l.report.Nodes, patch.Wanted{States: states, CVEs: true, Whole: o.nodes.Whole()})
		if err != nil {
			return nil, err
		}
		patch.NamePending(all)
		nodes := patch.Select(all, o.match)
		var sum patch.Counts
		for _, r := range patch.Narrow(l.report.Nodes, nodes) {
			sum.Add(&r)
		}
		o.gate.add(sum)
		o.conclude(env, l, all, nodes)
		list, err := of(ctx, env, l, nodes)
		if err != nil {
			return nil, err
		}
		return cli.WithPartial(list, errors.Join(l.partial, partial)), nil
	})
}

// conclude says in a sentence what the list means.
func (o *missingOptions) conclude(env *cli.Env, l look, all, nodes []patch.NodePatches) {
	t := l.report.Total
	if t.Nodes == 0 {
		return
	}
	if len(o.cves) == 0 {
		noteReport(env, l.report)
		if o.by != string(patch.ByNode) {
			noteUnseen(env, l.report.Nodes)
		}
		return
	}
	a := patch.AffectedBy(l.report.Nodes, all, nodes)
	what := strings.Join(o.match.CVEs, " or ")
	text := fmt.Sprintf("%d of %s %s a patch for %s", a.Lacking, cli.Plural(a.Nodes, "node"), map[bool]string{true: "lacks", false: "lack"}[a.Lacking == 1], what)
	if a.Waiting > 0 {
		text += fmt.Sprintf(", %d more have it and wait for a reboot", a.Waiting)
	}
	if !t.Oldest.IsZero() {
		text += ", by scans of " + ages(l.report.Made, t.Oldest, t.Newest)
	}
	env.Note("ssmdeck: %s", text)
	if n := a.Never + a.Unknown; n > 0 {
		env.Note("ssmdeck: warning: of %s nothing is known: %d never scanned, %d not readable", cli.Plural(n, "node"), a.Never, a.Unknown)
	}
	if a.Blank > 0 {
		env.Note("ssmdeck: warning: %s security patches that name no CVE, and may be open to it, too",
			map[bool]string{true: "1 other node lacks", false: fmt.Sprintf("%d other nodes lack", a.Blank)}[a.Blank == 1])
	}
	if t.Stale > 0 {
		env.Note("ssmdeck: warning: the last scan of %s is older than %s", cli.Plural(t.Stale, "node"), render.Duration(l.report.StaleAfter))
	}
}

// missingTable is one line for each patch or CVE.
func missingTable(o render.Options, by patch.Dimension, released bool) render.Table[patch.Tally] {
	t := tallyTable(o, by)
	t.Empty = "no such patch is missing"
	t.Columns = slices.DeleteFunc(t.Columns, func(c render.Column[patch.Tally]) bool {
		return c.Name == "REBOOT" || c.Name == "REJECTED" || c.Name == "MISSING" || c.Name == "PATCHES"
	})
	at := slices.IndexFunc(t.Columns, func(c render.Column[patch.Tally]) bool { return c.Name == "SCANNED" })
	if released {
		t.Columns = slices.Insert(t.Columns, at, cli.AgoColumn(o, "RELEASED", func(t patch.Tally) time.Time { return t.Released }))
	}
	t.Columns = append(t.Columns, render.Column[patch.Tally]{Name: "WHICH", Text: func(t patch.Tally) string { return nodeSet(t.NodeNames(), t.NodeIDs) }})
	return t
}

// nodeSet writes nodes short, so that they can be a target: by their names, or by
// their ids where two have one name or a name means something else in a target.
func nodeSet(names, ids []string) string {
	seen := map[string]bool{}
	for i, name := range names {
		if name == "" || seen[name] || name != ids[i] && strings.ContainsAny(name, "[]&|!,*?:@\\ ") {
			return render.Fold(ids)
		}
		seen[name] = true
	}
	return render.Fold(names)
}

// lackTable is one line for each patch that a node lacks.
func lackTable(o render.Options) render.Table[patch.Lack] {
	text := func(name string, of func(patch.Lack) string) render.Column[patch.Lack] {
		return render.Column[patch.Lack]{Name: name, Text: of}
	}
	wide := func(c render.Column[patch.Lack]) render.Column[patch.Lack] { c.Wide = true; return c }
	state := text("STATE", func(l patch.Lack) string { return string(l.State) })
	state.Human = func(l patch.Lack) string { return o.Styles.Status(levels.Patch(l.State), stateWord(l.State)) }
	id := text("NODE ID", func(l patch.Lack) string { return l.ID })
	id.ID = true
	title := text("TITLE", func(l patch.Lack) string { return l.Title })
	title.Human = func(l patch.Lack) string { return render.Visible(shortTitle(l.Patch, l.Title)) }
	return render.Table[patch.Lack]{
		ID:    func(l patch.Lack) string { return l.ID },
		Empty: "no node lacks such a patch",
		Columns: []render.Column[patch.Lack]{
			state, id,
			text("NAME", func(l patch.Lack) string { return l.Name }),
			text("SEVERITY", func(l patch.Lack) string { return l.Severity }),
			text("PATCH", func(l patch.Lack) string { return l.Patch }),
			scanColumn(o, "SCANNED", func(l patch.Lack) (time.Time, bool) { return l.Scanned, l.Stale }),
			title,
			wide(text("CLASSIFICATION", func(l patch.Lack) string { return l.Classification })),
			wide(text("CVES", func(l patch.Lack) string { return strings.Join(l.CVEs, ",") })),
			wide(text("GROUP", func(l patch.Lack) string { return l.Group })),
		},
	}
}

// stateWord is a state for people: "pending reboot".
func stateWord(s patch.State) string {
	return render.Visible(strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(string(s), "INSTALLED_"), "_", " ")))
}
