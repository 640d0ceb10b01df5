package document

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/document/lint"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// checkDocument looks at a document before it is sent. Everything that create,
// update and apply send has passed through here: errors of the offline check stop
// it, warnings are told.
func (o *documentWrite) checkDocument(env *cli.Env, src document.Source, docType string) error {
	if err := src.Check(docType); err != nil || o.noValidate {
		return err
	}
	report, err := lint.Check([]byte(src.Text), lint.Options{Type: docType})
	if err != nil {
		return notADocument(src.Path, err)
	}
	var wrong []error
	for _, f := range report.Findings {
		row := finding{src.Path, f}
		switch f.Severity {
		case lint.Error:
			wrong = append(wrong, errors.New(row.line("")))
		case lint.Warning:
			env.Note("ssmdeck: warning: %s", row.line(""))
		}
	}
	const anyway = "--no-validate sends it all the same"
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		return fault.Usagef("%w", wrong[0]).WithHint(anyway)
	default:
		return fault.Usagef("%s cannot be sent:\n  %s", src.Path, cli.JoinLines(wrong)).WithHint(anyway)
	}
}

// documentWrite is what create, update and apply share.
type documentWrite struct {
	file        string
	docType     string
	format      string
	versionName string
	displayName string
	targetType  string
	attach      []string
	attachTo    string
	requires    []string
	tags        []string
	setDefault  bool
	noValidate  bool
	dryRun      bool
	wait        time.Duration
}

// bind declares the flags; fresh adds those that only a new document takes.
func (o *documentWrite) bind(cmd *cobra.Command, fresh, old bool) {
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`format` of the file: yaml, json, text (default: as it looks)")
	f.StringVar(&o.versionName, "version-name", "", "`name` for the version")
	f.StringVar(&o.displayName, "display-name", "", "`name` shown to people")
	f.StringVar(&o.targetType, "target-type", "", "`type` of resource it is for, such as /AWS::EC2::Instance")
	f.StringArrayVar(&o.attach, "attach", nil, "attach `what`: s3://BUCKET/FOLDER, NAME=s3://BUCKET/KEY, Key=…,Values=…,Name=…, or a file here; repeat for more")
	f.StringVar(&o.attachTo, "attach-to", "", "where files of this machine are put first: `s3://BUCKET[/PREFIX]`")
	if fresh {
		f.StringVar(&o.docType, "type", "", "`type` of document (default: as it looks): Command, Automation, Session, Policy, Package, …")
		cli.BindTags(f, &o.tags, "a new document")
		f.StringArrayVar(&o.requires, "requires", nil, "document it needs, as `NAME[:VERSION]`; repeat for more")
		completeTypes(cmd)
	}
	if old {
		f.BoolVar(&o.setDefault, "set-default", false, "make the version the default one")
	}
	f.BoolVar(&o.noValidate, "no-validate", false, "send it whatever the offline check says")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change and change nothing")
	f.DurationVar(&o.wait, "wait", 2*time.Minute, "stop waiting for the service to take it in after `duration` (exit 8)")
	cli.CompleteFlag(cmd, "format", func() []string { return []string{"yaml", "json", "text"} })
}

// wanted turns flags and a file into a document as it shall be.
func (o *documentWrite) wanted(env *cli.Env, name, path string) (document.Wanted, error) {
	w := document.Wanted{
		Name: name, Type: o.docType, VersionName: o.versionName, DisplayName: o.displayName,
		TargetType: o.targetType, SetDefault: o.setDefault,
	}
	format, err := document.ParseFormat(o.format)
	if err != nil {
		return w, err
	}
	if w.Type != "" {
		if w.Type, err = document.ParseType(w.Type); err != nil {
			return w, err
		}
	}
	if w.VersionName != "" {
		if ref, err := document.ParseRef(w.VersionName); err != nil || ref.Name == "" {
			return w, fault.Usagef("--version-name %q cannot be the name of a version", w.VersionName).
				WithHint("a name has letters, digits, _ - and ., up to 128, and is no number")
		}
	}
	if w.Attachments, err = document.ParseAttachments(o.attach); err != nil {
		return w, err
	}
	if err := o.checkUploads(w.Attachments); err != nil {
		return w, err
	}
	for _, s := range o.requires {
		r, err := document.ParseRequires(s)
		if err != nil {
			return w, err
		}
		w.Requires = append(w.Requires, r)
	}
	for _, t := range o.tags {
		key, value, ok := cli.CutPair(t)
		if !ok {
			return w, fault.Usagef("--tags %q is not of the form KEY=VALUE", t)
		}
		w.Tags = append(w.Tags, document.Tag{Key: key, Value: value})
	}
	data, err := env.ReadFile(path)
	if err != nil {
		return w, err
	}
	if w.Source, err = document.ReadSource(path, data, format); err != nil {
		return w, err
	}
	if w.Name == "" {
		w.Name = w.Source.Name()
	}
	if err := document.CheckName(w.Name); err != nil {
		return w, err
	}
	kind := w.Type
	if kind == "" {
		kind = w.Source.Type()
	}
	return w, o.checkDocument(env, w.Source, kind)
}

