package connect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/recording"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// recordOptions are the flags about recording a shell.
type recordOptions struct {
	file    string
	force   bool
	input   bool
	redact  []string
	noRules bool
}

func (o *recordOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.file, "record", "", "record the session to a new `file`, in asciicast format")
	f.BoolVar(&o.force, "force", false, "let --record replace a file that exists")
	f.BoolVar(&o.input, "record-input", false, "record what is typed too, where the node shows it")
	f.StringArrayVar(&o.redact, "redact", nil, "`regex` of what to mask in the recording, beside secrets; repeat for several")
	f.BoolVar(&o.noRules, "no-redact", false, "mask only what --redact says, not what looks like a secret")
	_ = cmd.MarkFlagFilename("record", "cast") // fails for an unknown flag only
}

// refuse reports that recording does not go with something.
func (o *recordOptions) refuse(with string) error {
	if o.file != "" {
		return fault.Usagef("--record does not go with %s: there is no terminal to record", with)
	}
	return o.check()
}

// check refuses flags that mean nothing without --record.
func (o *recordOptions) check() error {
	if o.file == "" && (o.force || o.input || o.noRules || len(o.redact) > 0) {
		return fault.Usagef("--force, --record-input, --redact and --no-redact need --record")
	}
	return nil
}

// rules returns what to mask.
func (o *recordOptions) rules() (rules []recording.Rule, err error) {
	if !o.noRules {
		rules = recording.BuiltIn()
	}
	for _, expr := range o.redact {
		r, err := recording.NewRule(expr)
		if err != nil {
			return nil, fault.Usagef("--redact %q: %v", expr, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// open creates the file and begins the recording; without --record there is
// none, and no error.
func (o *recordOptions) open(env *cli.Env, term *terminal.Terminal) (*recorder, error) {
	if err := o.check(); o.file == "" {
		return nil, err
	}
	rules, err := o.rules()
	if err != nil {
		return nil, err
	}
	h := recording.Header{Width: 80, Height: 24, Timestamp: time.Now().Unix(), Env: map[string]string{}}
	if term != nil {
		if cols, rows, err := term.Size(); err == nil && cols > 0 && rows > 0 {
			h.Width, h.Height = cols, rows
		}
	}
	for _, name := range []string{"TERM", "SHELL"} {
		if v, ok := env.Lookup(name); ok && v != "" {
			h.Env[name] = v
		}
	}
	f, old, err := createRecording(o.file, o.force)
	if err != nil {
		return nil, err
	}
	r := &recorder{file: f, old: old, begun: time.Now(), cols: h.Width, rows: h.Height}
	if r.cast, err = recording.NewWriter(f, h, rules, o.input); err != nil {
		r.discard()
		return nil, fault.New(fault.Failed, "record to "+o.file, "%w", err)
	}
	return r, nil
}

// createRecording makes a file that only its owner can read. One that exists is
// replaced, not written into: whoever has it open keeps the old one, and its
// permissions are not ours to trust. It is kept as old until there is a session
// that takes its place.
func createRecording(path string, force bool) (f *os.File, old string, err error) {
	op := "record to " + path
	if info, err := os.Lstat(path); force && err == nil {
		if !info.Mode().IsRegular() {
			return nil, "", fault.New(fault.Refused, op, "it is no regular file")
		}
		old = fmt.Sprintf("%s.old-%08x", path, rand.Uint32())
		if err := os.Rename(path, old); err != nil {
			return nil, "", fault.New(fault.Failed, op, "%w", err)
		}
	}
	f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		return f, old, nil
	}
	if old != "" {
		_ = os.Rename(old, path)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, "", fault.New(fault.Refused, op, "the file exists").WithHint("add --force to replace it, or name another")
	}
	return nil, "", fault.New(fault.Usage, op, "%w", err)
}

// recorder records one session. A nil one records nothing. When the file cannot
// be written any more, recording ends and the session goes on.
type recorder struct {
	file  *os.File
	old   string // where the file is kept that was replaced, "" when none was
	begun time.Time

	mu         sync.Mutex
	cast       *recording.Writer
	cols, rows int
	err        error
	closed     bool
	tell       func(string) // says what goes wrong, when it does; may be nil
}

// do records something unless recording has ended.
func (r *recorder) do(f func(at time.Duration) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil || r.closed {
		return
	}
	if r.err = f(time.Since(r.begun)); r.err != nil && r.tell != nil {
		r.tell("the recording has ended: " + r.err.Error())
	}
}

// Write records output. It never fails: the session matters more.
func (r *recorder) Write(p []byte) (int, error) {
	r.do(func(at time.Duration) error { return r.cast.Output(at, p) })
	return len(p), nil
}

func (r *recorder) input(keys []byte) {
	r.do(func(at time.Duration) error { return r.cast.Input(at, keys) })
}

func (r *recorder) resize(cols, rows int) {
	r.do(func(at time.Duration) error {
		if cols == r.cols && rows == r.rows {
			return nil
		}
		r.cols, r.rows = cols, rows
		return r.cast.Resize(at, cols, rows)
	})
}

// close ends the recording. Its error is that the recording is not whole.
func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.err == nil {
		r.err = r.cast.Close()
	}
	if err := r.file.Close(); r.err == nil {
		r.err = err
	}
	if r.err != nil {
		return fault.New(fault.Failed, "record to "+r.file.Name(), "the recording is not whole: %w", r.err)
	}
	return nil
}

// keep notes that there is a session: what the recording replaces is gone for
// good.
func (r *recorder) keep() {
	if r != nil && r.old != "" {
		_ = os.Remove(r.old)
	}
}

// discard ends a recording of a session that did not come about, and brings back
// the file that it would have replaced.
func (r *recorder) discard() {
	if r == nil {
		return
	}
	name := r.file.Name()
	_ = r.file.Close()
	_ = os.Remove(name)
	if r.old != "" {
		_ = os.Rename(r.old, name)
	}
}

// tee returns a writer to w and to the recording.
func (r *recorder) tee(w io.Writer) io.Writer {
	if r == nil {
		return w
	}
	return io.MultiWriter(w, r)
}
