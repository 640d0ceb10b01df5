package agenttest

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agent"
	"github.com/ssmdeck/ssmdeck/internal/simulator/agent/mailbox"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// channelHeaders are what agents sign of requests to the message gateway.
var channelHeaders = []string{"content-type", "host", "x-amz-date", "x-amz-security-token"}

// createChannel asks for a channel and returns its token.
func (a *Agent) createChannel(ctx context.Context, path, body string) (token string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.cfg.Endpoint+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	a.signV4(r, []byte(body), "ssmmessages", channelHeaders...)
	resp, err := a.cfg.HTTP.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusCreated {
		return "", &Error{Status: resp.StatusCode, Message: strings.TrimSpace(string(text))}
	}
	var answer struct{ TokenValue string }
	if err := xml.Unmarshal(text, &answer); err != nil || answer.TokenValue == "" {
		return "", fmt.Errorf("the answer is not the XML an agent reads: %s, %w", text, err)
	}
	return answer.TokenValue, nil
}

// CreateDataChannel asks for the agent's end of a session, as an agent does that
// was told of it.
func (a *Agent) CreateDataChannel(ctx context.Context, session string) (token string, err error) {
	return a.createChannel(ctx, "/v1/data-channel/"+session, `{"MessageSchemaVersion":"1.0","RequestId":"`+newUUID()+`","ClientId":""}`)
}

// openChannel opens the websocket of a channel and sends the opening text, in
// which %s stands for the token.
func (a *Agent) openChannel(ctx context.Context, path, query, token, open string) (*websocket.Conn, error) {
	base := a.cfg.Endpoint + path
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+query, nil)
	if err != nil {
		return nil, err
	}
	a.signV4(r, nil, "ssmmessages", channelHeaders...)
	//nolint:bodyclose // the library documents that the body needs no closing
	ws, _, err := websocket.Dial(ctx, strings.Replace(base+query, "http", "ws", 1), &websocket.DialOptions{HTTPClient: a.cfg.HTTP, HTTPHeader: r.Header})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(1 << 20)
	return ws, ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, open, token))
}

// openData attaches the agent to the data channel of a session.
func (a *Agent) openData(ctx context.Context, session string) (*agent.Conn, error) {
	token, err := a.CreateDataChannel(ctx, session)
	var refused *Error
	if errors.As(err, &refused) && refused.Message == agent.ErrTerminated.Error() {
		return nil, agent.ErrTerminated
	}
	if err != nil {
		return nil, err
	}
	ws, err := a.openChannel(ctx, "/v1/data-channel/"+session, "?role=publish_subscribe", token,
		`{"MessageSchemaVersion":"1.0","RequestId":"`+newUUID()+`","TokenValue":"%s","ClientInstanceId":"`+a.ID+`","ClientId":""}`)
	if err != nil {
		return nil, err
	}
	const room = 1 << 20
	c := &agent.Conn{In: mailbox.New(room), Out: mailbox.New(room)}
	a.links.Go(func() { // ends with the websocket, which the writer below closes
		for {
			_, msg, err := ws.Read(context.Background())
			if err != nil || !c.In.Put(msg) {
				c.In.Close()
				c.Out.Close()
				return
			}
		}
	})
	a.links.Go(func() { // ends when the agent hangs up
		var msgs [][]byte
		for open := true; open; {
			<-c.Out.Ready()
			msgs, open = c.Out.Take(msgs)
			for _, msg := range msgs {
				if ws.Write(context.Background(), websocket.MessageBinary, msg) != nil {
					open = false
				}
			}
		}
		_ = ws.CloseNow() // without a close frame, as real agents
		c.In.Close()
	})
	return c, nil
}

// control is the agent's control channel.
type control struct {
	a  *Agent
	ws *websocket.Conn

	mu       sync.Mutex
	sessions map[string]context.CancelFunc
	acked    map[string]chan struct{} // results that wait for their acknowledgement
}

func (a *Agent) openControl(ctx context.Context) (*control, error) {
	token, err := a.createChannel(ctx, "/v1/control-channel/"+a.ID, `{"MessageSchemaVersion":"1.0","RequestId":"`+newUUID()+`"}`)
	if err != nil {
		return nil, err
	}
	ws, err := a.openChannel(ctx, "/v1/control-channel/"+a.ID, "?role=subscribe&stream=input", token,
		`{"Cookie":null,"MessageSchemaVersion":"1.0","RequestId":"`+newUUID()+`","TokenValue":"%s","AgentVersion":"`+a.cfg.Version+`","PlatformType":"`+strings.ToLower(a.cfg.Platform)+`"}`)
	return &control{a: a, ws: ws, sessions: map[string]context.CancelFunc{}, acked: map[string]chan struct{}{}}, err
}

