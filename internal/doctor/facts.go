package doctor

import (
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
)

// fact is something that was asked for: a value, or why it is not known.
type fact[T any] struct {
	value T
	err   error
}

// Source is where a fact comes from. A check names those that its rule reads.
type source int

const (
	srcNode source = iota
	srcConnected
	srcMachine
	srcImpaired
	srcDefaultHost
	srcProfile
	srcOffered
	srcRole
	srcRights
	srcExtras
	srcCaller
	srcPreferences
	srcActivation
	srcVPC
	srcSubnets
	srcTables
	srcACLs
	srcEndpoints
	srcGroups

	sources // how many
)

// facts are what is known of one machine. A fact whose source did not answer yet
// is not to be read.
type facts struct {
	id     string
	now    time.Time
	region string

	node        fact[*fleet.Node] // nil: Systems Manager does not know it
	connected   fact[bool]        // by the message gateway
	machine     fact[*network.Machine]
	impaired    fact[string] // what the status checks find
	defaultHost fact[string] // name of the role of default host management; "": off
	profile     fact[*iam.Profile]
	offered     fact[string] // instance profile that could be attached
	role        fact[*iam.Role]
	rights      fact[rights] // what the role allows an agent
	extras      fact[rights] // what it allows for session logs and keys
	caller      fact[rights] // what the caller may do with the node
	preferences fact[preferences.Preferences]
	activation  fact[*activation]

	vpc       fact[network.VPC]
	subnets   fact[map[string]network.Subnet]
	tables    fact[[]network.RouteTable]
	acls      fact[[]network.ACL]
	endpoints fact[[]network.Endpoint]
	groups    fact[map[string]network.Group]
}

// rights are decisions about actions, and how they were come by.
type rights struct {
	decisions []iam.Decision
	by        string // "IAM's simulation", or "its policies, as read"
}

// activation is a hybrid activation, as far as a node's future depends on it.
type activation struct {
	id, role string
	expires  time.Time
	expired  bool
}

// hybrid reports whether the machine was registered by an activation.
func (f *facts) hybrid() bool { return strings.HasPrefix(f.id, "mi-") }

// works reports whether the agent is connected right now.
func (f *facts) works() bool {
	return f.node.value != nil && f.node.value.Online() && f.connected.err == nil && f.connected.value
}

// byDefaultHost reports whether the machine depends on default host management.
func (f *facts) byDefaultHost() bool {
	m := f.machine.value
	return m != nil && m.Profile == "" && f.defaultHost.value != ""
}

// agentVersion is that of the agent, "" when it is not known.
func (f *facts) agentVersion() string {
	if f.node.value == nil {
		return ""
	}
	return f.node.value.AgentVersion
}

// memberOf are the security groups of the machine that are known.
func (f *facts) memberOf() []network.Group {
	var found []network.Group
	if f.machine.value != nil {
		for _, id := range f.machine.value.Groups {
			if g, ok := f.groups.value[id]; ok {
				found = append(found, g)
			}
		}
	}
	return found
}

// decisionOf is the decision about one action.
func (r rights) decisionOf(action string) iam.Decision {
	if i := slices.IndexFunc(r.decisions, func(d iam.Decision) bool { return d.Action == action }); i >= 0 {
		return r.decisions[i]
	}
	return iam.Decision{Action: action}
}

type nodeFact = fact[*fleet.Node]
