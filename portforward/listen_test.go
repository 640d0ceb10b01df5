package portforward

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func listen(t *testing.T, spec string, opts Options) *Listener {
	t.Helper()
	s, err := ParseSpec(spec)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(s, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func TestListenAddress(t *testing.T) {
	tests := []struct {
		name, spec string
		opts       Options
		host       string
		exposed    bool
	}{
		{"loopback by default", "0:80", Options{}, "127.0.0.1", false},
		{"localhost is 127.0.0.1", "0:80", Options{Bind: "localhost"}, "127.0.0.1", false},
		{"all addresses are flagged", "0:80", Options{Bind: "*"}, "", true},
		{"an unspecified address is flagged", "0:80", Options{Bind: "0.0.0.0"}, "0.0.0.0", true},
		{"the spec wins over the option", "127.0.0.1:0:db:80", Options{Bind: "*"}, "127.0.0.1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t, tt.spec, tt.opts)
			addr := l.Addr().(*net.TCPAddr)
			if tt.host != "" && addr.IP.String() != tt.host {
				t.Errorf("listens on %s, want %s", addr, tt.host)
			}
			if addr.Port == 0 {
				t.Error("no port was picked")
			}
			if l.Exposed() != tt.exposed {
				t.Errorf("exposed is %v, want %v", l.Exposed(), tt.exposed)
			}
		})
	}
}

func TestListenRefusesNames(t *testing.T) {
	_, err := Listen(Spec{Port: 80}, Options{Bind: "example.com"})
	if fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v, want a usage error", err)
	}
}

func TestListenPortInUse(t *testing.T) {
	taken := portOf(listen(t, "0:80", Options{}))
	_, err := Listen(Spec{Local: taken, Port: 80}, Options{})
	if err == nil || fault.KindOf(err) != fault.Failed {
		t.Fatalf("got %v, want a failure", err)
	}
	if want := "127.0.0.1:" + strconv.Itoa(taken) + ": the port is in use"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want it to contain %q", err, want)
	}
	if runtime.GOOS == "linux" {
		if want := "(process " + strconv.Itoa(os.Getpid()) + ")"; !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to name us: %q", err, want)
		}
	}
	hint := fault.HintOf(err)
	_, after, _ := strings.Cut(hint, "for instance ")
	text, _, _ := strings.Cut(after, ",")
	free, convErr := strconv.Atoi(text)
	if convErr != nil {
		t.Fatalf("hint %q suggests no port", hint)
	}
	l, err := Listen(Spec{Local: free, Port: 80}, Options{})
	if err != nil {
		t.Fatalf("the suggested port: %v", err)
	}
	_ = l.Close()
}

func TestListenReplacesPortThatWasNotGiven(t *testing.T) {
	taken := portOf(listen(t, "0:80", Options{}))
	l, err := Listen(Spec{Local: taken, Same: true, Port: taken}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := portOf(l); got == taken || got == 0 {
		t.Errorf("listens on %d, want another port than %d", got, taken)
	}
}

// socketDir is a folder whose path is short enough for sockets.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestListenSocket(t *testing.T) {
	path := filepath.Join(socketDir(t), "x")
	l := listen(t, "unix:"+path+":80", Options{})
	if l.Exposed() {
		t.Error("a socket is flagged as exposed")
	}
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode is %o, want 600", got)
		}
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v, want the socket only", left, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestListenSocketTakesOverStaleFile(t *testing.T) {
	path := filepath.Join(socketDir(t), "x")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false)
	_ = old.Close()
	listen(t, "unix:"+path+":80", Options{})
	if conn, err := net.Dial("unix", path); err != nil {
		t.Error(err)
	} else {
		_ = conn.Close()
	}
}

func TestListenSocketLeavesOthersAlone(t *testing.T) {
	dir := socketDir(t)
	used, file := filepath.Join(dir, "used"), filepath.Join(dir, "file")
	listen(t, "unix:"+used+":80", Options{})
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"somebody answers", used, "the socket is in use"},
		{"no socket", file, "the file exists and is no socket"},
		{"no folder", filepath.Join(dir, "none", "x"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Listen(Spec{Socket: tt.path, Port: 80}, Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("the file reads %q, %v", b, err)
	}
}

func TestSocketOfAnotherIsNotRemoved(t *testing.T) {
	path := filepath.Join(socketDir(t), "x")
	l := listen(t, "unix:"+path+":80", Options{})
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the file of another is gone: %v", err)
	}
}

func TestListeningInodes(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1538 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
   3: short
`
	got := listeningInodes([]byte(table), 0x1538)
	if len(got) != 1 || got[0] != "4711" {
		t.Errorf("got %v, want the listening socket 4711 only", got)
	}
}

func TestLsofHolder(t *testing.T) {
	tests := []struct{ name, out, want string }{
		{"process and command", "p123\ncpostgres\nf5\n", "postgres (process 123)"},
		{"two processes", "p123\ncone\np124\nctwo\n", "one (process 123)"},
		{"no command", "p123\n", "process 123"},
		{"a hostile name", "p123\nc\x1b[31m\n", `"\x1b[31m" (process 123)`},
		{"nothing", "", ""},
		{"noise", "lsof: no such thing\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lsofHolder([]byte(tt.out)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
