package param

import (
	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// valueFlags say which values are read, and which of them a person may see.
type valueFlags struct{ decrypt, show bool }

func (f *valueFlags) bind(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.decrypt, "decrypt", false, "read the values of SecureStrings")
	cmd.Flags().BoolVar(&f.show, "show", false, "show secrets on a terminal; with it, SecureStrings are decrypted")
}

// reads reports whether SecureStrings are decrypted.
func (f *valueFlags) reads() bool { return f.decrypt || f.show }

// masks reports whether secrets are hidden in what is written to standard output: a
// terminal can be looked at over a shoulder, a pipe is what was asked for.
func (f *valueFlags) masks(env *cli.Env) bool { return !f.show && cli.IsTerminal(env.Out) }

// maskedValue is what stands in the place of a secret; it says nothing of its length.
const maskedValue = "********"

// check refuses flags about values where none are read.
func (f *valueFlags) check(values bool) error {
	if f.reads() && !values {
		return fault.Usagef("--decrypt and --show are about values, and none are read").WithHint("add --values")
	}
	return nil
}

// hidden is p as it may be written: without its secret where that is hidden.
func (f *valueFlags) hidden(env *cli.Env, p parameter.Parameter) parameter.Parameter {
	if p.Secure() && p.Value != "" && f.masks(env) {
		p.Value = maskedValue
	}
	return p
}
