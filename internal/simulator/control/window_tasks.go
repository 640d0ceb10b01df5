package control

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

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
	if err := checkWindowTarget(in); err != nil {
		return nil, err
	}
	return once(t, "RegisterTargetWithMaintenanceWindow", in, func() (any, error) {
		if len(world.PartsOfWindow(t, world.KindWindowTarget, window)) >= maxWindowTargets {
			return nil, world.Errorf("ResourceLimitExceededException", "A maintenance window can have at most %d targets.", maxWindowTargets)
		}
		id := world.NewUUID()
		t.Put(world.KindWindowTarget, id, with(in, world.Record{"WindowTargetId": id}))
		return world.Record{"WindowTargetId": id}, nil
	})
}

// checkWindowTarget refuses targets that are not of their type.
func checkWindowTarget(in request) error {
	kind := in.text("ResourceType")
	for _, target := range in.targets("Targets") {
		group := strings.HasPrefix(target.Key, "resource-groups:")
		node := strings.EqualFold(target.Key, "InstanceIds") || target.Key == "tag-key" || strings.HasPrefix(target.Key, "tag:")
		if group != (kind == "RESOURCE_GROUP") || !group && !node {
			return invalid("Target key " + target.Key + " is not valid for resource type " + kind + ".")
		}
	}
	return nil
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
	if err := checkWindowTarget(next); err != nil {
		return nil, err
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
		for _, task := range world.PartsOfWindow(t, world.KindWindowTask, window) {
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
	list, err := sift(world.PartsOfWindow(t, world.KindWindowTarget, window), in.filters("Filters", "Key", "Values", ""), "ValidationException", func(r world.Record, key string) ([]string, bool) {
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
		if len(world.PartsOfWindow(t, world.KindWindowTask, window)) >= maxWindowTasks {
			return nil, world.Errorf("ResourceLimitExceededException", "A maintenance window can have at most %d tasks.", maxWindowTasks)
		}
		if err := c.checkTask(t, in); err != nil {
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
func (c *call) checkTask(t *world.Tables, task request) error {
	targets := task.targets("Targets")
	for kind, member := range parametersOfType {
		if task.object("TaskInvocationParameters").has(member) && task.text("TaskType") != kind {
			return invalid("TaskInvocationParameters." + member + " is not valid for a task of type " + task.text("TaskType") + ".")
		}
	}
	switch {
	case len(targets) == 0 && task.text("TaskType") == "RUN_COMMAND":
		return invalid("A task of type RUN_COMMAND needs targets.")
	case len(targets) == 0 && (task.has("MaxConcurrency") || task.has("MaxErrors")):
		return invalid("MaxConcurrency and MaxErrors can't be given for a task without targets.")
	case len(targets) > 0 && (!task.has("MaxConcurrency") || !task.has("MaxErrors")):
		return invalid("MaxConcurrency and MaxErrors are required for a task with targets.")
	}
	for _, target := range targets {
		switch {
		case target.Key == "WindowTargetIds":
			for _, id := range target.Values {
				if _, err := part(t, world.KindWindowTarget, task.text("WindowId"), id); err != nil {
					return err
				}
			}
		case !strings.EqualFold(target.Key, "InstanceIds"):
			return invalid("Target key " + target.Key + " is not valid for a task: use InstanceIds or WindowTargetIds.")
		default:
			if err := c.checkUnregistered(t, task.text("WindowId"), target.Values); err != nil {
				return err
			}
		}
	}
	return nil
}

// parametersOfType is the member of TaskInvocationParameters for a type of task.
var parametersOfType = map[string]string{"RUN_COMMAND": "RunCommand", "AUTOMATION": "Automation", "LAMBDA": "Lambda", "STEP_FUNCTIONS": "StepFunctions"}

// checkUnregistered refuses nodes that are no targets of a window which wants them
// to be.
func (c *call) checkUnregistered(t *world.Tables, window string, nodes []string) error {
	if w, _ := t.Get(world.KindWindow, window); request(w).flag("AllowUnassociatedTargets") {
		return nil
	}
	for _, target := range world.PartsOfWindow(t, world.KindWindowTarget, window) {
		registered := c.world.Targeted(request(target).targets("Targets"))
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(id string) bool { return slices.Contains(registered, id) })
	}
	if len(nodes) > 0 {
		return invalid("The maintenance window does not allow unassociated targets, and " + strings.Join(nodes, ", ") + " is not registered with it.")
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
	if err := c.checkTask(t, next); err != nil {
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
	list, err := sift(world.PartsOfWindow(t, world.KindWindowTask, window), in.filters("Filters", "Key", "Values", ""), "ValidationException", func(r world.Record, key string) ([]string, bool) {
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
