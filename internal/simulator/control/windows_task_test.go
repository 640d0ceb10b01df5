package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWindowsThatTheServiceRefuses(t *testing.T) {
	f := newFixture(t, "nodes: [{id: i-0aaaaaaaaaaaaaaaa}, {id: i-0bbbbbbbbbbbbbbbb}]\n", nil)
	window := func(change string) string {
		return `{"Name":"win","Duration":2,"Cutoff":1,"AllowUnassociatedTargets":false,` + change + `}`
	}
	for _, bad := range []string{
		`"Schedule":"cron(0 2 1 * MON *)"`, `"Schedule":"cron(0 2 ? * ? *)"`, `"Schedule":"cron(0/4 * * * ? *)"`, `"Schedule":"rate(1 hours)"`,
		`"Schedule":"rate(4 minutes)"`, `"Schedule":"rate(1 day)","ScheduleOffset":2`, `"Schedule":"at(2026-03-01T12:00:00)","ScheduleOffset":2`,
		`"Schedule":"0 2 * * *"`, `"Schedule":"cron(0 2 * * ? *)","ScheduleTimezone":"CEST"`, `"Schedule":"rate(1 day)","StartDate":"tomorrow"`,
		`"Schedule":"rate(1 day)","StartDate":"2026-03-02","EndDate":"2026-03-01"`,
	} {
		f.refused("CreateMaintenanceWindow", window(bad), "ValidationException")
	}
	id, _ := f.must("CreateMaintenanceWindow", window(`"Schedule":"rate(1 day)"`))["WindowId"].(string)
	of := `{"WindowId":"` + id + `",`
	for _, bad := range []string{
		`"ResourceType":"INSTANCE","Targets":[{"Key":"resource-groups:Name","Values":["x"]}]`,
		`"ResourceType":"RESOURCE_GROUP","Targets":[{"Key":"tag:env","Values":["x"]}]`,
		`"ResourceType":"INSTANCE","Targets":[{"Key":"color","Values":["x"]}]`,
	} {
		f.refused("RegisterTargetWithMaintenanceWindow", of+bad+"}", "ValidationException")
	}
	f.must("RegisterTargetWithMaintenanceWindow", of+`"ResourceType":"INSTANCE","Targets":[{"Key":"InstanceIds","Values":["i-0aaaaaaaaaaaaaaaa"]}]}`)
	const command = `"TaskArn":"AWS-RunShellScript","TaskType":"RUN_COMMAND"`
	const limits = `,"MaxErrors":"1","MaxConcurrency":"1"`
	node := func(id string) string { return `,"Targets":[{"Key":"InstanceIds","Values":["` + id + `"]}]` }
	for _, bad := range []string{
		command, command + node("i-0aaaaaaaaaaaaaaaa"), command + limits + `,"Targets":[{"Key":"tag:env","Values":["prod"]}]`,
		command + limits + node("i-0bbbbbbbbbbbbbbbb"), command + limits + node("i-0aaaaaaaaaaaaaaaa") + `,"TaskInvocationParameters":{"Lambda":{"Qualifier":"x"}}`,
		`"TaskArn":"f","TaskType":"LAMBDA"` + limits,
	} {
		f.refused("RegisterTaskWithMaintenanceWindow", of+bad+"}", "ValidationException")
	}
	f.must("RegisterTaskWithMaintenanceWindow", of+command+limits+node("i-0aaaaaaaaaaaaaaaa")+"}")
	f.must("UpdateMaintenanceWindow", of+`"AllowUnassociatedTargets":true}`)
	f.must("RegisterTaskWithMaintenanceWindow", of+command+limits+node("i-0bbbbbbbbbbbbbbbb")+"}")
}

