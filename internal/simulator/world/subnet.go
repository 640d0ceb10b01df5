package world

import (
	"fmt"
	"net/netip"
	"slices"
)

// What leads from a subnet to the internet.
const (
	ExitNAT       = "nat"       // a NAT gateway; what a subnet has that does not say
	ExitInternet  = "internet"  // an internet gateway: instances need a public address
	ExitNone      = "none"      // no default route
	ExitBlackhole = "blackhole" // a NAT gateway that was deleted
	ExitTransit   = "transit"   // a transit gateway, behind which there is nothing
)

// SubnetSpec is a part of a VPC. A VPC of which none is listed has one, with its
// addresses and a NAT gateway.
type SubnetSpec struct {
	ID   string   `yaml:"id"`
	Name string   `yaml:"name"`
	VPC  string   `yaml:"vpc"`
	CIDR string   `yaml:"cidr"` // that of the VPC when absent
	AZ   string   `yaml:"az"`
	Exit string   `yaml:"exit"` // nat, internet, none, blackhole, transit
	ACL  *ACLSpec `yaml:"acl"`  // everything passes when absent
}

// ACLSpec are the rules of a network ACL, in their order. What no rule is about
// is denied; a direction without rules is open.
type ACLSpec struct {
	Inbound  []ACLRuleSpec `yaml:"inbound"`
	Outbound []ACLRuleSpec `yaml:"outbound"`
}

// ACLRuleSpec allows or denies TCP.
type ACLRuleSpec struct {
	Action string `yaml:"action"` // allow (default), deny
	Ports  string `yaml:"ports"`  // as in RuleSpec
	CIDR   string `yaml:"cidr"`   // 0.0.0.0/0 when absent
}

// Range is the ports of the rule; all means every protocol and port.
func (r ACLRuleSpec) Range() (from, to int, all bool) { return RuleSpec{Ports: r.Ports}.Range() }

// EndpointSpec is a VPC endpoint to a service of AWS.
type EndpointSpec struct {
	ID             string   `yaml:"id"`
	VPC            string   `yaml:"vpc"`
	Service        string   `yaml:"service"` // ssm, ssmmessages, ec2messages, s3, logs, kms
	State          string   `yaml:"state"`   // available (default), pending, rejected, failed
	Type           string   `yaml:"type"`    // Interface (default), Gateway
	Subnets        []string `yaml:"subnets"` // the first of the VPC when absent
	SecurityGroups []string `yaml:"security_groups"`
	PrivateDNS     *bool    `yaml:"private_dns"` // on when absent
	Policy         string   `yaml:"policy"`      // JSON; everything when absent
}

// Private reports whether the service's public name leads to the endpoint.
func (e EndpointSpec) Private() bool { return e.PrivateDNS == nil || *e.PrivateDNS }

// on is a switch that is on when absent.
func on(b *bool) bool { return b == nil || *b }

func (c *checker) subnets(vpcs, groups map[string]bool) {
	for _, v := range c.sc.VPCs {
		if !slices.ContainsFunc(c.sc.Subnets, func(s SubnetSpec) bool { return s.VPC == v.ID }) {
			c.sc.Subnets = append(c.sc.Subnets, SubnetSpec{ID: fmt.Sprintf("subnet-%08x", spread(v.ID)), Name: v.Name, VPC: v.ID, CIDR: v.CIDR})
		}
	}
	for i := range c.sc.Subnets {
		s := &c.sc.Subnets[i]
		c.match(at("subnets", i, "id"), s.ID, `subnet-[0-9a-f]{8,17}`)
		vpc := slices.IndexFunc(c.sc.VPCs, func(v VPCSpec) bool { return v.ID == s.VPC })
		if vpc < 0 {
			c.failf(at("subnets", i, "vpc"), "vpc: there is no VPC %q", s.VPC)
			continue
		}
		fill(&s.CIDR, c.sc.VPCs[vpc].CIDR)
		fill(&s.Exit, ExitNAT)
		fill(&s.AZ, c.sc.Region+string(rune('a'+i%3)))
		c.oneOf(at("subnets", i, "exit"), s.Exit, ExitNAT, ExitInternet, ExitNone, ExitBlackhole, ExitTransit)
		if _, err := netip.ParsePrefix(s.CIDR); err != nil {
			c.failf(at("subnets", i, "cidr"), "cidr: %q is not a CIDR block", s.CIDR)
		}
		if s.ACL == nil {
			continue
		}
		for _, list := range [][]ACLRuleSpec{s.ACL.Inbound, s.ACL.Outbound} {
			for k := range list {
				c.aclRule(at("subnets", i, "acl"), &list[k])
			}
		}
	}
	for i := range c.sc.Endpoints {
		c.endpoint(i, &c.sc.Endpoints[i], vpcs, groups)
	}
	for i := range c.sc.Nodes {
		c.inSubnet(at("nodes", i, "subnet"), &c.sc.Nodes[i])
	}
}

