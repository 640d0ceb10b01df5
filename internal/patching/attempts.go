package patching

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/run"
)

// Attempt is a scan or installation of a node that did not end well, or has not
// ended yet. The state of the node does not tell of it: that is of the last one
// that reported. The JSON names are part of the output contract.
type Attempt struct {
	NodeID    string    `json:"node_id"`
	CommandID string    `json:"command_id"`
	Operation string    `json:"operation"` // Scan, Install
	State     run.State `json:"state"`
	At        time.Time `json:"at"`               // when it ended, or was sent
	Reason    string    `json:"reason,omitempty"` // why it did not end well
}

// Running reports whether it is under way.
func (a Attempt) Running() bool { return !a.State.Final() }

// commands lists commands and how they stand on nodes; *run.Service does.
type commands interface {
	List(ctx context.Context, filter run.Filter) iter.Seq2[run.Command, error]
	Invocations(ctx context.Context, id string) iter.Seq2[run.Invocation, error]
}

// attemptsUpTo is in how many commands failures are looked for, the newest first: a
// call or more for each.
const attemptsUpTo = 20

// Attempts are those since then, the newest of each node. Of commands that ended
// well on all nodes nothing more is read.
func Attempts(ctx context.Context, from commands, since time.Time) ([]Attempt, error) {
	newest := map[string]Attempt{}
	looked := 0
	for c, err := range from.List(ctx, run.Filter{Document: Document, After: since}) {
		if err != nil {
			return nil, err
		}
		if c.State.Final() && c.Errors+c.DeliveryTimedOut == 0 && c.Completed >= c.Targets {
			continue
		}
		if looked++; looked > attemptsUpTo {
			break
		}
		for inv, err := range from.Invocations(ctx, c.ID) {
			if err != nil {
				return nil, err
			}
			a := attemptOf(c, inv)
			if have, ok := newest[a.NodeID]; !ok || a.At.After(have.At) {
				newest[a.NodeID] = a
			}
		}
	}
	out := []Attempt{}
	for _, a := range newest {
		if a.Running() || a.State.Bad() {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Attempt) int { return strings.Compare(a.NodeID, b.NodeID) })
	return out, nil
}

func attemptOf(c run.Command, inv run.Invocation) Attempt {
	a := Attempt{NodeID: inv.NodeID, CommandID: c.ID, Operation: "Scan", State: inv.State, At: c.Requested}
	if ops := c.Params["Operation"]; len(ops) > 0 {
		a.Operation = ops[0]
	}
	if inv.Ended != nil {
		a.At = *inv.Ended
	}
	if inv.State.Bad() {
		a.Reason = cmp.Or(inv.Reason, inv.Detail)
	}
	return a
}
