package dash

import (
	"encoding/json"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// blank stands for a page that is being built.
type blank struct{ id, title string }

func (b blank) ID() string              { return b.id }
func (b blank) Title() string           { return b.title }
func (blank) SetSize(int, int)          {}
func (b blank) View() string            { return "" }
func (blank) Update(tea.Msg) tea.Cmd    { return nil }
func (blank) Wants() []feed.Want        { return nil }
func (blank) Actions() []deck.Action    { return nil }
func (blank) SetFilter(string) error    { return nil }
func (blank) Filter() string            { return "" }
func (blank) Back() bool                { return false }
func (blank) Status() deck.Status       { return deck.Status{} }
func (blank) Layout() json.RawMessage   { return nil }
func (blank) SetLayout(json.RawMessage) {}
func (blank) Plain() deck.Plain         { return deck.Plain{} }
