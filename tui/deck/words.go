package deck

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Ago is how long ago something happened.
func (d *Deck) Ago(t time.Time) string { return render.Since(d.Now, t) }

// Needed is the Check of a field that must not be left empty.
func Needed(value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Usagef("it is needed")
	}
	return nil
}

// CopyOne asks which of several texts goes on the clipboard.
func CopyOne(title string, texts []Copy) tea.Cmd {
	entries := make([]Entry, len(texts))
	for i, t := range texts {
		entries[i] = Entry{Name: t.What, Detail: render.Visible(t.Text)}
	}
	return Ask(Choose{Title: title, Entries: entries, Done: func(i int) tea.Cmd { return Ask(texts[i]) }})
}