func newCreateCmd(env *cli.Env) *cobra.Command {
	var o documentWrite
	cmd := &cobra.Command{
		Use:   "create <name> -f <file>",
		Short: "Create a document",
		Long: `Create a document from a file, and wait until it can be used. The type follows
from the content where it can be told from that; a Policy has to be named.

` + attachHelp,
		Example: `  $ ssmdeck document create restart -f restart.yaml
  $ ssmdeck document create inventory --type Policy -f inventory.yaml --tags team=ops
  $ ssmdeck document create my-agent --type Package -f manifest.json --attach s3://packages/my-agent --version-name 1.0.0`,
		Args: cli.ExactArgs("the document's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.one(cmd, env, args[0], func(p document.Plan) error {
				if p.Action != document.Created {
					return fault.New(fault.Failed, "create document "+args[0], "there is a document of that name already").
						WithHint("change it with `ssmdeck document update %s -f %s`", args[0], o.file)
				}
				return nil
			})
		},
	}
	cli.BindFile(cmd, &o.file)
	o.bind(cmd, true, false)
	return cmd
}

const attachHelp = `--attach names files in S3 that the service takes in with the document: a folder
(s3://BUCKET/FOLDER), one file (NAME=s3://BUCKET/KEY), a file of another
document (NAME=DOCUMENT/VERSION/NAME), or the form of the AWS CLI. A file of this
machine is first put into the bucket of --attach-to.`

func newUpdateCmd(env *cli.Env) *cobra.Command {
	var o documentWrite
	cmd := &cobra.Command{
		Use:   "update <name> -f <file>",
		Short: "Write a new version of a document",
		Long: `Write a new version of a document on top of the latest, and wait until it can be
used. When somebody else has written one meanwhile, nothing is changed. The same
content again is no change. --set-default makes the version the one in use, and
asks.

` + attachHelp,
		Example: `  $ ssmdeck document update restart -f restart.yaml
  $ ssmdeck document update restart -f restart.yaml --version-name v2 --set-default --yes
  $ ssmdeck document update restart -f restart.yaml --dry-run`,
		Args:              cli.ExactArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.one(cmd, env, args[0], func(p document.Plan) error {
				if p.Action == document.Created {
					return fault.New(fault.NotFound, "update document "+args[0], "there is no such document").
						WithHint("make it with `ssmdeck document create %s -f %s`", args[0], o.file)
				}
				return nil
			})
		},
	}
	cli.BindFile(cmd, &o.file)
	o.bind(cmd, false, true)
	return cmd
}

// one creates or updates a single document; allow says whether the plan is what the
// command is for.
func (o *documentWrite) one(cmd *cobra.Command, env *cli.Env, name string, allow func(document.Plan) error) error {
	if o.file == "" {
		return fault.Usagef("%s: missing the file: -f", cmd.CommandPath()).WithHint("usage: %s", cli.UsageLine(cmd))
	}
	w, err := o.wanted(env, name, o.file)
	if err != nil {
		return err
	}
	return o.carry(cmd.Context(), env, []document.Wanted{w}, allow)
}

func newApplyCmd(env *cli.Env) *cobra.Command {
	var (
		o         documentWrite
		files     []string
		name      string
		recursive bool
	)
	cmd := &cobra.Command{
		Use:   "apply -f <file>...",
		Short: "Create documents or update them; no change when they are so already",
		Long: `Make documents what files say: create those that do not exist, write a new version
where the content differs in meaning, leave the rest alone. A folder stands for
its YAML and JSON files. The name of a document is that of its file, without the
extension; --name gives another to a single one.

All files are read and checked before anything is sent. --dry-run shows the
differences. One document that fails does not stop the others (status 6).
--set-default makes what is written the default version, and asks.`,
		Example: `  $ ssmdeck document apply -f restart.yaml
  $ ssmdeck document apply -f documents/ --dry-run
  $ ssmdeck document apply -f a.yaml -f b.yaml --set-default --yes
  $ ssmdeck document apply -f - --name restart < restart.yaml`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			paths, err := documentFiles(files, recursive)
			switch {
			case err != nil:
				return err
			case len(files) == 0:
				return fault.Usagef("%s: missing the file: -f", cmd.CommandPath()).WithHint("usage: %s", cli.UsageLine(cmd))
			case len(paths) == 0:
				return fault.Usagef("there are no YAML or JSON files in %s", strings.Join(files, ", "))
			case name != "" && len(paths) > 1:
				return fault.Usagef("document apply: --name is for one file, and there are %d", len(paths))
			case name == "" && slices.Contains(paths, "-"):
				return fault.Usagef("document apply: standard input has no name: give it one with --name")
			}
			return o.apply(cmd.Context(), env, paths, name)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "a `file` or a folder; - is standard input; repeat for more")
	cmd.Flags().StringVar(&name, "name", "", "`name` of the document (default: that of the file)")
	cmd.Flags().BoolVarP(&recursive, "recursive", "R", false, "also the folders in a folder")
	o.bind(cmd, true, true)
	return cmd
}

