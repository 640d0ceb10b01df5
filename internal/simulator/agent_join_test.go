package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agenttest"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// activate makes an activation and returns its code and id.
func activate(t *testing.T, s *Server, limit int) (code, id string) {
	t.Helper()
	made := call(t, s, "CreateActivation", fmt.Sprintf(`{"IamRole":"SSMServiceRole","DefaultInstanceName":"till-7","RegistrationLimit":%d,"Tags":[{"Key":"site","Value":"berlin"}]}`, limit))
	return fmt.Sprint(made["ActivationCode"]), fmt.Sprint(made["ActivationId"])
}

func newAgent(t *testing.T, s *Server, change func(*agenttest.Config)) *agenttest.Agent {
	t.Helper()
	cfg := agenttest.Config{
		Endpoint: s.URL(), Region: s.World().Region(), HTTP: client(t, s), Hostname: "till-7.shop",
		Machine: virtual.New(virtual.Spec{Hostname: "till-7", OS: virtual.Linux, IP: "192.0.2.7"}),
	}
	if change != nil {
		change(&cfg)
	}
	return agenttest.New(cfg)
}

// join registers an agent and lets it work until the returned function is called
// or the test ends.
func join(t *testing.T, s *Server, change func(*agenttest.Config)) (a *agenttest.Agent, leave func()) {
	t.Helper()
	a = newAgent(t, s, change)
	code, id := activate(t, s, 1)
	if err := a.Register(t.Context(), code, id); err != nil {
		t.Fatal(err)
	}
	return a, work(t, a)
}

// work lets a registered agent work.
func work(t *testing.T, a *agenttest.Agent) (leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	joined, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Run(ctx, func() { close(joined) }) }()
	leave = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(leave)
	select {
	case <-joined:
	case err := <-ended:
		ended <- nil
		t.Fatalf("the agent does not join: %v", err)
	}
	return leave
}

// nodeInfo is what DescribeInstanceInformation says of a node.
func nodeInfo(t *testing.T, s *Server, id string) map[string]any {
	t.Helper()
	list, _ := call(t, s, "DescribeInstanceInformation", `{"Filters":[{"Key":"InstanceIds","Values":["`+id+`"]}]}`)["InstanceInformationList"].([]any)
	if len(list) == 0 {
		return nil
	}
	info, _ := list[0].(map[string]any)
	return info
}

func connection(t *testing.T, s *Server, id string) string {
	t.Helper()
	return fmt.Sprint(call(t, s, "GetConnectionStatus", `{"Target":"`+id+`"}`)["Status"])
}

// run sends a script to a node and waits for its end.
func runOn(t *testing.T, s *Server, node, script string) world.Invocation {
	t.Helper()
	return ended(t, s, send(t, s, node, script))
}

func send(t *testing.T, s *Server, node, script string) string {
	t.Helper()
	lines, err := json.Marshal([]string{script})
	if err != nil {
		t.Fatal(err)
	}
	sent, _ := call(t, s, "SendCommand", `{"DocumentName":"AWS-RunShellScript","InstanceIds":["`+node+`"],"Parameters":{"commands":`+string(lines)+`}}`)["Command"].(map[string]any)
	return fmt.Sprint(sent["CommandId"])
}

func ended(t *testing.T, s *Server, id string) world.Invocation {
	t.Helper()
	waitFor(t, s, id)
	until(t, func() bool { return len(s.World().Invocations(id)) == 1 }) // they are not visible at once
	return s.World().Invocations(id)[0]
}

func TestARealAgentJoinsAndRunsCommands(t *testing.T) {
	for name, change := range map[string]func(*agenttest.Config){
		"over the control channel":           nil,
		"its last reply comes too early":     func(c *agenttest.Config) { c.FinalFirst = true },
		"over message delivery":              func(c *agenttest.Config) { c.NoControlChannel = true },
		"over message delivery, out of step": func(c *agenttest.Config) { c.NoControlChannel, c.FinalFirst = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{TLS: true})
			a, _ := join(t, s, change)
			info := nodeInfo(t, s, a.ID)
			for key, want := range map[string]any{
				"PingStatus": "Online", "AgentVersion": "3.3.1142.0", "PlatformType": "Linux", "PlatformName": "Debian GNU/Linux",
				"Name": "till-7", "ComputerName": "till-7.shop", "IamRole": "SSMServiceRole", "ResourceType": "ManagedInstance",
			} {
				if info[key] != want {
					t.Errorf("%s is %v, want %v", key, info[key], want)
				}
			}
			if n, _ := s.World().NodeInfo(a.ID); n.Tags["site"] != "berlin" {
				t.Errorf("tags are %v", n.Tags)
			}
			inv := runOn(t, s, a.ID, "echo out; echo err >&2; exit 3")
			if inv.Status != "Failed" || len(inv.Plugins) != 1 {
				t.Fatalf("the invocation is %+v", inv)
			}
			p := inv.Plugins[0]
			if p.Code != 3 || p.Stdout != "out\n" || p.Stderr != "err\nfailed to run commands: exit status 3" || p.Start.IsZero() || p.Finish.Before(p.Start) {
				t.Errorf("the step is %+v", p)
			}
			if inv := runOn(t, s, a.ID, "echo fine"); inv.Status != "Success" || inv.Plugins[0].Stdout != "fine\n" {
				t.Errorf("the invocation is %+v", inv)
			}
		})
	}
}

