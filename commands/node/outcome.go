package node

import (
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// outcome is what became of one node that something was done to.
type outcome struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail,omitempty"` // why it failed

	failed bool
}

// outcomes are those of nodes; done says what was done to the others.
func outcomes(nodes []fleet.Node, done string, failed map[string]error) []outcome {
	rows := make([]outcome, len(nodes))
	for i, n := range nodes {
		rows[i] = outcome{ID: n.ID, Name: n.Name, Status: done}
		if err := failed[n.ID]; err != nil {
			rows[i].Status, rows[i].Detail, rows[i].failed = "failed", err.Error(), true
		}
	}
	return rows
}

// writeOutcomes prints outcomes and returns the error of those that failed: of
// one node its own, of several how many and the first. op is what was tried.
func writeOutcomes(env *cli.Env, ro render.Options, op string, nodes []fleet.Node, done string, failed map[string]error) error {
	if err := cli.WriteList(env, outcomeTable, ro, outcomes(nodes, done, failed)); err != nil {
		return err
	}
	var first error
	for _, n := range nodes {
		if err := failed[n.ID]; err != nil && first == nil {
			first = err
		}
	}
	switch {
	case first == nil:
		return nil
	case len(failed) == len(nodes):
		return first
	}
	return fault.New(fault.RemoteFailed, op, "failed on %d of %s: %w", len(failed), cli.Plural(len(nodes), "node"), first).
		WithHint("%s", fault.HintOf(first))
}

func outcomeTable(o render.Options) render.Table[outcome] {
	return render.Table[outcome]{
		ID:    func(r outcome) string { return r.ID },
		Empty: "nothing was done",
		Columns: []render.Column[outcome]{
			{
				Name: "STATUS", Text: func(r outcome) string { return r.Status },
				Human: func(r outcome) string {
					level := theme.Good
					if r.failed {
						level = theme.Bad
					}
					return o.Styles.Status(level, r.Status)
				},
			},
			{Name: "NODE ID", ID: true, Text: func(r outcome) string { return r.ID }},
			{Name: "NAME", Text: func(r outcome) string { return r.Name }},
			{Name: "DETAIL", Text: func(r outcome) string { return r.Detail }},
		},
	}
}
