package control

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func windowOperations() map[string]operation {
	return map[string]operation{
		"CreateMaintenanceWindow":             recorded((*call).createMaintenanceWindow),
		"UpdateMaintenanceWindow":             recorded((*call).updateMaintenanceWindow),
		"DeleteMaintenanceWindow":             recorded((*call).deleteMaintenanceWindow),
		"GetMaintenanceWindow":                recorded((*call).getMaintenanceWindow),
		"DescribeMaintenanceWindows":          recorded((*call).describeMaintenanceWindows),
		"DescribeMaintenanceWindowSchedule":   recorded((*call).describeMaintenanceWindowSchedule),
		"DescribeMaintenanceWindowsForTarget": recorded((*call).describeMaintenanceWindowsForTarget),
	}
}

// maxWindows is how many windows an account can have here; the real limit is a
// quota.
const maxWindows = 50

func noWindow(id string) error { return missing("DoesNotExistException", "Maintenance window", id) }

func (c *call) createMaintenanceWindow(t *world.Tables, in request) (any, error) {
	tags, err := in.tags("Tags")
	if err != nil {
		return nil, err
	}
	return once(t, "CreateMaintenanceWindow", in, func() (any, error) {
		if len(t.All(world.KindWindow)) >= maxWindows {
			return nil, world.Errorf("ResourceLimitExceededException", "You can have at most %d maintenance windows.", maxWindows)
		}
		if err := checkWindow(in); err != nil {
			return nil, err
		}
		id, now := world.NewHexID("mw-", 17), c.world.Now()
		t.Put(world.KindWindow, id, with(in, world.Record{"WindowId": id, "Enabled": true, "CreatedDate": now, "ModifiedDate": now, "tags": tags}))
		return world.Record{"WindowId": id}, nil
	})
}

// checkWindow refuses windows that could not be.
func checkWindow(w request) error {
	if w.number("Cutoff", 0) >= w.number("Duration", 24) {
		return invalid("Cutoff must be less than Duration.")
	}
	if _, err := world.ParseSchedule(w.text("Schedule"), w.text("ScheduleTimezone")); err != nil {
		return invalid("Invalid schedule: " + err.Error() + ".")
	}
	for _, name := range []string{"StartDate", "EndDate"} {
		if text := w.text(name); text != "" {
			if _, err := isoTime(text); err != nil {
				return invalid(name + " " + text + " is not an ISO 8601 date and time.")
			}
		}
	}
	return nil
}

// isoTime reads the dates that windows take, with or without a zone.
func isoTime(text string) (time.Time, error) {
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		var t time.Time
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, err
}

// revised is a record with the members that a request gives; with Replace those
// named and not given are removed.
func revised(old world.Record, in request, members ...string) world.Record {
	next := with(old, in.take(members...))
	if in.flag("Replace") {
		for _, m := range members {
			if !in.has(m) {
				delete(next, m)
			}
		}
	}
	return next
}

func (c *call) updateMaintenanceWindow(t *world.Tables, in request) (any, error) {
	id := in.text("WindowId")
	old, ok := t.Get(world.KindWindow, id)
	if !ok {
		return nil, noWindow(id)
	}
	next := revised(old, in, "Name", "Description", "StartDate", "EndDate", "Schedule", "ScheduleTimezone", "ScheduleOffset", "Duration", "Cutoff", "AllowUnassociatedTargets", "Enabled")
	if in.flag("Replace") {
		for _, m := range []string{"Name", "Schedule", "Duration", "Cutoff", "AllowUnassociatedTargets"} {
			if !in.has(m) {
				return nil, invalid(m + " is required when Replace is true.")
			}
		}
		if !in.has("Enabled") {
			next["Enabled"] = true
		}
	}
	if err := checkWindow(next); err != nil {
		return nil, err
	}
	next["ModifiedDate"] = c.world.Now()
	t.Put(world.KindWindow, id, next)
	return next, nil
}

// deleteMaintenanceWindow takes what belongs to the window with it. The service
// says nothing when there is none.
func (c *call) deleteMaintenanceWindow(t *world.Tables, in request) (any, error) {
	id := in.text("WindowId")
	t.Delete(world.KindWindow, id)
	for kind, member := range map[string]string{world.KindWindowTarget: "WindowTargetId", world.KindWindowTask: "WindowTaskId", world.KindWindowExecution: "WindowExecutionId"} {
		for _, r := range t.All(kind) {
			if textOf(r, "WindowId") == id {
				t.Delete(kind, textOf(r, member))
			}
		}
	}
	return world.Record{"WindowId": id}, nil
}

