package window

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newExportCmd(env *cli.Env) *cobra.Command {
	secrets := false
	cmd := &cobra.Command{
		Use:   "export [<window>...]",
		Short: "Write windows with their targets and tasks as a file for apply",
		Long: `Write windows, all or those that are named, as YAML that plan and apply read. There
are no ids in it: targets and tasks are called by their names, or by what they
select and run.

Payloads, inputs and parameters whose names say that they are secrets are not
written. In their place stands the name of a variable of the environment, which
apply reads; --show-payload writes them.`,
		Example: `  $ ssmdeck window export > windows.yaml
  $ ssmdeck window export weekly-patch --show-payload > weekly-patch.yaml`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeWindows(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return exportWindows(cmd.Context(), env, args, secrets)
		},
	}
	cmd.Flags().BoolVar(&secrets, "show-payload", false, "write payloads, inputs and secret parameters")
	return cmd
}

func exportWindows(ctx context.Context, env *cli.Env, exprs []string, secrets bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if ro.Format != render.FormatAuto && ro.Format != render.FormatYAML || ro.Query != "" {
		return fault.Usagef("export writes YAML and takes no other format").WithHint("`ssmdeck window get WINDOW -o json` has a window for programs")
	}
	svc, err := openWindows(ctx, env)
	if err != nil {
		return err
	}
	list, err := namedWindows(ctx, svc, exprs)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b window.Window) int { return strings.Compare(a.Name, b.Name) })
	known, err := svc.ReadAll(ctx, list, window.Read{Settings: true, Targets: true, Tasks: true, Details: true, Tags: true})
	if err != nil {
		return err
	}
	var all []window.Desired
	for _, k := range known {
		d, lost := window.Describe(k)
		for _, text := range lost {
			env.Note("ssmdeck: warning: %s; it is left out", render.Visible(text))
		}
		all = append(all, d)
	}
	data, variables, err := window.Export(all, secrets)
	if err != nil {
		return err
	}
	if _, err := env.Out.Write(data); err != nil {
		return err
	}
	if len(variables) > 0 {
		env.Note("%s not written; apply reads them from the environment: %s", cli.Plural(len(variables), "secret"), strings.Join(variables, ", "))
	}
	return nil
}

// windowFile are the flags of plan and apply.
type windowFile struct {
	file  string
	prune bool
}

func (o *windowFile) bind(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.file, "file", "f", "", "the windows, from `file`; - is standard input")
	cmd.Flags().BoolVar(&o.prune, "prune", false, "delete targets and tasks of these windows that are not in the file")
}

// plan reads the file and compares it with the account.
func (o *windowFile) plan(ctx context.Context, env *cli.Env, cmd string) (*window.Service, window.Plan, error) {
	if o.file == "" {
		return nil, window.Plan{}, fault.Usagef("%s: missing -f", cmd).WithHint("`ssmdeck window export > windows.yaml` writes such a file")
	}
	data, err := env.ReadFile(o.file)
	if err != nil {
		return nil, window.Plan{}, err
	}
	from := window.Source{File: secretFile(filepath.Dir(o.file)), Env: env.Lookup}
	if o.file == "-" {
		from.File = secretFile(".")
	}
	list, err := window.ParseFile(o.file, data, from, time.Now())
	if err != nil {
		return nil, window.Plan{}, err
	}
	if err := checkParameters(ctx, env, o.file, list); err != nil {
		return nil, window.Plan{}, err
	}
	svc, err := openWindows(ctx, env)
	if err != nil {
		return nil, window.Plan{}, err
	}
	p, err := svc.Plan(ctx, list, o.prune)
	return svc, p, err
}

// secretFile reads a file that stands beside the file of windows.
func secretFile(dir string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, cli.PlainPathError(err))
		}
		defer f.Close()
		data, err := cli.ReadBounded(path, f)
		return []byte(strings.TrimRight(string(data), "\r\n")), err
	}
}

