package control

import "github.com/ssmdeck/ssmdeck/internal/simulator/world"

func windowTaskOperations() map[string]operation {
	return map[string]operation{
		"RegisterTargetWithMaintenanceWindow":   recorded((*call).registerTargetWithMaintenanceWindow),
		"UpdateMaintenanceWindowTarget":         recorded((*call).updateMaintenanceWindowTarget),
		"DeregisterTargetFromMaintenanceWindow": recorded((*call).deregisterTargetFromMaintenanceWindow),
		"DescribeMaintenanceWindowTargets":      recorded((*call).describeMaintenanceWindowTargets),
		"RegisterTaskWithMaintenanceWindow":     recorded((*call).registerTaskWithMaintenanceWindow),
		"UpdateMaintenanceWindowTask":           recorded((*call).updateMaintenanceWindowTask),
		"DeregisterTaskFromMaintenanceWindow":   recorded((*call).deregisterTaskFromMaintenanceWindow),
		"GetMaintenanceWindowTask":              recorded((*call).getMaintenanceWindowTask),
		"DescribeMaintenanceWindowTasks":        recorded((*call).describeMaintenanceWindowTasks),
	}
}

// Quotas of a window here; the real ones can be raised.
const (
	maxWindowTargets = 100
	maxWindowTasks   = 20
)

// partsOf returns the targets or tasks of a window.
func partsOf(t *world.Tables, kind, window string) []world.Record {
	return keep(t.All(kind), func(r world.Record) bool { return textOf(r, "WindowId") == window })
}

// part finds a target or task of a window.
func part(t *world.Tables, kind, window, id string) (world.Record, error) {
	r, ok := t.Get(kind, id)
	if !ok || textOf(r, "WindowId") != window {
		return nil, world.Errorf("DoesNotExistException", "The %s %s does not exist in maintenance window %s.", kind, id, window)
	}
	return r, nil
}

func (c *call) registerTargetWithMaintenanceWindow(t *world.Tables, in request) (any, error) {
	window := in.text("WindowId")
	if _, ok := t.Get(world.KindWindow, window); !ok {
		return nil, noWindow(window)
	}
	return once(t, "RegisterTargetWithMaintenanceWindow", in, func() (any, error) {
		if len(partsOf(t, world.KindWindowTarget, window)) >= maxWindowTargets {
			return nil, world.Errorf("ResourceLimitExceededException", "A maintenance window can have at most %d targets.", maxWindowTargets)
		}
		id := world.NewUUID()
		t.Put(world.KindWindowTarget, id, with(in, world.Record{"WindowTargetId": id}))
		return world.Record{"WindowTargetId": id}, nil
	})
}

func (c *call) updateMaintenanceWindowTarget(t *world.Tables, in request) (any, error) {
	old, err := part(t, world.KindWindowTarget, in.text("WindowId"), in.text("WindowTargetId"))
	if err != nil {
		return nil, err
	}
	next := revised(old, in, "Targets", "OwnerInformation", "Name", "Description")
	if next["Targets"] == nil {
		return nil, invalid("Targets is required when Replace is true.")
	}
	t.Put(world.KindWindowTarget, in.text("WindowTargetId"), next)
	return next, nil
}

func (c *call) deregisterTargetFromMaintenanceWindow(t *world.Tables, in request) (any, error) {
	window, id := in.text("WindowId"), in.text("WindowTargetId")
	if _, err := part(t, world.KindWindowTarget, window, id); err != nil {
		return nil, err
	}
	if in.flag("Safe") {
		for _, task := range partsOf(t, world.KindWindowTask, window) {
			if usesTarget(task, id) {
				return nil, world.Errorf("TargetInUseException", "Target %s is used by task %s.", id, textOf(task, "WindowTaskId"))
			}
		}
	}
	t.Delete(world.KindWindowTarget, id)
	return world.Record{"WindowId": window, "WindowTargetId": id}, nil
}

// usesTarget reports whether a task names a target of its window.
func usesTarget(task request, id string) bool {
	for _, target := range task.targets("Targets") {
		for _, v := range target.Values {
			if target.Key == "WindowTargetIds" && v == id {
				return true
			}
		}
	}
	return false
}

