package pageautomation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// id is the id of the n-th execution of the tests.
func id(n int) string { return fmt.Sprintf("51ab%04d-1111-4222-8333-0123456789ab", n) }

func ago(d time.Duration) time.Time { return tuitest.Now.Add(-d) }

// some are executions in all states that matter, in the order of the service.
func some() []automation.Execution {
	return []automation.Execution{
		{
			ID: id(1), Document: "restart-web", State: automation.Success, Mode: "Auto", Started: ago(3 * time.Minute), Ended: ago(2 * time.Minute),
			ExecutedBy: "arn:aws:sts::123456789012:assumed-role/ops/ann",
		},
		{
			ID: id(2), Document: "rotate-db", State: automation.Waiting, Mode: "Auto", Started: ago(12 * time.Minute), CurrentStep: "approve",
			CurrentAction: "aws:approve", ExecutedBy: "arn:aws:sts::123456789012:assumed-role/ops/björn",
		},
		{
			ID: id(3), Document: "AWS-PatchInstanceWithRollback", State: "InProgress", Mode: "Auto", Started: ago(40 * time.Second), CurrentStep: "installPatches",
			CurrentAction: "aws:runCommand", ExecutedBy: "arn:aws:iam::123456789012:user/ci",
		},
		{
			ID: id(4), Document: "サーバー-東京", State: automation.Failed, Mode: "Auto", Started: ago(26 * time.Hour), Ended: ago(26*time.Hour - 95*time.Second),
			Failure: "Step fails when it is Execute/Cancelling action.\nstop web-3: exit status 3", ExecutedBy: "arn:aws:iam::123456789012:user/eve\x1b[2J",
		},
		{
			ID: id(5), Document: "restart-all", State: "CompletedWithFailure", Started: ago(50 * time.Hour), Ended: ago(49 * time.Hour), ExecutedBy: "arn:aws:iam::123456789012:user/ci",
		},
	}
}

// rotation is what is known of the execution that waits.
func rotation() Whole {
	w := Whole{Execution: some()[1]}
	w.DocumentVersion = "3"
	w.Parameters = map[string][]string{"Database": {"shop-prod"}, "MasterPassword": {"correct horse battery"}}
	step := func(name, action string, state automation.State, from, to time.Duration) automation.Step {
		s := automation.Step{ID: "s-" + name, Name: name, Action: action, State: state, Critical: true}
		if from > 0 {
			s.Started = ago(from)
		}
		if to > 0 {
			s.Ended = ago(to)
		}
		return s
	}
	w.Steps = []automation.Step{
		step("snapshot", "aws:executeAwsApi", automation.Success, 12*time.Minute, 10*time.Minute),
		step("drain", "aws:runCommand", automation.Success, 10*time.Minute, 9*time.Minute),
		step("approve", "aws:approve", automation.Waiting, 9*time.Minute, 0),
		step("rotate", "aws:executeAutomation", "Pending", 0, 0),
		step("verify", "aws:executeScript", "Pending", 0, 0),
	}
	w.Steps[0].Inputs = map[string]string{"Service": "rds", "Api": "CreateDBSnapshot", "Note": "log in with correct horse battery"}
	w.Steps[0].Outputs = map[string][]string{"SnapshotId": {"shop-prod-2026-11-27"}}
	w.Steps[1].Outputs = map[string][]string{"CommandId": {"8f2c91d0-0000-4000-8000-000000000000"}, "Output": {"drained\n東京 done"}}
	return w
}

// overMany is what is known of the execution over several targets.
func overMany() Whole {
	w := Whole{Execution: some()[4]}
	w.TargetParameter, w.Concurrency, w.MaxErrors = "InstanceId", "2", "1"
	w.Targets = []automation.Target{{Key: "ParameterValues", Values: []string{"i-1", "i-2", "i-3"}}, {Key: "tag:env", Values: []string{"prod", "test"}}}
	w.Counts = &automation.Counts{Total: 3, Success: 2, Failed: 1}
	for i, s := range []automation.State{automation.Success, automation.Success, automation.Failed} {
		w.Children = append(w.Children, automation.Execution{
			ID: id(50 + i), Document: "restart-all", State: s, Target: fmt.Sprintf("i-%d", i+1), Started: ago(50 * time.Hour), Ended: ago(49 * time.Hour), Parent: w.ID,
		})
	}
	w.Children[2].Failure = "the node is stopped"
	return w
}

