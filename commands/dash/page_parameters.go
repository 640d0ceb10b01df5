package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) parameters() deck.Page { return blank{"parameters", "Parameters"} }
