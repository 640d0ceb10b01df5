package ssh

import (
	"errors"
	"os/exec"

	"github.com/ssmdeck/ssmdeck/commands/cli"
)

// waitSSH waits for ssh to end.
func waitSSH(cmd *exec.Cmd) (code int, err error) {
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return cli.ClampStatus(exit.ExitCode()), nil
	}
	return 0, err
}
