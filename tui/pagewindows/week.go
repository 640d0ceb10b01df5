package pagewindows

import (
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/schedule"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// timeline draws today and the days after it, a line for each window of the list: when it
// is open, where it meets another, and now. The list scrolls with the cursor.
func (p *Page) timeline(width, height int) string {
	shown := p.list.Shown()
	if height < 3 || len(shown) == 0 {
		return ""
	}
	room := height - 2 // the days, the legend
	cursor := -1
	if i, ok := p.list.Current(); ok {
		cursor = slices.Index(shown, i)
	}
	first := max(min(cursor-room/2, len(shown)-room), 0)
	var tracks []widget.Track
	var levels []theme.Level
	for _, i := range shown[first:min(first+room, len(shown))] {
		e := &p.entries[i]
		t := widget.Track{Name: e.Name, Spans: p.spans(e)}
		for _, s := range t.Spans {
			levels = append(levels, s.Level)
		}
		tracks = append(tracks, t)
	}
	from, to := week(p.d.Now, p.d.Location)
	line := widget.Timeline{From: from, Days: days, Now: p.d.Now}
	drawn := line.Draw(p.d.Styles, tracks, width, cursor-first)
	if drawn == "" {
		return ""
	}
	return drawn + "\n" + ansi.Truncate(p.legend(levels, zones(from, to)), width, p.d.Styles.Glyphs.Ellipsis)
}

// The levels of spans: what each is about is in the legend.
const (
	spanOpen     = theme.Good
	spanNow      = theme.Busy
	spanShared   = theme.Warn // two windows on the same nodes
	spanDisabled = theme.Idle
)

// spans are when a window is open, and over them where it meets another.
func (p *Page) spans(e *entry) []widget.Span {
	var all []widget.Span
	for _, o := range e.openings {
		level := spanOpen
		switch {
		case !o.Enabled:
			level = spanDisabled
		case !o.Start.After(p.d.Now) && o.End.After(p.d.Now):
			level = spanNow
		}
		all = append(all, widget.Span{Start: o.Start, End: o.End, Level: level})
	}
	for _, o := range e.openings {
		for _, s := range o.Shared {
			all = append(all, widget.Span{Start: s.Start, End: s.End, Level: spanShared})
		}
	}
	return all
}

// zones names the time of a zone between two moments: where clocks are changed, both.
func zones(from, to time.Time) string {
	text := from.Format("MST")
	for _, c := range schedule.Changes(from.Location(), from.Add(1), to) {
		text += ", from " + c.At.Format("Mon 2 Jan 15:04 MST")
	}
	return text
}

// legend says what the signs of the week mean: those that are on it.
func (p *Page) legend(levels []theme.Level, zones string) string {
	st := p.d.Styles
	parts := []string{"times in " + zones, st.Accent.Render(st.Glyphs.Pipe) + " now"}
	for _, k := range []struct {
		level theme.Level
		word  string
	}{
		{spanOpen, "open"}, {spanNow, "open now"}, {spanShared, "two on the same nodes"}, {spanDisabled, "disabled"},
	} {
		if slices.Contains(levels, k.level) {
			parts = append(parts, st.Status(k.level, k.word))
		}
	}
	return strings.Join(parts, "  ")
}
