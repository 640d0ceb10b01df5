package pageautomation

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// arrangement is where the text stands.
type arrangement int

// The arrangements: no text, at the right of the list, below it.
const (
	alone arrangement = iota
	beside
	below
)

// split says what there is room for.
func (p *Page) split() arrangement {
	switch {
	case p.width >= 110 && p.height >= 10:
		return beside
	case p.height >= 28 && p.width >= 60:
		return below
	}
	return alone
}

// SetSize says how many cells the page has.
func (p *Page) SetSize(width, height int) {
	p.width, p.height = width, height
	p.ticked = p.d.Now // it is shown
	for _, l := range []*widget.List{p.list, p.tree} {
		l.SetStyles(p.d.Styles)
		l.SetNow(p.d.Now, p.d.Still)
	}
	p.refresh()
	if o, _ := p.target(); o.key() != p.shown {
		p.arrange()
	}
	list := p.focused()
	top := p.top()
	switch p.split() {
	case beside:
		left := width * 11 / 20
		list.SetSize(left, height-top)
		p.text.Width, p.text.Height = width-left-3, height-top
	case below:
		above := max((height-top)*2/5, 6)
		list.SetSize(width, above)
		p.text.Width, p.text.Height = width, height-top-above-1
	default:
		list.SetSize(width, height-top)
	}
}

// top is how many lines stand above the list.
func (p *Page) top() int {
	switch {
	case len(p.path) == 0 || p.height < 5:
		return 0
	case p.height > 6 && p.trouble() != "":
		return 2
	}
	return 1
}

// trouble is why what is open could not be read, or why it has failed.
func (p *Page) trouble() string {
	o := p.path[len(p.path)-1]
	w, _, err := p.whole(o)
	switch {
	case err != nil:
		return p.failed(o, err)
	case w.State.Bad():
		return safe(p.hide(oneLine(w.Failure)))
	}
	return ""
}

// View draws the page.
func (p *Page) View() string {
	p.SetSize(p.width, p.height)
	var lines []string
	if p.top() > 0 {
		lines = append(lines, p.headline())
	}
	if p.top() > 1 {
		st := p.d.Styles
		lines = append(lines, ansi.Truncate(st.Bad.Render(st.Glyphs.Bad+" "+p.trouble()), p.width, st.Glyphs.Ellipsis))
	}
	list := strings.Split(p.focused().View(!p.inText), "\n")
	switch p.split() {
	case beside:
		left := p.width * 11 / 20
		text := p.text.Draw(p.d.Styles, p.lines(p.text.Width), p.inText)
		bar := p.d.Styles.Border.Render(p.d.Styles.Glyphs.Pipe)
		for i := range p.height - p.top() {
			lines = append(lines, padded(lineAt(list, i), left)+" "+bar+" "+lineAt(text, i))
		}
	case below:
		above := max((p.height-p.top())*2/5, 6)
		for i := range above {
			lines = append(lines, lineAt(list, i))
		}
		lines = append(lines, p.d.Styles.Border.Render(strings.Repeat(p.d.Styles.Glyphs.Rule, p.width)))
		lines = append(lines, p.text.Draw(p.d.Styles, p.lines(p.text.Width), p.inText)...)
	default:
		lines = append(lines, list...)
	}
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, p.width, "")
	}
	return strings.Join(lines[:min(len(lines), p.height)], "\n")
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func padded(s string, width int) string {
	return ansi.Truncate(s, width, "") + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// headline is the line above the steps of what is open.
func (p *Page) headline() string {
	o := p.path[len(p.path)-1]
	w, read, err := p.whole(o)
	st := p.d.Styles
	facts := []string{st.Title.Render(safe(o.document)), st.Status(level(w.State), safe(stateWord(w.Execution)))}
	if s := at(w); s != "" && !w.State.Final() {
		facts = append(facts, "step "+safe(s))
	}
	if l := p.length(w.Started, w.Ended); l != "" {
		facts = append(facts, l)
	}
	switch {
	case err != nil && p.top() < 2:
		facts = append(facts, st.Bad.Render(st.Glyphs.Bad+" "+p.failed(o, err)))
	case !read && err == nil:
		facts = append(facts, st.Dim.Render("loading the steps"))
	}
	return ansi.Truncate(strings.Join(facts, "  "), p.width, st.Glyphs.Ellipsis)
}

// failed says that a read has failed, and how old what is shown is.
func (p *Page) failed(o opened, err error) string {
	text := safe(oneLine(err.Error()))
	if _, at, _, _ := p.detail.Get(o.key()); !at.IsZero() {
		return "as of " + render.Ago(p.d.Now, at) + ": " + text
	}
	return text
}

// lines is the text about what is looked at.
func (p *Page) lines(width int) []string {
	o, ok := p.target()
	c, some := p.current()
	if !ok || !some {
		return nil
	}
	w, read, err := p.whole(o)
	st := p.d.Styles
	var lines []string
	if err != nil {
		lines = append(lines, strings.Split(ansi.Wrap(st.Bad.Render(st.Glyphs.Bad+" "+p.failed(o, err)), width, ""), "\n")...)
	}
	if len(p.path) == 0 { // the steps are not on the screen otherwise
		lines = append(lines, p.describe(c, w, read || err != nil).Lines(st, width, p.hide)...)
		for i := range p.parts {
			if s := p.parts[i].state(); i > 0 {
				lines = append(lines, ansi.Truncate(st.Status(level(s), safe(padded(stateWordOf(p.parts[i]), 12)+p.name(i))), width, st.Glyphs.Ellipsis))
			}
		}
		return lines
	}
	return append(lines, p.describe(c, w, read || err != nil).Lines(st, width, p.hide)...)
}

func stateWordOf(c part) string { return string(c.state()) }

// loading says how far the first load is.
func loading(loaded, places int) string {
	if places > 1 {
		return fmt.Sprintf("loading %d/%d places", loaded, places)
	}
	return "loading"
}

// mouse gives a message to the list or the text under it.
func (p *Page) mouse(msg tea.Msg) {
	x, y := 0, 0
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		x, y = m.X, m.Y
	case tea.MouseWheelMsg:
		x, y = m.X, m.Y
	}
	left, above := p.width, p.height
	switch p.split() {
	case beside:
		left = p.width * 11 / 20
	case below:
		above = p.top() + max((p.height-p.top())*2/5, 6)
	}
	if x >= left || y >= above {
		p.inText = true
		if m, ok := msg.(tea.MouseWheelMsg); ok {
			p.text.Update(map[bool]string{true: "up", false: "down"}[m.Button == tea.MouseWheelUp])
		}
		return
	}
	p.inText = false
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		m.Y -= p.top()
		p.focused().Update(m)
	case tea.MouseWheelMsg:
		m.Y -= p.top()
		p.focused().Update(m)
	}
}
