//go:build unix

package hostshell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

func runningAsRoot() bool { return os.Geteuid() == 0 }

func shellCommand(script string) (string, []string) { return "sh", []string{"-c", script} }

// ownGroup puts the command into a process group of its own, so that what it
// started is killed with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) error { return signalGroup(cmd, syscall.SIGKILL) }

func interruptGroup(cmd *exec.Cmd) { _ = signalGroup(cmd, syscall.SIGINT) } // it may have ended

func signalGroup(cmd *exec.Cmd, sig syscall.Signal) error {
	err := syscall.Kill(-cmd.Process.Pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func processStatus(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

// session is a program on a pseudo-terminal.
type session struct {
	m      *Machine
	cmd    *exec.Cmd
	pty    *os.File
	cancel context.CancelFunc
	done   chan struct{}
	status int // valid once done is closed

	closeOnce sync.Once
	closeErr  error
}

// Start runs a program on a new pseudo-terminal, which is its controlling one.
func (m *Machine) Start(ctx context.Context, o shell.TTYOptions) (shell.TTY, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cols, rows := o.Cols, o.Rows
	if cols <= 0 {
		cols = 80
	}
	if rows <= 0 {
		rows = 24
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, "sh")
	if o.Command != "" {
		cmd.Args = []string{"sh", "-c", o.Command}
	}
	cmd.Dir, cmd.Env = m.home, append(m.environ(o.Env, true), "SHELL=/bin/sh")
	s := &session{m: m, cmd: cmd, cancel: cancel, done: make(chan struct{})}
	// pty.Start makes the child the leader of a session of its own, hence also
	// of a process group.
	cmd.Cancel = func() error { return killGroup(cmd) }
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		cancel()
		return nil, errClosed
	}
	var err error
	s.pty, err = pty.StartWithSize(cmd, &pty.Winsize{Cols: clamp(cols), Rows: clamp(rows)})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start host shell: %w", err)
	}
	s.pty = interruptible(s.pty)
	m.sessions[s] = struct{}{}
	go s.wait()
	return s, nil
}

// interruptible returns the terminal as a file whose Read can be ended: package
// pty leaves it in blocking mode, in which neither Close nor a deadline does.
// Only on Linux: elsewhere a terminal cannot always be polled, but there it
// ends with its session anyway.
func interruptible(f *os.File) *os.File {
	if runtime.GOOS != "linux" {
		return f
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return f
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd) // the original still works, if less well
		return f
	}
	_ = f.Close() // fd is the same terminal
	return os.NewFile(uintptr(fd), f.Name())
}

func clamp(n int) uint16 { return uint16(min(max(n, 1), 1<<15)) }

func (s *session) wait() {
	defer close(s.done)
	_ = s.cmd.Wait() // its state says more than its error
	s.status = processStatus(s.cmd.ProcessState)
	s.cancel()
	// What the program left behind in the background may hold the terminal
	// open; it does not keep the session. No deadlines: the system ends it.
	_ = s.pty.SetReadDeadline(time.Now().Add(outputGrace))
	s.m.mu.Lock()
	delete(s.m.sessions, s)
	s.m.mu.Unlock()
}

// Read returns io.EOF after the program has ended and its output was read. The
// system reports the end of a terminal as an input/output error.
func (s *session) Read(p []byte) (int, error) {
	n, err := s.pty.Read(p)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		if n = s.readNow(p); n > 0 { // a slow reader still gets everything
			return n, nil
		}
		return 0, io.EOF
	case errors.Is(err, syscall.EIO), errors.Is(err, os.ErrClosed):
		return n, io.EOF
	}
	return n, err
}

// readNow reads what is there, whatever the deadline says.
func (s *session) readNow(p []byte) (n int) {
	conn, err := s.pty.SyscallConn()
	if err != nil {
		return 0
	}
	_ = conn.Control(func(fd uintptr) { // fails when it is closed: nothing to read
		n, _ = unix.Read(int(fd), p)
	})
	return max(n, 0)
}

func (s *session) Write(p []byte) (int, error) { return s.pty.Write(p) }

func (s *session) Resize(cols, rows int) error {
	if cols < 1 || rows < 1 {
		return errors.New("terminal size out of range")
	}
	// Not pty.Setsize, which puts the file back into blocking mode.
	conn, err := s.pty.SyscallConn()
	if err != nil {
		return err
	}
	var ioctlErr error
	if err := conn.Control(func(fd uintptr) {
		ioctlErr = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: clamp(cols), Row: clamp(rows)})
	}); err != nil {
		return err
	}
	return ioctlErr
}

func (s *session) Wait() int {
	<-s.done
	return s.status
}

// Close hangs up: the program is killed with its process group and waited for.
func (s *session) Close() error {
	s.closeOnce.Do(func() {
		s.cancel()
		s.closeErr = s.pty.Close()
	})
	<-s.done
	return s.closeErr
}
