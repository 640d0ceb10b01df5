package dash

import (
	"iter"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/palette"
)

// named are the names of everything that the palette finds.
type named struct {
	nodes        names[fleet.Node]
	parameters   names[parameter.Parameter]
	windows      names[window.Whole]
	commands     names[run.Command]
	executions   names[automation.Execution]
	active, past names[sessions.Entry]
	documents    names[document.Summary]
	databases    names[database.Database]
}

// names is what the rows of a feed are called, made anew when the feed has changed.
type names[T any] struct {
	gen    uint64
	things []thing[T]
	index  *palette.Index
}

// thing is a row and where it is.
type thing[T any] struct {
	at grid.Place
	v  *T
}

// of is the names of the rows as they are now.
func (n *names[T]) of(from *feed.Source[T], called func(v *T) []string) *names[T] {
	if n.index != nil && n.gen == from.Gen() {
		return n
	}
	n.gen, n.things = from.Gen(), make([]thing[T], 0, from.Len())
	for at, v := range from.All() {
		n.things = append(n.things, thing[T]{at, v})
	}
	n.index = palette.NewIndex(len(n.things), func(i int) []string { return called(n.things[i].v) })
	return n
}

// fitting are the rows of a feed that fit what is typed best.
func fitting[T any](s *search, n *names[T], from *feed.Source[T], called func(v *T) []string) iter.Seq2[thing[T], int] {
	return func(yield func(thing[T], int) bool) {
		all := n.of(from, called)
		for i, worth := range all.index.Best(s.typed, foundMost, func(i int) bool { return s.in(all.things[i].at) }) {
			if !yield(all.things[i], worth) {
				return
			}
		}
	}
}

func nodeNames(n *fleet.Node) []string { return []string{n.Name, n.ID, n.IP} }

func parameterNames(p *parameter.Parameter) []string { return []string{p.Name} }

func windowNames(w *window.Whole) []string { return []string{w.Name, w.ID} }

func commandNames(c *run.Command) []string { return []string{c.ID, c.RunID, c.Comment} }

func executionNames(e *automation.Execution) []string { return []string{e.ID, e.Document} }

func sessionNames(e *sessions.Entry) []string { return []string{e.ID, e.Target} }

func documentNames(d *document.Summary) []string { return []string{d.Name, d.DisplayName} }

func databaseNames(d *database.Database) []string { return []string{d.Name, d.Endpoint} }
