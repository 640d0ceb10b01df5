package picker

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/window"
)

// most is how many rows are shown, and how far a page goes.
const most = 10

// longestFilter bounds what can be typed, in bytes.
const longestFilter = 256

// model is the picker's state. It does no I/O; what is loaded arrives as a
// message.
type model struct {
	o    Options
	rows []row

	filter  string
	hits    []int           // indexes of rows that fit, best first
	cursor  int             // index into hits
	top     int             // first of hits on the screen
	marked  map[string]bool // ids
	order   []string        // of marked, as they were marked
	width   int
	height  int
	loading bool
	failed  error // of loading

	chosen []string // ids
	left   bool     // with Esc or Ctrl-C
	over   bool
}

// row is an item and what the filter sees of it.
type row struct {
	Item
	fields []field
}

// pressed is a key; once the model has dealt with it, taken says whether the
// picker is over.
type pressed struct {
	press
	taken chan<- bool
}

// loaded are the items that Options.Load returned.
type loaded struct {
	items []Item
	err   error
}

// cancelled ends the picker without a choice.
type cancelled struct{}

func newModel(o Options) *model {
	m := &model{o: o, filter: o.Filter, marked: map[string]bool{}, width: 80, height: 24, loading: o.Load != nil}
	m.take(o.Items)
	return m
}

// Init does nothing: keys and what was loaded are sent by Run.
func (m *model) Init() tea.Cmd { return nil }

// Update changes the state.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.scroll()
	case loaded:
		m.loading, m.failed = false, msg.err
		if msg.err == nil {
			m.take(msg.items)
		}
		m.over = m.over || len(m.rows) == 0 // nothing to choose from: the caller says why
	case cancelled:
		m.over = true
	case stopped:
		return m, tea.Exec(aside(msg), func(error) tea.Msg { return window.Look() })
	case pressed:
		m.press(msg.press)
		msg.taken <- m.over
	}
	if m.over {
		return m, tea.Quit
	}
	return m, nil
}

// take replaces the items. The cursor stays on the one it was on, marks on those
// that are still there.
func (m *model) take(items []Item) {
	at := ""
	if m.cursor < len(m.hits) {
		at = m.rows[m.hits[m.cursor]].ID
	}
	m.rows = make([]row, len(items))
	there := make(map[string]bool, len(m.marked))
	for i, it := range items {
		m.rows[i] = row{it, fieldsOf(it)}
		if m.marked[it.ID] {
			there[it.ID] = true
		}
	}
	m.marked = there
	m.order = slices.DeleteFunc(m.order, func(id string) bool { return !there[id] })
	m.match()
	if at != "" && m.touched() {
		if i := slices.IndexFunc(m.hits, func(h int) bool { return m.rows[h].ID == at }); i >= 0 {
			m.cursor = i
		}
	}
	m.scroll()
}

// touched reports whether the person has done something: before that, the best row
// is under the cursor.
func (m *model) touched() bool { return m.cursor > 0 || len(m.order) > 0 }

func fieldsOf(it Item) []field {
	fields := make([]field, 0, 5+len(it.Also))
	fields = append(fields, field{strings.ToLower(it.Name), true}, field{strings.ToLower(it.ID), true})
	for _, s := range [...]string{it.State, it.Detail, it.Address} {
		fields = append(fields, field{strings.ToLower(s), false})
	}
	for _, s := range it.Also {
		fields = append(fields, field{strings.ToLower(s), false})
	}
	return fields
}

// match filters the rows. Equal scores keep the order of the items.
func (m *model) match() {
	terms := strings.Fields(strings.ToLower(m.filter))
	m.hits = m.hits[:0]
	m.cursor, m.top = 0, 0
	if len(terms) == 0 {
		for i := range m.rows {
			m.hits = append(m.hits, i)
		}
		return
	}
	scores := make([]int, len(m.rows))
	for i := range m.rows {
		s, ok := score(terms, m.rows[i].fields)
		if ok {
			scores[i] = s
			m.hits = append(m.hits, i)
		}
	}
	slices.SortStableFunc(m.hits, func(a, b int) int { return scores[b] - scores[a] })
}

func (m *model) press(p press) {
	switch p.key {
	case keyText:
		if len(m.filter)+len(p.text) <= longestFilter {
			m.typed(m.filter + p.text)
		}
	case keyBackspace:
		_, size := utf8.DecodeLastRuneInString(m.filter)
		m.typed(m.filter[:len(m.filter)-size])
	case keyDeleteWord:
		m.typed(strings.TrimRightFunc(strings.TrimRightFunc(m.filter, unicode.IsSpace), func(r rune) bool { return !unicode.IsSpace(r) }))
	case keyDeleteAll:
		m.typed("")
	case keyEnter:
		m.enter()
	case keyEscape, keyInterrupt:
		m.left, m.over = true, true
	case keyMark:
		m.mark()
	default:
		m.move(p.key)
	}
}

func (m *model) typed(filter string) {
	if filter != m.filter {
		m.filter = filter
		m.match()
	}
}

// enter chooses what is marked, or else the row under the cursor.
func (m *model) enter() {
	switch {
	case len(m.order) > 0:
		m.chosen, m.over = m.order, true
	case m.cursor < len(m.hits):
		m.chosen, m.over = []string{m.rows[m.hits[m.cursor]].ID}, true
	}
}

func (m *model) mark() {
	if !m.o.Many || m.cursor >= len(m.hits) {
		return
	}
	id := m.rows[m.hits[m.cursor]].ID
	if m.marked[id] {
		delete(m.marked, id)
		m.order = slices.DeleteFunc(m.order, func(o string) bool { return o == id })
	} else {
		m.marked[id] = true
		m.order = append(m.order, id)
	}
	m.move(keyDown)
}

func (m *model) move(k key) {
	to := m.cursor
	switch k {
	case keyUp:
		to--
	case keyDown:
		to++
	case keyPageUp:
		to -= m.shown()
	case keyPageDown:
		to += m.shown()
	case keyHome:
		to = 0
	case keyEnd:
		to = len(m.hits) - 1
	default:
		return
	}
	m.cursor = max(0, min(to, len(m.hits)-1))
	m.scroll()
}

// shown is how many rows there is room for: the terminal has to keep a line for
// the filter, one for the help and one of what was there before.
func (m *model) shown() int { return max(1, min(most, m.height-3)) }

// scroll keeps the cursor on the screen.
func (m *model) scroll() {
	n := m.shown()
	m.top = max(0, min(m.top, len(m.hits)-n))
	m.top = min(m.top, m.cursor)
	m.top = max(m.top, m.cursor-n+1)
}
