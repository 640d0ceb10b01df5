package widget

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Facts describe one thing: values by their names, states, remarks, under headings.
// The same list is drawn beside a list, shown as a text, and read out.
type Facts []Fact

// Fact is one of Facts. Name and Value may be foreign: they are made safe where they
// are written.
type Fact struct {
	Name, Value string
	Level       theme.Level
	Kind        FactKind
}

// FactKind is what a Fact is.
type FactKind int

// The kinds.
const (
	FactValue   FactKind = iota
	FactState            // Value is the word of a state with Level
	FactRemark           // Value is a line of its own behind the glyph of Level
	FactHeading          // Name is a heading
)

// Add adds a value; an empty one is left out.
func (f *Facts) Add(name, value string) {
	if value != "" {
		*f = append(*f, Fact{Name: name, Value: value})
	}
}

// State adds a state.
func (f *Facts) State(name string, l theme.Level, word string) {
	*f = append(*f, Fact{Name: name, Value: word, Level: l, Kind: FactState})
}

// Remark adds a line with the glyph of a level in front.
func (f *Facts) Remark(l theme.Level, text string) {
	*f = append(*f, Fact{Value: text, Level: l, Kind: FactRemark})
}

// Heading begins a part.
func (f *Facts) Heading(text string) { *f = append(*f, Fact{Name: text, Kind: FactHeading}) }

// longValue is how many lines of one value are drawn.
const longValue = 200

// widestName is how many cells names have at most.
const widestName = 16

// Lines lays the facts out in a width: names in a column, values wrapped beside them.
// hide takes out of values what must not be seen; nil: nothing.
func (f Facts) Lines(st *theme.Styles, width int, hide func(string) string) []string {
	label := 0
	for _, one := range f {
		if one.Kind == FactValue || one.Kind == FactState {
			label = max(label, min(ansi.StringWidth(render.Visible(one.Name)), widestName))
		}
	}
	label = min(label, max(width/3, 4))
	var lines []string
	for _, one := range f {
		switch one.Kind {
		case FactHeading:
			lines = append(lines, "", st.Header.Render(ansi.Truncate(render.Visible(one.Name), width, st.Glyphs.Ellipsis)))
		case FactRemark:
			glyph := st.Level(one.Level).Render(st.Glyphs.Level(one.Level))
			for i, l := range foldText(hidden(one.Value, hide), max(width-2, 4)) {
				if i > 0 {
					glyph = " "
				}
				lines = append(lines, glyph+" "+l)
			}
		case FactState:
			lines = append(lines, ansi.Truncate(named(st, one.Name, label)+st.Status(one.Level, render.Visible(one.Value)), width, st.Glyphs.Ellipsis))
		default:
			name := named(st, one.Name, label)
			for i, l := range foldText(hidden(one.Value, hide), max(width-label-2, 4)) {
				if i > 0 {
					name = strings.Repeat(" ", label+2)
				}
				lines = append(lines, name+l)
			}
		}
	}
	return lines
}

func named(st *theme.Styles, name string, label int) string {
	name = ansi.Truncate(render.Visible(name), label, st.Glyphs.Ellipsis)
	return st.Key.Render(name) + strings.Repeat(" ", label-ansi.StringWidth(name)+2)
}

func hidden(value string, hide func(string) string) string {
	if hide == nil {
		return value
	}
	return hide(value)
}

// foldText cuts a foreign text of several lines into lines of a width.
func foldText(text string, width int) []string {
	var lines []string
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range all {
		if len(lines) >= longValue {
			return append(lines, fmt.Sprintf("(%d more lines)", len(all)-i))
		}
		l = render.Visible(strings.TrimRight(strings.ReplaceAll(l, "\t", "    "), "\r"))
		lines = append(lines, strings.Split(ansi.Wrap(l, width, ""), "\n")...)
	}
	return lines
}

// Text is all facts as a text without styles, no value cut.
func (f Facts) Text(hide func(string) string) string {
	var b strings.Builder
	for _, one := range f {
		switch one.Kind {
		case FactHeading:
			b.WriteString("\n" + one.Name + "\n")
		case FactRemark:
			b.WriteString(hidden(one.Value, hide) + "\n")
		default:
			b.WriteString(one.Name + ": " + strings.ReplaceAll(strings.TrimRight(hidden(one.Value, hide), "\n"), "\n", "\n    ") + "\n")
		}
	}
	return b.String()
}

// Plain is all facts as lines to be read out.
func (f Facts) Plain(hide func(string) string) []string {
	var lines []string
	for _, one := range f {
		switch one.Kind {
		case FactHeading:
			lines = append(lines, render.Visible(one.Name)+":")
		case FactRemark:
			lines = append(lines, render.Visible(hidden(one.Value, hide)))
		default:
			lines = append(lines, render.Visible(one.Name)+": "+render.Visible(hidden(one.Value, hide)))
		}
	}
	return lines
}

// Pane shows a part of lines, and scrolls.
type Pane struct {
	Width, Height int
	Top           int // the first line shown
	length        int // of the lines drawn last
}

// Update takes keys that scroll; false for others.
func (p *Pane) Update(key string) bool {
	step, ok := map[string]int{
		"j": 1, "down": 1, "k": -1, "up": -1, "pgdown": p.Height - 1, "ctrl+f": p.Height - 1, "pgup": 1 - p.Height, "ctrl+b": 1 - p.Height,
		"ctrl+d": p.Height / 2, "ctrl+u": -p.Height / 2, "g": -p.length, "home": -p.length, "G": p.length, "end": p.length,
	}[key]
	p.Top = max(min(p.Top+step, p.length-p.Height), 0)
	return ok
}

// Draw returns the lines on the screen; where there are others the last one says so.
func (p *Pane) Draw(st *theme.Styles, lines []string, focused bool) []string {
	p.length = len(lines)
	p.Top = max(min(p.Top, p.length-p.Height), 0)
	shown := lines[p.Top:min(p.Top+max(p.Height, 0), p.length)]
	if p.length <= p.Height || len(shown) < 2 {
		return shown
	}
	mark := fmt.Sprintf("lines %d-%d of %d", p.Top+1, p.Top+len(shown)-1, p.length)
	if !focused {
		mark += ", tab scrolls"
	}
	return append(append([]string{}, shown[:len(shown)-1]...), st.Dim.Render(ansi.Truncate(mark, p.Width, st.Glyphs.Ellipsis)))
}
