package world

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// What an agent must be allowed at least (AmazonSSMManagedInstanceCore holds more).
var needs = []string{"ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:OpenControlChannel"}

// The first agent versions that get credentials by default host management, and
// that do without ec2messages (user guide, release notes).
const (
	firstDefaultHost = "3.2.582.0"
	firstWithoutMDS  = "3.3.40.0"
)

// hidden reports whether Systems Manager has never heard of the node, which
// lacks what its agent needs.
func (n *Node) hidden() bool {
	return n.broken && n.spec.Ping != "lost" && !n.spec.online || !n.spec.managed()
}

// unmet says what the agent of a node lacks to be managed; "" when nothing. It
// looks at no more than a scenario can say. Callers hold w.mu, or have the World
// to themselves.
func (w *World) unmet(n *Node) string {
	if n.spec.online {
		return "" // the scenario knows better
	}
	if n.ResourceType == "ManagedInstance" {
		r := w.roles[n.IAMRole]
		if n.IAMRole != "" && (r == nil || !r.TrustsSSM() || !w.mayAll(*r)) {
			return "role"
		}
		return ""
	}
	return cmp.Or(w.unmetRights(n), w.unmetNetwork(n))
}

func (w *World) mayAll(r RoleSpec) bool {
	able, known := w.site.able[r.Name]
	if !known {
		able = !slices.ContainsFunc(needs, func(a string) bool { return !w.May(r, a).Allowed })
		w.site.able[r.Name] = able
	}
	return able
}

func (w *World) unmetRights(n *Node) string {
	if n.spec.Metadata == "off" {
		return "metadata"
	}
	if name := w.instanceProfile(n); name != "" {
		p, _ := w.profile(name)
		if r := w.roles[p.Role]; r != nil && slices.Contains(r.Trust, principalEC2) && w.mayAll(*r) {
			return ""
		}
		return "profile"
	}
	role := w.settings[SettingDefaultHostRole].Value
	r := w.roles[role[strings.LastIndexByte(role, '/')+1:]]
	if r == nil || !r.TrustsSSM() || !w.mayAll(*r) || n.spec.Metadata == "v1" || CompareVersions(n.AgentVersion, firstDefaultHost) < 0 {
		return "default host management"
	}
	return ""
}

func (w *World) unmetNetwork(n *Node) string {
	i := slices.IndexFunc(w.sc.Subnets, func(s SubnetSpec) bool { return s.ID == n.spec.Subnet })
	if i < 0 {
		return "" // in no network of the scenario
	}
	if !w.site.dns[n.spec.VPC] {
		return "names"
	}
	services := []string{"ssm", "ssmmessages"}
	if CompareVersions(n.AgentVersion, firstWithoutMDS) < 0 {
		services = append(services, "ec2messages")
	}
	for _, service := range services {
		if !w.arrives(n, w.sc.Subnets[i], service) {
			return service
		}
	}
	return ""
}

// anywhere is an address of the internet.
const anywhere = "198.51.100.7"

// arrives reports whether a node's packets come to a service and the answers
// back: through the endpoint that its name leads to, or over the internet.
func (w *World) arrives(n *Node, from SubnetSpec, service string) bool {
	var to *EndpointSpec
	for _, e := range w.site.endpoints {
		if e.VPC == n.spec.VPC && e.Service == service && e.Private() && w.site.hosts[e.VPC] {
			to = e
		}
	}
	if to == nil {
		exit := from.Exit == ExitNAT || from.Exit == ExitInternet && n.spec.PublicIP != ""
		return exit && w.letsOut(n, nil, anywhere) && from.passes(anywhere)
	}
	if to.State != "available" || to.Policy != "" && !allows(to.Policy, service) || !w.letsIn(to, n) {
		return false
	}
	for _, id := range to.Subnets {
		k := slices.IndexFunc(w.sc.Subnets, func(s SubnetSpec) bool { return s.ID == id })
		if k < 0 {
			continue
		}
		there := w.sc.Subnets[k]
		block, err := netip.ParsePrefix(there.CIDR)
		if err != nil {
			continue
		}
		address := block.Addr().String()
		if w.letsOut(n, to.SecurityGroups, address) && (there.ID == from.ID || from.passes(address)) {
			return true
		}
	}
	return false
}

// allows reports whether an endpoint's policy lets agents use the service.
func allows(policy, service string) bool {
	allowed, _ := decides(policy, map[string]string{
		"ssm": "ssm:UpdateInstanceInformation", "ssmmessages": "ssmmessages:CreateControlChannel", "ec2messages": "ec2messages:GetMessages",
	}[service])
	return allowed
}

func (w *World) letsIn(e *EndpointSpec, n *Node) bool {
	return len(e.SecurityGroups) == 0 || slices.ContainsFunc(e.SecurityGroups, func(id string) bool {
		g := w.site.groups[id]
		return g != nil && admits(g.Inbound, 443, n.spec.SecurityGroups, n.IP)
	})
}

func (w *World) letsOut(n *Node, groups []string, address string) bool {
	return len(n.spec.SecurityGroups) == 0 || slices.ContainsFunc(n.spec.SecurityGroups, func(id string) bool {
		g := w.site.groups[id]
		return g != nil && admits(g.Outbound, 443, groups, address)
	})
}

// passes reports whether the subnet's ACL lets a connection to port 443 of an
// address out, and the answers, to a port that Linux chose, in.
func (s SubnetSpec) passes(address string) bool {
	if s.ACL == nil {
		return true
	}
	through := func(rules []ACLRuleSpec, port int) bool {
		for _, r := range rules {
			if admits([]RuleSpec{{Ports: r.Ports, Peers: []string{r.CIDR}}}, port, nil, address) {
				return r.Action == "allow"
			}
		}
		return len(rules) == 0
	}
	return through(s.ACL.Outbound, 443) && through(s.ACL.Inbound, 32768) && through(s.ACL.Inbound, 60999)
}

// settle registers the nodes that lacked something and now have all of it.
// Callers hold w.mu.
func (w *World) settle() {
	changed := false
	for _, n := range w.instances {
		if n.broken && n.State == StateRunning && w.unmet(n) == "" {
			n.broken, changed = false, true
			n.Ping, n.LastPing = PingOnline, w.now()
			w.nodes[n.ID] = n
		}
	}
	if changed {
		close(w.pinged)
		w.pinged = make(chan struct{})
	}
}

// found checks what an agent finds on its instance.
func (c *checker) found(i int, n *NodeSpec) {
	c.oneOf(at("nodes", i, "activation"), n.Activation, "", "expired")
	if n.Activation != "" && n.ResourceType != "ManagedInstance" {
		c.failf(at("nodes", i, "activation"), "activation: %s is no hybrid node", n.ID)
	}
	fill(&n.Metadata, "v2")
	c.oneOf(at("nodes", i, "metadata"), n.Metadata, "v2", "v1", "off")
	if _, err := netip.ParseAddr(n.PublicIP); n.PublicIP != "" && err != nil {
		c.failf(at("nodes", i, "public_ip"), "public_ip: %s is not an address", strconv.Quote(n.PublicIP))
	}
}
