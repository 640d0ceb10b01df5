package window

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

type windowList struct {
	targets, tags     []string
	enabled, disabled bool
}

func newListCmd(env *cli.Env) *cobra.Command {
	var o windowList
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List maintenance windows and when they open next",
		Long: `List maintenance windows, with when they open next in the zone of their schedule.
-o wide adds that time here, how many targets and tasks they have and how the last
execution went, for which three calls a window are made; json, yaml and csv have
them, too.

Names stand for windows everywhere; -o wide shows their ids, and -o name prints them.

With -t or --tag only the windows are listed that are for these nodes.`,
		Example: `  $ ssmdeck window list
  $ ssmdeck window list -o wide --sort-by next-run
  $ ssmdeck window list -t web-1
  $ ssmdeck window list --tag 'Patch Group=web' -o name`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.enabled && o.disabled {
				return fault.Usagef("--enabled and --disabled exclude each other")
			}
			return o.run(cmd.Context(), env)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.targets, "target", "t", nil, "only windows for these nodes, as a `target`: id, name, tag:K=V, @group")
	f.StringArrayVar(&o.tags, "tag", nil, "short for -t tag:`KEY=VALUE`")
	f.BoolVar(&o.enabled, "enabled", false, "only windows that are enabled")
	f.BoolVar(&o.disabled, "disabled", false, "only windows that are disabled")
	_ = cmd.RegisterFlagCompletionFunc("target", nodechoice.CompleteTargets(env))
	return cli.Spans(cmd)
}

func (o *windowList) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckGridTable(env, windowTable, ro); err != nil {
		return err
	}
	var filter window.Filter
	if o.enabled || o.disabled {
		filter.Enabled = &o.enabled
	}
	narrowed := len(o.targets)+len(o.tags) > 0
	if narrowed {
		targets, err := nodechoice.ParseTargets(o.targets, o.tags)
		if err != nil {
			return err
		}
		if _, _, _, err := sortTargets(targets); err != nil {
			return err
		}
	}
	what := windowParts(ro)
	return cli.WriteGrid(ctx, env, windowTable, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[window.Known, error], error) {
		svc, err := openWindows(ctx, env)
		if err != nil {
			return nil, err
		}
		var only []string
		if narrowed {
			if only, err = o.forTargets(ctx, env, svc); err != nil {
				return nil, err
			}
		}
		var list []window.Window
		for w, err := range svc.List(ctx, filter) {
			if err != nil {
				return nil, err
			}
			if !narrowed || slices.Contains(only, w.ID) {
				list = append(list, w)
			}
		}
		known, err := svc.ReadAll(ctx, list, what)
		if err != nil {
			return nil, err
		}
		noteDenied(env, known)
		return cli.Each(known), nil
	})
}

// noteDenied tells what is missing since it may not be read.
func noteDenied(env *cli.Env, known []window.Known) {
	for _, k := range known {
		if k.Denied != nil {
			env.Note("ssmdeck: some of it is not shown: %v", k.Denied)
			return
		}
	}
}

// forTargets are the ids of windows for the nodes that are meant.
func (o *windowList) forTargets(ctx context.Context, env *cli.Env, svc *window.Service) ([]string, error) {
	selectors, kind, err := windowSelectors(ctx, env, o.targets, o.tags)
	if err != nil {
		return nil, err
	}
	windows, err := svc.ForTarget(ctx, kind, selectors)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, w := range windows {
		ids = append(ids, w.ID)
	}
	return ids, nil
}

// windowParts says what has to be read for what is printed.
func windowParts(o render.Options) window.Read {
	all := window.Read{Targets: true, Tasks: true, Last: true, Lenient: true}
	if o.Query != "" {
		return all
	}
	switch o.Format {
	case render.FormatWide, render.FormatCSV, render.FormatJSON, render.FormatJSONL, render.FormatYAML:
		return all
	}
	asked := strings.Join(append(slices.Clone(o.Columns), o.SortBy), ",")
	return window.Read{
		Targets: strings.Contains(asked, "targets"), Tasks: strings.Contains(asked, "tasks"), Last: strings.Contains(asked, "last"), Lenient: true,
	}
}

