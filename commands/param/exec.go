package param

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/environ"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramfile"
	"github.com/ssmdeck/ssmdeck/internal/paramtemplate"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// execOptions are the flags of param exec.
type execOptions struct {
	env       []string
	prefix    string
	noSecrets bool
	dryRun    bool
	environ.Options
}

func newExecCmd(env *cli.Env) *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec [<path>|<name>]... -- <command>...",
		Short: "Run a program with parameters in its environment",
		Long: `Run a program on this machine with parameters as variables of its environment.
SecureStrings are decrypted: the program is who they are for. They are in no
file, and in no argument list.

` + argumentsHelp + `

A parameter below a path is called by the rest of its name, in capitals and
with _ for what a variable cannot have: of /app/prod, db-url and db/url both
are DB_URL. One that is named is called by its last part. --env chooses another
name; NAME#KEY is one key of a value that is a JSON object.

Everything is read before the program starts. It is not started when a
parameter is missing, when two parameters have one name, or when the
environment is too large for the system. Parameters replace variables that are
there, which standard error says; --no-override and --strict have it otherwise.
On Unix the program takes the place of ssmdeck: signals, the terminal and the
exit status are its own.`,
		Example: `  $ ssmdeck param exec /app/prod -- ./server
  $ ssmdeck param exec /app/common /app/prod --later-wins -- ./server --port 8080

  # With nothing else in the environment but PATH and the locale
  $ ssmdeck param exec /app/prod --pristine --keep PATH --keep 'LC_*' -- ./server

  # Names of your own; a key of a secret in Secrets Manager
  $ ssmdeck param exec --env PGHOST=/app/prod/db/host --env PGPASSWORD=/aws/reference/secretsmanager/db#password -- psql

  # What would be set, without reading a value
  $ ssmdeck param exec /app/prod --dry-run`,
		Args:              cobra.ArbitraryArgs, // what stands before -- is checked below
		ValidArgsFunction: completeParamName(env, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			words, command, dash := cli.SplitDash(cmd, args)
			switch {
			case dash && len(command) == 0, !dash && !o.dryRun:
				return fault.Usagef("%s: missing the command behind --", cmd.CommandPath()).WithHint("ssmdeck param exec /app/prod -- ./server")
			case len(words) == 0 && len(o.env) == 0:
				return fault.Usagef("%s: missing a path or a name", cmd.CommandPath()).WithHint("ssmdeck param exec /app/prod -- ./server")
			}
			return o.run(cmd.Context(), env, words, command)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.env, "env", nil, "a variable of your choice: `NAME=PARAMETER` or NAME=PARAMETER#KEY")
	f.StringVar(&o.prefix, "prefix", "", "`text` before the names of variables, but those of --env")
	f.BoolVar(&o.Pristine, "pristine", false, "start from an empty environment")
	f.StringArrayVar(&o.Keep, "keep", nil, "with --pristine: keep this `variable`; * stands for any text")
	f.BoolVar(&o.NoOverride, "no-override", false, "variables that are there stay as they are")
	f.BoolVar(&o.Strict, "strict", false, "it is an error when a variable is there already")
	f.BoolVar(&o.LaterWins, "later-wins", false, "of several parameters with one name, take that of the last argument")
	f.BoolVar(&o.noSecrets, "no-secrets", false, "leave SecureStrings out")
	f.BoolVar(&o.dryRun, "dry-run", false, "list the variables; read no value and run nothing")
	return cmd
}

// variable is a variable of --env.
type variable struct {
	name, key string
	source    argument
}

func (o *execOptions) check() (variables []variable, err error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fault.Usagef(format, args...)) }
	for _, text := range o.env {
		name, target, ok := strings.Cut(text, "=")
		if !ok {
			errs = append(errs, fault.Usagef("--env %s: it is NAME=PARAMETER", text).WithHint("as in --env PGHOST=/app/prod/db/host"))
			continue
		}
		v := variable{name: name}
		target, v.key, ok = strings.Cut(target, "#")
		if err := environ.CheckName(name); err != nil {
			bad("--env: %w", err)
		}
		if ok && v.key == "" {
			bad("--env %s: there is no key behind the #", text)
		}
		if v.source, err = parseParamArgument(target); err != nil {
			bad("--env %s: %w", text, err)
		} else if v.source.name == "" {
			bad("--env %s: a path is no parameter", text)
		}
		v.source.path = ""
		variables = append(variables, v)
	}
	if o.prefix != "" {
		if err := environ.CheckName(o.prefix); err != nil {
			bad("--prefix: %w", err)
		}
	}
	if len(o.Keep) > 0 && !o.Pristine {
		bad("--keep is for --pristine: without it all variables are kept")
	}
	if o.NoOverride && o.Strict {
		bad("--no-override and --strict exclude each other")
	}
	return variables, errors.Join(errs...)
}

