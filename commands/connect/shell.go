package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/commands/escapekeys"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
)

// shellWindow keeps what is in flight from a keyboard small, so that a dead
// session is noticed and Ctrl-C does not queue behind a megabyte of paste.
const shellWindow = 256 << 10

// ShellOptions are those of `shell`, and of `exec` as far as it has them.
type ShellOptions struct {
	document string
	params   docnames.Params
	Reason   string
	user     string

	escape string // "" : the setting
	record recordOptions
}

func (o *ShellOptions) bind(env *cli.Env, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.document, "document", "", "session `document` to use in place of the account's own")
	cmd.Flags().StringVar(&o.Reason, "reason", "", "`text` for the session's history, up to 256 characters")
	o.params.Bind(cmd)
	_ = cmd.RegisterFlagCompletionFunc("document", CompleteSessionDocument(env))
	_ = cmd.RegisterFlagCompletionFunc("param", completeParam(env))
	env.BindAccess(cmd)
}

// NewShellCmd is `ssmdeck shell`.
func NewShellCmd(env *cli.Env) *cobra.Command {
	var o ShellOptions
	cmd := &cobra.Command{
		Use:     "shell [<node>] [-- <command>...]",
		Aliases: []string{"sh"},
		Short:   "Open a shell on a node",
		Long: `Open a shell on a node through Session Manager.

The session survives a lost connection, a sleeping laptop and new credentials: it
is resumed for as long as it takes, and nothing is lost or doubled. After Enter, ~?
lists what else can be done: ~. leaves at once, even when the far end is dead, ~R
connects again, ~# shows connection and limits, ~^Z suspends, ~~ types a tilde
(see ` + "`ssmdeck help escapes`" + `).

--record writes the session to a file in asciicast format, without what looks like
a secret; ` + "`ssmdeck session replay`" + ` plays it.

Without a node, on a terminal, you choose one from a list: type to filter it.

Without a terminal, standard input is typed into the shell until it ends. With a
command behind --, this is ` + "`ssmdeck exec`" + `.`,
		Example: `  $ ssmdeck shell web-1
  $ ssmdeck shell
  $ ssmdeck shell i-0123456789abcdef0 --reason 'INC-1234'
  $ ssmdeck shell web-1 --record incident.cast --redact 'customer-[0-9]+'
  $ ssmdeck shell web-1 --escape-char ^]
  $ ssmdeck shell web-1 -- journalctl -u nginx -n 50`,
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			nodes, command, dash := cli.SplitDash(cmd, args)
			nodes, err := nodechoice.OrPick(cmd.Context(), env, nodes)
			if err != nil {
				return err
			}
			if err := cli.ExactArgs("the node")(cmd, nodes); err != nil {
				return err
			}
			if dash && len(command) > 0 {
				if o.user != "" {
					return fault.Usagef("--user is for shells").WithHint("run a command as somebody with sudo: -- 'sudo -u %s …'", o.user)
				}
				if err := o.record.refuse("a command behind --"); err != nil {
					return err
				}
				return runExec(cmd.Context(), env, o, nodes[0], command)
			}
			return o.run(cmd.Context(), env, nodes[0])
		},
	}
	o.bind(env, cmd)
	cmd.Flags().StringVar(&o.user, "user", "", "run the shell as this `user`, with a document made by `session prefs create-run-as-document`")
	_ = cmd.RegisterFlagCompletionFunc("user", completeRunAs(env))
	cmd.Flags().StringVar(&o.escape, "escape-char", "", "`character` that begins escapes after Enter, ^X for a control character, or none (default ~, or the setting escape_char)")
	o.record.bind(cmd)
	return cmd
}

func (o *ShellOptions) run(ctx context.Context, env *cli.Env, expr string) (err error) {
	req, err := o.Request()
	if err != nil {
		return err
	}
	if err := o.params.OneInput("what is typed", true); err != nil {
		return err
	}
	escape, err := o.escapeChar(env)
	if err != nil {
		return err
	}
	if req.Parameters, err = o.documentParams(ctx, env, &req); err != nil {
		return err
	}
	term := env.Terminal()
	record, err := o.record.open(env, term)
	if err != nil {
		return err
	}
	opened := false
	defer func() {
		if !opened {
			record.discard()
		} else if failed := record.close(); err == nil {
			err = failed
		}
	}()
	node, svc, err := o.node(ctx, env, expr, term != nil)
	if err != nil {
		return err
	}
	req.Target = node.ID
	status := NewLinkStatus(env, term != nil)
	opts := []sessionclient.Option{
		sessionclient.WithEvents(status.Event),
		sessionclient.WithWindow(reliable.Window{Bytes: shellWindow}),
	}
	if term != nil {
		// The person decides when to give up, and wants to know soon that typing
		// goes unanswered.
		opts = append(opts, sessionclient.WithBudget(0), sessionclient.WithSilence(QuietOutage))
		if cols, rows, err := term.Size(); err == nil {
			opts = append(opts, sessionclient.WithSize(cols, rows))
		}
		req.Limits = true
	}
	done := status.connecting(node)
	s, err := svc.Open(ctx, req, opts...)
	done()
	if err != nil {
		return whyNotOpened(ctx, env, expr, node, err)
	}
	opened = true
	record.keep()
	if term == nil {
		return PipeShell(ctx, env, s, node.Platform, record)
	}
	dim := env.ErrStyles().Dim
	env.Note("%s", dim.Render(connectLine(s, node, escape)))
	start := time.Now()
	c := NewConsole(env, term, s, node, escape, status, record)
	if err := c.Run(ctx); err != nil {
		return err
	}
	env.Note("%s", dim.Render("session ended after "+render.Duration(time.Since(start))))
	return nil
}

