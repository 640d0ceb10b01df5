package pagewindows

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// windowID and partID are ids of the tests.
func windowID(n int) string { return fmt.Sprintf("mw-%017d", n) }

func partID(n int) string { return fmt.Sprintf("%08d-0000-4000-8000-0123456789ab", n) }

func ago(d time.Duration) time.Time { return tuitest.Now.Add(-d) }

// whole makes a window that patches the nodes of a tag.
func whole(n int, name, schedule, zone string, env string) window.Whole {
	target := partID(100 + n)
	w := window.Whole{Window: window.Window{ID: windowID(n), Name: name, Enabled: true, Schedule: schedule, Timezone: zone, Duration: 4, Cutoff: 1}}
	w.Targets = []window.Target{{ID: target, WindowID: w.ID, Name: "all " + env, ResourceType: window.Nodes, Selectors: []window.Selector{{Key: "tag:env", Values: []string{env}}}}}
	w.Tasks = []window.Task{{
		ID: partID(200 + n), WindowID: w.ID, Name: "patch", Type: window.RunCommand, Run: "AWS-RunPatchBaseline", Priority: 1, Concurrency: "20%", MaxErrors: "5",
		Selectors: []window.Selector{{Key: window.ByWindowTarget, Values: []string{target}}},
	}}
	return w
}

// some are windows of all kinds. Now is a Friday, 14:02:31 UTC.
func some() []window.Whole {
	disabled := whole(3, "log-cleanup", "cron(30 3 ? * WED,SAT *)", "Europe/Berlin", "test")
	disabled.Enabled = false
	idle := whole(4, "サーバー東京", "cron(0 2 ? * SUN *)", "Asia/Tokyo", "nowhere")
	idle.Tasks, idle.Description = nil, "nothing\x1b[2J yet"
	once := whole(5, "moved-data-centre", "at(2026-01-01T00:00:00)", "", "prod")
	open := whole(6, "friday-noon", "cron(0 12 ? * FRI *)", "", "stage")
	return []window.Whole{
		whole(1, "sun-patch", "cron(0 2 ? * SUN *)", "America/New_York", "prod"), whole(2, "db-scan", "cron(0 6 ? * SUN *)", "", "prod"), disabled, idle, once, open,
	}
}

func nodes() (list []fleet.Node) {
	for i := range 12 {
		env := "prod"
		if i >= 9 {
			env = "stage"
		}
		list = append(list, fleet.Node{ID: fmt.Sprintf("mi-%04d", i), Name: fmt.Sprintf("web-%d", i), Tags: map[string]string{"env": env}})
	}
	return list
}

func past() []window.Execution {
	return []window.Execution{
		{ID: partID(1), WindowID: windowID(6), State: window.InProgress, Started: ago(2 * time.Hour)},
		{ID: partID(2), WindowID: windowID(6), State: window.Success, Started: ago(7*24*time.Hour + 2*time.Hour), Ended: ago(7*24*time.Hour + 90*time.Minute)},
		{ID: partID(3), WindowID: windowID(1), State: window.Failed, Details: "Errors exceeded the threshold", Started: ago(6 * 24 * time.Hour), Ended: ago(6*24*time.Hour - time.Hour)},
	}
}

// tree is the execution that runs, with so many nodes done.
func tree(done, failed int, state window.State) window.Tree {
	t := window.Tree{Execution: past()[0]}
	t.Execution.State = state
	t.Tasks = []window.TaskRow{
		{
			TaskRun: window.TaskRun{ID: partID(11), ExecutionID: t.ID, Type: window.RunCommand, Run: "AWS-RunPatchBaseline", State: state, Started: ago(2 * time.Hour)},
			Invocations: []window.InvocationRow{{
				Invocation: window.Invocation{
					ID: partID(12), Type: window.RunCommand, State: state, Started: ago(2 * time.Hour), Target: partID(106),
					Made: "8f2c91d0-0000-4000-8000-000000000000", Parameters: `{"commands":["hush"]}`,
				},
				Command: &window.Counts{Nodes: 3, Completed: done, Errors: failed},
			}},
		},
		{TaskRun: window.TaskRun{ID: partID(13), ExecutionID: t.ID, Type: window.Lambda, Run: "arn:aws:lambda:eu-west-1:123456789012:function:notify", State: window.Pending}},
	}
	return t
}