// soonTime is localMoment for a column: the day of the week is enough for a time of
// the next days.
func soonTime(now, t time.Time, loc *time.Location) string {
	const nextDays = 6 * 24 * time.Hour
	if d := t.Sub(now); !t.IsZero() && d > 0 && d < nextDays {
		return t.In(loc).Format("Mon 15:04 MST") + ", " + render.Ago(now, t)
	}
	return localMoment(t, loc)
}

func windowEnabled(w window.Window) string {
	if w.Enabled {
		return "enabled"
	}
	return "disabled"
}

func windowTable(o render.Options) render.Table[window.Known] {
	count := func(n int) string { return strconv.Itoa(n) }
	last := func(w window.Known) window.Execution {
		if w.Last == nil {
			return window.Execution{}
		}
		return *w.Last
	}
	return render.Table[window.Known]{
		ID:    func(w window.Known) string { return w.ID },
		Empty: "no maintenance windows",
		Columns: []render.Column[window.Known]{
			{Name: "NAME", Text: func(w window.Known) string { return w.Name }},
			{
				Name: "STATE", Text: func(w window.Known) string { return windowEnabled(w.Window) },
				Human: func(w window.Known) string {
					return o.Styles.Status(levels.Enabled(w.Enabled), windowEnabled(w.Window))
				},
			},
			{
				Name: "NEXT RUN", Text: func(w window.Known) string { return render.Timestamp(w.Next) },
				Human: func(w window.Known) string {
					return soonTime(o.Now, w.Next, w.Zone())
				},
				Less: func(a, b window.Known) bool { return sooner(a.Next, b.Next) },
			},
			{Name: "SCHEDULE", Text: func(w window.Known) string { return w.Schedule }},
			{Name: "HOURS", Right: true, Text: func(w window.Known) string { return count(w.Duration) }},
			{Name: "WINDOW ID", Wide: true, ID: true, Text: func(w window.Known) string { return w.ID }},
			{Name: "CUTOFF", Wide: true, Right: true, Text: func(w window.Known) string { return count(w.Cutoff) }},
			{Name: "HERE", Wide: true, Text: func(w window.Known) string { return render.Timestamp(w.Next) }, Human: func(w window.Known) string {
				return localMoment(w.Next, o.Location)
			}},
			{Name: "TIMEZONE", Wide: true, Text: func(w window.Known) string { return w.Timezone }},
			{Name: "TARGETS", Wide: true, Right: true, Text: func(w window.Known) string { return count(len(w.Targets)) }},
			{Name: "TASKS", Wide: true, Right: true, Text: func(w window.Known) string { return count(len(w.Tasks)) }},
			{
				Name: "LAST RUN", Wide: true, Text: func(w window.Known) string { return render.Timestamp(last(w).Started) },
				Human: func(w window.Known) string { return render.Ago(o.Now, last(w).Started) },
				Less:  func(a, b window.Known) bool { return last(a).Started.Before(last(b).Started) },
			},
			{
				Name: "LAST STATUS", Wide: true, Text: func(w window.Known) string { return string(last(w).State) },
				Human: func(w window.Known) string { return styledState(o, last(w).State) },
			},
			{Name: "DESCRIPTION", Wide: true, Text: func(w window.Known) string { return w.Description }},
		},
	}
}

// sooner puts windows that never open last.
func sooner(a, b time.Time) bool {
	if a.IsZero() != b.IsZero() {
		return b.IsZero()
	}
	return a.Before(b)
}

func newGetCmd(env *cli.Env) *cobra.Command {
	return cli.Spans(&cobra.Command{
		Use:     "get <window>",
		Aliases: []string{"show"},
		Short:   "Show a maintenance window: schedule, targets, tasks, last execution",
		Example: `  $ ssmdeck window get weekly-patch
  $ ssmdeck window get mw-0123456789abcdef0 -o json`,
		Args:              cli.ExactArgs("the window"),
		ValidArgsFunction: completeWindow(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			return nodechoice.ShowFound(cmd.Context(), env, ro, args[0], details, func(ctx context.Context, env *cli.Env) (window.Known, error) {
				svc, err := openWindows(ctx, env)
				if err != nil {
					return window.Known{}, err
				}
				w, err := svc.Find(ctx, args[0])
				if fault.KindOf(err) == fault.NotFound {
					return window.Known{}, cli.PerhapsElsewhere(err)
				}
				if err != nil {
					return window.Known{}, err
				}
				known, err := svc.ReadAll(ctx, []window.Window{w}, window.Read{Targets: true, Tasks: true, Last: true, Tags: true, Lenient: true})
				if err != nil {
					return window.Known{}, err
				}
				noteDenied(env, known)
				return known[0], nil
			})
		},
	})
}

