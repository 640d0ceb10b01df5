// Package tui is the dashboard: the root of the pages, which routes keys, data and
// what pages ask for, and draws the frame around them.
//
// The root is the only tea.Model. A key goes to the dialog on top, else to the filter
// line when it is open, else to the keys of the root, the actions of the page and the
// page itself, in this order. All command lines run through it, so that each is
// asked for as strictly as it deserves and stands in the command log.
package tui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Model is the root, and the only tea.Model.
type Model struct {
	o             Options
	ctx           context.Context // ends with the program
	width, height int
	page          int
	wants         []feed.Want // of the page shown, as the desk knows them
	searched      []feed.Want // of the palette, likewise
	say           deck.Say
	filter        *filterLine // nil: closed
	dialogs       []dialog    // the last is on top
	history       history
	pace          pace
	changes       changes
	subject       subject
	jobs          jobs
	keep          keeper
	look          look
	typed         []string // lines of the palette, the newest last
	search        search
	mouseOff      bool
	gone          bool // the terminal is
	leaving       bool // ctrl+c was pressed once
	ending        bool // it was left, and waits for the terminal to be quiet
	acting        int  // what a key has asked for, and has not come yet; 0: nothing
	acts          int  // how often that was so
	refused       bool // what is said is that the last key can do nothing now
	outcome       Outcome
	crash         *feed.Crashed
	stage         *stage

	frame  string // what was drawn last
	stale  bool   // frame is not what there is to see any more
	cursor *tea.Cursor
	hits   []hit
}

// New makes the root. Nothing is loaded before its first message.
func New(o Options) *Model {
	m := &Model{o: o, ctx: context.Background(), typed: o.Layout.Typed, stale: true}
	m.pace.input = o.Deck.Now
	m.keep.last, m.keep.noMouse = o.Layout, o.Layout.NoMouse
	m.mouseOff = o.NoMouse || o.Layout.NoMouse
	start := o.Start
	if start == "" {
		start = o.Layout.Page
	}
	for i, p := range o.Pages {
		if data := o.Layout.Pages[p.ID()]; data != nil {
			p.SetLayout(data)
		}
		if p.ID() == start {
			m.page = i
		}
	}
	m.openLook()
	if o.Filter != "" {
		m.say.Err = m.current().SetFilter(o.Filter)
	}
	return m
}

// Init starts the first loads, and the clock.
func (m *Model) Init() tea.Cmd {
	m.wants = m.current().Wants()
	return tea.Batch(m.o.Begin, m.o.Desk.Want(m.wants), m.tick(), m.askBackground())
}

func (m *Model) current() deck.Page { return m.o.Pages[m.page] }

// Update takes one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	m.o.Desk.Rest(!m.seen())
	return m, tea.Batch(cmd, m.want())
}

