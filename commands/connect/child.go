package connect

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/portforward"
)

const (
	// notFoundStatus is a shell's for a command that does not exist.
	notFoundStatus = 127
	// NotRunStatus is a shell's for a program that is there and cannot be run.
	NotRunStatus = 126
	// ChildGrace is how long a child may take to end after it was told to.
	ChildGrace = 5 * time.Second
	// lingerMost bounds how long connections that outlive the child keep the
	// forward: those of a process that it left in the background, or a full window.
	lingerMost = 10 * time.Second
	// lingerLeast is time for the last connection of a short-lived child to be
	// noticed.
	lingerLeast = 20 * time.Millisecond
)

// Child is the local command that a forward was opened for. It has our
// standard streams and our terminal, which nobody else touches.
type Child struct {
	env  *cli.Env
	Path string
	Argv []string // as typed

	cmd  *exec.Cmd
	back func() // gives the signals back
	done chan struct{}
	err  error // of starting or waiting, when done is closed
}

// NewChild finds the program, so that one that is missing is told before
// anything is opened.
func NewChild(env *cli.Env, argv []string) (*Child, error) {
	path, err := exec.LookPath(argv[0])
	status := notFoundStatus
	switch {
	case err == nil:
		return &Child{env: env, Path: path, Argv: argv}, nil
	case errors.Is(err, exec.ErrDot):
		err = fault.New(fault.NotFound, "", "%s is not found in PATH, only in this folder", argv[0]).
			WithHint("write .%c%s to mean it", os.PathSeparator, argv[0])
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		err = fault.New(fault.NotFound, "", "%s: command not found", argv[0]).WithHint("install it, or give its path")
	default:
		status = NotRunStatus
		err = fault.New(fault.Failed, "run "+argv[0], "%w", errors.Unwrap(err))
	}
	return nil, cli.Coded(err, status)
}

// Start runs the program with environ beside our own variables, and calls ended
// when it is over. From now on signals are the child's.
func (c *Child) Start(environ, argv []string, ended func()) {
	c.cmd = &exec.Cmd{
		Path: c.Path, Args: argv, Env: append(os.Environ(), environ...),
		Stdin: c.env.In, Stdout: c.env.Out, Stderr: c.env.Err,
		WaitDelay: ChildGrace, // for streams that are not files
	}
	c.done = make(chan struct{})
	var err error
	if c.back, err = StartChild(c.env, c.cmd); err != nil {
		c.err = fault.New(fault.Failed, "run "+c.Argv[0], "%w", err)
		close(c.done)
		ended()
		return
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
		ended()
	}()
}

// Over reports whether the child has run and ended.
func (c *Child) Over() bool {
	if c.done == nil {
		return false
	}
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// End waits for the child and returns what the whole came to: the child's
// status, or our own failure cause, of which the child is told by SIGTERM.
func (c *Child) End(cause error) error {
	if c.done == nil { // it was never started
		if cause == nil {
			cause = context.Canceled
		}
		return cli.Own(cause)
	}
	if c.Over() {
		cause = nil // what failed after the end is nobody's loss
	} else {
		_ = PassSignal(c.cmd.Process, syscall.SIGTERM)
		timer := time.AfterFunc(ChildGrace, func() { _ = c.cmd.Process.Kill() })
		<-c.done
		timer.Stop()
	}
	c.back()
	switch {
	case cause != nil:
		return cli.Own(cause)
	case c.cmd.ProcessState == nil: // it never ran
		return cli.Own(c.err)
	}
	if code := ExitStatus(c.cmd.ProcessState); code != 0 {
		return &fault.Exit{Code: code}
	}
	return nil
}

// StartChild starts a program on our streams. From now on signals are the
// program's, until back is called.
func StartChild(env *cli.Env, cmd *exec.Cmd) (back func(), err error) {
	// An ignored signal stays ignored in a child, and a pipeline in there needs
	// SIGPIPE. One that is only caught does not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := cmd.Start(); err != nil || env.Interrupts == nil {
		return func() {}, err
	}
	terminal := Attended(env)
	return env.Interrupts.Hand(func(s os.Signal) {
		// The terminal has sent its own to the child as well.
		if (s == os.Interrupt || s == syscall.SIGQUIT) && terminal {
			return
		}
		_ = PassSignal(cmd.Process, s)
	}), nil
}

// Attended reports whether one of our streams is a terminal, whose keys reach
// every process of the group.
func Attended(env *cli.Env) bool {
	return cli.IsTerminal(env.In) || cli.IsTerminal(env.Out) || cli.IsTerminal(env.Err)
}

// Traffic knows which connections may still have something to send.
type Traffic struct {
	mu      sync.Mutex
	sending map[int64]bool
	idle    chan struct{} // closed when nothing is sending any more; nil: nobody waits
}

// Event takes what a forward tells of its connections.
func (t *Traffic) Event(e portforward.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Type {
	case portforward.Connected:
		if t.sending == nil {
			t.sending = map[int64]bool{}
		}
		t.sending[e.Connection] = true
	case portforward.LocalEnd, portforward.Closed, portforward.Refused, portforward.Failed:
		delete(t.sending, e.Connection)
		if len(t.sending) == 0 && t.idle != nil {
			close(t.idle)
			t.idle = nil
		}
	}
}

// Linger waits until what a child wrote before its end is on its way; closing
// the session sees it through.
func (t *Traffic) Linger(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lingerMost)
	defer cancel()
	_ = wait.Sleep(ctx, lingerLeast)
	t.mu.Lock()
	if len(t.sending) == 0 {
		t.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	t.idle = idle
	t.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
