package gateway

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// createChannel does what an agent does before it opens a channel.
func createChannel(t *testing.T, r *rig, path string) (status int, token string) {
	t.Helper()
	url := strings.Replace(r.cfg.Base, "ws", "http", 1) + path
	body := `{"MessageSchemaVersion":"1.0","RequestId":"12345678-1234-4234-8234-123456789012","ClientId":""}`
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ TokenValue string }
	if resp.StatusCode == http.StatusCreated {
		if err := xml.Unmarshal(answer, &v); err != nil || v.TokenValue == "" {
			t.Fatalf("answer %q is not the XML an agent reads: %v", answer, err)
		}
	}
	return resp.StatusCode, v.TokenValue
}

// realAgent is a hand-made agent at the other end of its websockets.
type realAgent struct {
	t  *testing.T
	ws *websocket.Conn
}

func openAgent(t *testing.T, r *rig, path, text string) *realAgent {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), r.cfg.Base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return &realAgent{t, ws}
}

func connectAgent(t *testing.T, r *rig) *realAgent {
	t.Helper()
	status, token := createChannel(t, r, "/v1/control-channel/"+nodeID)
	if status != http.StatusCreated {
		t.Fatalf("status %d, want 201", status)
	}
	return openAgent(t, r, "/v1/control-channel/"+nodeID+"?role=subscribe&stream=input", fmt.Sprintf(
		`{"Cookie":null,"MessageSchemaVersion":"1.0","RequestId":"x","TokenValue":%q,"AgentVersion":"3.3.0.0","PlatformType":"linux"}`, token))
}

// read returns the next message of a type.
func (a *realAgent) read(want wire.MessageType) wire.Message {
	a.t.Helper()
	for {
		_, raw, err := a.ws.Read(a.t.Context())
		if err != nil {
			a.t.Fatalf("waiting for %s: %v", want, err)
		}
		m, err := wire.Decode(raw)
		if err != nil {
			a.t.Fatal(err)
		}
		if m.Type == want {
			return m
		}
	}
}

// send sends a message and returns its id.
func (a *realAgent) send(m wire.Message) wire.UUID {
	a.t.Helper()
	m.Created, m.ID = 1, wire.NewUUID()
	raw, err := wire.Append(nil, &m)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.ws.Write(a.t.Context(), websocket.MessageBinary, raw); err != nil {
		a.t.Fatal(err)
	}
	return m.ID
}

func newControlRig(t *testing.T, jobs func(string, JobMessage)) (*rig, *realAgent) {
	t.Helper()
	connected := make(chan bool, 4)
	r := newRig(t, func(c *Config, _ *world.NodeRuntime) {
		c.Agents = func(_ string, up bool) { connected <- up }
		c.Jobs = jobs
	})
	a := connectAgent(t, r)
	if up := <-connected; !up || !r.Connected(nodeID) {
		t.Fatal("agent is not connected")
	}
	return r, a
}

// TestRealAgentServesASession follows the recorded conversation of an unmodified
// agent with its service.
func TestRealAgentServesASession(t *testing.T) {
	r, control := newControlRig(t, nil)
	spec := r.spec("Port", `{"portNumber":"9443","type":"LocalPortForwarding"}`)
	spec.Owner, spec.DocumentName = "arn:aws:iam::111122223333:user/me", "AWS-StartPortForwardingSession"
	spec.Parameters = map[string][]string{"portNumber": {"9443"}}
	c := r.open(spec)

	var start struct{ Content, TaskId, Topic string }
	m := control.read(wire.InteractiveShell)
	if err := json.Unmarshal(m.Payload, &start); err != nil {
		t.Fatal(err)
	}
	var content struct {
		DocumentName    string
		DocumentContent struct {
			SchemaVersion, SessionType string
			Properties                 map[string]string
		}
		SessionId  string
		Parameters map[string]string
	}
	if err := json.Unmarshal([]byte(start.Content), &content); err != nil {
		t.Fatal(err)
	}
	if start.TaskId != spec.ID || content.SessionId != spec.ID || content.DocumentContent.SchemaVersion != "1.0" ||
		content.DocumentContent.SessionType != "Port" || content.DocumentContent.Properties["portNumber"] != "9443" ||
		content.Parameters["portNumber"] != "9443" || content.DocumentName != spec.DocumentName {
		t.Errorf("session start is %s", m.Payload)
	}

	_, token := createChannel(t, r, "/v1/data-channel/"+spec.ID)
	data := openAgent(t, r, "/v1/data-channel/"+spec.ID+"?role=publish_subscribe", fmt.Sprintf(
		`{"MessageSchemaVersion":"1.0","RequestId":"x","TokenValue":%q,"ClientInstanceId":%q,"ClientId":""}`, token, nodeID))
	data.send(wire.Message{Type: wire.AgentSessionState, Flags: 3, Payload: []byte(`{"SchemaVersion":1,"SessionState":"Connected","SessionId":"x"}`)})
	data.send(wire.Message{
		Type: wire.OutputStreamData, Flags: 1, PayloadType: wire.PayloadHandshakeRequest,
		Payload: []byte(`{"AgentVersion":"3.3.0.0","RequestedClientActions":[]}`),
	})
	c.event(wire.PayloadHandshakeRequest)
	data.read(wire.Acknowledge)
	c.put(wire.PayloadOutput, []byte("up"))
	if m := data.read(wire.InputStreamData); string(m.Payload) != "up" {
		t.Errorf("agent got %q, want up", m.Payload)
	}
	r.status(spec.ID, world.SessionConnected)

	id := control.send(wire.Message{Type: wire.AgentTaskComplete, Payload: []byte(fmt.Sprintf(
		`{"SchemaVersion":1,"TaskId":%q,"Topic":"agent_task_complete","FinalTaskStatus":"Failed","InstanceId":%q,"Output":"broken","RetryNumber":1}`,
		spec.ID, nodeID))})
	ack := control.read(wire.AgentTaskAcknowledge)
	if !strings.Contains(string(ack.Payload), id.String()) || !strings.Contains(string(ack.Payload), spec.ID) {
		t.Errorf("acknowledged with %s, want message %s and the task", ack.Payload, id)
	}
	if reason := c.end(); reason != "broken" {
		t.Errorf("client is told %q, want broken", reason)
	}
	r.status(spec.ID, world.SessionFailed)
	if status, _ := createChannel(t, r, "/v1/data-channel/"+spec.ID); status == http.StatusCreated {
		t.Error("the agent may reopen a session that is over")
	}
}

