package pageautomation

import (
	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// Chosen are the executions that are marked, or the one under the cursor or opened.
func (p *Page) Chosen() []deck.Row {
	if len(p.path) > 0 {
		o, _, _ := p.chosen()
		return []deck.Row{executionRow(o.at, o.id)}
	}
	var out []deck.Row
	for _, i := range p.list.Chosen() {
		out = append(out, executionRow(p.rows[i].Place, p.rows[i].Value.ID))
	}
	return out
}

func executionRow(at grid.Place, id string) deck.Row {
	return deck.Row{At: at, Kind: "automation", ID: id, Label: id, Value: deck.FieldsOf(map[string]string{dashfile.ExecutionID: id})}
}
