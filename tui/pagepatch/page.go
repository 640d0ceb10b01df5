// Package pagepatch is the page Patch of the dashboard: how far the nodes are as
// their patch baselines want them. On the left are the groups that they fall into,
// in the middle nodes, lacking patches or those affected by a CVE, on the right the
// patches of the node under the cursor.
//
// All numbers are counted as `ssmdeck patch status` counts them, from what the last
// scan of each node found. A node that was never scanned, or whose state could not
// be read, is no compliant one.
package pagepatch

import (
	"cmp"
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// The feeds of this page alone.
const (
	Baselines = "patch baselines"
	Looks     = "patch history"
)

// Services are what the page needs beside the shared feeds.
type Services struct {
	// Baselines are those of the account, for their names.
	Baselines *feed.Source[baseline.Identity]
	// Looks are what earlier looks from this machine have counted. Its place is the
	// zero one.
	Looks *feed.Source[history.Look]

	// Node reads the patches of a node that are not as they should be.
	Node func(ctx context.Context, at grid.Place, r patch.Row) ([]Found, error)
	// Lacking reads such patches of many nodes of a place.
	Lacking func(ctx context.Context, at grid.Place, rows []patch.Row, w patch.Wanted) (patch.Reading, error)
	// Keep keeps what was counted in a place, for the trend; nil: nothing is kept.
	Keep func(at grid.Place, total patch.Counts, made time.Time) error
	// Strict reads whether a baseline calls a node non-compliant while security
	// updates are available that it does not approve.
	Strict func(ctx context.Context, at grid.Place, baseline string) (bool, error)
}

// Found is a patch of a node, with its release where the catalogue tells it.
type Found struct {
	patch.Patch
	Released time.Time `json:"released,omitzero"`
}

// The panes, from left to right.
const (
	paneGroups = iota
	paneMain
	panePatches
)

// view is what the middle pane shows.
type view int

const (
	viewNodes view = iota
	viewLacks      // patches that nodes lack
	viewCVE        // nodes affected by a CVE
)

// Page is the page. See deck.Page.
type Page struct {
	deck *deck.Deck
	desk *feed.Desk
	set  *sources.Set
	svc  Services

	width, height int
	focus         int
	view          view

	fleet     fleetState
	counting  generation // what is counted, or has been
	strict    map[baselineAt]strictness
	strictGen uint64 // counts changes of strict

	groups groupList
	nodes  *widget.List
	rows   []*node // of nodes
	only   only
	detail *feed.Detail[[]Found]
	found  []Found // of patches
	of     string  // whose they are
	ofAt   time.Time
	list   *widget.List // of found

	shown   basis     // of the list in the middle
	making  basis     // of the one that is made
	hurry   time.Time // until then what was asked for is looked for
	reading reading
	lacks   lackList
	cve     cveList
	trend   trend

	expr    terms.Expr // the filter of the nodes that was made last
	narrows bool       // it fits no node that the one before did not fit
}

// only narrows the nodes to those that lack a patch.
type only struct {
	keys map[string]bool
	what string
}

// New makes the page.
func New(d *deck.Deck, desk *feed.Desk, set *sources.Set, svc Services) *Page {
	p := &Page{deck: d, desk: desk, set: set, svc: svc, focus: paneMain}
	p.detail = feed.NewDetail[[]Found](desk, 200)
	p.trend.kept = map[grid.Place]time.Time{}
	p.strict = map[baselineAt]strictness{}
	p.groups.by = byGroup
	p.makeGroups()
	p.makeNodes()
	p.makePatches()
	p.makeLacks()
	p.makeCVE()
	return p
}

// ID returns patch.
func (*Page) ID() string { return "patch" }

// Title returns Patch.
func (*Page) Title() string { return "Patch" }

// Wants are the nodes with their patch states; they are read more often while
// something scans or installs.
func (p *Page) Wants() []feed.Want {
	states, runs := sources.Want(p.set.Patches), feed.Want{Feed: p.set.Attempts, Every: time.Minute}
	switch {
	case p.fleet.running > 0:
		states, runs.Every = sources.Hurry(p.set.Patches), 5*time.Second
	case p.deck.Now.Before(p.hurry):
		runs.Every = 5 * time.Second
	}
	return []feed.Want{
		states, runs,
		{Feed: p.svc.Baselines, Every: 10 * time.Minute},
		{Feed: p.svc.Looks, Every: time.Minute},
	}
}

// Update takes keys, the mouse, and what feeds and loads bring.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case feed.Changed:
		return p.changed(m.Feed)
	case feed.Got[[]Found]:
		if p.detail.Take(m) {
			p.showPatches()
		}
	case strictRead:
		return p.takeStrict(m)
	case counted:
		return p.take(m)
	case middleMade:
		p.takeMiddle(m.m)
	case lookKept:
		if m.err != nil {
			return deck.Ask(deck.Say{Err: m.err})
		}
		return deck.Ask(deck.Refresh{Feeds: []string{Looks}})
	case readEnded:
		return p.takeReading(m)
	case deck.Tick:
		p.reading.glance()
		return tea.Batch(p.count(), p.look()) // the page may have been made larger, or shown again
	case SearchCVE:
		return p.searchCVE(m.CVE)
	case tea.KeyPressMsg:
		return p.key(m)
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		return p.mouse(m)
	}
	return nil
}

