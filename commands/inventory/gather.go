package inventory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newStatusCmd(env *cli.Env) *cobra.Command {
	var (
		choice nodechoice.Choice
		kind   string
		older  string
		only   bool
		failOn []string
	)
	cmd := &cobra.Command{
		Use:   "status [target]...",
		Short: "See which nodes report inventory, and how old it is",
		Long: `List nodes with what they reported of a type and when, those that reported nothing
first. A node that is silent is in no answer of ` + "`ssmdeck inventory query`" + `. Of the
service's own types nodes are asked one by one, and of their entries the first 50 are
counted: 50+ is that many or more.`,
		Example: `  $ ssmdeck inventory status
  $ ssmdeck inventory status --gaps
  $ ssmdeck inventory status --tag env=prod --type Custom:Rack --fail-on silent,stale
  $ ssmdeck inventory status --older-than 7d -o name`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := inventory.CheckType(kind, false); err != nil {
				return err
			}
			stale, err := cli.ParseAge("older-than", older)
			if err != nil {
				return err
			}
			for _, kind := range failOn {
				if !slices.Contains(coverageGaps, kind) {
					return fault.Usagef("--fail-on %q is nothing to fail on", kind).WithHint("it takes silent and stale")
				}
			}
			targets, filter, err := choice.ParseSome(args)
			if err != nil {
				return err
			}
			if err := cli.CheckGridTable(env, coverageTable, ro); err != nil {
				return err
			}
			var oldest time.Time // 0 is no age
			if stale > 0 {
				oldest = ro.Now.Add(-stale)
			}
			var bad tally
			only = only || cmd.Flags().Changed("older-than")
			err = cli.WriteGrid(cmd.Context(), env, coverageTable, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[reportingRow, error], error) {
				rows, err := coverage(ctx, env, targets, filter, kind, oldest)
				shown := rows[:0]
				for _, r := range rows {
					if slices.Contains(failOn, r.Status) {
						bad.add(1, 0)
					}
					if !only || r.Status != coverageGood {
						shown = append(shown, r)
					}
				}
				return cli.Each(shown), err
			})
			if n, _ := bad.sum(); err == nil && n > 0 {
				return fault.New(fault.RemoteFailed, "inventory status", "%s %s", cli.PluralAre(n, "node"), strings.Join(failOn, " or ")).
					WithHint("`ssmdeck inventory enable` makes agents gather inventory, `ssmdeck doctor` says why one is not connected")
			}
			return err
		},
	}
	choice.Bind(env, cmd)
	f := cmd.Flags()
	f.StringVar(&kind, "type", inventory.Application, "the `type` that nodes must have reported")
	f.StringVar(&older, "older-than", "48h", "only nodes whose inventory is older than this `age`, or that are silent; it also says what is stale")
	f.BoolVar(&only, "gaps", false, "only nodes without, or with old inventory")
	f.StringSliceVar(&failOn, "fail-on", nil, "exit with 6 when a node is so: `kinds` among "+strings.Join(coverageGaps, ", "))
	cli.CompleteFlag(cmd, "fail-on", func() []string { return coverageGaps })
	cli.CompleteFlag(cmd, "older-than", func() []string { return []string{"24h", "48h", "7d"} })
	cli.CompleteFlag(cmd, "type", typeNames(false))
	return cli.Spans(cmd)
}

// reportingRow is what a node reported of a type.
type reportingRow struct {
	Status   string    `json:"status"` // silent, stale, reported
	Node     string    `json:"node"`
	Name     string    `json:"name"`
	Ping     string    `json:"ping"`
	Platform string    `json:"platform"`
	Entries  int       `json:"entries"`
	More     bool      `json:"more,omitempty"` // there are more entries than that
	Captured time.Time `json:"captured,omitzero"`
}

// entries writes how many there are, 50+ where there are more than one page.
func (r reportingRow) entries() string {
	if r.More {
		return fmt.Sprint(r.Entries) + "+"
	}
	return fmt.Sprint(r.Entries)
}

const (
	coverageSilent = "silent"
	coverageStale  = "stale"
	coverageGood   = "reported"
)

// coverageGaps are what --fail-on takes.
var coverageGaps = []string{coverageSilent, coverageStale}

func coverage(ctx context.Context, env *cli.Env, targets []fleet.Target, filter fleet.Filter, kind string, oldest time.Time) ([]reportingRow, error) {
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := nodechoice.NodesOrAll(ctx, svc, targets, filter)
	if err != nil {
		return nil, err
	}
	inv, err := openInventory(ctx, env)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
	}
	told, end, err := env.Counted("read the inventory of nodes")
	if err != nil {
		return nil, err
	}
	found, err := inv.Covered(ctx, kind, ids, told)
	end()
	if err != nil {
		return nil, err
	}
	by := map[string][]reportingRow{}
	for _, n := range nodes {
		c := found[n.ID]
		r := reportingRow{Status: coverageGood, Node: n.ID, Name: n.Name, Ping: n.Ping, Platform: n.Platform, Entries: c.Entries, More: c.More, Captured: c.Captured}
		switch {
		case !c.Reported:
			r.Status = coverageSilent
		case !oldest.IsZero() && c.Captured.Before(oldest):
			r.Status = coverageStale
		}
		by[r.Status] = append(by[r.Status], r)
	}
	return append(append(by[coverageSilent], by[coverageStale]...), by[coverageGood]...), nil
}

