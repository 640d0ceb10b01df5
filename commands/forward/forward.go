package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/portforward"
)

type forwardOptions struct {
	bind     string
	reason   string
	document string
	lazy     bool
	payload  int
	lanes    int
}

// NewCmd is `ssmdeck forward`.
func NewCmd(env *cli.Env) *cobra.Command {
	var o forwardOptions
	cmd := &cobra.Command{
		Use:     "forward <node> <spec>... [-- <command>...]",
		Aliases: []string{"fwd"},
		Short:   "Forward local ports to a node, or to a host behind it",
		Long: `Forward local ports through a node: to a port of the node itself, or to a host
that the node can reach, such as a private database.

A spec reads like that of ssh -L:

  PORT               local port PORT to the node's own
  LOCAL:PORT         another local port; 0 picks a free one
  LOCAL:HOST:PORT    to HOST as the node sees it
  HOST:PORT          the same, with the same local port
  BIND:LOCAL:HOST:PORT, unix:/path/to/socket:HOST:PORT

Ports listen on 127.0.0.1. The tunnel is ready when its line appears; with
-o jsonl every change is one JSON object on standard output; the one of type
"ready" says that it works. A lost connection to the service is resumed. Ctrl-C
ends the forward and its sessions.

Connections at the same time are spread over several sessions, up to --lanes, for
an agent sends less than 1 MB/s over one and lets all its connections wait for
each other. Further sessions open as connections come and close when idle.

While it runs, ` + "`ssmdeck forward list`" + ` has it under the name of the node and its local
port, web-1:8080, and ` + "`ssmdeck forward stop web-1:8080`" + ` ends it from any terminal.

With a command behind --, the command runs once the tunnel is ready, finds it in
SSMDECK_HOST and SSMDECK_PORT, and the forward ends with it; its exit status
becomes ours, and 255 is a failure of the tunnel. psql, mysql and redis-cli are
pointed at the tunnel by themselves (see docs/databases.md).`,
		Example: `  # A web server on the node
  $ ssmdeck forward web-1 8080:80

  # A private database behind it, on any free port
  $ ssmdeck forward web-1 0:my-db.cluster-xyz.us-east-1.rds.amazonaws.com:5432

  # For one command only, with its exit status
  $ ssmdeck forward web-1 0:my-db.cluster-xyz.us-east-1.rds.amazonaws.com:5432 -- psql -U app -c 'select 1'

  # Several at once, for scripts
  $ ssmdeck forward i-0123456789abcdef0 8080:80 15432:my-db.cluster-xyz.us-east-1.rds.amazonaws.com:5432 -o jsonl`,
		Args:              cobra.ArbitraryArgs, // what stands before -- is checked below
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			words, command, dash := cli.SplitDash(cmd, args)
			if _, err := parseSpecs(words); err == nil && len(words) > 0 && nodechoice.CanPick(env) { // no node among them
				node, err := nodechoice.Pick(cmd.Context(), env, nil, false)
				if err != nil {
					return err
				}
				words = append(node, words...)
			}
			words, command, err := cli.CheckCommand(cmd, words, command, dash, "the node", "the spec")
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), env, words[0], words[1:], command)
		},
	}
	o.flags(env, cmd)
	cmd.AddCommand(newDatabaseCmds(env)...)
	cmd.AddCommand(newProxyCmd(env), newUpCmd(env), newSaveCmd(env), newListCmd(env), newStopCmd(env), newRestartCmd(env), newLogsCmd(env))
	return cmd
}

