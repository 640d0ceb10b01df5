package world

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeAgents is a gateway that notes the jobs it is given.
type fakeAgents struct {
	mu   sync.Mutex
	jobs []Job
	down bool
	gone []string
}

func (f *fakeAgents) SendJob(_ string, j Job) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return errors.New("no control channel")
	}
	f.jobs = append(f.jobs, j)
	return nil
}

func (f *fakeAgents) Disconnect(node string) { f.gone = append(f.gone, node) }

// joined is a world with one hybrid node, whose agent is online.
func joined(t *testing.T, scenario string) (*World, *fakeAgents, string) {
	t.Helper()
	w := newWorld(t, scenario+"\nrun_command: {visible_after: 0s}", succeed)
	agents := &fakeAgents{}
	w.UseAgents(agents)
	a, code, err := w.CreateActivation(Activation{Role: defaultRole, Limit: 1, Expires: w.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.Register(Registration{ActivationID: a.ID, Code: code, Fingerprint: "f"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Ping(id, AgentPing{AgentVersion: "3.3.0.0", PlatformType: "Linux"}); err != nil {
		t.Fatal(err)
	}
	return w, agents, id
}

func order(node string, timeout time.Duration) CommandRequest {
	return CommandRequest{DocumentName: "AWS-RunShellScript", Parameters: map[string][]string{"commands": {"x"}, "executionTimeout": {"60"}}, InstanceIDs: []string{node}, Timeout: timeout}
}

const success = `{"documentStatus":"Success","runtimeStatus":{"aws:runShellScript":{"status":"Success","code":0,"standardOutput":"out\n","startDateTime":"2026-03-01T12:00:00.000Z","endDateTime":"2026-03-01T12:00:01.000Z"}}}`

func TestJobsOfRealAgents(t *testing.T) {
	// What the agent does when its node has the job; sleep lets the world work.
	tests := []struct {
		name  string
		agent func(w *World, a *fakeAgents, node string)
		want  string // status/details of the invocation
		sent  int    // how often the job went over the control channel
	}{
		{"it replies", func(w *World, a *fakeAgents, node string) {
			w.AgentConnected(node, true)
			synctest.Wait()
			w.JobAcknowledged(node, a.jobs[0].ID, "200", "Successful")
			w.JobReplied(node, a.jobs[0].ID, `{"documentStatus":"InProgress"}`)
			w.JobReplied(node, a.jobs[0].ID, success)
		}, "Success/Success", 1},
		{"its replies come in the wrong order", func(w *World, a *fakeAgents, node string) {
			w.AgentConnected(node, true)
			synctest.Wait()
			w.JobReplied(node, a.jobs[0].ID, success)
			w.JobReplied(node, a.jobs[0].ID, `{"documentStatus":"InProgress","runtimeStatus":null}`)
			w.JobReplied(node, a.jobs[0].ID, `{"documentStatus":"Failed"}`)
		}, "Success/Success", 1},
		{"it has the job already", func(w *World, a *fakeAgents, node string) {
			w.AgentConnected(node, true)
			synctest.Wait()
			w.JobAcknowledged(node, a.jobs[0].ID, "51405", "duplicate")
			w.JobReplied(node, a.jobs[0].ID, success)
		}, "Success/Success", 1},
		{"it refuses", func(w *World, a *fakeAgents, node string) {
			w.AgentConnected(node, true)
			synctest.Wait()
			w.JobAcknowledged(node, a.jobs[0].ID, "51406", "invalid document")
		}, "Failed/Failed", 1},
		{"it is busy at first", func(w *World, a *fakeAgents, node string) {
			w.AgentConnected(node, true)
			synctest.Wait()
			w.JobAcknowledged(node, a.jobs[0].ID, "51402", "buffer full")
			time.Sleep(31 * time.Second)
			synctest.Wait()
			w.JobReplied(node, a.jobs[0].ID, success)
		}, "Success/Success", 3},
		{"it does not answer", func(w *World, _ *fakeAgents, node string) {
			w.AgentConnected(node, true)
			time.Sleep(time.Hour)
		}, "TimedOut/DeliveryTimedOut", 11},
		{"it takes the job and says nothing more", func(w *World, a *fakeAgents, node string) {
			w.AgentConnected(node, true)
			synctest.Wait()
			w.JobAcknowledged(node, a.jobs[0].ID, "200", "")
			time.Sleep(time.Hour)
		}, "TimedOut/ExecutionTimedOut", 1},
		{"it is never there", func(*World, *fakeAgents, string) { time.Sleep(time.Hour) }, "TimedOut/DeliveryTimedOut", 0},
		{"its channel breaks and it asks", func(w *World, a *fakeAgents, node string) {
			a.down = true
			w.AgentConnected(node, true)
			synctest.Wait()
			j, ok := w.NextMessage(context.Background(), node, 10*time.Second)
			if !ok {
				return
			}
			w.JobAcknowledged(node, j.ID, "200", "")
			w.JobReplied(node, j.ID, success)
		}, "Success/Success", 0},
		{"its process was killed", func(w *World, a *fakeAgents, node string) {
			w.AgentConnected(node, true)
			synctest.Wait()
			w.JobReplied(node, a.jobs[0].ID, `{"documentStatus":"TimedOut","runtimeStatus":{"aws:runShellScript":{"status":"TimedOut","code":137}}}`)
		}, "TimedOut/ExecutionTimedOut", 1},
		{"the node is deregistered", func(w *World, _ *fakeAgents, node string) { _ = w.Deregister(node) }, "Failed/Undeliverable", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, agents, node := joined(t, "")
				id := send(t, w, order(node, 95*time.Second))
				synctest.Wait()
				if got := w.Invocations(id)[0].Status; got != "Pending" {
					t.Errorf("before the agent has it, it is %s", got)
				}
				tt.agent(w, agents, node)
				synctest.Wait()
				inv := w.Invocations(id)[0]
				if got := inv.Status + "/" + inv.Details; got != tt.want {
					t.Errorf("it is %s, want %s", got, tt.want)
				}
				if len(agents.jobs) != tt.sent {
					t.Errorf("sent %d times, want %d", len(agents.jobs), tt.sent)
				}
				if strings.HasPrefix(tt.want, "Success") && (len(inv.Plugins) != 1 || inv.Plugins[0].Stdout != "out\n" || inv.Plugins[0].Finish.Sub(inv.Plugins[0].Start) != time.Second) {
					t.Errorf("the step is %+v", inv.Plugins)
				}
			})
		})
	}
}

func TestCancelledJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, agents, node := joined(t, "")
		never := send(t, w, order(node, time.Hour))
		synctest.Wait()
		if err := w.CancelCommand(never, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.AgentConnected(node, true)
		synctest.Wait()
		if got := w.Invocations(never)[0].Status; got != "Cancelled" || len(agents.jobs) != 0 {
			t.Errorf("it is %s, and %d jobs were sent", got, len(agents.jobs))
		}

		crossing := send(t, w, order(node, time.Hour))
		synctest.Wait()
		if err := w.CancelCommand(crossing, nil); err != nil { // the job has left, its acknowledgement has not come
			t.Fatal(err)
		}
		synctest.Wait()
		if len(agents.jobs) != 2 || !strings.HasPrefix(agents.jobs[1].Topic, topicCancel+".") {
			t.Fatalf("an agent that may have the job got %+v", agents.jobs)
		}
		w.JobReplied(node, agents.jobs[0].ID, success)
		synctest.Wait()
		if got := w.Invocations(crossing)[0].Status; got != "Success" {
			t.Errorf("what had run before the cancellation came is %s", got)
		}
		agents.jobs = nil

		stubborn := send(t, w, order(node, time.Hour))
		synctest.Wait()
		w.JobAcknowledged(node, agents.jobs[0].ID, "200", "")
		synctest.Wait()
		if err := w.CancelCommand(stubborn, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var content struct{ CancelMessageID string }
		if len(agents.jobs) != 2 || !strings.HasPrefix(agents.jobs[1].Topic, topicCancel+".") || json.Unmarshal([]byte(agents.jobs[1].Content), &content) != nil || content.CancelMessageID != agents.jobs[0].ID {
			t.Errorf("the jobs are %+v", agents.jobs)
		}
		if got := w.Invocations(stubborn)[0].Status; got != "Cancelling" {
			t.Errorf("until the agent has ended it, it is %s", got)
		}
		time.Sleep(cancelWait + time.Second)
		synctest.Wait()
		if got := w.Invocations(stubborn)[0].Status; got != "Cancelled" {
			t.Errorf("when the agent does not, it is %s", got)
		}
	})
}

