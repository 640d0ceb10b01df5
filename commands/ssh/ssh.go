package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/instanceconnect"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/sshconfig"
)

type options struct {
	user    string
	pushKey bool
	key     string
	print   bool
	reason  string
}

// NewCmd is `ssmdeck ssh`.
func NewCmd(env *cli.Env) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "ssh [<user>@]<node> [<ssh-option>...] [<command>...]",
		Short: "Run ssh to a node through Session Manager",
		Long: `Run the ssh of this machine to a node, through Session Manager: no open port, no
bastion. What stands before the node is for ssmdeck; what follows it is for ssh,
read as ssh reads it. ssh's own configuration applies, its exit status becomes
ours, and the host's key is kept under the node's id.

--push-key lets you in with EC2 Instance Connect where no key of yours is known:
a new key is made, pushed for the next minute, and thrown away when ssh ends.
--key pushes a key that you have.

` + "`ssmdeck ssh-config install`" + ` makes plain ssh, scp, rsync, git and editors do the same.`,
		Example: `  $ ssmdeck ssh ec2-user@web-1
  $ ssmdeck ssh --push-key ec2-user@i-0123456789abcdef0
  $ ssmdeck ssh web-1 -L 8080:localhost:80 -N
  $ ssmdeck ssh web-1 -- 'sudo journalctl -u nginx | tail'
  $ ssmdeck ssh --print web-1`,
		Args:              nodechoice.Pickable(env, cli.MinArgs("the node")),
		ValidArgsFunction: completeDestination(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := nodechoice.OrPick(cmd.Context(), env, args)
			if err != nil {
				return err
			}
			rest := args[1:]
			if len(rest) > 0 && rest[0] == "--" {
				rest = rest[1:]
			}
			return o.run(cmd.Context(), env, args[0], rest)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // -o, -p, -q after the node are ssh's
	f.StringVar(&o.user, "user", "", "`user` to log in as (default: what ssh is configured for)")
	f.BoolVar(&o.pushKey, "push-key", false, "push a public key with EC2 Instance Connect first")
	f.StringVar(&o.key, "key", "", "key `file` to push in place of a new one, and to log in with")
	f.BoolVar(&o.print, "print", false, "print the ssh command line and run nothing")
	f.StringVar(&o.reason, "reason", "", "`text` for the session's history, up to 256 characters")
	env.BindAccess(cmd)
	return cmd
}

func (o *options) run(ctx context.Context, env *cli.Env, destination string, rest []string) error {
	expr, err := o.validate(env, destination)
	if err != nil {
		return err
	}
	program, err := exec.LookPath("ssh")
	if err != nil && !o.print {
		return fault.New(fault.NotFound, "run ssh", "there is no ssh on this machine").
			WithHint("install an OpenSSH client; `ssmdeck shell %s` needs none", expr)
	}
	node, err := sshNode(ctx, env, expr)
	if err != nil {
		return err
	}
	if o.pushKey {
		if err := instanceconnect.Check(node.ID, cmp.Or(o.user, "nobody")); err != nil { // ssh knows the user
			return err
		}
	}
	key, clean, err := o.identity()
	if err != nil {
		return err
	}
	defer clean()
	args, err := o.args(env, node, expr, key, rest)
	if err != nil {
		return err
	}
	if o.print {
		_, err := fmt.Fprintln(env.Out, sshconfig.Quote(append([]string{"ssh"}, args...), runtime.GOOS))
		return err
	}
	return runSSH(env, program, args)
}

// validate checks everything that needs no call, and takes the user off the
// destination.
func (o *options) validate(env *cli.Env, destination string) (expr string, err error) {
	expr = destination
	if i := strings.LastIndexByte(destination, '@'); i > 0 {
		user := destination[:i]
		if o.user != "" && o.user != user {
			return "", fault.Usagef("--user %s and %s name different users", o.user, destination)
		}
		o.user, expr = user, destination[i+1:]
	}
	shell := connect.ShellOptions{Reason: o.reason}
	if _, err := shell.Request(); err != nil {
		return "", err
	}
	switch {
	case strings.HasPrefix(o.user, "-"):
		return "", fault.Usagef("%q is not a user", o.user)
	case o.key != "" && !o.pushKey:
		return "", fault.Usagef("--key names a key to push, and --push-key is missing").
			WithHint("to log in with a key that the node knows, write: ssmdeck ssh %s -i FILE", destination)
	case o.print && o.pushKey && o.key == "":
		return "", fault.Usagef("--print cannot show a key that is thrown away").WithHint("name the key to push with --key ~/.ssh/id_ed25519.pub")
	case env.Local != nil && !o.print:
		return "", fault.Usagef("the nodes of the demo run no SSH server").WithHint("try `shell %s` there, or `ssh --print %s`", expr, expr)
	}
	return expr, nil
}