type fixture struct {
	*tuitest.Screen
	t     *testing.T
	page  *Page
	set   *sources.Set
	past  *feed.Source[window.Execution]
	trees map[string]window.Tree
	reads int
	fail  error
}

func start(t *testing.T, windows []window.Whole) *fixture {
	t.Helper()
	f := &fixture{t: t, trees: map[string]window.Tree{partID(1): tree(1, 0, window.InProgress)}}
	f.set = &sources.Set{
		Windows: feed.NewSource(sources.Windows, func(context.Context, grid.Cell, func([]window.Whole)) ([]window.Whole, error) { return nil, nil }),
		Nodes:   feed.NewSource(sources.Nodes, func(context.Context, grid.Cell, func([]fleet.Node)) ([]fleet.Node, error) { return nil, nil }),
	}
	f.past = feed.NewSource(Past, func(context.Context, grid.Cell, func([]window.Execution)) ([]window.Execution, error) {
		return nil, nil
	})
	f.Screen = tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		f.page = New(d, desk, f.set, Services{Past: f.past, Tree: func(_ context.Context, _ grid.Place, id string) (window.Tree, error) {
			f.reads++
			return f.trees[id], f.fail
		}})
		return []deck.Page{f.page}
	})
	if windows != nil {
		f.set.Windows.Set(tuitest.Place, windows, ago(4*time.Second))
		f.set.Nodes.Set(tuitest.Place, nodes(), ago(time.Minute))
		f.past.Set(tuitest.Place, past(), ago(time.Minute))
		f.Changed(sources.Windows)
	}
	f.Send(deck.Tick{})
	return f
}

// on puts the cursor on a window.
func (f *fixture) on(name string) {
	f.t.Helper()
	for _, e := range f.page.entries {
		if e.Name == name && f.page.list.Select(e.key) {
			f.Send(deck.Tick{}) // what is drawn is kept until something happens
			return
		}
	}
	f.t.Fatalf("there is no window %s", name)
}

// do runs an action and returns what the page asks the root for.
func (f *fixture) do(key string) tea.Msg {
	f.t.Helper()
	for _, a := range f.page.Actions() {
		if a.Key == key || a.Name == key {
			if a.Off != "" {
				f.t.Fatalf("%s is off: %s", key, a.Off)
			}
			return asked(a.Do())
		}
	}
	f.t.Fatalf("there is no action %s", key)
	return nil
}

// asked is the last message of a command.
func asked(cmd tea.Cmd) tea.Msg {
	if cmd == nil {
		return nil
	}
	return cmd()
}

func (f *fixture) off(key string) string {
	for _, a := range f.page.Actions() {
		if a.Key == key {
			return a.Off
		}
	}
	return "there is no such action"
}

func words(msg tea.Msg) string {
	line, _ := msg.(deck.Line)
	return strings.Join(line.Words, " ")
}

func TestGolden(t *testing.T) {
	start(t, some()).Golden("list")
	f := start(t, some())
	f.on("friday-noon")
	f.Press("enter", "j", "j", "j")
	f.Golden("open")
	start(t, []window.Whole{}).Golden("empty")
}

func TestTimesAreInTheZoneOfTheWindow(t *testing.T) {
	f := start(t, some())
	f.Size(200, 60)
	f.on("sun-patch")
	f.Has("Sun 29 Nov 02:00 EST", "in 1 d 16 h", "Sun 29 Nov 07:00 UTC", "9") // the zone's own time, the reader's, the nodes of the tag
	f.Has("Sun 29 Nov 06:00 UTC", "never", "times in UTC")
}

func TestOpenWindowsComeFirst(t *testing.T) {
	f := start(t, some())
	frame := f.Frame()
	last := -1
	for _, name := range []string{"friday-noon", "サーバー東京", "db-scan", "sun-patch", "log-cleanup", "moved-data-centre"} {
		at := strings.Index(frame, name)
		if at <= last {
			t.Fatalf("%s is not behind the one before:\n%s", name, frame)
		}
		last = at
	}
	f.Has("open, 1 h 57 min left", "disabled", "in progress, 2 h ago")
}

