package pageparams

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/tui/widget"
)

const (
	// beside is the width from which details stand beside the list.
	beside = 120
	// sheetShare is the part of the width that they take there, in percent.
	sheetShare = 40
	// below is the height from which they stand below the list on a narrow screen,
	// in sheetLines lines.
	below      = 16
	sheetLines = 7
)

// area is a number of cells.
type area struct{ width, height int }

// SetSize shares the room out. A page that is shown again begins with secrets hidden.
func (p *Page) SetSize(width, height int) {
	p.hide()
	p.width, p.height = width, height
	p.arrange()
}

func (p *Page) arrange() {
	width, height := p.width, max(p.height, 1)
	left, right := width, width
	if p.wide() {
		right = width * sheetShare / 100
		left = width - right - 3
	}
	listHeight := height
	p.sheet.width, p.sheet.height = right, height
	switch {
	case p.pane != onList:
		if p.wide() { // the details on the left, versions on the right
			p.sheet.width, right = right, left
		}
		p.sheet.height = max(height-1, 1)
	case p.tall():
		listHeight, p.sheet.height = height-sheetLines-1, sheetLines
	}
	p.tree.SetSize(left, listHeight)
	p.list.SetSize(left, listHeight)
	room := max(height-1, 2)
	p.versions.SetSize(right, max(room/2, 2))
	p.step.width, p.step.height = right, max(room-max(room/2, 2)-1, 0)
}

func (p *Page) wide() bool { return p.width >= beside }

func (p *Page) tall() bool { return p.height >= below && !p.wide() }

// focus moves the keys to a pane.
func (p *Page) focus(to pane) {
	if to != p.pane && to == onList {
		p.hide()
	}
	p.pane = to
	p.arrange()
}

// fill puts what is known of the row under the cursor into the details, and of the
// version under the cursor into the difference. Those of another one begin at their top.
func (p *Page) fill() {
	st := p.deck.Styles
	r, _ := p.current()
	if r.key != p.textOf {
		p.text, p.textOf = widget.NewText(), r.key
	}
	facts := p.facts(r)
	p.text.SetStyles(st)
	p.text.SetSize(p.sheet.width, p.sheet.height)
	p.text.SetDrawn(facts.View(st, p.sheet.width))
	if p.pane == onList {
		return
	}
	of := r.key
	if i, ok := p.versions.Current(); ok {
		of += strconv.FormatInt(p.history[i].Version, 10)
	}
	if of != p.diffOf {
		p.diff, p.diffOf = widget.NewText(), of
	}
	p.diff.SetStyles(st)
	p.diff.SetSize(p.step.width, p.step.height)
	p.diff.SetDrawn(p.difference(p.step.width))
}

// rule is a line above a text, with the part of it that is seen.
func (p *Page) rule(width int, below *widget.Text) string {
	st := p.deck.Styles
	at := below.Position()
	if at != "" {
		at = " " + at + " "
	}
	line := func(n int) string { return st.Border.Render(strings.Repeat(st.Glyphs.Rule, max(n, 0))) }
	return line(width-ansi.StringWidth(at)-2) + st.Dim.Render(at) + line(2)
}

// View draws the list with the details, or the details with the versions.
func (p *Page) View() string {
	for _, l := range []*widget.List{p.tree, p.list, p.versions} {
		l.SetStyles(p.deck.Styles)
	}
	p.clock()
	if r, ok := p.current(); p.secret.open() && (!ok || r.key != p.secret.key) {
		p.hide()
	}
	p.fill()
	if p.pane != onList {
		return strings.Join(p.opened(), "\n")
	}
	list := strings.Split(p.now().View(true), "\n")
	switch {
	case p.wide():
		return strings.Join(p.sides(list, strings.Split(p.text.View(), "\n"), p.width-p.sheet.width-3, max(p.height, 1)), "\n")
	case p.tall():
		for len(list) < p.height-sheetLines-1 {
			list = append(list, "")
		}
		return strings.Join(append(list, p.rule(p.width, p.text), p.text.View()), "\n")
	}
	return strings.Join(list, "\n")
}

// opened are the lines of the details and the versions: side by side, or one of them.
func (p *Page) opened() []string {
	st := p.deck.Styles
	var parts []string
	for _, t := range []struct {
		pane pane
		text string
	}{{onSheet, "Details"}, {onVersions, p.versionsTitle()}} {
		text := " " + t.text + " "
		switch {
		case t.pane == p.pane && st.Color:
			text = st.Selected.Render(text)
		case t.pane == p.pane:
			text = "[" + t.text + "]"
		}
		parts = append(parts, text)
	}
	lines := []string{ansi.Truncate(strings.Join(parts, ""), p.width, "")}
	versions := strings.Split(p.versions.View(p.pane == onVersions), "\n")
	room := max(p.height-1, 2)
	for len(versions) < room/2 {
		versions = append(versions, "")
	}
	if p.step.height > 0 {
		versions = append(append(versions, p.rule(p.step.width, p.diff)), strings.Split(p.diff.View(), "\n")...)
	}
	switch {
	case p.wide():
		return append(lines, p.sides(strings.Split(p.text.View(), "\n"), versions, p.sheet.width, max(p.height-1, 1))...)
	case p.pane == onVersions:
		return append(lines, versions...)
	}
	return append(lines, p.text.View())
}

func (p *Page) versionsTitle() string {
	if len(p.history) == 0 {
		return "Versions"
	}
	return fmt.Sprintf("Versions %d", len(p.history))
}

// sides are two columns with a line between them.
func (p *Page) sides(left, right []string, width, height int) (lines []string) {
	st := p.deck.Styles
	pipe := " " + st.Border.Render(st.Glyphs.Pipe) + " "
	at := func(list []string, i int) string {
		if i < len(list) {
			return list[i]
		}
		return ""
	}
	for i := range height {
		l := at(left, i)
		lines = append(lines, strings.TrimRight(l+strings.Repeat(" ", max(width-ansi.StringWidth(l), 0))+pipe+at(right, i), " "))
	}
	return lines
}

func (p *Page) mouse(msg tea.Msg, x, y int) {
	_, rolled := msg.(tea.MouseWheelMsg)
	if p.pane != onList {
		p.mouseOpened(msg, x, y, rolled)
		return
	}
	details := p.wide() && x >= p.width-p.sheet.width-2 || p.tall() && y >= p.height-sheetLines-1
	switch {
	case details && rolled:
		p.text.Update(msg)
	case details:
		p.open()
	case y == 0 && p.folded(): // a tree is in the order of its names
	default:
		p.now().Update(msg)
	}
}

// mouseOpened is the mouse over the details and the versions.
func (p *Page) mouseOpened(msg tea.Msg, x, y int, rolled bool) {
	to := p.pane
	switch {
	case p.wide() && x <= p.sheet.width, y == 0 && x < len(" Details "):
		to = onSheet
	case p.wide(), y == 0:
		to = onVersions
	}
	if !rolled {
		p.focus(to)
	}
	switch {
	case y == 0:
	case to == onSheet && rolled:
		p.text.Update(msg)
	case to == onVersions:
		switch m := msg.(type) {
		case tea.MouseWheelMsg:
			m.Y--
			p.versions.Update(m)
		case tea.MouseClickMsg:
			m.Y--
			p.versions.Update(m)
		}
	}
}

// open goes to the details of the row under the cursor; of a folder there are none.
func (p *Page) open() {
	r, ok := p.current()
	switch {
	case !ok:
	case r.param == nil:
		p.toggle(r)
	default:
		p.focus(onSheet)
	}
}
