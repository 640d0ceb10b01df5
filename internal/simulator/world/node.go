package world

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// The ping states of a node, as they are on the wire.
const (
	PingOnline   = "Online"
	PingLost     = "ConnectionLost"
	PingInactive = "Inactive"
)

// Node is a managed node as the control plane knows it.
type Node struct {
	ID           string
	Name         string // the Name tag; several nodes may share it
	ComputerName string

	Platform        string // linux, windows, macos
	PlatformName    string
	PlatformVersion string
	AgentVersion    string
	Latest          bool // whether that is the newest agent version
	IP              string
	ResourceType    string // EC2Instance, ManagedInstance
	IAMRole         string
	ActivationID    string
	InstanceType    string
	Architecture    string

	Ping       string // Ping… constants
	LastPing   time.Time
	Registered time.Time
	Tags       map[string]string
	State      string    // of the EC2 instance: State… constants
	Launched   time.Time // the instance

	spec    NodeSpec
	machine shell.Machine
	broken  bool       // what its agent needs is not there
	agent   *realAgent // nil: simulated
}

// PlatformType is the platform as the API spells it: Linux, Windows, MacOS.
func (n Node) PlatformType() string {
	switch n.Platform {
	case "windows":
		return "Windows"
	case "macos":
		return "MacOS"
	}
	return "Linux"
}

func (w *World) addNodes(maker MachineMaker) error {
	for _, s := range w.sc.Nodes {
		n := w.newNode(s)
		if strings.HasPrefix(s.ID, "i-") && s.ResourceType == "EC2Instance" {
			w.instances[s.ID] = n
		}
		n.broken = w.unmet(n) != ""
		if !s.managed() && !n.broken {
			continue
		}
		if !n.hidden() {
			w.nodes[s.ID] = n
		}
		if w.latest == "" || CompareVersions(s.AgentVersion, w.latest) > 0 {
			w.latest = s.AgentVersion
		}
		m, err := maker(w.view(n), s, w.networkOf(n).dial)
		if err != nil {
			return fmt.Errorf("machine of node %s: %w", s.ID, err)
		}
		n.machine = m
	}
	return nil
}

func (w *World) newNode(s NodeSpec) *Node {
	n := &Node{
		ID: s.ID, Name: s.Name, ComputerName: s.ComputerName,
		Platform: s.Platform, PlatformName: s.PlatformName, PlatformVersion: s.PlatformVersion,
		AgentVersion: s.AgentVersion, IP: s.IP, ResourceType: s.ResourceType, IAMRole: s.IAMRole,
		InstanceType: s.InstanceType, Architecture: s.Architecture,
		Tags: maps.Clone(s.Tags), State: s.State, spec: s,
	}
	if n.Tags == nil {
		n.Tags = map[string]string{}
	}
	if n.Name != "" {
		n.Tags["Name"] = n.Name
	}
	h := spread(s.ID)
	n.Registered = w.now().Add(-time.Duration(30+h%400) * 24 * time.Hour).Truncate(time.Second)
	n.Launched = n.Registered
	if s.Launch > 0 {
		n.Launched = w.now().Add(-s.Launch).Truncate(time.Second)
	}
	if n.ResourceType == "ManagedInstance" {
		n.ActivationID = fmt.Sprintf("%08x-5b2e-4c4f-9d3a-%012x", h, uint64(h)*7919)
	}
	if s.Activation == "expired" {
		w.activations[n.ActivationID] = &activation{Activation: Activation{
			ID: n.ActivationID, Role: s.IAMRole, Limit: 1, Count: 1, Created: n.Registered, Expires: n.Registered.Add(24 * time.Hour),
		}}
	}
	switch s.Ping {
	case "lost":
		n.Ping = PingLost
	case "inactive":
		n.Ping = PingInactive
	default:
		n.Ping = PingOnline
	}
	n.LastPing = w.now().Add(-s.LastPing).Truncate(time.Millisecond)
	return n
}

// spread is a stable number made from a name.
func spread(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32()
}

// view returns a copy of n that is safe to give away. Callers hold w.mu.
func (w *World) view(n *Node) Node {
	c := *n
	c.Tags = maps.Clone(n.Tags)
	c.Latest = CompareVersions(n.AgentVersion, w.latest) >= 0
	c.Ping = w.ping(n)
	if n.agent == nil && n.Ping == PingOnline && n.spec.LastPing == 0 {
		// A healthy agent reports every five minutes.
		age := time.Duration(w.now().Unix()+int64(spread(n.ID)))%300*time.Second + time.Second
		c.LastPing = w.now().Add(-age).Truncate(time.Millisecond)
	}
	return c
}

// Nodes returns all managed nodes in the order of their ids.
func (w *World) Nodes() []Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Node, 0, len(w.nodes))
	for _, id := range slices.Sorted(maps.Keys(w.nodes)) {
		all = append(all, w.view(w.nodes[id]))
	}
	return all
}

// NodeInfo returns one node as the control plane knows it.
func (w *World) NodeInfo(id string) (Node, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	if !ok {
		return Node{}, false
	}
	return w.view(n), true
}

// Connected reports whether sessions can be opened to a node: whether its agent
// is online, or, for a real one, has a control channel.
func (w *World) Connected(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	if ok && n.agent != nil {
		return n.agent.connected
	}
	return ok && n.Ping == PingOnline && !n.spec.NoChannel
}

// lostFor is how long a node has not pinged when it is taken for lost: agents ping
// every five minutes.
const lostFor = 6 * time.Minute

// SetPing changes the ping status of a node; commands waiting for it go on when
// it comes online. It reports whether the node exists.
func (w *World) SetPing(id, status string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	if !ok {
		return false
	}
	n.Ping, n.LastPing = status, w.now()
	if status == PingLost {
		n.LastPing = n.LastPing.Add(-lostFor)
	}
	close(w.pinged)
	w.pinged = make(chan struct{})
	return true
}

// Node returns the node as its agent sees it; ok is false for an unknown id.
func (w *World) Node(id string) (rt NodeRuntime, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	if !ok {
		return rt, false
	}
	spec := n.spec.Agent
	spec.Silent = spec.Silent || n.agent != nil // there is one of its own
	view := w.networkOf(n)
	view.looked = &lookup{}
	return NodeRuntime{
		ID:           n.ID,
		Platform:     n.Platform,
		AgentVersion: n.AgentVersion,
		Machine:      n.machine,
		Agent:        spec,
		Resolve:      view.resolve,
		Dial:         view.dial,
	}, true
}

func (w *World) networkOf(n *Node) nodeNetwork {
	return nodeNetwork{net: w.network, node: n.spec, ports: n.spec.Ports, host: n.spec.Shell == ShellHost, agent: n.AgentVersion}
}

// LatestAgent is the newest agent version in the world.
func (w *World) LatestAgent() string { return w.latest }

func (w *World) setAgentVersion(id, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, ok := w.nodes[id]; ok {
		n.AgentVersion = version
	}
}

// CompareVersions compares dotted numbers part by part; a part that is missing
// or no number counts as 0.
func CompareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if c := cmp.Compare(part(as, i), part(bs, i)); c != 0 {
			return c
		}
	}
	return 0
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, _ := strconv.Atoi(parts[i])
	return n
}
