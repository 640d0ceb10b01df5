package tui

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// confirm is the box in front of a line that changes something.
type confirm struct {
	m       *Model
	line    deck.Line
	level   deck.Level
	in      input // what is typed for a destructive line
	shown   string
	preview *job // what would happen; nil: nothing is asked
	said    *widget.Text
	taken   bool      // said has what the preview has written
	came    time.Time // or when a key came too early
	// unread is when the box has come under keys that were meant for something else;
	// zero: it was waited for.
	unread time.Time
}

const (
	// late is how long after the last key a box has come that nobody waits for any more.
	late = 2 * time.Second
	// together is how long after each other boxes come for one key, for each place.
	together = 100 * time.Millisecond
)

// interrupts reports whether a box would come under the fingers of somebody who types.
func (m *Model) interrupts() bool {
	if d, ok := m.top().(*confirm); ok && time.Since(d.came) < together {
		return false
	}
	return m.top() != nil || m.filter != nil || !m.changes.typed.IsZero() && time.Since(m.changes.typed) > late
}

// uncovered says to a box that what lay over it is gone: the key that did that was not
// meant for it.
func (m *Model) uncovered() {
	if d, ok := m.top().(*confirm); ok {
		d.unread = time.Now()
	}
}

// line runs a command line, when it has been confirmed.
func (m *Model) line(l deck.Line) tea.Cmd {
	m.stale = true
	if l.Level > deck.Read && m.o.Deck.ReadOnly {
		m.say = deck.Say{Err: deck.Refused(l.What)}
		return nil
	}
	if l.Nameless() {
		m.say = deck.Say{Err: fault.New(fault.Refused, "", "%s is not possible: the service gives no id for what is meant", cmp.Or(l.What, "this")).
			WithHint("unmark the rows without an id, or read them anew with ctrl+r")}
		return nil
	}
	level := m.o.Deck.Strictness(l)
	if level == deck.Read {
		return m.start(l)
	}
	if m.asking(l) {
		return nil // its key was pressed twice: one yes must not bring the same question again
	}
	d := &confirm{m: m, line: l, level: level, came: time.Now(), shown: m.o.Deck.Shown(l)}
	if m.interrupts() {
		d.unread = time.Now()
	}
	m.push(d)
	if l.Preview == nil {
		return nil
	}
	d.said = widget.NewText()
	d.preview = m.newJob(deck.Line{Words: l.Preview, At: l.At, Input: l.Input})
	d.preview.columns = max(min(m.width, 100)-4, 0)
	return m.run(d.preview)
}

// asking reports whether a box asks for the very same line already.
func (m *Model) asking(l deck.Line) bool {
	return slices.ContainsFunc(m.dialogs, func(d dialog) bool {
		c, ok := d.(*confirm)
		return ok && c.line.At == l.At && slices.Equal(c.line.Words, l.Words) && bytes.Equal(c.line.Input, l.Input)
	})
}

func (d *confirm) title() string { return render.Visible(d.line.What) + "?" }

func (d *confirm) size(width, height int) (w, h int) {
	w = min(width, 100)
	return w, min(len(d.lines(w, height)), height)
}

func (d *confirm) hints() []hint {
	var yes hint
	switch d.level {
	case deck.Change:
		yes = hint{"enter", "yes"}
	case deck.Disruptive:
		yes = hint{"y", "yes"}
	default:
		return []hint{{"enter", "when the name is typed"}, {"ctrl+y", "copy the line"}, {"esc", "no"}}
	}
	return []hint{yes, {"c", "copy the line"}, {"esc", "no"}}
}

func (d *confirm) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	switch name {
	case "esc":
		return d.leave()
	case "ctrl+y":
		return d.m.copy(deck.Copy{Text: d.shown, What: "the line"})
	case "down", "pgdown", "ctrl+d", "up", "pgup", "ctrl+u":
		if d.preview != nil {
			d.said.Update(k)
		}
		return nil
	}
	if d.level >= deck.Destructive {
		if name == "enter" && strings.TrimSpace(d.in.text()) == d.m.o.Deck.MustType(d.line) {
			return d.yes()
		}
		d.in.key(k)
		return nil
	}
	switch {
	case name == "enter" && d.level == deck.Change, name == "y":
		return d.yes()
	case name == "c":
		return d.m.copy(deck.Copy{Text: d.shown, What: "the line"})
	case name == "n" || name == "q":
		return d.leave()
	}
	return nil
}

func (d *confirm) paste(text string) { d.in.insert(text) }

func (d *confirm) mouse(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(tea.MouseWheelMsg); ok && d.preview != nil {
		d.said.Update(msg)
	}
	return nil
}

func (d *confirm) leave() tea.Cmd {
	d.m.close(d)
	if d.preview != nil {
		d.preview.cancel()
	}
	return nil
}

func (d *confirm) yes() tea.Cmd {
	if d.early() {
		d.unread, d.came = time.Time{}, time.Now()
		d.m.say = deck.Say{Text: "this has just come up: read it, and press the key again"}
		return nil
	}
	d.leave()
	return d.m.start(d.line)
}

// defaultGlance is longer than the repeats of a key are apart, and shorter than it
// takes to read.
const defaultGlance = 250 * time.Millisecond

// early reports whether a key came before anybody can have read the box.
func (d *confirm) early() bool {
	return !d.unread.IsZero() && time.Since(d.unread) < unseen || time.Since(d.came) < cmp.Or(d.m.o.Glance, defaultGlance)
}

