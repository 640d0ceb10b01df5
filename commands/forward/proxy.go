package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/portforward"
)

type proxyOptions struct {
	listen   string
	reason   string
	idle     time.Duration
	sessions int
}

func newProxyCmd(env *cli.Env) *cobra.Command {
	var o proxyOptions
	cmd := &cobra.Command{
		Use:     "proxy <node> [-- <command>...]",
		Aliases: []string{"socks"},
		Short:   "A SOCKS5 and HTTP proxy into the node's network",
		Long: `Serve SOCKS5, SOCKS4a and HTTP (CONNECT and plain requests) on one local port,
through a node: each program says where it wants to go, and the node looks the
name up and connects. Nothing is needed on the node but its agent.

Each destination gets a session of its own when somebody connects, reuses it, and
closes it when it was idle. At most --max-sessions are open at once: an idle one
makes room; when all are in use, a connection waits ten seconds and fails.

The proxy asks nobody for a password. It listens on 127.0.0.1; on any other
address everybody who can connect to it reaches the node's network.

With a command behind --, the command runs with ALL_PROXY, HTTPS_PROXY and
HTTP_PROXY set to the proxy, which ends with it; its exit status becomes ours,
and 255 is a failure of the proxy.`,
		Example: `  # A browser or any program that knows SOCKS5, on 127.0.0.1:1080
  $ ssmdeck forward proxy web-1
  $ curl --proxy socks5h://127.0.0.1:1080 http://my-db.internal:8080/health

  # As an HTTP proxy, for programs that look at HTTPS_PROXY
  $ ssmdeck forward proxy web-1 --listen 3128
  $ HTTPS_PROXY=http://127.0.0.1:3128 kubectl get nodes

  # For one command only, on any free port
  $ ssmdeck forward proxy web-1 --listen 0 -- curl -sS http://my-db.internal:8080/health`,
		Args:              cobra.ArbitraryArgs, // what stands before -- is checked below
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			words, command, dash := cli.SplitDash(cmd, args)
			words, err := nodechoice.OrPick(cmd.Context(), env, words)
			if err != nil {
				return err
			}
			words, command, err = cli.CheckCommand(cmd, words, command, dash, "the node")
			if err != nil {
				return err
			}
			if len(words) > 1 {
				return cli.ExactArgs("the node")(cmd, words)
			}
			return o.run(cmd.Context(), env, words[0], command)
		},
	}
	cmd.Flags().StringVar(&o.listen, "listen", "127.0.0.1:1080", "local `[address:]port`; port 0 is a free one")
	cmd.Flags().StringVar(&o.reason, "reason", "", "`text` for the sessions' history, up to 256 characters")
	env.BindAccess(cmd)
	cmd.Flags().DurationVar(&o.idle, "idle", portforward.ProxyIdle, "`time` after which an unused session is closed")
	cmd.Flags().IntVar(&o.sessions, "max-sessions", portforward.ProxySessions, fmt.Sprintf("`number` of sessions at once, up to %d", portforward.MostProxySessions))
	return cmd
}

func (o *proxyOptions) run(ctx context.Context, env *cli.Env, expr string, command []string) error {
	at, view, err := o.validate(env)
	if err != nil {
		return err
	}
	var prog *connect.Child
	failed := func(err error) error { return err }
	if command != nil {
		if view.json != nil {
			return fault.Usagef("-o json and a command behind -- both want standard output").WithHint("leave one of them out")
		}
		if prog, err = connect.NewChild(env, command); err != nil {
			return err
		}
		failed = cli.Own
	}
	node, svc, err := connect.SessionNode(ctx, env, expr)
	if err != nil {
		return failed(err)
	}
	ln, err := portforward.Listen(at, portforward.Options{})
	if err != nil {
		return failed(err)
	}
	view.node = node
	l := enlist(ctx, env, []net.Listener{ln}, forwards.Row{Node: node.ID, Remote: []string{"any host"}}, node.Name, node.ID)
	p := &portforward.Proxy{Opener: l.opener(svc, node.ID, o.reason, ""), Node: node.ID, Idle: o.idle, Sessions: o.sessions}
	if prog != nil {
		return l.leave(runWithProxy(l, p, l.Listener(ln), view, prog))
	}
	err = p.Run(l.ctx, l.Listener(ln), func(e portforward.Event) {
		l.Event(ofProxy(e))
		view.event(e)
	})
	if err = l.leave(err); err != nil {
		return err
	}
	if view.err != nil {
		return view.err
	}
	view.goodbye()
	return nil
}

