package simulator

import (
	"errors"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func hostMachine(world.Node, bool) (shell.Machine, error) {
	return nil, errors.New("host shells are not available")
}
