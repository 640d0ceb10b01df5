package world

import (
	"slices"
	"sync"
	"time"
)

// windowHistory is how many executions of a window are remembered.
const windowHistory = 50

// WindowExecution is a time that a maintenance window was open.
type WindowExecution struct {
	WindowID, ID    string
	Status, Details string
	Start, End      time.Time // End is zero until it has ended
	Tasks           []WindowTaskExecution
}

// WindowTaskExecution is a task in an execution of a window. A task that has not
// started has no start.
type WindowTaskExecution struct {
	ID              string
	Task            Record // as it was when the window opened
	Status, Details string
	Start, End      time.Time
}

// WindowInvocation is what a task did for one of its targets.
type WindowInvocation struct {
	ID              string
	ExecutionID     string // of the command or automation, the request, the state machine's execution
	Type            string // of the task
	Parameters      string // JSON
	Status, Details string
	Start, End      time.Time
	Owner           string // the target's OwnerInformation
	TargetID        string // of the window's target; empty for another
}

// windowOver reports whether a status is one that never changes.
func windowOver(status string) bool {
	switch status {
	case WindowPending, WindowInProgress, WindowCancelling:
		return false
	}
	return true
}

// windowRuns are the executions of all windows. The agenda's goroutine alone
// changes them, with the lock held, and reads them without; others read with it.
// The lock may be taken when that of the Tables is held, and is held while no
// other is taken but that of the agenda.
type windowRuns struct {
	mu   sync.Mutex
	runs map[string]*windowRun   // by id
	of   map[string][]*windowRun // by window, the oldest first
	next map[string]time.Time    // by window: it has opened for all times until then
}

// windowRun is an execution of a window.
type windowRun struct {
	WindowExecution
	window    Record
	targets   map[string]Record // of the window, by id
	tasks     []*windowTask     // by priority
	cut       bool              // the cutoff was reached
	cancelled bool              // somebody wants it to end
}

type windowTask struct {
	WindowTaskExecution
	invocations []*windowInvocation
	started     int // that many of the invocations, the first ones
	active      int
	failed      int
	limit       int // at the same time
	errors      int // after more than that no more are started
	cut         bool
}

type windowInvocation struct {
	WindowInvocation
	target   Record   // the window's target, or nil
	targets  []Target // for a command
	resource string   // the id of a node; empty for a task without targets
	byGroup  bool     // the node is one of a resource group
}

// WindowExecutions returns the executions of a window without their tasks, the
// latest first.
func (w *World) WindowExecutions(window string) []WindowExecution {
	w.windows.mu.Lock()
	defer w.windows.mu.Unlock()
	var list []WindowExecution
	for _, r := range slices.Backward(w.windows.of[window]) {
		list = append(list, r.WindowExecution)
	}
	return list
}

// WindowExecution returns an execution with its tasks.
func (w *World) WindowExecution(id string) (WindowExecution, bool) {
	w.windows.mu.Lock()
	defer w.windows.mu.Unlock()
	r, ok := w.windows.runs[id]
	if !ok {
		return WindowExecution{}, false
	}
	e := r.WindowExecution
	for _, t := range r.tasks {
		e.Tasks = append(e.Tasks, t.WindowTaskExecution)
	}
	return e, true
}

// WindowInvocations returns the invocations of a task of an execution.
func (w *World) WindowInvocations(execution, task string) []WindowInvocation {
	w.windows.mu.Lock()
	defer w.windows.mu.Unlock()
	r, ok := w.windows.runs[execution]
	if !ok {
		return nil
	}
	var list []WindowInvocation
	for _, t := range r.tasks {
		if t.ID != task {
			continue
		}
		for _, i := range t.invocations {
			list = append(list, i.WindowInvocation)
		}
	}
	return list
}

// CancelWindowExecution stops an execution: tasks that run go on to their end,
// others do not start. One that is over stays as it is. It reports whether there
// is such an execution.
func (w *World) CancelWindowExecution(id string) bool {
	w.windows.mu.Lock()
	defer w.windows.mu.Unlock()
	r, ok := w.windows.runs[id]
	if !ok {
		return false
	}
	w.agenda.soon(func() {
		if !windowOver(r.Status) {
			w.windows.change(func() { r.cancelled, r.Status = true, WindowCancelling })
			w.nextWindowTasks(r)
		}
	})
	return true
}

// add remembers an execution and forgets the oldest that are over.
func (s *windowRuns) add(r *windowRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[r.ID] = r
	list := append(s.of[r.WindowID], r)
	excess := len(list) - windowHistory
	s.of[r.WindowID] = slices.DeleteFunc(list, func(old *windowRun) bool {
		if excess <= 0 || !windowOver(old.Status) {
			return false
		}
		excess--
		delete(s.runs, old.ID)
		return true
	})
}

// change changes what readers see.
func (s *windowRuns) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}
