package pagewindows

import (
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/schedule"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// export asks for a file.
func (p *Page) export() tea.Cmd {
	list := p.chosen()
	if len(list) == 0 {
		return nil
	}
	name := fileName(list[0].Name) + ".ics"
	if len(list) > 1 {
		name = "windows.ics"
	}
	at := list[0].at
	ids := make([]string, len(list))
	for i, e := range list {
		if ids[i] = e.ID; e.at != at {
			return deck.Ask(deck.Say{Err: fault.Usagef("the maintenance windows marked are in several places, and a calendar is of one").
				WithHint("mark those of one account and Region; a filter such as region=%s helps", at.Region)})
		}
	}
	return deck.Ask(deck.Form{
		Title: "openings of " + widget.Count(len(ids), "maintenance window") + " as iCalendar",
		Fields: []deck.Field{
			{Name: "file", Label: "File", Value: name, Check: deck.Needed},
			{Name: "days", Label: "Days", Value: "90", Check: number(1, 366)},
		},
		Done: func(values map[string]string) tea.Cmd {
			words := append([]string{"window", "calendar"}, ids...)
			return deck.Ask(deck.Line{
				Words: append(words, "--days", strings.TrimSpace(values["days"]), "--ics", values["file"]), At: at, Level: deck.Read, How: deck.Quietly,
				What: "write the openings into " + render.Visible(values["file"]),
			})
		},
	})
}

// fileName is a name as a file can have it.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '-'
		}
		return r
	}, name)
}

func number(least, most int) func(string) error {
	return func(text string) error {
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err != nil || n < least || n > most {
			return fault.Usagef("a number from %d to %d", least, most)
		}
		return nil
	}
}

// edit asks for what can be changed, and sends what was.
func (p *Page) edit() tea.Cmd {
	e := p.current()
	if e == nil {
		return nil
	}
	w, now := e.Window, p.d.Now
	zones := slices.Sorted(slices.Values(schedule.Zones()))
	fields := []deck.Field{
		{Name: "schedule", Label: "Schedule", Value: w.Schedule, Help: "cron(0 2 ? * SUN *), rate(7 days), at(2027-03-01T02:00:00)"},
		{Name: "timezone", Label: "Time zone", Value: w.Timezone, Help: "empty: UTC", Choices: starting(zones)},
		{Name: "duration", Label: "Open for, hours", Value: strconv.Itoa(w.Duration)},
		{Name: "cutoff", Label: "No new tasks in the last hours", Value: strconv.Itoa(w.Cutoff)},
		{Name: "description", Label: "Description", Value: w.Description},
	}
	before := map[string]string{}
	for i, f := range fields {
		before[f.Name] = f.Value
		fields[i].Check = func(text string) error { return checked(w, f.Name, text, now) }
	}
	fields[2].Check, fields[3].Check = number(1, 24), number(0, 23)
	return deck.Ask(deck.Form{Title: "edit the maintenance window " + render.Visible(w.Name), Fields: fields, Done: func(values map[string]string) tea.Cmd {
		words := []string{"window", "update", w.ID}
		for _, f := range fields {
			if v := strings.TrimSpace(values[f.Name]); v != before[f.Name] {
				words = append(words, "--"+f.Name+"="+v)
			}
		}
		if len(words) == 3 {
			return deck.Ask(deck.Say{Text: "nothing was changed"})
		}
		return deck.Ask(deck.Line{
			Words: words, At: e.at, What: "change the maintenance window " + render.Visible(w.Name), Preview: append(slices.Clone(words), "--dry-run"),
			Level: deck.Change, How: deck.Quietly, Refresh: []string{sources.Windows},
		})
	}})
}

// checked says what is wrong with one field of a window.
func checked(w window.Window, field, text string, now time.Time) error {
	switch text = strings.TrimSpace(text); field {
	case "schedule":
		w.Schedule, w.Next, w.Created, w.Modified = text, time.Time{}, time.Time{}, time.Time{}
	case "timezone":
		w.Timezone = text
	case "description":
		w.Description = text
	}
	for _, f := range w.Check(now) {
		if f.Field == field {
			first, _, _ := strings.Cut(f.Text, "\n")
			err := fault.Usagef("%s", first)
			if f.Hint != "" {
				return err.WithHint("%s", f.Hint)
			}
			return err
		}
	}
	return nil
}

// starting offers the words that begin with, or hold, what is typed.
func starting(words []string) func(string) []string {
	return func(typed string) (fit []string) {
		typed = strings.ToLower(typed)
		var inside []string
		for _, w := range words {
			switch at := strings.Index(strings.ToLower(w), typed); {
			case at == 0:
				fit = append(fit, w)
			case at > 0:
				inside = append(inside, w)
			}
		}
		return append(fit, inside...)
	}
}