// execRow is a variable as --dry-run lists it. The JSON names are part of the output
// contract.
type execRow struct {
	Variable  string `json:"variable"`
	Parameter string `json:"parameter"`
	Type      string `json:"type,omitempty"`
	Effect    string `json:"effect"` // added, replaces, kept
}

func execTable(render.Options) render.Table[execRow] {
	return render.Table[execRow]{
		ID: func(r execRow) string { return r.Variable }, Empty: "no variables",
		Columns: []render.Column[execRow]{
			{Name: "VARIABLE", ID: true, Text: func(r execRow) string { return r.Variable }},
			{Name: "PARAMETER", Text: func(r execRow) string { return r.Parameter }},
			{Name: "TYPE", Text: func(r execRow) string { return r.Type }},
			{Name: "EFFECT", Text: func(r execRow) string { return r.Effect }},
		},
	}
}

func (o *execOptions) run(ctx context.Context, env *cli.Env, words, command []string) error {
	variables, err := o.check()
	if err != nil {
		return err
	}
	sources, err := parseParamArguments(words)
	if err != nil {
		return err
	}
	o.FoldCase = runtime.GOOS == "windows"
	var program *connect.Child
	if !o.dryRun {
		if program, err = connect.NewChild(env, command); err != nil { // before anything is read
			return err
		}
	}
	ro, err := cli.ListOptions(env, execTable)
	if o.dryRun && err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	added, err := o.collect(ctx, env, svc, sources, variables)
	if err != nil {
		return err
	}
	old := os.Environ()
	made, err := environ.Merge(old, added, o.Options)
	if err != nil {
		return err
	}
	if o.dryRun {
		return cli.WriteList(env, execTable, ro, execRows(made, added))
	}
	if err := made.Check(command, environ.System()); err != nil {
		return err
	}
	if len(made.Replaced) > 0 {
		env.Note("ssmdeck: note: parameters replace %s of the environment: %s", cli.Plural(len(made.Replaced), "variable"), strings.Join(made.Replaced, ", "))
	}
	return runInPlace(env, program.Path, command, made.Environ)
}

func execRows(made environ.Result, added []environ.Variable) (rows []execRow) {
	for _, v := range added {
		row := execRow{Variable: v.Name, Parameter: v.From, Type: v.Value, Effect: "added"} // no value was read: collect puts the type there
		switch {
		case slices.Contains(made.Replaced, v.Name):
			row.Effect = "replaces"
		case slices.Contains(made.Ignored, v.Name):
			row.Effect = "kept"
		case !slices.Contains(made.Added, v):
			continue // a later one wins
		}
		rows = append(rows, row)
	}
	return rows
}

// collect makes variables of the parameters that are meant. Without values, for
// --dry-run, the type stands in the place of the value.
func (o *execOptions) collect(ctx context.Context, env *cli.Env, svc *parameter.Service, sources []argument, variables []variable) ([]environ.Variable, error) {
	left := 0
	if o.noSecrets { // references cannot be asked for without decryption
		left = len(sources) + len(variables)
		sources = slices.DeleteFunc(slices.Clone(sources), func(s argument) bool { return isReference(s.name) })
		variables = slices.DeleteFunc(slices.Clone(variables), func(v variable) bool { return isReference(v.source.name) })
		left -= len(sources) + len(variables)
	}
	all := slices.Clone(sources)
	renamed := map[string]bool{} // parameters that --env names have no other name
	for _, v := range variables {
		all = append(all, v.source)
		renamed[v.source.name] = renamed[v.source.name] || v.key == ""
	}
	found, err := paramReading{values: !o.dryRun, decrypt: !o.noSecrets}.read(ctx, svc, all)
	if err != nil {
		return nil, err
	}
	var (
		out  []environ.Variable
		errs []error
	)
	add := func(name, key string, p paramFound) {
		from, value := p.asked, p.Value
		switch {
		case o.noSecrets && p.Secure():
			left++
			return
		case key != "":
			from += "#" + key
		}
		if o.dryRun {
			value = p.Type
		} else if key != "" {
			text, ok, err := paramtemplate.Field(value, key)
			if err != nil {
				errs = append(errs, fault.New(fault.NotFound, p.asked, "%w", err))
				return
			}
			if !ok {
				errs = append(errs, fault.New(fault.NotFound, "", "%s has no key %q", p.asked, key))
				return
			}
			value = text
		}
		out = append(out, environ.Variable{Name: name, Value: value, From: from})
	}
	for _, p := range found {
		if at := p.source - len(sources); at >= 0 {
			add(variables[at].name, variables[at].key, p)
		} else if !renamed[p.asked] {
			add(o.prefix+paramfile.EnvName(p.relative), "", p)
		}
	}
	if left > 0 {
		env.Note("ssmdeck: note: %s left out", cli.PluralWere(left, parameter.SecureString))
	}
	return out, errors.Join(errs...)
}
