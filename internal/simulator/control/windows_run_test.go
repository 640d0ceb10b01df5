package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// stopped is a fixture whose clock stands until it is put forward.
func stopped(t *testing.T, start, scenario string) *fixture {
	t.Helper()
	f := newFixture(t, "clock: {start: "+start+", stopped: true}\n"+scenario, nil)
	return f
}

func (f *fixture) forward(d time.Duration) {
	f.t.Helper()
	if err := f.world.Clock().Forward(f.t.Context(), f.world.Now().Add(d)); err != nil {
		f.t.Fatal(err)
	}
}

// list is all for windows' things.
func (f *fixture) list(op, member string, in map[string]any) (all []map[string]any) {
	f.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range f.all(op, string(body), member) {
		m, _ := e.(map[string]any)
		all = append(all, m)
	}
	return all
}

// windowIDs are the ids of the windows by name.
func (f *fixture) windowIDs() map[string]string {
	ids := map[string]string{}
	for _, w := range f.list("DescribeMaintenanceWindows", "WindowIdentities", map[string]any{}) {
		ids[fmt.Sprint(w["Name"])] = fmt.Sprint(w["WindowId"])
	}
	return ids
}

func epochOf(v any) time.Time {
	f, _ := v.(float64)
	return time.UnixMilli(int64(f * 1000)).UTC()
}

// story tells the executions of a window, the oldest first: when, how long, how
// they ended, and the same for what is in them.
func (f *fixture) story(window string) (lines []string) {
	f.t.Helper()
	one := func(what string, r map[string]any) string {
		line := fmt.Sprintf("%s %s %s", what, epochOf(r["StartTime"]).Format("02T15:04"), r["Status"])
		if r["EndTime"] != nil {
			line += " " + epochOf(r["EndTime"]).Sub(epochOf(r["StartTime"])).String()
		}
		return line
	}
	executions := f.list("DescribeMaintenanceWindowExecutions", "WindowExecutions", map[string]any{"WindowId": window})
	slices.Reverse(executions)
	for _, e := range executions {
		lines = append(lines, one("execution", e))
		in := map[string]any{"WindowExecutionId": e["WindowExecutionId"]}
		for _, task := range f.list("DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", in) {
			lines = append(lines, one(fmt.Sprint("  ", task["TaskArn"]), task))
			in := map[string]any{"WindowExecutionId": e["WindowExecutionId"], "TaskId": task["TaskExecutionId"]}
			for _, i := range f.list("DescribeMaintenanceWindowExecutionTaskInvocations", "WindowExecutionTaskInvocationIdentities", in) {
				lines = append(lines, one("    invocation", i))
			}
		}
	}
	return lines
}

