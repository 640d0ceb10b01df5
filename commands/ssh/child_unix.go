//go:build unix

package ssh

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// waitSSH waits for ssh to end. When it suspends itself (Enter ~ Ctrl-Z) we
// follow, so that the shell notices, and take it along when we go on.
func waitSSH(cmd *exec.Cmd) (code int, err error) {
	for {
		var status syscall.WaitStatus
		switch _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return 0, os.NewSyscallError("wait4", err)
		}
		switch {
		case status.Stopped():
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			_ = syscall.Kill(cmd.Process.Pid, syscall.SIGCONT)
		case status.Signaled():
			_ = cmd.Process.Release()
			return 128 + int(status.Signal()), nil
		case status.Exited():
			_ = cmd.Process.Release()
			return status.ExitStatus(), nil
		}
	}
}