// fixture is the page with what it is made of.
type fixture struct {
	*tuitest.Screen
	t      *testing.T
	page   *Page
	set    *sources.Set
	wholes map[string]Whole
	reads  []string
	failed error
}

func open(t *testing.T, rows []automation.Execution) *fixture {
	t.Helper()
	f := &fixture{t: t, wholes: map[string]Whole{id(2): rotation(), id(5): overMany()}}
	f.set = &sources.Set{Executions: feed.NewSource(sources.Executions, func(context.Context, grid.Cell, func([]automation.Execution)) ([]automation.Execution, error) {
		return nil, nil
	})}
	f.Screen = tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		f.page = New(d, desk, f.set, Services{Read: f.read, Runbooks: f.books, Runbook: f.book})
		return []deck.Page{f.page}
	})
	if rows != nil {
		f.set.Executions.Set(tuitest.Place, rows, tuitest.Now.Add(-4*time.Second))
		f.Changed(sources.Executions)
	}
	f.Send(deck.Tick{})
	return f
}

func (f *fixture) read(_ context.Context, _ grid.Place, id string) (Whole, error) {
	f.reads = append(f.reads, id)
	if f.failed != nil {
		return Whole{}, f.failed
	}
	if w, ok := f.wholes[id]; ok {
		return w, nil
	}
	for _, e := range some() {
		if e.ID == id {
			return Whole{Execution: e}, nil
		}
	}
	return Whole{Execution: automation.Execution{ID: id, Document: "unknown", State: "InProgress"}}, nil
}

func (f *fixture) books(context.Context, grid.Place) ([]document.Summary, error) {
	return []document.Summary{{Name: "AWS-RestartEC2Instance", Owner: "Amazon"}, {Name: "rotate-db", Owner: "123456789012"}}, nil
}

func (f *fixture) book(_ context.Context, _ grid.Place, name string) (document.Document, error) {
	return document.Document{Name: name, Type: "Automation", Parameters: []document.Parameter{
		{Name: "Database", Type: document.String, Required: true, AllowedPattern: "^[a-z-]+$", Description: "which database"},
		{Name: "Mode", Type: document.String, Default: "fast", AllowedValues: []string{"fast", "slow"}},
		{Name: "Nodes", Type: document.StringList},
		{Name: "MasterPassword", Type: document.String},
	}}, nil
}

// do runs an action and returns what the page asks the root for.
func (f *fixture) do(key string) tea.Msg {
	f.t.Helper()
	for _, a := range f.page.Actions() {
		if a.Key == key || a.Name == key {
			if a.Off != "" {
				f.t.Fatalf("%s is off: %s", key, a.Off)
			}
			return asked(f.t, f.page, a.Do())
		}
	}
	f.t.Fatalf("there is no action %s", key)
	return nil
}

// asked runs a command, and gives the page its own messages, until it asks the root
// for something.
func asked(t *testing.T, p *Page, cmd tea.Cmd) tea.Msg {
	t.Helper()
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		var last tea.Msg
		for _, c := range msg {
			if m := asked(t, p, c); m != nil {
				last = m
			}
		}
		return last
	case deck.Choose, deck.Form, deck.Line, deck.Show, deck.Open, deck.Browse, deck.Copy, deck.Say, deck.Columns:
		return msg
	default:
		return asked(t, p, p.Update(msg))
	}
}

// off is why an action cannot be done.
func (f *fixture) off(key string) string {
	for _, a := range f.page.Actions() {
		if a.Key == key || a.Name == key {
			return a.Off
		}
	}
	return "there is no such action"
}

func TestGolden(t *testing.T) {
	open(t, some()).Golden("list")
	f := open(t, some())
	f.Press("enter", "j")
	f.Golden("steps")
	many := open(t, some())
	many.Press("G", "enter")
	many.Golden("targets")
}

