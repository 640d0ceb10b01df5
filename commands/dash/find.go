package dash

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

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

// finder finds what the fleet has: it looks at what has been read, and says what would
// have to be read besides.
type finder struct{ w *wiring }

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
	*wiring
	typed string
	in    func(grid.Place) bool
	asked bool // of a kind, so that it is worth reading
	out   palette.Answer
}

// Find finds what the fleet has.
func (f finder) Find(typed string, in func(grid.Place) bool, known bool) palette.Answer {
	if in == nil {
		in = func(grid.Place) bool { return true }
	}
	typed = strings.ToLower(strings.TrimSpace(typed))
	s := &search{wiring: f.w, typed: typed, in: in}
	word, rest, more := strings.Cut(typed, " ")
	if k := kindOf(word); k.look != nil && (more || k.alone) {
		s.typed, s.asked = strings.TrimSpace(rest), true
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

// best keeps the best things of a kind.
func best[T any](s *search) *palette.Best[T] {
	return &palette.Best[T]{Typed: s.typed, Most: foundMost}
}

// found puts in what leads to a page. Things of the fleet come after views and actions
// that fit as well.
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
	s.out.Entries = append(s.out.Entries, palette.Entry{Name: name, Detail: strings.Join(parts, "  "), Worth: max(worth-20, 0)})
	return &s.out.Entries[len(s.out.Entries)-1]
}

// term is a term of a filter, with the place where rows come from several.
func (s *search) term(key, value string, at grid.Place) string {
	if strings.ContainsAny(value, " \t'\"|") {
		value = terms.QuoteWord(value)
	}
	text := key + "=" + value
	if s.deck.Several() {
		text += " account=" + at.Who() + " region=" + at.Region
	}
	return text
}

// thing is something that was found in a place.
type thing[T any] struct {
	at grid.Place
	v  *T
}

func (s *search) nodes() {
	b := best[pagefleet.Select](s)
	for at, n := range s.set.Nodes.All() {
		if s.in(at) {
			b.Add(func() pagefleet.Select { return pagefleet.Select{At: at, ID: n.ID} }, n.Name, n.ID, n.IP)
		}
	}
	for at, worth := range b.All() {
		n, _ := s.set.Find(at.At, at.ID)
		s.found("node", sources.Label(n), n.ID, at.At, worth, deck.Open{Page: "fleet", Then: at})
	}
}

func (s *search) parameters() {
	for t, worth := range matching(s, s.set.Parameters, parameterNames).All() {
		s.found("parameter", t.v.Name, t.v.Type, t.at, worth, deck.Open{Page: "parameters", Filter: s.term("name", t.v.Name, t.at)})
	}
}

func (s *search) windows() {
	for t, worth := range matching(s, s.set.Windows, windowNames).All() {
		s.found("window", t.v.Name, t.v.ID, t.at, worth, deck.Open{Page: "windows", Filter: s.term("id", t.v.ID, t.at), Clear: true})
	}
}

// commands are runs, each once, whatever number of commands it has.
func (s *search) commands() {
	seen := map[string]bool{}
	for t, worth := range matching(s, s.set.Commands, commandNames).All() {
		id := cmp.Or(t.v.RunID, t.v.ID)
		if seen[id] {
			continue
		}
		seen[id] = true
		detail := strings.TrimSpace(fmt.Sprintf("%s  %s  %s  %s", t.v.Document, t.v.State, s.deck.Ago(t.v.Requested), t.v.Comment))
		s.found("command", id, detail, t.at, worth, deck.Open{Page: "commands", Filter: "id=" + id, Clear: true})
	}
}

func (s *search) executions() {
	for t, worth := range matching(s, s.set.Executions, executionNames).All() {
		detail := fmt.Sprintf("%s  %s", t.v.State, s.deck.Ago(t.v.Started))
		s.found("automation", t.v.Document+" "+t.v.ID, detail, t.at, worth, deck.Open{Page: "automation", Filter: "id=" + t.v.ID, Clear: true})
	}
}

// sessions are those that are open, and then those that have ended.
func (s *search) sessions() {
	for _, part := range []struct {
		from    *feed.Source[sessions.Entry]
		section string
	}{{s.set.Sessions, "active"}, {s.set.Past, "past"}} {
		for t, worth := range matching(s, part.from, sessionNames).All() {
			n, _ := s.set.Find(t.at, t.v.Target)
			detail := fmt.Sprintf("%s  on %s  %s", t.v.Status, sources.Label(n), s.deck.Ago(t.v.Started))
			s.found("session", t.v.ID, detail, t.at, worth, deck.Open{Page: "sessions", Filter: part.section + ": id=" + t.v.ID})
		}
	}
}

// forwards are those that run on this machine and those that are saved.
func (s *search) forwards() {
	seen := map[string]bool{}
	b := best[string](s)
	offer := func(name string) {
		if !seen[name] {
			seen[name] = true
			b.Add(func() string { return name }, name)
		}
	}
	for _, running := range s.set.Forwards.All() {
		for _, r := range running.Rows {
			offer(r.Name)
		}
	}
	for _, saved := range s.set.Saved.All() {
		offer(saved.Name)
	}
	for name, worth := range b.All() {
		s.found("forward", name, "", grid.Place{}, worth, deck.Open{Page: "sessions", Filter: "forwards: name=" + terms.QuoteWord(name)})
	}
}

// matching keeps the best rows of a feed by what they are called.
func matching[T any](s *search, from *feed.Source[T], names func(v *T) [3]string) *palette.Best[thing[T]] {
	b := best[thing[T]](s)
	for at, v := range from.All() {
		if s.in(at) {
			called := names(v)
			b.Add(func() thing[T] { return thing[T]{at, v} }, called[:]...)
		}
	}
	return b
}

func (s *search) allDocuments() { s.documents("") }

func (s *search) allDatabases() { s.databases("") }

// documents are those of a type; empty: of both. Those of the same name in several
// places are one entry.
func (s *search) documents(kind string) {
	places, b := map[string][]grid.Place{}, best[document.Summary](s)
	for at, d := range s.set.Documents.All() {
		if !s.in(at) || kind != "" && d.Type != kind {
			continue
		}
		if places[d.Name] = append(places[d.Name], at); len(places[d.Name]) == 1 {
			b.Add(func() document.Summary { return *d }, d.Name, d.DisplayName)
		}
	}
	for d, worth := range b.All() {
		in := places[d.Name]
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
	s.reading(s.set.Documents)
}

// placesOf names one place, or says how many there are.
func placesOf(in []grid.Place) string {
	if len(in) == 1 {
		return in[0].String()
	}
	return fmt.Sprintf("in %d places", len(in))
}

// databases are those of a service; empty: of all.
func (s *search) databases(service string) {
	b := best[thing[database.Database]](s)
	for at, d := range s.set.Databases.All() {
		if s.in(at) && (service == "" || d.Service == service) {
			b.Add(func() thing[database.Database] { return thing[database.Database]{at, d} }, d.Name, d.Endpoint)
		}
	}
	for t, worth := range b.All() {
		e := s.entry(t.v.Service, t.v.Name, "forward to the "+t.v.Kind+"  "+t.v.Engine, t.at, worth)
		if t.v.Endpoint == "" || t.v.Port == 0 {
			e.Off = "it has no endpoint: it is " + cmp.Or(t.v.Status, "not ready")
		}
		chosen := databaseAt{t.at, *t.v}
		e.Do = func() tea.Cmd { return s.wiring.forwardForm(chosen) }
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
	for _, failed := range st.Failures {
		say(f.Name()+" of "+failed.Place.String(), "not known: "+render.OneLine(fault.Explain(failed.Err)))
	}
	switch missing := st.Places - st.Whole - len(st.Failures); {
	case st.Places == 0 || st.Whole == 0 && len(st.Failures) == 0:
		say("reading "+f.Name()+s.deck.Styles.Glyphs.Ellipsis, "they are offered as soon as they are there")
	case missing > 0:
		say("reading "+f.Name()+s.deck.Styles.Glyphs.Ellipsis, fmt.Sprintf("%d of %d places have answered", st.Whole, st.Places))
	case len(s.out.Entries) == 0:
		say(s.typed, "there are no "+f.Name()+" of this name")
	}
}
