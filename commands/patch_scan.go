package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

type patchScanOptions struct {
	choice  nodeChoice
	scan    patching.Scan
	timeout string
	wait    time.Duration
	waiting *time.Duration // wait, if it was given
	dryRun  bool
}

func newPatchScanCmd(env *Env) *cobra.Command {
	var o patchScanOptions
	cmd := &cobra.Command{
		Use:   "scan <target>...",
		Short: "Scan nodes for missing patches",
		Long: `Scan nodes with the document ` + patching.Document + `: nothing is installed, and no node
reboots. Each scan overwrites what the last scan or installation of the node found.

All nodes of one scan get the same snapshot of their baselines. While it goes on,
what nodes found is shown as it comes in; the table at the end has the worst nodes
first. A node whose scan fails does not stop the others, unless --max-errors says so.

Ctrl-C stops following; the scan goes on, and how to take it up is printed.`,
		Example: `  # What does production lack now?
  $ ssmdeck patch scan --tag env=prod

  # All nodes, a tenth at a time; stop when more than a twentieth have failed
  $ ssmdeck patch scan all --concurrency 10% --max-errors 5% --yes

  # Start it and leave
  $ ssmdeck patch scan 'web-*' --no-wait`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("wait") {
				o.waiting = &o.wait
			}
			return o.run(cmd, env, args)
		},
	}
	o.choice.bind(env, cmd)
	f := cmd.Flags()
	bindPatchRate(f, &o.scan.Concurrency, &o.timeout)
	f.StringVar(&o.scan.MaxErrors, "max-errors", "100%", "stop when more than `n` nodes have failed: a number or a percentage")
	f.StringVar(&o.scan.Snapshot, "snapshot-id", "", "`GUID` of the snapshot of baselines; one is made for the run without it")
	f.StringVar(&o.scan.Comment, "comment", "", "`text` for the command's history")
	f.DurationVar(&o.wait, "wait", 0, "stop following after `duration` (exit 8); the scan goes on")
	f.BoolVar(&o.scan.NoWait, "no-wait", false, "send the command, print its id and leave")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the nodes that would be scanned and send nothing")
	return cmd
}

// bindPatchRate adds how many nodes are worked on at a time, and how long one may
// take to accept.
func bindPatchRate(f *pflag.FlagSet, concurrency, timeout *string) {
	f.StringVar(concurrency, "concurrency", "", "how many nodes at a time: a number or a percentage `n` (default 50)")
	f.StringVar(timeout, "timeout", "", "how long a node may take to accept the command: `duration` from 30s to 30d")
}

// check reads the flags, before any call.
func (o *patchScanOptions) check(path string) (err error) {
	switch {
	case o.waiting != nil && *o.waiting <= 0:
		return fault.Usagef("%s: --wait %s is not a time to wait", path, *o.waiting).WithHint("for instance --wait 5m, or --no-wait")
	case o.waiting != nil && o.scan.NoWait:
		return fault.Usagef("%s: --wait and --no-wait exclude each other", path)
	}
	if err := (patching.Options{Snapshot: o.scan.Snapshot}).Check(); err != nil {
		return err
	}
	if o.scan.Timeout, err = run.ParseTimeout(o.timeout); err != nil {
		return err
	}
	o.scan.Comment = cmp.Or(o.scan.Comment, "patch scan")
	return o.scan.Request().Validate()
}

