package agenda

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// win is a window of three hours with a cutoff of one.
func win(name, schedule string, targets []window.Target, tasks ...window.Task) window.Whole {
	return window.Whole{
		Window:  window.Window{ID: "mw-" + name, Name: name, Enabled: true, Schedule: schedule, Duration: 3, Cutoff: 1},
		Targets: targets, Tasks: tasks,
	}
}

func target(id string, s ...window.Selector) window.Target {
	return window.Target{ID: id, Name: id, ResourceType: window.Nodes, Selectors: s}
}

func on(targets ...string) []window.Selector {
	return []window.Selector{{Key: window.ByWindowTarget, Values: targets}}
}

func task(id, run string, s ...window.Selector) window.Task {
	return window.Task{ID: id, Name: id, Type: window.RunCommand, Run: run, Selectors: s}
}

func tag(k string, v ...string) window.Selector { return window.Selector{Key: "tag:" + k, Values: v} }

func node(id string, tags ...string) fleet.Node {
	n := fleet.Node{ID: id, Name: strings.TrimPrefix(id, "i-"), Ping: fleet.Online, Tags: map[string]string{}}
	for _, t := range tags {
		k, v, _ := strings.Cut(t, "=")
		n.Tags[k] = v
	}
	return n
}

var someNodes = []fleet.Node{
	node("i-a", "env=prod", "role=web"), node("i-b", "env=prod", "role=api"), node("i-c", "env=stage"), node("i-d"),
}

func idsOf(r *Reach, s Set) string { return strings.Join(ids(r.Of(s)), " ") }

func TestOpenings(t *testing.T) {
	sunday := win("sunday", "cron(0 2 ? * SUN *)", nil)
	sunday.Timezone = "Europe/Berlin"
	daily := win("daily", "rate(1 day)", nil)
	daily.Next = at("2026-03-28 22:00")
	entries := ReadAll([]window.Whole{sunday, daily})
	var got []string
	for _, o := range Openings(entries, at("2026-03-22 02:30"), at("2026-03-30 00:00")) {
		got = append(got, fmt.Sprintf("%s %s %s %s", o.Window, o.Start.Format("02 15:04"), o.Cutoff.Format("15:04"), o.End.Format("15:04")))
	}
	want := []string{"sunday 22 01:00 03:00 04:00", "daily 28 22:00 00:00 01:00", "daily 29 22:00 00:00 01:00"}
	if !slices.Equal(got, want) {
		t.Errorf("openings %q, want %q: the first is open already, and 02:00 on the 29th does not exist", got, want)
	}
}

// Of a rate the service names the next run only: the one before it may be open.
func TestARateThatIsOpenNow(t *testing.T) {
	w := win("w", "rate(5 hours)", nil)
	w.Next, w.Created = at("2026-03-01 05:00"), at("2026-02-27 03:00")
	now := at("2026-03-01 02:30")
	if all := Openings(ReadAll([]window.Whole{w}), now, now.Add(time.Second)); len(all) != 1 || !all[0].Start.Equal(at("2026-03-01 00:00")) {
		t.Errorf("open at half past two is %v, want what began at midnight", all)
	}
	w.Modified = at("2026-03-01 00:00") // it may have been another rate, and none began then
	if all := Openings(ReadAll([]window.Whole{w}), now, now.Add(time.Second)); len(all) != 0 {
		t.Errorf("open is %v, want nothing", all)
	}
}

func TestDatesOfWindows(t *testing.T) {
	w := win("w", "cron(0 2 ? * * *)", nil)
	w.Start, w.End = "2026-03-02T03:00:00+01:00", "2026-03-04"
	e := Read(w)
	if e.Fault != nil {
		t.Fatal(e.Fault)
	}
	all := e.Openings(at("2026-03-01 00:00"), at("2026-04-01 00:00"))
	if len(all) != 2 || all[0].Start.Day() != 2 || all[1].Start.Day() != 3 {
		t.Errorf("openings %v, want those of the second and third", all)
	}
	w.End = "soon"
	if e := Read(w); e.Fault == nil || e.Openings(at("2026-03-01 00:00"), at("2026-04-01 00:00")) != nil {
		t.Errorf("an end date of %q is read", w.End)
	}
}

