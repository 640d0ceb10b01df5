package window

import "time"

func (f *faults) schedule(w Window, start, end, now time.Time) {
	if w.Schedule == "" {
		f.add("schedule", "it is missing")
	}
	_, _, _ = start, end, now
}
