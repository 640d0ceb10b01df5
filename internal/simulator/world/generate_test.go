package world

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

func TestGeneratedFleet(t *testing.T) {
	sc, err := ParseScenario("test", []byte(`
nodes: [{id: i-0aaaaaaaaaaaaaaaa, name: own}]
fleet: {count: 10000, names: [web, db], hybrid: 500, stopped: 100, unmanaged: 50, lost: 200, windows: 1000, outdated: 300}
`))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	ids, names, ips := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, n := range sc.Nodes {
		ids[n.ID], names[n.Name], ips[n.IP] = true, true, true
		count[n.Platform]++
		count["state "+n.State]++
		count["ping "+n.Ping]++
		count["agent "+n.AgentVersion]++
		count["type "+n.ResourceType]++
		if !n.managed() {
			count["unmanaged"]++
		}
		if n.Generated() && n.VPC == "" && !strings.HasPrefix(n.ID, "mi-") {
			t.Fatalf("%s is in no VPC", n.ID)
		}
	}
	for what, want := range map[string]int{
		"windows": 1000, "linux": 9001, "state stopped": 100, "ping lost": 300, "agent 3.3.2299.0": 300,
		"type ManagedInstance": 500, "unmanaged": 50,
	} {
		if count[what] != want {
			t.Errorf("%s: %d, want %d", what, count[what], want)
		}
	}
	if len(ids) != 10001 || len(names) != 10001 || len(ips) != 10001 {
		t.Errorf("%d ids, %d names, %d addresses of 10001 nodes", len(ids), len(names), len(ips))
	}
	w, err := New(sc, Config{Machine: func(n Node, _ NodeSpec, _ DialFunc) (shell.Machine, error) { return fakeMachine{n.ID, succeed}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if nodes, instances := len(w.Nodes()), len(w.instances); nodes != 9951 || instances != 9501 {
		t.Errorf("%d nodes and %d instances", nodes, instances)
	}
	for bad, want := range map[string]string{
		"fleet: {count: -1}":                                       "count",
		"fleet: {count: 50001}":                                    "50000",
		"fleet: {count: 3, lost: 4}":                               "lost",
		"fleet: {count: 3, lost: 2, stopped: 2}":                   "of 3",
		"fleet: {count: 3, names: ['web 1']}":                      "names",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa, state: gone}]":          "state",
		"nodes: [{id: mi-0aaaaaaaaaaaaaaaa, managed: false}]":      "no EC2 instance",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa, patch: {missing: -1}}]": "missing",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa, az: here}]":             "az",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa, image: ubuntu}]":        "image",
	} {
		if _, err := ParseScenario("test", []byte(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", bad, err, want)
		}
	}
}

func TestInstances(t *testing.T) {
	w := newWorld(t, `
nodes:
  - {id: i-0aaaaaaaaaaaaaaaa, name: web-1, tags: {env: prod}, launch: 48h, patch: {missing: 2, ended: 1h}}
  - {id: i-0bbbbbbbbbbbbbbbb, name: dark, managed: false}
  - {id: i-0cccccccccccccccc, name: off, state: stopped}
  - {id: mi-0aaaaaaaaaaaaaaaa, name: rack, patch: {never: true}}
`, succeed)
	all, err := w.Instances(nil)
	if err != nil || len(all) != 3 || all[2].State != StateStopped || all[2].StateCode != 80 {
		t.Fatalf("got %+v, %v", all, err)
	}
	if age := w.Now().Sub(all[0].LaunchTime); age < 48*time.Hour || age > 49*time.Hour {
		t.Errorf("launched %v ago", age)
	}
	if _, known := w.NodeInfo("i-0bbbbbbbbbbbbbbbb"); known {
		t.Error("an unmanaged instance is a node")
	}
	if n, _ := w.NodeInfo("i-0cccccccccccccccc"); n.Ping != PingLost {
		t.Errorf("a stopped instance is %s", n.Ping)
	}
	if _, err := w.Instances([]string{"mi-0aaaaaaaaaaaaaaaa"}); codeOf(err) != "InvalidInstanceID.NotFound" {
		t.Errorf("a hybrid node is an instance: %v", err)
	}

	other := "dev"
	ids := []string{"i-0aaaaaaaaaaaaaaaa", "i-0bbbbbbbbbbbbbbbb"}
	if err := w.ChangeInstanceTags(ids, map[string]string{"Name": "new", "a": "b"}, map[string]*string{"env": &other}); err != nil {
		t.Fatal(err)
	}
	if n, _ := w.NodeInfo(ids[0]); n.Name != "new" || n.Tags["env"] != "prod" || n.Tags["a"] != "b" {
		t.Errorf("after the change: %+v", n)
	}
	if err := w.ChangeInstanceTags([]string{ids[0], "i-none"}, map[string]string{"x": "y"}, nil); codeOf(err) != "InvalidID" {
		t.Errorf("got %v", err)
	}
	if n, _ := w.NodeInfo(ids[0]); n.Tags["x"] != "" {
		t.Error("half a change was made")
	}

	if s := w.PatchState(ids[0]); s.Missing != 2 || s.Operation != "Scan" || w.Now().Sub(s.End) < time.Hour {
		t.Errorf("patch state %+v", s)
	}
	if code, err := w.patch(t.Context(), ids[0], patchOrder{operation: "Install", reboot: "NoReboot"}, &patchOutput{stdout: io.Discard, stderr: io.Discard}); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	if s := w.PatchState(ids[0]); s.Missing != 0 || s.PendingReboot != 2 || s.Operation != "Install" {
		t.Errorf("after an installation %+v", s)
	}
	if s := w.PatchState("mi-0aaaaaaaaaaaaaaaa"); s != (PatchState{}) {
		t.Errorf("a node that was never scanned: %+v", s)
	}
}
