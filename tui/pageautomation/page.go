// Package pageautomation is the page Automation of the dashboard: the executions of
// runbooks, those that wait for somebody first, and one of them opened: its steps as
// they run, what they got and gave, the executions that it has started.
package pageautomation

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/redact"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Services are what the page asks beside its feed.
type Services struct {
	// Read reads an execution with its steps and the executions it has started.
	Read func(ctx context.Context, at grid.Place, id string) (Whole, error)
	// Runbooks lists the documents that can be started.
	Runbooks func(ctx context.Context, at grid.Place) ([]document.Summary, error)
	// Runbook reads the parameters of one.
	Runbook func(ctx context.Context, at grid.Place, name string) (document.Document, error)
}

// Whole is an execution with all that belongs to it.
type Whole struct {
	automation.Execution
	Steps    []automation.Step      `json:"step_executions"`
	Children []automation.Execution `json:"children,omitempty"`
}

// row is an execution where it runs.
type row = grid.Row[automation.Execution]

// opened is an execution that was opened.
type opened struct {
	at       grid.Place
	id       string
	document string
}

func (o opened) key() string { return deck.Key(o.at, o.id) }

// Page is the page.
type Page struct {
	d    *deck.Deck
	desk *feed.Desk
	set  *sources.Set
	svc  Services

	width, height int
	list          *widget.List
	rows          []row
	gen           uint64
	busy          bool // something in the list goes on, and waits for nobody
	detail        *feed.Detail[Whole]
	ticked        time.Time // when the page was last known to be shown

	path    []opened // what is open, the last on the screen
	tree    *widget.List
	parts   []part    // the rows of the tree
	shown   string    // the key the parts are of
	seen    string    // their states
	moved   time.Time // when those changed last
	text    *widget.Text
	inText  bool            // keys go to the text
	reveal  time.Time       // when v was pressed
	secrets *redact.Matcher // of what is looked at; nil: none

	asked int // the newest question to the services; answers to older ones are dropped
	books map[grid.Place][]document.Summary
}

// New makes the page.
func New(d *deck.Deck, desk *feed.Desk, set *sources.Set, svc Services) *Page {
	p := &Page{d: d, desk: desk, set: set, svc: svc, detail: feed.NewDetail[Whole](desk, 50), books: map[grid.Place][]document.Summary{}}
	p.text = widget.NewText()
	p.list = widget.NewList(widget.Options{Columns: p.columns(), Key: func(i int) string { return rowKey(p.rows[i]) }, Marks: true, None: p.none})
	p.tree = widget.NewList(widget.Options{Columns: p.treeColumns(), Key: func(i int) string { return p.parts[i].key }})
	return p
}

func rowKey(r row) string { return deck.Key(r.Place, r.Value.ID) }

// ID names the page in the palette.
func (p *Page) ID() string { return "automation" }

// Title is the word on the tab.
func (p *Page) Title() string { return "Automation" }

// Wants are the executions: more often while one runs.
func (p *Page) Wants() []feed.Want {
	if p.busy {
		return []feed.Want{sources.Hurry(p.set.Executions)}
	}
	return []feed.Want{sources.Want(p.set.Executions)}
}

// Update takes keys, the mouse, ticks, changes and answers.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case feed.Changed:
		if p.d.Now.Sub(p.ticked) > 2*time.Second || msg.Feed != sources.Executions {
			return nil // it is not shown: SetSize sees to it
		}
		p.refresh()
		return p.look()
	case feed.Got[Whole]:
		if p.detail.Take(msg) {
			p.arrange()
		}
		return nil
	case deck.Tick:
		p.ticked = p.d.Now
		if !p.open() {
			p.reveal = time.Time{}
		}
		return p.look()
	case tea.KeyPressMsg:
		p.key(msg)
		return p.look()
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		p.mouse(msg)
		return p.look()
	}
	return p.answer(msg)
}

func (p *Page) key(k tea.KeyPressMsg) {
	if p.inText && p.panes().Both() {
		p.text.Update(k)
		return
	}
	p.focused().Update(k)
}

// focused is the list on the screen.
func (p *Page) focused() *widget.List {
	if len(p.path) > 0 {
		return p.tree
	}
	return p.list
}

// refresh takes the rows of the feed.
func (p *Page) refresh() {
	if p.gen == p.set.Executions.Gen() {
		return
	}
	p.gen = p.set.Executions.Gen()
	p.rows = inOrder(p.set.Executions.Rows())
	p.busy = slices.ContainsFunc(p.rows, func(r row) bool { return r.Value.State.Known() && !r.Value.State.Final() && !r.Value.State.Waits() })
	p.list.Filling(p.set.Executions.State().Filling())
	p.list.Reset(len(p.rows))
}

// SetFilter shows the executions that fit.
func (p *Page) SetFilter(text string) error { return p.list.SetFilter(text) }

// Filter is the filter in force.
func (p *Page) Filter() string { return p.list.Filter() }

// Placeless says that the steps of an automation are all in one place.
func (p *Page) Placeless() string {
	if p.open() {
		return "the automation that is open is in one place"
	}
	return ""
}

// Back goes from the text to the list, closes what was opened last, drops the marks
// and the filter.
func (p *Page) Back() bool {
	p.asked++ // an answer that is still to come is not wanted any more
	switch {
	case p.inText:
		p.inText = false
	case len(p.path) > 0:
		p.path = p.path[:len(p.path)-1]
		p.arrange()
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
	for _, o := range p.path {
		s.Crumbs = append(s.Crumbs, render.Visible(o.document)+" "+short(o.id))
	}
	return s
}

// Layout is the columns of the list.
func (p *Page) Layout() json.RawMessage { return p.list.Layout() }

// SetLayout takes what Layout returned.
func (p *Page) SetLayout(data json.RawMessage) { p.list.SetLayout(data) }
