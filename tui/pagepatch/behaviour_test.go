package pagepatch_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/pagepatch"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// Numbers are those that `patch status` counts of the same nodes.
func TestNumbersAreThoseOfTheReport(t *testing.T) {
	w := full(t)
	w.Size(200, 40)
	r := patch.NewReport(nodes(), tuitest.Now, patch.StaleAfter, nil)
	if got := w.page().Plain().Summary[0]; got != r.Total.String() {
		t.Errorf("got %q, want %q", got, r.Total)
	}
	for _, g := range r.Groups {
		name := g.Key
		if name == "" {
			name = "(none)"
		}
		if want := "group " + name + ": " + g.Counts.String(); !strings.Contains(strings.Join(w.page().Plain().Summary, "\n"), want) {
			t.Errorf("no line %q", want)
		}
	}
	var names []string
	for _, n := range r.Nodes {
		names = append(names, n.Name)
	}
	for i, it := range w.page().Plain().Items {
		if !strings.HasPrefix(it.Text, names[i]+":") {
			t.Errorf("row %d is %q, want %s: the worst come first", i, it.Text, names[i])
		}
	}
}

// What is not known is neither 0 nor compliant.
func TestUnknownIsNotCompliant(t *testing.T) {
	w := full(t)
	w.Size(160, 40)
	for _, name := range []string{"worker-dev", "cache-1"} {
		line := w.line(name)
		if !strings.Contains(line, " - ") || strings.Contains(line, " 0 ") {
			t.Errorf("%s: %q shows numbers that nobody knows", name, line)
		}
	}
	w.Has("▲ never scanned", "· unknown", "28.5 % compliant")
	w.Press("j", "j", "j", "j")
	w.Has("never scanned: nothing is known")
	w.Lacks("nothing missing")
}

// Groups of which nothing could be read have no numbers either.
func TestGroupsOfUnknownNodesHaveNoNumbers(t *testing.T) {
	w := full(t)
	w.Size(160, 40)
	all := nodes()
	for i := range all {
		all[i].Patch, all[i].Unknown = nil, []string{"patch"}
	}
	w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
	w.Changed(sources.Patches)
	w.Press("h")
	line, _, _ := strings.Cut(w.line("whole fleet"), w.Deck.Styles.Glyphs.Pipe)
	if strings.Contains(line, " 0") || strings.Count(line, " -") < 2 {
		t.Errorf("a group that could not be read shows numbers: %q", line)
	}
}

// While only the baseline can say whether nodes are compliant they are not, and what
// cannot be read is said.
func TestStrictBaselines(t *testing.T) {
	open := func(t *testing.T, strict bool, failing error) *world {
		w := full(t)
		w.strict, w.failing = strict, failing
		all := nodes()
		all[3].Patch.Available = 2
		w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
		w.Changed(sources.Patches)
		return w
	}
	w := open(t, true, nil)
	w.Has("14.2 % compliant", "not approved")
	w = open(t, false, nil)
	w.Has("28.5 % compliant")
	w = open(t, false, errors.New("not allowed"))
	w.Has("of 1 node only the baseline can say", "28.5 % compliant")
}

func TestGroups(t *testing.T) {
	w := full(t)
	w.Press("h", "j") // web
	w.Has("Nodes in web 4", "25 % compliant")
	w.Lacks("worker-dev", "db-1")
	w.Press("enter", "esc")
	w.Has("worker-dev", "Nodes 8")

	w.Press("h", "G") // the nodes without a group
	w.Has("Nodes in (none) 2", "worker-dev", "cache-1")
	w.Press("l")
	w.Press("esc")
	w.Has("Nodes 8")
}

// Each grouping counts all nodes, and the group that was chosen is gone with the old one.
func TestGroupings(t *testing.T) {
	w := full(t)
	for by, want := range map[string][]string{
		"baseline": {"prod-al2023", "prod-windows", "(none)"}, "platform": {"Amazon Linux 2023", "Ubuntu 24.04"}, "region": {"eu-west-1"},
		"state": {"never scanned", "reboot pending"}, "tag:env": {"prod"}, "age": {"never scanned", "under 1 day"}, "account": {"123456789012"},
	} {
		w.Press("h", "j")
		w.choose(t, "B", by)
		w.Has("By "+by, "whole fleet", "Nodes 8")
		w.Has(want...)
	}
}