func TestFilters(t *testing.T) {
	f := start(t, some())
	for filter, want := range map[string]string{
		"state=enabled next<2d": "サーバー東京 db-scan sun-patch", "state=disabled": "log-cleanup", "open=yes": "friday-noon", "nodes>5 name~^s": "sun-patch",
		"result=none": "", windowID(2): "db-scan", "findings>1": "log-cleanup", "last~failed": "sun-patch",
	} {
		if filter == "result=none" {
			if f.page.SetFilter(filter) == nil {
				t.Error("a key that no column has is taken")
			}
			continue
		}
		if err := f.page.SetFilter(filter); err != nil {
			t.Errorf("%s: %v", filter, err)
		}
		var names []string
		for _, i := range f.page.list.Shown() {
			names = append(names, f.page.entries[i].Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s shows %s, want %s", filter, got, want)
		}
	}
}

func TestWhatIsTheMatterIsSaid(t *testing.T) {
	f := start(t, some())
	f.Size(140, 40)
	f.on("サーバー東京")
	f.Has("it has no task", `nothing\x1b[2J yet`)
	f.on("sun-patch")
	f.Has("with db-scan: both are open on 9 nodes")
	f.on("moved-data-centre")
	f.Has("has no run any more")
}

func TestNothingIsSaidOfNodesThatAreNotKnown(t *testing.T) {
	f := start(t, nil)
	f.Has("loading")
	f.Lacks("there is no maintenance window")
	f.set.Windows.Set(tuitest.Place, some(), tuitest.Now)
	f.Changed(sources.Windows)
	f.Size(140, 40)
	f.on("friday-noon")
	f.Has("not known yet", "not known")
	f.Lacks("match no managed node", "none yet")
	f.set.Windows.Set(tuitest.Place, []window.Whole{}, tuitest.Now)
	f.Changed(sources.Windows)
	f.Has("there is no maintenance window")
}

func TestFailuresAreShown(t *testing.T) {
	f := start(t, nil)
	f.set.Windows.Fail(tuitest.Place, fault.New(fault.Auth, "list maintenance windows", "access denied"))
	f.Changed(sources.Windows)
	f.Has("could not be read", "access denied")
}

func TestAnExecutionFillsIn(t *testing.T) {
	f := start(t, some())
	f.on("friday-noon")
	f.Press("enter")
	f.Has("Fri 27 Nov 12:02 UTC", "in progress", "patch (AWS-RunPatchBaseline)", "on all stage", "1 of 3 nodes done", "notify", "pending")
	f.Lacks("hush")
	f.trees[partID(1)] = tree(2, 1, window.InProgress)
	f.Deck.Now = f.Deck.Now.Add(5 * time.Second)
	f.Send(deck.Tick{})
	f.Has("2 of 3 nodes done, 1 failed")
	f.trees[partID(1)] = tree(3, 0, window.Success)
	f.Deck.Now = f.Deck.Now.Add(5 * time.Second)
	f.Send(deck.Tick{})
	f.Has("3 of 3 nodes done")
	reads := f.reads
	for range 5 {
		f.Deck.Now = f.Deck.Now.Add(5 * time.Second)
		f.Send(deck.Tick{})
	}
	if f.reads != reads {
		t.Errorf("an execution that has ended was read %d times more", f.reads-reads)
	}
	f.Press("j", "j", "j")
	if got, want := f.do("enter"), (deck.Open{Page: "commands", Filter: "id=8f2c91d0-0000-4000-8000-000000000000"}); got != want {
		t.Errorf("an invocation leads to %+v", got)
	}
	f.Press("k", "k", "enter")
	f.Lacks("3 of 3 nodes done")
}

// A list of executions that is cut says so, and where the rest is.
func TestThatThereAreOlderExecutionsIsSaid(t *testing.T) {
	f := start(t, some())
	f.Size(140, 40)
	for _, n := range []int{MostPast, MostPast + 1} {
		var ran []window.Execution
		for i := range n {
			began := ago(time.Duration(24*(i+1)) * time.Hour)
			ran = append(ran, window.Execution{ID: partID(300 + i), WindowID: windowID(1), State: window.Success, Started: began, Ended: began.Add(time.Hour)})
		}
		f.past.Set(tuitest.Place, ran, ago(time.Minute))
		f.Changed(Past)
		f.on("sun-patch")
		f.Press("enter")
		if got := strings.Contains(f.Frame(), "older: ssmdeck window execution list "); got != (n > MostPast) {
			t.Errorf("with %d executions it says %v that there are older ones:\n%s", n, got, f.Frame())
		}
		f.Press("G", "esc") // nothing is to be done with that row
	}
}

func TestExecutionsAreReadOftenWhileAWindowRunsOnly(t *testing.T) {
	every := func(f *fixture) time.Duration {
		for _, w := range f.page.Wants() {
			if w.Feed.Name() == Past {
				return w.Every
			}
		}
		t.Fatal("the executions are not wanted")
		return 0
	}
	f := start(t, some())
	if got := every(f); got != openAge {
		t.Errorf("while one runs every %s", got)
	}
	f.past.Set(tuitest.Place, past()[1:], tuitest.Now)
	f.Send(deck.Tick{})
	if got := every(f); got != pastAge { // open since two hours, and nothing began
		t.Errorf("while nothing happens every %s", got)
	}
	f.Deck.Now = time.Date(2026, 11, 29, 6, 1, 0, 0, time.UTC) // db-scan has opened
	f.Send(deck.Tick{})
	if got := every(f); got != openAge {
		t.Errorf("when one has just opened every %s", got)
	}
}

func TestAFailedReadOfAnExecutionIsToldWithItsAge(t *testing.T) {
	f := start(t, some())
	f.Size(140, 40)
	f.on("friday-noon")
	f.Press("enter", "j")
	f.fail = fault.New(fault.Throttled, "get execution", "rate exceeded")
	f.Deck.Now = f.Deck.Now.Add(20 * time.Second)
	f.Send(deck.Tick{})
	f.Has("1 of 3 nodes done", "as of 20 s ago", "rate exceeded")
}

func TestSwitchingIsACommandLine(t *testing.T) {
	f := start(t, some())
	f.on("sun-patch")
	if got, want := words(f.do("E")), "window disable "+windowID(1); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f.on("log-cleanup")
	line, _ := f.do("E").(deck.Line)
	if got, want := strings.Join(line.Words, " "), "window enable "+windowID(3); got != want || line.Facts[0].Value != "opens Sat 28 Nov 03:30 CET" {
		t.Errorf("got %s, %+v; want %s", got, line.Facts, want)
	}
}

func TestCancelIsForWhatRuns(t *testing.T) {
	f := start(t, some())
	f.on("sun-patch")
	if f.off("X") != "nothing runs in it" {
		t.Errorf("where nothing runs: %q", f.off("X"))
	}
	f.on("friday-noon")
	line, _ := f.do("X").(deck.Line)
	if got, want := strings.Join(line.Words, " "), "window execution cancel "+partID(1); got != want || line.Level != deck.Disruptive {
		t.Errorf("got %s, want %s", got, want)
	}
	f.Press("enter", "G")
	if f.off("X") == "" {
		t.Error("an execution that has ended can be cancelled")
	}
}

func TestEditSendsOnlyWhatDiffers(t *testing.T) {
	f := start(t, some())
	f.on("sun-patch")
	form, _ := f.do("e").(deck.Form)
	values := map[string]string{}
	for _, field := range form.Fields {
		values[field.Name] = field.Value
		if err := field.Check(field.Value); err != nil {
			t.Errorf("%s is not taken as it is: %v", field.Name, err)
		}
	}
	if err := form.Fields[0].Check("cron(0 2 ? * SOON *)"); err == nil {
		t.Error("a schedule that is none is taken")
	}
	if err := form.Fields[1].Check("Europe/Atlantis"); err == nil {
		t.Error("a zone that is none is taken")
	}
	if say, ok := asked(form.Done(values)).(deck.Say); !ok || say.Text != "nothing was changed" {
		t.Error("a line runs though nothing was changed")
	}
	values["schedule"], values["description"] = "rate(7 days)", "often"
	line, _ := asked(form.Done(values)).(deck.Line)
	want := "window update " + windowID(1) + " --schedule=rate(7 days) --description=often"
	if got := strings.Join(line.Words, " "); got != want || strings.Join(line.Preview, " ") != want+" --dry-run" {
		t.Errorf("got %s, preview %v; want %s", got, line.Preview, want)
	}
}

func TestWhatReadsIsALineToo(t *testing.T) {
	f := start(t, some())
	f.on("sun-patch")
	for key, want := range map[string]string{
		"N": "window preview " + windowID(1), "y": "window export " + windowID(1), "coverage": "window coverage", "L": "window execution output " + partID(3),
	} {
		if got := words(f.do(key)); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	form, _ := f.do("x").(deck.Form)
	if got, want := words(asked(form.Done(map[string]string{"file": "a b.ics", "days": "30"}))), "window calendar "+windowID(1)+" --days 30 --ics a b.ics"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	browse, _ := f.do("o").(deck.Browse)
	if !strings.Contains(browse.URL, "eu-west-1.console.aws.amazon.com") || !strings.Contains(browse.URL, windowID(1)) {
		t.Errorf("the console's page is %s", browse.URL)
	}
}

func TestACalendarLeavesNoMarkedWindowOutUnsaid(t *testing.T) {
	f := start(t, some())
	f.set.Windows.Set(grid.Place{Account: "222222222222", Region: "us-east-1"}, some()[:1], tuitest.Now)
	f.Deck.Where.Scopes = 2
	f.Changed(sources.Windows)
	f.Press("*")
	if say, ok := f.do("x").(deck.Say); !ok || say.Err == nil || fault.HintOf(say.Err) == "" {
		t.Errorf("windows of two places: %+v", say)
	}
}

func TestAWindowThatIsGoneCloses(t *testing.T) {
	f := start(t, some())
	f.on("friday-noon")
	f.Press("enter")
	f.set.Windows.Set(tuitest.Place, some()[:2], tuitest.Now)
	f.Changed(sources.Windows)
	f.Has("sun-patch", "db-scan")
	f.Lacks("friday-noon")
}

func TestPlainTellsTheSame(t *testing.T) {
	f := start(t, some())
	plain := f.page.Plain()
	if got := plain.Summary[0]; got != "Maintenance windows: 6, 1 open, 1 disabled" {
		t.Errorf("summary %q", got)
	}
	if got := plain.Items[3].Text; got != "sun-patch: enabled, in 1 d 16 h, Sun 29 Nov 02:00 EST. Result: failed, 6 d ago. 1 finding." {
		t.Errorf("item %q", got)
	}
	f.on("friday-noon")
	f.Press("enter")
	if got := f.page.Plain().Items[2].Text; got != "on all stage: in progress, 1 of 3 nodes done" && !strings.Contains(got, "on all stage") {
		t.Errorf("part %q", got)
	}
}

// An execution in a state of tomorrow does not say that its window is open, and what AWS
// does not say is not made up.
func TestStrangeAnswers(t *testing.T) {
	windows := some()[:2]
	windows[0].Enabled, windows[1].Duration, windows[1].Cutoff = false, 0, 0
	f := start(t, windows)
	f.past.Set(tuitest.Place, []window.Execution{
		{ID: partID(1), WindowID: windowID(1), State: "PONDERING", Started: ago(2 * time.Hour)},
		{ID: partID(2), WindowID: windowID(2)},
	}, ago(time.Minute))
	f.Changed(Past)
	f.Send(deck.Tick{})
	plain := f.page.Plain()
	if got := plain.Summary[0]; got != "Maintenance windows: 2, 0 open, 1 disabled" {
		t.Error(got)
	}
	text := fmt.Sprint(plain.Items)
	for _, want := range []string{"Result: pondering, 2 h ago.", "Result: not known.", "Open for: not known", "how long it is open is not known"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q", text, want)
		}
	}
}
