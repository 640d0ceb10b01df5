package commands

import (
	"errors"
	"os/exec"
)

// waitSSH waits for ssh to end.
func waitSSH(cmd *exec.Cmd) (code int, err error) {
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return clampStatus(exit.ExitCode()), nil
	}
	return 0, err
}
