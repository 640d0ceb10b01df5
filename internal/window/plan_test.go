package window

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const (
	windowA = "mw-0123456789abcdef0"
	idWeb   = "11111111-1111-4111-8111-111111111111"
	idPatch = "22222222-2222-4222-8222-222222222222"
	idExtra = "33333333-3333-4333-8333-333333333333"
)

// account answers reads with one window: a target web, and a task patch that runs on
// it.
func account(t *testing.T, more ...types.MaintenanceWindowIdentity) (*Service, *Mockapi) {
	t.Helper()
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().DescribeMaintenanceWindows(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.DescribeMaintenanceWindowsOutput{
		WindowIdentities: append([]types.MaintenanceWindowIdentity{{WindowId: aws.String(windowA), Name: aws.String("weekly"), Enabled: true}}, more...),
	}, nil)
	m.EXPECT().GetMaintenanceWindow(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.GetMaintenanceWindowOutput{
		WindowId: aws.String(windowA), Name: aws.String("weekly"), Enabled: true, Schedule: aws.String("rate(7 days)"), Duration: aws.Int32(3), Cutoff: 1,
	}, nil)
	m.EXPECT().DescribeMaintenanceWindowTargets(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.DescribeMaintenanceWindowTargetsOutput{
		Targets: []types.MaintenanceWindowTarget{{
			WindowTargetId: aws.String(idWeb), Name: aws.String("web"), ResourceType: types.MaintenanceWindowResourceTypeInstance,
			Targets: []types.Target{{Key: aws.String("tag:role"), Values: []string{"web"}}},
		}},
	}, nil)
	m.EXPECT().DescribeMaintenanceWindowTasks(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.DescribeMaintenanceWindowTasksOutput{
		Tasks: []types.MaintenanceWindowTask{{WindowTaskId: aws.String(idPatch), Name: aws.String("patch")}, {WindowTaskId: aws.String(idExtra), Name: aws.String("extra")}},
	}, nil)
	m.EXPECT().GetMaintenanceWindowTask(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(_ context.Context, in *ssm.GetMaintenanceWindowTaskInput, _ ...func(*ssm.Options)) (*ssm.GetMaintenanceWindowTaskOutput, error) {
			if aws.ToString(in.WindowTaskId) == idExtra {
				return &ssm.GetMaintenanceWindowTaskOutput{
					WindowTaskId: in.WindowTaskId, Name: aws.String("extra"), TaskType: types.MaintenanceWindowTaskTypeLambda, TaskArn: aws.String("f"), Priority: 1,
					MaxConcurrency: aws.String("1"), MaxErrors: aws.String("1"), // the service's placeholders
					TaskInvocationParameters: &types.MaintenanceWindowTaskInvocationParameters{Lambda: &types.MaintenanceWindowLambdaParameters{Payload: []byte(`{"a":1}`)}},
				}, nil
			}
			return &ssm.GetMaintenanceWindowTaskOutput{
				WindowTaskId: in.WindowTaskId, Name: aws.String("patch"), TaskType: types.MaintenanceWindowTaskTypeRunCommand, TaskArn: aws.String("AWS-RunPatchBaseline"),
				Priority: 1, MaxConcurrency: aws.String("10"), MaxErrors: aws.String("1"),
				Targets: []types.Target{{Key: aws.String(ByWindowTarget), Values: []string{idWeb}}},
				TaskInvocationParameters: &types.MaintenanceWindowTaskInvocationParameters{RunCommand: &types.MaintenanceWindowRunCommandParameters{
					Parameters: map[string][]string{"Operation": {"Scan"}}, Comment: aws.String("kept"),
				}},
			}, nil
		})
	return New(m), m
}

const same = `windows:
- name: weekly
  schedule: rate(7 days)
  duration: 3
  cutoff: 1
  targets:
  - {name: web, select: {tag:role: web}}
  tasks:
  - {name: patch, type: run-command, run: AWS-RunPatchBaseline, targets: web, comment: kept, parameters: {Operation: Scan}}
  - {name: extra, type: lambda, run: f, payload: {keep: true}}
`

