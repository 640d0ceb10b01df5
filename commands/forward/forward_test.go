package forward

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/portforward"
)

func TestForwardLines(t *testing.T) {
	node := fleet.Node{ID: "i-1", Name: "web-1"}
	ready := portforward.Event{Type: portforward.Ready, Local: "127.0.0.1:5432", Remote: "db:5432", Multiplexed: true}
	single := ready
	single.Multiplexed, single.AgentVersion = false, "3.0.196.0"
	outage := portforward.Event{Type: portforward.Reconnecting, Session: "s", Duration: 10 * time.Second, Err: errors.New("network is down\x1b[2J")}
	tests := []struct {
		name   string
		events []portforward.Event
		want   string
	}{
		{"ready", []portforward.Event{ready}, "127.0.0.1:5432 > db:5432 via web-1 (i-1)\n"},
		{"an old agent", []portforward.Event{single}, "127.0.0.1:5432 > db:5432 via web-1 (i-1)\nssmdeck: one connection at a time: agent 3.0.196.0 is too old for more\n"},
		{"an open door is said", []portforward.Event{{Type: portforward.Listening, Local: "127.0.0.1:5432", Exposed: true}, ready}, "127.0.0.1:5432 > db:5432 via web-1 (i-1)\nssmdeck: warning: other machines may be able to connect to 127.0.0.1:5432\n"},
		{"a short outage is not worth a word", []portforward.Event{
			{Type: portforward.Reconnecting, Session: "s", Duration: time.Second, Err: io.EOF},
			{Type: portforward.Reconnected, Session: "s", Duration: 2 * time.Second},
		}, ""},
		{"a long one is said once, and its end", []portforward.Event{
			outage, outage, {Type: portforward.Reconnected, Session: "s", Duration: 12 * time.Second},
		}, "ssmdeck: no connection for 10s (network is down\\x1b[2J); trying again\nssmdeck: connected again after 12s\n"},
		{"an orderly close is silent", []portforward.Event{{Type: portforward.Closed, In: 5}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			v := &forwardView{env: clitest.Env(t, &b), node: node, glyphs: ">"}
			for _, e := range tt.events {
				v.event(e)
			}
			if got := b.String(); got != tt.want {
				t.Errorf("got\n%q, want\n%q", got, tt.want)
			}
		})
	}
}
