// Package pageparams is the page Parameters of the dashboard: the parameters as a tree
// or a list, what is known of each, its versions with how they differ, and its value.
//
// The value of a SecureString is read when it is asked for and no sooner, is kept
// apart from everything else, and is dropped after half a minute, when the cursor
// leaves the parameter, or when another page is shown.
package pageparams

import (
	"context"
	"encoding/json"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// detailAge is how old a value or a history may become while it is looked at.
const detailAge = time.Minute

// kept is how many values and histories are remembered, none of them secret.
const kept = 64

// Services is what the page needs beside the feeds.
type Services struct {
	// Value reads a parameter with its value; that of a SecureString only with decrypt.
	Value func(ctx context.Context, at grid.Place, name string, decrypt bool) (parameter.Parameter, error)
	// History reads the versions of a parameter, the newest first.
	History func(ctx context.Context, at grid.Place, name string, decrypt bool) ([]parameter.Parameter, error)
	// Tags reads the tags of a parameter.
	Tags func(ctx context.Context, at grid.Place, name string) (map[string]string, error)
}

// pane is where the keys go.
type pane int

const (
	onList pane = iota
	onSheet
	onVersions
)

// Page is the page.
type Page struct {
	deck *deck.Deck
	desk *feed.Desk
	set  *sources.Set
	svc  Services

	width, height int
	pane          pane
	flat          bool   // a list, not a tree
	filter        string // of rows: while there is one, the list is shown
	tree, list    *widget.List
	branches      []row // of the tree, as it is unfolded
	rows          []row // of the list
	roots         []*folder
	unfolded      map[string]bool
	gen           uint64 // of the feed the rows were made from
	fresh         bool   // they were made at all

	text     *widget.Text // the details
	textOf   string       // the row they are of
	versions *widget.List
	history  []parameter.Parameter // of the row under the cursor, the newest first
	diff     *widget.Text
	diffOf   string // the version it is of
	sheet    area   // of the details
	step     area   // of the difference

	values    *feed.Detail[string] // of those that are no secrets
	histories *feed.Detail[[]parameter.Parameter]
	tags      *feed.Detail[map[string]string]
	secret    secret
}

// New makes the page.
func New(d *deck.Deck, desk *feed.Desk, set *sources.Set, svc Services) *Page {
	p := &Page{
		deck: d, desk: desk, set: set, svc: svc, unfolded: map[string]bool{},
		values: feed.NewDetail[string](desk, kept), histories: feed.NewDetail[[]parameter.Parameter](desk, kept),
		tags: feed.NewDetail[map[string]string](desk, kept),
		text: widget.NewText(), diff: widget.NewText(),
	}
	p.tree = p.newList(func() []row { return p.branches }, p.label, "")
	p.list = p.newList(func() []row { return p.rows }, func(r row) string { return r.path }, "name")
	p.versions = p.newVersions()
	p.refresh()
	return p
}

// ID is the word of the palette.
func (p *Page) ID() string { return "parameters" }

// Title is the word on the tab.
func (p *Page) Title() string { return "Params" }

// folded reports whether the tree is shown.
func (p *Page) folded() bool { return !p.flat && p.filter == "" }

func (p *Page) now() *widget.List {
	if p.folded() {
		return p.tree
	}
	return p.list
}

// Wants is the list of parameters, without values.
func (p *Page) Wants() []feed.Want { return []feed.Want{sources.Want(p.set.Parameters)} }

// Update takes keys, the mouse, news of the feed, and details that have come.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case feed.Changed:
		p.secret.expire(p.deck.Now)
		if msg.Feed == sources.Parameters {
			p.refresh()
		}
		return nil
	case deck.Tick:
		p.secret.tick(p.deck.Now)
	case feed.Got[string]:
		p.values.Take(msg)
		return nil
	case feed.Got[[]parameter.Parameter]:
		p.histories.Take(msg)
		p.pickHistory()
		return nil
	case feed.Got[map[string]string]:
		p.tags.Take(msg)
		return nil
	case feed.Got[opened]:
		p.secret.take(msg, p.deck.Now)
		p.pickHistory()
		return p.desk.After(shown, conceal{p.secret.store})
	case conceal:
		if msg.store == p.secret.store {
			p.hide()
		}
		return nil
	case written:
		return p.afterWrite(msg)
	case tea.KeyPressMsg:
		p.key(msg)
	case tea.MouseClickMsg:
		p.mouse(msg, msg.X, msg.Y)
	case tea.MouseWheelMsg:
		p.mouse(msg, msg.X, msg.Y)
	default:
		return nil
	}
	return p.rest()
}