func TestThoseThatWaitComeFirst(t *testing.T) {
	f := open(t, some())
	frame := f.Frame()
	last := -1
	for _, word := range []string{"rotate-db", "AWS-PatchInstance", "restart-web", "サーバー", "restart-all"} {
		at := strings.Index(frame, word)
		if at <= last {
			t.Fatalf("%s is not behind the one before:\n%s", word, frame)
		}
		last = at
	}
	f.Lacks("\x1b[2J")
}

func TestFilters(t *testing.T) {
	f := open(t, some())
	for filter, want := range map[string]string{
		"waiting=yes": "rotate-db", "state=failed": "サーバー-東京", "document~^restart started<1h": "restart-web", "state=waiting,inprogress by=ci": "AWS-PatchInstanceWithRollback",
		"id=" + id(5): "restart-all",
	} {
		if err := f.page.SetFilter(filter); err != nil {
			t.Errorf("%s: %v", filter, err)
		}
		var names []string
		for _, i := range f.page.list.Shown() {
			names = append(names, f.page.rows[i].Value.Document)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s shows %s, want %s", filter, got, want)
		}
	}
}

func TestNothingIsSaidOfWhatIsNotKnown(t *testing.T) {
	f := open(t, nil)
	f.Lacks("no automation")
	f.Has("loading")
	f.set.Executions.Fail(tuitest.Place, fault.New(fault.Auth, "list automations", "access denied"))
	f.Changed(sources.Executions)
	f.Has("could not be read", "access denied")
	f.set.Executions.Set(tuitest.Place, []automation.Execution{}, tuitest.Now)
	f.Changed(sources.Executions)
	f.Has("no automation was started")
}

func TestStepsFillInWhileItRuns(t *testing.T) {
	f := open(t, some())
	f.Press("enter")
	f.Has("3 approve", "Waiting", "4 rotate", "Pending", "step 3/5 approve")
	w := rotation()
	w.State, w.CurrentStep, w.CurrentAction = "InProgress", "rotate", "aws:executeAutomation"
	w.Steps[2].State, w.Steps[2].Ended = automation.Success, ago(0)
	w.Steps[3].State, w.Steps[3].Started = "InProgress", ago(0)
	w.Steps[3].Outputs = map[string][]string{"ExecutionId": {id(70)}}
	w.Children = []automation.Execution{{ID: id(70), Document: "rotate-user", State: "InProgress"}}
	f.wholes[id(2)] = w
	f.Send(deck.Tick{})
	f.Lacks("step 4/5") // it is younger than two seconds
	f.Deck.Now = f.Deck.Now.Add(3 * time.Second)
	f.Send(deck.Tick{})
	f.Has("step 4/5 rotate", "rotate-user")
	reads := len(f.reads)
	w.State = automation.Success
	f.wholes[id(2)] = w
	for range 5 {
		f.Deck.Now = f.Deck.Now.Add(3 * time.Second)
		f.Send(deck.Tick{})
	}
	if n := len(f.reads) - reads; n != 1 {
		t.Errorf("it was read %d times more, though it had ended at the first", n)
	}
}

func TestAFailedReadKeepsWhatWasThere(t *testing.T) {
	f := open(t, some())
	f.Press("enter")
	f.failed = fault.New(fault.Throttled, "get automation", "rate exceeded")
	f.Deck.Now = f.Deck.Now.Add(20 * time.Second)
	f.Send(deck.Tick{})
	f.Has("3 approve", "as of 20 s ago", "rate exceeded")
}

