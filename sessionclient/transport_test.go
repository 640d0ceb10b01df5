package sessionclient

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
)

func TestCloseDoesNotWaitForThePeer(t *testing.T) {
	tests := []struct {
		name  string
		serve func(t *testing.T, ws *websocket.Conn)
		takes time.Duration
	}{
		{"that answers the close frame", func(t *testing.T, ws *websocket.Conn) {
			_, _, _ = ws.Read(context.Background())
		}, 0},
		{"that answers late", func(t *testing.T, ws *websocket.Conn) {
			time.Sleep(time.Minute + closeWait/2)
			_, _, _ = ws.Read(context.Background())
		}, closeWait / 2},
		{"that never answers", func(t *testing.T, ws *websocket.Conn) { <-t.Context().Done() }, closeWait},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) {
					prompt(t, ws)
					_, _, _ = ws.Read(t.Context()) // the acknowledgement
					tt.serve(t, ws)
				})
				s, err := g.dial()
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				time.Sleep(time.Until(g.start.Add(time.Minute)))
				start := time.Now()
				_ = s.Close()
				if d := time.Since(start); d != tt.takes {
					t.Errorf("closing took %s, want %s", d, tt.takes)
				}
			})
		})
	}
}

// TestCloseWithABlockedWriter on a real socket, whose buffers are full.
func TestCloseWithABlockedWriter(t *testing.T) {
	g := newGateway(t, func(_ int, ws *websocket.Conn) {
		prompt(t, ws)
		<-t.Context().Done()
	})
	s, err := g.dial(WithWindow(reliable.Window{Bytes: 64 << 20, Messages: 1 << 20}))
	if err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := s.Write(make([]byte, 64<<20))
		wrote <- err
	}()
	for last := int64(-1); last != s.Stats().SentBytes; <-time.After(100 * time.Millisecond) {
		last = s.Stats().SentBytes
	}
	start := time.Now()
	_ = s.Close()
	if d := time.Since(start); d > 2*flushWait {
		t.Errorf("closing took %s", d)
	}
	if err := <-wrote; !errors.Is(err, errEnded) {
		t.Errorf("the blocked write returned %v", err)
	}
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
