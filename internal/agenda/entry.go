// Package agenda says what maintenance windows will do: when they open, up to when
// work may begin in them, on which nodes, where two meet on the same node, and which
// nodes and windows nothing will happen to.
//
// It is pure: it works on windows and nodes that were read, and on a time that it is
// given. What could not be read of a node is unknown, and never counts as "in no
// window".
package agenda

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/schedule"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// Entry is a window and its schedule.
type Entry struct {
	window.Whole
	Schedule *schedule.Schedule // nil when it was not understood
	Fault    error              // why
}

// Read reads the schedule of a window that the service holds.
func Read(w window.Whole) Entry {
	e := Entry{Whole: w}
	e.Schedule, e.Fault = w.ReadSchedule(time.Time{})
	return e
}

// ReadAll reads the schedules of windows.
func ReadAll(windows []window.Whole) []Entry {
	all := make([]Entry, len(windows))
	for i, w := range windows {
		all[i] = Read(w)
	}
	return all
}

// Ends is when the window stops running for good; zero when it does not, or that is
// not understood.
func (e *Entry) Ends() time.Time { return window.ParseTime(e.End) }

// Opening is one time that a window is open. The JSON names are part of the output
// contract.
type Opening struct {
	WindowID string    `json:"window_id"`
	Window   string    `json:"window"`
	Enabled  bool      `json:"enabled"`
	Start    time.Time `json:"start"`
	Cutoff   time.Time `json:"cutoff"` // from here on no more tasks begin
	End      time.Time `json:"end"`
	Zone     string    `json:"schedule_timezone"`
	Schedule string    `json:"schedule"`
	// Shared are the windows that are open at the same time on the same nodes.
	Shared []Shared `json:"overlaps,omitempty"`
}

// Shared is a window that an opening meets on some nodes.
type Shared struct {
	WindowID string    `json:"window_id"`
	Window   string    `json:"window"`
	Start    time.Time `json:"start"` // when both are open
	End      time.Time `json:"end"`
	Nodes    int       `json:"nodes"`
}

// opening is that of a run.
func (e *Entry) opening(run time.Time) Opening {
	end := run.Add(time.Duration(e.Duration) * time.Hour)
	cutoff := end.Add(-time.Duration(e.Cutoff) * time.Hour)
	if cutoff.Before(run) {
		cutoff = run
	}
	return Opening{
		WindowID: e.ID, Window: e.Name, Enabled: e.Enabled, Start: run.UTC(), Cutoff: cutoff.UTC(), End: end.UTC(),
		Zone: e.zone(), Schedule: e.Window.Schedule,
	}
}

func (e *Entry) zone() string { return cmp.Or(e.Timezone, "UTC") }

// Openings are the times in a span that the window is open, that it opened in before
// and is still open at its beginning included.
func (e *Entry) Openings(from, to time.Time) []Opening {
	if e.Schedule == nil {
		return nil
	}
	var all []Opening
	for run := range e.Schedule.Between(from.Add(-time.Duration(e.Duration)*time.Hour), to) {
		if o := e.opening(run); o.End.After(from) {
			all = append(all, o)
		}
	}
	return all
}

// NextOpening is when the window opens next after a moment.
func (e *Entry) NextOpening(after time.Time) (Opening, bool) {
	if e.Schedule == nil {
		return Opening{}, false
	}
	run, ok := e.Schedule.Next(after)
	if !ok {
		return Opening{}, false
	}
	return e.opening(run), true
}

// Openings are those of all windows in a span, the earliest first.
func Openings(entries []Entry, from, to time.Time) []Opening {
	var all []Opening
	for i := range entries {
		all = append(all, entries[i].Openings(from, to)...)
	}
	slices.SortStableFunc(all, func(a, b Opening) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Window, b.Window), strings.Compare(a.WindowID, b.WindowID))
	})
	return all
}

// Meet reports whether two enabled windows are ever open at the same time in
// openings that are sorted by their start: whether it is worth knowing their nodes.
func Meet(openings []Opening) map[string]bool {
	meet := map[string]bool{}
	var open []Opening
	for _, o := range openings {
		if !o.Enabled {
			continue
		}
		open = slices.DeleteFunc(open, func(before Opening) bool { return !before.End.After(o.Start) })
		for _, before := range open {
			if before.WindowID != o.WindowID {
				meet[before.WindowID], meet[o.WindowID] = true, true
			}
		}
		open = append(open, o)
	}
	return meet
}

// Mark notes in openings, sorted by their start, where they meet others on the same
// nodes.
func Mark(openings []Opening, reach *Reach) {
	var open []int
	for i := range openings {
		o := &openings[i]
		if !o.Enabled {
			continue
		}
		open = slices.DeleteFunc(open, func(k int) bool { return !openings[k].End.After(o.Start) })
		for _, k := range open {
			before := &openings[k]
			if before.WindowID == o.WindowID {
				continue
			}
			n := reach.Window(o.WindowID).Shared(reach.Window(before.WindowID)).Len()
			if n == 0 {
				continue
			}
			end := o.End
			if before.End.Before(end) {
				end = before.End
			}
			o.Shared = append(o.Shared, Shared{before.WindowID, before.Window, o.Start, end, n})
			before.Shared = append(before.Shared, Shared{o.WindowID, o.Window, o.Start, end, n})
		}
		open = append(open, i)
	}
}
