package dash

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/pagewindows"
)

func (w *wiring) windows() deck.Page {
	return pagewindows.New(w.deck, w.desk, w.set, pagewindows.Services{
		Past: feed.NewSource(pagewindows.Past, lastExecutions), Tree: w.executionTree,
	})
}

// pastSpan is how far back executions are looked for.
const pastSpan = 60 * 24 * time.Hour

// lastExecutions reads the newest executions of every window, a few windows at a time: one
// more than are shown, which tells that there are more.
func lastExecutions(ctx context.Context, in grid.Cell, _ func([]window.Execution)) ([]window.Execution, error) {
	svc := window.New(in.Scope.SSM())
	windows, err := awsapi.Collect(svc.List(ctx, window.Filter{}))
	if err != nil {
		return nil, err
	}
	of := make([][]window.Execution, len(windows))
	since := window.Period{After: time.Now().Add(-pastSpan)}
	err = awsapi.Parallel(ctx, len(windows), func(ctx context.Context, i int) error {
		for x, err := range svc.Executions(ctx, windows[i].ID, since) {
			if err != nil {
				return err
			}
			if of[i] = append(of[i], x); len(of[i]) > pagewindows.MostPast {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := []window.Execution{}
	for _, list := range of {
		all = append(all, list...)
	}
	return all, nil
}

// executionTree reads an execution with what its tasks did, and how far their commands
// have come.
func (w *wiring) executionTree(ctx context.Context, at grid.Place, id string) (window.Tree, error) {
	s, err := w.scope(at)
	if err != nil {
		return window.Tree{}, err
	}
	commands := run.New(s.SSM(), logstore.New(s.Config()))
	return window.New(s.SSM()).Tree(ctx, id, func(ctx context.Context, command string) (window.Counts, error) {
		r, err := commands.Find(ctx, command)
		return window.Counts{Nodes: r.Targets, Completed: r.Completed, Errors: r.Errors + r.DeliveryTimedOut}, err
	})
}
