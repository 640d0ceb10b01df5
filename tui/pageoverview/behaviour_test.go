package pageoverview

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// landing is a page that remembers with what it was opened.
type landing struct {
	id     string
	filter string
	shown  int
}

func (l *landing) ID() string                { return l.id }
func (l *landing) Title() string             { return l.id }
func (l *landing) SetSize(int, int)          { l.shown++ }
func (l *landing) View() string              { return l.id + " filter:" + l.filter }
func (l *landing) Update(tea.Msg) tea.Cmd    { return nil }
func (l *landing) Wants() []feed.Want        { return nil }
func (l *landing) Actions() []deck.Action    { return nil }
func (l *landing) SetFilter(f string) error  { l.filter = f; return nil }
func (l *landing) Filter() string            { return l.filter }
func (l *landing) Back() bool                { return false }
func (l *landing) Status() deck.Status       { return deck.Status{} }
func (l *landing) Layout() json.RawMessage   { return nil }
func (l *landing) SetLayout(json.RawMessage) {}
func (l *landing) Plain() deck.Plain         { return deck.Plain{} }

// world is a dashboard of the page and of others that it can go to.
func world(t *testing.T, set *sources.Set) (*tuitest.Screen, *Page, map[string]*landing) {
	t.Helper()
	var page *Page
	others := map[string]*landing{}
	s := tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		page = New(d, desk, set, Services{Console: func(at grid.Place) string { return "https://console/" + at.Region }})
		all := []deck.Page{page}
		for _, id := range []string{"fleet", "patch", "commands", "sessions", "parameters", "automation", "windows"} {
			others[id] = &landing{id: id}
			all = append(all, others[id])
		}
		return all
	})
	return s, page, others
}

func filled(t *testing.T) (*tuitest.Screen, *Page, map[string]*landing, *sources.Set) {
	t.Helper()
	set := emptySet()
	fill(set)
	s, p, others := world(t, set)
	return s, p, others, set
}

// choose puts the cursor on the line that has a text.
func choose(t *testing.T, p *Page, text string) line {
	t.Helper()
	for _, panel := range p.panels {
		for _, l := range panel.lines {
			if strings.Contains(l.sentence(), text) {
				p.at, p.moved = place{panel.title, l.key}, true
				return l
			}
		}
	}
	t.Fatalf("no line has %q", text)
	return line{}
}

func TestEveryNumberOpensThePageBehindIt(t *testing.T) {
	s, p, others, _ := filled(t)
	for _, c := range []struct{ text, page, filter string }{
		{"14 nodes connection lost", "fleet", "ping=lost"},
		{"10 nodes inactive", "fleet", "ping=inactive"},
		{"192 nodes with an agent before", "fleet", "agent<3.3.4851.0"},
		{"37 nodes miss critical", "patch", "critical>0"},
		{"112 nodes miss security", "patch", "security>0"},
		{"5 patched, reboot pending", "patch", "reboot>0"},
		{"never scanned for patches", "patch", "status=never-scanned"},
		{"東京 87", "patch", "group=東京"},
		{"2 nodes whose last patch scan failed", "patch", "state='scan failed'"},
		{"1 node whose last patch install failed", "patch", "state='install failed'"},
		{"1 automation waits", "automation", "waiting=yes"},
		{"東京 deploy", "commands", "id=r-20261127-1"},
		{"812/1,100", "commands", "id=8f2c91d0-1111-4222-8333-444455556666"},
		{"/pay/prod/key expires", "parameters", "expires<7d"},
		{"sun-patch", "windows", "id=mw-1"},
		{"window no-targets", "windows", "id=mw-4"},
		{"2 sessions open", "sessions", "active:"},
		{"2 forwards", "sessions", "forwards:"},
	} {
		choose(t, p, c.text)
		s.Press("enter")
		if got := others[c.page]; got.shown == 0 || got.filter != c.filter {
			t.Errorf("%q opens %s with %q (shown %d times), want %q", c.text, c.page, got.filter, got.shown, c.filter)
		}
		others[c.page].shown = 0
		s.Press("1")
	}
}

