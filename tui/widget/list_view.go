package widget

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

const (
	margin = 2 // the pointer and the mark in front of a row
	gap    = 2 // between columns

	flash = 3 * time.Second // how long a change is marked
	// railFrom is the width from which a long list shows where in it the screen is.
	railFrom = 20
)

// cellID is a cell, whatever place its row has.
type cellID struct {
	key    string
	column int
}

// snapshot are the texts of the cells that flash, of the rows drawn last.
type snapshot map[cellID]string

// frame is what is on the screen: the cells of its rows, and how wide they are.
type frame struct {
	rows    []int
	columns []int
	widths  []int // 0: no room
	cells   [][]string
	rail    bool
}

// frame asks for the cells on the screen, once each.
func (l *List) frame() frame {
	f := frame{rows: l.screen(), columns: l.shownColumns(), rail: len(l.order) > l.shown() && l.width >= railFrom}
	want := make([]int, len(f.columns))
	for i, c := range f.columns {
		want[i] = max(render.Width(l.o.Columns[c].Title)+1, l.o.Columns[c].Min)
	}
	f.cells = make([][]string, len(f.rows))
	for r, row := range f.rows {
		f.cells[r] = make([]string, len(f.columns))
		for i, c := range f.columns {
			col := &l.o.Columns[c]
			f.cells[r][i] = col.shown(row)
			want[i] = max(want[i], col.needs(f.cells[r][i]))
		}
	}
	room := l.width - margin
	if f.rail {
		room--
	}
	f.widths = l.share(f.columns, want, room)
	return f
}

// cellMost is how much of a text, in bytes, is made ready for a cell: more than any
// screen is wide.
const cellMost = 8 << 10

// shown is the text of a cell, safe. Of a very long one the beginning and the end are
// left, which is what a cut in the middle shows.
func (c *Column) shown(row int) string {
	text := c.Text(row)
	if len(text) > cellMost {
		text = strings.ToValidUTF8(text[:cellMost/2], "") + strings.ToValidUTF8(text[len(text)-cellMost/2:], "")
	}
	return render.Visible(text)
}

// needs is the width of a cell with a text.
func (c *Column) needs(text string) int {
	if c.Level != nil {
		return render.Width(text) + 2
	}
	return render.Width(text)
}

// share gives the room to the columns: each what it wants, and those of the highest
// rank give way.
func (l *List) share(columns, want []int, room int) []int {
	byRank := make([]int, len(columns))
	for i, c := range columns {
		byRank[i] = i
		if most := l.o.Columns[c].Max; most > 0 {
			want[i] = min(want[i], most)
		}
	}
	slices.SortStableFunc(byRank, func(a, b int) int {
		return cmp.Compare(l.rank(columns[a]), l.rank(columns[b]))
	})
	got := make([]int, len(columns))
	for n, i := range byRank {
		least := min(want[i], max(l.o.Columns[columns[i]].Min, 8))
		switch {
		case room >= want[i]:
			got[i] = want[i]
		case room >= least || n == 0:
			got[i] = max(room, 1)
		default:
			continue
		}
		room -= got[i] + gap
	}
	return got
}

// View draws the header and the rows on the screen. focused says whether keys go
// here.
func (l *List) View(focused bool) string {
	if l.width < 4 || l.height < 1 {
		return ""
	}
	f := l.frame()
	lines := make([]string, 0, l.height)
	lines = append(lines, l.headerLine(f))
	if len(l.order) == 0 && l.o.None != nil && l.height > 1 {
		none := render.CutEnd(render.Visible(l.o.None()), l.width-margin, l.styles.Glyphs.Ellipsis)
		lines = append(lines, "  "+l.styles.Dim.Render(none))
	}
	for r := range f.rows {
		if len(lines) == l.height {
			break
		}
		lines = append(lines, l.rowLine(f, r, focused))
	}
	l.remember(f)
	return strings.Join(lines, "\n")
}

func (l *List) headerLine(f frame) string {
	var b strings.Builder
	b.WriteString("  ")
	for i, c := range f.columns {
		if f.widths[i] == 0 {
			continue
		}
		title := l.o.Columns[c].Title
		if c == l.sort {
			if l.down {
				title += l.styles.Glyphs.Down
			} else {
				title += l.styles.Glyphs.Up
			}
		}
		b.WriteString(fit(title, f.widths[i], &l.o.Columns[c], l.styles.Glyphs.Ellipsis) + "  ")
	}
	return l.styles.Header.Render(strings.TrimRight(b.String(), " "))
}

func (l *List) rowLine(f frame, r int, focused bool) string {
	row, body := f.rows[r], l.width
	if f.rail {
		body--
	}
	plain, dim := focused && l.top+r == l.cursor, l.o.Dim != nil && l.o.Dim(row)
	line, used := l.rowCells(f, r, body, plain || dim)
	if plain || f.rail {
		line += strings.Repeat(" ", max(body-used, 0))
	} else {
		line = strings.TrimRight(line, " ")
	}
	switch {
	case plain:
		line = l.styles.Selected.Render(line)
	case dim:
		line = l.styles.Dim.Render(line)
	}
	if f.rail {
		line += l.rail(r)
	}
	return line
}

