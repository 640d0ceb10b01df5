package commands

import (
	"cmp"
	"io"
	"strings"

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

// showsLive decides whether output is shown while it is written, and prepares for
// it. possible says that it goes where it can be read.
func (v *runView) showsLive(possible bool) bool {
	if !possible {
		return false
	}
	if v.events != nil {
		return true
	}
	byItself := v.options.Format == render.FormatAuto && v.options.Query == "" && v.options.Terminal() && !v.full && !v.diff
	if !v.follow && !byItself {
		return false
	}
	v.lines = &nodeLines{w: v.progress.Over(v.env.Out), o: v.options}
	return true
}

// write shows a piece of output.
func (l *nodeLines) write(name string, log run.Log) error {
	var b strings.Builder
	for line := range strings.Lines(log.Text) {
		text := strings.TrimRight(line, "\r\n")
		if l.o.Terminal() {
			b.WriteString(l.mark(name, log) + visibleLine(line))
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
