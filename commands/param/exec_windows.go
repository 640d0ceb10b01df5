package param

import "github.com/ssmdeck/ssmdeck/commands/cli"

// runInPlace runs a program with an environment. A process cannot become another one
// here: we wait for it, and pass on what it ends with.
func runInPlace(env *cli.Env, path string, argv, environ []string) error {
	return runBeside(env, path, argv, environ)
}
