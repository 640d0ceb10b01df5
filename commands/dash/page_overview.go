package dash

import (
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/pageoverview"
)

func (w *wiring) overview() deck.Page {
	return pageoverview.New(w.deck, w.desk, w.set, pageoverview.Services{})
}
