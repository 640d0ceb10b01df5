package window

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newWatchCmd(env *cli.Env) *cobra.Command {
	var (
		next bool
		wait time.Duration
	)
	cmd := &cobra.Command{
		Use:   "watch <window|execution>",
		Short: "Follow a window that is open: tasks, invocations, nodes",
		Long: `Follow an execution of a window: a line for each task, invocation and command that
changes, then the whole on standard output. A window means the execution that runs
now; with --next the next one is waited for. With -o jsonl each change is an object
on standard output.

The status is 0 when all went well, 6 when it failed, was cancelled or skipped, 8
when --wait was over first. Ctrl-C stops following; the execution goes on.`,
		Example: `  $ ssmdeck window watch weekly-patch
  $ ssmdeck window watch weekly-patch --next
  $ ssmdeck window watch 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 --wait 3h -o jsonl`,
		Args:              cli.ExactArgs("the window, or an execution's id"),
		ValidArgsFunction: completeWindow(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case cmd.Flags().Changed("wait") && wait <= 0:
				return fault.Usagef("--wait %s is not a time to wait", wait)
			case next && window.IsPartID(args[0]):
				return fault.Usagef("--next is for windows, and %s is an execution", args[0])
			}
			return watchWindow(cmd.Context(), env, args[0], next, wait)
		},
	}
	cmd.Flags().BoolVar(&next, "next", false, "wait until the window opens, when it is not open now")
	cmd.Flags().DurationVar(&wait, "wait", 0, "stop following after `duration` (exit 8)")
	return cmd
}

// windowProgress shows an execution while it runs.
type windowProgress struct {
	env      *cli.Env
	ro       render.Options
	progress *render.Progress
	label    string
	tasks    map[string]window.TaskRun
	err      error // of standard output: what follows is not written
}

func watchWindow(ctx context.Context, e *cli.Env, expr string, next bool, limit time.Duration) error {
	ro, err := e.RenderOptions()
	if err != nil {
		return err
	}
	if ro.Format == render.FormatJSONL && ro.Query != "" {
		return fault.Usagef("--query does not go with -o jsonl: events have no common shape").WithHint("use -o json")
	}
	svc, err := openWindows(ctx, e)
	if err != nil {
		return err
	}
	progress, err := e.Progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	followed, stop := ctx, context.CancelFunc(func() {})
	if limit > 0 {
		followed, stop = context.WithTimeout(ctx, limit)
	}
	defer stop()
	id, name := expr, ""
	if !window.IsPartID(expr) {
		w, err := svc.Find(followed, expr)
		if err != nil {
			return err
		}
		ex, err := openExecution(followed, e, svc, w, next, ro)
		if err != nil {
			return stoppedWatching(ctx, followed, e, err, expr+map[bool]string{true: " --next"}[next], limit)
		}
		id, name = ex.ID, w.Name
		e.Note("execution %s of %s", id, render.Visible(name))
	}
	view := &windowProgress{env: e, ro: ro, progress: progress, label: render.Visible(cmp.Or(name, id)), tasks: map[string]window.TaskRun{}}
	last, err := svc.Follow(followed, id, commandCounts(ctx, e), view.event)
	progress.Close()
	last.Window = name
	switch {
	case view.err != nil:
		return view.err
	case err != nil:
		return stoppedWatching(ctx, followed, e, err, id, limit)
	}
	if ro.Format != render.FormatJSONL {
		if err := render.Object(e.Out, ro, last, func(d *render.Detail) { treeDetails(d, ro, last) }); err != nil {
			return err
		}
	}
	if !last.State.Known() {
		return fault.New(fault.RemoteFailed, "execution "+id, "it ended as %q, which ssmdeck does not know", last.State).
			WithHint("see what the nodes printed: `ssmdeck window execution output %s`", id)
	}
	if last.State.Bad() {
		reason := string(last.State)
		if last.Details != "" {
			reason += ": " + last.Details
		}
		return fault.New(fault.RemoteFailed, "execution "+id, "%s", reason).WithHint("see what the nodes printed: `ssmdeck window execution output %s`", id)
	}
	return nil
}

