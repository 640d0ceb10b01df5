package patching

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/rollout"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

const (
	// visible is how long what was sent may still come into the service's list of
	// commands: one call of SendCommand, and what lists lag behind.
	visible = 15 * time.Second
	// sendingTime is longer than the commands of a run take to be sent.
	sendingTime = time.Hour
	// lookBack allows for clocks that differ from the service's.
	lookBack  = 15 * time.Minute
	lookAgain = 2 * time.Second
)

// runner is Run Command, a *run.Service.
type runner interface {
	rollout.Runner
	Runs(ctx context.Context, since time.Time) iter.Seq2[run.Run, error]
	Follow(ctx context.Context, r run.Run, live bool, emit func(run.Event)) error
}

// Phases that Step is told of.
const (
	Finding    = "looking for what was sent"
	Installing = "installing"
	Settling   = "waiting for agents"
	Reading    = "reading what was installed"
	Checking   = "checking health"
)

// Installer installs patches wave by wave. Its fields are set before the first.
type Installer struct {
	Run     runner
	Fleet   states
	Patches patches
	State   *State

	Concurrency string        // how many nodes of a wave at a time, as run.Request
	Timeout     time.Duration // for a node to take the command, as run.Request
	MaxFailures int           // how many may fail over all waves, as waves.Options
	Settle      time.Duration // how long agents may take to come back
	// Keep writes State down. Its error ends the wave before anything is sent.
	Keep func() error
	Step func(what string, done, total int)
	// Event, where given, gets every event of the commands.
	Event func(run.Event)
}

// Wave installs on the nodes of a wave and says what became of it. What was sent for
// the wave before is found by its run's id and followed; only nodes that no command
// was sent to get one. An error means that it is not known what became of them, and
// that the same wave can be taken up again.
func (p *Installer) Wave(ctx context.Context, wave int, ids []string) (waves.Outcome, error) {
	w := &waveRun{Installer: p, wave: wave, total: len(ids), failed: map[string]string{}, rows: map[string]run.Row{}}
	w.crew = rollout.Crew{Run: p.Run, Fleet: p.Fleet, Step: p.Step}
	w.budget = max(0, p.MaxFailures-p.State.Waves.Count(waves.Failed))
	rest, err := w.takeUp(ctx, ids)
	if err != nil {
		return waves.Outcome{}, err
	}
	left := rest
	if w.bad() <= w.budget { // else the limit was reached before
		if left, err = w.send(ctx, rest); err != nil {
			return waves.Outcome{}, err
		}
	}
	if err := w.judge(ctx, ids); err != nil {
		return waves.Outcome{}, err
	}
	return waves.Outcome{Failed: w.failed, Left: left}, nil
}

// waveRun is one wave at work.
type waveRun struct {
	*Installer
	crew   rollout.Crew
	wave   int
	total  int
	budget int
	failed map[string]string
	rows   map[string]run.Row // of the nodes that a command went to
}

func (w *waveRun) bad() int {
	n := len(w.failed)
	for id, r := range w.rows {
		if r.State.Bad() && w.failed[id] == "" {
			n++
		}
	}
	return n
}

// follow takes in the events of one run.
func (w *waveRun) follow(do func(emit func(run.Event)) error) error {
	var board run.Board
	before := len(w.rows)
	err := do(func(e run.Event) {
		board.Apply(e)
		if w.Event != nil {
			w.Event(e)
		}
		w.crew.Tell(Installing, before+board.Finished(), w.total)
	})
	if err != nil {
		return err
	}
	for row := range board.Rows() {
		w.rows[row.NodeID] = row
	}
	return nil
}

