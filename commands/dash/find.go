package dash

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/pagefleet"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// find is what the palette knows beside views and actions: nodes by name and id,
// parameters by name, windows. It looks at what has been read, and asks nobody.
func (w *wiring) find(typed string, most int) []tui.Found {
	typed = strings.ToLower(strings.TrimSpace(typed))
	if len(typed) < 2 {
		return nil
	}
	var found []tui.Found
	add := func(kind, name, detail, page, filter string) bool {
		found = append(found, tui.Found{Kind: kind, Name: name, Detail: detail, Open: deck.Open{Page: page, Filter: filter}})
		return len(found) < most
	}
	for at, v := range w.set.Nodes.All() {
		if strings.Contains(strings.ToLower(v.Name), typed) || strings.HasPrefix(v.ID, typed) || v.IP == typed {
			found = append(found, tui.Found{
				Kind: "node", Name: sources.Label(*v), Detail: v.ID, Open: deck.Open{Page: "fleet", Then: pagefleet.Select{At: at, ID: v.ID}},
			})
			if len(found) >= most {
				return found
			}
		}
	}
	for _, p := range w.set.Parameters.Rows() {
		if strings.Contains(strings.ToLower(p.Value.Name), typed) {
			if !add("parameter", p.Value.Name, p.Value.Type, "parameters", "name="+p.Value.Name) {
				return found
			}
		}
	}
	for _, m := range w.set.Windows.Rows() {
		if strings.Contains(strings.ToLower(m.Value.Name), typed) {
			if !add("window", m.Value.Name, m.Value.ID, "windows", "id="+m.Value.ID) {
				return found
			}
		}
	}
	return found
}
