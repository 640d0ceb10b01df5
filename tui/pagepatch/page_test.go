package pagepatch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/pagepatch"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// ago is a time before that of the tests.
func ago(d time.Duration) time.Time { return tuitest.Now.Add(-d) }

const (
	day  = 24 * time.Hour
	linA = "pb-0a11ce00000000001"
	winB = "pb-0a11ce00000000002"
)

// state is what a scan found.
func state(group, pb string, scanned time.Duration, crit, sec, missing, failed, reboot int) *fleet.PatchState {
	return &fleet.PatchState{
		Baseline: pb, Group: group, Operation: "Scan", Ended: ago(scanned), Critical: crit, Security: sec,
		Missing: missing, Failed: failed, PendingReboot: reboot, Installed: 31, NotApplicable: 4,
	}
}

func node(i int, name, system, version string, st *fleet.PatchState) fleet.Node {
	n := fleet.Node{
		ID: fmt.Sprintf("i-0%016x", i), Name: name, Ping: fleet.Online, Platform: "linux", PlatformName: system, PlatformVersion: version,
		Tags: map[string]string{"env": "prod"}, Patch: st,
	}
	if st != nil {
		n.Tags["Patch Group"] = st.Group
	}
	return n
}

// nodes are a few in each state there is.
func nodes() []fleet.Node {
	unread := node(8, "cache-1", "Ubuntu", "24.04", nil)
	unread.Unknown = []string{string("patch")}
	offline := node(6, "db-東京-1", "Windows Server", "2022", state("db", winB, 25*day, 0, 0, 0, 0, 0))
	offline.Ping = "lost"
	return []fleet.Node{
		node(1, "web-1", "Amazon Linux", "2023", state("web", linA, 5*time.Hour, 2, 3, 5, 1, 0)),
		node(2, "web-2", "Amazon Linux", "2023", state("web", linA, 26*time.Hour, 0, 2, 2, 0, 0)),
		node(3, "web-3", "Amazon Linux", "2023", state("web", linA, 26*time.Hour, 0, 0, 0, 0, 3)),
		node(4, "web-4", "Amazon Linux", "2023", state("web", linA, 2*time.Hour, 0, 0, 0, 0, 0)),
		node(5, "db-1", "Windows Server", "2022", state("db", winB, 9*day, 1, 1, 2, 0, 0)),
		offline,
		node(7, "worker-dev", "Ubuntu", "24.04", nil),
		unread,
	}
}

// lacked are the patches of web-1 and others.
func lacked() map[string][]patch.Patch {
	ssl := patch.Patch{ID: "openssl.x86_64", Title: "openssl.x86_64:1:3.0.8-1.amzn2023", Classification: "Security", Severity: "Critical", State: patch.Missing, CVEs: []string{"CVE-2026-1000", "CVE-2026-1001"}}
	sysd := patch.Patch{ID: "systemd.x86_64", Title: "systemd.x86_64:0:252.21-1.amzn2023", Classification: "Security", Severity: "Important", State: patch.Missing, CVEs: []string{"CVE-2026-2000"}}
	glibc := patch.Patch{ID: "glibc.x86_64", Title: "glibc.x86_64:0:2.34-1.amzn2023", Classification: "Security", Severity: "Critical", State: patch.Failed}
	waiting := ssl
	waiting.State, waiting.CVEs = patch.InstalledPendingReboot, nil
	return map[string][]patch.Patch{"web-1": {glibc, ssl, sysd}, "web-2": {sysd}, "web-3": {waiting}, "db-1": {
		{ID: "KB5043960", Title: "2026-11 Cumulative Update for Windows Server 2022", Classification: "SecurityUpdates", Severity: "Critical", State: patch.Missing},
	}}
}

// world is a page with its sources.
type world struct {
	*tuitest.Screen
	p   *pagepatch.Page
	set *sources.Set
	svc pagepatch.Services
	// asked are the nodes whose patches were read, one by one and many at once.
	asked []string
	bulk  int
	kept  []patch.Counts // looks
	// lacking is done first when the patches of many nodes are read; nil: nothing.
	lacking func(ctx context.Context, want patch.Wanted)
	// strict is what baselines say; failing is what reading them brings.
	strict  bool
	failing error
}

func empty[T any](name string) *feed.Source[T] {
	return feed.NewSource(name, func(context.Context, grid.Cell, func([]T)) ([]T, error) { return nil, nil })
}

