package world

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// Error is a refusal in the service's own terms: a modelled error code and the
// message that goes with it.
type Error struct{ Code, Message string }

// Error returns "code: message".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an *Error.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// DialFunc connects to a port of a host as seen from a node; see
// NodeRuntime.Dial.
type DialFunc func(ctx context.Context, host string, port int) (net.Conn, error)

// MachineMaker makes the machine behind a node. dial is the node's network.
type MachineMaker func(n Node, spec NodeSpec, dial DialFunc) (shell.Machine, error)

// Config is what a World needs beside its scenario.
type Config struct {
	// Clock is the time of the world, which others may share; nil: a clock of its
	// own that runs with Now.
	Clock *Clock
	// Now is the time of the machine; nil is time.Now.
	Now func() time.Time
	// Machine makes the machine of every node; it must not be nil.
	Machine MachineMaker
	// Starting bounds New, which takes long when windows have a past; nil: nothing
	// does.
	Starting context.Context
}

// World is the state of one simulated account in one region.
type World struct {
	clock   *Clock
	now     func() time.Time // what the clock shows
	agenda  *agenda
	windows windowRuns
	sc      *Scenario
	latest  string // the newest agent version of the scenario
	network *network
	keys    *keyStore
	storage *storage
	store   tableStore
	secrets secretStore
	// patching has a lock of its own, which is the last to be taken.
	patching *patchStore

	ctx    context.Context // of everything started by the World; ended by Close
	cancel context.CancelFunc
	group  sync.WaitGroup

	started time.Time
	peers   []*World // see SetPeers

	mu        sync.Mutex
	nodes     map[string]*Node
	instances map[string]*Node // those of EC2, managed or not
	documents map[string]*Document
	params    *parameterIndex
	public    *parameterIndex      // of AWS; nil until it is wanted
	deleted   map[string]time.Time // parameters, by place
	events    []ParameterEvent
	seeding   bool // parameters of the scenario: nobody is told
	commands  map[string]*command
	order     []string // command ids, oldest first
	sessions  map[string]*Session
	settings  map[string]ServiceSetting
	sshKeys   []sshKey
	access    map[string]*AccessRequest

	roles map[string]*RoleSpec
	site  site

	hybrid // activations, and the agents that have joined

	automations     map[string]*Automation
	automationOrder []string      // ids, oldest first
	pinged          chan struct{} // closed and replaced when a node's ping status changes
}

// New makes the world of a scenario that ParseScenario or Demo returned. Its
// listeners and commands live until Close.
func New(sc *Scenario, cfg Config) (*World, error) {
	w := &World{
		clock:     cfg.Clock,
		agenda:    newAgenda(),
		windows:   windowRuns{runs: map[string]*windowRun{}, of: map[string][]*windowRun{}},
		sc:        sc,
		nodes:     map[string]*Node{},
		instances: map[string]*Node{},
		documents: map[string]*Document{},
		params:    newParameterIndex(),
		deleted:   map[string]time.Time{},
		commands:  map[string]*command{},
		sessions:  map[string]*Session{},
		settings:  map[string]ServiceSetting{},
		access:    map[string]*AccessRequest{},
		secrets:   secretStore{byName: map[string]*Secret{}},

		automations: map[string]*Automation{},
		pinged:      make(chan struct{}),
	}
	if w.clock == nil {
		w.clock = sc.Clock.clock(cfg.Now)
	}
	w.now = w.clock.Now
	w.started = w.now()
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.hybrid = newHybrid(w.ctx)
	w.network = newNetwork(sc)
	w.storage = newStorage(sc)
	w.patching = newPatchStore(sc.Region)
	w.roles, w.site = rolesOf(sc), siteOf(sc)
	w.addSettings() // other steps ask for them
	steps := []func() error{
		func() error { return w.addKeys() },
		func() error { return w.addNodes(cfg.Machine) },
		func() error { return w.addDocuments() },
		func() error { return w.addParameters() },
		func() error { return w.addSecrets() },
		func() error { return w.addRecords() },
		func() error { return w.openWindows(cfg.Starting) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			_ = w.Close()
			return nil, err
		}
	}
	return w, nil
}

// Close cancels the running commands, closes the listeners and waits for all of
// them.
func (w *World) Close() error {
	w.cancel()
	w.group.Wait()
	w.network.close()
	return nil
}

// Now is the time of the world.
func (w *World) Now() time.Time { return w.now() }

// Clock is what tells the time of the world.
func (w *World) Clock() *Clock { return w.clock }

// Account and Region place the world; Scenario is what it was made from and
// must not be changed.
func (w *World) Account() string { return w.sc.Account }

// Region is the region the world is in.
func (w *World) Region() string { return w.sc.Region }

// Scenario is what the world was made from; it must not be changed.
func (w *World) Scenario() *Scenario { return w.sc }

// PointHost leads new connections to a port of a host to another address of this
// machine, as DNS does after a failover.
func (w *World) PointHost(host string, port int, connect string) error {
	return w.network.point(host, port, connect)
}

// Faults are the troubles the scenario asks for on data channels.
func (w *World) Faults() Faults { return w.sc.Faults }

// ARN returns the Amazon resource name of a resource of this account.
func (w *World) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + w.sc.Region + ":" + w.sc.Account + ":" + resource
}

// newUUID returns a random version 4 UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Target is one criterion of a Targets list: a key and the values it may have.
type Target struct {
	Key    string   `json:"Key,omitempty"`
	Values []string `json:"Values,omitempty"`
}

// byID reports whether the criterion is a list of ids. The service takes both
// InstanceIds and instanceids.
func (t Target) byID() bool { return strings.EqualFold(t.Key, "InstanceIds") }

// matches reports whether n fulfils the criterion.
func (w *World) matches(n *Node, t Target) bool {
	switch {
	case t.byID():
		return slices.Contains(t.Values, n.ID) || slices.Contains(t.Values, "*")
	case t.Key == "tag-key":
		return slices.ContainsFunc(t.Values, func(k string) bool { _, ok := n.Tags[k]; return ok })
	case strings.HasPrefix(t.Key, "tag:"):
		v, ok := n.Tags[t.Key[len("tag:"):]]
		return ok && slices.Contains(t.Values, v)
	case t.Key == "resource-groups:Name":
		return slices.ContainsFunc(t.Values, func(name string) bool { return w.inGroup(n, name) })
	case t.Key == "resource-groups:ResourceTypeFilters":
		return true // only nodes can be in our groups
	}
	return false
}

func (w *World) inGroup(n *Node, name string) bool {
	i := slices.IndexFunc(w.sc.Groups, func(g GroupSpec) bool { return g.Name == name })
	if i < 0 {
		return false
	}
	g := w.sc.Groups[i]
	if slices.Contains(g.Nodes, n.ID) {
		return true
	}
	for k, v := range g.Tags {
		if n.Tags[k] != v {
			return false
		}
	}
	return len(g.Tags) > 0
}

// Targeted returns the ids of the nodes that fulfil all criteria, sorted.
func (w *World) Targeted(targets []Target) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.targeted(targets)
}

// targeted returns the ids of the nodes that fulfil all criteria, sorted.
// Callers hold w.mu.
func (w *World) targeted(targets []Target) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(w.nodes)) {
		n := w.nodes[id]
		if !slices.ContainsFunc(targets, func(t Target) bool { return !w.matches(n, t) }) {
			ids = append(ids, id)
		}
	}
	return ids
}
