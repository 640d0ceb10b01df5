package commands

import (
	"os/exec"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// runSSH runs ssh on our streams and returns its exit status. The terminal is
// ssh's alone, and so are the signals.
func (e *Env) runSSH(program string, args []string) error {
	cmd := &exec.Cmd{
		Path: program, Args: append([]string{"ssh"}, args...),
		Stdin: e.In, Stdout: e.Out, Stderr: e.Err,
	}
	back, err := e.startChild(cmd)
	if err != nil {
		return own(fault.New(fault.Failed, "run ssh", "%w", err))
	}
	defer back()
	code, err := waitSSH(cmd)
	switch {
	case err != nil:
		return own(fault.New(fault.Failed, "run ssh", "%w", err))
	case code != 0:
		return &fault.Exit{Code: code}
	}
	return nil
}
