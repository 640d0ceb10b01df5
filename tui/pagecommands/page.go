package pagecommands

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Page is the view of Run Command.
type Page struct {
	deck *deck.Deck
	desk *feed.Desk
	set  *sources.Set
	svc  Services

	width, height int
	seen          time.Time // when it was last looked at
	fresh         bool      // it has just come onto the screen

	list    *widget.List
	items   []item
	gen     uint64 // of the feed the items are from
	loaded  bool
	running int    // items that have not ended
	wanted  string // the id of a run to open as soon as it is known where it is

	board     *board // nil: the list is shown
	nodes     *widget.List
	rows      []entry
	folds     map[string]string // the names of folds, by key
	unfolded  map[string]bool   // folds that are open
	unfoldAll bool
	failures  bool   // only what failed is shown
	full      bool   // the output has the page for itself
	search    string // in that output
	focus     bool   // keys go to the output
	geo       geometry
	pane      pane
	details   *feed.Detail[written]
	grid      cellGrid

	names    map[nodeKey]string
	namesGen uint64
}

type nodeKey struct {
	at grid.Place
	id string
}

// New makes the page.
func New(d *deck.Deck, desk *feed.Desk, set *sources.Set, svc Services) *Page {
	p := &Page{deck: d, desk: desk, set: set, svc: svc, unfolded: map[string]bool{}, pane: pane{text: widget.NewText()}}
	p.details = feed.NewDetail[written](desk, 8)
	p.list = widget.NewList(widget.Options{Columns: p.columns(), Key: p.key, Marks: true, None: p.none})
	p.nodes = widget.NewList(widget.Options{Columns: p.nodeColumns(), Key: func(i int) string { return p.rows[i].key }, None: p.noNodes})
	p.style()
	return p
}

func (p *Page) style() {
	p.list.SetStyles(p.deck.Styles)
	p.nodes.SetStyles(p.deck.Styles)
}

// ID is the word of the palette.
func (p *Page) ID() string { return "commands" }

// Title is the word on the tab.
func (p *Page) Title() string { return "Commands" }

// SetSize takes the room there is.
func (p *Page) SetSize(width, height int) {
	p.fresh = p.width == width && p.height == height
	p.width, p.height = width, height
	p.seen = p.deck.Now
	p.style()
	p.arrange()
}

// Wants are the commands, in a hurry while one of them runs.
func (p *Page) Wants() []feed.Want {
	wants := []feed.Want{sources.Want(p.set.Commands)}
	if p.running > 0 && p.board == nil {
		wants[0] = sources.Hurry(p.set.Commands)
	}
	// For the names of nodes alone: once is enough.
	if s := p.set.Nodes.State(); p.board != nil && (s.Whole < s.Places || s.Places == 0 || s.Loading > 0) {
		wants = append(wants, feed.Want{Feed: p.set.Nodes, Every: time.Minute})
	}
	return wants
}

// sent says that a run was sent from here.
type sent struct {
	at   grid.Place
	refs []string
}

// Update takes keys, data and the page's own messages.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case feed.Changed:
		switch {
		case m.Feed == sources.Commands:
			p.load()
		case m.Feed == sources.Nodes && p.board != nil && p.namesGen != p.set.Nodes.Gen():
			p.entries() // under their names
			p.pane.stale()
		}
		return tea.Batch(p.pend(), p.pause())
	case feed.Batch[happening]:
		if p.pause(); p.board == nil {
			return nil
		}
		return p.take(m)
	case followed:
		if p.board != nil && p.board.events == m.events {
			return p.next()
		}
		return nil
	case feed.Got[written]:
		p.details.Take(m)
		p.pane.stale()
		return nil
	case sent:
		return p.open(m.at, m.refs, run.Run{})
	case RunDocument:
		return p.ask(m.At, "", m.Document)
	}
	p.seen, p.fresh = p.deck.Now, false
	switch m := msg.(type) {
	case deck.Tick:
		p.arrange() // remarks pass
		return tea.Batch(p.pend(), p.resume(), p.rest())
	case tea.KeyPressMsg:
		return p.press(m)
	case tea.MouseMsg:
		p.mouse(m)
		return p.rest()
	}
	return nil
}

// unseen is how long the page must not have been looked at before it stops
// following: going to another view and back costs nothing.
const unseen = 5 * time.Second

// Unseen stops following a while after the page was last seen.
func (p *Page) Unseen() tea.Cmd { return p.pause() }

// pause stops following while another view is shown.
func (p *Page) pause() tea.Cmd {
	if b := p.board; b != nil && b.busy && p.deck.Now.Sub(p.seen) > unseen {
		p.halt()
		p.details.Leave()
	}
	return nil
}

// resume takes up what was paused or has failed.
func (p *Page) resume() tea.Cmd {
	if b := p.board; b != nil && b.due(p.deck.Now) {
		return p.follow()
	}
	return nil
}

// SetFilter shows only what fits. The id of a run or a command, as id=ID, opens its
// board as soon as it is known where it is.
func (p *Page) SetFilter(text string) error {
	p.wanted = ""
	if id, ok := wholeID(text); ok {
		if p.board != nil && (p.board.ref() == id || slices.Contains(p.board.run.CommandIDs, id)) {
			return nil
		}
		p.close()
		p.wanted = id
		if it, ok := p.find(id); ok {
			p.wanted = ""
			p.put(it.Place, refsOf(it.Value), it.Value)
		}
		return p.list.SetFilter("")
	}
	if p.fresh && text != "" { // it comes from another page, and is about runs
		p.close()
	}
	switch {
	case p.full: // its lines are no rows: they are searched
		p.search = text
		p.output() // there must be lines to search
		p.pane.text.Search(text)
		return nil
	case p.board != nil:
		p.pane.stale()
		return p.nodes.SetFilter(text)
	}
	return p.list.SetFilter(text)
}

