package pagewindows

import (
	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// Chosen are the windows that are marked, or the one under the cursor or opened.
func (p *Page) Chosen() []deck.Row {
	chosen := p.chosen()
	out := make([]deck.Row, len(chosen))
	for i, e := range chosen {
		out[i] = deck.Row{
			At: e.at, Kind: "window", ID: e.ID, Label: e.Name,
			Value: deck.FieldsOf(map[string]string{dashfile.WindowID: e.ID, dashfile.WindowName: e.Name}),
		}
	}
	return out
}
