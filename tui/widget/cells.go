package widget

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// gravity orders levels by what must not be missed when several share a cell.
var gravity = [...]int{theme.Idle: 0, theme.Good: 1, theme.Unknown: 2, theme.Busy: 3, theme.Warn: 4, theme.Bad: 5}

// Cells draws one cell a thing, in the glyph and the colour of its level, in at most
// height lines. Of more things than there are cells several share one, which shows
// the gravest of them, and the last line says so: "one cell is 4 nodes, the gravest
// of them". noun is what they are called.
func Cells(s *theme.Styles, levels []theme.Level, width, height int, noun string) string {
	if width <= 0 || height <= 0 || len(levels) == 0 {
		return ""
	}
	per, caption := 1, ""
	if len(levels) > width*height {
		rows := max(height-1, 1)
		per = (len(levels) + width*rows - 1) / (width * rows)
		if height > 1 {
			caption = render.CutEnd(fmt.Sprintf("one cell is %s %s, the gravest of them", Grouped(per), noun), width, s.Glyphs.Ellipsis)
		}
	}
	var lines []string
	for from := 0; from < len(levels); from += per * width {
		lines = append(lines, cellLine(s, levels[from:min(from+per*width, len(levels))], per))
	}
	if caption != "" {
		lines = append(lines, s.Dim.Render(caption))
	}
	return strings.Join(lines, "\n")
}

// cellLine draws neighbours of one level together: a line of a thousand styles is
// slow to draw and slow to read.
func cellLine(s *theme.Styles, levels []theme.Level, per int) string {
	var b strings.Builder
	run, n := theme.Unknown, 0
	flush := func() {
		if n > 0 {
			b.WriteString(s.Level(run).Render(strings.Repeat(s.Glyphs.Level(run), n)))
		}
	}
	for from := 0; from < len(levels); from += per {
		l := gravest(levels[from:min(from+per, len(levels))])
		if n > 0 && l != run {
			flush()
			n = 0
		}
		run = l
		n++
	}
	flush()
	return b.String()
}

func gravest(levels []theme.Level) theme.Level {
	worst := levels[0]
	for _, l := range levels[1:] {
		if gravity[l] > gravity[worst] {
			worst = l
		}
	}
	return worst
}
