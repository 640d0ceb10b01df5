package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
)

// shellWindow keeps what is in flight from a keyboard small, so that a dead
// session is noticed and Ctrl-C does not queue behind a megabyte of paste.
const shellWindow = 256 << 10

// shellOptions are those of `shell`, and of `exec` as far as it has them.
type shellOptions struct {
	document string
	params   []string
	reason   string
	user     string
}

func (o *shellOptions) bind(env *Env, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.document, "document", "", "session `document` to use in place of the account's own")
	cmd.Flags().StringVar(&o.reason, "reason", "", "`text` for the session's history, up to 256 characters")
	cmd.Flags().StringArrayVar(&o.params, "param", nil, "parameter of the document, as `NAME=VALUE`; repeat for lists")
	_ = cmd.RegisterFlagCompletionFunc("document", env.completeSessionDocument)
	_ = cmd.RegisterFlagCompletionFunc("param", env.completeParam)
	env.bindAccess(cmd)
}

func newShellCmd(env *Env) *cobra.Command {
	var o shellOptions
	cmd := &cobra.Command{
		Use:     "shell <node> [-- <command>...]",
		Aliases: []string{"sh"},
		Short:   "Open a shell on a node",
		Long: `Open a shell on a node through Session Manager.

The session survives a lost connection: it is resumed and nothing is lost. After
Enter, ~. leaves at once, even when the far end is dead, and ~~ types a tilde.

Without a terminal, standard input is typed into the shell until it ends. With a
command behind --, this is ` + "`ssmdeck exec`" + `.`,
		Example: `  $ ssmdeck shell web-1
  $ ssmdeck shell i-0123456789abcdef0 --reason 'INC-1234'
  $ ssmdeck shell web-1 -- journalctl -u nginx -n 50`,
		ValidArgsFunction: env.completeNode,
		RunE: func(cmd *cobra.Command, args []string) error {
			nodes, command, dash := splitDash(cmd, args)
			if err := exactArgs("the node")(cmd, nodes); err != nil {
				return err
			}
			if dash && len(command) > 0 {
				if o.user != "" {
					return fault.Usagef("--user is for shells").WithHint("run a command as somebody with sudo: -- 'sudo -u %s …'", o.user)
				}
				return runExec(cmd.Context(), env, o, nodes[0], command)
			}
			return o.run(cmd.Context(), env, nodes[0])
		},
	}
	o.bind(env, cmd)
	cmd.Flags().StringVar(&o.user, "user", "", "run the shell as this `user`, with a document made by `session prefs create-run-as-document`")
	_ = cmd.RegisterFlagCompletionFunc("user", env.completeRunAs)
	return cmd
}

func (o *shellOptions) run(ctx context.Context, env *Env, expr string) error {
	req, err := o.request()
	if err != nil {
		return err
	}
	if req.Parameters, err = o.documentParams(ctx, env, &req); err != nil {
		return err
	}
	node, svc, err := env.sessionNode(ctx, expr)
	if err != nil {
		return err
	}
	req.Target = node.ID
	term := env.terminal()
	status := newLinkStatus(env, term != nil)
	opts := []sessionclient.Option{
		sessionclient.WithEvents(status.event),
		sessionclient.WithWindow(reliable.Window{Bytes: shellWindow}),
	}
	if term != nil {
		// The person decides when to give up, and wants to know soon that typing
		// goes unanswered.
		opts = append(opts, sessionclient.WithBudget(0), sessionclient.WithSilence(quietOutage))
		if cols, rows, err := term.Size(); err == nil {
			opts = append(opts, sessionclient.WithSize(cols, rows))
		}
	}
	done := status.connecting(node)
	s, err := svc.Open(ctx, req, opts...)
	done()
	if err != nil {
		return err
	}
	if term == nil {
		return pipeShell(ctx, env, s, node.Platform)
	}
	dim := env.errStyles().Dim
	env.note("%s", dim.Render(fmt.Sprintf("%s, session %s; Enter ~. leaves", render.Visible(node.String()), s.Info().SessionID)))
	start := time.Now()
	if err := interactiveShell(ctx, env, term, s); err != nil {
		return err
	}
	env.note("%s", dim.Render("session ended after "+render.Duration(time.Since(start))))
	return nil
}

// request checks the flags.
func (o *shellOptions) request() (sessions.Request, error) {
	req := sessions.Request{Document: o.document, Reason: o.reason}
	if len([]rune(o.reason)) > 256 {
		return req, fault.Usagef("--reason has %d characters, the service takes 256", len([]rune(o.reason)))
	}
	params, err := parsePairs("--param", o.params)
	if err != nil {
		return req, err
	}
	if len(params) > 0 && o.document == "" && o.user == "" {
		return req, fault.Usagef("--param needs --document: the account's own shell takes no parameters")
	}
	req.Parameters = params
	return req, nil
}

