package pagecommands

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// asked are the messages of a command: what the page asks its root for.
func asked[T tea.Msg](t *testing.T, cmd tea.Cmd) T {
	t.Helper()
	var found []T
	var walk func(tea.Cmd)
	walk = func(c tea.Cmd) {
		if c == nil {
			return
		}
		switch m := c().(type) {
		case tea.BatchMsg:
			for _, one := range m {
				walk(one)
			}
		case T:
			found = append(found, m)
		}
	}
	walk(cmd)
	if len(found) != 1 {
		t.Fatalf("the page asked for %d of %T, want one", len(found), *new(T))
	}
	return found[0]
}

// action is what a key does now; it fails the test when it cannot be done.
func (s *screen) action(t *testing.T, key string) deck.Action {
	t.Helper()
	for _, a := range s.page.Actions() {
		if a.Key == key {
			if a.Off != "" {
				t.Fatalf("%s is off: %s", key, a.Off)
			}
			return a
		}
	}
	t.Fatalf("no action has the key %s", key)
	return deck.Action{}
}

// off is why a key does nothing now.
func (s *screen) off(key string) string {
	for _, a := range s.page.Actions() {
		if a.Key == key {
			return a.Off
		}
	}
	return "there is no such action"
}

func TestParametersAreHiddenUntilTheyAreAskedFor(t *testing.T) {
	s := opened(t, restart(false))
	for _, keys := range [][]string{nil, {"enter"}, {"esc"}} {
		s.Press(keys...)
		s.Lacks("s3cret")
	}
	plain := s.page.Plain()
	if text := fmt.Sprint(plain.Summary, plain.Items[0].Detail); strings.Contains(text, "s3cret") {
		t.Error("the plain text shows parameters")
	}
	show := asked[deck.Show](t, s.action(t, "v").Do())
	if !show.Secret || !strings.Contains(show.Text, "systemctl restart nginx --token=s3cret") {
		t.Errorf("parameters are %q", show.Text)
	}
	for _, a := range s.page.Actions() {
		if a.Off == "" && a.Key != "v" && a.Key != "!" && a.Key != "u" && a.Key != "enter" {
			if m, ok := a.Do()().(deck.Line); ok && strings.Contains(fmt.Sprint(m), "s3cret") {
				t.Errorf("%s has the parameters in its line", a.Name)
			}
		}
	}
}

func TestActionsOfABoard(t *testing.T) {
	s := opened(t, restart(true))
	line := asked[deck.Line](t, s.action(t, "R").Do())
	if got := strings.Join(line.Words, " "); got != "run rerun "+idA+" --failed --no-wait" || line.Level != deck.Change {
		t.Errorf("rerun is %q, level %d", got, line.Level)
	}
	if got := strings.Join(line.Preview, " "); got != "run rerun "+idA+" --failed --dry-run" {
		t.Errorf("its preview is %q", got)
	}
	if why := s.off("X"); !strings.Contains(why, "ended") {
		t.Errorf("cancelling an ended run: %q", why)
	}
	if why := s.off("s"); !strings.Contains(why, "several nodes") {
		t.Errorf("a shell on a fold: %q", why)
	}
	open := asked[deck.Open](t, s.action(t, "n").Do())
	if open.Page != "fleet" || open.Filter != "id=i-0010,i-0040,i-0077" {
		t.Errorf("the failed nodes are %+v", open)
	}
	if _, err := fleet.ParseFilter(open.Filter); err != nil {
		t.Errorf("the fleet does not understand it: %v", err)
	}
	s.Press("j")
	line = asked[deck.Line](t, s.action(t, "s").Do())
	if strings.Join(line.Words, " ") != "shell i-0077" || line.How != deck.OnScreen || line.At != tuitest.Place {
		t.Errorf("the shell is %+v", line)
	}
}

func TestCancelIsDisruptive(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	line := asked[deck.Line](t, s.action(t, "X").Do())
	if strings.Join(line.Words, " ") != "run cancel "+idA || line.Level != deck.Disruptive || !slices.Contains(line.Refresh, "commands") {
		t.Errorf("cancel is %+v", line)
	}
	s.Press("j")
	if why := s.off("X"); why != "it has ended: failed" {
		t.Errorf("off: %q", why)
	}
}

