package compliance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestEntriesOfAFile(t *testing.T) {
	tests := []struct {
		name, file string
		want       int
		faults     []string
	}{
		{"a list", "- {id: a, status: compliant, severity: low}\n- {id: b, status: Non-Compliant}", 2, nil},
		{"a mapping", "items:\n  - {id: a, status: noncompliant, details: {K: v}}", 1, nil},
		{"JSON", `[{"id":"a","title":"T","status":"COMPLIANT","severity":"HIGH"}]`, 1, nil},
		{"nothing to report", "[]", 0, nil},
		{"an empty file", "", 0, []string{"there is nothing in it"}},
		{"unknown keys and values", "- {id: a, stauts: compliant}\n- {status: ok, severity: hgh}", 0, []string{
			"f.yaml:1: unknown key", "f.yaml:2: item 2: it has neither", "f.yaml:2: item 2: severity \"HGH\"", "did you mean high?", "f.yaml:2: item 2: status \"OK\"",
		}},
		{"no list", "items: 3", 0, []string{"f.yaml:1: items must be a list"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseEntries("f.yaml", []byte(tt.file))
			if len(tt.faults) == 0 && (err != nil || len(got) != tt.want) {
				t.Fatalf("%v, %v", got, err)
			}
			for _, want := range tt.faults {
				if err == nil || fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %s", err, want)
				}
			}
		})
	}
}

func TestReportsAreChecked(t *testing.T) {
	good := Entry{ID: "a", Status: Compliant, Severity: "LOW"}
	tests := []struct {
		name string
		r    Report
		want string // empty: fine
	}{
		{"a type of one's own", Report{Type: "Custom:Tls", Items: []Entry{good}}, ""},
		{"nothing left", Report{Type: "Custom:Tls"}, ""},
		{"a part of an association's", Report{Type: Association, Partial: true, Items: []Entry{good}}, ""},
		{"the agent's own type", Report{Type: Patch}, "reported by the agent"},
		{"no type", Report{Type: "Tls"}, "write Custom:NAME"},
		{"a bad name", Report{Type: "Custom:T ls"}, "behind Custom:"},
		{"a part of one's own", Report{Type: "Custom:Tls", Partial: true}, "--partial is for"},
		{"an id twice", Report{Type: "Custom:Tls", Items: []Entry{good, good}}, "given twice"},
		{"too many", Report{Type: "Custom:Tls", Items: make([]Entry, MaxItems+1)}, "10001 items"},
		{"a long title", Report{Type: "Custom:Tls", Items: []Entry{{Title: strings.Repeat("x", 501), Status: Compliant, Severity: "LOW"}}}, "longer than 500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := errors.Join(tt.r.Check()...)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("faults %v, want %q", err, tt.want)
			}
		})
	}
}

func TestANodeHasTenTypesOfItsOwn(t *testing.T) {
	var had []Item
	for _, c := range "abcdefghij" {
		had = append(had, Item{Type: "Custom:" + string(c) + "x"}, Item{Type: Patch})
	}
	if err := (Report{Type: "Custom:kx"}).Fits(had); fault.KindOf(err) != fault.Limit {
		t.Errorf("an eleventh type: %v", err)
	}
	if err := (Report{Type: "Custom:ax"}).Fits(had); err != nil {
		t.Errorf("one of the ten: %v", err)
	}
}

func TestWhyAnAssociationDoesNotComply(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	s := New(m)
	fine := []Item{{Type: Association, ID: "a", Status: Compliant}, {Type: Patch, ID: "b", Status: NonCompliant}}
	if err := s.Explain(t.Context(), "i-1", fine); err != nil { // no call is expected
		t.Fatal(err)
	}
	m.EXPECT().DescribeInstanceAssociationsStatus(gomock.Any(), gomock.Any()).DoAndReturn(
		func(context.Context, *ssm.DescribeInstanceAssociationsStatusInput, ...func(*ssm.Options)) (*ssm.DescribeInstanceAssociationsStatusOutput, error) {
			return &ssm.DescribeInstanceAssociationsStatusOutput{InstanceAssociationStatusInfos: []types.InstanceAssociationStatusInfo{
				{AssociationId: aws.String("other"), Status: aws.String("Failed")},
				{AssociationId: aws.String("a"), Name: aws.String("Doc"), Status: aws.String("Failed"), DetailedStatus: aws.String("Failed"), ExecutionSummary: aws.String("1 failed")},
			}}, nil
		})
	items := []Item{{Type: Association, ID: "a", Status: NonCompliant}}
	if err := s.Explain(t.Context(), "i-1", items); err != nil || items[0].Reason != "Failed: 1 failed" || items[0].Title != "Doc" {
		t.Errorf("%+v, %v", items, err)
	}
}