func details(d *render.Detail, o render.Options, w window.Known) {
	d.ID(w.ID)
	d.Field("Name", w.Name)
	d.Field("Window ID", w.ID)
	d.Field("Description", w.Description)
	d.Human("State", windowEnabled(w.Window), o.Styles.Status(levels.Enabled(w.Enabled), windowEnabled(w.Window)))
	human := render.Visible(w.Schedule)
	if words := w.Explain(o.Now); words != "" {
		human += "  (" + words + ")"
	}
	d.Human("Schedule", w.Schedule, human)
	d.Field("Timezone", w.Timezone)
	offset := ""
	if w.Offset > 0 {
		offset = strconv.Itoa(w.Offset)
	}
	d.Human("Schedule offset", offset, map[bool]string{true: offset + " d"}[offset != ""])
	d.Field("Start", w.Start)
	d.Field("End", w.End)
	d.Human("Duration", strconv.Itoa(w.Duration), fmt.Sprintf("%d h", w.Duration))
	d.Human("Cutoff", strconv.Itoa(w.Cutoff), fmt.Sprintf("%d h before the end: no more tasks begin", w.Cutoff))
	if w.Next.IsZero() {
		d.Field("Next run", "")
	} else {
		human := localMoment(w.Next, w.Zone()) + ", " + render.Ago(o.Now, w.Next)
		if here := localMoment(w.Next, o.Location); here != localMoment(w.Next, w.Zone()) {
			human += "; here " + here
		}
		d.Human("Next run", render.Timestamp(w.Next), human)
	}
	if w.AllowUnassociated != nil {
		d.Field("Allow unassociated targets", strconv.FormatBool(*w.AllowUnassociated))
	}
	d.Field("Tags", cli.TagLine(w.Tags))
	cli.Moment(d, o, "Created", w.Created)
	cli.Moment(d, o, "Modified", w.Modified)
	if len(w.Targets) == 0 {
		d.Human("Targets", "", "none")
	}
	if len(w.Tasks) == 0 {
		d.Human("Tasks", "", "none: it does nothing")
	}
	if w.Last != nil {
		d.Section("Last execution")
		d.Field("Execution ID", w.Last.ID)
		d.Human("Status", string(w.Last.State), styledState(o, w.Last.State))
		cli.Moment(d, o, "Started", w.Last.Started)
		cli.Moment(d, o, "Ended", w.Last.Ended)
		d.Field("Details", w.Last.Details)
	}
	if len(w.Targets) > 0 {
		d.Section("Targets")
	}
	for _, t := range w.Targets {
		d.Field(shortName(t.Name, t.ID), selectorLine(t.Selectors))
	}
	if len(w.Tasks) > 0 {
		d.Section("Tasks")
	}
	for _, t := range w.Tasks {
		d.Field(shortName(t.Name, t.ID), fmt.Sprintf("%s %s for %s", t.Type.Word(), t.Run, taskTargets(t, w.Targets)))
	}
}

// shortName is what a part of a window is called in a list of fields.
func shortName(name, id string) string {
	if name != "" {
		return name
	}
	return id
}

func selectorLine(list []window.Selector) string {
	var words []string
	for _, s := range list {
		words = append(words, s.String())
	}
	return strings.Join(words, " ")
}

// taskTargets says what a task is for, targets of the window by their names.
func taskTargets(t window.Task, targets []window.Target) string {
	if len(t.Selectors) == 0 {
		return "no target"
	}
	names := map[string]string{}
	for _, target := range targets {
		names[target.ID] = cmp.Or(target.Name, selectorLine(target.Selectors))
	}
	var words []string
	for _, s := range t.Selectors {
		if s.Key != window.ByWindowTarget {
			words = append(words, s.String())
			continue
		}
		for _, id := range s.Values {
			if name, ok := names[id]; ok {
				words = append(words, name)
			} else {
				words = append(words, id+" (gone)")
			}
		}
	}
	return strings.Join(words, ", ")
}