// The nodes in no group, and those of a group whatever its name is made of.
func TestAGroupOpensItsNodesAlone(t *testing.T) {
	s, p, others, set := filled(t)
	for group, filter := range map[string]string{"": "!group~.", "web,prod": "group~'^web,prod$'", "a b": "group='a b'"} {
		nodes := testPatches(testNodes(2))
		for i := range nodes {
			nodes[i].Patch.Group = group
		}
		set.Patches.Set(tuitest.Place, nodes, tuitest.Now)
		s.Changed(sources.Patches)
		choose(t, p, cmp.Or(group, "(no group)"))
		s.Press("enter")
		if got := others["patch"].filter; got != filter {
			t.Errorf("group %q opens %q, want %q", group, got, filter)
		}
		s.Press("1")
	}
}

// An instance that was stopped is not lost as others are: the page Fleet calls it stopped.
func TestStoppedInstancesAreToldApart(t *testing.T) {
	s, p, _, set := filled(t)
	nodes := testNodes(1204)
	for i := range 5 { // lost, all of them
		nodes[i].State = "stopped"
	}
	set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	s.Changed(sources.Nodes)
	if l := choose(t, p, "14 nodes connection lost, 5 of them stopped"); l.rows != 14 || l.level != theme.Bad {
		t.Errorf("%+v", l)
	}
	set.Nodes.Set(tuitest.Place, nodes[:5], tuitest.Now)
	s.Changed(sources.Nodes)
	if l := choose(t, p, "5 nodes connection lost, stopped"); l.rows != 5 || l.level == theme.Bad {
		t.Errorf("%+v", l)
	}
}

// Agents of Linux and Windows are released apart: those of one are not behind those of
// the other. What the service says of an agent on another page counts here, too.
func TestAgentsAreBehindByPlatform(t *testing.T) {
	s, p, _, set := filled(t)
	nodes := testNodes(1204)
	for i := range 100 {
		nodes[i].Platform, nodes[i].AgentVersion = "windows", "3.3.1.0"
	}
	set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	s.Changed(sources.Nodes)
	if l := choose(t, p, "192 nodes with an agent that is behind"); l.open.Filter != "platform=linux agent<3.3.4851.0 | platform=windows agent<3.3.1.0" {
		t.Errorf("it opens %q", l.open.Filter)
	}
	no := false
	set.AgentNews.Learn(fleet.Node{Platform: "linux", AgentVersion: "3.3.4851.0", AgentLatest: &no})
	s.Changed(sources.Nodes)
	if l := choose(t, p, "1,104 nodes with an agent that is behind"); l.open.Filter != "platform=linux agent<=3.3.4851.0 | platform=windows agent<3.3.1.0" {
		t.Errorf("it opens %q", l.open.Filter)
	}
}

func TestWhatIsNotKnownIsNotZero(t *testing.T) {
	set := emptySet()
	s, _, _ := world(t, set)
	s.Has("not read yet: nodes, patches", "commands: not read yet", "sessions: not read yet")
	s.Lacks("0 nodes", "0 sessions", "0 %", "Needs attention\n  nothing")

	set.Nodes.Fail(tuitest.Place, errors.New("the network is down"))
	s.Changed(sources.Nodes)
	s.Has("nodes cannot be read: the network", "cannot be read: the network is")

	set.Nodes.Set(tuitest.Place, nil, tuitest.Now)
	s.Changed(sources.Nodes)
	s.Has("Fleet 0 nodes", "no managed node here")
}

