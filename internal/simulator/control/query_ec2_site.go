package control

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// profileOf is the instance profile of an instance, nothing without one.
func (c *call) profileOf(i world.Instance) element {
	name := c.world.InstanceProfile(i.ID)
	if name == "" {
		return leaf("iamInstanceProfile", "")
	}
	return el("iamInstanceProfile", leaf("arn", c.profileARN(name)), leaf("id", "AIPA"+name))
}

func metadataOptions(i world.Instance) element {
	tokens, endpoint := "required", "enabled"
	switch i.Metadata {
	case "v1":
		tokens = "optional"
	case "off":
		endpoint = "disabled"
	}
	return el("metadataOptions", leaf("state", "applied"), leaf("httpTokens", tokens), number("httpPutResponseHopLimit", 2), leaf("httpEndpoint", endpoint))
}

func (c *call) describeInstanceStatus(form url.Values) ([]element, error) {
	found, err := c.world.Instances(numbered(form, "InstanceId."))
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(i world.Instance) bool { return i.State != world.StateRunning })
	found, next, err := paged(c, form, found, func(i world.Instance) string { return i.ID })
	if err != nil {
		return nil, err
	}
	status := func(name string, impaired bool) element {
		word, detail := "ok", "passed"
		if impaired {
			word, detail = "impaired", "failed"
		}
		return el(name, leaf("status", word), el("details", el("item", leaf("name", "reachability"), leaf("status", detail))))
	}
	return []element{list("instanceStatusSet", found, func(i world.Instance) element {
		return el("item", leaf("instanceId", i.ID), leaf("availabilityZone", i.AZ), el("instanceState", number("code", i.StateCode), leaf("name", i.State)),
			status("systemStatus", false), status("instanceStatus", i.Impaired))
	}), next}, nil
}

func (c *call) describeSubnets(form url.Values) ([]element, error) {
	return described(c, form, "subnetSet", "SubnetId.", "subnet-id", c.world.Scenario().Subnets,
		func(s world.SubnetSpec) (id, vpc string) { return s.ID, s.VPC },
		func(s world.SubnetSpec) element {
			return el("item", leaf("subnetId", s.ID), leaf("vpcId", s.VPC), leaf("state", "available"), leaf("cidrBlock", s.CIDR),
				leaf("availabilityZone", s.AZ), leaf("ownerId", c.world.Account()), truth("mapPublicIpOnLaunch", s.Exit == world.ExitInternet),
				el("tagSet", el("item", leaf("key", "Name"), element{name: "value", text: s.Name, kids: []element{}})))
		})
}

// described answers a Describe of things in VPCs, which can be chosen by id and
// by the filters vpc-id and that of their own id.
func described[T any](c *call, form url.Values, set, ids, filter string, all []T, key func(T) (id, vpc string), show func(T) element) ([]element, error) {
	f, err := filtersOf(form, "vpc-id", filter)
	if err != nil {
		return nil, err
	}
	wanted := numbered(form, ids)
	found := slices.DeleteFunc(slices.Clone(all), func(t T) bool {
		id, vpc := key(t)
		return len(wanted) > 0 && !slices.Contains(wanted, id) ||
			!f.match(func(name string) []string { return map[string][]string{"vpc-id": {vpc}, filter: {id}}[name] })
	})
	for _, id := range wanted {
		if !slices.ContainsFunc(found, func(t T) bool { have, _ := key(t); return have == id }) {
			return nil, &apiError{Code: "Invalid" + strings.TrimSuffix(ids, ".") + ".NotFound", Message: "The ID '" + id + "' does not exist"}
		}
	}
	found, next, err := paged(c, form, found, func(t T) string { id, _ := key(t); return id })
	if err != nil {
		return nil, err
	}
	return []element{list(set, found, show), next}, nil
}

// describeRouteTables answers with one table for each subnet.
func (c *call) describeRouteTables(form url.Values) ([]element, error) {
	return described(c, form, "routeTableSet", "RouteTableId.", "route-table-id", c.world.Scenario().Subnets,
		func(s world.SubnetSpec) (id, vpc string) { return tableID(s.ID), s.VPC }, c.routeTable)
}

func tableID(subnet string) string { return "rtb-" + stableHex(subnet) }

func (c *call) routeTable(s world.SubnetSpec) element {
	to := func(cidr, kind, target, state string) element {
		return el("item", leaf("destinationCidrBlock", cidr), leaf(kind, target), leaf("state", state), leaf("origin", "CreateRoute"))
	}
	block := s.CIDR
	for _, v := range c.world.Scenario().VPCs {
		if v.ID == s.VPC {
			block = v.CIDR
		}
	}
	routes := el("routeSet", to(block, "gatewayId", "local", "active"))
	const all = "0.0.0.0/0"
	target := stableHex("exit " + s.VPC)
	switch s.Exit {
	case world.ExitNAT:
		routes.kids = append(routes.kids, to(all, "natGatewayId", "nat-"+target, "active"))
	case world.ExitInternet:
		routes.kids = append(routes.kids, to(all, "gatewayId", "igw-"+target, "active"))
	case world.ExitBlackhole:
		routes.kids = append(routes.kids, to(all, "natGatewayId", "nat-"+target, "blackhole"))
	case world.ExitTransit:
		routes.kids = append(routes.kids, to(all, "transitGatewayId", "tgw-"+target, "active"))
	}
	id := tableID(s.ID)
	return el("item", leaf("routeTableId", id), leaf("vpcId", s.VPC), leaf("ownerId", c.world.Account()), routes,
		el("associationSet", el("item", leaf("routeTableAssociationId", "rtbassoc-"+stableHex(id)), leaf("routeTableId", id), leaf("subnetId", s.ID), truth("main", false))))
}

