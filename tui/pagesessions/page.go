// Package pagesessions is the page Sessions of the dashboard: who is on which node,
// who was, and the forwards of this machine with what goes through them.
package pagesessions

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// section is one of the lists of the page.
type section int

const (
	active section = iota
	past
	tunnels
	sections
)

// word is what a section is called in the layout and on its tab.
func (s section) word() string { return [...]string{"Active", "Past", "Forwards"}[s] }

// namesAge is how old the names of nodes may become here: they hardly change.
const namesAge = 5 * time.Minute

// Page is the page.
type Page struct {
	deck *deck.Deck
	set  *sources.Set

	width, height int
	section       section
	open          bool         // keys go to the details of the row
	text          *widget.Text // the details
	textOf        string       // the row they are of
	sheet         struct{ width, height int }
	lists         [sections]*widget.List

	sessions [2][]entry // of active and past
	tunnels  []tunnel
	names    map[string]string // of nodes, by deck.Key
	labels   map[string]string // the same, by id
	gens     [5]uint64         // of the feeds the rows were made from
}

// New makes the page.
func New(d *deck.Deck, set *sources.Set) *Page {
	p := &Page{deck: d, set: set, text: widget.NewText()}
	p.lists[active] = p.sessionList(active)
	p.lists[past] = p.sessionList(past)
	p.lists[tunnels] = p.tunnelList()
	p.refresh(true)
	return p
}

// ID is the word of the palette.
func (p *Page) ID() string { return "sessions" }

// Title is the word on the tab.
func (p *Page) Title() string { return "Sessions" }

func (p *Page) list() *widget.List { return p.lists[p.section] }

// Wants are the feeds of the section, and the forwards, which cost no calls.
func (p *Page) Wants() []feed.Want {
	wants := []feed.Want{sources.Want(p.set.Forwards), sources.Want(p.set.Saved)}
	if p.section == tunnels {
		return wants
	}
	// Nodes are wanted for their names alone: when those are known the page is as old
	// as its sessions are.
	if p.set.Nodes.State().Empty() || p.nameless(p.section) {
		wants = append(wants, feed.Want{Feed: p.set.Nodes, Every: namesAge})
	}
	return append(wants, sources.Want(p.sessionFeeds()[p.section]))
}

// nameless reports whether there is a session on a node that is not known by a name.
func (p *Page) nameless(s section) bool {
	return slices.ContainsFunc(p.sessions[s], func(e entry) bool { return e.node == "" })
}

// Update takes keys, the mouse, and news of the feeds.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case feed.Changed:
		p.refresh(false)
	case savedNow:
		return p.afterSave(msg)
	case tea.KeyPressMsg:
		p.key(msg)
	case tea.MouseWheelMsg:
		p.mouse(msg, msg.X, msg.Y)
	case tea.MouseClickMsg:
		p.mouse(msg, msg.X, msg.Y)
	}
	return nil
}

func (p *Page) key(k tea.KeyPressMsg) {
	switch name := k.String(); name {
	case "tab", "right", "l":
		p.turn(1)
	case "shift+tab", "left", "h":
		p.turn(-1)
	default:
		if p.open {
			p.fill() // it may not have been drawn since it was opened
			if p.text.Update(k) {
				return
			}
		}
		p.list().Update(k)
	}
}

// turn goes to the next section.
func (p *Page) turn(step int) { p.show((p.section + section(step) + sections) % sections) }

func (p *Page) show(s section) {
	p.section = s
	p.focus(false)
}

// SetFilter shows only the rows of the section that fit. The name of a section and a
// colon in front go there: "past: who=alice". What asks about sessions and not about
// forwards goes to those that are open.
func (p *Page) SetFilter(text string) error {
	p.clock()
	if word, rest, ok := strings.Cut(text, ":"); ok {
		for to := range sections {
			if strings.EqualFold(strings.TrimSpace(word), to.word()) {
				text = strings.TrimSpace(rest)
				if to != p.section {
					p.show(to)
				}
			}
		}
	}
	err := p.list().SetFilter(text)
	if err != nil && p.section == tunnels && p.lists[active].SetFilter(text) == nil {
		p.show(active)
		return nil
	}
	return err
}

// Filter is the filter of the section.
func (p *Page) Filter() string { return p.list().Filter() }

// Back leaves the details, then drops the filter, then the marks.
func (p *Page) Back() bool {
	switch {
	case p.open:
		p.focus(false)
	case p.list().Filter() != "":
		_ = p.SetFilter("")
	default:
		return p.list().ClearMarks()
	}
	return true
}

// Status is what the frame says of the page.
func (p *Page) Status() deck.Status {
	l := p.list()
	marked, hidden := l.Marked()
	s := deck.Status{Shown: l.Len(), Of: l.Of(), Marked: len(marked), Hidden: hidden, Crumbs: []string{p.section.word()}}
	if p.open {
		s.Crumbs = append(s.Crumbs, p.title())
	}
	return s
}

// layout is what is kept between two starts.
type layout struct {
	Section string                     `json:"section,omitempty"`
	Lists   map[string]json.RawMessage `json:"lists,omitempty"`
}

// Layout returns the section and the columns of each list.
func (p *Page) Layout() json.RawMessage {
	out := layout{Section: p.section.word(), Lists: map[string]json.RawMessage{}}
	for s, l := range p.lists {
		out.Lists[section(s).word()] = l.Layout()
	}
	data, _ := json.Marshal(out) // strings alone: cannot fail
	return data
}

// SetLayout takes what Layout has returned.
func (p *Page) SetLayout(data json.RawMessage) {
	var in layout
	if json.Unmarshal(data, &in) != nil {
		return
	}
	for s, l := range p.lists {
		if in.Section == section(s).word() {
			p.section = section(s)
		}
		if kept := in.Lists[section(s).word()]; kept != nil {
			l.SetLayout(kept)
		}
	}
}

// refresh makes the rows anew out of the feeds that have changed.
func (p *Page) refresh(all bool) {
	p.clock()
	p.widen()
	now := [...]uint64{p.set.Nodes.Gen(), p.set.Sessions.Gen(), p.set.Past.Gen(), p.set.Forwards.Gen(), p.set.Saved.Gen()}
	nodes := all || now[0] != p.gens[0]
	if nodes {
		p.names, p.labels = map[string]string{}, map[string]string{}
		for at, n := range p.set.Nodes.All() {
			if label := sources.Label(*n); label != n.ID {
				p.names[deck.Key(at, n.ID)], p.labels[n.ID] = label, label
			}
		}
	}
	for s, source := range p.sessionFeeds() {
		if nodes || now[s+1] != p.gens[s+1] {
			p.sessions[s] = p.entries(source.Rows())
			p.lists[s].Filling(p.sessionFeeds()[s].State().Filling())
			p.lists[s].Reset(len(p.sessions[s]))
		}
	}
	if all || now[3] != p.gens[3] || now[4] != p.gens[4] {
		p.tunnels = join(p.set.Saved.Rows(), p.set.Forwards.Rows())
		p.lists[tunnels].Reset(len(p.tunnels))
	}
	p.gens = now
}

// clock tells the lists the time from which ages are counted.
func (p *Page) clock() {
	for _, l := range p.lists {
		l.SetNow(p.deck.Now, p.deck.Still)
	}
}

// widen shows where rows come from once it is known that there are several places.
func (p *Page) widen() {
	for _, l := range p.lists {
		l.ShowPlaces(p.deck.Several(), p.deck.Where.Accounts, p.deck.Where.Regions)
	}
}
