package tui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// piece is a part of a line that may have no room; those of the highest rank go first.
type piece struct {
	text  string
	style lipgloss.Style
	rank  int
	hit   func() hit // what a click on it does; nil: nothing
}

const between = "  "

// spread puts pieces to the left and the right end of a line.
func (m *Model) spread(y int, left, right []piece) string {
	for width(left)+width(right) > m.width+len(between) && len(left)+len(right) > 1 {
		if l, r := worst(left), worst(right); r < 0 || l >= 0 && left[l].rank > right[r].rank {
			left = append(left[:l:l], left[l+1:]...)
		} else {
			right = append(right[:r:r], right[r+1:]...)
		}
	}
	var b strings.Builder
	x := 0
	put := func(ps []piece) {
		for i, p := range ps {
			if i > 0 {
				b.WriteString(between)
				x += len(between)
			}
			w := ansi.StringWidth(p.text)
			if p.hit != nil {
				h := p.hit()
				h.y, h.from, h.to = y, x, x+w
				m.hits = append(m.hits, h)
			}
			b.WriteString(p.style.Render(p.text))
			x += w
		}
	}
	put(left)
	if len(right) > 0 {
		gap := max(m.width-x-(width(right)-len(between)), 1)
		b.WriteString(strings.Repeat(" ", gap))
		x += gap
		put(right)
	}
	return ansi.Truncate(b.String(), m.width, m.o.Deck.Styles.Glyphs.Ellipsis)
}

// width is the room of pieces, with what is between them and behind them.
func width(ps []piece) (n int) {
	for _, p := range ps {
		n += ansi.StringWidth(p.text) + len(between)
	}
	return n
}

// worst is the piece that goes first; -1: there is none.
func worst(ps []piece) int {
	at := -1
	for i, p := range ps {
		if at < 0 || p.rank >= ps[at].rank {
			at = i
		}
	}
	return at
}

// who says whose machines these are: "prod-admin @ 123456789012".
func (m *Model) who() string {
	w := m.o.Deck.Where
	switch name := cmp.Or(w.Context, w.Alias); {
	case name != "" && w.Account != "":
		return render.Visible(name) + " @ " + w.Account
	case name != "":
		return render.Visible(name)
	default:
		return w.Account
	}
}

func (m *Model) header(k feed.State) string {
	s := m.o.Deck.Styles
	left := []piece{{text: "ssmdeck", style: s.Title, rank: 5}}
	return m.spread(0, append(left, m.place()...), m.facts(k))
}

func (m *Model) place() []piece {
	s, w := m.o.Deck.Styles, m.o.Deck.Where
	var ps []piece
	if who := m.who(); who != "" {
		ps = append(ps, piece{text: who, style: s.Accent, rank: 2})
	}
	if w.Region != "" {
		region := w.Region
		if w.Scopes > 1 {
			region += fmt.Sprintf(" (+%d)", w.Scopes-1)
		}
		ps = append(ps, piece{text: region, rank: 3})
	}
	if w.Protected {
		ps = append(ps, piece{text: s.Glyphs.Warn + " protected", style: s.Protected})
	}
	if m.o.Deck.ReadOnly {
		ps = append(ps, piece{text: "read-only", style: s.Warn})
	}
	return ps
}

// facts are the right end of the header: how old the data are, what runs, what it costs.
func (m *Model) facts(k feed.State) []piece {
	s := m.o.Deck.Styles
	var ps []piece
	if why := m.paused(); why != "" {
		ps = append(ps, piece{text: "paused: " + why, style: s.Warn})
	}
	if n := m.jobs.running(); n > 0 {
		ps = append(ps, piece{text: s.Glyphs.Busy + " " + strconv.Itoa(n) + " running", style: s.Busy, rank: 3})
	}
	ps = append(ps, m.age(k)...)
	calls, budget := m.o.Desk.Spending()
	ps = append(ps, piece{text: fmt.Sprintf("%d/%d calls/min", calls.PerMinute, budget), style: s.Dim, rank: 6})
	if calls.Throttled > 0 {
		ps = append(ps, piece{text: fmt.Sprintf("%s %d throttled", s.Glyphs.Warn, calls.Throttled), style: s.Warn, rank: 4})
	}
	return append(ps, piece{text: m.now().In(m.o.Deck.Location).Format("15:04:05"), style: s.Dim, rank: 7})
}

// age says how old the oldest data of the page are, and what has not come.
func (m *Model) age(k feed.State) []piece {
	s := m.o.Deck.Styles
	var ps []piece
	if m.o.Begin != nil && !m.o.Desk.Opened() {
		return []piece{{text: "opening accounts and Regions" + s.Glyphs.Ellipsis, style: s.Busy, rank: 1}}
	}
	if k.Places > 0 && k.Whole < k.Places {
		text := fmt.Sprintf("%d/%d places", k.Whole, k.Places)
		if k.Loading > 0 {
			text = "loading " + text
			if !m.o.Deck.Still {
				text = s.Glyphs.Spinner[int(m.now().Unix())%len(s.Glyphs.Spinner)] + " " + text
			}
		}
		ps = append(ps, piece{text: text, style: s.Busy, rank: 1})
	}
	if k.Oldest.IsZero() {
		return ps
	}
	style := lipgloss.NewStyle()
	if m.overdue() {
		style = s.Dim
	}
	ago := render.Ago(m.now(), k.Oldest)
	if m.areas().tight {
		ago = strings.TrimSuffix(ago, " ago")
	}
	return append(ps, piece{text: s.Glyphs.Fresh + " " + ago, style: style, rank: 1})
}

// overdue reports whether something is older than three times what it should be.
func (m *Model) overdue() bool {
	for _, w := range m.wants {
		if s := w.Feed.State(); !s.Oldest.IsZero() && m.now().Sub(s.Oldest) > 3*max(w.Every, time.Second) {
			return true
		}
	}
	return false
}

// failure says which place failed first, why, and what to do.
func (m *Model) failure(k feed.State) string {
	s := m.o.Deck.Styles
	f := k.Failures[0]
	text := f.Err.Error()
	where := f.Place.String()
	if f.Place.Account == m.o.Deck.Where.Account && f.Place.Region != "" {
		where = f.Place.Region
	}
	if where != "" {
		text = where + ": " + text
	}
	if hint := fault.HintOf(f.Err); hint != "" {
		text += ": " + hint
	}
	text = s.Glyphs.Bad + " " + render.Visible(text)
	tail, more := "", len(k.Failures)-1
	if more > 0 {
		tail = fmt.Sprintf(" (+%d more)", more)
	}
	if !k.Kept.IsZero() {
		tail += " (rows of " + render.Ago(m.now(), k.Kept) + " are kept)"
	}
	const all, key = " (@ for all)", " (@)" // the long one where it cuts nothing off
	switch have := ansi.StringWidth(text + tail); {
	case more > 0 && have+len(all) <= m.width:
		tail += all
	case more > 0 || have > m.width:
		tail += key
	}
	if m.width-ansi.StringWidth(tail) < 30 {
		if tail = " (@)"; more > 0 {
			tail = fmt.Sprintf(" (+%d, @)", more)
		}
	}
	room := m.width - ansi.StringWidth(tail)
	return s.Bad.Render(ansi.Truncate(text, room, s.Glyphs.Ellipsis)) + s.Dim.Render(tail)
}
