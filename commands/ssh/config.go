package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/instanceconnect"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sshconfig"
)

// blockFile is the name of the file that is ours, beside ssh's own.
const blockFile = "ssmdeck.config"

// configOptions are those of the block.
type configOptions struct {
	suffix  string
	pushKey bool
	key     string
	reason  string
	program string
}

// NewConfigCmd is `ssmdeck ssh-config`.
func NewConfigCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh-config <command>",
		Short: "Make ssh, scp, rsync, git and editors go through Session Manager",
		Long: `Set up OpenSSH so that ` + "`ssh i-0123456789abcdef0`" + ` goes through Session Manager, and
with it everything that runs ssh: scp, sftp, rsync, git, Ansible, VS Code Remote.
Nodes are hosts by their id, or by their name with .ssm behind it: web-1.ssm.

The settings live in a file of their own, ~/.ssh/` + blockFile + `. Of your own
configuration one line at the top is added, which includes it.`,
		Example: "  $ ssmdeck ssh-config show\n  $ ssmdeck ssh-config install\n  $ ssh ec2-user@i-0123456789abcdef0\n  $ ssmdeck ssh-config remove",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	cmd.AddCommand(newConfigShowCmd(env), newConfigInstallCmd(env), newConfigRemoveCmd(env))
	return cmd
}

func (o *configOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.suffix, "suffix", ".ssm", "`ending` that makes a node's name a host; empty for none")
	f.BoolVar(&o.pushKey, "push-key", false, "push a public key with EC2 Instance Connect before every connection")
	f.StringVar(&o.key, "key", "", "public key `file` to push (default ~/.ssh/id_ed25519.pub or id_rsa.pub)")
	f.StringVar(&o.reason, "reason", "", "`text` for the history of the sessions, up to 256 characters")
	f.StringVar(&o.program, "program", "", "`path` of ssmdeck (default: where this one is)")
}

const configFlags = `--profile, --region, --endpoint-url, --context and --config go into the settings, so
that they need not be set in the environment of whatever runs ssh.`

func newConfigShowCmd(env *cli.Env) *cobra.Command {
	var o configOptions
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Print the settings for ssh",
		Long:    "Print the settings for ssh, to be put anywhere by hand.\n\n" + configFlags,
		Example: "  $ ssmdeck ssh-config show\n  $ ssmdeck ssh-config show --profile prod --region eu-west-1 --suffix .prod",
		Args:    cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			block, err := o.block(env)
			if err != nil {
				return err
			}
			_, err = io.WriteString(env.Out, block)
			return err
		},
	}
	o.bind(cmd)
	return cmd
}

func newConfigInstallCmd(env *cli.Env) *cobra.Command {
	var (
		o    configOptions
		file string
	)
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Write the settings, and one line that includes them",
		Long: `Write the settings for ssh to ~/.ssh/` + blockFile + `, and add one line at the top of
~/.ssh/config that includes them. What is added is shown, and on a terminal asked
for. Doing it again replaces the settings.

` + configFlags,
		Example: "  $ ssmdeck ssh-config install\n  $ ssmdeck ssh-config install --profile prod --push-key --yes",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.install(cmd.Context(), env, file)
		},
	}
	o.bind(cmd)
	cmd.Flags().StringVar(&file, "file", "", "ssh's configuration `file` (default ~/.ssh/config)")
	return cmd
}

func newConfigRemoveCmd(env *cli.Env) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "remove",
		Aliases: []string{"uninstall"},
		Short:   "Take away what install wrote, and nothing else",
		Example: "  $ ssmdeck ssh-config remove",
		Args:    cli.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return configRemove(env, file) },
	}
	cmd.Flags().StringVar(&file, "file", "", "ssh's configuration `file` (default ~/.ssh/config)")
	return cmd
}

// suffixForm is the ending of a host name.
var suffixForm = pattern.Lazy(`^\.[A-Za-z0-9][A-Za-z0-9.-]*$`)

