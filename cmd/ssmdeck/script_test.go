package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func TestMain(m *testing.M) {
	programs := map[string]func(){"ssmdeck": main, "session-manager-plugin": main}
	if _, ok := programs[strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")]; !ok {
		// What nohup set would be inherited by all programs that tests start: with a
		// handler here, SIGHUP ends them as it does from a terminal.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testscript.Main(m, programs)
}

// TestScripts runs the promises made to users with the real binary. Commands
// beside those of testscript:
//
//	exits CODE command...      the command ends with exactly this status
//	simulate [scenario.yaml]   start a simulator and point ssmdeck at it; -unsigned takes requests without signatures
//	calls N OPERATION          the simulator has served OPERATION N times
//	listening NAME FILE [TYPE] a forward that writes events to FILE is ready: its address goes to $NAME;
//	                           another TYPE of event may be waited for
//	waitfor FILE TEXT          FILE, which another process writes, holds TEXT before long
//	value NAME FILE            the first line of FILE goes to $NAME
//	until PATTERN command...   run the command again until what it prints matches
//	address NAME FILE          the address in FILE goes to $NAME
//	hangup ADDRESS             connect, and wait for the other end to break the connection
//	talk ADDRESS SEND WANT     connect, send, expect an answer; \xNN in both are bytes
//	no-escapes FILE            the file holds no escape byte
//	sshd FILE                  a real OpenSSH server, see cmdSSHD; conditions sshd and root
//	ticket NAME NODE [DOC...]  start a session as the AWS CLI does for its plugin, see cmdTicket
//	port-opened NAME FILE      the plugin, which writes to FILE, listens: its address goes to $NAME
//	agent join NAME FILE       a machine registers and works, see cmdAgent
//	port-of NAME URL           the port of URL goes to $NAME
//	variable NAME FILE         what FILE holds, without the line's end, goes to $NAME
//	clock DURATION|TIME        the simulator's clock is put forward, and what is due happens
//	pushed-keys NODE           it lets in who has a key that was pushed to NODE, and nobody else
//
// At the end of every script the simulator must have no open session.
func TestScripts(t *testing.T) {
	t.Cleanup(func() { checkCurated(t) }) // behind the scripts, which run in parallel
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Condition:           sshCondition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      cmdExits,
			"simulate":   func(ts *testscript.TestScript, neg bool, args []string) { cmdSimulate(t, ts, neg, args) },
			"calls":      cmdCalls,
			"listening":  cmdListening,
			"talk":       cmdTalk,
			"address":    cmdAddress,
			"hangup":     cmdHangup,
			"waitfor":    cmdWaitFor,
			"value":      cmdValue,
			"until":      cmdUntil,
			"clock":      cmdClock,
			"no-escapes": cmdNoEscapes,

			"sshd":        cmdSSHD,
			"pushed-keys": cmdPushedKeys,
			"agent":       cmdAgent,
			"variable":    cmdVariable,
			"port-of":     cmdPortOf,
			"ticket":      cmdTicket,
			"port-opened": cmdPortOpened,
		},
	})
}

// environ is the environment of a program: nothing of whoever runs the tests gets in but
// where programs are found.
func environ(home string, more ...string) []string {
	return append([]string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_CACHE_HOME=" + home, "XDG_STATE_HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(),
		"AWS_EC2_METADATA_DISABLED=true", "TERM=xterm-256color", "LANG=C.UTF-8", "TZ=UTC",
	}, more...)
}

// setupScript gives a script an environment of its own: nothing of the machine
// that runs the tests gets in.
func setupScript(env *testscript.Env) error {
	var kept []string
	for _, kv := range env.Vars {
		if !strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "SSMDECK_") && !strings.HasPrefix(kv, "NO_COLOR=") && !strings.HasPrefix(kv, "CLICOLOR") {
			kept = append(kept, kv)
		}
	}
	home := filepath.Join(env.WorkDir, "home")
	env.Vars = append(kept,
		"HOME="+home, "USERPROFILE="+home, "XDG_CONFIG_HOME="+filepath.Join(home, "config"), "XDG_CACHE_HOME="+filepath.Join(home, "cache"),
		"AppData="+filepath.Join(home, "config"), "LocalAppData="+filepath.Join(home, "cache"),
		"AWS_CONFIG_FILE="+filepath.Join(home, "aws-config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "aws-credentials"),
		"AWS_EC2_METADATA_DISABLED=true", "TERM=xterm-256color", "LANG=C.UTF-8", "TZ=UTC",
	)
	return os.MkdirAll(home, 0o700)
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command...")
	}
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit status %d, want %s", code, args[0])
	}
}

// simulators holds the simulator of each running script.
var simulators running

type running struct {
	mu sync.Mutex
	by map[*testscript.TestScript]*simulator.Server
}

func (r *running) put(ts *testscript.TestScript, srv *simulator.Server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[*testscript.TestScript]*simulator.Server{}
	}
	r.by[ts] = srv
}

