package pagewindows

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// room is where the parts of the page stand. A height or width of 0 means that there
// is no place for it.
type room struct {
	top        int // lines above the list
	left, list int // width and height of the list
	week       int // height of the week, below the list
	weekWidth  int
	side       bool // the text stands beside the list, and not below it
	textWidth  int
	text       int // height of the text
}

// rooms shares the page out.
func (p *Page) rooms() room {
	r := room{left: p.width, list: p.height}
	wide := p.width >= 110
	if p.open != "" {
		if p.height >= 5 {
			r.top, r.list = 1, p.height-1
		}
		switch {
		case wide:
			r.side, r.left, r.text = true, p.width*11/20, r.list
			r.textWidth = p.width - r.left - 3
		case p.height >= 28:
			r.list = (p.height - r.top) / 2
			r.text, r.textWidth = p.height-r.top-r.list-1, p.width
		}
		return r
	}
	if p.height < 12 || p.width < 60 || p.list.Len() == 0 {
		return r
	}
	r.list = max(min(p.list.Len()+1, (p.height-1)/2), 4)
	r.week, r.weekWidth = p.height-r.list-1, p.width
	if wide {
		r.weekWidth = p.width * 11 / 20
		r.text, r.textWidth = r.week, p.width-r.weekWidth-3
		return r
	}
	if rest := r.week - (min(p.list.Len(), r.week-2) + 3); rest >= 3 {
		r.week -= rest + 1
		r.text, r.textWidth = rest, p.width
	}
	return r
}

// hasText reports whether the text is on the screen.
func (p *Page) hasText() bool { return p.rooms().text > 0 }

// SetSize says how many cells the page has.
func (p *Page) SetSize(width, height int) {
	p.width, p.height = width, height
	p.ticked = p.d.Now // it is shown
	for _, l := range []*widget.List{p.list, p.runs} {
		l.SetStyles(p.d.Styles)
		l.SetNow(p.d.Now, p.d.Still)
	}
	p.refresh()
	r := p.rooms()
	p.focused().SetSize(r.left, r.list)
	p.text.Width, p.text.Height = r.textWidth, r.text
}

// View draws the page.
func (p *Page) View() string {
	p.SetSize(p.width, p.height)
	st, r := p.d.Styles, p.rooms()
	var lines []string
	if r.top > 0 {
		lines = append(lines, p.headline())
	}
	var text []string
	if r.text > 0 {
		text = p.text.Draw(st, p.facts().Lines(st, r.textWidth, nil), p.inText)
	}
	list := strings.Split(p.focused().View(!p.inText || r.text == 0), "\n")
	rule := st.Border.Render(strings.Repeat(st.Glyphs.Rule, p.width))
	switch {
	case r.side:
		lines = append(lines, columns(st, list, text, r.left, r.list)...)
	default:
		lines = append(lines, filled(list, r.list)...)
		if r.week > 0 && r.weekWidth < p.width {
			lines = append(lines, rule)
			lines = append(lines, columns(st, p.week(r.weekWidth, r.week), text, r.weekWidth, r.week)...)
			break
		}
		if r.week > 0 {
			lines = append(append(lines, rule), filled(p.week(r.weekWidth, r.week), r.week)...)
		}
		if r.text > 0 {
			lines = append(append(lines, rule), text...)
		}
	}
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, p.width, "")
	}
	return strings.Join(lines[:min(len(lines), p.height)], "\n")
}

// columns puts two texts side by side.
func columns(st *theme.Styles, left, right []string, width, height int) []string {
	bar := st.Border.Render(st.Glyphs.Pipe)
	left, right = filled(left, height), filled(right, height)
	lines := make([]string, height)
	for i := range lines {
		lines[i] = padded(left[i], width) + " " + bar + " " + right[i]
	}
	return lines
}

// filled is a text of exactly so many lines.
func filled(lines []string, height int) []string {
	lines = lines[:min(len(lines), height)]
	for len(lines) < height {
		lines = append(lines, "")
	}
	return lines
}

func padded(s string, width int) string {
	return ansi.Truncate(s, width, "") + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// headline is the line above what the open window did.
func (p *Page) headline() string {
	e := p.opened()
	if e == nil {
		return ""
	}
	st := p.d.Styles
	words := []string{st.Title.Render(safe(e.Name)), st.Status(stateLevel(e), stateWord(e)), p.nextIn(e)}
	if !e.next.IsZero() && !e.isOpen {
		words = append(words, moment(e.next, e.Zone()))
	}
	if len(e.findings) > 0 {
		words = append(words, st.Status(theme.Warn, counted(len(e.findings), "finding")))
	}
	return ansi.Truncate(strings.Join(words, "  "), p.width, st.Glyphs.Ellipsis)
}

// mouse gives a message to the list, or to the text, under it.
func (p *Page) mouse(msg tea.Msg) {
	r := p.rooms()
	x, y := 0, 0
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		x, y = m.X, m.Y
	case tea.MouseWheelMsg:
		x, y = m.X, m.Y
	}
	if y >= r.top && y < r.top+r.list && x < r.left {
		p.inText = false
		switch m := msg.(type) {
		case tea.MouseClickMsg:
			m.Y -= r.top
			p.focused().Update(m)
		case tea.MouseWheelMsg:
			m.Y -= r.top
			p.focused().Update(m)
		}
		return
	}
	if r.text == 0 {
		return
	}
	p.inText = true
	if m, ok := msg.(tea.MouseWheelMsg); ok {
		p.text.Update(map[bool]string{true: "up", false: "down"}[m.Button == tea.MouseWheelUp])
	}
}
