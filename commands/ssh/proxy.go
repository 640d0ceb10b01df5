package ssh

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/instanceconnect"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const sshPort = 22

// explainWait bounds the look-up that finds better words for a failure.
const explainWait = 3 * time.Second

type proxyOptions struct {
	reason   string
	document string
	suffix   string
	payload  int
	pushKey  bool
	key      string
	user     string
}

// NewProxyCmd is `ssmdeck ssh-proxy`.
func NewProxyCmd(env *cli.Env) *cobra.Command {
	var o proxyOptions
	cmd := &cobra.Command{
		Use:   "ssh-proxy <node> [<port>]",
		Short: "Carry one SSH connection, as a ProxyCommand",
		Long: `Carry one SSH connection to a node over standard input and output, as the
ProxyCommand of ssh, scp, sftp, rsync, git, Ansible or an editor. Nothing but the
SSH server's own bytes is written to standard output.

A node given by its id costs a single call before the connection opens; a name is
looked up first. A lost connection to the service is resumed, and the SSH
connection goes on.`,
		Example: `  # In ~/.ssh/config (` + "`ssmdeck ssh-config install`" + ` writes it)
  Host i-* mi-*
      ProxyCommand ssmdeck ssh-proxy %h %p

  # Once, for any program that runs ssh
  $ scp -o ProxyCommand='ssmdeck ssh-proxy %h %p' app.tgz ec2-user@i-0123456789abcdef0:

  # Log in with a key that is pushed for the next minute
  $ ssh -o ProxyCommand='ssmdeck ssh-proxy --push-key --user %r %h %p' ec2-user@i-0123456789abcdef0`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.ExactArgs("the node", "the port")(cmd, args)
			}
			return cli.ExactArgs("the node")(cmd, args)
		},
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			port := sshPort
			if len(args) > 1 {
				var err error
				if port, err = strconv.Atoi(args[1]); err != nil || port < 1 || port > 65535 {
					return fault.Usagef("%q is not a port between 1 and 65535", args[1])
				}
			}
			if err := o.validate(); err != nil {
				return err
			}
			if err := o.run(cmd.Context(), env, args[0], port); err != nil {
				return cli.Own(err)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.reason, "reason", "", "`text` for the session's history, up to 256 characters")
	f.StringVar(&o.document, "document", "", "session `document` to use in place of "+sessions.DocumentSSH)
	f.StringVar(&o.suffix, "suffix", "", "`ending` to take off the node's name, such as .ssm")
	f.IntVar(&o.payload, "payload-size", 0, "largest message in `bytes` (default 1024, which every agent takes)")
	f.BoolVar(&o.pushKey, "push-key", false, "push a public key with EC2 Instance Connect first; needs --user")
	f.StringVar(&o.key, "key", "", "public key `file` to push (default ~/.ssh/id_ed25519.pub or id_rsa.pub)")
	env.BindAccess(cmd)
	f.StringVar(&o.user, "user", "", "`user` of the node that a pushed key is for; %r in ssh's configuration")
	return cmd
}

// validate checks everything that needs no call.
func (o *proxyOptions) validate() error {
	shell := connect.ShellOptions{Reason: o.reason}
	if _, err := shell.Request(); err != nil {
		return err
	}
	switch {
	case o.payload < 0 || o.payload > 256<<10:
		return fault.Usagef("--payload-size %d is not between 1 and %d", o.payload, 256<<10)
	case o.key != "" && !o.pushKey:
		return fault.Usagef("--key names a key to push, and --push-key is missing")
	case o.pushKey && o.user == "":
		return fault.Usagef("--push-key needs --user").WithHint("in ssh's configuration write --user %%r")
	}
	return nil
}

