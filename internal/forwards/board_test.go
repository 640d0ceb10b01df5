package forwards

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/portforward"
)

func TestBoardState(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ev := func(typ portforward.EventType, session string) portforward.Event {
		return portforward.Event{Type: typ, Session: session, Time: start}
	}
	bad := func(typ portforward.EventType, wait time.Duration) portforward.Event {
		return portforward.Event{Type: typ, Time: start, Err: errors.New("no network"), Wait: wait}
	}
	opened := []portforward.Event{ev(portforward.Listening, ""), ev(OpeningSession, ""), ev(portforward.Ready, "s1")}
	tests := []struct {
		name   string
		events []portforward.Event
		state  State
		lanes  int
		text   string
	}{
		{"nothing yet", nil, Idle, 0, ""},
		{"somebody connects", opened[:2], Opening, 0, ""},
		{"a session", opened, Open, 1, ""},
		{"two sessions", append(opened[:3:3], ev(portforward.LaneOpened, "s2")), Open, 2, ""},
		{"closed when idle", append(opened[:3:3], ev(portforward.Ended, "s1")), Idle, 0, ""},
		{"ended with a reason", append(opened[:3:3], portforward.Event{Type: portforward.Ended, Session: "s1", Text: "timed out"}), Idle, 0, "timed out"},
		{"cannot be opened", append(opened[:2:2], bad(portforward.Failed, 4*time.Second)), Failed, 0, "no network"},
		{"works again", append(opened[:2:2], bad(portforward.Failed, time.Second), ev(OpeningSession, ""), ev(portforward.Ready, "s1")), Open, 1, ""},
		{"tries again", append(opened[:2:2], bad(portforward.Failed, time.Second), ev(OpeningSession, "")), Opening, 0, "no network"},
		{"a connection is lost", append(opened[:3:3], portforward.Event{Type: portforward.Reconnecting, Session: "s1", Err: errors.New("EOF")}), Reconnecting, 1, "EOF"},
		{"one of two is lost", append(opened[:3:3], ev(portforward.LaneOpened, "s2"), ev(portforward.Reconnecting, "s1")), Open, 2, ""},
		{"and resumed", append(opened[:3:3], portforward.Event{Type: portforward.Reconnecting, Session: "s1", Err: errors.New("EOF")}, ev(portforward.Reconnected, "s1")), Open, 1, ""},
		{"nothing moves", append(opened[:3:3], ev(portforward.Stalled, "s1")), Stalled, 1, ""},
		{"it moves again", append(opened[:3:3], ev(portforward.Silent, "s1"), ev(portforward.Recovered, "s1")), Open, 1, ""},
		{"no further lane", append(opened[:3:3], ev(OpeningSession, ""), bad(portforward.Notice, 0), ev(portforward.Ended, "s1")), Idle, 0, ""},
		{"refused over there", append(opened[:3:3], portforward.Event{Type: portforward.Refused, Session: "s1", Remote: "db:1"}), Open, 1, "the node cannot reach db:1"},
		{"and it takes connections again", append(opened[:3:3], portforward.Event{Type: portforward.Refused, Session: "s1", Remote: "db:1"}, portforward.Event{Type: portforward.Closed, Session: "s1", Remote: "db:1", In: 5}), Open, 1, ""},
		{"another one does", append(opened[:3:3], portforward.Event{Type: portforward.Refused, Session: "s1", Remote: "db:1"}, portforward.Event{Type: portforward.Closed, Session: "s1", Remote: "db:2", In: 5}), Open, 1, "the node cannot reach db:1"},
		{"it has said nothing", append(opened[:3:3], portforward.Event{Type: portforward.Refused, Session: "s1", Remote: "db:1"}, portforward.Event{Type: portforward.Closed, Session: "s1", Remote: "db:1"}), Open, 1, "the node cannot reach db:1"},
		{"an answer does not heal a lost connection", append(opened[:3:3], portforward.Event{Type: portforward.Refused, Session: "s1", Remote: "db:1"}, portforward.Event{Type: portforward.Reconnecting, Session: "s1", Remote: "db:1", Err: errors.New("EOF")}, portforward.Event{Type: portforward.Closed, Session: "s1", Remote: "db:1", In: 5}), Reconnecting, 1, "EOF"},
		{"stopped", append(opened[:3:3], ev(Stopped, "")), Closed, 0, ""},
		{"of another forward", []portforward.Event{{Type: "no such type", Session: "s9"}}, Idle, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBoard([]Entry{{Name: "a"}, {Name: "b"}})
			b.Listen("a", []string{"127.0.0.1:1"})
			for _, e := range tt.events {
				b.Apply(Event{Forward: "a", Event: e}, "do it")
				b.Apply(Event{Forward: "nobody", Event: e}, "")
			}
			r := b.Rows()[0]
			if r.State != tt.state || r.Lanes != tt.lanes || r.Error != tt.text {
				t.Errorf("got %s, %d sessions, %q; want %s, %d, %q", r.State, r.Lanes, r.Error, tt.state, tt.lanes, tt.text)
			}
			if other := b.Rows()[1]; other.State != Closed {
				t.Errorf("the other is %s", other.State)
			}
			b.Listen("a", []string{"127.0.0.1:2"})
			if r := b.Rows()[0]; r.State != Idle || r.Error != "" || r.Local[0] != "127.0.0.1:2" {
				t.Errorf("after a restart: %+v", r)
			}
		})
	}
}

