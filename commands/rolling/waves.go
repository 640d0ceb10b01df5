package rolling

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

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// Options are the flags of what is done to nodes in waves: how far each goes,
// when to stop, and where how far it is is kept.
type Options struct {
	spec      string
	maxErrors string
	Health    string
	pause     time.Duration
	Settle    time.Duration
	State     string
	Resume    string

	Sizes []waves.Size // after check
	Limit waves.Limit
}

// Bind adds the flags. what is done to a node: "update".
func (o *Options) Bind(f *pflag.FlagSet, what string) {
	f.StringVar(&o.spec, "waves", "1,10%,50%,100%", "how far each wave goes: `sizes`, numbers or percentages")
	f.StringVar(&o.maxErrors, "max-errors", "0", "stop when more than `n` nodes have failed: a number or a percentage")
	f.StringVar(&o.Health, "health", "", "`script` that must succeed on every node after its "+what)
	f.DurationVar(&o.pause, "pause", 0, "how long to wait between two waves: `duration`")
	f.DurationVar(&o.Settle, "settle", 10*time.Minute, "how long an agent may take to come back: `duration`")
	f.StringVar(&o.State, "state", "", "keep how far it is in `file`")
	f.StringVar(&o.Resume, "resume", "", "go on with the run whose state is in `file`")
}

// Check reads the flags, before any call. path is the command.
func (o *Options) Check(path string) (err error) {
	if o.Sizes, err = waves.ParseSizes(o.spec); err != nil {
		return err
	}
	if o.Limit, err = waves.ParseLimit(o.maxErrors); err != nil {
		return err
	}
	switch {
	case o.pause < 0 || o.Settle <= 0:
		return fault.Usagef("%s: --pause and --settle are times to wait", path).WithHint("for instance --pause 5m --settle 10m")
	case o.State != "" && o.Resume != "":
		return fault.Usagef("--state and --resume exclude each other").WithHint("--resume goes on writing to its file")
	}
	return nil
}

// File is where the state is kept, "" for nowhere.
func (o *Options) File() string { return cmp.Or(o.State, o.Resume) }

// maxStateFile bounds a file of --resume in bytes.
const maxStateFile = 64 << 20

