//go:build !windows

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// relay is the network between ssmdeck and a simulator: it can be cut, refuse
// connections, and let nothing through.
type relay struct {
	t        *testing.T
	listener net.Listener
	target   string

	mu      sync.Mutex
	change  *sync.Cond
	conns   map[net.Conn]bool
	refuse  bool
	stalled bool
	closed  bool
	serving sync.WaitGroup
}

// startRelay starts a network to srv, and returns it with the environment that
// makes ssmdeck use it.
func startRelay(t *testing.T, srv *simulator.Server) (*relay, []string) {
	t.Helper()
	target := strings.TrimPrefix(srv.URL(), "http://")
	var l net.Listener
	for l == nil || len(l.Addr().String()) != len(target) { // the address in answers is replaced by ours, in place
		if l != nil {
			defer l.Close() // not at once: the same port would be given again
		}
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	r := &relay{t: t, listener: l, target: target, conns: map[net.Conn]bool{}}
	r.change = sync.NewCond(&r.mu)
	r.serving.Go(r.serve)
	t.Cleanup(r.close)
	var env []string
	for _, kv := range srv.Env() {
		env = append(env, strings.ReplaceAll(kv, r.target, l.Addr().String()))
	}
	return r, env
}

func (r *relay) serve() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", r.target)
		if err != nil || !r.take(c, s) {
			_ = c.Close()
			if err == nil {
				_ = s.Close()
			}
			continue
		}
		r.serving.Go(func() { r.pump(c, s, nil) })
		r.serving.Go(func() { r.pump(s, c, []byte(r.listener.Addr().String())) })
	}
}

// take notes a pair of connections unless they are refused.
func (r *relay) take(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse || r.closed {
		return false
	}
	for _, c := range conns {
		r.conns[c] = true
	}
	return true
}

// pump copies one way. address, if there is one, takes the target's place.
func (r *relay) pump(from, to net.Conn, address []byte) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		r.mu.Lock()
		for r.stalled && !r.closed && r.conns[from] {
			r.change.Wait()
		}
		r.mu.Unlock()
		out := buf[:n]
		if address != nil {
			out = bytes.ReplaceAll(out, []byte(r.target), address)
		}
		if _, werr := to.Write(out); err != nil || werr != nil {
			return
		}
	}
}

// set changes how the network is.
func (r *relay) set(refuse, stalled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse, r.stalled = refuse, stalled
	r.change.Broadcast()
}

// cut breaks all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		_ = c.Close()
		delete(r.conns, c)
	}
	r.change.Broadcast()
}

func (r *relay) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cut()
	r.serving.Wait()
}

// down takes the network away, up brings it back.
func (r *relay) down() { r.set(true, false); r.cut() }
func (r *relay) up()   { r.set(false, false) }

// statusLine is what ssmdeck draws on the bottom row and wipes again.
var statusLine = regexp.MustCompile(`(?:\n\x1b\[A)?\x1b7\x1b\[\d+;1H.*?\x1b8`)

// remote is what the far end has written so far.
func (s *screen) remote() string {
	return statusLine.ReplaceAllString(s.Written(), "")
}

// statuses counts the status lines that hold text.
func (s *screen) statuses(text string) (n int) {
	for _, l := range statusLine.FindAllString(s.Written(), -1) {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

// counter prints numbered lines for a while, then says so.
const counter = `i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "n$i."; sleep 0.02; done; echo cou''nted` + "\r"

// checkCounted asserts that the lines of counter came once each and in order.
func (s *screen) checkCounted() {
	s.t.Helper()
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf("n%d.", i+1))
	}
	got := regexp.MustCompile(`n\d+\.`).FindAllString(s.remote(), -1)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		s.t.Errorf("counted %q", got)
	}
}

// checkOnce asserts that a word was printed exactly once.
func (s *screen) checkOnce(word string) {
	s.t.Helper()
	if n := strings.Count(s.remote(), word); n != 1 {
		s.t.Errorf("%q was printed %d times", word, n)
	}
}

