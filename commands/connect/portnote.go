package connect

import (
	"context"
	"sync"

	"github.com/ssmdeck/ssmdeck/commands/cli"
)

// NotePlainPorts says that port sessions are not encrypted with KMS where the
// account's settings ask for it: agents encrypt shells and commands alone, and a
// person who relies on the key should know. It asks beside whatever else is
// done; stop ends that. What cannot be read is not said.
func NotePlainPorts(ctx context.Context, env *cli.Env) (stop func()) {
	if env.Flags.Quiet {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	svc, err := env.Preferences(ctx)
	if err != nil {
		cancel()
		return func() {}
	}
	asking.Go(func() {
		if key, err := svc.KMSKey(ctx); err == nil && key != "" {
			env.Note("ssmdeck: the account encrypts sessions with KMS, but never those of ports: they have TLS to the service and no more")
		}
	})
	return func() {
		cancel()
		asking.Wait()
	}
}
