package commands

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/activation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Modes of files with the code of an activation in them: nobody else's to read.
const (
	secretMode       os.FileMode = 0o600
	secretScriptMode os.FileMode = 0o700
)

// activationOptions are those of `activation create`.
type activationOptions struct {
	role     string
	expires  string
	tags     []string
	platform string
	file     string
	dryRun   bool

	req activation.Request
}

func newActivationCreateCmd(env *Env) *cobra.Command {
	var o activationOptions
	cmd := &cobra.Command{
		Use:   "create --role <role>",
		Short: "Make an activation, or a script that installs the agent and registers",
		Long: `Make an activation. Its id and code are printed once; the service does not tell the
code again. With --install-script the script alone is printed: it installs SSM Agent
and registers the machine it runs on, as root or administrator. It holds the code:
a file it is written to is made readable by its owner alone.

The role is what the nodes may do in AWS. It is looked at first: it must exist and
trust ssm.amazonaws.com. Whoever makes one, say SSMServiceRole, does it with

  ` + strings.Join(activation.MakeRole(activation.ExampleRole), "\n  ") + `

--expires takes a time from now (7d, 36h), a time (2026-12-01T08:00:00Z) or a day
(2026-12-01, to its end); 24 hours without it, 30 days at most. AWS supports macOS
as a managed node on EC2 only; its script is for those who try all the same.`,
		Example: `  $ ssmdeck activation create --role SSMServiceRole --limit 10 --expires 7d --install-script linux > install.sh
  $ ssmdeck activation create --role SSMServiceRole --name till --tags site=berlin,env=prod
  $ ssmdeck activation create --role service-role/Edge --install-script windows --out install.ps1
  $ ssmdeck activation create --role SSMServiceRole --limit 50 -o json > activation.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.role == "" {
				return fault.Usagef("%s: missing --role", cmd.CommandPath()).
					WithHint("name the IAM role of the nodes; `%s --help` shows how to make one", cmd.CommandPath())
			}
			return o.run(cmd.Context(), env)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.role, "role", "", "IAM `role` of the nodes: its name, path and name, or ARN")
	f.StringVar(&o.req.Name, "name", "", "`name` of the nodes in lists")
	f.StringVar(&o.req.Description, "description", "", "`text` for people, shown by `activation list`")
	f.IntVar(&o.req.Limit, "limit", 1, "how many `nodes` may register, 1 to 1000")
	f.StringVar(&o.expires, "expires", "", "`when` nobody may register any more: 7d, 2026-12-01 (default 24h)")
	bindTags(f, &o.tags, "the nodes")
	f.StringVar(&o.platform, "install-script", "", "print a script for this `platform`: linux, windows, macos, raspbian")
	f.StringVar(&o.file, "out", "", "write the script to a new `file`, for its owner alone")
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything, make nothing")
	completeFlag(cmd, "install-script", activation.Platforms)
	completeFlag(cmd, "expires", func() []string { return []string{"1d", "7d", "30d"} })
	_ = cmd.RegisterFlagCompletionFunc("role", env.completeActivationRole)
	return cmd
}

func (o *activationOptions) run(ctx context.Context, env *Env) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	role, err := o.check(ro)
	if err != nil {
		return err
	}
	svc, err := env.Activations(ctx)
	if err != nil {
		return err
	}
	if o.req.Role, err = checkRole(ctx, env, svc, role); err != nil {
		return err
	}
	if o.dryRun {
		env.note("would make an activation for %s until %s; nothing was made", plural(o.req.Limit, "node"), o.req.Expires.Format(time.RFC3339))
		return nil
	}
	return o.create(ctx, env, svc, ro)
}

// check looks at everything that was typed, before any call.
func (o *activationOptions) check(ro render.Options) (role activation.Role, err error) {
	if role, err = activation.ParseRole(o.role); err != nil {
		return role, err
	}
	now := time.Now()
	if o.req.Expires, err = activation.ParseExpiry(o.expires, now); err != nil {
		return role, err
	}
	if o.req.Tags, err = activation.ParseTags(o.tags); err != nil {
		return role, err
	}
	if err := o.req.Check(now); err != nil {
		return role, err
	}
	if o.platform != "" {
		if err := activation.CheckPlatform(o.platform); err != nil {
			return role, err
		}
	}
	human := slices.Contains([]render.Format{render.FormatAuto, render.FormatTable, render.FormatText}, ro.Format) && ro.Query == ""
	switch {
	case o.file != "" && o.platform == "":
		return role, fault.Usagef("--out is for a script: add --install-script PLATFORM")
	case o.platform != "" && o.file == "" && !human:
		return role, fault.Usagef("--install-script prints a script, which is not %s", orQuery(ro)).WithHint("write the script to a file with --out")
	case ro.Format == render.FormatName && o.file == "":
		return role, fault.Usagef("-o name would lose the code, which is told only once").WithHint("use -o json, or --install-script with --out")
	}
	// What is wrong with --query must not be found after the code was made.
	return role, render.Object(io.Discard, ro, activation.Created{}, func(d *render.Detail) { createdDetails(d, ro, activation.Created{}) })
}

func orQuery(ro render.Options) string {
	if ro.Query != "" {
		return "the answer of a query"
	}
	return string(ro.Format)
}

// checkRole looks at the role and returns it as the service takes it. What
// cannot be looked at is a remark.
func checkRole(ctx context.Context, env *Env, svc *activation.Service, role activation.Role) (string, error) {
	if role.Account != "" {
		scope, err := env.Scope(ctx)
		if err != nil {
			return "", err
		}
		if account, err := scope.Account(ctx); err == nil && account != role.Account {
			return "", fault.Usagef("role %s is in account %s, and the activation would be in %s", role, role.Account, account)
		}
	}
	found, err := svc.CheckRole(ctx, role)
	var unchecked *activation.Unchecked
	switch {
	case errors.As(err, &unchecked):
		env.note("ssmdeck: note: %v; the service looks at it itself", unchecked)
	case err != nil:
		if fault.KindOf(err) == fault.NotFound {
			env.note("a role for nodes is made with:\n  %s", strings.Join(activation.MakeRole(role.Name), "\n  "))
		}
		return "", err
	}
	return found.String(), nil
}

// create makes the activation and hands its code over. A file for the script is
// opened before: a code without a place to go would be lost.
func (o *activationOptions) create(ctx context.Context, env *Env, svc *activation.Service, ro render.Options) error {
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	var file *os.File
	if o.file != "" {
		if file, err = newSecretFile(o.file, o.scriptMode()); err != nil {
			return err
		}
		defer file.Close()
	}
	made, err := svc.Create(ctx, o.req)
	if err != nil {
		if file != nil {
			_ = os.Remove(o.file)
		}
		return err
	}
	if o.platform == "macos" {
		env.note("ssmdeck: note: AWS supports macOS as a managed node on EC2 only")
	}
	err = o.handOver(env, ro, made, scope.Region(), file)
	if err != nil {
		return fault.New(fault.Failed, "write the activation", "%w", err).
			WithHint("its code is lost: delete it with `ssmdeck activation delete %s`, and make another", made.ID)
	}
	env.note("follow with: ssmdeck activation watch %s", made.ID)
	return nil
}

func (o *activationOptions) scriptMode() os.FileMode {
	if o.platform == "windows" {
		return secretMode
	}
	return secretScriptMode
}

// newSecretFile makes a file that nobody else can read.
func newSecretFile(path string, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	switch {
	case errors.Is(err, os.ErrExist):
		return nil, fault.Usagef("%s exists already", path).WithHint("remove it, or choose another file")
	case err != nil:
		return nil, fault.New(fault.Usage, "write "+path, "%w", plainPathError(err))
	}
	return f, nil
}

// handOver writes the script or the activation to where it was asked for.
func (o *activationOptions) handOver(env *Env, ro render.Options, made activation.Created, region string, file *os.File) error {
	if o.platform == "" {
		hide(env, secretMode)
		return render.Object(env.Out, ro, made, func(d *render.Detail) { createdDetails(d, ro, made) })
	}
	script, err := activation.Script(o.platform, region, made)
	if err != nil {
		return err
	}
	if file == nil {
		hide(env, o.scriptMode())
		_, err := io.WriteString(env.Out, script)
		return err
	}
	if _, err := io.WriteString(file, script); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	env.note("wrote %s", o.file)
	return render.Object(env.Out, ro, made.Activation, func(d *render.Detail) { activationDetails(d, ro, made.Activation) })
}

// hide takes a file that standard output was led to from others, before a code
// is written to it.
func hide(env *Env, mode os.FileMode) {
	f, ok := env.Out.(*os.File)
	if !ok || runtime.GOOS == "windows" {
		return
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return
	}
	if f.Chmod(mode) == nil {
		env.note("made the file readable by you alone: it holds a secret")
	}
}

func createdDetails(d *render.Detail, o render.Options, c activation.Created) {
	d.ID(c.ID)
	d.Field("Activation", c.ID)
	d.Field("Code", c.Code)
	d.Field("Registers", plural(c.Limit, "node"))
	moment(d, o, "Expires", c.Expires)
	d.Field("Role", c.Role)
	d.Field("Name", c.Name)
	d.Field("Description", c.Description)
	d.Field("Tags", tagLine(c.Tags))
}

// Activations returns the service that knows hybrid activations.
func (e *Env) Activations(ctx context.Context) (*activation.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return activation.New(scope.SSM(), iam.New(scope.Config())), nil
}

// completeActivationRole completes the roles that activations have had.
func (e *Env) completeActivationRole(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionWait)
	defer cancel()
	svc, err := e.Activations(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for a, err := range svc.List(ctx, activation.Filter{}) {
		if err != nil {
			break
		}
		if !slices.Contains(words, a.Role) {
			words = append(words, a.Role)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
