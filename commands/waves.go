package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// waveOptions are the flags of what is done to nodes in waves: how far each goes,
// when to stop, and where how far it is is kept.
type waveOptions struct {
	spec      string
	maxErrors string
	health    string
	pause     time.Duration
	settle    time.Duration
	state     string
	resume    string

	sizes []waves.Size // after check
	limit waves.Limit
}

// bind adds the flags. what is done to a node: "update".
func (o *waveOptions) bind(f *pflag.FlagSet, what string) {
	f.StringVar(&o.spec, "waves", "1,10%,50%,100%", "how far each wave goes: `sizes`, numbers or percentages")
	f.StringVar(&o.maxErrors, "max-errors", "0", "stop when more than `n` nodes have failed: a number or a percentage")
	f.StringVar(&o.health, "health", "", "`script` that must succeed on every node after its "+what)
	f.DurationVar(&o.pause, "pause", 0, "how long to wait between two waves: `duration`")
	f.DurationVar(&o.settle, "settle", 10*time.Minute, "how long an agent may take to come back: `duration`")
	f.StringVar(&o.state, "state", "", "keep how far it is in `file`")
	f.StringVar(&o.resume, "resume", "", "go on with the run whose state is in `file`")
}

// check reads the flags, before any call. path is the command.
func (o *waveOptions) check(path string) (err error) {
	if o.sizes, err = waves.ParseSizes(o.spec); err != nil {
		return err
	}
	if o.limit, err = waves.ParseLimit(o.maxErrors); err != nil {
		return err
	}
	switch {
	case o.pause < 0 || o.settle <= 0:
		return fault.Usagef("%s: --pause and --settle are times to wait", path).WithHint("for instance --pause 5m --settle 10m")
	case o.state != "" && o.resume != "":
		return fault.Usagef("--state and --resume exclude each other").WithHint("--resume goes on writing to its file")
	}
	return nil
}

// file is where the state is kept, "" for nowhere.
func (o *waveOptions) file() string { return cmp.Or(o.state, o.resume) }

// maxStateFile bounds a file of --resume in bytes.
const maxStateFile = 64 << 20