// changed takes new data of a feed into the lists.
func (p *Page) changed(name string) tea.Cmd {
	switch name {
	case sources.Patches, sources.Attempts, Baselines:
		return p.count()
	case Looks:
		p.countTrend()
		return p.keepLooks()
	}
	return nil
}

// key takes keys that are no actions: those that move.
func (p *Page) key(k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "tab", "l", "right":
		p.turn(1)
	case "shift+tab", "h", "left":
		p.turn(-1)
	case "enter":
		return p.enter()
	default:
		if !p.focused().Update(k) {
			return nil
		}
		p.moved()
	}
	return p.look()
}

// moved follows the cursor of the groups: the other panes are about its nodes.
func (p *Page) moved() {
	if p.focus == paneGroups {
		p.pick()
	}
}

// turn gives the keys to another pane.
func (p *Page) turn(by int) {
	last := panePatches
	if p.view != viewNodes {
		last = paneMain
	}
	p.focus = max(min(p.focus+by, last), paneGroups)
}

// enter goes one step deeper.
func (p *Page) enter() tea.Cmd {
	switch {
	case p.focus == paneGroups:
		p.focus = paneMain
	case p.focus == paneMain && p.view == viewNodes:
		p.focus = panePatches
	case p.focus == paneMain && p.view == viewLacks:
		p.openLack()
	case p.focus == paneMain && p.view == viewCVE:
		p.openAffected()
	case p.focus == panePatches:
		return p.explain()
	}
	return p.look()
}

// focused is the list that keys go to.
func (p *Page) focused() *widget.List {
	switch p.focus {
	case paneGroups:
		return p.groups.list
	case panePatches:
		return p.list
	}
	return p.main()
}

// main is the list in the middle.
func (p *Page) main() *widget.List {
	switch p.view {
	case viewLacks:
		return p.lacks.list
	case viewCVE:
		return p.cve.list
	}
	return p.nodes
}

// look loads the patches of the node under the cursor, where they are shown.
func (p *Page) look() tea.Cmd {
	n := p.current()
	if n == nil || p.view != viewNodes {
		p.showPatches()
		return p.fillMiddle()
	}
	var cmd tea.Cmd
	if p.shows(panePatches) && n.NonCompliant()+n.Available > 0 {
		at, row := n.at, n.Row
		cmd = p.detail.Want(p.detailKey(n), 10*time.Minute, func(ctx context.Context) ([]Found, error) { return p.svc.Node(ctx, at, row) })
	}
	p.showPatches()
	return cmd
}

// detailKey is the node and its scan: another one is to be read anew.
func (*Page) detailKey(n *node) string { return n.key + "\x00" + n.Scanned.String() }

// current is the node under the cursor.
func (p *Page) current() *node {
	if i, ok := p.nodes.Current(); ok && i < len(p.rows) {
		return p.rows[i]
	}
	return nil
}

// SetFilter shows only rows of the middle that fit. What asks about nodes and not
// about what is shown turns the middle to them: the number behind which it stands
// was one of nodes.
func (p *Page) SetFilter(text string) error {
	err := p.main().SetFilter(text)
	if err != nil && p.view != viewNodes && p.nodes.SetFilter(text) == nil {
		p.view = viewNodes
		return nil
	}
	return err
}

// Filter is the filter of the middle.
func (p *Page) Filter() string { return p.main().Filter() }

// Back goes one step back.
func (p *Page) Back() bool {
	switch {
	case p.focus == panePatches:
		p.focus = paneMain
	case p.main().Filter() != "":
		_ = p.main().SetFilter("") // no filter is always right
	case p.nodes.ClearMarks():
	case p.reading.busy():
		p.reading.leave()
	case p.only.keys != nil:
		p.only = only{}
		p.fillNodes()
		p.view = p.lacks.from
	case p.view != viewNodes:
		p.view = viewNodes
	case p.groups.inside:
		p.groups.list.Select(listKey(wholeFleet))
		p.pick()
	default:
		return false
	}
	return true
}

// Status is what the frame says of the page.
func (p *Page) Status() deck.Status {
	l := p.main()
	s := deck.Status{Shown: l.Len(), Of: l.Of()}
	if p.view == viewNodes {
		rows, hidden := p.nodes.Marked()
		s.Marked, s.Hidden = len(rows), hidden
	}
	if p.groups.inside {
		s.Crumbs = append(s.Crumbs, p.groupName(p.groups.chosen))
	}
	switch {
	case p.only.keys != nil:
		s.Crumbs = append(s.Crumbs, p.only.what)
	case p.view == viewLacks:
		s.Crumbs = append(s.Crumbs, "patches")
	case p.view == viewCVE:
		s.Crumbs = append(s.Crumbs, cmp.Or(p.cve.id, "CVE"))
	}
	if n := p.current(); n != nil && p.focus == panePatches {
		s.Crumbs = append(s.Crumbs, n.label())
	}
	return s
}
