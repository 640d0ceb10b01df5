package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// pager is a text with a line for what is searched in it.
type pager struct {
	text     *widget.Text
	search   *input // nil: the line is closed
	searched string
}

func (m *Model) newPager() pager {
	p := pager{text: widget.NewText()}
	p.text.SetStyles(m.o.Deck.Styles)
	return p
}

// key takes the keys that scroll and search; false: it is none of them.
func (p *pager) key(k tea.KeyPressMsg) bool {
	name := k.String()
	switch {
	case p.search == nil && name == "/":
		in := newInput(p.searched)
		p.search = &in
	case p.search == nil:
		return p.text.Update(k)
	case name == "enter":
		p.search = nil
	case name == "esc":
		p.search = nil
		p.find("")
	case p.search.key(k):
		p.find(p.search.text())
	}
	return true
}

func (p *pager) find(text string) {
	p.searched = text
	p.text.Search(text)
}

func (p *pager) paste(text string) {
	if p.search != nil {
		p.search.insert(text)
		p.find(p.search.text())
	}
}

func (p *pager) mouse(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(tea.MouseWheelMsg); ok {
		p.text.Update(msg)
	}
	return nil
}

// status says where one is, and what was found.
func (p *pager) status() string {
	var parts []string
	if at := p.text.Position(); at != "" {
		parts = append(parts, at)
	}
	if p.searched != "" {
		at, of := p.text.Found()
		parts = append(parts, fmt.Sprintf("/%s: %s of %s", render.Visible(p.searched), grouped(at), grouped(of)))
	}
	if p.text.Following() {
		parts = append(parts, "following")
	}
	return strings.Join(parts, between)
}

// view draws lines above the text, the text, and the line of the search under it.
func (p *pager) view(m *Model, above []string, width, height int) (lines []string, at point) {
	s := m.o.Deck.Styles
	above = above[:min(len(above), max(height-2, 0))]
	p.text.SetStyles(s)
	p.text.SetSize(width, max(height-len(above)-1, 1))
	lines = append(above[:len(above):len(above)], strings.Split(p.text.View(), "\n")...)
	for len(lines) < height-1 {
		lines = append(lines, "")
	}
	if p.search == nil {
		return append(lines, s.Dim.Render(ansi.Truncate(p.status(), width, s.Glyphs.Ellipsis))), nowhere
	}
	text, x := p.search.view(width-1, "")
	return append(lines, s.Accent.Render("/")+text+between+s.Dim.Render(p.status())), point{1 + x, len(lines)}
}

// overwritten leaves out what was written over with a carriage return, as progress is.
func overwritten(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.IndexByte(text, '\r') < 0 {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		body, end := strings.CutSuffix(line, "\n")
		b.WriteString(body[strings.LastIndexByte(body, '\r')+1:])
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
