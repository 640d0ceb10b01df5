package run

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/textdiff"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newCompareCmd(env *cli.Env) *cobra.Command {
	var all, diff bool
	cmd := &cobra.Command{
		Use:   "compare <before> <after>",
		Short: "Compare two runs: where state, exit status or output differ",
		Long: `Hold two runs, or commands by their ids, against each other, node by node: what
broke, was fixed, ended in another way, or printed something else. Nodes that did
the same are left out without --all. An output that is not known to its end is
not called the same.

Exit status is 6 when there is a difference, and 0 when there is none.`,
		Example: `  $ ssmdeck run compare k3v9q2m1zt 7tq3n5wz2a
  $ ssmdeck run compare k3v9q2m1zt 7tq3n5wz2a --diff`,
		Args:              cli.ExactArgs("the first run's id", "the second run's id"),
		ValidArgsFunction: completeRun(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return compare(cmd.Context(), env, args[0], args[1], all, diff)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show nodes that did the same, too")
	cmd.Flags().BoolVar(&diff, "diff", false, "show how outputs differ, equal differences once")
	return cmd
}

// comparedNode is one node of `run compare`.
type comparedNode struct {
	NodeID string       `json:"node_id"`
	Name   string       `json:"name,omitempty"`
	Change run.Change   `json:"change"`
	Before *comparedRun `json:"before,omitempty"`
	After  *comparedRun `json:"after,omitempty"`
	Diff   []string     `json:"diff,omitempty"` // unified, with --diff
}

type comparedRun struct {
	State    run.State `json:"state"`
	Reason   string    `json:"reason,omitempty"`
	ExitCode int       `json:"exit_code"`
}

func compare(ctx context.Context, env *cli.Env, before, after string, all, diff bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	people := ro.Query == "" && (ro.Format == render.FormatTable || ro.Format == render.FormatWide || ro.Format == render.FormatAuto && ro.Terminal())
	var boards [2]*run.Board
	for i, ref := range []string{before, after} {
		view, err := runview.NewView(env, runview.ViewOptions{})
		if err != nil {
			return err
		}
		view.Events = nil
		svc, r, err := runview.Found(ctx, env, []string{ref})
		if err == nil {
			err = view.Load(ctx, svc, r)
		}
		view.Close()
		if err != nil {
			return err
		}
		boards[i] = &view.Board
	}
	differences := 0
	var rows []comparedNode
	for _, d := range run.Compare(boards[0], boards[1]) {
		if d.Change != run.Unchanged {
			differences++
		} else if !all {
			continue
		}
		row := comparedNode{NodeID: d.NodeID, Name: d.Name, Change: d.Change, Before: compared(d.Before), After: compared(d.After)}
		if diff {
			row.Diff = outputDiff(d)
		}
		rows = append(rows, row)
	}
	if err := cli.WriteList(env, compareTable, ro, rows); err != nil {
		return err
	}
	if diff && people {
		p := &runview.OutputPrinter{W: env.Out, O: ro, Some: true}
		writeCompared(p, rows)
		if p.Err != nil {
			return p.Err
		}
	}
	if differences > 0 {
		return fault.New(fault.RemoteFailed, "compare "+before+" with "+after, "%s of %s differ",
			fmt.Sprint(differences), cli.Plural(max(boards[0].Total(), boards[1].Total()), "node"))
	}
	return nil
}

func compared(r *run.Row) *comparedRun {
	if r == nil {
		return nil
	}
	return &comparedRun{State: r.State, Reason: r.Reason, ExitCode: r.ExitCode}
}

// words is how a node did in one run, in words.
func (c *comparedRun) words() string {
	if c == nil {
		return ""
	}
	return runview.StateWords(run.Invocation{State: c.State, ExitCode: c.ExitCode})
}

// outputDiff is the difference of what a node printed.
func outputDiff(d run.Difference) []string {
	if d.Before == nil || d.After == nil {
		return nil
	}
	return append(textdiff.Unified("stdout before", "stdout after", d.Before.Stdout, d.After.Stdout),
		textdiff.Unified("stderr before", "stderr after", d.Before.Stderr, d.After.Stderr)...)
}

// writeCompared writes equal differences once, with all the nodes that have them.
func writeCompared(p *runview.OutputPrinter, rows []comparedNode) {
	at := map[string]int{}
	var groups [][]comparedNode
	for _, r := range rows {
		if len(r.Diff) == 0 {
			continue
		}
		key := strings.Join(r.Diff, "\n")
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	for _, g := range groups {
		nodes := make([]run.GroupNode, len(g))
		for i, r := range g {
			nodes[i] = run.GroupNode{ID: r.NodeID, Name: r.Name}
		}
		p.Printf("\n%s\n", p.Nodes(nodes))
		p.DiffLines(g[0].Diff)
	}
}

func changeLevel(c run.Change) theme.Level {
	switch c {
	case run.Broke, run.Vanished:
		return theme.Bad
	case run.Mended, run.Unchanged:
		return theme.Good
	case run.NotOver:
		return theme.Busy
	case run.Uncertain:
		return theme.Unknown
	case run.StateChanged, run.ExitChanged, run.OutputChanged, run.Appeared:
	}
	return theme.Warn
}

func compareTable(o render.Options) render.Table[comparedNode] {
	return render.Table[comparedNode]{
		ID:    func(c comparedNode) string { return c.NodeID },
		Empty: "no differences",
		Columns: []render.Column[comparedNode]{
			{
				Name: "CHANGE", Text: func(c comparedNode) string { return string(c.Change) },
				Human: func(c comparedNode) string { return o.Styles.Status(changeLevel(c.Change), string(c.Change)) },
			},
			{Name: "NODE ID", ID: true, Text: func(c comparedNode) string { return c.NodeID }},
			{Name: "NAME", Text: func(c comparedNode) string { return c.Name }},
			{Name: "BEFORE", Text: func(c comparedNode) string { return c.Before.words() }},
			{Name: "AFTER", Text: func(c comparedNode) string { return c.After.words() }},
		},
	}
}
