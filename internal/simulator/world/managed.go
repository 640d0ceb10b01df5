package world

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"maps"
	"strings"
	"time"
)

// Agents is what the message gateway does for nodes behind which a real agent
// is. Its methods are called without locks of the World.
type Agents interface {
	// SendJob gives a job to the agent of a node over its control channel; an
	// error means that it has none.
	SendJob(node string, j Job) error
	// Disconnect hangs up on the agent of a node that is no longer registered.
	Disconnect(node string)
}

// AgentsSpec is how the service treats real agents that join.
type AgentsSpec struct {
	// LostAfter is how old the last ping of an agent may be before its node is
	// ConnectionLost; 10m when 0. Agents ping every five minutes.
	LostAfter time.Duration `yaml:"lost_after"`
	// TokenTTL is how long the credentials of a hybrid node are good for; 1h
	// when 0. Agents renew them at half of that.
	TokenTTL time.Duration `yaml:"token_ttl"`
	// RotateKeys asks each agent for a new key pair with its first credentials.
	RotateKeys bool `yaml:"rotate_keys"`
}

// realAgent is what the service knows of the agent on a node that is not
// simulated. It is guarded by the World's lock.
type realAgent struct {
	key         *rsa.PublicKey // of a hybrid node
	fingerprint string         // of its machine
	rotate      bool           // it is to make a new key
	connected   bool           // it has a control channel
	pinged      time.Time      // in real time
	outbox      []*job         // not yet acknowledged, in order
	changed     chan struct{}  // closed and replaced when the fields above change
	gone        chan struct{}  // closed when the node is deregistered
}

func newRealAgent() *realAgent {
	return &realAgent{changed: make(chan struct{}), gone: make(chan struct{})}
}

// kick tells who waits that something has changed.
func (a *realAgent) kick() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// hybrid is the part of a World that knows activations and real agents.
type hybrid struct {
	agents      Agents
	activations map[string]*activation
	polls       context.Context // of agents that wait for messages
	endPolls    context.CancelFunc
}

func newHybrid(ctx context.Context) hybrid {
	h := hybrid{activations: map[string]*activation{}}
	h.polls, h.endPolls = context.WithCancel(ctx)
	return h
}

// UseAgents says who reaches real agents. It is called once, before any joins.
func (w *World) UseAgents(a Agents) { w.agents = a }

// Registration is what an agent registers with.
type Registration struct {
	ActivationID, Code string
	Fingerprint        string
	Key                *rsa.PublicKey
}

// Register makes a hybrid node of whoever has an activation and its code, and
// returns the node's id. Its errors are those of the API operation.
func (w *World) Register(r Registration) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.redeem(r.ActivationID, r.Code)
	if err != nil {
		return "", err
	}
	var random [9]byte
	_, _ = rand.Read(random[:]) // never fails
	id := "mi-" + hex.EncodeToString(random[:])[:17]
	n := &Node{
		ID: id, Name: a.DefaultName, Platform: "linux", ResourceType: "ManagedInstance", IAMRole: a.Role,
		ActivationID: a.ID, Ping: PingInactive, Registered: w.now(), LastPing: w.now(), Tags: maps.Clone(a.Tags),
		agent: newRealAgent(),
	}
	if n.Tags == nil {
		n.Tags = map[string]string{}
	}
	n.agent.key, n.agent.fingerprint, n.agent.rotate = r.Key, r.Fingerprint, w.sc.Agents.RotateKeys
	w.nodes[id] = n
	return id, nil
}

// NodeKey is the public key of a hybrid node. Its error says that there is no
// such node, or that no agent has ever registered for it.
func (w *World) NodeKey(id string) (*rsa.PublicKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	if !ok || n.agent == nil || n.agent.key == nil {
		return nil, Errorf("InvalidInstanceId", "Not existing InstanceId %s", id)
	}
	return n.agent.key, nil
}

