package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// textPane shows a text over the page.
type textPane struct {
	m    *Model
	head string
	raw  string
	// until is when a secret is hidden again; zero: it is none.
	until time.Time
	pager
}

func newShow(m *Model, title, text string) *textPane {
	d := &textPane{m: m, head: title, raw: text, pager: m.newPager()}
	d.text.SetText(text)
	return d
}

func newSecret(m *Model, title, text string) *textPane {
	d := newShow(m, title, text)
	d.until = m.now().Add(deck.Revealed)
	return d
}

// conceal closes the panes with secrets whose time is over, or all of them, and has
// the page hide its own. What a line has revealed is forgotten once no pane shows it.
func (m *Model) conceal(all bool) {
	shown := map[*job]bool{}
	for _, d := range slices.Clone(m.dialogs) {
		switch p := d.(type) {
		case *textPane:
			if !p.until.IsZero() && (all || !m.now().Before(p.until)) {
				m.close(p)
			}
		case *jobPane:
			if p.j.line.Secret && (all || p.j.ended && !m.now().Before(p.j.until)) {
				m.close(p)
			} else {
				shown[p.j] = true
			}
		}
	}
	for _, j := range m.jobs.list {
		if j.line.Secret && j.ended && !shown[j] {
			j.forget()
		}
	}
	if p, ok := m.current().(deck.Concealing); ok && all {
		p.Conceal()
	}
}

func (d *textPane) title() string {
	if d.until.IsZero() {
		return render.Visible(d.head)
	}
	return render.Visible(d.head) + d.m.hiddenAgain(d.until)
}

// hiddenAgain says when, behind the title of a secret.
func (m *Model) hiddenAgain(until time.Time) string {
	return ", hidden again in " + render.Duration(max(until.Sub(m.now()), 0).Round(time.Second))
}

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

func (d *textPane) view(width, height int) (lines []string, at point) {
	return d.pager.view(d.m, nil, width, height)
}

// jobPane shows a line that runs: its output while it comes.
type jobPane struct {
	m    *Model
	j    *job
	seen int  // bytes of the output that the pager has
	over bool // the pager has all of it
	pager
}

func newJobPane(m *Model, j *job) *jobPane {
	d := &jobPane{m: m, j: j, pager: m.newPager()}
	d.text.Follow(j.running())
	return d
}

func (d *jobPane) title() string {
	head := "Output"
	if d.j.line.What != "" {
		head = render.Visible(d.j.line.What)
	}
	if d.j.until.IsZero() {
		return head
	}
	return head + d.m.hiddenAgain(d.j.until)
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
		d.text.Follow(!d.text.Following())
	case "c":
		return d.m.copy(deck.Copy{Text: d.j.shown, What: "the line"})
	case "w":
		d.m.push(d.m.writeForm(d.j.both.text(), "output.txt"))
		if d.j.both.cutOff() {
			d.m.say = deck.Say{Text: "only the beginning of the output is kept: for all of it run the line in a shell, c copies it"}
		}
	}
	return nil
}

// take shows what the job has written since. What was read is read from its first
// line; what was done, what failed and what was cut, from its last.
func (d *jobPane) take() {
	d.takeOutput()
	if j := d.j; j.ended && !d.over {
		d.over = true
		if j.line.Level == deck.Read && j.code == 0 && !j.both.cutOff() && d.text.Following() {
			d.text.Top()
		}
	}
}

func (d *jobPane) takeOutput() {
	n := d.j.both.size()
	if n == d.seen {
		return
	}
	text := d.j.both.text()
	if more := text[min(d.seen, len(text)):]; strings.IndexByte(more, '\r') < 0 && !d.j.both.cutOff() {
		d.text.Append(more)
	} else {
		d.text.Keep(overwritten(text))
	}
	d.seen = n
}

func (d *jobPane) view(width, height int) (lines []string, at point) {
	d.take()
	s := d.m.o.Deck.Styles
	shown := widget.Wrap(d.j.shown, max(width-2, 1))
	if len(shown) > 3 {
		shown = append(shown[:2:2], ansi.Truncate(shown[2], max(width-3, 1), "")+s.Glyphs.Ellipsis)
	}
	var above []string
	for i, l := range shown {
		above = append(above, s.Dim.Render(map[bool]string{true: "$ ", false: "  "}[i == 0])+s.Accent.Render(l))
	}
	above = append(above, d.m.jobState(d.j), "")
	return d.pager.view(d.m, above, width, height)
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
		return s.Warn.Render(s.Glyphs.Warn+" stopped") + "  " + spent(j.took)
	case j.code == 0:
		return s.Good.Render(s.Glyphs.Good+" done") + "  exit 0  " + spent(j.took)
	}
	return s.Bad.Render(s.Glyphs.Bad+" failed") + fmt.Sprintf("  exit %d  ", j.code) + spent(j.took)
}

// spent is how long something took.
func spent(d time.Duration) string {
	if d < 100*time.Millisecond {
		return "at once"
	}
	return "after " + render.Duration(d)
}

// firstLine is the first line of a text.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
