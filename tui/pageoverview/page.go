// Package pageoverview is the page Overview of the dashboard: how the fleet and its
// patches stand, what needs attention first, what runs now and which maintenance
// windows open next. Every number on it is a line that leads to the page behind it,
// which then shows exactly the rows that were counted.
package pageoverview

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Services are what the page needs beside the feeds.
type Services struct {
	// Console is the address of Systems Manager in the console of a Region; nil: there
	// is none.
	Console func(at grid.Place) string
	// Strict reads whether a baseline calls a node non-compliant while security
	// updates are available that it does not approve; nil: none does.
	Strict func(ctx context.Context, at grid.Place, baseline string) (bool, error)
}

// Page is the page.
type Page struct {
	deck *deck.Deck
	desk *feed.Desk
	set  *sources.Set
	svc  Services
	known

	width, height int
	panels        []panel
	at            place // under the cursor
	moved         bool  // somebody has moved it
	filter        string
	fits          func(text string) bool
	hits          []hit // what was drawn where, for the mouse
}

// place is a line: its panel and what identifies it there. Both survive new data.
type place struct{ panel, line string }

// New makes the page.
func New(d *deck.Deck, desk *feed.Desk, set *sources.Set, svc Services) *Page {
	p := &Page{deck: d, desk: desk, set: set, svc: svc}
	p.strict = map[baselineAt]strictness{}
	p.refresh()
	return p
}

// ID is the word of the palette.
func (p *Page) ID() string { return "overview" }

// Title is the word on the tab.
func (p *Page) Title() string { return "Overview" }

// SetSize says how many cells the page has.
func (p *Page) SetSize(width, height int) {
	p.width, p.height = width, height
	p.refresh()
}

// fewNodes is up to how many nodes patching is read more often: a call for each 50.
const fewNodes = 500

// Wants are all feeds that are counted here. Commands and automations are read more
// often while some run.
func (p *Page) Wants() []feed.Want {
	s := p.set
	patches := sources.Want(s.Patches)
	if p.nodes.value.all <= fewNodes { // a few calls
		patches = sources.Hurry(s.Patches)
	}
	wants := []feed.Want{
		sources.Want(s.Nodes), patches, sources.Want(s.Attempts), sources.Want(s.Sessions), sources.Want(s.Forwards),
		sources.Want(s.Windows), sources.Want(s.Parameters),
	}
	for _, f := range []struct {
		feed feed.Feed
		busy bool
	}{{s.Commands, p.runs.value.running > 0}, {s.Executions, p.autos.value.running > 0}} {
		if f.busy {
			wants = append(wants, sources.Hurry(f.feed))
		} else {
			wants = append(wants, sources.Want(f.feed))
		}
	}
	return wants
}

// Update takes keys that move, the mouse, and news of data and time.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case feed.Changed:
		p.refresh()
		if msg.Feed == sources.Patches {
			return p.askStrict()
		}
	case strictRead:
		p.takeStrict(msg)
	case deck.Tick:
		p.refresh()
	case tea.KeyPressMsg:
		p.key(msg.String())
	case tea.MouseClickMsg:
		return p.click(msg.X, msg.Y)
	case tea.MouseWheelMsg:
		if msg.Button == tea.MouseWheelUp {
			p.move(-1)
		} else {
			p.move(1)
		}
	}
	return nil
}

// refresh makes the panels anew out of what is known now, and keeps the cursor where
// it was.
func (p *Page) refresh() {
	p.learn(p.set, p.deck.Now)
	before := p.index()
	p.panels = []panel{p.fleetPanel(), p.patchPanel(), p.attentionPanel(), p.runningPanel(), p.windowPanel()}
	if p.fits != nil {
		for i := range p.panels {
			all := &p.panels[i]
			all.lines = slices.DeleteFunc(all.lines, func(l line) bool { return !p.fits(all.title + " " + l.sentence()) })
			if len(all.lines) == 0 && all.say == "" {
				all.say = "nothing matches"
			}
		}
	}
	p.settle(before)
}

