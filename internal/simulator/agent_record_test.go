package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agenttest"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// recordedEvent is one event of the recorded conversation of an unmodified agent.
type recordedEvent struct {
	From, Kind, Request, Body, Text string
	Headers                         map[string]string
	ResponseBody                    string
	ResponseStatus                  int
	Fields                          struct{ MessageType, PayloadText string }
}

// recorded reads what unmodified agent binaries and a server said to each other.
func recorded(t *testing.T) []recordedEvent {
	t.Helper()
	raw, err := os.ReadFile("../../sessionclient/wire/testdata/vectors/real_agent_transcript.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct{ Events []recordedEvent }
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 1 || len(file.Cases[0].Events) < 50 {
		t.Fatal("the record is not what it was")
	}
	return file.Cases[0].Events
}

// recordedNode is the node in the record.
const recordedNode = "mi-0123456789abcdef0"

// TestRecordedCallsAreAnswered sends every call that the real agent was recorded
// to make, with its own body.
func TestRecordedCallsAreAnswered(t *testing.T) {
	s := start(t, Options{})
	a := newAgent(t, s, nil)
	code, id := activate(t, s, 1)
	if err := a.Register(t.Context(), code, id); err != nil {
		t.Fatal(err)
	}
	if err := a.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Ping(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	command := send(t, s, a.ID, "true") // for the replies to be about something
	seen := map[string]bool{}
	for _, e := range recorded(t) {
		target := e.Headers["X-Amz-Target"]
		_, name, _ := strings.Cut(target, ".")
		switch {
		case e.Kind != "http" || target == "" || seen[name]:
			continue
		case name == "RegisterManagedInstance" || name == "RequestManagedInstanceRoleToken": // done above, by the same
			seen[name] = true
			continue
		}
		seen[name] = true
		body := strings.ReplaceAll(e.Body, recordedNode, a.ID)
		if i := strings.Index(body, "aws.ssm."); i >= 0 {
			body = body[:i] + "aws.ssm." + command + body[i+len("aws.ssm.")+36:]
		}
		var in map[string]any
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			t.Fatal(err)
		}
		var got, want map[string]any
		if err := a.Call(t.Context(), target, in, &got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := json.Unmarshal([]byte(e.ResponseBody), &want); err != nil {
			t.Fatal(err)
		}
		if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
			t.Errorf("%s is answered with %v, and the agent knows %v", name, g, w)
		}
	}
	for _, want := range []string{"UpdateInstanceInformation", "GetMessages", "SendReply", "AcknowledgeMessage", "ListInstanceAssociations"} {
		if !seen[want] {
			t.Errorf("%s is not in the record", want)
		}
	}
}

// TestJobsAreAsRecorded holds the order that is sent to an agent against the one
// that the real agent took.
func TestJobsAreAsRecorded(t *testing.T) {
	var want map[string]any
	for _, e := range recorded(t) {
		if e.Fields.MessageType != string(wire.AgentJob) {
			continue
		}
		var j struct{ Content string }
		if json.Unmarshal([]byte(e.Fields.PayloadText), &j) != nil || json.Unmarshal([]byte(j.Content), &want) != nil {
			t.Fatal("the recorded order is no JSON")
		}
		break
	}
	orders := make(chan string, 1)
	s := start(t, Options{})
	a, _ := join(t, s, func(c *agenttest.Config) { c.Orders = func(content string) { orders <- content } })
	send(t, s, a.ID, "true")
	var got map[string]any
	if err := json.Unmarshal([]byte(<-orders), &got); err != nil {
		t.Fatal(err)
	}
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Errorf("an order has %v, want %v", g, w)
	}
	for k, v := range want {
		if fmt.Sprintf("%T", v) != fmt.Sprintf("%T", got[k]) {
			t.Errorf("%s is %T, and the agent takes %T", k, got[k], v)
		}
	}
}

