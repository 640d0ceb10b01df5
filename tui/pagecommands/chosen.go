package pagecommands

import (
	"cmp"

	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// Chosen are the runs that are marked, or the one under the cursor or on the board.
func (p *Page) Chosen() []deck.Row {
	if p.board != nil {
		return []deck.Row{runRow(p.board.at, p.board.run)}
	}
	p.load()
	var out []deck.Row
	for _, i := range p.list.Chosen() {
		out = append(out, runRow(p.items[i].Place, p.items[i].Value))
	}
	return out
}

func runRow(at grid.Place, r run.Run) deck.Row {
	only := ""
	if len(r.CommandIDs) == 1 {
		only = r.CommandIDs[0]
	}
	return deck.Row{
		At: at, Kind: "run", ID: r.Ref(), Label: r.Ref(),
		Value: deck.FieldsOf(map[string]string{dashfile.RunID: cmp.Or(r.ID, only), dashfile.CommandID: only}),
	}
}
