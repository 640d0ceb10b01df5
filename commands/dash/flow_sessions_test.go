package dash_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

func TestFlowASessionIsTerminated(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "sessions", Calls: 600}})
	f.waitFor("nobody has a session open")
	in, typed := io.Pipe()
	over := make(chan int, 1)
	go func() {
		over <- commands.Run(context.WithoutCancel(t.Context()), &cli.Env{
			In: in, Out: io.Discard, Err: io.Discard, Lookup: os.LookupEnv, Paces: new(awsapi.Paces),
			Args: []string{"shell", "web-1", "--reason", "INC-1234"},
		})
	}()
	t.Cleanup(func() { _ = typed.Close() })
	f.press("ctrl+r")
	f.waitUntil("the session is seen", func() bool {
		s := f.screen()
		if !strings.Contains(s, "INC-1234") {
			f.press("ctrl+r")
		}
		return strings.Contains(s, "Active 1") && strings.Contains(s, "web-1") && strings.Contains(s, "Connected")
	})
	f.press("t")
	f.waitFor("ssmdeck session terminate", "on web-1")
	f.press("esc") // no
	f.waitGone("ssmdeck session terminate")
	f.press("t")
	f.waitFor("ssmdeck session terminate")
	f.press("y")
	f.waitLine("session terminate")
	<-over
	f.waitFor("nobody has a session open")
	f.press("tab")
	f.waitFor("Terminated", "INC-1234")
}

func TestFlowASavedForwardIsStartedAndWatched(t *testing.T) {
	file := filepath.Join(t.TempDir(), "forwards.yaml")
	if err := os.WriteFile(file, []byte("forwards:\n  site:\n    node: web-1\n    spec: 0:80\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := startFlow(t, flowOptions{dash: dash.Options{View: "sessions", Calls: 600}, env: map[string]string{"SSMDECK_FORWARDS": file}})
	f.press("tab", "tab")
	f.waitFor("Forwards 0/1", "site", "stopped")
	f.press("F")
	f.waitLine("forward up site")
	f.waitFor("Forwards 1/1", "idle")
	local := regexp.MustCompile(`127\.0\.0\.1:[1-9]\d+`).FindString(f.screen())
	conn, err := net.Dial("tcp", local)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Fatalf("got %q, %v", line, err)
	}
	f.waitFor("1 in all", "open", "Sessions     1")
	f.waitUntil("bytes are seen", func() bool { return regexp.MustCompile(`Out +\d+ B/s \([1-9]\d* B\)`).MatchString(f.screen()) })
	f.press("R")
	f.waitFor("ssmdeck forward restart site")
	f.press("y")
	f.waitLine("forward restart site")
	f.waitFor("idle")
	f.press("X")
	f.waitFor("ssmdeck forward stop site")
	f.press("y")
	f.waitFor("Forwards 0/1", "stopped")
	if c, err := net.Dial("tcp", local); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
}

// A forward that f has opened is a row like any other, and its line ends when it is
// stopped there.
func TestFlowATypedForwardIsWatchedAndStopped(t *testing.T) {
	f := fleetFlow(t)
	f.filter("name=web-1 vpc~vpc-")
	f.waitFor("1 of 13")
	f.press("f")
	f.waitFor("Forward through web-1")
	f.write("80")
	f.press("tab")
	f.write("0")
	f.press("ctrl+s")
	f.waitLine("forward i-0123456789abcdef0 0:80")
	f.waitFor("via web-1 (i-0123456789abcdef0)")
	local := regexp.MustCompile(`127\.0\.0\.1:[1-9]\d+`).FindString(f.screen())
	name := strings.Replace(local, "127.0.0.1", "web-1", 1)
	f.press("esc", "5", "tab", "tab")
	f.waitFor("Forwards 1/1", name, local, "in this dashboard", "Sessions     1", "ago")

	seen := make(chan struct{})
	loaded := make(chan error, 1)
	go func() { loaded <- load(local, seen) }()
	rates := regexp.MustCompile(`In +[1-9][\d.]* \w*B/s \([1-9]`)
	f.waitUntil("bytes a second are seen", func() bool { return rates.MatchString(f.screen()) })
	f.waitFor("1 open, 1 in all")
	close(seen)
	if err := <-loaded; err != nil {
		t.Error(err)
	}

	f.press("1")
	f.waitFor("1 forward on this machine")
	f.press("5")
	f.waitFor("Forwards 1/1", name)
	f.press("q") // it would end with the dashboard
	f.waitFor("Leave? 1 thing started here would end", "ssmdeck forward i-0123456789abcdef0 0:80")
	f.press("esc")
	f.press("R")
	f.waitFor("ssmdeck forward restart " + name)
	f.press("y")
	f.waitLine("forward restart " + name)
	f.press("X")
	f.waitFor("ssmdeck forward stop " + name)
	f.press("y")
	f.waitFor("Forwards 0/0", "no forward is saved, and none runs")
	if c, err := net.Dial("tcp", local); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
	f.waitGone("running")
}

// load asks for a page again and again until nobody wants more.
func load(address string, enough <-chan struct{}) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	for answer := bufio.NewReader(conn); ; {
		select {
		case <-enough:
			return nil
		default:
		}
		if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		r, err := http.ReadResponse(answer, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return err
		}
	}
}

func TestFlowAPortThatIsTakenIsSaidWithItsHint(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	f := startFlow(t, flowOptions{dash: dash.Options{View: "sessions", Calls: 600}})
	f.press("tab", "tab")
	f.waitFor("no forward is saved, and none runs")
	f.press("f")
	f.waitFor("Forward a port")
	f.write("web-1")
	f.press("tab")
	f.write(port + ":80")
	f.press("ctrl+s")
	f.waitFor("the port is in use", "use another local port")
	f.press("esc")
	f.waitFor("Forwards 0/0")
}
