package commands

import (
	"os"
	"os/exec"
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
	if err := cmd.Start(); err != nil {
		return own(fault.New(fault.Failed, "run ssh", "%w", err))
	}
	if e.interrupts != nil {
		terminal := isTerminal(e.In) || isTerminal(e.Out) || isTerminal(e.Err)
		defer e.interrupts.hand(func(s os.Signal) {
			// The keys of a terminal reach every process of the group.
			if (s == os.Interrupt || s == syscall.SIGQUIT) && terminal {
				return
			}
			_ = cmd.Process.Signal(s)
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
