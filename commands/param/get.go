package param

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// get is what `param get` was asked for.
type get struct {
	flags     valueFlags
	path      string
	metadata  bool
	noSecrets bool
}

func newGetCmd(env *cli.Env) *cobra.Command {
	var o get
	cmd := &cobra.Command{
		Use:     "get <name[:version | :label]>...",
		Aliases: []string{"show"},
		Short:   "Print values of parameters",
		Long: `Print the value of a parameter: its bytes and nothing else, and on a terminal a line
break behind them. Of several, or with an output format, print what they are, too. A
version or a label behind the name means that version; a full ARN means what another
account shares.

SecureStrings are read with --decrypt only, and stay hidden on a terminal without --show.
Without a name, on a terminal, you choose from a list.

Names that are not there end it with 3; when others are, these are printed, and it ends
with 6.`,
		Example: `  $ ssmdeck param get /app/prod/db-url
  $ ssmdeck param get /app/prod/db-password --decrypt | pg-login
  $ ssmdeck param get /app/prod/db-url:3 /app/prod/db-url:stable -o json
  $ ssmdeck param get --path /app/prod --decrypt --query '[].{name: name, value: value}'
  $ ssmdeck param get /app/prod/db-url --metadata
  $ ssmdeck param get /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeParamName(env, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := o.check(env, cmd, args)
			if err != nil {
				return err
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := paramTable(!o.metadata)(ro).Check(ro); err != nil {
				return err
			}
			ctx := cmd.Context()
			if len(refs) == 0 && o.path == "" {
				if refs, err = pickParam(ctx, env); err != nil {
					return err
				}
			}
			switch {
			case o.path != "":
				return o.below(ctx, env, ro)
			case o.metadata:
				return o.describe(ctx, env, ro, refs)
			}
			return o.values(ctx, env, ro, refs)
		},
	}
	o.flags.bind(cmd)
	f := cmd.Flags()
	f.StringVar(&o.path, "path", "", "all parameters below this `path`, instead of names")
	f.BoolVar(&o.metadata, "metadata", false, "show what they are, and their tags, instead of values")
	f.BoolVar(&o.noSecrets, "no-secrets", false, "leave SecureStrings out")
	_ = cmd.RegisterFlagCompletionFunc("path", completeParamPath(env, 0))
	return cmd
}

// check reads the names, all faults at once.
func (o *get) check(env *cli.Env, cmd *cobra.Command, args []string) (refs []parameter.Ref, err error) {
	var faults faultList
	if len(args) == 0 && o.path == "" && !nodechoice.CanPick(env) {
		faults = append(faults, cli.ExactArgs("the parameter's name")(cmd, args))
	}
	if len(args) > 0 && o.path != "" {
		faults = append(faults, fault.Usagef("param get: names, or --path, not both"))
	}
	if o.path != "" {
		faults.add(parameter.CheckPath(o.path))
	}
	if o.metadata {
		faults.add(o.flags.check(false))
	}
	if o.noSecrets && o.flags.reads() {
		faults = append(faults, fault.Usagef("param get: --no-secrets leaves out what --decrypt and --show are for"))
	}
	for _, text := range args {
		if parameter.IsPattern(text) {
			faults = append(faults, fault.Usagef("%q is a pattern, and no name", text).WithHint("use `ssmdeck param list %s --values`", render.ShellWord(text)))
			continue
		}
		r, err := parameter.ParseRef(text)
		faults.add(err)
		if strings.HasPrefix(r.Name, parameter.SecretPath) && !o.flags.reads() && !o.metadata {
			faults = append(faults, fault.Usagef("%s is a secret of Secrets Manager", text).WithHint("add --decrypt"))
		}
		refs = append(refs, r)
	}
	return refs, cli.AllFaults("param get", faults)
}

// values prints the values of named parameters.
func (o *get) values(ctx context.Context, env *cli.Env, ro render.Options, refs []parameter.Ref) error {
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	if len(refs) == 1 {
		p, err := svc.One(ctx, refs[0], o.flags.reads())
		switch {
		case fault.KindOf(err) == fault.NotFound:
			return missingParams(ctx, env, svc, []string{refs[0].String()}, 1)
		case err != nil:
			return err
		}
		return o.one(env, ro, p)
	}
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = r.String()
	}
	found, missing, err := svc.Get(ctx, names, o.flags.reads())
	if err != nil {
		return err
	}
	absent := missingParams(ctx, env, svc, missing, len(names))
	if len(found) == 0 {
		return absent
	}
	return errors.Join(o.write(env, ro, found, nil), absent)
}

// one prints one parameter: its value alone unless more was asked for.
func (o *get) one(env *cli.Env, ro render.Options, p parameter.Parameter) error {
	if p.Secure() && (!o.flags.reads() || o.noSecrets) {
		return secretsUnread(1, o.noSecrets, p.Name)
	}
	p = o.flags.hidden(env, p)
	var secrets secretCount
	secrets.see(p, o.flags.masks(env))
	defer secrets.say(env, &o.flags)
	if ro.Query == "" && len(ro.Columns) == 0 {
		switch ro.Format {
		case render.FormatAuto, render.FormatTable, render.FormatText:
			return writeValue(env, p.Value)
		}
	}
	if len(ro.Columns) > 0 {
		return cli.WriteList(env, paramTable(true), ro, []parameter.Parameter{p})
	}
	return render.Object(env.Out, ro, p, func(d *render.Detail) { detail(d, ro, p, true) })
}

// writeValue writes a value: as it is, and harmless on a terminal.
func writeValue(env *cli.Env, value string) error {
	_, err := io.WriteString(env.Out, cli.ForStream(env.Out, value))
	return err
}

// write prints several parameters. Without --decrypt their secrets would be missing,
// which nobody may find out later.
func (o *get) write(env *cli.Env, ro render.Options, list []parameter.Parameter, partial error) error {
	secure := func(p parameter.Parameter) bool { return p.Secure() }
	if o.noSecrets {
		list = slices.DeleteFunc(list, secure)
	} else if n := countOf(list, secure); n > 0 && !o.flags.reads() {
		return errors.Join(secretsUnread(n, false, ""), partial)
	}
	var secrets secretCount
	for i, p := range list {
		secrets.see(p, o.flags.masks(env))
		list[i] = o.flags.hidden(env, p)
	}
	err := cli.WriteSeq(env, paramTable(true), ro, cli.WithPartial(list, partial))
	secrets.say(env, &o.flags)
	return err
}

func countOf[T any](list []T, is func(T) bool) (n int) {
	for _, v := range list {
		if is(v) {
			n++
		}
	}
	return n
}

// secretsUnread is the error of values that were not asked for clearly enough.
func secretsUnread(n int, left bool, name string) error {
	switch {
	case left:
		return fault.Usagef("%s is a SecureString, and --no-secrets leaves it out", name)
	case n == 1 && name != "":
		return fault.Usagef("%s is a SecureString", name).WithHint("add --decrypt to read it")
	}
	return fault.Usagef("the values of %s would be missing", cli.Plural(n, parameter.SecureString)).
		WithHint("add --decrypt to read them, or --no-secrets to leave them out")
}

// below prints all parameters below the path.
func (o *get) below(ctx context.Context, env *cli.Env, ro render.Options) error {
	sel, err := parameter.Select(o.path)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	if o.metadata {
		list, err := findParams(ctx, env, svc, sel, false, false)
		return cli.WriteSeq(env, paramTable(false), ro, cli.WithPartial(list, err))
	}
	list, err := findParams(ctx, env, svc, sel, true, o.flags.reads())
	if err != nil { // what is denied has no value to be printed
		list = slices.DeleteFunc(list, func(p parameter.Parameter) bool { return p.Value == "" && (!p.Secure() || o.flags.reads()) })
	}
	if err == nil && len(list) == 0 {
		return fault.New(fault.NotFound, "", "there is no parameter below %s", o.path).WithHint("see what there is with `ssmdeck param tree --depth 2`")
	}
	return o.write(env, ro, list, err)
}

// describe prints what parameters are.
func (o *get) describe(ctx context.Context, env *cli.Env, ro render.Options, refs []parameter.Ref) error {
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	var names []string
	for _, r := range refs {
		switch {
		case r.Selector() != "":
			return fault.Usagef("%s: --metadata is that of the latest version", r).WithHint("see the others with `ssmdeck param history %s`", r.Name)
		case r.Shared(), strings.HasPrefix(r.Name, "/aws/"):
			return fault.Usagef("%s: --metadata is known of this account's own parameters only", r).WithHint("`ssmdeck param get %s -o json` has what there is", r)
		}
		names = append(names, r.Name)
	}
	found, missing, err := svc.Describe(ctx, names)
	if err != nil {
		return err
	}
	absent := missingParams(ctx, env, svc, missing, len(names))
	if len(found) == 0 {
		return absent
	}
	if len(names) == 1 {
		p := found[0]
		if p.Tags, err = svc.Tags(ctx, p.Name); err != nil {
			return err
		}
		return render.Object(env.Out, ro, p, func(d *render.Detail) { detail(d, ro, p, false) })
	}
	return errors.Join(cli.WriteList(env, paramTable(false), ro, found), absent)
}

// missingParams is the error of names that are not there, of so many that were asked
// for; nil when there are none. It names what may have been meant.
func missingParams(ctx context.Context, env *cli.Env, svc *parameter.Service, missing []string, asked int) error {
	if len(missing) == 0 {
		return nil
	}
	shown := strings.Join(missing[:min(len(missing), 5)], ", ")
	if more := len(missing) - 5; more > 0 {
		shown += " and " + cli.Plural(more, "other")
	}
	err := fault.New(fault.NotFound, "", "there is no parameter %s", shown)
	if len(missing) < asked {
		err = fault.New(fault.RemoteFailed, "", "%d of %s are missing: %s", len(missing), cli.Plural(asked, "parameter"), shown)
	}
	return err.WithHint("%s", missingHint(ctx, env, svc, missing[0]))
}

func missingHint(ctx context.Context, env *cli.Env, svc *parameter.Service, name string) string {
	const list = "list what there is with `ssmdeck param list`"
	r, err := parameter.ParseRef(name)
	switch {
	case err != nil || r.Shared():
		return "check that the other account shares it with this one: `ssmdeck param list --shared`"
	case r.Selector() != "":
		if p, err := svc.Exists(ctx, r.Name); err == nil {
			return fmt.Sprintf("%s has no version or label %s; the latest version is %d: `ssmdeck param history %s`", r.Name, r.Selector()[1:], p.Version, r.Name)
		}
		return list
	}
	var known []string
	if s, err := env.Settings(); err == nil && env.Opened() != nil {
		known, _, _ = parameter.Index{Dir: s.CacheDir}.Load(env.CacheKey(env.Opened()), time.Now())
	}
	if near := svc.Near(ctx, name, known); len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	return list
}

// detail is everything about one parameter.
func detail(d *render.Detail, o render.Options, p parameter.Parameter, value bool) {
	d.ID(p.Name)
	d.Field("Name", p.Name)
	if value {
		if strings.Contains(p.Value, "\n") {
			d.Block("Value", p.Value)
		} else {
			d.Field("Value", p.Value)
		}
	}
	d.Field("Type", p.Type)
	d.Field("Data type", p.DataType)
	d.Field("Version", fmt.Sprintf("%d", p.Version))
	d.Field("Selector", strings.TrimPrefix(p.Selector, ":"))
	d.Human("Modified", render.Timestamp(p.Modified), render.Local(p.Modified, o.Location))
	d.Field("ARN", p.ARN)
	if value {
		return
	}
	d.Field("Modified by", p.ModifiedBy)
	d.Field("Tier", p.Tier)
	d.Field("Key", p.KeyID)
	d.Field("Description", p.Description)
	d.Field("Allowed pattern", p.AllowedPattern)
	for _, policy := range p.Policies {
		d.Field("Policy", policy.Text)
	}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		d.Field("Tag "+key, p.Tags[key])
	}
}
