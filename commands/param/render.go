package param

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramtemplate"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// paramRenderOptions are the flags of param render.
type paramRenderOptions struct {
	valueFlags
	path, delimiters string
	out              string
	force, only      bool
	ro               render.Options
}

func renderFilterHelp() string {
	var b strings.Builder
	for _, f := range paramtemplate.Filters() {
		fmt.Fprintf(&b, "  %-13s %s\n", f[0], f[1])
	}
	return b.String()
}

func newRenderCmd(env *cli.Env) *cobra.Command {
	var o paramRenderOptions
	cmd := &cobra.Command{
		Use:   "render <template>|-",
		Short: "Put the values of parameters into a file",
		Long: `Write a template with the values of parameters in it:

  url = {{ param "/app/prod/db-url" }}
  password = {{ secret "db" "password" | shell }}
  level = {{ param "log-level" | default "info" }}

param takes a name, with :VERSION or :LABEL behind it where one is meant; a
name without a slash in front is below --path. secret takes the name of a
secret in Secrets Manager. Behind either there may be a key, of a value that is
a JSON object. A | passes the value on:

` + renderFilterHelp() + `
Everything else stays as it is, byte for byte, and so do values. {{ "{{" }}
writes two braces; --delimiters chooses other ones, for templates of other
programs.

All names are looked at before anything is written; those that are missing are
listed with their lines, and nothing is written then. A file is written as a
whole or not at all, and can be read by nobody else when a SecureString is in
it.`,
		Example: `  $ ssmdeck param render app.conf.tmpl --path /app/prod --decrypt --out app.conf
  $ ssmdeck param render values.yaml --delimiters '<< >>' --decrypt | helm upgrade app . -f -

  # Are all names there? No value is read
  $ ssmdeck param render app.conf.tmpl --path /app/prod --check`,
		Args: cobra.ExactArgs(1), // files
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if !o.only && env.Flags.Set != nil && (env.Flags.Set.Changed("output") || env.Flags.Query != "") {
				return fault.Usagef("render writes what the template says, and takes no other format").WithHint("--check lists the names that are in it, in all formats")
			}
			if o.ro, err = cli.ListOptions(env, renderTable); err != nil && o.only {
				return err
			}
			return o.run(cmd.Context(), env, args[0])
		},
	}
	f := cmd.Flags()
	o.bind(cmd)
	f.StringVar(&o.path, "path", "", "the `path` that names without a slash in front are below")
	f.StringVar(&o.out, "out", "", "write to this `file`")
	f.BoolVar(&o.force, "force", false, "with --out: replace a file that is there")
	f.StringVar(&o.delimiters, "delimiters", "", "what encloses expressions, such as `'<< >>'` (default {{ }})")
	f.BoolVar(&o.only, "check", false, "list the names and whether they are there; read no value, write nothing")
	_ = cmd.RegisterFlagCompletionFunc("path", completeParamPath(env, 0))
	return cmd
}

// parse reads the template and checks everything that can be wrong without asking.
func (o *paramRenderOptions) parse(env *cli.Env, file string) (*paramtemplate.Template, error) {
	to := paramtemplate.Options{File: filepath.Base(file), Path: o.path}
	if file == "-" {
		to.File = "standard input"
	}
	if o.path != "" {
		if err := parameter.CheckPath(o.path); err != nil {
			return nil, err
		}
	}
	if o.delimiters != "" {
		words := strings.Fields(o.delimiters)
		if len(words) != 2 || words[0] == words[1] || strings.ContainsAny(o.delimiters, `"|`) {
			return nil, fault.Usagef("--delimiters %q: there are two, with a space between them", o.delimiters).WithHint("as in --delimiters '<< >>'")
		}
		to.Open, to.Close = words[0], words[1]
	}
	if o.out != "" && !o.only {
		if err := o.file(0).Check(); err != nil {
			return nil, err
		}
	}
	if o.force && o.out == "" {
		return nil, fault.Usagef("--force is for --out")
	}
	data, err := env.ReadInput()(file)
	if err != nil {
		return nil, err
	}
	t, err := paramtemplate.Parse(data, to)
	if err != nil {
		return nil, err
	}
	return t, checkUses(t)
}

// checkUses refuses names that no parameter can have: the service says of ten names at
// once that one of them is none, and not which.
func checkUses(t *paramtemplate.Template) error {
	var errs []error
	for _, u := range t.Uses() {
		switch a, err := parseParamArgument(u.Name); {
		case err != nil:
			errs = append(errs, fault.New(fault.Usage, t.At(u), "%w", err).WithHint("%s", fault.HintOf(err)))
		case a.name == "":
			errs = append(errs, fault.New(fault.Usage, t.At(u), "%s: a path is no parameter", u.Name))
		}
	}
	return errors.Join(errs...)
}

func (o *paramRenderOptions) file(secrets int) cli.OutputFile {
	file := cli.OutputFile{Flag: "out", Path: o.out, Force: o.force, Mode: 0o644}
	if secrets > 0 {
		file.Mode = cli.SecretMode
	}
	return file
}

