package forwards

import (
	"context"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/portforward"
)

// sampleEvery is how often counters are read.
const sampleEvery = 500 * time.Millisecond

// ledger is a board that several goroutines use, with the meters of its rows.
type ledger struct {
	mu     sync.Mutex
	board  *Board
	meters []*portforward.Meter // in the order of the rows; none is added once it is in use
}

// Rows returns what is known of each forward now.
func (l *ledger) Rows() []Row {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := l.board.Rows()
	for i, m := range l.meters {
		rows[i].Counters = m.Counters()
	}
	return rows
}

// sample keeps rates until ctx ends.
func (l *ledger) sample(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			l.mu.Lock()
			for i, m := range l.meters {
				l.board.Sample(l.board.rows[i].Name, m.Counters(), now)
			}
			l.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}
