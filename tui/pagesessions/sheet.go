package pagesessions

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// sheet shows the details of a row: names and values, wrapped, of which a part is on
// the screen.
type sheet struct {
	facts         []fact
	width, height int
	top           int
}

// key scrolls; false for other keys.
func (s *sheet) key(name string) bool {
	step := map[string]int{
		"j": 1, "down": 1, "k": -1, "up": -1, "ctrl+d": s.height / 2, "ctrl+u": -s.height / 2,
		"pgdown": s.height, "pgup": -s.height, "G": 1 << 20, "end": 1 << 20, "g": -1 << 20, "home": -1 << 20,
	}[name]
	s.top += step
	return step != 0
}

// view draws it, at most height lines of width cells.
func (s *sheet) view(st *theme.Styles) string {
	lines := s.lines(st)
	s.top = max(min(s.top, len(lines)-s.height), 0)
	shown := lines[s.top:min(s.top+s.height, len(lines))]
	if more := len(lines) - s.top - s.height; more > 0 && s.height > 1 {
		shown[len(shown)-1] = st.Dim.Render(ansi.Truncate(strings.Repeat(" ", s.column())+st.Glyphs.Down+" more", s.width, ""))
	}
	return strings.Join(shown, "\n")
}

// column is where the values begin.
func (s *sheet) column() int {
	w := 0
	for _, f := range s.facts {
		w = max(w, ansi.StringWidth(f.name))
	}
	return min(w+2, max(s.width/2, 1))
}

func (s *sheet) lines(st *theme.Styles) (lines []string) {
	column := s.column()
	for _, f := range s.facts {
		value := visible(f.value)
		if f.level != theme.Unknown {
			value = st.Glyphs.Level(f.level) + " " + value
		}
		name := ansi.Truncate(f.name, column-1, st.Glyphs.Ellipsis)
		name = st.Key.Render(name) + strings.Repeat(" ", max(column-ansi.StringWidth(name), 0))
		for part := range strings.SplitSeq(ansi.Wrap(value, max(s.width-column, 4), "/:-."), "\n") {
			if f.level != theme.Unknown {
				part = st.Level(f.level).Render(part)
			}
			lines = append(lines, ansi.Truncate(name+part, s.width, ""))
			name = strings.Repeat(" ", column)
		}
	}
	return lines
}
