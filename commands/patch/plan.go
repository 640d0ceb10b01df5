package patch

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// planReadNodes is up to how many nodes their own patches are read: a call each, and
// one for every 100 patches.
const planReadNodes = 50

// planOptions are the flags of `patch plan`.
type planOptions struct {
	choice     nodechoice.Choice
	file       string
	replaces   string
	by         string
	at         string
	failOn     string
	catalogue  bool
	noValidate bool
}

func newPlanCmd(env *cli.Env) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [target...] --baseline-file <file>",
		Short: "Show what another baseline would start and stop approving, node by node",
		Long: `Compare a baseline as it is with one as a file says it shall be, for the nodes that go
by it: which patches would start being approved, and which would stop, before anything
is changed. The file is one of ssmdeck patch baseline export. The baseline that it takes
the place of is the one with its name and operating system, or that of --baseline.

For up to ` + strconv.Itoa(planReadNodes) + ` nodes what each of them has is read, and only what concerns it is counted.
For more, or with --catalogue, nodes are put together by product, and the patches are
those of the service's catalogue, whether or not a node has the software. What is approved
before and after is no change, also where a scan did not ask for it because of a newer
patch that stops.

--at tells how it is on another day, when delays have run out. With --fail-on change the
status is 6 when something would start or stop.`,
		Example: `  $ ssmdeck patch plan --baseline-file prod-al2023.yaml
  $ ssmdeck patch plan --baseline-file prod-al2023.yaml --by patch -o json
  $ ssmdeck patch plan 'web-*' --baseline-file new.yaml --baseline prod-al2023 --at 2026-12-24`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, args) },
	}
	o.choice.Bind(env, cmd)
	f := cmd.Flags()
	f.StringVar(&o.file, "baseline-file", "", "the baseline as it shall be, from `file`; - is standard input")
	f.StringVar(&o.replaces, "baseline", "", "the `baseline` whose place it takes: id, ARN or name")
	f.StringVar(&o.by, "by", "node", "show a row for each `what`: node, patch")
	f.StringVar(&o.at, "at", "", "decide as on this `day`: 2026-12-24, or 14d from now")
	f.StringVar(&o.failOn, "fail-on", "", "status 6 on `what`: change, start, stop")
	f.BoolVar(&o.catalogue, "catalogue", false, "do not read what nodes have, also when they are few")
	f.BoolVar(&o.noValidate, "no-validate", false, "take products, classifications and severities that are not documented")
	cli.CompleteFlag(cmd, "by", func() []string { return []string{"node", "patch"} })
	cli.CompleteFlag(cmd, "fail-on", func() []string { return []string{"change", "start", "stop"} })
	_ = cmd.RegisterFlagCompletionFunc("baseline", completeBaseline(env, 1))
	return cmd
}

// plannedNode is a node and what would change for it.
type plannedNode struct {
	Node    string   `json:"node"`
	Name    string   `json:"name"`
	OS      string   `json:"os"`
	Product string   `json:"product,omitempty"`
	Group   string   `json:"group,omitempty"`
	Start   []string `json:"start"` // patches, newest first
	Stop    []string `json:"stop"`
	From    string   `json:"from"` // node: of what it has; catalogue: of all there is for its product

	node fleet.Node
}

// plannedPatch is a patch that would start or stop being approved.
type plannedPatch struct {
	baseline.Change
	Would string   `json:"would"` // start, stop
	Nodes []string `json:"nodes"` // ids
	Names string   `json:"names"` // folded
}

