package world

import (
	"context"
	"slices"
	"time"
)

// openWindows starts the agenda, which opens the windows from now on. Windows that
// have a past get it first: they run through it, until starting ends.
func (w *World) openWindows(starting context.Context) error {
	act := w.clock.work.begin()
	w.group.Go(func() { w.keepAgenda(act) })
	now, ago := w.now(), time.Duration(0)
	past := map[string]time.Time{}
	_ = w.Tables(func(t *Tables) error { // never fails
		for _, r := range t.All(KindWindow) {
			ran, _ := r[ranMember].(time.Duration)
			ago = max(ago, ran)
			past[textIn(r, "WindowId")] = now.Add(-ran)
		}
		return nil
	})
	ahead := now.Sub(w.clock.Real())
	if ago > 0 {
		w.clock.start(now.Add(-ago))
	}
	w.agenda.soon(func() {
		w.windows.change(func() { w.windows.next = past })
		for _, r := range w.windowRecords() {
			w.planWindow(textIn(r, "WindowId"), r)
		}
	})
	if ago == 0 {
		return nil
	}
	if starting == nil {
		starting = w.ctx
	}
	if err := w.clock.Forward(starting, now); err != nil {
		return err
	}
	if w.clock.Speed() != 0 { // one that stands shows what it did
		w.clock.start(w.clock.Real().Add(ahead))
	}
	return nil
}

// ranMember is for how long a window of a scenario has existed and run.
const ranMember = "ran"

// windowRecords are the windows, the oldest first.
func (w *World) windowRecords() (windows []Record) {
	_ = w.Tables(func(t *Tables) error { // never fails
		windows = t.All(KindWindow)
		return nil
	})
	return windows
}

// WindowChanged is for who has made, changed or deleted a window: its next time is
// another, which is looked for from now on.
func (w *World) WindowChanged(id string) {
	now := w.now()
	w.agenda.soon(func() {
		w.windows.change(func() { w.windows.next[id] = now })
		for _, r := range w.windowRecords() {
			if textIn(r, "WindowId") == id {
				w.planWindow(id, r)
				return
			}
		}
		w.forgetWindow(id)
	})
}

// forgetWindow drops what is known of a window that is no more. What runs for it
// goes on.
func (w *World) forgetWindow(id string) {
	w.agenda.drop(startOf(id))
	w.windows.change(func() {
		for _, r := range w.windows.of[id] {
			delete(w.windows.runs, r.ID)
		}
		delete(w.windows.of, id)
		delete(w.windows.next, id)
	})
}

func startOf(window string) string { return "start of window " + window }

// planWindow puts the next time of a window on the agenda, after all for which it
// has opened.
func (w *World) planWindow(id string, r Record) {
	after := w.windows.next[id]
	times := WindowTimes(r, after, time.Time{}, 1)
	if len(times) == 0 {
		w.agenda.drop(startOf(id))
		return
	}
	w.agenda.plan(startOf(id), times[0], rankStart, func(at time.Time) {
		w.windows.change(func() { w.windows.next[id] = at })
		if now, ok := w.openWindow(id, at); ok {
			w.planWindow(id, now)
		}
	})
}

// openWindow starts an execution, if there is still such a window.
func (w *World) openWindow(id string, at time.Time) (window Record, ok bool) {
	r := &windowRun{WindowExecution: WindowExecution{WindowID: id, ID: newUUID(), Status: WindowInProgress, Start: at}, targets: map[string]Record{}}
	_ = w.Tables(func(t *Tables) error { // never fails
		window, ok = t.Get(KindWindow, id)
		for _, target := range PartsOfWindow(t, KindWindowTarget, id) {
			r.targets[textIn(target, "WindowTargetId")] = target
		}
		for _, task := range PartsOfWindow(t, KindWindowTask, id) {
			r.tasks = append(r.tasks, &windowTask{WindowTaskExecution: WindowTaskExecution{ID: newUUID(), Task: task, Status: WindowPending}})
		}
		return nil
	})
	if !ok {
		return nil, false
	}
	r.window = window
	slices.SortStableFunc(r.tasks, func(a, b *windowTask) int { return a.priority() - b.priority() })
	if w.windowIsOpen(id) {
		r.tasks = nil
		r.Status, r.End, r.Details = WindowOverlapping, at, "The previous execution of the maintenance window had not ended."
		w.windows.add(r)
		return window, true
	}
	w.windows.add(r)
	w.agenda.plan("cutoff of "+r.ID, at.Add(hours(window, "Duration")-hours(window, "Cutoff")), rankCutoff, func(time.Time) { w.cutWindow(r) })
	w.nextWindowTasks(r)
	return window, true
}

