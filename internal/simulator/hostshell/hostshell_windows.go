package hostshell

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// runningAsRoot is never true: an elevated process on Windows is not told from
// others here, and the scratch directory is its own.
func runningAsRoot() bool { return false }

func shellCommand(script string) (string, []string) {
	if _, err := exec.LookPath("powershell.exe"); err != nil {
		return "cmd.exe", []string{"/d", "/c", script}
	}
	return "powershell.exe", []string{"-NoLogo", "-NoProfile", "-NonInteractive", "-Command", script}
}

func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

// interruptGroup kills: Windows has no interrupt for one process.
func interruptGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // it may have ended

func processStatus(state *os.ProcessState) int { return state.ExitCode() }

// session does not exist on Windows.
type session struct{}

func (*session) Close() error { return nil }

// Start reports that there are no interactive host shells on Windows.
func (*Machine) Start(context.Context, shell.TTYOptions) (shell.TTY, error) {
	return nil, errors.New("interactive host shells need Unix; use the virtual shell (--shell virtual) on Windows")
}