// takeUp finds and follows what was sent for the wave before, and returns the nodes
// that no command ever ran on.
func (w *waveRun) takeUp(ctx context.Context, ids []string) (rest []string, err error) {
	sent := map[string]bool{}
	for _, s := range w.State.Sent {
		if s.Wave != w.wave {
			continue
		}
		w.crew.Tell(Finding, 0, w.total)
		found, ok, err := w.find(ctx, s)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // it was never sent
		}
		for _, c := range found.Commands {
			for _, id := range c.InstanceIDs {
				sent[id] = true
			}
		}
		if err := w.follow(func(emit func(run.Event)) error { return w.Run.Follow(ctx, found, false, emit) }); err != nil {
			return nil, err
		}
	}
	// What became of other nodes of the wave was judged before.
	open := map[string]bool{}
	for _, id := range ids {
		open[id] = true
	}
	maps.DeleteFunc(w.rows, func(id string, _ run.Row) bool { return !open[id] })
	for _, id := range ids {
		if untouched(w.rows[id].State) {
			delete(w.rows, id)
			sent[id] = false
		}
		if !sent[id] {
			rest = append(rest, id)
		}
	}
	return rest, nil
}

// untouched reports whether the command never began on a node: the service stopped
// it before, or made no invocation.
func untouched(s run.State) bool { return s == run.Skipped || s == run.NotSent }

// find looks for what was sent under an id, for as long as some of it may still turn
// up: lists are behind, and the last command may have been sent as the process ended.
func (w *waveRun) find(ctx context.Context, s Sending) (found run.Run, ok bool, err error) {
	end := time.Now().Add(visible)
	if time.Since(s.At) > sendingTime {
		end = time.Now()
	}
	for {
		for r, err := range w.Run.Runs(ctx, s.At.Add(-lookBack)) {
			if err != nil {
				return run.Run{}, false, err
			}
			if r.ID == s.RunID {
				found, ok = r, true
				break
			}
		}
		if ok && found.Of > 0 && found.Unsent() == 0 || !time.Now().Before(end) {
			return found, ok, nil
		}
		if err := wait.Sleep(ctx, lookAgain); err != nil {
			return run.Run{}, false, err
		}
	}
}

// send installs on nodes that no command was sent to, and returns those that had no
// turn, since too many others had failed.
func (w *waveRun) send(ctx context.Context, ids []string) (left []string, err error) {
	nodes, err := w.crew.Online(ctx, ids, w.failed)
	if err != nil || len(nodes) == 0 {
		return nil, err
	}
	id := run.NewRunID()
	w.State.Sent = append(w.State.Sent, Sending{Wave: w.wave, RunID: id, At: time.Now().UTC()})
	if err := w.Keep(); err != nil {
		return nil, err
	}
	req := run.Request{
		Document: Document, Params: w.State.Options.params("Install"), Comment: fmt.Sprintf("patch install, wave %d of %d", w.wave, len(w.State.Waves.Waves)),
		Concurrency: w.Concurrency, MaxErrors: strconv.Itoa(max(0, w.budget-w.bad())), RunID: id, Timeout: w.Timeout, Selection: rollout.Selected(nodes),
	}
	if err := w.follow(func(emit func(run.Event)) error { return w.Run.Start(ctx, req, emit) }); err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if r, ok := w.rows[n.ID]; ok && untouched(r.State) {
			left = append(left, n.ID)
			delete(w.rows, n.ID)
		}
	}
	return left, nil
}

// judge finds out what the commands did: what each node says, whether its agent is
// back, what its patches are now, and whether it is well.
func (w *waveRun) judge(ctx context.Context, ids []string) error {
	var ran []fleet.Node
	for _, id := range ids {
		row, ok := w.rows[id]
		if !ok {
			continue
		}
		r := w.State.result(id)
		*r = Result{CommandID: row.CommandID, State: row.State, ExitCode: row.ExitCode, Started: row.Started, Ended: row.Ended, Rebooted: rebooted(row)}
		if row.State != run.Success {
			w.failed[id] = Installing + ": " + rollout.Why(row)
			r.Words = Words(row.Stdout, row.Stderr)
		}
		ran = append(ran, fleet.Node{ID: id, Name: w.State.Nodes[id].Name})
	}
	if err := w.settle(ctx, ran); err != nil {
		return err
	}
	if err := w.verify(ctx, ran); err != nil {
		return err
	}
	if w.State.Health == "" {
		return nil
	}
	well := slices.DeleteFunc(ran, func(n fleet.Node) bool { return w.failed[n.ID] != "" })
	req := run.Request{
		Script: w.State.Health, Comment: "health after patching", Concurrency: w.Concurrency, MaxErrors: "100%",
	}
	platforms, err := w.crew.Online(ctx, idsOf(well), w.failed)
	if err != nil {
		return err
	}
	_, err = w.crew.Command(ctx, Checking, req, platforms, w.failed)
	return err
}