func TestSecretsAreHiddenUntilAskedFor(t *testing.T) {
	f := open(t, some())
	f.Size(140, 40)
	f.Press("enter")
	f.Has("MasterPassword", "hidden: v shows it", "shop-prod")
	f.Lacks("correct horse")
	f.Press("j")
	f.Has("log in with [MasterPassword]")
	shown, _ := f.do("y").(deck.Show)
	if strings.Contains(shown.Text, "correct horse") || !strings.Contains(shown.Text, "shop-prod") {
		t.Errorf("YAML is\n%s", shown.Text)
	}
	f.Press("v")
	f.Has("log in with correct horse battery")
	for _, key := range []string{"d", "y"} {
		if shown, _ := f.do(key).(deck.Show); !shown.Secret || !strings.Contains(shown.Text, "correct horse") {
			t.Errorf("%s shows, as a secret %v,\n%s", key, shown.Secret, shown.Text)
		}
	}
	f.Send(tea.BlurMsg{})
	f.Wait(31 * time.Second) // no page hears of the time while nobody looks
	f.Lacks("correct horse")
	f.Press("v")
	f.Has("log in with correct horse battery")
	f.Send(deck.Line{Words: []string{"shell", "i-1"}, At: tuitest.Place, How: deck.OnScreen})
	f.Lacks("correct horse")
}

func TestEnterGoesToWhatAStepHasStarted(t *testing.T) {
	f := open(t, some())
	f.Press("enter", "j", "j")
	if got, want := f.do("enter"), (deck.Open{Page: "commands", Filter: "id=8f2c91d0-0000-4000-8000-000000000000"}); got != want {
		t.Errorf("a step with a command asks for %+v", got)
	}
	f.Press("j")
	if show, ok := f.do("enter").(deck.Show); !ok || !strings.Contains(show.Text, "aws:approve") {
		t.Errorf("a step that has started nothing is not shown: %+v", show)
	}
	f.Press("esc", "G", "enter")
	f.Has("i-3", "the node is stopped")
	f.Press("G", "enter")
	if f.page.path[len(f.page.path)-1].id != id(52) {
		t.Errorf("what is open is %+v", f.page.path)
	}
	f.Press("esc", "esc")
	if len(f.page.path) != 0 {
		t.Errorf("after two steps back %+v is open", f.page.path)
	}
}

func TestADecisionIsACommandLine(t *testing.T) {
	f := open(t, some())
	form, ok := f.do("a").(deck.Form)
	if !ok {
		t.Fatal("no comment is asked for")
	}
	line, _ := asked(t, f.page, form.Done(map[string]string{"comment": "looks good"})).(deck.Line)
	if got, want := strings.Join(line.Words, "|"), "automation|approve|"+id(2)+"|--comment|looks good"; got != want || line.At != tuitest.Place {
		t.Errorf("got %s in %v, want %s", got, line.At, want)
	}
	form, _ = f.do("D").(deck.Form)
	line, _ = asked(t, f.page, form.Done(map[string]string{})).(deck.Line)
	if got, want := strings.Join(line.Words, " "), "automation reject "+id(2); got != want || line.Level != deck.Disruptive {
		t.Errorf("got %s, level %d; want %s", got, line.Level, want)
	}
	f.Press("j")
	if f.off("a") == "" || f.off("D") == "" || f.off("resume") == "" {
		t.Error("one that waits for nothing can be decided")
	}
}

func TestWhatAnExecutionWaitsForIsTold(t *testing.T) {
	rows := some()[1:2]
	rows[0].CurrentAction = "aws:pause"
	f := open(t, rows)
	if line, _ := f.do("resume").(deck.Line); strings.Join(line.Words, " ") != "automation resume "+id(2) {
		t.Errorf("resume is %v", line.Words)
	}
	rows = some()[1:2]
	rows[0].CurrentAction, rows[0].Mode = "aws:sleep", "Interactive"
	f = open(t, rows)
	if line, _ := f.do("next step").(deck.Line); strings.Join(line.Words, " ") != "automation start-step "+id(2) {
		t.Errorf("next step is %v", line.Words)
	}
}

func TestStopIsForAllThatAreMarkedAndRun(t *testing.T) {
	f := open(t, some())
	f.Press("*")
	choose, ok := f.do("X").(deck.Choose)
	if !ok || choose.Title != "stop 2 automations" {
		t.Fatalf("got %+v", choose)
	}
	line, _ := asked(t, f.page, choose.Done(1)).(deck.Line)
	if got, want := strings.Join(line.Words, " "), "automation stop "+id(2)+" "+id(3)+" --complete"; got != want || line.Level != deck.Disruptive {
		t.Errorf("got %s, level %d; want %s", got, line.Level, want)
	}
	f.Press("*", "G")
	if f.off("X") != "it has ended" {
		t.Errorf("one that has ended: %q", f.off("X"))
	}
}

