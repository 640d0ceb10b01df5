package eventrules

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// bus notes what is called, in order, and answers with JSON.
type bus struct {
	calls   []string
	answers map[string]string
	missing string // an operation that finds nothing
}

func (b *bus) Call(_ context.Context, operation string, in, out any) error {
	switch in := in.(type) {
	case *putTargetsIn:
		for _, target := range in.Targets {
			b.calls = append(b.calls, "target "+target.ID+"="+target.Arn)
		}
	case *removeIn:
		b.calls = append(b.calls, "remove "+strings.Join(in.IDs, ","))
	case *eventRule:
		b.calls = append(b.calls, "rule "+in.State)
	default:
		b.calls = append(b.calls, operation)
	}
	if operation == b.missing {
		return &smithy.GenericAPIError{Code: "ResourceNotFoundException"}
	}
	if answer := b.answers[operation]; answer != "" {
		return json.Unmarshal([]byte(answer), out)
	}
	return nil
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
			b := &bus{}
			if err := (&Service{b}).Put(t.Context(), "x", tt.topics, tt.old); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(b.calls, "; "); got != tt.want {
				t.Errorf("called %s, want %s", got, tt.want)
			}
		})
	}
}

func TestARuleIsDeletedWithItsTargets(t *testing.T) {
	b := &bus{}
	if err := (&Service{b}).Delete(t.Context(), Rule{Name: "x", Topics: []string{"a"}, ids: []string{"1"}}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.calls, []string{"remove 1", "DeleteRule"}) {
		t.Errorf("called %v", b.calls)
	}
}

func TestTargetsThatFailAreAnError(t *testing.T) {
	b := &bus{answers: map[string]string{"PutTargets": `{"FailedEntryCount":1,"FailedEntries":[{"TargetId":"topic-1","ErrorMessage":"no such topic"}]}`}}
	err := (&Service{b}).Put(t.Context(), "x", []string{"a"}, Rule{})
	if fault.KindOf(err) != fault.RemoteFailed || !strings.Contains(err.Error(), "topic-1: no such topic") {
		t.Errorf("got %v", err)
	}
	if b.calls[len(b.calls)-1] != "DeleteRule" { // it would tell nobody
		t.Errorf("called %v", b.calls)
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
	pattern, _ := json.Marshal(Pattern)
	b := &bus{answers: map[string]string{
		"ListRules":         `{"Rules":[{"Name":"a","EventPattern":"{\"source\":[\"aws.ec2\"]}"},{"Name":"b","EventPattern":` + string(pattern) + `,"State":"ENABLED"},{"Name":"c"}]}`,
		"ListTargetsByRule": `{"Targets":[{"Id":"1","Arn":"t"}]}`,
	}}
	list, err := (&Service{b}).Rules(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "b" || !slices.Equal(list[0].Topics, []string{"t"}) {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestARuleThatIsNotThereIsNoError(t *testing.T) {
	if _, found, err := (&Service{&bus{missing: "DescribeRule"}}).Find(t.Context(), "x"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}