func TestACommandOnARealAgentIsCancelled(t *testing.T) {
	for name, change := range map[string]func(*agenttest.Config){
		"over the control channel": nil,
		"over message delivery":    func(c *agenttest.Config) { c.NoControlChannel = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{})
			a, _ := join(t, s, change)
			id := send(t, s, a.ID, "echo begin; sleep 600")
			until(t, func() bool {
				list := s.World().Invocations(id)
				return len(list) == 1 && list[0].Status == "InProgress"
			})
			call(t, s, "CancelCommand", `{"CommandId":"`+id+`"}`)
			inv := ended(t, s, id)
			if inv.Status != "Cancelled" || len(inv.Plugins) != 1 || inv.Plugins[0].Code != 137 {
				t.Errorf("the invocation is %+v", inv)
			}
		})
	}
}

// until polls for what another goroutine does.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it does not come to pass")
		}
	}
}

func TestARealAgentComesAndGoes(t *testing.T) {
	var clock testClock
	sc := world.Demo()
	sc.Agents.LostAfter, sc.RunCommand.DeliveryTimeout = 7*time.Minute, time.Hour // longer than the clock jumps
	s := start(t, Options{Scenario: sc, Now: clock.now})
	a, leave := join(t, s, nil)
	until(t, func() bool { return connection(t, s, a.ID) == "connected" }) // agents hear nothing when they are
	leave()
	until(t, func() bool { return connection(t, s, a.ID) == "notconnected" })
	if got := nodeInfo(t, s, a.ID)["PingStatus"]; got != "Online" {
		t.Errorf("just after it has gone it is %v", got)
	}
	waiting := send(t, s, a.ID, "echo back")

	clock.add(8 * time.Minute) // more would not do for signatures
	if got := nodeInfo(t, s, a.ID)["PingStatus"]; got != "ConnectionLost" {
		t.Errorf("without pings it is %v", got)
	}
	clock.add(-8 * time.Minute)
	work(t, a)
	if inv := ended(t, s, waiting); inv.Status != "Success" || inv.Plugins[0].Stdout != "back\n" {
		t.Errorf("what waited for it ended as %+v", inv)
	}
}

// testClock is the real time, put forward.
type testClock struct {
	mu   sync.Mutex
	more time.Duration
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.more)
}

func (c *testClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.more += d
}

func TestDeregistrationEndsARealAgent(t *testing.T) {
	s := start(t, Options{})
	a := newAgent(t, s, nil)
	code, activation := activate(t, s, 1)
	if err := a.Register(t.Context(), code, activation); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	joined := make(chan struct{})
	go func() { gone <- a.Run(t.Context(), func() { close(joined) }) }()
	<-joined
	id := send(t, s, a.ID, "sleep 600")
	until(t, func() bool {
		list := s.World().Invocations(id)
		return len(list) == 1 && list[0].Status == "InProgress"
	})
	call(t, s, "DeregisterManagedInstance", `{"InstanceId":"`+a.ID+`"}`)
	if err := <-gone; err != nil {
		t.Errorf("the agent ends with %v", err)
	}
	if inv := ended(t, s, id); inv.Status != "Failed" || inv.Details != "Undeliverable" {
		t.Errorf("its command is %s, %s", inv.Status, inv.Details)
	}
	if nodeInfo(t, s, a.ID) != nil {
		t.Error("it is still listed")
	}
	for what, err := range map[string]error{"a ping": a.Ping(t.Context(), true), "a login": a.Login(t.Context())} {
		if !refusedWith(err, "InvalidInstanceId") {
			t.Errorf("%s afterwards: %v", what, err)
		}
	}
}

func refusedWith(err error, code string) bool {
	var refused *agenttest.Error
	return errors.As(err, &refused) && refused.Code == code
}

