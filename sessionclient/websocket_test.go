package sessionclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// TestByeInBulkTraffic: the service's close of every hour, here every few
// hundred milliseconds, in the middle of traffic both ways.
func TestByeInBulkTraffic(t *testing.T) {
	w := &world{t: t, agent: newAgent(t, echo)}
	w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
	g := newGateway(t, func(n int, ws *websocket.Conn) {
		if n < 8 {
			timer := time.AfterFunc(time.Duration(50+20*n)*time.Millisecond, func() { _ = ws.Close(websocket.StatusNormalClosure, "Bye") })
			defer timer.Stop()
		}
		w.agent.serve(serverConn{ws})
	})
	s, err := g.dial(w.options(WithDialer(nil), WithResume(g.resume))...)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 24<<20)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data)
	var writing sync.WaitGroup
	writing.Go(func() {
		if _, err := s.Write(data); err != nil {
			t.Errorf("write: %v", err)
		}
	})
	got := make([]byte, 1+len(data))
	if _, err := io.ReadFull(s, got); err != nil {
		t.Errorf("read: %v", err)
	}
	writing.Wait()
	if sha256.Sum256(got[1:]) != sha256.Sum256(data) {
		t.Error("what came back differs from what was sent")
	}
	_ = s.Close()
	if !strings.Contains(w.kinds(), "lost,resumed,lost,resumed") {
		t.Errorf("events %q, want several closes", w.kinds())
	}
	for _, e := range w.events {
		if e.Kind == Lost && !strings.Contains(e.Err.Error(), "1000 Bye") && !strings.Contains(e.Err.Error(), "broke") {
			t.Errorf("lost because of %v", e.Err)
		}
	}
}

// TestOpening checks what every connection presents.
func TestOpening(t *testing.T) {
	w := &world{t: t, agent: newAgent(t, echo)}
	w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
	drop := make(chan struct{})
	g := newGateway(t, func(n int, ws *websocket.Conn) {
		go func() {
			if n < 2 {
				<-drop
				_ = ws.CloseNow()
			}
		}()
		w.agent.serve(serverConn{ws})
	})
	var signed atomic.Int64
	s, err := g.dial(w.options(WithDialer(nil), WithUserAgent("test/1"),
		WithSigner(func(_ context.Context, r *http.Request) error {
			if r.URL.String() != g.ticket().StreamURL {
				t.Errorf("signed %s", r.URL)
			}
			signed.Add(1)
			r.Header.Set("Authorization", "signature")
			return nil
		}),
		WithResume(func(context.Context) (Ticket, error) {
			n := g.ticket()
			n.Token, n.SessionID = "fresh-token", ""
			if signed.Load() == 2 {
				n.StreamURL = "" // keep the one we have
			}
			return n, nil
		}))...)
	if err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	_, _ = s.Read(one)
	for range 2 {
		drop <- struct{}{}
		_, _ = s.Write([]byte("x"))
		if _, err := s.Read(one); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	if len(g.opened) != 3 || signed.Load() != 3 {
		t.Fatalf("%d connections, %d signatures, want 3", len(g.opened), signed.Load())
	}
	ids := map[string]bool{}
	for i, o := range g.opened {
		want := "fresh-token"
		if i == 0 {
			want = "secret-token"
		}
		if o.TokenValue != want || o.ClientID == "" || o.ClientID != g.opened[0].ClientID || o.ClientVersion != ClientVersion || o.MessageSchemaVersion != "1.0" {
			t.Errorf("connection %d opened with %+v", i, o)
		}
		if r := g.requests[i]; r.Header.Get("Authorization") != "signature" || r.UserAgent() != "test/1" || strings.Contains(r.URL.String(), "token") {
			t.Errorf("connection %d: request %s %v", i, r.URL, r.Header)
		}
		ids[o.RequestID] = true
	}
	if len(ids) != 3 || ids[""] {
		t.Errorf("request ids %v, want a new one each time", ids)
	}
}

func TestRefusedUpgrades(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    string
		tries   int64
	}{
		{"forbidden", status(403, "{\"message\":\"no\x1b[2J\"}"), `403 Forbidden: {"message":"no [2J"} (is ssmmessages:OpenDataChannel allowed?)`, 1},
		{"not found", status(404, ""), "404 Not Found", 1},
		{"an error of the service, to the end", status(500, "oops"), "500 Internal Server Error: oops", firstTries},
		{"a web page", status(200, "<html>\n  log in"), "200 OK: <html> log in", 1},
		{"a switch to nowhere", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.WriteHeader(101)
		}, "101 Switching Protocols: but does not speak websocket", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				tt.handler(w, r)
			}))
			defer server.Close()
			tick := Ticket{SessionID: "s", Token: "secret-token", StreamURL: strings.Replace(server.URL, "http", "ws", 1)}
			_, err := Dial(t.Context(), tick, WithResume(func(context.Context) (Ticket, error) { return tick, nil }))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if tries.Load() != tt.tries {
				t.Errorf("%d tries, want %d", tries.Load(), tt.tries)
			}
		})
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// TestProxy goes through a CONNECT proxy to a TLS server, with the transport's
// own proxy settings.
func TestProxy(t *testing.T) {
	g := &gateway{t: t, serve: func(_ int, ws *websocket.Conn) {
		prompt(t, ws)
		_, _, _ = ws.Read(t.Context())
		_, _, _ = ws.Read(t.Context())
	}}
	server := httptest.NewTLSServer(g)
	defer server.Close()
	defer g.live.Wait()
	g.url = server.URL
	var connects atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") == "" {
			t.Errorf("proxy asked for %s %s", r.Method, r.URL)
			return
		}
		connects.Add(1)
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		_, _ = io.Copy(near, far)
		_ = near.Close()
	}))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	at.User = url.UserPassword("user", "proxy-password")
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyURL(at)
	g.client = &http.Client{Transport: transport}
	s, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2)
	if _, err := io.ReadFull(s, b); err != nil || connects.Load() != 1 {
		t.Errorf("read %q, %v over %d proxied connections", b, err, connects.Load())
	}
	_ = s.Close()
	proxy.Close()
	_, err = g.dial()
	if err == nil || strings.Contains(err.Error(), "proxy-password") || strings.Contains(err.Error(), "secret") {
		t.Errorf("without the proxy: %v", err)
	}
}

