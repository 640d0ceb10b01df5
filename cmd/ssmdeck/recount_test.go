package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// truth is what the simulator knows of patches, read from its own address and
// counted here one by one: it shares no code with what is tested.
type truth struct {
	Now   time.Time       `json:"now"`
	Nodes []world.RawNode `json:"nodes"`
}

func readTruth(t *testing.T, srv *simulator.Server) (all truth) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+simulator.PatchesPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// wrong are the states that make a node non-compliant (User Guide, "Understanding
// patch compliance state values").
var wrong = []string{"MISSING", "FAILED", "INSTALLED_REJECTED", "INSTALLED_PENDING_REBOOT"}

// tally counts by keys and remembers the nodes.
type tally map[string]*struct {
	patches int
	nodes   map[string]bool
	states  map[string]int
}

func (c tally) add(key, node, state string) {
	if c[key] == nil {
		c[key] = &struct {
			patches int
			nodes   map[string]bool
			states  map[string]int
		}{nodes: map[string]bool{}, states: map[string]int{}}
	}
	c[key].patches++
	c[key].nodes[node] = true
	c[key].states[state]++
}

// answerOf runs a line and decodes what it prints.
func answerOf[T any](t *testing.T, srv *simulator.Server, args ...string) (v T) {
	t.Helper()
	code, out, errs := ssmdeckAt(t, srv, append(args, "-o", "json")...)
	if code != 0 {
		t.Fatalf("ssmdeck %s: %d: %s", strings.Join(args, " "), code, errs)
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("ssmdeck %s: %v", strings.Join(args, " "), err)
	}
	return v
}

type counted struct {
	ID, Key, Title, Name, Status, State, Patch, Level string
	Critical, Security, Other, Missing, Failed        int
	Installed, Nodes, Compliant, Noncompliant         int
	PendingReboot                                     int `json:"pending_reboot"`
	Rejected                                          int `json:"installed_rejected"`
	InstalledOther                                    int `json:"installed_other"`
	Available                                         int `json:"available_security_updates"`
	NeverScanned                                      int `json:"never_scanned"`
	Patches                                           json.RawMessage
	Scanned                                           time.Time
	Oldest                                            time.Time `json:"oldest_scan"`
	Newest                                            time.Time `json:"newest_scan"`
	NodeIDs                                           []string  `json:"node_ids"`
}

// recountPatches holds what the commands print against a count of the raw data.
func recountPatches(t *testing.T, srv *simulator.Server, when string) {
	t.Helper()
	bad := func(format string, args ...any) { t.Errorf("%s: %s", when, fmt.Sprintf(format, args...)) }
	all := readTruth(t, srv)
	byPatch, byCVE, byClass, bySeverity := tally{}, tally{}, tally{}, tally{}
	lacking := map[string][]string{} // CVE → nodes that lack a patch for it
	groups, never, well := map[string]int{}, 0, 0
	rows := map[string]counted{}
	for _, row := range answerOf[[]counted](t, srv, "patch", "status") {
		rows[row.ID] = row
	}
	if len(rows) != len(all.Nodes) {
		bad("%d rows of %d nodes", len(rows), len(all.Nodes))
	}
	for _, n := range all.Nodes {
		states, critical, security, open := map[string]int{}, 0, 0, 0
		for _, p := range n.Patches {
			states[p.State]++
			if !slices.Contains(wrong, p.State) {
				continue
			}
			open++
			switch {
			case p.Level == "CRITICAL":
				critical++
			case p.Security:
				security++
			}
			byPatch.add(p.ID+" "+p.Title, n.ID, p.State)
			byClass.add(p.Classification, n.ID, p.State)
			bySeverity.add(map[string]string{"Medium": "medium", "Moderate": "medium", "": "unspecified", "Unspecified": "unspecified"}[p.Severity], n.ID, p.State)
			for _, cve := range p.CVEs {
				byCVE.add(cve, n.ID, p.State)
				if p.State == "MISSING" || p.State == "FAILED" {
					if !slices.Contains(lacking[cve], n.ID) {
						lacking[cve] = append(lacking[cve], n.ID)
					}
				}
			}
		}
		groups[n.Group]++
		status := "noncompliant"
		switch {
		case n.Operation == "":
			status, never = "never-scanned", never+1
		case open == 0:
			status, well = "compliant", well+1
		}
		want := counted{
			Status: status, Critical: critical, Security: security, Other: open - critical - security, Missing: states["MISSING"], Failed: states["FAILED"],
			PendingReboot: states["INSTALLED_PENDING_REBOOT"], Rejected: states["INSTALLED_REJECTED"], Installed: states["INSTALLED"],
			InstalledOther: states["INSTALLED_OTHER"], Available: states["AVAILABLE_SECURITY_UPDATE"], Scanned: n.Ended,
		}
		got := rows[n.ID]
		if !got.Scanned.Equal(want.Scanned.Truncate(time.Millisecond)) && n.Operation != "" {
			bad("%s was scanned %s, and not %s", n.ID, want.Scanned, got.Scanned)
		}
		got.ID, got.Name, got.Scanned, want.Scanned = "", "", time.Time{}, time.Time{}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			bad("%s is shown as %+v, counted %+v", n.ID, got, want)
		}
	}
	delete(bySeverity, "")
	for by, want := range map[string]tally{"patch": byPatch, "cve": byCVE, "classification": byClass} {
		compareTallies(t, when+" by "+by, answerOf[[]counted](t, srv, "patch", "status", "--by", by), want)
	}
	for _, s := range answerOf[[]counted](t, srv, "patch", "status", "--by", "severity") {
		if want := bySeverity[s.Key]; want != nil && s.Nodes != len(want.nodes) {
			bad("severity %s is shown on %d nodes, counted %d", s.Key, s.Nodes, len(want.nodes))
		}
	}
	sum := counted{}
	for _, g := range answerOf[[]counted](t, srv, "patch", "status", "--by", "group") {
		sum.Nodes, sum.Compliant, sum.NeverScanned = sum.Nodes+g.Nodes, sum.Compliant+g.Compliant, sum.NeverScanned+g.NeverScanned
	}
	if sum.Nodes != len(all.Nodes) || sum.Compliant != well || sum.NeverScanned != never {
		bad("groups add up to %d nodes, %d compliant, %d never scanned; counted %d, %d, %d", sum.Nodes, sum.Compliant, sum.NeverScanned, len(all.Nodes), well, never)
	}
	for _, cve := range slices.Sorted(maps.Keys(lacking))[:min(2, len(lacking))] {
		var open []string
		unseen := 0
		for _, l := range answerOf[[]counted](t, srv, "patch", "missing", "--cve", cve) {
			switch {
			case l.State == "NEVER_SCANNED":
				unseen++
			case l.State == "INSTALLED_PENDING_REBOOT":
			case !slices.Contains(open, l.ID):
				open = append(open, l.ID)
			}
		}
		slices.Sort(open)
		slices.Sort(lacking[cve])
		if !slices.Equal(open, lacking[cve]) || unseen != never {
			bad("%s: open are %v and %d not scanned, counted %v and %d", cve, open, unseen, lacking[cve], never)
		}
	}
}

