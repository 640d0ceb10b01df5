package world

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// script is a request to run one command on the whole fleet.
func script(line string, more ...func(*CommandRequest)) CommandRequest {
	r := CommandRequest{
		DocumentName: "AWS-RunShellScript", Parameters: map[string][]string{"commands": {line}},
		Targets: []Target{{Key: "tag:env", Values: []string{"prod"}}},
	}
	for _, m := range more {
		m(&r)
	}
	return r
}

func send(t *testing.T, w *World, r CommandRequest) string {
	t.Helper()
	c, err := w.SendCommand(r)
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func command1(t *testing.T, w *World, id string) Command {
	t.Helper()
	for _, c := range w.Commands() {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("command %s is not listed", id)
	return Command{}
}

// sum is what became of a command, in one line.
func sum(t *testing.T, w *World, id string) string {
	t.Helper()
	c := command1(t, w, id)
	counts := map[string]int{}
	for _, i := range w.Invocations(id) {
		counts[i.Status+"/"+i.Details]++
	}
	return fmt.Sprintf("%s/%s total=%d done=%d errors=%d late=%d %v", c.Status, c.Details, c.Total, c.Completed, c.Errors, c.Undelivered, counts)
}

func TestRunCommandOutcomes(t *testing.T) {
	failOn := func(bad ...string) runFunc {
		return func(ctx context.Context, id string, c shell.Command, io shell.IO) (int, error) {
			time.Sleep(time.Second) // so that all that may start have started
			for _, b := range bad {
				if id == b {
					return 3, nil
				}
			}
			return succeed(ctx, id, c, io)
		}
	}
	tests := []struct {
		name string
		run  runFunc
		req  CommandRequest
		want string
	}{
		{"all succeed", succeed, script("id"), "Success/Success total=6 done=6 errors=0 late=0 map[Success/Success:6]"},
		{"one fails", failOn(nodeName(2)), script("id"), "Failed/Failed total=6 done=6 errors=1 late=0 map[Failed/Failed:1 Success/Success:5]"},
		{
			"one at a time stops after the first error", failOn(nodeName(1)),
			script("id", func(r *CommandRequest) { r.MaxConcurrency = "1" }),
			"Failed/Failed total=6 done=6 errors=1 late=0 map[Cancelled/Terminated:4 Failed/Failed:1 Success/Success:1]",
		},
		{
			"as many errors as allowed do not stop it", failOn(nodeName(1), nodeName(2)),
			script("id", func(r *CommandRequest) { r.MaxConcurrency, r.MaxErrors = "1", "2" }),
			"Failed/Incomplete total=6 done=6 errors=2 late=0 map[Failed/Failed:2 Success/Success:4]",
		},
		{
			"a percentage of errors", failOn(nodeName(0), nodeName(1), nodeName(2)),
			script("id", func(r *CommandRequest) { r.MaxConcurrency, r.MaxErrors = "1", "34%" }),
			"Failed/Failed total=6 done=6 errors=3 late=0 map[Cancelled/Terminated:3 Failed/Failed:3]",
		},
		{
			"a machine that cannot start it",
			func(context.Context, string, shell.Command, shell.IO) (int, error) {
				time.Sleep(time.Second)
				return 0, fmt.Errorf("no shell")
			},
			script("id"), "Failed/Failed total=6 done=6 errors=6 late=0 map[Failed/Failed:6]",
		},
		{
			"no target matches", succeed, script("id", func(r *CommandRequest) { r.Targets[0].Values = []string{"nowhere"} }),
			"Success/NoInstancesInTag total=0 done=0 errors=0 late=0 map[]",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, fleet(6), tt.run)
				id := send(t, w, tt.req)
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := sum(t, w, id); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

func TestConcurrencyIsHeld(t *testing.T) {
	for concurrency, want := range map[string]int32{"2": 2, "50%": 5, "1%": 1, "": 10} {
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int32
			w := newWorld(t, fleet(10), func(context.Context, string, shell.Command, shell.IO) (int, error) {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second) // virtual time
				now.Add(-1)
				return 0, nil
			})
			id := send(t, w, script("id", func(r *CommandRequest) { r.MaxConcurrency = concurrency }))
			time.Sleep(time.Minute)
			synctest.Wait()
			if c := command1(t, w, id); most.Load() != want || c.Status != "Success" {
				t.Errorf("%q: %d at a time, want %d; command is %s", concurrency, most.Load(), want, c.Status)
			}
		})
	}
}

// hang runs until it is killed.
func hang(ctx context.Context, _ string, _ shell.Command, io shell.IO) (int, error) {
	_, _ = io.Stdout.Write([]byte("before\n"))
	<-ctx.Done()
	return shell.StatusKilled, ctx.Err()
}

func TestCancelEndsWhatRunsAndWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(4), hang)
		id := send(t, w, script("sleep", func(r *CommandRequest) { r.MaxConcurrency = "2" }))
		synctest.Wait()
		if c := command1(t, w, id); c.Status != "InProgress" || c.Completed != 0 {
			t.Fatalf("command is %+v", c)
		}
		if err := w.CancelCommand(id, nil); err != nil {
			t.Fatal(err)
		}
		if c := command1(t, w, id); c.Status != "Cancelling" {
			t.Errorf("status is %s right after the cancel", c.Status)
		}
		synctest.Wait()
		want := "Cancelled/Cancelled total=4 done=4 errors=0 late=0 map[Cancelled/Cancelled:4]"
		if got := sum(t, w, id); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if p := w.Invocations(id)[0].Plugins; len(p) != 1 || p[0].Code != 137 || p[0].Stdout != "before\n" {
			t.Errorf("result of a killed script: %+v", p)
		}
		if err := w.CancelCommand(id, nil); err != nil {
			t.Errorf("a second cancel: %v", err)
		}
	})
}

func TestCancelOfOneNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(3), hang)
		id := send(t, w, script("sleep"))
		synctest.Wait()
		if got := codeOf(w.CancelCommand(id, []string{nodeName(9)})); got != "InvalidInstanceId" {
			t.Errorf("a node that is no target: %q", got)
		}
		if err := w.CancelCommand(id, []string{nodeName(1)}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var got []string
		for _, i := range w.Invocations(id) {
			got = append(got, i.Status)
		}
		if diff := diff([]string{"InProgress", "Cancelled", "InProgress"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestExecutionTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(1), hang)
		r := script("sleep")
		r.Parameters["executionTimeout"] = []string{"5"}
		id := send(t, w, r)
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		want := "TimedOut/ExecutionTimedOut total=1 done=1 errors=1 late=0 map[TimedOut/ExecutionTimedOut:1]"
		if got := sum(t, w, id); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

const oneLost = `
run_command: {visible_after: 0s}
nodes:
  - {id: i-00000000000000001, tags: {env: prod}}
  - {id: i-00000000000000002, tags: {env: prod}, ping: lost}
`

func TestDeliveryToALostNode(t *testing.T) {
	wait := func(r *CommandRequest) {
		r.Timeout = 30 * time.Second
		r.Parameters["executionTimeout"] = []string{"10"}
	}
	status := func(w *World, id string) string {
		i := w.Invocations(id)[1]
		return i.Status + "/" + i.Details
	}
	t.Run("it times out after both timeouts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, oneLost, succeed)
			id := send(t, w, script("id", wait))
			synctest.Wait()
			if got := status(w, id); got != "Pending/Pending" {
				t.Errorf("at first %s", got)
			}
			time.Sleep(3 * time.Second)
			if got := status(w, id); got != "Delayed/Delayed" {
				t.Errorf("after 3 s %s", got)
			}
			time.Sleep(36 * time.Second)
			if c := command1(t, w, id); c.Status != "InProgress" {
				t.Errorf("after 39 s the command is %s", c.Status)
			}
			time.Sleep(2 * time.Second)
			want := "Failed/Incomplete total=2 done=2 errors=0 late=1 map[Success/Success:1 TimedOut/DeliveryTimedOut:1]"
			if got := sum(t, w, id); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	})
	t.Run("it runs when the node comes back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, oneLost, succeed)
			id := send(t, w, script("id", wait))
			time.Sleep(10 * time.Second)
			w.SetPing("i-00000000000000002", PingOnline)
			synctest.Wait()
			if got := command1(t, w, id).Status; got != "Success" {
				t.Errorf("command is %s", got)
			}
		})
	})
	t.Run("it can be cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, oneLost, succeed)
			id := send(t, w, script("id", wait))
			time.Sleep(10 * time.Second)
			if err := w.CancelCommand(id, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := status(w, id); got != "Cancelled/Cancelled" {
				t.Errorf("invocation is %s", got)
			}
		})
	})
	t.Run("what queues behind it expires with it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, strings.ReplaceAll(oneLost, "0001, tags: {env: prod}", "0003, tags: {env: prod}"), succeed)
			id := send(t, w, script("id", wait, func(r *CommandRequest) { r.MaxConcurrency = "1" }))
			time.Sleep(time.Minute)
			want := "TimedOut/DeliveryTimedOut total=2 done=2 errors=0 late=2 map[TimedOut/DeliveryTimedOut:2]"
			if got := sum(t, w, id); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	})
}

