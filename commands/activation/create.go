package activation

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/activation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// secretScriptMode is that of a script with the code of an activation in it.
const secretScriptMode os.FileMode = 0o700

// options are those of `activation create`.
type options struct {
	role     string
	expires  string
	tags     []string
	platform string
	file     string
	dryRun   bool

	req activation.Request
}

func newCreateCmd(env *cli.Env) *cobra.Command {
	var o options
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
		Args: cli.NoArgs,
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
	cli.BindTags(f, &o.tags, "the nodes")
	f.StringVar(&o.platform, "install-script", "", "print a script for this `platform`: linux, windows, macos, raspbian")
	f.StringVar(&o.file, "out", "", "write the script to a new `file`, for its owner alone")
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything, make nothing")
	cli.CompleteFlag(cmd, "install-script", activation.Platforms)
	cli.CompleteFlag(cmd, "expires", func() []string { return []string{"1d", "7d", "30d"} })
	_ = cmd.RegisterFlagCompletionFunc("role", completeActivationRole(env))
	return cmd
}

func (o *options) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	role, err := o.check(ro)
	if err != nil {
		return err
	}
	svc, err := openActivations(ctx, env)
	if err != nil {
		return err
	}
	if o.req.Role, err = checkRole(ctx, env, svc, role); err != nil {
		return err
	}
	if o.dryRun {
		env.Note("would make an activation for %s until %s; nothing was made", cli.Plural(o.req.Limit, "node"), o.req.Expires.Format(time.RFC3339))
		return nil
	}
	return o.create(ctx, env, svc, ro)
}

// check looks at everything that was typed, before any call.
func (o *options) check(ro render.Options) (role activation.Role, err error) {
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
func checkRole(ctx context.Context, env *cli.Env, svc *activation.Service, role activation.Role) (string, error) {
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
		env.Note("ssmdeck: note: %v; the service looks at it itself", unchecked)
	case err != nil:
		if fault.KindOf(err) == fault.NotFound {
			env.Note("a role for nodes is made with:\n  %s", strings.Join(activation.MakeRole(role.Name), "\n  "))
		}
		return "", err
	}
	return found.String(), nil
}

// create makes the activation and hands its code over. A file for the script is
// opened before: a code without a place to go would be lost.
func (o *options) create(ctx context.Context, env *cli.Env, svc *activation.Service, ro render.Options) error {
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	var file *os.File
	if o.file != "" {
		if file, err = cli.NewSecretFile(o.file, o.scriptMode()); err != nil {
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
		env.Note("ssmdeck: note: AWS supports macOS as a managed node on EC2 only")
	}
	err = o.handOver(env, ro, made, scope.Region(), file)
	if err != nil {
		return fault.New(fault.Failed, "write the activation", "%w", err).
			WithHint("its code is lost: delete it with `ssmdeck activation delete %s`, and make another", made.ID)
	}
	env.Note("follow with: ssmdeck activation watch %s", made.ID)
	return nil
}

func (o *options) scriptMode() os.FileMode {
	if o.platform == "windows" {
		return cli.SecretMode
	}
	return secretScriptMode
}

// handOver writes the script or the activation to where it was asked for.
func (o *options) handOver(env *cli.Env, ro render.Options, made activation.Created, region string, file *os.File) error {
	if o.platform == "" {
		cli.Hide(env, cli.SecretMode)
		return render.Object(env.Out, ro, made, func(d *render.Detail) { createdDetails(d, ro, made) })
	}
	script, err := activation.Script(o.platform, region, made)
	if err != nil {
		return err
	}
	if file == nil {
		cli.Hide(env, o.scriptMode())
		_, err := io.WriteString(env.Out, script)
		return err
	}
	if _, err := io.WriteString(file, script); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	env.Note("wrote %s", o.file)
	return render.Object(env.Out, ro, made.Activation, func(d *render.Detail) { details(d, ro, made.Activation) })
}

func createdDetails(d *render.Detail, o render.Options, c activation.Created) {
	d.ID(c.ID)
	d.Field("Activation", c.ID)
	d.Field("Code", c.Code)
	d.Field("Registers", cli.Plural(c.Limit, "node"))
	cli.Moment(d, o, "Expires", c.Expires)
	d.Field("Role", c.Role)
	d.Field("Name", c.Name)
	d.Field("Description", c.Description)
	d.Field("Tags", cli.TagLine(c.Tags))
}

// openActivations returns the service that knows hybrid activations.
func openActivations(ctx context.Context, env *cli.Env) (*activation.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return activation.New(scope.SSM(), iam.New(scope.Config())), nil
}

// completeActivationRole completes the roles that activations have had.
func completeActivationRole(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := openActivations(ctx, env)
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
}