func (o *configOptions) block(env *cli.Env) (string, error) {
	shell := connect.ShellOptions{Reason: o.reason}
	if _, err := shell.Request(); err != nil {
		return "", err
	}
	switch {
	case o.suffix != "" && !suffixForm().MatchString(o.suffix):
		return "", fault.Usagef("--suffix %q is not the ending of a host name", o.suffix).WithHint("write it like .ssm")
	case strings.ContainsAny(o.reason, "\r\n"):
		return "", fault.Usagef("--reason must be one line")
	case o.key != "" && !o.pushKey:
		return "", fault.Usagef("--key names a key to push, and --push-key is missing")
	}
	program, err := cli.SelfPath()
	if o.program != "" {
		program, err = filepath.Abs(o.program)
	}
	if err != nil {
		return "", err
	}
	proxy := sshconfig.Proxy{Program: program, Args: env.TypedFlags(cli.PlaceFlags...), GOOS: runtime.GOOS, PushKey: o.pushKey}
	if o.reason != "" {
		proxy.Args = append(proxy.Args, "--reason", o.reason)
	}
	if o.pushKey {
		proxy.Args = append(proxy.Args, "--push-key")
		if err := o.checkKey(env, &proxy); err != nil {
			return "", err
		}
	}
	return sshconfig.Block(proxy, o.suffix), nil
}

// checkKey wants a key that can be pushed to be there.
func (o *configOptions) checkKey(env *cli.Env, proxy *sshconfig.Proxy) error {
	path := o.key
	if path == "" {
		var err error
		if path, err = defaultKey(env); err != nil {
			return err
		}
	}
	if _, err := instanceconnect.ReadKey(path); err != nil || o.key == "" {
		return err
	}
	path, err := filepath.Abs(path)
	proxy.Args = append(proxy.Args, "--key", path)
	return err
}

func (o *configOptions) install(ctx context.Context, env *cli.Env, file string) error {
	const op = "set up ssh"
	block, err := o.block(env)
	if err != nil {
		return err
	}
	file, ours, err := configPaths(file)
	if err != nil {
		return err
	}
	had, err := sshconfig.Read(ours)
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	if len(had) > 0 && !sshconfig.IsBlock(had) {
		return fault.New(fault.Refused, op, "%s exists and is not ours", ours).WithHint("move it away first")
	}
	config, err := sshconfig.Read(file)
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	line := sshconfig.Include(ours)
	insert := func(config []byte) []byte { return sshconfig.Insert(config, line) }
	if string(had) == block && bytes.Equal(insert(config), config) {
		env.Note("ssh is set up already")
		return nil
	}
	env.Note("%s:\n\n%s\n%s, at the top:\n\n%s\n", render.Visible(ours), indent(block), render.Visible(file), indent(line))
	if env.CanAsk() {
		if err := env.Confirm(ctx, "write this"); err != nil {
			return err
		}
	}
	if _, err := sshconfig.Edit(ours, func([]byte) []byte { return []byte(block) }); err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	if _, err := sshconfig.Edit(file, insert); err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	env.Note("try: ssh ec2-user@i-0123456789abcdef0, or with a node's name: ssh ec2-user@web-1%s", o.suffix)
	return nil
}

func configRemove(env *cli.Env, file string) error {
	const op = "undo the setup of ssh"
	file, ours, err := configPaths(file)
	if err != nil {
		return err
	}
	changed, err := sshconfig.Edit(file, sshconfig.Remove)
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	if changed {
		env.Note("took the line out of %s", render.Visible(file))
	}
	had, err := sshconfig.Read(ours)
	switch {
	case err != nil:
		return fault.New(fault.Failed, op, "%w", err)
	case sshconfig.IsBlock(had):
		if err := os.Remove(ours); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Failed, op, "%w", err)
		}
		env.Note("removed %s", render.Visible(ours))
	case !changed:
		env.Note("ssh was not set up")
	}
	return nil
}

// configPaths returns the absolute paths of ssh's file and of ours beside it.
func configPaths(file string) (config, ours string, err error) {
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", "", fault.New(fault.Failed, "find ~/.ssh/config", "%w", err).WithHint("name the file with --file")
		}
		file = filepath.Join(home, ".ssh", "config")
	}
	if config, err = filepath.Abs(file); err != nil {
		return "", "", fault.New(fault.Failed, "find "+file, "%w", err)
	}
	return config, filepath.Join(filepath.Dir(config), blockFile), nil
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		fmt.Fprintf(&b, "  %s", line)
	}
	return b.String()
}
