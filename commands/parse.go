package commands

import (
	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/api"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Parse finds the command of a line and reads its flags and arguments, as Run does
// before it runs it, and says what is wrong with them. Nothing is run or asked for: of
// a document that has flags of its own the parameters are not known, and any go.
func Parse(env *cli.Env, words []string) (*cobra.Command, error) {
	root := newRootCmd(env.Anew(words))
	cmd, rest, err := root.Find(api.Args(root, longFlags(root.PersistentFlags(), words)))
	if err != nil {
		return nil, err
	}
	cmd.InitDefaultHelpFlag()
	if mentionsDocumentCommand(words) {
		scan, err := scanArguments(env.Anew(words), words)
		cmd.FParseErrWhitelist.UnknownFlags = err == nil && scan.document != ""
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return nil, cli.FlagError(cmd, err)
	}
	args := cmd.Flags().Args()
	if cmd.Use == cmd.Name()+" <command>" { // it only holds others
		if len(args) == 0 {
			return nil, fault.Usagef("%s does nothing by itself", cmd.CommandPath()).WithHint("run `%s --help` for its commands", cmd.CommandPath())
		}
		return nil, cli.RunGroup(cmd, args)
	}
	if err := cmd.ValidateArgs(args); err != nil {
		return nil, err
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		return nil, err
	}
	return cmd, cmd.ValidateFlagGroups()
}