func (o *patchScanOptions) run(cmd *cobra.Command, env *Env, args []string) error {
	ctx := cmd.Context()
	if err := o.check(cmd.CommandPath()); err != nil {
		return err
	}
	targets, filter, err := o.choice.parse(cmd.CommandPath(), args)
	if err != nil {
		return err
	}
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	if err := patchScanTable(ro).Check(ro); err != nil {
		return err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	if o.scan.Selection, err = svc.Select(ctx, targets, filter); err != nil {
		return err
	}
	o.scan.Snapshot = cmp.Or(o.scan.Snapshot, patching.NewSnapshot())
	commands, err := o.scan.Request().Commands()
	if err != nil {
		return err
	}
	nodes := o.scan.Selection.Nodes
	if o.dryRun {
		if len(nodes) == 0 {
			env.note("would scan the members of the group, which the service looks up; nothing was sent")
			return nil
		}
		env.note("would scan %s, with %s; nothing was sent", plural(len(nodes), "node"), plural(commands, "command"))
		return writeList(env, nodeTable, ro, nodes)
	}
	all, group := wide(targets)
	if err := confirmNodes(ctx, env, "scan for patches", nodes, all, group); err != nil {
		return err
	}
	if err := o.sayOthers(ctx, env, nodes); err != nil {
		return err
	}
	runner, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	return o.watch(ctx, env, ro, patching.Scanner{Run: runner, Fleet: svc})
}

// sayOthers warns of associations that scan the same nodes: who looks later may see
// their results in place of these. Not to be allowed to know is no obstacle.
func (o *patchScanOptions) sayOthers(ctx context.Context, env *Env, nodes []fleet.Node) error {
	schedules, err := env.PatchSchedules(ctx)
	if err != nil {
		return err
	}
	others, err := schedules.Associations(ctx, nodes)
	if err != nil || len(others) == 0 {
		return ctx.Err()
	}
	env.note("ssmdeck: also scanned or patched by %s: each overwrites what the others found", associationWords(others))
	return nil
}

// associationWords names a few associations with their schedules.
func associationWords(list []patching.Association) string {
	const most = 3
	var words []string
	for _, a := range list[:min(len(list), most)] {
		words = append(words, fmt.Sprintf("association %s (%s)", render.Visible(a.Name), cmp.Or(a.Schedule, "when it changes")))
	}
	if len(list) > most {
		words = append(words, fmt.Sprintf("%d more", len(list)-most))
	}
	return strings.Join(words, ", ")
}

// PatchSchedules returns what else patches nodes, and when it may.
func (e *Env) PatchSchedules(ctx context.Context) (*patching.Schedules, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return patching.NewSchedules(scope.SSM()), nil
}

// patchScanView shows a scan.
type patchScanView struct {
	board    run.Board
	states   map[string]*fleet.PatchState
	names    map[string]string
	progress *render.Progress
}

func (v *patchScanView) event(e run.Event) {
	v.board.Apply(e)
	switch e.Kind {
	case run.Planned:
		for _, n := range e.Plan.Nodes {
			v.names[n.ID] = n.Name
		}
		if e.Plan.Note != "" {
			v.progress.Println("ssmdeck: " + e.Plan.Note)
		}
	case run.Changed:
		if i := e.Invocation; i.State.Bad() {
			v.progress.Event(nodeLabel(v.names[i.NodeID], i.NodeID)+" "+render.Visible(stateWords(*i)), i)
		}
	case run.Noticed:
		if n := e.Notice; n.Kind != run.Throttled && n.Kind != run.Retrying && n.Kind != run.Shortened {
			v.progress.Println("ssmdeck: " + render.Visible(n.Text))
		}
	case run.WasSent, run.Progressed, run.Printed, run.Logged, run.Done:
	}
	v.show()
}

// seen takes what a node found.
func (v *patchScanView) seen(id string, s *fleet.PatchState) {
	v.states[id] = s
	v.progress.Event(fmt.Sprintf("%s %s", nodeLabel(v.names[id], id), patchCounts(s)), patchScanRow{ID: id, Name: v.names[id]}.with(s))
	v.show()
}

// patchCounts says what a node lacks: "12 missing, 1 failed, 2 pending reboot".
func patchCounts(s *fleet.PatchState) string {
	var words []string
	for _, c := range []struct {
		n    int
		what string
	}{{s.Missing, "missing"}, {s.Failed, "failed"}, {s.PendingReboot, "pending reboot"}, {s.Rejected, "rejected"}} {
		if c.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return cmp.Or(strings.Join(words, ", "), "nothing missing")
}

func (v *patchScanView) show() {
	var sum fleet.PatchState
	lacking := 0
	for _, s := range v.states {
		sum.Missing += s.Missing
		sum.Failed += s.Failed
		sum.PendingReboot += s.PendingReboot
		if s.NonCompliant() > 0 {
			lacking++
		}
	}
	note := ""
	if len(v.states) > 0 {
		note = fmt.Sprintf("%s lacking something: %s", plural(lacking, "node"), patchCounts(&sum))
	}
	if n := v.board.Failures(); n > 0 {
		note = strings.TrimPrefix(note+fmt.Sprintf(" · %d failed", n), " · ")
	}
	v.progress.Set(render.Status{Label: "scan", Done: int64(v.board.Finished()), Total: int64(v.board.Total()), Note: note})
}

// watch scans and shows it until it ends or the person has enough.
func (o *patchScanOptions) watch(ctx context.Context, env *Env, ro render.Options, scanner patching.Scanner) error {
	progress, err := env.progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	v := &patchScanView{states: map[string]*fleet.PatchState{}, names: map[string]string{}, progress: progress}
	followCtx, stop := ctx, context.CancelFunc(func() {})
	if o.waiting != nil {
		followCtx, stop = context.WithTimeout(ctx, *o.waiting)
	}
	defer stop()
	_, err = scanner.Scan(followCtx, o.scan, v.event, v.seen)
	progress.Close()
	ids := v.board.CommandIDs()
	switch {
	case err != nil && len(ids) == 0:
		return err
	case o.scan.NoWait && err == nil:
		env.note("ssmdeck: sent; %s; then `ssmdeck patch status` shows what was found", takeUp(v.board.Ref()))
		if ro.Format == render.FormatAuto || ro.Format == render.FormatName {
			_, err := fmt.Fprintln(env.Out, strings.Join(ids, "\n"))
			return err
		}
		return writeList(env, patchScanTable, ro, v.rows())
	}
	rows := v.rows()
	ro.Now = time.Now() // what was scanned meanwhile is not of the future
	if printErr := writeList(env, patchScanTable, ro, rows); printErr != nil {
		return printErr
	}
	switch {
	case err != nil && ctx.Err() != nil:
		env.note("ssmdeck: stopped following; the scan goes on%s\nssmdeck: hint: %s", notSent(err), takeUp(v.board.Ref()))
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	case err != nil && errors.Is(followCtx.Err(), context.DeadlineExceeded):
		return fault.New(fault.Pending, "scan for patches", "still running on %d of %d nodes after %s%s",
			v.board.Total()-v.board.Finished(), v.board.Total(), *o.waiting, notSent(err)).WithHint("%s", takeUp(v.board.Ref()))
	case err != nil:
		return err
	}
	if err := v.err(); err != nil {
		return err
	}
	silent := 0
	for _, r := range rows {
		if r.Status == patchUnreported {
			silent++
		}
	}
	if silent > 0 {
		return fault.New(fault.RemoteFailed, "scan for patches", "%d of %s succeeded and reported nothing", silent, plural(len(rows), "node")).
			WithHint("may the nodes call ssm:PutInventory? Their output tells: `ssmdeck run show %s`", v.board.Ref())
	}
	return nil
}

// err is how the scan ended, as an error.
func (v *patchScanView) err() error {
	var e *fault.Error
	if err := v.board.Err(); !errors.As(err, &e) {
		return err
	}
	out := *e
	out.Op = "scan for patches"
	if out.Kind == fault.RemoteFailed && out.Hint == "" {
		out.Hint = fmt.Sprintf("`ssmdeck run show %s` has all that the nodes printed", v.board.Ref())
	}
	return &out
}

// patchScanRow is one node of a scan.
type patchScanRow struct {
	Status        string        `json:"status"` // ok, unreported, failed, timed_out, cancelled, skipped, not_sent, running, …
	ID            string        `json:"id"`
	Name          string        `json:"name"`
	Critical      *int          `json:"critical,omitempty"` // these are absent when nothing was reported
	Security      *int          `json:"security,omitempty"`
	Missing       *int          `json:"missing,omitempty"`
	Failed        *int          `json:"failed,omitempty"`
	PendingReboot *int          `json:"pending_reboot,omitempty"`
	Installed     *int          `json:"installed,omitempty"`
	Scanned       time.Time     `json:"scanned,omitzero"`
	Baseline      string        `json:"baseline,omitempty"`
	Group         string        `json:"group,omitempty"`
	CommandID     string        `json:"command_id,omitempty"`
	Seconds       float64       `json:"seconds,omitempty"` // that it took on the node
	Reason        string        `json:"reason,omitempty"`  // why it did not succeed
	Words         []string      `json:"words,omitempty"`   // of the node itself, when it did not
	took          time.Duration // Seconds
}

// patchUnreported is the state of a node whose scan succeeded and left no result.
const patchUnreported = "unreported"

func (r patchScanRow) with(s *fleet.PatchState) patchScanRow {
	if s == nil {
		return r
	}
	r.Critical, r.Security, r.Missing, r.Failed = &s.Critical, &s.Security, &s.Missing, &s.Failed
	r.PendingReboot, r.Installed = &s.PendingReboot, &s.Installed
	r.Scanned, r.Baseline, r.Group = s.Ended, s.Baseline, s.Group
	return r
}

// rows are the nodes, the worst first: those on which the scan did not succeed, then
// by how many patches they lack, critical ones first.
func (v *patchScanView) rows() []patchScanRow {
	var rows []patchScanRow
	for row := range v.board.Rows() {
		s := v.states[row.NodeID]
		r := patchScanRow{Status: string(row.State), ID: row.NodeID, Name: cmp.Or(v.names[row.NodeID], row.NodeName), CommandID: row.CommandID}
		switch {
		case row.State == run.Success && s == nil && v.board.Done():
			r.Status, r.Reason = patchUnreported, "it succeeded, and the node reported no patch state"
		case row.State.Bad():
			r.Reason = stateWords(row.Invocation)
			r.Words = patching.Words(row.Stdout, row.Stderr)
		}
		if row.Started != nil && row.Ended != nil {
			r.took = row.Ended.Sub(*row.Started)
			r.Seconds = r.took.Seconds()
		}
		rows = append(rows, r.with(s))
	}
	slices.SortStableFunc(rows, func(a, b patchScanRow) int {
		number := func(n *int) int {
			if n == nil {
				return -1
			}
			return *n
		}
		return cmp.Or(
			cmp.Compare(patchTrouble(b.Status), patchTrouble(a.Status)),
			number(b.Critical)-number(a.Critical), number(b.Security)-number(a.Security), number(b.Failed)-number(a.Failed),
			number(b.Missing)-number(a.Missing), number(b.PendingReboot)-number(a.PendingReboot),
			render.NaturalCompare(a.Name, b.Name), strings.Compare(a.ID, b.ID),
		)
	})
	return rows
}

// patchTrouble orders the states of a scan: those without a result first.
func patchTrouble(status string) int {
	switch status {
	case string(run.Success):
		return 0
	case patchUnreported:
		return 1
	}
	if run.State(status).Bad() {
		return 2
	}
	return 1
}

func patchScanTable(o render.Options) render.Table[patchScanRow] {
	number := func(name string, level theme.Level, of func(patchScanRow) *int) render.Column[patchScanRow] {
		return countColumn(o, name, level, of)
	}
	installed := number("INSTALLED", theme.Unknown, func(r patchScanRow) *int { return r.Installed })
	scanned := scanColumn(o, "SCANNED", func(r patchScanRow) (time.Time, bool) { return r.Scanned, false })
	installed.Wide, scanned.Wide = true, true
	return render.Table[patchScanRow]{
		ID: func(r patchScanRow) string { return r.ID },
		Columns: []render.Column[patchScanRow]{
			{
				Name: "STATUS", Text: func(r patchScanRow) string { return r.Status },
				Human: func(r patchScanRow) string {
					level := stateLevel(run.State(r.Status))
					if r.Status == patchUnreported {
						level = stateLevel(run.Failed)
					}
					return o.Styles.Status(level, r.Status)
				},
			},
			{Name: "NODE ID", ID: true, Text: func(r patchScanRow) string { return r.ID }},
			{Name: "NAME", Text: func(r patchScanRow) string { return r.Name }},
			number("CRIT", theme.Bad, func(r patchScanRow) *int { return r.Critical }),
			number("SEC", theme.Bad, func(r patchScanRow) *int { return r.Security }),
			number("MISSING", theme.Warn, func(r patchScanRow) *int { return r.Missing }),
			number("FAILED", theme.Bad, func(r patchScanRow) *int { return r.Failed }),
			number("REBOOT", theme.Warn, func(r patchScanRow) *int { return r.PendingReboot }),
			{Name: "REASON", Text: func(r patchScanRow) string { return withWords(r.Reason, r.Words) }},
			installed,
			scanned,
			{Name: "BASELINE", Wide: true, ID: true, Text: func(r patchScanRow) string { return r.Baseline }},
			{Name: "GROUP", Wide: true, Text: func(r patchScanRow) string { return r.Group }},
			{Name: "TOOK", Wide: true, Text: func(r patchScanRow) string { return durationWord(r.took) }},
		},
	}
}

// countColumn is a count that may not be known, with a level where it is not 0.
func countColumn[T any](o render.Options, name string, level theme.Level, of func(T) *int) render.Column[T] {
	value := func(v T) int {
		if n := of(v); n != nil {
			return *n
		}
		return -1
	}
	return numberColumn(o, name, level, func(v T) bool { return of(v) != nil }, value)
}

// withWords is a reason with the first of a node's own words.
func withWords(reason string, words []string) string {
	if len(words) == 0 {
		return reason
	}
	return strings.TrimPrefix(reason+": "+logPrefix().ReplaceAllString(words[0], ""), ": ")
}

// logPrefix is what the document's scripts begin their lines with on Linux:
// "11/26/2026 19:02:20 root [ERROR]: ".
var logPrefix = pattern.Lazy(`^\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2} \S+ \[[A-Z]+\]: `)

// durationWord is a time that something took; none is not shown.
func durationWord(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return render.Duration(d)
}
