package pagecommands

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// form asks what to run where. Targets are those of the run that is chosen, so that
// the next command goes to the same nodes.
func (p *Page) form() tea.Cmd {
	at, r, _, ok := p.subject()
	if !ok {
		if len(p.desk.Cells) == 0 {
			return deck.Ask(deck.Say{Text: "no place is open yet"})
		}
		at = p.desk.Cells[0].Place
	}
	return p.ask(at, target(r), "")
}

// RunDocument has the page ask for the nodes that a document is to run on, in one of
// the places that have it: the first, unless another is chosen.
type RunDocument struct {
	At       grid.Place
	Document string
}

// ask asks what to run where, beginning with what is known of it.
func (p *Page) ask(at grid.Place, targets, document string) tea.Cmd {
	fields := p.fields(at, targets)
	for i := range fields {
		if fields[i].Name == "document" {
			fields[i].Value = document
		}
	}
	return deck.Ask(deck.Form{
		Title: "Run a command", Fields: fields,
		Check: checkRun,
		Done: func(v map[string]string) tea.Cmd {
			where := at
			for _, c := range p.desk.Cells {
				if v["place"] == placeLabel(c.Place) {
					where = c.Place
				}
			}
			return p.start(where, v)
		},
	})
}

// placeLabel is a place to choose, under the name of its profile where several were asked for.
func placeLabel(at grid.Place) string {
	if at.Profile == at.Who() {
		return at.String()
	}
	return strings.TrimSpace(at.Profile + " " + at.String())
}

// target is for whom a run was, as --target takes it; empty when it takes more words
// than a person would read.
func target(r run.Run) string {
	if len(r.Commands) == 0 {
		return ""
	}
	var words []string
	for _, t := range r.Commands[0].TargetedBy {
		if key, ok := strings.CutPrefix(t.Key, "tag:"); ok && len(r.Commands[0].TargetedBy) == 1 && !strings.ContainsAny(strings.Join(t.Values, ""), " \"'") {
			words = append(words, "tag:"+key+"="+strings.Join(t.Values, ","))
		}
	}
	for _, c := range r.Commands {
		words = append(words, c.InstanceIDs...)
	}
	const most = 5
	if len(words) > most {
		return ""
	}
	return strings.Join(words, " ")
}

func (p *Page) fields(at grid.Place, targets string) []deck.Field {
	checked := func(parse func(string) error) func(string) error {
		return func(v string) error {
			if v = strings.TrimSpace(v); v == "" {
				return nil
			}
			return parse(v)
		}
	}
	fields := []deck.Field{
		{
			Name: "targets", Label: "Targets", Value: targets, Help: "names, ids, web-*, tag:env=prod, all; spaces between",
			Choices: func(typed string) []string { return p.targetWords(at, typed) }, Check: checkTargets,
		},
		{Name: "command", Label: "Command", Help: "a line for the nodes' shell: systemctl restart nginx"},
		{Name: "document", Label: "Document", Help: "instead of the one for shell scripts", Choices: p.documentWords},
		deck.ParamsField("params", "of the document, NAME=VALUE, one on a line"),
		{Name: "concurrency", Label: "At a time", Help: "a number or a percentage of nodes; 50", Check: checked(func(v string) error { _, err := run.ParseConcurrency(v); return err })},
		{Name: "errors", Label: "Stop after", Help: "more failures than this, a number or a percentage; 0", Check: checked(func(v string) error { _, err := run.ParseMaxErrors(v); return err })},
		{Name: "timeout", Label: "May run for", Help: "10m; an hour when nothing is said", Check: checked(func(v string) error { _, err := run.ParseExecTimeout(v); return err })},
		{Name: "comment", Label: "Comment", Help: "for the history"},
	}
	if len(p.desk.Cells) > 1 {
		var names []string
		for _, c := range p.desk.Cells {
			names = append(names, placeLabel(c.Place))
		}
		fields = slices.Insert(fields, 0, deck.Field{
			Name: "place", Label: "Where", Value: placeLabel(at), Only: true,
			Choices: func(typed string) []string { return fitting(names, typed, len(names)) },
		})
	}
	return fields
}

func checkTargets(v string) error {
	words := strings.Fields(v)
	if len(words) == 0 {
		return fault.Usagef("name the nodes to run on: a name, an id, tag:env=prod, all")
	}
	for _, w := range words {
		if _, err := fleet.ParseTarget(w); err != nil {
			return err
		}
	}
	return nil
}

