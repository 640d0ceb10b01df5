package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) windows() deck.Page { return blank{"windows", "Windows"} }
