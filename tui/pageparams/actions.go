package pageparams

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// written says that a line has changed something that a parameter's version does not
// tell, such as a label.
type written struct{}

func done(deck.Result) tea.Msg { return written{} }

// afterWrite forgets what was read before.
func (p *Page) afterWrite(written) tea.Cmd {
	p.values.Leave()
	p.histories.Leave()
	p.tags.Leave()
	p.values, p.histories = feed.NewDetail[string](p.desk, kept), feed.NewDetail[[]parameter.Parameter](p.desk, kept)
	p.tags = feed.NewDetail[map[string]string](p.desk, kept)
	p.hide()
	return p.rest()
}

// Subject is the parameter that actions are about, and the version where they are shown.
func (p *Page) Subject() string {
	r, ok := p.current()
	if !ok {
		return ""
	}
	if i, ok := p.versions.Current(); ok && p.pane == onVersions && i < len(p.history) {
		return r.key + "\x00" + strconv.FormatInt(p.history[i].Version, 10)
	}
	return r.key
}

// Actions are what can be done with the row under the cursor, or with those marked.
func (p *Page) Actions() []deck.Action {
	r, ok := p.current()
	off, one, secure := "", "", ""
	if !ok {
		off = "no parameter is chosen"
	}
	if one = off; ok && r.param == nil {
		one = "a folder is chosen: open it, or press T for a list"
	}
	if secure = one; one == "" && !r.param.Secure() {
		secure = "its value is no secret, and is shown"
	}
	several := one
	if len(p.chosen()) > 0 {
		several = ""
	}
	list := []deck.Action{
		{Key: "enter", Name: "open", Help: "open the folder, or go to the parameter with its versions", Footer: true, Off: off, Do: func() tea.Cmd { p.open(); return p.rest() }},
		{Key: "v", Name: p.veil(), Help: "decrypt and show the secret value for 30 s, or hide it", Footer: true, Off: secure, Do: p.reveal},
		{Key: "e", Name: "edit", Help: "change the value in your editor", Footer: true, Off: one, Writes: true, Do: func() tea.Cmd { return p.edit(r) }},
		{Key: "n", Name: "new", Help: "make a parameter", Footer: true, Writes: true, Do: p.create},
		{Key: "b", Name: "rollback", Help: "write an earlier version as the latest", Footer: p.pane != onList, Off: cmp.Or(one, p.noHistory()), Writes: true, Do: p.rollback},
		{Key: "+", Name: "label", Help: "put labels on a version", Footer: p.pane != onList, Off: one, Writes: true, Do: p.addLabels},
		{Key: "x", Name: "export", Help: "write what is below a path into a file", Footer: true, Off: off, Do: func() tea.Cmd { return p.export(r) }},
		{Key: "T", Name: p.otherView(), Help: "show folders, or a list of all parameters", Footer: true, Off: p.noTree(), Whole: true, Do: p.turn},
		{Key: "m", Name: "copy to", Help: "copy to another name, Region or profile", Off: off, Writes: true, Do: func() tea.Cmd { return p.move(r, "copy") }},
		{Key: "M", Name: "move to", Help: "move to another name", Off: off, Writes: true, Do: func() tea.Cmd { return p.move(r, "move") }},
		{Key: "delete", Name: "delete", Help: "delete the parameter with all its versions", Off: several, Writes: true, Do: p.remove},
		{Key: "=", Name: "diff", Help: "compare the two that are marked, or this one with another place", Off: off, Do: func() tea.Cmd { return p.compare(r) }},
		{Key: "A", Name: "advise", Help: "where its secrets belong: here, or in Secrets Manager", Off: off, Do: func() tea.Cmd { return p.tell(r, "advise", "advice on ") }},
		{Key: "$", Name: "cost", Help: "what parameters cost in a month", Off: off, Do: func() tea.Cmd { return p.tell(r, "cost", "cost of ") }},
		{Key: "E", Name: "expiring", Help: "what the policies will do, and when", Off: off, Do: func() tea.Cmd { return p.tell(r, "expiring", "policies of ", "--all") }},
		{Key: "S", Name: "search", Help: "find a text in names, descriptions and values", Do: func() tea.Cmd { return p.search(r) }},
	}
	return append(list, p.rowActions(r, off, one)...)
}

