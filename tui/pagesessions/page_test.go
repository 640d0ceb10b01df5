package pagesessions

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// desk is a page on a screen with feeds that a test fills.
type desk struct {
	*tuitest.Screen
	page *Page
	set  *sources.Set
}

func open(t *testing.T) desk {
	t.Helper()
	d := desk{set: &sources.Set{
		Nodes:    feed.NewSource[fleet.Node](sources.Nodes, nil),
		Sessions: feed.NewSource[sessions.Entry](sources.Sessions, nil),
		Past:     feed.NewSource[sessions.Entry](sources.Past, nil),
		Forwards: feed.NewSource[forwards.Running](sources.Forwards, nil),
		Saved:    feed.NewSource[forwards.Entry](sources.Saved, nil),
	}}
	d.Screen = tuitest.New(t, func(dk *deck.Deck, _ *feed.Desk) []deck.Page {
		d.page = New(dk, d.set)
		return []deck.Page{d.page}
	})
	return d
}

func ago(d time.Duration) time.Time { return tuitest.Now.Add(-d) }

// fill puts a working day into the feeds.
func (d desk) fill() {
	ended := ago(3 * time.Hour)
	long := ago(20 * time.Hour)
	d.set.Nodes.Set(tuitest.Place, []fleet.Node{
		{ID: "i-0aaa", Name: "web-1", Ping: fleet.Online, PlatformName: "Amazon Linux"},
		{ID: "i-0bbb", Name: "東京-web", Ping: fleet.Online},
		{ID: "i-0ccc", Name: "lost-1", Ping: fleet.Lost},
	}, tuitest.Now)
	d.set.Sessions.Set(tuitest.Place, []sessions.Entry{
		{ID: "alice-0a1b2c3d4e5f6a7b8", Target: "i-0aaa", Owner: "arn:aws:sts::123456789012:assumed-role/Admin/alice", Status: "Connected", Started: ago(12 * time.Minute), Document: "SSM-SessionManagerRunShell", Reason: "INC-1234 disk full"},
		{ID: "bob-0ffffffffffffffff", Target: "i-0bbb", Owner: "arn:aws:iam::123456789012:user/bob", Status: "Disconnected", Started: ago(26 * time.Hour), Document: "AWS-StartPortForwardingSessionToRemoteHost", Reason: "bell\a"},
		{ID: "carol-0ccccccccccccccc", Target: "i-0gone", Owner: "arn:aws:iam::123456789012:user/carol", Status: "Connecting", Started: ago(2 * time.Second)},
	}, tuitest.Now)
	d.set.Past.Set(tuitest.Place, []sessions.Entry{
		{ID: "alice-1", Target: "i-0aaa", Owner: "arn:aws:iam::123456789012:user/alice", Status: "Terminated", Started: ago(4 * time.Hour), Ended: &ended, OutputS3: "https://s3.amazonaws.com/logs/alice-1.log"},
		{ID: "dave-2", Target: "i-0ccc", Owner: "arn:aws:iam::123456789012:user/dave", Status: "Failed", Started: ago(21 * time.Hour), Ended: &long},
	}, tuitest.Now)
	spec := func(text string) []portforward.Spec {
		s, err := portforward.ParseSpec(text)
		if err != nil {
			panic(err)
		}
		return []portforward.Spec{s}
	}
	d.set.Saved.Set(grid.Place{}, []forwards.Entry{
		{Name: "orders-db", Node: "tag:role=bastion", Specs: spec("15432:orders.cluster-xyz.eu-west-1.rds.amazonaws.com:5432"), Groups: []string{"db"}, Profile: "prod", Region: "eu-central-1", Description: "orders, read only", File: "/home/a/forwards.yaml", Line: 2},
		{Name: "web", Node: "web-1", Specs: spec("8080:80"), File: "/home/a/forwards.yaml", Line: 7},
		{Name: "cache", Node: "web-1", Specs: spec("16379:cache.internal:6379"), File: "/home/a/forwards.yaml", Line: 12},
	}, tuitest.Now)
	d.running(forwards.Row{
		Name: "orders-db", State: forwards.Open, Local: []string{"127.0.0.1:15432"}, Remote: []string{"orders.cluster-xyz.eu-west-1.rds.amazonaws.com:5432"}, Node: "tag:role=bastion", Lanes: 1,
		Counters: portforward.Counters{Open: 2, Total: 17, In: 5 << 20, Out: 900}, InRate: 700_000, OutRate: 10,
	}, forwards.Row{
		Name: "cache", State: forwards.Failed, Local: []string{"127.0.0.1:16379"}, Remote: []string{"cache.internal:6379"}, Node: "web-1",
		Error: "the credentials have expired", Hint: "run `aws sso login`", Retry: tuitest.Now.Add(4 * time.Second),
	})
	for _, name := range []string{sources.Nodes, sources.Sessions, sources.Past, sources.Forwards, sources.Saved} {
		d.Changed(name)
	}
}

