package window

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Counts are how far a command has come on the nodes of an invocation.
type Counts struct {
	Nodes     int `json:"nodes"`
	Completed int `json:"completed"`
	Errors    int `json:"errors"`
}

// Tree is an execution with what its tasks did.
type Tree struct {
	Execution
	Window string    `json:"window,omitempty"` // its name, where it is known
	Tasks  []TaskRow `json:"tasks"`
}

// TaskRow is a task of an execution with its invocations.
type TaskRow struct {
	TaskRun
	Invocations []InvocationRow `json:"invocations"`
}

// InvocationRow is an invocation with how far its command has come.
type InvocationRow struct {
	Invocation
	Command *Counts `json:"command,omitempty"`
}

// Event tells that something has changed. One of the three is set, with its full
// present state.
type Event struct {
	Time       time.Time      `json:"time"`
	Execution  *Execution     `json:"execution,omitempty"`
	Task       *TaskRun       `json:"task,omitempty"`
	Invocation *InvocationRow `json:"invocation,omitempty"`
}

// Commands tells how far the command of an invocation has come.
type Commands func(ctx context.Context, command string) (Counts, error)

// Tree reads an execution with all its parts. commands may be nil.
func (s *Service) Tree(ctx context.Context, id string, commands Commands) (Tree, error) {
	f := follower{s: s, commands: commands, done: map[string][]InvocationRow{}}
	return f.look(ctx, id)
}

// The waits between two looks: short while something happens.
const (
	firstLook   = time.Second
	longLook    = 5 * time.Second
	maxFailures = 5 // looks in a row that fail before following is given up
)

// follower remembers what need not be read again.
type follower struct {
	s        *Service
	commands Commands
	done     map[string][]InvocationRow // of tasks that have ended
}

// look reads the whole execution. The execution comes first: when it has ended, its
// parts have, too.
func (f *follower) look(ctx context.Context, id string) (Tree, error) {
	e, err := f.s.Execution(ctx, id)
	if err != nil {
		return Tree{}, err
	}
	t := Tree{Execution: e, Tasks: []TaskRow{}}
	tasks, err := f.s.TaskRuns(ctx, id)
	if err != nil {
		return t, err
	}
	for _, task := range tasks {
		row := TaskRow{TaskRun: task, Invocations: f.done[task.ID]}
		if row.Invocations == nil && task.State != Pending {
			if row.Invocations, err = f.invocations(ctx, id, task.ID); err != nil {
				return t, err
			}
			if task.State.Final() {
				f.done[task.ID] = row.Invocations
			}
		}
		t.Tasks = append(t.Tasks, row)
	}
	return t, nil
}

