package run

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// A status that AWS adds tomorrow is neither running nor done: it is said to be not
// known, with its word, and counted as nothing else.
func TestAWordThatIsNotKnownIsToldAndDoesNotHoldARun(t *testing.T) {
	const word = "Hibernating"
	req := func(n int) Request {
		return Request{Selection: selected(nodes(n, "linux")), Argv: []string{"uptime"}}
	}
	told := func(t *testing.T, r *recorder, times int) {
		t.Helper()
		n := r.notices(Untold)
		if len(n) != times || times > 0 && !strings.Contains(n[0].Text, `"Hibernating"`) {
			t.Errorf("told %+v, want %d", n, times)
		}
	}

	t.Run("of a node", func(t *testing.T) {
		c := &cloud{work: time.Second, life: time.Hour, result: func(node string) nodeResult {
			if node == "i-l0001" {
				return nodeResult{word: word}
			}
			return nodeResult{}
		}}
		start(t, c, req(2), func(t *testing.T, r *recorder, err error) {
			if err != nil {
				t.Fatal(err)
			}
			told(t, r, 1)
			row, _ := r.board.FirstFailure()
			if row.NodeID != "i-l0001" || row.State != Lost || row.Detail != word || !strings.Contains(row.Reason, `"Hibernating"`) {
				t.Errorf("the node is %+v", row)
			}
			wantKind(t, r.board.Err(), fault.RemoteFailed, "1 of 2 nodes failed (1 unknown)")
			if d := r.board.Elapsed(time.Now()); d < time.Hour || d > time.Hour+10*time.Minute {
				t.Errorf("waited for %s", d) // the service says that the command goes on, until it expires
			}
		})
	})
	t.Run("of a command whose nodes have ended", func(t *testing.T) {
		start(t, &cloud{work: time.Second, word: word}, req(2), func(t *testing.T, r *recorder, err error) {
			if err != nil || r.board.Err() != nil {
				t.Errorf("got %v, %v", err, r.board.Err())
			}
			told(t, r, 1)
			if d := r.board.Elapsed(time.Now()); d > time.Minute {
				t.Errorf("waited for %s", d)
			}
		})
	})
	t.Run("of both, without counters", func(t *testing.T) {
		c := &cloud{word: word, life: time.Hour, result: func(string) nodeResult { return nodeResult{word: word} }}
		c.fail = func(op string, _ int) error {
			if op == "ListCommands" {
				return errDenied
			}
			return nil
		}
		start(t, c, req(1), func(t *testing.T, r *recorder, err error) {
			if err != nil {
				t.Fatal(err)
			}
			told(t, r, 1)
			wantKind(t, r.board.Err(), fault.RemoteFailed, "1 of 1 nodes failed (1 unknown)")
		})
	})
}

func TestAStrangeStateCountsAsNothingElse(t *testing.T) {
	e := went("a", Strange, NoExit)
	e.Invocation.Detail, e.Invocation.Reason = "Hibernating", whyOf(Strange, "Hibernating")
	b := boardOf(planOf("a", "b"), sentAt("c", t0), e)
	if b.Count(Strange) != 1 || b.Count(Running) != 0 || b.Finished() != 0 || b.Failures() != 0 {
		t.Errorf("counted as %+v", b.counts)
	}
	wantKind(t, b.Err(), fault.Pending, "2 of 2 nodes are not done, 1 not known")
	r := Run{Commands: []Command{{ID: "c", State: Success}, {ID: "d", State: Strange, Detail: "Hibernating"}}}.sum()
	if got := r.State.Called(r.Detail); got != "not known: Hibernating" {
		t.Errorf("a run of which a part is not known is %q", got)
	}
}

// All went well on no node: that is said, where no command of the run has reached any.
func TestARunThatHasReachedNobodySaysSo(t *testing.T) {
	nobody, one := Command{ID: "c", State: Success, Detail: "NoInstancesInTag"}, Command{ID: "d", State: Success, Detail: "Success", Targets: 1}
	for want, commands := range map[string][]Command{"ok: no node": {nobody}, "ok": {nobody, one}} {
		r := Run{Commands: commands}.sum()
		if got := r.State.Called(r.Detail); r.State != Success || got != want {
			t.Errorf("%d commands: %q, want %q", len(commands), got, want)
		}
	}
}