func TestBoardTellsWhenItTriesAgain(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := NewBoard([]Entry{{Name: "a"}})
	b.Listen("a", nil)
	b.Apply(Event{Forward: "a", Event: portforward.Event{Type: portforward.Failed, Time: start, Err: errors.New("expired"), Wait: 4 * time.Second}}, "log in")
	if r := b.Rows()[0]; !r.Retry.Equal(start.Add(4*time.Second)) || r.Hint != "log in" {
		t.Errorf("got %+v", r)
	}
}

// That one destination of a forward can be reached heals no other.
func TestBoardKeepsWhatIsWrongWithAnotherDestination(t *testing.T) {
	b := NewBoard([]Entry{{Name: "a", Specs: []portforward.Spec{{Port: 80}, {Port: 81}}}})
	b.Listen("a", []string{"127.0.0.1:1", "127.0.0.1:2"})
	apply := func(e portforward.Event) Row {
		b.Apply(Event{Forward: "a", Event: e}, "log in")
		return b.Rows()[0]
	}
	apply(portforward.Event{Type: portforward.Failed, Remote: "localhost:80", Err: errors.New("expired"), Wait: time.Second})
	if r := apply(portforward.Event{Type: portforward.Ready, Session: "s1", Remote: "localhost:81"}); r.State != Open || r.Error != "expired" || r.Hint != "log in" || r.Retry.IsZero() {
		t.Errorf("the other one works: %+v", r)
	}
	if r := apply(portforward.Event{Type: portforward.Ended, Session: "s1", Remote: "localhost:81"}); r.State != Failed || r.Error != "expired" {
		t.Errorf("the other one has been idle: %+v", r)
	}
	if r := apply(portforward.Event{Type: portforward.Ready, Session: "s2", Remote: "localhost:80"}); r.State != Open || r.Error != "" || r.Hint != "" || !r.Retry.IsZero() {
		t.Errorf("it works: %+v", r)
	}
	// A proxy has destinations that nobody may ever ask for again.
	apply(portforward.Event{Type: portforward.Failed, Remote: "db:1", Err: errors.New("no such name")})
	if r := apply(portforward.Event{Type: portforward.LaneOpened, Session: "s3", Remote: "db:2"}); r.Error != "" {
		t.Errorf("a destination that it does not always have: %+v", r)
	}
}

func TestBoardRates(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := NewBoard([]Entry{{Name: "a"}})
	b.Listen("a", nil)
	b.Sample("a", portforward.Counters{In: 1000}, start)
	if r := b.Rows()[0]; r.InRate != 0 || r.In != 1000 {
		t.Errorf("after one sample: %+v", r)
	}
	b.Sample("a", portforward.Counters{In: 3000, Out: 500, Open: 1, Total: 2}, start.Add(500*time.Millisecond))
	if r := b.Rows()[0]; r.InRate != 4000 || r.OutRate != 1000 || r.Open != 1 || r.Total != 2 {
		t.Errorf("after half a second: %+v", r)
	}
	b.Sample("nobody", portforward.Counters{}, start)
}

func TestEventJSONNamesTheForward(t *testing.T) {
	b, err := json.Marshal(Event{Forward: `a"b`, Event: portforward.Event{Type: portforward.Ready, Remote: "db:1"}})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil || got["forward"] != `a"b` || got["type"] != "ready" || got["remote"] != "db:1" {
		t.Errorf("got %s, %v", b, err)
	}
}
