package forward

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/portforward"
)

func TestBoardLines(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rows := []forwards.Row{
		{
			Name: "db", State: forwards.Open, Local: []string{"127.0.0.1:15432"}, Remote: []string{"db.internal:5432"}, Node: "bastion", Lanes: 2,
			Counters: portforward.Counters{Open: 2, Total: 3, In: 5 << 20, Out: 900}, InRate: 700000, OutRate: 10,
		},
		{
			Name: "orders", State: forwards.Failed, Local: []string{"127.0.0.1:8080", "127.0.0.1:8081"}, Remote: []string{"localhost:80", "x\x1b:81"}, Node: "tag:env=prod",
			Error: "no credentials", Hint: "run `aws sso login`", Retry: now.Add(3500 * time.Millisecond),
		},
		{Name: "open", State: forwards.Idle, Local: []string{"0.0.0.0:1"}, Remote: []string{"localhost:1"}, Node: "n", Exposed: true},
	}
	st := theme.New(theme.Plain, false, true)
	want := strings.Join([]string{
		">1 db      + open               127.0.0.1:15432  2 of 3  v 684 KiB/s 5.0 MiB  ^ 10 B/s 900 B  2 sessions  -> db.internal:5432 via bastion",
		" 2 orders  x failed, again in 4 s  127.0.0.1:8080",
	}, "\n")
	got := boardLines(rows, 0, 200, 40, now, st)
	if len(got) != 7 {
		t.Fatalf("%d lines:\n%s", len(got), strings.Join(got, "\n"))
	}
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for i, w := range strings.Split(want, "\n") {
		if !strings.HasPrefix(squeeze(got[i]), squeeze(w)) {
			t.Errorf("line %d: got\n%q, want\n%q", i+1, got[i], w)
		}
	}
	all := strings.Join(got, "\n")
	for _, w := range []string{`x\x1b:81`, "no credentials; run `aws sso login`", "other machines may be able to connect", "q quit"} {
		if !strings.Contains(all, w) {
			t.Errorf("no %q in\n%s", w, all)
		}
	}
	for cols := 1; cols < 150; cols += 7 {
		for height := 1; height < 12; height++ {
			lines := boardLines(rows, 2, cols, height, now, st)
			if len(lines) > max(height-1, 2) {
				t.Fatalf("%d lines in a window of %d", len(lines), height)
			}
			for _, l := range lines {
				if render.Width(l) >= max(cols, 2) {
					t.Fatalf("%q is wider than %d", l, cols)
				}
			}
		}
	}
}

func TestSavedForwardLines(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(after time.Duration, e portforward.Event) forwards.Event {
		e.Time, e.Node = start.Add(after), "n"
		return forwards.Event{Forward: "db", Event: e}
	}
	expired := fault.New(fault.Auth, "", "expired").WithHint("log in")
	failed := portforward.Event{Type: portforward.Failed, Err: expired, Wait: 4 * time.Second}
	listening := portforward.Event{Type: portforward.Listening, Local: "127.0.0.1:1", Remote: "db:1"}
	events := []forwards.Event{
		at(0, listening), at(1, failed), at(2*time.Second, failed), at(2*time.Second, listening), // the same again
		at(3*time.Second, portforward.Event{Type: portforward.Failed, Err: errors.New("other\x1b")}),
		at(sayAgain+time.Minute, failed),
		at(sayAgain+time.Minute, portforward.Event{Type: portforward.Ready, Multiplexed: true}),
		at(sayAgain+time.Minute, failed), // news, for it had worked
		at(sayAgain+time.Minute, portforward.Event{Type: forwards.Stopped}),
	}
	const line = "failed: expired (log in); a connection may try again in 4.0 s\n"
	want := "db: 127.0.0.1:1 > db:1 via n\ndb: " + line + `db: failed: other\x1b` + "\ndb: " + line + "db: the session is open\ndb: " + line + "db: stopped\n"
	var b bytes.Buffer
	env := clitest.Env(t, &b)
	v := &lineView{env: env}
	for _, e := range events {
		v.event(e)
	}
	if got := strings.ReplaceAll(strings.ReplaceAll(b.String(), "ssmdeck: ", ""), "→", ">"); strings.ReplaceAll(got, "->", ">") != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	b.Reset()
	(&lineView{env: env, stamped: true}).event(events[1])
	if got := b.String(); got != "2026-01-02T03:04:05Z db "+line {
		t.Errorf("in a log: %q", got)
	}
	if !matchesForward(b.String(), "db") || matchesForward(b.String(), "d") || !matchesForward("panic", "") {
		t.Error("a line of the log is not found by name")
	}
}