func (f *follower) invocations(ctx context.Context, execution, task string) ([]InvocationRow, error) {
	list, err := f.s.Invocations(ctx, execution, task)
	if err != nil {
		return nil, err
	}
	rows := []InvocationRow{}
	for _, i := range list {
		row := InvocationRow{Invocation: i}
		if i.Type == RunCommand && i.Made != "" && f.commands != nil {
			if c, err := f.commands(ctx, i.Made); err == nil { // the invocation tells the rest
				row.Command = &c
			} else if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Follow looks at an execution until it has ended, and emits what changes. It
// returns the execution as it last was, also with an error: that of ctx among them,
// and then the execution goes on. A look that fails for a passing reason is tried
// again, several times.
func (s *Service) Follow(ctx context.Context, id string, commands Commands, emit func(Event)) (Tree, error) {
	f := follower{s: s, commands: commands, done: map[string][]InvocationRow{}}
	var last Tree
	pause, failures := firstLook, 0
	for {
		next, err := f.look(ctx, id)
		switch {
		case err == nil:
			failures = 0
			if emitChanges(last, next, emit) {
				pause = firstLook
			}
			if last = next; last.Over() {
				return last, nil
			}
		case ctx.Err() != nil:
			return last, ctx.Err()
		case !passing(err) || failures == maxFailures:
			return last, err
		default:
			failures++
		}
		if err := wait.Sleep(ctx, wait.Jitter(pause)); err != nil {
			return last, err
		}
		pause = min(pause*3/2, longLook)
	}
}

// passing reports whether it may be otherwise the next time.
func passing(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Failed || k == fault.Throttled || k == fault.Service
}

// emitChanges emits what is new and reports whether anything is.
func emitChanges(last, next Tree, emit func(Event)) (changed bool) {
	now := time.Now()
	say := func(e Event) {
		changed = true
		e.Time = now
		emit(e)
	}
	if last.State == "" || !last.State.Final() && last.State != next.State && !next.State.Final() {
		say(Event{Execution: &next.Execution})
	}
	tasks, invocations := map[string]State{}, map[string]InvocationRow{}
	for _, t := range last.Tasks {
		tasks[t.ID] = t.State
		for _, i := range t.Invocations {
			invocations[i.ID] = i
		}
	}
	for _, t := range next.Tasks {
		if tasks[t.ID] != t.State && !t.State.Final() {
			say(Event{Task: &t.TaskRun})
		}
		for _, i := range t.Invocations {
			was := invocations[i.ID]
			if was.State != i.State || i.Command != nil && (was.Command == nil || *was.Command != *i.Command) {
				say(Event{Invocation: &i})
			}
		}
		if tasks[t.ID] != t.State && t.State.Final() { // after what it did
			say(Event{Task: &t.TaskRun})
		}
	}
	if last.State != next.State && next.State.Final() && last.State != "" {
		say(Event{Execution: &next.Execution})
	}
	return changed
}

// Newest returns the newest execution of a window, nil when it has none.
func (s *Service) Newest(ctx context.Context, window string) (*Execution, error) {
	for e, err := range s.Executions(ctx, window, Period{}) {
		if err != nil {
			return nil, err
		}
		return &e, nil // the service lists the newest first
	}
	return nil, nil
}

// The waits for a window to open: it is looked at more often when the time is near.
const (
	nearLook = 3 * time.Second
	farLook  = 30 * time.Second
	late     = 2 * time.Minute // after which the window itself is looked at again
)

// AwaitNext waits until the window opens, and returns the execution. One that runs
// already is not waited for: it is returned. next is told, before the waiting, when
// the service says that it opens, and again when it did not open then.
func (s *Service) AwaitNext(ctx context.Context, w Window, next func(time.Time)) (Execution, error) {
	before, err := s.Newest(ctx, w.ID)
	if err != nil {
		return Execution{}, err
	}
	if before != nil && !before.Over() {
		return *before, nil
	}
	if err := w.opens(); err != nil {
		return Execution{}, err
	}
	next(w.Next)
	pause, failures := nearLook, 0
	for {
		if err := wait.Sleep(ctx, wait.Jitter(pause)); err != nil {
			return Execution{}, err
		}
		now, err := s.Newest(ctx, w.ID)
		if err == nil && (now == nil || before != nil && now.ID == before.ID) {
			now = nil
			if time.Since(w.Next) > late { // changed meanwhile?
				var changed Window
				if changed, err = s.Get(ctx, w.ID); err == nil {
					w = changed
					if err := w.opens(); err != nil {
						return Execution{}, err
					}
					next(w.Next)
				}
			}
		}
		switch {
		case now != nil:
			return *now, nil
		case err == nil:
			failures = 0
		case ctx.Err() != nil:
			return Execution{}, ctx.Err()
		case !passing(err) || failures == maxFailures:
			return Execution{}, err
		default:
			failures++
		}
		if pause = min(pause*3/2, farLook); time.Until(w.Next) < farLook {
			pause = nearLook
		}
	}
}

// opens is an error for a window that does not.
func (w Window) opens() error {
	op := "watch maintenance window " + w.Name
	switch {
	case !w.Enabled:
		return fault.New(fault.Usage, op, "it is disabled and does not open").WithHint("`ssmdeck window enable %s` enables it", w.Name)
	case w.Next.IsZero():
		return fault.New(fault.NotFound, op, "it does not open any more")
	}
	return nil
}
