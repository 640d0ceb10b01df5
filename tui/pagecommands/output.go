package pagecommands

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// written is everything that a node wrote, head and tail of it at least.
type written struct {
	stdout, stderr string
	cut            bool
	more           string // where the rest is
}

// detailKey is the key of an entry's output.
func (p *Page) detailKey(e entry) string {
	return deck.Key(p.board.at, e.row.CommandID+" "+e.row.NodeID)
}

// rest fetches what the board has only in part of the entry the cursor rests on.
func (p *Page) rest() tea.Cmd {
	e, ok := p.current()
	if !ok || !p.paneShown() || !e.state.Final() || !e.row.Truncated && !e.row.Preview {
		p.details.Leave()
		return nil
	}
	at, inv, c := p.board.at, e.row.Invocation, p.board.command(e.row.CommandID)
	key, age := p.detailKey(e), time.Hour // it does not change any more
	if _, _, err, _ := p.details.Get(key); err != nil {
		age = time.Minute
	}
	return p.details.Want(key, age, func(ctx context.Context) (written, error) {
		svc, err := p.svc.Run(at)
		if err != nil {
			return written{}, err
		}
		stdout, stderr := &ring{most: inPane}, &ring{most: inPane}
		sum, err := svc.Copy(ctx, c, inv, stdout, stderr)
		if err != nil {
			return written{}, err
		}
		return written{
			stdout: stdout.String(), stderr: stderr.String(),
			cut: sum.Truncated || stdout.cut > 0 || stderr.cut > 0, more: sum.More,
		}, nil
	})
}

// title names an entry: "web-12 i-0abc", "798 nodes".
func (p *Page) title(e entry) string {
	if e.fold() {
		return widget.Count(len(e.nodes), "node")
	}
	name := p.name(e.row.NodeID, e.row.NodeName)
	if name == e.row.NodeID {
		return name
	}
	return name + " " + e.row.NodeID
}

// text is what the output pane shows of an entry, in lines as they come.
func (p *Page) text(e entry) []textLine {
	lines := p.preface(e)
	if !e.state.Final() {
		return append(lines, p.live(e)...)
	}
	out := written{stdout: e.row.Stdout, stderr: e.row.Stderr, cut: e.row.Truncated || e.row.Preview, more: e.row.More}
	got, at, err, loading := p.details.Get(p.detailKey(e))
	switch {
	case !at.IsZero():
		out = got
	case loading:
		lines = append(lines, note(theme.Busy, "reading all of it"))
	case err != nil:
		lines = append(lines, note(theme.Bad, "only a part is shown: %v", err))
	}
	lines = append(lines, outputLines("", out.stdout)...)
	lines = append(lines, outputLines("stderr", out.stderr)...)
	switch {
	case out.stdout == "" && out.stderr == "" && e.row.HasOutput:
		lines = append(lines, note(theme.Unknown, "(it wrote nothing)"))
	case out.stdout == "" && out.stderr == "":
		lines = append(lines, note(theme.Unknown, "(there is no output)"))
	case out.cut && out.more != "":
		lines = append(lines, note(theme.Warn, "this is not all: the rest %s", out.more))
	case out.cut && !loading:
		lines = append(lines, note(theme.Warn, "this is not all: the service kept no more, or it is too long to be shown; w writes what there is to a folder"))
	}
	return lines
}

// note is a line of ours between those of a node.
func note(level theme.Level, format string, args ...any) textLine {
	return textLine{text: render.Visible(fmt.Sprintf(format, args...)), note: true, level: level}
}

// preface says in front of an output whose it is, and how it ended there.
func (p *Page) preface(e entry) (lines []textLine) {
	if e.fold() && e.state.Final() {
		same := "the same output on all of them"
		switch {
		case !e.row.HasOutput:
			same = "all of them ended like this"
		case e.row.Truncated || e.row.Preview:
			same += " as far as it was read, here that of " + p.name(e.row.NodeID, e.row.NodeName)
		}
		const names = 200 // the list is cut, and the output comes next
		lines = append(lines, note(theme.Unknown, "%s: %s", same, render.CutEnd(p.folded(e), names, p.deck.Styles.Glyphs.Ellipsis)))
	}
	if e.row.Reason != "" {
		lines = append(lines, note(levels.Run(e.state), "%s", e.row.Reason))
	}
	for _, s := range e.row.Steps {
		lines = append(lines, note(levels.Run(s.State), "step %s: %s", s.Name, ending(s.State, s.ExitCode)))
	}
	return lines
}

// trouble is what the output pane shows when there is no node to show: why.
func (p *Page) trouble() (lines []textLine) {
	err := p.board.err
	if err == nil {
		return nil
	}
	for _, text := range []string{err.Error(), fault.HintOf(err)} {
		if text != "" {
			lines = append(lines, textLine{text: render.Visible(text), note: true, level: theme.Bad})
		}
	}
	return lines
}

// live is what is known of a node that is not done.
func (p *Page) live(e entry) []textLine {
	if e.fold() {
		return []textLine{{text: "their output comes when they are done", note: true}}
	}
	if text := p.board.tails.text(e.row.CommandID, e.row.NodeID); text != "" {
		return append([]textLine{{text: "so far:", note: true, level: theme.Busy}}, outputLines("", text)...)
	}
	if e.state == run.Running || e.state == run.Strange {
		return []textLine{{text: "its output comes when it is done", note: true}}
	}
	return []textLine{{text: "it has not begun", note: true}}
}

// textLine is one line of a pane.
type textLine struct {
	text  string // harmless
	note  bool   // of ours
	level theme.Level
}

// outputLines are the lines of a foreign text, harmless, behind a heading.
func outputLines(heading, text string) (lines []textLine) {
	if text == "" {
		return nil
	}
	if heading != "" {
		lines = append(lines, textLine{text: heading, note: true})
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		lines = append(lines, textLine{text: render.Visible(widget.Expanded(line))})
	}
	return lines
}

// pane shows the output of an entry. It makes the lines once, when the text, the
// room or the styles are others.
type pane struct {
	text   *widget.Text
	width  int
	height int
	of     string // the key of the text
	made   bool
	styles *theme.Styles
}

// stale says that the text may be another.
func (v *pane) stale() { v.made = false }

// set gives the text of a key, if it is not what is shown already.
func (v *pane) set(key string, styles *theme.Styles, text func() []textLine) {
	if v.made && v.of == key && v.styles == styles {
		return
	}
	v.text.SetStyles(styles)
	if v.of != key { // from the top
		v.text.SetText("")
	}
	v.of, v.styles, v.made = key, styles, true
	var lines []string
	for _, l := range text() {
		for _, part := range wrapped(l.text, v.width, l.note) {
			switch {
			case l.note && l.level == theme.Unknown:
				part = styles.Dim.Render(part)
			case l.note:
				part = styles.Level(l.level).Render(part)
			}
			lines = append(lines, part)
		}
	}
	v.text.SetDrawn(strings.Join(lines, "\n"))
}

// size gives the room.
func (v *pane) size(width, height int) {
	if v.width != width {
		v.made = false
	}
	v.width, v.height = width, height
	v.text.SetSize(width, height)
}

// wrapped cuts a line into pieces of a width, between words if so wished.
func wrapped(line string, width int, words bool) []string {
	if width < 1 || len(line) <= width || ansi.StringWidth(line) <= width {
		return []string{line}
	}
	if words {
		return strings.Split(ansi.Wrap(line, width, ""), "\n")
	}
	return strings.Split(ansi.Hardwrap(line, width, true), "\n")
}
