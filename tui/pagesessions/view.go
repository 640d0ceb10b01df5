package pagesessions

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

const (
	// beside is the width from which details stand beside the list.
	beside = 100
	// sheetShare is the part of the width that they take there, in percent.
	sheetShare = 38
	// below is the height from which they stand below the list on a narrow screen,
	// in sheetLines lines.
	below      = 16
	sheetLines = 7
)

// SetSize shares the room out.
func (p *Page) SetSize(width, height int) {
	p.width, p.height = width, height
	room := max(height-1, 1) // under the names of the sections
	listWidth, listHeight := width, room
	switch {
	case p.wide():
		p.sheet.width, p.sheet.height = width*sheetShare/100, room
		listWidth = width - p.sheet.width - 3
	case p.open:
		p.sheet.width, p.sheet.height = width, room
	case p.tall():
		p.sheet.width, p.sheet.height = width, sheetLines
		listHeight = room - sheetLines - 1
	}
	for _, l := range p.lists {
		l.SetStyles(p.deck.Styles)
		l.SetSize(listWidth, listHeight)
	}
}

// focus moves the keys to the details, or back to the list.
func (p *Page) focus(details bool) {
	p.open = details
	p.SetSize(p.width, p.height)
}

func (p *Page) wide() bool { return p.width >= beside }

func (p *Page) tall() bool { return p.height >= below && !p.wide() }

// fill puts what is known of the row under the cursor into the details; those of
// another row begin at their top.
func (p *Page) fill() {
	key, facts := "", widget.Details{}
	if row, ok := p.list().Current(); ok {
		key, facts = p.rowKey(row), p.facts(row)
	}
	if key != p.textOf {
		p.text, p.textOf = widget.NewText(), key
	}
	if key == "" && p.open {
		p.focus(false)
	}
	p.text.SetStyles(p.deck.Styles)
	p.text.SetSize(p.sheet.width, p.sheet.height)
	p.text.SetDrawn(facts.View(p.deck.Styles, p.sheet.width))
}

// View draws the sections, the list, and the details where there is room or they
// were opened.
func (p *Page) View() string {
	for _, l := range p.lists {
		l.SetStyles(p.deck.Styles)
	}
	p.clock()
	p.fill()
	st := p.deck.Styles
	head := p.tabs()
	switch {
	case p.wide():
		left := strings.Split(p.list().View(!p.open), "\n")
		right := strings.Split(p.text.View(), "\n")
		listWidth := p.width - p.sheet.width - 3
		pipe := " " + st.Border.Render(st.Glyphs.Pipe) + " "
		lines := []string{head}
		for i := range max(p.height-1, 1) {
			lines = append(lines, strings.TrimRight(pad(at(left, i), listWidth)+pipe+at(right, i), " "))
		}
		return strings.Join(lines, "\n")
	case p.open:
		return head + "\n" + p.text.View()
	case p.tall():
		lines := strings.Split(p.list().View(true), "\n")
		for len(lines) < p.height-sheetLines-2 {
			lines = append(lines, "")
		}
		rule := p.rule()
		return head + "\n" + strings.Join(lines, "\n") + "\n" + rule + "\n" + p.text.View()
	}
	return head + "\n" + p.list().View(true)
}