func TestPatchesOfANode(t *testing.T) {
	w := full(t)
	w.Press("enter")
	w.Has("web-1, 3 read just now", "glibc.x86_64", "released 2026-11-17, 10 days ago")
	w.Press("j")
	w.Has("the catalogue does not tell", "CVE-2026-1000 CVE-2026-1001")
	if strings.Join(w.asked, " ") != "web-1" {
		t.Errorf("asked for %v: the cursor was on web-1 alone", w.asked)
	}
	w.Press("esc")
	w.Has("Nodes 8")
	w.failing = errors.New("denied by a policy")
	w.Press("j", "enter")
	w.Has("not read: denied by a policy")
}

// A list of all patches costs much: it is read when somebody asks, and only once.
func TestMissingPatches(t *testing.T) {
	w := full(t)
	if w.bulk != 0 {
		t.Error("the patches of all nodes were read, and nobody has asked")
	}
	w.Press("v")
	w.Has("Missing patches 4, read just now", "systemd.x86_64", "web-[1,2]")
	w.Press("v", "v")
	if w.bulk != 1 {
		t.Errorf("read %d times", w.bulk)
	}
	w.Press("h", "j", "j", "l") // db
	w.Has("Missing patches in db 1", "KB5043960")
	w.Press("esc", "esc", "v", "j", "j", "j", "enter")
	w.Has("Nodes that lack systemd.x86_64 2", "web-1", "web-2")
	w.Lacks("db-1")
	w.Press("esc")
	w.Has("Missing patches 4")
	w.failing = errors.New("not allowed: ssm:DescribeInstancePatches")
	w.Press("R")
	w.Has("not all could be read: 123456789012 eu-west-1: not allowed", "Missing patches 4", "systemd.x86_64")
}

func TestCVE(t *testing.T) {
	w := full(t)
	w.Send(pagepatch.SearchCVE{CVE: "CVE-2026-1000"})
	w.Has("1 of 8 nodes lacks a patch for CVE-2026-1000, 1 more have it and wait", "of 2 nodes nothing is known", "1 other node lacks security patches that name no CVE")
	w.Has("missing", "reboot pending", "never scanned")
	w.Press("j", "enter")
	w.Has("Nodes that open to CVE-2026-1000 1", "web-3")
	w.Send(pagepatch.SearchCVE{CVE: "heartbleed"})
	w.Has("is not the number of a CVE")
}

func TestFilter(t *testing.T) {
	for filter, want := range map[string]string{
		"critical>0": "web-1 db-1", "status=never-scanned": "worker-dev", "stale=yes": "db-1 db-東京-1", "group=db": "db-1 db-東京-1", "ping=lost": "db-東京-1",
		"tag:env=prod group=web !reboot>0 security<1": "web-4", "missing=0": "web-3 db-東京-1 web-4", "never": "worker-dev", "scanned>7d": "db-1 db-東京-1",
		"!critical>0": "web-2 web-3 worker-dev db-東京-1 web-4", "stale=no ping=online !status=compliant": "web-1 web-2 web-3 worker-dev", // and not cache-1
		"baseline~windows": "db-1 db-東京-1", "critical>0 | reboot>0": "web-1 db-1 web-3",
	} {
		w := full(t)
		if err := w.page().SetFilter(filter); err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		var got []string
		for _, it := range w.page().Plain().Items {
			name, _, _ := strings.Cut(it.Text, ":")
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", filter, got, want)
		}
	}
	w := full(t)
	if err := w.page().SetFilter("critcal>0"); err == nil {
		t.Error("a key that there is not was taken")
	}
	// A filter of nodes leads from the patches to the nodes.
	w.Press("v")
	if err := w.page().SetFilter("status=never-scanned"); err != nil {
		t.Fatal(err)
	}
	w.Has("worker-dev", "Nodes 1 of 8")
}

// A patch that several nodes lack stands for none of them.
func TestWhatIsAboutOneNodeIsOffForAPatchOfSeveral(t *testing.T) {
	w := full(t)
	w.Press("v")
	off := func(key string) string {
		for _, a := range w.p.Actions() {
			if a.Key == key {
				return a.Off
			}
		}
		t.Fatalf("there is no action %s", key)
		return ""
	}
	var id string
	for range 5 {
		if id = w.act(t, "c")[0].(deck.Copy).Text; id == "systemd.x86_64" {
			break
		}
		w.Press("j")
	}
	if id != "systemd.x86_64" { // web-1 and web-2 lack it
		t.Fatalf("the patch is not in the list, the last one is %q", id)
	}
	for _, key := range []string{"s", "d", "b", "y", "o"} {
		if got := off(key); got != "this is about one node: enter shows the 2 nodes that lack the patch" {
			t.Errorf("%s is off because of %q", key, got)
		}
	}
	w.Press("enter")
	if got := off("s"); got != "" {
		t.Errorf("off on a node: %s", got)
	}
}

