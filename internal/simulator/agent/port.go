package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// textNoConnect starts the result of a session whose destination refused.
const textNoConnect = "Unable to connect to specified port: "

// destination is where a port session leads.
type destination struct {
	node *world.NodeRuntime
	host string // empty: the node itself
	port int
}

// dial connects. There is no timeout, as in the real agent.
func (d *destination) dial(ctx context.Context) (net.Conn, error) {
	return d.node.Dial(ctx, d.host, d.port)
}

// newPort checks the destination the way the real agent does once, at the start,
// and picks the handler both ends must agree on.
func newPort(w *worker) (handler, error) {
	var p wire.PortProperties
	if err := wire.Unmarshal("session properties", w.cfg.Spec.Properties, &p); err != nil {
		return nil, err
	}
	if p.PortNumber == "" {
		return nil, errors.New("Port number is empty in session properties.") // the agent's own words
	}
	port, err := strconv.ParseUint(p.PortNumber, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%sdial tcp: address %s: invalid port", textNoConnect, p.PortNumber)
	}
	d := &destination{node: &w.cfg.Node, host: p.Host, port: int(port)}
	if p.Host != "" && w.cfg.Node.Resolve != nil {
		if err := w.cfg.Node.Resolve(p.Host); err != nil {
			return nil, err
		}
	}
	if w.pace = w.opts.Pace; w.pace {
		w.out.pace()
	}
	forwarding := p.Type == wire.LocalPortForwarding
	agent, client := w.cfg.Node.AgentVersion, w.hs.clientVersion
	terminates := agentObeysTerminate(agent)
	if forwarding && agentMultiplexes(agent) && clientMultiplexes(client) {
		keepAlive := !agentDisablesKeepAlive(agent) || !clientDisablesKeepAlive(client)
		return newMuxPort(d, w.out, terminates, keepAlive), nil
	}
	return newBasicPort(d, w.out, terminates, forwarding), nil
}

// ender is the part of a port handler that obeys the TerminateSession flag.
type ender struct {
	obeys bool
	ended context.Context // done when the client has ended the session
	end   context.CancelFunc
}

func newEnder(obeys bool) ender {
	e := ender{obeys: obeys}
	e.ended, e.end = context.WithCancel(context.Background())
	return e
}

// flag looks at the payload of a Flag message and returns its value, 0 when it
// has none.
func (e *ender) flag(payload []byte) wire.FlagValue {
	f, err := wire.ParseFlag(payload)
	if err != nil {
		return 0
	}
	if f == wire.TerminateSession && e.obeys {
		e.end()
	}
	return f
}

// until returns a context that is done also when the client ends the session.
func (e *ender) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(e.ended, cancel)
	return ctx, func() { stop(); cancel(); e.end() }
}
