package cli

import (
	"context"
	"os"
	"os/exec"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/diskindex"
)

// What `completion refresh` reads anew.
const (
	RefreshNodes  = "nodes"
	RefreshParams = "parameters"
)

// Index is a list on disk for each account and Region; see diskindex.
type Index[T any] interface {
	Load(key diskindex.Key, now time.Time) (list []T, age time.Duration, ok bool)
	Files() diskindex.Files
}

// Indexed returns the list of the index in a folder. Without one it is asked for with
// refresh, in the time that a key press may take; a stale one is shown and refreshed
// behind the scenes, as what. Errors are silent: a completion has nobody to tell.
func Indexed[T any, I Index[T]](ctx context.Context, env *Env, what string, in func(dir string) I, refresh func(context.Context, *Env, *awsapi.Scope) bool) []T {
	s, err := env.Settings()
	if err != nil {
		return nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, CompletionWait)
	defer cancel()
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil
	}
	index, key := in(s.CacheDir), env.CacheKey(scope)
	list, age, ok := index.Load(key, time.Now())
	switch {
	case !ok && refresh(ctx, env, scope):
		list, _, _ = index.Load(key, time.Now())
	case !ok || age > diskindex.Fresh: // it takes longer than that
		env.RefreshLater(ctx, index.Files(), key, what)
	}
	return list
}

// RefreshLater starts a process of its own that refreshes the index in files, at most
// one a minute; it ends by itself.
func (e *Env) RefreshLater(ctx context.Context, files diskindex.Files, key diskindex.Key, what string) {
	self, err := os.Executable()
	if err != nil || e.Local != nil || files.Dir == "" {
		return
	}
	if !files.Claim(key, time.Now()) {
		return
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, append([]string{"completion", "refresh", what, "--no-input"}, e.TypedFlags(PlaceFlags...)...)...)
	cmd.SysProcAttr = Detached()
	if err := cmd.Start(); err != nil {
		files.Unclaim(key)
		return
	}
	_ = cmd.Process.Release()
}

// CacheKey tells accounts apart without a call: what decides where requests go
// and who sends them.
func (e *Env) CacheKey(scope *awsapi.Scope) diskindex.Key {
	endpoint := scope.Endpoint() + " " + scope.Role()
	for _, name := range []string{"AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} {
		v, _ := e.Lookup(name)
		endpoint += " " + v
	}
	return diskindex.Key{Profile: scope.Profile(), Region: scope.Region(), Endpoint: endpoint}
}
