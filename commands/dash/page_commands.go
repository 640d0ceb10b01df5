package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) commands() deck.Page { return blank{"commands", "Commands"} }
