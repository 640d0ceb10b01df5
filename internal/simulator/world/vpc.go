package world

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// VPCSpec is a virtual network. Nodes whose address is in CIDR are in it, unless
// they say otherwise.
type VPCSpec struct {
	ID    string   `yaml:"id"`
	Name  string   `yaml:"name"`
	CIDR  string   `yaml:"cidr"`
	Peers []string `yaml:"peers"` // VPCs with an active peering connection, named on one side
	// What the VPC does about names; both on when absent.
	DNSSupport   *bool `yaml:"dns_support"`
	DNSHostnames *bool `yaml:"dns_hostnames"`
}

// SecurityGroupSpec is a security group. What goes out is allowed where outbound
// is absent, as in a new group of EC2.
type SecurityGroupSpec struct {
	ID       string     `yaml:"id"`
	Name     string     `yaml:"name"`
	VPC      string     `yaml:"vpc"`
	Inbound  []RuleSpec `yaml:"inbound"`
	Outbound []RuleSpec `yaml:"outbound"`
}

// RuleSpec allows TCP to or from some sources.
type RuleSpec struct {
	Ports string   `yaml:"ports"` // 5432, 8000-8999, or all: every protocol and port
	Peers []string `yaml:"peers"` // security groups (sg-…) and CIDR blocks
}

// Range is the ports of the rule; all means every protocol and port.
func (r RuleSpec) Range() (from, to int, all bool) {
	if r.Ports == "all" {
		return 0, 0, true
	}
	first, last, ranged := strings.Cut(r.Ports, "-")
	from, _ = strconv.Atoi(first)
	if to = from; ranged {
		to, _ = strconv.Atoi(last)
	}
	return from, to, false
}

// Everything is what a group allows that says nothing of its outbound side.
var Everything = RuleSpec{Ports: "all", Peers: []string{"0.0.0.0/0"}}

// Outgoing is what the group lets out.
func (g SecurityGroupSpec) Outgoing() []RuleSpec {
	if g.Outbound == nil {
		return []RuleSpec{Everything}
	}
	return g.Outbound
}

// peered reports whether traffic can be routed between two VPCs.
func (sc *Scenario) peered(a, b string) bool {
	if a == b {
		return true
	}
	return slices.ContainsFunc(sc.VPCs, func(v VPCSpec) bool {
		return v.ID == a && slices.Contains(v.Peers, b) || v.ID == b && slices.Contains(v.Peers, a)
	})
}

// admits reports whether rules let a peer with these groups and address through.
func admits(rules []RuleSpec, port int, groups []string, address string) bool {
	addr, err := netip.ParseAddr(address)
	for _, r := range rules {
		if from, to, all := r.Range(); !all && (port < from || port > to) {
			continue
		}
		for _, p := range r.Peers {
			block, bad := netip.ParsePrefix(p)
			if slices.Contains(groups, p) || bad == nil && err == nil && block.Contains(addr) {
				return true
			}
		}
	}
	return false
}

// reaches reports whether a node's packets arrive at a port of a database. One
// that names no VPC is open to all.
func (sc *Scenario) reaches(n NodeSpec, d DatabaseSpec, port int) bool {
	if d.VPC == "" {
		return true
	}
	if !sc.peered(n.VPC, d.VPC) {
		return false
	}
	return slices.ContainsFunc(sc.SecurityGroups, func(g SecurityGroupSpec) bool {
		return slices.Contains(d.SecurityGroups, g.ID) && admits(g.Inbound, port, n.SecurityGroups, n.IP)
	})
}

func (c *checker) network() {
	vpcs, groups := map[string]bool{}, map[string]bool{}
	for i := range c.sc.VPCs {
		v := &c.sc.VPCs[i]
		c.match(at("vpcs", i, "id"), v.ID, `vpc-[0-9a-f]{8,17}`)
		if _, err := netip.ParsePrefix(v.CIDR); err != nil {
			c.failf(at("vpcs", i, "cidr"), "cidr: %q is not a CIDR block", v.CIDR)
		}
		vpcs[v.ID] = true
	}
	for i, v := range c.sc.VPCs {
		for _, p := range v.Peers {
			if !vpcs[p] {
				c.failf(at("vpcs", i, "peers"), "peers: there is no VPC %s", p)
			}
		}
	}
	for i, g := range c.sc.SecurityGroups {
		groups[g.ID] = true
		c.match(at("security_groups", i, "id"), g.ID, `sg-[0-9a-f]{8,17}`)
		if !vpcs[g.VPC] {
			c.failf(at("security_groups", i, "vpc"), "vpc: there is no VPC %q", g.VPC)
		}
	}
	for i, g := range c.sc.SecurityGroups {
		for _, r := range append(slices.Clone(g.Inbound), g.Outbound...) {
			c.rule(at("security_groups", i), r, groups)
		}
	}
	for i := range c.sc.Nodes {
		n := &c.sc.Nodes[i]
		c.placed(at("nodes", i), &n.VPC, n.IP, n.SecurityGroups, vpcs, groups)
	}
	c.subnets(vpcs, groups)
	for i := range c.sc.Databases {
		d := &c.sc.Databases[i]
		c.placed(at("databases", i), &d.VPC, "", d.SecurityGroups, vpcs, groups)
	}
}

func (c *checker) rule(path []any, r RuleSpec, groups map[string]bool) {
	from, to, all := r.Range()
	if !all && (from < 1 || to < from || to > 65535) {
		c.failf(path, "ports: %q is neither a port, a range of ports, nor all", r.Ports)
	}
	for _, p := range r.Peers {
		if _, err := netip.ParsePrefix(p); err != nil && !groups[p] {
			c.failf(path, "peers: %q is neither a CIDR block nor a security group of the scenario", p)
		}
	}
}

// placed checks where something is in the network, and finds its VPC by address.
func (c *checker) placed(path []any, vpc *string, ip string, in []string, vpcs, groups map[string]bool) {
	addr, err := netip.ParseAddr(ip)
	for _, v := range c.sc.VPCs {
		block, bad := netip.ParsePrefix(v.CIDR)
		if *vpc == "" && bad == nil && err == nil && block.Contains(addr) {
			*vpc = v.ID
		}
	}
	if *vpc != "" && !vpcs[*vpc] {
		c.failf(append(path, "vpc"), "vpc: there is no VPC %s", *vpc)
	}
	for _, g := range in {
		if !groups[g] {
			c.failf(append(path, "security_groups"), "security_groups: there is no security group %s", g)
		}
	}
}