func TestNothingNeedsAttention(t *testing.T) {
	set := emptySet()
	nodes := testNodes(40)[24:30]
	set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	patched := testPatches(append(nodes[:0:0], nodes...))
	for i := range patched {
		patched[i].Patch.Missing, patched[i].Patch.Critical = 0, 0
	}
	set.Patches.Set(tuitest.Place, patched, tuitest.Now)
	for _, empty := range []func(){
		func() { set.Commands.Set(tuitest.Place, nil, tuitest.Now) }, func() { set.Executions.Set(tuitest.Place, nil, tuitest.Now) },
		func() { set.Sessions.Set(tuitest.Place, nil, tuitest.Now) }, func() { set.Windows.Set(tuitest.Place, nil, tuitest.Now) },
		func() { set.Parameters.Set(tuitest.Place, nil, tuitest.Now) }, func() { set.Forwards.Set(grid.Place{}, nil, tuitest.Now) },
		func() { set.Attempts.Set(tuitest.Place, nil, tuitest.Now) },
	} {
		empty()
	}
	s, p, _ := world(t, set)
	if got := p.panels[2]; got.say != "nothing" || len(got.lines) != 0 {
		t.Errorf("needs attention: %+v", got)
	}
	s.Has("no command and no automation", "100 %", "no maintenance window")

	windows := testWindows()[:1]
	windows[0].Enabled = false
	set.Windows.Set(tuitest.Place, windows, tuitest.Now)
	s.Changed(sources.Windows)
	s.Has("no window opens any more")
}

func TestCommandsOfARunAreOne(t *testing.T) {
	now := tuitest.Now
	rows := []grid.Row[run.Command]{}
	for i := range 3 {
		rows = append(rows, grid.Row[run.Command]{Place: tuitest.Place, Value: run.Command{
			ID: fmt.Sprint(i), RunID: "r-1", State: run.Running, Requested: now.Add(-time.Duration(i) * time.Minute), Targets: 50, Completed: 10, Errors: i, DeliveryTimedOut: 1,
		}})
	}
	rows = append(rows, grid.Row[run.Command]{Place: elsewhere, Value: run.Command{ID: "x", RunID: "r-1", State: run.Success, Requested: now, Targets: 1, Completed: 1}})
	c := countRuns(rows, now)
	if c.running != 1 || len(c.active) != 1 || len(c.failed) != 1 {
		t.Fatalf("%+v", c)
	}
	if s := c.active[0]; s.targets != 150 || s.completed != 30 || s.errors != 6 || !s.requested.Equal(now.Add(-2*time.Minute)) {
		t.Errorf("the run is %+v", s)
	}
	if late := countRuns(rows, now.Add(lately)); len(late.failed) != 0 {
		t.Errorf("after %s its failures still count: %+v", lately, late.failed)
	}
}

func TestTheCursorStaysWithItsLine(t *testing.T) {
	s, p, _, set := filled(t)
	choose(t, p, "112 nodes miss security")
	set.Nodes.Set(tuitest.Place, testNodes(1204)[24:], tuitest.Now) // nobody lost: lines above go away
	s.Changed(sources.Nodes)
	if l, _ := p.current(); l.key != "security" {
		t.Errorf("the cursor is on %q", l.key)
	}
	choose(t, p, "agent before")
	set.Nodes.Set(tuitest.Place, testNodes(1204)[24:30], tuitest.Now)
	s.Changed(sources.Nodes)
	if _, ok := p.current(); !ok {
		t.Error("the cursor is nowhere when its line is gone")
	}
}

