package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newCountCmd(env *cli.Env) *cobra.Command {
	var wheres []string
	cmd := &cobra.Command{
		Use:   "count <type.attribute>...",
		Short: "Have the service count by attributes",
		Long: `Count what nodes reported by the values of attributes, also by several at once. The
service counts, in one call whatever the size of the fleet. --where narrows to nodes
that have an entry for which it holds, with = != < > or a * at the end of a value; what
is counted are then all entries of these nodes.`,
		Example: `  $ ssmdeck inventory count AWS:InstanceInformation.PlatformName
  $ ssmdeck inventory count AWS:InstanceInformation.PlatformType AWS:InstanceInformation.AgentVersion
  $ ssmdeck inventory count AWS:Application.Publisher --where AWS:InstanceInformation.PlatformType=Windows
  $ ssmdeck inventory count AWS:InstanceInformation.PlatformName --all-regions`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.ExactArgs("what to count by")(cmd, args)
			}
			return inventory.CheckCounting(args, nil)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var words []string
			for _, kind := range inventory.Known() {
				for _, a := range inventory.Columns(kind) {
					words = append(words, kind+"."+a)
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := inventory.CheckCounting(args, wheres); err != nil {
				return err
			}
			return countInventory(cmd.Context(), env, args, wheres)
		},
	}
	cmd.Flags().StringArrayVar(&wheres, "where", nil, "only nodes for which the `condition` TYPE.ATTRIBUTE=VALUE holds; repeat for more")
	return cli.Spans(cmd)
}

// countedRow is a number with the values that it belongs to.
type countedRow struct {
	keys []string
	inventory.Count
}

// MarshalJSON writes the attributes counted by as fields of their own.
func (r countedRow) MarshalJSON() ([]byte, error) {
	by := make(map[string]string, len(r.keys))
	for i, k := range r.keys {
		by[k] = r.Values[i]
	}
	return json.Marshal(struct {
		By    map[string]string `json:"by"`
		Count int               `json:"count"`
	}{by, r.Count.Count})
}

func countInventory(ctx context.Context, env *cli.Env, by, wheres []string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	table := func(render.Options) render.Table[countedRow] {
		t := render.Table[countedRow]{ID: func(r countedRow) string { return strings.Join(r.Values, " ") }, Empty: "no node reported that"}
		for i, expression := range by {
			_, attribute, _ := strings.Cut(expression, ".")
			t.Columns = append(t.Columns, render.Column[countedRow]{Name: attributeHeader(attribute), Text: func(r countedRow) string { return r.Values[i] }})
		}
		t.Columns = append(t.Columns, render.Column[countedRow]{Name: "COUNT", Right: true, Text: func(r countedRow) string { return fmt.Sprint(r.Count.Count) }})
		return t
	}
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[countedRow, error], error) {
		svc, err := openInventory(ctx, env)
		if err != nil {
			return nil, err
		}
		counts, err := svc.Counts(ctx, by, wheres)
		rows := make([]countedRow, len(counts))
		for i, c := range counts {
			rows[i] = countedRow{by, c}
		}
		return cli.Each(rows), err
	})
}
