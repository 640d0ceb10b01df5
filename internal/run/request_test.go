package run

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func TestEverythingAskedForIsSent(t *testing.T) {
	req := Request{
		Selection: selected(nodes(1, "linux")), Document: "My-Doc", DocumentVersion: "3",
		Script: "line one\nline two\n", Params: map[string][]string{"extra": {"1"}}, Comment: "why",
		Concurrency: "10%", MaxErrors: "0", Timeout: 90500 * time.Millisecond, ExecTimeout: time.Hour,
		S3Bucket: "b", S3Prefix: "p", LogGroup: "g", WorkingDir: "/srv",
	}
	p, err := makePlan(req)
	if err != nil {
		t.Fatal(err)
	}
	got := p.sends[0].input("abcdefghij", req.Concurrency, req.MaxErrors)
	want := &ssm.SendCommandInput{
		DocumentName: aws.String("My-Doc"), DocumentVersion: aws.String("3"), InstanceIds: []string{"i-l0000"},
		Parameters: map[string][]string{
			"commands": {"line one\nline two\n"}, "extra": {"1"}, "executionTimeout": {"3600"}, "workingDirectory": {"/srv"},
		},
		Comment: aws.String("why [ssmdeck abcdefghij.1/1]"), MaxConcurrency: aws.String("10%"), MaxErrors: aws.String("0"),
		TimeoutSeconds: aws.Int32(91), OutputS3BucketName: aws.String("b"), OutputS3KeyPrefix: aws.String("p"),
		CloudWatchOutputConfig: &types.CloudWatchOutputConfig{CloudWatchLogGroupName: aws.String("g"), CloudWatchOutputEnabled: true},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	if want := []string{"commands", "executionTimeout", "workingDirectory"}; !slices.Equal(req.Provides(), want) {
		t.Errorf("provides %v, want %v", req.Provides(), want)
	}
	if len(req.Params) != 1 {
		t.Errorf("the caller's map was changed: %v", req.Params)
	}
}

func TestNothingAskedForIsNotSent(t *testing.T) {
	p, err := makePlan(Request{Selection: selected(nodes(1, "linux")), Script: "x"})
	if err != nil {
		t.Fatal(err)
	}
	got := p.sends[0].input("abcdefghij", "", "")
	want := &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{"i-l0000"},
		Parameters: map[string][]string{"commands": {"x"}}, Comment: aws.String("[ssmdeck abcdefghij.1/1]"),
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMakePlan(t *testing.T) {
	tags := []fleet.APITarget{{Key: "tag:a", Values: []string{"b"}}}
	lost := fleet.Node{ID: "i-lost", Ping: "lost"}
	type part struct {
		Document string
		IDs      int
		Targets  bool
		Command  string
	}
	tests := []struct {
		name string
		req  Request
		want []part
	}{
		{
			"an id twice is one node",
			Request{Selection: fleet.Selection{Nodes: nodes(1, "linux"), InstanceIDs: []string{"i-l0000", "i-l0000"}}, Script: "x"},
			[]part{{"AWS-RunShellScript", 1, false, "x"}},
		},
		{
			"tags of Windows alone",
			Request{Selection: fleet.Selection{Nodes: nodes(60, "windows"), Targets: tags}, Script: "x"},
			[]part{{"AWS-RunPowerShellScript", 0, true, "x"}},
		},
		{
			"an offline node of unknown platform does not stand in the way of tags",
			Request{Selection: fleet.Selection{Nodes: append(nodes(2, "linux"), lost), Offline: []fleet.Node{lost}, Targets: tags}, Script: "x"},
			[]part{{"AWS-RunShellScript", 0, true, "x"}},
		},
		{
			"a named document runs on a mixed fleet as one",
			Request{Selection: fleet.Selection{Nodes: slices.Concat(nodes(2, "linux"), nodes(2, "windows")), Targets: tags}, Document: "D", Script: "x"},
			[]part{{"D", 0, true, "x"}},
		},
		{
			"unless the command must be quoted for each",
			Request{Selection: selected(nodes(2, "linux"), nodes(2, "windows")), Document: "D", Argv: []string{"echo", "it's"}},
			[]part{{"D", 2, false, `echo 'it'\''s'`}, {"D", 2, false, "echo 'it''s'"}},
		},
		{
			"a group with a named document",
			Request{Selection: fleet.Selection{Targets: tags}, Document: "AWS-RunPowerShellScript", Argv: []string{"echo", "it's"}},
			[]part{{"AWS-RunPowerShellScript", 0, true, "echo 'it''s'"}},
		},
		{
			"parameters alone",
			Request{Selection: selected(nodes(101, "linux")), Document: "D", Params: map[string][]string{"commands": {"p"}}},
			[]part{{"D", 50, false, "p"}, {"D", 50, false, "p"}, {"D", 1, false, "p"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := makePlan(tt.req)
			if err != nil {
				t.Fatal(err)
			}
			var got []part
			for _, s := range p.sends {
				got = append(got, part{s.document, len(s.ids), len(s.targets) > 0, s.params["commands"][0]})
			}
			if d := diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAMixedTagWithNobodyOnlineSendsNothing(t *testing.T) {
	a, b := fleet.Node{ID: "i-1", Platform: "linux", Ping: "lost"}, fleet.Node{ID: "i-2", Platform: "windows", Ping: "lost"}
	sel := fleet.Selection{Nodes: []fleet.Node{a, b}, Offline: []fleet.Node{a, b}, Targets: []fleet.APITarget{{Key: "tag:a"}}}
	_, err := makePlan(Request{Selection: sel, Script: "x"})
	wantKind(t, err, fault.Offline, "all selected nodes are offline (2)")
}