func TestKeysReachEveryLine(t *testing.T) {
	for _, size := range tuitest.Sizes {
		s, p, _, _ := filled(t)
		s.Size(size.Width, size.Height)
		s.Press("g")
		var seen []place
		for range p.lines() {
			if !strings.Contains(s.Frame(), s.Deck.Styles.Glyphs.Pointer) {
				t.Errorf("%dx%d: the cursor on %v is not on the screen:\n%s", size.Width, size.Height, p.at, s.Frame())
			}
			seen = append(seen, p.at)
			s.Press("j")
		}
		if !slices.Equal(seen, p.lines()) {
			t.Errorf("%dx%d: j went over %v, want %v", size.Width, size.Height, seen, p.lines())
		}
		s.Press("g")
		var titles []string
		for range p.panels {
			titles = append(titles, p.at.panel)
			s.Press("tab")
		}
		if slices.Sort(titles); len(slices.Compact(titles)) != len(p.panels) {
			t.Errorf("%dx%d: tab went over %v", size.Width, size.Height, titles)
		}
	}
}

func TestClickChoosesAndOpens(t *testing.T) {
	s, p, others, _ := filled(t)
	s.Frame()
	i := slices.IndexFunc(p.hits, func(h hit) bool { return h.at.line == "reboot pending" })
	if i < 0 {
		t.Fatal("the line is not on the screen")
	}
	h := p.hits[i]
	click := tea.MouseClickMsg{X: h.x + 3, Y: h.y, Button: tea.MouseLeft}
	p.Update(click)
	if p.at != h.at {
		t.Fatalf("the cursor is on %v", p.at)
	}
	if cmd := p.Update(click); cmd == nil {
		t.Error("the second click opens nothing")
	} else {
		s.Send(cmd())
	}
	if others["patch"].filter != "reboot>0" {
		t.Errorf("patch has the filter %q", others["patch"].filter)
	}
	before := p.at
	p.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if p.at == before {
		t.Error("the wheel moves nothing")
	}
}

func TestFilterAndBack(t *testing.T) {
	s, p, _, _ := filled(t)
	all := len(p.lines())
	if err := p.SetFilter("critical"); err != nil {
		t.Fatal(err)
	}
	if n := len(p.lines()); n == 0 || n >= all {
		t.Errorf("%d lines of %d fit", n, all)
	}
	s.Has("critical missing", "nothing matches")
	if !p.Back() || p.Back() || len(p.lines()) != all {
		t.Error("back does not clear the filter once")
	}
}

func TestCopyIsACommandLine(t *testing.T) {
	_, p, _, _ := filled(t)
	choose(t, p, "192 nodes with an agent")
	for _, a := range p.Actions() {
		if a.Key != "c" {
			continue
		}
		got, ok := a.Do()().(deck.Copy)
		if want := "ssmdeck ls --filter \"agent<3.3.4851.0\""; !ok || got.Text != want {
			t.Errorf("copied %q, want %q", got.Text, want)
		}
	}
}

func TestPlainSaysEverything(t *testing.T) {
	_, p, _, _ := filled(t)
	plain := p.Plain()
	if len(plain.Items) != len(p.lines()) {
		t.Errorf("%d items for %d lines", len(plain.Items), len(p.lines()))
	}
	for _, item := range plain.Items {
		if strings.ContainsAny(item.Text, "\x1b▸│─█") {
			t.Errorf("%q is not plain", item.Text)
		}
	}
	item := plain.Items[0]
	item.Choose()
	if l, ok := p.current(); !ok || !strings.Contains(item.Text, l.text) {
		t.Errorf("the choice of %q put the cursor on %q", item.Text, l.text)
	}
}

func TestUrgencyComesFirst(t *testing.T) {
	_, p, _, _ := filled(t)
	last := -1
	for _, l := range p.panels[2].lines {
		if u := urgency(l.level); u < last {
			t.Errorf("%q comes after what is less urgent", l.text)
		} else {
			last = u
		}
	}
	if urgency(theme.Bad) > urgency(theme.Warn) || urgency(theme.Warn) > urgency(theme.Unknown) {
		t.Error("the order of levels is wrong")
	}
}