func TestTerminateReachesARealAgent(t *testing.T) {
	r, control := newControlRig(t, nil)
	c := r.open(r.spec("Standard_Stream", ""))
	control.read(wire.InteractiveShell)
	if err := r.Terminate(c.spec.ID); err != nil {
		t.Fatal(err)
	}
	if m := control.read(wire.ChannelClosed); !strings.Contains(string(m.Payload), `"SessionId":"`+c.spec.ID+`"`) {
		t.Errorf("agent is told %s, want the session", m.Payload)
	}
	c.end()
}

func TestJobs(t *testing.T) {
	replies := make(chan JobMessage, 2)
	r, control := newControlRig(t, func(_ string, m JobMessage) { replies <- m })
	job := world.Job{ID: "aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3." + nodeID, Topic: "aws.ssm.sendCommand.us-east-1", Content: `{"CommandId":"c"}`}
	if err := r.SendJob(nodeID, job); err != nil {
		t.Fatal(err)
	}
	m := control.read(wire.AgentJob)
	var got struct{ Content, JobId, Topic string }
	if err := json.Unmarshal(m.Payload, &got); err != nil || (got != struct{ Content, JobId, Topic string }{job.Content, job.ID, job.Topic}) {
		t.Errorf("agent got %s, %v", m.Payload, err)
	}
	control.send(wire.Message{Type: wire.AgentJobAck, Payload: []byte(
		`{"jobId":"` + job.ID + `","acknowledgedMessageId":"` + m.ID.String() + `","createdDate":"2017-08-22T20:37:54.948Z","statusCode":"200","errorMessage":"Successful"}`)})
	if a := <-replies; a.Type != wire.AgentJobAck || a.JobID != job.ID || a.Status != "200" || a.Error != "Successful" {
		t.Errorf("acknowledgement is %+v", a)
	}
	id := control.send(wire.Message{Type: wire.AgentJobReply, Payload: []byte(
		`{"schemaVersion":1,"jobId":"` + job.ID + `","content":"{\"documentStatus\":\"Success\"}","topic":"aws.ssm.sendCommand"}`)})
	if a := <-replies; a.Type != wire.AgentJobReply || a.Topic != "aws.ssm.sendCommand" || a.Content != `{"documentStatus":"Success"}` {
		t.Errorf("reply is %+v", a)
	}
	want := `{"acknowledgedMessageId":"` + id.String() + `","jobId":"` + job.ID + `"}`
	if ack := control.read(wire.AgentJobReplyAck); string(ack.Payload) != want {
		t.Errorf("reply is acknowledged with %s, want %s", ack.Payload, want)
	}
	err := r.SendJob("i-without-agent", job)
	if fault.KindOf(err) != fault.Offline {
		t.Errorf("job for nobody gives %v, want an offline fault", err)
	}
}

func TestControlChannelNeedsItsToken(t *testing.T) {
	r := newRig(t, nil)
	if status, _ := createChannel(t, r, "/v1/control-channel/mi-unknown"); status != http.StatusNotFound {
		t.Errorf("unknown instance gives %d, want 404", status)
	}
	a := openAgent(t, r, "/v1/control-channel/"+nodeID+"?role=subscribe&stream=input", `{"TokenValue":"forged"}`)
	if _, _, err := a.ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("got %v, want the connection refused", err)
	}
	if r.Connected(nodeID) {
		t.Error("an agent without a token is connected")
	}
}

// TestAnAgentThatDoesNotReadIsNotAnsweredWithoutEnd: what waits for it is bounded,
// whatever it asks.
func TestAnAgentThatDoesNotReadIsNotAnsweredWithoutEnd(t *testing.T) {
	r, control := newControlRig(t, func(string, JobMessage) {})
	k := r.control(nodeID).k
	// Every reply is acknowledged with its job's id, and this agent reads none of it.
	reply := wire.Message{Type: wire.AgentJobReply, Created: 1, Payload: wire.Marshal(map[string]string{"jobId": strings.Repeat("x", 32<<10)})}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for sent := 0; sent < 16*boxBytes; sent += len(reply.Payload) {
		reply.ID = wire.NewUUID()
		raw, err := wire.Append(nil, &reply)
		if err != nil {
			t.Fatal(err)
		}
		writeCtx, done := context.WithTimeout(ctx, time.Second)
		err = control.ws.Write(writeCtx, websocket.MessageBinary, raw)
		done()
		if err != nil {
			break // it is slowed down
		}
	}
	waiting := 0
	msgs, _ := k.box.Take(nil) // its writer is stuck
	for _, msg := range msgs {
		waiting += len(msg)
	}
	if waiting > boxBytes+wire.MaxMessage {
		t.Errorf("%d bytes wait for an agent that does not read", waiting)
	}
}
