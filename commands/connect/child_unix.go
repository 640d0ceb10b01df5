//go:build unix

package connect

import (
	"os"
	"syscall"
)

// PassSignal gives a signal of ours to a child.
func PassSignal(p *os.Process, s os.Signal) error { return p.Signal(s) }

// ExitStatus is a child's, as a shell counts it: 128 and the number of the
// signal that ended it.
func ExitStatus(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