// running says what one process runs, which is behind the shell.
func (d desk) running(rows ...forwards.Row) {
	d.processes(forwards.Running{Record: forwards.Record{PID: 4711, Started: ago(time.Hour), Background: true}, Rows: rows})
}

// processes says what runs.
func (d desk) processes(all ...forwards.Running) {
	d.set.Forwards.Set(grid.Place{}, all, tuitest.Now)
	d.Changed(sources.Forwards)
}

func (d desk) to(s section) { d.page.show(s); d.Send(deck.Tick{}) }

// act runs the action of a key without the root, and returns what it asks for.
func (d desk) act(t *testing.T, key string) tea.Msg {
	t.Helper()
	for _, a := range d.page.Actions() {
		if a.Key == key || a.Name == key {
			if a.Off != "" {
				return deck.Say{Text: a.Off}
			}
			if cmd := a.Do(); cmd != nil {
				return cmd()
			}
			return nil
		}
	}
	t.Fatalf("no action %q", key)
	return nil
}

func (d desk) line(t *testing.T, key string) deck.Line {
	t.Helper()
	l, ok := d.act(t, key).(deck.Line)
	if !ok {
		t.Fatalf("%s does not ask for a line", key)
	}
	return l
}

func words(t *testing.T, l deck.Line, want string) {
	t.Helper()
	if got := strings.Join(l.Words, " "); got != want {
		t.Errorf("the line is %q, want %q", got, want)
	}
}

func TestFrames(t *testing.T) {
	d := open(t)
	d.Golden("first")
	d.fill()
	d.Golden("active")
	d.to(tunnels)
	d.Golden("forwards")
	d.to(past)
	d.act(t, "enter")
	d.Golden("past-open")
}

func TestWhatIsNotKnownIsNotSaidToBeNothing(t *testing.T) {
	d := open(t)
	d.Has("loading")
	d.Lacks("Active 0", "Past 0", "Forwards 0", "nobody")
	d.set.Sessions.Fail(tuitest.Place, fault.New(fault.Auth, "list sessions", "denied").WithHint("ask for ssm:DescribeSessions"))
	d.Changed(sources.Sessions)
	d.Has("not known", "ask for ssm:DescribeSessions")
	d.set.Sessions.Set(tuitest.Place, []sessions.Entry{}, tuitest.Now)
	d.Changed(sources.Sessions)
	d.Has("nobody has a session open", "Active 0")
	d.fill()
	d.set.Sessions.Fail(tuitest.Place, errors.New("network is unreachable"))
	d.Changed(sources.Sessions)
	d.Has("alice", "Active 3") // what was known stays
}

func TestThousandsOfSessionsAreCountedAsTheFooterCounts(t *testing.T) {
	d := open(t)
	many := make([]sessions.Entry, 1500)
	for i := range many {
		many[i] = sessions.Entry{ID: fmt.Sprintf("ann-%04d", i), Target: "i-0a", Owner: "ann", Status: "Connected", Started: ago(time.Hour)}
	}
	d.set.Sessions.Set(tuitest.Place, many, tuitest.Now)
	d.Changed(sources.Sessions)
	d.Has("Active 1,500")
}

