package automation

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestEveryStateOfTheAPIIsKnownToEndOrNot(t *testing.T) {
	goesOn := []string{
		"Pending", "InProgress", "Waiting", "Cancelling", "PendingApproval", "Approved", "Scheduled", "RunbookInProgress",
		"PendingChangeCalendarOverride", "ChangeCalendarOverrideApproved",
	}
	for _, name := range States() {
		s := State(name)
		if s.Final() == slices.Contains(goesOn, name) {
			t.Errorf("%s: final is %v", name, s.Final())
		}
		if s.Bad() && !s.Final() || s.Waits() && s.Final() {
			t.Errorf("%s is two things at once", name)
		}
	}
	if len(States()) != len(goesOn)+len(final) {
		t.Errorf("%d states, %d go on, %d end", len(States()), len(goesOn), len(final))
	}
	if s, err := ParseState("timedout"); err != nil || s != "TimedOut" || !s.Bad() {
		t.Errorf("%s, %v", s, err)
	}
	if _, err := ParseState("faild"); fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "Failed") {
		t.Errorf("%v, %s", err, fault.HintOf(err))
	}
}

func TestStartCarriesATokenOfItsOwn(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`) // pattern of IdempotencyToken
	var tokens []string
	m.EXPECT().StartAutomationExecution(gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *ssm.StartAutomationExecutionInput, _ ...func(*ssm.Options)) (*ssm.StartAutomationExecutionOutput, error) {
			tokens = append(tokens, aws.ToString(in.ClientToken))
			if in.Mode != "Interactive" || *in.DocumentVersion != "2" || in.Parameters["A"][0] != "b" || in.MaxErrors != nil ||
				*in.TargetParameterName != "A" || *in.Targets[0].Key != "tag:env" || *in.Tags[0].Key != "k" {
				t.Errorf("%+v", in)
			}
			return &ssm.StartAutomationExecutionOutput{AutomationExecutionId: aws.String("id")}, nil
		})
	for range 2 {
		id, err := New(m).Start(t.Context(), Request{
			Document: "d", DocumentVersion: "2", Parameters: map[string][]string{"A": {"b"}}, Interactive: true, TargetParameter: "A",
			Targets: []Target{{"tag:env", []string{"prod"}}}, Tags: map[string]string{"k": "v"},
		})
		if err != nil || id != "id" {
			t.Error(id, err)
		}
	}
	if !uuid.MatchString(tokens[0]) || tokens[0] == tokens[1] {
		t.Errorf("%q", tokens)
	}
}

func TestARefusalIsSaid(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().StartAutomationExecution(gomock.Any(), gomock.Any()).Return(nil, &types.AutomationDefinitionNotFoundException{})
	if _, err := New(m).Start(t.Context(), Request{Document: "d"}); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

// execution answers both calls of one look.
func execution(m *Mockapi, state State, steps ...types.StepExecution) {
	m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(&ssm.GetAutomationExecutionOutput{
		AutomationExecution: &types.AutomationExecution{
			AutomationExecutionId: aws.String("id"), DocumentName: aws.String("d"), AutomationExecutionStatus: types.AutomationExecutionStatus(state),
		},
	}, nil)
	m.EXPECT().DescribeAutomationStepExecutions(gomock.Any(), gomock.Any()).Return(&ssm.DescribeAutomationStepExecutionsOutput{StepExecutions: steps}, nil)
}

func stepIs(name string, state State, started int64) types.StepExecution {
	s := types.StepExecution{StepExecutionId: aws.String(name), StepName: aws.String(name), StepStatus: types.AutomationExecutionStatus(state)}
	if started > 0 {
		s.ExecutionStartTime = aws.Time(time.Unix(started, 0))
	}
	return s
}

func follow(ctx context.Context, m *Mockapi) (events []string, last Execution, err error) {
	last, err = New(m).Follow(ctx, "id", func(e Event) {
		if e.Step != nil {
			events = append(events, e.Step.Name+"="+string(e.Step.State))
		} else {
			events = append(events, string(e.Execution.State))
		}
	})
	return events, last, err
}

func TestFollowTellsEachChangeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMockapi(gomock.NewController(t))
		execution(m, "InProgress", stepIs("a", "InProgress", 1), stepIs("b", "Pending", 0))
		execution(m, "InProgress", stepIs("a", "InProgress", 1), stepIs("b", "Pending", 0))
		execution(m, "Waiting", stepIs("b", "Waiting", 2), stepIs("a", Success, 1))
		execution(m, Success, stepIs("a", Success, 1), stepIs("b", Success, 2))
		events, last, err := follow(t.Context(), m)
		if want := "a=InProgress InProgress a=Success b=Waiting Waiting b=Success Success"; strings.Join(events, " ") != want {
			t.Errorf("got %s, want %s", events, want)
		}
		if err != nil || last.State != Success {
			t.Errorf("%+v, %v", last, err)
		}
	})
}

// A state that AWS adds tomorrow is waited out, unless the execution has an end.
func TestFollowEndsWithAnExecutionWhoseStateIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMockapi(gomock.NewController(t))
		execution(m, "Hibernating")
		m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(&ssm.GetAutomationExecutionOutput{
			AutomationExecution: &types.AutomationExecution{
				AutomationExecutionId: aws.String("id"), AutomationExecutionStatus: "Hibernated", ExecutionEndTime: aws.Time(time.Unix(9, 0)),
			},
		}, nil)
		m.EXPECT().DescribeAutomationStepExecutions(gomock.Any(), gomock.Any()).Return(&ssm.DescribeAutomationStepExecutionsOutput{}, nil)
		events, last, err := follow(t.Context(), m)
		if strings.Join(events, " ") != "Hibernating Hibernated" || err != nil || last.State.Known() || last.State.Final() {
			t.Errorf("%v, %+v, %v", events, last, err)
		}
	})
}

func TestFollowSurvivesPassingFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMockapi(gomock.NewController(t))
		execution(m, "InProgress")
		for _, code := range []string{"InternalServerError", "ThrottlingException"} {
			m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(nil, &smithy.GenericAPIError{Code: code})
		}
		m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(nil, errors.New("reset")).Times(maxFailures - 2)
		execution(m, Failed)
		if events, last, err := follow(t.Context(), m); err != nil || last.State != Failed || len(events) != 2 {
			t.Errorf("%v %+v, %v", events, last, err)
		}
		m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(nil, errors.New("reset")).Times(maxFailures + 1)
		if _, _, err := follow(t.Context(), m); err == nil {
			t.Error("following goes on for ever")
		}
		m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(nil, &smithy.GenericAPIError{Code: "AccessDeniedException"})
		if _, _, err := follow(t.Context(), m); fault.KindOf(err) != fault.Auth {
			t.Errorf("a refusal that does not pass: %v", err)
		}
	})
}

func TestFollowEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		m := NewMockapi(gomock.NewController(t))
		execution(m, "PendingApproval")
		execution(m, "PendingApproval")
		m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, context.DeadlineExceeded)
		_, last, err := follow(ctx, m)
		if !errors.Is(err, context.DeadlineExceeded) || !last.State.Waits() {
			t.Errorf("%+v, %v", last, err)
		}
	})
}

func TestListAndStepsHaveAllPages(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	page := func(next *string, id string) *gomock.Call {
		return m.EXPECT().DescribeAutomationExecutions(gomock.Any(), gomock.Any()).DoAndReturn(
			func(_ context.Context, in *ssm.DescribeAutomationExecutionsInput, _ ...func(*ssm.Options)) (*ssm.DescribeAutomationExecutionsOutput, error) {
				var got []string
				for _, f := range in.Filters {
					got = append(got, string(f.Key)+"="+f.Values[0])
				}
				if strings.Join(got, " ") != "ExecutionStatus=Failed DocumentNamePrefix=AWS- ParentExecutionId=p StartTimeAfter=2026-03-01T12:00:00Z" {
					t.Errorf("%q", got)
				}
				return &ssm.DescribeAutomationExecutionsOutput{
					NextToken: next, AutomationExecutionMetadataList: []types.AutomationExecutionMetadata{{AutomationExecutionId: aws.String(id)}},
				}, nil
			})
	}
	gomock.InOrder(page(aws.String("x"), "1"), page(nil, "2"))
	var ids []string
	for e, err := range New(m).List(t.Context(), Filter{State: Failed, Document: "AWS-", Parent: "p", After: since}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	if strings.Join(ids, " ") != "1 2" {
		t.Errorf("%q", ids)
	}
	gomock.InOrder(
		m.EXPECT().DescribeAutomationStepExecutions(gomock.Any(), gomock.Any()).Return(&ssm.DescribeAutomationStepExecutionsOutput{
			NextToken: aws.String("x"), StepExecutions: []types.StepExecution{stepIs("late", "Pending", 0), stepIs("second", Success, 2)},
		}, nil),
		m.EXPECT().DescribeAutomationStepExecutions(gomock.Any(), gomock.Any()).Return(&ssm.DescribeAutomationStepExecutionsOutput{
			StepExecutions: []types.StepExecution{stepIs("first", Success, 1)},
		}, nil),
	)
	steps, err := New(m).Steps(t.Context(), "id")
	if err != nil || len(steps) != 3 || steps[0].Name != "first" || steps[2].Name != "late" {
		t.Errorf("%+v, %v", steps, err)
	}
}

func TestStopAndDecide(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().StopAutomationExecution(gomock.Any(), &ssm.StopAutomationExecutionInput{AutomationExecutionId: aws.String("id"), Type: types.StopTypeComplete}).
		Return(&ssm.StopAutomationExecutionOutput{}, nil)
	m.EXPECT().SendAutomationSignal(gomock.Any(), &ssm.SendAutomationSignalInput{
		AutomationExecutionId: aws.String("id"), SignalType: types.SignalTypeReject, Payload: map[string][]string{"Comment": {"no"}},
	}).Return(&ssm.SendAutomationSignalOutput{}, nil)
	m.EXPECT().SendAutomationSignal(gomock.Any(), &ssm.SendAutomationSignalInput{
		AutomationExecutionId: aws.String("id"), SignalType: types.SignalTypeResume, Payload: map[string][]string{"StepName": {"a"}},
	}).Return(nil, &types.InvalidAutomationSignalException{Message: aws.String("it does not wait")})
	s := New(m)
	if err := s.Stop(t.Context(), "id", true); err != nil {
		t.Error(err)
	}
	if err := s.Decide(t.Context(), "id", Reject, "no", ""); err != nil {
		t.Error(err)
	}
	if err := s.Decide(t.Context(), "id", Resume, "", "a"); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "does not wait") {
		t.Error(err)
	}
}

func TestALostAnswerStartsNothingTwice(t *testing.T) {
	var tokens []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ClientToken string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if tokens = append(tokens, in.ClientToken); len(tokens) == 1 {
			w.WriteHeader(http.StatusInternalServerError) // it may have been started
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, `{"AutomationExecutionId":"id"}`)
	}))
	defer srv.Close()
	scope, err := awsapi.Open(t.Context(), awsapi.Options{Static: &awsapi.Static{
		Endpoint: srv.URL, Region: "us-east-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret",
	}})
	if err != nil {
		t.Fatal(err)
	}
	id, err := New(scope.SSM()).Start(t.Context(), Request{Document: "d"})
	if err != nil || id != "id" || len(tokens) != 2 || tokens[0] != tokens[1] || tokens[0] == "" {
		t.Errorf("%s, %v, tokens %q", id, err, tokens)
	}
}

func TestOneOverSeveralTargetsTellsThem(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(&ssm.GetAutomationExecutionOutput{AutomationExecution: &types.AutomationExecution{
		AutomationExecutionId: aws.String("id"), TargetParameterName: aws.String("InstanceId"), MaxConcurrency: aws.String("10%"), MaxErrors: aws.String("1"),
		Targets: []types.Target{{Key: aws.String("tag:env"), Values: []string{"prod", "test"}}},
	}}, nil)
	e, err := New(m).Get(t.Context(), "id")
	if err != nil || e.TargetParameter != "InstanceId" || e.Concurrency != "10%" || e.MaxErrors != "1" || len(e.Targets) != 1 ||
		e.Targets[0].Key != "tag:env" || !slices.Equal(e.Targets[0].Values, []string{"prod", "test"}) {
		t.Errorf("got %+v, %v", e, err)
	}
	// The service names a rate for every execution; alone it means nothing.
	m.EXPECT().GetAutomationExecution(gomock.Any(), gomock.Any()).Return(&ssm.GetAutomationExecutionOutput{AutomationExecution: &types.AutomationExecution{
		AutomationExecutionId: aws.String("id"), MaxConcurrency: aws.String("10"), MaxErrors: aws.String("1"),
	}}, nil)
	if e, err := New(m).Get(t.Context(), "id"); err != nil || e.Concurrency != "" || e.MaxErrors != "" {
		t.Errorf("one without targets: %+v, %v", e, err)
	}
}
