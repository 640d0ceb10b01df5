package portforward

import (
	"bytes"
	"context"
	"sync"
)

const (
	// probeFrom is how many bytes must wait before larger messages are worth
	// finding out about: a shell or a query never needs them.
	probeFrom = 16 << 10
)

// payloadSteps are the sizes tried, in bytes, beyond the 1 KiB that every agent
// and service takes. Agents take any; what the service forwards is not
// documented. Each step about halves what a byte costs.
var payloadSteps = [...]int{8 << 10, 32 << 10}

// payload is the size of the messages of all sessions to one node, as far as it
// is known. It is found out once: by a message that means nothing.
type payload struct {
	fixed int // given by the user; 0: found out

	mu      sync.Mutex
	size    int  // found; 0: none
	settled bool // nothing more to find out
	probing bool
}

// nop is a frame of the multiplexer that has no effect.
var nop = []byte{frameVersion, frameNop, 0, 0, 0, 0, 0, 0}

// grow finds out how large the messages of s may be, unless another session is
// just doing that, and returns the size s has now; had is the one it had.
func (p *payload) grow(ctx context.Context, s Session, had int) int {
	if p.fixed > 0 {
		return had
	}
	p.mu.Lock()
	size, mine := p.size, !p.settled && !p.probing
	p.probing = p.probing || mine
	p.mu.Unlock()
	if mine {
		size = p.probe(ctx, s, size)
	}
	if size != had {
		s.SetPayloadSize(size)
	}
	return size
}

// probe tries one step after the other.
func (p *payload) probe(ctx context.Context, s Session, size int) int {
	settled := true
	for _, step := range payloadSteps {
		ok, err := s.Probe(ctx, bytes.Repeat(nop, step/len(nop)), nop)
		if !ok {
			settled = err == nil // else the session has ended
			break
		}
		size = step
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size, p.settled, p.probing = size, settled, false
	return size
}
