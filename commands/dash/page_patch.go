package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) patch() deck.Page { return blank{"patch", "Patch"} }