// Read takes up the state of --resume into st. What was decided when it was begun
// cannot be said again: targets, waves, health, and the flags named.
func (o *Options) Read(cmd *cobra.Command, args []string, st any, flags ...string) error {
	for _, flag := range append([]string{"target", "tag", "filter", "waves", "health"}, flags...) {
		if cmd.Flags().Changed(flag) || len(args) > 0 {
			return fault.Usagef("--resume goes on with what was begun, and takes no targets and no --%s", flag)
		}
	}
	f, err := os.Open(o.Resume)
	if err != nil {
		return fault.New(fault.Usage, "read the state", "%w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxStateFile))
	if err != nil {
		return fault.New(fault.Usage, "read the state", "%w", err)
	}
	if json.Unmarshal(raw, st) != nil {
		return NotThatState(o.Resume, "a run in waves")
	}
	return nil
}

// Unused refuses a file of --state that must not be written over: the state of a run
// that is not done, which alone knows what was sent, and what is no state at all.
func (o *Options) Unused() error {
	raw, err := os.ReadFile(o.State)
	if o.State == "" || errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) == 0 {
		return nil
	}
	if err != nil {
		return fault.New(fault.Usage, "keep the state", "%w", err)
	}
	var had struct{ Waves *waves.State }
	switch {
	case json.Unmarshal(raw, &had) != nil || had.Waves == nil:
		return fault.Usagef("--state %s: this file is there, and is not the state of a run in waves", o.State).WithHint("name a new file")
	case len(had.Waves.Left()) > 0:
		return fault.New(fault.Refused, "keep the state in "+o.State, "it is that of a run that is not done").
			WithHint("--resume %s goes on with it; else name another file", render.ShellWord(o.State))
	}
	return nil
}

// NotThatState is the error for a file that is not the state of what.
func NotThatState(file, what string) error {
	return fault.Usagef("%s is not the state of %s", file, what).WithHint("name the file that --state wrote")
}

// Check refuses waves of a file that cannot be meant.
func Check(file string, s *waves.State) error {
	if s == nil {
		return NotThatState(file, "a run in waves")
	}
	if err := s.Check(); err != nil {
		return fault.New(fault.Usage, "read the state of "+file, "%w", err)
	}
	return nil
}

// Keep writes the state where one is kept: a reader sees the old or the new one,
// and it is on the disk when keep returns.
func (o *Options) Keep(st any) error {
	path := o.File()
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

// Lock keeps other processes from going on with the same state, where one is kept.
func (o *Options) Lock() (release func(), err error) {
	if o.File() == "" {
		return func() {}, nil
	}
	return LockState(o.File())
}

// Drive drives waves and shows how far they are.
type Drive struct {
	Options  *Options
	State    *waves.State
	Progress *render.Progress
	Keep     func() error
	Before   func(ctx context.Context, wave int) error // may be nil; see waves.Options.Before

	now int // the wave
}

// Step shows what is being done in the wave.
func (d *Drive) Step(what string, done, total int) {
	note := ""
	if ok, failed := d.State.Count(waves.OK), d.State.Count(waves.Failed); ok+failed > 0 {
		note = fmt.Sprintf("before: %d ok, %d failed", ok, failed)
	}
	d.Progress.Set(render.Status{Label: fmt.Sprintf("wave %d of %d: %s", d.now, len(d.State.Waves), what), Done: int64(done), Total: int64(total), Note: note})
}

// Run works on the waves in turn, and keeps the state after every change.
func (d *Drive) Run(ctx context.Context, do func(ctx context.Context, wave int, ids []string) (waves.Outcome, error)) error {
	return waves.Run(ctx, d.State, waves.Options{
		MaxFailures: d.Options.Limit.Of(d.State.Total()), Pause: d.Options.pause, Before: d.Before, Do: do,
		Changed: func(s *waves.State, wave int, phase waves.Phase) error {
			d.now = wave
			switch phase {
			case waves.Beginning:
				d.Progress.Event(fmt.Sprintf("wave %d of %d: %s", wave, len(s.Waves), cli.Plural(len(s.Waves[wave-1]), "node")), nil)
			case waves.Ended:
				d.Progress.Event(fmt.Sprintf("wave %d of %d: done, %d ok and %d failed so far", wave, len(s.Waves), s.Count(waves.OK), s.Count(waves.Failed)), nil)
			case waves.Pausing:
				d.Progress.Event(fmt.Sprintf("wave %d of %d begins in %s", wave, len(s.Waves), d.Options.pause), nil)
				return nil
			}
			return d.Keep()
		},
	})
}

// SayLeft says how many nodes are left after err and how to go on: with the file of
// the state, else as otherwise says. done is what was not done: "updated".
func (o *Options) SayLeft(env *cli.Env, s *waves.State, err error, done, otherwise, command string) {
	left := len(s.Left())
	if left == 0 || err == nil {
		return
	}
	how := otherwise
	if file := o.File(); file != "" {
		how = fmt.Sprintf("`%s --resume %s` goes on", command, render.ShellWord(file))
	}
	if s.Count(waves.Failed) > o.Limit.Of(s.Total()) {
		how += "; a larger --max-errors is needed while those that failed are counted"
	}
	env.Note("ssmdeck: %s not %s; %s", cli.PluralAre(left, "node"), done, how)
}

// Error is the exit of waves that ended with err: what was interrupted has been
// said.
func Error(err error) error {
	if err != nil && (errors.Is(err, context.Canceled) || fault.KindOf(err) == fault.Interrupted) {
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return err
}

// Nodes yields the nodes of all waves in order, with what became of them; those
// that have not had their turn are "waiting".
func Nodes(s *waves.State) iter.Seq2[string, waves.Result] {
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

// Levels colours the words for how a node stands in its wave.
func Levels() map[string]theme.Level {
	return map[string]theme.Level{"ok": theme.Good, "failed": theme.Bad, "offline": theme.Warn, "begun": theme.Busy, "waiting": theme.Idle}
}

// Word is the number of a wave in a table; a node in none has no number.
func Word(wave int) string {
	if wave == 0 {
		return ""
	}
	return strconv.Itoa(wave)
}
