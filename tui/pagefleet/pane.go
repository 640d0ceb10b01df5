package pagefleet

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// line is one line of a pane before it is drawn.
type line struct {
	head    string // of a section; the rest is empty but note
	key     string
	value   string
	level   theme.Level
	status  bool   // the level is drawn: glyph and colour
	note    string // dim, behind the value
	dim     bool
	in      int  // cells it stands in from the left
	current bool // under the cursor
}

// writer makes the lines of a pane.
type writer struct{ lines []line }

func (w *writer) section(title, note string) {
	if len(w.lines) > 0 {
		w.lines = append(w.lines, line{})
	}
	w.lines = append(w.lines, line{head: title, note: render.Visible(note)})
}

// field adds a name and a value, unless that is empty.
func (w *writer) field(key, value string) {
	if value != "" {
		w.lines = append(w.lines, line{key: key, value: render.Visible(value)})
	}
}

func (w *writer) state(key, word string, level theme.Level, note string) {
	w.lines = append(w.lines, line{key: key, value: render.Visible(word), level: level, status: true, note: render.Visible(note)})
}

func (w *writer) dim(text string) {
	w.lines = append(w.lines, line{value: render.Visible(text), dim: true})
}

// failed says what could not be read, and what to do about it.
func (w *writer) failed(err error) {
	text, hint := said(err)
	w.lines = append(w.lines, line{value: text, level: theme.Bad, status: true})
	if hint != "" {
		w.dim("hint: " + hint)
	}
}

// keyWidth is how wide the names of fields are drawn at most.
const keyWidth = 14

// draw draws lines in a width; long values go on below themselves.
func draw(lines []line, s *theme.Styles, width int) []string {
	var out []string
	for _, l := range lines {
		switch {
		case l.head != "":
			text := s.Title.Render(ansi.Truncate(l.head, width, s.Glyphs.Ellipsis))
			if room := width - ansi.StringWidth(l.head) - 2; l.note != "" && room > 4 {
				text += "  " + s.Dim.Render(ansi.Truncate(l.note, room, s.Glyphs.Ellipsis))
			}
			out = append(out, text)
		default:
			out = append(out, l.draw(s, width)...)
		}
	}
	return out
}

func (l line) draw(s *theme.Styles, width int) []string {
	indent := min(l.in, width/3)
	if l.key != "" {
		indent = min(keyWidth+2, max(width/3, 4))
	}
	value := l.value
	if l.status {
		value = s.Glyphs.Level(l.level) + " " + value
	}
	if l.note != "" {
		value += "  " + l.note
	}
	var out []string
	for i, text := range widget.Wrap(value, max(width-indent, 4)) {
		text = ansi.Truncate(text, max(width-indent, 1), s.Glyphs.Ellipsis)
		key := strings.Repeat(" ", indent)
		if i == 0 && l.current && indent > 1 {
			key = s.Glyphs.Pointer + strings.Repeat(" ", indent-1)
		}
		if i == 0 && l.key != "" {
			name := ansi.Truncate(l.key, indent-2, s.Glyphs.Ellipsis)
			key = s.Key.Render(name) + strings.Repeat(" ", max(indent-ansi.StringWidth(name), 0))
		}
		out = append(out, key+l.paint(s, text, width-indent))
	}
	return out
}

func (l line) paint(s *theme.Styles, text string, width int) string {
	switch {
	case l.current:
		return s.Selected.Render(text + strings.Repeat(" ", max(width-ansi.StringWidth(text), 0)))
	case l.status:
		return s.Level(l.level).Render(text)
	case l.dim:
		return s.Dim.Render(text)
	}
	return text
}

// wideFrom is the width from which list and pane stand side by side.
const wideFrom = 110

func (p *Page) wide() bool { return p.width >= wideFrom && p.height >= 8 }

// paneShown reports whether there is a pane on the screen.
func (p *Page) paneShown() bool { return p.wide() || p.inPane }

// listWidth is the room of the list.
func (p *Page) listWidth() int {
	if p.wide() {
		return p.width - p.paneWidth() - 3
	}
	return p.width
}

func (p *Page) paneWidth() int {
	if p.wide() {
		return min(max(p.width*2/5, 44), 80)
	}
	return p.width
}

// View draws the page.
func (p *Page) View() string {
	if p.width < 1 || p.height < 1 {
		return ""
	}
	p.list.SetStyles(p.deck.Styles)
	p.list.SetNow(p.deck.Now, p.deck.Still)
	switch {
	case p.list.Of() == 0:
		lines := draw(p.notice(), p.deck.Styles, p.width)
		return strings.Join(lines[:min(len(lines), p.height)], "\n")
	case p.wide():
		left, right := strings.Split(p.list.View(!p.inPane), "\n"), p.pane()
		bar := p.deck.Styles.Border.Render(p.deck.Styles.Glyphs.Pipe)
		out := make([]string, p.height)
		for i := range out {
			l, r := at(left, i), at(right, i)
			out[i] = l + strings.Repeat(" ", max(p.listWidth()-ansi.StringWidth(l), 0)) + " " + bar + " " + r
		}
		return strings.Join(out, "\n")
	case p.inPane:
		return strings.Join(p.pane(), "\n")
	}
	return p.list.View(true)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// pane draws what fits of the pane.
func (p *Page) pane() []string {
	r := p.current()
	if r == nil {
		return nil
	}
	s, width := p.deck.Styles, p.paneWidth()
	lines, cursor := p.nodeLines(r), -1
	if p.exam.of == r.key {
		lines, cursor = p.examLines(r)
	}
	title := s.Accent.Render(ansi.Truncate(r.label(), width, s.Glyphs.Ellipsis))
	if p.inPane && p.wide() {
		title = s.Selected.Render(ansi.Truncate(s.Glyphs.Pointer+" "+r.label()+" ", width, s.Glyphs.Ellipsis))
	}
	body, from := draw(lines, s, width), 0
	room := max(p.height-1, 1)
	if cursor >= 0 { // keep the line under the cursor on the screen
		from = len(draw(lines[:cursor], s, width))
		until := len(draw(lines[:min(cursor+1, len(lines))], s, width))
		p.top = max(min(p.top, from), until-room)
	}
	p.beneath = max(len(body)-room, 0)
	p.top = max(min(p.top, p.beneath), 0)
	body = body[p.top:min(p.top+room, len(body))]
	return append([]string{title}, body...)
}

// keyInPane takes a key that moves in the pane; false: it is the list's.
func (p *Page) keyInPane(k string) bool {
	if !p.inPane || !p.paneShown() {
		return false
	}
	page := max(p.height-2, 1)
	move := func(by int) {
		if p.exam.of != "" {
			p.exam.move(by)
		} else {
			p.top = max(min(p.top+by, p.beneath), 0)
		}
	}
	switch k {
	case "j", "down":
		move(1)
	case "k", "up":
		move(-1)
	case "pgdown", "ctrl+f":
		move(page)
	case "pgup", "ctrl+b":
		move(-page)
	case "ctrl+d":
		move(page / 2)
	case "ctrl+u":
		move(-page / 2)
	case "g", "home":
		move(-1 << 20)
	case "G", "end":
		move(1 << 20)
	case "left", "h":
		p.inPane, p.exam.of = false, ""
	default:
		return !p.wide() // what marks and sorts would do so unseen
	}
	return true
}

var _ deck.Page = (*Page)(nil)
