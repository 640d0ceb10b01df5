package agenda

import (
	"slices"
	"time"
)

// Difference is a run that only one of two schedules has. The JSON names are part of
// the output contract.
type Difference struct {
	WindowID string    `json:"window_id"`
	Window   string    `json:"window"`
	Schedule string    `json:"schedule"`
	Zone     string    `json:"schedule_timezone"`
	Start    time.Time `json:"start"`
	OnlyIn   string    `json:"only_in"` // preview, service
}

// The sides of a Difference.
const (
	InPreview = "preview"
	InService = "service"
)

// Compare holds the openings of a window against the times that the service names
// for the same span. Times within the same minute are the same: the service writes
// no seconds.
func Compare(e Entry, openings []Opening, service []time.Time) []Difference {
	var all []Difference
	add := func(t time.Time, side string) {
		all = append(all, Difference{e.ID, e.Name, e.Window.Schedule, e.zone(), t.UTC(), side})
	}
	minute := func(t time.Time) int64 { return t.Unix() / 60 }
	ours, theirs := map[int64]bool{}, map[int64]bool{}
	for _, o := range openings {
		ours[minute(o.Start)] = true
	}
	for _, t := range service {
		theirs[minute(t)] = true
		if !ours[minute(t)] {
			add(t, InService)
		}
	}
	for _, o := range openings {
		if !theirs[minute(o.Start)] {
			add(o.Start, InPreview)
		}
	}
	slices.SortFunc(all, func(a, b Difference) int { return a.Start.Compare(b.Start) })
	return all
}
