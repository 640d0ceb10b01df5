package pagesessions

import (
	"cmp"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// entry is a session with the name of its node.
type entry struct {
	grid.Row[sessions.Entry]
	node string // name; empty: not known
}

func (e entry) key() string { return deck.Key(e.Place, e.Value.ID) }

// label is what the node is called.
func (e entry) label() string { return cmp.Or(e.node, e.Value.Target) }

// length is how long the session runs, or ran; false when that is not known.
func (e entry) length(now time.Time) (time.Duration, bool) {
	end := now
	switch {
	case e.Value.Started.IsZero():
		return 0, false
	case e.Value.Ended != nil:
		end = *e.Value.Ended
	case e.Value.Over():
		return 0, false
	}
	return max(end.Sub(e.Value.Started), 0), true
}

// log is where the service says that the log is.
func (e entry) log() string { return cmp.Or(e.Value.OutputS3, e.Value.OutputCloudWatch) }

func (p *Page) sessionFeeds() [2]*feed.Source[sessions.Entry] {
	return [2]*feed.Source[sessions.Entry]{p.set.Sessions, p.set.Past}
}

func (p *Page) entries(rows []grid.Row[sessions.Entry]) []entry {
	out := make([]entry, len(rows))
	for i, r := range rows {
		out[i] = entry{Row: r, node: p.names[deck.Key(r.Place, r.Value.Target)]}
	}
	return out
}

func (p *Page) sessionList(s section) *widget.List {
	at := func(row int) entry { return p.sessions[s][row] }
	text := func(get func(e entry) string) func(int) string {
		return func(row int) string { return get(at(row)) }
	}
	// ago is the moment from which the length counts to now, for terms like length>1h.
	ago := func(row int) time.Time {
		d, ok := at(row).length(p.deck.Now)
		if !ok {
			return time.Time{}
		}
		return p.deck.Now.Add(-d)
	}
	columns := []widget.Column{
		{ID: "status", Title: "STATUS", Text: text(func(e entry) string { return e.Value.Status }), Level: func(row int) theme.Level { return levels.Session(at(row).Value.Status) }, Flash: true},
		{ID: "who", Title: "WHO", Text: text(func(e entry) string { return e.Value.OwnerName() }), Max: 24},
		{ID: "node", Title: "NODE", Text: text(entry.label), Max: 28, Rank: 1, Loose: true, Also: text(func(e entry) string { return e.Value.Target })},
		{ID: "started", Title: "STARTED", Text: text(func(e entry) string { return p.deck.Ago(e.Value.Started) }), Sort: terms.Moment, At: func(row int) time.Time { return at(row).Value.Started }, Compare: func(a, b int) int { return at(a).Value.Started.Compare(at(b).Value.Started) }, Right: true, Rank: 3},
		{ID: "length", Title: "LENGTH", Text: text(func(e entry) string {
			d, ok := e.length(p.deck.Now)
			if !ok {
				return ""
			}
			return render.Duration(d)
		}), Sort: terms.Moment, At: ago, Compare: func(a, b int) int { return ago(b).Compare(ago(a)) }, Right: true, Rank: 2},
		{ID: "reason", Title: "REASON", Text: text(func(e entry) string { return e.Value.Reason }), Rank: 4},
		{ID: "document", Title: "DOCUMENT", Text: text(func(e entry) string { return e.Value.Document }), Middle: true, Rank: 5},
		{ID: "log", Title: "LOG", Text: text(entry.log), Middle: true, Rank: 6, Off: s == active},
		{ID: "id", Title: "SESSION", Text: text(func(e entry) string { return e.Value.ID }), Middle: true, Rank: 7},
		{ID: "nodeid", Title: "NODE ID", Text: text(func(e entry) string { return e.Value.Target }), Middle: true, Rank: 8, Off: true},
		{ID: "region", Title: "REGION", Text: text(func(e entry) string { return e.Place.Region }), Rank: 3, Off: true},
		{ID: "account", Title: "ACCOUNT", Text: text(func(e entry) string { return e.Place.Who() }), Rank: 4, Off: true},
	}
	return widget.NewList(widget.Options{
		Columns: columns, Key: func(row int) string { return at(row).key() }, Marks: true, Sort: "-started",
		None: func() string { return p.none(s) },
	})
}

// none is what stands in place of rows.
func (p *Page) none(s section) string {
	state := p.sessionFeeds()[s].State()
	switch {
	case state.Empty() && len(state.Failures) > 0:
		return "not known: " + render.Visible(fault.Explain(state.Failures[0].Err))
	case state.Empty():
		return state.Progress()
	case p.lists[s].Filter() != "":
		return "no session fits the filter" + state.Reach()
	case s == active:
		return "nobody has a session open" + state.Reach()
	default:
		return "no session has ended in the last 30 days" + state.Reach()
	}
}

// current is the session under the cursor.
func (p *Page) current() (entry, bool) {
	if p.section == tunnels {
		return entry{}, false
	}
	row, ok := p.list().Current()
	if !ok {
		return entry{}, false
	}
	return p.sessions[p.section][row], true
}

// chosen are the sessions an action is about.
func (p *Page) chosen() []grid.Row[sessions.Entry] {
	if p.section == tunnels {
		return nil
	}
	var out []grid.Row[sessions.Entry]
	for _, row := range p.list().Chosen() {
		out = append(out, p.sessions[p.section][row].Row)
	}
	return out
}

// names are what the nodes of a place are called, by id, for those that are on line.
func (p *Page) online() []choice {
	var out []choice
	for at, n := range p.set.Nodes.All() {
		if !n.Offline() {
			out = append(out, choice{at: at, id: n.ID, name: sources.Label(*n), platform: n.PlatformName})
		}
	}
	return out
}