func TestSessions(t *testing.T) {
	d := open(t)
	d.fill()
	d.Has("alice", "web-1", "12 min", "東京-web", "i-0gone", "INC-1234")
	d.Lacks("\a")
	d.Type("/bob")
	d.Press("enter")
	d.Has("bob")
	d.Lacks("alice")
	d.Press("esc")
	d.Has("alice")
	d.page.lists[active].Select(deck.Key(tuitest.Place, "alice-0a1b2c3d4e5f6a7b8"))
	words(t, d.line(t, "s"), "shell i-0aaa")
	words(t, d.line(t, "L"), "session logs alice-0a1b2c3d4e5f6a7b8 --text --follow")
	if got := d.act(t, "c").(deck.Copy).Text; got != "alice-0a1b2c3d4e5f6a7b8" {
		t.Errorf("copied %q", got)
	}
	if got := d.act(t, "o").(deck.Browse).URL; !strings.HasSuffix(got, "/systems-manager/session-manager/sessions?region=eu-west-1") {
		t.Errorf("browsed %q", got)
	}
	if got := d.act(t, "y").(deck.Show).Text; !strings.Contains(got, "id: alice-0a1b2c3d4e5f6a7b8\n") {
		t.Errorf("as YAML:\n%s", got)
	}
	l := d.line(t, "t")
	words(t, l, "session terminate alice-0a1b2c3d4e5f6a7b8")
	if l.Level != deck.Disruptive || l.At != tuitest.Place || !slices.Contains(l.Refresh, sources.Sessions) || !strings.Contains(l.Facts[0].Value, "on web-1") {
		t.Errorf("the line is %+v", l)
	}
	choose := d.act(t, "n").(deck.Choose)
	if len(choose.Entries) != 2 || choose.Entries[0].Name != "web-1" {
		t.Errorf("to choose from: %+v", choose.Entries)
	}
	words(t, choose.Done(1)().(deck.Line), "shell i-0bbb")
}

func TestSeveralSessionsEndWithALineForEachPlace(t *testing.T) {
	d := open(t)
	d.fill()
	other := grid.Place{Account: "123456789012", Region: "us-east-1"}
	d.set.Sessions.Set(other, []sessions.Entry{{ID: "erin-3", Target: "i-0ddd", Owner: "arn:aws:iam::123456789012:user/erin", Status: "Connected", Started: ago(time.Minute)}}, tuitest.Now)
	d.Changed(sources.Sessions)
	d.Press("*")
	var cmds []string
	for _, cmd := range d.act(t, "t").(tea.BatchMsg) {
		l := cmd().(deck.Line)
		cmds = append(cmds, l.At.Region+" "+strings.Join(l.Words[:2], " ")+" "+l.What)
	}
	want := []string{"eu-west-1 session terminate end 3 sessions", "us-east-1 session terminate end the session of erin"}
	slices.Sort(cmds)
	if !slices.Equal(cmds, want) {
		t.Errorf("got %q, want %q", cmds, want)
	}
}

// A name with a blank at its end is another's, and looks the same.
func TestAForwardGoesToTheNodeOfTheVeryName(t *testing.T) {
	d := open(t)
	d.fill()
	d.set.Nodes.Set(tuitest.Place, []fleet.Node{{ID: "i-0aaa", Name: "web-1", Ping: fleet.Online}, {ID: "i-0bbb", Name: "web-1 ", Ping: fleet.Online}}, tuitest.Now)
	d.Changed(sources.Nodes)
	for typed, id := range map[string]string{"web-1": "i-0aaa", "web-1 ": "i-0bbb", " web-1": "i-0aaa"} {
		f := d.act(t, "f").(deck.Form)
		words(t, f.Done(map[string]string{"node": typed, "spec": "8080:80"})().(deck.Line), "forward "+id+" 8080:80")
	}
}

// A role's session is called as whoever assumes the role says.
func TestTheIDOfASessionIsNoFlag(t *testing.T) {
	d := open(t)
	d.set.Sessions.Set(tuitest.Place, []sessions.Entry{{ID: "--endpoint-url=evil.example-0a1b2c3d4e5f6a7b8", Target: "i-0aaa", Status: "Connected", Started: ago(time.Minute)}}, tuitest.Now)
	d.Changed(sources.Sessions)
	words(t, d.line(t, "t"), "session terminate -- --endpoint-url=evil.example-0a1b2c3d4e5f6a7b8")
	words(t, d.line(t, "L"), "session logs --text --follow -- --endpoint-url=evil.example-0a1b2c3d4e5f6a7b8")
}

func TestNodesAreAskedForWhileTheyAreNameless(t *testing.T) {
	d := open(t)
	wanted := func() bool {
		return slices.ContainsFunc(d.page.Wants(), func(w feed.Want) bool { return w.Feed.Name() == sources.Nodes })
	}
	if !wanted() {
		t.Error("the names of nodes are not asked for")
	}
	d.fill()
	if !wanted() {
		t.Error("i-0gone has no name, and nobody asks for it")
	}
	d.Press("tab")
	if wanted() {
		t.Error("all names are known, and are asked for again")
	}
}