func open(t testing.TB) *world {
	t.Helper()
	w := &world{set: &sources.Set{Patches: empty[fleet.Node](sources.Patches), Attempts: empty[patching.Attempt](sources.Attempts)}}
	w.svc = pagepatch.Services{
		Baselines: empty[baseline.Identity](pagepatch.Baselines), Looks: empty[history.Look](pagepatch.Looks),
		Node: func(_ context.Context, _ grid.Place, r patch.Row) ([]pagepatch.Found, error) {
			w.asked = append(w.asked, r.Name)
			if w.failing != nil {
				return nil, w.failing
			}
			var out []pagepatch.Found
			for i, p := range lacked()[r.Name] {
				f := pagepatch.Found{Patch: p}
				if i != 1 {
					f.Released = ago(time.Duration(10*(i+1)) * day)
				}
				out = append(out, f)
			}
			return out, nil
		},
		Lacking: func(ctx context.Context, _ grid.Place, rows []patch.Row, want patch.Wanted) (patch.Reading, error) {
			w.bulk++
			if w.lacking != nil {
				w.lacking(ctx, want)
			}
			out := patch.Reading{Failed: map[string]error{}}
			for _, r := range rows {
				if p := lacked()[r.Name]; len(p) > 0 {
					out.Nodes = append(out.Nodes, patch.NodePatches{Row: r, Patches: p})
				}
			}
			want.Seen(len(out.Nodes), len(out.Nodes))
			return out, w.failing
		},
		Keep: func(_ grid.Place, total patch.Counts, _ time.Time) error {
			w.kept = append(w.kept, total)
			return nil
		},
		Strict: func(context.Context, grid.Place, string) (bool, error) { return w.strict, w.failing },
	}
	w.Screen = tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		w.p = pagepatch.New(d, desk, w.set, w.svc)
		return []deck.Page{w.p}
	})
	return w
}

// full shows nodes in each state.
func full(t *testing.T) *world {
	t.Helper()
	w := open(t)
	w.svc.Baselines.Set(tuitest.Place, []baseline.Identity{{ID: linA, Name: "prod-al2023"}, {ID: winB, Name: "prod-windows"}}, tuitest.Now)
	w.svc.Looks.Set(grid.Place{}, []history.Look{
		look(20*day, 8, 1), look(10*day, 8, 2), look(3*day, 8, 4), look(day, 8, 2),
	}, tuitest.Now)
	w.set.Patches.Set(tuitest.Place, nodes(), tuitest.Now.Add(-time.Minute))
	w.Changed(sources.Patches)
	w.Changed(pagepatch.Looks)
	w.Size(80, 24)
	return w
}

func look(age time.Duration, n, ok int) history.Look {
	return history.Look{Time: ago(age), Account: tuitest.Place.Account, Region: tuitest.Place.Region, Scope: history.Everything, Nodes: n, Compliant: ok, NonCompliant: n - ok, Critical: 2}
}

func TestFrames(t *testing.T) {
	t.Run("loading", func(t *testing.T) {
		w := open(t)
		w.Has("loading the patch states of nodes")
		w.Lacks("0 nodes", "100 %")
	})
	t.Run("full", func(t *testing.T) {
		w := full(t)
		w.Size(140, 40)
		w.Send(deck.Tick{})
		w.Golden("full")
	})
	t.Run("patches", func(t *testing.T) {
		w := full(t)
		w.Press("v")
		w.Golden("patches")
	})
	t.Run("cve", func(t *testing.T) {
		w := full(t)
		w.Send(pagepatch.SearchCVE{CVE: "cve-2026-1000"})
		w.Golden("cve")
	})
	t.Run("partial", func(t *testing.T) {
		w := full(t)
		w.set.Patches.Fail(grid.Place{Account: "210987654321", Region: "us-east-1"}, errors.New("not allowed: ssm:DescribeInstanceInformation"))
		w.set.Attempts.Set(tuitest.Place, []patching.Attempt{
			{NodeID: "i-00000000000000002", Operation: "Scan", State: run.Failed, At: ago(time.Hour), Reason: "exit 156"},
			{NodeID: "i-00000000000000004", Operation: "Install", State: run.Running, At: ago(time.Minute)},
		}, tuitest.Now)
		w.Changed(sources.Patches)
		w.Changed(sources.Attempts)
		w.Press("j")
		w.Golden("partial")
	})
}

// page is the page under test.
func (w *world) page() *pagepatch.Page { return w.p }

func (w *world) looks() []history.Look {
	var out []history.Look
	for _, r := range w.svc.Looks.Rows() {
		out = append(out, r.Value)
	}
	return out
}

// line is the first line of the screen that has a text.
func (w *world) line(text string) string {
	for l := range strings.SplitSeq(w.Frame(), "\n") {
		if strings.Contains(l, text) {
			return l
		}
	}
	return ""
}

// act does an action and returns what it asks the root for.
func (w *world) act(t *testing.T, key string) []tea.Msg {
	t.Helper()
	for _, a := range w.p.Actions() {
		if a.Key == key {
			if a.Off != "" {
				t.Fatalf("%s: %s", a.Name, a.Off)
			}
			return messages(a.Do())
		}
	}
	t.Fatalf("there is no action %s", key)
	return nil
}

func messages(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	switch m := cmd().(type) {
	case nil:
		return nil
	case tea.BatchMsg:
		var out []tea.Msg
		for _, c := range m {
			out = append(out, messages(c)...)
		}
		return out
	default:
		return []tea.Msg{m}
	}
}

// choose presses a key that asks for one of several things, and takes one.
func (w *world) choose(t *testing.T, key, name string) {
	t.Helper()
	for _, m := range w.act(t, key) {
		if c, ok := m.(deck.Choose); ok {
			for i, e := range c.Entries {
				if e.Name == name {
					c.Done(i)
					w.Send(tui.Redraw{})
					return
				}
			}
		}
	}
	t.Fatalf("%s offers no %s", key, name)
}

func cells(line string) int { return ansi.StringWidth(line) }
