package tui

import (
	"context"
	"encoding/json"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/palette"
)

// Runner runs ssmdeck command lines in this process.
type Runner interface {
	// Run runs the words, without ssmdeck, in a place and returns the exit code. For
	// a line that takes the screen in and out are the terminal's; else out and err
	// may be written to by several goroutines.
	Run(ctx context.Context, words []string, at grid.Place, in io.Reader, out, err io.Writer) int
}

// Options are what the dashboard is made of.
type Options struct {
	Deck     *deck.Deck // shared with the pages
	Desk     *feed.Desk
	Pages    []deck.Page // in the order of their tabs; the first is shown at first
	Start    string      // the page shown at first; empty: as the layout says, else the first
	Filter   string      // of that page, to begin with
	Run      Runner
	Programs deck.Programs // nil: there are no lines of other programs
	// Own are the user's own actions; nil: there are none.
	Own deck.Own

	// Begin is run first; Take gets each message before anybody else and is true for
	// its own: what makes the dashboard opens its places that way, behind the first
	// frame. Both may be nil.
	Begin tea.Cmd
	Take  func(msg tea.Msg) (cmd tea.Cmd, taken bool)
	// Operations are the API calls so far, for the command log; nil: not known.
	Operations func() []feed.Operation

	// Idle is after how long without a key nothing is loaded any more; 0: 10 minutes.
	Idle time.Duration
	// Glance is how long a box must have been there before a key can agree to it: what
	// was typed ahead, or is held down, agrees to nothing; 0: 250 ms.
	Glance time.Duration
	// Find is what the palette knows beside views and actions: nodes, documents,
	// parameters. Nil: nothing.
	Find palette.Finder
	// Contexts are those of the configuration; choosing one ends the dashboard with
	// Outcome.Context. Empty: there is no choice.
	Contexts []string
	// Layout is what SaveLayout was given last.
	Layout Layout
	// NoMouse leaves the mouse to the terminal, this time.
	NoMouse bool
	// SaveLayout keeps a layout; nil: nothing is kept. It is called from a goroutine.
	SaveLayout func(Layout) error
	// Browse opens an address in the browser; nil: it is shown instead.
	Browse func(ctx context.Context, url string) error
	// Themes are the names the palette offers, and Theme makes the styles of one. With
	// an error these are what can be shown of it; nil: there is no such theme. Without
	// them there are the built-in ones.
	Themes []string
	Theme  func(name string, colour, ascii bool) (*theme.Styles, error)
	// ChosenTheme is the one Deck has the styles of; empty, or auto: nobody has chosen
	// one. AskBackground then lets the terminal decide between dark and light.
	ChosenTheme   string
	AskBackground bool
	// ThemeTyped says that ChosenTheme was typed for this time: it goes before the one
	// in Layout, which stays for the next.
	ThemeTyped bool
	// NoColour says that a theme that is chosen is shown without its colours.
	NoColour bool
	// Busy are what runs of this process beside command lines, such as forwards:
	// leaving ends them. Nil: nothing does.
	Busy func() []string
	// CrashFile makes the file that the trace of a panic goes to.
	CrashFile func() (io.WriteCloser, string, error)
}

// Layout is what is kept between two starts.
type Layout struct {
	Page  string                     `json:"page,omitempty"`
	Theme string                     `json:"theme,omitempty"`
	Pages map[string]json.RawMessage `json:"pages,omitempty"`
	// NoMouse is set when the mouse was turned off in the palette.
	NoMouse bool `json:"no_mouse,omitempty"`
	// Typed are the last lines of the palette, the newest last.
	Typed []string `json:"typed,omitempty"`
}

// Outcome is why the dashboard ended.
type Outcome struct {
	Context string // to go on with another context; empty: it was left
	Again   bool   // to try again: no place could be opened
	Layout  Layout
}
