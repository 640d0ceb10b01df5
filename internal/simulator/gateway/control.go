package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// JobMessage is what a real agent says about a job. The gateway has acknowledged
// it already where that is due. The final reply of a job can come before those
// of its steps.
type JobMessage struct {
	Type    wire.MessageType // wire.AgentJobAck or wire.AgentJobReply
	JobID   string
	Status  string // of an acknowledgement: "200", or 51401 and up
	Error   string // of an acknowledgement
	Topic   string // of a reply
	Content string // of a reply: JSON text
}

// control is the control channel of one real agent.
type control struct {
	g        *Gateway
	instance string
	k        *socket
}

// openControl is the text frame that opens a control channel.
type openControl struct {
	TokenValue, AgentVersion, PlatformType string
}

// createControl gives an agent its token for the control channel.
func (g *Gateway) createControl(w http.ResponseWriter, r *http.Request, signer string) {
	id := r.PathValue("id")
	if signer != "" && signer != id {
		http.Error(w, "the credentials are those of another instance", http.StatusForbidden)
		return
	}
	if _, known := g.cfg.Node(id); !known {
		http.Error(w, "no such instance", http.StatusNotFound)
		return
	}
	g.mu.Lock()
	value := g.issue(id, agentSide, g.faults.Load())
	g.mu.Unlock()
	created(w, "CreateControlChannelResponse", value)
}

// serveControl is a control channel, for as long as its websocket lives.
func (g *Gateway) serveControl(w http.ResponseWriter, r *http.Request, signer string) {
	id := r.PathValue("id")
	if signer != "" && signer != id {
		http.Error(w, "the credentials are those of another instance", http.StatusForbidden)
		return
	}
	k, err := g.accept(w, r, 0)
	if err != nil {
		g.log.Info("upgrade refused", "instance", id, "error", err)
		return
	}
	defer g.release(k)
	var open openControl
	if err := k.opening(&open); err != nil || !g.redeem(open.TokenValue, id, agentSide) {
		_ = k.ws.Close(websocket.StatusPolicyViolation, "invalid token")
		return
	}
	c := &control{g: g, instance: id, k: k}
	written := make(chan struct{})
	g.work.Go(func() {
		defer close(written)
		k.write()
	})
	c.register()
	if _, known := g.cfg.Node(id); !known { // deregistered since it got its token
		k.bye(websocket.StatusNormalClosure, "")
	}
	g.log.Info("agent connected", "instance", id, "version", open.AgentVersion, "platform", open.PlatformType)
	for {
		_, msg, err := k.read()
		if err != nil {
			break
		}
		c.receive(msg)
		for k.box.Full() { // it asks and does not read the answers
			<-k.box.Room()
		}
	}
	c.unregister()
	k.box.Close()
	<-written
}

// register makes c the control channel of its instance, in place of an older one.
func (c *control) register() {
	c.g.presence.Lock()
	defer c.g.presence.Unlock()
	c.g.mu.Lock()
	old := c.g.controls[c.instance]
	c.g.controls[c.instance] = c
	c.g.mu.Unlock()
	if old != nil {
		old.k.kill()
	} else if c.g.cfg.Agents != nil {
		c.g.cfg.Agents(c.instance, true)
	}
}

func (c *control) unregister() {
	c.g.presence.Lock()
	defer c.g.presence.Unlock()
	c.g.mu.Lock()
	current := c.g.controls[c.instance] == c
	if current {
		delete(c.g.controls, c.instance)
	}
	c.g.mu.Unlock()
	if current && c.g.cfg.Agents != nil {
		c.g.cfg.Agents(c.instance, false)
	}
}

// Connected reports whether a real agent has a control channel for instance.
func (g *Gateway) Connected(instance string) bool { return g.control(instance) != nil }

func (g *Gateway) control(instance string) *control {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.controls[instance]
}

// SendJob gives a job to the real agent of an instance, or fails with
// fault.Offline when there is none. What the agent says about it goes to
// Config.Jobs; no answer at all is the caller's to notice. See world.Agents.
func (g *Gateway) SendJob(instance string, j world.Job) error {
	c := g.control(instance)
	if c == nil || !c.send(wire.AgentJob, map[string]any{
		"Content": j.Content, "JobId": j.ID, "Topic": j.Topic, "SchemaVersion": 1,
	}) {
		return fault.New(fault.Offline, "send job to "+instance, "agent has no control channel")
	}
	return nil
}

// Disconnect hangs up on the agent of an instance that is no longer registered,
// and ends its sessions. See world.Agents.
func (g *Gateway) Disconnect(instance string) {
	g.mu.Lock()
	c := g.controls[instance]
	var open []*session
	for _, s := range g.sessions {
		if s.spec.NodeID == instance {
			open = append(open, s)
		}
	}
	g.mu.Unlock()
	for _, s := range open {
		s.end(world.SessionTerminated, "")
	}
	if c != nil {
		c.k.bye(websocket.StatusNormalClosure, "")
	}
}

// send queues a message for the agent.
func (c *control) send(t wire.MessageType, payload any) bool {
	msg, err := wire.Append(nil, &wire.Message{
		Type: t, Created: uint64(time.Now().UnixMilli()), ID: wire.NewUUID(), Payload: wire.Marshal(payload),
	})
	if err != nil {
		c.g.log.Error("message not sent", "type", string(t), "error", err)
		return false
	}
	return c.k.box.Push(msg)
}