func coverageTable(o render.Options) render.Table[reportingRow] {
	levels := map[string]theme.Level{coverageSilent: theme.Bad, coverageStale: theme.Warn, coverageGood: theme.Good}
	return render.Table[reportingRow]{
		ID: func(r reportingRow) string { return r.Node }, Empty: "no such node",
		Columns: []render.Column[reportingRow]{
			{
				Name: "STATUS", Text: func(r reportingRow) string { return r.Status },
				Human: func(r reportingRow) string { return o.Styles.Status(levels[r.Status], r.Status) },
			},
			{Name: "NODE", ID: true, Text: func(r reportingRow) string { return r.Node }},
			{Name: "NAME", Text: func(r reportingRow) string { return r.Name }},
			{Name: "PING", Text: func(r reportingRow) string { return r.Ping }},
			{Name: "PLATFORM", Wide: true, Text: func(r reportingRow) string { return r.Platform }},
			{Name: "ENTRIES", Right: true, Text: reportingRow.entries},
			cli.AgoColumn(o, "CAPTURED", func(r reportingRow) time.Time { return r.Captured }),
		},
	}
}

func newEnableCmd(env *cli.Env) *cobra.Command {
	var (
		choice  nodechoice.Choice
		name    string
		often   string
		without []string
		dryRun  bool
	)
	cmd := &cobra.Command{
		Use:   "enable [target]...",
		Short: "Make agents gather inventory",
		Long: `Make an association with the document ` + inventory.Document + `, for all nodes, or
for those that tags or names choose. It runs at once, and then every --every. A node
should be in one such association only; those that there are already are shown, and
it is asked.`,
		Example: `  $ ssmdeck inventory enable
  $ ssmdeck inventory enable --tag env=prod --every 6h --without networkConfig,services
  $ ssmdeck inventory enable --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			every, err := cli.ParseAge("every", often)
			if err != nil {
				return err
			}
			if _, err := inventory.NewGathering(name, every, nil, without); err != nil {
				return err
			}
			targets, filter, err := choice.ParseSome(args)
			if err != nil {
				return err
			}
			if !filter.Empty() && len(targets) == 0 {
				return fault.Usagef("--filter narrows nodes, and none are chosen").WithHint("choose them with --tag, or name all")
			}
			svc, err := openInventory(ctx, env)
			if err != nil {
				return err
			}
			where, whom, err := gatheringTargets(ctx, env, targets, filter)
			if err != nil {
				return err
			}
			g, err := inventory.NewGathering(name, every, where, without)
			if err != nil {
				return err
			}
			there, err := svc.Gatherings(ctx)
			if err != nil {
				return err
			}
			for _, old := range there {
				env.Note("ssmdeck: association %s gathers inventory already, %s, on %s", old.ID, old.Schedule, render.Visible(apiTargetWords(old.Targets)))
			}
			if dryRun {
				env.Note("dry run: nothing was created")
				return showGathering(env, ro, g)
			}
			if err := env.Confirm(ctx, "gather inventory on "+whom+", "+g.Schedule); err != nil {
				return err
			}
			if g, err = svc.Enable(ctx, g); err != nil {
				return err
			}
			return showGathering(env, ro, g)
		},
	}
	choice.Bind(env, cmd)
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "`name` of the association")
	f.StringVar(&often, "every", "12h", "how often: a `time` from 30m to 30d")
	f.StringSliceVar(&without, "without", nil, "`parts` not to gather: "+strings.Join(inventory.Parts(), ", "))
	f.BoolVar(&dryRun, "dry-run", false, "show what would be created, and create nothing")
	cli.CompleteFlag(cmd, "without", inventory.Parts)
	return cmd
}

// gatheringTargets turns the choice of nodes into targets of an association, and
// says whom it is for.
func gatheringTargets(ctx context.Context, env *cli.Env, targets []fleet.Target, filter fleet.Filter) ([]fleet.APITarget, string, error) {
	if len(targets) == 0 {
		return nil, "all nodes, also those that come later", nil
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, "", err
	}
	sel, err := svc.Select(ctx, targets, filter)
	if err != nil {
		return nil, "", err
	}
	if len(sel.Targets) > 0 {
		return sel.Targets, apiTargetWords(sel.Targets), nil
	}
	const most = 50 // values of a target (API reference, Target)
	if len(sel.InstanceIDs) > most {
		return nil, "", fault.Usagef("%d nodes are chosen one by one, and an association takes %d", len(sel.InstanceIDs), most).
			WithHint("choose them by a tag, which also holds for nodes that come later")
	}
	return []fleet.APITarget{{Key: "InstanceIds", Values: sel.InstanceIDs}}, cli.Plural(len(sel.InstanceIDs), "node"), nil
}

func apiTargetWords(targets []fleet.APITarget) string {
	var words []string
	for _, t := range targets {
		words = append(words, t.Key+"="+strings.Join(t.Values, ","))
	}
	return strings.Join(words, " and ")
}

func showGathering(env *cli.Env, ro render.Options, g inventory.Gathering) error {
	return render.Object(env.Out, ro, g, func(d *render.Detail) {
		d.ID(g.ID)
		if g.ID != "" {
			d.Field("association", g.ID)
		}
		d.Field("document", inventory.Document)
		d.Field("schedule", g.Schedule)
		d.Field("targets", apiTargetWords(g.Targets))
		d.Field("gathers", strings.Join(g.Parts, ", "))
	})
}
