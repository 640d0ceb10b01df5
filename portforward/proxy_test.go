package portforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// echoDest is a destination that returns what it gets until the other side ends.
func echoDest() (net.Conn, error) {
	near, far := newMemPair()
	go func() {
		_, _ = io.Copy(far, far)
		_ = far.Close()
	}()
	return near, nil
}

// network is what a proxy's node can reach, by destination.
type network map[string]func() (net.Conn, error)

// agents opens sessions to the destinations of n. One that is missing does not
// resolve.
func (n network) agents(t *testing.T) *fakeOpener {
	return &fakeOpener{open: func(_ int, spec Spec, _ func(sessionclient.Event)) (*fakeSession, error) {
		f := newFake(spec.Remote(), newAgent, wire.LocalPortForwarding)
		switch dial := n[spec.Remote()]; {
		case strings.HasPrefix(spec.Host, "169.254."):
			f.end(sessionclient.Exit{Reason: "Forwarding to IP address " + spec.Host + " is forbidden."}, nil)
		case dial == nil:
			f.end(sessionclient.Exit{Reason: "lookup " + spec.Host + ": no such host"}, nil)
		default:
			serveMux(t, f, dial)
		}
		return f, nil
	}}
}

func startProxy(t *testing.T, p *Proxy) (l *memListener, events *log, stop func()) {
	t.Helper()
	l, events = newMemListener(), newLog()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- p.Run(ctx, l, events.emit) }()
	events.await(t, Listening, 1)
	return l, events, sync.OnceFunc(func() {
		cancel()
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

const (
	socks5Hello = "\x05\x01\x00"
	socks5Ok    = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	connected   = "HTTP/1.1 200 Connection established\r\n\r\n"
)

// socks5To is a whole SOCKS5 conversation of the client for a name.
func socks5To(name string, port int) string {
	return fmt.Sprintf("%s\x05\x01\x00\x03%c%s%c%c", socks5Hello, len(name), name, port>>8, port&255)
}

// answer reads as much as want has.
func answer(t *testing.T, c io.Reader, want string) {
	t.Helper()
	b := make([]byte, len(want))
	n, err := io.ReadFull(c, b)
	if string(b[:n]) != want {
		t.Fatalf("got %q, %v; want %q", b[:n], err, want)
	}
}

func TestProxySpeaks(t *testing.T) {
	db := network{"db.internal:5432": echoDest, "10.0.0.9:5432": echoDest, "[fd00::9]:5432": echoDest, "localhost:5432": echoDest}
	tests := []struct{ name, send, reply string }{
		{"SOCKS5 with a name", socks5To("db.internal", 5432), "\x05\x00" + socks5Ok},
		{"SOCKS5 with a name in capitals", socks5To("DB.Internal", 5432), "\x05\x00" + socks5Ok},
		{"SOCKS5 with IPv4", socks5Hello + "\x05\x01\x00\x01\x0a\x00\x00\x09\x15\x38", "\x05\x00" + socks5Ok},
		{"SOCKS5 with IPv6", socks5Hello + "\x05\x01\x00\x04\xfd" + strings.Repeat("\x00", 14) + "\x09\x15\x38", "\x05\x00" + socks5Ok},
		{"SOCKS5 with IPv4 in IPv6", socks5Hello + "\x05\x01\x00\x04" + strings.Repeat("\x00", 10) + "\xff\xff\x0a\x00\x00\x09\x15\x38", "\x05\x00" + socks5Ok},
		{"SOCKS5 to the node itself", socks5To("localhost", 5432), "\x05\x00" + socks5Ok},
		{"SOCKS5 to the node's loopback", socks5Hello + "\x05\x01\x00\x01\x7f\x00\x00\x01\x15\x38", "\x05\x00" + socks5Ok},
		{"SOCKS4", "\x04\x01\x15\x38\x0a\x00\x00\x09me\x00", "\x00\x5a\x00\x00\x00\x00\x00\x00"},
		{"SOCKS4a", "\x04\x01\x15\x38\x00\x00\x00\x01me\x00db.internal\x00", "\x00\x5a\x00\x00\x00\x00\x00\x00"},
		{"CONNECT", "CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n", connected},
		{"CONNECT with IPv6", "CONNECT [fd00::9]:5432 HTTP/1.1\r\n\r\n", connected},
		{"CONNECT of an old program", "CONNECT db.internal:5432 HTTP/1.0\n\n", connected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := db.agents(t)
			l, _, stop := startProxy(t, &Proxy{Opener: o})
			c := l.dial(t)
			go func() { _, _ = io.WriteString(c, tt.send+"early,") }() // without waiting for a reply
			answer(t, c, tt.reply+"early,")
			_, _ = io.WriteString(c, "late")
			answer(t, c, "late")
			reset(c)
			stop()
			o.checkClosed(t)
		})
	}
}

func TestProxyPassesPlainRequests(t *testing.T) {
	got := make(chan string, 1)
	web := func() (net.Conn, error) {
		near, far := newMemPair()
		go func() {
			b := make([]byte, 4096)
			n := 0
			for !strings.HasSuffix(string(b[:n]), "body") {
				k, err := far.Read(b[n:])
				if n += k; err != nil {
					break
				}
			}
			got <- string(b[:n])
			_, _ = io.WriteString(far, "HTTP/1.1 204 No Content\r\n\r\n")
			_ = far.Close()
		}()
		return near, nil
	}
	l, _, stop := startProxy(t, &Proxy{Opener: network{"web.internal:80": web}.agents(t)})
	defer stop()
	c := l.dial(t)
	go func() {
		_, _ = io.WriteString(c, "POST http://web.internal/a?b=c HTTP/1.1\r\nHost: elsewhere\r\nProxy-Authorization: Basic eDp5\r\n"+
			"Proxy-Connection: keep-alive\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Kept: 2\r\nContent-Length: 4\r\n\r\nbody")
	}()
	answer(t, c, "HTTP/1.1 204 No Content\r\n\r\n")
	want := "POST /a?b=c HTTP/1.1\r\nHost: web.internal\r\nConnection: close\r\nContent-Length: 4\r\nX-Kept: 2\r\n\r\nbody"
	if g := <-got; g != want {
		t.Errorf("the destination got %q, want %q", g, want)
	}
	reset(c)
}

func TestProxySaysWhy(t *testing.T) {
	refused := func() (net.Conn, error) { return nil, errors.New("connection refused") }
	reply := func(code byte) string { return "\x05\x00\x05" + string([]byte{code}) + socks5Ok[2:] }
	tests := []struct{ name, send, want string }{
		{"refused", socks5To("closed.internal", 80), reply(5)},
		{"a name that does not resolve", socks5To("nowhere.internal", 80), reply(4)},
		{"an address that is forbidden", socks5To("169.254.169.254", 80), reply(2)},
		{"a name that is none", socks5To("-x", 80), reply(4)},
		{"no port", socks5To("db.internal", 0), reply(4)},
		{"BIND", socks5Hello + "\x05\x02\x00\x01\x0a\x00\x00\x09\x15\x38", reply(7)},
		{"UDP", socks5Hello + "\x05\x03\x00\x01\x0a\x00\x00\x09\x15\x38", reply(7)},
		{"an unknown kind of address", socks5Hello + "\x05\x01\x00\x05", reply(8)},
		{"a login", "\x05\x01\x02", "\x05\xff"},
		{"SOCKS4 refused", "\x04\x01\x00\x50\x00\x00\x00\x01\x00closed.internal\x00", "\x00\x5b"},
		{"SOCKS4 BIND", "\x04\x02\x00\x50\x0a\x00\x00\x09\x00", "\x00\x5b"},
		{"CONNECT refused", "CONNECT closed.internal:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n"},
		{"CONNECT forbidden", "CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n"},
		{"CONNECT without a port", "CONNECT db.internal HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		{"a plain request refused", "GET http://closed.internal/ HTTP/1.1\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n"},
		{"a plain request to nowhere", "GET http://nowhere.internal/ HTTP/1.1\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n"},
		{"a request to a web server", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		{"a plain request for https", "GET https://db.internal/ HTTP/1.1\r\n\r\n", "HTTP/1.1 501 Not Implemented\r\n"},
		{"an endless header", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2*mostHead), "HTTP/1.1 431 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := network{"closed.internal:80": refused}.agents(t)
			l, _, stop := startProxy(t, &Proxy{Opener: o})
			c := l.dial(t)
			go func() { _, _ = io.WriteString(c, tt.send) }()
			all, err := io.ReadAll(c)
			if !strings.HasPrefix(string(all), tt.want) || err != nil {
				t.Errorf("got %q, %v; want %q", all, err, tt.want)
			}
			reset(c)
			stop()
			o.checkClosed(t)
		})
	}
}

func TestProxyDropsWhoSaysNothingSensible(t *testing.T) {
	for _, send := range []string{"\x16\x03\x01\x02", "", "\x05", "\x04\x01", "GET http://x"} {
		synctest.Test(t, func(t *testing.T) {
			o := network{}.agents(t)
			l, _, stop := startProxy(t, &Proxy{Opener: o})
			c, began := l.dial(t), time.Now()
			go func() { _, _ = io.WriteString(c, send) }()
			got, err := io.ReadAll(c)
			if len(got) > 0 || err != nil || time.Since(began) > askPatience {
				t.Errorf("%q: got %q, %v after %s", send, got, err, time.Since(began))
			}
			stop()
			if len(o.opened()) > 0 {
				t.Error("a session was opened")
			}
		})
	}
}

// pingThrough asks a proxy for a destination that echoes, and leaves.
func pingThrough(t *testing.T, l *memListener, name string) {
	t.Helper()
	c := l.dial(t)
	_, _ = io.WriteString(c, socks5To(name, 80))
	answer(t, c, "\x05\x00"+socks5Ok)
	_, _ = io.WriteString(c, "ping")
	answer(t, c, "ping")
	reset(c)
}

func TestProxyUsesOneSessionForADestination(t *testing.T) {
	o := network{"a.internal:80": echoDest, "b.internal:80": echoDest}.agents(t)
	l, _, stop := startProxy(t, &Proxy{Opener: o})
	for _, name := range []string{"a.internal", "a.internal", "b.internal"} {
		pingThrough(t, l, name)
	}
	if n := len(o.opened()); n != 2 {
		t.Errorf("%d sessions for two destinations", n)
	}
	stop()
	o.checkClosed(t)
}

func TestProxyEndsIdleSessions(t *testing.T) {
	o := network{"a.internal:80": echoDest, "b.internal:80": echoDest}.agents(t)
	const idle = 200 * time.Millisecond
	l, events, stop := startProxy(t, &Proxy{Opener: o, Idle: idle})
	began := time.Now()
	pingThrough(t, l, "a.internal")
	pingThrough(t, l, "b.internal")
	events.await(t, Ended, 2)
	if since := time.Since(began); since < idle {
		t.Errorf("idle sessions ended after %s, want %s", since, idle)
	}
	o.checkClosed(t)
	pingThrough(t, l, "a.internal") // again on demand
	stop()
	o.checkClosed(t)
}

func TestProxyKeepsWithinItsSessions(t *testing.T) {
	o := network{"a.internal:80": echoDest, "b.internal:80": echoDest}.agents(t)
	l, events, stop := startProxy(t, &Proxy{Opener: o, Sessions: 1, budgetWait: 100 * time.Millisecond})
	a := l.dial(t)
	_, _ = io.WriteString(a, socks5To("a.internal", 80))
	answer(t, a, "\x05\x00"+socks5Ok)

	b := l.dial(t) // while the only session is in use
	go func() { _, _ = io.WriteString(b, "CONNECT b.internal:80 HTTP/1.1\r\n\r\n") }()
	got, _ := io.ReadAll(b)
	if !strings.HasPrefix(string(got), "HTTP/1.1 503 ") || !strings.Contains(string(got), "all sessions are in use") {
		t.Errorf("got %q", got)
	}
	if e := events.await(t, Failed, 1); !errors.Is(e.Err, errBusy) || e.Remote != "b.internal:80" {
		t.Errorf("event %+v", e)
	}

	reset(a) // now it is idle, and makes room
	events.await(t, Closed, 1)
	b = l.dial(t)
	go func() { _, _ = io.WriteString(b, "CONNECT b.internal:80 HTTP/1.1\r\n\r\n") }()
	answer(t, b, connected)
	reset(b)
	stop()
	o.checkClosed(t)
}

func TestProxyResetsWhatIsRefusedLate(t *testing.T) {
	told := make(chan struct{})
	slow := func() (net.Conn, error) {
		<-told
		return nil, errors.New("timed out")
	}
	l, events, stop := startProxy(t, &Proxy{Opener: network{"a.internal:80": slow}.agents(t)})
	defer stop()
	c := l.dial(t)
	go func() { _, _ = io.WriteString(c, socks5To("a.internal", 80)+"hello") }()
	answer(t, c, "\x05\x00"+socks5Ok)
	close(told)
	if rest, err := io.ReadAll(c); len(rest) > 0 || !errors.Is(err, errReset) {
		t.Errorf("got %q, %v; want a reset", rest, err)
	}
	events.await(t, Refused, 1)
}

func TestProxyGoesOnAfterASessionCannotBeOpened(t *testing.T) {
	good := network{"a.internal:80": echoDest}.agents(t)
	o := &fakeOpener{open: func(n int, spec Spec, events func(sessionclient.Event)) (*fakeSession, error) {
		if n == 1 {
			return nil, fault.New(fault.Auth, "start session", "expired")
		}
		return good.open(n, spec, events)
	}}
	l, events, stop := startProxy(t, &Proxy{Opener: o})
	c := l.dial(t)
	go func() { _, _ = io.WriteString(c, socks5To("a.internal", 80)) }()
	answer(t, c, "\x05\x00\x05\x01"+socks5Ok[2:])
	if e := events.await(t, Failed, 1); fault.KindOf(e.Err) != fault.Auth {
		t.Errorf("event %+v", e)
	}
	reset(c)
	c = l.dial(t)
	_, _ = io.WriteString(c, socks5To("a.internal", 80))
	answer(t, c, "\x05\x00"+socks5Ok)
	reset(c)
	stop()
}

func TestProxyFollowsADestinationThatMoved(t *testing.T) {
	var moved atomic.Bool
	o := &fakeOpener{open: func(n int, spec Spec, _ func(sessionclient.Event)) (*fakeSession, error) {
		f := newFake(fmt.Sprintf("s-%d", n), newAgent, wire.LocalPortForwarding)
		old := !moved.Load() // the look-up of this session
		serveMux(t, f, func() (net.Conn, error) {
			if old && moved.Load() {
				return nil, errors.New("connection refused")
			}
			return echoDest()
		})
		return f, nil
	}}
	l, events, stop := startProxy(t, &Proxy{Opener: o})
	for i, text := range []string{"before", "on the first try"} {
		c := l.dial(t)
		go func() { _, _ = io.WriteString(c, socks5To("db.internal", 5432)+text) }()
		answer(t, c, "\x05\x00"+socks5Ok+text)
		reset(c)
		if i == 0 {
			time.Sleep(lookupFresh) // time that passes
			moved.Store(true)
		}
	}
	if n := events.count(Refused); n > 0 {
		t.Errorf("%d refused events, want none: the connection was carried", n)
	}
	stop()
	o.checkClosed(t)
}
