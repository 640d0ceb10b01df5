package compliance

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// listOptions are those of `compliance list`.
type listOptions struct {
	narrow  complianceFilter
	gate    complianceGate
	countBy string

	filter compliance.Filter
}

// itemCounts are what `compliance list` counts by.
var itemCounts = map[string]func(compliance.Item) string{
	"type": func(i compliance.Item) string { return i.Type }, "status": func(i compliance.Item) string { return i.Status },
	"severity": func(i compliance.Item) string { return i.Severity },
}

func newListCmd(env *cli.Env) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:     "list <node>",
		Aliases: []string{"ls", "get", "show"},
		Short:   "What one node complies with, item by item, the worst first",
		Long: `List the items of one node: its patches, its associations, and what was put of your
own types. Of associations that do not comply the reason is shown, where the service
tells one.`,
		Example: `  $ ssmdeck compliance list web-1
  $ ssmdeck compliance list web-1 --noncompliant --type Association
  $ ssmdeck compliance list web-1 --type Custom:Tls -o json
  $ ssmdeck compliance list web-1 --count-by severity`,
		Args:              nodechoice.Pickable(env, cli.ExactArgs("the node")),
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err = checkCountBy(o.countBy, slices.Sorted(maps.Keys(itemCounts))); err != nil {
				return err
			}
			if err = o.gate.check(); err != nil {
				return err
			}
			if o.filter, err = o.narrow.filter(); err != nil {
				return err
			}
			if args, err = nodechoice.OrPick(cmd.Context(), env, args); err != nil {
				return err
			}
			return o.run(cmd.Context(), env, args[0])
		},
	}
	o.narrow.bind(cmd, "items")
	o.gate.bind(cmd)
	bindCountBy(cmd, &o.countBy, slices.Sorted(maps.Keys(itemCounts)))
	return cmd
}

func (o *listOptions) run(ctx context.Context, env *cli.Env, expr string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	counts := func(ro render.Options) render.Table[count] { return countTable(ro, o.countBy) }
	if o.countBy != "" {
		err = counts(ro).Check(ro)
	} else {
		err = itemTable(ro).Check(ro)
	}
	if err != nil {
		return err
	}
	node, err := nodechoice.FindNode(ctx, env, expr)
	if err != nil {
		return err
	}
	svc, err := openCompliance(ctx, env)
	if err != nil {
		return err
	}
	items, err := complianceItems(ctx, svc, node.ID, o.filter)
	if err != nil {
		return err
	}
	if err := svc.Explain(ctx, node.ID, items); err != nil {
		env.Note("ssmdeck: note: why associations do not comply is not known: %s", cli.FirstLine(err))
	}
	slices.SortStableFunc(items, compliance.CompareItems)
	for _, item := range items {
		if item.Status == compliance.NonCompliant {
			o.gate.see("", item.Severity, 1)
		}
	}
	if o.countBy != "" {
		err = cli.WriteList(env, counts, ro, countCompliance(items, itemCounts[o.countBy], func(i compliance.Item) string { return i.Status }))
	} else {
		err = cli.WriteList(env, itemTable, ro, items)
	}
	if err != nil {
		return err
	}
	return o.gate.verdict("item")
}

// complianceItems reads the items of a node.
func complianceItems(ctx context.Context, svc *compliance.Service, node string, f compliance.Filter) ([]compliance.Item, error) {
	items := []compliance.Item{}
	for item, err := range svc.Items(ctx, node, f) {
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func itemTable(o render.Options) render.Table[compliance.Item] {
	type row = compliance.Item
	details := func(i row) string {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(i.Details)) {
			parts = append(parts, k+"="+i.Details[k])
		}
		return strings.Join(parts, " ")
	}
	return render.Table[row]{
		ID: func(i row) string { return i.ID }, Empty: "the node has reported no such compliance",
		Columns: []render.Column[row]{
			complianceStatus(o, func(i row) string { return i.Status }),
			{Name: "SEVERITY", Text: func(i row) string { return i.Severity }, Human: func(i row) string { return render.Visible(strings.ToLower(i.Severity)) }},
			{Name: "TYPE", Text: func(i row) string { return i.Type }},
			{Name: "TITLE", Text: func(i row) string { return i.Title }},
			cli.AgoColumn(o, "EXECUTED", func(i row) time.Time { return i.Executed }),
			{Name: "REASON", Text: func(i row) string { return i.Reason }},
			{Name: "ID", Wide: true, ID: true, Text: func(i row) string { return i.ID }},
			{Name: "EXECUTION TYPE", Wide: true, Text: func(i row) string { return i.ExecutionType }},
			{Name: "EXECUTION ID", Wide: true, ID: true, Text: func(i row) string { return i.ExecutionID }},
			{Name: "DETAILS", Wide: true, Text: details},
		},
	}
}