func TestCommandsAreReadFasterWhileOneRuns(t *testing.T) {
	set := emptySet()
	_, p, _ := world(t, set)
	every := func() time.Duration {
		for _, w := range p.Wants() {
			if w.Feed.Name() == sources.Commands {
				return w.Every
			}
		}
		return 0
	}
	idle := every()
	fill(set)
	p.Update(feed.Changed{Feed: sources.Commands})
	if busy := every(); busy >= idle || busy == 0 {
		t.Errorf("every %s while a command runs, every %s else", busy, idle)
	}
}

func TestAWindowOpensWhenItsTimeComes(t *testing.T) {
	s, p, _, _ := filled(t)
	s.Has("sun-patch         in 3h57m")
	s.Deck.Now = time.Date(2026, 11, 27, 17, 59, 50, 0, time.UTC)
	p.Update(deck.Tick{})
	if l := choose(t, p, "sun-patch"); l.value != "in 10s, 1,204 nodes" {
		t.Errorf("ten seconds before: %q", l.value)
	}
	s.Deck.Now = s.Deck.Now.Add(10 * time.Second)
	p.Update(deck.Tick{})
	if l := choose(t, p, "sun-patch"); l.value != "open, until 21:00, 1,204 nodes" {
		t.Errorf("at its time: %q", l.value)
	}
}

func TestManyFailedCommandsAreANumber(t *testing.T) {
	set := emptySet()
	var all []run.Command
	for i := range 5 {
		all = append(all, run.Command{
			ID: fmt.Sprintf("aaaa000%d-1111-4222-8333-444455556666", i), Document: "AWS-RunShellScript", Comment: fmt.Sprintf("job %d", i), State: run.Failed,
			Requested: tuitest.Now.Add(-time.Hour), Targets: 9, Completed: 9, Errors: i + 1,
		})
	}
	set.Commands.Set(tuitest.Place, all, tuitest.Now)
	s, p, others := world(t, set)
	s.Has("job 4 failed on 5 nodes", "job 3 failed on 4 nodes") // the worst by name
	s.Lacks("job 0 failed")
	choose(t, p, "5 commands with failures in the last 6 h")
	s.Press("enter")
	if got := others["commands"].filter; got != "failed>0 age<6h" {
		t.Errorf("commands is filtered by %q", got)
	}
}

func TestItFitsEverySize(t *testing.T) {
	_, p, _, _ := filled(t)
	for width := 1; width <= 210; width += 7 {
		for _, height := range []int{1, 2, 3, 4, 6, 8, 11, 15, 19, 24, 35, 60} {
			p.SetSize(width, height)
			for range 3 {
				p.jump(1)
				lines := strings.Split(p.View(), "\n")
				if len(lines) > height {
					t.Fatalf("%dx%d: %d lines", width, height, len(lines))
				}
				shown := false
				for _, l := range lines {
					if w := ansi.StringWidth(l); w > width {
						t.Fatalf("%dx%d: a line of %d cells: %q", width, height, w, l)
					}
					shown = shown || strings.Contains(l, p.deck.Styles.Glyphs.Pointer)
				}
				if !shown && width >= 10 && height >= 3 {
					t.Fatalf("%dx%d: the cursor on %v is not on the screen:\n%s", width, height, p.at, strings.Join(lines, "\n"))
				}
			}
		}
	}
}

// What is known in part is not said to be not read, and what came of a load that goes
// on is not said to be all.
func TestKnownInPart(t *testing.T) {
	set := emptySet()
	fill(set)
	set.Nodes.Fail(tuitest.Place, &feed.Partly{Err: errors.New("tags of 3 nodes: access denied")})
	s, _ := screen(t, set)
	s.Size(140, 40)
	s.Has("nodes known in part: tags of 3 nodes")
	s.Lacks("nodes cannot be read", "are kept")
	set.Patches.Fail(tuitest.Place, errors.New("refused"))
	s.Changed(sources.Patches)
	s.Has("✗ eu-west-1: refused (+1 more) (rows of 1 min ago are kept)")
	set.Commands.Set(tuitest.Place, nil, tuitest.Now)
	set.Executions.Set(tuitest.Place, nil, tuitest.Now)
	set.Commands.Fail(elsewhere, errors.New("denied"))
	s.Changed(sources.Commands)
	s.Has("no command and no automation (1/2 places)")
}

