package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// dialog is something that lies over the page and has the keys.
type dialog interface {
	title() string
	// size is the room it would like inside its border, of what there is.
	size(width, height int) (w, h int)
	// view draws at most height lines, none wider than width. at is where the cursor
	// of the terminal belongs in it; at.x < 0: nowhere.
	view(width, height int) (lines []string, at point)
	key(k tea.KeyPressMsg) tea.Cmd
	hints() []hint
}

// pasted is a dialog that takes a paste.
type pasted interface{ paste(text string) }

// clicked is a dialog that takes the mouse, in its own coordinates.
type clicked interface{ mouse(msg tea.Msg) tea.Cmd }

type point struct{ x, y int }

var nowhere = point{-1, -1}

func (m *Model) top() dialog {
	if len(m.dialogs) == 0 {
		return nil
	}
	return m.dialogs[len(m.dialogs)-1]
}

func (m *Model) push(d dialog) {
	m.stale, m.filter = true, nil
	m.dialogs = append(m.dialogs, d)
}

// close takes a dialog away, wherever it is in the stack.
func (m *Model) close(d dialog) {
	m.stale = true
	for i := range m.dialogs {
		if m.dialogs[i] == d {
			top := i == len(m.dialogs)-1
			m.dialogs = append(m.dialogs[:i], m.dialogs[i+1:]...)
			if top {
				m.uncovered()
			}
			return
		}
	}
}

// spot is where a dialog is: its inside, relative to the body.
type spot struct {
	x, y, w, h int
	border     bool
	titled     bool
}

const borderWidth, borderHeight = 4, 2 // a line and a space on both sides

func (m *Model) spot(d dialog, a areas) spot {
	if a.tight {
		if a.bodyHeight < 3 {
			return spot{w: m.width, h: a.bodyHeight}
		}
		return spot{y: 1, w: m.width, h: a.bodyHeight - 1, titled: true}
	}
	w, h := d.size(m.width-borderWidth, a.bodyHeight-borderHeight)
	w, h = max(min(w, m.width-borderWidth), 1), max(min(h, a.bodyHeight-borderHeight), 1)
	return spot{
		x: (m.width-w-borderWidth)/2 + borderWidth/2, y: (a.bodyHeight-h-borderHeight)/3 + 1,
		w: w, h: h, border: true, titled: true,
	}
}

// covers reports whether the dialog on top hides the whole page.
func (m *Model) covers(a areas) bool {
	s := m.spot(m.top(), a)
	return !s.border || s.w+borderWidth >= m.width && s.h+borderHeight >= a.bodyHeight
}

// overlay draws a dialog over the lines of the body.
func (m *Model) overlay(lines []string, d dialog, a areas) {
	s := m.spot(d, a)
	inside, at := d.view(s.w, s.h)
	if at.x >= 0 {
		m.cursor = tea.NewCursor(min(s.x+at.x, m.width-1), a.body+s.y+at.y)
	}
	if !s.border {
		for i := range lines {
			lines[i] = ""
		}
		if s.titled {
			lines[0] = m.o.Deck.Styles.Title.Render(ansi.Truncate(d.title(), m.width, m.o.Deck.Styles.Glyphs.Ellipsis))
		}
		copy(lines[s.y:], inside[:min(len(inside), s.h)])
		return
	}
	for i, l := range m.boxed(d.title(), inside, s) {
		if y := s.y - 1 + i; y >= 0 && y < len(lines) {
			lines[y] = splice(lines[y], l, s.x-borderWidth/2)
		}
	}
}

// boxed puts a border around lines.
func (m *Model) boxed(title string, inside []string, s spot) []string {
	st := m.o.Deck.Styles
	g := &st.Glyphs
	title = ansi.Truncate(" "+title+" ", s.w, g.Ellipsis)
	rest := strings.Repeat(g.Rule, max(s.w+1-ansi.StringWidth(title), 0))
	out := make([]string, 0, s.h+borderHeight)
	out = append(out, st.Border.Render(g.TopLeft+g.Rule)+st.Title.Render(title)+st.Border.Render(rest+g.TopRight))
	side := st.Border.Render(g.Pipe)
	for i := range s.h {
		line := ""
		if i < len(inside) {
			line = ansi.Truncate(inside[i], s.w, "")
		}
		out = append(out, side+" "+line+strings.Repeat(" ", max(s.w-ansi.StringWidth(line), 0))+" "+side)
	}
	return append(out, st.Border.Render(g.BottomLeft+strings.Repeat(g.Rule, s.w+2)+g.BottomRight))
}

// splice puts a text into a line at a column.
func splice(line, text string, x int) string {
	left := ansi.Truncate(line, x, "")
	left += strings.Repeat(" ", max(x-ansi.StringWidth(left), 0))
	end := x + ansi.StringWidth(text)
	rest := ansi.StringWidth(line) - end
	if rest <= 0 {
		return left + text
	}
	right := ansi.TruncateLeft(line, end, "")
	pad := max(rest-ansi.StringWidth(right), 0) // half of a wide character was under the text
	return left + text + strings.Repeat(" ", pad) + right
}

func (m *Model) mouseIn(d dialog, msg tea.MouseMsg) tea.Cmd {
	c, ok := d.(clicked)
	if !ok {
		return nil
	}
	a := m.areas()
	s := m.spot(d, a)
	at := msg.Mouse()
	x, y := at.X-s.x, at.Y-a.body-s.y
	if x < 0 || y < 0 || x >= s.w || y >= s.h {
		return nil
	}
	return c.mouse(moved(msg, s.x, a.body+s.y))
}

// What a paste may have, in bytes: more is no line that anybody reads, and a form has
// nothing that takes more than the service does of a document with its parameters.
const (
	pasteInLine = 4 << 10
	pasteInForm = 64 << 10
)

// paste gives pasted text to what is being written: all of it, or nothing.
func (m *Model) paste(text string) tea.Cmd {
	m.stale, m.say = true, deck.Say{}
	d := m.top()
	most := pasteInLine
	if _, ok := d.(*form); ok {
		most = pasteInForm
	}
	p, ok := d.(pasted)
	switch {
	case !ok && (d != nil || m.filter == nil):
	case len(text) > most:
		m.say = deck.Say{Err: fault.Usagef("%s were pasted, and at most %s can be: nothing was taken", render.Bytes(int64(len(text))), render.Bytes(int64(most)))}
	case ok:
		p.paste(text)
	default:
		m.filter.in.insert(text)
		m.applyFilter()
	}
	return nil
}
