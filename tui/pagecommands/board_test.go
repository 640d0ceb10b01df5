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

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

func opened(t *testing.T, events []run.Event) *screen {
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = events
	s.Press("enter")
	return s
}

func TestFailuresAloneAndUnfolded(t *testing.T) {
	s := opened(t, restart(true))
	s.Press("!")
	s.Has("+ 2 nodes", "サーバー-web-77")
	s.Lacks("+ 1,097 nodes")
	s.Press("u")
	s.Has("web-10 ", "web-40 ")
	s.Press("u")
	s.Lacks("web-40 ")
	s.Press("enter")
	s.Has("- 2 nodes", "web-40 ")
	s.Press("enter", "!")
	s.Has("+ 2 nodes", "+ 1,097 nodes")
}

func TestFoldsStayOpenWhileNodesJoinThem(t *testing.T) {
	at := func(i int) []run.Event {
		id := fmt.Sprintf("i-%d", i)
		return []run.Event{node(id, "", run.Failed, 1, time.Second), wrote(id, "", "no\n")}
	}
	s := opened(t, slices.Concat(at(5), at(6)))
	s.Press("enter")
	s.Has("- 2 nodes")
	b := s.page.board
	b.events = feed.NewEvents(happening.key)
	var more []happening
	for _, e := range at(4) {
		more = append(more, happening{event: e})
	}
	s.Send(feed.Batch[happening]{From: b.events, Events: more})
	s.Has("- 3 nodes", "i-4", "i-6")
}

func TestNamesAreThoseOfTheFleet(t *testing.T) {
	s := opened(t, []run.Event{node("i-0002", "ip-10-0-0-2.ec2.internal", run.Success, 0, time.Second), wrote("i-0002", "up\n", "")})
	s.Has("web-2")
	s.Lacks("ip-10-0-0-2")
}

func TestNamesThatComeLater(t *testing.T) {
	s := opened(t, []run.Event{node("i-9", "", run.Success, 0, time.Second), wrote("i-9", "up\n", "")})
	s.Has("i-9")
	s.set.Nodes.Set(tuitest.Place, []fleet.Node{{ID: "i-9", Name: "late-1"}}, tuitest.Now)
	s.Changed("nodes")
	s.Has("late-1")
}

func TestBoardIsLeftAndTakenUpAgain(t *testing.T) {
	s := opened(t, restart(false))
	if s.svc.follows != 1 {
		t.Fatalf("followed %d times", s.svc.follows)
	}
	s.Deck.Now = s.Deck.Now.Add(time.Second)
	s.Send(deck.Tick{})
	if s.svc.follows != 2 {
		t.Errorf("a run that goes on is not taken up again: followed %d times", s.svc.follows)
	}
	s.Press("esc")
	s.Has("SENT", "restart nginx")
	s.Send(deck.Tick{})
	if s.svc.follows != 2 {
		t.Error("a board that was left is still followed")
	}
}

func TestHiddenBoardStopsFollowing(t *testing.T) {
	s := opened(t, nil)
	b := s.page.board
	stopped := false
	b.busy, b.stop = true, func() { stopped = true }
	s.Deck.Now = s.Deck.Now.Add(unseen)
	s.page.Update(feed.Changed{Feed: "nodes"})
	if stopped {
		t.Fatal("it stopped although it was just looked at")
	}
	s.Deck.Now = s.Deck.Now.Add(time.Second)
	s.page.Update(feed.Changed{Feed: "nodes"})
	if !stopped || b.busy {
		t.Fatal("a board that nobody looks at is still followed")
	}
	s.Send(deck.Tick{})
	if s.svc.follows != 2 {
		t.Error("it was not taken up when it was looked at again")
	}
}

// A command on which nothing happens for an hour brings no message that would tell that
// nobody looks: the seconds tell.
func TestABoardOutOfFocusStopsFollowing(t *testing.T) {
	s := opened(t, nil)
	stopped := false
	s.page.board.busy, s.page.board.stop = true, func() { stopped = true }
	s.Send(tea.BlurMsg{})
	for range 4 {
		s.Wait(time.Second)
	}
	if stopped {
		t.Fatal("it stopped although it was just looked at")
	}
	for range 4 {
		s.Wait(time.Second)
	}
	if !stopped {
		t.Fatal("the board is followed while the window is not in focus")
	}
	s.Send(tea.FocusMsg{})
	s.Wait(time.Second)
	if s.svc.follows != 2 {
		t.Error("it was not taken up when it was looked at again")
	}
}

