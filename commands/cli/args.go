package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Subcommands adds the commands below a noun. Those of a noun that the command line
// does not name are not made: to make all of them takes longer than most commands do.
func (e *Env) Subcommands(cmd *cobra.Command, make ...func(*Env) *cobra.Command) {
	named := func(word string) bool { return word == cmd.Name() || cmd.HasAlias(word) }
	if e.Args != nil && !slices.ContainsFunc(e.Args, named) {
		return
	}
	for _, m := range make {
		cmd.AddCommand(m(e))
	}
}

// RunGroup is the RunE of commands that only hold others: without a word it
// shows help, with a wrong one it names the nearest.
func RunGroup(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := fault.Usagef("unknown command %q for %q", args[0], cmd.CommandPath())
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(append(names, c.Name()), c.Aliases...)
		}
	}
	if near := fault.Nearest(args[0], names); near != "" {
		return err.WithHint("did you mean `%s %s`?", cmd.CommandPath(), near)
	}
	return err.WithHint("run `%s --help` for the list", cmd.CommandPath())
}

// FlagError makes a bad flag a usage error. What Go says of a bad number or
// duration is for programmers: people are told what is wanted.
func FlagError(cmd *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		name, value := bad.GetFlag().Name, bad.GetValue()
		switch bad.GetFlag().Value.Type() {
		case "duration":
			return fault.Usagef("--%s %q is not a duration", name, value).WithHint("write a number with a unit, such as 30s, 5m or 24h")
		case "int":
			what := "not a whole number"
			if errors.Is(err, strconv.ErrRange) {
				what = "out of range"
			}
			return fault.Usagef("--%s %q is %s", name, value, what).WithHint("run `%s --help` for the flags", cmd.CommandPath())
		case "bool":
			return fault.Usagef("--%s=%s is neither true nor false", name, value).WithHint("write --%s alone, or --%s=false", name, name)
		}
	}
	usage := fault.Usagef("%s", strings.TrimSpace(err.Error()))
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := fault.Nearest(unknown.GetSpecifiedName(), names); near != "" && len(unknown.GetSpecifiedName()) > 1 {
			return usage.WithHint("did you mean --%s?", near)
		}
	}
	return usage.WithHint("run `%s --help` for the flags", cmd.CommandPath())
}

// ExactArgs wants as many arguments as there are names, and says which is
// missing.
func ExactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fault.Usagef("%s: missing %s", cmd.CommandPath(), names[len(args)]).
				WithHint("usage: %s", UsageLine(cmd))
		case len(args) > len(names):
			return fault.Usagef("%s: unexpected argument %q", cmd.CommandPath(), args[len(names)]).
				WithHint("usage: %s", UsageLine(cmd))
		}
		return nil
	}
}

// MinArgs wants at least one argument for every name; the last may repeat.
func MinArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return ExactArgs(names...)(cmd, args[:min(len(args), len(names))])
	}
}

// NoArgs wants no argument at all.
func NoArgs(cmd *cobra.Command, args []string) error { return ExactArgs()(cmd, args) }

// UsageLine is the command's Use with the path in front.
func UsageLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Use
	}
	return fmt.Sprintf("%s %s", cmd.Parent().CommandPath(), cmd.Use)
}

// SplitDash cuts args at --: what stands before and what follows. has says
// whether there was one.
func SplitDash(cmd *cobra.Command, args []string) (before, after []string, has bool) {
	n := cmd.ArgsLenAtDash()
	if n < 0 {
		return args, nil, false
	}
	return args[:n], args[n:], true
}

// CutCommand cuts args at --: at least one word for each name before it, and the
// command behind it, nil without one.
func CutCommand(cmd *cobra.Command, args []string, names ...string) (words, command []string, err error) {
	words, command, dash := SplitDash(cmd, args)
	return CheckCommand(cmd, words, command, dash, names...)
}

// CheckCommand is CutCommand for what is cut already.
func CheckCommand(cmd *cobra.Command, words, command []string, dash bool, names ...string) ([]string, []string, error) {
	if err := MinArgs(names...)(cmd, words); err != nil {
		return nil, nil, err
	}
	if dash && len(command) == 0 {
		return nil, nil, fault.Usagef("%s: missing the command behind --", cmd.CommandPath())
	}
	return words, command, nil
}
