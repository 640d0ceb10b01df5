package commands

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Build says which build of ssmdeck runs.
type Build struct{ Version, Commit, Date string }

// Main runs ssmdeck with the arguments, streams and environment of the process
// and returns the exit code.
func Main(b Build) int {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error of Write, and not a failure
	interrupts, stop := watchInterrupts()
	defer stop()
	ctx, done := interrupts.context(context.Background())
	defer done()
	env := &Env{
		Build: b, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Lookup: os.LookupEnv, Args: os.Args[1:], interrupts: interrupts, paces: new(awsapi.Paces),
	}
	if isPlugin(os.Args[0]) {
		return runPlugin(ctx, env)
	}
	return Run(ctx, env)
}

// Run executes the command in env.Args. An error becomes text and an exit code
// here and nowhere else.
func Run(ctx context.Context, env *Env) int {
	args, err := env.documentFlags(ctx, env.Args)
	if err == nil {
		root := newRootCmd(env)
		root.SetArgs(apiArgs(root, longFlags(root.PersistentFlags(), args)))
		err = root.ExecuteContext(ctx)
	}
	env.close()
	return env.report(ctx, err)
}

// report prints err, once, and returns its exit code.
func (e *Env) report(ctx context.Context, err error) int {
	var exit *fault.Exit
	switch {
	case err == nil, render.IsBrokenPipe(err): // `| head -1` got what it wanted
		return 0
	case errors.As(err, &exit): // what there was to say has been said
		return exit.Code
	case errors.Is(err, context.Canceled) && ctx.Err() != nil && fault.HintOf(err) == "":
		// The user asked to stop and knows it.
		return fault.Interrupted.ExitCode()
	}
	render.Error(e.Err, e.errStyles(), err, e.wantsJSONErrors(), e.debugging())
	var coded *codedError
	if errors.As(err, &coded) {
		return coded.code
	}
	return fault.ExitCode(err)
}
