package world

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestDemoHoldsWhatTheDocumentationUses(t *testing.T) {
	w := newDemo(t)
	n, ok := w.NodeInfo("i-0123456789abcdef0")
	if !ok || n.Name != "web-1" || n.Tags["env"] != "prod" || n.Tags["Name"] != "web-1" {
		t.Errorf("web-1 is %+v", n)
	}
	if s, err := w.Select("", "", "/myapp/prod/db-password"); err != nil || s.Type != "SecureString" {
		t.Errorf("db-password: %v", err)
	}
	rt, _ := w.Node("i-0123456789abcdef0")
	if err := rt.Resolve("my-db.cluster-xyz.us-east-1.rds.amazonaws.com"); err != nil {
		t.Error(err)
	}
	names, agents, lost, platforms := map[string]int{}, map[string]bool{}, 0, map[string]int{}
	for _, n := range w.Nodes() {
		names[n.Name]++
		agents[n.AgentVersion] = true
		platforms[n.Platform]++
		if n.Ping == PingLost {
			lost++
			if age := w.Now().Sub(n.LastPing); age < 3*time.Hour || age > 3*time.Hour+time.Minute {
				t.Errorf("%s was last seen %v ago", n.ID, age)
			}
		}
	}
	if names["worker-2"] != 2 || lost != 1 || !agents["3.0.196.0"] || len(agents) < 4 || platforms["windows"] != 2 {
		t.Errorf("names %v, lost %d, agents %v, platforms %v", names, lost, agents, platforms)
	}
}

func newDemo(t *testing.T) *World {
	t.Helper()
	w, err := New(Demo(), Config{Machine: noMachine})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func TestScenarioMistakesAreFoundWithTheirLine(t *testing.T) {
	tests := []struct {
		name, yaml string
		line       int
		want       string
	}{
		{"an unknown key", "nodes:\n  - id: i-01234567\n    colour: red\n", 3, "colour"},
		{"text for a duration", "faults:\n  latency: soon\n", 2, "soon"},
		{"broken YAML", "nodes: [\n", 0, ""},
		{"a bad node id", "nodes:\n  - id: i-1\n", 2, `"i-1" is not of the form`},
		{"a node without id", "nodes:\n  - name: x\n", 2, "needs an id"},
		{"an id that is there twice", "nodes:\n  - id: i-01234567\n  - id: i-01234567\n", 3, "twice"},
		{"an unknown ping status", "nodes:\n  - id: i-01234567\n    ping: maybe\n", 3, "online, lost, inactive"},
		{"an unknown platform", "nodes:\n  - id: i-01234567\n    platform: amiga\n", 3, "platform"},
		{"a port out of range", "nodes:\n  - id: i-01234567\n    ports: {70000: echo}\n", 3, "70000"},
		{"an unknown behaviour", "nodes:\n  - id: i-01234567\n    ports: {80: teapot}\n", 3, "teapot"},
		{"an address elsewhere", "hosts:\n  - name: a\n    port: 1\n    connect: 192.0.2.1:5432\n", 4, "not an address of this machine"},
		{"serve and connect", "hosts:\n  - {name: a, port: 1, serve: echo, connect: 127.0.0.1:5}\n", 2, "exclude"},
		{"a probability above 1", "faults:\n  loss: 1.5\n", 2, "not from 0 to 1"},
		{"a probability that is no number", "faults:\n  loss: .nan\n", 2, "not from 0 to 1"},
		{"an idle timeout out of range", "session_preferences:\n  idle_timeout: 2h\n", 2, "1m to 60m"},
		{"a bad account", "account: \"12\"\n", 1, "account"},
		{"a throttle of 0", "throttle:\n  SendCommand: 0\n", 2, "above 0"},
		{"a document that does not parse", "documents:\n  - name: Mine\n    content: 'schemaVersion: \"2.2\"'\n", 3, "mainSteps"},
		{"a parameter without value", "parameters:\n  - name: /a\n", 2, "name and a value"},
		{"a notice of what does not expire", "parameters:\n  - {name: /a, value: x, notify: 24h}\n", 2, "does not expire"},
		{"a policy of half an hour", "parameters:\n  - {name: /a, value: x, unchanged: 30m}\n", 2, "number of hours"},
		{"a label of no version", "parameters:\n  - {name: /a, value: x, labels: {2: [a]}}\n", 2, "no version 2"},
		{"no such limits", "limits: low\n", 1, "is not one of , real"},
		{"too many parameters", "parameter_store:\n  generate:\n    - {count: 100001}\n", 3, "from 1 to 100000"},
		{"a prefix that is no path", "parameter_store:\n  generate:\n    - {count: 1, prefix: load}\n", 3, "prefix"},
		{"a state that no key has", "keys:\n  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, state: broken}\n", 2, "pending_deletion"},
		{"a policy that is none", "keys:\n  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, policy: none}\n", 2, "is not the JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseScenario("s.yaml", []byte(tt.yaml))
			var se *ScenarioError
			if !errors.As(err, &se) || fault.KindOf(err) != fault.Usage {
				t.Fatalf("got %v, want a *ScenarioError that is a usage error", err)
			}
			if tt.line != 0 && se.Line != tt.line || !strings.Contains(se.Error(), tt.want) {
				t.Errorf("got %q, want line %d and %q", se.Error(), tt.line, tt.want)
			}
		})
	}
}

func TestAnEmptyScenarioIsAnEmptyAccount(t *testing.T) {
	w := newWorld(t, "", succeed)
	if len(w.Nodes()) != 0 || w.Account() != "123456789012" || w.Region() != "us-east-1" {
		t.Errorf("%d nodes in %s, %s", len(w.Nodes()), w.Account(), w.Region())
	}
	if _, err := w.Document(PreferencesDocument); err != nil {
		t.Error(err)
	}
}

func FuzzParseScenario(f *testing.F) {
	f.Add("account: \"123456789012\"\nnodes:\n  - {id: mi-00000000000000001, ping: lost, last_ping: 3h}\n")
	f.Add("nodes: [{id: i-01234567, ports: {80: http}}]\nfaults: {loss: 0.1, cut_every: 3s}\n")
	f.Add("documents: [{name: abc, format: JSON, content: '{}'}]")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, s string) {
		sc, err := ParseScenario("fuzz", []byte(s))
		if err != nil {
			return
		}
		w, err := New(sc, Config{Machine: noMachine})
		if err != nil {
			return
		}
		if got := len(w.Nodes()); got != len(sc.Nodes) {
			t.Errorf("%d nodes from %d", got, len(sc.Nodes))
		}
		_ = w.Close()
	})
}
