package tui

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// columns is the column chooser of a list.
type columns struct {
	m      *Model
	list   deck.ColumnList
	cursor int
	scroll int
}

func newColumns(m *Model, list deck.ColumnList) dialog { return &columns{m: m, list: list} }

func (d *columns) title() string { return "Columns" }

func (d *columns) size(width, height int) (w, h int) {
	titles, _ := d.list.AllColumns()
	w = 24
	for _, t := range titles {
		w = max(w, ansi.StringWidth(t)+8)
	}
	return min(w, width), min(len(titles), height)
}

func (d *columns) hints() []hint {
	return []hint{{"space", "show or hide"}, {"K", "to the left"}, {"J", "to the right"}, {"esc", "close"}}
}

func (d *columns) key(k tea.KeyPressMsg) tea.Cmd {
	titles, shown := d.list.AllColumns()
	last := len(titles) - 1
	switch k.String() {
	case "esc", "enter", "q", "C":
		d.m.close(d)
	case "down", "j", "tab":
		d.cursor = min(d.cursor+1, last)
	case "up", "k", "shift+tab":
		d.cursor = max(d.cursor-1, 0)
	case "space", "x":
		d.list.ShowColumn(d.cursor, !shown[d.cursor])
	case "J", "shift+down":
		d.shift(min(d.cursor+1, last))
	case "K", "shift+up":
		d.shift(max(d.cursor-1, 0))
	}
	return nil
}

func (d *columns) shift(to int) {
	if to != d.cursor {
		d.list.MoveColumn(d.cursor, to)
		d.cursor = to
	}
}

func (d *columns) mouse(msg tea.Msg) tea.Cmd {
	titles, shown := d.list.AllColumns()
	if e, ok := msg.(tea.MouseClickMsg); ok && d.scroll+e.Y < len(titles) {
		d.cursor = d.scroll + e.Y
		d.list.ShowColumn(d.cursor, !shown[d.cursor])
	}
	return nil
}

func (d *columns) view(width, height int) (lines []string, at point) {
	s := d.m.o.Deck.Styles
	titles, shown := d.list.AllColumns()
	d.scroll = max(min(d.scroll, d.cursor), d.cursor-height+1, 0)
	for i := d.scroll; i < min(d.scroll+height, len(titles)); i++ {
		pointer, mark := " ", "[ ]"
		if shown[i] {
			mark = "[x]"
		}
		if i == d.cursor {
			pointer = s.Glyphs.Pointer
		}
		line := ansi.Truncate(pointer+" "+mark+" "+titles[i], width, s.Glyphs.Ellipsis)
		if i == d.cursor && s.Color {
			line = s.Selected.Render(line)
		}
		lines = append(lines, line)
	}
	return lines, nowhere
}
