package world

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// site is the part of the network that calls can change. It is guarded by the
// World's lock.
type site struct {
	groups     map[string]*SecurityGroupSpec
	endpoints  map[string]*EndpointSpec
	dns, hosts map[string]bool   // by VPC: names are resolved; private ones are
	profiles   map[string]string // by instance id, attached since the start
	able       map[string]bool   // by role: whether an agent can do with it; filled when asked for
}

func siteOf(sc *Scenario) site {
	s := site{
		groups: map[string]*SecurityGroupSpec{}, endpoints: map[string]*EndpointSpec{},
		dns: map[string]bool{}, hosts: map[string]bool{}, profiles: map[string]string{}, able: map[string]bool{},
	}
	for _, g := range sc.SecurityGroups {
		g.Inbound, g.Outbound = slices.Clone(g.Inbound), slices.Clone(g.Outgoing())
		s.groups[g.ID] = &g
	}
	for _, e := range sc.Endpoints {
		s.endpoints[e.ID] = &e
	}
	for _, v := range sc.VPCs {
		s.dns[v.ID], s.hosts[v.ID] = on(v.DNSSupport), on(v.DNSHostnames)
	}
	return s
}

// SecurityGroups returns the security groups in the order of their ids, with the
// rules they have now.
func (w *World) SecurityGroups() []SecurityGroupSpec {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []SecurityGroupSpec
	for _, id := range slices.Sorted(maps.Keys(w.site.groups)) {
		g := *w.site.groups[id]
		g.Inbound, g.Outbound = slices.Clone(g.Inbound), slices.Clone(g.Outbound)
		all = append(all, g)
	}
	return all
}

// Endpoints returns the VPC endpoints in the order of their ids.
func (w *World) Endpoints() []EndpointSpec {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []EndpointSpec
	for _, id := range slices.Sorted(maps.Keys(w.site.endpoints)) {
		all = append(all, *w.site.endpoints[id])
	}
	return all
}

// DNS returns the attributes enableDnsSupport and enableDnsHostnames of a VPC.
func (w *World) DNS(vpc string) (support, hostnames, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	support, ok = w.site.dns[vpc]
	return support, w.site.hosts[vpc], ok
}

// SetDNS changes an attribute of a VPC.
func (w *World) SetDNS(vpc string, hostnames, value bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.site.dns[vpc]; !ok {
		return Errorf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc)
	}
	if hostnames {
		w.site.hosts[vpc] = value
	} else {
		w.site.dns[vpc] = value
	}
	w.settle()
	return nil
}

// CreateEndpoint makes an endpoint and returns it, available at once.
func (w *World) CreateEndpoint(e EndpointSpec) (EndpointSpec, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.site.dns[e.VPC]; !ok {
		return e, Errorf("InvalidVpcId.NotFound", "The vpc ID '%s' does not exist", e.VPC)
	}
	for _, id := range e.Subnets {
		if !slices.ContainsFunc(w.sc.Subnets, func(s SubnetSpec) bool { return s.ID == id && s.VPC == e.VPC }) {
			return e, Errorf("InvalidSubnetId.NotFound", "The subnet ID '%s' does not exist", id)
		}
	}
	for _, id := range e.SecurityGroups {
		if g := w.site.groups[id]; g == nil || g.VPC != e.VPC {
			return e, Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
		}
	}
	if e.Private() {
		if err := w.mayBePrivate(e); err != nil {
			return e, err
		}
	}
	e.ID = fmt.Sprintf("vpce-%017x", uint64(spread(e.VPC+e.Service))<<8+uint64(len(w.site.endpoints)))
	e.State = "available"
	w.site.endpoints[e.ID] = &e
	w.settle()
	return e, nil
}

// mayBePrivate reports why an endpoint can not have private DNS. Callers hold w.mu.
func (w *World) mayBePrivate(e EndpointSpec) error {
	if !w.site.dns[e.VPC] || !w.site.hosts[e.VPC] {
		return Errorf("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", e.VPC)
	}
	for _, other := range w.site.endpoints {
		if other.ID != e.ID && other.VPC == e.VPC && other.Service == e.Service && other.Type == e.Type && other.Private() {
			return Errorf("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", e.Service, e.VPC)
		}
	}
	return nil
}

// SetPrivateDNS switches private DNS of an endpoint.
func (w *World) SetPrivateDNS(endpoint string, value bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.site.endpoints[endpoint]
	if e == nil {
		return Errorf("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", endpoint)
	}
	if value {
		if err := w.mayBePrivate(*e); err != nil {
			return err
		}
	}
	e.PrivateDNS = &value
	w.settle()
	return nil
}

// CreateGroup makes a security group that lets everything out and returns its id.
func (w *World) CreateGroup(vpc, name string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.site.dns[vpc]; !ok {
		return "", Errorf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc)
	}
	for _, g := range w.site.groups {
		if g.VPC == vpc && g.Name == name {
			return "", Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, vpc)
		}
	}
	g := &SecurityGroupSpec{ID: fmt.Sprintf("sg-%017x", uint64(spread(vpc+name))<<8+uint64(len(w.site.groups))), Name: name, VPC: vpc, Outbound: []RuleSpec{Everything}}
	w.site.groups[g.ID] = g
	return g.ID, nil
}

// Authorize adds a rule to a security group.
func (w *World) Authorize(group string, outbound bool, r RuleSpec) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.site.groups[group]
	if g == nil {
		return Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", group)
	}
	rules := &g.Inbound
	if outbound {
		rules = &g.Outbound
	}
	for _, p := range r.Peers {
		if _, err := netip.ParsePrefix(p); err != nil && w.site.groups[p] == nil {
			return Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", p)
		}
		if slices.ContainsFunc(*rules, func(old RuleSpec) bool { return old.Ports == r.Ports && slices.Contains(old.Peers, p) }) {
			return Errorf("InvalidPermission.Duplicate", "the specified rule \"peer: %s, TCP, from port: %s, ALLOW\" already exists", p, r.Ports)
		}
	}
	*rules = append(*rules, r)
	w.settle()
	return nil
}

// InstanceProfile is the name of the instance profile of an instance, "" for none.
func (w *World) InstanceProfile(instance string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.instances[instance]; n != nil {
		return w.instanceProfile(n)
	}
	return ""
}

// instanceProfile is the name of the profile of an instance, "" for none. Callers
// hold w.mu.
func (w *World) instanceProfile(n *Node) string {
	if p, ok := w.site.profiles[n.ID]; ok {
		return p
	}
	switch {
	case n.spec.Profile == "none":
		return ""
	case n.spec.Profile != "":
		return n.spec.Profile
	case n.spec.IAMRole != "":
		return n.spec.IAMRole
	}
	return nodeRole
}

// AttachProfile gives an instance that has none an instance profile.
func (w *World) AttachProfile(instance, profile string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.instances[instance]
	_, known := w.profile(profile)
	switch {
	case n == nil:
		return Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", instance)
	case w.instanceProfile(n) != "":
		return Errorf("IncorrectState", "There is an existing association for instance %s", instance)
	case !known:
		return Errorf("InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", profile)
	}
	w.site.profiles[instance] = profile
	w.settle()
	return nil
}