func TestFollowingThatFails(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = restart(false)[:40]
	s.svc.err = fault.New(fault.Auth, "run", "access denied").WithHint("log in again")
	s.Press("enter")
	s.Has("not followed: run: access denied (log in again)", "18 ● ok")
	s.Send(deck.Tick{})
	if s.svc.follows != 1 {
		t.Fatal("it was asked again at once")
	}
	s.svc.err, s.svc.events = nil, restart(true)
	s.Deck.Now = s.Deck.Now.Add(retryAfter)
	s.Send(deck.Tick{})
	s.Lacks("not followed")
	s.Has("1,100 / 1,100")
}

func TestNodesWhoseStatesComeLaterAreNotCalledWaiting(t *testing.T) {
	s := opened(t, []run.Event{
		node("i-1", "", run.Success, 0, time.Second), wrote("i-1", "up\n", ""),
		{Kind: run.Progressed, CommandID: idA, Progress: &run.Progress{State: run.Running, Targets: 1500, Completed: 842}},
	})
	s.Size(140, 40)
	s.Has("842 / 1,500", "1 ● ok", "658 ○ waiting", "841 · not read yet")
	cells := ansi.Strip(strings.Join(new(cellGrid).draw(s.page.board, 1500, 3, s.Deck.Styles), ""))
	for glyph, want := range map[string]int{"●": 1, "○": 658, "·": 841} {
		if n := strings.Count(cells, glyph); n != want {
			t.Errorf("%d cells are %s, want %d", n, glyph, want)
		}
	}
	counts, unread := s.page.board.counts()
	sum := unread
	for _, n := range counts {
		sum += n
	}
	if sum != 1500 {
		t.Errorf("the counts are of %d nodes", sum)
	}
}

func TestAnySizeIsDrawn(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = restart(true)
	s.svc.err = errors.New("a failure with a long text that does not fit on a narrow screen")
	draw := func(what string) {
		for _, w := range []int{1, 2, 5, 9, 20, 39, 80, 99, 100, 111, 200} {
			for _, h := range []int{1, 2, 3, 4, 5, 6, 11, 12, 19, 35, 60} {
				s.page.SetSize(w, h)
				lines := strings.Split(s.page.View(), "\n")
				if len(lines) > h {
					t.Errorf("%s: %d lines on %dx%d", what, len(lines), w, h)
				}
				for _, l := range lines {
					if got := ansi.StringWidth(l); got > w {
						t.Errorf("%s: %d cells on %dx%d: %q", what, got, w, h, l)
						break
					}
				}
			}
		}
	}
	draw("list")
	s.Press("enter")
	draw("board")
	s.Press("u", "j", "enter")
	draw("output")
}

func TestRemarksThatPass(t *testing.T) {
	notice := func(kind run.NoticeKind, text string) run.Event {
		return run.Event{Kind: run.Noticed, Notice: &run.Notice{Kind: kind, Text: text}}
	}
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = append(restart(false), notice(run.Throttled, "the service asks to slow down"), notice(run.Held, "the rest is not sent"))
	s.Press("enter")
	s.Has("the service asks to slow down", "the rest is not sent")
	s.page.board.busy = true
	s.Deck.Now = s.Deck.Now.Add(passing)
	s.Send(deck.Tick{})
	s.Has("the rest is not sent")
	s.Lacks("slow down")
}

func TestNodesThatTheServiceDoesNotList(t *testing.T) {
	events := []run.Event{
		node("i-1", "", run.Success, 0, time.Second), wrote("i-1", "up\n", ""),
		{Kind: run.Progressed, CommandID: idA, Progress: &run.Progress{State: run.Success, Targets: 4, Completed: 4}},
		{Kind: run.Done, Time: tuitest.Now},
	}
	s := newScreen(t)
	c := commands()[1]
	c.Targets, c.State = 4, run.Success
	s.known(c)
	s.svc.events = events
	s.Press("enter")
	s.Has("4 / 4", "the service counts 3 nodes more and does not list them")
	s.Lacks("ended well")
}

