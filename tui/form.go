package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// choicesSeen is how many choices a field shows at most.
const choicesSeen = 6

// form asks for values.
type form struct {
	m      *Model
	f      deck.Form
	in     []input
	errs   []error
	at     int // the field that has the cursor
	choice int // the choice under it; -1: what is typed counts
}

func newForm(m *Model, f deck.Form) dialog {
	d := &form{m: m, f: f, in: make([]input, len(f.Fields)), errs: make([]error, len(f.Fields)), choice: -1}
	for i, field := range f.Fields {
		d.in[i] = newInput(field.Value)
		d.in[i].secret, d.in[i].many = field.Secret, field.Many
	}
	return d
}

func (d *form) title() string { return render.Visible(d.f.Title) }

func (d *form) size(width, height int) (w, h int) {
	w = min(width, 90)
	lines, _, _ := d.lines(w)
	return w, min(len(lines), height)
}

func (d *form) hints() []hint {
	hints := []hint{{"enter", "next"}, {"tab", "next field"}, {"esc", "leave"}}
	if d.at == len(d.in)-1 {
		hints[0].name = "done"
	}
	if d.at < len(d.in) && d.in[d.at].many {
		hints[0] = hint{"ctrl+s", "done"}
	}
	return hints
}

func (d *form) key(k tea.KeyPressMsg) tea.Cmd {
	if len(d.in) == 0 {
		d.m.close(d)
		return nil
	}
	field := &d.in[d.at]
	choices := d.choices()
	switch name := k.String(); name {
	case "esc":
		d.m.close(d)
	case "tab":
		d.go1((d.at + 1) % len(d.in))
	case "shift+tab":
		d.go1((d.at + len(d.in) - 1) % len(d.in))
	case "ctrl+s":
		return d.submit()
	case "enter":
		return d.enter(choices)
	case "down", "up":
		d.vertical(name, choices)
	default:
		if field.key(k) {
			d.choice, d.errs[d.at] = -1, nil
		}
	}
	return nil
}

// vertical goes through the choices of the field, or else through the fields.
func (d *form) vertical(name string, choices []string) {
	by := map[string]int{"down": 1, "up": -1}[name]
	switch {
	case len(choices) > 0 && d.choice+by >= -1:
		d.choice = min(d.choice+by, len(choices)-1)
	case d.in[d.at].many:
		d.byLine(by)
	case d.at+by >= 0 && d.at+by < len(d.in):
		d.go1(d.at + by)
	}
}

// byLine moves the cursor a line up or down in a text of several.
func (d *form) byLine(by int) {
	in := &d.in[d.at]
	column := in.at - in.lineStart()
	if by < 0 {
		if in.lineStart() == 0 {
			return
		}
		in.at = in.lineStart() - 1
		in.at = in.lineStart()
	} else {
		if in.lineEnd() == len(in.runes) {
			return
		}
		in.at = in.lineEnd() + 1
	}
	in.at = min(in.at+column, in.lineEnd())
}

func (d *form) enter(choices []string) tea.Cmd {
	if d.choice >= 0 && d.choice < len(choices) {
		d.in[d.at].set(choices[d.choice])
		d.choice = -1
	} else if d.in[d.at].many {
		d.in[d.at].insert("\n")
		return nil
	}
	if d.errs[d.at] = d.wrong(d.at); d.errs[d.at] != nil {
		return nil
	}
	if d.at < len(d.in)-1 {
		d.go1(d.at + 1)
		return nil
	}
	return d.submit()
}

func (d *form) go1(to int) {
	d.errs[d.at] = d.wrong(d.at)
	d.at, d.choice = to, -1
}

// wrong says what is wrong with a field; nil: nothing.
func (d *form) wrong(i int) error {
	f, v := d.f.Fields[i], d.in[i].text()
	if f.Only && f.Choices != nil && !slices.Contains(f.Choices(v), v) {
		return errNoChoice
	}
	if f.Check != nil {
		return f.Check(v)
	}
	return nil
}

// submit hands the values over when all are right; else it goes to the first that is not.
func (d *form) submit() tea.Cmd {
	values := map[string]string{}
	bad := -1
	for i, f := range d.f.Fields {
		values[f.Name] = d.in[i].text()
		if d.errs[i] = d.wrong(i); d.errs[i] != nil && bad < 0 {
			bad = i
		}
	}
	if bad >= 0 {
		d.at, d.choice = bad, -1
		return nil
	}
	if d.f.Check != nil {
		if err := d.f.Check(values); err != nil {
			d.errs[d.at] = err
			return nil
		}
	}
	d.m.close(d)
	if d.f.Done == nil {
		return nil
	}
	return d.f.Done(values)
}

func (d *form) choices() []string {
	f := d.f.Fields[d.at]
	if f.Choices == nil {
		return nil
	}
	if f.Only && f.Value != "" && d.in[d.at].text() == f.Value {
		return f.Choices("") // what else there is than what is proposed
	}
	list := f.Choices(d.in[d.at].text())
	if len(list) == 1 && list[0] == d.in[d.at].text() {
		return nil
	}
	return list
}

func (d *form) paste(text string) {
	if len(d.in) > 0 {
		d.in[d.at].insert(text)
		d.choice = -1
	}
}

