package runview

import (
	"cmp"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// nodeLines shows output while it is written: each line with its node. For people
// a line begins with the name and |, on standard error with !; in a pipe it is node,
// stream and text with tabs between.
type nodeLines struct {
	w     io.Writer
	o     render.Options
	width int  // of the longest name so far
	gaps  bool // not everything could be shown
}

// longestName is how wide the names before lines get, in characters.
const longestName = 30

// ShowsLive decides whether output is shown while it is written, and prepares for
// it. possible says that it goes where it can be read.
func (v *View) ShowsLive(possible bool) bool {
	if !possible {
		return false
	}
	if v.Events != nil {
		return true
	}
	byItself := v.Options.Format == render.FormatAuto && v.Options.Query == "" && v.Options.Terminal() && !v.full && !v.diff
	if !v.Follow && !byItself {
		return false
	}
	v.lines = &nodeLines{w: v.Progress.Over(v.Env.Out), o: v.Options}
	return true
}

// write shows a piece of output.
func (l *nodeLines) write(name string, log run.Log) error {
	var b strings.Builder
	for line := range strings.Lines(log.Text) {
		text := strings.TrimRight(line, "\r\n")
		if l.o.Terminal() {
			b.WriteString(l.mark(name, log) + cli.VisibleLine(line))
		} else {
			b.WriteString(log.NodeID + "\t" + log.Stream + "\t" + text)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(l.w, b.String())
	return err
}

// mark is what stands before a line.
func (l *nodeLines) mark(name string, log run.Log) string {
	name = render.CutEnd(render.Visible(cmp.Or(name, log.NodeID)), longestName, l.o.Styles.Glyphs.Ellipsis)
	l.width = max(l.width, render.Width(name))
	bar := " | "
	if log.Stream == "stderr" {
		bar = " ! "
	}
	return l.o.Styles.Source(log.NodeID).Render(name+strings.Repeat(" ", l.width-render.Width(name))) + l.o.Styles.Dim.Render(bar)
}
