package pagefleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

func TestFramesOfTheFleet(t *testing.T) {
	f := open(t).fill()
	f.Golden("fleet")
}

func TestFramesOfANode(t *testing.T) {
	f := open(t).fill()
	f.Press("j", "enter")
	f.Golden("node")
}

func TestFramesOfDoctor(t *testing.T) {
	f := open(t).fill()
	f.Press("d")
	f.Golden("doctor")
}

func TestFramesWhereAPlaceFails(t *testing.T) {
	f := open(t)
	denied := fault.New(fault.Auth, "list nodes", "not allowed: ssm:DescribeInstanceInformation").
		WithHint("ask for an IAM policy that allows ssm:DescribeInstanceInformation")
	f.set.Nodes.Fail(grid.Place{Account: "222222222222", Region: "us-east-1"}, denied)
	f.Changed(sources.Nodes)
	f.Golden("failed")
	f.Deck.Where.Scopes = 2
	f.fill()
	f.Golden("partial")
}

func TestNothingIsNotAnEmptyTable(t *testing.T) {
	f := open(t)
	f.Has("loading")
	f.Lacks("no managed nodes")
	f.set.Nodes.Fail(tuitest.Place, fault.New(fault.Auth, "list nodes", "not allowed: ssm:DescribeInstanceInformation"))
	f.Changed(sources.Nodes)
	f.Has("no node could be read", "ssm:DescribeInstanceInformation")
	f.set.Nodes.Set(tuitest.Place, []fleet.Node{}, tuitest.Now)
	f.Changed(sources.Nodes)
	f.Has("no managed nodes here")
	f.Has("u ", "activation create")
	other := grid.Place{Account: "123456789012", Region: "us-east-1"}
	f.set.Nodes.Fail(other, fault.New(fault.Auth, "list nodes", "denied"))
	f.Changed(sources.Nodes)
	f.Has("1 of 2 places")
}

