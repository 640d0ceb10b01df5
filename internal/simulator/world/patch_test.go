package world

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// patchWorld is a world in a bubble whose clock begins in 2026.
func patchWorld(t *testing.T, scenario string, run runFunc) *World {
	t.Helper()
	sc, err := ParseScenario("test", []byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	begin, noon := time.Now(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w, err := New(sc, Config{
		Now:     func() time.Time { return noon.Add(time.Since(begin)) },
		Machine: func(n Node, _ NodeSpec, _ DialFunc) (shell.Machine, error) { return fakeMachine{n.ID, run}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

const (
	nodeA = "i-0000000000000000a"
	nodeB = "i-0000000000000000b"
)

func twoNodes(more string) string {
	return more + `
nodes:
  - {id: ` + nodeA + `, patch: {installed: 10, missing: 6, security: 4, ended: 3h}}
  - {id: ` + nodeB + `, platform: windows, tags: {PatchGroup: office}, patch: {installed: 3, missing: 2, security: 2}}
`
}

// patchNow runs the document and returns what it printed.
func patchNow(t *testing.T, w *World, node string, document string, parameters map[string][]string) (inv Invocation, out string) {
	t.Helper()
	id := send(t, w, CommandRequest{DocumentName: document, InstanceIDs: []string{node}, Parameters: parameters})
	time.Sleep(time.Minute)
	synctest.Wait()
	inv, ok := w.Invocation(id, node)
	if !ok || len(inv.Plugins) == 0 {
		t.Fatalf("no invocation: %+v", inv)
	}
	for _, p := range inv.Plugins {
		if !strings.Contains(p.Stdout, "unsatisfied preconditions") {
			out += p.Stdout + p.Stderr
		}
	}
	return inv, out
}

func patchArgs(operation string, more ...string) map[string][]string {
	args := map[string][]string{"Operation": {operation}}
	for i := 0; i+1 < len(more); i += 2 {
		args[more[i]] = []string{more[i+1]}
	}
	return args
}

func TestAnInstallationPutsInPlaceWhatIsMissingAndStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := patchWorld(t, twoNodes(""), succeed)
		inv, out := patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Install"))
		s := w.PatchState(nodeA)
		if inv.Status != statusSuccess || s.Missing != 0 || s.PendingReboot != 0 || s.Installed < 16 || s.RebootOption != "RebootIfNeeded" || !s.LastNoReboot.IsZero() {
			t.Errorf("%s: %+v", inv.Status, s)
		}
		for _, want := range []string{"/usr/bin/dnf\n", "Patches to install: 6\n", "Installed (6/6): ", "restarting the system", "InstalledCount               : ", "MissingCount                 : 0\n", "Patch Summary for " + nodeA} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in %s", want, out)
			}
		}
		if n, _ := w.NodeInfo(nodeA); n.Ping != PingOnline {
			t.Errorf("the node is %s", n.Ping)
		}
		inv, out = patchNow(t, w, nodeB, "AWS-RunPatchBaseline", patchArgs("Install", "RebootOption", "NoReboot"))
		if s := w.PatchState(nodeB); inv.Status != statusSuccess || s.PendingReboot < 2 || s.LastNoReboot != s.End || !strings.Contains(out, "\r\nPatchGroup                   : office\r\n") {
			t.Errorf("%s: %+v\n%s", inv.Status, s, out)
		}
		if content, _, _ := w.Inventory(mustNode(t, w, nodeB), InventoryWindowsUpdate); len(content) < 5 {
			t.Errorf("Windows updates %v", content)
		}
	})
}

func mustNode(t *testing.T, w *World, id string) Node {
	t.Helper()
	n, ok := w.NodeInfo(id)
	if !ok {
		t.Fatal("no node " + id)
	}
	return n
}

func TestTheNodeIsAwayWhileItStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := patchWorld(t, twoNodes("patching: {reboot: 30s}"), succeed)
		send(t, w, CommandRequest{DocumentName: "AWS-RunPatchBaseline", InstanceIDs: []string{nodeA}, Parameters: patchArgs("Install")})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := mustNode(t, w, nodeA); n.Ping != PingLost {
			t.Errorf("the node is %s", n.Ping)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := mustNode(t, w, nodeA); n.Ping != PingOnline || w.PatchState(nodeA).Missing != 0 {
			t.Errorf("the node is %s: %+v", n.Ping, w.PatchState(nodeA))
		}
	})
}

func TestWhatFailsSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := patchWorld(t, twoNodes("patching: {fail: ['*'], broken: ["+nodeB+"]}"), succeed)
		inv, out := patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Install"))
		if s := w.PatchState(nodeA); inv.Status != statusFailed || s.Failed != 6 || s.Missing != 0 || !strings.Contains(out, "scriptlet failed, exit status 1") || !strings.Contains(out, "failed to run commands: exit status 1") {
			t.Errorf("%s: %+v\n%s", inv.Status, s, out)
		}
		if _, _ = patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Scan")); w.PatchState(nodeA).Missing != 6 {
			t.Errorf("after a scan: %+v", w.PatchState(nodeA))
		}
		before := w.PatchState(nodeB)
		inv, out = patchNow(t, w, nodeB, "AWS-RunPatchBaseline", patchArgs("Scan"))
		if inv.Status != statusFailed || w.PatchState(nodeB) != before || !strings.Contains(out, "0x8024402C") {
			t.Errorf("a broken node: %s, %+v\n%s", inv.Status, w.PatchState(nodeB), out)
		}
	})
}

func TestACancelledInstallationHasInstalledWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := patchWorld(t, twoNodes("patching: {pace: 10s}"), succeed)
		before := w.PatchState(nodeA)
		id := send(t, w, CommandRequest{DocumentName: "AWS-RunPatchBaseline", InstanceIDs: []string{nodeA}, Parameters: patchArgs("Install")})
		time.Sleep(25 * time.Second)
		synctest.Wait()
		if err := w.CancelCommand(id, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if inv, _ := w.Invocation(id, nodeA); inv.Status != statusCancelled || w.PatchState(nodeA) != before {
			t.Errorf("%s: %+v", inv.Status, w.PatchState(nodeA))
		}
		patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Scan"))
		if s := w.PatchState(nodeA); s.Missing != 4 || s.PendingReboot != 2 {
			t.Errorf("a scan finds %+v", s)
		}
	})
}

func TestASnapshotHoldsBaselineAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := patchWorld(t, "nodes: [{id: "+nodeA+"}]", succeed)
		const snapshot = "11111111-1111-4111-8111-111111111111"
		patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Scan", "SnapshotId", snapshot))
		first := w.PatchState(nodeA)
		time.Sleep(90 * 24 * time.Hour)
		patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Scan", "SnapshotId", snapshot))
		if s := w.PatchState(nodeA); s.Missing != first.Missing || s.SnapshotID != snapshot {
			t.Errorf("with the same snapshot %d, before %d", s.Missing, first.Missing)
		}
		patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Scan"))
		if s := w.PatchState(nodeA); s.Missing <= first.Missing {
			t.Errorf("without it %d, before %d", s.Missing, first.Missing)
		}
	})
}