func TestListForwards(t *testing.T) {
	saved := []forwards.Entry{{Name: "a", Specs: []portforward.Spec{{Local: 1, Port: 2}}}, {Name: "b"}}
	alive := []forwards.Running{{
		Record: forwards.Record{PID: 7},
		Rows:   []forwards.Row{{Name: "b", State: forwards.Open, Lanes: 2}, {Name: "gone", State: forwards.Idle}, {Name: "a", State: forwards.Closed}},
	}}
	got := listForwards(saved, alive)
	if len(got) != 3 || got[0].State != stoppedState || got[0].PID != 0 || got[1].State != "open" || got[1].Sessions != 2 || got[2].Name != "gone" || got[2].PID != 7 {
		t.Errorf("got %+v", got)
	}
}

func TestProxyEnviron(t *testing.T) {
	all := strings.Join(proxyEnviron("127.0.0.1:1080"), "\n")
	for _, want := range []string{"ALL_PROXY=socks5h://127.0.0.1:1080", "https_proxy=http://127.0.0.1:1080", "NO_PROXY="} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
}

func TestListenSpec(t *testing.T) {
	for text, want := range map[string]portforward.Spec{
		"1080": {Local: 1080}, "0": {}, "[::1]:3128": {Bind: "::1", Local: 3128}, "*:1": {Bind: "*", Local: 1}, ":1": {Local: 1},
	} {
		if got, err := listenSpec(text); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "1:x", "65536", "-1"} {
		if _, err := listenSpec(text); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestListForwardsThatWereTyped(t *testing.T) {
	saved := []forwards.Entry{{Name: "db", Profile: "prod"}}
	alive := []forwards.Running{
		{Record: forwards.Record{PID: 7, Unsaved: true, Profile: "dev", Region: "eu-west-1"}, Rows: []forwards.Row{{Name: "web-1:8080", State: forwards.Open, InRate: 5, OutRate: 6}}},
		{Record: forwards.Record{PID: 8}, Rows: []forwards.Row{{Name: "gone", State: forwards.Idle}}},
	}
	got := listForwards(saved, alive)
	if len(got) != 3 || !got[0].Saved || got[0].Profile != "prod" || !got[2].Saved {
		t.Fatalf("got %+v", got)
	}
	if f := got[1]; f.Saved || f.Name != "web-1:8080" || f.PID != 7 || f.Profile != "dev" || f.Region != "eu-west-1" || f.InRate != 5 || f.OutRate != 6 {
		t.Errorf("got %+v", f)
	}
}

// What is wrong with one destination is not what is wrong with the proxy.
func TestAProxyInTheList(t *testing.T) {
	login := fault.New(fault.Auth, "", "the credentials have expired").WithHint("log in")
	tests := []struct {
		name  string
		event portforward.Event
		state forwards.State
		text  string
	}{
		{"a host that does not take connections", portforward.Event{Type: portforward.Refused, Remote: "x:1"}, forwards.Opening, ""},
		{"a name that does not resolve", portforward.Event{Type: portforward.Failed, Connection: 1, Remote: "x:1", Err: errors.New("no such host")}, forwards.Idle, ""},
		{"the session of one has ended", portforward.Event{Type: portforward.Ended, Remote: "x:1", Text: "no such host"}, forwards.Opening, ""},
		{"nobody is logged in", portforward.Event{Type: portforward.Failed, Connection: 1, Remote: "x:1", Err: login}, forwards.Failed, "the credentials have expired"},
		{"no network", portforward.Event{Type: portforward.Failed, Wait: time.Second, Remote: "x:1", Err: errors.New("no network")}, forwards.Failed, "no network"},
		{"a session", portforward.Event{Type: portforward.Ready, Session: "s"}, forwards.Open, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := forwards.NewSingle(forwards.Row{Name: "n:1080"}, func() {})
			defer s.End()
			s.Event(portforward.Event{Type: forwards.OpeningSession})
			s.Event(ofProxy(tt.event))
			got := s.Rows()[0]
			if got.State != tt.state || got.Error != tt.text {
				t.Errorf("got %s, %q; want %s, %q", got.State, got.Error, tt.state, tt.text)
			}
		})
	}
}