func TestReach(t *testing.T) {
	group := window.Selector{Key: "resource-groups:Name", Values: []string{"web"}}
	w := win("w", "cron(0 2 ? * SUN *)",
		[]window.Target{target("prod", tag("env", "prod", "dev")), target("both", tag("env", "prod"), tag("role", "api")), target("group", group)},
		task("prod", "X", on("prod")...), task("both", "X", on("both")...), task("tagged", "X", window.Selector{Key: "tag-key", Values: []string{"env"}}),
		task("ids", "X", window.Selector{Key: "InstanceIds", Values: []string{"i-d", "i-gone"}}), task("group", "X", on("group")...),
		task("buckets", "X", group, window.Selector{Key: "resource-groups:ResourceTypeFilters", Values: []string{"AWS::S3::Bucket"}}),
		task("none", "X"),
	)
	entries := ReadAll([]window.Whole{w})
	r := NewReach(entries, someNodes, map[string]map[string]bool{"web": {"i-a": true, "i-x": true}})
	for id, want := range map[string]string{
		"prod": "i-a i-b", "both": "i-b", "tagged": "i-a i-b i-c", "ids": "i-d", "group": "i-a", "buckets": "", "none": "",
	} {
		if got := idsOf(r, r.Task(id)); got != want {
			t.Errorf("task %s means %q, want %q", id, got, want)
		}
	}
	if got := idsOf(r, r.Window("mw-w")); got != "i-a i-b i-c i-d" {
		t.Errorf("the window means %q", got)
	}
}

func findings(c Coverage) []string {
	var all []string
	for _, f := range c.Findings {
		all = append(all, string(f.Kind)+" "+f.Subject())
	}
	return all
}

func TestCoverage(t *testing.T) {
	install := task("install", "AWS-RunPatchBaseline", on("prod")...)
	install.Parameters = map[string][]string{"Operation": {"Install"}}
	prod := []window.Target{target("prod", tag("env", "prod"))}
	patching := win("patching", "cron(0 2 ? * SUN *)", prod, install)
	restart := win("restart", "cron(0 4 ? * SUN *)", []window.Target{target("web", tag("role", "web")), target("spare", tag("role", "db"))}, task("restart", "AWS-RunShellScript", on("web")...))
	later := win("later", "cron(0 5 ? * SUN *)", prod, task("later", "X", on("prod")...)) // when patching has ended
	off := win("off", "cron(0 2 ? * SUN *)", nil, task("off", "X", window.Selector{Key: "InstanceIds", Values: []string{"i-d"}}))
	off.Enabled = false
	empty := win("empty", "cron(0 2 ? * SUN *)", nil)
	nobody := win("nobody", "cron(0 2 ? * SUN *)", []window.Target{target("dev", tag("env", "dev"))}, task("nobody", "X", on("dev")...))
	over := win("over", "at(2020-01-01T00:00:00)", prod, task("over", "X", on("prod")...))
	bad := win("bad", "whenever", prod, task("bad", "X", on("prod")...))
	short := win("short", "cron(0 2 ? * MON *)", prod, task("short", "X", on("prod")...))
	short.Cutoff = 3
	lambda := win("lambda", "cron(0 2 ? * MON *)", nil, window.Task{ID: "l", Name: "l", Type: window.Lambda, Run: "f"})
	unaimed := win("unaimed", "cron(0 2 ? * MON *)", nil, task("unaimed", "X"))
	partly := win("partly", "cron(0 2 ? * WED *)", []window.Target{target("stage", tag("env", "stage"))}, task("stage", "X", on("stage")...), task("lost", "X", tag("env", "nowhere")))
	all := ReadAll([]window.Whole{patching, restart, later, off, empty, nobody, over, bad, short, lambda, unaimed, partly})
	r := NewReach(all, someNodes, nil)
	span := Span{at("2026-03-01 00:00"), at("2026-03-15 00:00")}
	c := Cover(all, r, nil, span, nil)
	want := []string{
		"uncovered d", "overlap patching, restart", "overlap restart, later", "unreadable bad", "ended over", "disabled off", "no-task empty", "no-target empty",
		"no-target unaimed", "no-node nobody", "no-time short", "idle-task partly", "unused-target restart",
	}
	if got := findings(c); !slices.Equal(got, want) {
		t.Errorf("findings\n%q, want\n%q", got, want)
	}
	if c.Nodes != 4 || c.Covered != 3 || c.Windows != 4 {
		t.Errorf("%d of %d nodes are covered by %d windows, want 3 of 4 by 4", c.Covered, c.Nodes, c.Windows)
	}
	f := c.Findings[1]
	if !f.From.Equal(at("2026-03-01 04:00")) || !f.To.Equal(at("2026-03-01 05:00")) || f.Times != 2 || !slices.Equal(f.NodeIDs, []string{"i-a"}) {
		t.Errorf("the overlap is %+v", f)
	}
	patches := Cover(all, r, r.Only(someNodes[:3]), span, func(t window.Task) bool { p, ok := PatchingOf(t); return ok && p.Installs() })
	if got, want := findings(patches), []string{"uncovered c"}; !slices.Equal(got, want) {
		t.Errorf("of the first three nodes for patching %q, want %q", got, want)
	}
}