func (c *call) describeMaintenanceWindowTargets(t *world.Tables, in request) (any, error) {
	window := in.text("WindowId")
	if _, ok := t.Get(world.KindWindow, window); !ok {
		return nil, noWindow(window)
	}
	list, err := sift(partsOf(t, world.KindWindowTarget, window), in.filters("Filters", "Key", "Values", ""), "ValidationException", func(r world.Record, key string) ([]string, bool) {
		switch key {
		case "Type":
			return []string{textOf(r, "ResourceType")}, true
		case "WindowTargetId", "OwnerInformation":
			return []string{textOf(r, key)}, true
		}
		return nil, false
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeMaintenanceWindowTargets", "Targets", "WindowTargetId", list, in, 50)
}

func (c *call) registerTaskWithMaintenanceWindow(t *world.Tables, in request) (any, error) {
	window := in.text("WindowId")
	if _, ok := t.Get(world.KindWindow, window); !ok {
		return nil, noWindow(window)
	}
	return once(t, "RegisterTaskWithMaintenanceWindow", in, func() (any, error) {
		if len(partsOf(t, world.KindWindowTask, window)) >= maxWindowTasks {
			return nil, world.Errorf("ResourceLimitExceededException", "A maintenance window can have at most %d tasks.", maxWindowTasks)
		}
		if err := checkTask(t, in); err != nil {
			return nil, err
		}
		id := world.NewUUID()
		task := with(world.Record{"Priority": 1, "CutoffBehavior": "CONTINUE_TASK"}, in)
		task["WindowTaskId"], task["Type"] = id, in["TaskType"]
		t.Put(world.KindWindowTask, id, task)
		return world.Record{"WindowTaskId": id}, nil
	})
}

// checkTask refuses tasks that could not run.
func checkTask(t *world.Tables, task request) error {
	targets := task.targets("Targets")
	switch {
	case len(targets) == 0 && task.text("TaskType") == "RUN_COMMAND":
		return invalid("A task of type RUN_COMMAND needs targets.")
	case len(targets) == 0 && (task.has("MaxConcurrency") || task.has("MaxErrors")):
		return invalid("MaxConcurrency and MaxErrors can't be given for a task without targets.")
	case len(targets) > 0 && (!task.has("MaxConcurrency") || !task.has("MaxErrors")):
		return invalid("MaxConcurrency and MaxErrors are required for a task with targets.")
	}
	for _, target := range targets {
		if target.Key != "WindowTargetIds" {
			continue
		}
		for _, id := range target.Values {
			if _, err := part(t, world.KindWindowTarget, task.text("WindowId"), id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) updateMaintenanceWindowTask(t *world.Tables, in request) (any, error) {
	id := in.text("WindowTaskId")
	old, err := part(t, world.KindWindowTask, in.text("WindowId"), id)
	if err != nil {
		return nil, err
	}
	if in.flag("Replace") && (!in.has("TaskArn")) {
		return nil, invalid("TaskArn is required when Replace is true.")
	}
	next := revised(old, in, "Targets", "TaskArn", "ServiceRoleArn", "TaskParameters", "TaskInvocationParameters", "Priority", "MaxConcurrency",
		"MaxErrors", "LoggingInfo", "Name", "Description", "CutoffBehavior", "AlarmConfiguration")
	if err := checkTask(t, next); err != nil {
		return nil, err
	}
	t.Put(world.KindWindowTask, id, next)
	return next, nil
}

func (c *call) deregisterTaskFromMaintenanceWindow(t *world.Tables, in request) (any, error) {
	window, id := in.text("WindowId"), in.text("WindowTaskId")
	if _, err := part(t, world.KindWindowTask, window, id); err != nil {
		return nil, err
	}
	t.Delete(world.KindWindowTask, id)
	return world.Record{"WindowId": window, "WindowTaskId": id}, nil
}

func (c *call) getMaintenanceWindowTask(t *world.Tables, in request) (any, error) {
	return part(t, world.KindWindowTask, in.text("WindowId"), in.text("WindowTaskId"))
}

func (c *call) describeMaintenanceWindowTasks(t *world.Tables, in request) (any, error) {
	window := in.text("WindowId")
	if _, ok := t.Get(world.KindWindow, window); !ok {
		return nil, noWindow(window)
	}
	list, err := sift(partsOf(t, world.KindWindowTask, window), in.filters("Filters", "Key", "Values", ""), "ValidationException", func(r world.Record, key string) ([]string, bool) {
		switch key {
		case "WindowTaskId", "TaskArn", "TaskType":
			return []string{textOf(r, key)}, true
		case "Priority":
			return []string{stamp(r["Priority"])}, true
		}
		return nil, false
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeMaintenanceWindowTasks", "Tasks", "WindowTaskId", list, in, 50)
}
