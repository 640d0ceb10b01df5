package virtual

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
)

// typist plays the user of a terminal inside a synctest bubble: it types, lets
// everything settle, and looks at what was printed.
type typist struct {
	t    *testing.T
	tty  shell.TTY
	done chan struct{}

	mu  sync.Mutex
	out strings.Builder
	err error
}

func open(t *testing.T, m *Machine, o shell.TTYOptions) *typist {
	t.Helper()
	tty, err := m.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	u := &typist{t: t, tty: tty, done: make(chan struct{})}
	go func() {
		defer close(u.done)
		buf := make([]byte, 1024)
		for {
			n, err := tty.Read(buf)
			u.mu.Lock()
			u.out.Write(buf[:n])
			u.err = err
			u.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return u
}

// typing types keys and returns everything printed since the last call.
func (u *typist) typing(keys string) string {
	u.t.Helper()
	synctest.Wait()
	if _, err := u.tty.Write([]byte(keys)); err != nil {
		u.t.Fatalf("typing %q: %v", keys, err)
	}
	return u.shown()
}

func (u *typist) shown() string {
	synctest.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	out := u.out.String()
	u.out.Reset()
	return out
}

// end closes the terminal and returns the exit status.
func (u *typist) end() int {
	u.t.Helper()
	if err := u.tty.Close(); err != nil {
		u.t.Errorf("close: %v", err)
	}
	<-u.done
	if !errors.Is(u.err, io.EOF) {
		u.t.Errorf("the last Read gave %v, want EOF", u.err)
	}
	return u.tty.Wait()
}

const prompt = "sh-5.2$ "

func TestInteractiveShell(t *testing.T) {
	type step struct{ keys, want string }
	tests := []struct {
		name   string
		steps  []step
		status int
	}{
		{"a command", []step{{"echo hi\r", "echo hi\r\nhi\r\n" + prompt}, {"exit 3\r", "exit 3\r\nexit\r\n"}}, 3},
		{"LF is Enter too", []step{{"echo hi\n", "echo hi\r\nhi\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"an empty line", []step{{"\r", "\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"the status of the last command is that of the shell", []step{{"false\r", "false\r\n" + prompt}, {"\x04", "exit\r\n"}}, 1},
		{"Ctrl-C drops the line", []step{{"rm -rf x\x03", "rm -rf x^C\r\n" + prompt}, {"echo $?\r", "echo $?\r\n130\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"Ctrl-C ends a command", []step{{"sleep 100\r", "sleep 100\r\n"}, {"\x03", "^C\r\n" + prompt}, {"echo $?\r", "echo $?\r\n130\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"Ctrl-C ends the whole line", []step{{"sleep 100; echo no\r", "sleep 100; echo no\r\n"}, {"\x03", "^C\r\n" + prompt}, {"\x04", "exit\r\n"}}, 130},
		{"Ctrl-C ends a loop of builtins", []step{{"while true; do read x; done\r", "while true; do read x; done\r\n"}, {"\x03", "^C\r\n" + prompt}, {"\x04", "exit\r\n"}}, 130},
		{"Ctrl-C ends a pipeline", []step{{"tail -f /var/log/nginx/error.log | grep xyz\r", "tail -f /var/log/nginx/error.log | grep xyz\r\n"}, {"\x03", "^C\r\n" + prompt}, {"\x04", "exit\r\n"}}, 130},
		{"Ctrl-backslash quits a command", []step{{"cat\r", "cat\r\n"}, {"\x1c", "^\\Quit\r\n" + prompt}, {"\x04", "exit\r\n"}}, 131},
		{"Ctrl-Z is ignored", []step{{"sleep 1\r", "sleep 1\r\n"}, {"\x1a", ""}, {"\x03", "^C\r\n" + prompt}, {"\x04", "exit\r\n"}}, 130},
		{"Ctrl-L clears the screen", []step{{"ab\x0c", "ab\x1b[H\x1b[2J" + prompt + "ab\x1b[J\r\x1b[10C"}, {"\x03\x04", "^C\r\n" + prompt + "exit\r\n"}}, 130},
		{"a program reads lines", []step{{"cat\r", "cat\r\n"}, {"ab\x7fc\r", "ab\b \bc\r\nac\r\n"}, {"\x04", prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a line of a program is edited with Ctrl-U and Ctrl-W", []step{{"cat\r", "cat\r\n"}, {"xy\x15a b\x17c\r", "xy\b \b\b \ba b\b \bc\r\na c\r\n"}, {"\x04", prompt}, {"\x04", "exit\r\n"}}, 0},
		{"read takes a line", []step{{"read x; echo \"<$x>\"\r", "read x; echo \"<$x>\"\r\n"}, {"hello\r", "hello\r\n<hello>\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"read -s does not echo", []step{{"read -s -p 'key: ' x; echo; echo ${#x}\r", "read -s -p 'key: ' x; echo; echo ${#x}\r\nkey: "}, {"secret\r", "\r\n6\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a pasted block runs line by line", []step{{"x=1\necho $x\necho two\n", "x=1\r\n" + prompt + "echo $x\r\n1\r\n" + prompt + "echo two\r\ntwo\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"CR LF is one Enter, also for the program that it starts", []step{{"read x; echo \"<$x>\"\r\nhello\r\n", "read x; echo \"<$x>\"\r\n<hello>\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"pasted input reaches the program", []step{{"read a\nvalue\necho $a\n", "read a\r\n" + prompt + "echo $a\r\nvalue\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"constructs continue", []step{{"for i in 1 2\r", "for i in 1 2\r\n> "}, {"do echo $i\r", "do echo $i\r\n> "}, {"done\r", "done\r\n1\r\n2\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"an open quote continues", []step{{"echo 'a\r", "echo 'a\r\n> "}, {"b'\r", "b'\r\na\r\nb\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a backslash continues", []step{{"echo a \\\r", "echo a \\\r\n> "}, {"b\r", "b\r\na b\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a here-document continues", []step{{"cat <<E\r", "cat <<E\r\n> "}, {"x $HOME\r", "x $HOME\r\n> "}, {"E\r", "E\r\nx /home/ssm-user\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a here-document with a quoted delimiter is taken as it is", []step{{"cat <<'E'\rx $HOME \\\ry\r", "cat <<'E'\r\n> x $HOME \\\r\n> y\r\n> "}, {"E\r", "E\r\nx $HOME \\\r\ny\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a backslash in a quote stays", []step{{"echo 'a \\\r", "echo 'a \\\r\n> "}, {"b'\r", "b'\r\na \\\r\nb\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"Ctrl-C leaves a continuation", []step{{"echo 'a\r", "echo 'a\r\n> "}, {"\x03", "^C\r\n" + prompt}, {"\x04", "exit\r\n"}}, 130},
		{"a syntax error is told", []step{{"fi\r", "fi\r\nsh: syntax error: `fi` can only be used to end an `if`\r\n" + prompt}, {"\x04", "exit\r\n"}}, 2},
		{"an unknown command is told", []step{{"python3\r", "python3\r\nsh: python3: command not found\r\n" + prompt}, {"\x04", "exit\r\n"}}, 127},
		{"history with the arrow", []step{{"echo one\r", "echo one\r\none\r\n" + prompt}, {"\x1b[A", "\r" + prompt + "echo one\x1b[J\r\x1b[16C"}, {"\r", "\r\none\r\n" + prompt}, {"history\r", "history\r\n    1  echo one\r\n    2  history\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"!! repeats", []step{{"echo x\r", "echo x\r\nx\r\n" + prompt}, {"!!\r", "!!\r\necho x\r\nx\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"aliases work", []step{{"alias hi='echo hello'\r", "alias hi='echo hello'\r\n" + prompt}, {"hi you\r", "hi you\r\nhello you\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a nested shell", []step{{"bash\r", "bash\r\n" + prompt}, {"exit 4\r", "exit 4\r\nexit\r\n" + prompt}, {"echo $?\r", "echo $?\r\n4\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"Ctrl-C in a nested shell leaves the outer alone", []step{{"sh\r", "sh\r\n" + prompt}, {"sleep 9\r", "sleep 9\r\n"}, {"\x03", "^C\r\n" + prompt}, {"\x04", "exit\r\n" + prompt}, {"\x04", "exit\r\n"}}, 130},
		{"sudo -i is a root shell", []step{{"sudo -i\r", "sudo -i\r\nsh-5.2# "}, {"pwd; whoami\r", "pwd; whoami\r\n/root\r\nroot\r\nsh-5.2# "}, {"\x04", "exit\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
		{"a trap in a script gets Ctrl-C", []step{{"sh -c 'trap \"echo trapped; exit 5\" INT; sleep 9'\r", "sh -c 'trap \"echo trapped; exit 5\" INT; sleep 9'\r\n"}, {"\x03", "^Ctrapped\r\n\r\n" + prompt}, {"\x04", "exit\r\n"}}, 130},
		{"PS1 is a prompt", []step{{"PS1='\\u@\\h:\\w> '\r", "PS1='\\u@\\h:\\w> '\r\nssm-user@ip-10-0-1-23:~> "}, {"\x04", "exit\r\n"}}, 0},
		{"Tab completes a command", []step{{"hostnamec\t\r", "hostnamectl \r\n Static hostname: ip-10-0-1-23\r\n"}}, 129},
		{"Tab completes a path", []step{{"cat /etc/hostn\t\r", "cat /etc/hostname \r\nip-10-0-1-23\r\n" + prompt}, {"\x04", "exit\r\n"}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := open(t, New(Spec{}), shell.TTYOptions{})
				if got := u.shown(); got != prompt {
					t.Errorf("first output %q, want %q", got, prompt)
				}
				for _, s := range tt.steps {
					got := u.typing(s.keys)
					if tt.status == 129 { // the rest of the output is not the point
						got = got[:min(len(got), len(s.want))]
					}
					if got != s.want {
						t.Errorf("typing %q\n got %q\nwant %q", s.keys, got, s.want)
					}
				}
				if got := u.end(); got != tt.status {
					t.Errorf("exit status %d, want %d", got, tt.status)
				}
			})
		})
	}
}

func TestTerminalRunsOneCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := open(t, New(Spec{}), shell.TTYOptions{Command: "[ -t 0 ] && [ -t 1 ] && tty; read -p 'name: ' n; echo hi $n; exit 7", Env: []string{"X=1"}})
		if got, want := u.shown(), "/dev/pts/0\r\nname: "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := u.typing("bob\r"), "bob\r\nhi bob\r\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := u.end(); got != 7 {
			t.Errorf("exit status %d, want 7", got)
		}
	})
}

func TestCtrlCEndsTheCommandOfATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := open(t, New(Spec{}), shell.TTYOptions{Command: "sleep 100"})
		u.typing("\x03")
		if got := u.end(); got != 130 {
			t.Errorf("exit status %d, want 130", got)
		}
	})
}

func TestSizeFollowsResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := open(t, New(Spec{}), shell.TTYOptions{Cols: 100, Rows: 30})
		u.shown()
		ask := "stty size; tput cols; echo $COLUMNS $LINES\r"
		if got := u.typing(ask); !strings.Contains(got, "\r\n30 100\r\n100\r\n100 30\r\n") {
			t.Errorf("got %q", got)
		}
		if err := u.tty.Resize(132, 43); err != nil {
			t.Fatal(err)
		}
		if got := u.typing(ask); !strings.Contains(got, "\r\n43 132\r\n132\r\n132 43\r\n") {
			t.Errorf("after Resize got %q", got)
		}
		if err := u.tty.Resize(0, -1); err == nil {
			t.Error("a size of 0 by -1 was accepted")
		}
		u.end()
	})
}

func TestHangupEndsEverything(t *testing.T) {
	for _, keys := range []string{"", "cat\r", "sleep 100\r", "sleep 100 &\r", "yes\r", "sudo -i\rbash\rread x\r", "tail -f /etc/passwd | cat\r", "top\r", "journalctl -f\r", "while :; do :; done\r"} {
		t.Run(keys, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tty, err := New(Spec{}).Start(t.Context(), shell.TTYOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tty.Write([]byte(keys)); err != nil {
					t.Fatal(err)
				}
				tty.Close() // nobody reads; a goroutine left behind fails the bubble
				if got := tty.Wait(); got != 129 {
					t.Errorf("exit status %d, want 129", got)
				}
				if _, err := tty.Write([]byte("x")); err == nil {
					t.Error("typing into a closed terminal worked")
				}
			})
		})
	}
}

// TestHangupIsFoundWithTheTerminal has programs wait for the terminal alone:
// when it is gone, they must know already that it was hung up.
func TestHangupIsFoundWithTheTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		s := &session{t: newTerminal("pts/0", 80, 24, modeCooked), done: make(chan struct{})}
		status := 0
		go func() {
			defer close(s.done)
			if _, err := s.t.ReadContext(t.Context(), make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("the program reads %v, want EOF", err)
			}
			status = posix.KilledStatus(ctx)
		}()
		s.cancel = func(cause error) {
			synctest.Wait() // whoever can go on does so before the signal
			cancel(cause)
		}
		s.Close()
		if status != 129 {
			t.Errorf("exit status %d, want 129", status)
		}
	})
}

func TestCancelKillsATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tty, err := New(Spec{}).Start(ctx, shell.TTYOptions{})
		if err != nil {
			t.Fatal(err)
		}
		tty.Write([]byte("sleep 100 | cat\r"))
		synctest.Wait()
		cancel()
		if got := tty.Wait(); got != 137 {
			t.Errorf("exit status %d, want 137", got)
		}
		tty.Close()
	})
}

func TestBackgroundJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := open(t, New(Spec{}), shell.TTYOptions{})
		u.shown()
		got := u.typing("sleep 5 &\r")
		if !strings.Contains(got, "\r\n[1] ") {
			t.Errorf("no job number in %q", got)
		}
		if got := u.typing("jobs\r"); !strings.Contains(got, "[1]+  Running                 sleep 5 &\r\n") {
			t.Errorf("jobs: %q", got)
		}
		time.Sleep(6 * time.Second) // virtual time: the job ends
		if got := u.typing("\r"); !strings.Contains(got, "[1]+  Done                    sleep 5\r\n") {
			t.Errorf("the end of the job is not told: %q", got)
		}
		u.typing("sleep 50 &\r")
		if got := u.typing("kill %1; wait %1; echo $?\r"); !strings.Contains(got, "143\r\n") {
			t.Errorf("kill: %q", got)
		}
		u.typing("sleep 60 &\r")
		u.typing("fg\r")
		if got := u.typing("\x03"); !strings.HasPrefix(got, "^C") {
			t.Errorf("Ctrl-C in fg: %q", got)
		}
		u.typing("exit\r")
		u.end()
	})
}

func TestSessionsShareTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Spec{})
		a, b := open(t, m, shell.TTYOptions{}), open(t, m, shell.TTYOptions{})
		a.typing("echo shared > /tmp/f\r")
		if got := b.typing("cat /tmp/f; tty\r"); !strings.Contains(got, "\r\nshared\r\n/dev/pts/0\r\n") {
			t.Errorf("the other session sees %q", got)
		}
		a.typing("sleep 77\r")
		if got := b.typing("ps aux | grep 'sleep 7[7]'; pkill sleep\r"); !strings.Contains(got, "sleep 77") {
			t.Errorf("the process of the other session is not in %q", got)
		}
		if got := a.shown(); !strings.Contains(got, "Terminated\r\n"+prompt) {
			t.Errorf("the killed session shows %q", got)
		}
		a.end()
		b.end()
	})
}

// TestLongOutputWaitsForTheReader floods a terminal that nobody reads, then
// reads: memory stays bounded, nothing is lost, and it still can be stopped.
func TestLongOutputWaitsForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tty, err := New(Spec{}).Start(t.Context(), shell.TTYOptions{Command: "seq 1 200000"})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it has filled the buffer and waits
		s := tty.(*session)
		s.t.mu.Lock()
		if n := len(s.t.shown); n > 2*maxUnshown {
			t.Errorf("%d bytes are waiting to be read", n)
		}
		s.t.mu.Unlock()
		data, err := io.ReadAll(tty)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(data), "\r\n"), "\r\n")
		if len(lines) != 200000 || lines[0] != "1" || lines[199999] != "200000" {
			t.Errorf("got %d lines from %q to %q", len(lines), lines[0], lines[len(lines)-1])
		}
		tty.Close()
	})
}

