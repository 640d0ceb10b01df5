package sessionclient

import "time"

const (
	// gatherFor is how long a reader lets messages of a trickle gather.
	gatherFor = 3 * time.Millisecond
	// tricklePause is the longest pause within a trickle.
	tricklePause = 10 * time.Millisecond
	// trickleLeast and trickleMost bound what one read brings, in bytes: a full
	// message, and what gathers at some MB a second. Less is somebody typing, more
	// comes in batches by itself.
	trickleLeast = 1 << 10
	trickleMost  = 16 << 10
	// trickleReads in a row make a trickle.
	trickleReads = 16
)

// trickle recognises an agent that sends bulk data as agents do: a full message,
// a pause of a millisecond, a full message. Waking up for each is most of what
// a download costs, so its reader waits until there are a few. A message that
// stands alone is never waited with.
type trickle struct {
	last time.Time
	n    int // reads in a row that fit
}

// read takes note of n bytes read.
func (t *trickle) read(now time.Time, n int) {
	switch {
	case n < trickleLeast, n > trickleMost, now.Sub(t.last) > tricklePause:
		t.n = 0
	case t.n < trickleReads:
		t.n++
	}
	t.last = now
}

// steady reports whether more of the same is to be expected.
func (t *trickle) steady() bool { return t.n == trickleReads }