// TestRecordedRepliesAreUnderstood gives the world what the real agent has said
// about its commands, in the order in which it came.
func TestRecordedRepliesAreUnderstood(t *testing.T) {
	const steps = `{"schemaVersion":"2.2","description":"x","parameters":{"commands":{"type":"StringList"}},"mainSteps":[{"action":"aws:runShellScript","name":"runShellScript","inputs":{"runCommand":"{{ commands }}"}}]}`
	sc, err := world.ParseScenario("recorded", []byte("documents: [{name: Recorded, format: JSON, content: '"+steps+"'}]"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	a := newAgent(t, s, nil)
	code, id := activate(t, s, 1)
	if err := a.Register(t.Context(), code, id); err != nil {
		t.Fatal(err)
	}
	if err := s.World().Ping(a.ID, world.AgentPing{AgentVersion: "3.3.0.0", PlatformType: "Linux"}); err != nil {
		t.Fatal(err)
	}
	replies := map[string][]string{} // by job
	var order []string
	for _, e := range recorded(t) {
		if e.Fields.MessageType != string(wire.AgentJobReply) {
			continue
		}
		var j struct{ JobID, Content, Topic string }
		if err := json.Unmarshal([]byte(e.Fields.PayloadText), &j); err != nil {
			t.Fatal(err)
		}
		if j.Topic != "aws.ssm.sendCommand" {
			continue
		}
		if replies[j.JobID] == nil {
			order = append(order, j.JobID)
		}
		replies[j.JobID] = append(replies[j.JobID], j.Content)
	}
	wants := []struct {
		status, stdout string
		code           int
	}{{"Failed", "from-run-command\n", 3}, {"Success", "fine\n", 0}, {"Cancelled", "begin\n", 137}}
	if len(order) != len(wants) {
		t.Fatalf("%d commands in the record, want %d", len(order), len(wants))
	}
	for i, want := range wants {
		sent, _ := call(t, s, "SendCommand", `{"DocumentName":"Recorded","InstanceIds":["`+a.ID+`"],"Parameters":{"commands":["x"]}}`)["Command"].(map[string]any)
		command := fmt.Sprint(sent["CommandId"])
		job := "aws.ssm." + command + "." + a.ID
		until(t, func() bool { return s.World().JobAcknowledged(a.ID, job, "200", "Successful") })
		for _, r := range replies[order[i]] {
			if !s.World().JobReplied(a.ID, job, r) {
				t.Errorf("a reply is not understood: %s", r)
			}
		}
		inv := ended(t, s, command)
		if inv.Status != want.status || len(inv.Plugins) != 1 || inv.Plugins[0].Code != want.code || inv.Plugins[0].Stdout != want.stdout || inv.Plugins[0].Finish.IsZero() {
			t.Errorf("%s ended as %+v", want.status, inv)
		}
	}
}

// TestInstancesJoinWithTheirProfile is an agent on EC2, which has credentials and
// needs no activation.
func TestInstancesJoinWithTheirProfile(t *testing.T) {
	for name, node := range map[string]string{"one that is new": "i-0fedcba9876543210", "in place of a simulated one": webNode} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{})
			a := newAgent(t, s, nil)
			creds := s.Credentials()
			a.UseInstance(node, creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken)
			work(t, a)
			if info := nodeInfo(t, s, node); info["PingStatus"] != "Online" || info["ComputerName"] != "till-7.shop" || info["ResourceType"] != "EC2Instance" {
				t.Errorf("it is listed as %v", info)
			}
			if inv := runOn(t, s, node, "hostname"); inv.Status != "Success" || inv.Plugins[0].Stdout != "till-7\n" {
				t.Errorf("a command ended as %+v", inv)
			}
			a.ID = "mi-0c5d6e7f8a9b0c1d2"
			if err := a.Ping(t.Context(), true); !refusedWith(err, "AccessDeniedException") {
				t.Errorf("a ping for a hybrid node: %v", err)
			}
		})
	}
}

// TestMachinesFindTheirRegion registers with an activation of another Region and
// account of the same server.
func TestMachinesFindTheirRegion(t *testing.T) {
	s := startShop(t)
	for _, at := range []place{{s.World().Account(), "eu-west-1"}, {"222222222222", "eu-west-1"}} {
		w := s.In(at.account, at.region)
		made, code, err := w.CreateActivation(world.Activation{Role: w.Roles()[0].Name, Limit: 1, Expires: w.Now().Add(1e12)})
		if err != nil {
			t.Fatal(err)
		}
		a := newAgent(t, s, func(c *agenttest.Config) { c.Region = at.region })
		if err := a.Register(t.Context(), code, made.ID); err != nil {
			t.Fatal(err)
		}
		work(t, a)
		until(t, func() bool { return w.Connected(a.ID) })
		if n, ok := w.NodeInfo(a.ID); !ok || n.Ping != world.PingOnline {
			t.Errorf("%v: it is %+v", at, n)
		}
		if _, ok := s.World().NodeInfo(a.ID); ok {
			t.Errorf("%v: it is in the first Region too", at)
		}
	}
}

// TestAgentConfig is what docs/simulator.md says an agent needs.
func TestAgentConfig(t *testing.T) {
	s := start(t, Options{TLS: true})
	var got map[string]map[string]string
	if err := json.Unmarshal(s.AgentConfig(), &got); err != nil {
		t.Fatal(err)
	}
	for section, keys := range map[string]string{"Agent": "Region", "Ssm": "Endpoint", "Mds": "Endpoint", "Mgs": "Endpoint Region", "Kms": "Endpoint", "S3": "Endpoint Region"} {
		if have := strings.Join(slices.Sorted(maps.Keys(got[section])), " "); have != keys {
			t.Errorf("%s has %s, want %s", section, have, keys)
		}
		if e := got[section]["Endpoint"]; e != "" && (e != s.URL() || !strings.HasPrefix(e, "https://")) {
			t.Errorf("%s leads to %s", section, e)
		}
	}
}

// TestBucketsOfAWSAreNotThere is what an agent finds that looks for an update.
func TestBucketsOfAWSAreNotThere(t *testing.T) {
	s := start(t, Options{})
	resp, err := client(t, s).Get(s.URL() + "/amazon-ssm-us-east-1/ssm-agent-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "NoSuchBucket") {
		t.Errorf("%s, %s, %v", resp.Status, body, err)
	}
}
