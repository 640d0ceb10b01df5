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