// receive takes one message of the agent. What cannot be read is ignored.
func (c *control) receive(raw []byte) {
	m, err := wire.Decode(raw)
	if err != nil {
		c.g.log.Info("control message ignored", "instance", c.instance, "error", err)
		return
	}
	switch m.Type {
	case wire.AgentTaskComplete:
		c.taskComplete(&m)
	case wire.AgentJobAck, wire.AgentJobReply:
		c.job(&m)
	}
}

// taskComplete notes the result of a session. The agent repeats it until it is
// acknowledged.
func (c *control) taskComplete(m *wire.Message) {
	var t struct {
		TaskId, FinalTaskStatus, Output string //nolint:revive // the wire's own spelling
	}
	if json.Unmarshal(m.Payload, &t) != nil {
		return
	}
	c.send(wire.AgentTaskAcknowledge, map[string]any{
		"SchemaVersion": 1, "MessageId": m.ID.String(), "TaskId": t.TaskId, "Topic": string(wire.AgentTaskComplete),
	})
	if s := c.g.session(t.TaskId); s != nil && s.spec.NodeID == c.instance {
		s.reported.Store(true)
		s.end(endStatus(t.FinalTaskStatus == "Failed"), t.Output)
	}
}

// job passes on what the agent says about a job.
func (c *control) job(m *wire.Message) {
	var j struct {
		JobId, StatusCode, ErrorMessage, Content, Topic string //nolint:revive // the wire's own spelling
	}
	if json.Unmarshal(m.Payload, &j) != nil {
		return
	}
	if m.Type == wire.AgentJobReply {
		c.send(wire.AgentJobReplyAck, map[string]any{"jobId": j.JobId, "acknowledgedMessageId": m.ID.String()})
	}
	if c.g.cfg.Jobs != nil {
		c.g.cfg.Jobs(c.instance, JobMessage{
			Type: m.Type, JobID: j.JobId, Status: j.StatusCode, Error: j.ErrorMessage, Topic: j.Topic, Content: j.Content,
		})
	}
}

// startContent is the Content of an interactive_shell message.
type startContent struct {
	DocumentName    string
	DocumentContent startDocument
	SessionId       string //nolint:revive // the wire's own spelling
	Parameters      map[string]string
	RunAsUser       string
	SessionOwner    string
}

// startDocument is a session document with its placeholders filled.
type startDocument struct {
	SchemaVersion string          `json:"schemaVersion"`
	Description   string          `json:"description"`
	SessionType   string          `json:"sessionType"`
	Inputs        startInputs     `json:"inputs"`
	Parameters    json.RawMessage `json:"parameters"`
	Properties    json.RawMessage `json:"properties"`
}

type startInputs struct {
	S3BucketName        string            `json:"s3BucketName"`
	S3KeyPrefix         string            `json:"s3KeyPrefix"`
	S3EncryptionEnabled bool              `json:"s3EncryptionEnabled"`
	LogGroup            string            `json:"cloudWatchLogGroupName"`
	LogEncryption       bool              `json:"cloudWatchEncryptionEnabled"`
	LogStreaming        bool              `json:"cloudWatchStreamingEnabled"`
	KMSKeyID            string            `json:"kmsKeyId"`
	RunAsEnabled        bool              `json:"runAsEnabled"`
	RunAsDefaultUser    string            `json:"runAsDefaultUser"`
	IdleSessionTimeout  string            `json:"idleSessionTimeout"` // minutes
	MaxSessionDuration  string            `json:"maxSessionDuration"`
	ShellProfile        map[string]string `json:"shellProfile"`
}

// startSession tells the agent to open its end of a session. It answers by doing
// so; there is no acknowledgement.
func (c *control) startSession(spec *world.SessionSpec) {
	content := startContent{
		DocumentName: spec.DocumentName,
		DocumentContent: startDocument{
			SchemaVersion: "1.0", SessionType: spec.SessionType, Properties: spec.Properties,
			Inputs: startInputs{
				KMSKeyID: spec.KMSKeyID, RunAsEnabled: spec.RunAsUser != "", RunAsDefaultUser: spec.RunAsUser,
				IdleSessionTimeout: minutes(spec.IdleTimeout), MaxSessionDuration: minutes(spec.MaxDuration),
				// The profile is already that of the node's platform; the agent picks its own.
				ShellProfile: map[string]string{"linux": spec.ShellProfile, "windows": spec.ShellProfile},
			},
		},
		SessionId: spec.ID, Parameters: map[string]string{}, RunAsUser: spec.RunAsUser, SessionOwner: spec.Owner,
	}
	for name, values := range spec.Parameters {
		content.Parameters[name] = strings.Join(values, ",")
	}
	c.send(wire.InteractiveShell, map[string]any{
		"Content": string(wire.Marshal(content)), "TaskId": spec.ID,
		"Topic": string(wire.InteractiveShell), "SchemaVersion": 1,
	})
}

// minutes writes a duration as session preferences do.
func minutes(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return strconv.Itoa(int(d / time.Minute))
}

// endSession tells the agent that the service has ended a session.
func (c *control) endSession(id string) {
	c.send(wire.ChannelClosed, map[string]any{
		"MessageType": string(wire.ChannelClosed), "MessageId": wire.NewUUID().String(), "DestinationId": c.instance,
		"SessionId": id, "SchemaVersion": 1, "CreatedDate": time.Now().UTC().Format(serviceDate),
	})
}
