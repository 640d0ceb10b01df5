package pagecommands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

const (
	idA = "8f2c91d0-0000-4000-8000-000000000001"
	idB = "51ab0000-0000-4000-8000-000000000002"
	idC = "77770000-0000-4000-8000-000000000003"
	idD = "77770000-0000-4000-8000-000000000004"
)

// service is Run Command in tests: what it tells of a run.
type service struct {
	runs    map[string]run.Run
	events  []run.Event
	err     error // of following
	follows int
	copies  int
	text    string // that Copy writes
	cut     bool
}

func (s *service) FindAll(_ context.Context, refs []string) (run.Run, error) {
	for _, r := range s.runs {
		if r.ID == refs[0] || slices.Contains(r.CommandIDs, refs[0]) {
			return r, nil
		}
	}
	return run.Run{}, fault.New(fault.NotFound, "find run "+refs[0], "no such run in this account and region")
}

func (s *service) Watch(_ context.Context, _ run.Run, _ bool, emit func(run.Event)) error {
	s.follows++
	for _, e := range s.events {
		emit(e)
	}
	return s.err
}

func (s *service) Show(ctx context.Context, r run.Run, emit func(run.Event)) error {
	return s.Watch(ctx, r, false, emit)
}

func (s *service) Copy(_ context.Context, _ run.Command, _ run.Invocation, stdout, _ io.Writer) (run.Output, error) {
	s.copies++
	_, err := io.WriteString(stdout, s.text)
	return run.Output{Truncated: s.cut}, err
}

// commands are those of the last day in tests.
func commands() []run.Command {
	ago := func(d time.Duration) time.Time { return tuitest.Now.Add(-d) }
	return []run.Command{
		{
			ID: idC, RunID: "k3v9q2m1zt", Number: 1, Of: 2, Document: "AWS-RunShellScript", Comment: "disk check 東京", State: run.Success,
			Requested: ago(40 * time.Minute), Targets: 50, Completed: 50, InstanceIDs: []string{"i-1", "i-2"},
		},
		{
			ID: idA, Document: "AWS-RunShellScript", Comment: "restart nginx", State: run.Running, Requested: ago(130 * time.Second),
			Targets: 1100, Completed: 812, Errors: 3, MaxConcurrency: "20%", MaxErrors: "5%",
			TargetedBy: []fleet.APITarget{{Key: "tag:env", Values: []string{"prod"}}},
			Params:     map[string][]string{"commands": {"systemctl restart nginx --token=s3cret"}},
		},
		{
			ID: idD, RunID: "k3v9q2m1zt", Number: 2, Of: 2, Document: "AWS-RunShellScript", Comment: "disk check 東京", State: run.Failed,
			Requested: ago(39 * time.Minute), Targets: 14, Completed: 14, Errors: 2, InstanceIDs: []string{"i-51"},
		},
		{
			ID: idB, Document: "arn:aws:ssm:eu-west-1:123456789012:document/Rotate-Certificates", State: run.TimedOut, Requested: ago(5 * time.Hour),
			Targets: 3, Completed: 3, DeliveryTimedOut: 1,
		},
	}
}

// screen is the page alone, with its parts in reach of a test.
type screen struct {
	*tuitest.Screen
	page *Page
	svc  *service
	set  *sources.Set
}

func newScreen(t testing.TB) *screen {
	s := &screen{svc: &service{runs: map[string]run.Run{}}}
	nothing := func(context.Context, grid.Cell, func([]run.Command)) ([]run.Command, error) {
		return nil, errors.New("not in this test")
	}
	s.set = &sources.Set{
		Commands: feed.NewSource(sources.Commands, nothing),
		Nodes:    feed.NewSource[fleet.Node](sources.Nodes, nil),
	}
	s.set.Nodes.Set(tuitest.Place, []fleet.Node{{ID: "i-0002", Name: "web-2"}}, tuitest.Now)
	s.Screen = tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		s.page = New(d, desk, s.set, Services{
			Run:     func(grid.Place) (Runner, error) { return s.svc, nil },
			Console: func(at grid.Place, page string) string { return at.Region + "/" + page },
		})
		return []deck.Page{s.page}
	})
	return s
}

