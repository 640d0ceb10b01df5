package posix

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

// testShell is a shell whose only programs are block, which waits to be
// killed, and args, which prints its arguments.
func testShell(t *testing.T, out io.Writer) *Shell {
	t.Helper()
	session := NewSession(t.Context())
	t.Cleanup(session.Close)
	files := memfs.New(memfs.Options{})
	if err := files.MkdirAll(memfs.Cred{}, "/tmp", 0o777); err != nil {
		t.Fatal(err)
	}
	return New(Config{
		FS: files, Session: session, Dir: "/", Stdout: out, Stderr: out,
		Lookup: func(_ *Shell, name string) (string, error) {
			if name != "block" && name != "args" {
				return "", ErrNotFound
			}
			return "/bin/" + name, nil
		},
		Exec: func(ctx context.Context, c *Call) int {
			if c.Args[0] == "block" {
				<-ctx.Done()
				return 0
			}
			for _, a := range c.Args[1:] {
				io.WriteString(c.Stdout, "<"+a+">")
			}
			io.WriteString(c.Stdout, "\n")
			return 0
		},
	})
}

func TestExpansionMakesTheRightWords(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"quotes keep words together", `x="a b"; args $x "$x" '$x'`, "<a><b><a b><$x>\n"},
		{"an empty word stays, an empty expansion goes", `e=; args "" $e "$e"`, "<><>\n"},
		{"$@ is a word each, $* is one", `set -- 1 "2 3"; args "$@" "$*"`, "<1><2 3><1 2 3>\n"},
		{"arrays", `a=(x "y z"); args "${a[@]}" ${#a[@]}`, "<x><y z><2>\n"},
		{"globs", `cd /; : > /tmp/b; : > /tmp/a; args /tmp/* tm? "/tmp/*" /no*`, "</tmp/a></tmp/b><tmp></tmp/*></no*>\n"},
		{"braces", `args {1..3} x{a,b}`, "<1><2><3><xa><xb>\n"},
		{"nested substitution", `args "$(args "$(args in)")"`, "<<<in>>>\n"},
		{"arithmetic", `i=4; args $((i*2)) $((i>3 && i<9))`, "<8><1>\n"},
		{"a tilde of nobody we know", `args ~stranger`, "<~stranger>\n"},
		{"here-string in a pipe", `read a b <<< "1 2 3"; args "$a" "$b"`, "<1><2 3>\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if status := testShell(t, &out).Run(t.Context(), tt.script); status != 0 || out.String() != tt.want {
				t.Errorf("got %q (%d), want %q", out.String(), status, tt.want)
			}
		})
	}
}

func TestSignalsEndWhatRuns(t *testing.T) {
	for name, script := range map[string]string{
		"a program": "block; args no", "a pipeline": "block | block; args no", "a subshell": "(block; args no); args no",
		"a substitution": "x=$(block); args no", "a function": "f() { block; args no; }; f; args no", "a read": "read x; args no",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				s := testShell(t, &out)
				s.fds[0] = file{r: &Pipe{}}
				done := make(chan int)
				go func() { done <- s.Run(t.Context(), script) }()
				synctest.Wait()
				s.cfg.Group.Signal(SIGTERM)
				if status := <-done; status != 143 || out.Len() > 0 {
					t.Errorf("got %d, %q", status, out.String())
				}
			})
		})
	}
}

func TestSessionEndsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testShell(t, io.Discard)
		if status := s.Run(t.Context(), "block & block | block & (block &)"); status != 0 {
			t.Errorf("exit status %d", status)
		}
		s.cfg.Session.Close() // would wait for ever for a job that does not end
	})
}

