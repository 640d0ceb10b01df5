package virtual

import "time"

// fixedClock stands still.
func fixedClock() func() time.Time {
	at := time.Date(2025, 11, 26, 9, 30, 0, 0, time.UTC)
	return func() time.Time { return at }
}
