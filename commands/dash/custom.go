package dash

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// custom is what the user's file has, once it has been read and found to be right.
type custom struct {
	file  string
	views []dashfile.View
	lines []ownLine
	// faults are what is wrong with the rest of the file.
	faults []error
}

// ownRead brings it into the update loop.
type ownRead custom

// readOwn reads the user's file behind the first frame. The simulated fleet of the demo
// has no business with it: its nodes are nobody's, and programs of this machine are real.
func (w *wiring) readOwn() tea.Cmd {
	if w.parse == nil || w.env.Local != nil {
		return nil
	}
	blank := w.blank()
	return w.desk.Go(func(context.Context) tea.Msg {
		defer blank.close()
		f := dashfile.Load(w.env.Lookup, runtime.GOOS)
		if f.Path == "" {
			return nil
		}
		return ownRead(w.settle(f, blank.pages()))
	})
}

// blank is a dashboard of the same sort that has no data and is shown to nobody: its
// pages say which filters and keys there are, and may be asked behind the first frame.
func (w *wiring) blank() *wiring {
	d := *w.deck
	b := &wiring{env: w.env, run: w.run, settings: w.settings, spec: w.spec, deck: &d, desk: feed.NewDesk(nil, nil)}
	b.set = b.feeds()
	return b
}

// settle holds a file against the views and the commands there are.
func (w *wiring) settle(f dashfile.File, pages []deck.Page) custom {
	c := custom{file: f.Path, faults: f.Faults}
	fail := func(line int, format string, args ...any) {
		c.faults = append(c.faults, fmt.Errorf("%s:%d: %s", f.Path, line, fmt.Sprintf(format, args...)))
	}
	key := func(name, key string, line int) string {
		why := keyFault(key, pages)
		if key == "" || why == "" {
			return key
		}
		fail(line, "the key %q of %q: %s", key, name, why)
		return ""
	}
	for _, v := range f.Views {
		v.Key = key(v.Name, v.Key, v.Line)
		at := slices.IndexFunc(pages, func(p deck.Page) bool { return p.ID() == v.View })
		if err := pages[at].SetFilter(v.Filter); err != nil {
			fail(v.Line, "the filter of %q is none of %s: %s", v.Name, v.View, said(err))
			continue
		}
		c.views = append(c.views, v)
	}
	for _, cmd := range f.Commands {
		cmd.Key = key(cmd.Name, cmd.Key, cmd.Line)
		l, err := w.judge(cmd)
		if err != nil {
			fail(cmd.Line, "%q: %s", cmd.Name, said(err))
			continue
		}
		c.lines = append(c.lines, l)
	}
	return c
}

// keyFault says why a key cannot be the user's own, and who has it; empty: it can.
func keyFault(key string, pages []deck.Page) string {
	for _, p := range pages {
		for _, a := range p.Actions() {
			if a.Key == key {
				return fmt.Sprintf("it is %q of %s", a.Name, p.Title())
			}
		}
	}
	what := ""
	if does := tui.KeyOf(key); does != "" {
		what = fmt.Sprintf("it is %q on every view; ", does)
	}
	if what != "" || !dashfile.LegalKey(key) {
		return what + "keys of your own are " + dashfile.LegalKeys
	}
	return ""
}

// said is an error with its hint, on one line.
func said(err error) string {
	text := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text += ": " + hint
	}
	return text
}

// warn says that there is something wrong with the file.
func (c *custom) warn() tea.Cmd {
	if len(c.faults) == 0 {
		return nil
	}
	first := c.faults[0].Error()
	if more := len(c.faults) - 1; more > 0 {
		first += fmt.Sprintf(" (and %s)", widget.Count(more, "more fault"))
	}
	return deck.Ask(deck.Say{Err: fault.New(fault.Usage, "", "%s", render.Visible(first)).WithHint("what is right of the file works; %q in the palette (:) shows all", faultsName)})
}

const faultsName = "faults of dash.yaml"

