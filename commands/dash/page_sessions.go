package dash

import (
	"context"

	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/pagesessions"
)

func (w *wiring) sessions() deck.Page {
	return pagesessions.New(w.deck, w.set)
}

// runningForwards asks the processes of this user that run forwards. Those that were
// killed are left to the commands, which end what they have left behind: a list that
// loads by itself changes nothing.
func (w *wiring) runningForwards(ctx context.Context) ([]forwards.Running, error) {
	reg, err := savedforwards.Registry(w.env)
	if err != nil {
		return nil, err
	}
	alive, _, err := reg.Look(ctx)
	return alive, err
}

// savedForwards reads the files of forwards.
func (w *wiring) savedForwards(context.Context) ([]forwards.Entry, error) {
	saved, err := savedforwards.Load(w.env, "")
	return saved.Entries, err
}