// documentFiles are the files meant by names of files and folders, each once.
func documentFiles(names []string, recursive bool) ([]string, error) {
	var paths []string
	add := func(path string) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case name == "-":
			add(name)
			continue
		case err != nil:
			return nil, fault.New(fault.Usage, "read "+name, "%w", cli.PlainPathError(err))
		case !info.IsDir():
			add(name)
			continue
		}
		err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			hidden := path != name && strings.HasPrefix(d.Name(), ".")
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != name && (!recursive || hidden):
				return fs.SkipDir
			case d.IsDir(), hidden, !slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(path))):
				return nil
			}
			add(path)
			return nil
		})
		if err != nil {
			return nil, fault.New(fault.Usage, "read "+name, "%w", cli.PlainPathError(err))
		}
	}
	return paths, nil
}

func (o *documentWrite) apply(ctx context.Context, env *cli.Env, paths []string, name string) error {
	var (
		all    []document.Wanted
		faults []error
		from   = map[string]string{}
	)
	for _, path := range paths {
		w, err := o.wanted(env, name, path)
		if err == nil && from[w.Name] != "" {
			err = fault.Usagef("%s and %s are both called %s", from[w.Name], path, w.Name)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		from[w.Name] = path
		all = append(all, w)
	}
	switch {
	case len(faults) == 1 && len(paths) == 1:
		return faults[0]
	case len(faults) > 0:
		return fault.Usagef("%d of %d files cannot be applied; nothing was sent:\n  %s", len(faults), len(paths), cli.JoinLines(faults))
	}
	return o.carry(ctx, env, all, func(document.Plan) error { return nil })
}

// planned is a row of a dry run.
type planned struct {
	document.Outcome
	Diff string `json:"diff,omitempty"`
}

// carry plans all, asks where a default changes, and does it.
func (o *documentWrite) carry(ctx context.Context, env *cli.Env, all []document.Wanted, allow func(document.Plan) error) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	svc, err := env.Documents(ctx)
	if err != nil {
		return err
	}
	var (
		plans    []document.Plan
		faults   []error
		defaults []string
	)
	for _, w := range all {
		p, err := svc.Plan(ctx, w)
		if err == nil {
			err = allow(p)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			faults = append(faults, err)
			continue
		}
		plans = append(plans, p)
		if o.setDefault && (p.Action == document.Updated || p.Action == document.Defaulted) {
			defaults = append(defaults, p.Wanted.Name)
		}
	}
	if o.dryRun {
		if err := showPlans(env, ro, plans); err != nil {
			return err
		}
		return cli.MoreThanOne("plan documents", faults, len(all))
	}
	if len(defaults) > 0 {
		what := fmt.Sprintf("change the default version of %s, which later runs use", cli.SomeOf(defaults, 5))
		if err := env.Confirm(ctx, what); err != nil {
			return err
		}
	}
	var done []document.Outcome
	for _, p := range plans {
		out, err := o.carryOne(ctx, env, svc, p)
		if err != nil {
			faults = append(faults, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		o.left(env, p, out)
		if out.Action == document.Unchanged && out.Version == "" {
			env.Note("ssmdeck: the service says that a version of %s has this content already", out.Name)
		}
		if p.Action == document.Updated && !o.setDefault && out.Action == document.Updated {
			env.Note("version %s of %s is not the default, which is %s: `ssmdeck document set-default %s %s`", out.Version, out.Name, out.Default, out.Name, out.Version)
		}
		done = append(done, out)
	}
	if len(done) > 0 || len(faults) == 0 {
		if err := cli.WriteList(env, outcomeTable, ro, done); err != nil {
			return err
		}
	}
	return cli.MoreThanOne("apply documents", faults, len(all))
}

// left says which flags had nothing to do.
func (o *documentWrite) left(env *cli.Env, p document.Plan, out document.Outcome) {
	if p.Action != document.Created && len(o.tags)+len(o.requires) > 0 {
		env.Note("ssmdeck: --tags and --requires are for new documents, and %s exists: they were left out", out.Name)
	}
	if o.versionName != "" && out.Action != document.Created && out.Action != document.Updated {
		env.Note("ssmdeck: no version of %s was written, so none is called %s", out.Name, o.versionName)
	}
}

// carryOne uploads what has to be and does what a plan says.
func (o *documentWrite) carryOne(ctx context.Context, env *cli.Env, svc *document.Service, p document.Plan) (document.Outcome, error) {
	if o.attachTo != "" {
		to, err := document.ParseBucket(o.attachTo)
		if err != nil {
			return document.Outcome{}, err
		}
		uploads, err := openUploads(ctx, env)
		if err != nil {
			return document.Outcome{}, err
		}
		if p.Wanted.Attachments, err = uploads.Put(ctx, to, p.Wanted.Attachments); err != nil {
			return document.Outcome{}, err
		}
	}
	one, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	return svc.Carry(one, p)
}

// checkUploads holds files of this machine against --attach-to.
func (o *documentWrite) checkUploads(files []document.AttachmentSource) error {
	local := ""
	for _, a := range files {
		if a.Local != "" {
			local = a.Local
		}
	}
	switch {
	case local != "" && o.attachTo == "":
		return fault.Usagef("--attach %s is a file of this machine, which has to be put into S3 first", local).
			WithHint("name a bucket with --attach-to s3://BUCKET/PREFIX")
	case o.attachTo == "":
		return nil
	case local == "":
		return fault.Usagef("--attach-to goes with --attach and a file of this machine")
	}
	_, err := document.ParseBucket(o.attachTo)
	return err
}

// showPlans prints what would be done: for people the differences, else rows.
func showPlans(env *cli.Env, ro render.Options, plans []document.Plan) error {
	var rows []planned
	for _, p := range plans {
		rows = append(rows, planned{
			Outcome: document.Outcome{
				Name: p.Wanted.Name, Type: p.Wanted.Type, Action: p.Action, Version: p.Now.Version,
				Default: p.Now.DefaultVersion, Path: p.Wanted.Source.Path,
			},
			Diff: strings.Join(p.Diff(), "\n"),
		})
	}
	if ro.Query != "" || !slices.Contains([]render.Format{render.FormatAuto, render.FormatTable, render.FormatText}, ro.Format) {
		return cli.WriteList(env, planTable, ro, rows)
	}
	for i, p := range plans {
		env.Note("%s %s (%s) from %s", would(p.Action), p.Wanted.Name, p.Wanted.Type, p.Wanted.Source.Path)
		if err := cli.WriteDiff(env, ro, p.Diff()); err != nil {
			return err
		}
		if i == len(plans)-1 {
			env.Note("nothing was changed")
		}
	}
	return nil
}

func would(a document.Action) string {
	switch a {
	case document.Created:
		return "would create"
	case document.Updated:
		return "would update"
	case document.Defaulted:
		return "would make the latest version the default of"
	case document.Unchanged:
	}
	return "no change to"
}

func outcomeColumns[T any](o render.Options, of func(T) document.Outcome) []render.Column[T] {
	return []render.Column[T]{
		{
			Name: "RESULT", Text: func(r T) string { return string(of(r).Action) },
			Human: func(r T) string {
				if of(r).Action == document.Unchanged {
					return o.Styles.Dim.Render(string(of(r).Action))
				}
				return o.Styles.Good.Render(string(of(r).Action))
			},
		},
		{Name: "NAME", ID: true, Text: func(r T) string { return of(r).Name }},
		{Name: "TYPE", Text: func(r T) string { return of(r).Type }},
		{Name: "VERSION", Text: func(r T) string { return of(r).Version }},
		{Name: "DEFAULT", Text: func(r T) string { return of(r).Default }},
		{Name: "PREVIOUS", Wide: true, Text: func(r T) string { return of(r).Previous }},
		{Name: "FILE", Wide: true, Text: func(r T) string { return of(r).Path }},
	}
}

func outcomeTable(o render.Options) render.Table[document.Outcome] {
	return render.Table[document.Outcome]{
		ID: func(r document.Outcome) string { return r.Name }, Empty: "nothing was done",
		Columns: outcomeColumns(o, func(r document.Outcome) document.Outcome { return r }),
	}
}

func planTable(o render.Options) render.Table[planned] {
	return render.Table[planned]{
		ID: func(r planned) string { return r.Name }, Empty: "nothing would be done",
		Columns: outcomeColumns(o, func(r planned) document.Outcome { return r.Outcome }),
	}
}
