package virtual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

func TestRunKeepsStdoutAndStderrApart(t *testing.T) {
	var out, errs bytes.Buffer
	status, err := New(Spec{}).Run(t.Context(), shell.Command{Script: "echo out; echo err >&2; exit 4"}, shell.IO{Stdout: &out, Stderr: &errs})
	if err != nil || status != 4 || out.String() != "out\n" || errs.String() != "err\n" {
		t.Errorf("got %d, %v, stdout %q, stderr %q", status, err, out.String(), errs.String())
	}
}

func TestRunTakesDirectoryEnvironmentAndInput(t *testing.T) {
	m := New(Spec{})
	got, status := runWith(t, m, shell.Command{Script: "pwd; echo $A $B; cat", Dir: "/var/log", Env: []string{"A=1", "B=two words"}}, "from stdin\n")
	if want := "/var/log\n1 two words\nfrom stdin\n"; got != want || status != 0 {
		t.Errorf("got %q (%d), want %q", got, status, want)
	}
	if _, err := m.Run(t.Context(), shell.Command{Script: "true", Dir: "/nope"}, shell.IO{}); err == nil {
		t.Error("a directory that does not exist is no error")
	}
	if got, _ := runWith(t, m, shell.Command{Script: "pwd; id -u", Elevated: true}, ""); got != "/root\n0\n" {
		t.Errorf("elevated: got %q", got)
	}
	if status, err := m.Run(t.Context(), shell.Command{Script: "cat; echo no reader"}, shell.IO{}); status != 0 || err != nil {
		t.Errorf("nil streams: %d, %v", status, err)
	}
}

// busy are scripts that do not end by themselves.
var busy = []string{
	"sleep 1000", "while :; do :; done", "yes", "yes | cat > /dev/null", "seq 1 100000000", "cat /dev/zero | wc -c", "cat", "read x", "tail -f /etc/passwd",
	"journalctl -f", "sleep 100 & wait", "(sleep 100 &); sleep 100", "sleep 9 | sleep 9 | sleep 9", "sh -c 'sleep 100'", "sudo sleep 100", "timeout 99 sleep 100",
	"xargs -n1 sleep <<< '50 50'", "cat <(sleep 100)", "x=$(sleep 100)", "f() { f | f; }; f", "dd if=/dev/zero of=/dev/null", "find / -exec sleep 100 {} ';'",
}

// TestCancelKillsAndLeavesNothingBehind relies on synctest, which fails a test
// that leaves a goroutine behind.
func TestCancelKillsAndLeavesNothingBehind(t *testing.T) {
	for _, script := range busy {
		t.Run(script, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				in, typed := io.Pipe()
				type result struct {
					status int
					err    error
				}
				done := make(chan result)
				go func() {
					status, err := New(Spec{}).Run(ctx, shell.Command{Script: script}, shell.IO{Stdin: in, Stdout: io.Discard, Stderr: io.Discard})
					done <- result{status, err}
				}()
				cancelAfter(cancel)
				r := <-done
				if r.status != shell.StatusKilled || !errors.Is(r.err, context.Canceled) {
					t.Errorf("got %d, %v, want %d, %v", r.status, r.err, shell.StatusKilled, context.Canceled)
				}
				typed.Close() // a Read of the caller's input may be under way
			})
		})
	}
}

// cancelAfter cancels while the script is running: scripts that never block
// would keep synctest.Wait from returning.
func cancelAfter(cancel context.CancelFunc) {
	for range 50 {
		pause := make(chan struct{})
		go close(pause)
		<-pause
	}
	cancel()
}

func TestRunAfterCancelDoesNotStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := New(Spec{})
	if status, err := m.Run(ctx, shell.Command{Script: "touch /tmp/x"}, shell.IO{}); status != shell.StatusKilled || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v", status, err)
	}
	if out, _ := run(t, m, "ls /tmp"); out != "" {
		t.Errorf("it ran: %q", out)
	}
	if _, err := m.Start(ctx, shell.TTYOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v", err)
	}
}

func TestInterrupt(t *testing.T) {
	tests := []struct {
		name, script, want string
		status             int
	}{
		{"ends a program", "sleep 100; echo no", "", 130},
		{"ends a pipeline", "sleep 100 | cat; echo no", "", 130},
		{"ends a nested shell", "sh -c 'sleep 100'; echo no", "", 130},
		{"ends a loop", "while true; do sleep 1; done", "", 130},
		{"runs the EXIT trap", "trap 'echo cleanup' EXIT; sleep 100", "cleanup\n", 130},
		{"runs a trap", "trap 'echo caught; exit 3' INT; sleep 100; echo no", "caught\n", 3},
		{"a trap goes on", "trap 'echo caught' INT; sleep 100; echo on", "caught\non\n", 0},
		{"can be ignored", "trap '' INT; sleep 1; echo done", "done\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				ch := make(chan struct{}, 1)
				done := make(chan int)
				go func() {
					status, err := New(Spec{}).Run(t.Context(), shell.Command{Script: tt.script, Interrupt: ch}, shell.IO{Stdout: &out, Stderr: &out})
					if err != nil {
						t.Error(err)
					}
					done <- status
				}()
				synctest.Wait()
				ch <- struct{}{}
				if status := <-done; status != tt.status || out.String() != tt.want {
					t.Errorf("got %q (%d), want %q (%d)", out.String(), status, tt.want, tt.status)
				}
			})
		})
	}
}

func TestClosingInterruptInterruptsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan struct{})
		time.AfterFunc(500*time.Millisecond, func() { close(ch) })
		status, err := New(Spec{}).Run(t.Context(), shell.Command{Script: "trap 'n=$((n+1))' INT; sleep 1; sleep 1; exit $n", Interrupt: ch}, shell.IO{})
		if status != 1 || err != nil {
			t.Errorf("got %d, %v, want 1 signal", status, err)
		}
	})
}

// closesAfter fails once it has taken n bytes.
type closesAfter struct{ n int }

func (c *closesAfter) Write(p []byte) (int, error) {
	if c.n -= len(p); c.n < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestClosedOutputEndsTheScript(t *testing.T) {
	for _, script := range []string{"yes", "seq 1 100000000", "while :; do echo x; done", "cat /dev/zero", "sh -c yes", "yes | cat", "for i in {1..100000}; do echo $i; done | cat; exit 141"} {
		status, err := New(Spec{}).Run(t.Context(), shell.Command{Script: script}, shell.IO{Stdout: &closesAfter{100 << 10}})
		if status != shell.StatusBrokenPipe || err != nil {
			t.Errorf("%s: got %d, %v, want %d", script, status, err, shell.StatusBrokenPipe)
		}
	}
}

func TestPipesEndEarly(t *testing.T) {
	m := New(Spec{})
	expect(t, m, "yes | head -1; seq 1 100000000 | sed 2q; cat /dev/zero | head -c 3 | wc -c; while :; do echo y; done | head -1", "y\n1\n2\n3\ny\n")
}

func TestStreamsNeedNoMemory(t *testing.T) {
	m := New(Spec{})
	var n counter
	status, err := m.Run(t.Context(), shell.Command{Script: "dd if=/dev/zero bs=1M count=600 status=none | cat"}, shell.IO{Stdout: &n})
	if err != nil || status != 0 || n != 600<<20 {
		t.Errorf("got %d bytes, %d, %v", n, status, err)
	}
	if used, _ := m.FS().Usage(); used > 1<<20 {
		t.Errorf("%d bytes are stored", used)
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func TestDiskIsBounded(t *testing.T) {
	got, status := run(t, New(Spec{}), "dd if=/dev/zero of=/tmp/big bs=1M count=9999 status=none; echo $?; rm /tmp/big; echo ok > /tmp/small && cat /tmp/small")
	if want := "dd: error writing: No space left on device\n1\nok\n"; got != want || status != 0 {
		t.Errorf("got %q (%d), want %q", got, status, want)
	}
}

func TestRunawayScriptsAreStopped(t *testing.T) {
	for script, want := range map[string]string{
		"f() { f; }; f":                        "maximum nesting level exceeded",
		"echo {1..99999999}":                   "brace expansion would exceed",
		"x=a; while :; do x=$x$x; done":        "cannot allocate memory",
		"x=$(yes)":                             "cannot allocate memory",
		"echo 'sh /tmp/r' > /tmp/r; sh /tmp/r": "maximum nesting level exceeded",
		"f() { f & f & wait; }; f":             "fork: Resource temporarily unavailable",
		strings.Repeat("(", 30000):             "nested too deeply",
	} {
		if got, status := run(t, New(Spec{}), script); !strings.Contains(got, want) || (status == 0 && want != "fork: Resource temporarily unavailable") {
			t.Errorf("%.40s: got %.200q (%d), want %q", script, got, status, want)
		}
	}
}

func TestManyRunAtOnce(t *testing.T) {
	m := New(Spec{})
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			script := fmt.Sprintf("mkdir -p /tmp/d; echo %d > /tmp/d/%d; cat /tmp/d/%d | tr -d '\\n'; ls /tmp/d > /dev/null; ps aux > /dev/null; sudo systemctl restart nginx", i, i, i)
			var out bytes.Buffer
			status, err := m.Run(context.Background(), shell.Command{Script: script}, shell.IO{Stdout: &out})
			if want := fmt.Sprint(i); out.String() != want || status != 0 || err != nil {
				t.Errorf("got %q (%d, %v), want %q", out.String(), status, err, want)
			}
		})
	}
	wg.Wait()
	expect(t, m, "ls /tmp/d | wc -l; systemctl is-active nginx", "24\nactive\n")
	for _, p := range m.processes() {
		if p.group != nil {
			t.Errorf("process %d (%s) was left behind", p.pid, p.command)
		}
	}
}

func TestSleepIsTheOnlyLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		expect(t, New(Spec{}), "sleep 1.5; sleep 2s; timeout 3 sleep 100; [ $? = 124 ]", "")
		if d := time.Since(start); d != 6500*time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}