// CheckFingerprint tells whether a node still runs on the machine that was
// registered, and whether its agent is to make a new key.
func (w *World) CheckFingerprint(id, fingerprint string) (rotate bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	switch {
	case !ok || n.agent == nil:
		return false, Errorf("InvalidInstanceId", "Not existing InstanceId %s", id)
	case n.agent.fingerprint != fingerprint:
		return false, Errorf("MachineFingerprintDoesNotMatch", "")
	}
	return n.agent.rotate, nil
}

// ChangeKey gives a hybrid node another public key.
func (w *World) ChangeKey(id string, key *rsa.PublicKey) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	if !ok || n.agent == nil {
		return Errorf("InvalidInstanceId", "Not existing InstanceId %s", id)
	}
	n.agent.key, n.agent.rotate = key, false
	return nil
}

// ChangeRole gives a hybrid node another role.
func (w *World) ChangeRole(id, role string) error {
	r, ok := w.Role(role)
	if !ok || !r.TrustsSSM() {
		return Errorf("ValidationException", "Nonexistent role or missing ssm service principal in trust policy: arn:aws:iam::%s:role/%s", w.sc.Account, strings.TrimPrefix(role, "/"))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	if !ok || n.ResourceType != "ManagedInstance" {
		return Errorf("InvalidInstanceId", "")
	}
	n.IAMRole = role
	return nil
}

// Deregister removes a hybrid node. Its agent is hung up on, and what it was
// working on ends as undeliverable.
func (w *World) Deregister(id string) error {
	w.mu.Lock()
	n, ok := w.nodes[id]
	if !ok || n.ResourceType != "ManagedInstance" {
		w.mu.Unlock()
		return Errorf("InvalidInstanceId", "")
	}
	delete(w.nodes, id)
	if n.agent != nil {
		close(n.agent.gone)
	}
	w.mu.Unlock()
	if n.agent != nil && w.agents != nil {
		w.agents.Disconnect(id)
	}
	return nil
}

// AgentPing is what an agent says about its node. Empty fields leave what is
// known as it is.
type AgentPing struct {
	AgentVersion, PlatformType, PlatformName, PlatformVersion, ComputerName, IP string
}

// Ping notes that the agent of a node is alive. An id of EC2 that is not known
// becomes a node: its agent has come with the credentials of an instance.
func (w *World) Ping(id string, p AgentPing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	switch {
	case !ok && strings.HasPrefix(id, "i-"):
		n = &Node{ID: id, Platform: "linux", ResourceType: "EC2Instance", Registered: w.now(), Tags: map[string]string{}, agent: newRealAgent()}
		w.nodes[id] = n
	case !ok:
		return Errorf("InvalidInstanceId", "")
	case n.agent == nil: // a simulated node, which a real agent takes over from now on
		n.agent = newRealAgent()
	}
	switch p.PlatformType {
	case "Windows":
		n.Platform = "windows"
	case "MacOS":
		n.Platform = "macos"
	case "Linux":
		n.Platform = "linux"
	}
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&n.AgentVersion, p.AgentVersion},
		{&n.PlatformName, p.PlatformName},
		{&n.PlatformVersion, p.PlatformVersion},
		{&n.ComputerName, p.ComputerName},
		{&n.IP, p.IP},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	n.Ping, n.LastPing, n.agent.pinged = PingOnline, w.now(), w.clock.Real()
	n.agent.kick()
	close(w.pinged)
	w.pinged = make(chan struct{})
	return nil
}

// AgentConnected notes that the agent of a node has got a control channel, or
// lost it.
func (w *World) AgentConnected(id string, up bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, ok := w.nodes[id]; ok {
		if n.agent == nil {
			n.agent = newRealAgent()
			n.agent.pinged = w.clock.Real()
		}
		n.agent.connected = up
		n.agent.kick()
	}
}

// hasAgent reports whether a real agent is behind a node.
func (w *World) hasAgent(n *Node) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return n.agent != nil
}

// ping is the ping status of a node now: that of one with a real agent ages.
// Callers hold w.mu.
func (w *World) ping(n *Node) string {
	if n.agent != nil && n.Ping == PingOnline && w.clock.Real().Sub(n.agent.pinged) > w.sc.Agents.LostAfter {
		return PingLost
	}
	return n.Ping
}
