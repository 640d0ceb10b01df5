package pagewindows

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// How the parts share the room: what an open window did and the text about it; the
// week below the list and the text about the window under the cursor.
var (
	splitOpen = widget.Split{Beside: 110, Above: 16, Share: 55}
	splitList = widget.Split{Beside: 110, Above: 16, Share: 55}
)

// room is where the parts of the page stand.
type room struct {
	top  int // lines above the list
	list int // height of the list; 0: the list is the first of panes
	// panes are the list and the text, or the week and the text, below the list.
	panes widget.Panes
}

// rooms shares the page out.
func (p *Page) rooms() room {
	switch {
	case p.open != "" && p.height < 5:
		return room{panes: splitOpen.Arrange(p.width, p.height)}
	case p.open != "":
		return room{top: 1, panes: splitOpen.Arrange(p.width, p.height-1)}
	case p.height < 12 || p.width < 60 || p.list.Len() == 0:
		return room{list: p.height}
	}
	list := max(min(p.list.Len()+1, (p.height-1)/2), 4)
	return room{list: list, panes: splitList.Arrange(p.width, p.height-list-1)}
}

// hasText reports whether the text is on the screen.
func (p *Page) hasText() bool { return p.rooms().panes.Both() }

// SetSize says how many cells the page has.
func (p *Page) SetSize(width, height int) {
	p.width, p.height = width, height
	p.ticked = p.d.Now // it is shown
	for _, l := range []*widget.List{p.list, p.runs} {
		l.SetStyles(p.d.Styles)
		l.SetNow(p.d.Now, p.d.Still)
	}
	p.text.SetStyles(p.d.Styles)
	p.list.ShowPlaces(p.d.Several(), p.d.Where.Accounts, p.d.Where.Regions)
	p.refresh()
	r := p.rooms()
	if p.open != "" {
		p.runs.SetSize(r.panes.First.Width, r.panes.First.Height)
	} else {
		p.list.SetSize(width, r.list)
	}
	p.text.SetSize(r.panes.Second.Width, r.panes.Second.Height)
}

// View draws the page.
func (p *Page) View() string {
	p.SetSize(p.width, p.height)
	st, r := p.d.Styles, p.rooms()
	text, title := "", ""
	if r.panes.Both() {
		d := p.facts()
		p.text.SetDrawn(d.View(st, r.panes.Second.Width))
		text = p.text.View()
		if p.inText {
			title = "text"
		}
	}
	focused := !p.inText || !r.panes.Both()
	if p.open != "" {
		body := r.panes.Draw(st, p.runs.View(focused), text, title)
		if r.top == 0 {
			return body
		}
		return p.headline() + "\n" + body
	}
	list := strings.Split(p.list.View(focused), "\n")
	if r.panes.First.Width == 0 {
		return strings.Join(list, "\n")
	}
	for len(list) < r.list {
		list = append(list, "")
	}
	list = append(list, widget.Rule(st, "", p.width), r.panes.Draw(st, p.timeline(r.panes.First.Width, r.panes.First.Height), text, title))
	return strings.Join(list, "\n")
}

// headline is the line above what the open window did.
func (p *Page) headline() string {
	e := p.opened()
	if e == nil {
		return ""
	}
	st := p.d.Styles
	words := []string{st.Title.Render(render.Visible(e.Name)), st.Status(stateLevel(e), stateWord(e)), p.nextIn(e)}
	if !e.Enabled {
		words = words[:2]
	}
	if !e.next.IsZero() && !e.isOpen {
		words = append(words, opens(e))
	}
	if len(e.findings) > 0 {
		words = append(words, st.Status(theme.Warn, widget.Count(len(e.findings), "finding")))
	}
	return ansi.Truncate(strings.Join(words, "  "), p.width, st.Glyphs.Ellipsis)
}

// mouse gives a message to the list, or to the text, under it.
func (p *Page) mouse(msg tea.Msg) {
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		var pane int
		if pane, m.X, m.Y = p.paneAt(m.X, m.Y); pane == 0 {
			p.focused().Update(m)
		}
		p.inText = pane == 1
	case tea.MouseWheelMsg:
		var pane int
		switch pane, m.X, m.Y = p.paneAt(m.X, m.Y); pane {
		case 0:
			p.focused().Update(m)
		case 1:
			p.text.Update(m)
		}
	}
}

// paneAt finds what a cell belongs to: 0 the list, 1 the text, -1 neither.
func (p *Page) paneAt(x, y int) (pane, px, py int) {
	r := p.rooms()
	switch {
	case p.open != "":
		return r.panes.At(x, y-r.top)
	case y < r.list:
		return 0, x, y
	}
	if pane, px, py = r.panes.At(x, y-r.list-1); pane == 1 {
		return 1, px, py
	}
	return -1, 0, 0
}
