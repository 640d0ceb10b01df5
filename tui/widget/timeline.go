package widget

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Timeline draws when things are: a row each, time from left to right.
type Timeline struct {
	From time.Time // the left end: the beginning of a day, in the time zone of the days above
	Days int       // 0: 7
	Now  time.Time // marked, when it is within
}

// Track is a row of a Timeline.
type Track struct {
	Name  string
	Spans []Span
}

// Span is a time of a Track. Its first cell is the glyph of its level.
type Span struct {
	Start, End time.Time
	Level      theme.Level
}

// Draw draws the days and a line for each track. cursor is the track the keys are
// on; -1: none.
func (t Timeline) Draw(s *theme.Styles, tracks []Track, width, cursor int) string {
	names := 0
	for _, tr := range tracks {
		names = max(names, render.Width(render.Visible(tr.Name)))
	}
	names = min(names, max(width/4, 8))
	room := width - margin - names - 1
	if room < 14 {
		return ""
	}
	out := []string{strings.Repeat(" ", margin+names+1) + s.Header.Render(strings.TrimRight(t.days(room), " "))}
	for i, tr := range tracks {
		name := fit(render.Visible(tr.Name), names, &Column{}, s.Glyphs.Ellipsis)
		head := sign(i == cursor, s.Glyphs.Pointer) + " "
		if i == cursor {
			name = s.Selected.Render(name)
		}
		out = append(out, strings.TrimRight(head+name+" "+t.line(s, tr, room), " "))
	}
	return strings.Join(out, "\n")
}

func (t Timeline) end() time.Time {
	if t.Days == 0 {
		return Midnight(t.From, 7)
	}
	return Midnight(t.From, t.Days)
}

// Midnight is when the day of a moment begins, or one so many days later: not at
// midnight where clocks are changed just then (as in Santiago and Havana in spring),
// and at the first of two where they are put back.
func Midnight(t time.Time, later int) time.Time {
	y, m, d := t.Date()
	noon := time.Date(y, m, d+later, 12, 0, 0, 0, t.Location())
	at := time.Date(y, m, d+later, 0, 0, 0, 0, t.Location())
	if at.Day() != noon.Day() {
		_, at = at.ZoneBounds()
	} else if before := at.Add(-time.Hour); before.Day() == noon.Day() {
		at = before
	}
	return at
}

// cell is the cell of a moment; it may lie outside.
func (t Timeline) cell(at time.Time, room int) int {
	whole := t.end().Sub(t.From)
	n := int64(at.Sub(t.From)/time.Second) * int64(room)
	d := int64(whole / time.Second)
	if n < 0 {
		return -1
	}
	return int(n / d)
}

// days writes the days where they begin, all in the longest form that has room; of
// many, every second or third.
func (t Timeline) days(room int) string {
	for every := 1; every < room; every++ {
		for _, layout := range []string{"Mon 2 Jan", "Mon 2", "2"} {
			if line, ok := t.daysAs(layout, every, room); ok {
				return line
			}
		}
	}
	return ""
}

func (t Timeline) daysAs(layout string, every, room int) (string, bool) {
	var b strings.Builder
	written, i := 0, 0
	for day := t.From; day.Before(t.end()); day = Midnight(day, 1) {
		if i++; (i-1)%every != 0 {
			continue
		}
		at, name := t.cell(day, room), day.Format(layout)
		if at < written || at+len(name) > room {
			return "", false
		}
		b.WriteString(strings.Repeat(" ", max(at-b.Len(), 0)) + name)
		written = at + len(name) + 1
	}
	return b.String(), true
}

// line draws a track: days, now, and the spans over them.
func (t Timeline) line(s *theme.Styles, tr Track, room int) string {
	cells := make([]ink, room)
	for i := range cells {
		cells[i].text = " "
	}
	put := func(at int, text string, style *lipgloss.Style) {
		if at >= 0 && at < room {
			cells[at] = ink{text, style}
		}
	}
	for day := Midnight(t.From, 1); day.Before(t.end()); day = Midnight(day, 1) {
		put(t.cell(day, room), s.Glyphs.Sep, &s.Dim)
	}
	put(t.cell(t.Now, room), s.Glyphs.Pipe, &s.Accent)
	full := s.Glyphs.Bar[len(s.Glyphs.Bar)-1]
	for _, span := range tr.Spans {
		if !span.Start.Before(t.end()) || !span.End.After(t.From) {
			continue
		}
		first := max(t.cell(span.Start, room), 0)
		last := max(min(t.cell(span.End.Add(-time.Second), room), room-1), first)
		style := s.Level(span.Level)
		put(first, s.Glyphs.Level(span.Level), &style)
		for at := first + 1; at <= last; at++ {
			put(at, full, &style)
		}
	}
	return drawInk(cells)
}

// ink is a cell and how it is drawn; nil: as it is.
type ink struct {
	text  string
	style *lipgloss.Style
}

// drawInk draws neighbours of one style together.
func drawInk(cells []ink) string {
	var b, run strings.Builder
	for i, c := range cells {
		run.WriteString(c.text)
		if i+1 < len(cells) && cells[i+1].style == c.style {
			continue
		}
		if c.style == nil {
			b.WriteString(run.String())
		} else {
			b.WriteString(c.style.Render(run.String()))
		}
		run.Reset()
	}
	return b.String()
}