// sessionNode finds the one node a session is for, and the service to open it.
func (e *Env) sessionNode(ctx context.Context, expr string) (fleet.Node, *sessions.Service, error) {
	nodes, err := e.Fleet(ctx)
	if err != nil {
		return fleet.Node{}, nil, err
	}
	node, err := nodes.Resolve(ctx, expr)
	if err != nil {
		return fleet.Node{}, nil, err
	}
	svc, err := e.Sessions(ctx)
	return node, svc, err
}

// terminal returns the terminal a person sits at, nil when there is none on
// either side.
func (e *Env) terminal() *terminal.Terminal {
	in, ok := e.In.(*os.File)
	if !ok {
		return nil
	}
	out, ok := e.Out.(*os.File)
	if !ok {
		return nil
	}
	t, err := terminal.Open(in, out)
	if err != nil {
		return nil
	}
	return t
}

// pipeShell types standard input into the shell and copies what it prints. There
// is no end-of-file message. Ctrl-D stands for it, but only at the start of a
// line and not for PowerShell, which wants to be told.
func pipeShell(ctx context.Context, env *Env, s *sessions.Session, platform string) error {
	defer s.Close()
	stop := context.AfterFunc(ctx, s.Abort)
	defer stop()
	in, release := env.input()
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
	exit, err := s.CopyOutput(env.Out, env.Out)
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

// input returns standard input such that a waiting read ends when it is
// released.
func (e *Env) input() (in io.Reader, release func()) {
	f, ok := e.In.(*os.File)
	if !ok {
		if c, ok := e.In.(io.Closer); ok {
			return e.In, func() { _ = c.Close() }
		}
		return e.In, func() {}
	}
	r, err := terminal.CancelableReader(f)
	if err != nil {
		return f, func() {}
	}
	return r, func() { _ = r.Close() }
}

// interactiveShell joins the terminal and the session.
func interactiveShell(ctx context.Context, env *Env, term *terminal.Terminal, s *sessions.Session) error {
	defer s.Close()
	guard := term.Guard()
	defer guard.Close()
	defer guard.RestoreOnSignal()()
	defer guard.RestoreOnDone(ctx)()
	if err := guard.Raw(); err != nil {
		return fault.New(fault.Failed, "prepare the terminal", "%w", err)
	}
	keys, err := terminal.CancelableReader(env.In.(*os.File))
	if err != nil {
		return fault.New(fault.Failed, "read the terminal", "%w", err)
	}
	defer keys.Close()
	stop := context.AfterFunc(ctx, s.Abort)
	defer stop()

	watching, unwatch := context.WithCancel(ctx)
	typing := startTyping(s, keys, func() {
		// The person leaves: the terminal comes back first, whatever the far
		// end does.
		guard.Lost()
		_ = guard.Close()
		s.Abort()
	}, guard.RestoreOnPanic)
	resizing := make(chan struct{})
	go func() {
		defer close(resizing)
		defer guard.RestoreOnPanic()
		sizes := term.Resizes(watching)
		if cols, rows, err := term.Size(); err == nil {
			s.Resize(cols, rows)
		}
		for size := range sizes {
			s.Resize(size.Cols, size.Rows)
		}
	}()
	exit, err := s.CopyOutput(env.Out, env.Out)
	if err != nil {
		guard.Lost()
	}
	unwatch()
	keys.Cancel()
	left := typing.wait()
	<-resizing
	_ = guard.Close()
	if left || err != nil {
		fmt.Fprintln(env.Err) // the cursor is wherever the far end left it
	}
	if left {
		env.note("left session %s", s.Info().SessionID)
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return shellEnd(ctx, exit, err)
}

// shellEnd is what the end of a shell means for the caller.
func shellEnd(ctx context.Context, exit sessionclient.Exit, err error) error {
	switch {
	case errors.Is(err, sessionclient.ErrSessionGone):
		return fault.New(fault.Failed, "session", "%w", err).WithHint("it was terminated or timed out; open a new one")
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

// parsePairs reads NAME=VALUE flags; a repeated name makes a list.
func parsePairs(flag string, pairs []string) (map[string][]string, error) {
	params := map[string][]string{}
	for _, p := range pairs {
		name, value, ok := cutPair(p)
		if !ok {
			return nil, fault.Usagef("%s %q is not of the form NAME=VALUE", flag, name)
		}
		params[name] = append(params[name], value)
	}
	return params, nil
}

// cutPair cuts NAME=VALUE. When it is malformed, name is a part that is safe to
// show.
func cutPair(p string) (name, value string, ok bool) {
	for i := range len(p) {
		if p[i] == '=' {
			return p[:i], p[i+1:], i > 0
		}
	}
	return p, "", false
}
