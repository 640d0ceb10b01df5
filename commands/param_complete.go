package commands

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/diskindex"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// completeParamName completes the first n arguments (0: all) with names of parameters,
// one level of the hierarchy at a time. It knows names only: a value is never read for
// a completion, nor kept.
func completeParamName(env *Env, n int) cobra.CompletionFunc { return completeParam(env, n, true) }

// completeParamPath is completeParamName for paths: parameters themselves are left out.
func completeParamPath(env *Env, n int) cobra.CompletionFunc { return completeParam(env, n, false) }

func completeParam(env *Env, n int, leaves bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if n > 0 && len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words, folders := paramNameWords(cachedParamNames(cmd.Context(), env), typed, leaves)
		directive := cobra.ShellCompDirectiveNoFileComp
		if folders && leaves {
			directive |= cobra.ShellCompDirectiveNoSpace // what is in it comes next
		}
		return words, directive
	}
}

// paramNameWords are the words that continue what was typed, and whether a folder is among
// them. A folder ends in a slash where parameters are wanted.
func paramNameWords(names []string, typed string, leaves bool) (words []string, folders bool) {
	for _, c := range parameter.Children(names, typed) {
		if c.Parameter && leaves {
			words = append(words, c.Name)
		}
		switch {
		case c.Below == 0:
		case leaves:
			words, folders = append(words, c.Name+"/\t"+plural(c.Below, "parameter")), true
		default:
			words = append(words, c.Name+"\t"+plural(c.Below, "parameter"))
		}
	}
	return words, folders
}

// cachedParamNames returns the names of the index. Without one they are asked for, in
// the time that a key press may take; a stale one is shown and refreshed behind the
// scenes.
func cachedParamNames(ctx context.Context, env *Env) []string {
	s, err := env.Settings()
	if err != nil {
		return nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionWait)
	defer cancel()
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil
	}
	index, key := parameter.Index{Dir: s.CacheDir}, env.cacheKey(scope)
	names, age, ok := index.Load(key, time.Now())
	switch {
	case !ok && refreshParamNames(ctx, env, scope):
		names, _, _ = index.Load(key, time.Now())
	case !ok || age > diskindex.Fresh:
		env.refreshLater(ctx, index.Files(), key, refreshParams)
	}
	return names
}

// refreshParamNames reads the names of scope anew into the index.
func refreshParamNames(ctx context.Context, env *Env, scope *awsapi.Scope) bool {
	all, err := awsapi.Collect(parameter.New(scope.SSM()).List(ctx, parameter.Query{}))
	return err == nil && rememberParams(env, scope, all)
}

// rememberParams refreshes the index from a full list that was made anyway.
func rememberParams(env *Env, scope *awsapi.Scope, all []parameter.Parameter) bool {
	s, err := env.Settings()
	if err != nil || s.CacheDir == "" || scope == nil {
		return false
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = strings.Clone(p.Name)
	}
	return parameter.Index{Dir: s.CacheDir}.Store(env.cacheKey(scope), time.Now(), names) == nil
}
