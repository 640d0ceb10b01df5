package commands

import "os"

// passSignal ends a child: no signal but Ctrl-C exists here, and that one the
// console sends to every process that it has.
func passSignal(p *os.Process, s os.Signal) error {
	if s == os.Interrupt {
		return nil
	}
	return p.Kill()
}

// exitStatus is a child's, made one that ours can be.
func exitStatus(s *os.ProcessState) int {
	if s.Success() {
		return 0
	}
	return clampStatus(s.ExitCode())
}