// A node that a task names by its id, and that is in no target of a window which
// wants it to be, is patched by nobody.
func TestNodesInNoTarget(t *testing.T) {
	w := win("w", "cron(0 2 ? * SUN *)", []window.Target{target("prod", tag("env", "prod"))},
		task("ids", "X", append(on("prod"), window.Selector{Key: "InstanceIds", Values: []string{"i-a", "i-d"}})...))
	w.AllowUnassociated = new(bool)
	span := Span{at("2026-03-01 00:00"), at("2026-03-15 00:00")}
	all := ReadAll([]window.Whole{w})
	r := NewReach(all, someNodes, nil)
	if got, want := findings(Cover(all, r, nil, span, nil)), []string{"uncovered c", "uncovered d", "unassociated w"}; !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
	work := all[0].Preview(Opening{}, r, PreviewOptions{Among: r.Only(someNodes[3:])})
	if len(work) != 1 || len(work[0].NodeIDs) != 0 || !slices.Equal(work[0].Unassociated, []string{"i-d"}) {
		t.Errorf("the preview of d is %+v, want that nothing runs on it", work)
	}
	*w.AllowUnassociated = true
	all = ReadAll([]window.Whole{w})
	if got, want := findings(Cover(all, NewReach(all, someNodes, nil), nil, span, nil)), []string{"uncovered c"}; !slices.Equal(got, want) {
		t.Errorf("where it is allowed: %q, want %q", got, want)
	}
}

func TestWhatCannotBeReadIsUnknown(t *testing.T) {
	blind := node("i-e")
	blind.Unknown = []string{fleet.PartEC2.String()}
	w := win("w", "cron(0 2 ? * SUN *)", []window.Target{target("prod", tag("env", "prod"))}, task("t", "X", on("prod")...))
	all := ReadAll([]window.Whole{w})
	span := Span{at("2026-03-01 00:00"), at("2026-03-15 00:00")}
	c := Cover(all, NewReach(all, []fleet.Node{blind, node("i-f")}, nil), nil, span, nil)
	if got, want := findings(c), []string{"uncovered f", "unknown e"}; !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q: a window whose nodes are not known is not said to have none", got, want)
	}
	w.Tasks[0].Selectors = []window.Selector{{Key: "resource-groups:Name", Values: []string{"secret"}}}
	all = ReadAll([]window.Whole{w})
	c = Cover(all, NewReach(all, []fleet.Node{node("i-f")}, nil), nil, span, nil)
	if got, want := findings(c), []string{"unknown f", "unused-target w"}; !slices.Equal(got, want) {
		t.Errorf("with a group that cannot be read: %q, want %q", got, want)
	}
}