// known puts commands into the list, and makes their runs known to the service.
func (s *screen) known(commands ...run.Command) {
	s.set.Commands.Set(tuitest.Place, commands, tuitest.Now)
	for _, r := range run.Fold(commands) {
		s.svc.runs[r.Ref()] = r
	}
	s.Changed(sources.Commands)
}

// node is what became of a command on a node.
func node(id, name string, s run.State, code int, took time.Duration) run.Event {
	inv := &run.Invocation{CommandID: idA, NodeID: id, NodeName: name, State: s, ExitCode: code}
	if took > 0 {
		start := tuitest.Now.Add(-2 * time.Minute)
		inv.Started = &start
		if end := start.Add(took); s.Final() {
			inv.Ended = &end
		}
	}
	return run.Event{Kind: run.Changed, CommandID: idA, Invocation: inv}
}

func wrote(id, stdout, stderr string) run.Event {
	return run.Event{Kind: run.Printed, CommandID: idA, Output: &run.Output{NodeID: id, Stdout: stdout, Stderr: stderr}}
}

// restart is a run on 1,100 nodes of which 812 are done.
func restart(done bool) (events []run.Event) {
	events = append(events, run.Event{Kind: run.WasSent, CommandID: idA, Time: tuitest.Now.Add(-130 * time.Second), Sent: &run.Sent{}})
	events = append(events, run.Event{Kind: run.Progressed, CommandID: idA, Progress: &run.Progress{State: run.Running, Targets: 1100, Completed: 812, Errors: 3}})
	for i := range 1100 {
		id, name := fmt.Sprintf("i-%04d", i), fmt.Sprintf("web-%d", i)
		switch {
		case i == 10 || i == 40:
			events = append(events, node(id, name, run.Failed, 1, 2100*time.Millisecond),
				wrote(id, "", "Job for nginx.service failed because the control process exited with error code.\n\x1b[31mSee \"systemctl status nginx.service\"\x1b[0m\nand \"journalctl -xe\" for details.\n"))
		case i == 77:
			e := node(id, "サーバー-"+name, run.TimedOut, run.NoExit, 0)
			e.Invocation.Reason = "it ran longer than allowed"
			events = append(events, e)
		case i < 812 || done:
			events = append(events, node(id, name, run.Success, 0, 1500*time.Millisecond), wrote(id, "", ""))
		case i < 823:
			events = append(events, node(id, name, run.Running, run.NoExit, time.Minute))
		default:
			events = append(events, node(id, name, run.Pending, run.NoExit, 0))
		}
	}
	if done {
		events = append(events, run.Event{Kind: run.Done, Time: tuitest.Now})
	}
	return events
}

func TestListOfRuns(t *testing.T) {
	s := newScreen(t)
	s.Has("loading")
	s.Lacks("nothing was run")
	s.known(commands()...)
	s.Has("812/1100", "64/64", "disk check", "Rotate-Certificates", "timed out")
	lines := strings.Split(s.Frame(), "\n")
	first := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "running") })
	last := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "timed out") })
	if first < 0 || last < first {
		t.Errorf("what runs is not on top:\n%s", s.Frame())
	}
	s.Lacks("s3cret")
	s.Golden("list")
}

func TestBoardWhileItRuns(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = restart(false)
	s.Press("enter")
	s.Has("command 8f2c91d0", "tag:env=prod", "max 20 %", "812 / 1,100", "809", "3 ✗ failed", "11 ◐ running", "one cell is 5 nodes", "2 min 10 s")
	s.Golden("board")
}

func TestBoardThatHasEnded(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = restart(true)
	s.Press("enter")
	// A node ran out of time, which the service does not say when: its end was seen.
	s.Has("1,100 / 1,100", "2 min 10 s", "ended with failures", "+ 2 nodes", "+ 1,097 nodes")
	s.Golden("ended")
}

func TestOutputPane(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = restart(true)
	s.Press("enter", "enter", "j", "enter")
	s.Has("web-10 i-0010", "Job for nginx.service failed", `\x1b[31mSee`)
	s.Golden("output")
	s.Press("esc")
	s.Has("STATE", "NODE")
}
