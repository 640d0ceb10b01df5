package control

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func windowExecutionOperations() map[string]operation {
	return map[string]operation{
		"DescribeMaintenanceWindowExecutions":               recorded((*call).describeMaintenanceWindowExecutions),
		"GetMaintenanceWindowExecution":                     recorded((*call).getMaintenanceWindowExecution),
		"DescribeMaintenanceWindowExecutionTasks":           recorded((*call).describeMaintenanceWindowExecutionTasks),
		"GetMaintenanceWindowExecutionTask":                 recorded((*call).getMaintenanceWindowExecutionTask),
		"DescribeMaintenanceWindowExecutionTaskInvocations": recorded((*call).describeMaintenanceWindowExecutionTaskInvocations),
		"GetMaintenanceWindowExecutionTaskInvocation":       recorded((*call).getMaintenanceWindowExecutionTaskInvocation),
		"CancelMaintenanceWindowExecution":                  recorded((*call).cancelMaintenanceWindowExecution),
	}
}

// Executions of windows are imagined: when somebody looks, one is there for each
// time that the window opened since it was made, of the last week. Its tasks ran for a minute each
// and succeeded on all nodes that they were for. Nothing runs on nodes.
const (
	taskTakes       = time.Minute
	maxRemembered   = 30 // executions of a window
	statusSucceeded = "SUCCESS"
)

// namedUUID is a UUID that is the same for the same names.
func namedUUID(names ...string) string {
	h := sha256.New()
	for _, n := range names {
		h.Write([]byte(n + "\x00"))
	}
	s := hex.EncodeToString(h.Sum(nil))
	return s[:8] + "-" + s[8:12] + "-4" + s[13:16] + "-8" + s[17:20] + "-" + s[20:32]
}

// executed records the executions of all windows that are due.
func (c *call) executed(t *world.Tables) {
	now := c.world.Now()
	for _, w := range t.All(world.KindWindow) {
		id := textOf(w, "WindowId")
		since, ok := w["executed"].(time.Time)
		if !ok {
			since, _ = w["CreatedDate"].(time.Time)
		}
		if week := now.AddDate(0, 0, -7); since.Before(week) {
			since = week
		}
		due := runs(w, since, now, math.MaxInt)
		for _, at := range due {
			c.execute(t, w, at)
		}
		if len(due) > 0 {
			t.Change(world.KindWindow, id, world.Record{"executed": due[len(due)-1]})
		}
	}
}

// execute records one execution of a window with what it did.
func (c *call) execute(t *world.Tables, w world.Record, at time.Time) {
	window := textOf(w, "WindowId")
	id := namedUUID(window, at.UTC().String())
	tasks := partsOf(t, world.KindWindowTask, window)
	slices.SortStableFunc(tasks, func(a, b world.Record) int {
		return request(a).number("Priority", 1) - request(b).number("Priority", 1)
	})
	var records []world.Record
	end := at
	for _, task := range tasks {
		start := end
		end = start.Add(taskTakes)
		r := with(task, world.Record{
			"WindowExecutionId": id, "TaskExecutionId": namedUUID(id, textOf(task, "WindowTaskId")), "Status": statusSucceeded,
			"StartTime": start, "EndTime": end, "ServiceRole": task["ServiceRoleArn"],
		})
		if p, ok := task["TaskParameters"]; ok {
			r["TaskParameters"] = []any{p}
		}
		r["invocations"] = c.invocationsOf(t, task, r)
		records = append(records, r)
	}
	execution := world.Record{"WindowId": window, "WindowExecutionId": id, "Status": statusSucceeded, "StartTime": at, "EndTime": end, "tasks": records}
	if len(tasks) == 0 {
		execution["StatusDetails"] = "No tasks to execute."
	}
	t.Put(world.KindWindowExecution, id, execution)
	old := partsOf(t, world.KindWindowExecution, window)
	for _, e := range old[:max(0, len(old)-maxRemembered)] {
		t.Delete(world.KindWindowExecution, textOf(e, "WindowExecutionId"))
	}
}

// invocationsOf imagines one invocation for each target of a task, or one for a
// task without any.
func (c *call) invocationsOf(t *world.Tables, task, execution world.Record) []world.Record {
	parameters, err := json.Marshal(task["TaskInvocationParameters"])
	if err != nil || task["TaskInvocationParameters"] == nil {
		parameters = nil
	}
	one := func(target world.Record) world.Record {
		id := namedUUID(textOf(execution, "TaskExecutionId"), textOf(target, "WindowTargetId"))
		return world.Record{
			"WindowExecutionId": execution["WindowExecutionId"], "TaskExecutionId": execution["TaskExecutionId"], "InvocationId": id,
			"ExecutionId": namedUUID(id), "TaskType": task["TaskType"], "Parameters": string(parameters), "Status": statusSucceeded,
			"StartTime": execution["StartTime"], "EndTime": execution["EndTime"], "OwnerInformation": target["OwnerInformation"],
			"WindowTargetId": target["WindowTargetId"],
		}
	}
	var list []world.Record
	for _, target := range partsOf(t, world.KindWindowTarget, textOf(task, "WindowId")) {
		if usesTarget(task, textOf(target, "WindowTargetId")) {
			list = append(list, one(target))
		}
	}
	if len(list) == 0 {
		list = append(list, one(world.Record{}))
	}
	return list
}