func spell(p Plan) string {
	var words []string
	for _, a := range p.Actions {
		text := a.Do + " " + a.What + " " + a.Name
		for _, d := range a.Changes {
			text += fmt.Sprintf(" [%s %s>%s]", d.Field, d.Old, d.New)
		}
		words = append(words, text)
	}
	return strings.Join(words, "\n")
}

func TestPlans(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // what is replaced in the file
		prune    bool
		want     string
	}{
		{"nothing to do", "", "", true, ""},
		{"the window", "duration: 3", "duration: 4", true, "update window weekly [duration 3>4]"},
		{
			"a target that is written otherwise and means the same", "select: {tag:role: web}", "select: [{tag:role: [web]}]", true, "",
		},
		{"a parameter", "Operation: Scan", "Operation: Install", true, "update task patch [parameters.Operation Scan>Install]"},
		{"a comment that goes", "comment: kept, ", "", true, "update task patch [comment kept>]"},
		{"a payload is not shown", "payload: {keep: true}", `payload: '{"a":2}'`, true, "update task extra [payload (7 bytes, not shown)>(others, not shown)]"},
		{"a task that is not in the file stays", "  - {name: extra, type: lambda, run: f, payload: {keep: true}}\n", "", false, "keep task extra"},
		{"or goes", "  - {name: extra, type: lambda, run: f, payload: {keep: true}}\n", "", true, "delete task extra"},
		{"another type", "type: lambda, run: f, payload: {keep: true}", "type: automation, run: g", true, "replace task extra [type lambda>automation] [run f>g] [payload (7 bytes, not shown)>]"},
		{
			"a target of another type moves its task", "select: {tag:role: web}", "select: {resource-groups:Name: web}", true,
			"replace target web [resource_type INSTANCE>RESOURCE_GROUP] [select tag:role=web>resource-groups:Name=web]\nupdate task patch [targets the replaced target>the new one]",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := account(t)
			if !strings.Contains(same, tt.old) {
				t.Fatal("the file has no such text")
			}
			p, err := s.Plan(t.Context(), parse(t, strings.Replace(same, tt.old, tt.new, 1)), tt.prune)
			if err != nil {
				t.Fatal(err)
			}
			if got := spell(p); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestANameOfTwoWindowsIsNoTarget(t *testing.T) {
	s, _ := account(t, types.MaintenanceWindowIdentity{WindowId: aws.String("mw-0fffffffffffffff0"), Name: aws.String("weekly")})
	_, err := s.Plan(t.Context(), parse(t, same), false)
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "mw-0123456789abcdef0, mw-0fffffffffffffff0") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Find(t.Context(), "weekly"); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "2 have this name") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Find(t.Context(), "weakly"); fault.HintOf(err) != "did you mean weekly or weekly?" && fault.HintOf(err) != "did you mean weekly?" {
		t.Errorf("the hint is %q", fault.HintOf(err))
	}
}

// A task is updated with all that it hands over, since the service replaces that as
// a whole.
func TestAnUpdatedTaskKeepsWhatIsNotNamed(t *testing.T) {
	s, m := account(t)
	p, err := s.Plan(t.Context(), parse(t, strings.Replace(same, "Operation: Scan", "Operation: Install", 1)), false)
	if err != nil {
		t.Fatal(err)
	}
	var sent *ssm.UpdateMaintenanceWindowTaskInput
	m.EXPECT().UpdateMaintenanceWindowTask(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.UpdateMaintenanceWindowTaskInput, _ ...func(*ssm.Options)) (*ssm.UpdateMaintenanceWindowTaskOutput, error) {
			sent = in
			return &ssm.UpdateMaintenanceWindowTaskOutput{}, nil
		})
	if err := s.Apply(t.Context(), p, func(Action) {}); err != nil {
		t.Fatal(err)
	}
	r := sent.TaskInvocationParameters.RunCommand
	if r.Parameters["Operation"][0] != "Install" || aws.ToString(r.Comment) != "kept" || sent.Targets[0].Values[0] != idWeb || sent.Replace != nil {
		t.Errorf("sent %+v %+v", sent, r)
	}
}

