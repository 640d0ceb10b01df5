package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
)

// place are the sources of everything about where a machine stands.
var place = []source{srcNode, srcConnected, srcMachine, srcVPC, srcSubnets, srcTables, srcACLs, srcEndpoints, srcGroups}

var networkChecks = []check{
	{id: "names", group: Network, title: "the VPC resolves names", about: instances, needs: place, rule: resolvesNames},
	{id: "route", group: Network, title: "something leads to AWS", about: instances, needs: place, rule: hasRoute},
	{id: "ssm", group: Network, title: "the agent reaches ssm", about: instances, needs: place, rule: reaches(svcSSM)},
	{id: "ssmmessages", group: Network, title: "the agent reaches ssmmessages", about: instances, needs: place, rule: reaches(svcChannels)},
	{id: "ec2messages", group: Network, title: "the agent reaches ec2messages", about: instances, needs: place, rule: reaches(svcMessages)},
	{id: "security-group", group: Network, title: "its security groups let it out", about: instances, needs: place, rule: letsOut},
	{id: "acl", group: Network, title: "the network ACLs let it out, and answers in", about: instances, needs: place, rule: aclsPass},
	{id: "s3", group: Network, title: "S3 can be reached", about: instances, needs: place, rule: reachesS3, kept: true},
	{id: "logs", group: Network, title: "CloudWatch Logs can be reached", about: instances, needs: append([]source{srcPreferences}, place...), rule: reachesLogs, kept: true},
	{id: "kms", group: Network, title: "KMS can be reached", about: instances, needs: append([]source{srcPreferences}, place...), rule: reachesKMS, kept: true},
	{id: "network", group: Network, title: "its network", about: hybrids, rule: beyondSight},
}

func beyondSight(f *facts) Check {
	c := skip("its network can not be seen from here")
	return c.fix(there, "curl -sS -o /dev/null -w '%{http_code}\\n' https://"+f.endpoint(), "curl -sS -o /dev/null -w '%{http_code}\\n' https://"+strings.Replace(f.endpoint(), "ssm.", "ssmmessages.", 1))
}

// nowhere says why nothing can be said about where the machine stands.
func nowhere(f *facts) (c Check, unknown bool) {
	switch {
	case f.machine.err != nil:
		return unread(f.machine.err), true
	case f.machine.value == nil:
		return skip("EC2 does not know the instance"), true
	case f.machine.value.VPC == "":
		return skip("EC2 does not say in which VPC it is"), true
	}
	for _, err := range []error{f.vpc.err, f.tables.err, f.endpoints.err} {
		if err != nil {
			return unread(err), true
		}
	}
	return Check{}, false
}

func resolvesNames(f *facts) Check {
	c, unknown := nowhere(f)
	v := f.vpc.value
	switch {
	case unknown:
		return c
	case !v.DNSSupport:
		return fail("dns-support-off", "DNS support of %s is off", v.ID).repair(Repair{kind: enableDNS, VPC: v.ID})
	case v.DNSHostnames:
		return pass("DNS support and hostnames of %s are on", v.ID)
	}
	private := slices.ContainsFunc(f.endpoints.value, func(e network.Endpoint) bool { return e.PrivateDNS && probes[e.Service] != "" })
	if _, _, open := f.exit(); private && !open {
		return fail("dns-hostnames-off", "DNS hostnames of %s are off: names do not lead to its endpoints", v.ID).
			repair(f.hostnames()...)
	}
	return pass("DNS support of %s is on; hostnames are off, and nothing needs them", v.ID)
}

// required are the services without which an agent does not work.
func (f *facts) required() []string {
	if older(f.agentVersion(), firstWithoutMessages) {
		return []string{svcSSM, svcChannels, svcMessages}
	}
	return []string{svcSSM, svcChannels}
}

// hasEndpoints reports whether there is an endpoint to any required service, so
// that those are what the network relies on.
func (f *facts) hasEndpoints() bool {
	return slices.ContainsFunc(f.required(), func(s string) bool { return len(network.EndpointTo(f.endpoints.value, s)) > 0 })
}

func hasRoute(f *facts) Check {
	if c, unknown := nowhere(f); unknown {
		return c
	}
	exit, route, open := f.exit()
	switch {
	case open:
		return pass("0.0.0.0/0 leads to %s", route.Target)
	case f.hasEndpoints():
		return pass("none to the internet: endpoints have to do")
	}
	var repairs []Repair
	for _, s := range f.required() {
		repairs = append(repairs, f.endpointRepairs(s, []string{f.subnet()})...)
	}
	switch exit {
	case network.Gateway:
		return fail("no-public-ip", "0.0.0.0/0 leads to %s, and the instance has no public address; there are no endpoints", route.Target).repair(repairs...)
	case network.Blackhole:
		return fail("route-blackhole", "0.0.0.0/0 leads to %s, which is gone; there are no endpoints", route.Target).repair(repairs...)
	case network.Elsewhere:
		return warn("route-elsewhere", "0.0.0.0/0 leads to %s: what is behind is not seen from here", route.Target)
	default:
		return fail("no-route", "no route from %s leads to the internet, and there are no endpoints", f.subnet()).repair(repairs...)
	}
}

