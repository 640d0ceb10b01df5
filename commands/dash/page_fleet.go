package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) fleet() deck.Page { return blank{"fleet", "Fleet"} }