func (o *planOptions) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	ctx := cmd.Context()
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	now, after, targets, filter, err := o.check(cmd, env, ro, args)
	if err != nil {
		return err
	}
	warnBaseline(env, &after)
	svc, err := openBaselines(ctx, env)
	if err != nil {
		return err
	}
	before, err := o.before(ctx, svc, after)
	if err != nil {
		return err
	}
	nodes, err := o.nodes(ctx, env, targets, filter)
	if err != nil {
		return err
	}
	p := planner{env: env, svc: svc, before: before, after: after, now: now, older: map[string]bool{}}
	if err := p.choose(ctx, nodes, len(targets) > 0); err != nil {
		return err
	}
	if err := p.decide(ctx, o.catalogue); err != nil {
		return err
	}
	p.summary()
	if o.by == "patch" {
		err = cli.WriteList(env, plannedPatchTable, ro, p.patches)
	} else {
		err = cli.WriteList(env, plannedNodeTable, ro, p.nodes)
	}
	switch {
	case err != nil:
		return err
	case p.failed != nil:
		return p.failed
	case o.failOn == "change" && p.starts+p.stops > 0, o.failOn == "start" && p.starts > 0, o.failOn == "stop" && p.stops > 0:
		return &fault.Exit{Code: fault.RemoteFailed.ExitCode()}
	}
	return nil
}

// check reads everything that needs no call.
func (o *planOptions) check(cmd *cobra.Command, env *cli.Env, ro render.Options, args []string) (now time.Time, after baseline.Baseline, targets []fleet.Target, filter fleet.Filter, err error) {
	fail := func(e error) (time.Time, baseline.Baseline, []fleet.Target, fleet.Filter, error) {
		return now, after, nil, filter, e
	}
	switch {
	case o.file == "":
		return fail(fault.Usagef("%s: missing --baseline-file", cmd.CommandPath()).WithHint("`ssmdeck patch baseline export BASELINE` writes one to start from"))
	case o.by != "node" && o.by != "patch":
		return fail(fault.Usagef("--by %q is neither node nor patch", o.by))
	case o.failOn != "" && o.failOn != "change" && o.failOn != "start" && o.failOn != "stop":
		return fail(fault.Usagef("--fail-on %q is none of change, start, stop", o.failOn))
	}
	if o.by == "patch" {
		err = plannedPatchTable(ro).Check(ro)
	} else {
		err = plannedNodeTable(ro).Check(ro)
	}
	if err != nil {
		return fail(err)
	}
	if now, err = planDay(o.at, ro.Now); err != nil {
		return fail(err)
	}
	if len(args)+len(o.choice.Targets)+len(o.choice.Tags) > 0 {
		targets, filter, err = o.choice.Parse(cmd.CommandPath(), args)
	} else {
		filter, err = fleet.ParseFilter(o.choice.Filter)
	}
	if err != nil {
		return fail(err)
	}
	after, err = readBaselineFile(env, o.file, o.noValidate)
	return now, after, targets, filter, err
}

// planDay reads --at: a day, of which the last moment is meant, or days from now.
func planDay(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 10_000 {
			return now.AddDate(0, 0, n), nil
		}
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return now, fault.Usagef("--at %q is no day", text).WithHint("write 2026-12-24, or 14d for so many days from now")
	}
	return at.AddDate(0, 0, 1).Add(-time.Second), nil
}

// before is the baseline that the file takes the place of.
func (o *planOptions) before(ctx context.Context, svc *baseline.Service, after baseline.Baseline) (baseline.Baseline, error) {
	if o.replaces != "" {
		b, err := svc.Read(ctx, o.replaces, after.OS)
		if err == nil && b.OS != after.OS {
			err = fault.Usagef("--baseline %s is for %s, and the file for %s", o.replaces, b.OS, after.OS)
		}
		return b, err
	}
	b, err := svc.Named(ctx, after.Name, after.OS)
	if err == nil && b.ID == "" {
		err = fault.New(fault.NotFound, "plan "+after.Name, "there is no such baseline for %s yet", after.OS).
			WithHint("say with --baseline whose place it takes: `ssmdeck patch baseline list --os %s` shows them", after.OS)
	}
	return b, err
}