// serve works on what comes until the channel breaks or ctx is done.
func (c *control) serve(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = c.ws.CloseNow() }()
	for {
		_, raw, err := c.ws.Read(ctx)
		if err != nil {
			return
		}
		m, err := wire.Decode(raw)
		if err != nil {
			continue
		}
		switch m.Type {
		case wire.InteractiveShell:
			group.Go(func() { c.session(ctx, m.Payload) })
		case wire.ChannelClosed:
			c.endSession(m.Payload)
		case wire.AgentJob:
			c.job(ctx, &group, m)
		case wire.AgentTaskAcknowledge:
			var t struct{ TaskId string } //nolint:revive // the wire's own spelling
			if json.Unmarshal(m.Payload, &t) == nil {
				c.mu.Lock()
				if done, ok := c.acked[t.TaskId]; ok {
					close(done)
					delete(c.acked, t.TaskId)
				}
				c.mu.Unlock()
			}
		}
	}
}

// send sends a message and returns its id.
func (c *control) send(ctx context.Context, t wire.MessageType, payload any) wire.UUID {
	m := wire.Message{Type: t, Created: uint64(time.Now().UnixMilli()), ID: wire.NewUUID(), Payload: wire.Marshal(payload)}
	raw, err := wire.Append(nil, &m)
	if err != nil {
		panic(err) // our own message
	}
	_ = c.ws.Write(ctx, websocket.MessageBinary, raw) // a broken channel ends serve
	return m.ID
}

// startOrder is the Content of interactive_shell, as far as agents need it.
type startOrder struct {
	SessionID       string `json:"SessionId"`
	DocumentName    string
	DocumentContent struct {
		SessionType string          `json:"sessionType"`
		Properties  json.RawMessage `json:"properties"`
		Inputs      struct {
			KMSKeyID     string            `json:"kmsKeyId"`
			RunAsEnabled bool              `json:"runAsEnabled"`
			RunAsUser    string            `json:"runAsDefaultUser"`
			ShellProfile map[string]string `json:"shellProfile"`
		} `json:"inputs"`
	}
	SessionOwner string
}

// session opens the agent's end of a session, works on it and reports.
func (c *control) session(ctx context.Context, payload []byte) {
	var m struct{ Content string }
	var o startOrder
	if json.Unmarshal(payload, &m) != nil || json.Unmarshal([]byte(m.Content), &o) != nil {
		return
	}
	in := o.DocumentContent.Inputs
	spec := world.SessionSpec{
		ID: o.SessionID, NodeID: c.a.ID, Owner: o.SessionOwner, DocumentName: o.DocumentName,
		SessionType: o.DocumentContent.SessionType, Properties: o.DocumentContent.Properties, KMSKeyID: in.KMSKeyID,
		RunAs: in.RunAsEnabled, RunAsUser: in.RunAsUser, ShellProfile: in.ShellProfile["linux"],
	}
	if string(spec.Properties) == "null" {
		spec.Properties = nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.mu.Lock()
	c.sessions[spec.ID] = cancel
	c.mu.Unlock()
	r := c.a.session(ctx, spec)
	acked := make(chan struct{})
	c.mu.Lock()
	delete(c.sessions, spec.ID)
	c.acked[spec.ID] = acked
	c.mu.Unlock()
	for retry := 1; retry <= 3; retry++ {
		c.send(context.WithoutCancel(ctx), wire.AgentTaskComplete, map[string]any{
			"SchemaVersion": 1, "TaskId": spec.ID, "Topic": string(wire.AgentTaskComplete), "FinalTaskStatus": r.Status(),
			"IsRoutingFailure": false, "AwsAccountId": "", "InstanceId": c.a.ID, "Output": r.Output,
			"S3Bucket": "", "S3UrlSuffix": "", "CwlGroup": "", "CwlStream": "", "RetryNumber": retry,
		})
		select {
		case <-acked:
			return
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// endSession ends what the service has ended. The data channel says it too; the
// first word counts.
func (c *control) endSession(payload []byte) {
	var m struct{ SessionId string } //nolint:revive // the wire's own spelling
	if json.Unmarshal(payload, &m) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel, ok := c.sessions[m.SessionId]; ok {
		cancel()
	}
}