// What is copied is what is under the cursor.
func TestCopyOfANode(t *testing.T) {
	w := full(t)
	w.Size(140, 40)
	choose, ok := w.act(t, "c")[0].(deck.Choose)
	if !ok || len(choose.Entries) < 3 || choose.Entries[0].Detail != web1 || choose.Entries[1].Detail != "web-1" {
		t.Fatalf("offers %+v", choose)
	}
	if got := messages(choose.Done(2))[0].(deck.Copy).Text; !strings.Contains(got, "patch node "+web1) {
		t.Errorf("copies %q", got)
	}
}

// What has failed or runs stands before what the last scan has found, until a scan is
// newer.
func TestAttempts(t *testing.T) {
	w := full(t)
	set := func(list ...patching.Attempt) {
		w.set.Attempts.Set(tuitest.Place, list, tuitest.Now)
		w.Changed(sources.Attempts)
	}
	const web2 = "i-00000000000000002" // scanned 26 h ago
	set(patching.Attempt{NodeID: web2, Operation: "Scan", State: run.Failed, At: ago(time.Hour)})
	w.Has("scan failed", "1 run failed")
	set(patching.Attempt{NodeID: web2, Operation: "Scan", State: run.Failed, At: ago(27 * time.Hour)})
	w.Lacks("scan failed")
	before := w.page().Wants()[0].Every
	set(patching.Attempt{NodeID: web2, Operation: "Install", State: run.Running, At: ago(time.Second)})
	w.Has("installing", "1 running")
	if now := w.page().Wants()[0].Every; now >= before {
		t.Errorf("states are read every %s while something runs, and every %s else", now, before)
	}
}

func TestTrend(t *testing.T) {
	w := full(t)
	w.Has("12.5 % on 2026-11-07, 25.0 % on 2026-11-26: +12.5 points, 4 looks")
	// A look at another account, or at some nodes, is no look at these.
	other, some := look(0, 8, 8), look(0, 2, 2)
	other.Account, some.Scope = "210987654321", "tag:env=prod"
	w.svc.Looks.Set(grid.Place{}, append(w.looks(), other, some), tuitest.Now)
	w.Changed(pagepatch.Looks)
	w.Has("25.0 % on 2026-11-26: +12.5 points, 4 looks")
}

// A page of any size is drawn within it.
func TestSizes(t *testing.T) {
	w := full(t)
	for _, keys := range [][]string{{}, {"l"}, {"h"}, {"v"}, {"V"}} {
		for width := 1; width < 170; width += 7 {
			for height := 1; height < 40; height += 3 {
				w.page().SetSize(width, height)
				lines := strings.Split(w.page().View(), "\n")
				if len(lines) > height {
					t.Fatalf("%d lines on %dx%d after %v", len(lines), width, height, keys)
				}
				for _, l := range lines {
					if cells(l) > width {
						t.Fatalf("%q is wider than %d", l, width)
					}
				}
			}
		}
		w.Size(80, 24)
		w.Press(keys...)
	}
}

// Names are others' and must not write to the screen.
func TestForeignText(t *testing.T) {
	w := open(t)
	bad := "evil\x1b[2J\u202e"
	n := node(1, bad, bad, bad, state(bad, linA, time.Hour, 1, 1, 1, 1, 0))
	n.Tags = map[string]string{bad: bad}
	w.set.Patches.Set(tuitest.Place, []fleet.Node{n}, tuitest.Now)
	w.Changed(sources.Patches)
	w.Press("enter")
	for _, size := range tuitest.Sizes {
		w.Size(size.Width, size.Height)
		w.page().SetSize(size.Width, size.Height)
		if v := w.page().View(); strings.ContainsAny(v, "\x1b\u202e") {
			t.Errorf("%q", v)
		}
	}
	for _, it := range w.page().Plain().Items {
		if strings.ContainsAny(it.Text+strings.Join(it.Detail, ""), "\x1b\u202e") {
			t.Errorf("%q", it.Text)
		}
	}
}

