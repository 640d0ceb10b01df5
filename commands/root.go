package commands

import (
	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/access"
	"github.com/ssmdeck/ssmdeck/commands/account"
	"github.com/ssmdeck/ssmdeck/commands/activation"
	"github.com/ssmdeck/ssmdeck/commands/api"
	"github.com/ssmdeck/ssmdeck/commands/automation"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/compliance"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/commands/cp"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/commands/doctor"
	"github.com/ssmdeck/ssmdeck/commands/document"
	"github.com/ssmdeck/ssmdeck/commands/forward"
	"github.com/ssmdeck/ssmdeck/commands/inventory"
	"github.com/ssmdeck/ssmdeck/commands/node"
	"github.com/ssmdeck/ssmdeck/commands/param"
	"github.com/ssmdeck/ssmdeck/commands/patch"
	"github.com/ssmdeck/ssmdeck/commands/run"
	"github.com/ssmdeck/ssmdeck/commands/session"
	"github.com/ssmdeck/ssmdeck/commands/ssh"
	"github.com/ssmdeck/ssmdeck/commands/window"
)

// The groups of commands in the root's help.
const (
	groupDaily = "daily"
	groupNouns = "nouns"
	groupTools = "tools"
)

// newRootCmd builds the whole tree. It does no work beyond that.
func newRootCmd(env *cli.Env) *cobra.Command { return newTree(env, nil) }

// newTree is newRootCmd with flags for the parameters of a document.
func newTree(env *cli.Env, params *documentParams) *cobra.Command {
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
			return cli.RunGroup(cmd, args)
		},
	}
	env.Flags.Bind(root.PersistentFlags())
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return env.CheckGrid(cmd) }
	root.Flags().BoolVar(&version, "version", false, "show which ssmdeck this is")
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetIn(env.In)
	root.SetFlagErrorFunc(cli.FlagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { help(env, cmd, params) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { help(env, cmd, params); return nil })
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
	add(groupDaily, node.NewLsCmd(env), connect.NewShellCmd(env), connect.NewExecCmd(env), run.NewCmd(env), forward.NewCmd(env),
		dash.NewCmd(env, Run, Parse), cp.NewCmd(env), ssh.NewCmd(env), ssh.NewProxyCmd(env), ssh.NewConfigCmd(env), doctor.NewCmd(env))
	add(groupNouns, node.NewCmd(env), run.NewCommandCmd(env), session.NewCmd(env), access.NewCmd(env),
		activation.NewCmd(env), account.NewSettingCmd(env))
	add(groupNouns, account.NewTagCmd(env), account.NewDHMCCmd(env), account.NewSyncCmd(env), account.NewPolicyCmd(env), account.NewConnectorCmd(env))
	add(groupNouns, document.NewCmd(env), automation.NewCmd(env))
	add(groupNouns, param.NewCmd(env), patch.NewCmd(env), window.NewCmd(env), compliance.NewCmd(env), inventory.NewCmd(env))
	completeGlobals(env, root)
	documentParamsIn(env, root, params)
	add(groupTools, newDemoCmd(env), newSimulatorCmd(env), api.NewCmd(env), newCompletionCmd(env), newVersionCmd(env))
	return root
}
