package dash

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// databaseAt is a database and where it is.
type databaseAt struct {
	at grid.Place
	d  database.Database
}

// label is the database as the form offers it.
func (w *wiring) label(b databaseAt) string {
	text := b.d.String() + "  " + b.d.Engine
	if w.deck.Several() {
		text += "  " + b.at.String()
	}
	return render.Visible(text)
}

// forwardForm asks how to forward to a database. All of its service are offered.
func (w *wiring) forwardForm(chosen databaseAt) tea.Cmd {
	known := map[string]databaseAt{}
	var labels []string
	for at, d := range w.set.Databases.All() {
		if b := (databaseAt{at, *d}); d.Service == chosen.d.Service && d.Endpoint != "" && d.Port != 0 {
			labels = append(labels, w.label(b))
			known[w.label(b)] = b
		}
	}
	return deck.Ask(deck.Form{
		Title: "Forward to a database",
		Fields: []deck.Field{
			{Name: "database", Label: "Database", Value: w.label(chosen), Only: true, Choices: func(typed string) []string {
				typed = strings.ToLower(strings.TrimSpace(typed))
				return slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return !strings.Contains(strings.ToLower(l), typed) })
			}},
			{Name: "via", Label: "Through", Help: "a node; one that reaches it is chosen when nothing is said"},
			{Name: "port", Label: "Local port", Help: "the database's own, when it is free; 0 picks a free one", Check: localPort},
		},
		Done: func(v map[string]string) tea.Cmd {
			b, ok := known[v["database"]]
			if !ok {
				return deck.Ask(deck.Say{Err: fault.New(fault.NotFound, "", "the database %s is not known", v["database"])})
			}
			words := []string{"forward", b.d.Service, b.d.String()}
			if port := strings.TrimSpace(v["port"]); port != "" {
				words = append(words, "--port", port)
			}
			if via := strings.TrimSpace(v["via"]); via != "" {
				words = append(words, "--via", via)
			}
			return deck.Ask(deck.Line{
				Words: words, At: b.at, What: "forward to " + render.Visible(b.d.String()), How: deck.InPane,
				Refresh: []string{sources.Forwards, sources.Sessions},
			})
		},
	})
}

// localPort checks what was typed for a port of this machine.
func localPort(v string) error {
	if v = strings.TrimSpace(v); v == "" {
		return nil
	}
	if n, err := strconv.Atoi(v); err != nil || n < 0 || n > 65535 {
		return fault.Usagef("%q is not a local port from 0 to 65535", v)
	}
	return nil
}
