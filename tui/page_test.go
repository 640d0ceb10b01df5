package tui_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// machine is a row of the page under test.
type machine struct {
	id, name, state string
}

// page is a page with a list, as the real ones are.
type page struct {
	d       *deck.Deck
	id      string
	list    *widget.List
	source  *feed.Source[machine]
	rows    []machine
	actions []deck.Action
	opened  string
	heard   []tea.Msg
	sized   int
	breaks  bool // it panics when it is drawn
	secret  string
}

func newPage(d *deck.Deck, id string) *page {
	p := &page{d: d, id: id, source: feed.NewSource[machine](id, nil)}
	p.list = widget.NewList(widget.Options{
		Columns: []widget.Column{
			{ID: "state", Title: "STATE", Text: func(i int) string { return p.rows[i].state }, Level: func(i int) theme.Level {
				return map[string]theme.Level{"online": theme.Good, "lost": theme.Bad}[p.rows[i].state]
			}},
			{ID: "name", Title: "NAME", Text: func(i int) string { return p.rows[i].name }},
			{ID: "id", Title: "ID", Text: func(i int) string { return p.rows[i].id }, Rank: 1},
		},
		Key:   func(i int) string { return p.rows[i].id },
		Marks: true,
		None:  func() string { return "no machine fits" },
	})
	return p
}

func (p *page) ID() string    { return p.id }
func (p *page) Title() string { return strings.ToUpper(p.id[:1]) + p.id[1:] }

func (p *page) SetSize(w, h int) {
	p.sized++
	p.list.SetStyles(p.d.Styles)
	p.list.SetSize(w, h)
}

func (p *page) View() string {
	if p.breaks {
		panic("View")
	}
	if p.source.State().Empty() {
		return "loading"
	}
	if p.secret != "" {
		return p.secret
	}
	p.list.SetNow(p.d.Now, p.d.Still)
	return p.list.View(true)
}

func (p *page) Conceal() { p.secret = "" }

func (p *page) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case feed.Changed:
		if m.Feed == p.id {
			p.rows = p.rows[:0:0]
			for _, r := range p.source.Rows() {
				p.rows = append(p.rows, r.Value)
			}
			p.list.Reset(len(p.rows))
		}
		return nil
	case tea.KeyPressMsg:
		if m.String() == "enter" {
			if row, ok := p.list.Current(); ok {
				p.opened = p.rows[row].name
			}
			return nil
		}
	}
	p.heard = append(p.heard, msg)
	p.list.Update(msg)
	return nil
}

func (p *page) Wants() []feed.Want     { return []feed.Want{{Feed: p.source, Every: 10 * time.Second}} }
func (p *page) Actions() []deck.Action { return p.actions }

func (p *page) Subject() string {
	if row, ok := p.list.Current(); ok {
		return p.rows[row].id
	}
	return ""
}

func (p *page) SetFilter(text string) error { return p.list.SetFilter(text) }
func (p *page) Filter() string              { return p.list.Filter() }

func (p *page) Back() bool {
	switch {
	case p.opened != "":
		p.opened = ""
	case p.list.Filter() != "":
		_ = p.list.SetFilter("")
	default:
		return p.list.ClearMarks()
	}
	return true
}

func (p *page) Status() deck.Status {
	marked, hidden := p.list.Marked()
	s := deck.Status{Shown: p.list.Len(), Of: p.list.Of(), Marked: len(marked), Hidden: hidden}
	if p.opened != "" {
		s.Crumbs = []string{p.opened}
	}
	return s
}

func (p *page) Layout() json.RawMessage        { return p.list.Layout() }
func (p *page) SetLayout(data json.RawMessage) { p.list.SetLayout(data) }
func (p *page) Plain() deck.Plain              { return deck.Plain{} }

// set puts rows in.
func (p *page) set(s *tuitest.Screen, rows ...machine) {
	p.source.Set(tuitest.Place, rows, s.Deck.Now.Add(-4*time.Second))
	s.Changed(p.id)
}

var machines = []machine{
	{"i-0a1", "web-1", "online"}, {"i-0a2", "web-2", "lost"}, {"i-0a3", "db-1", "online"}, {"i-0a4", "東京-batch", "online"},
}

var titles = []string{"overview", "fleet", "patch", "commands", "sessions", "parameters", "automation", "windows"}

// world is a dashboard of eight such pages, of which the second is shown.
type world struct {
	t testing.TB
	*tuitest.Screen
	pages []*page
	fleet *page
}

func newWorld(t testing.TB, change ...func(*tui.Options)) *world {
	t.Helper()
	w := &world{t: t}
	w.Screen = tuitest.New(t, func(d *deck.Deck, _ *feed.Desk) []deck.Page {
		var all []deck.Page
		for _, id := range titles {
			p := newPage(d, id)
			w.pages, all = append(w.pages, p), append(all, p)
		}
		w.fleet = w.pages[1]
		return all
	}, append([]func(*tui.Options){func(o *tui.Options) { o.Start = "fleet" }}, change...)...)
	w.fleet.set(w.Screen, machines...)
	return w
}

// many are n machines.
func many(n int) []machine {
	all := make([]machine, n)
	for i := range all {
		all[i] = machine{fmt.Sprintf("i-%05d", i), fmt.Sprintf("web-%d", i), "online"}
	}
	return all
}