// Nodes whose patches cannot be read are in no number, and numbers say so.
func TestUnknownPatchesAreNotZero(t *testing.T) {
	set := emptySet()
	fill(set)
	nodes := testPatches(testNodes(4))
	for i := range nodes {
		nodes[i].Patch, nodes[i].Unknown = nil, []string{"patch"}
	}
	set.Patches.Set(tuitest.Place, nodes, tuitest.Now)
	s, page := screen(t, set)
	text := func() string {
		var b strings.Builder
		for _, item := range page.Plain().Items {
			b.WriteString(item.Text + "\n")
		}
		return b.String()
	}
	for _, want := range []string{"critical missing not known\n", "never scanned not known\n"} {
		if !strings.Contains(text(), want) {
			t.Errorf("%q is not said:\n%s", want, text())
		}
	}
	some := testPatches(testNodes(160))
	for i := range 30 {
		some[i].Patch, some[i].Unknown = nil, []string{"patch"}
	}
	set.Patches.Set(tuitest.Place, some, tuitest.Now)
	s.Changed(sources.Patches)
	if want := "critical missing 7 of 130 known\n"; !strings.Contains(text(), want) {
		t.Errorf("%q is not said:\n%s", want, text())
	}
	if want := " % of 130 known"; !strings.Contains(strings.Join(page.Plain().Summary, "\n"), want) {
		t.Errorf("the share does not say of what: %q", page.Plain().Summary)
	}
}

// What is copied goes where the number is from.
func TestCopiedLinesGoWhereTheThingsAre(t *testing.T) {
	set := emptySet()
	fill(set)
	s, page := screen(t, set)
	s.Deck.Flags = func(at grid.Place) []string {
		if at == (grid.Place{}) {
			return []string{"--profile", "prod", "--all-regions"}
		}
		return []string{"--profile", "prod", "--region", at.Region}
	}
	for start, want := range map[string]string{
		"Fleet: lost ":               "ssmdeck ls --filter ping=lost --profile prod --all-regions",
		"Running now: cmd 8f2c":      "ssmdeck command get 8f2c91d0-1111-4222-8333-444455556666 --profile prod --region eu-west-1",
		"Running now: auto 51ab":     "ssmdeck automation get 51ab0000-2222-4222-8333-444455556666 --profile prod --region eu-west-1",
		"Running now: 2 forwards":    "ssmdeck forward ls",
		"Next windows: sun-patch":    "ssmdeck window get mw-1 --profile prod --region eu-west-1",
		"Needs attention: parameter": "ssmdeck param expiring --within 7d --profile prod --region eu-west-1",
	} {
		found := false
		for _, item := range page.Plain().Items {
			if strings.HasPrefix(item.Text, start) {
				item.Choose()
				s.Press("c")
				found = true
			}
		}
		if !found || s.Clipboard != want {
			t.Errorf("%s: copied %q, want %q", start, s.Clipboard, want)
		}
	}
}

// Nodes that came without their tags before their load broke off are in no window for
// certain, and out of none.
func TestNodesWithoutTheirTagsAreNotMissedByWindows(t *testing.T) {
	set := emptySet()
	fill(set)
	bare := testNodes(3)
	for i := range bare {
		bare[i].Tags = nil
	}
	set.Nodes = feed.NewSource(sources.Nodes, func(_ context.Context, _ grid.Cell, emit func([]fleet.Node)) ([]fleet.Node, error) {
		emit(bare)
		return nil, errors.New("broke off")
	})
	desk := feed.NewDesk([]grid.Cell{{Place: tuitest.Place}}, nil)
	t.Cleanup(desk.Close)
	var run func(cmd tea.Cmd)
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		switch m := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range m {
				run(c)
			}
		default:
			_, next, _ := desk.Update(m)
			run(next)
		}
	}
	run(desk.Want([]feed.Want{{Feed: set.Nodes, Every: time.Hour}}))
	if len(set.Nodes.Rows()) != 3 || set.Nodes.WholeAt(tuitest.Place) {
		t.Fatalf("the nodes are %+v", set.Nodes.State())
	}
	_, page := screen(t, set)
	for _, item := range page.Plain().Items {
		if strings.Contains(item.Text, "sun-patch") && strings.Contains(item.Text, "node") {
			t.Errorf("it is not known which nodes the window means: %q", item.Text)
		}
	}
}

