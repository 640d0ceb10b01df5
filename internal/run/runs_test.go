package run

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func TestRunsAreMadeOfTheirCommands(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	command := func(n int, comment string, status types.CommandStatus) types.Command {
		return types.Command{
			CommandId: aws.String(commandID(n)), Comment: aws.String(comment), Status: status, DocumentName: aws.String("D"),
			TargetCount: 10, CompletedCount: 10, ErrorCount: int32(n), RequestedDateTime: aws.Time(t0.Add(time.Duration(n) * time.Second)),
		}
	}
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.ListCommandsOutput{Commands: []types.Command{ // newest first
		command(9, "[ssmdeck bbbbbbbbbb.3/5]", types.CommandStatusInProgress),
		command(8, "by hand", types.CommandStatusSuccess),
		command(7, "[ssmdeck bbbbbbbbbb.2/5]", types.CommandStatusFailed),
		command(6, "nightly [ssmdeck aaaaaaaaaa.1/1]", types.CommandStatusSuccess),
		command(5, "[ssmdeck bbbbbbbbbb.1/5]", types.CommandStatusSuccess),
		command(4, "[ssmdeck cccccccccc.2/2]", types.CommandStatusSuccess), // its first is older than the list goes
	}}, nil)
	s := New(client, nil)
	var got []string
	for r, err := range s.Runs(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %d nodes %d errors %d unsent %s %d", r.Ref(), r.State, r.Targets, r.Errors, r.Unsent(), r.Comment, len(r.CommandIDs)))
	}
	want := []string{
		"bbbbbbbbbb running 30 nodes 21 errors 2 unsent  3",
		commandID(8) + " ok 10 nodes 8 errors 0 unsent by hand 1",
		"aaaaaaaaaa ok 10 nodes 6 errors 0 unsent nightly 1",
		"cccccccccc ok 10 nodes 4 errors 1 unsent  1",
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	r, err := s.Find(t.Context(), "bbbbbbbbbb")
	if err != nil || strings.Join(r.CommandIDs, " ") != commandID(5)+" "+commandID(7)+" "+commandID(9) {
		t.Errorf("got %v, %v", r.CommandIDs, err)
	}
}

func TestARunThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		calls := 0
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
			func(_ context.Context, in *ssm.ListCommandsInput, _ ...func(*ssm.Options)) (*ssm.ListCommandsOutput, error) {
				if calls++; calls > 1 && len(in.Filters) == 0 {
					t.Error("all of the history is read again")
				}
				return &ssm.ListCommandsOutput{}, nil
			})
		_, err := New(client, nil).Find(t.Context(), "aaaaaaaaaa")
		wantKind(t, err, fault.NotFound, "no such run")
		_, err = New(client, nil).FindAll(t.Context(), []string{"aaaaaaaaaa", "nope"})
		wantKind(t, err, fault.Usage, `"nope" is neither`)
	})
}

func TestARunIsRepeatedWhereItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Second, result: func(id string) nodeResult {
			return nodeResult{code: map[bool]int{true: 1}[strings.HasSuffix(id, "1")]}
		}}
		s := New(c, nil)
		var first recorder
		req := Request{
			Selection: selected(nodes(60, "linux"), nodes(2, "windows")), Argv: []string{"echo", "a b's"}, MaxErrors: "100%", Concurrency: "100%",
			Comment: "why", Timeout: time.Minute, S3Bucket: "bucket",
		}
		if err := s.Start(t.Context(), req, first.emit); err != nil {
			t.Fatal(err)
		}
		r, err := s.Find(t.Context(), first.board.RunID())
		if err != nil || len(r.Commands) != 3 {
			t.Fatalf("got %+v, %v", r, err)
		}
		var board Board
		if err := s.Show(t.Context(), r, board.Apply); err != nil {
			t.Fatal(err)
		}
		again := Again(r, &board, func(row Row) bool { return row.State.Bad() })
		if len(again.Again) != 2 || len(again.NodeIDs()) != 7 {
			t.Fatalf("got %+v", again.Again)
		}
		again.Selection = fleet.Selection{}
		for _, id := range again.NodeIDs() {
			n := fleet.Node{ID: id, Ping: "online"}
			again.Selection.Nodes = append(again.Selection.Nodes, n)
			again.Selection.InstanceIDs = append(again.Selection.InstanceIDs, id)
		}
		var second recorder
		if err := s.Start(t.Context(), again, second.emit); err != nil {
			t.Fatal(err)
		}
		if second.board.Total() != 7 || len(c.commands) != 5 {
			t.Errorf("ran on %d nodes with %d commands", second.board.Total(), len(c.commands)-3)
		}
		for _, cmd := range c.commands[3:] {
			quoted := map[string]string{"AWS-RunShellScript": `echo 'a b'\''s'`, "AWS-RunPowerShellScript": "echo 'a b''s'"}[aws.ToString(cmd.in.DocumentName)]
			if cmd.in.Parameters["commands"][0] != quoted {
				t.Errorf("%s got %q", aws.ToString(cmd.in.DocumentName), cmd.in.Parameters["commands"])
			}
		}
	})
}