// checkParameters holds the parameters of tasks against their documents, all faults
// at once.
func checkParameters(ctx context.Context, env *cli.Env, path string, list []window.Desired) error {
	var errs []error
	type key struct {
		kind         window.Type
		run, version string
	}
	known := map[key]func() (*document.Document, error){} // each document is asked for once
	describe := func(t window.Task) (*document.Document, error) {
		k := key{t.Type, t.Run, t.DocumentVersion}
		if known[k] == nil {
			known[k] = sync.OnceValues(func() (*document.Document, error) { return taskDocument(ctx, env, t) })
		}
		return known[k]()
	}
	for _, w := range list {
		for _, t := range w.Tasks {
			doc, err := describe(t.Task)
			if err == nil && doc != nil {
				err = document.CheckParams(*doc, t.Parameters)
			}
			if err != nil {
				if k := fault.KindOf(err); k != fault.Usage && k != fault.NotFound {
					return err
				}
				errs = append(errs, fmt.Errorf("%s:%d: window %s, task %s: %w", path, w.Line, w.Name, t.Key, err))
			}
		}
	}
	if len(errs) > 0 {
		return &fault.Error{Kind: fault.Usage, Err: errors.Join(errs...), Hint: fault.HintOf(errs[0])}
	}
	return nil
}

func newPlanCmd(env *cli.Env) *cobra.Command {
	var o windowFile
	cmd := &cobra.Command{
		Use:   "plan -f <file>",
		Short: "Show what apply would change, and change nothing",
		Long: `Compare a file of windows with the account and show what apply would do. Nothing is
changed. The status is 0 when there is nothing to do, and 6 when there is.`,
		Example: "  $ ssmdeck window plan -f windows.yaml\n  $ ssmdeck window plan -f windows.yaml --prune -o json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ro, err := cli.ListOptions(env, planTable)
			if err != nil {
				return err
			}
			_, p, err := o.plan(cmd.Context(), env, cmd.CommandPath())
			if err != nil {
				return err
			}
			if err := showPlan(env, ro, p); err != nil {
				return err
			}
			if n := p.Pending(); n > 0 {
				return fault.New(fault.RemoteFailed, "compare "+o.file, "%s to make", cli.Plural(n, "change")).WithHint("`ssmdeck window apply -f %s` makes them", o.file)
			}
			env.Note("nothing to change: %s as in the file", cli.Plural(p.Windows, "window"))
			return nil
		},
	}
	o.bind(cmd)
	return cmd
}

func planTable(o render.Options) render.Table[*window.Action] {
	return render.Table[*window.Action]{
		ID: func(a *window.Action) string { return a.Name },
		Columns: []render.Column[*window.Action]{
			{Name: "DO", Text: func(a *window.Action) string { return a.Do }},
			{Name: "WHAT", Text: func(a *window.Action) string { return a.What }},
			{Name: "WINDOW", Text: func(a *window.Action) string { return a.Window }},
			{Name: "NAME", Text: func(a *window.Action) string { return a.Name }},
			{Name: "STATUS", Wide: true, Text: func(a *window.Action) string { return a.Status }},
			{Name: "CHANGES", Text: changesText},
			{Name: "ERROR", Wide: true, Text: func(a *window.Action) string { return a.Error }},
		},
	}
}

func changesText(a *window.Action) string {
	var words []string
	for _, d := range a.Changes {
		words = append(words, differenceLine(d))
	}
	return strings.Join(words, "; ")
}

// showPlan prints the actions of a plan: as a list for machines, a line for each
// field for people.
func showPlan(env *cli.Env, ro render.Options, p window.Plan) error {
	people := ro.Query == "" && (ro.Format == render.FormatAuto && ro.Terminal() || ro.Format == render.FormatTable)
	if !people {
		return cli.WriteList(env, planTable, ro, p.Actions)
	}
	v := make([]string, 0, len(p.Actions))
	for _, a := range p.Actions {
		v = append(v, actionLines(a)...)
	}
	_, err := fmt.Fprint(env.Out, strings.Join(append(v, ""), "\n"))
	return err
}

