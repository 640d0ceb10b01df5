package commands

import (
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// nodeOutcome is what became of one node that something was done to.
type nodeOutcome struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail,omitempty"` // why it failed

	failed bool
}

// outcomes are those of nodes; done says what was done to the others.
func outcomes(nodes []fleet.Node, done string, failed map[string]error) []nodeOutcome {
	rows := make([]nodeOutcome, len(nodes))
	for i, n := range nodes {
		rows[i] = nodeOutcome{ID: n.ID, Name: n.Name, Status: done}
		if err := failed[n.ID]; err != nil {
			rows[i].Status, rows[i].Detail, rows[i].failed = "failed", err.Error(), true
		}
	}
	return rows
}

// writeOutcomes prints outcomes and returns the error of those that failed: of
// one node its own, of several how many and the first. op is what was tried.
func writeOutcomes(env *Env, ro render.Options, op string, nodes []fleet.Node, done string, failed map[string]error) error {
	if err := writeList(env, nodeOutcomeTable, ro, outcomes(nodes, done, failed)); err != nil {
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
	return fault.New(fault.RemoteFailed, op, "failed on %d of %s: %w", len(failed), plural(len(nodes), "node"), first).
		WithHint("%s", fault.HintOf(first))
}

func nodeOutcomeTable(o render.Options) render.Table[nodeOutcome] {
	return render.Table[nodeOutcome]{
		ID:    func(r nodeOutcome) string { return r.ID },
		Empty: "nothing was done",
		Columns: []render.Column[nodeOutcome]{
			{
				Name: "STATUS", Text: func(r nodeOutcome) string { return r.Status },
				Human: func(r nodeOutcome) string {
					level := theme.Good
					if r.failed {
						level = theme.Bad
					}
					return o.Styles.Status(level, r.Status)
				},
			},
			{Name: "NODE ID", ID: true, Text: func(r nodeOutcome) string { return r.ID }},
			{Name: "NAME", Text: func(r nodeOutcome) string { return r.Name }},
			{Name: "DETAIL", Text: func(r nodeOutcome) string { return r.Detail }},
		},
	}
}