// describeACLs answers with one access list for each subnet.
func (c *call) describeACLs(form url.Values) ([]element, error) {
	return described(c, form, "networkAclSet", "NetworkAclId.", "network-acl-id", c.world.Scenario().Subnets,
		func(s world.SubnetSpec) (id, vpc string) { return aclID(s.ID), s.VPC }, accessList)
}

func aclID(subnet string) string { return "acl-" + stableHex(subnet) }

func accessList(s world.SubnetSpec) element {
	entries := el("entrySet")
	add := func(rules []world.ACLRuleSpec, egress bool) {
		if len(rules) == 0 {
			rules = []world.ACLRuleSpec{{Action: "allow", Ports: "all", CIDR: "0.0.0.0/0"}}
		}
		rules = append(slices.Clone(rules), world.ACLRuleSpec{Action: "deny", Ports: "all", CIDR: "0.0.0.0/0"})
		for i, r := range rules {
			n := 100 * (i + 1)
			if i == len(rules)-1 {
				n = 32767
			}
			e := el("item", number("ruleNumber", n), leaf("ruleAction", r.Action), truth("egress", egress), leaf("cidrBlock", r.CIDR))
			if from, to, all := r.Range(); all {
				e.kids = append(e.kids, leaf("protocol", "-1"))
			} else {
				e.kids = append(e.kids, leaf("protocol", "6"), el("portRange", number("from", from), number("to", to)))
			}
			entries.kids = append(entries.kids, e)
		}
	}
	acl := s.ACL
	if acl == nil {
		acl = &world.ACLSpec{}
	}
	add(acl.Inbound, false)
	add(acl.Outbound, true)
	id := aclID(s.ID)
	return el("item", leaf("networkAclId", id), leaf("vpcId", s.VPC), truth("default", s.ACL == nil), entries,
		el("associationSet", el("item", leaf("networkAclAssociationId", "aclassoc-"+stableHex(id)), leaf("networkAclId", id), leaf("subnetId", s.ID))))
}

func (c *call) describeEndpoints(form url.Values) ([]element, error) {
	return described(c, form, "vpcEndpointSet", "VpcEndpointId.", "vpc-endpoint-id", c.world.Endpoints(),
		func(e world.EndpointSpec) (id, vpc string) { return e.ID, e.VPC },
		func(e world.EndpointSpec) element { return c.endpointItem("item", e) })
}

func (c *call) endpointItem(name string, e world.EndpointSpec) element {
	policy := e.Policy
	if policy == "" {
		policy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`
	}
	kids := []element{
		leaf("vpcEndpointId", e.ID), leaf("vpcEndpointType", e.Type), leaf("vpcId", e.VPC),
		leaf("serviceName", c.endpointService(e.Service)), leaf("state", e.State), leaf("policyDocument", policy), leaf("ownerId", c.world.Account()),
	}
	if e.Type == "Gateway" {
		var tables []string
		for _, s := range e.Subnets {
			tables = append(tables, tableID(s))
		}
		return el(name, append(kids, texts("routeTableIdSet", "item", tables))...)
	}
	return el(name, append(kids, truth("privateDnsEnabled", e.Private()), texts("subnetIdSet", "item", e.Subnets),
		list("groupSet", e.SecurityGroups, func(g string) element { return el("item", leaf("groupId", g), leaf("groupName", c.groupName(g))) }))...)
}

func (c *call) endpointService(service string) string {
	return "com.amazonaws." + c.world.Region() + "." + service
}

func (c *call) describeVPCAttribute(form url.Values) ([]element, error) {
	vpc := form.Get("VpcId")
	support, hostnames, ok := c.world.DNS(vpc)
	if !ok {
		return nil, noVPC(vpc)
	}
	id := leaf("vpcId", vpc)
	switch name := form.Get("Attribute"); name {
	case "enableDnsSupport":
		return []element{id, el(name, truth("value", support))}, nil
	case "enableDnsHostnames":
		return []element{id, el(name, truth("value", hostnames))}, nil
	default:
		return nil, &apiError{Code: "InvalidParameterValue", Message: "Value (" + name + ") for parameter attribute is invalid."}
	}
}

func noVPC(id string) error {
	return &apiError{Code: "InvalidVpcID.NotFound", Message: "The vpc ID '" + id + "' does not exist"}
}