// actionLines are an action and its fields for people.
func actionLines(a *window.Action) []string {
	sign := map[string]string{window.DoCreate: "+", window.DoUpdate: "~", window.DoReplace: "±", window.DoDelete: "-", window.DoKeep: "."}[a.Do]
	head := fmt.Sprintf("%s %s %s", sign, a.Do, a.What)
	if a.What == window.OfWindow {
		head += " " + render.Visible(a.Window)
	} else {
		head += fmt.Sprintf(" %s of %s", render.Visible(a.Name), render.Visible(a.Window))
	}
	if a.Do == window.DoKeep {
		head += ": it is not in the file, and stays; --prune deletes it"
	}
	lines := []string{head}
	for _, d := range a.Changes {
		lines = append(lines, "    "+differenceLine(d))
	}
	return lines
}

func newApplyCmd(env *cli.Env) *cobra.Command {
	var (
		o      windowFile
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "apply -f <file>",
		Short: "Make windows, targets and tasks as a file describes them",
		Long: `Make the windows of a file, and change those that are there, found by their names.
What would change is shown and asked about. When all is so already, nothing is sent.
Targets and tasks that are not in the file stay, unless --prune is given; windows
that are not in the file always stay.

When something fails, the rest of its window is left alone, other windows go on, and
what was done is told. Nothing is undone: applying again goes on where it ended.`,
		Example: `  $ ssmdeck window apply -f windows.yaml
  $ ssmdeck window apply -f windows.yaml --prune --yes
  $ ssmdeck window export -p test | ssmdeck window apply -p prod -f - --dry-run`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.apply(cmd, env, dryRun)
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change and change nothing")
	return cmd
}

func (o *windowFile) apply(cmd *cobra.Command, env *cli.Env, dryRun bool) error {
	ctx := cmd.Context()
	ro, err := cli.ListOptions(env, planTable)
	if err != nil {
		return err
	}
	if err := env.RefuseChange("CreateMaintenanceWindow", dryRun); err != nil {
		return err
	}
	svc, p, err := o.plan(ctx, env, cmd.CommandPath())
	if err != nil {
		return err
	}
	for _, a := range p.Actions {
		for _, line := range actionLines(a) {
			env.Note("%s", line)
		}
	}
	switch n := p.Pending(); {
	case n == 0:
		env.Note("nothing to change: %s as in the file", cli.Plural(p.Windows, "window"))
		return o.result(env, ro, p)
	case dryRun:
		env.Note("dry run: %s not made", cli.Plural(n, "change"))
		return o.result(env, ro, p)
	default:
		if err := env.Confirm(ctx, "make "+cli.Plural(n, "change")); err != nil {
			return err
		}
	}
	failed := svc.Apply(ctx, p, func(a window.Action) {
		line := fmt.Sprintf("%s %s %s of %s", a.Do, a.What, a.Name, a.Window)
		if a.What == window.OfWindow {
			line = fmt.Sprintf("%s %s %s", a.Do, a.What, a.Window)
		}
		if a.Error != "" {
			line += ": " + a.Error
		}
		env.Note("%s: %s", a.Status, render.Visible(line))
	})
	if err := o.result(env, ro, p); err != nil {
		return err
	}
	if failed == nil {
		return nil
	}
	return partlyApplied(o.file, p, failed)
}

// partlyApplied is the error of what was begun: nothing of it is undone.
func partlyApplied(file string, p window.Plan, failed error) error {
	done := 0
	for _, a := range p.Actions {
		if a.Status == "done" {
			done++
		}
	}
	if done == 0 {
		return failed
	}
	kind := fault.RemoteFailed
	if fault.KindOf(failed) == fault.Interrupted {
		kind = fault.Interrupted
	}
	return fault.New(kind, "apply "+file, "%d of %s made: %w", done, cli.Plural(p.Pending(), "change"), failed).
		WithHint("apply again: it goes on where this ended")
}

// result prints what was done for machines; people have read it.
func (o *windowFile) result(env *cli.Env, ro render.Options, p window.Plan) error {
	if ro.Query == "" && (ro.Format == render.FormatAuto || ro.Format == render.FormatTable) {
		return nil
	}
	return cli.WriteList(env, planTable, ro, p.Actions)
}