// nodes are the nodes that are looked at, with their tags.
func (o *planOptions) nodes(ctx context.Context, env *cli.Env, targets []fleet.Target, filter fleet.Filter) ([]fleet.Node, error) {
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	const tags = fleet.PartEC2 | fleet.PartTags
	nodes, gaps, err := nodechoice.JoinedNodes(ctx, svc, targets, fleet.Query{Filter: filter}, tags)
	if err != nil {
		return nil, err
	}
	for _, g := range gaps {
		if g.Part&tags != 0 {
			return nil, fault.New(fault.KindOf(g.Err), "plan", "the tags of %s cannot be read, and so which baseline they go by: %w", cli.Plural(g.Nodes, "node"), g.Err)
		}
	}
	nodechoice.NoteGaps(env, gaps)
	return nodes, nil
}

func plannedNodeTable(o render.Options) render.Table[plannedNode] {
	count := func(list []string, sign string, good bool) string {
		s := strconv.Itoa(len(list))
		switch {
		case len(list) == 0:
			return o.Styles.Dim.Render(s)
		case good:
			return o.Styles.Good.Render(sign + s)
		}
		return o.Styles.Bad.Render(sign + s)
	}
	return render.Table[plannedNode]{
		ID: func(r plannedNode) string { return r.Node }, Empty: "no node goes by this baseline",
		Columns: []render.Column[plannedNode]{
			{Name: "NODE", ID: true, Text: func(r plannedNode) string { return r.Node }},
			{Name: "NAME", Text: func(r plannedNode) string { return r.Name }},
			{Name: "GROUP", Text: func(r plannedNode) string { return r.Group }},
			{Name: "PRODUCT", Text: func(r plannedNode) string { return cmp.Or(r.Product, r.OS) }},
			{
				Name: "START", Right: true, Text: func(r plannedNode) string { return strconv.Itoa(len(r.Start)) },
				Human: func(r plannedNode) string { return count(r.Start, "+", true) },
			},
			{
				Name: "STOP", Right: true, Text: func(r plannedNode) string { return strconv.Itoa(len(r.Stop)) },
				Human: func(r plannedNode) string { return count(r.Stop, "-", false) },
			},
			{
				Name: "PATCHES", Text: func(r plannedNode) string { return strings.Join(signed(r), ",") },
				Human: func(r plannedNode) string { return render.Visible(cli.SomeOf(signed(r), 4)) },
			},
			{Name: "FROM", Wide: true, Text: func(r plannedNode) string { return r.From }},
		},
	}
}

// signed lists the patches of a row: +what starts, -what stops.
func signed(r plannedNode) []string {
	var out []string
	for _, p := range r.Start {
		out = append(out, "+"+p)
	}
	for _, p := range r.Stop {
		out = append(out, "-"+p)
	}
	return out
}

func plannedPatchTable(o render.Options) render.Table[plannedPatch] {
	of := func(r plannedPatch) baseline.Patch { return r.Patch }
	columns := []render.Column[plannedPatch]{{
		Name: "WOULD", Text: func(r plannedPatch) string { return r.Would },
		Human: func(r plannedPatch) string {
			if r.Would == "start" {
				return o.Styles.Good.Render("+ start")
			}
			return o.Styles.Bad.Render("- stop")
		},
	}}
	columns = append(columns, cells(o, of)...)
	columns = append(columns,
		render.Column[plannedPatch]{Name: "NODES", Right: true, Text: func(r plannedPatch) string { return strconv.Itoa(len(r.Nodes)) }},
		render.Column[plannedPatch]{Name: "WHICH", Text: func(r plannedPatch) string { return r.Names }},
		render.Column[plannedPatch]{Name: "BEFORE", Wide: true, Text: func(r plannedPatch) string { return fmt.Sprintf("%s: %s", r.Before.Outcome, r.Before.Why) }},
		render.Column[plannedPatch]{Name: "AFTER", Wide: true, Text: func(r plannedPatch) string { return fmt.Sprintf("%s: %s", r.After.Outcome, r.After.Why) }},
	)
	return render.Table[plannedPatch]{
		ID: func(r plannedPatch) string { return r.ID }, Empty: "nothing would start or stop being approved",
		Columns: append(columns, moreCells(of, true)...),
	}
}
