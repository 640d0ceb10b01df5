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

// Failed reports whether it went wrong. One that somebody has cancelled, or that the
// service did not begin, has ended without a result, and is no failure.
func (a Attempt) Failed() bool {
	switch a.State {
	case run.Cancelled, run.Skipped, run.NotSent:
		return false
	}
	return a.State.Bad()
}

// Word says for people what it does or how it ended: "scanning", "install failed".
func (a Attempt) Word() string {
	what, doing := "scan", "scanning"
	if a.Operation == "Install" {
		what, doing = "install", "installing"
	}
	switch {
	case a.Running():
		return doing
	case a.Failed():
		return what + " failed"
	}
	return what + " cancelled"
}

// After reports whether it is newer than the scan or installation that the state of its
// node tells of, which ended at a time; zero: none has.
func (a Attempt) After(reported time.Time) bool { return a.At.After(reported) }

// commands lists commands and how they stand on nodes; *run.Service does.
type commands interface {
	List(ctx context.Context, filter run.Filter) iter.Seq2[run.Command, error]
	Invocations(ctx context.Context, id string) iter.Seq2[run.Invocation, error]
}

// AttemptsUpTo is in how many commands failures are looked for, the newest first: a
// call or more for each.
const AttemptsUpTo = 20

// Attempts are those since then, the newest of each node. Of commands that ended
// well on all nodes nothing more is read. left says that there may be more: commands
// were left unread.
func Attempts(ctx context.Context, from commands, since time.Time) (all []Attempt, left bool, err error) {
	newest := map[string]Attempt{}
	looked := 0
	for c, err := range from.List(ctx, run.Filter{Document: Document, After: since}) {
		if err != nil {
			return nil, false, err
		}
		if c.State.Final() && c.Errors+c.DeliveryTimedOut == 0 && c.Completed >= c.Targets {
			continue
		}
		if looked++; looked > AttemptsUpTo {
			left = true
			break
		}
		for inv, err := range from.Invocations(ctx, c.ID) {
			if err != nil {
				return nil, false, err
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
	return out, left, nil
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
