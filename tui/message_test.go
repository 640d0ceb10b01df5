package tui_test

import (
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// flat is the text of a frame whatever its lines are.
func (w *world) flat() string { return strings.Join(strings.Fields(w.Frame()), " ") }

func (w *world) says(texts ...string) {
	w.t.Helper()
	for _, want := range texts {
		if !strings.Contains(w.flat(), want) {
			w.t.Errorf("%q is not on the screen:\n%s", want, w.Frame())
		}
	}
}

func TestAMessageIsReadInFull(t *testing.T) {
	w := newWorld(t)
	err := fault.New(fault.Auth, "start the session on web-1", "User is not authorized to perform ssm:StartSession on resource i-0123456789abcdef0").
		WithHint("ask whoever runs the account for ssm:StartSession, or ssmdeck iam policy shell")
	for _, size := range tuitest.Sizes {
		w.Size(size.Width, size.Height)
		w.Send(deck.Say{Err: err})
		w.says("is not authorized to perform ssm:StartSession", "i-0123456789abcdef0", "ssmdeck iam policy shell")
		w.Press("j")
		w.Send(deck.Say{Text: "only the beginning of the output is kept: for all of it run the line in a shell, c copies it"})
		w.says("c copies it")
		w.Press("j")
		w.says("? keys")
	}
	w.Size(40, 10)
	w.Send(deck.Say{Err: errors.New(strings.Repeat("word ", 200))})
	if lines := strings.Split(w.Frame(), "\n"); len(lines) != 10 || !strings.Contains(lines[9], "…") {
		t.Errorf("one that is too long is cut:\n%s", w.Frame())
	}
}

// The box still says what it asks, whatever is said meanwhile.
func TestAMessageLeavesTheQuestionInSight(t *testing.T) {
	w := newWorld(t)
	w.Size(40, 10)
	w.Send(deck.Line{Words: []string{"run", "web-1", "--", "uptime"}, At: tuitest.Place, What: "run uptime on web-1", Level: deck.Change})
	w.Send(deck.Say{Err: errors.New(strings.Repeat("word ", 100))})
	w.says("Runs ssmdeck run web-1")
}

func TestTheEntryUnderTheCursorIsReadInFull(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = actions()
	w.fleet.actions[1].Help = "run a command on the marked nodes, in waves, failures first, until all have it"
	w.fleet.actions[2].Off = "its agent is not connected: d says why, and offers the repair"
	w.Size(40, 10)
	w.Press("?", "down")
	w.says("in waves, failures first, until all have it")
	w.Press("down")
	w.says("d says why, and offers the repair")
	w.Press("end", "G") // typed
	w.Size(40, 10)
	w.Press("esc", "?")
	for range 40 { // the last is on the screen, too
		w.Press("down")
	}
	w.says("turn the order round")
}

// A click on the second line of an entry is about that entry.
func TestAClickFindsTheEntryOfSeveralLines(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = actions()
	w.fleet.actions[0].Help = "open a shell on the node, and come back here to the dashboard exactly as it was before"
	w.Size(40, 10)
	w.Press("?")
	w.says("exactly as it was before")
	w.Click(14, 4)
	if len(w.Lines) != 1 || w.Lines[0] != "shell web-1" {
		t.Errorf("ran %q on\n%s", w.Lines, w.Frame())
	}
}

// What could not be read is cut on its line; all of it is one key away.
func TestWhatCouldNotBeReadIsReadInFull(t *testing.T) {
	w := newWorld(t)
	for _, region := range []string{"eu-north-1", "ap-south-1"} {
		w.fleet.source.Fail(grid.Place{Account: "123456789012", Region: region},
			fault.New(fault.Auth, "list nodes", "not authorized to perform ssm:DescribeInstanceInformation in %s", region).WithHint("ask for it in %s", region))
	}
	w.Changed("fleet")
	for _, size := range tuitest.Sizes {
		w.Size(size.Width, size.Height)
		w.says("✗ ", "@")
		w.Press("@")
		w.Type("not read")
		w.Press("enter")
		w.says("What could not be read", "ask for it in ap-south-1")
		w.Press("G")
		w.says("ask for it in eu-north-1")
		w.Press("esc", "esc", "esc")
	}
}

// On a small screen a form shows in full what the field under the cursor is for, and the
// choice under the cursor wherever the field is.
func TestAFormIsReadInFull(t *testing.T) {
	w := newWorld(t)
	w.Size(40, 10)
	hosts := []string{"one.example", "two.example", "orders-prod.cluster-c9x2k1example.us-east-1.rds.amazonaws.com:5432 postgres"}
	got := ""
	done := func(values map[string]string) tea.Cmd { got = values["to"]; return nil }
	w.Send(deck.Form{Title: "Forward", Done: done, Fields: []deck.Field{
		{Name: "script", Label: "Health", Help: "script that must succeed on every node after its installation"},
		{Name: "a", Label: "A"},
		{Name: "b", Label: "B"},
		{Name: "c", Label: "C"},
		{Name: "d", Label: "D"},
		{Name: "e", Label: "E"},
		{Name: "to", Label: "To", Choices: func(string) []string { return hosts }},
	}})
	w.says("must succeed on every node after its installation")
	w.Press("tab", "tab", "tab", "tab", "tab", "tab")
	w.says("To")
	w.Press("down", "down", "down")
	w.says("postgres")
	w.Press("enter")
	if got != hosts[2] {
		t.Errorf("it forwards to %q", got)
	}
}

// Keys that every list has stand in ? once, whatever the view says of them.
func TestHelpHasThePanesAndTheMarks(t *testing.T) {
	w := newWorld(t)
	w.Size(140, 60)
	w.Press("?")
	w.Has("tab", "the next pane, or the next list", "shift+down")
	w.Press("esc")
	w.fleet.actions = append(actions(), deck.Action{Key: "tab", Name: "next pane", Help: "go between list and node"})
	w.Press("?")
	w.Has("go between list and node")
	w.Lacks("the next pane, or the next list")
}

// What is proposed in a field with a fixed choice does not hide what else there is.
func TestAFieldShowsWhatElseThereIsToChoose(t *testing.T) {
	w := newWorld(t)
	fitting := func(typed string) (fit []string) {
		for _, c := range []string{"if-needed", "never"} {
			if strings.Contains(c, typed) {
				fit = append(fit, c)
			}
		}
		return fit
	}
	got := ""
	w.Send(deck.Form{
		Title: "Install", Fields: []deck.Field{{Name: "reboot", Label: "Reboot", Value: "if-needed", Only: true, Choices: fitting}},
		Done: func(values map[string]string) tea.Cmd { got = values["reboot"]; return nil },
	})
	w.Has("never")
	w.Press("down", "down", "enter")
	if got != "never" {
		t.Errorf("chose %q", got)
	}
}