// A window that opens every hour for three hours is open until the opening that began
// last has ended, as the page of the windows has it.
func TestAWindowWhoseOpeningsOverlapIsOpenUntilTheLastOfThemEnds(t *testing.T) {
	set := emptySet()
	fill(set)
	windows := testWindows()
	windows[0].Schedule = "cron(0 * ? * * *)"
	set.Windows.Set(tuitest.Place, windows, tuitest.Now) // at 14:02
	s, _ := screen(t, set)
	s.Has("open, until 17:00")
	s.Lacks("open, until 15:00")
}

// Rows of a first load that broke off are shown, so nobody is told that they cannot be read.
func TestALoadThatBrokeOff(t *testing.T) {
	set := emptySet()
	fill(set)
	set.Nodes = feed.NewSource[fleet.Node](sources.Nodes, nil)
	set.Nodes.Begin(tuitest.Place, testNodes(3), tuitest.Now)
	set.Nodes.Fail(tuitest.Place, errors.New("read the EC2 instances: the service failed"))
	s, _ := screen(t, set)
	s.Size(140, 40)
	s.Has("Fleet 3 nodes", "nodes not read in full: read the EC2 ins")
	s.Lacks("nodes cannot be read")
	set.Nodes.Fail(elsewhere, errors.New("denied"))
	s.Changed(sources.Nodes)
	s.Has("nodes cannot be read in 2 of 2 places")
}

// What AWS does not say, or says in words of tomorrow, is in no number and no age.
func TestStrangeAnswers(t *testing.T) {
	set := emptySet()
	fill(set)
	set.Nodes.Set(tuitest.Place, []fleet.Node{{ID: "i-1", Ping: fleet.Online}, {ID: "i-2", Ping: "impaired"}, {ID: "i-3"}}, tuitest.Now)
	set.Commands.Set(tuitest.Place, []run.Command{{ID: "c-1", Document: "AWS-RunShellScript", State: run.Running}}, tuitest.Now)
	set.Executions.Set(tuitest.Place, []automation.Execution{
		{ID: "a-1", Document: "AWS-StopEC2Instance"}, {ID: "a-2", State: "InProgress", Started: tuitest.Now.Add(time.Hour)},
	}, tuitest.Now)
	set.Sessions.Set(tuitest.Place, []sessions.Entry{{ID: "s-1"}}, tuitest.Now)
	s, p, others := world(t, set)
	s.Size(140, 40)
	s.Has("· not known", "auto a-1 AWS-StopEC2Instance", "1 session open")
	s.Lacks("106751d", "inprogress 0s", "open for more than")
	choose(t, p, "not known 2")
	s.Press("enter")
	if got := others["fleet"].filter; got != "!ping=online !ping=lost !ping=inactive" {
		t.Errorf("the nodes behind the number: %q", got)
	}
}

