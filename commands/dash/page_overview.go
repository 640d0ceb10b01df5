package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) overview() deck.Page { return blank{"overview", "Overview"} }
