package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newCompletionCmd(env *Env) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion <bash | zsh | fish | powershell>",
		Short: "Print a shell's completion script",
		Long: `Print the script that makes a shell complete ssmdeck's commands, flags and node
names. Node names come from a cache that is at most a minute old.`,
		Example: `  # bash
  $ ssmdeck completion bash > ~/.local/share/bash-completion/completions/ssmdeck

  # zsh, into a folder of $fpath
  $ ssmdeck completion zsh > "${fpath[1]}/_ssmdeck"

  # fish
  $ ssmdeck completion fish > ~/.config/fish/completions/ssmdeck.fish

  # PowerShell, in $PROFILE
  > ssmdeck completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args:      exactArgs("the shell's name"),
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
}

// completionWait bounds what completion may ask the network for: a key press
// that hangs is worse than no names.
const completionWait = 300 * time.Millisecond

// completeNode completes the first argument with node ids and names.
func (e *Env) completeNode(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return e.nodeWords(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
}

// nodeWords returns names and ids with descriptions; errors are silent, since a
// completion has nobody to tell.
func (e *Env) nodeWords(ctx context.Context) []string {
	nodes := e.cachedNodes(ctx)
	words := make([]string, 0, 2*len(nodes))
	for _, n := range nodes {
		if n.Name != "" {
			words = append(words, n.Name+"\t"+n.ID+" "+n.Platform+" "+n.Ping)
		}
		words = append(words, n.ID+"\t"+n.Name+" "+n.Platform+" "+n.Ping)
	}
	return words
}

func (e *Env) cachedNodes(ctx context.Context) []fleet.CachedNode {
	s, err := e.Settings()
	if err != nil {
		return nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionWait)
	defer cancel()
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil
	}
	cache, key := fleet.Cache{Dir: s.CacheDir}, e.cacheKey(scope)
	if nodes, ok := cache.Load(key, time.Now()); ok {
		return nodes
	}
	svc := fleet.New(scope.SSM(), nil)
	nodes, err := fleet.All(svc.List(ctx, fleet.Query{}))
	if err != nil || cache.Store(key, time.Now(), nodes) != nil {
		return nil
	}
	cached, _ := cache.Load(key, time.Now())
	return cached
}

// remember refreshes the completion cache from a full list that was made anyway.
func (e *Env) remember(s *config.Settings, nodes []fleet.Node) {
	if e.scope == nil || s.CacheDir == "" {
		return
	}
	_ = fleet.Cache{Dir: s.CacheDir}.Store(e.cacheKey(e.scope), time.Now(), nodes)
}

// cacheKey tells accounts apart without a call: what decides where requests go
// and who sends them.
func (e *Env) cacheKey(scope *awsapi.Scope) fleet.CacheKey {
	endpoint := scope.Endpoint()
	for _, name := range []string{"AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} {
		v, _ := e.Lookup(name)
		endpoint += " " + v
	}
	return fleet.CacheKey{Profile: scope.Profile(), Region: scope.Region(), Endpoint: endpoint}
}

// completeGlobals completes the values of the global flags.
func completeGlobals(env *Env, root *cobra.Command) {
	fixed := map[string][]string{
		"output": render.Formats(), "color": {"auto", "always", "never"}, "theme": theme.Variants(),
		"progress": {"auto", "bar", "plain", "json", "none"},
	}
	for flag, words := range fixed {
		completeFlag(root, flag, func() []string { return words })
	}
	for _, flag := range []string{"region", "regions"} {
		completeFlag(root, flag, func() []string { return append(network.DefaultRegions("aws"), grid.All) })
	}
	completeFlag(root, "accounts", func() []string { return []string{grid.Organization, "ou:"} })
	completeFlag(root, "profile", func() []string { return awsapi.Profiles(env.Lookup) })
	for _, flag := range []string{"columns", "sort-by", "query", "limit", "endpoint-url", "context", "role", "external-id", "parallel"} {
		completeFlag(root, flag, func() []string { return nil })
	}
}
