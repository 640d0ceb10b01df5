package dash

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// meters are those of all scopes together. A frame asks for them, so they are read
// at most twice a second.
type meters struct {
	mu   sync.Mutex
	of   []*awsapi.Meter
	at   time.Time
	last feed.Calls
}

func (m *meters) use(cells []grid.Cell) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of, m.at = nil, time.Time{}
	for _, c := range cells {
		m.of = append(m.of, c.Scope.Meter())
	}
}

func (m *meters) count() feed.Calls {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.Sub(m.at) > 500*time.Millisecond {
		m.at, m.last = now, feed.Calls{}
		for _, meter := range m.of {
			s := meter.Stats()
			m.last.PerMinute += s.PerMinute
			for _, op := range s.Operations {
				m.last.Throttled += op.Throttles
				m.last.Total += op.Calls + op.Retries
			}
		}
	}
	return m.last
}

// minute is how many requests were sent in the last minute, as it is now: what is let
// through by it must not go by an older number.
func (m *meters) minute() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, meter := range m.of {
		n += meter.Minute()
	}
	return n
}

// operations are the calls by operation, those made most often first.
func (m *meters) operations() []feed.Operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	sums := map[string]feed.Operation{}
	for _, meter := range m.of {
		for _, op := range meter.Stats().Operations {
			o := sums[op.Operation]
			o.Name = op.Operation
			o.Calls += op.Calls
			o.Retries += op.Retries
			o.Throttled += op.Throttles
			o.Failed += op.Failures
			o.Time += op.Time
			sums[op.Operation] = o
		}
	}
	var list []feed.Operation
	for _, o := range sums {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b feed.Operation) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), strings.Compare(a.Name, b.Name))
	})
	return list
}
