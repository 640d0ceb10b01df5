package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Details are names and values under headings: what is known of one thing. The zero
// value is empty.
type Details struct{ items []detail }

type detail struct {
	heading, name, value string
	level                theme.Level
	leveled              bool
	note                 bool
}

// Section begins a part with a heading.
func (d *Details) Section(heading string) {
	d.items = append(d.items, detail{heading: heading})
}

// Add adds a value; an empty one is left out.
func (d *Details) Add(name, value string) {
	if value != "" {
		d.items = append(d.items, detail{name: name, value: value})
	}
}

// Level adds a state, with its glyph and colour.
func (d *Details) Level(name string, level theme.Level, word string) {
	d.items = append(d.items, detail{name: name, value: word, level: level, leveled: true})
}

// Note adds a line across: "loading", "not known: access denied".
func (d *Details) Note(text string) {
	d.items = append(d.items, detail{value: text, note: true})
}

// View draws them at a width, as many lines as it takes. What is too long for a line
// goes on below.
func (d *Details) View(s *theme.Styles, width int) string {
	if width <= 0 {
		return ""
	}
	names := 0
	for _, it := range d.items {
		names = max(names, render.Width(it.name))
	}
	names = min(names, max(width/3, 6))
	var out []string
	for i, it := range d.items {
		switch {
		case it.heading != "":
			if d.empty(i) {
				continue
			}
			if len(out) > 0 {
				out = append(out, "")
			}
			out = append(out, s.Title.Render(render.CutEnd(render.Visible(it.heading), width, s.Glyphs.Ellipsis)))
		case it.note:
			for _, l := range wrap(it.value, width) {
				out = append(out, s.Dim.Render(l))
			}
		default:
			out = append(out, it.draw(s, names, width)...)
		}
	}
	return strings.Join(out, "\n")
}

// empty reports whether nothing stands under a heading.
func (d *Details) empty(i int) bool { return i+1 == len(d.items) || d.items[i+1].heading != "" }

func (it detail) draw(s *theme.Styles, names, width int) []string {
	name := fit(render.Visible(it.name), names, &Column{}, s.Glyphs.Ellipsis)
	text := it.value
	if it.leveled {
		text = s.Glyphs.Level(it.level) + " " + text
	}
	out := wrap(text, max(width-names-2, 1))
	for i, l := range out {
		if it.leveled {
			l = s.Level(it.level).Render(l)
		}
		if i == 0 {
			out[i] = s.Key.Render(name) + "  " + l
		} else {
			out[i] = strings.Repeat(" ", names+2) + l
		}
	}
	return out
}

// Plain are the same as lines "Name: value", for readers of text.
func (d *Details) Plain() []string {
	var out []string
	for i, it := range d.items {
		switch {
		case it.heading != "":
			if !d.empty(i) {
				out = append(out, render.Visible(it.heading))
			}
		case it.note:
			out = append(out, render.Visible(it.value))
		default:
			out = append(out, render.Visible(it.name)+": "+render.Visible(it.value))
		}
	}
	return out
}

// wrap makes a foreign text safe and cuts it into lines of at most width cells, at
// spaces where it has some. Its own line breaks stay.
func wrap(text string, width int) []string {
	var out []string
	for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		out = append(out, Wrap(render.Visible(strings.TrimSuffix(l, "\r")), width)...)
	}
	return out
}

// Wrap cuts a text into lines of at most width cells, at spaces alone: whoever copies
// an id or a name with the mouse shall not take half of it. What is longer than a line
// is cut where that is full.
func Wrap(text string, width int) []string {
	const hyphen = "\uE02D" // in its place: a hyphen would be a place to break at
	whole := strings.Contains(text, hyphen)
	if !whole {
		text = strings.ReplaceAll(text, "-", hyphen)
	}
	text = ansi.Wrap(text, max(width, 1), "")
	if !whole {
		text = strings.ReplaceAll(text, hyphen, "-")
	}
	return strings.Split(text, "\n")
}