// flags declares what every kind of forward takes.
func (o *forwardOptions) flags(env *cli.Env, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.bind, "bind", "", "local `address` to listen on; anything but loopback lets others in (default 127.0.0.1)")
	cmd.Flags().StringVar(&o.reason, "reason", "", "`text` for the session's history, up to 256 characters")
	cmd.Flags().StringVar(&o.document, "document", "", "session `document` to use in place of AWS's own for ports; it gets the same parameters")
	_ = cmd.RegisterFlagCompletionFunc("document", connect.CompleteSessionDocument(env))
	env.BindAccess(cmd)
	cmd.Flags().BoolVar(&o.lazy, "lazy", false, "open the session only when somebody connects")
	cmd.Flags().IntVar(&o.lanes, "lanes", portforward.AutoLanes, fmt.Sprintf("most sessions at once for each spec, `1 to %d`; connections share them", portforward.MostLanes))
	cmd.Flags().IntVar(&o.payload, "payload-size", 0, "largest message in `bytes` (default: found out; every agent takes 1024)")
}

func (o *forwardOptions) run(ctx context.Context, env *cli.Env, expr string, words, command []string) error {
	specs, err := parseSpecs(words)
	if err != nil {
		return err
	}
	r, err := o.prepare(env, command)
	if err != nil {
		return err
	}
	r.specs = specs
	node, svc, err := connect.SessionNode(ctx, env, expr)
	if err != nil {
		return r.failed(err)
	}
	return r.run(ctx, node, svc)
}

func parseSpecs(words []string) ([]portforward.Spec, error) {
	var specs []portforward.Spec
	for _, w := range words {
		s, err := portforward.ParseSpec(w)
		if err != nil {
			return nil, err
		}
		specs = append(specs, s)
	}
	return specs, nil
}

// prepare checks everything that needs no call, the command of the child too.
func (o *forwardOptions) prepare(env *cli.Env, command []string) (*forwardRun, error) {
	shell := connect.ShellOptions{Reason: o.reason}
	if _, err := shell.Request(); err != nil {
		return nil, err
	}
	if o.payload < 0 || o.payload > 256<<10 {
		return nil, fault.Usagef("--payload-size %d is not between 1 and %d", o.payload, 256<<10)
	}
	if o.lanes < 1 || o.lanes > portforward.MostLanes {
		return nil, fault.Usagef("--lanes %d is not between 1 and %d", o.lanes, portforward.MostLanes)
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return nil, err
	}
	view := &forwardView{env: env, glyphs: env.ErrStyles().Glyphs.Arrow, lazy: o.lazy, quiet: command != nil && env.Flags.Quiet}
	switch ro.Format {
	case render.FormatJSON, render.FormatJSONL: // a forward has no end to wait for: both stream
		view.json = json.NewEncoder(env.Out)
	}
	r := &forwardRun{env: env, options: *o, view: view}
	if command == nil {
		return r, nil
	}
	if view.json != nil {
		return nil, fault.Usagef("-o %s and a command behind -- both want standard output", ro.Format).WithHint("leave one of them out")
	}
	r.child, err = connect.NewChild(env, command)
	return r, err
}

// forwardView shows what a forward does: JSON lines on standard output for
// programs, or short lines on standard error for people.
type forwardView struct {
	env    *cli.Env
	node   fleet.Node
	glyphs string
	json   *json.Encoder
	err    error // of writing
	count  int64
	bytes  int64
	again  map[string]time.Duration
	lazy   bool
	quiet  bool // not even the ready line: standard error is a command's
	// hint says how to use the end that is ready; nil: nothing.
	hint func(local string) string
	// exposed are the local addresses that other machines may reach.
	exposed map[string]bool
}

func (v *forwardView) event(e portforward.Event) {
	if e.Type == portforward.Listening && e.Exposed {
		if v.exposed == nil {
			v.exposed = map[string]bool{}
		}
		v.exposed[e.Local] = true
	}
	if e.Type == portforward.Closed {
		v.count++
		v.bytes += e.In + e.Out
	}
	if v.json != nil {
		if err := v.json.Encode(e); err != nil && v.err == nil {
			v.err = err
		}
		return
	}
	text := v.text(e)
	if text == "" {
		return
	}
	if e.Type == portforward.Ready || e.Type == portforward.Listening {
		if !v.quiet {
			fmt.Fprintln(v.env.Err, text) // asked for, so also with --quiet
		}
		return
	}
	v.env.Note("%s", text)
}