func TestLayout(t *testing.T) {
	w := full(t)
	w.choose(t, "B", "platform")
	kept := w.page().Layout()
	again := full(t)
	again.page().SetLayout(kept)
	again.set.Patches.Set(tuitest.Place, nodes(), tuitest.Now)
	again.Changed(sources.Patches)
	again.Has("By platform", "Ubuntu 24.04")
	again.page().SetLayout([]byte(`{"by":"moon","nodes":7}`)) // of a later version
	again.Has("By platform")
}

func TestOffReasons(t *testing.T) {
	w := open(t)
	w.set.Patches.Set(tuitest.Place, []fleet.Node{}, tuitest.Now)
	w.Changed(sources.Patches)
	for _, a := range w.page().Actions() {
		if strings.Contains("p P b d e y s o", a.Key) && a.Off == "" {
			t.Errorf("%s could be done without a node", a.Name)
		}
	}
	w.Has("there are no managed nodes here")
}

// What is read for long says how far it is, can be left, and is left alone by what
// comes late.
func TestReadingIsSeenAndStopped(t *testing.T) {
	w := full(t)
	begun, left := make(chan struct{}), make(chan error, 1)
	w.lacking = func(ctx context.Context, want patch.Wanted) {
		want.Seen(1, 4)
		close(begun)
		<-ctx.Done()
		left <- ctx.Err()
	}
	var cmd tea.Cmd
	for _, a := range w.p.Actions() {
		if a.Key == "v" {
			cmd = a.Do()
		}
	}
	w.Lacks("nothing is missing")
	got := make(chan tea.Msg, 1)
	go func() { got <- cmd() }()
	<-begun
	w.Send(deck.Tick{})
	w.Has("reading the patches of nodes: 1 of 4")
	w.Press("X")
	if err := <-left; err == nil {
		t.Error("the calls went on")
	}
	w.Send(<-got)
	w.Has("not read yet")
	w.lacking = nil
	w.Press("R")
	w.Has("Missing patches 4, read just now")
}

// Columns of the place come when there are several places.
func TestPlacesAreToldApart(t *testing.T) {
	w := full(t)
	w.Size(240, 40)
	w.Lacks("ACCOUNT")
	w.Deck.Where.Scopes = 2
	w.set.Patches.Set(grid.Place{Account: "210987654321", Region: "us-east-1"}, []fleet.Node{node(99, "far-1", "Ubuntu", "24.04", nil)}, tuitest.Now)
	w.Changed(sources.Patches)
	w.Has("ACCOUNT", "REGION", "210987654321", "us-east-1")

	again := full(t) // as it was left where there was one place
	again.page().SetLayout(full(t).page().Layout())
	again.Size(240, 40)
	again.Deck.Where.Scopes = 2
	again.set.Patches.Set(tuitest.Place, nodes(), tuitest.Now)
	again.Changed(sources.Patches)
	again.Has("ACCOUNT", "REGION")
}

// What is counted is kept once an hour, and never what is not all.
func TestLooksAreKept(t *testing.T) {
	w := open(t)
	w.svc.Looks.Set(grid.Place{}, []history.Look{}, tuitest.Now)
	w.set.Patches.Set(tuitest.Place, nodes(), tuitest.Now)
	w.Changed(sources.Patches)
	w.Changed(sources.Patches)
	w.Changed(pagepatch.Looks)
	if len(w.kept) != 1 || w.kept[0].Nodes != 8 || w.kept[0].Compliant != 2 {
		t.Fatalf("kept %+v", w.kept)
	}
	w.Deck.Now = w.Deck.Now.Add(time.Hour)
	other := grid.Place{Account: "210987654321", Region: "us-east-1"}
	w.set.Patches.Set(tuitest.Place, nodes(), w.Deck.Now)
	w.set.Patches.Fail(other, errors.New("denied"))
	w.Changed(sources.Patches)
	if len(w.kept) != 1 {
		t.Error("a look that is not all was kept")
	}
	w.set.Patches.Set(other, nil, w.Deck.Now)
	w.Changed(sources.Patches)
	if len(w.kept) != 2 {
		t.Errorf("kept %d looks in an hour", len(w.kept))
	}
}

