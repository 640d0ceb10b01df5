package pagefleet

import (
	"context"
	"encoding/json"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Services are what the page reads beside the shared feeds. The functions are called
// for one node, where the cursor rests.
type Services struct {
	// Unmanaged are the instances that run and that Systems Manager does not know.
	Unmanaged *feed.Source[fleet.Node]

	Facts        func(ctx context.Context, at grid.Place, id string) (fleet.Node, []fleet.Gap, error)
	Commands     func(ctx context.Context, at grid.Place, id string) ([]run.Command, error)
	Associations func(ctx context.Context, at grid.Place, id string) ([]compliance.Item, error)
	Inventory    func(ctx context.Context, at grid.Place, id string) (map[string]inventory.Coverage, error)
	Sessions     func(ctx context.Context, at grid.Place, id string) ([]sessions.Entry, error)
	Doctor       func(ctx context.Context, at grid.Place, id string) ([]doctor.Check, error)
	// Databases are what can be forwarded to in a place, and what could not be listed.
	Databases func(ctx context.Context, at grid.Place) ([]database.Database, []error)
}

// Page is the page Fleet.
type Page struct {
	deck *deck.Deck
	set  *sources.Set
	svc  Services

	list   *widget.List
	rows   []row
	agents fleet.Agents
	hold   bool      // rows have been made since the last tick
	gens   [4]uint64 // of what rows were made from
	made   bool      // rows have been made once
	search search

	width, height int
	unmanaged     bool // instances that nobody manages are shown, too
	inPane        bool // keys go to the pane; on a narrow screen it is all there is
	top           int  // first line of the pane that is shown
	beneath       int  // how far the pane can be scrolled, as drawn last

	node      details
	databases *feed.Detail[databases]
	exam      examination
}

// New makes the page.
func New(d *deck.Deck, desk *feed.Desk, set *sources.Set, svc Services) *Page {
	p := &Page{
		deck: d, set: set, svc: svc,
		node: newDetails(desk), databases: feed.NewDetail[databases](desk, 8),
		exam: examination{checks: feed.NewDetail[[]doctor.Check](desk, 20)},
	}
	p.list = widget.NewList(widget.Options{
		Columns: p.columns(), Key: func(i int) string { return p.rows[i].key },
		Parse: p.parse, Narrows: func() bool { return p.search.narrows }, Sort: "state", Marks: true, None: p.none,
		Dim: func(i int) bool { return p.rows[i].rank == rankInactive },
	})
	return p
}

// ID is the word of the palette.
func (*Page) ID() string { return "fleet" }

// Title is the word on the tab.
func (*Page) Title() string { return "Fleet" }

// Select puts the cursor on a node, once its row is there, and opens it.
type Select struct {
	At grid.Place
	ID string
}

// SetSize says how many cells the page has.
func (p *Page) SetSize(width, height int) {
	p.width, p.height = width, height
	p.list.SetStyles(p.deck.Styles)
	p.list.SetSize(p.listWidth(), height)
	p.reload()
}

// Wants are the nodes, what patching found of them where a column or the filter
// shows it, and instances without an agent where they are asked for.
func (p *Page) Wants() []feed.Want {
	wants := []feed.Want{sources.Want(p.set.Nodes)}
	if p.shows("PATCHES") || p.search.parts&fleet.PartPatch != 0 {
		wants = append(wants, sources.Want(p.set.Patches))
	}
	if p.unmanaged {
		wants = append(wants, sources.Want(p.svc.Unmanaged))
	}
	return wants
}

// shows reports whether the column of a title is on the screen.
func (p *Page) shows(title string) bool {
	titles, shown := p.list.AllColumns()
	for i, t := range titles {
		if t == title {
			return shown[i]
		}
	}
	return false
}

// Update takes a message.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case feed.Changed:
		p.changed()
		return nil
	case deck.Tick:
		p.hold = false
		p.reload()
		p.list.SetNow(p.deck.Now, p.deck.Still)
		return p.settle()
	case Select:
		p.reload()
		p.open(deck.Key(msg.At, msg.ID))
		return p.settle()
	case sent:
		return msg.open()
	case tagged:
		p.node.again = true
		return p.settle()
	case repaired:
		p.exam.again = true
		return p.settle()
	case tea.KeyPressMsg:
		switch k := msg.String(); {
		case p.keyInPane(k):
		case k == "right" || k == "l":
			return p.openCurrent()
		default:
			p.list.Update(msg)
		}
		return p.settle()
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		p.mouse(msg)
		return p.settle()
	}
	p.take(msg)
	return nil
}

