// Package shell says what a simulated node can run: scripts for Run Command
// and interactive programs for sessions.
//
// It holds only the contract between the simulated agent and the machines
// behind it (packages virtual and hostshell), and what every machine does alike.
package shell

import (
	"context"
	"io"
	"time"
)

// Exit statuses of a killed program, as a POSIX shell reports them: 128 plus
// the number of the signal.
const (
	StatusInterrupted = 130 // SIGINT
	StatusKilled      = 137 // SIGKILL; also that of a cancelled context
	StatusBrokenPipe  = 141 // SIGPIPE: the reader of the output went away
)

// Patchable is a machine that can be told that its system was patched or started
// anew. It is safe for concurrent use.
type Patchable interface {
	// Upgrade gives a package that is installed another version.
	Upgrade(name, version string)
	// Restart makes the system one that was started at a time.
	Restart(at time.Time)
}

// IO is where a command without a terminal reads and writes. A nil Stdin is
// empty, a nil Stdout or Stderr discards.
//
// Stdin is read by at most one goroutine at a time and only when the command
// asks for input. A Read that is under way when the command ends is left
// behind: who needs that Read to return closes the source.
//
// Stdout and Stderr may be the same writer, which then sees one Write at a
// time. An error from a Write ends the command as a broken pipe would.
type IO struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Command is one non-interactive script.
type Command struct {
	// Script is the text of the script: POSIX sh on Linux and macOS nodes,
	// PowerShell on Windows nodes.
	Script string
	// Dir is the working directory; "" is the home directory of the user.
	Dir string
	// Env holds extra variables as KEY=VALUE.
	Env []string
	// Elevated runs the script as root (SYSTEM on Windows) instead of as
	// ssm-user.
	Elevated bool
	// Interrupt delivers SIGINT to the command once for each value received,
	// and once when it is closed. A command that does not handle the signal
	// ends with StatusInterrupted.
	Interrupt <-chan struct{}
}

// OnInterrupt calls f for every interrupt that c gets, one at a time, until stop
// is called; stop waits for a call that is under way.
func (c Command) OnInterrupt(f func()) (stop func()) {
	if c.Interrupt == nil {
		return func() {}
	}
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case _, ok := <-c.Interrupt:
				f()
				if !ok {
					return
				}
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-done
	}
}

// TTYOptions start an interactive program.
type TTYOptions struct {
	// Command is the command line to run on the terminal; "" is a login shell.
	Command string
	// Cols and Rows are the initial size in cells; 0 means 80x24, on Windows
	// nodes 200x60 (the sizes the SSM agent starts with).
	Cols, Rows int
	// User is the account to run as; "" is ssm-user.
	User string
	// Env holds extra variables as KEY=VALUE.
	Env []string
}

// Machine runs programs for one node. It is safe for concurrent use.
type Machine interface {
	// Run executes c to its end and returns its exit status, 128+n when it was
	// killed by signal n. Cancelling ctx kills it: the status is then
	// StatusKilled and the error ctx.Err(). Any other error means that the
	// command could not be started at all.
	Run(ctx context.Context, c Command, io IO) (status int, err error)
	// Start opens an interactive program on a terminal. Cancelling ctx, or
	// closing the TTY, kills the program.
	Start(ctx context.Context, o TTYOptions) (TTY, error)
}

// TTY is a running interactive program and its terminal. Its methods may be
// called concurrently.
//
// Read gives what the program prints and returns io.EOF after it has ended and
// all output was read. Write takes what is typed, as raw bytes: 0x03 is Ctrl-C
// and so on, for the line discipline is on this side. Close hangs up; it is
// needed also after the program has ended.
type TTY interface {
	io.ReadWriteCloser
	// Resize tells the program the new size of the terminal in cells.
	Resize(cols, rows int) error
	// Wait blocks until the program has ended and returns its exit status.
	Wait() int
}