// reaches is the rule about the way to one of the agent's services.
func reaches(service string) func(f *facts) Check {
	return func(f *facts) Check {
		c, unknown := nowhere(f)
		switch {
		case unknown:
			return c
		case !f.vpc.value.DNSSupport:
			return skip("first enable DNS")
		}
		w := f.wayTo(service)
		needed := slices.Contains(f.required(), service)
		switch {
		case w.endpoint != nil:
			c = byEndpoint(f, w.endpoint, service)
		case w.open:
			c = pass("%s", w)
			if w.idle != nil {
				c.Evidence += "; endpoint " + w.idle.ID + " is not used: its private DNS is off"
			}
		case w.idle != nil && w.idle.PrivateDNS: // then it is the VPC
			return skip("first enable DNS hostnames")
		case w.idle != nil:
			c = fail("private-dns-off", "private DNS of endpoint %s to %s is off, and there is no way to the internet", w.idle.ID, service).
				repair(append(f.welcome(*w.idle), Repair{kind: enablePrivateDNS, VPC: f.vpc.value.ID, Endpoint: w.idle.ID})...)
		case !f.hasEndpoints():
			return skip("see the route")
		case w.exit == network.Elsewhere:
			return skip("by %s, if at all", w.route.Target)
		default:
			c = fail("no-"+service+"-endpoint", "there is no endpoint to %s in %s, and no way to the internet", service, f.vpc.value.ID).
				repair(f.endpointRepairs(service, []string{f.subnet()})...)
		}
		if c.Status == Fail && !needed {
			c.Status = Warn
			c.Evidence += "; agents from " + firstWithoutMessages + " do without it"
		}
		return c
	}
}

// byEndpoint is about an endpoint that a service's name leads to: there is no
// other way then.
func byEndpoint(f *facts, e *network.Endpoint, service string) Check {
	switch {
	case !e.Available():
		return fail("endpoint-not-available", "endpoint %s to %s is %s", e.ID, service, e.State).
			fix("aws ec2 describe-vpc-endpoints --vpc-endpoint-ids " + e.ID)
	case f.groups.err == nil && !f.admitted(e):
		return fail("endpoint-group-closed", "the security groups of endpoint %s to %s (%s) do not let the machine in on 443", e.ID, service, strings.Join(e.Groups, ", ")).
			repair(Repair{kind: letIn, Group: e.Groups[0], Peer: f.peer()})
	}
	switch allowedBy(e, service) {
	case iam.NotAllowed, iam.Denied:
		return fail("endpoint-policy-denies", "the policy of endpoint %s does not allow %s", e.ID, probes[service]).
			fix("aws ec2 modify-vpc-endpoint --reset-policy --vpc-endpoint-id " + e.ID)
	}
	if f.groups.err != nil && len(e.Groups) > 0 { // whom they let in is not known
		return unread(f.groups.err)
	}
	switch allowedBy(e, service) {
	case iam.Perhaps:
		return pass("by endpoint %s; its policy allows it under a condition", e.ID)
	}
	return pass("by endpoint %s", e.ID)
}

// peersUnread is the check of a way whose far end is in subnets that could not be
// read.
func (f *facts) peersUnread(w way) (c Check, not bool) {
	if f.subnets.err == nil || w.endpoint == nil || len(w.endpoint.Subnets) == 0 {
		return c, false
	}
	return unread(f.subnets.err), true
}

// peer is what to let into an endpoint's group: a group of the machine, else its
// address, else its VPC.
func (f *facts) peer() string {
	if m := f.machine.value; m != nil && len(m.Groups) > 0 {
		return m.Groups[0]
	}
	if b := f.vpc.value.Blocks; len(b) > 0 {
		return b[0].String()
	}
	return f.address().String()
}

func letsOut(f *facts) Check {
	c, unknown := nowhere(f)
	switch {
	case unknown:
		return c
	case f.groups.err != nil:
		return unread(f.groups.err)
	case len(f.machine.value.Groups) == 0:
		return skip("EC2 names no security group")
	}
	groups := f.memberOf()
	var shut []string
	var repairs []Repair
	for _, service := range f.required() {
		w := f.wayTo(service)
		if w.endpoint == nil && !w.open && w.exit != network.Elsewhere {
			continue
		}
		if c, not := f.peersUnread(w); not {
			return c
		}
		var to []string
		if w.endpoint != nil {
			to = w.endpoint.Groups
		}
		peers := f.peers(w)
		if len(peers) == 0 || slices.ContainsFunc(peers, func(p netip.Prefix) bool { return network.LetsOutTo(groups, 443, p, to) }) {
			continue
		}
		shut = append(shut, service)
		for _, p := range peers {
			repairs = append(repairs, Repair{kind: letOut, Group: f.machine.value.Groups[0], Peer: p.String()})
		}
	}
	if len(shut) > 0 {
		return fail("group-blocks-out", "%s: none lets it out to %s on 443", strings.Join(f.machine.value.Groups, ", "), strings.Join(shut, ", ")).repair(repairs...)
	}
	return pass("%s", strings.Join(f.machine.value.Groups, ", "))
}

