package pagecommands

import (
	"context"
	"io"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// Services are what the page needs beside the feeds.
type Services struct {
	// Run is Run Command in a place.
	Run func(at grid.Place) (Runner, error)
	// Console is the address of a page of Systems Manager in the console.
	Console func(at grid.Place, page string) string
}

// Runner is what the page uses of *run.Service: it reads, and sends nothing.
type Runner interface {
	FindAll(ctx context.Context, refs []string) (run.Run, error)
	Watch(ctx context.Context, r run.Run, live bool, emit func(run.Event)) error
	Show(ctx context.Context, r run.Run, emit func(run.Event)) error
	Copy(ctx context.Context, c run.Command, inv run.Invocation, stdout, stderr io.Writer) (run.Output, error)
}
