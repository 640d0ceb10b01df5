package commands

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// runSSH runs ssh on our streams and returns its exit status. The terminal is
// ssh's alone, and so are the signals.
func (e *Env) runSSH(program string, args []string) error {
	cmd := &exec.Cmd{
		Path: program, Args: append([]string{"ssh"}, args...),
		Stdin: e.In, Stdout: e.Out, Stderr: e.Err,
	}
	// An ignored signal stays ignored in a child, and what ssh runs may need it. One
	// that is only caught does not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := cmd.Start(); err != nil {
		return own(fault.New(fault.Failed, "run ssh", "%w", err))
	}
	if e.interrupts != nil {
		terminal := e.attended()
		defer e.interrupts.hand(func(s os.Signal) {
			// The keys of a terminal reach every process of the group.
			if (s == os.Interrupt || s == syscall.SIGQUIT) && terminal {
				return
			}
			_ = passSignal(cmd.Process, s)
		})()
	}
	code, err := waitSSH(cmd)
	switch {
	case err != nil:
		return own(fault.New(fault.Failed, "run ssh", "%w", err))
	case code != 0:
		return &fault.Exit{Code: code}
	}
	return nil
}
