package pagepatch

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Below these the page has less: one pane instead of two, two instead of three; no
// lines above the panes.
const (
	twoPanes   = 60
	threePanes = 120
	headHeight = 9
)

// pane is a part of the page.
type pane struct {
	which      int
	x, y, w, h int // of its list; its title is the line above
}

// SetSize says how many cells the page has.
func (p *Page) SetSize(width, height int) { p.width, p.height = width, height }

// shows reports whether a pane is on the screen.
func (p *Page) shows(which int) bool {
	for _, pane := range p.panes(0) {
		if pane.which == which {
			return true
		}
	}
	return false
}

// panes shares the page out, below a number of lines.
func (p *Page) panes(head int) []pane {
	title := 0
	if p.height >= headHeight {
		title = 1
	}
	var which, widths []int
	nodes := p.view == viewNodes
	const gap = 3
	switch {
	case p.width < twoPanes:
		which, widths = []int{p.focus}, []int{p.width}
	case p.width >= threePanes && nodes:
		left, right := min(p.width*3/16, 40), min(p.width/3, 60)
		which, widths = []int{paneGroups, paneMain, panePatches}, []int{left, p.width - left - right - 2*gap, right}
	case p.focus == panePatches:
		left := p.width * 2 / 5
		which, widths = []int{paneMain, panePatches}, []int{left, p.width - left - gap}
	default:
		left := max(min(p.width/4, 46), 25)
		which, widths = []int{paneGroups, paneMain}, []int{left, p.width - left - gap}
	}
	var out []pane
	x := 0
	for i, w := range which {
		out = append(out, pane{which: w, x: x, y: head + title, w: widths[i], h: max(p.height-head-title, 1)})
		x += widths[i] + gap
	}
	return out
}

// View draws the page.
func (p *Page) View() string {
	if p.width < 4 || p.height < 1 {
		return ""
	}
	if s := p.set.Patches.State(); s.Empty() || p.uncounted() {
		return p.cut(p.emptyLines(s))
	}
	head := p.head()
	panes := p.panes(len(head))
	lines := head
	parts := make([][]string, len(panes))
	for i, at := range panes {
		parts[i] = p.paneLines(at)
	}
	for row := range p.height - len(head) {
		var b strings.Builder
		for i, at := range panes {
			line := ""
			if row < len(parts[i]) {
				line = parts[i][row]
			}
			if i < len(panes)-1 {
				line = ansi.Truncate(line, at.w, "")
				line += strings.Repeat(" ", max(at.w-ansi.StringWidth(line), 0)) + " " + p.deck.Styles.Border.Render(p.deck.Styles.Glyphs.Pipe) + " "
			}
			b.WriteString(line)
		}
		lines = append(lines, b.String())
	}
	return p.cut(lines)
}

// cut makes lines fit the page.
func (p *Page) cut(lines []string) string {
	lines = lines[:min(len(lines), p.height)]
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, p.width, p.deck.Styles.Glyphs.Ellipsis)
	}
	return strings.Join(lines, "\n")
}

// emptyLines say what is waited for, and what failed, while no place has answered.
func (p *Page) emptyLines(s feed.State) []string {
	out := []string{p.waiting(s)}
	for _, f := range s.Failures {
		out = append(out, p.deck.Styles.Status(theme.Bad, render.Visible(f.Place.String()+": "+f.Err.Error())))
	}
	return out
}

func (p *Page) waiting(s feed.State) string {
	if !s.Empty() {
		return "counting the nodes" + p.deck.Styles.Glyphs.Ellipsis
	}
	if s.Loading == 0 && len(s.Failures) > 0 {
		return fmt.Sprintf("the patch states of nodes could not be read in %s; ctrl+r tries again", widget.Count(len(s.Failures), "place"))
	}
	if s.Places == 0 {
		return "loading the patch states of nodes" + p.deck.Styles.Glyphs.Ellipsis
	}
	return fmt.Sprintf("loading the patch states of nodes: %d/%d places", s.Loaded, s.Places) + p.deck.Styles.Glyphs.Ellipsis
}

