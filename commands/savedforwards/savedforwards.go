// Package savedforwards says where saved forwards are kept and how all those that
// run are found, for every command that shows them.
package savedforwards

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
)

// Load reads the files of forwards. file is --file: it alone is read; empty: the
// user's own and that of the project.
func Load(env *cli.Env, file string) (forwards.Saved, error) {
	folder, err := os.Getwd()
	if err != nil {
		folder = "" // it was removed under us: there is no project then
	}
	sources := forwards.Sources{
		Lookup: env.Lookup, GOOS: runtime.GOOS, File: file, Folder: folder,
		Check: func(expr string) error { _, err := fleet.ParseTarget(expr); return err },
	}
	return sources.Load()
}

// Dir is the folder of what runs, of logs and of what was seen.
func Dir(env *cli.Env) (string, error) {
	dir, err := config.StateDir(env.Lookup, runtime.GOOS)
	if err != nil {
		return "", fault.New(fault.Failed, "find the folder for state", "%w", err)
	}
	return filepath.Join(dir, "forwards"), nil
}

// Registry is where processes that run forwards are found.
func Registry(env *cli.Env) (forwards.Registry, error) {
	dir, err := Dir(env)
	return forwards.Registry{Dir: dir}, err
}