func TestSendCommandRefusals(t *testing.T) {
	w := newWorld(t, oneLost+"  - {id: i-00000000000000003, platform: windows}\n", succeed)
	ids := func(ids ...string) func(*CommandRequest) {
		return func(r *CommandRequest) { r.Targets, r.InstanceIDs = nil, ids }
	}
	tests := []struct {
		name string
		req  CommandRequest
		code string
	}{
		{"a lost node by id", script("id", ids("i-00000000000000002")), "InvalidInstanceId"},
		{"an unknown node by id", script("id", ids("i-00000000000000009")), "InvalidInstanceId"},
		{"a node twice", script("id", ids("i-00000000000000001", "i-00000000000000001")), "DuplicateInstanceId"},
		{"a platform without the plugin", script("id", ids("i-00000000000000003")), "UnsupportedPlatformType"},
		{"an unknown document", script("id", func(r *CommandRequest) { r.DocumentName = "Nope" }), "InvalidDocument"},
		{"a Session document", script("id", func(r *CommandRequest) { r.DocumentName = "AWS-StartSSHSession" }), "InvalidDocument"},
		{"an unknown version", script("id", func(r *CommandRequest) { r.DocumentVersion = "9" }), "InvalidDocumentVersion"},
		{"a wrong hash", script("id", func(r *CommandRequest) { r.DocumentHash = "00" }), "InvalidDocument"},
		{"an unknown parameter", script("id", func(r *CommandRequest) { r.Parameters["x"] = []string{"1"} }), "InvalidParameters"},
		{"an unknown target key", script("id", func(r *CommandRequest) { r.Targets[0].Key = "colour" }), "ValidationException"},
	}
	for _, tt := range tests {
		if _, err := w.SendCommand(tt.req); codeOf(err) != tt.code {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.code)
		}
	}
	if n := len(w.Commands()); n != 0 {
		t.Errorf("%d commands were sent", n)
	}
}

