package patch

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// several are nodes with patches: two systems, one patch on both.
func several() []NodePatches {
	row := func(name string, ago time.Duration) Row {
		n := node(name, ago, fleet.PatchState{Group: "web", Missing: 2, Security: 2})
		return RowOf(&n, now, StaleAfter, nil)
	}
	kernel := Patch{ID: "kernel.x86_64", Title: "kernel.x86_64:0:6.1", Severity: "Important", Classification: "Security", State: Missing, CVEs: []string{"CVE-2026-1", "CVE-2026-2"}}
	newer := kernel
	newer.Title = "kernel.x86_64:0:6.2"
	return []NodePatches{
		{row("web-1", time.Hour), []Patch{kernel, {ID: "vim", Title: "vim:1", Severity: "Low", Classification: "Bugfix", State: Failed}}},
		{row("web-2", 48*time.Hour), []Patch{kernel, {ID: "KB1", Title: "Update", Severity: "Moderate", Classification: "SecurityUpdates", State: InstalledPendingReboot, CVEs: nil}}},
		{row("web-3", 2*time.Hour), []Patch{newer, {ID: "vi", Title: "vi:1", Severity: "Medium", Classification: "Bugfix", State: Missing}}},
	}
}

func TestTallies(t *testing.T) {
	tests := []struct {
		by   Dimension
		want string // key nodes/patches
	}{
		{ByPatch, "kernel.x86_64 2/2, kernel.x86_64 1/1, KB1 1/1, vi 1/1, vim 1/1"},
		{ByCVE, "CVE-2026-1 3/3, CVE-2026-2 3/3"},
		{BySeverity, "important 3/3, medium 2/2, low 1/1"},
		{ByClassification, "Security 3/3, Bugfix 2/2, SecurityUpdates 1/1"},
		{ByNode, "i-web-1 1/2, i-web-2 1/2, i-web-3 1/2"},
		{ByGroup, "web 3/6"},
		{ByAge, "under 1 day 2/4, 1 to 7 days 1/2"},
	}
	for _, tt := range tests {
		t.Run(string(tt.by), func(t *testing.T) {
			var got []string
			for _, x := range Tallies(several(), tt.by, now) {
				got = append(got, x.Key+" "+number(float64(x.Nodes))+"/"+number(float64(x.Patches)))
				if x.Nodes != len(x.NodeIDs) || len(x.NodeNames()) != len(x.NodeIDs) {
					t.Errorf("%s counts %d nodes and names %v", x.Key, x.Nodes, x.NodeIDs)
				}
				if x.Patches != x.Missing+x.Failed+x.PendingReboot+x.Rejected {
					t.Errorf("%s: the states do not add up: %+v", x.Key, x)
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
	first := Tallies(several(), ByPatch, now)[0]
	if !first.Oldest.Equal(now.Add(-48*time.Hour)) || !first.Newest.Equal(now.Add(-time.Hour)) {
		t.Errorf("scans %s to %s, want those of the two nodes", first.Oldest, first.Newest)
	}
}

func TestSelect(t *testing.T) {
	tests := []struct {
		name string
		m    Match
		want string
	}{
		{"everything", Match{}, "kernel.x86_64 vim kernel.x86_64 KB1 kernel.x86_64 vi"},
		{"medium is moderate", Match{Severities: []string{"medium"}}, "KB1 vi"},
		{"security of all systems", Match{Classifications: []string{"security"}}, "kernel.x86_64 kernel.x86_64 KB1 kernel.x86_64"},
		{"a package by its name", Match{IDs: []string{"kernel"}}, "kernel.x86_64 kernel.x86_64 kernel.x86_64"},
		{"not one that begins like it", Match{IDs: []string{"vi"}}, "vi"},
		{"a number without KB", Match{IDs: []string{"1"}}, "KB1"},
		{"one version", Match{IDs: []string{"kernel.x86_64:0:6.2"}}, "kernel.x86_64"},
		{"a CVE in any case", Match{CVEs: []string{"cve-2026-2"}}, "kernel.x86_64 kernel.x86_64 kernel.x86_64"},
		{"all must hold", Match{CVEs: []string{"CVE-2026-2"}, Severities: []string{"low"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, n := range Select(several(), tt.m) {
				if len(n.Patches) == 0 {
					t.Errorf("%s is left without a patch", n.Row.ID)
				}
				for _, p := range n.Patches {
					got = append(got, p.ID)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestWordsThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		name, hint string
		parse      func() ([]string, error)
	}{
		{"severity", "did you mean important?", func() ([]string, error) { return ParseSeverities("severity", []string{"imporant"}) }},
		{"classification", "did you mean security?", func() ([]string, error) { return ParseClassifications("classification", []string{"securty"}) }},
		{"an empty one", "there are: ", func() ([]string, error) { return ParseSeverities("severity", []string{""}) }},
		{"CVE", "CVE-2026-12345", func() ([]string, error) { return ParseCVEs("cve", []string{"2026-1000"}) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.parse(); fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), tt.hint) {
				t.Errorf("error %v, hint %q", err, fault.HintOf(err))
			}
		})
	}
	got, err := ParseSeverities("severity", []string{"High", "important", " Moderate "})
	if err != nil || strings.Join(got, ",") != "important,medium" {
		t.Errorf("got %v, %v: words that mean the same are one", got, err)
	}
}

func TestNarrowCountsTheChosenPatchesAlone(t *testing.T) {
	nodes := several()
	rows := []Row{nodes[0].Row, nodes[1].Row, nodes[2].Row, RowOf(&fleet.Node{ID: "i-new"}, now, StaleAfter, nil)}
	got := Narrow(rows, Select(nodes, Match{Severities: []string{"low"}}))
	var sum Counts
	for _, r := range got {
		sum.Add(&r)
	}
	if sum.NonCompliant != 1 || sum.WithFailed != 1 || sum.WithMissing != 0 || sum.Compliant != 2 || sum.NeverScanned != 1 || sum.WithSecurity != 0 {
		t.Errorf("counted as %+v", sum)
	}
	if rows[1].Missing != 2 {
		t.Error("the rows themselves were changed")
	}
}

func TestWhoIsOpenToACVE(t *testing.T) {
	all := several()[:2]
	nameless := NodePatches{Row{ID: "i-web-9", Name: "web-9", Status: NonCompliant}, []Patch{{ID: "ssl", Classification: "Security", State: Missing}}}
	kernel := all[0].Patches[0]
	kernel.State, kernel.CVEs = InstalledPendingReboot, nil
	waiting := NodePatches{Row{ID: "i-web-5", Name: "web-5", Status: NonCompliant}, []Patch{kernel}}
	all = append(all, nameless, waiting)
	NamePending(all)
	rows := []Row{all[0].Row, all[1].Row, nameless.Row, waiting.Row, {ID: "i-new", Name: "new", Status: NeverScanned}, {ID: "i-dark", Status: Unknown}, {ID: "i-well", Status: Compliant}}
	lacking := Select(all, Match{CVEs: []string{"CVE-2026-1"}})
	if got, want := AffectedBy(rows, all, lacking), (Affected{Nodes: 7, Lacking: 2, Waiting: 1, Never: 1, Unknown: 1, Blank: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var order []string
	for _, l := range Lacking(rows, lacking) {
		order = append(order, l.ID+" "+string(l.State))
	}
	if got, want := strings.Join(order, ", "), "i-web-1 MISSING, i-web-2 MISSING, i-web-5 INSTALLED_PENDING_REBOOT, i-new NEVER_SCANNED, i-dark UNKNOWN"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