// node finds the node. A person who gives an id waits for no look-up: all that a
// terminal needs of a node is its id.
func (o *ShellOptions) node(ctx context.Context, env *cli.Env, expr string, terminal bool) (fleet.Node, *sessions.Service, error) {
	if t, err := fleet.ParseTarget(expr); terminal && err == nil && t.Kind == fleet.KindID {
		svc, err := env.Sessions(ctx)
		return fleet.Node{ID: t.Value}, svc, err
	}
	return SessionNode(ctx, env, expr)
}

// whyNotOpened looks up a node that was not looked up before: that it is unknown
// or offline says more than the service's refusal.
func whyNotOpened(ctx context.Context, env *cli.Env, expr string, node fleet.Node, err error) error {
	if node.Name != "" || node.Ping != "" || ctx.Err() != nil || fault.KindOf(err) == fault.Auth {
		return err
	}
	if _, _, why := SessionNode(ctx, env, expr); fault.KindOf(why) == fault.NotFound || fault.KindOf(why) == fault.Offline {
		return why
	}
	return err
}

// escapeChar is the escape character: the flag's, or that of the settings.
func (o *ShellOptions) escapeChar(env *cli.Env) (byte, error) {
	if o.escape != "" {
		return escapekeys.ParseChar(o.escape)
	}
	settings, err := env.Settings()
	if err != nil {
		return 0, err
	}
	return escapekeys.ParseChar(settings.Escape)
}

// connectLine says what was opened, and how to leave. The limits are in it when
// they are known by now.
func connectLine(s *sessions.Session, node fleet.Node, escape byte) string {
	parts := []string{fmt.Sprintf("%s, session %s", render.Visible(node.String()), s.Info().SessionID)}
	if l, ok := s.Limits(); ok {
		parts = append(parts, limitParts(l)...)
	}
	line := strings.Join(parts, ", ")
	if escape != 0 {
		line += "; Enter " + escapekeys.Name(escape) + "? for help"
	}
	return line
}

// Request checks the flags.
func (o *ShellOptions) Request() (sessions.Request, error) {
	req := sessions.Request{Document: o.document, Reason: o.Reason}
	if len([]rune(o.Reason)) > 256 {
		return req, fault.Usagef("--reason has %d characters, the service takes 256", len([]rune(o.Reason)))
	}
	if _, err := cli.ParsePairs("--param", o.params.Pairs); err != nil {
		return req, err
	}
	if o.params.Any() && o.document == "" && o.user == "" {
		return req, fault.Usagef("--param needs --document: the account's own shell takes no parameters")
	}
	return req, nil
}

// SessionNode finds the one node a session is for, and the service to open it.
func SessionNode(ctx context.Context, env *cli.Env, expr string) (fleet.Node, *sessions.Service, error) {
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return fleet.Node{}, nil, err
	}
	node, err := nodechoice.Settle(ctx, env, expr, nodes.Resolve)
	if err != nil {
		return fleet.Node{}, nil, err
	}
	svc, err := env.Sessions(ctx)
	return node, svc, err
}

// PipeShell types standard input into the shell and copies what it prints. There
// is no end-of-file message. Ctrl-D stands for it, but only at the start of a
// line and not for PowerShell, which wants to be told.
func PipeShell(ctx context.Context, env *cli.Env, s *sessions.Session, platform string, record *recorder) error {
	defer s.Close()
	stop := context.AfterFunc(ctx, s.Abort)
	defer stop()
	in, release := env.Input()
	typing := make(chan struct{})
	go func() {
		defer close(typing)
		end := []byte{0x04}
		if platform == "windows" {
			end = []byte("exit\r\n")
		}
		keys := &lastByte{r: in, last: '\n'}
		if _, err := io.Copy(s, keys); err != nil {
			return
		}
		if keys.last != '\n' && keys.last != '\r' {
			end = append([]byte{'\n'}, end...)
		}
		_, _ = s.Write(end)
	}()
	out := record.tee(env.Out)
	exit, err := s.CopyOutput(out, out)
	release()
	<-typing
	return shellEnd(ctx, exit, err)
}

// lastByte remembers the last byte that was read.
type lastByte struct {
	r    io.Reader
	last byte
}

func (l *lastByte) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 {
		l.last = p[n-1]
	}
	return n, err
}

// shellEnd is what the end of a shell means for the caller.
func shellEnd(ctx context.Context, exit sessionclient.Exit, err error) error {
	switch {
	case errors.Is(err, sessionclient.ErrSessionGone):
		return fault.New(fault.Failed, "session", "%w: it was terminated, or its idle or longest time ran out while there was no connection", err).
			WithHint("open a new one; `ssmdeck session list --history` shows how it ended")
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fault.New(fault.Failed, "session", "%w", err)
	case exit.Closed && ctx.Err() != nil:
		return ctx.Err()
	case exit.Reason != "":
		return sessions.ExplainEnd(fault.New(fault.Failed, "session ended by the service", "%s", exit.Reason), "NODE")
	default:
		return nil
	}
}
