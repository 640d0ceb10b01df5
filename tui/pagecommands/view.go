package pagecommands

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// geometry is how the room is shared out: lines in front, cells, then the list and
// what belongs to the row under the cursor.
type geometry struct {
	head        int // lines in front of the cells
	most, cells int // lines of cells, at most and as it is
	panes       widget.Panes
}

// top is the first line of the panes.
func (g geometry) top() int { return g.head + g.cells }

// arrange shares the room out.
func (p *Page) arrange() {
	p.geo = geometry{}
	g := &p.geo
	if p.board == nil {
		g.panes = widget.Split{Beside: 110, Above: 30, Share: 62}.Arrange(p.width, p.height)
		p.list.SetSize(g.panes.First.Width, g.panes.First.Height)
		return
	}
	g.head = 2
	if p.height < 5 {
		g.head = 1
	}
	if len(p.remarks()) > 0 && p.height >= 6 {
		g.head++
	}
	if p.height >= 12 && !p.full {
		g.most = max(p.height/4, 1)
		g.cells = len(p.grid.draw(p.board, p.width, g.most, p.deck.Styles))
	}
	body := max(p.height-g.top(), 1)
	if p.full {
		g.panes = widget.Panes{Second: widget.Area{Width: p.width, Height: body}}
		p.pane.size(p.width, max(body-1, 1))
		return
	}
	g.panes = widget.Split{Above: 13, Share: 50}.Arrange(p.width, body)
	p.nodes.SetSize(g.panes.First.Width, g.panes.First.Height)
	height := g.panes.Second.Height
	if g.panes.Beside {
		height-- // its title
	}
	p.pane.size(g.panes.Second.Width, max(height, 0))
}

// paneShown reports whether the output has a place.
func (p *Page) paneShown() bool { return p.board != nil && p.geo.panes.Both() }

// View draws the page.
func (p *Page) View() string {
	p.load()
	p.style()
	now, still := p.deck.Now, p.deck.Still
	p.list.SetNow(now, still)
	p.nodes.SetNow(now, still)
	g := p.geo
	var lines []string
	if p.board == nil {
		lines = strings.Split(g.panes.Draw(p.deck.Styles, p.list.View(true), p.about(g.panes.Second.Width), "the run"), "\n")
	} else {
		lines = append(lines, p.header()[:g.head]...)
		lines = append(lines, p.grid.draw(p.board, p.width, g.most, p.deck.Styles)...)
		lines = append(lines, strings.Split(p.body(), "\n")...)
	}
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, p.width, p.deck.Styles.Glyphs.Ellipsis)
	}
	return strings.Join(lines[:min(len(lines), p.height)], "\n")
}

// header are the lines in front of the cells: what it is, how far it is, remarks.
func (p *Page) header() []string {
	lines := []string{p.titleLine(), p.progressLine()}
	if p.height < 5 {
		lines = []string{p.progressLine()}
	}
	if remarks := p.remarks(); len(remarks) > 0 {
		lines = append(lines, strings.Join(remarks, "  "))
	}
	for len(lines) < p.geo.head {
		lines = append(lines, "")
	}
	return lines
}

// titleLine says what the run is: its id, documents, comment, targets, limits.
func (p *Page) titleLine() string {
	b, s := p.board, p.deck.Styles
	parts := []string{s.Title.Render(render.Visible(b.short()))}
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	add(s.Accent.Render(render.Visible(documents(b.run))))
	if b.run.Comment != "" {
		add(`"` + render.Visible(b.run.Comment) + `"`)
	}
	add(render.Visible(targets(b.run)))
	if len(b.run.Commands) == 1 {
		c := b.run.Commands[0]
		if c.MaxConcurrency != "" {
			add(s.Dim.Render("max " + render.Visible(limit(c.MaxConcurrency))))
		}
		add(s.Dim.Render(render.Visible(stops(c.MaxErrors))))
	} else if len(b.run.Commands) > 1 {
		add(s.Dim.Render(widget.Count(len(b.run.Commands), "command")))
	}
	if p.deck.Several() {
		add(s.Dim.Render(render.Visible(b.at.String())))
	}
	return strings.Join(parts, "  ")
}

// progressLine is the bar with what it says in numbers. On a narrow screen states
// that mean the same are one number, then the words go.
func (p *Page) progressLine() string {
	b := p.board
	total, done := b.total(), b.sum.Finished()
	head := fmt.Sprintf("%s / %s", widget.Grouped(done), widget.Grouped(total))
	tail := ""
	if d := b.elapsed(p.deck.Now); d > 0 {
		tail += "  " + took(d)
	}
	if left, ok := b.pace.eta(p.deck.Now, total); ok && !b.over() {
		tail += "  eta " + took(left)
	}
	if b.sum.Done() {
		tail += "  " + p.verdict()
	}
	var line string
	for _, parts := range [][]string{p.tally(statesByName(), true), p.tally(statesByMeaning(), true), p.tally(statesByMeaning(), false)} {
		line = strings.Join(append([]string{head}, parts...), "  ") + tail
		if ansi.StringWidth(line) <= p.width {
			break
		}
	}
	width := min(p.width-ansi.StringWidth(line)-2, 50)
	const least = 8 // a shorter one says nothing
	if width < least || total == 0 {
		return line
	}
	return widget.Progress(p.deck.Styles, done, total, width) + "  " + line
}