// want tells the desk when the page shown wants something else than before, or the
// palette does.
func (m *Model) want() tea.Cmd {
	wants, searched := m.current().Wants(), m.searching()
	if slices.Equal(wants, m.wants) && slices.Equal(searched, m.searched) {
		return nil
	}
	m.wants, m.searched, m.stale = wants, searched, true
	return m.o.Desk.Want(slices.Concat(wants, searched))
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	if m.o.Take != nil {
		if cmd, ok := m.o.Take(msg); ok {
			m.stale = true
			return cmd
		}
	}
	if changed, cmd, ok := m.o.Desk.Update(msg); ok {
		if changed != "" {
			cmd = tea.Batch(cmd, m.Heard(changed))
			m.found(changed)
		}
		return cmd
	}
	if m.taken() && typed(msg) {
		return m.typedAway(msg)
	}
	if theMark(msg) {
		m.dealt()
		return nil
	}
	switch msg := msg.(type) {
	case Second:
		return m.second(msg.At)
	case changesDue:
		return m.due()
	case tea.WindowSizeMsg:
		m.resize(msg.Width, msg.Height)
		return nil
	case tea.KeyPressMsg:
		m.changes.typed = time.Now()
		cmd := tea.Batch(m.touched(), m.key(msg))
		m.note(true)
		return cmd
	case tea.PasteMsg:
		return tea.Batch(m.touched(), m.paste(msg.Content))
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		cmd := tea.Batch(m.touched(), m.mouse(msg.(tea.MouseMsg))) //nolint:forcetypeassert // both are
		m.note(true)
		return cmd
	case tea.BackgroundColorMsg:
		m.background(msg)
		return nil
	case acted:
		return m.acted(msg)
	case tea.FocusMsg:
		return m.focus(true)
	case tea.BlurMsg:
		return m.focus(false)
	case tea.KeyReleaseMsg, tea.MouseMotionMsg, tea.MouseReleaseMsg, tea.ColorProfileMsg, tea.EnvMsg, tea.KeyboardEnhancementsMsg,
		tea.ModeReportMsg, tea.CapabilityMsg, tea.ResumeMsg, tea.PasteStartMsg, tea.PasteEndMsg:
		return nil
	}
	if cmd, ok := m.asked(msg); ok {
		return cmd
	}
	if cmd, ok := m.worked(msg); ok {
		return cmd
	}
	return m.tell(msg)
}

// typed reports whether a message is something that somebody does here.
func typed(msg tea.Msg) bool {
	switch msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseClickMsg, tea.MouseWheelMsg:
		return true
	}
	return false
}

// tell gives a message to all pages.
func (m *Model) tell(msg tea.Msg) tea.Cmd {
	m.stale = true
	cmds := make([]tea.Cmd, 0, len(m.o.Pages))
	for _, p := range m.o.Pages {
		cmds = append(cmds, p.Update(msg))
	}
	_, byItself := msg.(feed.Changed)
	m.note(!byItself)
	return tea.Batch(cmds...)
}

// asked does what a page has asked for; false: it is no such message.
func (m *Model) asked(msg tea.Msg) (tea.Cmd, bool) {
	m.stale = true
	switch msg := msg.(type) {
	case deck.Open:
		cmd := m.open(msg)
		m.note(true)
		return cmd, true
	case deck.Say:
		m.say = msg
	case deck.Line:
		return m.line(msg), true
	case deck.Form:
		m.push(newForm(m, msg))
	case deck.Choose:
		m.push(newChoose(m, msg))
	case deck.Show:
		if msg.Secret {
			m.push(newSecret(m, msg.Title, msg.Text))
		} else {
			m.push(newShow(m, msg.Title, msg.Text))
		}
	case deck.Columns:
		m.push(newColumns(m, msg.List))
	case deck.Copy:
		return m.copy(msg), true
	case deck.Browse:
		return m.browse(msg.URL), true
	case deck.Refresh:
		return m.refresh(msg.Feeds...), true
	case Redraw:
		m.restyled()
	default:
		return nil, false
	}
	return nil, true
}

// Redraw says that the styles of the deck are others now.
type Redraw struct{}

func (m *Model) resize(width, height int) {
	m.width, m.height, m.stale = max(width, 0), max(height, 0), true
	m.sizePage()
}

// restyled tells what is on the screen that the styles have changed.
func (m *Model) restyled() {
	m.stale = true
	m.sizePage()
	for _, d := range m.dialogs {
		if s, ok := d.(interface{ restyle() }); ok {
			s.restyle()
		}
	}
}

func (m *Model) sizePage() {
	a := m.areas()
	m.current().SetSize(max(m.width, 1), max(a.bodyHeight, 1))
}

// refresh loads feeds anew; none: all that the page wants.
func (m *Model) refresh(feeds ...string) tea.Cmd {
	m.stale = true
	if m.lost() {
		return m.again()
	}
	return m.o.Desk.Force(feeds...)
}

// now is the time of the last tick.
func (m *Model) now() time.Time { return m.o.Deck.Now }