// rule is the line above the details, with the part of them that is seen.
func (p *Page) rule() string {
	st := p.deck.Styles
	at := p.text.Position()
	if at != "" {
		at = " " + at + " "
	}
	return st.Border.Render(strings.Repeat(st.Glyphs.Rule, max(p.width-ansi.StringWidth(at)-2, 0))) + st.Dim.Render(at) + st.Border.Render(strings.Repeat(st.Glyphs.Rule, 2))
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func pad(line string, width int) string {
	return line + strings.Repeat(" ", max(width-ansi.StringWidth(line), 0))
}

// tabs are the sections with how many rows each has, as far as that is known.
func (p *Page) tabs() string {
	st := p.deck.Styles
	var parts []string
	for s := range sections {
		text := " " + s.word() + " " + p.count(s) + " "
		text = strings.TrimRight(text, " ") + " "
		if s == p.section {
			text = st.Selected.Render(text)
			if !st.Color {
				text = "[" + strings.TrimSpace(text) + "]"
			}
		}
		parts = append(parts, text)
	}
	return ansi.Truncate(strings.Join(parts, ""), p.width, "")
}

// count is the number behind the name of a section; empty: not known.
func (p *Page) count(s section) string {
	switch {
	case s == tunnels && p.set.Saved.State().Empty() && p.set.Forwards.State().Empty():
		return ""
	case s == tunnels:
		return widget.Grouped(p.running()) + "/" + widget.Grouped(len(p.tunnels))
	case p.sessionFeeds()[s].State().Empty():
		return ""
	}
	return widget.Grouped(p.lists[s].Of())
}

func (p *Page) mouse(msg tea.Msg, x, y int) {
	if y == 0 {
		if _, ok := msg.(tea.MouseClickMsg); ok {
			p.clickTab(x)
		}
		return
	}
	onSheet := p.onSheet(x, y)
	if w, ok := msg.(tea.MouseWheelMsg); ok && onSheet {
		p.text.Update(w)
		return
	}
	if onSheet {
		_, any := p.list().Current()
		p.focus(any)
		return
	}
	switch m := msg.(type) {
	case tea.MouseWheelMsg:
		m.Y--
		p.list().Update(m)
	case tea.MouseClickMsg:
		m.Y--
		p.list().Update(m)
	}
	p.focus(false)
}

// onSheet reports whether a cell of the page is one of the details.
func (p *Page) onSheet(x, y int) bool {
	switch {
	case p.wide():
		return x >= p.width-p.sheet.width-2
	case p.open:
		return true
	}
	return p.tall() && y >= p.height-sheetLines-1
}

// clickTab goes to the section whose name is at a column.
func (p *Page) clickTab(x int) {
	left := 0
	for s := range sections {
		left += len(strings.TrimRight(" "+s.word()+" "+p.count(s), " ")) + 1
		if x < left {
			p.show(s)
			return
		}
	}
}

// when is a moment with its age.
func (p *Page) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return render.Local(t, p.deck.Location) + ", " + p.deck.Ago(t)
}

// Plain is the section as text.
func (p *Page) Plain() deck.Plain {
	out := deck.Plain{Summary: []string{p.summary()}}
	l := p.list()
	for _, row := range l.Shown() {
		key, facts := p.rowKey(row), p.facts(row)
		out.Items = append(out.Items, deck.Item{Text: p.sentence(row), Detail: facts.Plain(), Choose: func() bool { return l.Select(key) }})
	}
	return out
}

func (p *Page) rowKey(row int) string {
	if p.section == tunnels {
		return p.tunnels[row].name
	}
	return p.sessions[p.section][row].key()
}

func (p *Page) summary() string {
	l := p.list()
	if l.Len() == 0 {
		if p.section == tunnels {
			return p.section.word() + ": " + p.noTunnels()
		}
		return p.section.word() + ": " + p.none(p.section)
	}
	return fmt.Sprintf("%s: %d shown of %d. Tab shows the next list.", p.section.word(), l.Len(), l.Of())
}

// sentence is a row for a screen reader.
func (p *Page) sentence(row int) string {
	if p.section == tunnels {
		t := p.tunnels[row]
		text := fmt.Sprintf("forward %s, %s, %s to %s", t.name, t.state(), strings.Join(t.local(), " "), strings.Join(t.remote(), " "))
		if t.known() {
			text += ", " + openNow(t.row.Counters)
		}
		if f := t.fault(); f != "" {
			text += ", " + f
		}
		return render.Visible(text)
	}
	e := p.sessions[p.section][row]
	text := fmt.Sprintf("%s on %s, %s, started %s", cmp.Or(e.Value.OwnerName(), "somebody"), cmp.Or(e.label(), "a node not known"),
		strings.ToLower(cmp.Or(e.Value.Status, "state not known")), p.deck.Once(e.Value.Started))
	if e.Value.Reason != "" {
		text += ", reason " + e.Value.Reason
	}
	return render.Visible(text)
}