// take puts in what was read of a node.
func (p *Page) take(msg tea.Msg) {
	if p.node.take(msg) {
		if f, _, _, _ := p.node.facts.Get(p.node.of); p.set.AgentNews.Learn(f.node) {
			p.reload() // others with the same agent are behind, too
		}
		return
	}
	switch msg := msg.(type) {
	case feed.Got[databases]:
		p.databases.Take(msg)
	case feed.Got[[]doctor.Check]:
		p.exam.checks.Take(msg)
	}
}

// open puts the cursor on a row and opens it.
func (p *Page) open(key string) {
	if !p.list.Select(key) && p.list.Filter() != "" {
		_ = p.SetFilter("") // it hides the row; no filter is never wrong
		p.list.Select(key)
	}
	p.inPane, p.top, p.exam.of = true, 0, ""
}

// current is the row under the cursor; nil: there is none.
func (p *Page) current() *row {
	if i, ok := p.list.Current(); ok && i < len(p.rows) {
		return &p.rows[i]
	}
	return nil
}

// Subject is the node that actions are about, and the check where one is chosen.
func (p *Page) Subject() string {
	r := p.current()
	if r == nil {
		return ""
	}
	if c, ok := p.exam.current(); ok && p.inPane && p.exam.of != "" {
		return r.key + "\x00" + c.ID
	}
	return r.key
}

// settle loads what is shown of the row under the cursor, unless it is known.
func (p *Page) settle() tea.Cmd {
	r := p.current()
	if r == nil || !p.paneShown() {
		p.node.leave()
		p.exam.checks.Leave()
		return nil
	}
	if p.exam.of != "" && p.exam.of != r.key {
		p.exam.of = "" // the cursor has moved on
		p.top = 0
	}
	if p.node.of != r.key && p.exam.of == "" {
		p.node.of, p.top = r.key, 0
	}
	if p.exam.of != "" {
		return p.exam.want(p.svc, r)
	}
	if !r.managed {
		p.node.leave()
		return nil
	}
	return p.node.want(p.svc, r)
}

// SetFilter shows only rows that fit.
func (p *Page) SetFilter(text string) error {
	if strings.TrimSpace(text) == "" {
		p.search = search{}
	}
	return p.list.SetFilter(text)
}

// Filter is the filter in force.
func (p *Page) Filter() string { return p.list.Filter() }

// Back goes one step back.
func (p *Page) Back() bool {
	switch {
	case p.exam.of != "":
		p.exam.of, p.top = "", 0
		p.inPane = p.exam.fromPane
	case p.inPane:
		p.inPane, p.top = false, 0
	case p.list.Filter() != "":
		_ = p.SetFilter("") // no filter is never wrong
	default:
		return p.list.ClearMarks()
	}
	return true
}

// Status is what the frame says of the page.
func (p *Page) Status() deck.Status {
	marked, hidden := p.list.Marked()
	s := deck.Status{Shown: p.list.Len(), Of: p.list.Of(), Marked: len(marked), Hidden: hidden}
	if r := p.current(); r != nil && p.inPane {
		s.Crumbs = []string{r.label()}
		if p.exam.of != "" {
			s.Crumbs = append(s.Crumbs, "doctor")
		}
	}
	return s
}

// layout is what is kept between two starts.
type layout struct {
	List      json.RawMessage `json:"list,omitempty"`
	Unmanaged bool            `json:"unmanaged,omitempty"`
}

// Layout returns what is kept between two starts.
func (p *Page) Layout() json.RawMessage {
	data, _ := json.Marshal(layout{List: p.list.Layout(), Unmanaged: p.unmanaged}) // cannot fail
	return data
}

// SetLayout takes what Layout has returned.
func (p *Page) SetLayout(data json.RawMessage) {
	var l layout
	if json.Unmarshal(data, &l) != nil {
		return
	}
	p.unmanaged = l.Unmanaged
	p.list.SetLayout(l.List)
}
