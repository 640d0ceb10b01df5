package virtual

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// fakeNetwork has a web server, and a database that accepts connections.
func fakeNetwork(_ context.Context, _, addr string) (net.Conn, error) {
	switch addr {
	case "app.internal:8080", "db.internal:5432":
	case "nowhere.internal:80":
		return nil, &net.DNSError{Err: "no such host", Name: "nowhere.internal"}
	default:
		return nil, errors.New("connection refused")
	}
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		if addr == "db.internal:5432" {
			io.Copy(io.Discard, server)
			return
		}
		r, err := readRequest(bufio.NewReader(server))
		if err != nil {
			return
		}
		body := r.method + " " + r.path + " " + r.headers["x-test"]
		switch r.path {
		case "/moved":
			io.WriteString(server, "HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")
		case "/fail":
			io.WriteString(server, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
		default:
			io.WriteString(server, "HTTP/1.0 200 OK\r\n\r\n"+body)
		}
	}()
	return client, nil
}

func TestNetwork(t *testing.T) {
	m := New(Spec{Dial: fakeNetwork, Tags: map[string]string{"env": "prod"}, Region: "eu-west-1"})
	imds := "T=$(curl -s -X PUT http://169.254.169.254/latest/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'); g() { curl -s -H \"X-aws-ec2-metadata-token: $T\" http://169.254.169.254/latest/meta-data/$1; echo; }; "
	tests := []struct {
		name, script, want string
		status             int
	}{
		{"curl reaches a host", "curl -s -H 'X-Test: yes' http://app.internal:8080/a?b=c", "GET /a?b=c yes", 0},
		{"curl posts", "curl -s -d x=1 app.internal:8080/p", "POST /p ", 0},
		{"curl follows with -L", "curl -sL app.internal:8080/moved", "GET /new ", 0},
		{"curl -f fails", "curl -sf app.internal:8080/fail; echo $?; curl -s -o /dev/null -w '%{http_code}\\n' app.internal:8080/fail", "22\n500\n", 0},
		{"curl saves", "curl -so /tmp/f app.internal:8080/x && cat /tmp/f; wget -qO- app.internal:8080/y", "GET /x GET /y ", 0},
		{"curl cannot connect", "curl -sS http://localhost:9", "curl: (7) Failed to connect to localhost port 9 after 0 ms: Couldn't connect to server\n", 7},
		{"curl cannot resolve", "curl -sS http://nowhere.internal/", "curl: (6) Could not resolve host: nowhere.internal\n", 6},
		{"curl knows its limits", "curl -sS https://app.internal/", "curl: (1) Protocol \"https\" is not simulated; only http is\n", 1},
		{"nc -z", "nc -z db.internal 5432 && echo open; nc -zv db.internal 81", "open\nnc: connect to db.internal port 81 (tcp) failed: Connection refused\n", 1},
		{"/dev/tcp", "timeout 2 bash -c '< /dev/tcp/db.internal/5432' && echo open; (exec 3<>/dev/tcp/db.internal/82) 2>/dev/null || echo closed", "open\nclosed\n", 0},
		{"a conversation", "printf 'GET /nc HTTP/1.0\\r\\n\\r\\n' | nc app.internal 8080 | tail -1", "GET /nc ", 0},
		{"a database is ready", "pg_isready -h db.internal; pg_isready -h other -q", "db.internal:5432 - accepting connections\nother:5432 - no response\n", 2},
		{"metadata needs a token", "curl -s -o /dev/null -w '%{http_code}\\n' http://169.254.169.254/latest/meta-data/instance-id", "401\n", 0},
		{"metadata with a token", imds + "g instance-id; g placement/region; g tags/instance/env; g local-ipv4", "i-0123456789abcdef0\neu-west-1\nprod\n10.0.1.23\n", 0},
		{"metadata gives no credentials", imds + "g iam/security-credentials/; g iam/security-credentials/AmazonSSMManagedInstanceCore | grep -ci secret", "AmazonSSMManagedInstanceCore\n0\n", 1},
		{"names of the node", "getent hosts localhost | awk '{print $1}' | head -1; getent hosts nope; echo $?; getent passwd root", "127.0.0.1\n2\nroot:x:0:0:root:/root:/bin/bash\n", 0},
		{"listening ports", "ss -tln | awk '/LISTEN/{print $4}'", "0.0.0.0:22\n0.0.0.0:80\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // no connection is left open
				if got, status := run(t, m, tt.script); got != tt.want || status != tt.status {
					t.Errorf("got %q (%d), want %q (%d)", got, status, tt.want, tt.status)
				}
			})
		})
	}
}

func TestWithoutDialThereIsNoNetwork(t *testing.T) {
	m := New(Spec{})
	expect(t, m, "nc -z example.com 80 || echo closed; curl -s http://example.com/ || echo $?; curl -s localhost/health", "closed\n7\nok\n")
	if got, _ := run(t, m, "nc -zv example.com 80"); !strings.Contains(got, "Network is unreachable") {
		t.Errorf("got %q", got)
	}
}

func TestDialIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Spec{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		got, status := run(t, m, "curl -sS -m 2 http://blackhole/")
		if !strings.Contains(got, "timed out") || status != 28 {
			t.Errorf("got %q (%d)", got, status)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan int)
		go func() {
			s, _ := m.Run(ctx, shell.Command{Script: "curl http://blackhole/"}, shell.IO{})
			done <- s
		}()
		synctest.Wait()
		cancel()
		if s := <-done; s != 137 {
			t.Errorf("exit status %d", s)
		}
	})
}
