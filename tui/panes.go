package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// textPane shows a text over the page.
type textPane struct {
	m    *Model
	head string
	raw  string
	pager
}

func newShow(m *Model, title, text string) dialog {
	d := &textPane{m: m, head: title, raw: text}
	d.set(text)
	return d
}

func (d *textPane) title() string { return render.Visible(d.head) }

func (d *textPane) size(width, height int) (w, h int) { return width, height }

func (d *textPane) hints() []hint {
	return []hint{{"esc", "close"}, {"/", "search"}, {"n", "next"}, {"c", "copy"}, {"w", "write to a file"}}
}

func (d *textPane) key(k tea.KeyPressMsg) tea.Cmd {
	if d.pager.key(k) {
		return nil
	}
	switch k.String() {
	case "esc", "q":
		d.m.close(d)
	case "c":
		return d.m.copy(deck.Copy{Text: d.raw, What: "the text"})
	case "w":
		d.m.push(d.m.writeForm(d.raw, "output.txt"))
	}
	return nil
}

func (d *textPane) paste(text string) { d.pager.paste(text) }

func (p *pager) paste(text string) {
	if p.search != nil {
		p.search.insert(text)
		p.searched = p.search.text()
		p.find()
		p.first()
	}
}

func (d *textPane) mouse(msg tea.Msg) tea.Cmd {
	if e, ok := msg.(tea.MouseWheelMsg); ok {
		d.wheel(e)
	}
	return nil
}

func (d *textPane) view(width, height int) (lines []string, at point) {
	return d.m.pagerView(&d.pager, nil, width, height)
}

// pagerView draws lines above a pager, the pager, and where one is in it.
func (m *Model) pagerView(p *pager, above []string, width, height int) (lines []string, at point) {
	s := m.o.Deck.Styles
	above = above[:min(len(above), max(height-2, 0))]
	room := max(height-len(above)-1, 1)
	lines = append(lines, above...)
	body := p.view(width, room, func(t string) string {
		if !s.Color {
			return t
		}
		return s.Match.Render(t)
	})
	lines = append(lines, body...)
	for len(lines) < height-1 {
		lines = append(lines, "")
	}
	if p.search == nil {
		return append(lines, s.Dim.Render(ansi.Truncate(p.status(), width, s.Glyphs.Ellipsis))), nowhere
	}
	text, x := p.search.view(width-1, "")
	return append(lines, s.Accent.Render("/")+text), point{1 + x, len(lines)}
}

// jobPane shows a line that runs: its output while it comes.
type jobPane struct {
	m    *Model
	j    *job
	seen int // bytes of the output that the pager has
	pager
}

func newJobPane(m *Model, j *job) *jobPane {
	d := &jobPane{m: m, j: j, seen: -1}
	d.follow = j.running()
	return d
}

func (d *jobPane) title() string {
	if d.j.line.What != "" {
		return render.Visible(d.j.line.What)
	}
	return "Output"
}

func (d *jobPane) size(width, height int) (w, h int) { return width, height }

func (d *jobPane) hints() []hint {
	hints := []hint{{"esc", "close"}}
	if d.j.running() {
		hints = []hint{{"esc", "close, it goes on"}, {"X", "stop it"}}
	}
	return append(hints, hint{"/", "search"}, hint{"f", "follow"}, hint{"c", "copy the line"}, hint{"w", "write to a file"})
}

func (d *jobPane) key(k tea.KeyPressMsg) tea.Cmd {
	if d.pager.key(k) {
		return nil
	}
	switch k.String() {
	case "esc", "q":
		d.m.close(d)
		if d.j.running() {
			d.m.say = deck.Say{Text: "it goes on behind; @ shows it again"}
		}
	case "X":
		if d.j.running() {
			d.j.stopped = true
			d.j.cancel()
		}
	case "f":
		d.follow = !d.follow
	case "c":
		return d.m.copy(deck.Copy{Text: d.j.shown, What: "the line"})
	case "w":
		d.m.push(d.m.writeForm(d.j.both.text(), "output.txt"))
	}
	return nil
}

func (d *jobPane) mouse(msg tea.Msg) tea.Cmd {
	if e, ok := msg.(tea.MouseWheelMsg); ok {
		d.wheel(e)
	}
	return nil
}

func (d *jobPane) view(width, height int) (lines []string, at point) {
	if n := d.j.both.size(); n != d.seen || d.j.both.gone {
		d.seen = n
		d.set(d.j.both.text())
	}
	s := d.m.o.Deck.Styles
	shown := wrap(d.j.shown, max(width-2, 1))
	if len(shown) > 3 {
		shown = append(shown[:2:2], ansi.Truncate(shown[2], max(width-3, 1), "")+s.Glyphs.Ellipsis)
	}
	var above []string
	for i, l := range shown {
		above = append(above, s.Dim.Render(map[bool]string{true: "$ ", false: "  "}[i == 0])+s.Accent.Render(l))
	}
	above = append(above, d.m.jobState(d.j), "")
	return d.m.pagerView(&d.pager, above, width, height)
}

// jobState is a job's state as a glyph, words and a time.
func (m *Model) jobState(j *job) string {
	s := m.o.Deck.Styles
	switch {
	case j.running() && j.stopped:
		return s.Warn.Render(s.Glyphs.Warn + " stopping")
	case j.running():
		return s.Busy.Render(s.Glyphs.Busy+" running") + "  " + render.Duration(max(m.now().Sub(j.started), 0).Truncate(time.Second))
	case j.stopped && j.code != 0:
		return s.Warn.Render(s.Glyphs.Warn+" stopped") + "  after " + render.Duration(j.took)
	case j.code == 0:
		return s.Good.Render(s.Glyphs.Good+" done") + "  exit 0  " + render.Duration(j.took)
	}
	return s.Bad.Render(s.Glyphs.Bad+" failed") + fmt.Sprintf("  exit %d  ", j.code) + render.Duration(j.took)
}

// firstLine is the first line of a text.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
