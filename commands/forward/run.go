package forward

import (
	"cmp"
	"context"
	"net"
	"strconv"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// forwardRun is one run of a forward, whichever command asked for it: listeners,
// sessions, what is shown, and the command that uses the tunnel.
type forwardRun struct {
	env     *cli.Env
	options forwardOptions
	specs   []portforward.Spec
	view    *forwardView
	child   *connect.Child // nil: the forward lasts until Ctrl-C
	// client says what kind of client the tunnel is for; nil leaves that to the
	// name of the child's program.
	client *database.Client
	// label is what the forward leads to, for its name in the list of this machine;
	// empty: the node.
	label string
}

// failed gives an error of ours the exit code it has in this run.
func (r *forwardRun) failed(err error) error {
	if r.child != nil && err != nil {
		return cli.Own(err)
	}
	return err
}

// run carries connections to node until ctx ends or the child does, and returns
// when all sessions are closed.
func (r *forwardRun) run(ctx context.Context, node fleet.Node, svc *sessions.Service) error {
	listeners, err := r.listen()
	defer func() {
		for _, l := range listeners { // Run closes them too; before Run nobody else does
			_ = l.Close()
		}
	}()
	if err != nil {
		return r.failed(err)
	}
	r.view.node = node
	defer connect.NotePlainPorts(ctx, r.env)()
	l := enlist(ctx, r.env, listeners, r.row(node), r.label, node.Name, node.ID)
	f := &portforward.Forward{
		Opener: l.opener(svc, node.ID, r.options.reason, r.options.document),
		Node:   node.ID, Lazy: r.options.lazy, Lanes: r.options.lanes, Payload: r.options.payload,
	}
	if r.child != nil {
		return l.leave(r.runChild(l, f, l.listeners(listeners)))
	}
	err = f.Run(l.ctx, r.specs, l.listeners(listeners), func(e portforward.Event) {
		l.Event(e)
		r.view.event(e)
	})
	if err = l.leave(err); err != nil {
		return sessions.ExplainEnd(err, node.ID)
	}
	if r.view.err != nil {
		return r.view.err
	}
	r.view.goodbye()
	return nil
}

// row is what the list of this machine says of the forward, beside its local ends.
func (r *forwardRun) row(node fleet.Node) forwards.Row {
	row := forwards.Row{Node: node.ID}
	for _, s := range r.specs {
		row.Remote = append(row.Remote, s.Remote())
	}
	return row
}

// listen opens the local ends. What it has opened before an error is returned
// with it.
func (r *forwardRun) listen() ([]net.Listener, error) {
	listeners := make([]net.Listener, 0, len(r.specs))
	for i := range r.specs {
		l, err := portforward.Listen(r.specs[i], portforward.Options{Bind: r.options.bind})
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, l)
		if a, ok := l.Addr().(*net.TCPAddr); ok {
			r.specs[i].Local = a.Port
		}
	}
	return listeners, nil
}

// runChild is run with a command that uses the tunnel and ends it.
func (r *forwardRun) runChild(l *listed, f *portforward.Forward, listeners []net.Listener) error {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	opened := portforward.Ready
	if r.options.lazy {
		opened = portforward.Listening
	}
	ready := map[string]bool{}
	var load connect.Traffic
	err := f.Run(ctx, r.specs, listeners, func(e portforward.Event) {
		l.Event(e)
		if e.Type != portforward.Closed || !r.child.Over() { // what is cut then was left behind
			r.view.event(e)
		}
		load.Event(e)
		if e.Type != opened || ready[e.Local] {
			return
		}
		if ready[e.Local] = true; len(ready) == len(listeners) {
			environ, argv := r.told()
			r.child.Start(environ, argv, func() {
				load.Linger(ctx)
				cancel()
			})
		}
	})
	return r.child.End(err)
}

// told is how the child learns of the tunnel: variables, and arguments for
// programs that look at none.
func (r *forwardRun) told() (environ, argv []string) {
	add := func(name, suffix, value string) { environ = append(environ, "SSMDECK_"+name+suffix+"="+value) }
	for i, s := range r.specs {
		suffixes := []string{"_" + strconv.Itoa(i+1)}
		if i == 0 {
			suffixes = []string{""}
			if len(r.specs) > 1 {
				suffixes = append(suffixes, "_1")
			}
		}
		for _, suffix := range suffixes {
			if s.Socket != "" {
				add("SOCKET", suffix, s.Socket)
			} else {
				add("HOST", suffix, r.host(s))
				add("PORT", suffix, strconv.Itoa(s.Local))
			}
			add("REMOTE_HOST", suffix, cmp.Or(s.Host, "localhost"))
			add("REMOTE_PORT", suffix, strconv.Itoa(s.Port))
		}
	}
	add("NODE", "", r.view.node.ID)
	c := r.pointed()
	argv, added := c.Arguments(r.child.Argv)
	if log, err := r.env.Log(); err == nil && len(added) > 0 {
		log.Debug("arguments added", "program", r.child.Path, "arguments", added) // the user's own may hold a password
	}
	return append(environ, c.Environ(r.env.Lookup)...), argv
}

// pointed is the client with the local end of the tunnel, which has to exist.
// Several tunnels, or a socket, are for the client to find by itself.
func (r *forwardRun) pointed() database.Client {
	var c database.Client
	s := r.specs[0]
	if len(r.specs) > 1 || s.Socket != "" {
		return c
	}
	if r.client != nil {
		c = *r.client
	} else {
		c.Family, c.Host, c.Port = database.FamilyOfProgram(r.child.Argv[0]), cmp.Or(s.Host, "localhost"), s.Port
	}
	c.Local, c.LocalPort = r.host(s), s.Local
	return c
}

// host is where a local program reaches the end of s.
func (r *forwardRun) host(s portforward.Spec) string {
	switch bind := cmp.Or(s.Bind, r.options.bind); bind {
	case "", "localhost", "*", "0.0.0.0", "::":
		return "127.0.0.1"
	default:
		return bind
	}
}
