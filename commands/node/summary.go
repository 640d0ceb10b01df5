package node

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newSummaryCmd(env *cli.Env) *cobra.Command {
	var (
		choice nodechoice.Choice
		by     []string
	)
	cmd := &cobra.Command{
		Use:   "summary",
		Short: "Count nodes by what they have in common",
		Long: `Count nodes by platform, ping, agent version, VPC, a tag, or anything else that a
filter knows, also by several at once. What EC2, tags and patching say is read
where it is counted by.

Keys: ` + strings.Join(fleet.FacetKeys(), ", ") + `, tag:KEY`,
		Example: `  $ ssmdeck node summary --by platform,ping
  $ ssmdeck node summary --by agent --filter platform=linux
  $ ssmdeck node summary --by tag:env,vpc -o json
  $ ssmdeck node summary --all-regions`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return summary(cmd.Context(), env, choice, by) },
	}
	choice.BindNarrow(cmd)
	cmd.Flags().StringSliceVar(&by, "by", []string{"platform", "ping"}, "`keys` to count by")
	cli.CompleteFlag(cmd, "by", func() []string { return append(fleet.FacetKeys(), "tag:") })
	return cli.Spans(cmd)
}

// summaryRow is a number of nodes that are alike.
type summaryRow struct {
	keys, values  []string
	Nodes, Online int
	share         float64
}

// MarshalJSON writes the keys counted by as fields of their own.
func (r summaryRow) MarshalJSON() ([]byte, error) {
	by := make(map[string]string, len(r.keys))
	for i, k := range r.keys {
		by[k] = r.values[i]
	}
	return json.Marshal(struct {
		By     map[string]string `json:"by"`
		Nodes  int               `json:"nodes"`
		Online int               `json:"online"`
	}{by, r.Nodes, r.Online})
}

func summary(ctx context.Context, env *cli.Env, choice nodechoice.Choice, by []string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	var facets []fleet.Facet
	var keys []string
	var parts fleet.Part
	for _, key := range by {
		f, err := fleet.ParseFacet(strings.TrimSpace(key))
		if err != nil {
			return err
		}
		if slices.Contains(keys, f.Key) {
			return fault.Usagef("--by names %s twice", f.Key)
		}
		facets, keys, parts = append(facets, f), append(keys, f.Key), parts|f.Parts
	}
	if len(facets) == 0 {
		return fault.Usagef("--by names nothing to count by").WithHint("for instance --by platform,ping")
	}
	table := summaryTable(keys)
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	o := lsOptions{tags: choice.Tags, filter: choice.Filter}
	q, err := nodechoice.Query(o.tags, o.filter)
	if err != nil {
		return err
	}
	return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[summaryRow, error], error) {
		svc, err := env.Fleet(ctx)
		if err != nil {
			return nil, err
		}
		nodes, gaps, err := svc.Table(ctx, q, parts)
		if err != nil {
			return nil, err
		}
		nodechoice.NoteGaps(env, gaps)
		return cli.Each(summarize(nodes, facets)), nil
	})
}

// summarize counts nodes by facets, the largest number first.
func summarize(nodes []fleet.Node, facets []fleet.Facet) []summaryRow {
	at := map[string]int{}
	var rows []summaryRow
	keys := make([]string, len(facets))
	for i, f := range facets {
		keys[i] = f.Key
	}
	for _, n := range nodes {
		values := make([]string, len(facets))
		for i, f := range facets {
			v, known := f.Of(n)
			if values[i] = v; !known {
				values[i] = nodechoice.Unknown
			}
		}
		id := strings.Join(values, "\x00")
		i, seen := at[id]
		if !seen {
			i = len(rows)
			at[id] = i
			rows = append(rows, summaryRow{keys: keys, values: values})
		}
		rows[i].Nodes++
		if n.Online() {
			rows[i].Online++
		}
	}
	for i := range rows {
		rows[i].share = float64(rows[i].Nodes) / float64(len(nodes))
	}
	slices.SortFunc(rows, func(a, b summaryRow) int {
		if a.Nodes != b.Nodes {
			return b.Nodes - a.Nodes
		}
		return render.NaturalCompare(strings.Join(a.values, " "), strings.Join(b.values, " "))
	})
	return rows
}

func summaryTable(keys []string) func(render.Options) render.Table[summaryRow] {
	return func(o render.Options) render.Table[summaryRow] {
		var cols []render.Column[summaryRow]
		for i, k := range keys {
			name := strings.ToUpper(strings.ReplaceAll(k, "_", " "))
			if strings.HasPrefix(k, "tag:") {
				name = k
			}
			value := func(r summaryRow) string { return r.values[i] }
			cols = append(cols, render.Column[summaryRow]{Name: name, Text: value, Human: func(r summaryRow) string {
				if v := value(r); v != "" {
					return render.Visible(v)
				}
				return o.Styles.Dim.Render("(none)")
			}})
		}
		return render.Table[summaryRow]{
			Empty: "no managed nodes match",
			Columns: append(cols,
				render.Column[summaryRow]{Name: "NODES", Right: true, Text: func(r summaryRow) string { return strconv.Itoa(r.Nodes) }},
				render.Column[summaryRow]{Name: "ONLINE", Right: true, Text: func(r summaryRow) string { return strconv.Itoa(r.Online) }},
				render.Column[summaryRow]{Name: "SHARE", Right: true, Text: func(r summaryRow) string { return fmt.Sprintf("%.1f%%", 100*r.share) }},
			),
		}
	}
}
