package run

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func planOf(ids ...string) Event {
	p := &Plan{}
	for _, id := range ids {
		p.Nodes = append(p.Nodes, fleet.Node{ID: id, Name: "name of " + id, Ping: "online"})
	}
	return Event{Kind: Planned, Plan: p}
}

func sentAt(command string, t time.Time) Event {
	return Event{Kind: WasSent, Time: t, CommandID: command, Sent: &Sent{}}
}

func went(node string, s State, code int) Event {
	return Event{Kind: Changed, CommandID: "c", Invocation: &Invocation{CommandID: "c", NodeID: node, State: s, ExitCode: code}}
}

func wrote(node, stdout, stderr string) Event {
	return Event{Kind: Printed, CommandID: "c", Output: &Output{NodeID: node, Stdout: stdout, Stderr: stderr}}
}

func doneAt(t time.Time) Event { return Event{Kind: Done, Time: t} }

func boardOf(events ...Event) *Board {
	var b Board
	for _, e := range events {
		b.Apply(e)
	}
	return &b
}

func summary(b *Board) string {
	var s []string
	for r := range b.Rows() {
		s = append(s, fmt.Sprintf("%s:%s:%d", r.NodeID, r.State, r.ExitCode))
	}
	return strings.Join(s, " ")
}

func TestBoardApply(t *testing.T) {
	tests := []struct {
		name   string
		events []Event
		want   string
	}{
		{"planned nodes wait", []Event{planOf("a", "b")}, "a:waiting:-1 b:waiting:-1"},
		{"the order of the plan stays", []Event{planOf("a", "b"), went("b", Success, 0), went("a", Running, NoExit)}, "a:running:-1 b:ok:0"},
		{"nodes nobody planned come last", []Event{planOf("a"), went("z", Running, NoExit)}, "a:waiting:-1 z:running:-1"},
		{"a final state stays", []Event{went("a", Success, 0), went("a", Running, NoExit), went("a", Failed, 1)}, "a:ok:0"},
		{"its exit code may come later", []Event{went("a", Failed, NoExit), went("a", Failed, 7)}, "a:failed:7"},
		{"and does not go away", []Event{went("a", Failed, 7), went("a", Failed, NoExit)}, "a:failed:7"},
		{"what was never heard of is not sent", []Event{planOf("a", "b"), went("a", Success, 0), doneAt(t0)}, "a:ok:0 b:not_sent:-1"},
		{"unless it is heard of late", []Event{planOf("a"), doneAt(t0), went("a", Success, 0)}, "a:ok:0"},
		{"what runs at the end is not called done", []Event{went("a", Running, NoExit), doneAt(t0)}, "a:unknown:-1"},
		{"unless it is heard of at last", []Event{went("a", Running, NoExit), doneAt(t0), went("a", Success, 0)}, "a:ok:0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := boardOf(tt.events...)
			if got := summary(b); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			total := 0
			for _, s := range States() {
				total += b.Count(s)
			}
			if total != b.Total() {
				t.Errorf("the counts add up to %d of %d", total, b.Total())
			}
		})
	}
}

func TestBoardNamesNodesAsTheUserDoes(t *testing.T) {
	e := went("a", Success, 0)
	e.Invocation.NodeName = "ip-10-0-0-1.ec2.internal"
	for r := range boardOf(planOf("a"), e).Rows() {
		if r.NodeName != "name of a" {
			t.Errorf("got %q", r.NodeName)
		}
	}
	for r := range boardOf(e).Rows() {
		if r.NodeName != "ip-10-0-0-1.ec2.internal" {
			t.Errorf("got %q", r.NodeName)
		}
	}
}

func TestBoardKeepsCommandsOnOneNodeApart(t *testing.T) {
	other := went("a", Failed, 1)
	other.CommandID, other.Invocation.CommandID = "d", "d"
	b := boardOf(planOf("a"), went("a", Success, 0), other)
	if got := summary(b); got != "a:ok:0 a:failed:1" {
		t.Errorf("got %s", got)
	}
}

