package pagepatch

import "github.com/ssmdeck/ssmdeck/tui/deck"

// Chosen are the nodes that actions are about.
func (p *Page) Chosen() []deck.Row {
	chosen := p.chosen()
	out := make([]deck.Row, len(chosen))
	for i, n := range chosen {
		out[i] = deck.NodeRow(n.at, n.ID, n.Name, "", n.tags)
	}
	return out
}