func TestWhatNeedsAttentionComesFirst(t *testing.T) {
	f := open(t).fill()
	var names []string
	for _, i := range f.page.Plain().Items {
		names = append(names, i.Text)
	}
	want := []string{"web-2", "東京サーバー", "batch-7", "db-admin", `evil\x1b`, "web-1", "warehouse"}
	for i, w := range want {
		if len(names) != len(want) || !hasPrefix(names[i], w) {
			t.Fatalf("row %d of %q is not %s", i, names, w)
		}
	}
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

func TestPatchesAreNotReadYet(t *testing.T) {
	f := open(t)
	f.Deck.Still = false
	f.set.Nodes.Set(tuitest.Place, someNodes(), tuitest.Now)
	f.Changed(sources.Nodes)
	f.Size(140, 40)
	f.Has("not read yet")
	f.Lacks("compliant", "never scanned")
	f.set.Patches.Set(tuitest.Place, patchedNodes(), tuitest.Now)
	f.Changed(sources.Patches)
	f.Has("compliant", "2 critical", "never scanned", "unknown")
	f.Lacks(f.Deck.Styles.Glyphs.Changed) // to become known is no change
}

func TestUnmanagedInstances(t *testing.T) {
	f := open(t).fill()
	f.Lacks("forgotten")
	f.svc.Unmanaged.Set(tuitest.Place, []fleet.Node{{ID: "i-0ffffffffffffffff", Name: "forgotten", State: "running"}, {ID: "i-0123456789abcdef0", Name: "web-1", State: "running"}}, tuitest.Now)
	f.Press("u")
	f.Has("unmanaged", "forgotten")
	if s := f.page.Status(); s.Of != 8 {
		t.Errorf("%d rows: an instance that is a node by now is there twice", s.Of)
	}
	f.Press("j") // the lost node is first
	for _, a := range f.page.Actions() {
		switch a.Key {
		case "s", "r", "p", "P", "e":
			if a.Off == "" {
				t.Errorf("%s is offered for an instance that is not managed", a.Name)
			}
		case "d":
			if a.Off != "" {
				t.Errorf("doctor is off: %s", a.Off)
			}
		}
	}
	f.Press("d")
	if got := f.asked["doctor"]; len(got) != 1 || got[0] != "i-0ffffffffffffffff" {
		t.Errorf("examined %v", got)
	}
	f.Press("esc", "u")
	f.Lacks("forgotten")
}

func TestThePaneFollowsTheCursor(t *testing.T) {
	f := open(t).fill()
	if len(f.asked["facts"]) != 0 {
		t.Fatalf("read of %v while no pane is shown", f.asked["facts"])
	}
	f.Size(140, 40)
	f.Press("j", "j")
	if got := f.asked["facts"]; len(got) == 0 || got[len(got)-1] != "i-0e5f60718293a4b5c" {
		t.Fatalf("read of %v", got)
	}
	f.Has("the instance is stopped", "Last commands", "AWS-RunShellScript", "ssm:ListComplianceItems", "50 or more", "INC-1234")
	n := len(f.asked["facts"])
	f.Press("k", "j")
	if got := len(f.asked["facts"]); got > n+1 {
		t.Errorf("a node whose facts are young was read again: %v", f.asked["facts"])
	}
}

func TestAPartThatFailsLeavesTheOthers(t *testing.T) {
	f := open(t, func(f *fixture) {
		f.svc.Facts = func(_ contextT, _ grid.Place, id string) (fleet.Node, []fleet.Gap, error) {
			n := patchedNodes()[0]
			n.ID, n.Unknown = id, []string{"ec2"}
			return n, []fleet.Gap{{Part: fleet.PartEC2, Nodes: 1, Err: fault.New(fault.Auth, "describe instances", "not allowed: ec2:DescribeInstances")}}, nil
		}
	}).fill()
	f.Press("enter")
	f.Size(80, 60)
	f.Has("ec2:DescribeInstances", "unknown", "Last commands", "restart nginx")
}

func TestBackGoesStepByStep(t *testing.T) {
	f := open(t).fill()
	f.Press("space", "enter", "d")
	f.Has("the agent calls")
	f.Press("esc")
	f.Has("Last commands")
	f.Lacks("the agent calls")
	f.Press("esc")
	f.Has("PATCHES")
	if f.page.Status().Marked != 1 {
		t.Error("the mark is gone")
	}
	f.Press("esc")
	if f.page.Status().Marked != 0 {
		t.Error("the mark is still there")
	}
	if f.page.Back() {
		t.Error("there was something left to go back from")
	}
}

func TestMarksSurviveFilterAndRefresh(t *testing.T) {
	f := open(t).fill()
	f.Press("*")
	if err := f.page.SetFilter("platform=windows"); err != nil {
		t.Fatal(err)
	}
	if s := f.page.Status(); s.Shown != 1 || s.Of != 7 || s.Marked != 7 || s.Hidden != 6 {
		t.Errorf("got %+v", s)
	}
	f.set.Nodes.Set(tuitest.Place, someNodes()[1:], tuitest.Now)
	f.Changed(sources.Nodes)
	if s := f.page.Status(); s.Marked != 6 || s.Of != 6 {
		t.Errorf("after a node is gone: %+v", s)
	}
}

func TestFilter(t *testing.T) {
	f := open(t).fill()
	for text, want := range map[string]int{
		"ping=lost": 2, "tag:env=prod": 5, "platform=linux agent<3.3.4851.0": 2, "web": 5, "critical>0": 1, "missing>0": 2, "state=stopped": 1,
	} {
		if err := f.page.SetFilter(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if s := f.page.Status(); s.Shown != want {
			t.Errorf("%s shows %d rows, want %d", text, s.Shown, want)
		}
	}
	if err := f.page.SetFilter("colour=red"); fault.KindOf(err) != fault.Usage {
		t.Errorf("a wrong key: %v", err)
	}
	if f.page.Filter() == "colour=red" {
		t.Error("a wrong filter took the place of the last good one")
	}
	f.page.SetFilter("ping=nothing")
	f.Has("none of 7 nodes fits")
}

func TestPatchesAreReadWhereTheyAreShown(t *testing.T) {
	f := open(t).fill()
	wanted := func() bool {
		for _, w := range f.page.Wants() {
			if w.Feed.Name() == sources.Patches {
				return true
			}
		}
		return false
	}
	if !wanted() {
		t.Error("the column is on the screen, and nobody reads it")
	}
	f.page.SetLayout([]byte(`{"list":{"columns":["state","name"]},"unmanaged":true}`))
	if wanted() {
		t.Error("nobody sees patches, and they are read")
	}
	f.page.SetFilter("critical>0")
	if !wanted() {
		t.Error("the filter asks for patches, and nobody reads them")
	}
	if got := string(f.page.Layout()); got != `{"list":{"columns":["state","name"],"sort":"state"},"unmanaged":true}` {
		t.Errorf("the layout is %s", got)
	}
}

func TestSelectOpensANode(t *testing.T) {
	f := open(t).fill()
	f.page.SetFilter("ping=lost")
	f.Send(deck.Open{Page: "fleet", Then: pageSelect("i-0123456789abcdef0")})
	f.Has("web-1", "Last commands")
	if f.page.Filter() != "" {
		t.Error("the filter still hides the node")
	}
}

func TestAnAgentTheServiceCallsOldIsOldEverywhere(t *testing.T) {
	no := false
	f := open(t, func(f *fixture) {
		f.svc.Facts = func(_ contextT, _ grid.Place, id string) (fleet.Node, []fleet.Gap, error) {
			n := patchedNodes()[1]
			n.AgentLatest = &no
			return n, nil, nil
		}
	}).fill()
	f.Size(140, 40)
	f.Has("● 3.3.4851.0")
	f.Send(deck.Tick{})
	f.Has("behind 3.3.4851.0", "is not the newest", "behind 3.3.3")
	f.Lacks("● 3.3.4851.0")
	f.Has("● 3.2.2303.0") // of Windows, of which the service says nothing
}

func TestTheYoungerOfListAndFactsIsShown(t *testing.T) {
	f := open(t).fill()
	f.Press("G", "k", "enter") // web-1
	f.Has("web-1", "● online")
	nodes := someNodes()
	nodes[0].Ping = fleet.Lost
	nodes[0].LastPing = ago(10 * time.Minute)
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now.Add(time.Second))
	f.Changed(sources.Nodes)
	f.Has("web-1", "✗ lost", "last ping 10 min ago", "d says why")
}

func TestWhatIsNotJoinedYetIsNotEmpty(t *testing.T) {
	f := open(t)
	nodes := someNodes()
	for i := range nodes {
		nodes[i].Tags, nodes[i].State, nodes[i].VPC, nodes[i].AZ, nodes[i].Unknown = nil, "", "", "", nil
	}
	f.set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	f.svc.Facts = nil
	f.Changed(sources.Nodes)
	f.page.SetLayout([]byte(`{"list":{"columns":["name","tags","vpc"]}}`))
	f.Has("not read yet")
	for _, m := range f.do(t, "e") {
		if form, ok := m.(deck.Form); ok && form.Fields[0].Value != "" {
			t.Errorf("tags that nobody knows are %q", form.Fields[0].Value)
		}
	}
	if l := one(t, fill(t, f.do(t, "e"), map[string]string{"tags": "team=shop"})); !strings.HasSuffix(said(l), " team=shop") || strings.Contains(said(l), "-,") {
		t.Errorf("got %q", said(l))
	}
}

func TestRegionsAreFilteredBesideTheTermsOfTheCommandLine(t *testing.T) {
	f := open(t).fill()
	other := grid.Place{Account: "222222222222", Region: "us-east-1"}
	f.set.Nodes.Set(other, someNodes()[:2], tuitest.Now)
	f.Deck.Where.Scopes = 2
	f.Changed(sources.Nodes)
	for text, want := range map[string]int{
		"region=us-east-1": 2, "!region=us-east-1": 7, "region!=us-east-1 ping=lost": 2, "account=222222222222 ping=lost": 1, "region=us-east-1,eu-west-1": 9,
		"ping=lost | ping=inactive": 4, "'東京'": 1, "region=us-east-1 | ping=inactive": 3, "!region=us-east-1 | name=web-2": 8, "!account=222222222222 ping=lost": 2,
		"region~^us": 2,
	} {
		if err := f.page.SetFilter(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := f.page.Status().Shown; got != want {
			t.Errorf("%s shows %d rows, want %d", text, got, want)
		}
	}
	f.page.SetFilter("region=us-east-1 ping=lost")
	c, _ := f.do(t, "x")[0].(deck.Choose)
	if l := one(t, messages(c.Done(0))); l.At != other || !strings.HasPrefix(said(l), "ls --filter region=us-east-1 ping=lost --with") {
		t.Errorf("exports %q of %v", said(l), l.At)
	}
	f.page.SetFilter("web-1")
	c, _ = f.do(t, "x")[0].(deck.Choose)
	for _, l := range lines(messages(c.Done(0))) {
		if !strings.HasPrefix(said(l), "ls --filter id=i-0123456789abcdef0 --with") {
			t.Errorf("words that --filter does not take become %q", said(l))
		}
	}
}

func TestALargeFleetIsDrawnAnewOnceASecond(t *testing.T) {
	f := open(t)
	nodes := make([]fleet.Node, 2500)
	for i := range nodes {
		nodes[i] = fleet.Node{ID: fmt.Sprintf("i-%017x", i), Name: fmt.Sprintf("web-%04d", i), Ping: fleet.Online}
	}
	set := func(name string) {
		nodes[0].Name = name
		f.set.Nodes.Set(tuitest.Place, slices.Clone(nodes), tuitest.Now)
		f.Changed(sources.Nodes)
	}
	set("a-first") // what is new is seen at once
	f.Has("a-first")
	set("a-second") // what comes behind it with the next tick
	f.Lacks("a-second")
	f.Send(deck.Tick{})
	f.Has("a-second")
	f.Send(deck.Tick{})
	set("a-third")
	f.Has("a-third")
}

func TestMouseAndArrowsGoBetweenThePanes(t *testing.T) {
	f := open(t).fill()
	f.Size(140, 20)
	at := func(name string) {
		t.Helper()
		crumbs := f.page.Status().Crumbs
		if got := strings.Join(crumbs, " "); got != name {
			t.Errorf("open is %q, want %q", got, name)
		}
	}
	f.page.Update(tea.MouseClickMsg{X: 10, Y: 2, Button: tea.MouseLeft}) // the second row
	at("")
	f.page.Update(tea.MouseClickMsg{X: 120, Y: 4, Button: tea.MouseLeft})
	at("東京サーバー")
	before := f.page.View()
	f.page.Update(tea.MouseWheelMsg{X: 120, Y: 4, Button: tea.MouseWheelDown})
	if f.page.View() == before {
		t.Error("the wheel does not scroll the pane")
	}
	f.Press("left")
	at("")
	f.Press("right", "G")
	at("東京サーバー")
	f.Has("Subnet")
	f.Press("tab", "j")
	at("")
	f.Has("batch-7", "the instance is stopped")
}

// The ages of a filter are counted from now, not from when it was typed.
func TestAFilterOfAgesGoesWithTheTime(t *testing.T) {
	f := open(t).fill()
	if err := f.page.SetFilter("last_ping<5m ping=online"); err != nil {
		t.Fatal(err)
	}
	f.Has("web-1")
	f.Deck.Now = f.Deck.Now.Add(10 * time.Minute)
	f.set.Nodes.Set(tuitest.Place, someNodes(), f.Deck.Now)
	f.Changed(sources.Nodes)
	f.Send(deck.Tick{})
	f.Lacks("web-1")
}

// A filter that has grown looks at the rows that are shown alone, one that is another
// at all of them.
func TestAFilterThatIsTypedFindsWhatItWouldFindAtOnce(t *testing.T) {
	f := open(t).fill()
	for _, texts := range [][]string{
		{"web", "web-", "web-1"},
		{"web-1", "web-"},
		{"ping=lost", "ping=online"},
		{"region=eu-west-1 web", "region=us-east-1 web", "web"},
		{"web ping", "web ping=online"},
		{"!web", "!web-1"},
	} {
		var typed, atOnce int
		for _, text := range texts {
			if err := f.page.SetFilter(text); err != nil {
				t.Fatal(err)
			}
			typed = f.page.Status().Shown
		}
		_ = f.page.SetFilter("")
		_ = f.page.SetFilter(texts[len(texts)-1])
		if atOnce = f.page.Status().Shown; atOnce != typed {
			t.Errorf("%q: %d rows, at once %d", texts, typed, atOnce)
		}
		_ = f.page.SetFilter("")
	}
}