func (d *confirm) view(width, height int) (lines []string, at point) {
	lines = d.lines(width, height)
	if d.level < deck.Destructive {
		return lines, nowhere
	}
	prompt := d.prompt()
	_, x := d.in.view(width-ansi.StringWidth(prompt), "")
	return lines, point{ansi.StringWidth(prompt) + x, len(lines) - 1}
}

func (d *confirm) prompt() string {
	return "Type " + render.Visible(d.m.o.Deck.MustType(d.line)) + ": "
}

// lines are the box: what is known first, what runs, the preview in the room that is
// left, and the question last.
func (d *confirm) lines(width, height int) []string {
	s := d.m.o.Deck.Styles
	where := deck.Fact{Name: "Where", Value: d.m.o.Deck.PlaceName(d.line.At)}
	if d.m.o.Deck.Where.Protected {
		where.Value += "  " + s.Glyphs.Warn + " protected"
	}
	wide := len("Where")
	for _, f := range d.line.Facts {
		wide = max(wide, min(ansi.StringWidth(render.Visible(f.Name)), width/3))
	}
	lines := d.fact(where, wide, width)
	var facts []string
	for _, f := range d.line.Facts {
		facts = append(facts, d.fact(f, wide, width)...)
	}
	runs := d.fact(deck.Fact{Name: factRuns, Value: d.shown}, wide, width)
	question := d.question(width)
	room := height - len(lines) - len(question)
	if len(facts)+len(runs) > room { // the count is in the question, and a copy has all of the line
		least := min(len(runs), max(room/2, 1))
		facts = d.shortened(facts, max(room-least, 0), false)
		runs = d.shortened(runs, max(room-len(facts), 0), true)
	}
	lines = slices.Concat(lines, facts, runs)
	lines = append(lines, d.previewLines(width, height-len(lines)-len(question))...)
	if over := len(lines) + len(question) - height; over > 0 {
		lines = lines[:max(len(lines)-over, 0)]
	}
	return append(lines, question...)
}

// factRuns is the name of the fact that is the line itself.
const factRuns = "Runs"

// fact is a fact on as many lines as it takes; of one that is long only the beginning.
func (d *confirm) fact(f deck.Fact, wide, width int) (lines []string) {
	s := d.m.o.Deck.Styles
	value := widget.Wrap(render.Visible(f.Value), max(width-wide-2, 10))
	if f.Name != factRuns && len(value) > 4 {
		value = append(value[:3:3], s.Glyphs.Ellipsis)
	}
	name := ansi.Truncate(render.Visible(f.Name), wide, s.Glyphs.Ellipsis)
	for _, v := range value {
		if f.Name == factRuns {
			v = s.Accent.Render(v)
		}
		lines = append(lines, s.Key.Render(name+strings.Repeat(" ", max(wide-ansi.StringWidth(name), 0)))+"  "+v)
		name = ""
	}
	return lines
}

// shortened are lines for which there is no room, with a sign in place of those left
// out: at the end, or in the middle of the line that runs, whose end says what runs on
// all the nodes before it.
func (d *confirm) shortened(lines []string, room int, middle bool) []string {
	if len(lines) <= room || room == 0 {
		return lines[:min(len(lines), room)]
	}
	s := d.m.o.Deck.Styles
	if room == 1 {
		return []string{ansi.Truncate(lines[0], max(ansi.StringWidth(lines[0])-1, 0), "") + s.Glyphs.Ellipsis}
	}
	first := room - 1
	if middle {
		first = room / 2
	}
	gap := s.Dim.Render(s.Glyphs.Ellipsis + " " + grouped(len(lines)-room+1) + " more lines")
	return slices.Concat(lines[:first], []string{gap}, lines[len(lines)-(room-1-first):])
}

func (d *confirm) question(width int) []string {
	s := d.m.o.Deck.Styles
	switch d.level {
	case deck.Change:
		return []string{"", s.Strong.Render("Enter") + " does it, Esc does not."}
	case deck.Disruptive:
		return []string{"", s.Glyphs.Warn + " " + s.Strong.Render("y") + " does it, Esc does not."}
	}
	text, _ := d.in.view(width-ansi.StringWidth(d.prompt()), "")
	return []string{"", s.Bad.Render(s.Glyphs.Warn + " This cannot be undone."), d.prompt() + text}
}

// previewLines are what would happen, as the command says it.
func (d *confirm) previewLines(width, room int) []string {
	if d.preview == nil || room < 3 {
		return nil
	}
	s := d.m.o.Deck.Styles
	head := s.Header.Render("What would happen")
	if d.preview.running() {
		return []string{"", head, s.Dim.Render("asking" + s.Glyphs.Ellipsis)}
	}
	if !d.taken {
		text := overwritten(d.preview.both.text())
		if strings.TrimSpace(text) == "" {
			text = "(nothing was said)"
		}
		d.said.SetText(text)
		d.taken = true
	}
	if d.preview.code != 0 {
		head = s.Bad.Render(s.Glyphs.Bad + " It cannot be told what would happen")
	}
	d.said.SetStyles(s)
	d.said.SetSize(width, room-2)
	if at := d.said.Position(); at != "" {
		head += s.Dim.Render(between + at)
	}
	return append([]string{"", head}, strings.Split(d.said.View(), "\n")...)
}
