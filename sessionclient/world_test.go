package sessionclient

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

var errPipe = errors.New("pipe closed")

var ticket = Ticket{SessionID: "me-0123", Token: "secret-token", StreamURL: "wss://example.com/v1/data-channel/me-0123"}

// world connects sessions under test with an agent.
type world struct {
	t      *testing.T
	agent  *agent
	faults faults
	dials  int
	pipes  []*pipeEnd

	mu     sync.Mutex
	events []Event
}

func (w *world) dial(context.Context, Ticket) (Conn, error) {
	w.dials++
	client, server := newPipe(w.faults, uint64(w.dials))
	w.pipes = append(w.pipes, client)
	go w.agent.serve(server)
	return client, nil
}

func (w *world) options(more ...Option) []Option {
	return append([]Option{
		WithDialer(w.dial),
		WithResume(func(context.Context) (Ticket, error) { return ticket, nil }),
		WithEvents(func(e Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}),
	}, more...)
}

func (w *world) kinds() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, e := range w.events {
		names = append(names, e.Kind.String())
	}
	return strings.Join(names, ",")
}

func echo(a *agent, typ wire.PayloadType, payload []byte) {
	if typ == wire.PayloadOutput {
		a.send(wire.PayloadOutput, payload)
	}
}

func slicesRepeat(b []byte, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

type keySource func(keyID string, encContext map[string]string) ([]byte, []byte, error)

func (k keySource) DataKey(_ context.Context, keyID string, encContext map[string]string) ([]byte, []byte, error) {
	return k(keyID, encContext)
}
