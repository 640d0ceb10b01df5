package dash

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/pageautomation"
	"github.com/ssmdeck/ssmdeck/tui/pagecommands"
	"github.com/ssmdeck/ssmdeck/tui/pagefleet"
	"github.com/ssmdeck/ssmdeck/tui/palette"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// foundMost is how many things of one kind the palette offers.
const foundMost = 20

// leastTyped is from how many letters on documents are read to look for a name.
const leastTyped = 3

// failuresShown is of how many places it is said why nothing is known of them.
const failuresShown = 3

// finder finds what the fleet has: it looks at what has been read, and says what would
// have to be read besides. It belongs to the update loop.
type finder struct {
	*wiring
	named named
}

// kind is something that a word in front of a name can say it is.
type kind struct {
	look  func(*search)
	alone bool // the word alone shows all of them
}

// kinds are those words.
var kinds = map[string]kind{
	"node": {look: (*search).nodes}, "parameter": {look: (*search).parameters}, "window": {look: (*search).windows},
	"command": {look: (*search).commands}, "execution": {look: (*search).executions}, "session": {look: (*search).sessions},
	"forward": {look: (*search).forwards}, "document": {look: (*search).allDocuments},
	"run":      {look: func(s *search) { s.documents("Command") }},
	"start":    {look: func(s *search) { s.documents("Automation") }},
	"runbook":  {look: func(s *search) { s.documents("Automation") }},
	"database": {look: (*search).allDatabases, alone: true},
	"rds":      {look: func(s *search) { s.databases(database.RDS) }, alone: true},
	"cache":    {look: func(s *search) { s.databases(database.Cache) }, alone: true},
	"redshift": {look: func(s *search) { s.databases(database.Redshift) }, alone: true},
	"search":   {look: func(s *search) { s.databases(database.Search) }, alone: true},
}

// kindOf is the kind that a word names, in the singular or the plural.
func kindOf(word string) kind {
	if k, ok := kinds[word]; ok {
		return k
	}
	return kinds[strings.TrimSuffix(word, "s")]
}

// search is one text that is looked for.
type search struct {
	*finder
	typed string
	in    func(grid.Place) bool
	only  bool // one kind is meant
	asked bool // it is worth reading for
	out   palette.Answer

	placed bool // only what is in a place is meant
}

// Find finds what the fleet has.
func (f *finder) Find(typed string, in func(grid.Place) bool, known bool) palette.Answer {
	typed = strings.ToLower(strings.TrimSpace(typed))
	s := &search{finder: f, typed: typed, in: in, placed: in != nil}
	if in == nil {
		s.in = func(grid.Place) bool { return true }
	}
	word, rest, more := strings.Cut(typed, " ")
	if k := kindOf(word); k.look != nil && (more || k.alone) {
		s.typed, s.only, s.asked = strings.TrimSpace(rest), true, true
		k.look(s)
		return s.out
	}
	if len(typed) < 2 {
		return s.out
	}
	for _, look := range []func(*search){
		(*search).nodes, (*search).parameters, (*search).windows, (*search).commands, (*search).executions, (*search).sessions, (*search).forwards,
	} {
		look(s)
	}
	s.asked = len(typed) >= leastTyped && (!known && len(s.out.Entries) == 0 || strings.HasPrefix(typed, "aws-"))
	s.allDocuments()
	s.asked = false
	s.allDatabases()
	return s.out
}

// found puts in what leads to a page.
func (s *search) found(kind, name, detail string, at grid.Place, worth int, open deck.Open) {
	s.entry(kind, name, detail, at, worth).Do = func() tea.Cmd { return deck.Ask(open) }
}

func (s *search) entry(kind, name, detail string, at grid.Place, worth int) *palette.Entry {
	parts := []string{kind}
	if detail != "" {
		parts = append(parts, detail)
	}
	if s.deck.Several() && at != (grid.Place{}) {
		parts = append(parts, at.String())
	}
	s.out.Entries = append(s.out.Entries, palette.Entry{Name: name, Detail: strings.Join(parts, "  "), Worth: worth})
	return &s.out.Entries[len(s.out.Entries)-1]
}

