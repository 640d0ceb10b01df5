// Package pagewindows is the page Windows of the dashboard: maintenance windows, when
// each opens and on how many nodes, the next seven days, what is the matter with
// them; and one window opened: what it did, as it does it.
package pagewindows

import (
	"context"
	"encoding/json"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Past names the feed of executions.
const Past = "window executions"

// Services are what the page reads beside the windows.
type Services struct {
	// Past are the last executions of each window, newest first. The feed is called
	// Past.
	Past *feed.Source[window.Execution]
	// Tree reads an execution with what its tasks did.
	Tree func(ctx context.Context, at grid.Place, id string) (window.Tree, error)
}

// MostPast is how many executions of a window are shown. Past brings at least one more
// where there are more.
const MostPast = 10

// How old what the page shows may become: while nothing happens, and while
// something does. Each load of executions is a request for every window.
const (
	pastAge  = 5 * time.Minute
	openAge  = 15 * time.Second
	nodesAge = 5 * time.Minute
	liveAge  = 4 * time.Second // of an execution that runs
	deadAge  = 10 * time.Minute
)

// Page is the page.
type Page struct {
	d   *deck.Deck
	set *sources.Set
	svc Services

	width, height int
	list          *widget.List
	entries       []entry
	gens          [4]uint64 // of what the entries are made from
	minute        time.Time // up to which they are true
	past          map[string][]window.Execution
	tree          *feed.Detail[window.Tree]
	ticked        time.Time

	open   string // the key of the window that is opened; empty: none
	runs   *widget.List
	parts  []part // the rows of runs
	folded map[string]bool
	text   *widget.Text
	inText bool
}

// New makes the page.
func New(d *deck.Deck, desk *feed.Desk, set *sources.Set, svc Services) *Page {
	p := &Page{d: d, set: set, svc: svc, tree: feed.NewDetail[window.Tree](desk, 50), folded: map[string]bool{}}
	p.text = widget.NewText()
	p.list = widget.NewList(widget.Options{Columns: p.columns(), Key: func(i int) string { return p.entries[i].key }, Marks: true, None: p.none})
	p.runs = widget.NewList(widget.Options{Columns: p.runColumns(), Key: func(i int) string { return p.parts[i].key }})
	return p
}

// ID names the page in the palette.
func (p *Page) ID() string { return "windows" }

// Title is the word on the tab.
func (p *Page) Title() string { return "Windows" }

// Wants are the windows and what they did, and seldom the nodes, which tell how many
// a window reaches.
func (p *Page) Wants() []feed.Want {
	past := feed.Want{Feed: p.svc.Past, Every: pastAge}
	for i := range p.entries {
		if p.entries[i].stirs(p.d.Now) {
			past.Every = openAge
		}
	}
	return []feed.Want{sources.Want(p.set.Windows), past, {Feed: p.set.Nodes, Every: nodesAge}}
}

// Update takes keys, the mouse, ticks, changes and answers.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case feed.Changed:
		if p.d.Now.Sub(p.ticked) > 2*time.Second {
			return nil // it is not shown: SetSize sees to it
		}
		switch msg.Feed {
		case sources.Windows, sources.Nodes, Past:
			p.refresh()
			return p.look()
		}
	case feed.Got[window.Tree]:
		if p.tree.Take(msg) {
			p.arrange()
		}
	case deck.Tick:
		p.ticked = p.d.Now
		p.refresh()
		return p.look()
	case tea.KeyPressMsg:
		p.key(msg)
		return p.look()
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		p.mouse(msg)
		return p.look()
	case lookAgain:
		if e, _, ok := p.execution(); ok && e.ID == msg.id {
			return p.tree.Want(msg.key, 0, p.reader(msg.at, msg.id))
		}
	}
	return nil
}

func (p *Page) key(k tea.KeyPressMsg) {
	if p.inText && p.hasText() {
		p.text.Update(k)
		return
	}
	p.focused().Update(k)
}

func (p *Page) focused() *widget.List {
	if p.open != "" {
		return p.runs
	}
	return p.list
}

// SetFilter shows the windows that fit.
func (p *Page) SetFilter(text string) error { return p.list.SetFilter(text) }

// Filter is the filter in force.
func (p *Page) Filter() string { return p.list.Filter() }

// Placeless says that what a window did was done in one place.
func (p *Page) Placeless() string {
	if p.open != "" {
		return "the window that is open is in one place"
	}
	return ""
}

// Back goes from the text to the list, closes the window that is open, drops the marks
// and the filter.
func (p *Page) Back() bool {
	switch {
	case p.inText:
		p.inText = false
	case p.open != "":
		p.open = ""
		p.text.SetText("")
		p.tree.Leave()
	case p.list.ClearMarks():
	case p.list.Filter() != "":
		_ = p.list.SetFilter("")
	default:
		return false
	}
	return true
}

// Status is what the frame says of the page.
func (p *Page) Status() deck.Status {
	marked, hidden := p.list.Marked()
	s := deck.Status{Shown: p.list.Len(), Of: p.list.Of(), Marked: len(marked), Hidden: hidden}
	if e := p.opened(); e != nil {
		s.Crumbs = []string{render.Visible(e.Name)}
	}
	return s
}

// Layout is the columns of the list.
func (p *Page) Layout() json.RawMessage { return p.list.Layout() }

// SetLayout takes what Layout returned.
func (p *Page) SetLayout(data json.RawMessage) { p.list.SetLayout(data) }

// opened is the window that is open; nil: none, or it is gone.
func (p *Page) opened() *entry {
	for i := range p.entries {
		if p.entries[i].key == p.open && p.open != "" {
			return &p.entries[i]
		}
	}
	return nil
}

// current is the window that is open, or the one under the cursor.
func (p *Page) current() *entry {
	if p.open != "" {
		return p.opened()
	}
	if i, ok := p.list.Current(); ok && i < len(p.entries) {
		return &p.entries[i]
	}
	return nil
}
