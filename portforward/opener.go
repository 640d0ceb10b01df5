package portforward

import (
	"context"

	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// Session is what this package needs of a *sessionclient.Session; the meaning of
// the methods is defined there.
//
// Close must also end the session at the service, whatever state it is in, and
// return within a few seconds. It is called once for every session that Open
// returned.
type Session interface {
	Info() sessionclient.Info
	Next() (sessionclient.Chunk, error)
	Write(p []byte) (int, error)
	Signal(f wire.FlagValue) error
	Probe(ctx context.Context, payload, substitute []byte) (ok bool, err error)
	SetPayloadSize(n int)
	Flush(ctx context.Context) error
	Stats() sessionclient.Stats
	Done() <-chan struct{}
	Wait() (sessionclient.Exit, error)
	Close() error
}

// Opener starts sessions.
type Opener interface {
	// Open starts a port session for spec's destination and waits until it is
	// ready. events is told of the fate of its connection, possibly before Open
	// returns; it never blocks. ctx bounds Open only. An error of kind Auth,
	// NotFound, Usage or Refused is final; any other may be tried again. After an
	// error nothing is left open.
	Open(ctx context.Context, spec Spec, events func(sessionclient.Event)) (Session, error)
}

// properties reads how the session was set up; none at all is the plain, stdio
// kind of session.
func properties(info sessionclient.Info) (wire.PortProperties, error) {
	var p wire.PortProperties
	if len(info.Properties) == 0 {
		return p, nil
	}
	err := wire.Unmarshal("port properties", info.Properties, &p)
	return p, err
}

// multiplexed reports whether client and agent both mean the multiplexer: the
// agent decides by the client's version, which is fixed, and the type.
func multiplexed(info sessionclient.Info, p wire.PortProperties) bool {
	return p.Type == wire.LocalPortForwarding && wire.SupportsMux(info.AgentVersion)
}
