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
		w := with(in, world.Record{"WindowId": id, "Enabled": true, "CreatedDate": now, "ModifiedDate": now, "tags": tags})
		world.SetSchedule(w, now)
		t.Put(world.KindWindow, id, w)
		c.world.WindowChanged(id)
		return world.Record{"WindowId": id}, nil
	})
}

// checkWindow refuses windows that could not be.
func checkWindow(w request) error {
	if w.number("Cutoff", 0) >= w.number("Duration", 24) {
		return invalid("Cutoff must be less than Duration.")
	}
	schedule, zone := w.text("Schedule"), w.text("ScheduleTimezone")
	if err := world.CheckWindowSchedule(schedule, zone); err != nil {
		return invalid("Invalid schedule: " + err.Error() + ".")
	}
	if w.has("ScheduleOffset") && !strings.HasPrefix(schedule, "cron(") {
		return invalid("ScheduleOffset is supported for cron expressions only.")
	}
	var dates []time.Time
	for _, name := range []string{"StartDate", "EndDate"} {
		text := w.text(name)
		if text == "" {
			continue
		}
		at, err := world.ParseISOTime(text)
		if err != nil {
			return invalid(name + " " + text + " is not an ISO 8601 date and time.")
		}
		dates = append(dates, at)
	}
	if len(dates) == 2 && !dates[0].Before(dates[1]) {
		return invalid("StartDate must be before EndDate.")
	}
	return nil
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
	now := c.world.Now()
	next["ModifiedDate"] = now
	if textOf(next, "Schedule") != textOf(old, "Schedule") || textOf(next, "ScheduleTimezone") != textOf(old, "ScheduleTimezone") {
		world.SetSchedule(next, now)
	}
	t.Put(world.KindWindow, id, next)
	c.world.WindowChanged(id)
	return next, nil
}

// deleteMaintenanceWindow takes what belongs to the window with it. The service
// says nothing when there is none.
func (c *call) deleteMaintenanceWindow(t *world.Tables, in request) (any, error) {
	id := in.text("WindowId")
	t.Delete(world.KindWindow, id)
	for kind, member := range map[string]string{world.KindWindowTarget: "WindowTargetId", world.KindWindowTask: "WindowTaskId"} {
		for _, r := range world.PartsOfWindow(t, kind, id) {
			t.Delete(kind, textOf(r, member))
		}
	}
	c.world.WindowChanged(id)
	return world.Record{"WindowId": id}, nil
}

// shownWindow is a window with its next execution.
func (c *call) shownWindow(w world.Record) world.Record {
	if next := world.WindowTimes(w, c.world.Now(), time.Time{}, 1); len(next) > 0 {
		return with(w, world.Record{"NextExecutionTime": world.ISOTime(next[0])})
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
		for _, at := range world.WindowTimes(w, c.world.Now(), time.Time{}, scheduleAhead) {
			all = append(all, run{w, at})
		}
	}
	slices.SortStableFunc(all, func(a, b run) int { return a.at.Compare(b.at) })
	var list []world.Record
	for _, r := range all {
		at := world.ISOTime(r.at)
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
