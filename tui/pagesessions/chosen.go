package pagesessions

import (
	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// Chosen are the sessions that are marked, or the one under the cursor; a forward is
// none.
func (p *Page) Chosen() []deck.Row {
	chosen := p.chosen()
	out := make([]deck.Row, len(chosen))
	for i, e := range chosen {
		out[i] = deck.Row{
			At: e.Place, Kind: "session", ID: e.Value.ID, Label: e.Value.ID,
			Value: deck.FieldsOf(map[string]string{dashfile.SessionID: e.Value.ID, dashfile.NodeID: e.Value.Target}),
		}
	}
	return out
}
