package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// ticking is an account with windows in two Regions, whose nodes run real scripts
// in the memory of the test.
const ticking = `
clock: {start: 2026-03-28T00:00:00Z}
nodes: [{id: i-00000000000000001, name: app-1, tags: {env: prod}}]
buckets: [{name: outputs}]
maintenance_windows:
  - name: nightly
    schedule: cron(0 3 * * ? *)
    timezone: Europe/Berlin
    ran: 48h
    targets: {env: prod}
    tasks:
      - {run: AWS-RunShellScript, parameters: {commands: [date -u +%FT%T, sleep 45m, date -u +%FT%T], executionTimeout: ["7200"]}}
regions:
  eu-west-1:
    nodes: [{id: i-00000000000000002}]
    maintenance_windows:
      - {name: windows, schedule: cron(30 1 * * ? *), nodes: [i-00000000000000002], document: AWS-RunShellScript, parameters: {commands: [timeout 10m sleep 1h]}}
`

func tick(t *testing.T, s *Server, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+ClockPath, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

func TestTheClockIsPutForwardOverHTTP(t *testing.T) {
	sc, err := world.ParseScenario("ticking", []byte(ticking))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	var list struct {
		WindowIdentities []struct{ WindowID, Name string }
	}
	executions := func(region string) string {
		_, body := ask(t, s, s.Credentials(), region, "ssm", "AmazonSSM.DescribeMaintenanceWindows", "{}")
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.WindowIdentities) != 1 {
			t.Fatalf("%v in %s", err, body)
		}
		var told []string
		for _, e := range s.In("123456789012", region).WindowExecutions(list.WindowIdentities[0].WindowID) {
			told = append(told, fmt.Sprintf("%s %s %v", e.Start.UTC().Format("02T15:04"), e.Status, e.End.Sub(e.Start).Round(time.Minute)))
		}
		return strings.Join(told, ", ")
	}
	if got := executions("us-east-1"); got != "27T02:00 SUCCESS 45m0s, 26T02:00 SUCCESS 45m0s" {
		t.Errorf("before the start: got %s", got)
	}
	status, body := tick(t, s, `{"advance": "36h", "speed": 0}`)
	if status != http.StatusOK || !strings.HasPrefix(body, `{"now":"2026-03-29T12:00:0`) || !strings.HasSuffix(body, `"speed":0}`) {
		t.Errorf("got %d %s", status, body)
	}
	if got := executions("us-east-1"); got != "29T01:00 SUCCESS 45m0s, 28T02:00 SUCCESS 45m0s, 27T02:00 SUCCESS 45m0s, 26T02:00 SUCCESS 45m0s" {
		t.Errorf("got %s", got)
	}
	if got := executions("eu-west-1"); got != "29T01:30 FAILED 10m0s, 28T01:30 FAILED 10m0s" {
		t.Errorf("in the other Region: got %s", got)
	}
	command := s.World().Commands()[0]
	out := s.World().Invocations(command.ID)[0].Plugins[0].Stdout
	if out != "2026-03-29T01:00:00\n2026-03-29T01:45:00\n" {
		t.Errorf("the node's own clock: got %q", out)
	}
	if status, body = tick(t, s, `{"to": "2026-03-30T00:00:00Z"}`); status != http.StatusOK || body != `{"now":"2026-03-30T00:00:00Z","speed":0}` {
		t.Errorf("got %d %s", status, body)
	}
	// A stopped clock does not keep commands from nodes.
	sent := call(t, s, "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-00000000000000001"],"Parameters":{"commands":["echo hello"]}}`)
	id, _ := sent["Command"].(map[string]any)["CommandId"].(string)
	waitFor(t, s, id)
	for body, want := range map[string]string{
		`{"advance": "-1h"}`: "cannot go back", `{"to": "2026-03-29T00:00:00Z"}`: "cannot go back", `{}`: "give advance, to or speed",
		`{"advance": "1h", "to": "2026-04-01T00:00:00Z"}`: "exclude each other", `{"advance": "soon"}`: "invalid duration", `{"speed": -1}`: "speed", `{"jump": 1}`: "unknown field",
	} {
		if status, got := tick(t, s, body); status != http.StatusBadRequest || !strings.Contains(got, want) {
			t.Errorf("%s: got %d %s", body, status, got)
		}
	}
}

func TestForwardEndsWithTheServer(t *testing.T) {
	sc, err := world.ParseScenario("", []byte("clock: {stopped: true}\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Forward(ctx, s.World().Now().Add(time.Hour)); err == nil {
		t.Error("it went forward for nobody")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Forward(t.Context(), s.World().Now().Add(time.Hour)); err == nil {
		t.Error("it went forward after the end")
	}
}

func TestAStoppedClockShowsItsStartAfterThePastOfWindows(t *testing.T) {
	sc, err := world.ParseScenario("past", []byte(strings.Replace(ticking, "00Z}", "00Z, stopped: true}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	if now := s.World().Clock().Now(); !now.Equal(sc.Clock.Start) {
		t.Errorf("it shows %v, not %v", now, sc.Clock.Start)
	}
}

func TestAStartIsGivenUp(t *testing.T) {
	sc, err := world.ParseScenario("past", []byte(ticking))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := 0
	_, err = Start(ctx, Options{Scenario: sc, Machine: func(world.Node, world.NodeSpec, world.DialFunc) (shell.Machine, error) {
		return machineFunc(func() {
			ran++
			cancel()
		}), nil
	}})
	if !errors.Is(err, context.Canceled) || ran != 1 {
		t.Errorf("%v after %d commands", err, ran)
	}
}

// machineFunc is a machine that calls a function when something runs on it.
type machineFunc func()

func (m machineFunc) Run(context.Context, shell.Command, shell.IO) (int, error) {
	m()
	return 0, nil
}

func (m machineFunc) Start(context.Context, shell.TTYOptions) (shell.TTY, error) {
	return nil, errors.ErrUnsupported
}