// leaveShell ends the shell in the usual way.
func (s *screen) leaveShell() {
	s.t.Helper()
	s.Type("exit\r")
	if code := s.exit(); code != 0 {
		s.t.Errorf("exit status %d", code)
	}
	if after := s.settings(); after != s.before {
		s.t.Error("the terminal's settings changed")
	}
}

// TestShellSurvivesTheNetwork takes the network away in three ways while a
// program counts and somebody types.
func TestShellSurvivesTheNetwork(t *testing.T) {
	srv := simulate(t)
	net, env := startRelay(t, srv)
	s := startOnTerminal(t, env, 160, 24, "shell", "web-1")
	s.See("$ ")
	s.Type(counter)
	s.See("n20.")

	net.cut() // a moment
	s.Type("echo 'fi''rst'\r")
	s.See("n60.")
	s.See("first") // it is acknowledged, and not among what is kept below

	net.down() // refused connections for as long as it takes to be told
	s.See("no connection for")
	s.See("~. leaves ~R now")
	s.Type("echo 'sec''ond'\r")
	s.See("16 bytes typed are kept")
	net.up()
	s.Type("~R")
	s.See("connected again after")

	net.set(false, true) // packets that vanish
	s.Type("echo 'th''ird'\r")
	s.See("the node has not answered for")
	net.set(false, false)

	s.See("counted")
	s.checkCounted()
	for _, word := range []string{"first", "second", "third"} {
		s.See(word)
		s.checkOnce(word)
	}
	s.leaveShell()
}

// TestShellSurvivesTheHourlyClose has the service say goodbye again and again.
func TestShellSurvivesTheHourlyClose(t *testing.T) {
	srv := simulate(t)
	srv.Gateway().SetFaults(world.Faults{ByeEvery: 400 * time.Millisecond})
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.See("$ ")
	s.Type(counter)
	for i := range 5 {
		s.See(fmt.Sprintf("n%d0.", 4*i+2))
		s.Type(fmt.Sprintf("echo 'wo''rd%d'\r", i))
	}
	s.See("word4")
	s.checkCounted()
	for i := range 5 {
		s.checkOnce(fmt.Sprintf("word%d", i))
	}
	if n := s.statuses("no connection"); n > 0 {
		t.Errorf("%d complaints about a close that nobody notices", n)
	}
	s.leaveShell()
}

// TestShellSurvivesSleep stops the process, as a sleeping laptop does, with its
// connections gone when it wakes up.
func TestShellSurvivesSleep(t *testing.T) {
	srv := simulate(t)
	net, env := startRelay(t, srv)
	s := startOnTerminal(t, env, 100, 24, "shell", "web-1")
	s.See("$ ")
	s.Type(counter)
	s.See("n20.")
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	net.cut()
	s.Type("echo 'as''leep'\r")
	time.Sleep(4 * time.Second) // the time that is slept through
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.See("counted")
	s.See("asleep")
	s.checkCounted()
	s.checkOnce("asleep")
	s.leaveShell()
}