func TestTargets(t *testing.T) {
	const scenario = `
groups:
  - {name: listed, nodes: [i-00000000000000002]}
  - {name: tagged, tags: {env: prod}}
nodes:
  - {id: i-00000000000000001, name: a, tags: {env: prod, role: web}}
  - {id: i-00000000000000002, name: b, tags: {env: dev, role: web}}
  - {id: i-00000000000000003, name: c, tags: {env: prod}}
`
	w := newWorld(t, scenario, succeed)
	tests := []struct {
		name    string
		targets []Target
		want    string
	}{
		{"one tag", []Target{{"tag:env", []string{"prod"}}}, "1 3"},
		{"two values are either", []Target{{"tag:env", []string{"prod", "dev"}}}, "1 2 3"},
		{"two tags are both", []Target{{"tag:env", []string{"prod"}}, {"tag:role", []string{"web"}}}, "1"},
		{"the key only", []Target{{"tag-key", []string{"role"}}}, "1 2"},
		{"the name tag", []Target{{"tag:Name", []string{"c"}}}, "3"},
		{"ids", []Target{{"InstanceIds", []string{"i-00000000000000002", "i-0000000000000000f"}}}, "2"},
		{"all ids", []Target{{"InstanceIds", []string{"*"}}}, "1 2 3"},
		{"ids in small letters", []Target{{"instanceids", []string{"i-00000000000000002"}}}, "2"},
		{"a group of nodes", []Target{{"resource-groups:Name", []string{"listed"}}}, "2"},
		{"a group by tags", []Target{{"resource-groups:Name", []string{"tagged"}}}, "1 3"},
		{"an unknown group", []Target{{"resource-groups:Name", []string{"none"}}}, ""},
		{"values are case-sensitive", []Target{{"tag:env", []string{"Prod"}}}, ""},
	}
	for _, tt := range tests {
		var got []string
		w.mu.Lock()
		for _, id := range w.targeted(tt.targets) {
			got = append(got, id[len(id)-1:])
		}
		w.mu.Unlock()
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, s, tt.want)
		}
		if _, err := w.SendCommand(script("id", func(r *CommandRequest) { r.Targets = tt.targets })); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestInvocationsShowOnlyAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, strings.Replace(fleet(1), "0s", "200ms", 1), succeed)
		id := send(t, w, script("id"))
		synctest.Wait()
		if n := len(w.Invocations(id)); n != 0 {
			t.Errorf("%d invocations at once", n)
		}
		if command1(t, w, id).ID != id {
			t.Error("the command itself is not there at once")
		}
		time.Sleep(200 * time.Millisecond)
		if n := len(w.Invocations(id)); n != 1 {
			t.Errorf("%d invocations after 200 ms", n)
		}
	})
}

func TestStepsOfADocument(t *testing.T) {
	const doc = `
nodes: [{id: i-00000000000000001, tags: {env: prod}}]
run_command: {visible_after: 0s}
documents:
  - name: Mixed
    content: |
      schemaVersion: "2.2"
      parameters: {who: {type: String, default: world}, lines: {type: StringList, default: [one, two]}}
      mainSteps:
        - {action: aws:runPowerShellScript, name: win, precondition: {StringEquals: [platformType, Windows]}, inputs: {runCommand: [dir]}}
        - {action: aws:runShellScript, name: hello, inputs: {runCommand: ["hello {{ who }}", "{{ lines }}"], workingDirectory: /tmp}}
        - {action: aws:runShellScript, name: fails, inputs: {runCommand: ["exit 4"], onFailure: exit}}
        - {action: aws:runShellScript, name: never, inputs: {runCommand: [id]}}
`
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, doc, func(ctx context.Context, id string, c shell.Command, io shell.IO) (int, error) {
			if c.Script == "exit 4" {
				_, _ = io.Stderr.Write([]byte("oops\n"))
				return 4, nil
			}
			if !c.Elevated || c.Dir != "/tmp" || !strings.Contains(strings.Join(c.Env, " "), "AWS_SSM_INSTANCE_ID="+id) {
				t.Errorf("run as %+v", c)
			}
			return succeed(ctx, id, c, io)
		})
		id := send(t, w, CommandRequest{DocumentName: "Mixed", InstanceIDs: []string{"i-00000000000000001"}})
		synctest.Wait()
		inv := w.Invocations(id)[0]
		var got []string
		for _, p := range inv.Plugins {
			got = append(got, fmt.Sprintf("%s %s %d %q %q", p.Name, p.Status, p.Code, p.Stdout, p.Stderr))
		}
		want := []string{
			`win Success 0 "Step execution skipped due to unsatisfied preconditions: '\"StringEquals\": [platformType, Windows]'. Step name: win" ""`,
			`hello Success 0 "hello world\none\ntwo\n" ""`,
			`fails Failed 4 "" "oops\nfailed to run commands: exit status 4"`,
		}
		if diff := diff(want, got); diff != "" || inv.Status != "Failed" {
			t.Errorf("invocation is %s\n%s", inv.Status, diff)
		}
	})
}

func TestPlatformsOfAMixedFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(1)+"  - {id: i-00000000000000050, platform: windows, tags: {env: prod}}\n", succeed)
		id := send(t, w, script("id"))
		synctest.Wait()
		want := "Failed/Incomplete total=2 done=2 errors=0 late=0 map[Failed/InvalidPlatform:1 Success/Success:1]"
		if got := sum(t, w, id); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestUpdateAgentChangesTheVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(1)+"  - {id: i-00000000000000050, agent_version: 3.0.196.0, tags: {env: prod}}\n", succeed)
		send(t, w, script("", func(r *CommandRequest) { r.DocumentName, r.Parameters = "AWS-UpdateSSMAgent", nil }))
		synctest.Wait()
		for _, n := range w.Nodes() {
			if !n.Latest || n.AgentVersion != w.LatestAgent() {
				t.Errorf("%s has agent %s", n.ID, n.AgentVersion)
			}
		}
		if rt, _ := w.Node("i-00000000000000050"); rt.AgentVersion != w.LatestAgent() {
			t.Errorf("the agent itself is %s", rt.AgentVersion)
		}
	})
}

func TestCloseEndsRunningCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(3), hang)
		id := send(t, w, script("sleep", func(r *CommandRequest) { r.MaxConcurrency = "1" }))
		synctest.Wait()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if c := command1(t, w, id); c.Completed != 3 {
			t.Errorf("command is %+v", c)
		}
		if _, err := w.SendCommand(script("id")); err == nil {
			t.Error("a closed world takes commands")
		}
	})
}

func TestOldCommandsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(1), succeed)
		first := send(t, w, script("id"))
		for range commandHistory + 20 {
			synctest.Wait()
			send(t, w, script("id"))
		}
		synctest.Wait()
		if n := len(w.Commands()); n > commandHistory {
			t.Errorf("%d commands are kept", n)
		}
		if len(w.Invocations(first)) != 0 {
			t.Error("the oldest is still there")
		}
	})
}

func TestOldInvocationsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "fleet: {count: 10000}\nrun_command: {visible_after: 0s}", succeed)
		all := script("id", func(r *CommandRequest) { r.Targets = []Target{{Key: "tag-key", Values: []string{"env"}}} })
		var ids []string
		const kept = commandMemory / invocationSize / 10000 // as commands
		for range kept + 2 {
			id := send(t, w, all)
			if err := w.CancelCommand(id, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			ids = append(ids, id)
		}
		none := script("id", func(r *CommandRequest) { r.Targets = []Target{{Key: "tag:env", Values: []string{"none"}}} })
		send(t, w, none)
		if len(w.Invocations(ids[0])) != 10000 {
			t.Error("what was sent just now is forgotten")
		}
		time.Sleep(time.Hour + time.Second)
		send(t, w, none)
		if n := len(w.Invocations("")); n != kept*10000 {
			t.Errorf("%d invocations are kept", n)
		}
		if len(w.Invocations(ids[1])) != 0 || len(w.Invocations(ids[2])) != 10000 {
			t.Error("the oldest are not those that went")
		}
	})
}