func (c *checker) aclRule(path []any, r *ACLRuleSpec) {
	fill(&r.Action, "allow")
	fill(&r.Ports, "all")
	fill(&r.CIDR, "0.0.0.0/0")
	c.oneOf(path, r.Action, "allow", "deny")
	c.rule(path, RuleSpec{Ports: r.Ports, Peers: []string{r.CIDR}}, nil)
}

func (c *checker) endpoint(i int, e *EndpointSpec, vpcs, groups map[string]bool) {
	fill(&e.ID, fmt.Sprintf("vpce-%08x", spread(fmt.Sprint(e.VPC, e.Service, i))))
	fill(&e.State, "available")
	fill(&e.Type, "Interface")
	c.match(at("vpc_endpoints", i, "id"), e.ID, `vpce-[0-9a-f]{8,17}`)
	c.oneOf(at("vpc_endpoints", i, "state"), e.State, "available", "pending", "pendingAcceptance", "rejected", "failed")
	c.oneOf(at("vpc_endpoints", i, "type"), e.Type, "Interface", "Gateway")
	c.oneOf(at("vpc_endpoints", i, "service"), e.Service, "ssm", "ssmmessages", "ec2messages", "s3", "logs", "kms")
	if !vpcs[e.VPC] {
		c.failf(at("vpc_endpoints", i, "vpc"), "vpc: there is no VPC %q", e.VPC)
	}
	if k := slices.IndexFunc(c.sc.Subnets, func(s SubnetSpec) bool { return s.VPC == e.VPC }); e.Subnets == nil && k >= 0 {
		e.Subnets = []string{c.sc.Subnets[k].ID}
	}
	for _, g := range e.SecurityGroups {
		if !groups[g] {
			c.failf(at("vpc_endpoints", i, "security_groups"), "security_groups: there is no security group %s", g)
		}
	}
}

// inSubnet finds the subnet of a node by its address. One that it names and
// nobody lists comes into being.
func (c *checker) inSubnet(path []any, n *NodeSpec) {
	if n.VPC == "" {
		return
	}
	addr, err := netip.ParseAddr(n.IP)
	for _, s := range c.sc.Subnets {
		block, bad := netip.ParsePrefix(s.CIDR)
		if n.Subnet == "" && s.VPC == n.VPC && err == nil && bad == nil && block.Contains(addr) {
			n.Subnet = s.ID
		}
	}
	known := slices.ContainsFunc(c.sc.Subnets, func(s SubnetSpec) bool { return s.ID == n.Subnet && s.VPC == n.VPC })
	switch {
	case known || n.Subnet == "":
	case n.generated || !slices.ContainsFunc(c.sc.Subnets, func(s SubnetSpec) bool { return s.ID == n.Subnet }):
		i := slices.IndexFunc(c.sc.VPCs, func(v VPCSpec) bool { return v.ID == n.VPC })
		if i < 0 { // reported where VPCs are
			return
		}
		c.sc.Subnets = append(c.sc.Subnets, SubnetSpec{ID: n.Subnet, VPC: n.VPC, CIDR: c.sc.VPCs[i].CIDR, AZ: n.AZ, Exit: ExitNAT})
	default:
		c.failf(path, "subnet: %s is not in %s", n.Subnet, n.VPC)
	}
}
