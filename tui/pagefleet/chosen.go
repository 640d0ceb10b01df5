package pagefleet

import "github.com/ssmdeck/ssmdeck/tui/deck"

// Chosen are the nodes that are marked, or the one under the cursor.
func (p *Page) Chosen() []deck.Row {
	chosen := p.list.Chosen()
	out := make([]deck.Row, 0, len(chosen))
	for _, i := range chosen {
		r := p.known(&p.rows[i])
		row := deck.NodeRow(r.at, r.n.ID, r.n.Name, r.n.IP, r.n.Tags)
		row.Offline = r.n.Offline() || !r.managed
		out = append(out, row)
	}
	return out
}
