package pagecommands

import "time"

// pace tells how fast nodes end, from what was seen in the last while.
type pace struct {
	seen []sample // the oldest first
}

type sample struct {
	at   time.Time
	done int
}

const (
	paceWindow = time.Minute     // what is older tells of another speed
	paceLeast  = 3 * time.Second // less is no rate
	paceNodes  = 3               // ended within it
)

// note adds how many nodes are done now.
func (p *pace) note(at time.Time, done int) {
	if n := len(p.seen); n > 0 && (p.seen[n-1].done == done || at.Before(p.seen[n-1].at)) {
		return
	}
	p.seen = append(p.seen, sample{at, done})
	first := 0
	for first < len(p.seen)-2 && at.Sub(p.seen[first].at) > paceWindow {
		first++
	}
	p.seen = p.seen[first:]
}

// eta is how long the rest takes if it goes on like that. It is false when nothing
// can be said: too little was seen, or nothing has ended for as long as the whole
// window.
func (p *pace) eta(now time.Time, total int) (left time.Duration, ok bool) {
	if len(p.seen) < 2 {
		return 0, false
	}
	first, last := p.seen[0], p.seen[len(p.seen)-1]
	ended, over := last.done-first.done, now.Sub(first.at)
	if ended < paceNodes || over < paceLeast || total <= last.done || now.Sub(last.at) > paceWindow {
		return 0, false
	}
	left = time.Duration(float64(over) / float64(ended) * float64(total-last.done))
	return left.Round(time.Second), true
}