// term is a term of a filter, with the place where rows come from several.
func (s *search) term(key, value string, at grid.Place) string {
	text := terms.Is(key, value)
	if s.deck.Several() {
		text += " " + terms.Is("account", at.Who()) + " " + terms.Is("region", at.Region)
	}
	return text
}

func (s *search) nodes() {
	for t, worth := range fitting(s, &s.named.nodes, s.set.Nodes, nodeNames) {
		open := deck.Open{Page: "fleet", Then: pagefleet.Select{At: t.at, ID: t.v.ID}}
		s.found("node", sources.Label(*t.v), t.v.ID, t.at, worth, open)
	}
}

func (s *search) parameters() {
	for t, worth := range fitting(s, &s.named.parameters, s.set.Parameters, parameterNames) {
		s.found("parameter", t.v.Name, t.v.Type, t.at, worth, deck.Open{Page: "parameters", Filter: s.term("name", t.v.Name, t.at)})
	}
}

func (s *search) windows() {
	for t, worth := range fitting(s, &s.named.windows, s.set.Windows, windowNames) {
		s.found("window", t.v.Name, t.v.ID, t.at, worth, deck.Open{Page: "windows", Filter: s.term("id", t.v.ID, t.at), Clear: true})
	}
}

// commands are runs, each once, whatever number of commands it has.
func (s *search) commands() {
	seen := map[string]bool{}
	for t, worth := range fitting(s, &s.named.commands, s.set.Commands, commandNames) {
		id := cmp.Or(t.v.RunID, t.v.ID)
		if seen[id] {
			continue
		}
		seen[id] = true
		detail := strings.TrimSpace(fmt.Sprintf("%s  %s  %s  %s", t.v.Document, t.v.State, s.deck.Ago(t.v.Requested), t.v.Comment))
		s.found("command", id, detail, t.at, worth, deck.Open{Page: "commands", Filter: terms.Is("id", id), Clear: true})
	}
}

func (s *search) executions() {
	for t, worth := range fitting(s, &s.named.executions, s.set.Executions, executionNames) {
		detail := fmt.Sprintf("%s  %s", t.v.State, s.deck.Ago(t.v.Started))
		s.found("automation", t.v.Document+" "+t.v.ID, detail, t.at, worth, deck.Open{Page: "automation", Filter: terms.Is("id", t.v.ID), Clear: true})
	}
}

// sessions are those that are open, and then those that have ended.
func (s *search) sessions() {
	for _, part := range []struct {
		from    *feed.Source[sessions.Entry]
		named   *names[sessions.Entry]
		section string
	}{{s.set.Sessions, &s.named.active, "active"}, {s.set.Past, &s.named.past, "past"}} {
		for t, worth := range fitting(s, part.named, part.from, sessionNames) {
			n, _ := s.set.Find(t.at, t.v.Target)
			detail := fmt.Sprintf("%s  on %s  %s", t.v.Status, sources.Label(n), s.deck.Ago(t.v.Started))
			s.found("session", t.v.ID, detail, t.at, worth, deck.Open{Page: "sessions", Filter: part.section + ": " + terms.Is("id", t.v.ID)})
		}
	}
}

// forwards are those that run on this machine and those that are saved: in no place of
// which it could be said that it is the one that is meant.
func (s *search) forwards() {
	if s.placed {
		return
	}
	known := map[string]bool{}
	for _, running := range s.set.Forwards.All() {
		for _, r := range running.Rows {
			known[r.Name] = true
		}
	}
	for _, saved := range s.set.Saved.All() {
		known[saved.Name] = true
	}
	all := slices.Sorted(maps.Keys(known)) // there are never many
	x := palette.NewIndex(len(all), func(i int) []string { return all[i : i+1] })
	for i, worth := range x.Best(s.typed, foundMost, nil) {
		s.found("forward", all[i], "", grid.Place{}, worth, deck.Open{Page: "sessions", Filter: "forwards: " + terms.Is("name", all[i])})
	}
}

func (s *search) allDocuments() { s.documents("") }

