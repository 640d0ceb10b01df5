// Package deck is what the pages of the dashboard and their root agree on: what a
// page is, what it may ask the root for, and what all of them share.
package deck

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Deck is what all pages share. The root changes it, in the update loop, and calls
// SetSize of the page that is shown when anything in it but Now has changed; pages
// read it whenever they draw.
type Deck struct {
	Styles *theme.Styles
	// Now is the time of the last tick. Ages are computed from it, never from the
	// clock, so that a frame is a function of what is known.
	Now      time.Time
	Location *time.Location

	Where    Where
	ReadOnly bool // nothing may be changed
	// Still asks for no motion: no spinner, no flash of what has changed.
	Still bool
	// Flags are the global flags that make a command line go to a place, from a
	// shell, or to all places of the dashboard when none is given: none where it goes
	// there by itself. Nil: none.
	Flags func(at grid.Place) []string
}

// Where says whose machines these are.
type Where struct {
	Context   string // of the configuration; empty: none
	Account   string
	Alias     string // of the account; empty: not known
	Region    string // the first
	Scopes    int    // accounts and Regions in all
	Accounts  int    // of those; 0: not known yet
	Regions   int    // of those; 0: not known yet
	Protected bool   // ask one level more strictly
}

// Several reports whether rows can come from more than one place, so that lists
// have columns for it.
func (d *Deck) Several() bool { return d.Where.Scopes > 1 }

// Ask is a message to the root as a command.
func Ask(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }

// Tick comes to the page that is shown once a second, after Deck.Now has moved on,
// while the dashboard is looked at.
type Tick struct{}

// Follower is a page that follows something by itself, beside feeds and details.
// Unseen is called once a second while nobody sees the page: another is shown, the
// window is not in focus, or nobody has touched a key for long.
type Follower interface{ Unseen() tea.Cmd }
