package world

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParameterRules(t *testing.T) {
	put := func(name, kind, value string, more ...func(*NewParameter)) NewParameter {
		p := NewParameter{Name: name, Type: kind, Value: value}
		for _, m := range more {
			m(&p)
		}
		return p
	}
	over := func(p *NewParameter) { p.Overwrite = true }
	tests := []struct {
		name  string
		first []NewParameter
		put   NewParameter
		code  string
	}{
		{"a new one", nil, put("/a/b", "String", "v"), ""},
		{"one that exists", []NewParameter{put("/a", "String", "v")}, put("/a", "String", "w"), "ParameterAlreadyExists"},
		{"overwriting", []NewParameter{put("/a", "String", "v")}, put("/a", "", "w", over), ""},
		{"overwriting with another type", []NewParameter{put("/a", "String", "v")}, put("/a", "StringList", "w", over), "HierarchyTypeMismatchException"},
		{"overwriting with tags", nil, put("/a", "String", "w", over, func(p *NewParameter) { p.Tags = map[string]string{"a": "b"} }), "ValidationException"},
		{"without a type", nil, put("/a", "", "v"), "ValidationException"},
		{"an empty value", nil, put("/a", "String", ""), "ValidationException"},
		{"the prefix aws", nil, put("/AWS/a", "String", "v"), "AccessDeniedException"},
		{"the prefix ssm", nil, put("ssmthing", "String", "v"), "ValidationException"},
		{"a space", nil, put("/a b", "String", "v"), "ValidationException"},
		{"spaces around", nil, put(" /a ", "String", "v"), ""},
		{"a path without leading slash", nil, put("a/b", "String", "v"), "ValidationException"},
		{"a trailing slash", nil, put("/a/", "String", "v"), "ValidationException"},
		{"15 levels", nil, put(strings.Repeat("/a", 15), "String", "v"), ""},
		{"16 levels", nil, put(strings.Repeat("/a", 16), "String", "v"), "HierarchyLevelLimitExceededException"},
		{"4 KB", nil, put("/a", "String", strings.Repeat("x", 4096)), ""},
		{"more than 4 KB", nil, put("/a", "String", strings.Repeat("x", 4097)), "ValidationException"},
		{"8 KB in the advanced tier", nil, put("/a", "String", strings.Repeat("x", 8192), func(p *NewParameter) { p.Tier = "Advanced" }), ""},
		{"intelligent tiering grows", nil, put("/a", "String", strings.Repeat("x", 5000), func(p *NewParameter) { p.Tier = "Intelligent-Tiering" }), ""},
		{
			"back to the standard tier",
			[]NewParameter{put("/a", "String", "v", func(p *NewParameter) { p.Tier = "Advanced" })},
			put("/a", "String", "v", over, func(p *NewParameter) { p.Tier = "Standard" }), "ValidationException",
		},
		{"a value against its pattern", nil, put("/a", "String", "abc", func(p *NewParameter) { p.AllowedPattern = ptr(`\d+`) }), "ParameterPatternMismatchException"},
		{"a key for a String", nil, put("/a", "String", "abc", func(p *NewParameter) { p.KeyID = "alias/aws/ssm" }), "ValidationException"},
		{"an unknown key", nil, put("/a", "SecureString", "abc", func(p *NewParameter) { p.KeyID = "alias/none" }), "InvalidKeyId"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, "", succeed)
			for _, p := range tt.first {
				if _, err := w.PutParameter(p); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.PutParameter(tt.put); codeOf(err) != tt.code {
				t.Errorf("got %v, want %q", err, tt.code)
			}
		})
	}
}

