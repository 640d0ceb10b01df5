package widget

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Progress draws how much of a whole is done as width cells, to an eighth of a cell,
// and the way that is left. What is done at all is seen, and only the whole fills it.
func Progress(s *theme.Styles, done, whole, width int) string {
	if width <= 0 {
		return ""
	}
	share := 0.0
	if whole > 0 && done > 0 {
		share = max(float64(done)/float64(whole), 1/float64(width*(len(s.Glyphs.Bar)-1)))
	}
	bar := render.Bar(share, width, slices.Concat([]string{s.Glyphs.Track}, s.Glyphs.Bar[1:]))
	full := strings.TrimRight(bar, s.Glyphs.Track)
	left := bar[len(full):]
	if full != "" {
		full = s.Bar.Render(full)
	}
	if left != "" {
		left = s.Dim.Render(left)
	}
	return full + left
}
