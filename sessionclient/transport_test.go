package sessionclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// prompt makes a session ready.
func prompt(t *testing.T, ws *websocket.Conn) {
	if err := ws.Write(t.Context(), websocket.MessageBinary, numbered(t, 0, wire.PayloadOutput, []byte("$ "))); err != nil {
		t.Errorf("prompt: %v", err)
	}
}

func closeTakes(t *testing.T, s *Session, most time.Duration) {
	t.Helper()
	start := time.Now()
	_ = s.Close()
	if d := time.Since(start); d > most {
		t.Errorf("closing took %s, want at most %s", d.Round(time.Millisecond), most)
	}
}

func TestCloseDoesNotWaitForThePeer(t *testing.T) {
	t.Run("that never answers the close frame", func(t *testing.T) {
		g := newGateway(t, func(_ int, ws *websocket.Conn) {
			prompt(t, ws)
			<-t.Context().Done()
		})
		s, err := Dial(t.Context(), g.ticket())
		if err != nil {
			t.Fatal(err)
		}
		closeTakes(t, s, time.Second)
	})
	t.Run("that never reads, with a blocked writer", func(t *testing.T) {
		g := newGateway(t, func(_ int, ws *websocket.Conn) {
			prompt(t, ws)
			<-t.Context().Done()
		})
		s, err := Dial(t.Context(), g.ticket(), WithWindow(bigWindow))
		if err != nil {
			t.Fatal(err)
		}
		wrote := make(chan error, 1)
		go func() {
			_, err := s.Write(make([]byte, 64<<20))
			wrote <- err
		}()
		for last := int64(-1); last != s.Stats().SentBytes; time.Sleep(100 * time.Millisecond) {
			last = s.Stats().SentBytes
		}
		closeTakes(t, s, 2*time.Second)
		if err := <-wrote; !errors.Is(err, errEnded) {
			t.Errorf("the blocked write returned %v", err)
		}
	})
}

func TestNoRedirectIsFollowed(t *testing.T) {
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Store(r.Header.Get("X-Amz-Security-Token") != "")
	}))
	defer other.Close()
	g := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer g.Close()
	tick := Ticket{SessionID: "s", Token: "secret-token", StreamURL: "ws" + strings.TrimPrefix(g.URL, "http")}
	_, err := Dial(t.Context(), tick, WithSigner(func(_ context.Context, r *http.Request) error {
		r.Header.Set("X-Amz-Security-Token", "secret")
		return nil
	}))
	var up *UpgradeError
	if !errors.As(err, &up) || up.Status != http.StatusTemporaryRedirect {
		t.Errorf("got %v, want the redirect as an error", err)
	}
	if leaked.Load() {
		t.Error("the security token went to the host of the redirect")
	}
}

// TestReasonIsReadThoughWritingFails: the service says why and drops the
// connection while we are still sending.
func TestReasonIsReadThoughWritingFails(t *testing.T) {
	for range 20 {
		g := newGateway(t, func(_ int, ws *websocket.Conn) {
			prompt(t, ws)
			_, _, _ = ws.Read(t.Context())
			_ = ws.Write(t.Context(), websocket.MessageBinary, closedFrame(t, "session timed out"))
		})
		s, err := Dial(t.Context(), g.ticket(), WithResume(func(context.Context) (Ticket, error) { return Ticket{}, ErrSessionGone }))
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = s.Write(make([]byte, 8<<20)) }()
		_, _ = io.Copy(io.Discard, s)
		if exit, err := s.Wait(); err != nil || exit.Reason != "session timed out" {
			t.Errorf("ended with %+v, %v; want the service's reason", exit, err)
		}
	}
}

// TestFlappingServiceIsNotHammered: connections that are taken and dropped at
// once must not make a loop without pauses.
func TestFlappingServiceIsNotHammered(t *testing.T) {
	g := newGateway(t, func(n int, ws *websocket.Conn) {
		if n == 0 {
			prompt(t, ws)
			_, _, _ = ws.Read(t.Context())
		}
	})
	var resumes atomic.Int64
	s, err := Dial(t.Context(), g.ticket(), WithResume(func(context.Context) (Ticket, error) {
		resumes.Add(1)
		return g.ticket(), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	s.Abort()
	if n := resumes.Load(); n < 2 || n > 8 {
		t.Errorf("%d resumptions in 2 s, want a few", n)
	}
}
