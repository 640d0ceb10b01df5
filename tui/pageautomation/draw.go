package pageautomation

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
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
	p.list.SetStyles(p.d.Styles)
	p.tree.SetStyles(p.d.Styles)
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
		p.text.width, p.text.height = width-left-3, height-top
	case below:
		above := max((height-top)*2/5, 6)
		list.SetSize(width, above)
		p.text.width, p.text.height = width, height-top-above-1
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
	p.list.SetNow(p.d.Now, p.d.Still)
	p.tree.SetNow(p.d.Now, p.d.Still)
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
		text := p.text.draw(p.d.Styles, p.lines(p.text.width), p.inText)
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
		lines = append(lines, p.text.draw(p.d.Styles, p.lines(p.text.width), p.inText)...)
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
		lines = append(lines, written(st, p.describe(c, w, read || err != nil), width, p.hide)...)
		for i := range p.parts {
			if s := p.parts[i].state(); i > 0 {
				lines = append(lines, ansi.Truncate(st.Status(level(s), safe(padded(stateWordOf(p.parts[i]), 12)+p.name(i))), width, st.Glyphs.Ellipsis))
			}
		}
		return lines
	}
	return append(lines, written(st, p.describe(c, w, read || err != nil), width, p.hide)...)
}

func stateWordOf(c part) string { return string(c.state()) }

// longValue is how many lines of a value the text shows.
const longValue = 200

// written lays facts out: names in a column, values wrapped beside them.
func written(st *theme.Styles, list facts, width int, hide func(string) string) []string {
	label := 0
	for _, f := range list {
		if !f.heading {
			label = max(label, min(ansi.StringWidth(safe(f.name)), 16))
		}
	}
	label = min(label, max(width/3, 4))
	var lines []string
	for _, f := range list {
		if f.heading {
			lines = append(lines, "", st.Header.Render(f.name))
			continue
		}
		name := st.Key.Render(padded(ansi.Truncate(safe(f.name), label, st.Glyphs.Ellipsis), label))
		if f.state {
			lines = append(lines, name+"  "+st.Status(f.level, safe(f.value)))
			continue
		}
		for i, l := range wrapped(hide(f.value), max(width-label-2, 4)) {
			if i > 0 {
				name = strings.Repeat(" ", label)
			}
			lines = append(lines, name+"  "+l)
		}
	}
	return lines
}

// wrapped cuts a foreign text into lines of a width.
func wrapped(text string, width int) []string {
	var lines []string
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range all {
		if len(lines) >= longValue {
			return append(lines, fmt.Sprintf("(%d more lines: y shows all)", len(all)-i))
		}
		lines = append(lines, strings.Split(ansi.Wrap(safe(strings.TrimRight(strings.ReplaceAll(l, "\t", "    "), "\r")), width, ""), "\n")...)
	}
	return lines
}

// pane is a text that scrolls.
type pane struct{ width, height, top, length int }

func (t *pane) key(k string) {
	step := map[string]int{
		"j": 1, "down": 1, "k": -1, "up": -1, "pgdown": t.height - 1, "ctrl+f": t.height - 1, "pgup": 1 - t.height, "ctrl+b": 1 - t.height,
		"ctrl+d": t.height / 2, "ctrl+u": -t.height / 2, "g": -t.length, "home": -t.length, "G": t.length, "end": t.length,
	}
	t.top = max(min(t.top+step[k], t.length-t.height), 0)
}

// draw returns the lines on the screen; more of them are told of on the last.
func (t *pane) draw(st *theme.Styles, lines []string, focused bool) []string {
	t.length = len(lines)
	t.top = max(min(t.top, t.length-t.height), 0)
	lines = lines[t.top:min(t.top+max(t.height, 0), t.length)]
	if rest := t.length - t.top - len(lines); (rest > 0 || t.top > 0) && len(lines) > 1 {
		mark := fmt.Sprintf("%s %d-%d of %d lines", st.Glyphs.Ellipsis, t.top+1, t.top+len(lines)-1, t.length)
		if !focused {
			mark += ", tab scrolls"
		}
		lines = append(append([]string{}, lines[:len(lines)-1]...), st.Dim.Render(ansi.Truncate(mark, t.width, st.Glyphs.Ellipsis)))
	}
	return lines
}

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
			p.text.key(map[bool]string{true: "up", false: "down"}[m.Button == tea.MouseWheelUp])
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
