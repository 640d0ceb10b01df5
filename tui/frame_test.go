package tui_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

func actions() []deck.Action {
	return []deck.Action{
		{Key: "s", Name: "shell", Help: "open a shell on the node", Footer: true, Do: func() tea.Cmd {
			return deck.Ask(deck.Line{Words: []string{"shell", "web-1"}, At: tuitest.Place, What: "shell on web-1", How: deck.OnScreen})
		}},
		{Key: "r", Name: "run", Help: "run a command on the marked nodes", Footer: true, Writes: true, Do: func() tea.Cmd { return nil }},
		{Key: "f", Name: "forward", Help: "forward a port", Footer: true, Off: "the node is not online"},
	}
}

func TestFrame(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = actions()
	w.Has("prod-admin @ 123456789012", "eu-west-1", "⟳ just now", "0/120 calls/min", "2▸Fleet", "s shell", "? keys", "web-1", "4")
	w.Lacks("f forward") // it cannot be done now
	w.Size(140, 40)
	w.Has("14:02:31")
	w.Golden("frame")
}

// What is old, partial or failed is said to be.
func TestNeverLies(t *testing.T) {
	w := newWorld(t)
	w.Deck.Where.Scopes, w.Deck.Where.Protected, w.Deck.ReadOnly = 3, true, true
	other := grid.Place{Account: "123456789012", Region: "eu-west-2"}
	w.fleet.source.Set(other, machines[:1], tuitest.Now.Add(-4*time.Minute))
	w.fleet.source.Fail(other, fault.New(fault.Auth, "list nodes", "access denied").WithHint("ask for ssm:DescribeInstanceInformation"))
	w.Changed("fleet")
	w.Has("⟳ 4 min ago", "✗ eu-west-2: list nodes: access denied", "rows of 4 min ago are kept", "protected", "read-only", "(+2)")
	w.Golden("partial")
}

// A place that was never read has no rows that could be kept, whatever others have.
func TestNeverLiesAboutRowsThatAreKept(t *testing.T) {
	w := newWorld(t)
	w.fleet.source.Fail(grid.Place{Account: "123456789012", Region: "eu-west-2"}, errors.New("connection refused"))
	w.Changed("fleet")
	w.Has("✗ eu-west-2: connection refused", "1/2 places")
	w.Lacks("are kept")
	w.fleet.source.Set(tuitest.Place, machines, tuitest.Now)
	w.fleet.source.Fail(tuitest.Place, &feed.Partly{Err: errors.New("tags of 3 nodes: denied")})
	w.Changed("fleet")
	w.Lacks("are kept")                      // they are new
	w.Has("✗ eu-west-2: connection refused") // what is missing comes first
}

func TestNeverLiesAboutWhatHasNotCome(t *testing.T) {
	w := newWorld(t)
	w.Press("3")
	w.Has("loading")
	w.Lacks("no machine fits", "⟳")
}

func TestThrottlesAreShown(t *testing.T) {
	w := newWorld(t)
	w.Desk.Count = func() feed.Calls { return feed.Calls{PerMinute: 12, Throttled: 3} }
	w.Wait(time.Second)
	w.Size(140, 40)
	w.Has("12/120 calls/min", "▲ 3 throttled")
}

// Whatever the size, no line is wider than the screen, and there are no more of them.
func TestEverySizeFits(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = actions()
	dialogs := [][]string{nil, {":"}, {"?"}, {"@"}, {"/"}}
	for _, keys := range dialogs {
		w.Press(keys...)
		for width := 1; width < 90; width += 3 {
			for _, height := range []int{1, 2, 3, 4, 5, 7, 10, 13, 14, 15, 24} {
				w.Size(width, height)
				fits(t, w.Frame(), width, height)
			}
		}
		w.Size(80, 24)
		w.Press("esc")
	}
}

func fits(t *testing.T, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) > height {
		t.Fatalf("%dx%d: %d lines:\n%s", width, height, len(lines), frame)
	}
	for _, l := range lines {
		if n := cells(l); n > width {
			t.Fatalf("%dx%d: a line of %d cells: %q", width, height, n, l)
		}
	}
}
