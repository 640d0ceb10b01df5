package dash

import (
	"context"
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/pagefleet"
)

// lastCommands is how many commands of a node are read for its pane.
const lastCommands = 6

func (w *wiring) fleet() deck.Page {
	return pagefleet.New(w.deck, w.desk, w.set, pagefleet.Services{
		Unmanaged: feed.NewSource("unmanaged instances", func(ctx context.Context, in grid.Cell, _ func([]fleet.Node)) ([]fleet.Node, error) {
			nodes, err := cli.NewFleet(in.Scope, nil).Unmanaged(ctx)
			if nodes == nil && err == nil {
				nodes = []fleet.Node{}
			}
			return nodes, err
		}),
		Facts: func(ctx context.Context, at grid.Place, id string) (fleet.Node, []fleet.Gap, error) {
			s, err := w.scope(at)
			if err != nil {
				return fleet.Node{}, nil, err
			}
			return cli.NewFleet(s, nil).Facts(ctx, id)
		},
		Commands:     w.nodeCommands,
		Associations: w.nodeAssociations,
		Inventory:    w.nodeInventory,
		Sessions:     w.nodeSessions,
		Doctor: func(ctx context.Context, at grid.Place, id string) ([]doctor.Check, error) {
			s, err := w.scope(at)
			if err != nil {
				return nil, err
			}
			return cli.NewDoctor(s, "").Examine(ctx, id, nil, func(doctor.Check) {})
		},
		Databases: func(ctx context.Context, at grid.Place) ([]database.Database, []error) {
			s, err := w.scope(at)
			if err != nil {
				return nil, []error{err}
			}
			return database.New(s.Config()).List(ctx, database.Services...)
		},
	})
}

// nodeCommands are the last commands of a node.
func (w *wiring) nodeCommands(ctx context.Context, at grid.Place, id string) ([]run.Command, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	var last []run.Command
	for c, err := range run.New(s.SSM(), logstore.New(s.Config())).List(ctx, run.Filter{NodeID: id, After: time.Now().Add(-30 * 24 * time.Hour)}) {
		if err != nil {
			return nil, err
		}
		if last = append(last, c); len(last) == lastCommands {
			break
		}
	}
	return last, nil
}

// nodeAssociations are the associations of a node, those that went wrong first, with
// what the service says of them.
func (w *wiring) nodeAssociations(ctx context.Context, at grid.Place, id string) ([]compliance.Item, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	svc := compliance.New(s.SSM())
	items, err := awsapi.Collect(svc.Items(ctx, id, compliance.Filter{Type: compliance.Association}))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(items, compliance.CompareItems)
	if err := svc.Explain(ctx, id, items); err != nil {
		for i := range items {
			if items[i].Status == compliance.NonCompliant {
				items[i].Reason = "why is not known: " + cli.FirstLine(err)
			}
		}
	}
	return items, nil
}

// nodeInventory counts what a node has reported, by the types that say most.
func (w *wiring) nodeInventory(ctx context.Context, at grid.Place, id string) (map[string]inventory.Coverage, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	svc, found := inventory.New(s.SSM()), map[string]inventory.Coverage{}
	for _, kind := range []string{inventory.Application, "AWS:Network", "AWS:Service"} {
		covered, err := svc.Covered(ctx, kind, []string{id}, nil)
		if err != nil {
			return nil, err
		}
		found[kind] = covered[id]
	}
	return found, nil
}

// nodeSessions are the sessions that are open on a node.
func (w *wiring) nodeSessions(ctx context.Context, at grid.Place, id string) ([]sessions.Entry, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	return awsapi.Collect(sessions.New(s, sessions.Options{}).List(ctx, sessions.Filter{Target: id}))
}