func TestParseKnowsWhatIsIncomplete(t *testing.T) {
	for script, want := range map[string]bool{
		"echo": false, "for i in 1": true, "for i in 1; do": true, "if true; then": true, "echo 'a": true, "echo \"a": true, "{": true, "(": true,
		"echo $(": true, "f() {": true, "case x in": true, "cat <<E\nx": true, "a |": true, "a &&": true, "while :": true, "fi": false, "echo )": false,
	} {
		_, incomplete, err := Parse(script + "\n")
		if incomplete != want {
			t.Errorf("%q: incomplete is %v (%v)", script, incomplete, err)
		}
		if want && err == nil {
			t.Errorf("%q is incomplete without an error", script)
		}
	}
}

func TestAwaitsNamesWhatEndsAnIncompleteScript(t *testing.T) {
	for script, want := range map[string]string{
		"cat <<EOF\nx": "EOF opaque here", "cat <<'A B'\nx": "A B opaque here", "echo 'a": "' opaque", "echo \"a": "\" opaque", "for i in 1; do\n:": "done", "if :; then\n:": "fi", "a |": "",
	} {
		_, incomplete, err := Parse(script + "\n")
		if !incomplete {
			t.Errorf("%q is not incomplete (%v)", script, err)
			continue
		}
		got, opaque, here := Awaits(err)
		if opaque {
			got += " opaque"
		}
		if here {
			got += " here"
		}
		if got != want {
			t.Errorf("%q awaits %q, want %q (%v)", script, got, want, err)
		}
	}
}

func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Pipe{}
		data := bytes.Repeat([]byte("0123456789"), 50_000)
		go func() {
			p.Write(data)
			p.CloseWrite()
		}()
		synctest.Wait() // full: the writer waits
		got, err := io.ReadAll(p)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %d of %d bytes, %v", len(got), len(data), err)
		}
	})
}

func TestPipeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Pipe{}
		result := make(chan error)
		go func() { _, err := p.Write(make([]byte, pipeSize+1)); result <- err }()
		synctest.Wait()
		p.CloseRead()
		if err := <-result; !errors.Is(err, ErrBrokenPipe) {
			t.Errorf("writing to nobody: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := (&Pipe{}).ReadContext(ctx, make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a read that is given up: %v", err)
		}
	})
}

func TestGroup(t *testing.T) {
	g := &Group{}
	ctx, done := g.Context(t.Context())
	defer done()
	g.Signal(0)
	g.Ignore(SIGINT, true)
	g.Signal(SIGINT)
	if ctx.Err() != nil {
		t.Error("a harmless or ignored signal cancelled the context")
	}
	g.Signal(SIGQUIT)
	if got := KilledStatus(ctx); got != 131 {
		t.Errorf("status %d, want 131", got)
	}
	after, done2 := g.Context(t.Context())
	defer done2()
	if after.Err() != nil {
		t.Error("an old signal cancels a new context")
	}
	for text, want := range map[string]Signal{"TERM": SIGTERM, "sigkill": SIGKILL, "2": SIGINT} {
		if got, err := ParseSignal(text); got != want || err != nil {
			t.Errorf("ParseSignal(%q) = %v, %v", text, got, err)
		}
	}
	if _, err := ParseSignal("NOPE"); err == nil {
		t.Error("NOPE is a signal")
	}
}

func TestPrompt(t *testing.T) {
	s := testShell(t, io.Discard)
	s.cfg.Cred.User = "eve"
	for ps1, want := range map[string]string{`\s-\v\$ `: "sh-5.2$ ", `[\w] `: "[/] ", `\[\e[1m\]x\[\033[m\]`: "\x1b[1mx\x1b[m", `\q\\`: `\q\`} {
		s.setString("PS1", ps1)
		if got := s.Prompt(false); got != want {
			t.Errorf("PS1=%q: got %q, want %q", ps1, got, want)
		}
	}
}

func FuzzPrintf(f *testing.F) {
	f.Add("%5.2f|%-*s|%q|%b\\n", "3.14 x")
	f.Add("%", "")
	f.Add(`\x\u\0%c%d`, "'a 0x1f")
	f.Fuzz(func(t *testing.T, format, args string) {
		fm := formatter{args: strings.Fields(args)}
		fm.format(format)
		unescape(format, true)
	})
}
