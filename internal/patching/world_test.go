package patching

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// fakeWorld plays the fleet, Run Command and Patch Manager. What a command does to
// its nodes is done at once; what is reported comes when the node says.
type fakeWorld struct {
	mu       sync.Mutex
	nodes    map[string]*fakeNode
	order    []string
	commands []*fakeCommand
	joins    []int // nodes of each reading of states
	gap      error
	denied   error // of patches
	// dies says that Start fails after so many commands were sent, as when the process is
	// killed; 0 is never.
	dies int
	// hidden is how long commands are not to be seen in the list.
	hidden time.Duration
	// lastHidden is how long that of the last command.
	lastHidden time.Duration
	// stop is how many failures the service takes in a command before it starts no
	// further node; read from the request.
	starts int
}

type fakeNode struct {
	fleet.Node
	before, after *fleet.PatchState // what it reports before, and after a command
	lag           time.Duration     // after the command
	away          time.Duration     // after the command
	fails         bool
	stdout        string
	sick          bool
	failedPatches []string

	done     time.Time // zero: no command yet
	snapshot string
	installs int
}

type fakeCommand struct {
	run.Command
	states map[string]run.State
	at     time.Time
}

var errKilled = errors.New("killed")

func newFakeWorld(nodes ...*fakeNode) *fakeWorld {
	w := &fakeWorld{nodes: map[string]*fakeNode{}}
	for _, n := range nodes {
		if n.Ping == "" {
			n.Ping = fleet.Online
		}
		w.nodes[n.ID] = n
		w.order = append(w.order, n.ID)
	}
	return w
}

func (w *fakeWorld) all() (list []fleet.Node) {
	for _, id := range w.order {
		list = append(list, w.nodes[id].Node)
	}
	return list
}

func (w *fakeWorld) List(_ context.Context, q fleet.Query) iter.Seq2[fleet.Node, error] {
	return func(yield func(fleet.Node, error) bool) {
		for _, id := range q.IDs {
			n, ok := w.nodes[id]
			if !ok {
				continue
			}
			seen := n.Node
			if !n.done.IsZero() && time.Since(n.done) < n.away {
				seen.Ping = fleet.Lost
			}
			if !yield(seen, nil) {
				return
			}
		}
	}
}

func (w *fakeWorld) Join(_ context.Context, nodes []fleet.Node, _ fleet.Part) ([]fleet.Gap, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.joins = append(w.joins, len(nodes))
	if w.gap != nil {
		return []fleet.Gap{{Part: fleet.PartPatch, Nodes: len(nodes), Err: w.gap}}, nil
	}
	for i := range nodes {
		n, ok := w.nodes[nodes[i].ID]
		if !ok {
			continue
		}
		nodes[i].Patch = n.before
		if !n.done.IsZero() && n.after != nil && time.Since(n.done) >= n.lag {
			s := *n.after
			s.Ended = n.done
			s.Snapshot = n.snapshot
			nodes[i].Patch = &s
		}
	}
	return nil, nil
}

func (w *fakeWorld) OfNode(_ context.Context, node string, states ...patch.State) iter.Seq2[patch.Patch, error] {
	return func(yield func(patch.Patch, error) bool) {
		if w.denied != nil {
			yield(patch.Patch{}, w.denied)
			return
		}
		for _, id := range w.nodes[node].failedPatches {
			if slices.Contains(states, patch.Failed) && !yield(patch.Patch{ID: id, State: patch.Failed}, nil) {
				return
			}
		}
	}
}

func (w *fakeWorld) OfNodes(ctx context.Context, rows []patch.Row, want patch.Wanted) (out patch.Reading, err error) {
	for _, r := range rows {
		n := patch.NodePatches{Row: r}
		for p, err := range w.OfNode(ctx, r.ID, want.States...) {
			if err != nil {
				return out, err
			}
			n.Patches = append(n.Patches, p)
		}
		out.Nodes = append(out.Nodes, n)
	}
	return out, nil
}

// Start sends in commands of two nodes.
func (w *fakeWorld) Start(_ context.Context, req run.Request, emit func(run.Event)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts++
	emit(run.Event{Kind: run.Planned, RunID: req.RunID, Plan: &run.Plan{Nodes: req.Selection.Nodes}})
	failures, most := 0, 1000
	if !strings.HasSuffix(req.MaxErrors, "%") {
		_, _ = fmt.Sscan(req.MaxErrors, &most)
	}
	chunks := slices.Collect(slices.Chunk(req.Selection.InstanceIDs, 2))
	for i, ids := range chunks {
		c := &fakeCommand{states: map[string]run.State{}, at: time.Now()}
		c.Command = run.Command{ID: fmt.Sprintf("c%d", len(w.commands)), RunID: req.RunID, Number: i + 1, Of: len(chunks), InstanceIDs: ids, Document: req.Document, Params: req.Params}
		w.commands = append(w.commands, c)
		for _, id := range ids {
			n := w.nodes[id]
			state := run.Success
			switch {
			case failures > most:
				state = run.Skipped
			case req.Document == "":
				if n.sick {
					state = run.Failed
				}
			default:
				n.installs++
				n.done = time.Now()
				n.snapshot = strings.Join(req.Params["SnapshotId"], "")
				if n.fails {
					state = run.Failed
				}
			}
			if state == run.Failed {
				failures++
			}
			c.states[id] = state
		}
		if w.dies > 0 && i+1 == w.dies {
			return errKilled
		}
		w.tell(c, emit)
	}
	emit(run.Event{Kind: run.Done, RunID: req.RunID, Time: time.Now()})
	return nil
}

func (w *fakeWorld) tell(c *fakeCommand, emit func(run.Event)) {
	emit(run.Event{Kind: run.WasSent, CommandID: c.ID, Sent: &run.Sent{Nodes: len(c.InstanceIDs)}})
	for _, id := range c.InstanceIDs {
		at := c.at
		inv := run.Invocation{CommandID: c.ID, NodeID: id, State: c.states[id], Started: &at, Ended: &at, ExitCode: run.NoExit}
		if inv.State == run.Failed {
			inv.ExitCode = 1
		}
		emit(run.Event{Kind: run.Changed, CommandID: c.ID, Invocation: &inv})
		emit(run.Event{Kind: run.Printed, CommandID: c.ID, Output: &run.Output{NodeID: id, Stdout: w.nodes[id].stdout}})
	}
}

func (w *fakeWorld) Runs(_ context.Context, since time.Time) iter.Seq2[run.Run, error] {
	return func(yield func(run.Run, error) bool) {
		byRun := map[string]*run.Run{}
		var ids []string
		for i, c := range w.commands {
			if c.at.Before(since) || time.Since(c.at) < w.hidden || i == len(w.commands)-1 && time.Since(c.at) < w.lastHidden {
				continue
			}
			r := byRun[c.RunID]
			if r == nil {
				r = &run.Run{ID: c.RunID}
				byRun[c.RunID] = r
				ids = append(ids, c.RunID)
			}
			r.Commands, r.Of = append(r.Commands, c.Command), c.Of
		}
		for _, id := range slices.Backward(ids) {
			if !yield(*byRun[id], nil) {
				return
			}
		}
	}
}

func (w *fakeWorld) Follow(_ context.Context, r run.Run, _ bool, emit func(run.Event)) error {
	for _, sent := range r.Commands {
		for _, c := range w.commands {
			if c.ID == sent.ID {
				w.tell(c, emit)
			}
		}
	}
	emit(run.Event{Kind: run.Done, Time: time.Now()})
	return nil
}
