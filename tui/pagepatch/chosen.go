package pagepatch

import (
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// Chosen are the nodes that actions are about.
func (p *Page) Chosen() []deck.Row {
	chosen := p.chosen()
	out := make([]deck.Row, len(chosen))
	for i, n := range chosen {
		out[i] = deck.NodeRow(n.at, n.ID, n.Name, "", n.tags)
		out[i].Offline = n.Ping != "" && n.Ping != fleet.Online
	}
	return out
}
