package pagefleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// wantDatabases lists what can be forwarded to in a place.
func (p *Page) wantDatabases(at grid.Place) tea.Cmd {
	return p.databases.Want(deck.Key(at, ""), databasesAge, func(ctx context.Context) (databases, error) {
		found, errs := p.svc.Databases(ctx, at)
		if len(found) == 0 && len(errs) > 0 {
			return databases{}, errs[0]
		}
		return databases{found, errs}, nil
	})
}

// reachable are the endpoints in a network that fit what was typed, those of a
// network that the service does not tell behind them.
func (p *Page) reachable(at grid.Place, vpc, typed string) []string {
	known, _, _, _ := p.databases.Get(deck.Key(at, ""))
	typed = strings.ToLower(strings.TrimSpace(typed))
	var near, unknown []string
	for _, d := range known.found {
		if d.Endpoint == "" || d.Port == 0 {
			continue
		}
		text := fmt.Sprintf("%s:%d  %s %s", d.Endpoint, d.Port, d.Engine, d.Name)
		switch {
		case !strings.Contains(strings.ToLower(text), typed):
		case d.VPC == "" || vpc == "":
			unknown = append(unknown, text)
		case d.VPC == vpc:
			near = append(near, text)
		}
	}
	return append(near, unknown...)
}

// ping asks the message gateway about the chosen nodes.
func (p *Page) ping() tea.Cmd {
	return forEach(p.chosen(), func(b batch) deck.Line {
		targets, input := b.targets()
		return deck.Line{
			Words: append([]string{"node", "ping"}, targets...), At: b.at, What: "ping " + b.what(), Facts: b.facts()[:1], Input: input,
			Refresh: []string{sources.Nodes},
		}
	})
}

func needed(what string) func(string) error {
	return func(v string) error {
		if strings.TrimSpace(v) == "" {
			return fault.Usagef("%s is missing", what)
		}
		return nil
	}
}

// copyTo copies to the chosen nodes.
func (p *Page) copyTo() tea.Cmd {
	batches := p.chosen()
	return deck.Ask(deck.Form{
		Title: "Copy to " + whatOf(batches),
		Fields: []deck.Field{
			{Name: "from", Label: "From", Help: "a file or folder of this machine", Check: needed("what to copy")},
			{Name: "to", Label: "To", Help: "where on the node: /tmp/", Check: needed("where to copy it")},
			{Name: "folder", Label: "Folders", Value: "no", Help: "yes copies folders with what is in them", Choices: matching([]string{"no", "yes"}), Only: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			return forEach(batches, func(b batch) deck.Line {
				words := []string{"cp"}
				if v["folder"] == "yes" {
					words = append(words, "--recursive")
				}
				words = append(words, v["from"], strings.Join(b.ids(), ",")+":"+v["to"])
				return deck.Line{
					Words: words, At: b.at, What: "copy to " + b.what(), Facts: append(b.facts(), copyFact(v["from"], v["to"])),
					Level: deck.Change, How: deck.InPane,
				}
			})
		},
	})
}

// copyFrom copies from the node under the cursor.
func (p *Page) copyFrom() tea.Cmd {
	r := p.current()
	id, at, label := r.n.ID, r.at, r.label()
	return deck.Ask(deck.Form{
		Title: "Copy from " + label,
		Fields: []deck.Field{
			{Name: "from", Label: "From", Help: "a file of the node: /var/log/syslog", Check: needed("what to copy")},
			{Name: "to", Label: "To", Value: ".", Help: "a folder of this machine", Check: needed("where to copy it")},
			{Name: "folder", Label: "Folders", Value: "no", Help: "yes copies folders with what is in them", Choices: matching([]string{"no", "yes"}), Only: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			words := []string{"cp"}
			if v["folder"] == "yes" {
				words = append(words, "--recursive")
			}
			return deck.Ask(deck.Line{
				Words: append(words, id+":"+v["from"], v["to"]), At: at, What: "copy from " + label,
				Facts: []deck.Fact{copyFact(v["from"], v["to"])}, Level: deck.Change, How: deck.InPane,
			})
		},
	})
}

// deregister has Systems Manager forget a machine.
func (p *Page) deregister() tea.Cmd {
	r := p.current()
	return deck.Ask(deck.Line{
		Words: []string{"node", "deregister", r.n.ID}, At: r.at, What: "deregister " + r.label(),
		Facts: []deck.Fact{{Name: "Node", Value: render.Visible(r.n.String())}, {Name: "After it", Value: "its agent can do nothing until the machine is registered again, under a new id"}},
		Level: deck.Destructive, Type: r.label(), How: deck.Quietly, Refresh: []string{sources.Nodes},
	})
}

// export asks for the format of a list of what fits the filter.
func (p *Page) export() tea.Cmd {
	formats := []string{"csv", "json", "jsonl", "yaml"}
	entries := make([]deck.Entry, len(formats))
	for i, f := range formats {
		entries[i] = deck.Entry{Name: strings.ToUpper(f), Detail: "everything that is known of the nodes that fit the filter"}
	}
	return deck.Ask(deck.Choose{Title: "Export " + widget.Count(p.list.Len(), "node"), Entries: entries, Done: func(i int) tea.Cmd {
		var places []grid.Place
		for _, at := range p.list.Shown() {
			if !slices.Contains(places, p.rows[at].at) {
				places = append(places, p.rows[at].at)
			}
		}
		var cmds []tea.Cmd
		for _, at := range places {
			words := append([]string{"ls"}, p.filterFlag(at)...)
			words = append(words, "--with", "ec2,tags,patch", "-o", formats[i])
			cmds = append(cmds, deck.Ask(deck.Line{Words: words, At: at, What: "export " + widget.Count(p.list.Len(), "node")}))
		}
		return tea.Batch(cmds...)
	}})
}

// filterFlag is the filter in force as a flag. One with words that --filter does not
// take, which are looked for everywhere, names the nodes that it finds.
func (p *Page) filterFlag(at grid.Place) []string {
	if _, err := fleet.ParseFilter(p.list.Filter()); err == nil {
		return ifGiven("--filter", p.list.Filter())
	}
	var ids []string
	for _, i := range p.list.Shown() {
		if r := &p.rows[i]; r.at == at && r.managed {
			ids = append(ids, r.n.ID)
		}
	}
	return ifGiven("--filter", "id="+strings.Join(ids, ","))
}
