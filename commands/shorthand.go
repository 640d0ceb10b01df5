package commands

import (
	"strings"

	"github.com/spf13/pflag"
)

// longFlags writes the shorthands of global flags in full as far as they stand
// before the command: a command may use such a letter for a flag of its own, as cp
// uses -r, but only behind its name.
func longFlags(global *pflag.FlagSet, args []string) (long []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' || arg == "--" {
			return append(long, args[i:]...)
		}
		name, given := "", false
		if arg[1] == '-' {
			long = append(long, arg)
			name, _, given = strings.Cut(arg[2:], "=")
		} else {
			long = append(long, longShorthands(global, arg)...)
			name, _, given = strings.Cut(strings.TrimPrefix(long[len(long)-1], "--"), "=")
		}
		if f := global.Lookup(name); f != nil && f.NoOptDefVal == "" && !given && i+1 < len(args) {
			i++
			long = append(long, args[i])
		}
	}
	return long
}

// longShorthands writes -x, -xVALUE, -x=VALUE in full, also behind switches: -qx.
func longShorthands(global *pflag.FlagSet, arg string) []string {
	for i := 1; i < len(arg); i++ {
		f := global.ShorthandLookup(arg[i : i+1])
		switch {
		case f == nil:
			return []string{arg}
		case f.NoOptDefVal != "": // a switch
			continue
		}
		flag := "--" + f.Name
		if value := arg[i+1:]; value != "" {
			flag += "=" + strings.TrimPrefix(value, "=")
		}
		if i == 1 {
			return []string{flag}
		}
		return []string{arg[:i], flag}
	}
	return []string{arg}
}