func TestListsAndBaselinesFromABucketReplaceTheNodesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := patchWorld(t, "buckets: [{name: patch-lists}]\nnodes: [{id: "+nodeA+", patch: {missing: 8, installed: 12}}]", succeed)
		w.PutObject("patch-lists", "list.yaml", []byte("patches:\n  - id: 'python3.x86_64'\n    title: '0:3.9*'\n  - id: kernel\n    title: '2.6*'\n"))
		w.PutObject("patch-lists", "none.json", []byte(`[{"Name":"x","OperatingSystem":"AMAZON_LINUX_2023","ApprovalRules":{"PatchRules":[]}}]`))
		w.PutObject("patch-lists", "other.json", []byte(`[{"OperatingSystem":"UBUNTU"}]`))
		_, out := patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Install", "InstallOverrideList", "s3://patch-lists/list.yaml"))
		if s := w.PatchState(nodeA); s.Missing != 7 || s.OverrideList != "s3://patch-lists/list.yaml" || !strings.Contains(out, "Installed (1/1): python3.x86_64:0:3.9.") {
			t.Errorf("%+v\n%s", s, out)
		}
		for _, url := range []string{"https://s3.us-east-1.amazonaws.com/patch-lists/none.json", "https://patch-lists.s3.us-east-1.amazonaws.com/none.json"} {
			patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Scan", "BaselineOverride", url))
			if s := w.PatchState(nodeA); s.Missing != 0 || s.Installed != 0 {
				t.Errorf("with a baseline that approves nothing: %+v", s)
			}
		}
		for _, url := range []string{"s3://patch-lists/absent", "s3://patch-lists/other.json", "list.yaml"} {
			if inv, out := patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Scan", "BaselineOverride", url)); inv.Status != statusFailed || !strings.Contains(out, "ERROR") {
				t.Errorf("%s: %s\n%s", url, inv.Status, out)
			}
		}
	})
}

func TestRejectedPatchesComeAlongOnlyWhereTheyMay(t *testing.T) {
	for _, c := range []struct {
		block string
		state string
	}{{"false", patchOther}, {"true", patchRejected}} {
		synctest.Test(t, func(t *testing.T) {
			w := patchWorld(t, "baselines: [{name: ours, os: AMAZON_LINUX_2023, default: true, approved: [openssl], rejected: [openssl-libs], block: "+c.block+`, rules: [{product: ["*"], classification: [Newpackage]}], approved_non_security: true}]
nodes: [{id: `+nodeA+"}]", succeed)
			old := firstUnits(nodeA, mustNode(t, w, nodeA).Product(), w.started.Add(-200*24*time.Hour))
			w.patching.nodes[nodeA] = &nodePatching{units: old}
			_, out := patchNow(t, w, nodeA, "AWS-RunPatchBaseline", patchArgs("Install"))
			have := map[string]string{}
			for _, p := range w.NodePatches(mustNode(t, w, nodeA)) {
				have[p.ID] = p.State
			}
			if have["openssl-libs.x86_64"] != c.state {
				t.Errorf("block %s: the rejected one is %s", c.block, have["openssl-libs.x86_64"])
			}
			want := map[string]string{"false": patchInstalled, "true": patchMissing}[c.block]
			if have["openssl.x86_64"] != want {
				t.Errorf("block %s: what needs it is %s, want %s\n%s", c.block, have["openssl.x86_64"], want, out)
			}
		})
	}
}

func TestHooksRunBeforeAndAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var scripts []string
		w := patchWorld(t, twoNodes(`documents:
  - name: Our-Hook
    content: |
      schemaVersion: "2.2"
      mainSteps: [{action: aws:runShellScript, name: hook, inputs: {runCommand: [drain]}}]
  - name: Our-Failure
    content: |
      schemaVersion: "2.2"
      mainSteps: [{action: aws:runShellScript, name: hook, inputs: {runCommand: [fail]}}]
`), func(_ context.Context, _ string, c shell.Command, out shell.IO) (int, error) {
			scripts = append(scripts, c.Script)
			_, err := io.WriteString(out.Stdout, c.Script)
			return map[bool]int{true: 3}[c.Script == "fail"], err
		})
		const document = "AWS-RunPatchBaselineWithHooks"
		inv, _ := patchNow(t, w, nodeA, document, patchArgs("Install", "PreInstallHookDocName", "Our-Failure"))
		if s := w.PatchState(nodeA); inv.Status != statusFailed || s.Operation != "Scan" || s.Missing != 6 {
			t.Errorf("after a failed hook: %s, %+v", inv.Status, s)
		}
		scripts = nil
		inv, _ = patchNow(t, w, nodeA, document, patchArgs("Install", "PreInstallHookDocName", "Our-Hook", "OnExitHookDocName", "Our-Hook"))
		if s := w.PatchState(nodeA); inv.Status != statusSuccess || s.Missing != 0 || !slices.Equal(scripts, []string{"drain", "drain"}) {
			t.Errorf("with hooks: %s, %v, %+v", inv.Status, scripts, s)
		}
	})
}

