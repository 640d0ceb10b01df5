package pageparams

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/textdiff"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// fact is a line of the details: what it is, and how it stands. One without a name is
// a line of text, of a difference where it has a kind.
type fact struct {
	name, value string
	level       theme.Level
	kind        textdiff.Kind
	dim         bool
}

// sheet shows facts, wrapped, of which a part is on the screen.
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

// view draws at most height lines of width cells.
func (s *sheet) view(st *theme.Styles) []string {
	lines := s.lines(st)
	s.top = max(min(s.top, len(lines)-s.height), 0)
	shown := lines[s.top:min(s.top+max(s.height, 0), len(lines))]
	if more := len(lines) - s.top - s.height; more > 0 && s.height > 1 {
		shown[len(shown)-1] = st.Dim.Render(ansi.Truncate(strings.Repeat(" ", s.column())+st.Glyphs.Down+" more", s.width, ""))
	}
	return shown
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
		if f.name == "" {
			lines = append(lines, s.text(st, f)...)
			continue
		}
		name := ansi.Truncate(f.name, column-1, st.Glyphs.Ellipsis)
		name = st.Key.Render(name) + strings.Repeat(" ", max(column-ansi.StringWidth(name), 0))
		for _, part := range wrapped(f.value, max(s.width-column, 4)) {
			if f.level != theme.Unknown {
				part = st.Level(f.level).Render(part)
			}
			lines = append(lines, ansi.Truncate(name+part, s.width, ""))
			name = strings.Repeat(" ", column)
		}
	}
	return lines
}

// text is a line over the whole width.
func (s *sheet) text(st *theme.Styles, f fact) (lines []string) {
	style := lipgloss.NewStyle()
	switch {
	case f.dim:
		style = st.Dim
	case f.kind == textdiff.Insert:
		style = st.Good
	case f.kind == textdiff.Delete:
		style = st.Bad
	}
	prefix := ""
	if f.kind != 0 {
		prefix = string(rune(f.kind)) + " "
	}
	for _, part := range wrapped(f.value, max(s.width-len(prefix), 4)) {
		lines = append(lines, style.Render(ansi.Truncate(prefix+part, s.width, "")))
	}
	return lines
}

// wrapped are the lines of a foreign text, made harmless.
func wrapped(text string, width int) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		line = visible(strings.ReplaceAll(line, "\t", "    "))
		lines = append(lines, strings.Split(ansi.Wrap(line, width, "/:-.,="), "\n")...)
	}
	return lines
}
