package dash

import (
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/pagecommands"
)

func (w *wiring) commands() deck.Page {
	return pagecommands.New(w.deck, w.desk, w.set, pagecommands.Services{
		Run: func(at grid.Place) (pagecommands.Runner, error) {
			scope, err := w.scope(at)
			if err != nil {
				return nil, err
			}
			return run.New(scope.SSM(), logstore.New(scope.Config())), nil
		},
		Console: deck.Console,
	})
}