func (f *fixture) tells(window string, want ...string) {
	f.t.Helper()
	got := f.story(f.windowIDs()[window])
	if !slices.Equal(got, want) {
		f.t.Errorf("%s:\ngot  %s\nwant %s", window, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

const week = `
nodes:
  - {id: i-0aaaaaaaaaaaaaaaa, name: app-1, tags: {env: prod}}
  - {id: i-0bbbbbbbbbbbbbbbb, name: app-2, tags: {env: prod}}
maintenance_windows:
  - {name: berlin-nightly, schedule: cron(30 2 * * ? *), timezone: Europe/Berlin, targets: {env: prod}, document: AWS-RunShellScript, parameters: {commands: [uptime]}}
  - {name: berlin-sunday, schedule: cron(0 3 ? * SUN *), timezone: Europe/Berlin, targets: {env: prod}, document: AWS-RunShellScript, parameters: {commands: [uptime]}}
  - {name: new-york, schedule: "cron(0 23 ? * MON-FRI *)", timezone: America/New_York, nodes: [i-0aaaaaaaaaaaaaaaa], document: AWS-RunShellScript, parameters: {commands: [sleep 90m], executionTimeout: ["20000"]}}
  - {name: sydney, schedule: cron(15 4 L * ? *), timezone: Australia/Sydney, targets: {env: prod}}
  - {name: six-hourly, schedule: rate(6 hours), targets: {env: prod}, document: AWS-RunShellScript, parameters: {commands: [fail]}}
  - {name: patch-tuesday, schedule: cron(0 22 ? * TUE#4 *), timezone: UTC, offset: 4, targets: {env: prod}}
  - {name: once, schedule: at(2026-03-25T12:34:56), timezone: Asia/Tokyo}
  - {name: later, schedule: cron(0 12 * * ? *), start: 2026-03-26T00:00:00+09:00, end: 2026-03-27T23:59:00Z}
  - {name: off, schedule: cron(0 12 * * ? *), disabled: true}
`

// previewed and executed are when windows will open, by the schedule, and when
// they have.
func (f *fixture) previewed(until time.Time) (list []string) {
	for name, id := range f.windowIDs() {
		for _, e := range f.list("DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", map[string]any{"WindowId": id}) {
			at, err := world.ParseISOTime(fmt.Sprint(e["ExecutionTime"]))
			if err != nil {
				f.t.Fatal(err)
			}
			if !at.After(until) {
				list = append(list, name+" "+at.UTC().Format(time.RFC3339))
			}
		}
	}
	slices.Sort(list)
	return list
}

func (f *fixture) executed() (list []string) {
	for name, id := range f.windowIDs() {
		for _, e := range f.list("DescribeMaintenanceWindowExecutions", "WindowExecutions", map[string]any{"WindowId": id}) {
			list = append(list, name+" "+epochOf(e["StartTime"]).Format(time.RFC3339))
		}
	}
	slices.Sort(list)
	return list
}

// TestAWeekOfWindowsIsWhatTheScheduleSaid runs the week in which Europe changes to
// daylight saving time, day by day, since the schedule looks ahead only so far.
func TestAWeekOfWindowsIsWhatTheScheduleSaid(t *testing.T) {
	var stories [2]string
	for round := range stories {
		f := stopped(t, "2026-03-23T00:00:30Z", week)
		var said []string
		for range 7 {
			said = append(said, f.previewed(f.world.Now().Add(24*time.Hour))...)
			f.forward(24 * time.Hour)
		}
		slices.Sort(said)
		if got := f.executed(); !slices.Equal(got, said) {
			t.Errorf("got\n%s\nsaid\n%s", strings.Join(got, "\n"), strings.Join(said, "\n"))
		}
		var all []string
		ids := f.windowIDs()
		for _, name := range []string{"berlin-nightly", "berlin-sunday", "new-york", "sydney", "six-hourly", "patch-tuesday", "once", "later", "off"} {
			all = append(all, name)
			all = append(all, f.story(ids[name])...)
		}
		stories[round] = strings.Join(all, "\n")
	}
	if stories[0] != stories[1] {
		t.Errorf("two weeks differ:\n%s\n\n%s", stories[0], stories[1])
	}
	// What the calendar says, by hand. 02:30 of the 29th is left out in Berlin.
	for _, want := range []string{
		"berlin-nightly\nexecution 23T01:30", "execution 28T01:30", "berlin-sunday\nexecution 29T01:00",
		"new-york\nexecution 24T03:00 SUCCESS 1h30m0s", "execution 28T03:00 SUCCESS 1h30m0s",
		"sydney\nsix-hourly", "patch-tuesday\nexecution 28T22:00", "once\nexecution 25T12:34", "later\nexecution 26T12:00", "execution 27T12:00", "\noff",
	} {
		if !strings.Contains(stories[0], want) {
			t.Errorf("%q is not in\n%s", want, stories[0])
		}
	}
	if strings.Contains(stories[0], "29T01:30") || strings.Contains(stories[0], "29T00:30") || strings.Contains(stories[0], "28T12:00 ") && strings.Contains(stories[0], "later\nexecution 25") {
		t.Errorf("got\n%s", stories[0])
	}
}

func TestAmericaChangesItsClocks(t *testing.T) {
	const autumn = `
nodes: [{id: i-0aaaaaaaaaaaaaaaa}]
maintenance_windows:
  - {name: gap, schedule: cron(30 2 * * ? *), timezone: America/New_York}
  - {name: twice, schedule: cron(30 1 * * ? *), timezone: America/New_York}
  - {name: offset, schedule: cron(30 22 ? * SAT *), timezone: America/New_York, offset: 1}
`
	f := stopped(t, "2026-03-07T12:00:00Z", autumn)
	f.forward(48 * time.Hour)
	if got := strings.Join(f.executed(), " "); got != "gap 2026-03-09T06:30:00Z offset 2026-03-09T02:30:00Z twice 2026-03-08T06:30:00Z twice 2026-03-09T05:30:00Z" {
		t.Errorf("in spring: got %s", got)
	}
	f = stopped(t, "2026-10-31T12:00:00Z", autumn)
	f.forward(48 * time.Hour)
	if got := strings.Join(f.executed(), " "); got != "gap 2026-11-01T07:30:00Z gap 2026-11-02T07:30:00Z offset 2026-11-02T03:30:00Z twice 2026-11-01T05:30:00Z twice 2026-11-02T06:30:00Z" {
		t.Errorf("in autumn: got %s", got)
	}
}

func TestTasksRunByPriorityAndInParallel(t *testing.T) {
	f := stopped(t, "2026-03-23T00:00:00Z", `
nodes:
  - {id: i-0aaaaaaaaaaaaaaaa, tags: {env: prod}}
  - {id: i-0bbbbbbbbbbbbbbbb, tags: {env: prod}}
functions:
  - {arn: notify, takes: 2m}
  - {arn: broken, takes: 30s, fails: the function returned an error}
maintenance_windows:
  - name: many
    schedule: cron(0 1 * * ? *)
    duration: 4
    targets: {env: prod}
    owner: team-a
    tasks:
      - {type: LAMBDA, run: "arn:aws:lambda:us-east-1:123456789012:function:notify", untargeted: true, priority: 5, input: '{"w":"{{WINDOW_ID}}"}'}
      - {run: AWS-RunShellScript, max_concurrency: 100%, parameters: {commands: [sleep 10m]}, priority: 1}
      - {run: AWS-RunShellScript, max_concurrency: 100%, parameters: {commands: [sleep 5m]}, priority: 1}
      - {type: STEP_FUNCTIONS, run: "arn:aws:states:us-east-1:123456789012:stateMachine:broken", priority: 2, max_concurrency: "1", max_errors: "0", input: '{"node":"{{RESOURCE_ID}}"}'}
      - {type: AUTOMATION, run: AWS-RestartEC2Instance, priority: 3, max_concurrency: 100%, parameters: {InstanceId: ["{{RESOURCE_ID}}"]}}
`)
	f.forward(24 * time.Hour)
	f.tells("many",
		"execution 23T01:00 FAILED 12m30s",
		"  AWS-RunShellScript 23T01:00 SUCCESS 10m0s", "    invocation 23T01:00 SUCCESS 10m0s",
		"  AWS-RunShellScript 23T01:00 SUCCESS 5m0s", "    invocation 23T01:00 SUCCESS 5m0s",
		"  arn:aws:states:us-east-1:123456789012:stateMachine:broken 23T01:10 FAILED 30s",
		"    invocation 23T01:10 FAILED 30s", "    invocation 23T01:10 CANCELLED 0s",
		"  AWS-RestartEC2Instance 23T01:10 SUCCESS 0s", "    invocation 23T01:10 SUCCESS 0s", "    invocation 23T01:10 SUCCESS 0s",
		"  arn:aws:lambda:us-east-1:123456789012:function:notify 23T01:10 SUCCESS 2m0s", "    invocation 23T01:10 SUCCESS 2m0s",
	)
	e := f.list("DescribeMaintenanceWindowExecutions", "WindowExecutions", map[string]any{"WindowId": f.windowIDs()["many"]})[0]
	of := map[string]any{"WindowExecutionId": e["WindowExecutionId"]}
	var got []string
	for _, task := range f.list("DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", of) {
		of["TaskId"] = task["TaskExecutionId"]
		i := f.list("DescribeMaintenanceWindowExecutionTaskInvocations", "WindowExecutionTaskInvocationIdentities", of)[0]
		delete(of, "TaskId")
		got = append(got, fmt.Sprint(i["OwnerInformation"], " ", i["WindowTargetId"] != nil, " ", i["Parameters"]))
		switch i["TaskType"] {
		case "RUN_COMMAND":
			c := f.must("ListCommands", fmt.Sprintf(`{"CommandId":"%v"}`, i["ExecutionId"]))
			if words(at(c, "Commands", 0, "Status"), at(c, "Commands", 0, "TargetCount"), at(c, "Commands", 0, "MaxConcurrency")) != "Success 2 100%" {
				t.Errorf("the command: %v", c)
			}
		case "AUTOMATION":
			a := f.must("GetAutomationExecution", fmt.Sprintf(`{"AutomationExecutionId":"%v"}`, i["ExecutionId"]))
			if words(at(a, "AutomationExecution", "Parameters", "InstanceId", 0)) != "i-0aaaaaaaaaaaaaaaa" {
				t.Errorf("the automation: %v", a)
			}
		case "STEP_FUNCTIONS":
			if !strings.HasPrefix(fmt.Sprint(i["ExecutionId"]), "arn:aws:states:us-east-1:123456789012:execution:broken:") || i["StatusDetails"] != "the function returned an error" {
				t.Errorf("the state machine: %v", i)
			}
		}
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{`team-a true {"documentName":"AWS-RunShellScript","maxConcurrency":"100%","maxErrors":"1"`, `team-a true {"node":"i-0aaaaaaaaaaaaaaaa"}`, `<nil> false {"w":"mw-`} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not in\n%s", want, all)
		}
	}
}

func TestCutoffsAndOverlaps(t *testing.T) {
	f := stopped(t, "2026-03-23T00:00:00Z", `
nodes: [{id: i-0aaaaaaaaaaaaaaaa, tags: {env: prod}}, {id: i-0bbbbbbbbbbbbbbbb, tags: {env: prod}}]
functions: [{arn: slow, takes: 80m}]
maintenance_windows:
  - name: cancels
    schedule: cron(0 1 * * ? *)
    duration: 3
    cutoff: 1
    targets: {env: prod}
    tasks:
      - {run: AWS-RunShellScript, max_concurrency: 100%, parameters: {commands: [sleep 150m], executionTimeout: ["20000"]}, priority: 1, cutoff_behavior: CANCEL_TASK}
      - {run: AWS-RunShellScript, parameters: {commands: [uptime]}, priority: 2}
  - name: continues
    schedule: cron(0 1 ? * MON *)
    duration: 3
    cutoff: 2
    targets: {env: prod}
    tasks:
      - {run: AWS-RunShellScript, max_concurrency: 100%, parameters: {commands: [sleep 150m], executionTimeout: ["20000"]}}
      - {type: LAMBDA, run: "arn:aws:lambda:us-east-1:123456789012:function:slow", max_concurrency: "1", cutoff_behavior: CANCEL_TASK}
  - name: overlaps
    schedule: rate(1 hour)
    duration: 1
    targets: {env: prod}
    tasks: [{run: AWS-RunShellScript, max_concurrency: 100%, parameters: {commands: [sleep 90m], executionTimeout: ["20000"]}}]
  - name: ends-with-the-cutoff
    schedule: cron(0 1 ? * MON *)
    duration: 2
    targets: {env: prod}
    tasks: [{run: AWS-RunShellScript, max_concurrency: 100%, parameters: {commands: [sleep 1h]}, cutoff_behavior: CANCEL_TASK}]
`)
	f.forward(5 * time.Hour)
	f.tells("cancels",
		"execution 23T01:00 TIMED_OUT 2h0m0s",
		"  AWS-RunShellScript 23T01:00 TIMED_OUT 2h0m0s", "    invocation 23T01:00 TIMED_OUT 2h0m0s",
		"  AWS-RunShellScript 23T03:00 TIMED_OUT 0s")
	f.tells("continues",
		"execution 23T01:00 TIMED_OUT 2h30m0s",
		"  AWS-RunShellScript 23T01:00 SUCCESS 2h30m0s", "    invocation 23T01:00 SUCCESS 2h30m0s",
		"  arn:aws:lambda:us-east-1:123456789012:function:slow 23T01:00 TIMED_OUT 1h20m0s",
		"    invocation 23T01:00 SUCCESS 1h20m0s", "    invocation 23T02:20 TIMED_OUT 0s")
	f.tells("ends-with-the-cutoff",
		"execution 23T01:00 SUCCESS 1h0m0s", "  AWS-RunShellScript 23T01:00 SUCCESS 1h0m0s", "    invocation 23T01:00 SUCCESS 1h0m0s")
	got := strings.Join(f.story(f.windowIDs()["overlaps"]), "\n")
	for _, want := range []string{
		"execution 23T01:00 SUCCESS 1h30m0s\n  AWS-RunShellScript 23T01:00 SUCCESS 1h30m0s\n    invocation 23T01:00 SUCCESS 1h30m0s\nexecution 23T02:00 SKIPPED_OVERLAPPING 0s\nexecution 23T03:00 SUCCESS",
		"execution 23T05:00 IN_PROGRESS\n  AWS-RunShellScript 23T05:00 IN_PROGRESS\n    invocation 23T05:00 IN_PROGRESS",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nis not in\n%s", want, got)
		}
	}
}

func TestCancellingAnExecution(t *testing.T) {
	f := stopped(t, "2026-03-23T00:00:00Z", `
nodes: [{id: i-0aaaaaaaaaaaaaaaa}]
maintenance_windows:
  - name: two
    schedule: cron(0 1 * * ? *)
    nodes: [i-0aaaaaaaaaaaaaaaa]
    tasks:
      - {run: AWS-RunShellScript, max_concurrency: 100%, parameters: {commands: [sleep 10m]}, priority: 1}
      - {run: AWS-RunShellScript, parameters: {commands: [uptime]}, priority: 2}
`)
	f.forward(65 * time.Minute)
	id := f.windowIDs()["two"]
	e := f.list("DescribeMaintenanceWindowExecutions", "WindowExecutions", map[string]any{"WindowId": id})[0]
	f.must("CancelMaintenanceWindowExecution", fmt.Sprintf(`{"WindowExecutionId":"%v"}`, e["WindowExecutionId"]))
	f.forward(0)
	f.tells("two", "execution 23T01:00 CANCELLING",
		"  AWS-RunShellScript 23T01:00 IN_PROGRESS", "    invocation 23T01:00 IN_PROGRESS", "  AWS-RunShellScript 23T01:05 CANCELLED 0s")
	f.forward(time.Hour)
	f.tells("two", "execution 23T01:00 CANCELLED 10m0s",
		"  AWS-RunShellScript 23T01:00 SUCCESS 10m0s", "    invocation 23T01:00 SUCCESS 10m0s", "  AWS-RunShellScript 23T01:05 CANCELLED 0s")
	f.refused("CancelMaintenanceWindowExecution", `{"WindowExecutionId":"00000000-0000-0000-0000-000000000000"}`, "DoesNotExistException")
}

func TestWindowsFollowWhatIsChanged(t *testing.T) {
	f := stopped(t, "2026-03-23T00:00:00Z", "nodes: [{id: i-0aaaaaaaaaaaaaaaa}]\n")
	const rest = `"Duration":2,"Cutoff":1,"AllowUnassociatedTargets":true`
	id, _ := f.must("CreateMaintenanceWindow", `{"Name":"win","Schedule":"rate(6 hours)",`+rest+`}`)["WindowId"].(string)
	f.forward(7 * time.Hour)
	f.must("UpdateMaintenanceWindow", `{"WindowId":"`+id+`","Schedule":"rate(1 hour)"}`) // counts from 07:00
	f.forward(2 * time.Hour)
	f.must("UpdateMaintenanceWindow", `{"WindowId":"`+id+`","Enabled":false}`)
	f.forward(5 * time.Hour)
	f.must("UpdateMaintenanceWindow", `{"WindowId":"`+id+`","Enabled":true}`) // at 14:00
	f.forward(90 * time.Minute)
	if got := strings.Join(f.story(id), " "); got != "execution 23T06:00 SUCCESS 0s execution 23T08:00 SUCCESS 0s execution 23T09:00 SUCCESS 0s execution 23T15:00 SUCCESS 0s" {
		t.Errorf("got %s", got)
	}
	f.must("DeleteMaintenanceWindow", `{"WindowId":"`+id+`"}`)
	f.forward(24 * time.Hour)
	if got := f.story(id); len(got) != 0 {
		t.Errorf("a window that is no more has %v", got)
	}
}

// TestWindowsOpenByThemselves leaves the clock alone.
func TestWindowsOpenByThemselves(t *testing.T) {
	f := newFixture(t, `
clock: {speed: 86400}
nodes: [{id: i-0aaaaaaaaaaaaaaaa}]
maintenance_windows: [{name: hourly, schedule: rate(1 hour), nodes: [i-0aaaaaaaaaaaaaaaa], document: AWS-RunShellScript, parameters: {commands: [uptime]}}]
`, nil)
	id := f.windowIDs()["hourly"]
	for deadline := time.Now().Add(time.Minute); len(f.story(id)) < 9; {
		if time.Now().After(deadline) {
			t.Fatalf("got %v", f.story(id))
		}
	}
}