// Ten thousand nodes: a key, another group and new data.
func BenchmarkTenThousandNodes(b *testing.B) {
	w := open(b)
	var all []fleet.Node
	for i := range 10_000 {
		all = append(all, node(i, fmt.Sprintf("web-%d", i), "Amazon Linux", "2023", state(fmt.Sprintf("group-%d", i%40), linA, time.Duration(i)*time.Minute, i%3, i%5, i%7, 0, 0)))
	}
	w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
	w.Changed(sources.Patches)
	w.Size(140, 40)
	frame := func() {
		w.p.Actions()
		if w.p.View() == "" {
			b.Fatal("nothing is drawn")
		}
	}
	for name, f := range map[string]func(i int){
		"key":   func(int) { messages(w.p.Update(tuitest.Key("j"))) },
		"group": func(i int) { messages(w.p.Update(tuitest.Key([]string{"j", "k"}[i%2]))) },
		"filter": func(i int) {
			if err := w.p.SetFilter("critical>0 web-" + strings.Repeat("1", i%4)); err != nil {
				b.Fatal(err)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			if name == "group" {
				messages(w.p.Update(tuitest.Key("h")))
			}
			for i := 0; b.Loop(); i++ {
				f(i)
				frame()
			}
			messages(w.p.Update(tuitest.Key("l")))
		})
	}
	// What a load of the states costs the update loop: to begin counting, and to show
	// what was counted.
	b.Run("arrival", func(b *testing.B) {
		for b.Loop() {
			w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
			w.p.Update(feed.Changed{Feed: sources.Patches})
		}
	})
	b.Run("counted", func(b *testing.B) {
		w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
		found := messages(w.p.Update(feed.Changed{Feed: sources.Patches}))
		for b.Loop() {
			for _, m := range found {
				w.p.Update(m)
			}
			frame()
		}
	})
	// The same once the patches of all nodes have been read, and what that reading costs.
	b.Run("reading", func(b *testing.B) {
		for i := range all {
			all[i].Name = "web-1" // which lacks three
		}
		w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
		found := messages(w.p.Update(feed.Changed{Feed: sources.Patches}))
		for _, m := range found {
			w.p.Update(m)
		}
		var read []tea.Msg
		for _, a := range w.p.Actions() {
			if a.Key == "R" {
				read = messages(a.Do())
			}
		}
		b.Run("arrival", func(b *testing.B) {
			for b.Loop() {
				for _, m := range read {
					w.p.Update(m)
				}
			}
		})
		b.Run("counted", func(b *testing.B) {
			for b.Loop() {
				for _, m := range found {
					w.p.Update(m)
				}
			}
		})
	})
	for name, change := range map[string]func(){
		sources.Attempts:    func() { w.set.Attempts.Set(tuitest.Place, []patching.Attempt{{NodeID: all[3].ID}}, tuitest.Now) },
		pagepatch.Baselines: func() { w.svc.Baselines.Set(tuitest.Place, nil, tuitest.Now) },
		pagepatch.Looks:     func() { w.svc.Looks.Set(grid.Place{}, nil, tuitest.Now) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				change()
				w.p.Update(feed.Changed{Feed: name})
			}
		})
	}
}

// A scan becomes stale while nothing new is read.
func TestScansBecomeStaleByThemselves(t *testing.T) {
	w := full(t)
	stale := func() int { return strings.Count(w.Frame(), "stale") }
	w.Size(140, 40)
	before := stale()
	w.Wait(6 * day)
	w.Press("j") // nobody has looked for long
	w.Wait(time.Second)
	if now := stale(); now <= before {
		t.Errorf("%d scans are stale after six days, and were before: %d", now, before)
	}
}

// Many nodes are counted beside the update loop: keys are answered meanwhile, nothing is
// said of which nothing is known, and what is old when it comes is not shown.
func TestManyNodesAreCountedBesideTheLoop(t *testing.T) {
	w := open(t)
	many := func(n int) []fleet.Node {
		var all []fleet.Node
		for i := range n {
			all = append(all, node(i, fmt.Sprintf("web-%d", i), "Amazon Linux", "2023", state("web", linA, time.Hour, 1, 0, 1, 0, 0)))
		}
		return all
	}
	arrive := func(nodes []fleet.Node) tea.Cmd {
		w.set.Patches.Set(tuitest.Place, nodes, tuitest.Now)
		return w.p.Update(feed.Changed{Feed: sources.Patches})
	}
	first := arrive(many(1500))
	w.Send(deck.Tick{})
	w.Has("counting the nodes")
	w.Lacks("no managed nodes", "0 nodes")
	w.Press("j")
	second := arrive(many(2000))
	show := func(cmd tea.Cmd) {
		for _, m := range messages(cmd) {
			w.Send(m)
		}
	}
	show(second)
	w.Has("2,000 nodes")
	show(first)
	w.Has("2,000 nodes")
	third := arrive(many(1200))
	w.Send(deck.Tick{})
	w.Has("2,000 nodes") // until the new ones are counted
	show(third)
	w.Has("1,200 nodes")
	arrive(many(1100))
	if plain := w.p.Plain(); !strings.Contains(plain.Summary[0], "of 1100 nodes") || len(plain.Items) != 1100 {
		t.Errorf("what is printed is printed once, and has %d rows: %v", len(plain.Items), plain.Summary)
	}
}

