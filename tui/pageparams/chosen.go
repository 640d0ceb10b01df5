package pageparams

import (
	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// Chosen are the parameters that are marked, or the one under the cursor; folders are
// none.
func (p *Page) Chosen() []deck.Row {
	chosen := p.chosen()
	out := make([]deck.Row, len(chosen))
	for i, r := range chosen {
		out[i] = deck.Row{
			At: r.Place, Kind: "parameter", ID: r.Value, Label: r.Value,
			Value: deck.FieldsOf(map[string]string{dashfile.ParameterName: r.Value}),
		}
	}
	return out
}
