package feed

import "time"

// A machine that sleeps stops the clock by which Go compares two times: data read before
// a lid was closed in the evening would be some seconds old in the morning.

// byTheClock is a time that is compared by the date and the hour alone, for ages that
// somebody reads.
func byTheClock(t time.Time) time.Time { return t.Round(0) }

// elapsed is how long ago something was, for what becomes due: whichever clock says more,
// as one that was set back must hold nothing up.
func elapsed(now, then time.Time) time.Duration {
	return max(now.Sub(then), byTheClock(now).Sub(byTheClock(then)))
}
