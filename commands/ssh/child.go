package ssh

import (
	"os/exec"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// runSSH runs ssh on our streams and returns its exit status. The terminal is
// ssh's alone, and so are the signals.
func runSSH(env *cli.Env, program string, args []string) error {
	cmd := &exec.Cmd{
		Path: program, Args: append([]string{"ssh"}, args...),
		Stdin: env.In, Stdout: env.Out, Stderr: env.Err,
	}
	back, err := connect.StartChild(env, cmd)
	if err != nil {
		return cli.Own(fault.New(fault.Failed, "run ssh", "%w", err))
	}
	defer back()
	code, err := waitSSH(cmd)
	switch {
	case err != nil:
		return cli.Own(fault.New(fault.Failed, "run ssh", "%w", err))
	case code != 0:
		return &fault.Exit{Code: code}
	}
	return nil
}
