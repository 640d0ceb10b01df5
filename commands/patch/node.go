package patch

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// nodeOptions are those of `patch node`.
type nodeOptions struct {
	states, severities, classes, cves []string
	all                               bool

	want  []patch.State
	match patch.Match
}

func newNodeCmd(env *cli.Env) *cobra.Command {
	var o nodeOptions
	cmd := &cobra.Command{
		Use:   "node <node>",
		Short: "The patches of one node, the worst first",
		Long: `Show what the last scan or installation found on one node: the counts, the baseline,
the patch group, and the patches: failed, missing, rejected and waiting for a reboot,
and security updates that are available and not approved. --all adds those that are
installed or not applicable.

In a pipe, and with -o csv, text and name, there are the patches alone.`,
		Example: `  $ ssmdeck patch node web-1
  $ ssmdeck patch node web-1 --severity critical,important
  $ ssmdeck patch node web-1 --state missing,failed -o name
  $ ssmdeck patch node web-1 --all -o json`,
		Args:              nodechoice.Pickable(env, cli.ExactArgs("the node")),
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := noEmptyList(cmd, "state", "cve", "severity", "classification"); err != nil {
				return err
			}
			if err := o.parse(); err != nil {
				return err
			}
			args, err := nodechoice.OrPick(cmd.Context(), env, args)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), env, args[0])
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.states, "state", nil, "only patches in these `states`: "+strings.Join(patchStates(), ", "))
	f.BoolVar(&o.all, "all", false, "also what is installed, and what is not applicable")
	f.StringSliceVar(&o.cves, "cve", nil, "only patches for these CVEs: `numbers` such as CVE-2026-1000")
	bindPatchMatch(cmd, &o.severities, &o.classes)
	cli.CompleteFlag(cmd, "state", patchStates)
	return cmd
}

// patchStates are the words for them: missing, installed-pending-reboot.
func patchStates() (words []string) {
	for _, s := range patch.States {
		words = append(words, strings.ToLower(strings.ReplaceAll(string(s), "_", "-")))
	}
	return words
}

func (o *nodeOptions) parse() (err error) {
	words := patchStates()
	for _, s := range o.states {
		word := strings.ToLower(strings.NewReplacer("_", "-", " ", "-").Replace(strings.TrimSpace(s)))
		i := slices.IndexFunc(words, func(w string) bool { return strings.ReplaceAll(w, "-", "") == strings.ReplaceAll(word, "-", "") })
		if i < 0 {
			err := fault.Usagef("--state: %q is none", s)
			if near := fault.Nearest(word, words); near != "" {
				return err.WithHint("did you mean %s?", near)
			}
			return err.WithHint("there are: %s", strings.Join(words, ", "))
		}
		o.want = append(o.want, patch.States[i])
	}
	switch {
	case o.all && len(o.want) > 0:
		return fault.Usagef("--all and --state contradict each other")
	case len(o.want) == 0 && !o.all:
		o.want = append(slices.Clone(patch.Wrong), patch.AvailableSecurityUpdate)
	}
	if o.match.Severities, err = patch.ParseSeverities("severity", o.severities); err != nil {
		return err
	}
	if o.match.Classifications, err = patch.ParseClassifications("classification", o.classes); err != nil {
		return err
	}
	o.match.CVEs, err = patch.ParseCVEs("cve", o.cves)
	return err
}

// patchedNode is one node with its patches. The JSON names are part of the output
// contract.
type patchedNode struct {
	patch.Row
	Patches []patch.Patch `json:"patches"`
}

func (o *nodeOptions) run(ctx context.Context, env *cli.Env, expr string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	check := ro // the options of lists hold for its patches; a query is for all of it
	check.Query = ""
	if err := patchTable(check).Check(check); err != nil {
		return err
	}
	n, err := nodechoice.FindNode(ctx, env, expr)
	if err != nil {
		return err
	}
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	list := []fleet.Node{n}
	gaps, err := nodes.Join(ctx, list, fleet.PartPatch)
	switch {
	case err != nil:
		return err
	case len(gaps) > 0:
		return gaps[0].Err
	}
	row := patch.RowOf(&list[0], time.Now(), patch.StaleAfter, strictBaselines(ctx, env, list))
	v := patchedNode{row, []patch.Patch{}}
	if row.Status == patch.NeverScanned {
		env.Note("ssmdeck: %s was never scanned: `ssmdeck patch scan` does that", render.Visible(n.String()))
	} else if v.Patches, err = o.read(ctx, env, n.ID); err != nil {
		return err
	}
	return o.show(env, ro, v)
}