func TestAWindowsCommandIsWhatTheTaskSays(t *testing.T) {
	f := stopped(t, "2026-03-23T00:00:00Z", `
nodes: [{id: i-0aaaaaaaaaaaaaaaa, tags: {env: prod}}, {id: i-0bbbbbbbbbbbbbbbb}, {id: i-0cccccccccccccccc}]
groups: [{name: pair, nodes: [i-0aaaaaaaaaaaaaaaa, i-0bbbbbbbbbbbbbbbb]}]
buckets: [{name: outputs}]
`)
	id, _ := f.must("CreateMaintenanceWindow", `{"Name":"win","Schedule":"rate(1 hour)","Duration":1,"Cutoff":0,"AllowUnassociatedTargets":true}`)["WindowId"].(string)
	of := `{"WindowId":"` + id + `",`
	group, _ := f.must("RegisterTargetWithMaintenanceWindow", of+`"ResourceType":"RESOURCE_GROUP","OwnerInformation":"team-b","Targets":[{"Key":"resource-groups:Name","Values":["pair"]}]}`)["WindowTargetId"].(string)
	const rate = `"MaxConcurrency":"2","MaxErrors":"1",`
	f.must("RegisterTaskWithMaintenanceWindow", of+rate+`"Targets":[{"Key":"WindowTargetIds","Values":["`+group+`"]},{"Key":"InstanceIds","Values":["i-0cccccccccccccccc"]}],
		"TaskArn":"AWS-RunShellScript","TaskType":"RUN_COMMAND","TaskInvocationParameters":{"RunCommand":{"Comment":"by the window","OutputS3BucketName":"outputs","OutputS3KeyPrefix":"runs",
		"CloudWatchOutputConfig":{"CloudWatchOutputEnabled":true,"CloudWatchLogGroupName":"/runs"},"TimeoutSeconds":600,"Parameters":{"commands":["echo {{WINDOW_ID}} {{OWNER_INFORMATION}} {{RESOURCE_ID}}"]}}}}`)
	f.must("RegisterTaskWithMaintenanceWindow", of+rate+`"Priority":2,"Targets":[{"Key":"WindowTargetIds","Values":["`+group+`"]}],
		"TaskArn":"arn:aws:lambda:us-east-1:123456789012:function:f","TaskType":"LAMBDA","TaskInvocationParameters":{"Lambda":{"Payload":"eyJpZCI6Int7UkVTT1VSQ0VfSUR9fSIsImFybiI6Int7VEFSR0VUX0lEfX0ifQ=="}}}`)
	f.must("RegisterTaskWithMaintenanceWindow", of+rate+`"Priority":3,"Targets":[{"Key":"WindowTargetIds","Values":["`+group+`"]}],"TaskArn":"No-Such-Document","TaskType":"RUN_COMMAND"}`)
	f.forward(61 * time.Minute)
	commands := f.must("ListCommands", `{}`)["Commands"].([]any)
	if len(commands) != 2 {
		t.Fatalf("got %v", commands)
	}
	for _, c := range commands {
		if got := words(at(c, "Comment"), at(c, "OutputS3BucketName"), at(c, "OutputS3KeyPrefix"), at(c, "CloudWatchOutputConfig", "CloudWatchLogGroupName"), at(c, "TimeoutSeconds"), at(c, "MaxConcurrency"), at(c, "MaxErrors")); got != "by the window outputs runs /runs 600 2 1" {
			t.Errorf("got %s", got)
		}
	}
	if got := words(at(commands[1], "TargetCount"), at(commands[0], "TargetCount"), at(commands[1], "Parameters", "commands", 0)); got != "2 1 echo "+id+" team-b {{RESOURCE_ID}}" {
		t.Errorf("got %s", got)
	}
	if objects := f.world.Objects("outputs", "runs/"); len(objects) != 3 || !strings.Contains(string(objects[0].Data), "ran echo "+id) {
		t.Errorf("the bucket has %v", objects)
	}
	execution := f.list("DescribeMaintenanceWindowExecutions", "WindowExecutions", map[string]any{"WindowId": id})[0]
	tasks := f.list("DescribeMaintenanceWindowExecutionTasks", "WindowExecutionTaskIdentities", map[string]any{"WindowExecutionId": execution["WindowExecutionId"]})
	var got []string
	for _, task := range tasks {
		for _, i := range f.list("DescribeMaintenanceWindowExecutionTaskInvocations", "WindowExecutionTaskInvocationIdentities", map[string]any{"WindowExecutionId": execution["WindowExecutionId"], "TaskId": task["TaskExecutionId"]}) {
			got = append(got, words(i["TaskType"], i["Status"], i["WindowTargetId"] == group, i["OwnerInformation"], i["StatusDetails"]))
			if i["TaskType"] == "LAMBDA" {
				got = append(got, fmt.Sprint(i["Parameters"]))
			}
		}
	}
	want := []string{
		"RUN_COMMAND SUCCESS true team-b <nil>", "RUN_COMMAND SUCCESS false <nil> <nil>",
		"LAMBDA SUCCESS true team-b <nil>", `{"id":"i-0aaaaaaaaaaaaaaaa","arn":"arn:aws:ec2:us-east-1:123456789012:instance/i-0aaaaaaaaaaaaaaaa"}`,
		"LAMBDA SUCCESS true team-b <nil>", `{"id":"i-0bbbbbbbbbbbbbbbb","arn":"arn:aws:ec2:us-east-1:123456789012:instance/i-0bbbbbbbbbbbbbbbb"}`,
	}
	if len(got) != 7 || !slices.Equal(got[:6], want) || !strings.HasPrefix(got[6], "RUN_COMMAND FAILED true team-b InvalidDocument") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	f.forward(100 * time.Hour)
	all := f.list("DescribeMaintenanceWindowExecutions", "WindowExecutions", map[string]any{"WindowId": id, "MaxResults": 10})
	if len(all) != 50 || epochOf(all[0]["StartTime"]).Format("02T15") != "27T05" {
		t.Errorf("it remembers %d, the latest of %v", len(all), epochOf(all[0]["StartTime"]))
	}
	some := f.list("DescribeMaintenanceWindowExecutions", "WindowExecutions", map[string]any{"WindowId": id, "Filters": []any{
		map[string]any{"Key": "ExecutedAfter", "Values": []any{"2026-03-27T00:00:00Z"}}, map[string]any{"Key": "ExecutedBefore", "Values": []any{"2026-03-27T03:00:00Z"}},
	}})
	if len(some) != 2 {
		t.Errorf("between midnight and three: got %v", some)
	}
	f.refused("DescribeMaintenanceWindowExecutions", of+`"MaxResults":9}`, "ValidationException")
}