// head are the lines above the panes: the numbers, the trend, what else must be known.
func (p *Page) head() []string {
	if p.height < headHeight {
		return nil
	}
	s := p.deck.Styles
	out := p.totals()
	if p.height >= 14 {
		if l := p.trend.line(p.width, p.deck.Location, s.Glyphs.Spark); l != "" {
			out = append(out, s.Dim.Render(l))
		}
	}
	if n := p.fleet.undecided; n > 0 {
		out = append(out, s.Status(theme.Warn, fmt.Sprintf("of %s only the baseline can say whether they are compliant, and it is not known", widget.Count(n, "node"))))
	}
	if t := p.reading.trouble(); t != "" && p.view != viewNodes {
		out = append(out, s.Status(theme.Bad, render.Visible(t)))
	}
	if p.view == viewCVE && !p.reading.at.IsZero() && !p.uncountedMiddle() {
		for i, l := range p.cve.conclusion() {
			level := theme.Warn
			if i == 0 && p.cve.count.Lacking > 0 {
				level = theme.Bad
			}
			out = append(out, s.Status(level, l))
		}
	}
	return out[:min(len(out), p.height/3)]
}

// totals are the numbers of the group that was chosen, on two lines where one is too
// short and there is room.
func (p *Page) totals() []string {
	s := p.deck.Styles
	c := p.chosenCounts()
	parts := []string{s.Strong.Render(percent(c)) + " compliant"}
	if f, known := c.Percent(); known && p.width >= twoPanes {
		parts[0] = s.Bar.Render(render.Bar(f/100, 12, s.Glyphs.Bar)) + " " + parts[0]
	}
	parts = append(parts, widget.Count(c.Nodes, "node"))
	for _, n := range []struct {
		n     int
		level theme.Level
		what  string
	}{
		{c.WithCritical, levels.Critical, "critical"},
		{c.WithSecurity, levels.Security, "security"},
		{c.WithFailed, levels.FailedPatch, "failed"},
		{c.WithPendingReboot, levels.PendingReboot, "reboot pending"},
		{c.NeverScanned, levels.NeverScanned, "never scanned"},
		{c.Stale, levels.Stale, "stale"},
		{c.Unknown, levels.Unread, "unknown"},
		{p.fleet.failed, theme.Bad, runsFailed(p.fleet.failed)},
		{p.fleet.running, theme.Busy, "running"},
	} {
		if n.n > 0 {
			parts = append(parts, s.Status(n.level, widget.Grouped(n.n)+" "+n.what))
		}
	}
	lines := []string{parts[0]}
	for _, part := range parts[1:] {
		last := &lines[len(lines)-1]
		if p.height >= 16 && len(lines) < 2 && ansi.StringWidth(*last)+2+ansi.StringWidth(part) > p.width {
			lines = append(lines, part)
			continue
		}
		*last += "  " + part
	}
	return lines
}

func runsFailed(n int) string {
	if n == 1 {
		return "run failed"
	}
	return "runs failed"
}

// paneLines draws a pane with its title.
func (p *Page) paneLines(at pane) []string {
	var out []string
	focused := at.which == p.focus
	if p.height >= headHeight {
		out = append(out, p.title(at, focused))
	}
	h := at.h
	if at.which == panePatches {
		if n := p.current(); n != nil && p.hasFacts(at) {
			facts := p.factLines(n, at.w)
			out, h = append(out, facts...), h-len(facts)
		}
	}
	var below []string
	if at.which == panePatches && h >= 14 {
		below = p.patchLines(at.w)
		h -= len(below)
	}
	l := p.listOf(at.which)
	l.SetStyles(p.deck.Styles)
	l.SetNow(p.deck.Now, p.deck.Still)
	l.SetSize(at.w, h)
	out = append(out, strings.Split(l.View(focused), "\n")...)
	if len(below) > 0 {
		for len(out) < p.height-at.y+1-len(below) {
			out = append(out, "")
		}
		out = append(out, below...)
	}
	return out
}

