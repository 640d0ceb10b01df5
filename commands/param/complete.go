package param

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// completeParamName completes the first n arguments (0: all) with names of parameters,
// one level of the hierarchy at a time. It knows names only: a value is never read for
// a completion, nor kept.
func completeParamName(env *cli.Env, n int) cobra.CompletionFunc { return completeParam(env, n, true) }

// completeParamPath is completeParamName for paths: parameters themselves are left out.
func completeParamPath(env *cli.Env, n int) cobra.CompletionFunc { return completeParam(env, n, false) }

func completeParam(env *cli.Env, n int, leaves bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if n > 0 && len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words, folders := nameWords(cachedParamNames(cmd.Context(), env), typed, leaves)
		directive := cobra.ShellCompDirectiveNoFileComp
		if folders && leaves {
			directive |= cobra.ShellCompDirectiveNoSpace // what is in it comes next
		}
		return words, directive
	}
}

// nameWords are the words that continue what was typed, and whether a folder is among
// them. A folder ends in a slash where parameters are wanted.
func nameWords(names []string, typed string, leaves bool) (words []string, folders bool) {
	for _, c := range parameter.Children(names, typed) {
		if c.Parameter && leaves {
			words = append(words, c.Name)
		}
		switch {
		case c.Below == 0:
		case leaves:
			words, folders = append(words, c.Name+"/\t"+cli.Plural(c.Below, "parameter")), true
		default:
			words = append(words, c.Name+"\t"+cli.Plural(c.Below, "parameter"))
		}
	}
	return words, folders
}

// cachedParamNames returns the names of the index; see cli.Indexed.
func cachedParamNames(ctx context.Context, env *cli.Env) []string {
	return cli.Indexed[string](ctx, env, cli.RefreshParams, func(dir string) parameter.Index { return parameter.Index{Dir: dir} }, RefreshNames)
}

// RefreshNames reads the names of scope anew into the index.
func RefreshNames(ctx context.Context, env *cli.Env, scope *awsapi.Scope) bool {
	all, err := awsapi.Collect(parameter.New(scope.SSM()).List(ctx, parameter.Query{}))
	return err == nil && rememberParams(env, scope, all)
}

// rememberParams refreshes the index from a full list that was made anyway.
func rememberParams(env *cli.Env, scope *awsapi.Scope, all []parameter.Parameter) bool {
	s, err := env.Settings()
	if err != nil || s.CacheDir == "" || scope == nil {
		return false
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = strings.Clone(p.Name)
	}
	return parameter.Index{Dir: s.CacheDir}.Store(env.CacheKey(scope), time.Now(), names) == nil
}
