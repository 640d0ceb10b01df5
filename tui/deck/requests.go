package deck

import (
	"context"
	"io"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// The messages in this file are what a page asks its root for; see Ask.

// Open goes to a page.
type Open struct {
	Page   string
	Filter string // of the rows; empty: as it is
	// Clear shows all rows, and nothing opened.
	Clear bool
	// Then is given to the page when it is shown: its own message, such as one that
	// puts the cursor on a row. Nil: nothing.
	Then tea.Msg
}

// Level is how much harm a line can do, hence how it is asked for.
type Level int

// The levels. A protected account raises each but Read by one.
const (
	Read        Level = iota // runs at once
	Change                   // shows its box; Enter is a yes
	Disruptive               // y is a yes: reboot, cancel, terminate
	Destructive              // the name in Line.Type must be typed
)

// How is where the output of a line goes.
type How int

// The ways to run a line.
const (
	// InPane runs it behind the dashboard and shows its output in a pane, while it
	// comes. Esc leaves the pane and the line goes on; X stops it.
	InPane How = iota
	// Quietly runs it behind the dashboard; the status line says how it ended, and
	// the command log keeps the output. A failure is shown with its hint.
	Quietly
	// OnScreen gives it the terminal, as a shell needs, and returns to the dashboard
	// as it was.
	OnScreen
)

// Line runs an ssmdeck command line in this process, or another program, when it has
// been confirmed. Its box shows exactly what runs, so that it can be copied into a script.
type Line struct {
	Words []string // without ssmdeck: {"patch", "scan", "i-0abc"}
	// Program is set where the words are those of another program, which is given the
	// terminal.
	Program bool
	// Wait leaves what a program has written on the screen until Enter.
	Wait  bool
	At    grid.Place // where; the root adds the flags that lead there
	What  string     // the question: "reboot 3 nodes"
	Facts []Fact     // what else must be known before a yes: nodes with the first names
	// Preview are the words of a line that changes nothing, whose output the box
	// shows as what would happen. It reads Input, too. Nil: none.
	Preview []string
	Level   Level
	Type    string // what must be typed at Destructive: a name
	How     How
	// Input is what the line reads from standard input; it is shown nowhere. Secrets
	// go here, never into Words.
	Input []byte
	// Secret is set where it writes what is to be revealed: its output is shown no longer
	// than other secrets, and kept nowhere.
	Secret bool
	// Refresh are the names of feeds to load anew when it has ended.
	Refresh []string
	// Done, when not nil, makes a message for the page out of the result.
	Done func(Result) tea.Msg
}

// Programs run the lines of other programs.
type Programs interface {
	// Run runs the program of a line to its end, on the terminal that in, out and err
	// are, and returns its exit code as a shell counts it.
	Run(ctx context.Context, l Line, in io.Reader, out, err io.Writer) int
}

// Fact is a line of a box.
type Fact struct{ Name, Value string }

// Result is how a line ended. Out and Err are cut after 1 MiB each; they are empty
// for OnScreen.
type Result struct {
	Words    []string
	Code     int // the exit code of the process that it would have been
	Out, Err []byte
}

// Form asks for values. Esc leaves it, and nothing happens.
type Form struct {
	Title  string
	Fields []Field
	// Check says what is wrong with the values together, and keeps the form open; nil:
	// nothing ever is.
	Check func(values map[string]string) error
	// Done makes the command out of the values, by name, once all are right.
	Done func(values map[string]string) tea.Cmd
}

// Field is one line of a form.
type Field struct {
	Name  string
	Label string
	Value string // what stands there at first
	Help  string // grey, while it is empty
	// Secret hides what is typed.
	Secret bool
	// Many lets the text have several lines.
	Many bool
	// Hides is from which letter on a line of Many is hidden; below 0: none is. Nil:
	// nothing ever is.
	Hides func(line string) int
	// Choices are what fits what is typed so far, best first; nil: anything goes. It
	// must not block.
	Choices func(typed string) []string
	// Only takes nothing but one of Choices.
	Only bool
	// Check says what is wrong with a value; nil: nothing ever is.
	Check func(value string) error
}

// Choose asks for one of several things, with a filter line.
type Choose struct {
	Title   string
	Entries []Entry
	Done    func(i int) tea.Cmd
}

// Entry is one line of a Choose.
type Entry struct {
	Name   string
	Detail string
	Off    string // why it cannot be chosen; empty: it can
}

// Show opens a pane over the page with a text, such as a row as YAML. It scrolls,
// searches, and can be copied and written to a file.
type Show struct {
	Title string
	Text  string
	// Secret is set for what somebody has asked to be revealed: the pane closes by
	// itself after Revealed, and when something else comes on the screen.
	Secret bool
}

// Columns opens the column chooser of a list of the page.
type Columns struct{ List ColumnList }

// ColumnList is a list whose columns can be chosen.
type ColumnList interface {
	// AllColumns are the titles of all columns and whether each is shown.
	AllColumns() (titles []string, shown []bool)
	ShowColumn(i int, shown bool)
	MoveColumn(from, to int)
}

// Say puts a line into the footer until the next key.
type Say struct {
	Text string
	Err  error // when not nil, with its hint, in place of Text
}

// Copy puts a text on the clipboard, through the terminal (OSC 52).
type Copy struct {
	Text string
	What string // "the id", for the status line
}

// Browse opens a page of the console in the browser.
type Browse struct{ URL string }

// Refresh loads feeds anew, by name; none: all that the page wants.
type Refresh struct{ Feeds []string }
