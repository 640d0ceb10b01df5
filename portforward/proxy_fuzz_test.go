package portforward

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// talker is a program that sends data and reads nothing.
type talker struct {
	io.Reader
	replies bytes.Buffer
}

func (t *talker) Write(p []byte) (int, error) { return t.replies.Write(p) }

// checkAsk fails unless a destination that was accepted is one that can be typed.
func checkAsk(t *testing.T, data []byte) (ask, bool) {
	a, err := readAsk(&talker{Reader: bytes.NewReader(data)})
	if err != nil {
		return a, false
	}
	again, err := ParseSpec(a.spec.String())
	again.Local, again.Same = 0, false
	if err != nil || again.Host != a.spec.Host || again.Port != a.spec.Port {
		t.Fatalf("%q: the destination %+v is read back as %+v, %v", data, a.spec, again, err)
	}
	return a, true
}

func FuzzSocks(f *testing.F) {
	f.Add([]byte(socks5To("db.internal", 5432) + "rest"))
	f.Add([]byte(socks5Hello + "\x05\x01\x00\x04\xfd" + strings.Repeat("\x00", 14) + "\x09\x15\x38"))
	f.Add([]byte(socks5Hello + "\x05\x03\x00\x01\x0a\x00\x00\x09\x15\x38"))
	f.Add([]byte("\x05\xff\x00"))
	f.Add([]byte("\x04\x01\x15\x38\x00\x00\x00\x01me\x00db.internal\x00rest"))
	f.Add([]byte("\x04\x01\x15\x38\x0a\x00\x00\x09\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, ok := checkAsk(t, data)
		if ok && !bytes.HasSuffix(data, a.early) && a.yes != nil {
			t.Fatalf("%q: %q is passed on, which was not sent last", data, a.early)
		}
	})
}

func FuzzConnect(f *testing.F) {
	f.Add([]byte("CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal\r\n\r\nrest"))
	f.Add([]byte("GET http://web.internal/a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
	f.Add([]byte("POST http://[fd00::1]:81/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("OPTIONS * HTTP/1.1\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, ok := checkAsk(t, data)
		if !ok || a.yes != nil {
			return
		}
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(a.early)))
		if err != nil {
			t.Fatalf("%q became %q, which is no request: %v", data, a.early, err)
		}
		if req.URL.IsAbs() || req.Header.Get("Proxy-Authorization") != "" || req.Header.Get("Connection") == "" && !req.Close {
			t.Fatalf("%q became %q", data, a.early)
		}
	})
}