func TestFilterByIDOpensTheBoard(t *testing.T) {
	s := newScreen(t)
	s.svc.events = restart(true)
	s.Send(deck.Open{Page: "commands", Filter: "id=" + idD})
	s.Send(deck.Tick{})
	s.Has("loading")
	s.known(commands()...)
	s.Has("run k3v9q2m1zt")
	s.Press("esc")
	s.Has("restart nginx")

	s.Send(deck.Open{Page: "commands", Filter: "id~^8f2c"}) // not a whole id: a filter
	s.Send(deck.Tick{})
	s.Has("restart nginx")
	s.Lacks("Rotate-Certificates", "one cell")
}

func TestFilterByAnIDThatIsTooOldForTheList(t *testing.T) {
	s := newScreen(t)
	old := run.Command{ID: "99990000-0000-4000-8000-000000000009", Document: "AWS-Old", State: run.Success, Targets: 1, Completed: 1}
	s.svc.runs[old.ID] = run.Fold([]run.Command{old})[0]
	s.set.Commands.Set(tuitest.Place, commands(), tuitest.Now)
	s.Desk.Cells = []grid.Cell{{Place: tuitest.Place}}
	s.Send(deck.Open{Page: "commands", Filter: "id=" + old.ID})
	s.Send(deck.Tick{})
	s.Has("command 99990000", "AWS-Old")
	s.Press("esc")
	s.Send(deck.Open{Page: "commands", Filter: "id=00000000-0000-4000-8000-000000000000"})
	s.Send(deck.Tick{})
	s.Has("no such run in this account", "nothing is known of its nodes")
}

func TestWholeOutputIsFetchedWhereItIsCut(t *testing.T) {
	e := wrote("i-0010", "first\n", "")
	e.Output.Truncated = true
	s := newScreen(t)
	s.known(commands()...)
	s.svc.text = "first\nsecond\n" + strings.Repeat("x\n", 3000) + "last\n"
	s.svc.events = []run.Event{node("i-0010", "web-10", run.Success, 0, time.Second), e, {Kind: run.Done, Time: tuitest.Now}}
	s.Press("enter")
	if s.svc.copies != 1 {
		t.Fatalf("read %d times", s.svc.copies)
	}
	s.Has("second")
	s.Lacks("this is not all")
	s.Press("enter", "G")
	s.Has("last")
	if s.svc.copies != 1 {
		t.Errorf("read again: %d times", s.svc.copies)
	}
	s.svc.cut = true
	s.Deck.Now = s.Deck.Now.Add(2 * time.Hour)
	s.Send(deck.Tick{})
	s.Has("last") // and a line more
	s.Press("G")
	s.Has("this is not all")
}

func TestOutputIsHarmlessAndBounded(t *testing.T) {
	e := wrote("i-1", "\x1b]0;gone\x07\u202etxt\n"+strings.Repeat("line\n", 10_000)+"end\n", "")
	small := modest(e, 10)
	if n := len(small.Output.Stdout); n > 3*inBoard || !small.Output.Truncated {
		t.Errorf("%d bytes are kept, truncated %v", n, small.Output.Truncated)
	}
	if !strings.HasSuffix(small.Output.Stdout, "end\n") || !strings.Contains(small.Output.Stdout, "bytes left out here") {
		t.Errorf("head, tail and what is missing are not told apart: %q", small.Output.Stdout[len(small.Output.Stdout)-200:])
	}
	if n := len(modest(e, 10_000).Output.Stdout); n > 3*inLargeBoard {
		t.Errorf("%d bytes are kept for each of 10,000 nodes", n)
	}
	if len(e.Output.Stdout) < 50_000 {
		t.Error("the event of the service was changed")
	}
	s := opened(t, []run.Event{node("i-1", "", run.Success, 0, time.Second), wrote("i-1", "\x1b]0;gone\x07\u202etxt\n", "")})
	s.Has(`\x1b]0;gone\x07\u202etxt`)
}

