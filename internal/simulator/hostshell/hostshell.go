// Package hostshell is a machine of the simulator that runs real programs of
// the machine the simulator runs on. It is for tests, benchmarks and
// full-screen programs, and used only on request (--shell host): whatever is
// typed there really happens.
//
// Programs start in a scratch directory with a minimal environment; nothing of
// the caller's environment but PATH reaches them, least of all its AWS
// credentials. That is tidiness, not a sandbox.
package hostshell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// outputGrace is how long output is still taken after a command has ended while
// something it left behind holds its output open.
const outputGrace = 2 * time.Second

// Options configure New.
type Options struct {
	// Root is where the scratch directory is made; "" is the directory for
	// temporary files.
	Root string
	// AllowRoot permits to run as root.
	AllowRoot bool
}

// Machine runs programs of the host. It is safe for concurrent use.
type Machine struct {
	home string

	mu       sync.Mutex // guards what follows
	sessions map[*session]struct{}
	closed   bool
}

var _ shell.Machine = (*Machine)(nil)

// New makes the scratch directory. It refuses to work as root unless that is
// allowed, with an error of kind fault.Refused.
func New(o Options) (*Machine, error) {
	if runningAsRoot() && !o.AllowRoot {
		return nil, fault.New(fault.Refused, "start host shell", "it would run simulated commands as root on this machine").
			WithHint("run the simulator as an ordinary user, or use --shell virtual, which cannot touch this machine")
	}
	home, err := os.MkdirTemp(o.Root, "ssmdeck-host-")
	if err != nil {
		return nil, fmt.Errorf("make scratch directory of host shell: %w", err)
	}
	return &Machine{home: home, sessions: map[*session]struct{}{}}, nil
}

// Home returns the scratch directory.
func (m *Machine) Home() string { return m.home }

// Close ends all sessions and removes the scratch directory. Scripts that Run
// is executing end by their own context.
func (m *Machine) Close() error {
	m.mu.Lock()
	m.closed = true
	var open []*session
	for s := range m.sessions {
		open = append(open, s)
	}
	m.mu.Unlock()
	for _, s := range open {
		s.Close()
	}
	return os.RemoveAll(m.home)
}

var errClosed = errors.New("host shell is closed")

func (m *Machine) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// environ returns the environment of a program.
func (m *Machine) environ(extra []string, terminal bool) []string {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
	}
	env := []string{"PATH=" + path, "HOME=" + m.home}
	if runtime.GOOS == "windows" {
		for _, name := range []string{"SystemRoot", "TEMP", "TMP", "PATHEXT", "ComSpec"} { // nothing starts without
			if v := os.Getenv(name); v != "" {
				env = append(env, name+"="+v)
			}
		}
		env = append(env, "USERPROFILE="+m.home)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(extra, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	}
	if !has("LANG") {
		env = append(env, "LANG=C.UTF-8")
	}
	if terminal && !has("TERM") {
		env = append(env, "TERM=xterm-256color")
	}
	return append(env, extra...)
}

// Run executes a script with the shell of the host. Elevated has no meaning
// here: the script runs as the user of the simulator.
func (m *Machine) Run(ctx context.Context, c shell.Command, sio shell.IO) (int, error) {
	if m.isClosed() {
		return 1, errClosed
	}
	if err := ctx.Err(); err != nil {
		return shell.StatusKilled, err
	}
	name, args := shellCommand(c.Script)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = m.home, m.environ(c.Env, false)
	if c.Dir != "" {
		cmd.Dir = c.Dir
	}
	cmd.Stdout, cmd.Stderr = sio.Stdout, sio.Stderr
	cmd.WaitDelay = outputGrace
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	stdin, err := connectStdin(cmd, sio.Stdin)
	if err != nil {
		return 1, fmt.Errorf("start host shell: %w", err)
	}
	if err := cmd.Start(); err != nil {
		stdin.abandon()
		return 1, fmt.Errorf("start host shell: %w", err)
	}
	stdin.start()
	stop := c.OnInterrupt(func() { interruptGroup(cmd) })
	err = cmd.Wait()
	stop()
	stdin.stop()
	if ctx.Err() != nil {
		return shell.StatusKilled, ctx.Err()
	}
	return exitStatus(cmd, err)
}

// exitStatus turns what Wait returned into the status of a shell.
func exitStatus(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.As(err, &exit), errors.Is(err, exec.ErrWaitDelay):
		return processStatus(cmd.ProcessState), nil
	case cmd.ProcessState != nil:
		// The program ran; it is the caller's writer that failed.
		return shell.StatusBrokenPipe, nil
	}
	return 1, err
}

// stdinCopy feeds a command from a reader that may never end. It is our own
// pipe, not that of package exec, whose Wait would wait for the reader.
type stdinCopy struct {
	r    io.Reader
	w    io.WriteCloser
	done chan struct{}
}

func connectStdin(cmd *exec.Cmd, r io.Reader) (*stdinCopy, error) {
	if r == nil {
		return &stdinCopy{}, nil
	}
	if f, ok := r.(*os.File); ok {
		cmd.Stdin = f
		return &stdinCopy{}, nil
	}
	w, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &stdinCopy{r: r, w: w}, nil
}

func (s *stdinCopy) start() {
	if s.w == nil {
		return
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		defer s.w.Close()
		_, _ = io.Copy(s.w, s.r) // a broken pipe: the command wants no more
	}()
}

// stop gives up what the command did not read. A Read of the caller's reader
// that is under way is left behind, as shell.IO says.
func (s *stdinCopy) stop() {
	if s.w != nil {
		s.w.Close()
	}
}

func (s *stdinCopy) abandon() {
	if s.w != nil {
		s.w.Close()
	}
}
