package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/param"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newCompletionCmd(env *cli.Env) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	cmd := &cobra.Command{
		Use:   "completion <bash | zsh | fish | powershell>",
		Short: "Print a shell's completion script",
		Long: `Print the script that makes a shell complete ssmdeck's commands, flags and node
names. Node names come from an index on disk that ls, the picker and completion
itself keep up to date: it is answered from at once, and when it is older than a
minute it is read anew in the background.`,
		Example: `  # bash
  $ ssmdeck completion bash > ~/.local/share/bash-completion/completions/ssmdeck

  # zsh, into a folder of $fpath
  $ ssmdeck completion zsh > "${fpath[1]}/_ssmdeck"

  # fish
  $ ssmdeck completion fish > ~/.config/fish/completions/ssmdeck.fish

  # PowerShell, in $PROFILE
  > ssmdeck completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args:      cli.ExactArgs("the shell's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(env.Out, true)
			case "zsh":
				return root.GenZshCompletion(env.Out)
			case "fish":
				return root.GenFishCompletion(env.Out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(env.Out)
			default:
				return fault.Usagef("no completion for %q", args[0]).WithHint("the shells are bash, zsh, fish and powershell")
			}
		},
	}
	cmd.AddCommand(newRefreshCmd(env))
	return cmd
}

// refreshWait bounds a refresh in the background.
const refreshWait = time.Minute

// newRefreshCmd is what RefreshLater starts.
func newRefreshCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:       "refresh [what]",
		Hidden:    true,
		Short:     "Read the nodes, or the names of parameters, anew into the index of completion and picker",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{cli.RefreshNodes, cli.RefreshParams},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), refreshWait)
			defer cancel()
			s, err := env.Settings()
			if err != nil {
				return err
			}
			scope, err := env.Scope(ctx)
			if err != nil {
				return err
			}
			if len(args) > 0 && args[0] == cli.RefreshParams {
				if param.RefreshNames(ctx, env, scope) {
					parameter.Index{Dir: s.CacheDir}.Files().Unclaim(env.CacheKey(scope))
				}
				return nil
			}
			if nodechoice.RefreshIndex(ctx, env, scope) {
				fleet.Index{Dir: s.CacheDir}.Files().Unclaim(env.CacheKey(scope))
			}
			return nil
		},
	}
}

// completeGlobals completes the values of the global flags.
func completeGlobals(env *cli.Env, root *cobra.Command) {
	fixed := map[string][]string{
		"output": render.Formats(), "color": {"auto", "always", "never"},
		"progress": {"auto", "bar", "plain", "json", "none"},
	}
	for flag, words := range fixed {
		cli.CompleteFlag(root, flag, func() []string { return words })
	}
	cli.CompleteFlag(root, "theme", env.ThemeNames)
	for _, flag := range []string{"region", "regions"} {
		cli.CompleteFlag(root, flag, func() []string { return append(network.DefaultRegions("aws"), grid.All) })
	}
	cli.CompleteFlag(root, "accounts", func() []string { return []string{grid.Organization, "ou:"} })
	cli.CompleteFlag(root, "profile", func() []string { return awsapi.Profiles(env.Lookup) })
	for _, flag := range []string{"columns", "sort-by", "query", "limit", "endpoint-url", "context", "role", "external-id", "parallel"} {
		cli.CompleteFlag(root, flag, func() []string { return nil })
	}
}
