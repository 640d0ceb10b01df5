package pagewindows

import (
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
)

// weekLabel is how many cells names of windows have in the week.
const weekLabel = 16

// week draws today and the days after it, a line for each window of the list: when it
// is open, where it meets another, and now. Nothing where there is no room.
func (p *Page) week(width, height int) []string {
	st := p.d.Styles
	cells := (width-weekLabel-1)/days - 1
	if cells < 3 || height < 3 || len(p.entries) == 0 {
		return nil
	}
	cells = min(cells, 24)
	zone := p.d.Now.In(p.d.Location).Format("MST")
	head := st.Dim.Render(padded("times in "+zone, weekLabel+1))
	from := midnight(p.d.Now, p.d.Location)
	for i := range days {
		day := from.AddDate(0, 0, i)
		name := day.Format("Mon 2")
		if cells < 6 {
			name = day.Format("Mon")
		}
		if i == 0 && cells >= 9 {
			name += " today"
		}
		head += st.Header.Render(padded(name, cells+1))
	}
	lines := []string{head}
	shown := p.list.Shown()
	room := height - 2 // head and legend
	first := 0
	if i, ok := p.list.Current(); ok {
		first = max(min(slices.Index(shown, i)-room/2, len(shown)-room), 0)
	}
	for _, i := range shown[first:min(first+room, len(shown))] {
		lines = append(lines, p.weekRow(&p.entries[i], from, cells))
	}
	for len(lines) < min(room, len(shown))+1 {
		lines = append(lines, "")
	}
	return append(lines, ansi.Truncate(p.legend(), width, ""))
}

func (p *Page) weekRow(e *entry, from time.Time, cells int) string {
	st := p.d.Styles
	name := padded(ansi.Truncate(safe(e.Name), weekLabel, st.Glyphs.Ellipsis), weekLabel)
	if cur := p.current(); cur != nil && cur.key == e.key {
		name = st.Strong.Render(name)
	} else if !e.Enabled {
		name = st.Dim.Render(name)
	}
	var b strings.Builder
	b.WriteString(name + " ")
	for i := range days {
		begin, end := from.AddDate(0, 0, i), from.AddDate(0, 0, i+1)
		b.WriteString(st.Border.Render(st.Glyphs.Pipe))
		length := end.Sub(begin)
		for c := range cells {
			b.WriteString(p.cell(e.openings, begin.Add(length*time.Duration(c)/time.Duration(cells)), begin.Add(length*time.Duration(c+1)/time.Duration(cells))))
		}
	}
	return b.String()
}

// cell is the sign of a part of a day in a window's line.
func (p *Page) cell(openings []agenda.Opening, from, to time.Time) string {
	st := p.d.Styles
	late := false
	for _, o := range openings {
		if !o.Start.Before(to) || !o.End.After(from) {
			continue
		}
		if !o.Enabled {
			return st.Idle.Render(st.Glyphs.Idle)
		}
		for _, s := range o.Shared {
			if s.Start.Before(to) && s.End.After(from) {
				return st.Warn.Render(st.Glyphs.Warn)
			}
		}
		if o.Cutoff.After(from) {
			return st.Bar.Render(st.Glyphs.Bar[len(st.Glyphs.Bar)-1])
		}
		late = true
	}
	switch {
	case late:
		return st.Dim.Render(st.Glyphs.Rule)
	case !p.d.Now.Before(from) && p.d.Now.Before(to):
		return st.Accent.Render(st.Glyphs.Down)
	}
	return " "
}

// legend says what the signs of the week mean: those that are on it.
func (p *Page) legend() string {
	st := p.d.Styles
	parts := []string{st.Bar.Render(st.Glyphs.Bar[len(st.Glyphs.Bar)-1]) + " open"}
	has := func(f func(agenda.Opening) bool) bool {
		return slices.ContainsFunc(p.entries, func(e entry) bool { return slices.ContainsFunc(e.openings, f) })
	}
	if has(func(o agenda.Opening) bool { return len(o.Shared) > 0 }) {
		parts = append(parts, st.Warn.Render(st.Glyphs.Warn)+" two windows on the same nodes")
	}
	if has(func(o agenda.Opening) bool { return o.Enabled && o.Cutoff.Before(o.End) }) {
		parts = append(parts, st.Dim.Render(st.Glyphs.Rule)+" no new tasks")
	}
	if has(func(o agenda.Opening) bool { return !o.Enabled }) {
		parts = append(parts, st.Idle.Render(st.Glyphs.Idle)+" disabled")
	}
	return strings.Join(append(parts, st.Accent.Render(st.Glyphs.Down)+" now"), "  ")
}