func TestAnAssociationChoosesItsBaselineByTag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := patchWorld(t, twoNodes("baselines: [{id: pb-0123456789abcdef0, name: none, os: AMAZON_LINUX_2023, tags: {stage: beta}, rules: []}]"), succeed)
		patchNow(t, w, nodeA, "AWS-RunPatchBaselineAssociation", patchArgs("Scan", "BaselineTags", "Key=stage,Values=beta"))
		if s := w.PatchState(nodeA); s.Baseline != "pb-0123456789abcdef0" || s.Missing != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTheCountsOfAScenarioAreFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var scenario bytes.Buffer
		scenario.WriteString("nodes:\n")
		systems := []string{"{platform_name: Ubuntu, platform_version: '22.04'", "{platform: windows", "{platform: macos", "{platform_name: Debian, platform_version: '12'", "{platform_name: SLES, platform_version: '15'", "{platform_name: Amazon Linux, platform_version: '2'", "{platform_name: CentOS, platform_version: '7'"}
		for i, s := range systems {
			scenario.WriteString("  - " + s + ", id: " + nodeName(i) + ", patch: {installed: 12, missing: 5, security: 5, pending_reboot: 1, ended: 2h, not_applicable: 3}}\n")
		}
		w := patchWorld(t, scenario.String(), succeed)
		for i, system := range systems {
			first := w.PatchState(nodeName(i))
			if first.Installed != 12 || first.Missing != 5 || first.PendingReboot != 1 || first.NotApplicable != 3 || first.Security < 5 {
				t.Errorf("%s: %+v", system, first)
			}
			patchNow(t, w, nodeName(i), "AWS-RunPatchBaseline", patchArgs("Scan"))
			if s := w.PatchState(nodeName(i)); s.Missing != 5 || s.PendingReboot != 1 || s.Installed != 12 {
				t.Errorf("%s: a scan finds %+v", system, s)
			}
		}
	})
}

func TestBaselinesOfScenariosAreChecked(t *testing.T) {
	for bad, key := range map[string]string{
		"{name: one, os: UBUNTU, rules: [{severity: [Criticl]}]}":                                            "Criticl",
		"{name: one, os: UBUNTU, rules: [{family: [Windows]}]}":                                              "PRODUCT_FAMILY",
		"{name: one, os: UBUNTU, rules: [{product: [Debian12]}]}":                                            "Debian12",
		"{name: one, os: UBUNTU, rules: [{severity: [Required], days: 2, until: 2026-01-01}]}":               "until",
		"{name: one, os: UBUNTU, global: {severity: [Required]}}":                                            "SEVERITY",
		"{name: one, os: UBUNTU, global: {priority: [Urgent]}}":                                              "Urgent",
		"{name: one, os: UBUNTU, groups: [web]}, {name: two, os: UBUNTU, groups: [db, web]}":                 "web",
		"{name: one, os: UBUNTU, default: true}, {name: two, os: UBUNTU, default: true}":                     "default",
		"{name: one, os: UBUNTU, id: pb-00000000000000001}, {name: two, os: SUSE, id: pb-00000000000000001}": "twice",
	} {
		if _, err := ParseScenario("test", []byte("baselines: ["+bad+"]")); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := ParseScenario("test", []byte("baselines: [{name: one, os: UBUNTU, groups: [web], default: true}, {name: two, os: SUSE, groups: [web], default: true}]")); err != nil {
		t.Error(err)
	}
}