// read reads the patches that are wanted, the worst first. What the service's filter
// lets through is held against the states again.
func (o *nodeOptions) read(ctx context.Context, env *cli.Env, id string) ([]patch.Patch, error) {
	svc, err := openPatches(ctx, env)
	if err != nil {
		return nil, err
	}
	out := []patch.Patch{}
	for p, err := range svc.OfNode(ctx, id) {
		if err != nil {
			return nil, err
		}
		if (len(o.want) == 0 || slices.Contains(o.want, p.State)) && o.match.Matches(p) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, patch.Patch.Compare)
	return out, nil
}

// asTable reports whether the patches are a table, below the node's details or alone.
func asTable(ro render.Options) bool {
	switch ro.Format {
	case render.FormatJSON, render.FormatJSONL, render.FormatYAML:
		return false
	}
	return ro.Query == ""
}

func (o *nodeOptions) show(env *cli.Env, ro render.Options, v patchedNode) error {
	table := asTable(ro)
	head := ro.Terminal() && slices.Contains([]render.Format{render.FormatAuto, render.FormatTable, render.FormatWide}, ro.Format)
	if head || !table {
		err := render.Object(env.Out, ro, v, func(d *render.Detail) { patchHead(d, ro, v.Row) })
		if err != nil || !table {
			return err
		}
		if _, err := io.WriteString(env.Out, "\n"); err != nil {
			return err
		}
	}
	if err := cli.WriteList(env, patchTable, ro, v.Patches); err != nil {
		return err
	}
	if rest := v.Installed + v.InstalledOther; rest > 0 && head && len(o.states) == 0 && !o.all {
		env.Note("ssmdeck: %d more installed: --all shows them", rest)
	}
	return nil
}

func patchHead(d *render.Detail, o render.Options, r patch.Row) {
	d.Field("Node", r.ID)
	d.Field("Name", r.Name)
	d.Human("Status", string(r.Status), o.Styles.Status(levels.PatchRow(&r), r.Word()))
	d.Field("System", r.System)
	d.Field("Group", r.Group)
	d.Field("Baseline", r.Baseline)
	d.Field("Operation", r.Operation)
	cli.Moment(d, o, "Scanned", r.Scanned)
	if r.Scanned.IsZero() {
		return
	}
	d.Section("Patches")
	for _, n := range []struct {
		name  string
		n     int
		level theme.Level
	}{
		{"Critical", r.Critical, levels.Critical},
		{"Security", r.Security, levels.Security},
		{"Missing", r.Missing, levels.Missing},
		{"Failed", r.Failed, levels.FailedPatch},
		{"Pending reboot", r.PendingReboot, levels.PendingReboot},
		{"Rejected", r.Rejected, levels.Rejected},
		{"Available", r.Available, theme.Unknown},
		{"Installed", r.Installed, theme.Unknown},
		{"Installed other", r.InstalledOther, theme.Unknown},
		{"Not applicable", r.NotApplicable, theme.Unknown},
	} {
		c := cli.NumberColumn(o, "", n.level, nil, func(int) int { return n.n })
		d.Human(n.name, c.Text(0), c.Human(0))
	}
}

// patchTable is one line for each patch of a node.
func patchTable(o render.Options) render.Table[patch.Patch] {
	title := func(p patch.Patch) string { return p.Title }
	return render.Table[patch.Patch]{
		ID:    func(p patch.Patch) string { return p.ID },
		Empty: "no such patch",
		Columns: []render.Column[patch.Patch]{
			{
				Name: "STATE", Text: func(p patch.Patch) string { return string(p.State) },
				Human: func(p patch.Patch) string { return o.Styles.Status(levels.Patch(p.State), stateWord(p.State)) },
			},
			{Name: "SEVERITY", Text: func(p patch.Patch) string { return p.Severity }},
			{Name: "CLASSIFICATION", Text: func(p patch.Patch) string { return p.Classification }},
			{Name: "PATCH", Text: func(p patch.Patch) string { return p.ID }},
			{Name: "TITLE", Text: title, Human: func(p patch.Patch) string { return render.Visible(shortTitle(p.ID, p.Title)) }},
			{Name: "CVES", Text: func(p patch.Patch) string { return strings.Join(p.CVEs, ",") }},
			{
				Name: "INSTALLED", Wide: true, Text: func(p patch.Patch) string { return render.Timestamp(p.Installed) },
				Human: func(p patch.Patch) string { return render.Ago(o.Now, p.Installed) },
				Less:  func(a, b patch.Patch) bool { return a.Installed.Before(b.Installed) },
			},
		},
	}
}