func TestWhatANodeWritesIsSeenWhileItWrites(t *testing.T) {
	log := func(text string) run.Event {
		return run.Event{Kind: run.Logged, CommandID: idA, Log: &run.Log{NodeID: "i-1", Stream: "stdout", Text: text}}
	}
	s := newScreen(t)
	s.known(commands()...)
	s.svc.events = []run.Event{node("i-1", "", run.Running, run.NoExit, time.Second), log("first\n"), log("second \x1b[2J\n")}
	s.Press("enter")
	s.Has("so far:", "first", `second \x1b[2J`)
	b := s.page.board
	if n := len(b.tails.of); n != 1 {
		t.Fatalf("%d tails", n)
	}
	s.svc.events = append(s.svc.events, node("i-1", "", run.Success, 0, time.Second), wrote("i-1", "all of it\n", ""))
	s.Send(deck.Tick{})
	s.Has("all of it")
	s.Lacks("so far:")
	if n := len(b.tails.of); n != 0 {
		t.Error("the tail of a node that is done is kept")
	}
}

func TestFilterFromAnotherPageIsAboutRuns(t *testing.T) {
	s := opened(t, restart(true))
	s.Send(deck.Tick{})
	if err := s.page.SetFilter("state=failed"); err != nil || s.page.board == nil {
		t.Fatalf("a filter that is typed is about the nodes of the board: %v", err)
	}
	s.page.SetSize(s.page.width, s.page.height) // as when it is shown
	if err := s.page.SetFilter("state=running"); err != nil || s.page.board != nil || s.page.Filter() != "state=running" {
		t.Fatalf("a filter of another page is not about runs: %v", err)
	}
	s.Has("restart nginx")
	s.Lacks("disk check")
}

func TestMouseOnABoard(t *testing.T) {
	s := opened(t, restart(true))
	s.Size(140, 40)
	click := func(x, y int) { s.page.Update(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }
	row := s.page.geo.top() + 1
	click(5, row+1)
	if e, _ := s.page.current(); e.row.NodeID != "i-0077" {
		t.Errorf("the click chose %s", e.row.NodeID)
	}
	before := s.page.nodes.SortedBy()
	click(5, row-1) // the header: folds are not sorted
	if s.page.nodes.SortedBy() != before {
		t.Error("a click on the header sorts folds away from their nodes")
	}
	click(120, row+3)
	if !s.page.focus {
		t.Error("a click on the output does not give it the keys")
	}
	click(5, row)
	if e, _ := s.page.current(); s.page.focus || !e.fold() {
		t.Error("a click on the list does not give it the keys back")
	}
}

func TestFilterOfABoardAndBack(t *testing.T) {
	s := opened(t, restart(true))
	s.Press("u", "/")
	s.Type("web-40")
	s.Press("enter")
	s.Has("web-40 ")
	if n := s.page.Status().Shown; n > 20 {
		t.Errorf("%d rows fit web-40", n)
	}
	s.Press("esc") // the filter
	if s.page.Filter() != "" || s.page.board == nil {
		t.Error("esc did not drop the filter alone")
	}
	s.Press("tab", "esc", "esc")
	if s.page.board != nil || s.page.Back() {
		t.Error("esc did not lead back to the list, step by step")
	}
}

func TestOutputIsSearched(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	text := strings.Repeat("nothing here\n", 100) + "a needle\n" + strings.Repeat("nothing here\n", 100) + "Needle two\n"
	s.svc.text = text
	s.svc.events = []run.Event{node("i-1", "", run.Success, 0, time.Second), wrote("i-1", text, ""), {Kind: run.Done, Time: tuitest.Now}}
	s.Press("enter", "enter", "/")
	s.Type("needle")
	s.Press("enter")
	s.Has("a needle", "hit 1 of 2")
	s.Press("n")
	s.Has("Needle two", "hit 2 of 2")
	s.Press("esc")
	s.Lacks("hit 2 of 2")
	if !s.page.full {
		t.Error("esc left the output with the search")
	}
	s.Press("esc")
	s.Has("STATE")
}

func TestErrorsOfOneNodeDoNotHideTheOthers(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	e := wrote("i-1", "part\n", "")
	e.Output.Truncated = true
	s.svc.events = []run.Event{node("i-1", "", run.Success, 0, time.Second), e, node("i-2", "", run.Success, 0, time.Second), wrote("i-2", "all\n", "")}
	s.page.svc.Run = func(grid.Place) (Runner, error) { return broken{s.svc}, nil }
	s.Press("enter")
	s.Has("part", "only a part is shown: no way there", "i-2")
}

// broken cannot read outputs in full.
type broken struct{ *service }

func (broken) Copy(context.Context, run.Command, run.Invocation, io.Writer, io.Writer) (run.Output, error) {
	return run.Output{}, errors.New("no way there")
}
