//go:build unix

package hostshell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/creack/pty"

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
	m.sessions[s] = struct{}{}
	go s.wait()
	return s, nil
}

func clamp(n int) uint16 { return uint16(min(max(n, 1), 1<<15)) }

func (s *session) wait() {
	defer close(s.done)
	_ = s.cmd.Wait() // its state says more than its error
	s.status = processStatus(s.cmd.ProcessState)
	s.cancel()
	s.m.mu.Lock()
	delete(s.m.sessions, s)
	s.m.mu.Unlock()
}

// Read returns io.EOF after the last program on the terminal has closed it,
// which Linux reports as an input/output error.
func (s *session) Read(p []byte) (int, error) {
	n, err := s.pty.Read(p)
	if err != nil && (errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed)) {
		err = io.EOF
	}
	return n, err
}

func (s *session) Write(p []byte) (int, error) { return s.pty.Write(p) }

func (s *session) Resize(cols, rows int) error {
	if cols < 1 || rows < 1 {
		return errors.New("terminal size out of range")
	}
	return pty.Setsize(s.pty, &pty.Winsize{Cols: clamp(cols), Rows: clamp(rows)})
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
