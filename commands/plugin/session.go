package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// payload is the size of messages, in bytes, that every agent takes: with
// one session there is no room to try more.
const payload = 1024

// serve runs the session as what it turns out to be. The texts on standard output
// are those that scripts around the plugin look for.
func (c *pluginCall) serve(ctx context.Context, env *cli.Env) error {
	status := connect.NewLinkStatus(env, false)
	events := &eventRelay{to: []func(sessionclient.Event){status.Event}}
	s, err := c.attach(ctx, env, events.event)
	if err != nil {
		return err
	}
	defer s.Close()
	info := s.Info()
	if info.Kind == wire.Port {
		var props pluginPort
		if err := json.Unmarshal(info.Properties, &props); err != nil && len(info.Properties) > 0 {
			return fault.New(fault.Failed, "session "+info.SessionID, "malformed properties: %w", err)
		}
		if props.Type != wire.LocalPortForwarding { // SSH: standard output is the other program's
			in, release := env.Input()
			defer release()
			port, _ := strconv.Atoi(props.PortNumber)
			req := sessions.SSHRequest{Target: c.request.Target, Port: port}
			return sessions.ExplainSSH(req, portforward.Stdio(ctx, s, in, env.Out))
		}
		fmt.Fprintf(env.Out, "\nStarting session with SessionId: %s\n", render.Visible(info.SessionID))
		return c.forward(ctx, env, s, props, events)
	}
	fmt.Fprintf(env.Out, "\nStarting session with SessionId: %s\n", render.Visible(info.SessionID))
	if info.Kind == wire.NonInteractiveCommands {
		return command(ctx, env, s)
	}
	return c.pluginShell(ctx, env, s, status)
}

// end says how the session ended, as the plugin does, and what that means
// for the caller.
func end(ctx context.Context, env *cli.Env, s *sessions.Session, exit sessionclient.Exit, err error) error {
	id := render.Visible(s.Info().SessionID)
	reason := strings.TrimSpace(exit.Reason)
	switch {
	case err != nil && ctx.Err() == nil:
		return fault.New(fault.Failed, "session "+id, "%w", err)
	case reason != "":
		fmt.Fprintf(env.Out, "\n\nSessionId: %s : %s\n\n", id, render.Visible(reason))
		return &fault.Exit{Code: max(exit.Code, 1)}
	}
	fmt.Fprintf(env.Out, "\n\nExiting session with sessionId: %s.\n\n", id)
	switch {
	case exit.HasCode && exit.Code != 0:
		return &fault.Exit{Code: cli.ClampStatus(exit.Code)}
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return nil
	}
}

// command passes on the output of a command.
func command(ctx context.Context, env *cli.Env, s *sessions.Session) error {
	defer context.AfterFunc(ctx, func() { connect.Interrupt(&sessions.Exec{Session: s}) })()
	exit, err := s.CopyOutput(env.Out, env.Err)
	return end(ctx, env, s, exit, err)
}

// pluginShell joins our streams and a shell. There are no escapes: the plugin has
// none, and whoever calls it counts on every byte.
func (c *pluginCall) pluginShell(ctx context.Context, env *cli.Env, s *sessions.Session, status *connect.LinkStatus) error {
	var err error
	if term := env.Terminal(); term != nil {
		node := fleet.Node{ID: c.request.Target}
		err = connect.NewConsole(env, term, s, node, 0, status, nil).Run(ctx)
	} else {
		err = connect.PipeShell(ctx, env, s, "", nil)
	}
	exit, ended := s.Wait()
	if exit.Closed && ctx.Err() == nil { // it was not the session that ended
		return err
	}
	return end(ctx, env, s, exit, ended)
}

// pluginPort are the properties of a port session that say what to do here.
type pluginPort struct {
	PortNumber, LocalPortNumber, Type string
	LocalUnixSocket                   string
	LocalConnectionType               string // unix, or anything else for TCP
}

// spec is the local end that the properties ask for.
func (p pluginPort) spec() (portforward.Spec, error) {
	var spec portforward.Spec
	if p.LocalConnectionType == "unix" {
		if p.LocalUnixSocket == "" {
			return spec, fault.Usagef("the document names no local socket")
		}
		spec.Socket = p.LocalUnixSocket
	} else if p.LocalPortNumber != "" {
		port, err := strconv.ParseUint(p.LocalPortNumber, 10, 16)
		if err != nil {
			return spec, fault.Usagef("localPortNumber %q is not a port", p.LocalPortNumber)
		}
		spec.Local = int(port)
	}
	spec.Port, _ = strconv.Atoi(p.PortNumber) // the agent has checked it
	return spec, nil
}

// forward carries local connections until the session ends: the plugin serves one
// session, and ends with it.
func (c *pluginCall) forward(ctx context.Context, env *cli.Env, s *sessions.Session, props pluginPort, events *eventRelay) error {
	spec, err := props.spec()
	if err != nil {
		return err
	}
	listener, err := portforward.Listen(spec, portforward.Options{})
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-s.Done():
			cancel()
		case <-running.Done():
		}
	})
	id := render.Visible(s.Info().SessionID)
	accepted := false
	f := &portforward.Forward{Opener: &oneSession{session: s, events: events}, Node: c.request.Target, Lanes: 1, Payload: payload}
	err = f.Run(running, []portforward.Spec{spec}, []net.Listener{listener}, func(e portforward.Event) {
		switch e.Type {
		case portforward.Ready:
			where := "Unix socket " + spec.Socket
			if a, ok := listener.Addr().(*net.TCPAddr); ok {
				where = fmt.Sprintf("Port %d", a.Port)
			}
			fmt.Fprintf(env.Out, "%s opened for sessionId %s.\nWaiting for connections...\n", where, id)
		case portforward.Connected:
			if !accepted {
				fmt.Fprintf(env.Out, "\nConnection accepted for session [%s]\n", id)
			}
			accepted = true
		case portforward.Refused:
			fmt.Fprintln(env.Out, "Connection to destination port failed, check SSM Agent logs.")
		}
	})
	cancel()
	watching.Wait()
	_ = s.Close()
	exit, waitErr := s.Wait()
	if err != nil && exit.Reason == "" {
		return err
	}
	return end(context.WithoutCancel(ctx), env, s, exit, waitErr) // Ctrl-C is how a forward ends
}

// oneSession gives out the session that is there, once.
type oneSession struct {
	mu      sync.Mutex
	session *sessions.Session // nil when it was given out
	events  *eventRelay
}

var errOneSession = errors.New("there is one session only")

// Open makes it a portforward.Opener.
func (o *oneSession) Open(_ context.Context, _ portforward.Spec, events func(sessionclient.Event)) (portforward.Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.session
	if s == nil {
		return nil, errOneSession
	}
	o.session = nil
	o.events.add(events)
	return s, nil
}

// eventRelay passes the events of a session on to all who joined so far.
type eventRelay struct {
	mu sync.Mutex
	to []func(sessionclient.Event)
}

func (r *eventRelay) add(f func(sessionclient.Event)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = append(r.to, f)
}

func (r *eventRelay) event(e sessionclient.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.to {
		f(e)
	}
}
