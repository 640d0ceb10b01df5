package run

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shownOf puts together what was shown of each stream, and holds that offsets
// follow on each other.
func shownOf(t *testing.T, r *recorder) map[string]string {
	t.Helper()
	shown := make(map[string]string)
	for _, e := range r.events {
		if e.Kind != Logged {
			continue
		}
		key := e.Log.NodeID + " " + e.Log.Stream
		if e.Log.Offset != int64(len(shown[key])) {
			t.Errorf("%s: offset %d after %d bytes", key, e.Log.Offset, len(shown[key]))
		}
		shown[key] += e.Log.Text
	}
	return shown
}

// TestEveryLineIsShownOnce lets nodes write by the clock, with events that can be
// read late and out of order, and expects every stream to be shown as it is.
func TestEveryLineIsShownOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 20 {
		synctest.Test(t, func(t *testing.T) {
			k := &kept{lag: time.Duration(rng.IntN(4)) * time.Second}
			sel := selected(nodes(5, "linux"))
			want := make(map[string]string)
			texts := make(map[string]nodeResult)
			for i, id := range sel.InstanceIDs {
				var r nodeResult
				for n := range 30 {
					at := time.Now().Add(time.Duration(n)*time.Second + time.Duration(i)*time.Millisecond)
					late := time.Duration(0)
					if rng.IntN(10) == 0 {
						late = time.Duration(rng.IntN(20)) * time.Second
					}
					line := fmt.Sprintf("%s line %d", id, n)
					stream := "stdout"
					if rng.IntN(4) == 0 {
						stream = "stderr"
						r.stderr += line + "\n"
					} else {
						r.stdout += line + "\n"
					}
					k.put(commandID(1)+"/"+id+"/aws-runShellScript/"+stream, at, late, line)
				}
				texts[id] = r
				want[id+" stdout"], want[id+" stderr"] = r.stdout, r.stderr
			}
			c := &cloud{work: 31 * time.Second, result: func(id string) nodeResult { return texts[id] }}
			var r recorder
			err := New(c, k.store()).Start(t.Context(), Request{Selection: sel, Script: "x", LogGroup: "g", Live: true}, r.emit)
			if err != nil || r.board.Err() != nil {
				t.Fatal(err, r.board.Err())
			}
			shown := shownOf(t, &r)
			for key, text := range want {
				if shown[key] != text {
					t.Errorf("round %d: %s was shown as\n%s\nwant\n%s", round, key, shown[key], text)
				}
			}
			if n := r.notices(Unlive); len(n) > 0 {
				t.Errorf("round %d: %+v", round, n)
			}
			if early := firstLine(&r); early > 10*time.Second {
				t.Errorf("the first line came after %s", early)
			}
		})
	}
}

// firstLine is how long after the send the first line was shown.
func firstLine(r *recorder) time.Duration {
	var sent time.Time
	for _, e := range r.events {
		switch e.Kind {
		case WasSent:
			sent = e.Time
		case Logged:
			return e.Time.Sub(sent)
		}
	}
	return time.Hour
}

func TestALogThatMayNotBeReadIsSaidAndDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{deny: map[string]error{"FilterLogEvents": errors.New("no")}}
		// A connection that fails is tried again; a refusal is not.
		k.deny["FilterLogEvents"] = errDenied
		c := &cloud{work: 10 * time.Second}
		var r recorder
		err := New(c, k.store()).Start(t.Context(), Request{Selection: selected(nodes(2, "linux")), Script: "x", LogGroup: "g", Live: true}, r.emit)
		if err != nil || r.board.Err() != nil {
			t.Fatal(err, r.board.Err())
		}
		if n := r.notices(Unlive); len(n) != 1 || k.reads["FilterLogEvents"] != 1 {
			t.Errorf("%+v after %d reads", n, k.reads["FilterLogEvents"])
		}
	})
}

func TestLinesThatNeverComeAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		k.put(commandID(1)+"/i-l0000/aws-runShellScript/stdout", time.Now(), 0, "something else")
		c := &cloud{work: 5 * time.Second}
		var r recorder
		err := New(c, k.store()).Start(t.Context(), Request{Selection: selected(nodes(1, "linux")), Script: "x", LogGroup: "g", Live: true}, r.emit)
		if err != nil {
			t.Fatal(err)
		}
		for row := range r.board.Rows() {
			if row.Stdout != "hello\n" {
				t.Errorf("the result is %q", row.Stdout)
			}
		}
		if n := r.notices(Unlive); len(n) != 1 || n[0].Count != 1 {
			t.Errorf("the lines differ from the result, and the notices are %+v", n)
		}
	})
}

func TestLiveOutputOfManyCommandsIsReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		sel := selected(nodes(300, "linux"))
		for i, id := range sel.InstanceIDs {
			k.put(commandID(i/50+1)+"/"+id+"/aws-runShellScript/stdout", time.Now().Add(3*time.Second), 0, "hello")
		}
		k.put("99999999-89ab-cdef-0123-000000000001/i-x/aws-runShellScript/stdout", time.Now(), 0, "of another command")
		c := &cloud{work: 30 * time.Second}
		var r recorder
		err := New(c, k.store()).Start(t.Context(), Request{Selection: sel, Script: "x", Concurrency: "100%", LogGroup: "g", Live: true}, r.emit)
		if err != nil || r.board.Err() != nil {
			t.Fatal(err, r.board.Err())
		}
		shown := shownOf(t, &r)
		if len(shown) != 300 || shown["i-x stdout"] != "" {
			t.Errorf("%d streams are shown", len(shown))
		}
		for key, text := range shown {
			if text != "hello\n" {
				t.Errorf("%s: %q", key, text)
			}
		}
		if c.busiest() >= 200 || k.reads["FilterLogEvents"] > 120 {
			t.Errorf("%d calls in a minute and %v", c.busiest(), k.reads)
		}
	})
}

func TestNamesOfStreams(t *testing.T) {
	command, node, step, stream, ok := streamParts("c/i-1/aws-runShellScript/stderr")
	if command != "c" || node != "i-1" || step != "aws-runShellScript" || stream != "stderr" || !ok {
		t.Errorf("got %s %s %s %s %v", command, node, step, stream, ok)
	}
	for _, name := range []string{"", "a/b/c", "a/b/c/log", "a/b/c/d/stdout", strings.Repeat("/", 3)} {
		if _, _, _, _, ok := streamParts(name); ok {
			t.Errorf("%q is no stream of a command", name)
		}
	}
}
