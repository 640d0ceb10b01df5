package sessionclient

import "context"

// flush waits for the acknowledgement of everything before a number.
type flush struct {
	upto int64
	done chan struct{}
}

// Flush waits until the agent has acknowledged everything that Write and Signal
// took before: it has been handed to the program or the connection at its end. A
// port handler acknowledges nothing until it is ready. It fails when the session
// ends before, or ctx does.
func (s *Session) Flush(ctx context.Context) error {
	f := &flush{done: make(chan struct{})}
	select {
	case s.ch.flushes <- f:
	case <-s.ch.done:
		return s.ch.writeError()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-f.done:
		return nil
	case <-s.ch.done:
		return s.ch.writeError()
	case <-ctx.Done():
		return ctx.Err() // the loop forgets it with its acknowledgement
	}
}

// startFlush notes a new flush.
func (c *channel) startFlush(f *flush) {
	f.upto = c.snd.NextSeq()
	c.flushing = append(c.flushing, f)
}

// tellFlushed answers what has been acknowledged. Later ones want later numbers.
func (c *channel) tellFlushed() {
	n := 0
	for n < len(c.flushing) && c.flushing[n].upto <= c.snd.Lowest() {
		close(c.flushing[n].done)
		n++
	}
	c.flushing = c.flushing[n:]
}
