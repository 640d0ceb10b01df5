package connect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

func TestTrouble(t *testing.T) {
	const s = time.Second
	refused := errors.New("connection refused\x1b[2J")
	type step struct {
		at    time.Duration
		event sessionclient.Event
	}
	tests := []struct {
		name  string
		steps []step
		at    time.Duration
		typed int64
		width int
		want  string
	}{
		{"nothing", nil, 0, 0, 200, ""},
		{"a short outage", []step{{0, sessionclient.Event{Kind: sessionclient.Lost, Err: refused}}}, 2 * s, 0, 200, ""},
		{
			"the first attempt",
			[]step{{0, sessionclient.Event{Kind: sessionclient.Lost, Err: refused}}},
			3 * s, 0, 200,
			`no connection for 3 s (connection refused\x1b[2J); trying now; ~. leaves ~R now`,
		},
		{
			"a long one", []step{
				{0, sessionclient.Event{Kind: sessionclient.Lost, Err: errors.New("EOF")}},
				{10 * s, sessionclient.Event{Kind: sessionclient.Retrying, Wait: 5 * s, Outage: 10 * s, Err: errors.New("no route to host")}},
			}, 12 * s, 14, 200, "no connection for 12 s (no route to host); trying again in 3 s; 14 bytes typed are kept; ~. leaves ~R now",
		},
		{
			"little room", []step{
				{0, sessionclient.Event{Kind: sessionclient.Lost, Err: errors.New("EOF")}},
				{10 * s, sessionclient.Event{Kind: sessionclient.Retrying, Wait: 5 * s, Outage: 10 * s, Err: errors.New("no route to host")}},
			}, 12 * s, 14, 95, "no connection for 12 s (no route to host); trying again in 3 s; 14 bytes typed are kept",
		},
		{
			"very little room",
			[]step{{0, sessionclient.Event{Kind: sessionclient.Lost, Err: errors.New("EOF")}}},
			75 * s, 0, 30,
			"no connection for 1 min 15 ...",
		},
		{
			"credentials", []step{
				{0, sessionclient.Event{Kind: sessionclient.Lost, Err: errors.New("EOF")}},
				{4 * s, sessionclient.Event{Kind: sessionclient.Retrying, Wait: s, Outage: 4 * s, Err: fault.New(fault.Auth, "resume session x", "the credentials have expired").WithHint("run `aws sso login`")}},
			}, 4 * s, 0, 200, "no connection for 4 s (run aws sso login: the credentials have expired); trying again in 1 s; ~. leaves ~R now",
		},
		{
			"back", []step{
				{0, sessionclient.Event{Kind: sessionclient.Lost, Err: refused}},
				{42 * s, sessionclient.Event{Kind: sessionclient.Resumed, Outage: 42 * s}},
			}, 44 * s, 0, 200, "connected again after 42 s",
		},
		{
			"back for a while", []step{
				{0, sessionclient.Event{Kind: sessionclient.Lost, Err: refused}},
				{42 * s, sessionclient.Event{Kind: sessionclient.Resumed, Outage: 42 * s}},
			}, 46 * s, 0, 200, "",
		},
		{
			"back after a moment", []step{
				{0, sessionclient.Event{Kind: sessionclient.Lost, Err: refused}},
				{2 * s, sessionclient.Event{Kind: sessionclient.Resumed, Outage: 2 * s}},
			}, 2 * s, 0, 200, "",
		},
		{
			"a silent node",
			[]step{{0, sessionclient.Event{Kind: sessionclient.AgentSilent, Outage: 3 * s}}},
			2 * s, 1, 200,
			"the node has not answered for 5 s; 1 byte typed is kept; ~. leaves ~R now",
		},
		{
			"a silent node that is lost", []step{
				{0, sessionclient.Event{Kind: sessionclient.AgentSilent, Outage: 3 * s}},
				{5 * s, sessionclient.Event{Kind: sessionclient.Lost, Err: errors.New("EOF")}},
			}, 9 * s, 2, 200, "no connection for 4 s (EOF); trying now; 2 bytes typed are kept; ~. leaves ~R now",
		},
		{
			"a node that is back", []step{
				{0, sessionclient.Event{Kind: sessionclient.AgentSilent, Outage: 3 * s}},
				{5 * s, sessionclient.Event{Kind: sessionclient.AgentBack}},
			}, 6 * s, 2, 200, "the node answers again after 8 s",
		},
	}
	begin := time.Unix(1_700_000_000, 0)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := trouble{escape: "~"}
			for _, st := range tt.steps {
				tr.see(st.event, begin.Add(st.at), 0)
			}
			got := tr.text(begin.Add(tt.at), tt.typed, tt.width)
			if got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
			if len(got) > tt.width {
				t.Errorf("%d cells, there are %d", len(got), tt.width)
			}
		})
	}
	asked := trouble{}
	asked.ask(begin)
	asked.see(sessionclient.Event{Kind: sessionclient.Lost, Err: refused}, begin, 0)
	if got := asked.text(begin, 0, 200); got != "connecting again" {
		t.Errorf("after ~R: %q", got)
	}
	asked.see(sessionclient.Event{Kind: sessionclient.Resumed, Outage: time.Second}, begin.Add(s), 0)
	if got := asked.text(begin.Add(s), 0, 200); got != "connected again after 1 s" {
		t.Errorf("after ~R, when it stands: %q", got)
	}
	none := trouble{}
	none.see(sessionclient.Event{Kind: sessionclient.Lost, Err: refused}, begin, 0)
	if got := none.text(begin.Add(9*s), 0, 200); got == "" || strings.Contains(got, "leaves") {
		t.Errorf("without an escape character: %q", got)
	}
}

func TestEndNotice(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		max, after time.Duration
		want       string
	}{
		{0, 100 * time.Hour, ""},
		{time.Hour, 57 * time.Minute, ""},
		{time.Hour, 58 * time.Minute, "the account ends sessions after 1 h: this one ends in 2 min"},
		{time.Hour, 61 * time.Minute, "the account ends sessions after 1 h: this one ends in 0 s"},
		{time.Minute, 29 * time.Second, ""},
		{time.Minute, 30 * time.Second, "the account ends sessions after 1 min: this one ends in 30 s"},
	} {
		l := sessions.Limits{Idle: 20 * time.Minute, Max: tt.max}
		if got := endNotice(l, begin, begin.Add(tt.after)); got != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.after, tt.max, got, tt.want)
		}
	}
}

func TestRates(t *testing.T) {
	var r rates
	if up, down := r.now(); up != 0 || down != 0 {
		t.Errorf("at the beginning: %d, %d", up, down)
	}
	at := time.Unix(1_700_000_000, 0)
	for i := range int64(20) {
		r.add(at.Add(time.Duration(i)*time.Second), 10*i, 1000*i)
	}
	if up, down := r.now(); up != 10 || down != 1000 {
		t.Errorf("got %d, %d; want 10, 1000", up, down)
	}
}