func TestMarks(t *testing.T) {
	prod := []window.Target{target("prod", tag("env", "prod"))}
	a := win("a", "cron(0 2 ? * SUN *)", prod, task("ta", "X", on("prod")...))
	b := win("b", "cron(30 4 ? * SUN *)", prod, task("tb", "X", tag("role", "api")))
	c := win("c", "cron(30 4 ? * SUN *)", prod, task("tc", "X", tag("env", "stage")))
	entries := ReadAll([]window.Whole{a, b, c})
	openings := Openings(entries, at("2026-03-01 00:00"), at("2026-03-02 00:00"))
	if meet := Meet(openings); len(meet) != 3 {
		t.Errorf("%v meet in time, want all three", meet)
	}
	Mark(openings, NewReach(entries, someNodes, nil))
	want := Shared{"mw-b", "b", at("2026-03-01 04:30"), at("2026-03-01 05:00"), 1}
	if got := openings[0].Shared; !slices.Equal(got, []Shared{want}) {
		t.Errorf("a meets %v, want %v", got, want)
	}
	if got := openings[2].Shared; got != nil {
		t.Errorf("c has other nodes, and meets %v", got)
	}
}

func TestPreviewOrdersTasksAndCountsReboots(t *testing.T) {
	install := task("install", "arn:aws:ssm:eu-west-1::document/AWS-RunPatchBaseline", tag("env", "prod"))
	install.Priority, install.Parameters = 5, map[string][]string{"Operation": {"Install"}, "Secret": {"hush"}}
	before := task("before", "AWS-RunShellScript", tag("env", "prod"))
	before.Parameters = map[string][]string{"commands": {"echo hush"}}
	beside := task("beside", "AWS-RunShellScript", tag("role", "db"))
	w := win("w", "cron(0 2 ? * SUN *)", nil, install, beside, before)
	nodes := slices.Clone(someNodes)
	nodes[0].Patch = &fleet.PatchState{Installed: 10}
	nodes[1].Ping, nodes[1].Patch = fleet.Lost, &fleet.PatchState{Missing: 1}
	entries := ReadAll([]window.Whole{w})
	r := NewReach(entries, nodes, nil)
	o := entries[0].Openings(at("2026-03-01 00:00"), at("2026-03-02 00:00"))[0]
	work := entries[0].Preview(o, r, PreviewOptions{})
	var got []string
	for _, w := range work {
		got = append(got, fmt.Sprint(w.Step, w.Task, w.NodeIDs, w.Offline, w.MayReboot, w.Patching, w.Reboot, w.Parameters))
	}
	want := []string{
		"1before[i-a i-b] [i-b] []map[]", "1beside[] [] []map[]",
		"2install[i-a i-b] [i-b] [i-b]InstallRebootIfNeededmap[Operation:[Install]]",
	}
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], " ", "")
		want[i] = strings.ReplaceAll(want[i], " ", "")
	}
	if !slices.Equal(got, want) {
		t.Errorf("work\n%q, want\n%q", got, want)
	}
	only := entries[0].Preview(o, r, PreviewOptions{Among: r.Only(nodes[1:2]), Values: true})
	if len(only) != 2 || !slices.Equal(only[0].NodeIDs, []string{"i-b"}) || only[1].Parameters["Secret"][0] != "hush" {
		t.Errorf("for one node %+v", only)
	}
}

func TestPatching(t *testing.T) {
	for _, tt := range []struct {
		run, name, value string
		installs, reboot bool
	}{
		{"AWS-RunPatchBaseline", "Operation", "Scan", false, false},
		{"AWS-RunPatchBaseline", "Operation", "Install", true, true},
		{"AWS-RunPatchBaseline", "", "", false, false},
		{"AWS-InstallWindowsUpdates", "AllowReboot", "False", true, false},
		{"AWS-InstallWindowsUpdates", "Action", "Scan", false, false},
	} {
		p, ok := PatchingOf(window.Task{Type: window.RunCommand, Run: tt.run, Parameters: map[string][]string{tt.name: {tt.value}}})
		if !ok || p.Installs() != tt.installs || p.MayReboot() != tt.reboot {
			t.Errorf("%s %s=%s: %+v %v", tt.run, tt.name, tt.value, p, ok)
		}
	}
	if _, ok := PatchingOf(window.Task{Type: window.Lambda, Run: "AWS-RunPatchBaseline"}); ok {
		t.Error("a function patches")
	}
}

