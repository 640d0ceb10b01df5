package portforward

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const rds = "my-db.cluster-xyz.us-east-1.rds.amazonaws.com"

func TestParseSpec(t *testing.T) {
	tests := []struct {
		name, in string
		want     Spec
	}{
		{"a port alone is local too", "80", Spec{Local: 80, Same: true, Port: 80}},
		{"local and remote port", "8080:80", Spec{Local: 8080, Port: 80}},
		{"local 0 is a free port", "0:80", Spec{Port: 80}},
		{"nothing before the colon is a free port", ":80", Spec{Port: 80}},
		{"a name takes its port number here", rds + ":5432", Spec{Local: 5432, Same: true, Host: rds, Port: 5432}},
		{"an IPv4 address is a host", "10.0.0.5:22", Spec{Local: 22, Same: true, Host: "10.0.0.5", Port: 22}},
		{"an IPv6 address is a host", "[fd00::1]:22", Spec{Local: 22, Same: true, Host: "fd00::1", Port: 22}},
		{"three parts as ssh -L", "5433:" + rds + ":5432", Spec{Local: 5433, Host: rds, Port: 5432}},
		{"three parts with a free port", ":db:5432", Spec{Host: "db", Port: 5432}},
		{"three parts to an IPv6 address", "5433:[fd00::1]:5432", Spec{Local: 5433, Host: "fd00::1", Port: 5432}},
		{"four parts name the local address", "0.0.0.0:80:db:81", Spec{Bind: "0.0.0.0", Local: 80, Host: "db", Port: 81}},
		{"a local IPv6 address", "[::1]:80:db:81", Spec{Bind: "::1", Local: 80, Host: "db", Port: 81}},
		{"all local addresses", "*::db:81", Spec{Bind: "*", Host: "db", Port: 81}},
		{"a socket", "unix:/tmp/x.sock:80", Spec{Socket: "/tmp/x.sock", Port: 80}},
		{"a socket to a host", "unix:./x:db:5432", Spec{Socket: "./x", Host: "db", Port: 5432}},
		{"a socket to an IPv6 address", "unix:x:[::1]:5432", Spec{Socket: "x", Host: "::1", Port: 5432}},
		{"a Windows path", `unix:C:\x\y:80`, Spec{Socket: `C:\x\y`, Port: 80}},
		{"the highest port", "65535", Spec{Local: 65535, Same: true, Port: 65535}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSpec(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("%s: got %+v, want %+v", tt.in, got, tt.want)
			}
			if again, err := ParseSpec(got.String()); err != nil || again != got {
				t.Errorf("%q is written as %q, which reads as %+v, %v", tt.in, got, again, err)
			}
		})
	}
}

func TestParseSpecComplains(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", "destination port is missing"},
		{"no number", "http", `destination port "http" is no number`},
		{"port 0 at the destination", "80:0", "not between 1 and 65535"},
		{"beyond the last port", "65536", "not between 1 and 65535"},
		{"far beyond", "8080:99999999999999999999", "not between"},
		{"local beyond the last port", "70000:80", "local port 70000"},
		{"a sign", "+80", "no number"},
		{"a negative port", "80:-1", "no number"},
		{"spaces", "8080: 80", "no number"},
		{"no destination port", "8080:", "destination port is missing"},
		{"a host without a port", "8080:db:", "destination port is missing"},
		{"an empty host", "8080::80", "destination host is missing"},
		{"a number as host", "1:2:3", `host "2" is a number`},
		{"a mistyped port", "8o80:80", `"8o80" is neither a port nor a host`},
		{"bind with three parts", "127.0.0.1:80:81", `local port "127.0.0.1" is no number`},
		{"a name to bind to", "example.com:80:db:81", "no IP address, localhost or *"},
		{"an empty bind", ":80:db:81", "no IP address"},
		{"five parts", "1:2:3:4:5", "5 parts"},
		{"IPv6 without brackets", "fd00::1:22", "no IP address"},
		{"an open bracket", "[::1:22", "not closed"},
		{"IPv4 in brackets", "[10.0.0.1]:22", "no IPv6 address"},
		{"text after a bracket", "[::1]x:22", "colon must follow"},
		{"a port in brackets", "80:[::1]", "no number"},
		{"a URL", "http://db:80", `local port "http"`},
		{"a path", "db/x:80", `character '/'`},
		{"a user", "me@db:80", `character '@'`},
		{"a flag", "-db:80", "starts with a hyphen"},
		{"shell characters", "8080:$(id):80", "character '$'"},
		{"control characters", "8080:d\x1bb:80", `character '\x1b'`},
		{"a long host", strings.Repeat("a", 254) + ":80", "longer than 253"},
		{"a socket without path", "unix::80", "path of the socket is missing"},
		{"a socket without port", "unix:/tmp/x", "destination port is missing"},
		{"a long socket", "unix:" + strings.Repeat("a", 104) + ":80", "longer than 103"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseSpec(tt.in)
			if err == nil {
				t.Fatalf("%q was accepted", tt.in)
			}
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v (%v), want a usage error with %q", err, fault.KindOf(err), tt.want)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, "LOCAL:HOST:PORT") {
				t.Errorf("hint %q does not say the legal forms", hint)
			}
		})
	}
}

func TestSpecRemote(t *testing.T) {
	for in, want := range map[string]string{"80": "localhost:80", "db:80": "db:80", "[::1]:80": "[::1]:80"} {
		s, err := ParseSpec(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Remote(); got != want {
			t.Errorf("remote of %s: got %s, want %s", in, got, want)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, s := range []string{
		"80", "8080:80", ":80", "1:db:2", "*:1:[::1]:2", "unix:/a:1", `unix:C:\a:b:1`, "[::1]:1", "[", "a:b:c:d:e", "unix:", "unix:C:/:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseSpec(in)
		if err != nil {
			if fault.KindOf(err) != fault.Usage {
				t.Fatalf("%q: %v is no usage error", in, err)
			}
			return
		}
		if s.Port < 1 || s.Port > 65535 || s.Local < 0 || s.Local > 65535 {
			t.Fatalf("%q: ports out of range: %+v", in, s)
		}
		if strings.ContainsAny(s.Host, " /@\"'\x00\n[]") {
			t.Fatalf("%q: host %q", in, s.Host)
		}
		again, err := ParseSpec(s.String())
		if err != nil || again != s {
			t.Fatalf("%q reads as %+v, written %q, read as %+v, %v", in, s, s, again, err)
		}
	})
}