// tallied are states that are one number, under the name of the first.
type tallied []run.State

func statesByName() []tallied {
	return []tallied{
		{run.Success},
		{run.Failed},
		{run.TimedOut},
		{run.Cancelled},
		{run.Skipped},
		{run.NotSent},
		{run.Lost},
		{run.Running},
		{run.Cancelling},
		{run.Strange},
		{run.Delayed},
		{run.Pending},
		{run.Waiting},
	}
}

func statesByMeaning() []tallied {
	return []tallied{
		{run.Success},
		{run.Failed, run.TimedOut, run.Cancelled, run.Skipped, run.NotSent, run.Lost},
		{run.Running, run.Cancelling},
		{run.Strange},
		{run.Waiting, run.Pending, run.Delayed},
	}
}

// tally are the counts, with glyph and word, what ended well first. Nodes that the
// service counts as done and whose states have not been read are not called waiting.
func (p *Page) tally(of []tallied, named bool) (parts []string) {
	s := p.deck.Styles
	add := func(n int, l theme.Level, name string) {
		if n <= 0 {
			return
		}
		text := widget.Grouped(n) + " " + s.Glyphs.Level(l)
		if named {
			text += " " + name
		}
		parts = append(parts, s.Level(l).Render(text))
	}
	counts, unread := p.board.counts()
	for _, states := range of {
		n := 0
		for _, state := range states {
			n += counts[state]
		}
		add(n, levels.Run(states[0]), word(states[0]))
	}
	add(unread, theme.Unknown, "not read yet")
	return parts
}

// verdict is how the run ended, in a word.
func (p *Page) verdict() string {
	s := p.deck.Styles
	if p.board.sum.Failures() > 0 {
		return s.Bad.Render("ended with failures")
	}
	if p.board.sum.Unlisted() > 0 {
		return s.Warn.Render("ended")
	}
	return s.Good.Render("ended well")
}

// remarks are what must be known besides: failures of the following, nodes that the
// service does not list, what was not sent.
func (p *Page) remarks() (out []string) {
	b, s := p.board, p.deck.Styles
	bad := func(text string) { out = append(out, s.Bad.Render(s.Glyphs.Bad+" "+render.Visible(text))) }
	warn := func(text string) { out = append(out, s.Warn.Render(s.Glyphs.Warn+" "+render.Visible(text))) }
	if b.err != nil {
		text := "not followed: " + b.err.Error()
		if hint := fault.HintOf(b.err); hint != "" {
			text += " (" + hint + ")"
		}
		bad(text)
	}
	if n := b.run.Unsent(); n > 0 {
		warn(fmt.Sprintf("%d of %d commands were not sent", n, b.run.Of))
	}
	if n := b.sum.Unlisted(); n > 0 && b.sum.Done() {
		warn(fmt.Sprintf("the service counts %s more and does not list them", widget.Count(n, "node")))
	}
	for _, n := range b.notices {
		if n.stands(p.deck.Now, b.sum.Done()) {
			warn(n.Text)
		}
	}
	return out
}

// body is the list and the output.
func (p *Page) body() string {
	panes, s := p.geo.panes, p.deck.Styles
	if !panes.Both() {
		return p.nodes.View(true)
	}
	title, output := p.output()
	if p.full {
		return widget.Rule(s, title, p.width) + "\n" + output
	}
	list := p.nodes.View(!p.focus)
	if panes.Beside {
		output = widget.Rule(s, title, panes.Second.Width) + "\n" + output
	}
	return panes.Draw(s, list, output, title)
}

// output is the text of the entry under the cursor, and its title.
func (p *Page) output() (title, text string) {
	s := p.deck.Styles
	e, ok := p.current()
	if !ok {
		p.pane.stale()
		p.pane.set("", s, p.trouble)
		return "output", p.pane.text.View()
	}
	if !e.state.Final() && !e.fold() {
		p.pane.stale() // it grows
	}
	p.pane.set(fmt.Sprint(e.key, " ", p.pane.width), s, func() []textLine { return p.text(e) })
	title = p.title(e) + "  " + ending(e.state, e.code)
	if d := p.length(e.row); d != "" && !e.fold() {
		title += "  " + d
	}
	if where := p.pane.text.Position(); where != "" {
		title += "  " + where
	}
	if hit, of := p.pane.text.Found(); of > 0 {
		title += fmt.Sprintf("  hit %d of %d", hit, of)
	}
	return title, p.pane.text.View()
}