// patchLines are what is known of the patch under the cursor, below the list, which
// may be too narrow for it.
func (p *Page) patchLines(width int) []string {
	i, ok := p.list.Current()
	if !ok || i >= len(p.found) {
		return nil
	}
	f := &p.found[i]
	released := "the catalogue does not tell when it was released"
	if !f.Released.IsZero() {
		released = fmt.Sprintf("released %s, %s days ago", f.Released.In(p.deck.Location).Format(time.DateOnly), days(p.deck.Now, f.Released))
	}
	out := []string{""}
	for _, text := range []string{f.Title, strings.Trim(f.Severity+", "+f.Classification, ", "), released, strings.Join(f.CVEs, " ")} {
		if text != "" {
			out = append(out, p.deck.Styles.Dim.Render(ansi.Truncate(render.Visible(text), width, p.deck.Styles.Glyphs.Ellipsis)))
		}
	}
	return out
}

// hasFacts reports whether the facts of the node stand above its patches. Where there
// is not much room, and somebody looks at the patches, those are worth more.
func (p *Page) hasFacts(at pane) bool {
	return at.h >= 24 || at.h >= 12 && p.focus != panePatches
}

func (p *Page) listOf(which int) *widget.List {
	switch which {
	case paneGroups:
		return p.groups.list
	case panePatches:
		return p.list
	}
	return p.main()
}

// factLines are the facts of a node, and an empty line.
func (p *Page) factLines(n *node, width int) []string {
	var out []string
	for _, f := range p.facts(n) {
		out = append(out, ansi.Truncate(p.deck.Styles.Key.Render(fmt.Sprintf("%-9s", f.name))+" "+render.Visible(f.value), width, p.deck.Styles.Glyphs.Ellipsis))
	}
	return append(out, "")
}

// title is the line above a pane.
func (p *Page) title(at pane, focused bool) string {
	s := p.deck.Styles
	text := ""
	switch at.which {
	case paneGroups:
		text = "By " + p.groups.by
	case panePatches:
		text = "Patches"
		if n := p.current(); n != nil {
			text = n.label() + p.detailNote(n)
		}
	default:
		text = p.mainTitle()
	}
	text = ansi.Truncate(render.Visible(text), at.w, s.Glyphs.Ellipsis)
	if focused {
		return s.Title.Render(text)
	}
	return s.Dim.Render(text)
}

func (p *Page) mainTitle() string {
	in := ""
	if p.groups.inside {
		in = " in " + p.groupName(p.groups.chosen)
	}
	switch p.view {
	case viewLacks:
		return p.readNote("Missing patches"+in, p.lacks.list)
	case viewCVE:
		return p.readNote(p.cve.id+in, p.cve.list)
	}
	text := "Nodes" + in
	if p.only.keys != nil {
		text += " that " + p.only.what
	}
	return text + " " + p.nodes.Count()
}

// detailNote says how the patches of a node stand.
func (p *Page) detailNote(n *node) string {
	_, at, err, loading := p.detail.Get(p.detailKey(n))
	switch {
	case n.Status == patch.NeverScanned || n.NonCompliant()+n.Available == 0:
		return ""
	case loading && at.IsZero():
		return ", reading" + p.deck.Styles.Glyphs.Ellipsis
	case err != nil && !at.IsZero():
		return fmt.Sprintf(", %d as of %s (%v)", len(p.found), p.deck.Ago(at), err)
	case at.IsZero():
		return ""
	}
	return fmt.Sprintf(", %d read %s", len(p.found), p.deck.Ago(at))
}

// mouse gives a click or the wheel to the pane that it is on.
func (p *Page) mouse(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.MouseMsg)
	if !ok {
		return nil
	}
	at := m.Mouse()
	for _, pane := range p.panes(len(p.head())) {
		if at.X < pane.x || at.X >= pane.x+pane.w || at.Y < pane.y-1 {
			continue
		}
		y := pane.y
		if n := p.current(); pane.which == panePatches && n != nil && p.hasFacts(pane) {
			y += len(p.facts(n)) + 1
		}
		p.focus = pane.which
		at.X, at.Y = at.X-pane.x, at.Y-y
		if at.Y < 0 {
			return p.look()
		}
		switch msg.(type) {
		case tea.MouseClickMsg:
			p.focused().Update(tea.MouseClickMsg(at))
		case tea.MouseWheelMsg:
			p.focused().Update(tea.MouseWheelMsg(at))
		}
		p.moved()
		return p.look()
	}
	return nil
}
