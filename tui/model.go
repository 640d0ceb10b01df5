// Package tui is the dashboard: the root of the pages, which routes keys, data and
// what pages ask for, and draws the frame around them.
package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Model is the root, and the only tea.Model.
type Model struct {
	o      Options
	width  int
	height int
	page   int
	say    deck.Say
	typing bool // the filter line is open
	typed  string
}

// New makes the root. Nothing is loaded before its first message.
func New(o Options) *Model {
	m := &Model{o: o}
	for i, p := range o.Pages {
		if p.ID() == o.Start {
			m.page = i
		}
	}
	return m
}

// Init starts the first loads.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(m.o.Begin, m.o.Desk.Want(m.current().Wants()))
}

func (m *Model) current() deck.Page { return m.o.Pages[m.page] }

// Update takes one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if m.o.Take != nil {
		if cmd, ok := m.o.Take(msg); ok {
			return m, cmd
		}
	}
	if changed, cmd, ok := m.o.Desk.Update(msg); ok {
		cmds := []tea.Cmd{cmd}
		if changed != "" {
			for _, p := range m.o.Pages {
				cmds = append(cmds, p.Update(feed.Changed{Feed: changed}))
			}
		}
		return m, tea.Batch(cmds...)
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.current().SetSize(m.width, max(m.height-5, 1))
		return m, nil
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case deck.Open:
		return m, m.open(msg)
	case deck.Say:
		m.say = msg
		return m, nil
	}
	var cmds []tea.Cmd
	for _, p := range m.o.Pages {
		cmds = append(cmds, p.Update(msg))
	}
	return m, tea.Batch(cmds...)
}

func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	m.say = deck.Say{}
	name := k.String()
	if m.typing {
		switch name {
		case "enter":
			m.typing = false
		case "esc":
			m.typing, m.typed = false, ""
		case "backspace":
			if m.typed != "" {
				m.typed = m.typed[:len(m.typed)-1]
			}
		default:
			m.typed += k.Text
		}
		m.say.Err = m.current().SetFilter(m.typed)
		return nil
	}
	switch {
	case name == "ctrl+c" || name == "q":
		return tea.Quit
	case name == "/":
		m.typing, m.typed = true, m.current().Filter()
		return nil
	case name == "esc":
		m.current().Back()
		return nil
	case len(name) == 1 && name[0] >= '1' && int(name[0]-'1') < len(m.o.Pages):
		return m.open(deck.Open{Page: m.o.Pages[name[0]-'1'].ID()})
	}
	for _, a := range m.current().Actions() {
		if a.Key == name {
			if a.Off != "" {
				m.say.Text = a.Off
				return nil
			}
			return a.Do()
		}
	}
	return m.current().Update(k)
}

func (m *Model) open(o deck.Open) tea.Cmd {
	for i, p := range m.o.Pages {
		if p.ID() == o.Page {
			m.page = i
		}
	}
	p := m.current()
	p.SetSize(m.width, max(m.height-5, 1))
	if o.Filter != "" || o.Clear {
		m.say.Err = p.SetFilter(o.Filter)
	}
	cmd := m.o.Desk.Want(p.Wants())
	if o.Then != nil {
		cmd = tea.Batch(cmd, p.Update(o.Then))
	}
	return cmd
}

// View draws the frame and the page in it.
func (m *Model) View() tea.View {
	v := tea.NewView(m.Frame())
	v.AltScreen, v.ReportFocus, v.MouseMode = true, true, tea.MouseModeCellMotion
	v.WindowTitle = "ssmdeck"
	return v
}

// Frame is the whole screen as text: height lines, none wider than the width.
func (m *Model) Frame() string {
	if m.width == 0 {
		return ""
	}
	s := m.o.Deck.Styles
	w := m.o.Deck.Where
	calls, budget := m.o.Desk.Spending()
	head := fmt.Sprintf("ssmdeck  %s  %s  %d/%d calls/min  %s", w.Account, w.Region, calls.PerMinute, budget, m.o.Deck.Now.In(m.o.Deck.Location).Format("15:04:05"))
	var tabs []string
	for i, p := range m.o.Pages {
		t := fmt.Sprintf("%d %s", i+1, p.Title())
		if i == m.page {
			t = s.Selected.Render(t)
		}
		tabs = append(tabs, t)
	}
	rule := s.Border.Render(strings.Repeat(s.Glyphs.Rule, m.width))
	lines := []string{s.Title.Render(head), strings.Join(tabs, "  "), rule}
	body := strings.Split(m.current().View(), "\n")
	for len(body) < m.height-5 {
		body = append(body, "")
	}
	lines = append(lines, body[:max(m.height-5, 0)]...)
	lines = append(lines, rule, m.footer())
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, m.width, "")
	}
	return strings.Join(lines[:min(len(lines), m.height)], "\n")
}

func (m *Model) footer() string {
	switch {
	case m.say.Err != nil:
		return m.o.Deck.Styles.Bad.Render(m.say.Err.Error())
	case m.say.Text != "":
		return m.say.Text
	case m.typing:
		return "/" + m.typed
	}
	var keys []string
	for _, a := range m.current().Actions() {
		if a.Footer {
			keys = append(keys, a.Key+" "+a.Name)
		}
	}
	return strings.Join(keys, "  ")
}

// Redraw says that the styles of the deck are others now.
type Redraw struct{}