// A state that AWS adds tomorrow is said to be not known, and does not run.
func TestStrangeStatesDoNotRun(t *testing.T) {
	set := emptySet()
	fill(set)
	set.Commands.Set(tuitest.Place, []run.Command{{ID: "c-1", State: run.Strange, Detail: "Hibernating"}}, tuitest.Now)
	set.Executions.Set(tuitest.Place, []automation.Execution{
		{ID: "a-1", State: "Hibernating"}, {ID: "a-2", State: "Hibernating", Ended: tuitest.Now},
	}, tuitest.Now)
	s, p, others := world(t, set)
	s.Size(140, 40)
	s.Has("no command and no automation")
	for text, page := range map[string]string{
		"1 command in a state that ssmdeck does not know":    "commands",
		"1 automation in a state that ssmdeck does not know": "automation",
	} {
		choose(t, p, text)
		s.Press("enter")
		if got := others[page].filter; got != `state~"^not known"` {
			t.Errorf("%s opens %s with %q", text, page, got)
		}
		s.Press("1")
	}
}

// What has no room is counted.
func TestMoreAutomations(t *testing.T) {
	set := emptySet()
	fill(set)
	var many []automation.Execution
	for i := range 30 {
		many = append(many, automation.Execution{ID: fmt.Sprintf("a-%d", i), Document: "AWS-StopEC2Instance", State: "InProgress", Started: tuitest.Now})
	}
	set.Executions.Set(tuitest.Place, many, tuitest.Now)
	s, p := screen(t, set)
	s.Size(80, 60)
	if l := choose(t, p, "more automations"); l.text != "24 more automations" || l.open.Page != "automation" {
		t.Errorf("%+v", l)
	}
}

// On a narrow screen what is under the cursor is seen in full, and nothing else moves.
func TestTheLineUnderTheCursorIsSeenInFull(t *testing.T) {
	s, p, _, set := filled(t)
	nodes := testNodes(1204)
	for i := range 5 { // lost, all of them
		nodes[i].State = "stopped"
	}
	set.Nodes.Set(tuitest.Place, nodes, tuitest.Now)
	s.Changed(sources.Nodes)
	s.Size(40, 30)
	choose(t, p, "14 nodes connection lost")
	s.Has("▸ ✗ 14 nodes connection lost, 5 of them", "    stopped")
	before := strings.Split(s.Frame(), "\n")
	choose(t, p, "37 nodes miss critical")
	s.Lacks("5 of them stopped")
	after := strings.Split(s.Frame(), "\n")
	row := func(lines []string, text string) int {
		return slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, text) })
	}
	for _, panel := range []string{"Patch compliance", "Running now", "Next windows"} {
		if row(before, panel) != row(after, panel) {
			t.Errorf("%s has moved from %d to %d", panel, row(before, panel), row(after, panel))
		}
	}
	s.Size(40, 10)
	choose(t, p, "14 nodes connection lost")
	s.Has("5 of them", "stopped")
}

// A Region that is down fails every list: that is one line, and what is wrong with the
// fleet stays on the screen. Behind it stands what each list failed with.
func TestAPlaceThatIsDownIsOneLine(t *testing.T) {
	set := emptySet()
	fill(set)
	down := errors.New("the connection broke")
	set.Nodes.Fail(elsewhere, down)
	set.Patches.Fail(elsewhere, down)
	s, p, _ := world(t, set)
	s.Size(140, 40)
	s.Has("nodes cannot be read in 1 of 2 places", "patches cannot be read in 1 of 2 places")

	set.Commands.Fail(elsewhere, down)
	set.Windows.Fail(elsewhere, errors.New("denied"))
	s.Changed(sources.Nodes)
	s.Has("4 lists cannot be read in 1 of 2 places: nodes,")
	s.Lacks("nodes cannot be read", "patches cannot be read")
	l := choose(t, p, "4 lists cannot be read")
	for _, want := range []string{"nodes in 1 of 2 places\n", elsewhere.String() + ": the connection broke\n", "windows in 1 of 2 places\n", elsewhere.String() + ": denied\n"} {
		if !strings.Contains(l.show.Text, want) {
			t.Errorf("no %q behind the line:\n%s", want, l.show.Text)
		}
	}
}