// text is what a person is told of an event, "" for nothing.
func (v *forwardView) text(e portforward.Event) string {
	switch e.Type {
	case portforward.Ready:
		text := ""
		if !v.lazy {
			text = v.open(e)
		}
		if !e.Multiplexed {
			text += fmt.Sprintf("\nssmdeck: one connection at a time: agent %s is too old for more", render.Visible(e.AgentVersion))
		}
		return strings.TrimPrefix(text, "\n")
	case portforward.Refused:
		return fmt.Sprintf("ssmdeck: %s cannot reach %s", v.node.ID, render.Visible(e.Remote))
	case portforward.Waiting:
		return fmt.Sprintf("ssmdeck: connection %d waits: this agent carries one at a time", e.Connection)
	case portforward.Reconnecting:
		return v.outage(e)
	case portforward.Reconnected:
		if v.again[e.Session] > 0 {
			delete(v.again, e.Session)
			return fmt.Sprintf("ssmdeck: connected again after %s", e.Duration.Round(time.Second))
		}
	case portforward.Stalled:
		return fmt.Sprintf("ssmdeck: %s takes nothing any more; new connections use another session", render.Visible(e.Remote))
	case portforward.Silent:
		return fmt.Sprintf("ssmdeck: %s has not answered for %s", v.node.ID, e.Duration.Round(time.Second))
	case portforward.Recovered:
		return "ssmdeck: it goes on again"
	case portforward.Ended:
		if e.Text != "" {
			return "ssmdeck: the session has ended: " + render.Visible(e.Text)
		}
		if e.Err != nil {
			return "ssmdeck: the session has ended: " + cli.FirstLine(e.Err)
		}
	case portforward.LaneOpened:
		return fmt.Sprintf("ssmdeck: %d sessions carry the connections to %s", e.Lanes, render.Visible(e.Remote))
	case portforward.Reopened:
		return "ssmdeck: a new session carries new connections"
	case portforward.Failed:
		return fmt.Sprintf("ssmdeck: no session: %s; trying again in %s", cli.FirstLine(e.Err), e.Wait.Round(time.Second))
	case portforward.Closed:
		if e.Err != nil {
			return fmt.Sprintf("ssmdeck: connection %d was cut short: %s", e.Connection, cli.FirstLine(e.Err))
		}
	case portforward.Notice:
		if e.Err != nil {
			return "ssmdeck: " + cli.FirstLine(e.Err)
		}
		return "ssmdeck: " + render.Visible(e.Text)
	case portforward.Listening:
		if v.lazy {
			return v.open(e)
		}
	case portforward.Connected, portforward.LocalEnd: // the ready line has said enough
	}
	return ""
}

// open is the line that says where the tunnel begins and ends.
func (v *forwardView) open(e portforward.Event) string {
	text := fmt.Sprintf("%s %s %s via %s", e.Local, v.glyphs, render.Visible(e.Remote), render.Visible(v.node.String()))
	if v.hint != nil {
		text += v.hint(e.Local)
	}
	if v.exposed[e.Local] {
		text += "\nssmdeck: warning: other machines may be able to connect to " + e.Local
	}
	return text
}

// outage mentions a lost connection once it has lasted, and then seldom.
func (v *forwardView) outage(e portforward.Event) string {
	if e.Err == nil || e.Duration < connect.QuietOutage || e.Duration < v.again[e.Session] {
		return ""
	}
	if v.again == nil {
		v.again = map[string]time.Duration{}
	}
	v.again[e.Session] = e.Duration + connect.RepeatOutage
	return fmt.Sprintf("ssmdeck: no connection for %s (%s); trying again", e.Duration.Round(time.Second), cli.FirstLine(e.Err))
}

func (v *forwardView) goodbye() {
	if v.json == nil && v.count > 0 {
		v.env.Note("%s carried, %s", cli.Plural(int(v.count), "connection"), render.Bytes(v.bytes))
	}
}
