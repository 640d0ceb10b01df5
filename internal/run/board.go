package run

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Board is the state of a run: the sum of its events. CLI and dashboard both
// show it, so they cannot disagree. The zero Board is ready for use, by one
// goroutine.
//
// Events may come late, twice and out of order: a node never leaves a final
// state. Equal outputs are kept once.
type Board struct {
	rows   []*row
	byNode map[rowKey]int

	runID    string
	commands []string            // in the order sent
	progress map[string]Progress // by command

	counts       map[State]int
	firstFailure int // index into rows plus one; 0 is none
	started      time.Time
	ended        time.Time
	done         bool
}

type rowKey struct{ node, command string }

// row is kept by pointer since rows are looked at far more often than changed.
type row struct {
	Invocation
	offline        bool
	hasOutput      bool
	truncated      bool
	preview        bool
	more           string
	stdout, stderr unique.Handle[string] // equal texts share memory and compare as pointers
}

// Row is one node of a board.
type Row struct {
	Invocation
	HasOutput bool // Stdout and Stderr are what the node wrote
	Stdout    string
	Stderr    string
	Truncated bool
	Preview   bool
	More      string // see Output
}

// Apply adds one event.
func (b *Board) Apply(e Event) {
	b.init()
	if e.RunID != "" {
		b.runID = e.RunID
	}
	switch e.Kind {
	case Planned:
		b.plan(e.Plan.Nodes)
	case WasSent:
		b.sent(e)
	case Progressed:
		b.progress[e.CommandID] = *e.Progress
	case Changed:
		b.change(*e.Invocation)
	case Printed:
		b.print(e.CommandID, *e.Output)
	case Noticed: // for whoever listens
	case Logged: // the output of a node that is done comes as a whole
	case Done:
		b.finish(e.Time)
	}
}

func (b *Board) init() {
	if b.byNode == nil {
		b.byNode = make(map[rowKey]int)
		b.progress = make(map[string]Progress)
		b.counts = make(map[State]int)
	}
}

func (b *Board) plan(nodes []fleet.Node) {
	for _, n := range nodes {
		r := b.row("", n.ID)
		if r.NodeName == "" {
			r.NodeName = n.Name
		}
		r.offline = n.Offline()
	}
}

func (b *Board) sent(e Event) {
	if b.started.IsZero() {
		b.started = e.Time
	}
	if !slices.Contains(b.commands, e.CommandID) {
		b.commands = append(b.commands, e.CommandID)
	}
}

// change moves a node on. Of a final state only the particulars may still be
// filled in: an exit code, the time of the end. What was settled for want of news
// gives way to news.
func (b *Board) change(inv Invocation) {
	r := b.row(inv.CommandID, inv.NodeID)
	old := r.State
	if old.Final() && old != NotSent && old != Lost && inv.State != old {
		return
	}
	if r.NodeName != "" { // the name the user knows; the service tells a host name
		inv.NodeName = r.NodeName
	}
	if inv.ExitCode == NoExit && old.Final() {
		inv.ExitCode = r.ExitCode
	}
	r.Invocation = inv
	b.count(old, inv.State)
	if inv.State.Bad() && b.firstFailure == 0 {
		b.firstFailure = b.byNode[rowKey{inv.NodeID, inv.CommandID}] + 1
	}
}

func (b *Board) count(from, to State) {
	b.counts[from]--
	b.counts[to]++
}

func (b *Board) print(command string, o Output) {
	r := b.row(command, o.NodeID)
	if r.hasOutput && o.Preview && !r.preview {
		return // a late preview of what is known in full
	}
	r.hasOutput, r.truncated, r.preview = true, o.Truncated, o.Preview
	r.stdout, r.stderr = unique.Make(o.Stdout), unique.Make(o.Stderr)
	r.more = o.More
}

// row finds or makes a node's row. One that was planned is taken over by the
// first command that reaches the node.
func (b *Board) row(command, node string) *row {
	key := rowKey{node, command}
	if i, ok := b.byNode[key]; ok {
		return b.rows[i]
	}
	if i, ok := b.byNode[rowKey{node, ""}]; ok {
		delete(b.byNode, rowKey{node, ""})
		b.byNode[key] = i
		return b.rows[i]
	}
	r := &row{Invocation: Invocation{CommandID: command, NodeID: node, State: Waiting, ExitCode: NoExit}}
	b.byNode[key] = len(b.rows)
	b.rows = append(b.rows, r)
	b.counts[Waiting]++
	return r
}

// finish settles the nodes that were selected and never heard of, for which the
// service made no invocation, and those that it stopped telling about.
func (b *Board) finish(now time.Time) {
	b.done, b.ended = true, now
	for i, r := range b.rows {
		old := r.State
		switch {
		case old.Final():
			continue
		case old == Strange:
			r.State = Lost
			r.Reason = "the command has ended; " + r.Reason
		case old != Waiting:
			r.State, r.Detail = Lost, ""
			r.Reason = "the command has ended, and the service does not say how on this node; it was last seen " + string(old)
		case r.offline:
			r.State, r.Reason = NotSent, "the node is offline, and the command was not sent to it"
		default:
			r.State, r.Reason = NotSent, "the command never got an invocation for this node"
		}
		b.count(old, r.State)
		if b.firstFailure == 0 {
			b.firstFailure = i + 1
		}
	}
}

// Rows yields all nodes in a stable order: as selected, then as first seen.
func (b *Board) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for _, r := range b.rows {
			if !yield(r.public()) {
				return
			}
		}
	}
}

