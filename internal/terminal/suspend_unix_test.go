//go:build unix

package terminal

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const suspends = 30

// TestSuspendStopsOnce suspends a process again and again while it watches what stops it:
// each time it stops once, and the signal that stops the rest of its group is not heard
// by itself, neither then nor when it goes on.
func TestSuspendStopsOnce(t *testing.T) {
	const child = "SSMDECK_TEST_SUSPENDS"
	if os.Getenv(child) != "" {
		heard := make(chan os.Signal, suspends)
		watchStops()
		for range suspends {
			signal.Notify(heard, unix.SIGTSTP)
			if err := Suspend(); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(heard); n > 0 {
			t.Fatalf("it heard of %d stops", n)
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestSuspendStopsOnce$", "-test.timeout", "5m")
	cmd.Env = append(os.Environ(), child+"=1")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the stop is for all of the group
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for stops := 0; ; {
		var status unix.WaitStatus
		switch _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); {
		case err == unix.EINTR:
		case err != nil:
			t.Fatal(err)
		case status.Stopped():
			stops++
			_ = unix.Kill(cmd.Process.Pid, unix.SIGCONT)
		default:
			if stops != suspends || status.ExitStatus() != 0 {
				t.Errorf("it stopped %d times, want %d; exit status %d", stops, suspends, status.ExitStatus())
			}
			return
		}
	}
}
