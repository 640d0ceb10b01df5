package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newGetCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "get <node> [type]",
		Aliases: []string{"show"},
		Short:   "Show what one node reported",
		Long: `List the types that a node has reported, with the number of entries and their age;
with a type, its entries.`,
		Example: `  $ ssmdeck inventory get web-1
  $ ssmdeck inventory get web-1 AWS:Application
  $ ssmdeck inventory get web-1 AWS:Application --columns item,version --sort-by installed-time`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return cli.ExactArgs("the node")(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return typeNames(false)(), cobra.ShellCompDirectiveNoFileComp
			}
			return nodechoice.CompleteNode(env)(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return inventoryEntries(cmd.Context(), env, args[0], args[1])
			}
			return typesOf(cmd.Context(), env, args[0])
		},
	}
	return cmd
}

func inventoryEntries(ctx context.Context, env *cli.Env, expr, kind string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := inventory.CheckType(kind, false); err != nil {
		return err
	}
	table := func(o render.Options) render.Table[itemRow] { return itemTable(o, kind) }
	if err := table(ro).Check(ro); err != nil {
		return err
	}
	n, svc, err := node(ctx, env, expr)
	if err != nil {
		return err
	}
	l, err := svc.OfNode(ctx, n.ID, kind)
	if err != nil {
		return err
	}
	rows := make([]itemRow, 0, len(l.Entries))
	for _, e := range l.Entries {
		rows = append(rows, itemRow{
			Node: n.ID, Name: n.Name, Platform: n.Platform, Type: kind, Item: e.Name(), Version: e.Version(), Captured: l.Captured, Entry: e,
		})
	}
	slices.SortStableFunc(rows, func(a, b itemRow) int { return render.NaturalCompare(a.Item, b.Item) })
	return cli.WriteList(env, table, ro, rows)
}

func node(ctx context.Context, env *cli.Env, expr string) (fleet.Node, *inventory.Service, error) {
	n, err := nodechoice.FindNode(ctx, env, expr)
	if err != nil {
		return n, nil, err
	}
	svc, err := openInventory(ctx, env)
	return n, svc, err
}

// reportedRow is a type that a node has reported.
type reportedRow struct {
	Type     string    `json:"type"`
	Entries  int       `json:"entries"`
	Schema   string    `json:"schema,omitempty"`
	Captured time.Time `json:"captured,omitzero"`
}

func typesOf(ctx context.Context, env *cli.Env, expr string) error {
	ro, err := cli.ListOptions(env, reportedTable)
	if err != nil {
		return err
	}
	n, svc, err := node(ctx, env, expr)
	if err != nil {
		return err
	}
	types, err := svc.Types(ctx, "")
	if err != nil {
		return err
	}
	rows := make([]reportedRow, len(types))
	err = awsapi.Parallel(ctx, len(types), func(ctx context.Context, i int) error {
		l, err := svc.OfNode(ctx, n.ID, types[i].Name)
		rows[i] = reportedRow{types[i].Name, len(l.Entries), l.Schema, l.Captured}
		return err
	})
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r reportedRow) bool { return r.Entries == 0 })
	return cli.WriteList(env, reportedTable, ro, rows)
}

func reportedTable(o render.Options) render.Table[reportedRow] {
	return render.Table[reportedRow]{
		ID: func(r reportedRow) string { return r.Type }, Empty: "the node has reported nothing; see `ssmdeck inventory enable`",
		Columns: []render.Column[reportedRow]{
			{Name: "TYPE", Text: func(r reportedRow) string { return r.Type }},
			{Name: "ENTRIES", Right: true, Text: func(r reportedRow) string { return fmt.Sprint(r.Entries) }},
			{Name: "SCHEMA", Wide: true, Text: func(r reportedRow) string { return r.Schema }},
			cli.AgoColumn(o, "CAPTURED", func(r reportedRow) time.Time { return r.Captured }),
		},
	}
}

func newTypesCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "types [prefix]",
		Short: "List the types of inventory and their attributes",
		Long: `List the types that nodes of the account report or can report, and the attributes
that queries can ask about. A prefix narrows: Custom: lists the account's own.`,
		Example: "  $ ssmdeck inventory types\n  $ ssmdeck inventory types AWS:Application\n  $ ssmdeck inventory types Custom: -o json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return cli.NoArgs(cmd, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return typeNames(false)(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := cli.ListOptions(env, typesTable)
			if err != nil {
				return err
			}
			svc, err := openInventory(cmd.Context(), env)
			if err != nil {
				return err
			}
			types, err := svc.Types(cmd.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			return cli.WriteList(env, typesTable, ro, types)
		},
	}
}

func typesTable(render.Options) render.Table[inventory.Type] {
	return render.Table[inventory.Type]{
		ID: func(t inventory.Type) string { return t.Name }, Empty: "there is no such type",
		Columns: []render.Column[inventory.Type]{
			{Name: "TYPE", Text: func(t inventory.Type) string { return t.Name }},
			{Name: "VERSION", Wide: true, Text: func(t inventory.Type) string { return t.Version }},
			{Name: "ATTRIBUTES", Text: func(t inventory.Type) string {
				var names []string
				for _, a := range t.Attributes {
					names = append(names, a.Name)
				}
				return strings.Join(names, ", ")
			}},
		},
	}
}