func TestParameterVersionsAndSelectors(t *testing.T) {
	w := newWorld(t, "", succeed)
	for i := range 105 {
		if _, err := w.PutParameter(NewParameter{Name: "/a", Type: "SecureString", Value: fmt.Sprint("v", i+1), Overwrite: true}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"/a": "v105", "/a:105": "v105", "/a:6": "v6", "/a:5": "ParameterVersionNotFound", "/b": "ParameterNotFound",
		w.ParameterARN("/a"): "v105",
	} {
		v, err := w.Select("", "", name)
		if got := codeOf(err) + v.Value; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	v, err := w.Select("", "", "/a")
	if err != nil || strings.Contains(v.Sealed, "v105") || v.Sealed == "" || v.KeyID != "alias/aws/ssm" {
		t.Errorf("sealed %q with %q, %v", v.Sealed, v.KeyID, err)
	}
}

func TestKeysOpenOnlyWithTheirContext(t *testing.T) {
	w := newWorld(t, "keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/mine}]", succeed)
	for _, name := range []string{"alias/mine", "7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11", w.ARN("kms", "alias/mine"), w.ARN("kms", "key/7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11")} {
		if _, err := w.Key(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	k, err := w.Key("alias/mine")
	if err != nil {
		t.Fatal(err)
	}
	sealed := k.Seal([]byte("secret"), map[string]string{"a": "1", "b": "2"})
	plain, err := w.Decrypt(context.Background(), sealed, map[string]string{"b": "2", "a": "1"})
	if err != nil || string(plain) != "secret" {
		t.Errorf("got %q, %v", plain, err)
	}
	for i := range sealed {
		bad := append([]byte(nil), sealed...)
		bad[i] ^= 1
		if _, err := w.Decrypt(context.Background(), bad, map[string]string{"a": "1", "b": "2"}); codeOf(err) != "InvalidCiphertextException" {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := w.Decrypt(context.Background(), sealed[:i], map[string]string{"a": "1", "b": "2"}); codeOf(err) != "InvalidCiphertextException" {
			t.Fatalf("cut to %d: %v", i, err)
		}
	}
	for _, c := range []map[string]string{nil, {"a": "1"}, {"a": "1", "b": "3"}} {
		if _, err := w.Decrypt(context.Background(), sealed, c); codeOf(err) != "InvalidCiphertextException" {
			t.Errorf("context %v: %v", c, err)
		}
	}
}

func TestOutputIsCutAsTheServiceCutsIt(t *testing.T) {
	c := &capture{limit: maxStdout}
	for range 5000 {
		if n, err := c.Write([]byte("0123456789")); n != 10 || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(c.buf) > maxStdout+1 {
		t.Errorf("%d bytes are kept", len(c.buf))
	}
	if got := cut(c.String(), maxStdout); len(got) != maxStdout || !strings.HasSuffix(got, "9--output truncated--") && !strings.HasSuffix(got, cutMark) {
		t.Errorf("%d bytes that end in %q", len(got), got[len(got)-30:])
	}
	if got := cut(strings.Repeat("x", maxStderr), maxStderr); len(got) != maxStderr || strings.Contains(got, cutMark) {
		t.Error("what fits exactly was cut")
	}
	if got := cut(strings.Repeat("é", maxStderr), maxStderr); !utf8.ValidString(got) || len(got) > maxStderr {
		t.Error("a character was cut in two")
	}
}

func TestShortOutput(t *testing.T) {
	tests := []struct {
		name             string
		out, errs        int
		size             int
		outMark, errMark bool
	}{
		{"both fit", 100, 100, 200 + len(errorTitle), false, false},
		{"stdout alone, exactly", maxOutput, 0, maxOutput, false, false},
		{"stdout too long", 9000, 0, maxOutput, true, false},
		{"stderr too long", 0, 9000, maxOutput, false, true},
		{"stdout long, stderr short", 9000, 50, maxOutput, true, false},
		{"both long", 9000, 9000, maxOutput, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := PluginResult{Stdout: strings.Repeat("o", tt.out), Stderr: strings.Repeat("e", tt.errs)}.Output()
			if len(got) != tt.size || strings.Contains(got, cutOutputMark) != tt.outMark || strings.Contains(got, cutErrorMark) != tt.errMark {
				t.Errorf("%d bytes, want %d; marks %v %v", len(got), tt.size, strings.Contains(got, cutOutputMark), strings.Contains(got, cutErrorMark))
			}
			if strings.Contains(got, errorTitle) != (tt.errs > 0) {
				t.Error("the error title is wrong")
			}
		})
	}
}

func TestSessionsEndOnce(t *testing.T) {
	w := newWorld(t, "", succeed)
	id := NewSessionID("me@example.com")
	if len(id) != len("me@example.com-")+26 || len(NewSessionID(strings.Repeat("x", 200))) != 96 {
		t.Errorf("session id %q", id)
	}
	w.AddSession(SessionSpec{ID: id, NodeID: "i-01234567"})
	w.SessionStatus(id, SessionConnected, "")
	if len(w.Sessions(false)) != 1 || len(w.Sessions(true)) != 0 {
		t.Error("the session is not active")
	}
	w.SessionStatus(id, SessionFailed, "why")
	w.SessionStatus(id, SessionTerminated, "")
	s, _ := w.Session(id)
	if s.Status != SessionFailed || s.Details != "why" || s.Ended.IsZero() || len(w.Sessions(true)) != 1 {
		t.Errorf("session is %+v", s)
	}
}

const wired = `
nodes:
  - {id: i-00000000000000002, ip: 10.7.7.7, computer_name: other.internal, ports: {7: echo}, agent_version: 3.3.100.0}
  - {id: i-00000000000000003, ip: 10.7.7.8, ping: lost, ports: {7: echo}}
  - id: i-00000000000000001
    ports: {80: http, 7: echo, 22: banner, 9: discard, 5432: postgres-greeting, 444: hang}
hosts:
  - {name: db.internal, port: 5432, serve: postgres-greeting}
  - {name: away.internal, port: 1, connect: "CONNECT"}
`

func TestNetworkOfANode(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends when the listener or the connection closes
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write([]byte("mine"))
			_ = c.Close()
		}
	}()
	w := newWorld(t, strings.ReplaceAll(wired, "CONNECT", l.Addr().String()), succeed)
	rt, _ := w.Node("i-00000000000000001")
	t.Run("refusals", func(t *testing.T) {
		for _, tt := range []struct {
			host string
			port int
			want string
		}{
			{"", 81, "dial tcp localhost:81: connect: connection refused"},
			{"db.internal", 5433, "connection refused"},
			{"nope.internal", 1, "lookup nope.internal: no such host"},
			{"169.254.169.254", 80, "Forwarding to IP address 169.254.169.254 is forbidden."},
			{"::ffff:169.254.169.254", 80, "is forbidden."},
			{"fd00:ec2::254", 80, "is forbidden."},
			{"10.9.9.9", 80, "connection refused"},
			{"10.7.7.8", 7, "connection refused"}, // a lost node
		} {
			_, err := rt.Dial(context.Background(), tt.host, tt.port)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s:%d: got %v, want %q", tt.host, tt.port, err, tt.want)
			}
		}
		old, _ := w.Node("i-00000000000000002")
		for host, forbidden := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "db.internal": false} {
			if err := rt.Resolve(host); (err != nil) != forbidden {
				t.Errorf("resolving %s with a new agent: %v", host, err)
			}
			if err := old.Resolve(host); err != nil {
				t.Errorf("resolving %s with an old agent: %v", host, err)
			}
		}
		var forbidden *ForbiddenError
		if err := rt.Resolve("169.254.169.253"); !errors.As(err, &forbidden) {
			t.Errorf("resolve: %v", err)
		}
	})
	t.Run("a real listener", func(t *testing.T) {
		if got := talk(t, rt, "away.internal", 1, ""); got != "mine" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("echo after half-close", func(t *testing.T) {
		if got := talk(t, rt, "localhost", 7, "hello"); got != "hello" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("another node by address and by name", func(t *testing.T) {
		for _, host := range []string{"10.7.7.7", "other.internal"} {
			if got := talk(t, rt, host, 7, "hello"); got != "hello" {
				t.Errorf("%s: got %q", host, got)
			}
		}
	})
	t.Run("the server speaks first", func(t *testing.T) {
		if got := talk(t, rt, "", 22, ""); !strings.HasPrefix(got, "SSH-2.0-") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("http", func(t *testing.T) {
		c := dial(t, rt, "", 80)
		defer c.Close()
		_, _ = io.WriteString(c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if body, _ := io.ReadAll(r.Body); r.StatusCode != 200 || !strings.Contains(string(body), "GET /x") {
			t.Errorf("%d %q", r.StatusCode, body)
		}
	})
	t.Run("postgres answers a query", func(t *testing.T) { queryPostgres(t, dial(t, rt, "db.internal", 5432)) })
	t.Run("a filtered port hangs", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if _, err := rt.Dial(ctx, "", 444); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func dial(t *testing.T, rt NodeRuntime, host string, port int) net.Conn {
	t.Helper()
	c, err := rt.Dial(context.Background(), host, port)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// talk sends, half-closes and reads to the end.
func talk(t *testing.T, rt NodeRuntime, host string, port int, say string) string {
	t.Helper()
	c := dial(t, rt, host, port)
	defer c.Close()
	if _, err := io.WriteString(c, say); err != nil {
		t.Fatal(err)
	}
	_ = c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func queryPostgres(t *testing.T, c net.Conn) {
	t.Helper()
	defer c.Close()
	ssl := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, pgSSL)
	_, _ = c.Write(ssl)
	var n [1]byte
	if _, err := io.ReadFull(c, n[:]); err != nil || n[0] != 'N' {
		t.Fatalf("SSL request: %q %v", n, err)
	}
	start := append([]byte{0, 3, 0, 0}, "user\x00me\x00\x00"...)
	_, _ = c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(start)+4)), start...))
	_, _ = c.Write(pgMessage(nil, 'Q', []byte("select 1\x00")))
	var kinds []byte
	var row string
	for len(kinds) < 8 {
		kind, body, err := pgRead(c)
		if err != nil {
			t.Fatalf("after %q: %v", kinds, err)
		}
		kinds = append(kinds, kind)
		if kind == 'D' {
			row = string(body)
		}
	}
	if string(kinds) != "RSSZTDCZ" || !strings.Contains(row, "select 1") {
		t.Errorf("messages %q, row %q", kinds, row)
	}
}

func TestTagsOfResources(t *testing.T) {
	w := newWorld(t, "nodes: [{id: mi-00000000000000001, tags: {a: b}}, {id: i-00000000000000001}]\nparameters: [{name: /p, value: v}]", succeed)
	if err := w.ChangeTags("ManagedInstance", "mi-00000000000000001", map[string]string{"env": "prod"}, []string{"a"}); err != nil {
		t.Fatal(err)
	}
	tags, err := w.Tags("ManagedInstance", "mi-00000000000000001")
	if err != nil || len(tags) != 1 || tags["env"] != "prod" {
		t.Errorf("tags %v, %v", tags, err)
	}
	many := map[string]string{}
	for i := range 51 {
		many[fmt.Sprint("k", i)] = ""
	}
	for _, tt := range []struct{ kind, id, code string }{
		{"ManagedInstance", "i-00000000000000001", "InvalidResourceId"}, // EC2 keeps the tags of its instances
		{"Parameter", "/none", "InvalidResourceId"},
		{"OpsItem", "oi-1", "InvalidResourceId"},
		{"Parameter", "/p", "TooManyTagsError"},
	} {
		if got := codeOf(w.ChangeTags(tt.kind, tt.id, many, nil)); got != tt.code {
			t.Errorf("%s %s: got %q, want %q", tt.kind, tt.id, got, tt.code)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"3.0.196.0", "3.0.196.0", 0}, {"3.10", "3.9", 1}, {"3", "3.0.0.1", -1}, {"x", "0", 0}} {
		if got := CompareVersions(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: got %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