// TestShellSurvivesExpiredCredentials takes the credentials away and brings
// others, on disk, while the session cannot be resumed.
func TestShellSurvivesExpiredCredentials(t *testing.T) {
	srv := simulate(t)
	file := filepath.Join(t.TempDir(), "credentials")
	keys := func(id, secret string) {
		t.Helper()
		text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", id, secret)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	creds := srv.Credentials()
	keys(creds.AccessKeyID, creds.SecretAccessKey)
	env := []string{"AWS_SHARED_CREDENTIALS_FILE=" + file, "AWS_CONFIG_FILE=" + file + ".none"}
	for _, kv := range srv.Env() {
		if !strings.HasPrefix(kv, "AWS_ACCESS_KEY_ID=") && !strings.HasPrefix(kv, "AWS_SECRET_ACCESS_KEY=") {
			env = append(env, kv)
		}
	}
	s := startOnTerminal(t, env, 160, 24, "shell", "web-1")
	s.See("$ ")
	s.Type(counter)
	s.See("n20.")
	fresh := srv.Rotate()
	keys("AKIAWRONGWRONGWRONG1", "wrong")
	for _, id := range srv.Gateway().IDs() {
		srv.Gateway().Cut(id)
	}
	s.See("does not know these credentials")
	s.See("log in again")
	s.Type("echo 'fr''esh'\r") // no word of the status line: waitFor sees that too
	keys(fresh.AccessKeyID, fresh.SecretAccessKey)
	s.See("connected again after")
	s.See("counted")
	s.See("fresh")
	s.checkCounted()
	s.checkOnce("fresh")
	s.leaveShell()
}

// TestShellThatCannotBeResumed ends when the session was ended meanwhile.
func TestShellThatCannotBeResumed(t *testing.T) {
	srv := simulate(t)
	net, env := startRelay(t, srv)
	s := startOnTerminal(t, env, 100, 24, "shell", "web-1")
	s.See("$ ")
	net.down()
	s.See("no connection for")
	for _, id := range srv.Gateway().IDs() {
		_ = srv.Gateway().Terminate(id)
	}
	net.up()
	if code := s.exit(); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	s.See("the session no longer exists: it was terminated, or its idle or longest time ran out")
	if after := s.settings(); after != s.before {
		t.Error("the terminal's settings changed")
	}
}

func TestLeavingWithoutANetwork(t *testing.T) {
	srv := simulate(t)
	net, env := startRelay(t, srv)
	s := startOnTerminal(t, env, 100, 24, "shell", "web-1")
	s.See("$ ")
	net.down()
	s.Type("lost\r~.")
	if code := s.exit(); code != 130 {
		t.Errorf("exit status %d, want 130", code)
	}
	if after := s.settings(); after != s.before {
		t.Error("the terminal's settings changed")
	}
	for _, id := range srv.Gateway().IDs() { // the service could not be told
		_ = srv.Gateway().Terminate(id)
	}
}

func TestEscapeMenu(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 100, 24, "shell", "web-1", "--escape-char", "%")
	s.See("Enter %? for help") // with the limits, if they are known by then
	s.See("$ ")
	s.Type("%?")
	s.See("%^Z  suspend ssmdeck")
	s.Type("%R")
	s.See("connected again after")
	s.Type("\recho 'ag''ain'\r")
	s.See("again\r\n")
	s.Type("%#")
	s.See("1 reconnects; the last outage took")
	s.See("node      web-1 (i-0123456789abcdef0)")
	for try := 0; try < 20 && !strings.Contains(s.Written(), "limits    idle at most 20 min"); try++ { // they are read beside the start
		s.See("limits    ")
		s.Type("%#")
	}
	s.See("limits    idle at most 20 min")
	s.Type("%\x1a")
	s.See("cannot be suspended: there is no shell to come back from")
	s.Type("\recho %%.~. '%''%'\r")
	s.See("%.~. %%")
	s.leaveShell()
}

// TestFullScreenProgramsDrawAnew covers one with the list of escapes: it is made
// to draw itself anew by a window that is a line shorter for a moment.
func TestFullScreenProgramsDrawAnew(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 100, 24, "shell", "web-1", "--quiet")
	s.See("$ ")
	s.Type(`printf '\033[?1049h'; while :; do stty size; sleep 0.02; done` + "\r")
	s.See("24 100\r\n")
	for try := 0; try == 0 || !s.Sees("23 100\r\n", time.Second); try++ { // the moment is short, and the program may sleep
		if try == 20 {
			t.Fatal("the window has never been a line shorter")
		}
		s.Forget()
		s.Type("\r~?")
		s.See("the next key goes back to the program")
		s.Type(" ")
	}
	s.Type("\x03")
	s.See("^C")
	s.leaveShell()
}
