package control

import (
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func windowExecutionOperations() map[string]operation {
	return map[string]operation{
		"DescribeMaintenanceWindowExecutions":               untyped((*call).describeMaintenanceWindowExecutions),
		"GetMaintenanceWindowExecution":                     untyped((*call).getMaintenanceWindowExecution),
		"DescribeMaintenanceWindowExecutionTasks":           untyped((*call).describeMaintenanceWindowExecutionTasks),
		"GetMaintenanceWindowExecutionTask":                 untyped((*call).getMaintenanceWindowExecutionTask),
		"DescribeMaintenanceWindowExecutionTaskInvocations": untyped((*call).describeMaintenanceWindowExecutionTaskInvocations),
		"GetMaintenanceWindowExecutionTaskInvocation":       untyped((*call).getMaintenanceWindowExecutionTaskInvocation),
		"CancelMaintenanceWindowExecution":                  untyped((*call).cancelMaintenanceWindowExecution),
	}
}

// spanned puts the times of something that may not have started or ended yet in a
// record, and what its status means.
func spanned(r world.Record, status, details string, start, end time.Time) world.Record {
	r["Status"] = status
	if details != "" {
		r["StatusDetails"] = details
	}
	if !start.IsZero() {
		r["StartTime"] = start
	}
	if !end.IsZero() {
		r["EndTime"] = end
	}
	return r
}

func executionRecord(e world.WindowExecution) world.Record {
	return spanned(world.Record{"WindowId": e.WindowID, "WindowExecutionId": e.ID}, e.Status, e.Details, e.Start, e.End)
}

// taskRecord is a task of an execution. Only tasks with targets have rate control.
func taskRecord(execution string, t world.WindowTaskExecution) world.Record {
	task := request(t.Task)
	r := task.take("TaskArn", "TaskType", "Priority", "MaxConcurrency", "MaxErrors", "AlarmConfiguration")
	r["WindowExecutionId"], r["TaskExecutionId"], r["Type"] = execution, t.ID, task["TaskType"]
	if role := task.text("ServiceRoleArn"); role != "" {
		r["ServiceRole"] = role
	}
	if p, ok := task["TaskParameters"]; ok {
		r["TaskParameters"] = []any{p}
	}
	return spanned(r, t.Status, t.Details, t.Start, t.End)
}

func invocationRecord(execution, task string, i world.WindowInvocation) world.Record {
	r := world.Record{"WindowExecutionId": execution, "TaskExecutionId": task, "InvocationId": i.ID, "TaskType": i.Type}
	for name, v := range map[string]string{"ExecutionId": i.ExecutionID, "Parameters": i.Parameters, "OwnerInformation": i.Owner, "WindowTargetId": i.TargetID} {
		if v != "" {
			r[name] = v
		}
	}
	return spanned(r, i.Status, i.Details, i.Start, i.End)
}

// describeMaintenanceWindowExecutions finds none for a window that does not exist:
// the operation has no error for it.
func (c *call) describeMaintenanceWindowExecutions(in request) (any, error) {
	var list []world.Record
	for _, e := range c.world.WindowExecutions(in.text("WindowId")) {
		list = append(list, executionRecord(e))
	}
	for _, f := range in.filters("Filters", "Key", "Values", "") {
		if f.key != "ExecutedBefore" && f.key != "ExecutedAfter" {
			return nil, invalid("The specified key is not valid: " + f.key + ".")
		}
		for _, v := range f.values {
			limit, err := world.ParseISOTime(v)
			if err != nil {
				return nil, invalid("Filter " + f.key + ": " + v + " is not an ISO 8601 date and time.")
			}
			list = keep(list, func(r world.Record) bool {
				at, _ := r["StartTime"].(time.Time)
				if f.key == "ExecutedBefore" {
					return at.Before(limit)
				}
				return at.After(limit)
			})
		}
	}
	return c.listing("DescribeMaintenanceWindowExecutions", "WindowExecutions", "WindowExecutionId", list, in, 50)
}

// windowExecution finds an execution.
func (c *call) windowExecution(in request) (world.WindowExecution, error) {
	id := in.text("WindowExecutionId")
	e, ok := c.world.WindowExecution(id)
	if !ok {
		return e, missing("DoesNotExistException", "Maintenance window execution", id)
	}
	return e, nil
}

func (c *call) getMaintenanceWindowExecution(in request) (any, error) {
	e, err := c.windowExecution(in)
	if err != nil {
		return nil, err
	}
	ids := []any{}
	for _, t := range e.Tasks {
		ids = append(ids, t.ID)
	}
	return with(executionRecord(e), world.Record{"TaskIds": ids}), nil
}

// status is the filter of the parts of an execution.
func status(r world.Record, key string) ([]string, bool) {
	return []string{textOf(r, "Status")}, key == "STATUS" || key == "Status"
}

func (c *call) describeMaintenanceWindowExecutionTasks(in request) (any, error) {
	e, err := c.windowExecution(in)
	if err != nil {
		return nil, err
	}
	var all []world.Record
	for _, t := range e.Tasks {
		all = append(all, taskRecord(e.ID, t))
	}
	list, err := sift(all, in.filters("Filters", "Key", "Values", ""), "ValidationException", status)
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", "TaskExecutionId", list, in, 50)
}

// executionTask finds a task of an execution.
func (c *call) executionTask(in request) (world.WindowTaskExecution, error) {
	e, err := c.windowExecution(in)
	if err != nil {
		return world.WindowTaskExecution{}, err
	}
	for _, t := range e.Tasks {
		if t.ID == in.text("TaskId") {
			return t, nil
		}
	}
	return world.WindowTaskExecution{}, missing("DoesNotExistException", "Task execution", in.text("TaskId"))
}

func (c *call) getMaintenanceWindowExecutionTask(in request) (any, error) {
	t, err := c.executionTask(in)
	if err != nil {
		return nil, err
	}
	return taskRecord(in.text("WindowExecutionId"), t), nil
}

func (c *call) describeMaintenanceWindowExecutionTaskInvocations(in request) (any, error) {
	t, err := c.executionTask(in)
	if err != nil {
		return nil, err
	}
	var all []world.Record
	for _, i := range c.world.WindowInvocations(in.text("WindowExecutionId"), t.ID) {
		all = append(all, invocationRecord(in.text("WindowExecutionId"), t.ID, i))
	}
	list, err := sift(all, in.filters("Filters", "Key", "Values", ""), "ValidationException", status)
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeMaintenanceWindowExecutionTaskInvocations", "WindowExecutionTaskInvocationIdentities", "InvocationId", list, in, 50)
}

func (c *call) getMaintenanceWindowExecutionTaskInvocation(in request) (any, error) {
	t, err := c.executionTask(in)
	if err != nil {
		return nil, err
	}
	for _, i := range c.world.WindowInvocations(in.text("WindowExecutionId"), t.ID) {
		if i.ID == in.text("InvocationId") {
			return invocationRecord(in.text("WindowExecutionId"), t.ID, i), nil
		}
	}
	return nil, missing("DoesNotExistException", "Invocation", in.text("InvocationId"))
}

// cancelMaintenanceWindowExecution does not mind an execution that has ended.
func (c *call) cancelMaintenanceWindowExecution(in request) (any, error) {
	id := in.text("WindowExecutionId")
	if !c.world.CancelWindowExecution(id) {
		return nil, missing("DoesNotExistException", "Maintenance window execution", id)
	}
	return world.Record{"WindowExecutionId": id}, nil
}
