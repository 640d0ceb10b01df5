package param

import (
	"errors"
	"os/exec"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// runBeside runs a program with an environment on our streams, and waits for it. Its
// exit status is ours, and signals are its own meanwhile.
func runBeside(env *cli.Env, path string, argv, environ []string) error {
	return waitChild(env, &exec.Cmd{Path: path, Args: argv, Env: environ, Stdin: env.In, Stdout: env.Out, Stderr: env.Err}, argv[0])
}

func waitChild(env *cli.Env, cmd *exec.Cmd, name string) error {
	cmd.WaitDelay = connect.ChildGrace // for streams that are not files
	back, err := connect.StartChild(env, cmd)
	if err != nil {
		return &cli.CodedError{Err: fault.New(fault.Failed, "run "+name, "%w", cli.PlainPathError(err)), Code: connect.NotRunStatus}
	}
	defer back()
	err = cmd.Wait()
	if cmd.ProcessState == nil || errors.Is(err, exec.ErrWaitDelay) {
		return cli.Own(fault.New(fault.Failed, "run "+name, "%w", err))
	}
	if code := connect.ExitStatus(cmd.ProcessState); code != 0 {
		return &fault.Exit{Code: code}
	}
	return nil
}