func TestAFilterNamesItsSection(t *testing.T) {
	d := open(t)
	d.fill()
	d.Send(deck.Open{Page: "sessions", Filter: "forwards: state=failed"})
	d.Has("cache")
	d.Lacks("orders-db")
	d.Send(deck.Open{Page: "sessions", Filter: "past:"})
	d.Has("dave", "alice")
	d.Send(deck.Open{Page: "sessions", Filter: "Active: started>12h"})
	d.Has("bob")
	d.Lacks("alice")
	if err := d.page.SetFilter("past: colour=red"); err == nil {
		t.Error("a wrong filter is taken")
	}
}

func TestPastSessionsCannotBeEnded(t *testing.T) {
	d := open(t)
	d.fill()
	d.Press("tab")
	d.Has("Terminated", "dave")
	if got := d.act(t, "t"); got != (deck.Say{Text: "it has ended"}) {
		t.Errorf("got %v", got)
	}
	words(t, d.line(t, "L"), "session logs alice-1 --text")
	d.Press("enter")
	d.Has("Log in S3", "1 h")
	if got := d.page.Status().Crumbs; !slices.Equal(got, []string{"Past", "alice-1"}) {
		t.Errorf("crumbs %q", got)
	}
	if !d.page.Back() || d.page.Back() {
		t.Error("one step back closes the details, and there is no other")
	}
}

func TestForwards(t *testing.T) {
	d := open(t)
	d.fill()
	d.to(tunnels)
	d.Size(140, 40)
	d.Has("Forwards 2/3", "2/17", "684 KiB/s", "127.0.0.1:15432", "stopped", "the credentials", "2 open, 17 in all", "behind the shell")
	words(t, d.line(t, "X"), "forward stop orders-db")
	words(t, d.line(t, "s"), "shell tag:role=bastion --profile prod --region eu-central-1")
	l := d.line(t, "R")
	words(t, l, "forward restart orders-db")
	if l.Level != deck.Disruptive || !strings.Contains(l.Facts[0].Value, "2 connections are cut") {
		t.Errorf("the line is %+v", l)
	}
	if got := d.act(t, "c").(deck.Copy).Text; got != "127.0.0.1:15432" {
		t.Errorf("copied %q", got)
	}
	choose := d.act(t, "F").(deck.Choose) // the one under the cursor runs
	if len(choose.Entries) != 1 {
		t.Fatalf("to choose from: %+v", choose.Entries)
	}
	words(t, choose.Done(0)().(deck.Line), "forward up web")
	d.Press("j")
	words(t, d.line(t, "F"), "forward up web")
	words(t, d.line(t, "start behind the shell"), "forward up web --background")
	if got, _ := d.act(t, "X").(deck.Say); !strings.Contains(got.Text, "does not run") {
		t.Errorf("got %v", got)
	}
	d.Press("*")
	words(t, d.line(t, "X"), "forward stop orders-db cache")
	if got := d.act(t, "y").(deck.Show).Text; !strings.Contains(got, "state: stopped") {
		t.Errorf("as YAML:\n%s", got)
	}
	d.running() // all have ended
	d.Has("Forwards 0/3")
}

func TestAProcessThatDoesNotAnswer(t *testing.T) {
	d := open(t)
	d.fill()
	d.running(forwards.Row{Name: "web", State: forwards.Mute}, forwards.Row{Name: "other", State: forwards.Idle, Local: []string{"127.0.0.1:1"}, Remote: []string{"x:1"}, Node: "n"})
	d.to(tunnels)
	d.Size(140, 40)
	d.Press("j")
	d.Has("no-answer", "process 4711 does not answer", "other", "127.0.0.1:8080") // the address of the file
	d.Press("G", "enter")
	d.Has("in no file any more")
}