// Row returns one node as a command left it; false when the board has none such.
func (b *Board) Row(command, node string) (Row, bool) {
	i, ok := b.byNode[rowKey{node, command}]
	if !ok {
		return Row{}, false
	}
	return b.rows[i].public(), true
}

// FailuresFirst returns all nodes, those that did not succeed in front, then
// those under way, then the rest; the order within each is that of Rows.
func (b *Board) FailuresFirst() []Row {
	rows := slices.Collect(b.Rows())
	slices.SortStableFunc(rows, func(x, y Row) int { return urgency(x.State) - urgency(y.State) })
	return rows
}

func urgency(s State) int {
	switch {
	case s.Bad():
		return 0
	case !s.Final():
		return 1
	default:
		return 2
	}
}

func (r *row) public() Row {
	out := Row{Invocation: r.Invocation, HasOutput: r.hasOutput, Truncated: r.truncated, Preview: r.preview, More: r.more}
	if r.hasOutput {
		out.Stdout, out.Stderr = r.stdout.Value(), r.stderr.Value()
	}
	return out
}

// Count returns how many nodes are in a state.
func (b *Board) Count(s State) int { return b.counts[s] }

// Total returns how many nodes the run is for: those known, or more when the
// service counts more.
func (b *Board) Total() int {
	targets := 0
	for _, p := range b.progress {
		targets += p.Targets
	}
	return max(len(b.rows), targets)
}

// Finished returns how many nodes are done, whatever the outcome. While details
// lag behind, the service's own counters tell.
func (b *Board) Finished() int {
	seen, counted := 0, 0
	for s, n := range b.counts {
		if s.Final() {
			seen += n
		}
	}
	for _, p := range b.progress {
		counted += p.Completed
	}
	return max(seen, counted)
}

// Failures returns on how many nodes the command did not succeed: failed, ran
// out of time, was cancelled, skipped or never sent.
func (b *Board) Failures() int {
	n := 0
	for s, c := range b.counts {
		if s.Bad() {
			n += c
		}
	}
	return n
}

// FirstFailure returns the node that was first seen not to succeed.
func (b *Board) FirstFailure() (Row, bool) {
	if b.firstFailure == 0 {
		return Row{}, false
	}
	return b.rows[b.firstFailure-1].public(), true
}

// Done reports whether all commands have ended and everything was reported.
func (b *Board) Done() bool { return b.done }

// Elapsed returns how long the run has been going, or went: from the first
// command taken by the service to the end. It is 0 before.
func (b *Board) Elapsed(now time.Time) time.Duration {
	switch {
	case b.started.IsZero():
		return 0
	case b.done:
		return b.ended.Sub(b.started)
	default:
		return now.Sub(b.started)
	}
}

// RunID returns the id all commands of the run share, or "".
func (b *Board) RunID() string { return b.runID }

// Ref is how the run is named on the command line: by its own id, or by those of
// its commands when ssmdeck did not send them all as one run.
func (b *Board) Ref() string {
	if b.runID != "" {
		return b.runID
	}
	return strings.Join(b.commands, " ")
}

// CommandIDs returns the ids of the commands, in the order sent.
func (b *Board) CommandIDs() []string { return slices.Clone(b.commands) }

// Err returns how the run ended, as an error: nil when every node succeeded,
// Pending while nodes are under way, NotFound when the service found no node,
// RemoteFailed otherwise.
func (b *Board) Err() error {
	total := b.Total()
	if !b.done {
		strange := ""
		if n := b.counts[Strange]; n > 0 {
			strange = fmt.Sprintf(", %d not known", n)
		}
		err := fault.New(fault.Pending, "run", "%d of %d nodes are not done%s%s", max(total-b.Finished(), 0), total, strange, b.tally(", "))
		if len(b.commands) > 0 {
			err = err.WithHint("run `ssmdeck run watch %s` to follow", b.Ref())
		}
		return err
	}
	if total == 0 {
		return fault.New(fault.NotFound, "run", "no node matched when the service looked").
			WithHint("see `ssmdeck ls` for the nodes there are")
	}
	unlisted := ""
	if n := b.Unlisted(); n > 0 {
		unlisted = fmt.Sprintf("; the service counts %d more and does not list them", n)
	}
	n := b.Failures()
	if n == 0 && unlisted != "" {
		return fault.New(fault.RemoteFailed, "run", "%d of %d nodes succeeded%s", b.counts[Success], total, unlisted)
	}
	if n > 0 {
		return fault.New(fault.RemoteFailed, "run", "%d of %d nodes failed%s%s", n, total, b.breakdown(), unlisted)
	}
	return nil
}

// Unlisted returns how many nodes the service counts beyond those that it lists:
// how the command went on them is not known.
func (b *Board) Unlisted() int { return b.Total() - len(b.rows) }

// breakdown says why nodes count as failed, when it was not the command itself.
func (b *Board) breakdown() string {
	if b.counts[Failed] == b.Failures() {
		return ""
	}
	return " (" + strings.TrimPrefix(b.tally(", "), ", ") + ")"
}

// tally lists the unhappy states with their counts, each after sep.
func (b *Board) tally(sep string) string {
	var s strings.Builder
	for _, state := range States() {
		if n := b.counts[state]; n > 0 && state.Bad() {
			fmt.Fprintf(&s, "%s%d %s", sep, n, strings.ReplaceAll(string(state), "_", " "))
		}
	}
	return s.String()
}