func (c *call) describeMaintenanceWindowExecutions(t *world.Tables, in request) (any, error) {
	c.executed(t)
	list := partsOf(t, world.KindWindowExecution, in.text("WindowId"))
	slices.Reverse(list)
	for _, f := range in.filters("Filters", "Key", "Values", "") {
		if f.key != "ExecutedBefore" && f.key != "ExecutedAfter" {
			return nil, invalid("The specified key is not valid: " + f.key + ".")
		}
		for _, v := range f.values {
			limit := filterTime(v)
			list = keep(list, func(r world.Record) bool {
				at, _ := r["StartTime"].(time.Time)
				return (f.key == "ExecutedBefore") == at.Before(limit)
			})
		}
	}
	return c.listing("DescribeMaintenanceWindowExecutions", "WindowExecutions", "WindowExecutionId", list, in, 50)
}

// windowExecution finds an execution.
func (c *call) windowExecution(t *world.Tables, in request) (world.Record, error) {
	c.executed(t)
	r, ok := t.Get(world.KindWindowExecution, in.text("WindowExecutionId"))
	if !ok {
		return nil, missing("DoesNotExistException", "Maintenance window execution", in.text("WindowExecutionId"))
	}
	return r, nil
}

func recordsIn(r world.Record, member string) []world.Record {
	list, _ := r[member].([]world.Record)
	return list
}

func (c *call) getMaintenanceWindowExecution(t *world.Tables, in request) (any, error) {
	r, err := c.windowExecution(t, in)
	if err != nil {
		return nil, err
	}
	ids := []any{}
	for _, task := range recordsIn(r, "tasks") {
		ids = append(ids, task["TaskExecutionId"])
	}
	return with(r, world.Record{"TaskIds": ids}), nil
}

// status is the filter of the parts of an execution.
func status(r world.Record, key string) ([]string, bool) {
	return []string{textOf(r, "Status")}, key == "STATUS" || key == "Status"
}

func (c *call) describeMaintenanceWindowExecutionTasks(t *world.Tables, in request) (any, error) {
	r, err := c.windowExecution(t, in)
	if err != nil {
		return nil, err
	}
	list, err := sift(recordsIn(r, "tasks"), in.filters("Filters", "Key", "Values", ""), "ValidationException", status)
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", "TaskExecutionId", list, in, 50)
}

// executionTask finds a task of an execution.
func (c *call) executionTask(t *world.Tables, in request) (world.Record, error) {
	r, err := c.windowExecution(t, in)
	if err != nil {
		return nil, err
	}
	for _, task := range recordsIn(r, "tasks") {
		if textOf(task, "TaskExecutionId") == in.text("TaskId") {
			return task, nil
		}
	}
	return nil, missing("DoesNotExistException", "Task execution", in.text("TaskId"))
}

func (c *call) getMaintenanceWindowExecutionTask(t *world.Tables, in request) (any, error) {
	return c.executionTask(t, in)
}

func (c *call) describeMaintenanceWindowExecutionTaskInvocations(t *world.Tables, in request) (any, error) {
	task, err := c.executionTask(t, in)
	if err != nil {
		return nil, err
	}
	list, err := sift(recordsIn(task, "invocations"), in.filters("Filters", "Key", "Values", ""), "ValidationException", status)
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeMaintenanceWindowExecutionTaskInvocations", "WindowExecutionTaskInvocationIdentities", "InvocationId", list, in, 50)
}

func (c *call) getMaintenanceWindowExecutionTaskInvocation(t *world.Tables, in request) (any, error) {
	task, err := c.executionTask(t, in)
	if err != nil {
		return nil, err
	}
	for _, i := range recordsIn(task, "invocations") {
		if textOf(i, "InvocationId") == in.text("InvocationId") {
			return i, nil
		}
	}
	return nil, missing("DoesNotExistException", "Invocation", in.text("InvocationId"))
}

// cancelMaintenanceWindowExecution finds every execution ended, which the service
// does not mind.
func (c *call) cancelMaintenanceWindowExecution(t *world.Tables, in request) (any, error) {
	if _, err := c.windowExecution(t, in); err != nil {
		return nil, err
	}
	return world.Record{"WindowExecutionId": in.text("WindowExecutionId")}, nil
}
