package dash

import (
	"context"
	"iter"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// emitEvery is how many rows of a long list come together.
const emitEvery = 500

// collect reads a list and shows what there is of it while it comes.
func collect[T any](list iter.Seq2[T, error], emit func([]T)) ([]T, error) {
	var all []T
	for v, err := range list {
		if err != nil {
			return nil, err
		}
		if all = append(all, v); len(all)%emitEvery == 0 {
			emit(all[:len(all):len(all)])
		}
	}
	if all == nil {
		all = []T{}
	}
	return all, nil
}

func (w *wiring) feeds() *sources.Set {
	return &sources.Set{
		Nodes: feed.NewSource(sources.Nodes, func(ctx context.Context, in grid.Cell, emit func([]fleet.Node)) ([]fleet.Node, error) {
			svc := cli.NewFleet(in.Scope, nil)
			nodes, err := collect(svc.List(ctx, fleet.Query{}), emit)
			if err != nil {
				return nil, err
			}
			emit(nodes)
			joined := append([]fleet.Node{}, nodes...)
			gaps, err := svc.Join(ctx, joined, fleet.PartEC2|fleet.PartTags)
			if err != nil {
				return nil, err
			}
			for i := range joined {
				if n := &joined[i]; n.Tags == nil && !n.Lacks(fleet.PartTags) {
					n.Tags = map[string]string{} // read, and there are none: the first rows have not been read
				}
			}
			fleet.Searchable(joined)
			return joined, unknown(gaps)
		}),
		Patches: feed.NewSource(sources.Patches, func(ctx context.Context, in grid.Cell, _ func([]fleet.Node)) ([]fleet.Node, error) {
			nodes, gaps, err := cli.NewFleet(in.Scope, nil).Table(ctx, fleet.Query{}, fleet.PartEC2|fleet.PartTags|fleet.PartPatch)
			if err != nil {
				return nil, err
			}
			return nodes, unknown(gaps)
		}),
		Attempts: feed.NewSource(sources.Attempts, attempts),
		Commands: feed.NewSource(sources.Commands, func(ctx context.Context, in grid.Cell, emit func([]run.Command)) ([]run.Command, error) {
			svc := run.New(in.Scope.SSM(), logstore.New(in.Scope.Config()))
			return collect(svc.List(ctx, run.Filter{After: time.Now().Add(-24 * time.Hour)}), emit)
		}),
		Sessions: feed.NewSource(sources.Sessions, w.sessionList(false)),
		Past:     feed.NewSource(sources.Past, w.sessionList(true)),
		Forwards: feed.NewLocal(sources.Forwards, w.runningForwards),
		Saved:    feed.NewLocal(sources.Saved, w.savedForwards),
		Parameters: feed.NewSource(sources.Parameters, func(ctx context.Context, in grid.Cell, emit func([]parameter.Parameter)) ([]parameter.Parameter, error) {
			return collect(parameter.New(in.Scope.SSM()).List(ctx, parameter.Query{}), emit)
		}),
		Executions: feed.NewSource(sources.Executions, func(ctx context.Context, in grid.Cell, emit func([]automation.Execution)) ([]automation.Execution, error) {
			return collect(automation.New(in.Scope.SSM()).List(ctx, automation.Filter{After: time.Now().Add(-7 * 24 * time.Hour)}), emit)
		}),
		Windows:   feed.NewSource(sources.Windows, windows),
		Documents: feed.NewSource(sources.Documents, documents),
		Databases: feed.NewSource(sources.Databases, databases),
	}
}

// attemptsSince is how far back scans and installations that failed are looked for.
const attemptsSince = 7 * 24 * time.Hour

func attempts(ctx context.Context, in grid.Cell, _ func([]patching.Attempt)) ([]patching.Attempt, error) {
	all, left, err := patching.Attempts(ctx, run.New(in.Scope.SSM(), logstore.New(in.Scope.Config())), time.Now().Add(-attemptsSince))
	if err == nil && left {
		err = &feed.Partly{Err: fault.New(fault.Failed, "look for failed scans", "many have failed: only the newest %d commands were read", patching.AttemptsUpTo)}
	}
	return all, err
}

// unknown says what could not be read of nodes that are all there.
func unknown(gaps []fleet.Gap) error {
	if len(gaps) == 0 {
		return nil
	}
	g := gaps[0]
	return &feed.Partly{Err: fault.New(fault.KindOf(g.Err), g.Part.String()+" of "+cli.Plural(g.Nodes, "node"), "%w", g.Err).
		WithHint("%s", fault.HintOf(g.Err))}
}

func (w *wiring) sessionList(history bool) feed.Load[sessions.Entry] {
	return func(ctx context.Context, in grid.Cell, emit func([]sessions.Entry)) ([]sessions.Entry, error) {
		return collect(sessions.New(in.Scope, sessions.Options{}).List(ctx, sessions.Filter{History: history}), emit)
	}
}

// documents are those that the dashboard can run or start.
func documents(ctx context.Context, in grid.Cell, emit func([]document.Summary)) ([]document.Summary, error) {
	return collect(document.New(in.Scope.SSM()).List(ctx, document.Filter{Types: []string{"Command", "Automation"}}), emit)
}

// databases are those of all services. Where one of them could not be listed the others
// are there.
func databases(ctx context.Context, in grid.Cell, _ func([]database.Database)) ([]database.Database, error) {
	found, errs := database.New(in.Scope.Config()).List(ctx, database.Services...)
	switch {
	case len(errs) == 0:
		return append([]database.Database{}, found...), nil
	case len(errs) == len(database.Services):
		return nil, errs[0]
	}
	return append([]database.Database{}, found...), &feed.Partly{Err: errs[0]}
}

func windows(ctx context.Context, in grid.Cell, _ func([]window.Whole)) ([]window.Whole, error) {
	svc := window.New(in.Scope.SSM())
	all, err := awsapi.Collect(svc.List(ctx, window.Filter{}))
	if err != nil {
		return nil, err
	}
	// When a rate has opened before depends on when it was made, which the list lacks.
	err = awsapi.Parallel(ctx, len(all), func(ctx context.Context, i int) (err error) {
		if all[i].Dated() {
			all[i], err = svc.Get(ctx, all[i].ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	known, err := svc.ReadAll(ctx, all, window.Read{Targets: true, Tasks: true, Lenient: true})
	if err != nil {
		return nil, err
	}
	out := make([]window.Whole, len(known))
	for i, k := range known {
		out[i] = k.Whole
	}
	return out, nil
}