func TestRegistrationIsRefused(t *testing.T) {
	var clock testClock
	s := start(t, Options{Now: clock.now})
	code, id := activate(t, s, 1)
	for name, tt := range map[string]struct{ code, id string }{
		"another code":       {strings.Repeat("x", 20), id},
		"another activation": {code, "00000000-0000-4000-8000-000000000000"},
	} {
		if err := newAgent(t, s, nil).Register(t.Context(), tt.code, tt.id); !refusedWith(err, "InvalidActivation") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := newAgent(t, s, nil).Register(t.Context(), code, id); err != nil {
		t.Fatal(err)
	}
	if err := newAgent(t, s, nil).Register(t.Context(), code, id); !refusedWith(err, "RegistrationLimitExceeded") {
		t.Errorf("one too many: %v", err)
	}
	code, id = activate(t, s, 5)
	clock.add(25 * time.Hour)
	if err := newAgent(t, s, nil).Register(t.Context(), code, id); !refusedWith(err, "ActivationExpired") {
		t.Errorf("too late: %v", err)
	}
}

func TestCredentialsOfARealAgent(t *testing.T) {
	sc := world.Demo()
	sc.Agents.RotateKeys = true
	s := start(t, Options{Scenario: sc})
	a, b := newAgent(t, s, nil), newAgent(t, s, nil)
	code, id := activate(t, s, 2)
	for _, x := range []*agenttest.Agent{a, b} {
		if err := x.Register(t.Context(), code, id); err != nil {
			t.Fatal(err)
		}
		if err := x.Login(t.Context()); err != nil { // makes a new key
			t.Fatal(err)
		}
		if err := x.Login(t.Context()); err != nil {
			t.Errorf("the new key: %v", err)
		}
	}
	fingerprint := a.Fingerprint
	a.Fingerprint = b.Fingerprint
	if err := a.Login(t.Context()); !refusedWith(err, "MachineFingerprintDoesNotMatch") {
		t.Errorf("another machine: %v", err)
	}
	a.Fingerprint = fingerprint
	mine := a.ID
	a.ID = b.ID
	if err := a.Login(t.Context()); !refusedWith(err, "InvalidSignatureException") {
		t.Errorf("as another node: %v", err)
	}
	if err := a.Ping(t.Context(), true); !refusedWith(err, "AccessDeniedException") {
		t.Errorf("a ping for another node: %v", err)
	}
	var refused *agenttest.Error
	if err := a.Run(t.Context(), nil); !errors.As(err, &refused) {
		t.Errorf("joining as another node: %v", err)
	}
	a.ID = mine
	const inventory = `{"InstanceId":%q,"Items":[{"TypeName":"Custom:Rack","SchemaVersion":"1.0","CaptureTime":"2026-03-01T08:00:00Z","Content":[{"Rack":"7"}]}]}`
	for node, code := range map[string]string{a.ID: "", b.ID: "AccessDeniedException"} {
		err := a.Call(t.Context(), "AmazonSSM.PutInventory", json.RawMessage(fmt.Sprintf(inventory, node)), nil)
		if (err == nil) != (code == "") || code != "" && !refusedWith(err, code) {
			t.Errorf("the inventory of %s: %v", node, err)
		}
	}
	for _, target := range []string{"AmazonSSM.DescribeInstanceInformation", "AmazonSSM.SendCommand", "AmazonSSM.StartSession"} {
		if err := a.Call(t.Context(), target, map[string]string{}, nil); !refusedWith(err, "AccessDeniedException") {
			t.Errorf("%s: %v", target, err)
		}
	}
	if err := a.Call(t.Context(), "AmazonSSM.GetManifest", map[string]string{"PackageName": "AmazonCloudWatchAgent"}, nil); !refusedWith(err, "ResourceNotFoundException") {
		t.Errorf("a package: %v", err)
	}
	if err := a.Call(t.Context(), "EC2WindowsMessageDeliveryService.SendReply", map[string]string{"MessageId": "aws.ssm.x." + a.ID, "ReplyId": "r", "Payload": "{}"}, nil); !refusedWith(err, "InvalidMessageId") {
		t.Errorf("a reply to nothing: %v", err)
	}
}

// TestASessionOfAnotherNode is what the role of a node must not reach.
func TestASessionOfAnotherNode(t *testing.T) {
	s := start(t, Options{})
	a, _ := join(t, s, nil)
	started := call(t, s, "StartSession", `{"Target":"`+webNode+`"}`)
	session := fmt.Sprint(started["SessionId"])
	var refused *agenttest.Error
	if _, err := a.CreateDataChannel(t.Context(), session); !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
		t.Errorf("its channel: %v; want 403", err)
	}
	call(t, s, "TerminateSession", `{"SessionId":"`+session+`"}`)
}

// TestClosingDoesNotWaitForPolls holds a poll open while the server closes.
func TestClosingDoesNotWaitForPolls(t *testing.T) {
	s := start(t, Options{})
	a := newAgent(t, s, func(c *agenttest.Config) { c.NoControlChannel = true })
	code, id := activate(t, s, 1)
	if err := a.Register(t.Context(), code, id); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	joined, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- a.Run(ctx, func() { close(joined) }) }()
	<-joined
	until(t, func() bool { return s.Stats().Calls["GetMessages"] > 0 })
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	cancel()
	<-done
}

func TestCallsOfAgentsAreKnown(t *testing.T) {
	s := start(t, Options{})
	join(t, s, nil)
	calls := s.Stats().Calls
	var names []string
	for name := range calls {
		names = append(names, name)
	}
	for _, want := range []string{"RegisterManagedInstance", "RequestManagedInstanceRoleToken", "UpdateInstanceInformation", "ListInstanceAssociations"} {
		if calls[want] == 0 {
			t.Errorf("%s is not among %v", want, slices.Sorted(slices.Values(names)))
		}
	}
}
