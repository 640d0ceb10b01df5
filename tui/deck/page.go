package deck

import (
	"encoding/json"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Page is one view of the dashboard: a list, what belongs to the row under the
// cursor, and what can be done. Only the root is a tea.Model; it calls a page from
// the update loop alone, so that a page needs no locks. A page never blocks:
// whatever takes time is a tea.Cmd, and all data come through feeds.
type Page interface {
	// ID is the word of the palette and the key of the saved layout: "fleet".
	ID() string
	// Title is the word on the tab: "Fleet".
	Title() string

	// SetSize says how many cells the page has. It may be as small as 40x6.
	SetSize(width, height int)
	// View draws at most height lines, none wider than width.
	View() string

	// Update takes a key that was no action's, a mouse message in the coordinates
	// of the page, feed.Changed when data of a feed have changed, and its own
	// messages. A hidden page gets its own messages, and hears of changes when it is
	// shown.
	Update(msg tea.Msg) tea.Cmd
	// Wants are the feeds the page shows now, and how old they may become.
	Wants() []feed.Want

	// Actions are everything that can be done here now, those that matter most
	// first. The root shows them in the footer, the help and the palette, and runs
	// them when their key is pressed.
	Actions() []Action

	// SetFilter shows only rows that fit; an error says what is wrong with the text,
	// and leaves the last good filter in force. The root calls it on each key typed.
	SetFilter(text string) error
	Filter() string
	// Back goes one step back: closes a pane, clears the filter, drops the marks. It
	// is false when there was nothing to go back from.
	Back() bool
	// Status is what the footer and the header say of the page.
	Status() Status

	// Layout is what is kept between two starts: columns, order, panes. SetLayout
	// takes what Layout has returned, perhaps in another version, and ignores what
	// it does not know.
	Layout() json.RawMessage
	SetLayout(json.RawMessage)

	// Plain is the page as text, for screen readers.
	Plain() Plain
}

// Subject is a page whose actions are about a row. The root does nothing to a row
// that has come under the cursor by itself, in the moment in which a key was pressed.
type Subject interface {
	// Subject identifies what the actions are about; empty: nothing.
	Subject() string
}

// Choosing is a page whose rows the user's own command lines can be about.
type Choosing interface {
	// Chosen are the rows that are marked, or else the one under the cursor.
	Chosen() []Row
}

// Row is a row as such a command line sees it.
type Row struct {
	At    grid.Place
	Kind  string // what it is: "node"
	Label string // what people call it
	ID    string // what the service calls it
	// Offline is set for a node that is known not to be connected, or not to be managed.
	Offline bool
	// Value is what is known of it by the name of a field, see package dashfile; empty:
	// nothing is.
	Value func(field string) string
}

// Own are the user's own actions.
type Own interface {
	// Actions are those that are offered on a page.
	Actions(p Page) []Action
}

// Placeless is a page whose rows are not, or not always, those of places: they cannot be
// narrowed to one.
type Placeless interface {
	// Placeless says why they cannot be; empty: now they can.
	Placeless() string
}

// Concealing is a page that shows secrets when it is asked to. The root has it hide
// them when something else comes on the screen.
type Concealing interface{ Conceal() }

// Revealed is how long a secret stays on the screen.
const Revealed = 30 * time.Second

// Status is what the frame says of a page.
type Status struct {
	Shown, Of int // rows that fit the filter, and all
	// Lines is set where rows are lines of a summary: how many there are says nothing
	// by itself, and would be taken for a number of nodes.
	Lines bool
	// Marked are the rows marked; Hidden of them do not fit the filter.
	Marked, Hidden int
	Crumbs         []string // what has been opened inside the page: node, patch
}

// Action is something that can be done on a page.
type Action struct {
	Key  string // as tea.KeyPressMsg.String() has it: "s", "P", "ctrl+r"; empty: in the palette only
	Name string // one or two words, for the footer and the palette: "shell"
	Help string // one line: "open a shell on the node"
	// Footer is set for what is worth a place on the last line.
	Footer bool
	// Off says why it cannot be done now: "no node is chosen". Empty: it can.
	Off string
	// Writes is set for what changes something: it is off in read-only mode.
	Writes bool
	// Whole is set for what is about the page, whatever row is under the cursor.
	Whole bool
	// Own is set for what is the user's own, whatever else has its name.
	Own bool
	Do  func() tea.Cmd
}

// Plain is a page as text. Nothing in it is drawn with boxes or told by colour.
type Plain struct {
	Summary []string // lines in front of the rows
	Items   []Item
}

// Item is a row of a Plain, which can be chosen by its number.
type Item struct {
	Text   string
	Detail []string // what is known of it, "Platform: Amazon Linux 2023"
	// Key is what Subject says once it is chosen; empty: who needs it must choose it.
	Key string
	// Choose puts the cursor on the row, so that Actions are about it; false: it is gone.
	Choose func() bool
}