func TestCompare(t *testing.T) {
	before := boardOf(went("same", Success, 0), wrote("same", "x", ""), went("broke", Success, 0), went("mended", Failed, 1),
		went("exit", Failed, 1), went("state", Failed, 1), went("gone", Success, 0), went("output", Success, 0), wrote("output", "a", ""),
		went("cut", Success, 0), Event{Kind: Printed, CommandID: "c", Output: &Output{NodeID: "cut", Stdout: "a", Truncated: true}}, went("busy", Running, NoExit))
	after := boardOf(went("same", Success, 0), wrote("same", "x", ""), went("broke", Failed, 1), went("mended", Success, 0),
		went("exit", Failed, 2), went("state", TimedOut, NoExit), went("new", Success, 0), went("output", Success, 0), wrote("output", "b", ""),
		went("cut", Success, 0), Event{Kind: Printed, CommandID: "c", Output: &Output{NodeID: "cut", Stdout: "a", Truncated: true}}, went("busy", Success, 0))
	var got []string
	for _, d := range Compare(before, after) {
		got = append(got, d.NodeID+":"+string(d.Change))
	}
	want := "broke:broke gone:gone state:state exit:exit output:output cut:unknown busy:running new:new mended:fixed same:same"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestUnknownIDsAreWaitedForTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Minute}
		s := New(c, nil)
		var r recorder
		if err := s.Start(t.Context(), Request{Selection: selected(nodes(1, "linux")), Script: "x", NoWait: true}, r.emit); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		results := s.CancelAll(t.Context(), []string{commandID(7), commandID(1), "nope", commandID(8)}, nil)
		if d := time.Since(began); d > visibleWithin+time.Second {
			t.Errorf("took %s", d)
		}
		for i, want := range []fault.Kind{fault.NotFound, 0, fault.Usage, fault.NotFound} {
			if r := results[i]; want == 0 != (r.Err == nil) || want != 0 && fault.KindOf(r.Err) != want {
				t.Errorf("%s: %v", r.ID, r.Err)
			}
		}
		if c.commands[0].cancelled.IsZero() || !strings.Contains(results[0].Err.Error(), commandID(7)) {
			t.Errorf("got %+v", results)
		}
	})
}

// TestWithoutListsNodesAreReadOneByOne: policies that allow little, and services
// that have little.
func TestWithoutListsNodesAreReadOneByOne(t *testing.T) {
	for _, deny := range []string{"ListCommandInvocations", "ListCommands ListCommandInvocations", "ListCommands"} {
		t.Run(deny, func(t *testing.T) {
			c := &cloud{work: 10 * time.Second, result: func(id string) nodeResult {
				return nodeResult{code: map[bool]int{true: 4}[id == "i-l0003"], stdout: id + "\n"}
			}}
			c.fail = func(op string, _ int) error {
				if strings.Contains(" "+deny+" ", " "+op+" ") {
					return errDenied
				}
				return nil
			}
			start(t, c, Request{Selection: selected(nodes(5, "linux")), Script: "x"}, func(t *testing.T, r *recorder, err error) {
				if err != nil {
					t.Fatal(err)
				}
				wantKind(t, r.board.Err(), fault.RemoteFailed, "1 of 5 nodes failed")
				for row := range r.board.Rows() {
					if row.Stdout != row.NodeID+"\n" || row.ExitCode != map[bool]int{true: 4}[row.NodeID == "i-l0003"] {
						t.Errorf("got %+v", row)
					}
				}
				if n := r.notices(OneByOne); len(n) == 0 {
					t.Error("nothing is said")
				}
			})
		})
	}
}

// TestWithoutListsARunByTagEnds: nothing says how many nodes the service has found,
// and one of those that it was thought to find may be missing.
func TestWithoutListsARunByTagEnds(t *testing.T) {
	for _, deny := range []string{"ListCommandInvocations ListCommands", "ListCommands"} {
		for _, missing := range []int{0, 1} {
			t.Run(fmt.Sprint(deny, missing), func(t *testing.T) {
				known := nodes(5, "linux")
				c := &cloud{work: 10 * time.Second, target: idsOf(known[missing:])}
				c.fail = func(op string, _ int) error {
					if strings.Contains(" "+deny+" ", " "+op+" ") {
						return errDenied
					}
					return nil
				}
				sel := fleet.Selection{Nodes: known, Targets: []fleet.APITarget{{Key: "tag:env", Values: []string{"prod"}}}}
				start(t, c, Request{Selection: sel, Script: "x"}, func(t *testing.T, r *recorder, err error) {
					if err != nil {
						t.Fatal(err)
					}
					if got := r.board.Count(Success); got != 5-missing || r.board.Count(NotSent) != missing {
						t.Errorf("%d are ok and %d were not sent", got, r.board.Count(NotSent))
					}
					if n := len(r.notices(Unsettled)); n != missing {
						t.Errorf("%d times nodes are called missing", n)
					}
				})
			})
		}
	}
}

func TestWhatCannotBothBeTrueIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		list := counters(types.CommandStatusFailed, 2)
		list.Commands[0].ErrorCount = 2
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().Return(list, nil)
		client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).AnyTimes().Return(states("a", "Success", "b", "Success"), nil)
		client.EXPECT().GetCommandInvocation(gomock.Any(), gomock.Any()).AnyTimes().Return(wholeOutput("", "", 0), nil)
		var r recorder
		if err := followIDs(t.Context(), New(client, nil), []string{cid}, r.emit); err != nil {
			t.Fatal(err)
		}
		if n := r.notices(Disagree); len(n) != 1 || !strings.Contains(n[0].Text, "with 2 errors, and lists 0 nodes") {
			t.Errorf("notices are %+v", n)
		}
	})
}
