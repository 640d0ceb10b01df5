package connect

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

func TestLinkStatusIsQuietAboutShortOutages(t *testing.T) {
	var b bytes.Buffer
	l := NewLinkStatus(clitest.Env(t, &b), true)
	l.escape = "%"
	l.setLive()
	l.Event(sessionclient.Event{Kind: sessionclient.Lost, Err: io.EOF})
	l.Event(sessionclient.Event{Kind: sessionclient.Retrying, Outage: time.Second, Err: io.EOF})
	l.Event(sessionclient.Event{Kind: sessionclient.Resumed, Outage: 2 * time.Second})
	if b.Len() > 0 {
		t.Errorf("said %q about two seconds", b.String())
	}
	l.Event(sessionclient.Event{Kind: sessionclient.Lost, Err: io.EOF})
	for s := range 100 {
		l.Event(sessionclient.Event{Kind: sessionclient.Retrying, Outage: time.Duration(s) * time.Second, Err: errors.New("no route")})
	}
	l.Event(sessionclient.Event{Kind: sessionclient.Resumed, Outage: 100 * time.Second})
	got := b.String()
	if n := strings.Count(got, "no connection for"); n != 2 {
		t.Errorf("%d complaints in 100 s, want 2: %q", n, got)
	}
	if !strings.Contains(got, "connected again after 1m40s") || !strings.Contains(got, "Enter %. leaves") {
		t.Errorf("got %q", got)
	}
	if strings.Contains(strings.ReplaceAll(got, "\r\n", ""), "\n") {
		t.Errorf("a bare line feed in raw mode: %q", got)
	}
}
