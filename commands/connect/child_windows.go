package connect

import (
	"os"

	"github.com/ssmdeck/ssmdeck/commands/cli"
)

// PassSignal ends a child: no signal but Ctrl-C exists here, and that one the
// console sends to every process that it has.
func PassSignal(p *os.Process, s os.Signal) error {
	if s == os.Interrupt {
		return nil
	}
	return p.Kill()
}

// ExitStatus is a child's, made one that ours can be.
func ExitStatus(s *os.ProcessState) int {
	if s.Success() {
		return 0
	}
	return cli.ClampStatus(s.ExitCode())
}