func (p *Page) rowActions(r row, off, one string) []deck.Action {
	hidden := one
	if _, known, err := p.secret.read(); hidden == "" && r.param.Secure() && (!known || err != nil) {
		hidden = "it is hidden: v shows it"
	}
	return []deck.Action{
		{Key: "y", Name: "YAML", Help: "show what is known of it as YAML, without the value", Off: one, Do: func() tea.Cmd { return yaml(r) }},
		{Key: "c", Name: "copy", Help: "copy the name", Off: off, Do: func() tea.Cmd { return deck.Ask(deck.Copy{Text: r.path, What: "the name"}) }},
		{Name: "copy value", Help: "copy the value, where it is shown", Off: hidden, Do: func() tea.Cmd { return p.copyValue(r) }},
		{Key: "o", Name: "console", Help: "open the parameter in the console", Off: one, Do: func() tea.Cmd {
			return deck.Ask(deck.Browse{URL: deck.Console(r.at, "parameters/"+strings.ReplaceAll(r.path, "/", "%252F")+"/description")})
		}},
		{Key: "C", Name: "columns", Help: "choose the columns", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Columns{List: p.now()}) }},
	}
}

// veil is what v does.
func (p *Page) veil() string {
	if p.secret.open() {
		return "hide"
	}
	return "reveal"
}

func (p *Page) otherView() string {
	if p.folded() {
		return "list"
	}
	return "tree"
}

func (p *Page) noTree() string {
	if p.filter != "" {
		return "what a filter finds is a list: esc drops the filter"
	}
	return ""
}

// turn shows the tree in place of the list, or the list; the cursor stays with its
// parameter.
func (p *Page) turn() tea.Cmd {
	r, ok := p.current()
	p.flat = !p.flat
	if !ok {
		return nil
	}
	if p.folded() {
		p.disclose(r)
	}
	p.now().Select(r.key)
	return p.rest()
}

// disclose opens the folders above a parameter.
func (p *Page) disclose(r row) {
	if len(p.roots) > 1 {
		p.unfolded[deck.Key(r.at, "/")] = true
	}
	for i := 1; i < len(r.path); i++ {
		if r.path[i] == '/' {
			p.unfolded[deck.Key(r.at, r.path[:i])] = true
		}
	}
	p.unfold()
}

// about is a line about one row that changes it.
func about(r row, level deck.Level, what string, words ...string) deck.Line {
	return deck.Line{Words: words, At: r.at, What: what + " " + render.Visible(r.path), Level: level, How: deck.Quietly, Refresh: []string{sources.Parameters}, Done: done}
}

func (p *Page) edit(r row) tea.Cmd {
	p.hide()
	l := about(r, deck.Change, "edit", deck.Args([]string{"param", "edit"}, r.path)...)
	l.How = deck.OnScreen
	return deck.Ask(l)
}

// remove deletes parameters, with one line for each place.
func (p *Page) remove() tea.Cmd {
	places, by := deck.Sendings(p.chosen())
	var cmds []tea.Cmd
	for _, at := range places {
		list := by[at]
		l := deck.Line{
			Words: deck.Args([]string{"param", "delete"}, list...), Preview: deck.Args([]string{"param", "delete", "--dry-run"}, list...),
			At: at, What: "delete " + render.Visible(list[0]), Level: deck.Destructive, Type: list[0], How: deck.Quietly,
			Facts: []deck.Fact{{Name: "Lost", Value: "every version, all labels; the name is free after 30 s"}}, Refresh: []string{sources.Parameters}, Done: done,
		}
		if n := len(list); n > 1 {
			l.What, l.Type = fmt.Sprintf("delete %d parameters", n), strconv.Itoa(n)+" parameters"
		}
		cmds = append(cmds, deck.Ask(l))
	}
	return tea.Batch(cmds...)
}

