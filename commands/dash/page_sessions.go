package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) sessions() deck.Page { return blank{"sessions", "Sessions"} }