func TestCompare(t *testing.T) {
	e := Read(win("w", "cron(0 2 ? * * *)", nil))
	ours := e.Openings(at("2026-03-01 00:00"), at("2026-03-04 00:00"))
	theirs := []time.Time{at("2026-03-01 02:00").Add(20 * time.Second), at("2026-03-02 03:00"), at("2026-03-03 02:00")}
	var got []string
	for _, d := range Compare(e, ours, theirs) {
		got = append(got, d.Start.Format("02 15:04 ")+d.OnlyIn)
	}
	if want := []string{"02 02:00 preview", "02 03:00 service"}; !slices.Equal(got, want) {
		t.Errorf("differences %q, want %q", got, want)
	}
}

func TestICal(t *testing.T) {
	w := win("späte, lange; Nacht mit einem Namen, der länger ist als eine Zeile von fünfundsiebzig Oktetten", "cron(0 2 ? * SUN *)", nil)
	w.Timezone = "Europe/Berlin"
	off := win("off", "cron(0 2 ? * SUN *)", nil)
	off.Enabled = false
	openings := Openings(ReadAll([]window.Whole{w, off}), at("2026-03-22 00:00"), at("2026-04-06 00:00"))
	var b strings.Builder
	if err := WriteICal(&b, openings, at("2026-03-01 00:00")); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("%q has %d octets", line, len(line))
		}
	}
	unfolded := strings.ReplaceAll(text, "\r\n ", "")
	for _, want := range []string{
		"DTSTART:20260322T010000Z", "DTSTART:20260405T000000Z", `SUMMARY:späte\, lange\; Nacht`, `\nNo task begins after 2026-04-05T02:00:00Z.`,
		"UID:mw-späte", "-20260405T000000Z@ssmdeck",
	} {
		if !strings.Contains(unfolded, want) {
			t.Errorf("%q is not in\n%s", want, unfolded)
		}
	}
	if n := strings.Count(text, "BEGIN:VEVENT"); n != 2 || strings.Contains(text, "20260329") {
		t.Errorf("%d events, want 2: none of a window that is off, none at a time that does not exist", n)
	}
}

func BenchmarkReach(b *testing.B) {
	var nodes []fleet.Node
	for i := range 10_000 {
		nodes = append(nodes, node(fmt.Sprintf("i-%05d", i), fmt.Sprintf("group=%d", i%50), "env=prod"))
	}
	var windows []window.Whole
	for i := range 50 {
		id := fmt.Sprint(i)
		windows = append(windows, win(id, "cron(0 2 ? * SUN *)", []window.Target{target("t"+id, tag("group", id))}, task("k"+id, "X", on("t"+id)...)))
	}
	entries := ReadAll(windows)
	span := Span{at("2026-03-01 00:00"), at("2026-04-01 00:00")}
	for b.Loop() {
		Cover(entries, NewReach(entries, nodes, nil), nil, span, nil)
	}
}

// A window of which the service does not say how long it is open is not said to be open for 0 h.
func TestAWindowOfUnknownLength(t *testing.T) {
	w := win("w", "cron(0 2 ? * SUN *)", []window.Target{target("prod", tag("env", "prod"))}, task("t", "X", on("prod")...))
	w.Duration, w.Cutoff = 0, 0
	all := ReadAll([]window.Whole{w})
	c := Cover(all, NewReach(all, someNodes, nil), nil, Span{at("2026-03-01 00:00"), at("2026-03-15 00:00")}, nil)
	for _, f := range c.Findings {
		if f.Kind == NoTime && f.Message == "how long it is open is not known" {
			return
		}
	}
	t.Errorf("findings %+v", c.Findings)
}