func TestSeveralRunsAreCancelledAtOnce(t *testing.T) {
	s := newScreen(t)
	more := commands()[1]
	more.ID = idB
	s.known(commands()[0], commands()[1], more)
	s.Press("*")
	line := asked[deck.Line](t, s.action(t, "X").Do())
	if !slices.Contains(line.Words, idA) || !slices.Contains(line.Words, idB) || len(line.Words) != 4 || line.What != "cancel 2 runs" {
		t.Errorf("the line is %+v", line)
	}
	s.Press("*", "G", "space")
	if why := s.off("X"); why != "it has ended: ok" {
		t.Errorf("off: %q", why)
	}
}

func TestRunsOfSeveralPlaces(t *testing.T) {
	s := newScreen(t)
	other := grid.Place{Account: "222222222222", Region: "us-east-1"}
	s.Deck.Where.Scopes = 2
	s.set.Commands.Set(other, []run.Command{{ID: idD, Document: "AWS-UpdateSSMAgent", State: run.Running, Requested: tuitest.Now, Targets: 9}}, tuitest.Now)
	s.known(commands()[1])
	s.Has("AWS-UpdateSSMAgent", "restart nginx")
	s.Press("*")
	var lines []deck.Line
	for _, cmd := range s.action(t, "X").Do()().(tea.BatchMsg) {
		lines = append(lines, cmd().(deck.Line))
	}
	if len(lines) != 2 || lines[0].At == lines[1].At || lines[0].What == lines[1].What {
		t.Errorf("the lines are %+v", lines)
	}
	if why := s.off("d"); why != "the two runs are in different places" {
		t.Errorf("diff over places: %q", why)
	}
	s.Press("enter")
	s.Has(other.String())
}

func TestWriteAsksForAFolder(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	s.Press("j")
	form := asked[deck.Form](t, s.action(t, "w").Do())
	if form.Fields[0].Value != "run-k3v9q2m1zt" || form.Fields[0].Check(" ") == nil {
		t.Errorf("the form is %+v", form.Fields[0])
	}
	line := asked[deck.Line](t, form.Done(map[string]string{"folder": "my folder"}))
	if !slices.Equal(line.Words, []string{"run", "show", "k3v9q2m1zt", "--out-dir", "my folder"}) || line.Level != deck.Read {
		t.Errorf("the line is %q", line.Words)
	}
}

func TestDiffOfTwoMarkedRuns(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	if why := s.off("d"); why != "mark two runs with space" {
		t.Errorf("off: %q", why)
	}
	s.Press("space", "space")
	line := asked[deck.Line](t, s.action(t, "d").Do())
	if want := "run compare k3v9q2m1zt " + idA + " --diff"; strings.Join(line.Words, " ") != want { // the older one first
		t.Errorf("diff is %q, want %q", line.Words, want)
	}
	if why := s.off("enter"); why != "" {
		t.Errorf("open is off: %s", why)
	}
}

func TestConsoleOfACommand(t *testing.T) {
	s := newScreen(t)
	s.known(commands()...)
	if got := asked[deck.Browse](t, s.action(t, "o").Do()); got.URL != "eu-west-1/run-command/"+idA {
		t.Errorf("the console is at %s", got.URL)
	}
}

func TestCancelOnOneNode(t *testing.T) {
	s := opened(t, []run.Event{node("i-0002", "", run.Running, run.NoExit, time.Second)})
	here := func() deck.Action {
		for _, a := range s.page.Actions() {
			if a.Name == "cancel here" {
				return a
			}
		}
		t.Fatal("there is no such action")
		return deck.Action{}
	}
	line := asked[deck.Line](t, here().Do())
	if strings.Join(line.Words, " ") != "command cancel "+idA+" --node i-0002" || line.Level != deck.Disruptive || line.What != "cancel it on web-2" {
		t.Errorf("the line is %+v", line)
	}
	s = opened(t, restart(true))
	s.Press("j")
	if off := here().Off; !strings.Contains(off, "it has ended there: timed out") {
		t.Errorf("off: %q", off)
	}
}
