package forwards

import (
	"net"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/portforward"
)

// end is a local end that outlives those who accept from it: whoever connects in
// between waits in the backlog.
type end struct{ *portforward.Listener }

// lend returns a listener that accepts from e, counted by m, and whose Close only
// ends the accepting. One is lent at a time.
func (e *end) lend(m *portforward.Meter) net.Listener {
	e.deadline(time.Time{})
	return m.Listener(&lent{end: e})
}

func (e *end) deadline(t time.Time) {
	if l, ok := e.Listener.Listener.(interface{ SetDeadline(t time.Time) error }); ok { // TCP and unix sockets
		_ = l.SetDeadline(t)
	}
}

type lent struct {
	*end
	mu       sync.Mutex
	returned bool
}

func (l *lent) Accept() (net.Conn, error) {
	c, err := l.end.Accept()
	if err == nil {
		return c, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.returned {
		err = net.ErrClosed
	}
	return nil, err
}

// Close makes Accept return. The end stays open.
func (l *lent) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.returned {
		l.returned = true
		l.deadline(time.Unix(1, 0))
	}
	return nil
}
