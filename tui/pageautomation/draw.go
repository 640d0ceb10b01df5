package pageautomation

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// How the list, or the steps of what is open, share the page with the text.
var (
	splitList = widget.Split{Beside: 110, Above: 28, Share: 55}
	splitOpen = widget.Split{Beside: 110, Above: 16, Share: 55}
)

// panes are the list, or the steps of what is open, and the text about what is under
// the cursor.
func (p *Page) panes() widget.Panes {
	if len(p.path) > 0 {
		return splitOpen.Arrange(p.width, p.height-p.top())
	}
	return splitList.Arrange(p.width, p.height)
}

// SetSize says how many cells the page has.
func (p *Page) SetSize(width, height int) {
	p.width, p.height = width, height
	p.ticked = p.d.Now // it is shown
	for _, l := range []*widget.List{p.list, p.tree} {
		l.SetStyles(p.d.Styles)
		l.SetNow(p.d.Now, p.d.Still)
	}
	p.text.SetStyles(p.d.Styles)
	p.list.ShowPlaces(p.d.Several(), p.d.Where.Accounts, p.d.Where.Regions)
	p.refresh()
	if o, _ := p.target(); o.key() != p.shown {
		p.arrange()
	}
	panes := p.panes()
	p.focused().SetSize(panes.First.Width, panes.First.Height)
	p.text.SetSize(panes.Second.Width, panes.Second.Height)
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
		return render.OneLine(p.hide(w.Failure))
	}
	return ""
}

// View draws the page.
func (p *Page) View() string {
	p.SetSize(p.width, p.height)
	st, panes := p.d.Styles, p.panes()
	var lines []string
	if p.top() > 0 {
		lines = append(lines, p.headline())
	}
	if p.top() > 1 {
		lines = append(lines, ansi.Truncate(st.Bad.Render(st.Glyphs.Bad+" "+p.trouble()), p.width, st.Glyphs.Ellipsis))
	}
	text, title := "", ""
	if panes.Both() {
		p.text.SetDrawn(p.about(panes.Second.Width))
		text = p.text.View()
		if p.inText {
			title = "text"
		}
	}
	lines = append(lines, panes.Draw(st, p.focused().View(!p.inText || !panes.Both()), text, title))
	return strings.Join(lines, "\n")
}

// headline is the line above the steps of what is open.
func (p *Page) headline() string {
	o := p.path[len(p.path)-1]
	w, read, err := p.whole(o)
	st := p.d.Styles
	facts := []string{st.Title.Render(render.Visible(o.document)), st.Status(levels.Automation(w.State), render.Visible(stateWord(w.Execution)))}
	if s := at(w); s != "" && !w.State.Final() {
		facts = append(facts, "step "+render.Visible(s))
	}
	if l := p.d.Took(w.Started, w.Ended); l != "" {
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
	text := render.OneLine(err.Error())
	if _, at, _, _ := p.detail.Get(o.key()); !at.IsZero() {
		return "as of " + p.d.Ago(at) + ": " + text
	}
	return text
}

// about is the text about what is looked at.
func (p *Page) about(width int) string {
	o, ok := p.target()
	c, some := p.current()
	if !ok || !some {
		return ""
	}
	w, read, err := p.whole(o)
	d := p.describe(c, w, read || err != nil)
	if err != nil {
		d.Level("Not read", levels.Automation("Failed"), p.failed(o, err))
	}
	if len(p.path) == 0 && len(p.parts) > 1 { // the steps are not on the screen otherwise
		d.Section("Steps")
		for i := range p.parts {
			if s := p.parts[i].state(); i > 0 {
				d.Level(strings.TrimPrefix(p.name(i), "  "), levels.Automation(s), string(s))
			}
		}
	}
	return d.View(p.d.Styles, width)
}

// mouse gives a message to the list or the text under it.
func (p *Page) mouse(msg tea.Msg) {
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		var pane int
		pane, m.X, m.Y = p.panes().At(m.X, m.Y-p.top())
		p.inText = pane == 1
		if pane == 0 {
			p.focused().Update(m)
		}
	case tea.MouseWheelMsg:
		var pane int
		switch pane, m.X, m.Y = p.panes().At(m.X, m.Y-p.top()); pane {
		case 0:
			p.focused().Update(m)
		case 1:
			p.text.Update(m)
		}
	}
}
