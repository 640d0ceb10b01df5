package eventrules

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// bus notes what is called, in order.
func bus(t *testing.T) (*Mockapi, *[]string) {
	m := NewMockapi(gomock.NewController(t))
	calls := &[]string{}
	m.EXPECT().PutRule(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, in *eventbridge.PutRuleInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutRuleOutput, error) {
		*calls = append(*calls, "rule "+string(in.State))
		return &eventbridge.PutRuleOutput{}, nil
	})
	m.EXPECT().PutTargets(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, in *eventbridge.PutTargetsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutTargetsOutput, error) {
		for _, target := range in.Targets {
			*calls = append(*calls, "target "+aws.ToString(target.Id)+"="+aws.ToString(target.Arn))
		}
		return &eventbridge.PutTargetsOutput{}, nil
	})
	m.EXPECT().RemoveTargets(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, in *eventbridge.RemoveTargetsInput, _ ...func(*eventbridge.Options)) (*eventbridge.RemoveTargetsOutput, error) {
		*calls = append(*calls, "remove "+strings.Join(in.Ids, ","))
		return &eventbridge.RemoveTargetsOutput{}, nil
	})
	m.EXPECT().DeleteRule(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(context.Context, *eventbridge.DeleteRuleInput, ...func(*eventbridge.Options)) (*eventbridge.DeleteRuleOutput, error) {
		*calls = append(*calls, "delete")
		return &eventbridge.DeleteRuleOutput{}, nil
	})
	return m, calls
}

func TestSomebodyIsToldAtAllTimes(t *testing.T) {
	tests := []struct {
		name   string
		old    Rule
		topics []string
		want   string
	}{
		{"a new rule", Rule{}, []string{"a", "b"}, "rule ENABLED; target topic-1=a; target topic-2=b"},
		{"the new target comes before the old one goes", Rule{Topics: []string{"a"}, ids: []string{"topic-1"}}, []string{"b"}, "rule ENABLED; target topic-1x=b; remove topic-1"},
		{"a target that stays keeps its id", Rule{Topics: []string{"a", "b"}, ids: []string{"x", "y"}}, []string{"b"}, "rule ENABLED; target y=b; remove x"},
		{
			"no room for both",
			Rule{Topics: []string{"a", "b", "c", "d", "e"}, ids: []string{"1", "2", "3", "4", "5"}},
			[]string{"f"},
			"rule ENABLED; remove 1,2,3,4,5; target topic-1=f",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, calls := bus(t)
			if err := (&Service{m}).Put(t.Context(), "x", tt.topics, tt.old); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(*calls, "; "); got != tt.want {
				t.Errorf("called %s, want %s", got, tt.want)
			}
		})
	}
}

func TestARuleIsDeletedWithItsTargets(t *testing.T) {
	m, calls := bus(t)
	if err := (&Service{m}).Delete(t.Context(), Rule{Name: "x", Topics: []string{"a"}, ids: []string{"1"}}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(*calls, []string{"remove 1", "delete"}) {
		t.Errorf("called %v", *calls)
	}
}

func TestTargetsThatFailAreAnError(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().PutRule(gomock.Any(), gomock.Any()).Return(&eventbridge.PutRuleOutput{}, nil)
	m.EXPECT().PutTargets(gomock.Any(), gomock.Any()).Return(&eventbridge.PutTargetsOutput{FailedEntryCount: 1, FailedEntries: []types.PutTargetsResultEntry{
		{TargetId: aws.String("topic-1"), ErrorMessage: aws.String("no such topic")},
	}}, nil)
	m.EXPECT().DeleteRule(gomock.Any(), gomock.Any()).Return(&eventbridge.DeleteRuleOutput{}, nil) // it would tell nobody
	err := (&Service{m}).Put(t.Context(), "x", []string{"a"}, Rule{})
	if fault.KindOf(err) != fault.RemoteFailed || !strings.Contains(err.Error(), "topic-1: no such topic") {
		t.Errorf("got %v", err)
	}
}

func TestPatterns(t *testing.T) {
	if !json.Valid([]byte(Pattern)) {
		t.Fatal("the pattern is no JSON")
	}
	tests := []struct {
		name, pattern string
		watches, same bool
	}{
		{"ours", Pattern, true, true},
		{"ours, as the service writes it", strings.ReplaceAll(Pattern, ",", ", "), true, true},
		{"of all compliance", `{"source":["aws.ssm"],"detail-type":["` + DetailType + `"]}`, true, false},
		{"other events", `{"source":["aws.ec2"]}`, false, false},
		{"with a prefix", `{"detail-type":[{"prefix":"Config"}]}`, false, false},
		{"a schedule", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if r := (Rule{Pattern: tt.pattern}); r.Watches() != tt.watches || r.Same() != tt.same {
				t.Errorf("watches %v, same %v", r.Watches(), r.Same())
			}
		})
	}
}

func TestOnlyRulesThatWatchAreListed(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().ListRules(gomock.Any(), gomock.Any()).Return(&eventbridge.ListRulesOutput{Rules: []types.Rule{
		{Name: aws.String("a"), EventPattern: aws.String(`{"source":["aws.ec2"]}`)}, {Name: aws.String("b"), EventPattern: aws.String(Pattern), State: types.RuleStateEnabled}, {Name: aws.String("c")},
	}}, nil)
	m.EXPECT().ListTargetsByRule(gomock.Any(), gomock.Any()).Return(&eventbridge.ListTargetsByRuleOutput{Targets: []types.Target{{Id: aws.String("1"), Arn: aws.String("t")}}}, nil)
	list, err := (&Service{m}).Rules(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "b" || !slices.Equal(list[0].Topics, []string{"t"}) {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestARuleThatIsNotThereIsNoError(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().DescribeRule(gomock.Any(), gomock.Any()).Return(nil, &types.ResourceNotFoundException{})
	if _, found, err := (&Service{m}).Find(t.Context(), "x"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}