func (p *Page) key(k tea.KeyPressMsg) {
	name := k.String()
	if p.pane != onList {
		p.fill() // they may not have been drawn since they were opened
	}
	switch {
	case p.pane != onList && (name == "tab" || name == "shift+tab"):
		p.focus(onSheet + onVersions - p.pane)
	case p.pane == onSheet:
		p.text.Update(k)
	case p.pane == onVersions:
		switch name {
		case "pgdown", "pgup":
			p.diff.Update(k)
		default:
			p.versions.Update(k)
		}
	case p.folded() && p.fold(name):
	case p.folded() && (name == "<" || name == ">" || name == "I"):
		// a tree is in the order of its names
	default:
		p.now().Update(k)
	}
}

// rest asks for what the row under the cursor shows, and hides a secret that belongs
// to another one.
func (p *Page) rest() tea.Cmd {
	r, ok := p.current()
	if !ok || r.param == nil {
		p.hide()
		p.values.Leave()
		p.histories.Leave()
		p.tags.Leave()
		p.pickHistory()
		return nil
	}
	if p.secret.key != r.key {
		p.hide()
	}
	p.pickHistory()
	var cmds []tea.Cmd
	if name := r.param.Name; !r.param.Secure() && p.svc.Value != nil && p.showsDetails() {
		cmds = append(cmds, p.values.Want(r.version(), detailAge, func(ctx context.Context) (string, error) {
			v, err := p.svc.Value(ctx, r.at, name, false)
			return v.Value, err
		}))
	}
	if name := r.param.Name; p.pane != onList && p.svc.History != nil {
		cmds = append(cmds, p.histories.Want(r.version(), detailAge, func(ctx context.Context) ([]parameter.Parameter, error) {
			return p.svc.History(ctx, r.at, name, false)
		}))
	}
	if name := r.param.Name; p.pane != onList && p.svc.Tags != nil {
		cmds = append(cmds, p.tags.Want(r.version(), detailAge, func(ctx context.Context) (map[string]string, error) {
			return p.svc.Tags(ctx, r.at, name)
		}))
	}
	return tea.Batch(cmds...)
}

// showsDetails reports whether the details are on the screen.
func (p *Page) showsDetails() bool { return p.pane != onList || p.wide() || p.tall() }

// SetFilter shows only the rows that fit: as a list, for a tree would hide them.
func (p *Page) SetFilter(text string) error {
	p.clock()
	if err := p.list.SetFilter(text); err != nil {
		return err
	}
	before, ok := p.current()
	p.filter = p.list.Filter()
	if ok {
		p.now().Select(before.key)
	}
	return nil
}

// Filter is the filter in force.
func (p *Page) Filter() string { return p.filter }

// Back hides a secret, leaves the details, drops the filter and the marks.
func (p *Page) Back() bool {
	switch {
	case p.secret.open():
		p.hide()
	case p.pane != onList:
		p.focus(onList)
	case p.filter != "":
		_ = p.SetFilter("")
	default:
		return p.now().ClearMarks()
	}
	return true
}

// Status is what the frame says of the page.
func (p *Page) Status() deck.Status {
	l := p.now()
	marked, hidden := l.Marked()
	s := deck.Status{Shown: len(p.rows), Of: len(p.rows), Marked: len(marked), Hidden: hidden}
	if !p.folded() {
		s.Shown = l.Len()
	}
	if r, ok := p.current(); ok && p.pane != onList {
		s.Crumbs = []string{r.path}
	}
	return s
}

// layout is what is kept between two starts. There is no value in it.
type layout struct {
	Flat bool            `json:"flat,omitempty"`
	Tree json.RawMessage `json:"tree,omitempty"`
	List json.RawMessage `json:"list,omitempty"`
}

// Layout returns the columns, and whether it is a tree.
func (p *Page) Layout() json.RawMessage {
	data, _ := json.Marshal(layout{Flat: p.flat, Tree: p.tree.Layout(), List: p.list.Layout()}) // strings alone: cannot fail
	return data
}

// SetLayout takes what Layout has returned.
func (p *Page) SetLayout(data json.RawMessage) {
	var in layout
	if json.Unmarshal(data, &in) != nil {
		return
	}
	p.flat = in.Flat
	if in.Tree != nil {
		p.tree.SetLayout(in.Tree)
	}
	if in.List != nil {
		p.list.SetLayout(in.List)
	}
}

// clock tells the lists the time from which ages are counted.
func (p *Page) clock() {
	for _, l := range []*widget.List{p.tree, p.list, p.versions} {
		l.SetNow(p.deck.Now, p.deck.Still)
	}
}

// widen shows where rows come from once it is known that there are several places.
func (p *Page) widen() {
	for _, l := range []*widget.List{p.tree, p.list} {
		l.ShowPlaces(p.deck.Several(), p.deck.Where.Accounts, p.deck.Where.Regions)
	}
}