func TestBoardErr(t *testing.T) {
	counted := func(p Progress) Event { return Event{Kind: Progressed, CommandID: "c", Progress: &p} }
	tests := []struct {
		name   string
		events []Event
		kind   fault.Kind
		text   string
	}{
		{"nothing yet", nil, fault.Pending, "0 of 0 nodes are not done"},
		{"under way", []Event{planOf("a", "b"), sentAt("c", t0), went("a", Failed, 1)}, fault.Pending, "1 of 2 nodes are not done, 1 failed"},
		{"some failed", []Event{planOf("a", "b"), went("a", Failed, 1), went("b", Success, 0), doneAt(t0)}, fault.RemoteFailed, "run: 1 of 2 nodes failed"},
		{"for several reasons", []Event{planOf("a", "b", "d"), went("a", Failed, 1), went("b", TimedOut, NoExit), doneAt(t0)}, fault.RemoteFailed, "3 of 3 nodes failed (1 failed, 1 timed out, 1 not sent)"},
		{"no node at all", []Event{sentAt("c", t0), doneAt(t0)}, fault.NotFound, "no node matched"},
		{"ended, and one is not accounted for", []Event{went("a", Success, 0), counted(Progress{Targets: 2, Completed: 1}), doneAt(t0)}, fault.RemoteFailed, "1 of 2 nodes succeeded; the service counts 1 more and does not list them"},
		{"lost on the way", []Event{planOf("a"), went("a", Running, NoExit), doneAt(t0)}, fault.RemoteFailed, "1 of 1 nodes failed (1 unknown)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantKind(t, boardOf(tt.events...).Err(), tt.kind, tt.text) })
	}
	if err := boardOf(planOf("a"), went("a", Success, 0), doneAt(t0)).Err(); err != nil {
		t.Errorf("all is well: got %v", err)
	}
	err := boardOf(planOf("a"), sentAt("c1", t0), sentAt("c2", t0), sentAt("c1", t0)).Err()
	if want := "run `ssmdeck run watch c1 c2` to follow"; fault.HintOf(err) != want {
		t.Errorf("got hint %q, want %q", fault.HintOf(err), want)
	}
}

func TestBoardCountersRunAhead(t *testing.T) {
	b := boardOf(planOf("a", "b", "d"), went("a", Success, 0),
		Event{Kind: Progressed, CommandID: "c", Progress: &Progress{Targets: 3, Completed: 2, Errors: 1}})
	if b.Finished() != 2 || b.Count(Success) != 1 || b.Failures() != 0 {
		t.Errorf("finished %d, ok %d, failures %d", b.Finished(), b.Count(Success), b.Failures())
	}
}

func TestBoardElapsed(t *testing.T) {
	now := t0.Add(time.Minute)
	if d := boardOf(planOf("a")).Elapsed(now); d != 0 {
		t.Errorf("before the first send: %s", d)
	}
	if d := boardOf(sentAt("c", t0), sentAt("d", t0.Add(5*time.Second))).Elapsed(now); d != time.Minute {
		t.Errorf("under way: %s", d)
	}
	if d := boardOf(sentAt("c", t0), doneAt(t0.Add(10*time.Second))).Elapsed(now); d != 10*time.Second {
		t.Errorf("done: %s", d)
	}
}

func TestBoardFailures(t *testing.T) {
	b := boardOf(planOf("a", "b", "d", "e"), went("a", Success, 0), went("d", TimedOut, NoExit), went("b", Failed, 1), went("e", Running, NoExit))
	first, ok := b.FirstFailure()
	if !ok || first.NodeID != "d" {
		t.Errorf("first failure is %+v, want d: it was seen first", first)
	}
	var order []string
	for _, r := range b.FailuresFirst() {
		order = append(order, r.NodeID)
	}
	if want := []string{"b", "d", "e", "a"}; !slices.Equal(order, want) {
		t.Errorf("order is %v, want %v", order, want)
	}
	if _, ok := boardOf(went("a", Success, 0)).FirstFailure(); ok {
		t.Error("a success counts as a failure")
	}
}

func TestGroups(t *testing.T) {
	cut := wrote("f", "same\n", "")
	cut.Output.Truncated = true
	b := boardOf(planOf("a", "b", "d", "e", "f", "g", "h", "i"),
		went("a", Success, 0), wrote("a", "one\n", ""),
		went("b", Success, 0), wrote("b", "same\n", ""),
		went("d", Success, 0), wrote("d", "same\n", ""),
		went("e", Failed, 1), wrote("e", "same\n", ""),
		went("f", Success, 0), cut,
		went("g", Success, 0), wrote("g", "", "same\n"),
		went("h", Running, NoExit),
		went("i", Success, 0), // its output is still on its way
	)
	describe := func() string {
		var s []string
		for _, g := range b.Groups() {
			var ids []string
			for _, n := range g.Nodes {
				ids = append(ids, n.ID)
			}
			s = append(s, fmt.Sprintf("%s %d %q %q %v %s", g.State, g.ExitCode, g.Stdout, g.Stderr, g.Truncated, strings.Join(ids, ",")))
		}
		return strings.Join(s, "\n")
	}
	want := strings.Join([]string{
		`failed 1 "same\n" "" false e`,
		`ok 0 "same\n" "" false b,d`,
		`ok 0 "one\n" "" false a`,
		`ok 0 "same\n" "" true f`,
		`ok 0 "" "same\n" false g`,
	}, "\n")
	if got := describe(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b.Apply(doneAt(t0))
	if got := describe(); !strings.Contains(got, `ok 0 "" "" false i`) {
		t.Errorf("at the end a node without output is missing:\n%s", got)
	}
}

func TestAPreviewDoesNotReplaceTheWhole(t *testing.T) {
	preview := wrote("a", "sho", "")
	preview.Output.Preview = true
	for name, events := range map[string][]Event{
		"preview first": {preview, wrote("a", "short and long", "")},
		"preview last":  {wrote("a", "short and long", ""), preview},
	} {
		for r := range boardOf(events...).Rows() {
			if r.Stdout != "short and long" || r.Preview {
				t.Errorf("%s: got %q", name, r.Stdout)
			}
		}
	}
}

// TestBoardNeverGoesBack feeds events in random order: a final state once seen
// is the last word, and the counts always add up.
func TestBoardNeverGoesBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	states := States()
	for range 200 {
		var b Board
		b.Apply(planOf("a", "b", "d"))
		final := map[string]State{}
		for range 40 {
			node, s := string("abd"[rng.IntN(3)]), states[rng.IntN(len(states)-2)] // all but not_sent and unknown
			b.Apply(went(node, s, NoExit))
			if _, ok := final[node]; !ok && s.Final() {
				final[node] = s
			}
			sum := 0
			for _, s := range states {
				sum += b.Count(s)
			}
			if sum != 3 {
				t.Fatalf("counts add up to %d of 3", sum)
			}
			for r := range b.Rows() {
				if want, ok := final[r.NodeID]; ok && r.State != want {
					t.Fatalf("%s went from %s to %s", r.NodeID, want, r.State)
				}
			}
		}
	}
}

func TestEventKeysCoalesceByNode(t *testing.T) {
	if went("a", Running, 0).Key() != went("a", Success, 0).Key() {
		t.Error("two states of one node have different keys")
	}
	keys := map[string]bool{}
	other := went("a", Running, 0)
	other.CommandID = "d"
	events := []Event{
		planOf("a"), sentAt("c", t0), sentAt("d", t0), went("a", Running, 0), went("b", Running, 0), other, wrote("a", "", ""), doneAt(t0),
		{Kind: Progressed, CommandID: "c", Progress: &Progress{}},
		{Kind: Noticed, Notice: &Notice{Kind: Throttled}},
		{Kind: Noticed, Notice: &Notice{Kind: Retrying}},
	}
	for _, e := range events {
		keys[e.Key()] = true
	}
	if len(keys) != len(events) {
		t.Errorf("%d events have %d keys", len(events), len(keys))
	}
}

func TestEqualOutputsAreKeptOnce(t *testing.T) {
	text := strings.Repeat("x", 20_000)
	b := boardOf(wrote("a", strings.Clone(text), ""), wrote("b", strings.Clone(text), ""))
	rows := slices.Collect(b.Rows())
	if unsafe.StringData(rows[0].Stdout) != unsafe.StringData(rows[1].Stdout) {
		t.Error("two nodes with the same output keep it twice")
	}
}