func compareTallies(t *testing.T, when string, got []counted, want tally) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d lines, counted %d", when, len(got), len(want))
	}
	for _, g := range got {
		key := g.Key
		if g.Title != "" {
			key += " " + g.Title
		}
		w := want[key]
		if w == nil {
			t.Errorf("%s: nobody has %q", when, key)
			continue
		}
		ids := slices.Sorted(maps.Keys(w.nodes))
		slices.Sort(g.NodeIDs)
		if string(g.Patches) != fmt.Sprint(w.patches) || g.Nodes != len(ids) || !slices.Equal(g.NodeIDs, ids) || g.Missing != w.states["MISSING"] ||
			g.Failed != w.states["FAILED"] || g.PendingReboot != w.states["INSTALLED_PENDING_REBOOT"] || g.Rejected != w.states["INSTALLED_REJECTED"] {
			t.Errorf("%s: %s is shown as %+v, counted %d on %v, %v", when, key, g, w.patches, ids, w.states)
		}
	}
}

// TestPatchNumbersEqualARecount: whatever the commands show is what the simulator's
// own data comes to, node by node and put together; with the patches read one by one
// (of few nodes) and in a sweep (of many), and again after installations.
func TestPatchNumbersEqualARecount(t *testing.T) {
	for name, scenario := range map[string]string{
		"few nodes":  `fleet: {count: 20, names: [web, api], hybrid: 4, windows: 8}`,
		"many nodes": `fleet: {count: 120, names: [web, api, db], hybrid: 6, windows: 30, lost: 3}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc, err := world.ParseScenario("recount", []byte(scenario))
			if err != nil {
				t.Fatal(err)
			}
			srv := startPatient(t, sc)
			before := srv.Stats().Calls["ListComplianceItems"]
			recountPatches(t, srv, "at first")
			if swept := srv.Stats().Calls["ListComplianceItems"] > before; swept != (name == "many nodes") {
				t.Errorf("a sweep was made: %v", swept)
			}
			for _, words := range [][]string{{"Operation=Install", "RebootOption=NoReboot"}, {"Operation=Scan"}} {
				line := []string{"run", "--tag", "role=web", "--filter", "ping=online", "--document", "AWS-RunPatchBaseline", "--yes", "-q"}
				for _, w := range words {
					line = append(line, "--param", w)
				}
				if code, _, errs := ssmdeckAt(t, srv, line...); code != 0 && code != 6 {
					t.Fatalf("%v: %d: %s", line, code, errs)
				}
				recountPatches(t, srv, "after "+words[0])
			}
		})
	}
}