func TestMessagesAreGivenOutAgainWhenTheyAreNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, node := joined(t, "")
		send(t, w, order(node, time.Hour))
		synctest.Wait()
		next := func(wait time.Duration) string {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			j, _ := w.NextMessage(ctx, node, 10*time.Second)
			return j.ID
		}
		first := next(time.Second)
		if first == "" || next(5*time.Second) != "" {
			t.Error("a message is given out twice at once")
		}
		if next(10*time.Second) != first {
			t.Error("a message that was not taken is lost")
		}
		w.JobAcknowledged(node, first, "200", "")
		if next(time.Minute) != "" {
			t.Error("a message that was taken is given out again")
		}
		if w.JobAcknowledged(node, "aws.ssm.x."+node, "200", "") || w.JobReplied(node, first, "no JSON") || w.JobReplied("mi-unknown", first, success) {
			t.Error("what is not known is taken")
		}
		got := make(chan bool, 1)
		go func() {
			_, ok := w.NextMessage(context.Background(), node, time.Second)
			got <- ok
		}()
		synctest.Wait()
		w.EndPolls()
		if <-got {
			t.Error("a poll finds a message where there is none")
		}
	})
}

func TestPingsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, agents, node := joined(t, "agents: {lost_after: 6m}")
		status := func() string { n, _ := w.NodeInfo(node); return n.Ping }
		time.Sleep(6 * time.Minute)
		if got := status(); got != PingOnline {
			t.Errorf("after 6 minutes it is %s", got)
		}
		time.Sleep(time.Second)
		if got := status(); got != PingLost {
			t.Errorf("later it is %s", got)
		}
		if _, err := w.SendCommand(order(node, 0)); codeOf(err) != "InvalidInstanceId" {
			t.Errorf("a command for it: %v", err)
		}
		if err := w.Ping(node, AgentPing{}); err != nil || status() != PingOnline {
			t.Errorf("after a ping it is %s, %v", status(), err)
		}
		if err := w.Deregister(node); err != nil || !slices.Equal(agents.gone, []string{node}) {
			t.Errorf("deregistered: %v, %v", err, agents.gone)
		}
		for what, err := range map[string]error{"ping": w.Ping(node, AgentPing{}), "key": w.ChangeKey(node, nil), "role": w.ChangeRole(node, defaultRole), "again": w.Deregister(node)} {
			if codeOf(err) != "InvalidInstanceId" {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// FuzzAgentReply reads what agents say about commands.
func FuzzAgentReply(f *testing.F) {
	f.Add(success)
	f.Add(`{"documentStatus":"Failed","runtimeStatus":{"a":{"status":"TimedOut","output":"x","startDateTime":""}}}`)
	f.Fuzz(func(t *testing.T, content string) {
		var r agentReply
		if json.Unmarshal([]byte(content), &r) != nil {
			return
		}
		for name, s := range r.Steps {
			if p := s.result(name); len(p.Stdout) > maxStdout || len(p.Stderr) > maxStderr {
				t.Errorf("%d and %d bytes of output are kept", len(p.Stdout), len(p.Stderr))
			}
		}
	})
}