func (o *proxyOptions) run(ctx context.Context, env *cli.Env, expr string, port int) error {
	if rest, ok := cutSuffixFold(expr, o.suffix); ok {
		expr = rest
	}
	node, err := sshNode(ctx, env, expr)
	if err != nil {
		return err
	}
	public := ""
	if o.pushKey {
		if public, err = o.publicKey(env, node.ID); err != nil {
			return err
		}
	}
	svc, err := env.Sessions(ctx)
	if err != nil {
		return err
	}
	req := sessions.SSHRequest{Target: node.ID, Port: port, Document: o.document, Reason: o.reason}
	opts := []sessionclient.Option{sessionclient.WithEvents(connect.NewLinkStatus(env, false).Event)}
	if o.payload > 0 {
		opts = append(opts, sessionclient.WithPayloadSize(o.payload))
	}
	s, err := o.open(ctx, env, svc, req, public, opts)
	if err != nil {
		return explainUnreached(ctx, env, node.ID, err)
	}
	in, release := env.Input()
	defer release()
	return sessions.ExplainSSH(req, portforward.Stdio(ctx, s, in, env.Out))
}

// open starts the session and pushes the key, if there is one, at the same time:
// each takes its round trips.
func (o *proxyOptions) open(ctx context.Context, env *cli.Env, svc *sessions.Service, req sessions.SSHRequest, public string, opts []sessionclient.Option) (*sessions.Session, error) {
	if public == "" {
		return svc.SSH(ctx, req, opts...)
	}
	keys, err := openInstanceConnect(ctx, env)
	if err != nil {
		return nil, err
	}
	opening, cancel := context.WithCancel(ctx)
	defer cancel()
	pushed := make(chan error, 1)
	go func() {
		err := keys.Push(ctx, req.Target, o.user, public)
		if err != nil {
			cancel()
		}
		pushed <- err
	}()
	s, err := svc.SSH(opening, req, opts...)
	if pushErr := <-pushed; pushErr != nil {
		if s != nil {
			_ = s.Close()
		}
		return nil, pushErr
	}
	return s, err
}

// publicKey reads the key that is to be pushed.
func (o *proxyOptions) publicKey(env *cli.Env, nodeID string) (string, error) {
	if err := instanceconnect.Check(nodeID, o.user); err != nil {
		return "", err
	}
	path, err := o.key, error(nil)
	if path == "" {
		if path, err = defaultKey(env); err != nil {
			return "", err
		}
	}
	return instanceconnect.ReadKey(path)
}

// defaultKey is the path of the user's own public key.
func defaultKey(env *cli.Env) (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.New(fault.NotFound, "find a key to push", "%w", err)
	}
	return instanceconnect.DefaultKey(home)
}

// openInstanceConnect returns the service that pushes SSH keys.
func openInstanceConnect(ctx context.Context, env *cli.Env) (*instanceconnect.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return instanceconnect.New(scope), nil
}

// sshNode finds the node that expr means. An id is taken as it is, without a
// call: starting the session tells soon enough whether it can be reached.
func sshNode(ctx context.Context, env *cli.Env, expr string) (fleet.Node, error) {
	t, err := fleet.ParseTarget(expr)
	if err != nil {
		return fleet.Node{}, err
	}
	if t.Kind == fleet.KindID {
		return fleet.Node{ID: t.Value}, nil
	}
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return fleet.Node{}, err
	}
	return nodes.Resolve(ctx, expr)
}

// explainUnreached says more of a node whose agent did not answer: whether it
// exists, when it was last heard of, whether its agent is too old. Where looking
// up does not help, err says what there is to say.
func explainUnreached(ctx context.Context, env *cli.Env, id string, err error) error {
	if fault.KindOf(err) != fault.Offline || ctx.Err() != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, explainWait)
	defer cancel()
	nodes, fleetErr := env.Fleet(ctx)
	if fleetErr != nil {
		return err
	}
	node, findErr := nodes.Resolve(ctx, id)
	switch kind := fault.KindOf(findErr); {
	case findErr != nil && (kind == fault.Offline || kind == fault.NotFound):
		return findErr
	case findErr == nil && node.AgentVersion != "" && !wire.SupportsPorts(node.AgentVersion):
		return sessions.AgentTooOld("connect to "+node.String(), id, node.AgentVersion)
	}
	return err
}

// cutSuffixFold is strings.CutSuffix in which case does not count: ssh writes
// host names in lower case. Nothing is cut off a name that is the suffix.
func cutSuffixFold(s, suffix string) (before string, found bool) {
	n := len(s) - len(suffix)
	if suffix == "" || n <= 0 || !strings.EqualFold(s[n:], suffix) {
		return s, false
	}
	return s[:n], true
}
