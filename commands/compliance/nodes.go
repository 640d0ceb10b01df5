package compliance

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// nodesOptions are those of `compliance nodes`.
type nodesOptions struct {
	nodes   nodechoice.Scanned // which, as in commands about patches
	narrow  complianceFilter
	gate    complianceGate
	countBy string

	filter compliance.Filter
}

// nodeCounts are what `compliance nodes` counts by.
var nodeCounts = map[string]func(compliance.NodeSummary) string{
	"type": func(n compliance.NodeSummary) string { return n.Type }, "status": func(n compliance.NodeSummary) string { return n.Status },
	"severity": func(n compliance.NodeSummary) string { return n.Severity }, "node": func(n compliance.NodeSummary) string { return n.ID },
}

func newNodesCmd(env *cli.Env) *cobra.Command {
	var o nodesOptions
	cmd := &cobra.Command{
		Use:   "nodes [<target>...]",
		Short: "Which nodes comply, the worst first",
		Long: `List what nodes comply with, one line for each node and type, with the number of
items that comply and do not, the worst first. Without a target that is all of the
account, also nodes that are no longer managed. Nodes that have reported nothing are
counted on standard error.

--severity is the worst severity of what a node does not comply with.`,
		Example: `  $ ssmdeck compliance nodes --noncompliant
  $ ssmdeck compliance nodes --type Association --noncompliant --tag env=prod
  $ ssmdeck compliance nodes --count-by type
  $ ssmdeck compliance nodes --type Custom:Tls --fail-on high`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(args); err != nil {
				return err
			}
			return o.run(cmd.Context(), env)
		},
	}
	o.nodes.Choice.Bind(env, cmd)
	o.narrow.bind(cmd, "nodes")
	o.gate.bind(cmd)
	bindCountBy(cmd, &o.countBy, slices.Sorted(maps.Keys(nodeCounts)))
	return cli.Spans(cmd)
}

func bindCountBy(cmd *cobra.Command, by *string, keys []string) {
	cmd.Flags().StringVar(by, "count-by", "", "count instead of listing, by this `key`: "+strings.Join(keys, ", "))
	cli.CompleteFlag(cmd, "count-by", func() []string { return keys })
}

// checkCountBy refuses what cannot be counted by.
func checkCountBy(by string, keys []string) error {
	if by == "" || slices.Contains(keys, by) {
		return nil
	}
	err := fault.Usagef("--count-by: %q is none", by)
	if near := fault.Nearest(by, keys); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("use: %s", strings.Join(keys, ", "))
}

func (o *nodesOptions) parse(args []string) (err error) {
	if err = checkCountBy(o.countBy, slices.Sorted(maps.Keys(nodeCounts))); err != nil {
		return err
	}
	if err = o.gate.check(); err != nil {
		return err
	}
	if o.filter, err = o.narrow.filter(); err != nil {
		return err
	}
	o.nodes.Stale = "0"
	return o.nodes.Parse(args)
}

func (o *nodesOptions) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if by := o.countBy; by != "" {
		table := func(ro render.Options) render.Table[count] { return countTable(ro, by) }
		err = writeCompliance(ctx, env, o, ro, table, nil, func(list []compliance.NodeSummary) []count {
			return countCompliance(list, nodeCounts[by], func(n compliance.NodeSummary) string { return n.Status })
		})
	} else {
		err = writeCompliance(ctx, env, o, ro, nodeTable, compliance.CompareNodes, func(list []compliance.NodeSummary) []compliance.NodeSummary { return list })
	}
	verdict := o.gate.verdict("node")
	if err != nil && verdict != nil {
		return errors.Join(verdict, err)
	}
	if err != nil {
		return err
	}
	return verdict
}

