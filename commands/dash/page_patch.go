package dash

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patchreport"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/pagepatch"
)

// patch makes the page Patch.
func (w *wiring) patch() deck.Page {
	svc := pagepatch.Services{
		Baselines: feed.NewSource(pagepatch.Baselines, func(ctx context.Context, in grid.Cell, emit func([]baseline.Identity)) ([]baseline.Identity, error) {
			return collect(baseline.New(in.Scope.SSM()).List(ctx, baseline.Query{}), emit)
		}),
		Looks: feed.NewLocal(pagepatch.Looks, func(context.Context) ([]history.Look, error) {
			store, err := w.looks()
			if err != nil {
				return nil, err
			}
			looks, _, err := store.Looks()
			return append([]history.Look{}, looks...), err
		}),
		Node:    w.patchesOf,
		Lacking: w.lacking,
		Strict:  w.strict,
	}
	if w.keepsLooks() {
		svc.Keep = w.keepLook
	}
	return pagepatch.New(w.deck, w.desk, w.set, svc)
}

// keepsLooks reports whether looks are kept: the person may not want it, and those of
// a demo are worth nothing.
func (w *wiring) keepsLooks() bool { return w.env.Local == nil && w.settings.History }

// keepLook writes down what was counted in a place.
func (w *wiring) keepLook(at grid.Place, total patch.Counts, made time.Time) error {
	look := patchreport.LookOf(total, made, history.Everything)
	look.Account, look.Region = at.Account, at.Region
	store, err := w.looks()
	if err != nil {
		return err
	}
	return store.Append(look)
}

// looks is where earlier looks at patching are kept.
func (w *wiring) looks() (history.Store, error) {
	if !w.keepsLooks() {
		return history.Store{}, nil
	}
	dir, err := config.StateDir(w.env.Lookup, runtime.GOOS)
	if err != nil {
		return history.Store{}, fault.New(fault.Failed, "find the folder for state", "%w", err)
	}
	return history.Store{Dir: filepath.Join(dir, "history")}, nil
}

// patchesOf reads what a node lacks, with the releases that the catalogue tells.
func (w *wiring) patchesOf(ctx context.Context, at grid.Place, row patch.Row) ([]pagepatch.Found, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	one := patch.NodePatches{Row: row}
	for p, err := range patch.New(s.SSM()).OfNode(ctx, row.ID, append(slices.Clone(patch.Wrong), patch.AvailableSecurityUpdate)...) {
		if err != nil {
			return nil, err
		}
		one.Patches = append(one.Patches, p)
	}
	slices.SortStableFunc(one.Patches, patch.Patch.Compare)
	found := make([]pagepatch.Found, len(one.Patches))
	tallies := make([]patch.Tally, len(one.Patches))
	for i, p := range one.Patches {
		found[i].Patch, tallies[i] = p, patch.Tally{Key: p.ID, Title: p.Title}
	}
	// The patches are worth showing without their releases.
	if _, err := patch.Released(ctx, baseline.New(s.SSM()), tallies, []patch.NodePatches{one}); err == nil {
		for i := range found {
			found[i].Released = tallies[i].Released
		}
	}
	return found, ctx.Err()
}

// lacking reads what many nodes lack.
func (w *wiring) lacking(ctx context.Context, at grid.Place, rows []patch.Row, wanted patch.Wanted) (patch.Reading, error) {
	s, err := w.scope(at)
	if err != nil {
		return patch.Reading{}, err
	}
	return patch.New(s.SSM()).OfNodes(ctx, rows, wanted)
}
