package deck

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// NoContexts is why no context can be chosen.
const NoContexts = "the configuration has no contexts: `ssmdeck help regions` says what they are"

// Ago is how long ago something happened.
func (d *Deck) Ago(t time.Time) string { return render.Since(d.Now, t) }

// Took is how long something took, or has taken so far, to the second.
func (d *Deck) Took(from, to time.Time) string {
	switch {
	case from.IsZero():
		return ""
	case to.IsZero():
		to = d.Now
	}
	took := max(to.Sub(from), 0).Round(time.Second)
	if took < 10*time.Second { // render.Duration has tenths there, which say nothing here
		return strconv.Itoa(int(took/time.Second)) + " s"
	}
	return render.Duration(took)
}

// Needed is the Check of a field that must not be left empty.
func Needed(value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Usagef("it is needed")
	}
	return nil
}

// ShowYAML opens a pane with all that is known of something, as -o yaml writes it.
func ShowYAML(title string, v any) tea.Cmd {
	var b bytes.Buffer
	if err := render.Object(&b, render.Options{Format: render.FormatYAML}, v, nil); err != nil {
		return Ask(Say{Err: err})
	}
	return Ask(Show{Title: title, Text: b.String()})
}

// CopyOne asks which of several texts goes on the clipboard.
func CopyOne(title string, texts []Copy) tea.Cmd {
	entries := make([]Entry, len(texts))
	for i, t := range texts {
		entries[i] = Entry{Name: t.What, Detail: render.Visible(t.Text)}
	}
	return Ask(Choose{Title: title, Entries: entries, Done: func(i int) tea.Cmd { return Ask(texts[i]) }})
}

// Once is Ago for the middle of a sentence: "at a time not known" for the zero time.
func (d *Deck) Once(t time.Time) string { return cmp.Or(d.Ago(t), "at a time not known") }