// TestTypedAheadWaitsForTheProgram types far more than a program takes.
func TestTypedAheadWaitsForTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := open(t, New(Spec{}), shell.TTYOptions{Command: "wc -c"})
		line := strings.Repeat("x", 99) + "\n"
		for range 30 {
			if _, err := u.tty.Write([]byte(strings.Repeat(line, 1000))); err != nil {
				t.Fatal(err)
			}
		}
		out := u.typing("\x04")
		if !strings.HasSuffix(out, "3000000\r\n") {
			t.Errorf("counted %q", out[max(0, len(out)-40):])
		}
		u.end()
	})
}

// A raw terminal is a plain pipe: no echo, no lines, no signals, nothing is
// turned into anything.
func TestARawTerminalIsAPipe(t *testing.T) {
	m := New(Spec{})
	tty, err := m.Start(t.Context(), shell.TTYOptions{Command: `stty raw -echo; printf 'ready\n'; head -c 6 | base64; IFS= read -r l; echo "<$l>"; stty sane; echo cooked`})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	var out strings.Builder
	buf := make([]byte, 100)
	for !strings.Contains(out.String(), "ready\n") {
		n, err := tty.Read(buf)
		if err != nil {
			t.Fatalf("%q, %v", out.String(), err)
		}
		out.Write(buf[:n])
	}
	if _, err := tty.Write([]byte("\x03\x04\r\n\x1cxsecond\rline\n")); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(tty)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out.String()+string(rest), "ready\nAwQNChx4\n<second\rline>\ncooked\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
