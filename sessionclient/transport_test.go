package sessionclient

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

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
		s, err := g.dial()
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
		s, err := g.dial(WithWindow(bigWindow))
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