// Actions are the user's own on a page.
func (w *wiring) Actions(p deck.Page) (actions []deck.Action) {
	for _, v := range w.own.views {
		actions = append(actions, deck.Action{
			Key: v.Key, Name: v.Name, Help: strings.TrimSpace("your view: " + v.View + " " + v.Filter), Whole: true, Own: true,
			Do: func() tea.Cmd { return deck.Ask(deck.Open{Page: v.View, Filter: v.Filter, Clear: true}) },
		})
	}
	for i := range w.own.lines {
		if l := &w.own.lines[i]; slices.Contains(l.Views, p.ID()) {
			actions = append(actions, deck.Action{
				Key: l.Key, Name: l.Name, Help: "your command: " + l.Text(), Off: l.off(p), Writes: l.level > deck.Read, Whole: !l.OfRows(), Own: true,
				Do: func() tea.Cmd { return w.begin(p, l) },
			})
		}
	}
	if len(w.own.faults) > 0 {
		actions = append(actions, deck.Action{
			Name: faultsName, Help: "what is wrong with your own views and commands", Whole: true, Own: true,
			Do: func() tea.Cmd {
				var b strings.Builder
				for _, err := range w.own.faults {
					fmt.Fprintln(&b, err)
				}
				return deck.Ask(deck.Show{Title: "Faults of " + w.own.file, Text: b.String()})
			},
		})
	}
	return actions
}

// off says why a line cannot run on a page now. It is asked on each key, and does not
// look at rows.
func (l *ownLine) off(p deck.Page) string {
	if !l.OfRows() {
		return ""
	}
	marked := p.Status().Marked
	s, ok := p.(deck.Subject)
	switch {
	case marked > 1 && !l.Many():
		return l.one(marked)
	case marked == 0 && ok && s.Subject() == "":
		return "nothing is chosen"
	}
	return ""
}

func (l *ownLine) one(chosen int) string {
	why := fmt.Sprintf("it is about one row, and %d are chosen", chosen)
	if !l.Program && slices.ContainsFunc(l.Views, func(v string) bool { return v == "fleet" || v == "patch" }) {
		why += ": {{." + dashfile.Nodes + "}} in its line would be all nodes"
	}
	return why
}

// begin asks for what a line wants to know, about the rows that are chosen now.
func (w *wiring) begin(p deck.Page, l *ownLine) tea.Cmd {
	var rows []deck.Row
	if c, ok := p.(deck.Choosing); ok && l.OfRows() {
		rows = c.Chosen()
	}
	switch {
	case l.OfRows() && len(rows) == 0:
		return deck.Ask(deck.Say{Text: l.Name + ": nothing is chosen"})
	case len(rows) > 1 && !l.Many():
		return deck.Ask(deck.Say{Text: l.Name + ": " + l.one(len(rows))})
	}
	var refresh []string
	if l.level > deck.Read {
		for _, want := range p.Wants() {
			refresh = append(refresh, want.Feed.Name())
		}
	}
	done := func(answers map[string]string) tea.Cmd { return w.lines(l, rows, answers, refresh) }
	if len(l.Ask) == 0 {
		return done(nil)
	}
	form := deck.Form{Title: l.Name + about(rows), Done: done}
	for _, a := range l.Ask {
		field := deck.Field{Name: a.Name, Label: a.Title, Value: a.Default, Check: deck.Needed}
		if len(a.Choices) > 0 {
			field.Only = true
			field.Choices = func(typed string) []string { return beginning(a.Choices, typed) }
		}
		form.Fields = append(form.Fields, field)
	}
	return deck.Ask(form)
}

// beginning are the choices that begin with what is typed; all, when that is one.
func beginning(choices []string, typed string) []string {
	if slices.Contains(choices, typed) {
		return choices
	}
	return slices.DeleteFunc(slices.Clone(choices), func(c string) bool { return !strings.HasPrefix(c, typed) })
}

// lines asks for one line for each place of the rows.
func (w *wiring) lines(l *ownLine, rows []deck.Row, answers map[string]string, refresh []string) tea.Cmd {
	if len(rows) == 0 {
		return w.line(l, w.only(), nil, answers, refresh)
	}
	placed := make([]grid.Row[deck.Row], len(rows))
	for i, r := range rows {
		placed[i] = grid.Row[deck.Row]{Place: r.At, Value: r}
	}
	places, of := deck.Sendings(placed)
	cmds := make([]tea.Cmd, len(places))
	for i, at := range places {
		cmds[i] = w.line(l, at, of[at], answers, refresh)
	}
	return tea.Batch(cmds...)
}

