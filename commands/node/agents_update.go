package node

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/rolling"
	"github.com/ssmdeck/ssmdeck/internal/agentupdate"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

type agentsUpdateOptions struct {
	choice  nodechoice.Choice
	waves   rolling.Options
	version string
	force   bool
	dryRun  bool
}

func newAgentsUpdateCmd(env *cli.Env) *cobra.Command {
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
	o.choice.Bind(env, cmd)
	f := cmd.Flags()
	o.waves.Bind(f, "update")
	f.StringVar(&o.version, "to", "", "`version` to install; the newest one without it")
	f.BoolVar(&o.force, "force", false, "also nodes that have the version already")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the waves and send nothing")
	return cmd
}

// updateState is what --state keeps.
type updateState struct {
	Kind    string                `json:"kind"` // updateKind
	Version string                `json:"version,omitempty"`
	Want    map[string]string     `json:"want,omitempty"` // by platform
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

func (o *agentsUpdateOptions) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	ctx := cmd.Context()
	if err := o.waves.Check(cmd.CommandPath()); err != nil {
		return err
	}
	if o.version != "" && !fleet.IsVersion(o.version) {
		return fault.Usagef("--to %q is not a version", o.version).WithHint("write it like 3.3.4851.0")
	}
	if err := env.RefuseChange("SendCommand", o.dryRun); err != nil {
		return err
	}
	release, err := o.waves.Lock()
	if err != nil {
		return err
	}
	defer release()
	if err := o.waves.Unused(); err != nil && !o.dryRun {
		return err
	}
	ro, err := cli.ListOptions(env, updateTable)
	if err != nil {
		return err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	var st *updateState
	if o.waves.Resume != "" {
		if st, err = o.read(cmd, args); err != nil {
			return err
		}
	} else if st, err = o.plan(ctx, cmd, env, svc, args); err != nil {
		return err
	}
	rows := func() []updateRow { return updateRows(st) }
	left := st.Waves.Left()
	if len(left) == 0 {
		env.Note("ssmdeck: there is nothing to update")
		return o.end(env, ro, rows(), st, st.Waves.Err())
	}
	if o.dryRun {
		env.Note("would update %s; nothing was sent", updateWords(st, left))
		return cli.WriteList(env, updateTable, ro, rows())
	}
	if err := env.Confirm(ctx, "update "+updateWords(st, left)); err != nil {
		return err
	}
	if err := o.waves.Keep(st); err != nil {
		return err
	}
	err = o.drive(ctx, env, svc, st)
	return o.end(env, ro, rows(), st, err)
}

// updateWords says what is to be updated: "the agents of 40 nodes in 4 waves of
// 1, 3, 16 and 20".
func updateWords(st *updateState, left []string) string {
	rest := st.Waves.LeftWaves()
	whose := "the agents of " + cli.Plural(len(left), "node")
	if len(left) == 1 {
		whose = "the agent of " + cmp.Or(st.Nodes[left[0]].Name, left[0])
	}
	return fmt.Sprintf("%s to %s in %s", whose, cmp.Or(st.Version, "the newest version"), waves.Describe(rest))
}

// plan finds the nodes that need an update and lays the waves.
func (o *agentsUpdateOptions) plan(ctx context.Context, cmd *cobra.Command, env *cli.Env, svc *fleet.Service, args []string) (*updateState, error) {
	targets, filter, err := o.choice.Parse(cmd.CommandPath(), args)
	if err != nil {
		return nil, err
	}
	nodes, err := nodechoice.Members(ctx, svc, targets, filter)
	if err != nil {
		return nil, err
	}
	st := &updateState{Kind: updateKind, Version: o.version, Health: o.waves.Health, Nodes: map[string]updateNode{}}
	has := func(n *fleet.Node) bool { return fleet.CompareVersions(n.AgentVersion, o.version) >= 0 }
	if o.version == "" {
		all, err := fleet.All(svc.List(ctx, fleet.Query{}))
		if err != nil {
			return nil, err
		}
		if st.Want, has, err = newestHere(ctx, svc, all); err != nil {
			return nil, err
		}
	}
	var ids []string
	done := 0
	for _, n := range nodes {
		switch {
		case !o.force && has(&n):
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
		env.Note("ssmdeck: %s at %s or newer already", cli.PluralAre(done, "node"), cmp.Or(o.version, st.Want[fleet.Linux]))
	}
	if len(st.Offline) > 0 {
		env.Note("ssmdeck: %s offline and cannot be updated", cli.PluralAre(len(st.Offline), "node"))
	}
	st.Waves = waves.New(waves.Plan(ids, o.waves.Sizes), time.Now())
	return st, nil
}

// newestHere are the newest agents of a fleet by platform, and which nodes need no
// update. Of nodes that all have the newest of their platform, only the service knows
// whether there is a newer one: where it does not say that there is none, each is
// updated once.
func newestHere(ctx context.Context, svc *fleet.Service, all []fleet.Node) (want map[string]string, has func(*fleet.Node) bool, err error) {
	agents := fleet.AgentsOf(each(all), fleet.AgentNews{})
	latest := false
	if newest := agents.Newest(fleet.Linux); newest != "" {
		latest, _, err = svc.IsLatest(ctx, newest)
	}
	return maps.Collect(agents.All()), func(n *fleet.Node) bool { return latest && n.Platform == fleet.Linux && !agents.Behind(n) }, err
}

// drive does the waves.
func (o *agentsUpdateOptions) drive(ctx context.Context, env *cli.Env, svc *fleet.Service, st *updateState) error {
	runner, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	progress, err := env.Progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	d := rolling.Drive{Options: &o.waves, State: st.Waves, Progress: progress, Keep: func() error { return o.waves.Keep(st) }}
	u := &agentupdate.Updater{
		Run: runner, Fleet: svc, Version: st.Version, Want: st.Want, Health: st.Health, Settle: o.waves.Settle, Step: d.Step,
	}
	return d.Run(ctx, func(ctx context.Context, _ int, ids []string) (waves.Outcome, error) {
		failed, err := u.Wave(ctx, ids)
		return waves.Outcome{Failed: failed}, err
	})
}

// end prints what became of the nodes and says how to go on.
func (o *agentsUpdateOptions) end(env *cli.Env, ro render.Options, rows []updateRow, st *updateState, err error) error {
	if printErr := cli.WriteList(env, updateTable, ro, rows); printErr != nil {
		return printErr
	}
	o.waves.SayLeft(env, st.Waves, err, "updated", "the same command goes on with the rest", "ssmdeck node agents update")
	if err = rolling.Error(err); err != nil {
		return err
	}
	if len(st.Offline) > 0 {
		return fault.New(fault.RemoteFailed, "update agents", "%s offline: nothing was done there", cli.PluralAre(len(st.Offline), "node")).
			WithHint("run it again when they are back; `ssmdeck doctor NODE` says why")
	}
	return nil
}

// read takes up the state of --resume.
func (o *agentsUpdateOptions) read(cmd *cobra.Command, args []string) (*updateState, error) {
	var st updateState
	if err := o.waves.Read(cmd, args, &st, "to", "force"); err != nil {
		return nil, err
	}
	if st.Kind != updateKind {
		return nil, rolling.NotThatState(o.waves.Resume, "an update of agents")
	}
	return &st, rolling.Check(o.waves.Resume, st.Waves)
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
	for id, r := range rolling.Nodes(st.Waves) {
		rows = append(rows, updateRow{Status: string(r.Status), ID: id, Name: st.Nodes[id].Name, Wave: r.Wave, From: st.Nodes[id].From, Detail: r.Detail})
	}
	for _, id := range st.Offline {
		rows = append(rows, updateRow{Status: "offline", ID: id, Name: st.Nodes[id].Name, From: st.Nodes[id].From})
	}
	return rows
}

func updateTable(o render.Options) render.Table[updateRow] {
	return render.Table[updateRow]{
		ID: func(r updateRow) string { return r.ID },
		Columns: []render.Column[updateRow]{
			{
				Name: "STATUS", Text: func(r updateRow) string { return r.Status },
				Human: func(r updateRow) string { return o.Styles.Status(rolling.Levels()[r.Status], r.Status) },
			},
			{Name: "WAVE", Right: true, Text: func(r updateRow) string { return rolling.Word(r.Wave) }},
			{Name: "NODE ID", ID: true, Text: func(r updateRow) string { return r.ID }},
			{Name: "NAME", Text: func(r updateRow) string { return r.Name }},
			{Name: "FROM", Text: func(r updateRow) string { return r.From }},
			{Name: "DETAIL", Text: func(r updateRow) string { return r.Detail }},
		},
	}
}