// keyPair is a key to push and to log in with. The zero value is none.
type keyPair struct {
	public   string // path of the file to push
	identity string // path for ssh -i
}

// identity returns the key that was asked for; clean removes what was made.
func (o *options) identity() (key keyPair, clean func(), err error) {
	clean = func() {}
	switch {
	case !o.pushKey:
		return key, clean, nil
	case o.key == "":
		return temporaryKey()
	}
	if _, err := instanceconnect.ReadKey(o.key); err != nil {
		return key, clean, err
	}
	if key.public, err = filepath.Abs(o.key); err != nil {
		return key, clean, err
	}
	// ssh takes the public half for the name of a key that its agent holds.
	key.identity = key.public
	private := strings.TrimSuffix(key.public, ".pub")
	if _, err := os.Stat(private); err == nil {
		key.identity = private
	} else if !errors.Is(err, fs.ErrNotExist) {
		return key, clean, err
	}
	return key, clean, nil
}

// temporaryKey makes a key in a folder that nobody else can look into.
func temporaryKey() (key keyPair, clean func(), err error) {
	clean = func() {}
	fail := func(err error) (keyPair, func(), error) {
		clean()
		return keyPair{}, func() {}, fault.New(fault.Failed, "make a key", "%w", err)
	}
	dir, err := os.MkdirTemp("", "ssmdeck-ssh-") // mode 0700
	if err != nil {
		return fail(err)
	}
	clean = func() { _ = os.RemoveAll(dir) }
	private, public := instanceconnect.NewKey("ssmdeck")
	key = keyPair{public: filepath.Join(dir, "key.pub"), identity: filepath.Join(dir, "key")}
	if err := os.WriteFile(key.identity, private, 0o600); err != nil {
		return fail(err)
	}
	if err := os.WriteFile(key.public, []byte(public+"\n"), 0o600); err != nil {
		return fail(err)
	}
	return key, clean, nil
}

// hostForm is a name that ssh takes for a host. Others give way to the id.
var hostForm = pattern.Lazy(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// args is what ssh is called with. Of an option that is given twice ssh takes
// the first, so ours stand.
func (o *options) args(env *cli.Env, node fleet.Node, expr string, key keyPair, rest []string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fault.New(fault.Failed, "find this program", "%w", err)
	}
	proxy := sshconfig.Proxy{Program: self, Args: env.TypedFlags(slices.Concat(cli.PlaceFlags, cli.CallFlags)...), Node: node.ID, GOOS: runtime.GOOS}
	if o.reason != "" {
		proxy.Args = append(proxy.Args, "--reason", o.reason)
	}
	if env.AccessRequest != "" {
		proxy.Args = append(proxy.Args, "--access-request", env.AccessRequest)
	}
	args := []string{}
	if key.public != "" {
		proxy.Args = append(proxy.Args, "--push-key", "--key", key.public)
		proxy.PushKey = true
		args = append(args, "-i", strings.ReplaceAll(key.identity, "%", "%%"), "-o", "IdentitiesOnly=yes")
	}
	args = append(args, "-o", "ProxyCommand="+proxy.Command(), "-o", "HostKeyAlias="+node.ID)
	if o.user != "" {
		args = append(args, "-l", o.user)
	}
	host := node.ID
	if expr != node.ID && hostForm().MatchString(expr) {
		host = expr // so that what ~/.ssh/config says of it applies
	}
	return append(append(args, host), rest...), nil
}

// completeDestination is nodechoice.CompleteNode with a user in front.
func completeDestination(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		words, directive := nodechoice.CompleteNode(env)(cmd, args, word)
		if i := strings.LastIndexByte(word, '@'); i >= 0 {
			for n, w := range words {
				words[n] = word[:i+1] + w
			}
		}
		return words, directive
	}
}
