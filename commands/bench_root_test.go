package commands

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
)

// BenchmarkRoot builds the command tree, as every start of the program does.
func BenchmarkRoot(b *testing.B) {
	for _, bench := range []struct {
		name string
		args []string
	}{
		{"one", []string{"ls"}},
		{"api", []string{"api", "send-command"}},
		{"all", nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			env := clitest.Quiet()
			env.Args = bench.args
			for b.Loop() {
				newRootCmd(env)
			}
		})
	}
}