// openExecution is the execution of a window that runs, or the next one.
func openExecution(ctx context.Context, env *cli.Env, svc *window.Service, w window.Window, next bool, ro render.Options) (window.Execution, error) {
	if next {
		return svc.AwaitNext(ctx, w, func(t time.Time) {
			env.Note("%s opens %s, %s; waiting", render.Visible(w.Name), localMoment(t, ro.Location), render.Ago(ro.Now, t))
		})
	}
	newest, err := svc.Newest(ctx, w.ID)
	switch {
	case err != nil:
		return window.Execution{}, err
	case newest == nil:
		return window.Execution{}, fault.New(fault.NotFound, "watch maintenance window "+w.Name, "it has not been open yet").
			WithHint("`ssmdeck window watch %s --next` waits until it opens", w.Name)
	case newest.Over():
		return window.Execution{}, fault.New(fault.NotFound, "watch maintenance window "+w.Name, "it is not open; the last time was %s: %s", render.Ago(ro.Now, newest.Started), newest.State).
			WithHint("`ssmdeck window execution get %s` shows that; --next waits until it opens", newest.ID)
	}
	return *newest, nil
}

// stoppedWatching is the end of following before the end of what is followed.
func stoppedWatching(ctx, followed context.Context, env *cli.Env, err error, ref string, limit time.Duration) error {
	switch {
	case ctx.Err() != nil:
		env.Note("ssmdeck: stopped following; the window goes on\nssmdeck: hint: follow with `ssmdeck window watch %s`", ref)
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	case errors.Is(followed.Err(), context.DeadlineExceeded):
		return fault.New(fault.Pending, "watch "+ref, "not done after %s", limit).WithHint("follow with `ssmdeck window watch %s`", ref)
	}
	return err
}

func (v *windowProgress) event(ev window.Event) {
	if v.ro.Format == render.FormatJSONL && v.err == nil {
		line, err := json.Marshal(ev)
		if err == nil {
			_, err = fmt.Fprintf(v.env.Out, "%s\n", line)
		}
		v.err = err
	}
	state, rest, indent := window.State(""), "", ""
	switch {
	case ev.Execution != nil:
		state, rest = ev.Execution.State, "  execution "+ev.Execution.ID
		if ev.Execution.Details != "" {
			rest += "  " + ev.Execution.Details
		}
	case ev.Task != nil:
		v.tasks[ev.Task.ID] = *ev.Task
		state, rest, indent = ev.Task.State, "  task "+ev.Task.Type.Word()+" "+ev.Task.Run, "  "
		if ev.Task.Details != "" {
			rest += "  " + ev.Task.Details
		}
	case ev.Invocation != nil:
		state, indent = ev.Invocation.State, "    "
		rest = "  invocation " + ev.Invocation.ID[:min(8, len(ev.Invocation.ID))] + invocationLine(*ev.Invocation)[len(state):]
	}
	v.say(indent+v.env.ErrStyles().Status(levels.Window(state), render.Visible(string(state)))+cli.VisibleLine(rest), indent+string(state)+rest, ev)
	done := 0
	for _, t := range v.tasks {
		if t.State.Final() {
			done++
		}
	}
	v.progress.Set(render.Status{Label: v.label, Done: int64(done), Total: int64(len(v.tasks)), Note: cli.VisibleLine(rest)})
}

// say shows one change: above the bar on a terminal, as an event elsewhere.
func (v *windowProgress) say(styled, text string, fields any) {
	mode, _ := render.ParseProgressMode(v.env.Flags.Progress)
	onTerminal := cli.IsTerminal(v.env.Err) && slices.Contains([]render.ProgressMode{render.ProgressAuto, render.ProgressBar}, mode)
	if onTerminal && !v.env.Flags.Quiet {
		v.progress.Println(styled)
		return
	}
	v.progress.Event(text, fields)
}