// only is the place of a dashboard that has but one: a line about no row goes there, and
// not where a profile may lead by now.
func (w *wiring) only() grid.Place {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.cells) != 1 || w.deck.Several() {
		return grid.Place{}
	}
	return w.cells[0].Place
}

// line puts the values in and asks for the line.
func (w *wiring) line(l *ownLine, at grid.Place, rows []deck.Row, answers map[string]string, refresh []string) tea.Cmd {
	filled, err := l.Fill(w.values(at, rows, answers))
	if err != nil {
		return deck.Ask(deck.Say{Err: err})
	}
	line := deck.Line{
		Words: filled.Words, Input: filled.Input, Program: l.Program, Wait: l.Wait, At: at, What: render.Visible(l.Name + about(rows)), Secret: l.shows,
		Level: l.level, How: deck.InPane, Refresh: refresh,
	}
	if l.Screen {
		line.How = deck.OnScreen
	}
	if len(rows) > 0 {
		line.Facts = append(line.Facts, deck.Fact{Name: strings.ToUpper(rows[0].Kind[:1]) + rows[0].Kind[1:] + "s", Value: some(rows)})
	}
	if off := slices.DeleteFunc(slices.Clone(rows), func(r deck.Row) bool { return !r.Offline }); len(off) > 0 {
		line.Facts = append(line.Facts, deck.Fact{Name: "Offline", Value: some(off)})
	}
	if len(rows) == 1 {
		line.Type = rows[0].Label
	}
	if filled.Input != nil {
		line.Facts = append(line.Facts, deck.Fact{Name: "Input", Value: "the ids of the nodes, one a line, on standard input"})
	}
	line.Facts = append(line.Facts, deck.Fact{Name: "From", Value: fmt.Sprintf("%s:%d", w.own.file, l.Line)})
	return func() tea.Msg {
		if err := w.same(l, line.Words); err != nil {
			return deck.Say{Err: err}
		}
		return line
	}
}

// values are what is known for a line.
func (w *wiring) values(at grid.Place, rows []deck.Row, answers map[string]string) dashfile.Values {
	v := dashfile.Values{Ask: answers}
	place := at
	if where := w.deck.Where; place == (grid.Place{}) && where.Scopes == 1 { // else it is not known which is meant
		place = grid.Place{Account: where.Account, Region: where.Region}
	}
	if len(rows) == 1 {
		v.Row = render.Visible(rows[0].Label)
	}
	for _, r := range rows {
		v.Nodes = append(v.Nodes, r.ID)
	}
	v.Field = func(field string) string {
		switch field {
		case dashfile.Account:
			return place.Account
		case dashfile.Region:
			return place.Region
		case dashfile.Profile:
			if place.Profile == "" && len(w.spec.Accounts) > 0 {
				return "" // a role leads there: the profile alone would lead elsewhere
			}
			return cmp.Or(place.Profile, w.settings.Profile)
		}
		if len(rows) != 1 {
			return ""
		}
		return rows[0].Value(field)
	}
	return v
}

// about says which rows a line is about: " on web-1", " on 12 nodes".
func about(rows []deck.Row) string {
	switch len(rows) {
	case 0:
		return ""
	case 1:
		return " on " + render.Visible(rows[0].Label)
	}
	return " on " + widget.Count(len(rows), rows[0].Kind)
}

// some names the first rows and counts all.
func some(rows []deck.Row) string {
	const first = 4
	var names []string
	for _, r := range rows[:min(first, len(rows))] {
		names = append(names, render.Visible(r.Label))
		if r.Label != r.ID {
			names[len(names)-1] += " (" + render.Visible(r.ID) + ")"
		}
	}
	text := fmt.Sprintf("%d: %s", len(rows), strings.Join(names, ", "))
	if rest := len(rows) - len(names); rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