// runWithProxy runs the proxy as long as a program that uses it.
func runWithProxy(l *listed, p *portforward.Proxy, ln net.Listener, view *proxyView, prog *connect.Child) error {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	var load connect.Traffic
	view.quiet = view.env.Flags.Quiet
	err := p.Run(ctx, ln, func(e portforward.Event) {
		l.Event(ofProxy(e))
		if !prog.Over() { // what is cut then was left behind
			view.event(e)
		}
		load.Event(e)
		if e.Type == portforward.Listening {
			prog.Start(proxyEnviron(e.Local), prog.Argv, func() {
				load.Linger(ctx)
				cancel()
			})
		}
	})
	return prog.End(err)
}

// ofProxy is what an event of one destination says of the proxy as a whole: that a host
// cannot be reached is no fault of it, that nobody is logged in any more is.
func ofProxy(e portforward.Event) portforward.Event {
	switch e.Type {
	case portforward.Refused:
		return portforward.Event{Type: portforward.Notice}
	case portforward.Failed:
		if e.Connection > 0 && fault.KindOf(e.Err) != fault.Auth {
			e.Type = portforward.Notice
		}
	case portforward.Ended:
		e.Text, e.Err = "", nil
	}
	return e
}

// proxyEnviron points programs at a proxy. Some read only lower-case names.
func proxyEnviron(local string) []string {
	var environ []string
	for _, v := range []struct{ name, scheme string }{{"all_proxy", "socks5h"}, {"https_proxy", "http"}, {"http_proxy", "http"}} {
		value := v.scheme + "://" + local
		environ = append(environ, v.name+"="+value, strings.ToUpper(v.name)+"="+value)
	}
	return append(environ, "no_proxy=", "NO_PROXY=")
}

// validate checks everything that needs no call.
func (o *proxyOptions) validate(env *cli.Env) (portforward.Spec, *proxyView, error) {
	shell := connect.ShellOptions{Reason: o.reason}
	if _, err := shell.Request(); err != nil {
		return portforward.Spec{}, nil, err
	}
	if o.sessions < 1 || o.sessions > portforward.MostProxySessions {
		return portforward.Spec{}, nil, fault.Usagef("--max-sessions %d is not between 1 and %d", o.sessions, portforward.MostProxySessions)
	}
	if o.idle < time.Second {
		return portforward.Spec{}, nil, fault.Usagef("--idle %s is less than a second", o.idle)
	}
	at, err := listenSpec(o.listen)
	if err != nil {
		return at, nil, err
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return at, nil, err
	}
	view := &proxyView{forwardView{env: env, glyphs: env.ErrStyles().Glyphs.Arrow}}
	switch ro.Format {
	case render.FormatJSON, render.FormatJSONL:
		view.json = json.NewEncoder(env.Out)
	}
	return at, view, nil
}

// listenSpec reads [ADDRESS:]PORT. The destination's port in it means nothing.
func listenSpec(s string) (portforward.Spec, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = "", s
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return portforward.Spec{}, fault.Usagef("--listen %q is not [ADDRESS:]PORT", s).WithHint("write a port, such as 1080, or an address and a port, such as 127.0.0.1:1080")
	}
	return portforward.Spec{Bind: host, Local: n}, nil
}

// proxyView shows what a proxy does. A session more or less is nothing to tell a
// person; what cannot be reached is.
type proxyView struct{ forwardView }

func (v *proxyView) event(e portforward.Event) {
	if v.json != nil {
		v.forwardView.event(e)
		return
	}
	remote := render.Visible(e.Remote)
	switch e.Type {
	case portforward.Listening:
		if v.quiet {
			return
		}
		fmt.Fprintf(v.env.Err, "%s %s any host via %s (SOCKS5, SOCKS4a, HTTP)\n", e.Local, v.glyphs, render.Visible(v.node.String()))
		if e.Exposed {
			fmt.Fprintf(v.env.Err, "ssmdeck: warning: anybody who can connect to %s reaches the network of %s, without a password\n", e.Local, v.node.ID)
		}
	case portforward.Failed:
		if e.Connection > 0 || e.Wait > 0 {
			v.env.Note("ssmdeck: %s: %s", remote, cli.FirstLine(e.Err))
		}
	case portforward.Closed:
		v.count++
		v.bytes += e.In + e.Out
		if e.Err != nil && e.In > 0 { // else the program was told
			v.env.Note("ssmdeck: connection %d to %s was cut short: %s", e.Connection, remote, cli.FirstLine(e.Err))
		}
	case portforward.Ended:
		if e.Text != "" {
			v.env.Note("ssmdeck: %s: the session has ended: %s", remote, render.Visible(e.Text))
		}
	case portforward.Refused, portforward.Waiting, portforward.Stalled, portforward.Notice, portforward.Silent,
		portforward.Reconnecting, portforward.Reconnected, portforward.Recovered:
		if text := v.text(e); text != "" {
			v.env.Note("%s", text)
		}
	}
}