// A forward goes to the node that was chosen, in its own account and Region, whatever
// else has its name.
func TestAForwardGoesWhereTheNodeIs(t *testing.T) {
	d := open(t)
	d.fill()
	other := grid.Place{Account: "210987654321", Region: "us-east-1"}
	d.set.Nodes.Set(other, []fleet.Node{{ID: "i-0ddd", Name: "db-1", Ping: fleet.Online}, {ID: "i-0eee", Name: "web-1", Ping: fleet.Online}}, tuitest.Now)
	d.Changed(sources.Nodes)
	d.to(tunnels)
	f := d.act(t, "f").(deck.Form)
	line := func(node string) tea.Msg { return f.Done(map[string]string{"node": node, "spec": "8080:80"})() }
	for node, want := range map[string]string{"db-1": "i-0ddd", "i-0eee": "i-0eee"} {
		if l, _ := line(node).(deck.Line); l.At != other || l.Words[1] != want {
			t.Errorf("%s: %q at %s", node, l.Words, l.At)
		}
	}
	if say, _ := line("web-1").(deck.Say); say.Err == nil || !strings.Contains(fault.HintOf(say.Err), "i-0aaa (123456789012 eu-west-1), i-0eee (210987654321 us-east-1)") {
		t.Errorf("a name of two nodes: %+v", say)
	}
	if l, _ := line("tag:role=bastion").(deck.Line); l.Words[1] != "tag:role=bastion" || l.At != (grid.Place{}) {
		t.Errorf("a target: %q at %s", l.Words, l.At)
	}
}

// typed are forwards in no file: one of a process, one of another, a proxy.
func typed(pid int) []forwards.Running {
	one := func(pid int, name, node, local, remote string, open int64) forwards.Running {
		return forwards.Running{
			Record: forwards.Record{PID: pid, Started: ago(12 * time.Minute), Unsaved: true, Profile: "dev", Region: "us-east-1", Forwards: []string{name}},
			Rows: []forwards.Row{{
				Name: name, State: forwards.Open, Local: []string{local}, Remote: []string{remote}, Node: node, Lanes: 1,
				Counters: portforward.Counters{Open: open, Total: 4, In: 2 << 20, Out: 1 << 10}, InRate: 2048, OutRate: 100,
			}},
		}
	}
	return []forwards.Running{
		one(pid, "web-1:8080", "i-0aaa", "127.0.0.1:8080", "localhost:80", 2),
		one(4712, "i-0gone:5432", "i-0gone", "127.0.0.1:5432", "db.internal:5432", 0),
		one(4713, "i-0gone:1080", "i-0gone", "127.0.0.1:1080", "any host", 1),
	}
}

func TestForwardsThatWereTyped(t *testing.T) {
	d := open(t)
	d.fill()
	d.set.Saved.Set(grid.Place{}, []forwards.Entry{}, tuitest.Now)
	d.Changed(sources.Saved)
	d.processes(typed(4711)...)
	d.to(tunnels)
	d.Golden("typed")
	d.processes(typed(os.Getpid())...)
	d.Size(140, 40)
	d.Has("Forwards 3/3", "web-1:8080", "2/4", "2.0 KiB/s", "in this dashboard", "12 min ago", "gone when it ends", "2 open, 4 in all")
	l := d.line(t, "X")
	words(t, l, "forward stop web-1:8080")
	if l.Level != deck.Disruptive || !strings.Contains(l.Facts[0].Value, "2 connections are cut") {
		t.Errorf("the line is %+v", l)
	}
	words(t, d.line(t, "R"), "forward restart web-1:8080")
	if l := d.line(t, "s"); l.At != tuitest.Place || strings.Join(l.Words, " ") != "shell i-0aaa" {
		t.Errorf("%q at %s", l.Words, l.At)
	}
	if got, _ := d.act(t, "L").(deck.Say); !strings.Contains(got.Text, "where it was typed") {
		t.Errorf("got %v", got)
	}
	values := func() (v [3]string) {
		for i, name := range []string{"node", "spec", "start"} {
			f := d.act(t, "n").(deck.Form)
			v[i] = f.Fields[slices.IndexFunc(f.Fields, func(f deck.Field) bool { return f.Name == name })].Value
		}
		return v
	}
	if got, want := values(), [3]string{"i-0aaa", "8080:80", "later"}; got != want {
		t.Errorf("saved as %q, want %q", got, want)
	}
	d.Press("j")
	d.Has("in a terminal")
	words(t, d.line(t, "s"), "shell i-0gone --profile dev --region us-east-1") // a node of nowhere that is looked at
	save := d.act(t, "n").(deck.Form)
	words(t, save.Done(map[string]string{"name": "db", "node": "i-0gone", "spec": "5432:db.internal:5432"})().(deck.Line), "forward save db i-0gone 5432:db.internal:5432 --profile dev --region us-east-1")
	words(t, save.Done(map[string]string{"name": "db", "node": "web-1", "spec": "80"})().(deck.Line), "forward save db web-1 80")
	if got, want := values(), [3]string{"i-0gone", "5432:db.internal:5432", "later"}; got != want {
		t.Errorf("saved as %q, want %q", got, want)
	}
	d.Press("j")
	if got, want := values(), [3]string{"", "", "now"}; got != want {
		t.Errorf("a proxy saved as %q, want %q", got, want)
	}
	d.Press("*")
	words(t, d.line(t, "X"), "forward stop web-1:8080 i-0gone:5432 i-0gone:1080")
	d.Send(deck.Open{Page: "sessions", Filter: "forwards: saved=no open>0"})
	d.Has("web-1:8080")
	if got := d.act(t, "y").(deck.Show).Text; !strings.Contains(got, "saved: false") {
		t.Errorf("as YAML:\n%s", got)
	}
}

