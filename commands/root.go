package commands

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

// The groups of commands in the root's help.
const (
	groupDaily = "daily"
	groupNouns = "nouns"
	groupTools = "tools"
)

// subcommands adds the commands below a noun. Those of a noun that the command line
// does not name are not made: to make all of them takes longer than most commands do.
func (e *Env) subcommands(cmd *cobra.Command, make ...func(*Env) *cobra.Command) {
	named := func(word string) bool { return word == cmd.Name() || cmd.HasAlias(word) }
	if e.Args != nil && !slices.ContainsFunc(e.Args, named) {
		return
	}
	for _, m := range make {
		cmd.AddCommand(m(e))
	}
}

// newRootCmd builds the whole tree. It does no work beyond that.
func newRootCmd(env *Env) *cobra.Command { return newTree(env, nil) }

// newTree is newRootCmd with flags for the parameters of a document.
func newTree(env *Env, params *documentParams) *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "ssmdeck <command>",
		Short: "The terminal for AWS Systems Manager",
		Long: `ssmdeck opens shells, runs commands and forwards ports on managed nodes through
AWS Systems Manager. It is one program and needs nothing else: no AWS CLI, no
plugin, no bastion, no SSH key.`,
		Example: `  # Look around without an AWS account
  $ ssmdeck demo

  # List the fleet, open a shell, run a command on many nodes, reach a database
  $ ssmdeck ls
  $ ssmdeck shell web-1
  $ ssmdeck run --tag env=prod -- uptime
  $ ssmdeck forward web-1 5432:my-db.cluster-xyz.us-east-1.rds.amazonaws.com:5432`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if version && len(args) == 0 {
				return showVersion(env)
			}
			return runGroup(cmd, args)
		},
	}
	env.flags.bind(root.PersistentFlags())
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return env.checkGrid(cmd) }
	root.Flags().BoolVar(&version, "version", false, "show which ssmdeck this is")
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetIn(env.In)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { env.help(cmd, params) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { env.help(cmd, params); return nil })
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(newHelpCmd(env))
	root.AddGroup(
		&cobra.Group{ID: groupDaily, Title: "Everyday commands"},
		&cobra.Group{ID: groupNouns, Title: "Things"},
		&cobra.Group{ID: groupTools, Title: "Tools"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupDaily, newLsCmd(env), newShellCmd(env), newExecCmd(env), newRunCmd(env), newForwardCmd(env),
		newCpCmd(env), newSSHCmd(env), newSSHProxyCmd(env), newSSHConfigCmd(env), newDoctorCmd(env))
	add(groupNouns, newNodeCmd(env), newCommandCmd(env), newSessionCmd(env), newAccessCmd(env),
		newActivationCmd(env), newSettingCmd(env))
	add(groupNouns, newTagCmd(env), newDHMCCmd(env), newSyncCmd(env), newPolicyCmd(env), newConnectorCmd(env))
	add(groupNouns, newDocumentCmd(env), newAutomationCmd(env))
	add(groupNouns, newParamCmd(env), newPatchCmd(env), newWindowCmd(env), newComplianceCmd(env), newInventoryCmd(env))
	completeGlobals(env, root)
	env.documentParamsIn(root, params)
	add(groupTools, newDemoCmd(env), newSimulatorCmd(env), newAPICmd(env), newCompletionCmd(env), newVersionCmd(env))
	return root
}

// runGroup is the RunE of commands that only hold others: without a word it
// shows help, with a wrong one it names the nearest.
func runGroup(cmd *cobra.Command, args []string) error {
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

// flagError makes a bad flag a usage error. What Go says of a bad number or
// duration is for programmers: people are told what is wanted.
func flagError(cmd *cobra.Command, err error) error {
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

// exactArgs wants as many arguments as there are names, and says which is
// missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fault.Usagef("%s: missing %s", cmd.CommandPath(), names[len(args)]).
				WithHint("usage: %s", usageLine(cmd))
		case len(args) > len(names):
			return fault.Usagef("%s: unexpected argument %q", cmd.CommandPath(), args[len(names)]).
				WithHint("usage: %s", usageLine(cmd))
		}
		return nil
	}
}

// minArgs wants at least one argument for every name; the last may repeat.
func minArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return exactArgs(names...)(cmd, args[:min(len(args), len(names))])
	}
}

func noArgs(cmd *cobra.Command, args []string) error { return exactArgs()(cmd, args) }

// usageLine is the command's Use with the path in front.
func usageLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Use
	}
	return fmt.Sprintf("%s %s", cmd.Parent().CommandPath(), cmd.Use)
}

// splitDash cuts args at --: what stands before and what follows. has says
// whether there was one.
func splitDash(cmd *cobra.Command, args []string) (before, after []string, has bool) {
	n := cmd.ArgsLenAtDash()
	if n < 0 {
		return args, nil, false
	}
	return args[:n], args[n:], true
}

// cutCommand cuts args at --: at least one word for each name before it, and the
// command behind it, nil without one.
func cutCommand(cmd *cobra.Command, args []string, names ...string) (words, command []string, err error) {
	words, command, dash := splitDash(cmd, args)
	return checkCommand(cmd, words, command, dash, names...)
}

// checkCommand is cutCommand for what is cut already.
func checkCommand(cmd *cobra.Command, words, command []string, dash bool, names ...string) ([]string, []string, error) {
	if err := minArgs(names...)(cmd, words); err != nil {
		return nil, nil, err
	}
	if dash && len(command) == 0 {
		return nil, nil, fault.Usagef("%s: missing the command behind --", cmd.CommandPath())
	}
	return words, command, nil
}
