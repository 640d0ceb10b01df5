package pagecommands

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// cellGrid keeps the cells of the nodes as they were drawn last.
type cellGrid struct {
	lines  []string
	of     *board
	gen    uint64
	width  int
	most   int
	styles *theme.Styles
}

// draw makes at most most lines with a cell for each node, unless they are what they
// were. Nodes that the service counts and does not list have cells, too.
func (g *cellGrid) draw(b *board, width, most int, styles *theme.Styles) []string {
	if g.of == b && g.gen == b.gen && g.width == width && g.most == most && g.styles == styles {
		return g.lines
	}
	g.of, g.gen, g.width, g.most, g.styles = b, b.gen, width, most, styles
	total := b.total()
	each := make([]theme.Level, 0, total)
	for r := range b.sum.Rows() {
		each = append(each, levels.Run(r.State))
	}
	_, unread := b.counts()
	for len(each) < total {
		missing := levels.Run(run.Waiting)
		if b.sum.Done() || unread > 0 { // done, and nobody knows how yet
			missing = theme.Unknown
			unread--
		}
		each = append(each, missing)
	}
	g.lines = nil
	if text := widget.Cells(styles, each, width, most, "nodes"); text != "" {
		g.lines = strings.Split(text, "\n")
	}
	return g.lines
}
