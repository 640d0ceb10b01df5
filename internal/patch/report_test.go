package patch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// node is a node whose last scan ended so long ago and found this.
func node(name string, ago time.Duration, p fleet.PatchState) fleet.Node {
	p.Ended = now.Add(-ago)
	p.Baseline, p.Operation = "pb-0123456789abcdef0", "Scan"
	return fleet.Node{ID: "i-" + name, Name: name, Platform: "linux", PlatformName: "Ubuntu", PlatformVersion: "24.04", Patch: &p}
}

func example() []fleet.Node {
	unread := fleet.Node{ID: "i-unread", Name: "unread", Unknown: []string{"patch"}}
	return []fleet.Node{
		node("well", time.Hour, fleet.PatchState{Group: "web", Installed: 10}),
		unread,
		node("rebooting", 2*time.Hour, fleet.PatchState{Group: "web", PendingReboot: 1, Other: 1}),
		{ID: "i-new", Name: "new", Tags: map[string]string{"PatchGroup": "db"}},
		node("security", 8*24*time.Hour, fleet.PatchState{Group: "db", Missing: 9, Security: 9}),
		node("critical", time.Hour, fleet.PatchState{Group: "db", Missing: 1, Failed: 1, Critical: 1, Other: 1}),
		node("old", 40*24*time.Hour, fleet.PatchState{Group: "web", Installed: 3}),
	}
}

func TestNodesAreFromTheWorstOn(t *testing.T) {
	r := NewReport(example(), now, StaleAfter, nil)
	var names []string
	for _, n := range r.Nodes {
		names = append(names, n.Name)
	}
	if got, want := strings.Join(names, " "), "critical security rebooting new unread old well"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	shuffled := example()
	slices.Reverse(shuffled)
	if again := NewReport(shuffled, now, StaleAfter, nil); !slices.Equal(r.Nodes, again.Nodes) || !slices.Equal(r.Groups, again.Groups) {
		t.Error("the order depends on that of the nodes")
	}
}

func TestTotalsCountEveryNodeOnce(t *testing.T) {
	got := NewReport(example(), now, StaleAfter, nil).Total
	if got.Nodes != 7 || got.Compliant != 2 || got.NonCompliant != 3 || got.NeverScanned != 1 || got.Unknown != 1 || got.Stale != 2 {
		t.Errorf("nodes counted as %+v", got)
	}
	if got.WithCritical != 1 || got.WithSecurity != 1 || got.WithMissing != 2 || got.WithFailed != 1 || got.WithPendingReboot != 1 {
		t.Errorf("nodes with patches counted as %+v", got)
	}
	if got.Patches.Missing != 10 || got.Patches.Installed != 13 || got.Patches.NonCompliant() != 12 {
		t.Errorf("patches counted as %+v", got.Patches)
	}
	if !got.Oldest.Equal(now.Add(-40*24*time.Hour)) || !got.Newest.Equal(now.Add(-time.Hour)) {
		t.Errorf("scans from %s to %s", got.Oldest, got.Newest)
	}
}

// A node that was never scanned is not compliant, and a hundred percent is all.
func TestPercentNeverFlatters(t *testing.T) {
	tests := []struct {
		name  string
		c     Counts
		want  float64
		known bool
	}{
		{"all", Counts{Nodes: 3, Compliant: 3}, 100, true},
		{"never scanned", Counts{Nodes: 2, Compliant: 1, NeverScanned: 1}, 50, true},
		{"unknown nodes are left out", Counts{Nodes: 3, Compliant: 1, NonCompliant: 1, Unknown: 1}, 50, true},
		{"one of many", Counts{Nodes: 10000, Compliant: 9999, NonCompliant: 1}, 99.9, true},
		{"nothing was read", Counts{Nodes: 4, Unknown: 4}, 0, false},
		{"no node", Counts{}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, known := tt.c.Percent(); got != tt.want || known != tt.known {
				t.Errorf("percent %v %v, want %v %v", got, known, tt.want, tt.known)
			}
		})
	}
}

func TestSlicesAddUpToTheTotal(t *testing.T) {
	r := NewReport(example(), now, StaleAfter, nil)
	for name, list := range map[string][]Slice{"groups": r.Groups, "baselines": r.Baselines, "platforms": r.Platforms, "ages": r.Ages} {
		var sum Counts
		for _, s := range list {
			sum.Merge(s.Counts)
		}
		if sum != r.Total {
			t.Errorf("%s add up to %+v, want %+v", name, sum, r.Total)
		}
	}
	if r.Groups[0].Key != "db" || r.Groups[0].Nodes != 3 || r.Groups[0].NeverScanned != 1 {
		t.Errorf("the worst group is %+v, want db with the node never scanned", r.Groups[0])
	}
	var ages []string
	for _, a := range r.Ages {
		ages = append(ages, a.Key)
	}
	if got, want := strings.Join(ages, ", "), "under 1 day, 7 to 30 days, 30 to 90 days, never-scanned, unknown"; got != want {
		t.Errorf("ages %s, want %s", got, want)
	}
}

func TestLevels(t *testing.T) {
	got := NewReport(example(), now, StaleAfter, nil).Levels
	for i, want := range []struct {
		level          string
		nodes, patches int
	}{{"critical", 1, 1}, {"security", 1, 9}, {"other", 2, 2}} {
		if l := got[i]; l.Level != want.level || l.Nodes != want.nodes || l.Patches != want.patches {
			t.Errorf("level %+v, want %+v", l, want)
		}
	}
}

func TestCountsInOneSentence(t *testing.T) {
	got := NewReport(example(), now, StaleAfter, nil).Total.String()
	want := "2 of 7 nodes compliant (33.3%), 3 non-compliant, 1 of them critical, 1 with failed patches, 1 waiting for a reboot, 1 never scanned, 1 unknown"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The word for a node is the worst that is wrong with it, and none that says it is
// well when nobody knows.
func TestWord(t *testing.T) {
	for want, r := range map[string]Row{
		"ok": {Status: Compliant}, "never scanned": {Status: NeverScanned}, "unknown": {Status: Unknown},
		"critical":     {Status: NonCompliant, Numbers: Numbers{Critical: 1, Security: 2, Failed: 1, Missing: 3}},
		"security":     {Status: NonCompliant, Numbers: Numbers{Security: 2, Failed: 1, Missing: 3}},
		"failed":       {Status: NonCompliant, Numbers: Numbers{Failed: 1, Missing: 3}},
		"missing":      {Status: NonCompliant, Numbers: Numbers{Missing: 3, PendingReboot: 1}},
		"rejected":     {Status: NonCompliant, Numbers: Numbers{Rejected: 1, PendingReboot: 1}},
		"reboot":       {Status: NonCompliant, Numbers: Numbers{PendingReboot: 1, Available: 1}},
		"not approved": {Status: NonCompliant, Numbers: Numbers{Available: 1}},
	} {
		if got := r.Word(); got != want {
			t.Errorf("%+v is %q, want %q", r, got, want)
		}
	}
}

// Severities compare in the words of any system, unknown ones last.
func TestCompareSeverities(t *testing.T) {
	words := []string{"moon", "Low", "Required", "moderate", "Important", ""}
	slices.SortStableFunc(words, CompareSeverities)
	if got := strings.Join(words, " "); got != "Required Important moderate Low moon " {
		t.Errorf("got %q", got)
	}
}