func TestSpecsOfWhatWasTyped(t *testing.T) {
	for ends, want := range map[[2]string]string{
		{"127.0.0.1:8080", "localhost:80"}:   "8080:80",
		{"0.0.0.0:8080", "db:80"}:            "0.0.0.0:8080:db:80",
		{"[::1]:8080", "[fd00::5]:80"}:       "[::1]:8080:[fd00::5]:80",
		{"/tmp/s", "localhost:80"}:           "unix:/tmp/s:80",
		{"/tmp/s", "db:80"}:                  "unix:/tmp/s:db:80",
		{"0.0.0.0:8080", "localhost:80"}:     "",
		{"127.0.0.1:1080", "any host"}:       "",
		{"[::]:8080", "db:80"}:               "[::]:8080:db:80",
		{"127.0.0.1:8080", "localhost.x:80"}: "8080:localhost.x:80",
	} {
		f := tunnel{row: &forwards.Row{State: forwards.Open, Local: ends[:1], Remote: ends[1:]}, proc: forwards.Record{Unsaved: true}}
		if got := f.specs(); got != want {
			t.Errorf("%s to %s: got %q, want %q", ends[0], ends[1], got, want)
		}
	}
}

func TestForms(t *testing.T) {
	d := open(t)
	d.fill()
	d.to(tunnels)
	f := d.act(t, "f").(deck.Form)
	words(t, f.Done(map[string]string{"node": "web-1", "spec": "8080:80 9000:x:90", "reason": "look at it"})().(deck.Line), "forward i-0aaa 8080:80 9000:x:90 --reason look at it")
	spec := f.Fields[1].Check
	if spec("8080:80") != nil || spec("80 80:") == nil || spec(" ") == nil {
		t.Error("the port is not checked as the command does")
	}
	if got := f.Fields[0].Choices("WEB"); !slices.Equal(got, []string{"web-1", "東京-web"}) {
		t.Errorf("nodes %q", got)
	}
	f = d.act(t, "n").(deck.Form)
	l := f.Done(map[string]string{"name": "a", "node": "n", "spec": "1:2", "description": "my own", "groups": "x, y"})().(deck.Line)
	words(t, l, "forward save a n 1:2 --description my own --group x --group y")
	if l.Done != nil {
		t.Error("it is started unasked")
	}
	l = f.Done(map[string]string{"name": "a", "node": "n", "spec": "1:2", "start": "now"})().(deck.Line)
	if cmd := d.page.Update(l.Done(deck.Result{Code: 1})); cmd != nil {
		t.Error("what could not be saved is started")
	}
	words(t, d.page.Update(l.Done(deck.Result{}))().(deck.Line), "forward up a")
	if f.Fields[0].Check("web") == nil || f.Fields[0].Check("new") != nil || l.Level != deck.Change {
		t.Error("a name that is taken is taken again")
	}
	f = d.act(t, "replay").(deck.Form)
	words(t, f.Done(map[string]string{"file": "a.cast", "speed": "4"})().(deck.Line), "session replay a.cast --speed 4")
}