// documents are those of a type; empty: of both. The same one in several places is one
// entry.
func (s *search) documents(kind string) {
	seen := map[string]bool{}
	all := s.named.documents.of(s.set.Documents, documentNames)
	fits := func(i int) bool {
		d := all.things[i].v
		return (kind == "" || d.Type == kind) && s.in(all.things[i].at)
	}
	for i, worth := range all.index.Best(s.typed, foundMost*max(s.deck.Where.Scopes, 1), fits) {
		if d := all.things[i].v; !seen[d.Type+" "+d.Name] {
			seen[d.Type+" "+d.Name] = true
			s.document(*d, worth)
		}
	}
	s.reading(s.set.Documents)
}

// document offers to run or to start a document.
func (s *search) document(d document.Summary, worth int) {
	var in []grid.Place
	for at, other := range s.set.Documents.All() {
		if other.Name == d.Name && other.Type == d.Type && s.in(at) {
			in = append(in, at)
		}
	}
	e := s.entry("document", d.Name, "run it on nodes", grid.Place{}, worth)
	open := deck.Open{Page: "commands", Then: pagecommands.RunDocument{At: in[0], Document: d.Name}}
	if d.Type == "Automation" {
		e.Detail = "runbook  start it"
		open = deck.Open{Page: "automation", Then: pageautomation.StartRunbook{Places: in, Name: d.Name}}
	}
	if s.deck.Several() {
		e.Detail += "  " + placesOf(in)
	}
	if e.Do = func() tea.Cmd { return deck.Ask(open) }; s.deck.ReadOnly {
		e.Off = "this dashboard is read-only"
	}
}

// placesOf names one place, or says how many there are.
func placesOf(in []grid.Place) string {
	if len(in) == 1 {
		return in[0].String()
	}
	return fmt.Sprintf("in %d places", len(in))
}

func (s *search) allDatabases() { s.databases("") }

// databases are those of a service; empty: of all.
func (s *search) databases(service string) {
	all := s.named.databases.of(s.set.Databases, databaseNames)
	fits := func(i int) bool {
		return (service == "" || all.things[i].v.Service == service) && s.in(all.things[i].at)
	}
	for i, worth := range all.index.Best(s.typed, foundMost, fits) {
		t := all.things[i]
		e := s.entry(t.v.Service, t.v.Name, "forward to the "+t.v.Kind+"  "+t.v.Engine, t.at, worth)
		if t.v.Endpoint == "" || t.v.Port == 0 {
			e.Off = "it has no endpoint: it is " + cmp.Or(t.v.Status, "not ready")
		}
		chosen := databaseAt{t.at, *t.v}
		e.Do = func() tea.Cmd { return s.forwardForm(chosen) }
	}
	s.reading(s.set.Databases)
}

// reading wants a feed when it was asked for, and says what is not known of it.
func (s *search) reading(f feed.Feed) {
	if !s.asked {
		return
	}
	s.out.Wants = append(s.out.Wants, sources.Want(f))
	st := f.State()
	say := func(name, off string) { s.out.Entries = append(s.out.Entries, palette.Entry{Name: name, Off: off}) }
	for i, failed := range st.Failures {
		if i == failuresShown {
			say(f.Name()+" of "+cli.Plural(len(st.Failures)-i, "other place"), "not known")
			break
		}
		say(f.Name()+" of "+failed.Place.String(), "not known: "+render.OneLine(fault.Explain(failed.Err)))
	}
	switch {
	case st.Places == 0 || st.Whole == 0 && len(st.Failures) == 0:
		say("reading "+f.Name()+s.deck.Styles.Glyphs.Ellipsis, "they are offered as soon as they are there")
	case st.Loading > 0 && st.Whole < st.Places:
		say("reading "+f.Name()+s.deck.Styles.Glyphs.Ellipsis, fmt.Sprintf("%d of %d places have answered", st.Whole, st.Places))
	case len(s.out.Entries) == 0 && s.only:
		say(strings.TrimSpace(f.Name()+" "+s.typed), "there are none that fit")
	}
}
