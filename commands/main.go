package commands

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/ssmdeck/ssmdeck/commands/api"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/plugin"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Main runs ssmdeck with the arguments, streams and environment of the process
// and returns the exit code.
func Main(b cli.Build) int {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error of Write, and not a failure
	interrupts, stop := cli.WatchInterrupts()
	defer stop()
	ctx, done := interrupts.Context(context.Background())
	defer done()
	env := &cli.Env{
		Build: b, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Lookup: os.LookupEnv, Args: os.Args[1:], Interrupts: interrupts, Paces: new(awsapi.Paces),
	}
	if plugin.Is(os.Args[0]) {
		return plugin.Run(ctx, env)
	}
	return Run(ctx, env)
}

// Run executes the command in env.Args. An error becomes text and an exit code
// here and nowhere else.
func Run(ctx context.Context, env *cli.Env) int {
	args, params, err := documentFlags(ctx, env, env.Args)
	if err == nil {
		root := newTree(env, params)
		root.SetArgs(api.Args(root, longFlags(root.PersistentFlags(), args)))
		err = root.ExecuteContext(ctx)
	}
	env.Close()
	return env.Report(ctx, err)
}
