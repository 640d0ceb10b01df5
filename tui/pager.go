package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// screenText is a line of foreign text as it may be shown: without the escape
// sequences of colours, with tabs as spaces and everything else made visible. Of a
// line that was written over, what was left standing counts.
func screenText(line string) string {
	line = strings.TrimRight(line, "\r\n")
	if at := strings.LastIndexByte(line, '\r'); at >= 0 {
		line = line[at+1:]
	}
	if strings.IndexByte(line, 0x1b) >= 0 {
		line = ansi.Strip(line)
	}
	if strings.IndexByte(line, '\t') >= 0 {
		line = expand(line)
	}
	return render.Visible(line)
}

// expand puts spaces in place of tabs, to columns of eight.
func expand(line string) string {
	var b strings.Builder
	for i, part := range strings.Split(line, "\t") {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", 8-ansi.StringWidth(b.String())%8))
		}
		b.WriteString(part)
	}
	return b.String()
}

// pager shows a text that may be long. It scrolls, searches and follows.
type pager struct {
	lines    []string // as shown, not wrapped
	top      int
	left     int
	height   int
	follow   bool // the end is shown, also when more comes
	search   *input
	searched string
	found    []int // lines that have it
}

// set replaces the text and keeps the place.
func (p *pager) set(text string) {
	p.lines = p.lines[:0]
	for l := range strings.Lines(text) {
		p.lines = append(p.lines, screenText(l))
	}
	p.find()
	if p.follow {
		p.top = len(p.lines)
	}
	p.clamp()
}

func (p *pager) clamp() { p.top = max(min(p.top, len(p.lines)-p.height), 0) }

// find looks for what was searched, without regard to case.
func (p *pager) find() {
	p.found = p.found[:0]
	if p.searched == "" {
		return
	}
	want := strings.ToLower(p.searched)
	for i, l := range p.lines {
		if strings.Contains(strings.ToLower(l), want) {
			p.found = append(p.found, i)
		}
	}
}

// key takes the keys that scroll and search; false: it is none of them.
func (p *pager) key(k tea.KeyPressMsg) bool {
	name := k.String()
	if p.search != nil {
		p.searchKey(k, name)
		return true
	}
	page := max(p.height-1, 1)
	switch name {
	case "j", "down":
		p.scroll(1)
	case "k", "up":
		p.scroll(-1)
	case "ctrl+d":
		p.scroll(page/2 + 1)
	case "ctrl+u":
		p.scroll(-page/2 - 1)
	case "pgdown", "space", "ctrl+f":
		p.scroll(page)
	case "pgup", "b", "ctrl+b":
		p.scroll(-page)
	case "g", "home":
		p.scroll(-len(p.lines))
	case "G", "end":
		p.scroll(len(p.lines))
	case "l", "right":
		p.left += 8
	case "h", "left":
		p.left = max(p.left-8, 0)
	case "/":
		in := newInput("")
		p.search = &in
	case "n":
		p.next(1)
	case "N":
		p.next(-1)
	default:
		return false
	}
	return true
}

func (p *pager) scroll(by int) {
	p.follow = false
	p.top += by
	p.clamp()
}

func (p *pager) searchKey(k tea.KeyPressMsg, name string) {
	switch name {
	case "enter":
		p.search = nil
	case "esc":
		p.search, p.searched = nil, ""
		p.find()
	default:
		if p.search.key(k) {
			p.searched = p.search.text()
			p.find()
			p.first()
		}
	}
}

// first goes to the first match at or under the top of the screen.
func (p *pager) first() {
	for _, at := range p.found {
		if at >= p.top {
			p.show(at)
			return
		}
	}
	if len(p.found) > 0 {
		p.show(p.found[0])
	}
}

func (p *pager) show(line int) {
	p.follow = false
	if line < p.top || line >= p.top+p.height {
		p.top = line - p.height/3
		p.clamp()
	}
	p.mark(line)
}

// mark makes a line the one from which the next is looked for.
func (p *pager) mark(line int) {
	for i, at := range p.found {
		if at == line { // the current one is kept first
			p.found = append(p.found[i:len(p.found):len(p.found)], p.found[:i]...)
			return
		}
	}
}

func (p *pager) next(by int) {
	if n := len(p.found); n > 0 {
		p.show(p.found[(by%n+n)%n])
	}
}

func (p *pager) wheel(e tea.MouseWheelMsg) {
	p.scroll(map[bool]int{true: -3, false: 3}[e.Button == tea.MouseWheelUp])
}

// status says where one is, and what was found.
func (p *pager) status() string {
	last := min(p.top+p.height, len(p.lines))
	text := fmt.Sprintf("%s-%s of %s", grouped(min(p.top+1, len(p.lines))), grouped(last), grouped(len(p.lines)))
	if p.searched != "" {
		text += fmt.Sprintf("  /%s: %s lines", render.Visible(p.searched), grouped(len(p.found)))
	}
	if p.follow {
		text += "  following"
	}
	return text
}

// view draws the part on the screen; mark draws what was searched.
func (p *pager) view(width, height int, mark func(string) string) []string {
	p.height = height
	if p.follow {
		p.top = len(p.lines)
	}
	p.clamp()
	var out []string
	for _, l := range p.lines[p.top:min(p.top+height, len(p.lines))] {
		if p.left > 0 {
			l = ansi.TruncateLeft(l, p.left, "")
		}
		l = ansi.Truncate(l, width, "")
		out = append(out, p.marked(l, mark))
	}
	return out
}

func (p *pager) marked(line string, mark func(string) string) string {
	if p.searched == "" {
		return line
	}
	low, want := strings.ToLower(line), strings.ToLower(p.searched)
	if len(low) != len(line) { // case changed the length: the positions would be wrong
		return line
	}
	var b strings.Builder
	for {
		at := strings.Index(low, want)
		if at < 0 {
			b.WriteString(line)
			return b.String()
		}
		b.WriteString(line[:at] + mark(line[at:at+len(want)]))
		line, low = line[at+len(want):], low[at+len(want):]
	}
}