// read takes up the state of --resume into st. What was decided when it was begun
// cannot be said again: targets, waves, health, and the flags named.
func (o *waveOptions) read(cmd *cobra.Command, args []string, st any, flags ...string) error {
	for _, flag := range append([]string{"target", "tag", "filter", "waves", "health"}, flags...) {
		if cmd.Flags().Changed(flag) || len(args) > 0 {
			return fault.Usagef("--resume goes on with what was begun, and takes no targets and no --%s", flag)
		}
	}
	f, err := os.Open(o.resume)
	if err != nil {
		return fault.New(fault.Usage, "read the state", "%w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxStateFile))
	if err != nil {
		return fault.New(fault.Usage, "read the state", "%w", err)
	}
	if json.Unmarshal(raw, st) != nil {
		return notThatState(o.resume, "a run in waves")
	}
	return nil
}

// unused refuses a file of --state that must not be written over: the state of a run
// that is not done, which alone knows what was sent, and what is no state at all.
func (o *waveOptions) unused() error {
	raw, err := os.ReadFile(o.state)
	if o.state == "" || errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) == 0 {
		return nil
	}
	if err != nil {
		return fault.New(fault.Usage, "keep the state", "%w", err)
	}
	var had struct{ Waves *waves.State }
	switch {
	case json.Unmarshal(raw, &had) != nil || had.Waves == nil:
		return fault.Usagef("--state %s: this file is there, and is not the state of a run in waves", o.state).WithHint("name a new file")
	case len(had.Waves.Left()) > 0:
		return fault.New(fault.Refused, "keep the state in "+o.state, "it is that of a run that is not done").
			WithHint("--resume %s goes on with it; else name another file", shellWord(o.state))
	}
	return nil
}

func notThatState(file, what string) error {
	return fault.Usagef("%s is not the state of %s", file, what).WithHint("name the file that --state wrote")
}

// checkWaves refuses waves of a file that cannot be meant.
func checkWaves(file string, s *waves.State) error {
	if s == nil {
		return notThatState(file, "a run in waves")
	}
	if err := s.Check(); err != nil {
		return fault.New(fault.Usage, "read the state of "+file, "%w", err)
	}
	return nil
}

// keep writes the state where one is kept: a reader sees the old or the new one,
// and it is on the disk when keep returns.
func (o *waveOptions) keep(st any) error {
	path := o.file()
	if path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	if err := config.WriteFileAtomic(path, append(raw, '\n'), 0o600); err != nil {
		return fault.New(fault.Failed, "keep the state in "+path, "%w", err)
	}
	return nil
}

// lock keeps other processes from going on with the same state, where one is kept.
func (o *waveOptions) lock() (release func(), err error) {
	if o.file() == "" {
		return func() {}, nil
	}
	return lockState(o.file())
}

// waveDrive drives waves and shows how far they are.
type waveDrive struct {
	options  *waveOptions
	state    *waves.State
	progress *render.Progress
	keep     func() error
	before   func(ctx context.Context, wave int) error // may be nil; see waves.Options.Before

	now int // the wave
}

// step shows what is being done in the wave.
func (d *waveDrive) step(what string, done, total int) {
	note := ""
	if ok, failed := d.state.Count(waves.OK), d.state.Count(waves.Failed); ok+failed > 0 {
		note = fmt.Sprintf("before: %d ok, %d failed", ok, failed)
	}
	d.progress.Set(render.Status{Label: fmt.Sprintf("wave %d of %d: %s", d.now, len(d.state.Waves), what), Done: int64(done), Total: int64(total), Note: note})
}

func (d *waveDrive) run(ctx context.Context, do func(ctx context.Context, wave int, ids []string) (waves.Outcome, error)) error {
	return waves.Run(ctx, d.state, waves.Options{
		MaxFailures: d.options.limit.Of(d.state.Total()), Pause: d.options.pause, Before: d.before, Do: do,
		Changed: func(s *waves.State, wave int, phase waves.Phase) error {
			d.now = wave
			switch phase {
			case waves.Beginning:
				d.progress.Event(fmt.Sprintf("wave %d of %d: %s", wave, len(s.Waves), plural(len(s.Waves[wave-1]), "node")), nil)
			case waves.Ended:
				d.progress.Event(fmt.Sprintf("wave %d of %d: done, %d ok and %d failed so far", wave, len(s.Waves), s.Count(waves.OK), s.Count(waves.Failed)), nil)
			case waves.Pausing:
				d.progress.Event(fmt.Sprintf("wave %d of %d begins in %s", wave, len(s.Waves), d.options.pause), nil)
				return nil
			}
			return d.keep()
		},
	})
}

// sayLeft says how many nodes are left after err and how to go on: with the file of
// the state, else as otherwise says. done is what was not done: "updated".
func (o *waveOptions) sayLeft(env *Env, s *waves.State, err error, done, otherwise, command string) {
	left := len(s.Left())
	if left == 0 || err == nil {
		return
	}
	how := otherwise
	if file := o.file(); file != "" {
		how = fmt.Sprintf("`%s --resume %s` goes on", command, shellWord(file))
	}
	if s.Count(waves.Failed) > o.limit.Of(s.Total()) {
		how += "; a larger --max-errors is needed while those that failed are counted"
	}
	env.note("ssmdeck: %s not %s; %s", pluralAre(left, "node"), done, how)
}

// waveError is the exit of waves that ended with err: what was interrupted has been
// said.
func waveError(err error) error {
	if err != nil && (errors.Is(err, context.Canceled) || fault.KindOf(err) == fault.Interrupted) {
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return err
}

// waveNodes yields the nodes of all waves in order, with what became of them; those
// that have not had their turn are "waiting".
func waveNodes(s *waves.State) iter.Seq2[string, waves.Result] {
	return func(yield func(string, waves.Result) bool) {
		for i, w := range s.Waves {
			for _, id := range w {
				r, ok := s.Nodes[id]
				if !ok {
					r = waves.Result{Status: "waiting", Wave: i + 1}
				}
				if !yield(id, r) {
					return
				}
			}
		}
	}
}

func waveLevels() map[string]theme.Level {
	return map[string]theme.Level{"ok": theme.Good, "failed": theme.Bad, "offline": theme.Warn, "begun": theme.Busy, "waiting": theme.Idle}
}

// waveWord is the number of a wave in a table; a node in none has no number.
func waveWord(wave int) string {
	if wave == 0 {
		return ""
	}
	return strconv.Itoa(wave)
}

func shellWord(s string) string {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' || r == '.' || r == '-' || r == '_') {
			return strconv.Quote(s)
		}
	}
	return s
}
