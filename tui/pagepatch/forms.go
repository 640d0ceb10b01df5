package pagepatch

import (
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// changeGroup asks for a patch group and tags the chosen nodes with it.
func (p *Page) changeGroup() tea.Cmd {
	nodes := p.chosen()
	known := map[string]bool{}
	for _, n := range p.fleet.nodes {
		if n.Group != "" {
			known[n.Group] = true
		}
	}
	return deck.Ask(deck.Form{
		Title: "Patch group of " + widget.Count(len(nodes), "node") + ": " + names(nodes),
		Fields: []deck.Field{{
			Name: "group", Label: "Patch group", Help: "the value of the tag Patch Group",
			Choices: func(typed string) []string {
				var out []string
				for g := range known {
					if strings.Contains(strings.ToLower(g), strings.ToLower(typed)) {
						out = append(out, g)
					}
				}
				slices.Sort(out)
				return out
			},
			Check: baseline.CheckGroup,
		}},
		Done: func(v map[string]string) tea.Cmd { return p.groupLines(nodes, v["group"]) },
	})
}

func (p *Page) groupLines(nodes []*node, group string) tea.Cmd {
	// Of the two tags that mean a patch group a node keeps the one that it has.
	var cmds []tea.Cmd
	for _, tag := range []string{"Patch Group", "PatchGroup"} {
		places, of := byPlace(slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool {
			_, short := n.tags["PatchGroup"]
			return short != (tag == "PatchGroup")
		}))
		for _, at := range places {
			nodes := of[at]
			named, input := strings.Join(ids(nodes), ","), []byte(nil)
			if len(nodes) > inWords {
				named, input = "-", []byte(strings.Join(ids(nodes), "\n")+"\n")
			}
			words := []string{"node", "tag", named, tag + "=" + group}
			cmds = append(cmds, deck.Ask(deck.Line{
				Words: words, Preview: append(slices.Clone(words), "--dry-run"), At: at, Input: input,
				What:  "put " + widget.Count(len(nodes), "node") + " into the patch group " + group,
				Facts: append(p.nodeFacts(nodes), deck.Fact{Name: "effect", Value: "from their next scan on they go by the baseline of that group"}),
				Level: deck.Change, How: deck.InPane, Refresh: []string{sources.Patches, sources.Nodes},
			}))
		}
	}
	return tea.Batch(cmds...)
}

// export asks where a report is to go, and writes it with a line for each place.
func (p *Page) export() tea.Cmd {
	var nodes []*node
	if marked, _ := p.nodes.Marked(); p.groups.inside || p.only.keys != nil || len(marked) > 0 || p.nodes.Filter() != "" {
		rows := p.nodes.Shown()
		if len(marked) > 0 {
			rows = marked
		}
		for _, i := range rows {
			nodes = append(nodes, p.rows[i])
		}
	}
	title := "Write a report on all nodes"
	if nodes != nil {
		title = "Write a report on " + widget.Count(len(nodes), "node") + ": " + names(nodes)
	}
	by := byGroup
	if slices.Contains([]string{byBaseline, byPlatform, byAge}, p.groups.by) {
		by = p.groups.by
	}
	return deck.Ask(deck.Form{
		Title: title,
		Fields: []deck.Field{
			{
				Name: "out", Label: "File", Value: "patching-" + p.deck.Now.In(p.deck.Location).Format("2006-01-02") + ".html", Help: "ends in .html, .md, .xml, .csv, .json or .yaml",
				Check: func(v string) error {
					if filepath.Ext(v) == "" {
						return fault.Usagef("the end of the name says the format").WithHint("use .html, .md, .xml, .csv, .json or .yaml")
					}
					return nil
				},
			},
			{Name: "by", Label: "Rows by", Value: by, Only: true, Choices: func(string) []string {
				return []string{"group", "node", "level", "severity", "classification", "patch", "cve", "baseline", "platform", "age"}
			}},
			{Name: "title", Label: "Title", Value: "Patch compliance"},
		},
		Done: func(v map[string]string) tea.Cmd { return p.exportLines(nodes, v) },
	})
}

func (p *Page) exportLines(nodes []*node, v map[string]string) tea.Cmd {
	all := nodes == nil
	if all {
		nodes = p.fleet.nodes
	}
	places, of := byPlace(nodes)
	var cmds []tea.Cmd
	for _, at := range places {
		words := []string{"patch", "report"}
		if !all {
			words = append(words, ids(of[at])...)
		}
		file := v["out"]
		if len(places) > 1 {
			end := filepath.Ext(file)
			file = strings.Join(strings.Fields(strings.TrimSuffix(file, end)+" "+at.String()), "-") + end
		}
		words = append(words, "--out", file, "--by", v["by"], "--title", v["title"])
		cmds = append(cmds, deck.Ask(deck.Line{Words: words, At: at, What: "write a report to " + file, Level: deck.Read, How: deck.Quietly}))
	}
	return tea.Batch(cmds...)
}
