package window

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// previewOptions are the flags of `window preview`.
type previewOptions struct {
	choice nodechoice.Choice
	at     string
	within time.Duration
	zone   zoneFlag
	values bool
}

// maxPreview is how far after --at is looked.
const maxPreview = 31 * 24 * time.Hour

func newPreviewCmd(env *cli.Env) *cobra.Command {
	var o previewOptions
	cmd := &cobra.Command{
		Use:   "preview [window]...",
		Short: "What will happen: windows, their tasks in order, on which nodes",
		Long: `Show what maintenance windows will do: with --at those that are open then or open within
--within after it, without it the next opening of the windows that are named, or all
of the coming 24 hours.

Tasks are listed in the order in which they begin: by priority, equal ones at the same
time. Of each there is what it runs and with which parameters, the nodes that its
targets mean as things are now, which of them are offline, and of patch installations
which may reboot: the nodes that miss patches, wait for a reboot, or were never
scanned. Values of parameters may be secrets and are shown with --show-values only,
except what says how patches are installed.

-t, --tag and --filter show what happens to these nodes only.`,
		Example: `  # What will happen on Sunday night?
  $ ssmdeck window preview --at 'sunday 02:00' --timezone Europe/Berlin

  $ ssmdeck window preview weekly-patch
  $ ssmdeck window preview --at tomorrow --within 24h -t web-1
  $ ssmdeck window preview --at 2026-03-29T00:00:00Z --within 12h -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			within := cmd.Flags().Changed("within")
			return windowPreview(cmd, env, o, args, within)
		},
	}
	o.choice.Bind(env, cmd)
	cmd.ValidArgsFunction = nil
	f := cmd.Flags()
	f.StringVar(&o.at, "at", "", "windows that are open at this `time`, such as 'sunday 02:00', or soon after")
	f.DurationVar(&o.within, "within", 6*time.Hour, "with --at: and those that open in this `time` after it")
	o.zone.bind(cmd, "show and read times in this IANA `zone`, such as Europe/Berlin")
	f.BoolVar(&o.values, "show-values", false, "show the values of parameters, which may be secrets")
	return cmd
}

func windowPreview(cmd *cobra.Command, env *cli.Env, o previewOptions, names []string, within bool) error {
	ctx := cmd.Context()
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	zone, err := o.zone.location()
	if err != nil {
		return err
	}
	now := ro.Now.In(zone)
	at, err := momentFlag("at", o.at, now)
	switch {
	case err != nil:
		return err
	case within && o.at == "":
		return fault.Usagef("--within needs --at")
	case o.within < 0 || o.within > maxPreview:
		return fault.Usagef("--within %s is not 0 to 31 days", o.within).WithHint("`ssmdeck window calendar` looks further")
	}
	narrowed := len(o.choice.Targets)+len(o.choice.Tags) > 0 || o.choice.Filter != ""
	var targets []fleet.Target
	var filter fleet.Filter
	if narrowed {
		if len(o.choice.Targets)+len(o.choice.Tags) == 0 {
			return fault.Usagef("--filter narrows nodes, and none are chosen").WithHint("choose nodes with -t or --tag, or -t all")
		}
		if targets, filter, err = o.choice.Parse(cmd.CommandPath(), nil); err != nil {
			return err
		}
	}
	if err := workTable(zone)(ro).Check(ro); err != nil {
		return err
	}
	p := preview{env: env, values: o.values}
	if p.windows, err = openWindows(ctx, env); err != nil {
		return err
	}
	if p.fleet, err = env.Fleet(ctx); err != nil {
		return err
	}
	every, err := namedWindows(ctx, p.windows, nil)
	if err != nil {
		return err
	}
	if every, err = datedWindows(ctx, p.windows, every); err != nil {
		return err
	}
	all, err := pickWindows(every, names)
	if err != nil {
		return err
	}
	span := agenda.Span{From: at, To: at.Add(max(o.within, time.Second))}
	switch {
	case o.at == "" && len(names) > 0:
		span = agenda.Span{} // the next opening of each
	case o.at == "":
		span = agenda.Span{From: now, To: now.Add(24 * time.Hour)}
	}
	entries := bareEntries(all)
	unread := noteUnread(env, entries)
	openings := chooseOpenings(entries, span, now)
	work, err := p.work(ctx, every, openings, targets, filter)
	if err != nil {
		return err
	}
	view := ro.Terminal() && ro.Query == "" && len(ro.Columns) == 0 && ro.SortBy == "" && ro.Limit == 0 &&
		(ro.Format == render.FormatAuto || ro.Format == render.FormatTable)
	if view && len(work) > 0 {
		v := workView{w: env.Out, o: ro, zone: zone, names: p.names}
		err = v.write(work)
	} else {
		err = cli.WriteList(env, workTable(zone), ro, work)
	}
	return cmp.Or(err, incomplete("preview", unread))
}

// chooseOpenings are those in a span, or the next of each window.
func chooseOpenings(entries []agenda.Entry, span agenda.Span, now time.Time) []agenda.Opening {
	if !span.From.IsZero() {
		return agenda.Openings(entries, span.From, span.To)
	}
	var all []agenda.Opening
	for i := range entries {
		if o, ok := entries[i].NextOpening(now.Add(-1)); ok {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b agenda.Opening) int { return a.Start.Compare(b.Start) })
	return all
}

// surroundings are the openings of all windows while some are open.
func surroundings(entries []agenda.Entry, openings []agenda.Opening) []agenda.Opening {
	type key struct {
		id   string
		unix int64
	}
	had := map[key]bool{}
	var around []agenda.Opening
	for _, o := range openings {
		for _, e := range entries {
			for _, also := range e.Openings(o.Start, o.End) {
				k := key{also.WindowID, also.Start.Unix()}
				if !had[k] {
					had[k] = true
					around = append(around, also)
				}
			}
		}
	}
	slices.SortStableFunc(around, func(a, b agenda.Opening) int { return a.Start.Compare(b.Start) })
	return around
}

// preview reads what windows that open will do.
type preview struct {
	env     *cli.Env
	windows *window.Service
	fleet   *fleet.Service
	values  bool
	names   map[string]string // of nodes, by id
}

// work reads the tasks and nodes of the windows of openings.
func (p *preview) work(ctx context.Context, all []window.Window, openings []agenda.Opening, targets []fleet.Target, filter fleet.Filter) ([]agenda.Work, error) {
	opens := map[string]bool{}
	around := surroundings(bareEntries(all), openings)
	for id := range agenda.Meet(around) {
		opens[id] = true // it may be in the way of one that is shown
	}
	for _, o := range openings {
		opens[o.WindowID] = true
	}
	some := slices.DeleteFunc(slices.Clone(all), func(w window.Window) bool { return !opens[w.ID] })
	entries, err := wholeEntries(ctx, p.windows, some, window.Read{Targets: true, Tasks: true, Details: true})
	if err != nil {
		return nil, err
	}
	reach, err := reachOf(ctx, p.env, p.fleet, entries)
	if err != nil {
		return nil, err
	}
	agenda.Mark(around, reach)
	for i, o := range openings {
		k := slices.IndexFunc(around, func(a agenda.Opening) bool { return a.WindowID == o.WindowID && a.Start.Equal(o.Start) })
		if k >= 0 {
			openings[i].Shared = around[k].Shared
		}
	}
	po := agenda.PreviewOptions{Values: p.values}
	if len(targets) > 0 {
		nodes, err := nodechoice.Members(ctx, p.fleet, targets, filter)
		if err != nil {
			return nil, err
		}
		po.Among = reach.Only(nodes)
	}
	if err := p.patchStates(ctx, entries, reach, po.Among); err != nil {
		return nil, err
	}
	p.names = map[string]string{}
	for _, n := range reach.Nodes {
		p.names[n.ID] = n.Name
	}
	var work []agenda.Work
	for _, o := range openings {
		for i := range entries {
			if entries[i].ID == o.WindowID {
				work = append(work, entries[i].Preview(o, reach, po)...)
			}
		}
	}
	return work, nil
}

// patchStates reads the patch states of the nodes that installations may reboot.
func (p *preview) patchStates(ctx context.Context, entries []agenda.Entry, reach *agenda.Reach, among agenda.Set) error {
	wanted := reach.Only(nil)
	for _, e := range entries {
		for _, t := range e.Tasks {
			if how, ok := agenda.PatchingOf(t); ok && how.MayReboot() {
				wanted.Join(reach.Task(t.ID))
			}
		}
	}
	if among != nil {
		wanted = wanted.Shared(among)
	}
	nodes := reach.Of(wanted)
	if len(nodes) == 0 {
		return nil
	}
	gaps, err := p.fleet.Join(ctx, nodes, fleet.PartPatch)
	if err != nil {
		return err
	}
	nodechoice.NoteGaps(p.env, gaps)
	reach.Replace(nodes)
	return nil
}

func workTable(zone *time.Location) func(render.Options) render.Table[agenda.Work] {
	return func(o render.Options) render.Table[agenda.Work] {
		when := func(name string, wide bool, get func(agenda.Work) time.Time) render.Column[agenda.Work] {
			return render.Column[agenda.Work]{
				Name: name, Wide: wide, Text: func(w agenda.Work) string { return render.Timestamp(get(w)) },
				Human: func(w agenda.Work) string { return localMoment(get(w), zone) },
				Less:  func(a, b agenda.Work) bool { return get(a).Before(get(b)) },
			}
		}
		number := func(name string, wide bool, get func(agenda.Work) int) render.Column[agenda.Work] {
			return render.Column[agenda.Work]{Name: name, Wide: wide, Right: true, Text: func(w agenda.Work) string {
				if w.TaskID == "" {
					return ""
				}
				return strconv.Itoa(get(w))
			}}
		}
		text := func(name string, wide bool, get func(agenda.Work) string) render.Column[agenda.Work] {
			return render.Column[agenda.Work]{Name: name, Wide: wide, Text: get}
		}
		return render.Table[agenda.Work]{
			ID:    func(w agenda.Work) string { return w.WindowID },
			Empty: "no maintenance window opens then",
			Columns: []render.Column[agenda.Work]{
				when("START", false, func(w agenda.Work) time.Time { return w.Start }),
				when("CUTOFF", false, func(w agenda.Work) time.Time { return w.Cutoff }),
				when("END", true, func(w agenda.Work) time.Time { return w.End }),
				text("WINDOW", false, func(w agenda.Work) string { return w.Window }),
				text("ENABLED", false, func(w agenda.Work) string { return strconv.FormatBool(w.Enabled) }),
				number("STEP", false, func(w agenda.Work) int { return w.Step }),
				text("TASK", false, agenda.Work.Label),
				text("RUN", false, func(w agenda.Work) string { return w.Run }),
				text("OPERATION", false, func(w agenda.Work) string { return w.Patching }),
				number("NODES", false, func(w agenda.Work) int { return len(w.NodeIDs) }),
				number("OFFLINE", false, func(w agenda.Work) int { return len(w.Offline) }),
				number("MAY REBOOT", false, func(w agenda.Work) int { return len(w.MayReboot) }),
				text("TYPE", true, func(w agenda.Work) string { return w.Type }),
				text("CONCURRENCY", true, func(w agenda.Work) string { return w.Concurrency }),
				text("MAX ERRORS", true, func(w agenda.Work) string { return w.MaxErrors }),
				text("AT CUTOFF", true, func(w agenda.Work) string { return w.AtCutoff }),
				text("PARAMETERS", true, parameterText),
				text("OVERLAPS", true, func(w agenda.Work) string { return strings.Join(sharedNames(agenda.Opening{Shared: w.Shared}), ",") }),
			},
		}
	}
}

// parameterText is the parameters of a task in one line; values that are not shown
// are dots.
func parameterText(w agenda.Work) string {
	var all []string
	for _, name := range w.ParameterNames {
		value := "…"
		if v, shown := w.Parameters[name]; shown {
			value = strings.Join(v, ",")
		}
		all = append(all, name+"="+value)
	}
	return strings.Join(all, " ")
}

// workGroups are works by the opening of the window that they are of, in order.
func workGroups(work []agenda.Work) iter.Seq[[]agenda.Work] {
	return func(yield func([]agenda.Work) bool) {
		for i := 0; i < len(work); {
			n := i
			for n < len(work) && work[n].WindowID == work[i].WindowID && work[n].Start.Equal(work[i].Start) {
				n++
			}
			if !yield(work[i:n]) {
				return
			}
			i = n
		}
	}
}

// reboots are the nodes that may reboot in works, each once.
func reboots(work []agenda.Work) []string {
	all := map[string]bool{}
	for _, w := range work {
		for _, id := range w.MayReboot {
			all[id] = w.Enabled || all[id]
		}
	}
	return slices.Sorted(maps.Keys(all))
}
