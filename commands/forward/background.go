package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

const (
	// logName is the file that processes behind the shell write to.
	logName = "forwards.log"
	// logMost is its size at which the next start puts it aside.
	logMost = 1 << 20
)

// report is what a process behind the shell says to the one that started it, once,
// on its standard output.
type report struct {
	PID  int            `json:"pid"`
	Rows []forwards.Row `json:"forwards,omitempty"`
	// Error is why it did not start.
	Error string     `json:"error,omitempty"`
	Hint  string     `json:"hint,omitempty"`
	Kind  fault.Kind `json:"kind,omitempty"`
}

// startBackground runs this program once more, behind the shell, and waits until
// it is ready or has failed.
func startBackground(ctx context.Context, env *cli.Env, ro render.Options) error {
	if env.Local != nil {
		return fault.Usagef("--background does not work inside the demo: its simulator ends with it")
	}
	exe, err := os.Executable()
	if err != nil {
		return fault.New(fault.Failed, "start in the background", "%w", err)
	}
	log, err := openForwardLog(env)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), exe, append([]string{"--detached=true", "--no-input"}, env.Args...)...)
	cmd.Args[0] = os.Args[0]
	cmd.SysProcAttr = cli.Detached()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fault.New(fault.Failed, "start in the background", "%w", err)
	}
	if err := cmd.Start(); err != nil {
		return fault.New(fault.Failed, "start in the background", "%w", err)
	}
	impatient := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // it has no session yet
	defer impatient()
	var r report
	if err := json.NewDecoder(out).Decode(&r); err != nil {
		_ = cmd.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fault.New(fault.Failed, "start in the background", "the process ended before it was ready").
			WithHint("`ssmdeck forward logs` has its last words")
	}
	if r.Error != "" {
		_ = cmd.Wait()
		return &fault.Error{Kind: r.Kind, Hint: r.Hint, Err: errors.New(r.Error)}
	}
	switch ro.Format {
	case render.FormatJSON, render.FormatJSONL:
		started := []forwards.Running{{Record: forwards.Record{PID: r.PID, Started: time.Now(), Background: true}, Rows: r.Rows}}
		return cli.WriteList(env, table, ro, listForwards(nil, started))
	}
	arrow := env.ErrStyles().Glyphs.Arrow
	for _, row := range r.Rows {
		for i, local := range row.Local {
			fmt.Fprintf(env.Err, "ssmdeck: %s: %s %s %s via %s\n", row.Name, local, arrow, render.Visible(row.Remote[i]), render.Visible(row.Node))
		}
	}
	if len(r.Rows) == 0 { // another `forward up` was a moment earlier
		env.Note("ssmdeck: everything runs already; `ssmdeck forward list` shows it")
		return nil
	}
	env.Note("ssmdeck: running in the background, process %d; `ssmdeck forward stop` ends it", r.PID)
	return nil
}

// openForwardLog opens the log of processes behind the shell for appending.
func openForwardLog(env *cli.Env) (*os.File, error) {
	dir, err := savedforwards.Dir(env)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, logName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Failed, "open the log of forwards", "%w", err)
	}
	if info, err := os.Stat(path); err == nil && info.Size() > logMost {
		_ = os.Rename(path, path+".old")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fault.New(fault.Failed, "open the log of forwards", "%w", err)
	}
	return f, nil
}

// reportReady tells the process that started this one that everything listens.
func reportReady(env *cli.Env, sup *forwards.Supervisor) {
	reportOnce(env, report{PID: os.Getpid(), Rows: sup.Rows()})
}

// tellParent passes an error on to the process that started this one, unless it
// is gone already: then the log has it.
func tellParent(env *cli.Env, err error) error {
	if err == nil {
		reportOnce(env, report{PID: os.Getpid()}) // everything runs already
		return nil
	}
	if reportOnce(env, report{Error: err.Error(), Hint: fault.HintOf(err), Kind: fault.KindOf(err)}) {
		return &fault.Exit{Code: fault.ExitCode(err)}
	}
	return err
}

// reportOnce writes a report to standard output and closes it, the first time.
func reportOnce(env *cli.Env, r report) bool {
	out, ok := env.Out.(*os.File)
	if !ok {
		return false
	}
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return false // closed before
	}
	_ = out.Close()
	return true
}

// matchesForward reports whether a line of the log is about a forward; "" is any.
func matchesForward(line, name string) bool {
	if name == "" {
		return true
	}
	f := strings.SplitN(line, " ", 3)
	return len(f) == 3 && f[1] == name
}
