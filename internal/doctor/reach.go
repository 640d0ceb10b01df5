package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
)

// The services of AWS that agents call. The last is only for old ones.
const (
	svcSSM      = "ssm"
	svcChannels = "ssmmessages"
	svcMessages = "ec2messages"
)

// probes is an action for which an endpoint's policy is asked.
var probes = map[string]string{
	svcSSM: "ssm:UpdateInstanceInformation", svcChannels: "ssmmessages:CreateControlChannel", svcMessages: "ec2messages:GetMessages",
	"s3": "s3:GetObject", "logs": "logs:PutLogEvents", "kms": "kms:Decrypt",
}

// way is how packets of a machine come to a service.
type way struct {
	// endpoint is the one that the service's name leads to; nil: the name leads
	// to the internet.
	endpoint *network.Endpoint
	// idle is an endpoint that is there and that no name leads to.
	idle *network.Endpoint
	// exit is how the internet is reached, where it is needed.
	exit  network.Exit
	route network.Route
	// open reports whether exit gets there.
	open bool
}

// wayTo finds the way to a service.
func (f *facts) wayTo(service string) way {
	w := way{}
	w.exit, w.route, w.open = f.exit()
	found := network.EndpointTo(f.endpoints.value, service)
	for i := range found {
		e := &found[i]
		switch {
		case e.Gateway:
			if table, ok := network.TableOf(f.tables.value, f.subnet()); ok && slices.Contains(e.Tables, table.ID) {
				w.endpoint = e
				return w
			}
		case e.PrivateDNS && f.privateNames():
			w.endpoint = e
			return w
		case w.idle == nil:
			w.idle = e
		}
	}
	return w
}

// privateNames reports whether the VPC lets names lead to endpoints.
func (f *facts) privateNames() bool { return f.vpc.value.DNSSupport && f.vpc.value.DNSHostnames }

// exit is how packets from the machine's subnet leave for the internet; open
// reports whether they come back too.
func (f *facts) exit() (exit network.Exit, r network.Route, open bool) {
	table, ok := network.TableOf(f.tables.value, f.subnet())
	if !ok {
		return network.NoExit, r, false
	}
	exit, r = table.Exit()
	open = exit == network.NAT || exit == network.Gateway && (f.machine.value == nil || f.machine.value.PublicIP.IsValid())
	return exit, r, open
}

func (f *facts) subnet() string {
	if f.machine.value == nil {
		return ""
	}
	return f.machine.value.Subnet
}

// address is the range that the machine's packets come from.
func (f *facts) address() netip.Prefix {
	if m := f.machine.value; m != nil {
		for _, a := range m.Addresses {
			if a.Is4() {
				return netip.PrefixFrom(a, 32)
			}
		}
		return f.subnets.value[m.Subnet].Block
	}
	return netip.Prefix{}
}

// peers are the address ranges behind a way: those of the endpoint's subnets, or
// the internet.
func (f *facts) peers(w way) []netip.Prefix {
	if w.endpoint == nil {
		return []netip.Prefix{network.Internet}
	}
	var blocks []netip.Prefix
	for _, id := range w.endpoint.Subnets {
		if b := f.subnets.value[id].Block; b.IsValid() {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// admitted reports whether the endpoint's security groups, which were read, let the
// machine in. Where EC2 names none nothing is said against it.
func (f *facts) admitted(e *network.Endpoint) bool {
	if len(e.Groups) == 0 {
		return true
	}
	return slices.ContainsFunc(e.Groups, func(id string) bool {
		g, ok := f.groups.value[id]
		return !ok || g.Admits(f.machine.value.Instance, 443) != "" || hasList(g)
	})
}

// hasList reports whether a group lets in a prefix list on 443, whose content is
// not known.
func hasList(g network.Group) bool {
	return slices.ContainsFunc(g.In, func(r network.Rule) bool { return len(r.Lists) > 0 })
}

// allowedBy says what an endpoint's policy says about the service.
func allowedBy(e *network.Endpoint, service string) iam.Result {
	if e.Policy == "" {
		return iam.Allowed
	}
	doc, err := iam.ParseDocument("of the endpoint", e.Policy)
	if err != nil {
		return iam.Perhaps
	}
	return iam.Decide([]iam.Document{doc}, probes[service]).Result
}

// endpointRepairs make an interface endpoint in the subnets. From then on all of
// the VPC uses it: its security group must let everybody there in, or those who
// had another way would lose it. That is a group which other endpoints have, or a
// new one.
func (f *facts) endpointRepairs(service string, subnets []string) []Repair {
	vpc := f.vpc.value
	create := Repair{kind: createEndpoint, VPC: vpc.ID, Service: f.serviceName(service), Subnets: subnets}
	for _, e := range f.endpoints.value {
		if probes[e.Service] != "" && !e.Gateway && len(f.shutOut(e)) == 0 {
			create.Groups = e.Groups
		}
	}
	var repairs []Repair
	if !vpc.DNSHostnames {
		repairs = append(repairs, f.hostnames()...)
	}
	if create.Groups == nil {
		group := Repair{kind: makeGroup, VPC: vpc.ID}
		for _, b := range vpc.Blocks {
			group.Peers = append(group.Peers, b.String())
		}
		repairs = append(repairs, group)
	}
	return append(repairs, create)
}

// shutOut are the address ranges of the VPC that an endpoint's security groups do
// not let in. Groups that can not be read let nobody in.
func (f *facts) shutOut(e network.Endpoint) []netip.Prefix {
	var shut []netip.Prefix
	for _, b := range f.vpc.value.Blocks {
		if !slices.ContainsFunc(e.Groups, func(id string) bool { return f.groups.value[id].AdmitsBlock(b, 443) }) {
			shut = append(shut, b)
		}
	}
	return shut
}

// hostnames enables DNS hostnames, which leads the VPC to all its endpoints with
// private DNS: who is shut out there is let in first.
func (f *facts) hostnames() []Repair {
	var repairs []Repair
	for _, e := range f.endpoints.value {
		if probes[e.Service] != "" && e.PrivateDNS {
			repairs = append(repairs, f.welcome(e)...)
		}
	}
	return append(repairs, Repair{kind: enableDNS, VPC: f.vpc.value.ID, Hostnames: true})
}

// welcome lets all of the VPC into an endpoint.
func (f *facts) welcome(e network.Endpoint) []Repair {
	var repairs []Repair
	for _, b := range f.shutOut(e) {
		if len(e.Groups) > 0 {
			repairs = append(repairs, Repair{kind: letIn, Group: e.Groups[0], Peer: b.String()})
		}
	}
	return repairs
}

// serviceName is the full name of a service, for an endpoint.
func (f *facts) serviceName(service string) string {
	prefix := "com.amazonaws."
	if len(f.region) > 3 && f.region[:3] == "cn-" {
		prefix = "cn.com.amazonaws."
	}
	return prefix + f.region + "." + service
}

// String says which way it is.
func (w way) String() string {
	switch {
	case w.endpoint != nil:
		return "by endpoint " + w.endpoint.ID
	case w.open:
		return fmt.Sprintf("over the internet (%s)", w.route.Target)
	default:
		return "no way"
	}
}