// checkRun wants something to run.
func checkRun(v map[string]string) error {
	if strings.TrimSpace(v["command"]) == "" && strings.TrimSpace(v["document"]) == "" {
		return fault.Usagef("nothing to run: write a command or name a document")
	}
	return nil
}

// start makes the line that runs it.
func (p *Page) start(at grid.Place, v map[string]string) tea.Cmd {
	if err := checkRun(v); err != nil {
		return deck.Ask(deck.Say{Err: err})
	}
	command, document := strings.TrimSpace(v["command"]), strings.TrimSpace(v["document"])
	line := words("run")
	for _, t := range strings.Fields(v["targets"]) {
		line = append(line, "-t", t)
	}
	flag := func(name, field string) {
		if value := strings.TrimSpace(v[field]); value != "" {
			line = append(line, name, value)
		}
	}
	flag("--document", "document")
	params, input := deck.ParamWords(v["params"])
	line = append(line, params...)
	flag("--concurrency", "concurrency")
	flag("--max-errors", "errors")
	flag("--exec-timeout", "timeout")
	flag("--comment", "comment")
	var behind []string
	if command != "" {
		behind = []string{"--", command}
	}
	return deck.Ask(deck.Line{
		Words:   slices.Concat(line, []string{"--no-wait"}, behind),
		Preview: slices.Concat(line, []string{"--dry-run"}, behind),
		At:      at, What: "run " + cmp.Or(document, command), Level: deck.Change, How: deck.Quietly,
		Input: input, Refresh: []string{sources.Commands}, Done: started(at),
	})
}

// started opens the board of what a line has sent: with --no-wait it prints the ids
// of the commands.
func started(at grid.Place) func(deck.Result) tea.Msg {
	return func(r deck.Result) tea.Msg {
		var ids []string
		for _, id := range strings.Fields(string(r.Out)) {
			if run.IsCommandID(id) {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		return sent{at, ids}
	}
}

const mostChoices = 30

// targetWords completes the last word of the targets.
func (p *Page) targetWords(at grid.Place, typed string) []string {
	before, last := "", typed
	if i := strings.LastIndexByte(typed, ' '); i >= 0 {
		before, last = typed[:i+1], typed[i+1:]
	}
	seen := map[string]bool{"all": true}
	known := []string{"all"}
	add := func(word string) {
		if word != "" && !seen[word] && !strings.ContainsAny(word, " \t\"'") && render.Visible(word) == word {
			seen[word] = true
			known = append(known, word)
		}
	}
	rows, _ := p.set.Nodes.At(at)
	for _, n := range rows {
		for k, v := range n.Tags {
			word := "tag:" + k + "=" + v
			t, err := fleet.ParseTarget(word)
			if !strings.HasPrefix(k, "aws:") && err == nil && t.Kind == fleet.KindTag && t.Key == k && slices.Equal(t.Values, []string{v}) {
				add(word)
			}
		}
	}
	slices.Sort(known[1:])
	for _, n := range rows {
		// A node can be called like an expression, as db-* or file:x, and be offered as
		// what means others.
		if t, err := fleet.ParseTarget(n.Name); err == nil && t.Kind == fleet.KindName && t.Value == n.Name {
			add(n.Name)
		}
	}
	out := fitting(known, last, mostChoices)
	for i := range out {
		out[i] = before + out[i]
	}
	return out
}

// documentWords are documents that were run of late, and those everybody runs.
func (p *Page) documentWords(typed string) []string {
	known := []string{"AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-UpdateSSMAgent", "AWS-RunPatchBaseline", "AWS-ConfigureAWSPackage", "AWS-GatherSoftwareInventory"}
	for _, it := range p.items {
		for _, d := range it.Value.Documents {
			if !slices.Contains(known, d) {
				known = append(known, d)
			}
		}
	}
	return fitting(known, typed, mostChoices)
}

// fitting are the words that have what was typed in them, those that begin with it
// first.
func fitting(words []string, typed string, most int) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	var first, rest []string
	for _, w := range words {
		switch i := strings.Index(strings.ToLower(w), typed); {
		case i == 0:
			first = append(first, w)
		case i > 0:
			rest = append(rest, w)
		}
	}
	all := append(first, rest...)
	return all[:min(len(all), most)]
}
