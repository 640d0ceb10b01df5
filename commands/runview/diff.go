package runview

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/textdiff"
)

// differences writes the output that most nodes have, and of every other group how
// its output differs from that.
func (p *OutputPrinter) differences(groups []run.Group) {
	base := majority(groups)
	if base < 0 {
		return
	}
	p.block(groups[base])
	for i, g := range groups {
		if i == base {
			continue
		}
		p.head(g)
		same := true
		for _, stream := range []struct{ name, old, new string }{
			{"stdout", groups[base].Stdout, g.Stdout}, {"stderr", groups[base].Stderr, g.Stderr},
		} {
			lines := textdiff.Unified(stream.name+" of "+cli.Plural(len(groups[base].Nodes), "node"), stream.name+" of "+cli.Plural(len(g.Nodes), "node"), stream.old, stream.new)
			same = same && len(lines) == 0
			p.DiffLines(lines)
		}
		if same {
			p.Printf("  %s\n", p.O.Styles.Dim.Render("(the output is the same)"))
		}
		p.cut(g)
	}
}

// majority is the index of the largest group, the first of equals.
func majority(groups []run.Group) int {
	at := -1
	for i, g := range groups {
		if at < 0 || len(g.Nodes) > len(groups[at].Nodes) {
			at = i
		}
	}
	return at
}

// DiffLines writes a unified difference, coloured where that can be.
func (p *OutputPrinter) DiffLines(lines []string) {
	for i, line := range lines {
		text := cli.VisibleLine(line)
		switch {
		case i < 2, strings.HasPrefix(line, "@@"):
			text = p.O.Styles.Dim.Render(text)
		case strings.HasPrefix(line, "-"):
			text = p.O.Styles.Bad.Render(text)
		case strings.HasPrefix(line, "+"):
			text = p.O.Styles.Good.Render(text)
		}
		p.Printf("  %s\n", text)
	}
}