// TestMessagesOnTheWire are those that a websocket may carry and those it may not.
func TestMessagesOnTheWire(t *testing.T) {
	big := func(n int) []byte { return numbered(t, 0, wire.PayloadOutput, make([]byte, n-wire.HeaderSize)) }
	tests := []struct {
		name string
		send func(ws *websocket.Conn) error
		read int // bytes
		want string
	}{
		{"a message of 1 MiB", func(ws *websocket.Conn) error {
			return ws.Write(t.Context(), websocket.MessageBinary, big(wire.MaxMessage))
		}, wire.MaxMessage - wire.HeaderSize, ""},
		{"one byte more", func(ws *websocket.Conn) error {
			return ws.Write(t.Context(), websocket.MessageBinary, append(big(wire.MaxMessage), 0))
		}, 0, "more than 1 MiB"},
		{"a message in several frames", func(ws *websocket.Conn) error {
			w, err := ws.Writer(t.Context(), websocket.MessageBinary)
			if err != nil {
				return err
			}
			b := big(1000)
			_, _ = w.Write(b[:100])
			_, _ = w.Write(b[100:])
			return w.Close()
		}, 1000 - wire.HeaderSize, ""},
		{"a text", func(ws *websocket.Conn) error {
			return ws.Write(t.Context(), websocket.MessageText, []byte("hello"))
		}, 0, "a text message"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, func(_ int, ws *websocket.Conn) {
				if err := tt.send(ws); err != nil {
					t.Error(err)
				}
				for {
					if _, _, err := ws.Read(context.Background()); err != nil {
						return
					}
				}
			})
			s, err := g.dial(WithResume(g.resume))
			if tt.want != "" {
				var protocol *ProtocolError
				if !errors.As(err, &protocol) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, make([]byte, tt.read)); err != nil {
				t.Error(err)
			}
			_ = s.Close()
		})
	}
}

// TestRefusedPayloadSizeIsFinal: what was sent cannot be cut anew.
func TestRefusedPayloadSizeIsFinal(t *testing.T) {
	g := newGateway(t, func(_ int, ws *websocket.Conn) {
		prompt(t, ws)
		for {
			_, b, err := ws.Read(t.Context())
			if err != nil {
				return
			}
			if len(b) > 4096 {
				_ = ws.Close(websocket.StatusMessageTooBig, "")
				return
			}
		}
	})
	s, err := g.dial(WithResume(g.resume), WithPayloadSize(8192))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Write(make([]byte, 8192))
	if _, err := s.Wait(); err == nil || !strings.Contains(err.Error(), "does not take payloads of 8192 bytes") {
		t.Errorf("ended with %v", err)
	}
}

// TestNoSecretLeaks collects everything that is said over a troubled life.
func TestNoSecretLeaks(t *testing.T) {
	var (
		mu   sync.Mutex
		said bytes.Buffer
	)
	log := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return said.Write(b)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	g := newGateway(t, func(n int, ws *websocket.Conn) {
		if n == 0 {
			prompt(t, ws)
			b, _ := wire.AppendService(nil, &wire.Message{Type: wire.PausePublication})
			_ = ws.Write(t.Context(), websocket.MessageBinary, b)
		}
	})
	n := 0
	s, err := g.dial(WithLogger(log), WithEvents(func(e Event) {
		log.Info("event", "kind", e.Kind, "text", e.Text, "error", e.Err)
	}), WithSigner(func(context.Context, *http.Request) error { return errors.New("no credentials") }),
		WithResume(func(context.Context) (Ticket, error) {
			tick := g.ticket()
			switch n++; n {
			case 1:
				tick.StreamURL = "ws://127.0.0.1:1/?x=secret-query"
			case 2:
				tick.StreamURL = "ftp://example.com/?x=secret-query"
			case 3:
				tick.StreamURL = "ws://\x7f/secret-query"
			default:
				return tick, ErrSessionGone
			}
			return tick, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Wait()
	log.Info("ended", "error", err, "ticket", g.ticket())
	if !errors.Is(err, ErrSessionGone) {
		t.Errorf("ended with %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if text := said.String(); strings.Contains(text, "secret") || strings.Count(text, "retrying") != 3 || !strings.Contains(text, "unsigned") {
		t.Errorf("said:\n%s", text)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
