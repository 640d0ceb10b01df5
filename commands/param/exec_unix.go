//go:build unix

package param

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// runInPlace runs a program with an environment in the place of this process, so that
// nothing of ours stays behind with what was read. It returns when that fails.
func runInPlace(env *cli.Env, path string, argv, environ []string) error {
	if env.Local != nil { // the simulator is in this process
		return runBeside(env, path, argv, environ)
	}
	// An ignored signal stays ignored in a program, and a pipeline in there needs
	// SIGPIPE. One that is only caught does not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	env.Close()
	return &cli.CodedError{Err: fault.New(fault.Failed, "run "+argv[0], "%w", syscall.Exec(path, argv, environ)), Code: connect.NotRunStatus}
}
