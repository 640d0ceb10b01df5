package commands

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/diskindex"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newCompletionCmd(env *Env) *cobra.Command {
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
	cmd.AddCommand(newRefreshCmd(env))
	return cmd
}

// completionWait bounds what completion may ask the network for: a key press
// that hangs is worse than no names.
const completionWait = 300 * time.Millisecond

// completeNode completes the first argument with node ids and names.
func (e *Env) completeNode(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return beginning(e.nodeWords(cmd.Context()), typed), cobra.ShellCompDirectiveNoFileComp
}

// beginning leaves the words that begin with what was typed: a shell takes its time
// over 20,000, of which it shows a few.
func beginning(words []string, typed string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, typed) })
}

// nodeWords returns names and ids with descriptions. A name is written as the target
// that means this node: one that is called all does not become every node. Errors are
// silent, since a completion has nobody to tell.
func (e *Env) nodeWords(ctx context.Context) []string {
	nodes := e.cachedNodes(ctx)
	words := make([]string, 0, 2*len(nodes))
	for _, n := range nodes {
		if expr, ok := fleet.NameExpr(n.Name); ok {
			words = append(words, expr+"\t"+n.ID+" "+n.Platform+" "+n.Ping)
		}
		words = append(words, n.ID+"\t"+render.Visible(n.Name)+" "+n.Platform+" "+n.Ping)
	}
	return words
}

// cachedNodes returns the nodes of the index. Without one they are asked for, in the
// time that a key press may take; a stale one is shown and refreshed behind the
// scenes.
func (e *Env) cachedNodes(ctx context.Context) []fleet.IndexedNode {
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
	index, key := fleet.Index{Dir: s.CacheDir}, e.cacheKey(scope)
	nodes, age, ok := index.Load(key, time.Now())
	if ok {
		if age > fleet.IndexFresh {
			e.refreshLater(ctx, index.Files(), key, refreshNodes)
		}
		return nodes
	}
	if !e.refreshIndex(ctx, scope) {
		e.refreshLater(ctx, index.Files(), key, refreshNodes) // it takes longer than that
		return nil
	}
	nodes, _, _ = index.Load(key, time.Now())
	return nodes
}

// refreshIndex reads the nodes of scope anew into the index.
func (e *Env) refreshIndex(ctx context.Context, scope *awsapi.Scope) bool {
	s, err := e.Settings()
	if err != nil {
		return false
	}
	svc := fleet.New(scope.SSM(), nil)
	nodes, err := fleet.All(svc.List(ctx, fleet.Query{}))
	return err == nil && fleet.Index{Dir: s.CacheDir}.Store(e.cacheKey(scope), time.Now(), nodes) == nil
}

// What `completion refresh` reads anew.
const (
	refreshNodes  = "nodes"
	refreshParams = "parameters"
)

// refreshLater starts a process of its own that refreshes the index in files, at most
// one a minute; it ends by itself.
func (e *Env) refreshLater(ctx context.Context, files diskindex.Files, key diskindex.Key, what string) {
	self, err := os.Executable()
	if err != nil || e.Local != nil || files.Dir == "" {
		return
	}
	if !files.Claim(key, time.Now()) {
		return
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, append([]string{"completion", "refresh", what, "--no-input"}, e.typedFlags(placeFlags...)...)...)
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		files.Unclaim(key)
		return
	}
	_ = cmd.Process.Release()
}

// refreshWait bounds a refresh in the background.
const refreshWait = time.Minute

// newRefreshCmd is what refreshLater starts.
func newRefreshCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:       "refresh [what]",
		Hidden:    true,
		Short:     "Read the nodes, or the names of parameters, anew into the index of completion and picker",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{refreshNodes, refreshParams},
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
			if len(args) > 0 && args[0] == refreshParams {
				if refreshParamNames(ctx, env, scope) {
					parameter.Index{Dir: s.CacheDir}.Files().Unclaim(env.cacheKey(scope))
				}
				return nil
			}
			if env.refreshIndex(ctx, scope) {
				fleet.Index{Dir: s.CacheDir}.Files().Unclaim(env.cacheKey(scope))
			}
			return nil
		},
	}
}

// remember refreshes the index from a full list that was made anyway.
func (e *Env) remember(s *config.Settings, nodes []fleet.Node) {
	scope := e.opened()
	if scope == nil || s.CacheDir == "" {
		return
	}
	_ = fleet.Index{Dir: s.CacheDir}.Store(e.cacheKey(scope), time.Now(), nodes)
}

// cacheKey tells accounts apart without a call: what decides where requests go
// and who sends them.
func (e *Env) cacheKey(scope *awsapi.Scope) diskindex.Key {
	endpoint := scope.Endpoint() + " " + scope.Role()
	for _, name := range []string{"AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} {
		v, _ := e.Lookup(name)
		endpoint += " " + v
	}
	return diskindex.Key{Profile: scope.Profile(), Region: scope.Region(), Endpoint: endpoint}
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