// runs returns the times at which a window opens after from and not after until,
// at most n, those before its start and after its end left out. A zero until is
// no limit.
func runs(w request, from, until time.Time, n int) []time.Time {
	s, err := world.ParseSchedule(w.text("Schedule"), w.text("ScheduleTimezone"))
	if err != nil || !w.flag("Enabled") {
		return nil
	}
	created, _ := w["CreatedDate"].(time.Time)
	if start, err := isoTime(w.text("StartDate")); err == nil && start.After(from) {
		from = start.Add(-time.Nanosecond)
	}
	end, endErr := isoTime(w.text("EndDate"))
	offset := time.Duration(w.number("ScheduleOffset", 0)) * 24 * time.Hour
	var list []time.Time
	for at := from.Add(-offset); len(list) < n; {
		next, ok := s.Next(at, created)
		open := next.Add(offset)
		if !ok || endErr == nil && open.After(end) || !until.IsZero() && open.After(until) {
			break
		}
		list, at = append(list, open), next
	}
	return list
}

// shownWindow is a window with its next execution.
func (c *call) shownWindow(w world.Record) world.Record {
	if next := runs(w, c.world.Now(), time.Time{}, 1); len(next) > 0 {
		return with(w, world.Record{"NextExecutionTime": next[0].Format("2006-01-02T15:04Z07:00")})
	}
	return w
}

func (c *call) getMaintenanceWindow(t *world.Tables, in request) (any, error) {
	w, ok := t.Get(world.KindWindow, in.text("WindowId"))
	if !ok {
		return nil, noWindow(in.text("WindowId"))
	}
	return c.shownWindow(w), nil
}

func (c *call) describeMaintenanceWindows(t *world.Tables, in request) (any, error) {
	list, err := sift(t.All(world.KindWindow), in.filters("Filters", "Key", "Values", ""), "ValidationException", func(w world.Record, key string) ([]string, bool) {
		switch key {
		case "Name":
			return []string{textOf(w, "Name")}, true
		case "Enabled":
			return []string{map[bool]string{true: "True", false: "False"}[w["Enabled"] == true], stamp(w["Enabled"])}, true
		}
		return nil, false
	})
	if err != nil {
		return nil, err
	}
	for i, w := range list {
		list[i] = c.shownWindow(w)
	}
	return c.listing("DescribeMaintenanceWindows", "WindowIdentities", "WindowId", list, in, 50)
}

// scheduleAhead is how many executions of each window the schedule lists.
const scheduleAhead = 10

func (c *call) describeMaintenanceWindowSchedule(t *world.Tables, in request) (any, error) {
	windows := t.All(world.KindWindow)
	if id := in.text("WindowId"); id != "" {
		w, ok := t.Get(world.KindWindow, id)
		if !ok {
			return nil, noWindow(id)
		}
		windows = []world.Record{w}
	}
	if in.has("Targets") {
		windows = c.windowsFor(t, windows, in.targets("Targets"))
	}
	type run struct {
		window world.Record
		at     time.Time
	}
	var all []run
	for _, w := range windows {
		for _, at := range runs(w, c.world.Now(), time.Time{}, scheduleAhead) {
			all = append(all, run{w, at})
		}
	}
	slices.SortStableFunc(all, func(a, b run) int { return a.at.Compare(b.at) })
	var list []world.Record
	for _, r := range all {
		at := r.at.Format("2006-01-02T15:04Z07:00")
		list = append(list, world.Record{"WindowId": r.window["WindowId"], "Name": r.window["Name"], "ExecutionTime": at, "key": textOf(r.window, "WindowId") + at})
	}
	return c.listing("DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", "key", list, in, 50)
}

// windowsFor returns the windows with a target that means the same as the targets
// given, or the nodes that they mean.
func (c *call) windowsFor(t *world.Tables, windows []world.Record, targets []world.Target) []world.Record {
	nodes := c.world.Targeted(targets)
	return keep(windows, func(w world.Record) bool {
		return slices.ContainsFunc(t.All(world.KindWindowTarget), func(target world.Record) bool {
			if target["WindowId"] != w["WindowId"] {
				return false
			}
			theirs := request(target).targets("Targets")
			return slices.EqualFunc(theirs, targets, sameTarget) ||
				slices.ContainsFunc(c.world.Targeted(theirs), func(id string) bool { return slices.Contains(nodes, id) })
		})
	})
}

func sameTarget(a, b world.Target) bool { return a.Key == b.Key && slices.Equal(a.Values, b.Values) }

func (c *call) describeMaintenanceWindowsForTarget(t *world.Tables, in request) (any, error) {
	list := c.windowsFor(t, t.All(world.KindWindow), in.targets("Targets"))
	slices.SortFunc(list, func(a, b world.Record) int {
		return cmp.Or(strings.Compare(textOf(a, "Name"), textOf(b, "Name")), strings.Compare(textOf(a, "WindowId"), textOf(b, "WindowId")))
	})
	return c.listing("DescribeMaintenanceWindowsForTarget", "WindowIdentities", "WindowId", list, in, 50)
}
