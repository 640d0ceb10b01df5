package nodechoice

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// CompleteNode completes the first argument with node ids and names.
func CompleteNode(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return Beginning(Words(cmd.Context(), env), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// Beginning leaves the words that begin with what was typed: a shell takes its time
// over 20,000, of which it shows a few.
func Beginning(words []string, typed string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, typed) })
}

// Words returns names and ids with descriptions. A name is written as the target
// that means this node: one that is called all does not become every node. Errors are
// silent, since a completion has nobody to tell.
func Words(ctx context.Context, env *cli.Env) []string {
	nodes := CachedNodes(ctx, env)
	words := make([]string, 0, 2*len(nodes))
	for _, n := range nodes {
		if expr, ok := fleet.NameExpr(n.Name); ok {
			words = append(words, expr+"\t"+n.ID+" "+n.Platform+" "+n.Ping)
		}
		words = append(words, n.ID+"\t"+render.Visible(n.Name)+" "+n.Platform+" "+n.Ping)
	}
	return words
}

// CachedNodes returns the nodes of the index, for completion; see cli.Indexed.
func CachedNodes(ctx context.Context, env *cli.Env) []fleet.IndexedNode {
	return cli.Indexed[fleet.IndexedNode](ctx, env, cli.RefreshNodes, func(dir string) fleet.Index { return fleet.Index{Dir: dir} }, RefreshIndex)
}

// RefreshIndex reads the nodes of scope anew into the index.
func RefreshIndex(ctx context.Context, env *cli.Env, scope *awsapi.Scope) bool {
	s, err := env.Settings()
	if err != nil {
		return false
	}
	svc := fleet.New(scope.SSM(), nil)
	nodes, err := fleet.All(svc.List(ctx, fleet.Query{}))
	return err == nil && fleet.Index{Dir: s.CacheDir}.Store(env.CacheKey(scope), time.Now(), nodes) == nil
}

// Remember refreshes the index from a full list that was made anyway.
func Remember(env *cli.Env, s *config.Settings, nodes []fleet.Node) {
	scope := env.Opened()
	if scope == nil || s.CacheDir == "" {
		return
	}
	_ = fleet.Index{Dir: s.CacheDir}.Store(env.CacheKey(scope), time.Now(), nodes)
}