func TestLayoutAndPlain(t *testing.T) {
	d := open(t)
	d.fill()
	d.to(tunnels)
	kept := d.page.Layout()
	again := open(t)
	again.page.SetLayout([]byte(`{"section":7}`))
	again.page.SetLayout(kept)
	if again.page.section != tunnels {
		t.Error("the section is not kept")
	}
	again.Deck.Where.Scopes = 2 // it was left where there was one place
	again.fill()
	again.to(active)
	again.Size(140, 40)
	again.Has("REGION")
	p := d.page.Plain()
	if len(p.Items) != 3 || p.Items[0].Text != "forward orders-db, open, 127.0.0.1:15432 to orders.cluster-xyz.eu-west-1.rds.amazonaws.com:5432, 2 connections open" {
		t.Errorf("plain: %+v", p.Items)
	}
	p.Items[1].Choose()
	if tunnel, _ := d.page.tunnel(); tunnel.name != "web" {
		t.Errorf("chosen: %s", tunnel.name)
	}
	d.to(active)
	p = d.page.Plain()
	if !strings.Contains(p.Items[0].Text, "on i-0gone, connecting") || !slices.Contains(p.Items[1].Detail, "Reason: INC-1234 disk full") || !slices.Contains(p.Items[2].Detail, `Reason: bell\x07`) {
		t.Errorf("plain: %+v", p.Items)
	}
}

func TestTheMouseDoesWhatKeysDo(t *testing.T) {
	d := open(t)
	d.fill()
	above := slices.IndexFunc(strings.Split(d.Frame(), "\n"), func(l string) bool { return strings.Contains(l, "Past") })
	click := func(x, y int) { d.Click(x, y+above) }
	click(len(" Active 3  Past"), 0)
	if d.page.section != past {
		t.Error("a click on a section does not go there")
	}
	d.to(active)
	click(5, 3)
	if e, _ := d.page.current(); e.Value.OwnerName() != "alice" {
		t.Errorf("the cursor is on %s", e.Value.OwnerName())
	}
	d.Press("enter")
	d.page.Update(tea.MouseWheelMsg{X: 5, Y: 4, Button: tea.MouseWheelDown})
	d.Size(80, 10)
	d.Press("enter", "j")
	d.Has("Principal")
	d.Lacks("Session    alice")
}

func TestNoKeyAndNoSizeIsTooMuch(t *testing.T) {
	keys := []string{"j", "k", "l", "h", "enter", "tab", "shift+tab", "esc", "space", "*", "g", "G", "pgdown", "pgup", "<", ">", "I", "F", "X", "R", "t", "L", "c", "y", "n", "f", "s"}
	sizes := [][2]int{{80, 24}, {1, 1}, {40, 10}, {3, 2}, {140, 40}, {20, 3}, {99, 15}}
	d := open(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		switch random.IntN(40) {
		case 0:
			d.fill()
		case 1:
			d.set.Sessions.Set(tuitest.Place, nil, tuitest.Now)
			d.Changed(sources.Sessions)
			d.running()
		case 2:
			size := sizes[random.IntN(len(sizes))]
			d.Size(size[0], size[1])
		case 3:
			_ = d.page.SetFilter([]string{"", "web", "past:", "forwards: state=open"}[random.IntN(4)])
		default:
			d.Press(keys[random.IntN(len(keys))])
		}
		if frame := d.Frame(); i%100 == 0 && strings.Count(frame, "\n") > 40 {
			t.Fatal("the frame is too high")
		}
		_ = d.page.Plain()
	}
}

// Where nobody has a session open a port is forwarded to a node that is chosen then.
func TestAForwardNeedsNoSession(t *testing.T) {
	d := open(t)
	d.set.Sessions.Set(tuitest.Place, nil, tuitest.Now)
	d.Changed(sources.Sessions)
	d.Has("nobody has a session open")
	f, ok := d.act(t, "f").(deck.Form)
	if !ok {
		t.Fatal("it asks for no port")
	}
	words(t, f.Done(map[string]string{"node": "tag:role=bastion", "spec": "8080:80"})().(deck.Line), "forward tag:role=bastion 8080:80")
}

func TestASessionOfWhichLittleIsKnown(t *testing.T) {
	d := open(t)
	d.fill()
	d.set.Sessions.Set(tuitest.Place, []sessions.Entry{{ID: "bob-1"}}, tuitest.Now)
	d.Changed(sources.Sessions)
	d.to(active)
	if got := d.page.Plain().Items[0].Text; got != "somebody on a node not known, state not known, started at a time not known" {
		t.Errorf("%q", got)
	}
}