// lines are all that can be chosen, in the order in which the cursor goes.
func (p *Page) lines() []place {
	var all []place
	if len(p.panels) == 0 {
		return nil
	}
	for _, at := range p.order() {
		for _, l := range p.panels[at].lines {
			all = append(all, place{p.panels[at].title, l.key})
		}
	}
	return all
}

// attention is the panel of what needs it.
const attention = 2

// order is that of the panels: what needs attention comes first where there is but
// one column.
func (p *Page) order() []int {
	if p.columns() == 1 {
		return []int{attention, 0, 1, 3, 4}
	}
	return []int{0, 1, 2, 3, 4}
}

func (p *Page) index() int { return slices.Index(p.lines(), p.at) }

// settle puts the cursor on its line, or where that line was.
func (p *Page) settle(before int) {
	all := p.lines()
	switch first := p.panels[attention]; {
	case len(all) == 0:
		p.at = place{}
	case !p.moved && len(first.lines) > 0: // what needs attention first
		p.at = place{first.title, first.lines[0].key}
	case slices.Contains(all, p.at):
	default:
		p.at = all[max(0, min(before, len(all)-1))]
	}
}

func (p *Page) current() (line, bool) {
	for _, panel := range p.panels {
		if panel.title != p.at.panel {
			continue
		}
		for _, l := range panel.lines {
			if l.key == p.at.line {
				return l, true
			}
		}
	}
	return line{}, false
}

func (p *Page) key(k string) {
	switch k {
	case "j", "down":
		p.move(1)
	case "k", "up":
		p.move(-1)
	case "g", "home":
		p.move(-len(p.lines()))
	case "G", "end":
		p.move(len(p.lines()))
	case "ctrl+d", "pgdown":
		p.move(5)
	case "ctrl+u", "pgup":
		p.move(-5)
	case "tab", "l", "right":
		p.jump(1)
	case "shift+tab", "h", "left":
		p.jump(-1)
	}
}

func (p *Page) move(by int) {
	all := p.lines()
	if len(all) == 0 {
		return
	}
	p.at, p.moved = all[max(0, min(p.index()+by, len(all)-1))], true
}

// jump goes to the first line of the next panel that has one.
func (p *Page) jump(by int) {
	order := p.order()
	at := slices.IndexFunc(order, func(i int) bool { return p.panels[i].title == p.at.panel })
	for range order {
		at = (at + by + len(order)) % len(order)
		if next := p.panels[order[at]]; len(next.lines) > 0 {
			p.at, p.moved = place{next.title, next.lines[0].key}, true
			return
		}
	}
}

// click chooses a line; on the one that is chosen already it opens.
func (p *Page) click(x, y int) tea.Cmd {
	for _, h := range p.hits {
		if y != h.y || x < h.x || x >= h.x+h.width {
			continue
		}
		if p.at == h.at {
			return p.enter()
		}
		p.at, p.moved = h.at, true
	}
	return nil
}

// enter goes to the page behind the line.
func (p *Page) enter() tea.Cmd {
	l, ok := p.current()
	switch {
	case !ok:
		return nil
	case l.show.Text != "":
		return deck.Ask(l.show)
	}
	return deck.Ask(l.open)
}

// Actions are what can be done with a line.
func (p *Page) Actions() []deck.Action {
	l, ok := p.current()
	off, copyOff := "", ""
	if !ok {
		off = "nothing is known yet"
	}
	if len(l.words) == 0 {
		copyOff = "no command line shows this"
	}
	return []deck.Action{
		{Key: "enter", Name: "open", Help: "open what the number counts, on its page", Footer: true, Off: off, Do: p.enter},
		{Key: "c", Name: "copy", Help: "copy the command line that lists what the number counts", Footer: true, Off: copyOff, Do: func() tea.Cmd {
			return deck.Ask(deck.Copy{Text: p.oneLiner(l), What: "the command line"})
		}},
		{Key: "o", Name: "console", Help: "open Systems Manager in the console", Footer: true, Off: p.consoleOff(), Do: func() tea.Cmd {
			return deck.Ask(deck.Browse{URL: p.svc.Console(p.home())})
		}},
		{Key: "y", Name: "YAML", Help: "show all numbers as YAML", Do: func() tea.Cmd {
			return deck.Ask(deck.Show{Title: "overview", Text: p.yaml()})
		}},
	}
}