// settle waits for the agents of nodes on which the installation went well: one that
// reboots is away for a while.
func (w *waveRun) settle(ctx context.Context, ran []fleet.Node) error {
	var good []fleet.Node
	for _, n := range ran {
		if w.failed[n.ID] == "" {
			good = append(good, n)
		}
	}
	well, _, err := w.crew.Settle(ctx, Settling, good, w.Settle, fleet.Node.Online)
	if err != nil {
		return err
	}
	back := map[string]bool{}
	for _, n := range well {
		back[n.ID] = true
	}
	for _, n := range good {
		if !back[n.ID] {
			w.failed[n.ID] = fmt.Sprintf("its agent did not come back within %s", w.Settle)
		}
	}
	return nil
}

// verify holds what the nodes report against what was to be done.
func (w *waveRun) verify(ctx context.Context, ran []fleet.Node) error {
	o := w.State.Options
	if o.BaselineOverride != "" {
		return nil // nothing is reported then; the command's own status is all there is
	}
	w.crew.Tell(Reading, 0, len(ran))
	reader := reporter{fleet: w.Fleet, snapshot: o.Snapshot}
	began := func(id string) time.Time {
		if at := w.rows[id].Started; at != nil {
			return *at
		}
		return w.State.Waves.Started
	}
	// Those on which it went well must report; those on which it did not may have.
	var good, bad []fleet.Node
	for _, n := range ran {
		if w.failed[n.ID] == "" {
			good = append(good, n)
		} else {
			bad = append(bad, n)
		}
	}
	reported, err := reader.wait(ctx, good, began, nil)
	if err != nil {
		return err
	}
	others, err := reader.read(ctx, bad, began, true)
	if err != nil {
		return err
	}
	maps.Copy(reported, others)
	err = awsapi.Parallel(ctx, len(ran), func(ctx context.Context, i int) error {
		id := ran[i].ID
		r := w.State.Nodes[id].Result
		state := reported[id]
		r.After = countsOf(state)
		if state == nil {
			return nil
		}
		if state.Failed == 0 {
			return nil
		}
		for p, err := range w.Patches.OfNode(ctx, id, patch.Failed) {
			if fault.KindOf(err) == fault.Auth {
				break // how many failed is known
			}
			if err != nil {
				return err
			}
			r.FailedPatches = append(r.FailedPatches, p.ID)
		}
		r.Words = Words(w.rows[id].Stdout, w.rows[id].Stderr, r.FailedPatches...)
		return nil
	})
	if err != nil {
		return err
	}
	for _, n := range ran {
		if why := shortfall(o, w.State.Nodes[n.ID].Result); why != "" {
			w.failed[n.ID] = why // it says more than an exit status
		}
	}
	return nil
}

// shortfall says what of an installation is not as it should be, by what the node
// reports; "" when all is.
func shortfall(o Options, r *Result) string {
	a := r.After
	switch {
	case a == nil && r.State == run.Success:
		return "it succeeded, and the node reported no patch state afterwards"
	case a == nil:
		return ""
	case a.Failed > 0 && len(r.FailedPatches) > 0:
		return fmt.Sprintf("%d not installed: %s", a.Failed, few(r.FailedPatches, 3))
	case a.Failed > 0:
		return fmt.Sprintf("%d not installed", a.Failed)
	case a.Missing > 0 && o.OverrideList == "" && r.State == run.Success:
		return fmt.Sprintf("%d still missing", a.Missing)
	case a.PendingReboot > 0 && o.Reboot == IfNeeded && r.State == run.Success:
		return fmt.Sprintf("%d still wait for a reboot", a.PendingReboot)
	}
	return ""
}

func idsOf(nodes []fleet.Node) []string {
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
	}
	return ids
}