func TestARunbookIsStartedThroughAForm(t *testing.T) {
	f := open(t, some())
	choose, ok := f.do("r").(deck.Choose)
	if !ok || choose.Entries[0].Name != "rotate-db" {
		t.Fatalf("the account's own runbooks are not first: %+v", choose)
	}
	form, ok := asked(t, f.page, choose.Done(0)).(deck.Form)
	if !ok {
		t.Fatal("no parameters are asked for")
	}
	byName := map[string]deck.Field{}
	for _, field := range form.Fields {
		byName[field.Name] = field
	}
	if !byName["MasterPassword"].Secret || !byName["Nodes"].Many || byName["Mode"].Choices("sl")[0] != "slow" || byName["Database"].Check("Shop 1") == nil || byName["Database"].Check("shop") != nil {
		t.Errorf("fields are %+v", form.Fields)
	}
	again, ok := asked(t, f.page, form.Done(map[string]string{"Mode": "slow"})).(deck.Form)
	if !ok || !strings.Contains(again.Title, "needs parameter Database") || again.Fields[1].Value != "slow" {
		t.Errorf("without what is needed: %+v", again)
	}
	line, _ := asked(t, f.page, form.Done(map[string]string{"Database": "shop", "Nodes": "i-1\n i-2 \n", "MasterPassword": "hush"})).(deck.Line)
	if got, want := strings.Join(line.Words, " "), "automation start rotate-db --param Database=shop --param Nodes=i-1 --param Nodes=i-2 --params-file -"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if string(line.Input) != `{"MasterPassword":["hush"]}` || strings.Contains(fmt.Sprint(line.Facts, line.Preview), "hush") {
		t.Errorf("the secret is not where it should be: %+v", line)
	}
	line, _ = asked(t, f.page, form.Done(map[string]string{"Nodes": "@x", overField: "Database", targetsField: "a\ntag:env=prod", concurrencyField: "10%"})).(deck.Line)
	if got, want := strings.Join(line.Words, " "), "automation start rotate-db --param Nodes=@@x --target-param Database --target a --target tag:env=prod --concurrency 10%"; got != want || line.Level != deck.Disruptive {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.Send(started{tuitest.Place, "rotate-db", deck.Result{Out: []byte(id(99) + "\n")}})
	if len(f.page.path) != 1 || f.page.path[0].id != id(99) {
		t.Errorf("what was started is not open: %+v", f.page.path)
	}
}

func TestAgainHasTheSameParameters(t *testing.T) {
	f := open(t, some())
	line, _ := f.do("R").(deck.Line)
	if got, want := strings.Join(line.Words, " "), "automation start rotate-db --doc-version 3 --param Database=shop-prod --params-file -"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if string(line.Input) != `{"MasterPassword":["correct horse battery"]}` {
		t.Errorf("the input is %s", line.Input)
	}
	f.Press("G")
	line, _ = f.do("R").(deck.Line)
	if got, want := strings.Join(line.Words, " "), "automation start restart-all --target-param InstanceId --target i-1 --target i-2 --target i-3 --target tag:env=prod,test --concurrency 2 --max-errors 1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestASecretInsideAnotherParameterIsInNoLine(t *testing.T) {
	f := open(t, some())
	w := rotation()
	w.Parameters["Command"] = []string{"mysql -p'correct horse battery' -e 'select 1'"}
	f.wholes[id(2)] = w
	line, _ := f.do("R").(deck.Line)
	if strings.Contains(fmt.Sprint(line.Words, line.Facts, line.Preview), "correct horse") || !strings.Contains(string(line.Input), "mysql") {
		t.Errorf("the line is %+v", line)
	}
}

func TestYAMLIsReadFirst(t *testing.T) {
	f := open(t, some())
	show, ok := f.do("y").(deck.Show)
	if !ok || !strings.Contains(show.Text, "shop-prod-2026-11-27") || strings.Contains(show.Text, "correct horse") {
		t.Errorf("YAML is %+v", show)
	}
}

func TestEachPlaceHasItsLine(t *testing.T) {
	other := grid.Place{Account: "210987654321", Region: "us-east-1"}
	f := open(t, some())
	f.Deck.Where.Scopes = 2
	moved := some()[1:3]
	moved[0].ID, moved[1].ID = id(20), id(30)
	f.set.Executions.Set(other, moved, tuitest.Now)
	f.Changed(sources.Executions)
	f.Size(140, 40)
	f.Has("REGION", "us-east-1")
	f.Press("*", "X", "enter", "y", "y", "y") // the second comes up under the key of the first, and is read
	want := []string{"automation stop " + id(2) + " " + id(3) + " --yes", "automation stop " + id(20) + " " + id(30) + " --yes"}
	slices.Sort(f.Lines)
	if !slices.Equal(f.Lines, want) {
		t.Errorf("got  %q\nwant %q", f.Lines, want)
	}
}

func TestMouse(t *testing.T) {
	f := open(t, some())
	f.Size(140, 40)
	f.page.Update(tea.MouseClickMsg{X: 10, Y: 3, Button: tea.MouseLeft})
	if o, _ := f.page.target(); o.document != "restart-web" {
		t.Errorf("a click on the third row chooses %s", o.document)
	}
	f.page.Update(tea.MouseClickMsg{X: 120, Y: 3, Button: tea.MouseLeft})
	if !f.page.inText {
		t.Error("a click on the text does not go there")
	}
	f.Press("esc")
	if f.page.inText {
		t.Error("esc does not go back to the list")
	}
}

func TestAnAnswerThatNobodyWaitsForIsDropped(t *testing.T) {
	f := open(t, some())
	f.page.asked = 7
	f.page.Back()
	if msg := asked(t, f.page, f.page.Update(gotBooks{asked: 7, list: []document.Summary{{Name: "x"}}})); msg != nil {
		t.Errorf("after esc the page still asks: %+v", msg)
	}
}

func TestASecretOfSeveralLinesIsHiddenInALineToo(t *testing.T) {
	f := open(t, some())
	w := rotation()
	w.Parameters = map[string][]string{"MasterPassword": {"correct  horse\nbattery"}}
	w.Children = []automation.Execution{{ID: id(9), Failure: "child: correct  horse\nbattery"}}
	w.State, w.Failure = automation.Failed, "login with correct  horse\nbattery was denied"
	w.Steps[0].State, w.Steps[0].Failure = automation.Failed, w.Failure
	f.wholes[id(2)] = w
	f.Size(140, 40)
	f.Press("enter")
	f.Has("login with [MasterPassword] was denied")
	f.Lacks("horse", "battery")
	shown, _ := f.do("y").(deck.Show)
	if strings.Contains(shown.Text, "correct  horse") || strings.Count(shown.Text, "MasterPassword] was denied") != 2 || !strings.Contains(shown.Text, "child: [MasterPassword]") {
		t.Errorf("YAML is\n%s", shown.Text)
	}
}

func TestPlainTellsTheSame(t *testing.T) {
	f := open(t, some())
	plain := f.page.Plain()
	if got := plain.Summary[0]; got != "Automations: 5, 1 running, 1 waiting for somebody" {
		t.Errorf("summary %q", got)
	}
	if got := plain.Items[0].Text; got != "rotate-db: Waiting at step approve, started 12 min ago by björn" {
		t.Errorf("first item %q", got)
	}
	f.Press("enter")
	plain = f.page.Plain()
	if got := plain.Items[2].Text; got != "3 approve: Waiting, 9 min" {
		t.Errorf("third step %q", got)
	}
	for _, l := range plain.Summary {
		if strings.Contains(l, "correct horse") {
			t.Errorf("a secret is in %q", l)
		}
	}
}
