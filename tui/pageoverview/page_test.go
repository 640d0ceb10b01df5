package pageoverview

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

var elsewhere = grid.Place{Account: "123456789012", Region: "us-east-1"}

// emptySet is feeds of which nothing is known.
func emptySet() *sources.Set {
	return &sources.Set{
		Nodes:      feed.NewSource[fleet.Node](sources.Nodes, nil),
		Patches:    feed.NewSource[fleet.Node](sources.Patches, nil),
		Attempts:   feed.NewSource[patching.Attempt](sources.Attempts, nil),
		Commands:   feed.NewSource[run.Command](sources.Commands, nil),
		Sessions:   feed.NewSource[sessions.Entry](sources.Sessions, nil),
		Parameters: feed.NewSource[parameter.Parameter](sources.Parameters, nil),
		Executions: feed.NewSource[automation.Execution](sources.Executions, nil),
		Windows:    feed.NewSource[window.Whole](sources.Windows, nil),
		Forwards:   feed.NewSource[forwards.Running](sources.Forwards, nil),
	}
}

// fill puts a fleet into the set that has something of everything.
func fill(set *sources.Set) {
	now := tuitest.Now
	set.Nodes.Set(tuitest.Place, testNodes(1204), now.Add(-4*time.Second))
	set.Patches.Set(tuitest.Place, testPatches(testNodes(1204)), now.Add(-time.Minute))
	set.Attempts.Set(tuitest.Place, []patching.Attempt{
		{NodeID: "i-00000000000000100", Operation: "Scan", State: run.Failed, At: now.Add(-time.Hour)},
		{NodeID: "i-00000000000000101", Operation: "Scan", State: run.TimedOut, At: now.Add(-time.Hour)},
		{NodeID: "i-00000000000000102", Operation: "Install", State: run.Failed, At: now.Add(-time.Hour)},
		{NodeID: "i-00000000000000103", Operation: "Scan", State: run.Cancelled, At: now.Add(-time.Hour)},
		{NodeID: "i-00000000000000104", Operation: "Scan", State: run.Running, At: now.Add(-time.Minute)},
		{NodeID: "i-00000000000000105", Operation: "Scan", State: run.Failed, At: now.Add(-48 * time.Hour)}, // it was scanned since
		{NodeID: "i-000000000000fffff", Operation: "Scan", State: run.Failed, At: now.Add(-time.Hour)},      // it is gone
	}, now)
	set.Commands.Set(tuitest.Place, []run.Command{
		{ID: "8f2c91d0-1111-4222-8333-444455556666", Document: "AWS-RunShellScript", State: run.Running, Requested: now.Add(-130 * time.Second), Targets: 1100, Completed: 812, Errors: 3},
		{ID: "aaaa0000-1111-4222-8333-444455556666", RunID: "r-20261127-1", Of: 2, Number: 1, Comment: "東京 deploy \x1b[31m", Document: "AWS-RunShellScript", State: run.Failed, Requested: now.Add(-time.Hour), Targets: 50, Completed: 50, Errors: 2},
		{ID: "aaaa0001-1111-4222-8333-444455556666", RunID: "r-20261127-1", Of: 2, Number: 2, Comment: "東京 deploy \x1b[31m", Document: "AWS-RunShellScript", State: run.Success, Requested: now.Add(-time.Hour), Targets: 20, Completed: 20},
		{ID: "bbbb0000-1111-4222-8333-444455556666", Document: "AWS-RunPatchBaseline", State: run.Failed, Requested: now.Add(-20 * time.Hour), Targets: 5, Completed: 5, Errors: 5},
	}, now)
	set.Executions.Set(tuitest.Place, []automation.Execution{
		{ID: "51ab0000-2222-4222-8333-444455556666", Document: "rotate-db", State: automation.Waiting, CurrentStep: "approve", Started: now.Add(-12 * time.Minute)},
		{ID: "51ac0000-2222-4222-8333-444455556666", Document: "AWS-RestartEC2Instance", State: "InProgress", CurrentStep: "stopInstances", Started: now.Add(-30 * time.Second)},
		{ID: "51ad0000-2222-4222-8333-444455556666", Document: "old", State: automation.Success, Started: now.Add(-3 * time.Hour)},
	}, now)
	set.Sessions.Set(tuitest.Place, []sessions.Entry{
		{ID: "alice-1", Target: "i-1", Started: now.Add(-14 * time.Hour)}, {ID: "bob-1", Target: "i-2", Started: now.Add(-time.Minute)},
	}, now)
	set.Forwards.Set(grid.Place{}, []forwards.Running{{Rows: []forwards.Row{{Name: "db"}, {Name: "cache", Error: "no route"}}}}, now)
	set.Parameters.Set(tuitest.Place, []parameter.Parameter{
		{Name: "/pay/prod/key", Policies: []parameter.Policy{{Type: parameter.Expiration, Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-11-30T15:00:00.000Z"}}`}}},
		{Name: "/pay/prod/far", Policies: []parameter.Policy{{Type: parameter.Expiration, Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2027-11-30T15:00:00.000Z"}}`}}},
		{Name: "/pay/prod/plain"},
	}, now)
	set.Windows.Set(tuitest.Place, testWindows(), now)
}

func testNodes(n int) []fleet.Node {
	nodes := make([]fleet.Node, n)
	for i := range nodes {
		nodes[i] = fleet.Node{ID: fmt.Sprintf("i-%017x", i), Name: fmt.Sprintf("web-%d", i), Ping: "online", AgentVersion: "3.3.4851.0", Platform: "linux", Tags: map[string]string{"env": "prod"}}
		switch {
		case i < 14:
			nodes[i].Ping = "lost"
		case i < 24:
			nodes[i].Ping = "inactive"
		}
		if i >= 1012 {
			nodes[i].AgentVersion = "3.3.9.0"
		}
		if i == 30 {
			nodes[i].AgentVersion = ""
		}
	}
	return nodes
}

func testPatches(nodes []fleet.Node) []fleet.Node {
	for i := range nodes {
		s := &fleet.PatchState{Baseline: "pb-1", Group: []string{"linux-prod", "linux-stage", "東京"}[i%3], Operation: "Scan", Ended: tuitest.Now.Add(-24 * time.Hour), Installed: 100}
		switch {
		case i < 37:
			s.Missing, s.Critical = 2, 1
		case i < 149:
			s.Missing, s.Security = 1, 1
		case i < 154:
			s.PendingReboot, s.Other = 1, 1
		case i < 158:
			s = nil
		case i < 160:
			s.Ended = tuitest.Now.Add(-20 * 24 * time.Hour)
		}
		nodes[i].Patch = s
	}
	return nodes
}

func testWindows() []window.Whole {
	target := []window.Selector{{Key: "tag:env", Values: []string{"prod"}}}
	whole := func(id, name, schedule string, enabled bool, targets ...window.Selector) window.Whole {
		w := window.Whole{Window: window.Window{ID: id, Name: name, Enabled: enabled, Schedule: schedule, Duration: 3, Cutoff: 1}}
		if len(targets) > 0 {
			w.Targets = []window.Target{{ID: id + "-t", WindowID: id, ResourceType: window.Nodes, Selectors: targets}}
		}
		w.Tasks = []window.Task{{ID: id + "-k", WindowID: id, Type: window.RunCommand, Run: "AWS-RunPatchBaseline", Selectors: []window.Selector{{Key: window.ByWindowTarget, Values: []string{id + "-t"}}}}}
		if len(targets) == 0 {
			w.Tasks[0].Selectors = nil
		}
		return w
	}
	return []window.Whole{
		whole("mw-1", "sun-patch", "cron(0 18 ? * FRI *)", true, target...),
		whole("mw-2", "db-scan", "cron(0 18 ? * SAT *)", true, target...),
		whole("mw-3", "off", "cron(0 18 ? * SAT *)", false, target...),
		whole("mw-4", "no-targets", "cron(0 2 1 * ? *)", true),
	}
}

func screen(t *testing.T, set *sources.Set) (*tuitest.Screen, *Page) {
	t.Helper()
	var page *Page
	s := tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		page = New(d, desk, set, Services{Console: func(at grid.Place) string { return "https://console/" + at.Region }})
		return []deck.Page{page}
	})
	return s, page
}

func TestFrames(t *testing.T) {
	t.Run("full", func(t *testing.T) {
		set := emptySet()
		fill(set)
		s, _ := screen(t, set)
		s.Golden("full")
	})
	t.Run("empty", func(t *testing.T) {
		s, _ := screen(t, emptySet())
		s.Golden("empty")
	})
	t.Run("partial", func(t *testing.T) {
		set := emptySet()
		fill(set)
		set.Nodes.Fail(elsewhere, fault.New(fault.Auth, "list nodes", "not allowed to ssm:DescribeInstanceInformation").WithHint("add the action to your role"))
		set.Patches.Fail(tuitest.Place, errors.New("throttled"))
		s, _ := screen(t, set)
		s.Golden("partial")
	})
}