func (p *Page) noHistory() string {
	switch {
	case len(p.history) > 1:
		return ""
	case len(p.history) == 1:
		return "there is only one version"
	case p.pane == onList:
		return "enter shows its versions"
	}
	return "its versions are not known yet"
}

// rollback writes the version under the cursor again, or asks which.
func (p *Page) rollback() tea.Cmd {
	r, _ := p.current()
	back := func(v parameter.Parameter) tea.Cmd {
		n := strconv.FormatInt(v.Version, 10)
		l := about(r, deck.Change, "write version "+n+" again as the latest of", deck.Args([]string{"param", "rollback"}, r.path, n)...)
		l.Preview = deck.With(l.Words, "--dry-run")
		return deck.Ask(l)
	}
	latest := p.history[0].Version // the list may not have heard of it yet
	if i, ok := p.versions.Current(); ok && p.pane == onVersions && p.history[i].Version != latest {
		return back(p.history[i])
	}
	var earlier []parameter.Parameter
	var entries []deck.Entry
	for _, v := range p.history {
		if v.Version != latest {
			earlier = append(earlier, v)
			entries = append(entries, deck.Entry{Name: strings.TrimSpace(fmt.Sprintf("%d %s", v.Version, strings.Join(v.Labels, " "))), Detail: p.when(v.Modified) + " " + who(v.ModifiedBy)})
		}
	}
	return deck.Ask(deck.Choose{Title: "Write again, of " + render.Visible(r.path), Entries: entries, Done: func(i int) tea.Cmd { return back(earlier[i]) }})
}

// tell runs a line about a row that changes nothing, in a pane.
func (p *Page) tell(r row, command, what string, flags ...string) tea.Cmd {
	return deck.Ask(deck.Line{
		Words: deck.With(deck.Args([]string{"param", command}, p.where(r)), flags...), At: r.at, What: what + render.Visible(p.where(r)), Level: deck.Read, How: deck.InPane,
	})
}

// where is what a command takes for a row: a name, or a path of which it takes all.
func (p *Page) where(r row) string {
	if r.path == "" {
		return "/"
	}
	return r.path
}

// compare shows how two parameters or paths differ; secrets are not decrypted.
func (p *Page) compare(r row) tea.Cmd {
	show := func(at grid.Place, a, b string, flags ...string) tea.Cmd {
		return deck.Ask(deck.Line{Words: deck.With(deck.Args([]string{"param", "diff"}, a, b), flags...), At: at, What: "compare " + render.Visible(a) + " and " + render.Visible(b), Level: deck.Read, How: deck.InPane})
	}
	if two := p.chosen(); len(two) == 2 && two[0].Place == two[1].Place {
		return show(r.at, two[0].Value, two[1].Value, "--no-secrets")
	}
	return deck.Ask(deck.Form{
		Title: "Compare " + render.Visible(p.where(r)),
		Fields: []deck.Field{
			{Name: "with", Label: "With", Help: "a name or a path; eu-west-1:/app, prod@eu-west-1:/app, @file", Check: needed, Choices: p.known},
			{Name: "secrets", Label: "Secrets", Value: "not compared", Choices: of("not compared", "compared, not shown"), Only: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			if v["secrets"] == "not compared" {
				return show(r.at, p.where(r), v["with"], "--no-secrets")
			}
			return show(r.at, p.where(r), v["with"], "--decrypt")
		},
	})
}

// yaml shows what is known of a parameter; its value is not.
func yaml(r row) tea.Cmd {
	v := *r.param
	v.Value = ""
	return deck.ShowYAML(v.Name, v)
}

func (p *Page) copyValue(r row) tea.Cmd {
	text := ""
	if r.param.Secure() {
		v, _, _ := p.secret.read()
		text = v.value
	} else {
		text, _, _, _ = p.values.Get(r.version())
	}
	if text == "" {
		return deck.Ask(deck.Say{Text: "the value was not read yet"})
	}
	return deck.Ask(deck.Copy{Text: text, What: "the value"})
}
