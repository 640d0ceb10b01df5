package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/agentupdate"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// maxStateFile bounds a file of --resume in bytes.
const maxStateFile = 64 << 20

type agentsUpdateOptions struct {
	choice    nodeChoice
	waves     string
	maxErrors string
	version   string
	health    string
	pause     time.Duration
	settle    time.Duration
	state     string
	resume    string
	force     bool
	dryRun    bool
}

func newAgentsUpdateCmd(env *Env) *cobra.Command {
	var o agentsUpdateOptions
	cmd := &cobra.Command{
		Use:   "update <target>...",
		Short: "Update agents in waves",
		Long: `Update agents with the document ` + agentupdate.Document + `, a wave of nodes at a time:
with 1,10%,50%,100% first one node, then up to a tenth of them, then half, then
all. After each wave the agents must come back with the new version within
--settle, and --health must succeed on every node. When more than --max-errors
nodes have failed, no further wave is begun.

Nodes that have the newest version already are left out, so that the same command
goes on where it was stopped. --state keeps how far it is in a file, and --resume
takes exactly that run up again.`,
		Example: `  # See the waves
  $ ssmdeck node agents update --tag env=prod --dry-run

  # One node, then a tenth, then all, with five minutes between and a check
  $ ssmdeck node agents update --tag env=prod --waves 1,10%,100% --pause 5m --health 'systemctl is-active nginx'

  # Keep how far it is, and go on later
  $ ssmdeck node agents update --tag env=prod --state update.json
  $ ssmdeck node agents update --resume update.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, args) },
	}
	o.choice.bind(env, cmd)
	f := cmd.Flags()
	f.StringVar(&o.waves, "waves", "1,10%,50%,100%", "how far each wave goes: `sizes`, numbers or percentages")
	f.StringVar(&o.maxErrors, "max-errors", "0", "stop when more than `n` nodes have failed: a number or a percentage")
	f.StringVar(&o.version, "to", "", "`version` to install; the newest one without it")
	f.StringVar(&o.health, "health", "", "`script` that must succeed on every node after its update")
	f.DurationVar(&o.pause, "pause", 0, "how long to wait between two waves: `duration`")
	f.DurationVar(&o.settle, "settle", 10*time.Minute, "how long an agent may take to come back: `duration`")
	f.StringVar(&o.state, "state", "", "keep how far it is in `file`")
	f.StringVar(&o.resume, "resume", "", "go on with the run whose state is in `file`")
	f.BoolVar(&o.force, "force", false, "also nodes that have the version already")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the waves and send nothing")
	return cmd
}

// updateState is what --state keeps.
type updateState struct {
	Kind    string                `json:"kind"` // updateKind
	Version string                `json:"version,omitempty"`
	Want    string                `json:"want,omitempty"`
	Health  string                `json:"health,omitempty"`
	Nodes   map[string]updateNode `json:"nodes"`
	Offline []string              `json:"offline,omitempty"` // of Nodes: in no wave, and part of the result
	Waves   *waves.State          `json:"waves"`
}

type updateNode struct {
	Name string `json:"name"`
	From string `json:"from"`
}

const updateKind = "ssmdeck node agents update"

func (o *agentsUpdateOptions) run(cmd *cobra.Command, env *Env, args []string) error {
	ctx := cmd.Context()
	sizes, err := waves.ParseSizes(o.waves)
	if err != nil {
		return err
	}
	limit, err := waves.ParseLimit(o.maxErrors)
	if err != nil {
		return err
	}
	switch {
	case o.pause < 0 || o.settle <= 0:
		return fault.Usagef("%s: --pause and --settle are times to wait", cmd.CommandPath()).WithHint("for instance --pause 5m --settle 10m")
	case o.version != "" && !fleet.IsVersion(o.version):
		return fault.Usagef("--to %q is not a version", o.version).WithHint("write it like 3.3.4851.0")
	case o.state != "" && o.resume != "":
		return fault.Usagef("--state and --resume exclude each other").WithHint("--resume goes on writing to its file")
	}
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	if err := updateTable(ro).Check(ro); err != nil {
		return err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	var st *updateState
	if o.resume != "" {
		if st, err = o.read(cmd, args); err != nil {
			return err
		}
	} else if st, err = o.plan(ctx, cmd, env, svc, args, sizes); err != nil {
		return err
	}
	rows := func() []updateRow { return updateRows(st) }
	left := st.Waves.Left()
	if len(left) == 0 {
		env.note("ssmdeck: there is nothing to update")
		return o.end(env, ro, rows(), st, limit, st.Waves.Err())
	}
	if o.dryRun {
		env.note("would update %s; nothing was sent", updateWords(st, left))
		return writeList(env, updateTable, ro, rows())
	}
	if err := env.confirm(ctx, "update "+updateWords(st, left)); err != nil {
		return err
	}
	if err := o.keep(st); err != nil {
		return err
	}
	err = o.drive(ctx, env, svc, st, limit)
	return o.end(env, ro, rows(), st, limit, err)
}

// updateWords says what is to be updated: "the agents of 40 nodes in 4 waves of
// 1, 3, 16 and 20".
func updateWords(st *updateState, left []string) string {
	rest := st.Waves.LeftWaves()
	whose := "the agents of " + plural(len(left), "node")
	if len(left) == 1 {
		whose = "the agent of " + cmp.Or(st.Nodes[left[0]].Name, left[0])
	}
	return fmt.Sprintf("%s to %s in %s", whose, cmp.Or(st.Version, "the newest version"), waves.Describe(rest))
}

// plan finds the nodes that need an update and lays the waves.
func (o *agentsUpdateOptions) plan(ctx context.Context, cmd *cobra.Command, env *Env, svc *fleet.Service, args []string, sizes []waves.Size) (*updateState, error) {
	targets, filter, err := o.choice.parse(cmd.CommandPath(), args)
	if err != nil {
		return nil, err
	}
	nodes, err := members(ctx, svc, targets, filter)
	if err != nil {
		return nil, err
	}
	want := o.version
	// Of nodes that all have the newest version of this fleet, only the service
	// knows whether there is a newer one: then each is updated once.
	current := o.version != ""
	if want == "" {
		all, err := fleet.All(svc.List(ctx, fleet.Query{}))
		if err != nil {
			return nil, err
		}
		if want = fleet.NewestAgent(all); want != "" {
			if current, _, err = svc.IsLatest(ctx, want); err != nil {
				return nil, err
			}
		}
	}
	st := &updateState{Kind: updateKind, Version: o.version, Want: want, Health: o.health, Nodes: map[string]updateNode{}}
	var ids []string
	done := 0
	for _, n := range nodes {
		switch {
		case !o.force && current && !behind(n, want):
			done++
		case n.Offline():
			st.Nodes[n.ID] = updateNode{n.Name, n.AgentVersion}
			st.Offline = append(st.Offline, n.ID)
		default:
			st.Nodes[n.ID] = updateNode{n.Name, n.AgentVersion}
			ids = append(ids, n.ID)
		}
	}
	if done > 0 {
		env.note("ssmdeck: %s at %s or newer already", pluralAre(done, "node"), want)
	}
	if len(st.Offline) > 0 {
		env.note("ssmdeck: %s offline and cannot be updated", pluralAre(len(st.Offline), "node"))
	}
	st.Waves = waves.New(waves.Plan(ids, sizes), time.Now())
	return st, nil
}

// drive does the waves.
func (o *agentsUpdateOptions) drive(ctx context.Context, env *Env, svc *fleet.Service, st *updateState, limit waves.Limit) error {
	runner, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	progress, err := env.progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	now := 0
	u := &agentupdate.Updater{
		Run: runner, Fleet: svc, Version: st.Version, Want: st.Want, Health: st.Health, Settle: o.settle,
		Step: func(what string, done, total int) {
			progress.Set(render.Status{Label: fmt.Sprintf("wave %d of %d: %s", now, len(st.Waves.Waves), what), Done: int64(done), Total: int64(total)})
		},
	}
	return waves.Run(ctx, st.Waves, waves.Options{
		MaxFailures: limit.Of(st.Waves.Total()), Pause: o.pause,
		Do: func(ctx context.Context, wave int, ids []string) (map[string]string, error) { return u.Wave(ctx, ids) },
		Changed: func(s *waves.State, wave int, phase waves.Phase) error {
			now = wave
			switch phase {
			case waves.Beginning:
				progress.Event(fmt.Sprintf("wave %d of %d: %s", wave, len(s.Waves), plural(len(s.Waves[wave-1]), "node")), nil)
			case waves.Ended:
				progress.Event(fmt.Sprintf("wave %d of %d: done, %d ok and %d failed so far", wave, len(s.Waves), s.Count(waves.OK), s.Count(waves.Failed)), nil)
			case waves.Pausing:
				progress.Event(fmt.Sprintf("wave %d of %d begins in %s", wave, len(s.Waves), o.pause), nil)
				return nil
			}
			return o.keep(st)
		},
	})
}

// end prints what became of the nodes and says how to go on.
func (o *agentsUpdateOptions) end(env *Env, ro render.Options, rows []updateRow, st *updateState, limit waves.Limit, err error) error {
	if printErr := writeList(env, updateTable, ro, rows); printErr != nil {
		return printErr
	}
	if left := len(st.Waves.Left()); left > 0 && err != nil {
		how := "the same command goes on with the rest"
		if file := cmp.Or(o.state, o.resume); file != "" {
			how = fmt.Sprintf("`ssmdeck node agents update --resume %s` goes on", shellWord(file))
		}
		if st.Waves.Count(waves.Failed) > limit.Of(st.Waves.Total()) {
			how += "; a larger --max-errors is needed while those that failed are counted"
		}
		env.note("ssmdeck: %s not updated; %s", pluralAre(left, "node"), how)
	}
	switch {
	case err != nil && (errors.Is(err, context.Canceled) || fault.KindOf(err) == fault.Interrupted):
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	case err != nil:
		return err
	case len(st.Offline) > 0:
		return fault.New(fault.RemoteFailed, "update agents", "%s offline: nothing was done there", pluralAre(len(st.Offline), "node")).
			WithHint("run it again when they are back; `ssmdeck doctor NODE` says why")
	}
	return nil
}

func shellWord(s string) string {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' || r == '.' || r == '-' || r == '_') {
			return strconv.Quote(s)
		}
	}
	return s
}

// read takes up the state of --resume.
func (o *agentsUpdateOptions) read(cmd *cobra.Command, args []string) (*updateState, error) {
	for _, flag := range []string{"target", "tag", "filter", "waves", "to", "health", "force"} {
		if cmd.Flags().Changed(flag) || len(args) > 0 {
			return nil, fault.Usagef("--resume goes on with what was begun, and takes no targets and no --%s", flag)
		}
	}
	f, err := os.Open(o.resume)
	if err != nil {
		return nil, fault.New(fault.Usage, "read the state", "%w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxStateFile))
	if err != nil {
		return nil, fault.New(fault.Usage, "read the state", "%w", err)
	}
	var st updateState
	if err := json.Unmarshal(raw, &st); err != nil || st.Kind != updateKind || st.Waves == nil {
		return nil, fault.Usagef("%s is not the state of an update of agents", o.resume).WithHint("name the file that --state wrote")
	}
	if err := st.Waves.Check(); err != nil {
		return nil, fault.New(fault.Usage, "read the state of "+o.resume, "%w", err)
	}
	return &st, nil
}

// keep writes the state where one is kept: a reader sees the old or the new one.
func (o *agentsUpdateOptions) keep(st *updateState) error {
	path := cmp.Or(o.state, o.resume)
	if path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	fail := func(err error) error { return fault.New(fault.Failed, "keep the state in "+path, "%w", err) }
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ssmdeck-state-*") // mode 0600
	if err != nil {
		return fail(err)
	}
	_, err = tmp.Write(append(raw, '\n'))
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fail(err)
	}
	return nil
}

// updateRow is one node of an update.
type updateRow struct {
	Status string `json:"status"` // waiting, begun, ok, failed, offline
	ID     string `json:"id"`
	Name   string `json:"name"`
	Wave   int    `json:"wave,omitempty"`
	From   string `json:"from"`
	Detail string `json:"detail,omitempty"`
}

func updateRows(st *updateState) []updateRow {
	var rows []updateRow
	for i, w := range st.Waves.Waves {
		for _, id := range w {
			r := updateRow{Status: "waiting", ID: id, Name: st.Nodes[id].Name, From: st.Nodes[id].From, Wave: i + 1}
			if done, ok := st.Waves.Nodes[id]; ok {
				r.Status, r.Detail = string(done.Status), done.Detail
			}
			rows = append(rows, r)
		}
	}
	for _, id := range st.Offline {
		rows = append(rows, updateRow{Status: "offline", ID: id, Name: st.Nodes[id].Name, From: st.Nodes[id].From})
	}
	return rows
}

func updateTable(o render.Options) render.Table[updateRow] {
	levels := map[string]theme.Level{"ok": theme.Good, "failed": theme.Bad, "offline": theme.Warn, "begun": theme.Busy, "waiting": theme.Idle}
	return render.Table[updateRow]{
		ID: func(r updateRow) string { return r.ID },
		Columns: []render.Column[updateRow]{
			{
				Name: "STATUS", Text: func(r updateRow) string { return r.Status },
				Human: func(r updateRow) string { return o.Styles.Status(levels[r.Status], r.Status) },
			},
			{Name: "WAVE", Right: true, Text: func(r updateRow) string {
				if r.Wave == 0 {
					return ""
				}
				return strconv.Itoa(r.Wave)
			}},
			{Name: "NODE ID", ID: true, Text: func(r updateRow) string { return r.ID }},
			{Name: "NAME", Text: func(r updateRow) string { return r.Name }},
			{Name: "FROM", Text: func(r updateRow) string { return r.From }},
			{Name: "DETAIL", Text: func(r updateRow) string { return r.Detail }},
		},
	}
}
