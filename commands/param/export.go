package param

import (
	"bytes"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramfile"
)

// export are the flags of `param export`.
type export struct {
	choice   paramSelect
	values   valueFlags
	without  bool
	file     string
	force    bool
	format   string
	strip    string
	keys     string
	tags     bool
	encoding paramfile.Options
}

func newExportCmd(env *cli.Env) *cobra.Command {
	var o export
	cmd := &cobra.Command{
		Use:   "export <path | name | pattern>",
		Short: "Write parameters as a file: JSON, YAML, dotenv, shell, CSV, tfvars, Secret, properties",
		Long: `Write the parameters below a path, sorted by name, as text that ` + "`param import`" + ` and
` + "`param diff`" + ` read back to the byte.

The format is that of --format, or of the file's name; without both it is JSON.
json, yaml and csv have everything: type, tier, key, description, pattern, data
type, policies, and with --with-tags tags. --plain is names and values only. In the
other formats names become variables, /app/prod/db-url below /app/prod DB_URL, and
a comment in front of each keeps its name and type; --bare leaves comments out. Two
names that would be one variable are an error. k8s is a Secret of Kubernetes.

SecureStrings are written only with --decrypt. Without it, nothing is written when
there are any, unless --no-secrets leaves them out. A file is private (mode 0600)
and there as a whole or not at all.`,
		Example: `  $ ssmdeck param export /app/prod > prod.json
  $ ssmdeck param export /app/prod -f prod.env --decrypt
  $ ssmdeck param export /app/prod --format shell --decrypt > vars.sh
  $ ssmdeck param export /app/prod --format k8s --keys upper --decrypt --namespace web | kubectl apply -f -
  $ ssmdeck param export / -f all.csv --strip / --no-secrets --type string`,
		Args:              cli.ExactArgs("a path, such as /app/prod"),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("output") {
				return fault.Usagef("param export writes files, and takes --format instead of --output").WithHint("add --format and one of %s", paramfile.Words())
			}
			return o.run(cmd, env, args[0])
		},
	}
	o.choice.bind(cmd)
	o.values.bind(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.without, "no-secrets", false, "leave SecureStrings out")
	f.StringVarP(&o.file, "file", "f", "", "write to `file`; without it to standard output")
	f.BoolVar(&o.force, "force", false, "replace the file when it exists")
	f.StringVar(&o.format, "format", "", "`format` of the file: "+paramfile.Words())
	f.StringVar(&o.strip, "strip", "", "`path` that names in the file are relative to; / keeps whole names")
	f.StringVar(&o.keys, "keys", "", "`case` of variables: upper, or keep")
	f.BoolVar(&o.tags, "with-tags", false, "read tags, too: one call for each parameter")
	f.BoolVar(&o.encoding.Plain, "plain", false, "json, yaml: names and values only")
	f.BoolVar(&o.encoding.Bare, "bare", false, "no comments or annotations with names and types")
	f.StringVar(&o.encoding.Secret, "secret-name", "", "k8s: `name` of the Secret; without it the path with dashes")
	f.StringVar(&o.encoding.Namespace, "namespace", "", "k8s: `namespace` of the Secret")
	cli.CompleteFlag(cmd, "format", formatWords)
	cli.CompleteFlag(cmd, "keys", func() []string { return []string{string(paramfile.KeysUpper), string(paramfile.KeysKeep)} })
	return cmd
}

func formatWords() (words []string) {
	for _, f := range paramfile.Formats {
		words = append(words, string(f))
	}
	return words
}