// rowCells draws the cells of a row in at most body cells, of which it uses some.
func (l *List) rowCells(f frame, r, body int, plain bool) (line string, used int) {
	row := f.rows[r]
	var b strings.Builder
	b.WriteString(sign(l.top+r == l.cursor, l.styles.Glyphs.Pointer) + sign(l.marks[l.keys[row]], l.styles.Glyphs.Marked))
	used = margin
	flashed := false
	for i, c := range f.columns {
		if f.widths[i] == 0 {
			continue
		}
		if used > margin {
			b.WriteString(sign(flashed, l.styles.Glyphs.Changed) + " ")
			used += gap
		}
		text := f.cells[r][i]
		flashed = l.flashes(cellID{l.keys[row], c})
		if flashed && !l.o.Columns[c].Right && l.o.Columns[c].needs(text) < f.widths[i] {
			text, flashed = text+l.styles.Glyphs.Changed, false
		}
		b.WriteString(l.cell(f, r, i, text, plain))
		used += f.widths[i]
	}
	if flashed && used < body {
		b.WriteString(l.styles.Glyphs.Changed)
		used++
	}
	return b.String(), used
}

func sign(on bool, glyph string) string {
	if on {
		return glyph
	}
	return " "
}

// cell draws one cell at its width. plain leaves the colour to the row.
func (l *List) cell(f frame, r, i int, text string, plain bool) string {
	col, width := &l.o.Columns[f.columns[i]], f.widths[i]
	if col.Level == nil {
		return fit(text, width, col, l.styles.Glyphs.Ellipsis)
	}
	level := col.Level(f.rows[r])
	if width < 3 {
		return l.styles.Level(level).Render(l.styles.Glyphs.Level(level)) + strings.Repeat(" ", width-1)
	}
	text = fit(text, width-2, col, l.styles.Glyphs.Ellipsis)
	if plain {
		return l.styles.Glyphs.Level(level) + " " + text
	}
	return l.styles.Status(level, text)
}

// rail is the cell at the right end of a row of a long list: together they show
// which part of it is on the screen.
func (l *List) rail(r int) string {
	shown, all := l.shown(), len(l.order)
	size := max(shown*shown/all, 1)
	at := l.top * (shown - size) / (all - shown)
	if r >= at && r < at+size {
		return l.styles.Border.Render(l.styles.Glyphs.Thumb)
	}
	return " "
}

// remember keeps what is on the screen of the columns that flash.
func (l *List) remember(f frame) {
	l.before = nil
	for i, c := range f.columns {
		if !l.o.Columns[c].Flash || l.still {
			continue
		}
		if l.before == nil {
			l.before = snapshot{}
		}
		column := &l.o.Columns[c]
		for r, row := range f.rows {
			text := f.cells[r][i]
			if column.Same != nil {
				text = column.Same(row)
			}
			l.before[cellID{l.keys[row], c}] = text
		}
	}
}

// compareWithBefore notes which of the cells on the screen are not what they were.
func (l *List) compareWithBefore() {
	for id, at := range l.changed {
		if l.now.Sub(at) >= flash {
			delete(l.changed, id)
		}
	}
	if len(l.before) == 0 || l.now.IsZero() {
		return
	}
	for _, row := range l.screen() {
		for c := range l.o.Columns {
			if !l.o.Columns[c].Flash {
				continue
			}
			id := cellID{l.keys[row], c}
			was, ok := l.before[id]
			if ok && was != l.o.Columns[c].compared(row) && (was != "" || l.o.Columns[c].Same == nil) {
				l.changed[id] = l.now
			}
		}
	}
}

// compared is what tells whether a cell has changed.
func (c *Column) compared(row int) string {
	if c.Same != nil {
		return c.Same(row)
	}
	return c.shown(row)
}

func (l *List) flashes(id cellID) bool {
	at, ok := l.changed[id]
	return ok && !l.still && l.now.Sub(at) < flash
}

// fit cuts or pads a text to a width. An age without its "ago" says the same.
func fit(text string, width int, c *Column, ellipsis string) string {
	if render.Width(text) > width {
		text = strings.TrimSuffix(text, " ago")
	}
	if c.Middle {
		text = render.CutMiddle(text, width, ellipsis)
	} else {
		text = render.CutEnd(text, width, ellipsis)
	}
	room := strings.Repeat(" ", max(width-render.Width(text), 0))
	if c.Right {
		return room + text
	}
	return text + room
}

// Count says how many rows are shown of how many: "3 of 1,204".
func (l *List) Count() string {
	if len(l.order) == l.n {
		return Grouped(l.n)
	}
	return Grouped(len(l.order)) + " of " + Grouped(l.n)
}

// Position says which rows are on the screen: "12-35 of 1,204"; "" when all are.
func (l *List) Position() string {
	if len(l.order) <= l.shown() {
		return ""
	}
	return Grouped(l.top+1) + "-" + Grouped(l.top+len(l.screen())) + " of " + Grouped(len(l.order))
}