func (o *paramRenderOptions) run(ctx context.Context, env *cli.Env, file string) error {
	t, err := o.parse(env, file)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	if o.only {
		return o.check(ctx, env, svc, t)
	}
	var names []string
	var references []string
	for _, u := range t.Uses() {
		names = append(names, u.Name)
		if isReference(u.Name) {
			references = append(references, u.Name)
		}
	}
	if len(references) > 0 && !o.reads() { // the service has them only so
		return o.undecrypted(strings.Join(uniqueSorted(references), ", "))
	}
	names = uniqueSorted(names)
	found, missing, err := svc.Get(ctx, names, o.reads())
	if err != nil {
		return err
	}
	values, secret := map[string]string{}, map[string]bool{}
	var unread []string
	for i, name := range without(names, missing) { // found is in this order
		values[name] = found[i].Value
		if secret[name] = found[i].Secure() || isReference(name); secret[name] && !o.reads() {
			unread = append(unread, name)
		}
	}
	if len(unread) > 0 {
		if err := notThere(t, values); err != nil {
			return err
		}
		return o.undecrypted(strings.Join(unread, ", "))
	}
	text, err := t.Render(func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if err != nil {
		return err
	}
	secrets := 0
	for _, s := range secret {
		if s {
			secrets++
		}
	}
	if o.out != "" {
		if err := o.file(secrets).Write(text); err != nil {
			return err
		}
		env.Note("wrote %s", o.out)
		return nil
	}
	if secrets > 0 && o.masks(env) {
		env.Note("ssmdeck: note: %s hidden on a terminal: add --show", cli.PluralAre(secrets, "secret"))
		text, err = t.Render(func(name string) (string, bool) {
			if secret[name] {
				return maskedField(t, name), true
			}
			v, ok := values[name]
			return v, ok
		})
		if err != nil {
			return err
		}
	}
	if secrets > 0 {
		cli.Hide(env, cli.SecretMode)
	}
	if cli.IsTerminal(env.Out) && !bytes.HasSuffix(text, []byte{'\n'}) {
		text = append(text, '\n') // for the prompt behind it
	}
	_, err = env.Out.Write(text)
	return err
}

// notThere is an error for each name of a template that has no value.
func notThere(t *paramtemplate.Template, values map[string]string) error {
	var errs []error
	for _, u := range t.Uses() {
		if _, ok := values[u.Name]; !ok && !u.Optional {
			errs = append(errs, fault.New(fault.NotFound, t.At(u), "%s", paramtemplate.Missing(u.Name)))
		}
	}
	return errors.Join(errs...)
}

// maskedField is what stands for a secret on a terminal: an object where keys of it are
// asked for.
func maskedField(t *paramtemplate.Template, name string) string {
	var keys []string
	for _, u := range t.Uses() {
		if u.Name == name && u.Key != "" {
			keys = append(keys, strconv.Quote(u.Key)+`:"`+maskedValue+`"`)
		}
	}
	if len(keys) == 0 {
		return maskedValue
	}
	return "{" + strings.Join(keys, ",") + "}"
}

func (o *paramRenderOptions) undecrypted(what string) error {
	return fault.Usagef("SecureStrings are read only when asked for: %s", what).WithHint("add --decrypt")
}

func without(names, missing []string) (out []string) {
	gone := map[string]bool{}
	for _, name := range missing {
		gone[name] = true
	}
	for _, name := range names {
		if !gone[name] {
			out = append(out, name)
		}
	}
	return out
}

// renderRow is a name in a template. The JSON names are part of the output contract.
type renderRow struct {
	Name   string `json:"name"`
	Key    string `json:"key,omitempty"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	State  string `json:"state"` // found, missing, default, unknown
	Type   string `json:"type,omitempty"`
}

func renderTable(render.Options) render.Table[renderRow] {
	return render.Table[renderRow]{
		ID: func(r renderRow) string { return r.Name }, Empty: "no names in the template",
		Columns: []render.Column[renderRow]{
			{Name: "NAME", ID: true, Text: func(r renderRow) string { return r.Name }},
			{Name: "KEY", Text: func(r renderRow) string { return r.Key }},
			{Name: "LINE", Right: true, Text: func(r renderRow) string { return strconv.Itoa(r.Line) }, Less: func(a, b renderRow) bool { return a.Line < b.Line }},
			{Name: "COLUMN", Wide: true, Right: true, Text: func(r renderRow) string { return strconv.Itoa(r.Column) }},
			{Name: "TYPE", Text: func(r renderRow) string { return r.Type }},
			{Name: "STATE", Text: func(r renderRow) string { return r.State }},
		},
	}
}

// check lists the names of a template, and fails when one is missing. Names that lists
// do not have (AWS's own, ARNs, versions) cannot be looked at without their values.
func (o *paramRenderOptions) check(ctx context.Context, env *cli.Env, svc *parameter.Service, t *paramtemplate.Template) error {
	var names []string
	for _, u := range t.Uses() {
		if (argument{name: u.Name}).listed() {
			names = append(names, u.Name)
		}
	}
	types := map[string]string{}
	list, _, err := svc.Describe(ctx, uniqueSorted(names))
	if err != nil {
		return err
	}
	for _, p := range list {
		types[p.Name] = p.Type
	}
	var (
		rows             []renderRow
		missing, unknown int
	)
	for _, u := range t.Uses() {
		row := renderRow{Name: u.Name, Key: u.Key, Line: u.Line, Column: u.Column, Type: types[u.Name], State: "found"}
		switch {
		case !(argument{name: u.Name}).listed():
			row.State = "unknown"
			unknown++
		case row.Type == "" && u.Optional:
			row.State = "default"
		case row.Type == "":
			row.State = "missing"
			missing++
		}
		rows = append(rows, row)
	}
	if err := cli.WriteList(env, renderTable, o.ro, rows); err != nil {
		return err
	}
	if unknown > 0 {
		env.Note("ssmdeck: note: %s of versions, ARNs or AWS's own: only reading them says whether they are there", cli.Plural(unknown, "name"))
	}
	if missing > 0 {
		return fault.New(fault.NotFound, "", "%s that the template has %s missing", cli.Plural(missing, "name"), map[bool]string{true: "is", false: "are"}[missing == 1])
	}
	return nil
}
