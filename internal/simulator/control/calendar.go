package control

import (
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func calendarOperations() map[string]operation {
	return map[string]operation{"GetCalendarState": untyped((*call).getCalendarState)}
}

// getCalendarState is OPEN when all calendars are. When that changes is told for
// one calendar only, as in the service.
func (c *call) getCalendarState(in request) (any, error) {
	now := c.world.Now()
	at := now
	if text := in.text("AtTime"); text != "" {
		var err error
		if at, err = world.ParseISOTime(text); err != nil {
			return nil, invalid("AtTime " + text + " is not an ISO 8601 date and time.")
		}
	}
	names := in.texts("CalendarNames")
	state, next := "OPEN", time.Time{}
	for _, name := range names {
		d, err := c.world.Document(name)
		if err != nil {
			return nil, err
		}
		if d.Type != "ChangeCalendar" {
			return nil, world.Errorf("InvalidDocumentType", "Document %s is of type %s, not ChangeCalendar.", name, d.Type)
		}
		v, err := d.Version("")
		if err != nil {
			return nil, err
		}
		calendar, err := world.ParseCalendar(v.Content)
		if err != nil {
			return nil, world.Errorf("UnsupportedCalendarException", "Calendar %s: %v.", name, err)
		}
		open, change := calendar.State(at)
		if !open {
			state = "CLOSED"
		}
		if len(names) == 1 {
			next = change
		}
	}
	out := world.Record{"State": state, "AtTime": dated(at)}
	if !next.IsZero() {
		out["NextTransitionTime"] = dated(next)
	}
	return out, nil
}