// check reads the flags that do not need the account; all that is wrong is said.
func (o *export) check(env *cli.Env, where string) (f paramfile.Format, sel parameter.Selection, err error) {
	var faults faultList
	f = paramfile.JSON
	switch {
	case o.format != "":
		f, err = paramfile.ParseFormat(o.format)
		faults.add(err)
	case o.file != "":
		f, err = paramfile.Guess(o.file)
		faults.add(err)
	}
	switch k := paramfile.Keys(o.keys); k {
	case paramfile.KeysAuto, paramfile.KeysUpper, paramfile.KeysKeep:
		o.encoding.Keys = k
	default:
		faults.add(fault.Usagef("--keys %q is neither upper nor keep", o.keys))
	}
	if f != "" {
		faults.add(o.fits(f))
	}
	sel, err = o.choice.selection(where, time.Now())
	faults.add(err)
	if o.strip != "" && o.strip != "/" {
		faults.add(parameter.CheckPath(o.strip))
	}
	switch {
	case o.without && o.values.reads():
		faults.add(fault.Usagef("--no-secrets and --decrypt exclude each other"))
	case o.values.reads() && o.file == "" && o.values.masks(env):
		faults.add(fault.Usagef("the secrets would stand on the screen").WithHint("write them to a file with -f, or add --show"))
	case o.file == "" && o.force:
		faults.add(fault.Usagef("--force is about a file, and none is named").WithHint("name one with -f"))
	}
	if o.file != "" {
		faults.add(o.output().Check())
	}
	return f, sel, cli.AllFaults("export parameters", faults)
}

// fits refuses flags that mean nothing to a format.
func (o *export) fits(f paramfile.Format) error {
	detailed := f == paramfile.JSON || f == paramfile.YAML
	flat := !detailed && f != paramfile.CSV
	switch {
	case o.encoding.Plain && !detailed:
		return fault.Usagef("--plain is for json and yaml, not for %s", f)
	case o.encoding.Bare && !flat:
		return fault.Usagef("--bare is for formats with comments, not for %s", f)
	case o.keys != "" && !flat:
		return fault.Usagef("--keys is for formats with variables; %s has whole names", f)
	case (o.encoding.Secret != "" || o.encoding.Namespace != "") && f != paramfile.K8s:
		return fault.Usagef("--secret-name and --namespace are for k8s, not for %s", f)
	case o.tags && (flat || o.encoding.Plain):
		return fault.Usagef("--with-tags is for json, yaml and csv: there is no room for them here")
	}
	return nil
}

func (o *export) output() cli.OutputFile {
	return cli.OutputFile{Flag: "file", Path: o.file, Force: o.force, Mode: cli.SecretMode}
}

func (o *export) run(cmd *cobra.Command, env *cli.Env, where string) error {
	ctx := cmd.Context()
	f, sel, err := o.check(env, where)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	detailed := !o.encoding.Plain && (f == paramfile.JSON || f == paramfile.YAML || f == paramfile.CSV)
	sel.ValuesOnly = !detailed
	list, err := readParams(ctx, env, svc, sel, o.values.reads(), "read parameters")
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return nothingBelow(where)
	}
	list, left, err := secretRule{o.values.reads(), o.without}.apply(list, "the file")
	if err != nil {
		return err
	}
	if detailed {
		warnWithoutMetadata(env, sel, list)
	}
	if o.tags {
		if list, err = withTags(ctx, env, svc, list); err != nil {
			return err
		}
	}
	if o.encoding.Root = paramRoot(where, sel, list); o.strip != "" {
		o.encoding.Root = o.strip
	}
	if err := o.write(env, f, list); err != nil {
		return err
	}
	if keys := paramfile.ShellOwn(f, list, o.encoding); len(keys) > 0 {
		env.Note("ssmdeck: warning: shells go by these variables themselves, or do not let them be set: %s", cli.SomeOf(keys, 5))
	}
	if left > 0 {
		env.Note("%s left out", cli.Plural(left, parameter.SecureString))
	}
	if o.file != "" {
		env.Note("%s written to %s", cli.Plural(len(list), "parameter"), o.file)
	}
	return nil
}

// write encodes the parameters to where they were wanted.
func (o *export) write(env *cli.Env, f paramfile.Format, list []parameter.Parameter) error {
	if o.file == "" {
		if o.values.reads() {
			cli.Hide(env, cli.SecretMode)
		}
		return paramfile.Encode(env.Out, f, list, o.encoding) // it writes nothing when something is wrong
	}
	var b bytes.Buffer
	if err := paramfile.Encode(&b, f, list, o.encoding); err != nil {
		return err
	}
	return o.output().Write(b.Bytes())
}
