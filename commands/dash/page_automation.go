package dash

import "github.com/ssmdeck/ssmdeck/tui/deck"

func (w *wiring) automation() deck.Page { return blank{"automation", "Automation"} }