// The patches that many nodes lack are counted beside the loop, too: until then nobody is
// told that nothing is missing, nor the numbers of another group.
func TestTheMissingPatchesOfManyNodesAreCountedBesideTheLoop(t *testing.T) {
	w := open(t)
	var all []fleet.Node
	for i := range 1500 {
		n := node(i, []string{"web-1", "web-2"}[i%2], "Amazon Linux", "2023", state([]string{"a", "b"}[i%2], linA, time.Hour, 1, 0, 1, 0, 0))
		all = append(all, n)
	}
	w.set.Patches.Set(tuitest.Place, all, tuitest.Now)
	w.Changed(sources.Patches)
	w.Size(140, 40)
	var read tea.Cmd
	for _, a := range w.p.Actions() {
		if a.Key == "v" {
			read = a.Do()
		}
	}
	var late []tea.Msg
	for _, m := range messages(read) {
		late = append(late, messages(w.p.Update(m))...)
	}
	w.Size(140, 40)
	w.Has("counting")
	w.Lacks("nothing is missing")
	for _, m := range late {
		w.Send(m)
	}
	w.Has("systemd.x86_64", "openssl.x86_64", "1500")
	w.Press("h")
	late = messages(w.p.Update(tuitest.Key("j"))) // to a group, of which nothing is counted yet
	if view := ansi.Strip(w.p.View()); strings.Contains(view, "systemd") || strings.Contains(view, "nothing is missing") || !strings.Contains(view, "counting") {
		t.Errorf("before the group is counted:\n%s", view)
	}
	w.p.Update(tuitest.Key("k"))
	for _, m := range late { // comes when another group is chosen
		w.p.Update(m)
	}
	if view := ansi.Strip(w.p.View()); strings.Contains(view, "systemd") {
		t.Errorf("the patches of one group stand under another:\n%s", view)
	}
	w.Press("j")
	if rows := regexp.MustCompile(`systemd\S* +750 `).FindString(ansi.Strip(w.p.View())); rows == "" {
		t.Errorf("the group is not counted:\n%s", ansi.Strip(w.p.View()))
	}
}

// A click chooses in the pane that it is on, and the wheel scrolls there.
func TestMouse(t *testing.T) {
	w := full(t)
	click := func(pane, text string) {
		t.Helper()
		w.p.SetSize(140, 33)
		for y, l := range strings.Split(w.p.View(), "\n") {
			if before, rest, ok := strings.Cut(l, pane); ok && strings.Contains(rest, text) {
				x := cells(before) + cells(pane) + 1
				if pane == "" {
					x = 3
				}
				for _, m := range messages(w.p.Update(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})) {
					w.Send(m)
				}
				return
			}
		}
		t.Fatalf("no %q to click on", text)
	}
	click("", "▲ (none)")
	w.Size(140, 40)
	w.Has("Nodes in (none) 2")
	click("", "whole fleet")
	click("│", "db-1 ")
	w.Has("Nodes 8", "db-1, 1 read just now")
	messages(w.p.Update(tea.MouseWheelMsg{X: 40, Y: 10, Button: tea.MouseWheelDown}))
	w.Send(deck.Tick{})
	w.Lacks("db-1, 1 read just now")
}

// In plain text, too, a state is as old as its scan.
func TestPlainSaysHowOldAStateIs(t *testing.T) {
	w := full(t)
	text := fmt.Sprint(w.page().Plain().Items)
	for _, want := range []string{", scanned ", "which is stale"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q", text, want)
		}
	}
	for _, it := range w.page().Plain().Items {
		if strings.Contains(it.Text, "never scanned, scanned") {
			t.Error(it.Text)
		}
	}
}