func (w *World) windowIsOpen(id string) bool {
	return slices.ContainsFunc(w.windows.of[id], func(r *windowRun) bool { return !windowOver(r.Status) })
}

func (t *windowTask) priority() int { return numberIn(t.Task, "Priority", 1) }

// nextWindowTasks starts the tasks whose turn it is, those of the same priority
// together, when those before have ended, and ends the execution after the last.
func (w *World) nextWindowTasks(r *windowRun) {
	for _, t := range r.tasks {
		switch {
		case t.Status != WindowPending:
		case r.cancelled:
			w.endWindowTask(t, WindowCancelled, "The execution of the maintenance window was cancelled before the task started.")
		case r.cut:
			w.endWindowTask(t, WindowTimedOut, "The cutoff of the maintenance window was reached before the task started.")
		}
	}
	for !windowOver(r.Status) {
		if slices.ContainsFunc(r.tasks, func(t *windowTask) bool { return t.Status == WindowInProgress }) {
			return
		}
		i := slices.IndexFunc(r.tasks, func(t *windowTask) bool { return t.Status == WindowPending })
		if i < 0 {
			w.endWindowRun(r)
			return
		}
		for _, t := range r.tasks[i:] {
			if t.priority() == r.tasks[i].priority() {
				w.startWindowTask(r, t)
			}
		}
	}
}

// endWindowTask ends a task. One that did not start was there for no time.
func (w *World) endWindowTask(t *windowTask, status, details string) {
	now := w.now()
	w.windows.change(func() {
		if t.Start.IsZero() {
			t.Start = now
		}
		t.Status, t.Details, t.End = status, short(details), now
	})
}

// endWindowRun sums up the tasks of an execution. The worst counts.
func (w *World) endWindowRun(r *windowRun) {
	w.agenda.drop("cutoff of " + r.ID)
	status, details := WindowSuccess, ""
	if len(r.tasks) == 0 {
		details = "No tasks to execute."
	}
	for _, worse := range []string{WindowCancelled, WindowTimedOut, WindowFailed} {
		if slices.ContainsFunc(r.tasks, func(t *windowTask) bool { return t.Status == worse }) {
			status, details = worse, "One or more tasks in the orchestration failed."
		}
	}
	if status == WindowTimedOut && r.cut {
		details = "The cutoff of the maintenance window was reached."
	}
	if r.cancelled {
		status, details = WindowCancelled, "The execution of the maintenance window was cancelled."
	}
	w.windows.change(func() { r.Status, r.Details, r.End = status, details, w.now() })
}

// cutWindow is the cutoff: tasks that did not start never will. What a task that
// wants it has running is cancelled if it is a command, else left, and no more of
// it is started (API reference, RegisterTaskWithMaintenanceWindow, CutoffBehavior).
func (w *World) cutWindow(r *windowRun) {
	if windowOver(r.Status) {
		return
	}
	r.cut = true
	for _, t := range r.tasks {
		if t.Status != WindowInProgress || textIn(t.Task, "CutoffBehavior") != "CANCEL_TASK" {
			continue
		}
		t.cut = true
		for _, i := range t.invocations[:t.started] {
			if i.Type == taskRunCommand && !windowOver(i.Status) {
				_ = w.CancelCommand(i.ExecutionID, nil) // it may have ended
			}
		}
		w.pumpWindowTask(r, t)
	}
	w.nextWindowTasks(r)
}