func (d *form) view(width, height int) (lines []string, at point) {
	all, at, last := d.lines(width)
	// The field being edited stays on the screen, and as much of what is under it as fits.
	if over := min(last-height+1, len(all)-height); over > 0 {
		if d.choice < 0 {
			over = min(over, at.y)
		}
		all, at.y = all[over:], at.y-over
	}
	return all[:min(len(all), height)], at
}

// lines are all of the form. last is the last one that should be seen of what belongs to
// the field that has the cursor: the choice that is chosen, or else all of them, or what
// is wrong with the field.
func (d *form) lines(width int) (lines []string, at point, last int) {
	s := d.m.o.Deck.Styles
	wide := 0
	for _, f := range d.f.Fields {
		wide = max(wide, ansi.StringWidth(f.Label))
	}
	wide = min(wide, width/2)
	at = nowhere
	for i, f := range d.f.Fields {
		pointer := " "
		if i == d.at {
			pointer = s.Glyphs.Pointer
		}
		label := ansi.Truncate(render.Visible(f.Label), wide, s.Glyphs.Ellipsis)
		label += strings.Repeat(" ", max(wide-ansi.StringWidth(label), 0))
		room := max(width-wide-4, 1)
		texts, x, y := d.field(i, room)
		for n, text := range texts {
			head := pointer + " " + s.Key.Render(label) + "  "
			if n > 0 {
				head = strings.Repeat(" ", wide+4)
			}
			if i == d.at && n == y {
				at = point{wide + 4 + x, len(lines)}
			}
			lines = append(lines, head+text)
		}
		if i == d.at {
			last = max(at.y, 0) + 1
			if len(d.in[i].runes) > 0 && d.errs[i] == nil { // what it is for stays in sight while it is typed
				for _, l := range d.help(i, room) {
					lines = append(lines, strings.Repeat(" ", wide+4)+l)
				}
				last = max(last, len(lines)-1)
			}
		}
		if d.errs[i] != nil {
			for _, l := range widget.Wrap(s.Glyphs.Bad+" "+render.Visible(d.m.briefly(d.errs[i])), room) {
				lines = append(lines, strings.Repeat(" ", wide+4)+s.Bad.Render(l))
			}
			if i == d.at {
				last = len(lines) - 1
			}
		}
		if i == d.at {
			choices, chosen := d.choiceLines(wide+4, room)
			if len(choices) > 0 {
				last = len(lines) + chosen
			}
			lines = append(lines, choices...)
		}
	}
	return lines, at, last
}

// field is the text of a field, and where the cursor is in it.
func (d *form) field(i, room int) (texts []string, x, y int) {
	s, f, in := d.m.o.Deck.Styles, d.f.Fields[i], &d.in[i]
	if len(in.runes) == 0 {
		return d.help(i, room), 0, 0
	}
	if !in.many {
		text, x := in.view(room, s.Glyphs.Bullet)
		return []string{text}, x, 0
	}
	before := string(in.runes[:in.at])
	y = strings.Count(before, "\n")
	for n, l := range strings.Split(in.text(), "\n") {
		part := newInput(l)
		part.secret = in.secret
		if f.Hides != nil {
			part.hide(f.Hides(l), s.Glyphs.Bullet)
		}
		if n == y {
			part.at = in.at - in.lineStart()
		} else {
			part.at = 0
		}
		text, column := part.view(room, s.Glyphs.Bullet)
		if n == y {
			x = column
		}
		texts = append(texts, text)
	}
	return texts, x, y
}

// help is what a field says of itself: all of it where the cursor is.
func (d *form) help(i, room int) []string {
	s := d.m.o.Deck.Styles
	text := render.Visible(d.f.Fields[i].Help)
	if text == "" && len(d.in[i].runes) > 0 {
		return nil
	}
	if i != d.at {
		return []string{s.Dim.Render(ansi.Truncate(text, room, s.Glyphs.Ellipsis))}
	}
	lines := widget.Wrap(text, room)
	for n, l := range lines {
		lines[n] = s.Dim.Render(l)
	}
	return lines
}

// choiceLines are the choices of the field that has the cursor: the chosen one in full.
// last is the last line of that, or else of all.
func (d *form) choiceLines(left, room int) (lines []string, last int) {
	s := d.m.o.Deck.Styles
	list := d.choices()
	indent := strings.Repeat(" ", left)
	from := max(min(d.choice-choicesSeen+1, len(list)-choicesSeen), 0)
	last = -1
	for i := from; i < min(from+choicesSeen, len(list)); i++ {
		text := render.Visible(list[i])
		if i != d.choice {
			lines = append(lines, indent+"  "+s.Dim.Render(ansi.Truncate(text, room-2, s.Glyphs.Ellipsis)))
			continue
		}
		pointer := s.Glyphs.Pointer + " "
		for _, l := range widget.Wrap(text, room-2) {
			l, pointer = pointer+l, "  "
			if s.Color {
				l = s.Selected.Render(l)
			}
			lines = append(lines, indent+l)
		}
		last = len(lines) - 1
	}
	if more := len(list) - from - choicesSeen; more > 0 {
		lines = append(lines, indent+"  "+s.Dim.Render(grouped(more)+" more: type to find them"))
	}
	if last < 0 {
		last = len(lines) - 1
	}
	return lines, last
}
