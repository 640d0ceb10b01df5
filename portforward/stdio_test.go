package portforward

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

func TestStdioWaitsForTheAnswerAfterTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("s", newAgent, "")
		var out bytes.Buffer
		begin := time.Now()
		go func() {
			<-f.input
			time.Sleep(4 * time.Second)
			f.say("first ")
			time.Sleep(4 * time.Second)
			f.say("second")
		}()
		if err := Stdio(t.Context(), f, strings.NewReader("question"), &out); err != nil {
			t.Error(err)
		}
		if got := out.String(); got != "first second" {
			t.Errorf("out is %q", got)
		}
		if got, want := time.Since(begin), 8*time.Second+stdioLinger; got != want {
			t.Errorf("ended after %s, want %s", got, want)
		}
		if n := f.closed.Load(); n != 1 {
			t.Errorf("closed %d times, want once", n)
		}
	})
}

func TestStdioEnds(t *testing.T) {
	lost := errors.New("lost")
	tests := []struct {
		name string
		exit sessionclient.Exit
		err  error
		want func(error) bool
	}{
		{"well, when the destination closes", sessionclient.Exit{}, nil, func(err error) bool { return err == nil }},
		{"with the service's reason", sessionclient.Exit{Reason: "no such host"}, nil, func(err error) bool {
			return fault.KindOf(err) == fault.Failed && strings.Contains(err.Error(), "no such host")
		}},
		{"with ours", sessionclient.Exit{}, lost, func(err error) bool { return errors.Is(err, lost) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake("s", newAgent, "")
				in, w := io.Pipe() // has Close: its reader is released
				defer w.Close()
				var out bytes.Buffer
				f.say("tail")
				f.end(tt.exit, tt.err)
				if err := Stdio(t.Context(), f, in, &out); !tt.want(err) {
					t.Errorf("got %v", err)
				}
				if out.String() != "tail" {
					t.Errorf("out is %q, want what had arrived", out.String())
				}
			})
		})
	}
}

func TestStdioEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("s", newAgent, "")
		in, w := io.Pipe()
		defer w.Close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := Stdio(ctx, f, in, io.Discard); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

func TestStdioReportsLostOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("s", newAgent, "")
		in, w := io.Pipe()
		defer w.Close()
		r, out := io.Pipe()
		_ = r.CloseWithError(errors.New("nobody reads"))
		f.say("x")
		if err := Stdio(t.Context(), f, in, out); err == nil || !strings.Contains(err.Error(), "nobody reads") {
			t.Errorf("got %v, want the write error", err)
		}
	})
}

func TestStdioRefusesOtherSessions(t *testing.T) {
	tests := []struct {
		name string
		f    *fakeSession
	}{
		{"multiplexed", newFake("s", newAgent, wire.LocalPortForwarding)},
		{"a shell", newFake("s", newAgent, "")},
	}
	tests[1].f.info.Kind = wire.StandardStream
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := Stdio(t.Context(), tt.f, strings.NewReader("x"), io.Discard); fault.KindOf(err) != fault.Failed || err == nil {
				t.Errorf("got %v, want a failure", err)
			}
			if tt.f.closed.Load() != 1 {
				t.Error("the session was not closed")
			}
		})
	}
}
