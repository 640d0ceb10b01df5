//go:build unix

package commands

import (
	"os"
	"syscall"
)

// passSignal gives a signal of ours to a child.
func passSignal(p *os.Process, s os.Signal) error { return p.Signal(s) }

// exitStatus is a child's, as a shell counts it: 128 and the number of the
// signal that ended it.
func exitStatus(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