func (r *running) get(ts *testscript.TestScript) *simulator.Server {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[ts] == nil {
		ts.Fatalf("there is no simulator")
	}
	return r.by[ts]
}

func (r *running) drop(ts *testscript.TestScript) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.by, ts)
}

func cmdSimulate(t *testing.T, ts *testscript.TestScript, neg bool, args []string) {
	var o simulator.Options
	if len(args) > 0 && args[0] == "-unsigned" {
		o.Sign, args = control.Accept, args[1:]
	}
	if neg || len(args) > 1 {
		ts.Fatalf("usage: simulate [-unsigned] [scenario.yaml]")
	}
	if len(args) == 1 {
		s, err := world.ReadScenario(args[0], strings.NewReader(ts.ReadFile(args[0])))
		ts.Check(err)
		o.Scenario = s
	}
	srv, err := simulator.Start(context.Background(), o)
	ts.Check(err)
	simulators.put(ts, srv)
	for _, kv := range srv.Env() {
		k, v, _ := strings.Cut(kv, "=")
		ts.Setenv(k, v)
	}
	ts.Defer(func() {
		simulators.drop(ts)
		curated.add(ts.Name(), srv.Stats().Calls)
		// What a killed client left is ended by the service in its own time; what
		// an ended one left is a bug.
		deadline := time.Now().Add(patience)
		for srv.Stats().OpenSessions > 0 && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond) // the last client is another process
		}
		if open := srv.Stats().OpenSessions; open > 0 {
			t.Errorf("%s: %d sessions were left open", ts.Name(), open)
		}
		if err := srv.Close(); err != nil {
			t.Errorf("%s: %v", ts.Name(), err)
		}
	})
}

func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: calls N OPERATION")
	}
	got := fmt.Sprint(simulators.get(ts).Stats().Calls[args[1]])
	if (got == args[0]) == neg {
		ts.Fatalf("%s was called %s times", args[1], got)
	}
}

func cmdListening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 && len(args) != 3 {
		ts.Fatalf("usage: listening NAME FILE [TYPE]")
	}
	ts.Setenv(args[0], waitForReady(ts, ts.MkAbs(args[1]), append(args[2:], "ready")[0]))
}

// patience bounds the wait for what comes as a rule at once, also on a machine that has
// much else to do.
const patience = time.Minute

// waitForReady reads the events of a forward from a file until it is ready.
func waitForReady(ts *testscript.TestScript, path, typ string) string {
	const tcp = `"local":"127.0.0.1:`
	line := waitForLine(ts, path, `"type":"`+typ+`"`, tcp)
	_, rest, _ := strings.Cut(line, tcp)
	port, _, _ := strings.Cut(rest, `"`)
	return "127.0.0.1:" + port
}

func cmdAddress(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: address NAME FILE")
	}
	address := strings.TrimSpace(ts.ReadFile(args[1]))
	if _, _, err := net.SplitHostPort(address); err != nil {
		ts.Fatalf("%s holds no address: %q", args[1], address)
	}
	ts.Setenv(args[0], address)
}

func cmdVariable(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: variable NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

func cmdHangup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hangup ADDRESS")
	}
	conn, err := net.Dial("tcp", args[0])
	ts.Check(err)
	defer conn.Close()
	ts.Check(conn.SetDeadline(time.Now().Add(patience)))
	if n, err := conn.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		ts.Fatalf("the connection was not broken: %d bytes, %v", n, err)
	}
}

func cmdWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor FILE TEXT")
	}
	waitForLine(ts, ts.MkAbs(args[0]), args[1])
}

// waitForLine returns the first line of a file that holds all texts, as soon as
// there is one.
func waitForLine(ts *testscript.TestScript, path string, texts ...string) string {
	var b []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		b, _ = os.ReadFile(path)
		for line := range strings.Lines(string(b)) {
			if !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(line, t) }) {
				return line
			}
		}
		time.Sleep(20 * time.Millisecond) // another process writes the file: there is nothing to wait on
	}
	ts.Fatalf("no line with %s came; the file holds:\n%s", strings.Join(texts, " and "), b)
	return ""
}

func cmdTalk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: talk ADDRESS SEND WANT")
	}
	conn, err := net.Dial("tcp", args[0])
	ts.Check(err)
	defer conn.Close()
	ts.Check(conn.SetDeadline(time.Now().Add(patience)))
	send, want := unescape(ts, args[1]), unescape(ts, args[2])
	_, err = io.WriteString(conn, send)
	ts.Check(err)
	got := make([]byte, len(want))
	n, err := io.ReadFull(conn, got)
	if string(got[:n]) != want {
		ts.Fatalf("got %q (%v), want %q", got[:n], err, want)
	}
}

func unescape(ts *testscript.TestScript, s string) string {
	u, err := strconv.Unquote(`"` + s + `"`)
	ts.Check(err)
	return u
}

func cmdNoEscapes(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: no-escapes FILE")
	}
	if strings.ContainsRune(ts.ReadFile(args[0]), 0x1b) != neg {
		ts.Fatalf("escape bytes: not as wanted")
	}
}
