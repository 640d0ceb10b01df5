package dash

import (
	"context"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/pageoverview"
)

// overview makes the page Overview.
func (w *wiring) overview() deck.Page {
	return pageoverview.New(w.deck, w.desk, w.set, pageoverview.Services{
		Console: func(at grid.Place) string { return deck.Console(at, "home") }, Strict: w.strict,
	})
}

// strict reads whether a baseline calls a node non-compliant while security updates
// are available that it does not approve.
func (w *wiring) strict(ctx context.Context, at grid.Place, id string) (bool, error) {
	s, err := w.scope(at)
	if err != nil {
		return false, err
	}
	b, err := baseline.New(s.SSM()).Get(ctx, id)
	return b.SecurityUpdates == baseline.NonCompliant, err
}