// The ports that answers come to: those that Windows and Linux choose from.
const (
	firstEphemeral = 32768
	lastEphemeral  = 60999
	firstWindows   = 49152
	lastWindows    = 65535
)

func aclsPass(f *facts) Check {
	if c, unknown := nowhere(f); unknown {
		return c
	}
	if f.acls.err != nil {
		return unread(f.acls.err)
	}
	mine, ok := network.ACLOf(f.acls.value, f.subnet())
	if !ok {
		return skip("EC2 names no network ACL of %s", f.subnet())
	}
	first, last := firstEphemeral, lastEphemeral
	if f.machine.value.Platform == "windows" {
		first, last = firstWindows, lastWindows
	}
	for _, service := range f.required() {
		w := f.wayTo(service)
		if w.endpoint == nil && !w.open && w.exit != network.Elsewhere {
			continue
		}
		if c := f.throughACLs(w, mine, service, first, last); c.Status != Pass {
			return c
		}
	}
	return pass("%s", mine.ID)
}

// throughACLs follows one way through the access lists at both its ends. It is
// enough that one interface of an endpoint can be reached.
func (f *facts) throughACLs(w way, mine network.ACL, service string, first, last int) Check {
	if w.endpoint != nil && slices.Contains(w.endpoint.Subnets, f.subnet()) {
		return pass("within %s", f.subnet()) // no list in between
	}
	if c, not := f.peersUnread(w); not {
		return c
	}
	worst := pass("%s", w)
	for _, peer := range f.peers(w) {
		switch {
		case !network.Passes(mine.Out, 443, 443, peer):
			worst = fail("acl-blocks-out", "%s does not let connections to port 443 of %s out (for %s)", mine.ID, peer, service)
		case !network.Passes(mine.In, first, last, peer):
			worst = fail("acl-blocks-in", "%s does not let answers of %s in, to ports %d-%d (for %s)", mine.ID, peer, first, last, service)
		default:
			return f.atEndpoint(w, service, first, last)
		}
	}
	return worst
}

// atEndpoint looks at the access lists of the endpoint's own subnets.
func (f *facts) atEndpoint(w way, service string, first, last int) Check {
	if w.endpoint == nil {
		return pass("%s", w)
	}
	me := f.address()
	worst := pass("%s", w)
	for _, id := range w.endpoint.Subnets {
		there, ok := network.ACLOf(f.acls.value, id)
		switch {
		case !ok || !me.IsValid():
			return pass("%s", w)
		case !network.Passes(there.In, 443, 443, me):
			worst = fail("acl-blocks-in", "%s, at endpoint %s, does not let connections from %s in on 443 (for %s)", there.ID, w.endpoint.ID, me, service)
		case !network.Passes(there.Out, first, last, me):
			worst = fail("acl-blocks-out", "%s, at endpoint %s, does not let answers to %s out (for %s)", there.ID, w.endpoint.ID, me, service)
		default:
			return pass("%s", w)
		}
	}
	return worst
}

// reachable is the rule about a service that features need.
func reachable(f *facts, service, cause, why string) Check {
	c, unknown := nowhere(f)
	if unknown {
		return c
	}
	w := f.wayTo(service)
	switch {
	case w.endpoint != nil && w.endpoint.Gateway, w.open:
		return pass("%s", w)
	case w.endpoint != nil:
		if c = byEndpoint(f, w.endpoint, service); c.Status == Fail {
			c.Status = Warn
		}
		return c
	case w.exit == network.Elsewhere:
		return skip("by %s, if at all", w.route.Target)
	}
	return warn(cause, "there is neither an endpoint to %s nor a way to the internet; %s", service, why)
}

func reachesS3(f *facts) Check {
	c := reachable(f, "s3", "no-s3-endpoint", "patching, updates of the agent and output in buckets need it")
	if c.Cause == "no-s3-endpoint" {
		table, _ := network.TableOf(f.tables.value, f.subnet())
		c = c.fix("aws ec2 create-vpc-endpoint --vpc-id " + f.vpc.value.ID + " --service-name " + f.serviceName("s3") + " --route-table-ids " + table.ID)
	}
	return c
}

func reachesLogs(f *facts) Check {
	return reachesFor(f, "logs", "cloudWatchLogGroupName", "sessions are not logged to CloudWatch Logs", "session logs go there")
}

func reachesKMS(f *facts) Check {
	return reachesFor(f, "kms", "kmsKeyId", "sessions are not encrypted", "sessions are encrypted")
}

// reachesFor is about a service that only a setting of Session Manager needs.
func reachesFor(f *facts, service, setting, off, why string) Check {
	switch {
	case f.preferences.err != nil:
		return unread(f.preferences.err)
	case f.preferences.value.Text(setting) == "":
		return skip("%s", off)
	}
	c := reachable(f, service, "no-"+service+"-endpoint", why)
	if c.Cause == "no-"+service+"-endpoint" {
		c = c.repair(f.endpointRepairs(service, []string{f.subnet()})...)
	}
	return c
}
