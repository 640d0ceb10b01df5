package patch

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/rolling"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

const installPath = "ssmdeck patch install"

type installOptions struct {
	choice      nodechoice.Choice
	waves       rolling.Options
	patching    patching.Options
	reboot      string
	calendars   []string
	concurrency string
	timeout     string
	outDir      string
	scanFirst   bool
	dryRun      bool

	delivery time.Duration // timeout
	own      bool          // the file of the state is of our own choice
}

func newInstallCmd(env *cli.Env) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install <target>...",
		Short: "Install missing patches in waves",
		Long: `Install what the baselines of nodes approve, with the document ` + patching.Document + `, a
wave of nodes at a time: with 1,10%,50%,100% first one node, then up to a tenth of
them, then half, then all.

Whether nodes may reboot has no default: with --reboot if-needed a node reboots when
anything was installed or waited for a reboot, with never none does, and what was
installed may not be in effect. On a terminal it is asked.

After each wave the agents must be back within --settle, the nodes must report
nothing failed and nothing missing, and --health must succeed. When more than
--max-errors nodes have failed, no further wave is begun. --calendar begins a wave
only while the change calendar is open.

How far it is is kept in a file, before anything is sent. Whatever ends ssmdeck, what
it has sent goes on, and --resume FILE finds it and goes on: no node is patched twice
and none is lost. Ctrl-C stops following and says how to resume; once more quits.

--dry-run shows what would be installed where, and which nodes reboot, by the last
scan of each node; --scan-first scans before that.`,
		Example: `  # What would be installed, and who would reboot?
  $ ssmdeck patch install --tag 'Patch Group=web' --reboot if-needed --dry-run

  # One node, then a tenth, then all; a check and ten minutes between
  $ ssmdeck patch install --tag env=prod --reboot if-needed --waves 1,10%,100% --pause 10m --health 'curl -sf localhost/health'

  # Without reboots, only what a list names
  $ ssmdeck patch install 'db-*' --reboot never --override-list s3://patches/tonight.yaml

  # Go on after the laptop was closed
  $ ssmdeck patch install --resume tonight.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, args) },
	}
	o.choice.Bind(env, cmd)
	f := cmd.Flags()
	o.waves.Bind(f, "installation")
	bindPatchRate(f, &o.concurrency, &o.timeout)
	f.StringVar(&o.reboot, "reboot", "", "whether nodes reboot: `when`, one of "+strings.Join(patching.Reboots(), ", "))
	f.StringVar(&o.patching.OverrideList, "override-list", "", "install only what the list at this `URL` names, s3://… or https://…")
	f.StringVar(&o.patching.BaselineOverride, "baseline-override", "", "use the baselines in this S3 object in place of the nodes' own: `s3://BUCKET/KEY`")
	f.StringVar(&o.patching.Snapshot, "snapshot-id", "", "`GUID` of the snapshot of baselines; one is made for the run without it")
	f.StringSliceVar(&o.calendars, "calendar", nil, "begin waves only while these change `calendars` are open")
	f.BoolVar(&o.scanFirst, "scan-first", false, "scan the nodes before, also with --dry-run")
	f.StringVar(&o.outDir, "out-dir", "", "write what the nodes printed to files in the new or empty `folder`, and a summary.json")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be installed and send nothing")
	_ = cmd.RegisterFlagCompletionFunc("reboot", cobra.FixedCompletions([]string{
		"if-needed\ta node reboots when anything was installed", "never\tno node reboots",
	}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check reads the flags, before any call.
func (o *installOptions) check(cmd *cobra.Command) (err error) {
	if err := o.waves.Check(cmd.CommandPath()); err != nil {
		return err
	}
	if o.reboot != "" {
		if o.patching.Reboot, err = patching.ParseReboot(o.reboot); err != nil {
			return err
		}
	}
	if err := o.patching.Check(); err != nil {
		return err
	}
	if o.delivery, err = run.ParseTimeout(o.timeout); err != nil {
		return err
	}
	if _, err := run.ParseConcurrency(o.concurrency); err != nil {
		return err
	}
	switch {
	case o.scanFirst && o.waves.Resume != "":
		return fault.Usagef("--resume goes on with what was begun, and takes no --scan-first")
	case o.dryRun && o.outDir != "":
		return fault.Usagef("--dry-run installs nothing, so there is nothing for --out-dir")
	}
	return nil
}

func (o *installOptions) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	ctx := cmd.Context()
	if err := o.check(cmd); err != nil {
		return err
	}
	if err := env.RefuseChange("SendCommand", o.dryRun && !o.scanFirst); err != nil {
		return err
	}
	ro, err := cli.ListOptions(env, planTable)
	if err != nil {
		return err
	}
	if err := installTable(ro).Check(ro); err != nil && !o.dryRun {
		return err
	}
	if o.waves.Resume != "" {
		return o.resume(cmd, env, ro, args)
	}
	if err := o.waves.Unused(); err != nil {
		return err
	}
	targets, filter, err := o.choice.Parse(cmd.CommandPath(), args)
	if err != nil {
		return err
	}
	if err := o.chooseReboot(ctx, env); err != nil {
		return err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	nodes, err := nodechoice.Members(ctx, svc, targets, filter)
	if err != nil {
		return err
	}
	if err := o.checkOverride(ctx, env, nodes); err != nil {
		return err
	}
	o.patching.Snapshot = cmp.Or(o.patching.Snapshot, patching.NewSnapshot())
	if o.scanFirst {
		if err := o.scan(ctx, env, svc, nodes); err != nil {
			return err
		}
	}
	all, _ := runview.Wide(targets)
	plan, err := o.plan(ctx, env, svc, nodes, all && o.choice.Filter == "")
	if err != nil {
		return err
	}
	o.sayPlan(env, ro, plan)
	schedules, err := readSchedules(ctx, env)
	if err != nil {
		return err
	}
	o.saySchedules(ctx, env, ro, schedules, nodes)
	if o.dryRun {
		env.Note("would install patches on %s; no installation was sent", installWords(plan.Options, plan.Waves))
		return cli.WriteList(env, planTable, ro, plan.Nodes)
	}
	if err := plan.Err(); err != nil {
		return err
	}
	if err := schedules.Open(ctx, o.calendars); err != nil {
		return err
	}
	if err := env.Confirm(ctx, "install patches on "+installWords(plan.Options, plan.Waves)); err != nil {
		return err
	}
	if err := o.chooseFile(env); err != nil {
		return err
	}
	release, err := o.waves.Lock()
	if err != nil {
		return err
	}
	defer release()
	if err := o.waves.Unused(); err != nil {
		return err
	}
	st := patching.NewState(plan, o.waves.Health, time.Now())
	st.Calendars = o.calendars
	if st.Account, st.Region, err = env.Whereabouts(ctx); err != nil {
		st.Account = "" // the Region alone is held against then
	}
	return o.install(ctx, env, ro, svc, st)
}

// chooseReboot asks whether nodes may reboot, where it was not said: there is no
// answer that is right for everybody.
func (o *installOptions) chooseReboot(ctx context.Context, env *cli.Env) error {
	if o.reboot != "" {
		return nil
	}
	if !env.CanAsk() {
		return fault.Usagef("%s: it is not said whether nodes may reboot", installPath).
			WithHint("add --reboot if-needed (a node reboots when anything was installed) or --reboot never")
	}
	for {
		answer, err := env.Ask(ctx, "may nodes reboot when something was installed? [if-needed/never] ")
		if err != nil {
			return err
		}
		if o.patching.Reboot, err = patching.ParseReboot(answer); err == nil {
			return nil
		}
	}
}

// checkOverride holds baselines of --baseline-override against the nodes.
func (o *installOptions) checkOverride(ctx context.Context, env *cli.Env, nodes []fleet.Node) error {
	if o.patching.BaselineOverride == "" {
		return nil
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	read, err := patching.CheckOverride(ctx, logstore.New(scope.Config()), o.patching, nodes)
	if err == nil && !read {
		env.Note("ssmdeck: %s cannot be read from here: whether it fits the nodes was not checked", render.Visible(o.patching.BaselineOverride))
	}
	return err
}

// scan brings what is known of nodes up to date.
func (o *installOptions) scan(ctx context.Context, env *cli.Env, svc *fleet.Service, nodes []fleet.Node) error {
	var online []string
	for _, n := range nodes {
		if !n.Offline() {
			online = append(online, n.ID)
		}
	}
	if len(online) == 0 {
		return nil
	}
	if err := runview.ConfirmNodes(ctx, env, "scan for patches, then plan,", nodes, false, false); err != nil {
		return err
	}
	runner, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	progress, err := env.Progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	v := &scanView{states: map[string]*fleet.PatchState{}, names: map[string]string{}, progress: progress}
	_, err = patching.Scanner{Run: runner, Fleet: svc}.Scan(ctx, patching.Scan{
		Selection: fleet.Selection{Nodes: nodes, InstanceIDs: online}, Snapshot: patching.NewSnapshot(), Comment: "patch scan before an installation",
		Concurrency: o.concurrency, MaxErrors: "100%", Timeout: o.delivery,
	}, v.event, v.seen)
	if err != nil {
		return err
	}
	if n := v.board.Failures(); n > 0 {
		env.Note("ssmdeck: the scan did not succeed on %s; what is known of them is older", cli.Plural(n, "node"))
	}
	return nil
}

// plan says what would be done. The patches are named where somebody looks at them.
func (o *installOptions) plan(ctx context.Context, env *cli.Env, svc *fleet.Service, nodes []fleet.Node, whole bool) (*patching.Plan, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	planner := patching.Planner{Fleet: svc, Patches: patch.New(scope.SSM()), Names: o.dryRun || env.CanAsk(), Whole: whole}
	return planner.Plan(ctx, nodes, o.patching, o.waves.Sizes)
}

// installStates is the folder of states for which nobody named a file.
func installStates(env *cli.Env) (string, error) {
	dir, err := config.StateDir(env.Lookup, runtime.GOOS)
	return filepath.Join(dir, "patch"), err
}

// chooseFile makes a file for the state where none was named.
func (o *installOptions) chooseFile(env *cli.Env) error {
	if o.waves.State != "" {
		return nil
	}
	dir, err := installStates(env)
	if err != nil {
		return fault.Usagef("there is no folder to keep how far the installation is: %w", err).WithHint("name a file with --state")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.New(fault.Failed, "make the folder for the state", "%w", err).WithHint("name a file with --state")
	}
	name := fmt.Sprintf("install-%s-%s.json", time.Now().UTC().Format("20060102T150405"), o.patching.Snapshot[:8])
	o.waves.State, o.own = filepath.Join(dir, name), true
	return nil
}

// installWords says where patches are to be installed: "40 nodes in 4 waves of 1, 3,
// 16 and 20 (reboot if-needed)".
func installWords(o patching.Options, left [][]string) string {
	n := 0
	for _, w := range left {
		n += len(w)
	}
	if n == 0 {
		return "no node"
	}
	return fmt.Sprintf("%s in %s (reboot %s)", cli.Plural(n, "node"), waves.Describe(left), o.Reboot.Word())
}