func writeCompliance[T any](ctx context.Context, env *cli.Env, o *nodesOptions, ro render.Options, table func(render.Options) render.Table[T],
	compare func(a, b T) int, of func([]compliance.NodeSummary) []T,
) error {
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	return cli.WriteGridSorted(ctx, env, table, ro, compare, func(ctx context.Context, env *cli.Env) (iter.Seq2[T, error], error) {
		list, err := o.read(ctx, env)
		if err != nil {
			return nil, err
		}
		bad := map[string]string{} // the worst severity by node
		for _, n := range list {
			if n.Status == compliance.NonCompliant {
				if old, seen := bad[n.ID]; !seen || slices.Index(compliance.Severities, n.Severity) < slices.Index(compliance.Severities, old) {
					bad[n.ID] = n.Severity
				}
			}
		}
		for _, severity := range bad {
			o.gate.see("", severity, 1)
		}
		return cli.Each(of(list)), nil
	})
}

// read reads the summaries of the nodes that are meant, with their names.
func (o *nodesOptions) read(ctx context.Context, env *cli.Env) ([]compliance.NodeSummary, error) {
	nodes, _, err := o.nodes.Find(ctx, env, 0)
	if err != nil {
		return nil, err
	}
	svc, err := openCompliance(ctx, env)
	if err != nil {
		return nil, err
	}
	known := make(map[string]fleet.Node, len(nodes))
	for _, n := range nodes {
		known[n.ID] = n
	}
	all := o.nodes.Whole()
	silent := make(map[string]bool, len(nodes))
	for id := range known {
		silent[id] = true
	}
	var list []compliance.NodeSummary
	gone := map[string]bool{}
	for n, err := range svc.Nodes(ctx, o.filter) {
		if err != nil {
			return nil, err
		}
		node, managed := known[n.ID]
		if !managed && !all {
			continue
		}
		if !managed {
			gone[n.ID] = true
		}
		delete(silent, n.ID)
		n.Name = node.Name
		list = append(list, n)
	}
	slices.SortFunc(list, compliance.CompareNodes)
	if len(gone) > 0 {
		env.Note("ssmdeck: note: %s not managed any more, and in the list", cli.PluralAre(len(gone), "node"))
	}
	// A filter by status or severity leaves out nodes that have reported.
	if len(silent) > 0 && o.filter.Status == "" && o.filter.Severity == "" {
		what := "compliance"
		if o.filter.Type != "" {
			what = o.filter.Type
		}
		env.Note("ssmdeck: warning: %s reported no %s, and %s in no number", cli.Plural(len(silent), "node"), what, map[bool]string{true: "is", false: "are"}[len(silent) == 1])
	}
	return list, nil
}

func nodeTable(o render.Options) render.Table[compliance.NodeSummary] {
	type row = compliance.NodeSummary
	cols := []render.Column[row]{
		complianceStatus(o, func(n row) string { return n.Status }),
		{Name: "NODE ID", ID: true, Text: func(n row) string { return n.ID }},
		{Name: "NAME", Text: func(n row) string { return n.Name }},
		{Name: "TYPE", Text: func(n row) string { return n.Type }},
		{Name: "SEVERITY", Text: func(n row) string { return n.Severity }, Human: func(n row) string {
			if n.Status == compliance.Compliant {
				return ""
			}
			return render.Visible(strings.ToLower(n.Severity))
		}, Less: func(a, b row) bool { return compliance.CompareNodes(a, b) < 0 }},
		{Name: "ITEMS", Right: true, Text: func(n row) string {
			return strconv.Itoa(n.NonCompliant) + "/" + strconv.Itoa(n.NonCompliant+n.Compliant)
		}},
		cli.AgoColumn(o, "EXECUTED", func(n row) time.Time { return n.Executed }),
	}
	for _, c := range severityColumns(o, func(n row) compliance.Counts { return n.Severities }) {
		c.Wide = true
		cols = append(cols, c)
	}
	return render.Table[row]{ID: func(n row) string { return n.ID }, Empty: "no such node", Columns: cols}
}