func (p *Page) home() grid.Place {
	return grid.Place{Account: p.deck.Where.Account, Region: p.deck.Where.Region}
}

func (p *Page) consoleOff() string {
	if p.svc.Console == nil || p.deck.Where.Region == "" {
		return "the Region is not known"
	}
	return ""
}

// oneLiner is the command line of a line: where the thing is, on this machine, or everywhere.
func (p *Page) oneLiner(l line) string {
	switch {
	case l.at != nil && *l.at == (grid.Place{}): // of this machine, whatever accounts are looked at
		return (&deck.Deck{}).OneLiner(l.words, *l.at)
	case l.at != nil:
		return p.deck.OneLiner(l.words, *l.at)
	}
	return p.deck.OneLiner(l.words, grid.Place{})
}

// SetFilter shows only lines that fit, in the grammar of all lists.
func (p *Page) SetFilter(text string) error {
	if strings.TrimSpace(text) == "" {
		p.filter, p.fits = "", nil
		p.refresh()
		return nil
	}
	var now string
	match, err := widget.Search([]widget.Column{{ID: "line", Title: "LINE", Text: func(int) string { return now }}})(text)
	if err != nil {
		return err
	}
	p.filter, p.fits = text, func(line string) bool { now = line; return match(0) }
	p.refresh()
	return nil
}

// Filter is the filter in force.
func (p *Page) Filter() string { return p.filter }

// Placeless says why the overview is not narrowed to a place.
func (p *Page) Placeless() string { return "the overview counts all places together" }

// Back clears the filter.
func (p *Page) Back() bool {
	if p.filter == "" {
		return false
	}
	p.filter, p.fits = "", nil
	p.refresh()
	return true
}

// Status counts the lines.
func (p *Page) Status() deck.Status {
	n := len(p.lines())
	return deck.Status{Shown: n, Of: n, Lines: true}
}

// Layout keeps nothing: the overview is the same for everybody.
func (p *Page) Layout() json.RawMessage { return nil }

// SetLayout has nothing to take.
func (p *Page) SetLayout(json.RawMessage) {}

// Plain is every line as a sentence.
func (p *Page) Plain() deck.Plain {
	var out deck.Plain
	for _, at := range p.order() {
		panel := p.panels[at]
		if panel.say != "" {
			out.Summary = append(out.Summary, panel.heading()+": "+panel.say)
		} else if panel.note != "" {
			out.Summary = append(out.Summary, panel.heading())
		}
		for _, l := range panel.lines {
			to := place{panel.title, l.key}
			item := deck.Item{Text: render.Visible(panel.title + ": " + l.sentence()), Choose: func() bool { return p.choose(to) }}
			if l.open.Page != "" {
				item.Detail = append(item.Detail, strings.TrimSpace("Opens: "+l.open.Page+" "+l.open.Filter))
			}
			if l.rows > 0 {
				item.Detail = append(item.Detail, fmt.Sprintf("Rows there: %d", l.rows))
			}
			if len(l.words) > 0 {
				item.Detail = append(item.Detail, "Command: "+p.oneLiner(l))
			}
			out.Items = append(out.Items, item)
		}
	}
	return out
}

// choose puts the cursor on a line; false: there is none like it any more.
func (p *Page) choose(to place) bool {
	if !slices.Contains(p.lines(), to) {
		return false
	}
	p.at, p.moved = to, true
	return true
}

// yaml is the page as a document: panels, and sentences in them.
func (p *Page) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "at: %s\n", p.deck.Now.UTC().Format(time.RFC3339))
	for _, panel := range p.panels {
		fmt.Fprintf(&b, "%s:\n", strings.ToLower(strings.ReplaceAll(panel.title, " ", "_")))
		if panel.say != "" {
			fmt.Fprintf(&b, "  - %q\n", render.Visible(panel.say))
		}
		for _, l := range panel.lines {
			fmt.Fprintf(&b, "  - %q\n", render.Visible(l.sentence()))
		}
	}
	return b.String()
}
