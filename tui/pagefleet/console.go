package pagefleet

import "github.com/ssmdeck/ssmdeck/tui/deck"

// console is the page of a node in the console of its partition.
func console(r *row) string {
	if !r.managed {
		return deck.InstanceConsole(r.at, r.n.ID)
	}
	return deck.NodeConsole(r.at, r.n.ID)
}