// wholeID is the id in a filter that says nothing else.
func wholeID(text string) (string, bool) {
	id, ok := strings.CutPrefix(strings.TrimSpace(text), "id=")
	return id, ok && (run.IsRunID(id) || run.IsCommandID(id))
}

// pend opens the run that was asked for by its id.
func (p *Page) pend() tea.Cmd {
	if p.wanted == "" {
		return nil
	}
	if it, ok := p.find(p.wanted); ok {
		p.wanted = ""
		return p.openItem(it)
	}
	// One that is too old for the list, or too new: where there is one place only it
	// must be there. A list that is read again may wait for the budget, and is not waited for.
	if s := p.set.Commands.State(); s.Whole == s.Places && s.Whole > 0 && len(p.desk.Cells) == 1 {
		id := p.wanted
		p.wanted = ""
		return p.open(p.desk.Cells[0].Place, []string{id}, run.Run{})
	}
	return nil
}

// find is the run in the list with that id, or with that command.
func (p *Page) find(id string) (item, bool) {
	p.load()
	for _, it := range p.items {
		if it.Value.ID == id || slices.Contains(it.Value.CommandIDs, id) {
			return it, true
		}
	}
	return item{}, false
}

func (p *Page) openItem(it item) tea.Cmd { return p.open(it.Place, refsOf(it.Value), it.Value) }

// refsOf are the arguments that name a run: its id, or those of its commands.
func refsOf(r run.Run) []string {
	if r.ID != "" {
		return []string{r.ID}
	}
	return slices.Clone(r.CommandIDs)
}

// Filter is the filter in force.
func (p *Page) Filter() string {
	switch {
	case p.wanted != "":
		return "id=" + p.wanted
	case p.full:
		return p.search
	case p.board != nil:
		return p.nodes.Filter()
	}
	return p.list.Filter()
}

// Placeless says that the nodes of a run are all in one place.
func (p *Page) Placeless() string {
	if p.board != nil {
		return "the run that is open is in one place"
	}
	return ""
}

// Back goes one step back.
func (p *Page) Back() bool {
	switch {
	case p.full && p.search != "":
		p.search = ""
		p.pane.text.Search("")
	case p.full:
		p.full, p.focus = false, false
		p.arrange()
	case p.focus:
		p.focus = false
	case p.board != nil && p.nodes.Filter() != "":
		_ = p.nodes.SetFilter("")
	case p.board != nil:
		p.close()
	case p.wanted != "":
		p.wanted = ""
	case p.list.Filter() != "":
		_ = p.list.SetFilter("")
	default:
		return p.list.ClearMarks()
	}
	return true
}

// Status is what the frame says of the page.
func (p *Page) Status() deck.Status {
	if p.board == nil {
		marked, hidden := p.list.Marked()
		return deck.Status{Shown: p.list.Len(), Of: p.list.Of(), Marked: len(marked), Hidden: hidden}
	}
	s := deck.Status{Shown: p.nodes.Len(), Of: p.nodes.Of(), Lines: true, Crumbs: []string{p.board.short()}}
	if e, ok := p.current(); ok && p.full {
		s.Crumbs = append(s.Crumbs, p.title(e))
	}
	return s
}

// layout is what is kept between two starts.
type layout struct {
	List  json.RawMessage `json:"list,omitempty"`
	Nodes json.RawMessage `json:"nodes,omitempty"`
}

// Layout is what is kept between two starts.
func (p *Page) Layout() json.RawMessage {
	data, _ := json.Marshal(layout{p.list.Layout(), p.nodes.Layout()}) // it is JSON already: cannot fail
	return data
}

// SetLayout takes what Layout has returned.
func (p *Page) SetLayout(data json.RawMessage) {
	var in layout
	if json.Unmarshal(data, &in) != nil {
		return
	}
	p.list.SetLayout(in.List)
	p.nodes.SetLayout(in.Nodes)
}

// press takes a key that is no action's.
func (p *Page) press(k tea.KeyPressMsg) tea.Cmd {
	switch name := k.String(); {
	case p.board == nil:
		p.list.Update(k)
		return nil
	case name == "tab" || name == "shift+tab", name == "l" || name == "right", name == "h" || name == "left":
		p.focus = p.paneShown() && !p.full && (name == "l" || name == "right" || !p.focus && strings.HasSuffix(name, "tab"))
	case p.full || p.focus:
		p.pane.text.Update(k)
	case name == "<" || name == ">" || name == "I": // a fold stays with its nodes
	default:
		if p.nodes.Update(k) {
			p.pane.stale()
		}
	}
	return p.rest()
}

// mouse takes a mouse message in the coordinates of the page.
func (p *Page) mouse(m tea.MouseMsg) {
	at, g := m.Mouse(), p.geo
	pane, x, y := g.panes.At(at.X, at.Y-g.top())
	list := p.nodes
	if p.board == nil {
		list = p.list
	}
	switch m := m.(type) {
	case tea.MouseWheelMsg:
		if pane == 1 && p.board != nil {
			p.pane.text.Update(m)
			return
		}
		list.Update(m)
	case tea.MouseClickMsg:
		p.focus = pane == 1 && p.board != nil && !p.full
		if pane != 0 || p.board != nil && y < 1 { // folds are not sorted
			return
		}
		m.X, m.Y = x, y
		list.Update(m)
	}
	p.pane.stale()
}
