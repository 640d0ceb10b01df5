package window

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// An execution with one command, which goes on a step at each look.
func following(t *testing.T, looks [][3]types.MaintenanceWindowExecutionStatus) *Service {
	m := NewMockapi(gomock.NewController(t))
	at := -1
	now := func() [3]types.MaintenanceWindowExecutionStatus { return looks[min(at, len(looks)-1)] }
	m.EXPECT().GetMaintenanceWindowExecution(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(context.Context, *ssm.GetMaintenanceWindowExecutionInput, ...func(*ssm.Options)) (*ssm.GetMaintenanceWindowExecutionOutput, error) {
			at++
			return &ssm.GetMaintenanceWindowExecutionOutput{WindowExecutionId: aws.String("e"), Status: now()[0]}, nil
		})
	m.EXPECT().DescribeMaintenanceWindowExecutionTasks(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(context.Context, *ssm.DescribeMaintenanceWindowExecutionTasksInput, ...func(*ssm.Options)) (*ssm.DescribeMaintenanceWindowExecutionTasksOutput, error) {
			return &ssm.DescribeMaintenanceWindowExecutionTasksOutput{WindowExecutionTaskIdentities: []types.MaintenanceWindowExecutionTaskIdentity{
				{TaskExecutionId: aws.String("t"), TaskType: types.MaintenanceWindowTaskTypeRunCommand, TaskArn: aws.String("doc"), Status: now()[1]},
			}}, nil
		})
	m.EXPECT().DescribeMaintenanceWindowExecutionTaskInvocations(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(context.Context, *ssm.DescribeMaintenanceWindowExecutionTaskInvocationsInput, ...func(*ssm.Options)) (*ssm.DescribeMaintenanceWindowExecutionTaskInvocationsOutput, error) {
			return &ssm.DescribeMaintenanceWindowExecutionTaskInvocationsOutput{WindowExecutionTaskInvocationIdentities: []types.MaintenanceWindowExecutionTaskInvocationIdentity{
				{InvocationId: aws.String("i"), TaskType: types.MaintenanceWindowTaskTypeRunCommand, ExecutionId: aws.String("c"), Status: now()[2]},
			}}, nil
		})
	return New(m)
}

func TestFollowTellsEachChangeOnceAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := following(t, [][3]types.MaintenanceWindowExecutionStatus{
			{"IN_PROGRESS", "PENDING", ""},
			{"IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"},
			{"IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"},
			{"IN_PROGRESS", "FAILED", "FAILED"},
			{"FAILED", "FAILED", "FAILED"},
		})
		n := 0
		counts := func(context.Context, string) (Counts, error) { n++; return Counts{Nodes: 2, Completed: min(n, 2)}, nil }
		var told []string
		last, err := s.Follow(t.Context(), "e", counts, func(e Event) {
			switch {
			case e.Execution != nil:
				told = append(told, "execution "+string(e.Execution.State))
			case e.Task != nil:
				told = append(told, "task "+string(e.Task.State))
			default:
				told = append(told, "invocation "+string(e.Invocation.State))
			}
		})
		if err != nil || !last.State.Bad() {
			t.Fatal(last.State, err)
		}
		want := "execution IN_PROGRESS, task PENDING, task IN_PROGRESS, invocation IN_PROGRESS, invocation IN_PROGRESS, invocation FAILED, task FAILED, execution FAILED"
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// A state that AWS adds tomorrow is none that is known; the end of the execution is.
func TestAStateThatIsNotKnownIsOverAtItsEnd(t *testing.T) {
	e := Execution{State: "HIBERNATED"}
	if e.State.Known() || e.Over() {
		t.Errorf("%+v is over", e)
	}
	if e.Ended = time.Unix(9, 0); !e.Over() {
		t.Errorf("%+v is not over", e)
	}
	if e.State = InProgress; !e.State.Known() || e.Over() {
		t.Errorf("%+v is over", e)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := following(t, [][3]types.MaintenanceWindowExecutionStatus{{"IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"}})
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		last, err := s.Follow(ctx, "e", nil, func(Event) {})
		if !errors.Is(err, context.DeadlineExceeded) || last.State != InProgress {
			t.Errorf("got %v, %v", last.State, err)
		}
	})
}

func TestTheNextOpeningIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMockapi(gomock.NewController(t))
		opens := time.Now().Add(10 * time.Minute)
		m.EXPECT().DescribeMaintenanceWindowExecutions(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
			func(context.Context, *ssm.DescribeMaintenanceWindowExecutionsInput, ...func(*ssm.Options)) (*ssm.DescribeMaintenanceWindowExecutionsOutput, error) {
				list := []types.MaintenanceWindowExecution{{WindowExecutionId: aws.String("old"), Status: types.MaintenanceWindowExecutionStatusSuccess}}
				if time.Now().After(opens) {
					list = append([]types.MaintenanceWindowExecution{{WindowExecutionId: aws.String("new"), Status: types.MaintenanceWindowExecutionStatusInProgress}}, list...)
				}
				return &ssm.DescribeMaintenanceWindowExecutionsOutput{WindowExecutions: list}, nil
			})
		s := New(m)
		told := 0
		e, err := s.AwaitNext(t.Context(), Window{ID: "w", Name: "w", Enabled: true, Next: opens}, func(time.Time) { told++ })
		if err != nil || e.ID != "new" || told != 1 || time.Since(opens) > 5*time.Second {
			t.Errorf("got %v, %v, told %d times, %s after it opened", e, err, told, time.Since(opens))
		}
		if _, err := s.AwaitNext(t.Context(), Window{ID: "w", Name: "w"}, func(time.Time) {}); err != nil { // it runs: no waiting
			t.Error(err)
		}
		// Disabled while it is waited for, it does not open at its time.
		due := time.Now().Add(time.Minute)
		opens = due.Add(time.Hour)
		m.EXPECT().GetMaintenanceWindow(gomock.Any(), gomock.Any()).Return(&ssm.GetMaintenanceWindowOutput{Name: aws.String("w")}, nil)
		if _, err := s.AwaitNext(t.Context(), Window{ID: "w", Name: "w", Enabled: true, Next: due}, func(time.Time) {}); fault.KindOf(err) != fault.Usage || time.Since(due) > 3*time.Minute {
			t.Errorf("it is waited for %s after its time: %v", time.Since(due), err)
		}
		opens = time.Now().Add(time.Hour)
		if _, err := s.AwaitNext(t.Context(), Window{ID: "w", Name: "w"}, func(time.Time) {}); fault.KindOf(err) != fault.Usage {
			t.Errorf("a disabled window is waited for: %v", err)
		}
		if _, err := s.AwaitNext(t.Context(), Window{ID: "w", Name: "w", Enabled: true}, func(time.Time) {}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a window that does not open is waited for: %v", err)
		}
	})
}
