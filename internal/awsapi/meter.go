package awsapi

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Meter counts the API calls of one scope. It is safe for concurrent use.
type Meter struct {
	mu      sync.Mutex
	ops     map[string]*OperationStats
	seconds [minute + 1]second // requests, by second modulo their number
}

// minute is how many seconds of requests are counted, beside the one that goes on.
const minute = 60

type second struct {
	unix int64
	n    int
}

// Stats is what a Meter has counted.
type Stats struct {
	PerMinute  int              `json:"per_minute"` // requests sent in the last 60 s, retries included
	Operations []OperationStats `json:"operations"` // sorted by name
}

// OperationStats counts one operation.
type OperationStats struct {
	Operation string        `json:"operation"`
	Calls     int           `json:"calls"`     // asked for, each counted once
	Retries   int           `json:"retries"`   // requests beyond the first of a call
	Throttles int           `json:"throttles"` // requests the service turned away as too many
	Failures  int           `json:"failures"`  // calls that ended in an error
	Time      time.Duration `json:"-"`         // all calls together, waiting included
}

func newMeter() *Meter { return &Meter{ops: map[string]*OperationStats{}} }

// Stats returns the counters as they are now.
func (m *Meter) Stats() Stats { return m.statsAt(time.Now()) }

func (m *Meter) statsAt(now time.Time) Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s Stats
	s.PerMinute = m.since(now, minute-1)
	for _, op := range m.ops {
		s.Operations = append(s.Operations, *op)
	}
	slices.SortFunc(s.Operations, func(a, b OperationStats) int { return strings.Compare(a.Operation, b.Operation) })
	return s
}

// Minute is how many requests were sent in the last 60 s, and in what else there is of the
// second in which they began: never fewer than in any minute that ends now.
func (m *Meter) Minute() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since(time.Now(), minute)
}

// since counts the requests of this second and of a number before it.
func (m *Meter) since(now time.Time, seconds int64) (n int) {
	for _, sec := range m.seconds {
		if age := now.Unix() - sec.unix; age >= 0 && age <= seconds {
			n += sec.n
		}
	}
	return n
}

// sent counts one request on the wire.
func (m *Meter) sent(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sec := &m.seconds[now.Unix()%int64(len(m.seconds))]
	if sec.unix != now.Unix() {
		*sec = second{unix: now.Unix()}
	}
	sec.n++
}

// called counts one finished call.
func (m *Meter) called(operation string, took time.Duration, attempts, throttles int, failed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	op := m.ops[operation]
	if op == nil {
		op = &OperationStats{Operation: operation}
		m.ops[operation] = op
	}
	op.Calls++
	op.Retries += max(attempts-1, 0)
	op.Throttles += throttles
	op.Time += took
	if failed {
		op.Failures++
	}
}