// What fails ends the work on its window; what was done and not tried is told, and
// the next window goes on.
func TestApplyGoesOnWithTheNextWindow(t *testing.T) {
	s, m := account(t)
	two := strings.Replace(same, "duration: 3", "duration: 4", 1)
	two = strings.Replace(two, "Operation: Scan", "Operation: Install", 1)
	two += "- {name: other, schedule: rate(7 days), duration: 2, cutoff: 0, enabled: false}\n"
	p, err := s.Plan(t.Context(), parse(t, two), false)
	if err != nil {
		t.Fatal(err)
	}
	m.EXPECT().UpdateMaintenanceWindow(gomock.Any(), gomock.Any()).Return(nil, errors.New("no"))
	m.EXPECT().CreateMaintenanceWindow(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.CreateMaintenanceWindowInput, _ ...func(*ssm.Options)) (*ssm.CreateMaintenanceWindowOutput, error) {
			if aws.ToString(in.ClientToken) == "" {
				t.Error("no token")
			}
			return &ssm.CreateMaintenanceWindowOutput{WindowId: aws.String("mw-0fffffffffffffff0")}, nil
		})
	m.EXPECT().UpdateMaintenanceWindow(gomock.Any(), gomock.Any()).DoAndReturn( // disabled at once
		func(_ context.Context, in *ssm.UpdateMaintenanceWindowInput, _ ...func(*ssm.Options)) (*ssm.UpdateMaintenanceWindowOutput, error) {
			if aws.ToString(in.WindowId) != "mw-0fffffffffffffff0" || aws.ToBool(in.Enabled) {
				t.Errorf("sent %+v", in)
			}
			return &ssm.UpdateMaintenanceWindowOutput{}, nil
		})
	var told []string
	err = s.Apply(t.Context(), p, func(a Action) { told = append(told, a.Status+" "+a.What+" "+a.Name) })
	if err == nil || !strings.Contains(err.Error(), "update maintenance window weekly") {
		t.Errorf("got %v", err)
	}
	if got, want := strings.Join(told, ", "), "failed window weekly, not tried task patch, done window other"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An emptied field can only be sent by replacing everything.
func TestAnEmptiedFieldReplacesTheWindow(t *testing.T) {
	_, m := account(t)
	s := New(m)
	old := Window{ID: windowA, Name: "weekly", Schedule: "rate(7 days)", Duration: 3, Cutoff: 1, Enabled: true, End: "2027-01-01T00:00:00Z", AllowUnassociated: new(bool)}
	next := old
	next.End = ""
	m.EXPECT().UpdateMaintenanceWindow(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.UpdateMaintenanceWindowInput, _ ...func(*ssm.Options)) (*ssm.UpdateMaintenanceWindowOutput, error) {
			if !aws.ToBool(in.Replace) || in.EndDate != nil || aws.ToString(in.Name) != "weekly" || aws.ToInt32(in.Duration) != 3 || in.AllowUnassociatedTargets == nil || !aws.ToBool(in.Enabled) {
				t.Errorf("sent %+v", in)
			}
			return &ssm.UpdateMaintenanceWindowOutput{}, nil
		})
	if err := s.Update(t.Context(), old, next); err != nil {
		t.Fatal(err)
	}
	next = old
	next.Description = "x"
	m.EXPECT().UpdateMaintenanceWindow(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.UpdateMaintenanceWindowInput, _ ...func(*ssm.Options)) (*ssm.UpdateMaintenanceWindowOutput, error) {
			if in.Replace != nil || in.Name != nil || in.Schedule != nil || in.Duration != nil || aws.ToString(in.Description) != "x" {
				t.Errorf("sent %+v", in)
			}
			return &ssm.UpdateMaintenanceWindowOutput{}, nil
		})
	if err := s.Update(t.Context(), old, next); err != nil {
		t.Fatal(err)
	}
}
