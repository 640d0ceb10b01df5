package control

import (
	"hash/fnv"
	"maps"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

var ec2Actions = map[string]func(*call, url.Values) ([]element, error){
	"DescribeInstanceStatus":      (*call).describeInstanceStatus,
	"DescribeSubnets":             (*call).describeSubnets,
	"DescribeRouteTables":         (*call).describeRouteTables,
	"DescribeNetworkAcls":         (*call).describeACLs,
	"DescribeVpcEndpoints":        (*call).describeEndpoints,
	"DescribeVpcAttribute":        (*call).describeVPCAttribute,
	"AssociateIamInstanceProfile": (*call).associateProfile,
	"ModifyVpcAttribute":          (*call).modifyVPCAttribute,
	"ModifyVpcEndpoint":           (*call).modifyEndpoint,
	"CreateVpcEndpoint":           (*call).createEndpoint,
	"CreateSecurityGroup":         (*call).createGroup,

	"AuthorizeSecurityGroupIngress": (*call).authorizeIngress,
	"AuthorizeSecurityGroupEgress":  (*call).authorizeEgress,

	"CreateTags":                    (*call).createTags,
	"DeleteTags":                    (*call).deleteTags,
	"DescribeInstances":             (*call).describeInstances,
	"DescribeSecurityGroups":        (*call).describeSecurityGroups,
	"DescribeVpcPeeringConnections": (*call).describePeerings,
	"DescribeVpcs":                  (*call).describeVPCs,
	"DescribeRegions":               (*call).describeRegions,
}

// filters are the Filter.N of an EC2 request. A thing passes when each filter
// has a value that fits one of its properties; * and ? are wildcards.
type filters map[string][]string

func filtersOf(form url.Values, known ...string) (filters, error) {
	f := filters{}
	for i := 1; form.Has("Filter." + strconv.Itoa(i) + ".Name"); i++ {
		at := "Filter." + strconv.Itoa(i)
		name := form.Get(at + ".Name")
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "tag:") {
			return nil, &apiError{Code: "InvalidParameterValue", Message: "The filter '" + name + "' is invalid"}
		}
		f[name] = append(f[name], numbered(form, at+".Value.")...)
	}
	return f, nil
}

func (f filters) match(properties func(name string) []string) bool {
	for name, patterns := range f {
		has := properties(name)
		fits := slices.ContainsFunc(patterns, func(p string) bool {
			return slices.ContainsFunc(has, func(v string) bool { ok, err := path.Match(p, v); return ok && err == nil })
		})
		if !fits {
			return false
		}
	}
	return true
}

// paged cuts a list by MaxResults and NextToken, as EC2 does.
func paged[T any](c *call, form url.Values, items []T, key func(T) string) ([]T, element, error) {
	size := 1000
	if s := form.Get("MaxResults"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 5 || n > 1000 {
			return nil, element{}, &apiError{Code: "InvalidParameterValue", Message: "Value ( " + s + " ) for parameter maxResults is invalid. Expecting a value greater than 5."}
		}
		size = n
	}
	items, next, err := page(c, form.Get("Action"), items, key, form.Get("NextToken"), &size, size)
	if err != nil {
		return nil, element{}, &apiError{Code: "InvalidNextToken", Message: "The token is invalid."}
	}
	return items, leaf("nextToken", next), nil
}

func (c *call) describeInstances(form url.Values) ([]element, error) {
	f, err := filtersOf(form, "instance-id", "vpc-id", "subnet-id", "instance-state-name", "instance-state-code", "instance-type",
		"availability-zone", "image-id", "private-ip-address", "instance.group-id", "tag-key")
	if err != nil {
		return nil, err
	}
	ids := numbered(form, "InstanceId.")
	if len(ids) > 0 && form.Get("MaxResults") != "" {
		return nil, &apiError{Code: "InvalidParameterCombination", Message: "The parameter instancesSet cannot be used with the parameter maxResults"}
	}
	found, err := c.world.Instances(ids)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(i world.Instance) bool {
		return !f.match(func(name string) []string { return instanceFilter(i, name) })
	})
	found, next, err := paged(c, form, found, func(i world.Instance) string { return i.ID })
	if err != nil {
		return nil, err
	}
	return []element{list("reservationSet", found, func(i world.Instance) element {
		return el("item", leaf("reservationId", "r-"+i.ID[2:]), leaf("ownerId", c.world.Account()), el("instancesSet", c.instance(i)))
	}), next}, nil
}

// instanceFilter is what a filter of DescribeInstances looks at.
func instanceFilter(i world.Instance, name string) []string {
	switch name {
	case "instance-id":
		return []string{i.ID}
	case "vpc-id":
		return []string{i.VPC}
	case "subnet-id":
		return []string{i.Subnet}
	case "instance-state-name":
		return []string{i.State}
	case "instance-state-code":
		return []string{strconv.Itoa(i.StateCode)}
	case "instance-type":
		return []string{i.InstanceType}
	case "availability-zone":
		return []string{i.AZ}
	case "image-id":
		return []string{i.Image}
	case "private-ip-address":
		return []string{i.IP}
	case "instance.group-id":
		return i.SecurityGroups
	case "tag-key":
		return slices.Collect(maps.Keys(i.Tags))
	}
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		if v, ok := i.Tags[key]; ok {
			return []string{v}
		}
	}
	return nil
}

func (c *call) instance(i world.Instance) element {
	groups := list("groupSet", i.SecurityGroups, func(g string) element {
		return el("item", leaf("groupId", g), leaf("groupName", c.groupName(g)))
	})
	platform := leaf("platform", "")
	if i.Platform == "windows" {
		platform = leaf("platform", "windows")
	}
	return el("item",
		leaf("instanceId", i.ID),
		leaf("imageId", i.Image),
		el("instanceState", number("code", i.StateCode), leaf("name", i.State)),
		leaf("instanceType", i.InstanceType),
		leaf("launchTime", i.LaunchTime.UTC().Format("2006-01-02T15:04:05.000Z")),
		el("placement", leaf("availabilityZone", i.AZ), leaf("tenancy", "default")),
		platform,
		leaf("architecture", i.Architecture),
		leaf("privateIpAddress", i.IP),
		leaf("privateDnsName", i.ComputerName),
		leaf("vpcId", i.VPC),
		leaf("subnetId", i.Subnet),
		leaf("ipAddress", i.PublicIP),
		c.profileOf(i),
		metadataOptions(i),
		groups,
		list("tagSet", slices.Sorted(maps.Keys(i.Tags)), func(k string) element {
			return el("item", leaf("key", k), element{name: "value", text: i.Tags[k], kids: []element{}})
		}),
		list("networkInterfaceSet", []string{i.IP}, func(ip string) element {
			return el("item", leaf("networkInterfaceId", "eni-"+i.ID[2:]), leaf("status", "in-use"), leaf("privateIpAddress", ip),
				leaf("vpcId", i.VPC), leaf("subnetId", i.Subnet), groups,
				el("privateIpAddressesSet", el("item", leaf("privateIpAddress", ip), truth("primary", true))))
		}),
	)
}

func (c *call) groupName(id string) string {
	for _, g := range c.world.SecurityGroups() {
		if g.ID == id {
			return g.Name
		}
	}
	return ""
}

func (c *call) describeSecurityGroups(form url.Values) ([]element, error) {
	f, err := filtersOf(form, "group-id", "group-name", "vpc-id")
	if err != nil {
		return nil, err
	}
	ids := numbered(form, "GroupId.")
	var found []world.SecurityGroupSpec
	for _, g := range c.world.SecurityGroups() {
		if len(ids) > 0 && !slices.Contains(ids, g.ID) {
			continue
		}
		if f.match(func(name string) []string {
			return map[string][]string{"group-id": {g.ID}, "group-name": {g.Name}, "vpc-id": {g.VPC}}[name]
		}) {
			found = append(found, g)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(g world.SecurityGroupSpec) bool { return g.ID == id }) {
			return nil, &apiError{Code: "InvalidGroup.NotFound", Message: "The security group '" + id + "' does not exist"}
		}
	}
	found, next, err := paged(c, form, found, func(g world.SecurityGroupSpec) string { return g.ID })
	if err != nil {
		return nil, err
	}
	return []element{list("securityGroupInfo", found, func(g world.SecurityGroupSpec) element {
		return el("item", leaf("ownerId", c.world.Account()), leaf("groupId", g.ID), leaf("groupName", g.Name),
			leaf("groupDescription", g.Name), leaf("vpcId", g.VPC),
			list("ipPermissions", g.Inbound, c.permission), list("ipPermissionsEgress", g.Outbound, c.permission))
	}), next}, nil
}

func (c *call) permission(r world.RuleSpec) element {
	from, to, all := r.Range()
	kids := []element{leaf("ipProtocol", "tcp"), number("fromPort", from), number("toPort", to)}
	if all {
		kids = []element{leaf("ipProtocol", "-1")}
	}
	groups, ranges, ranges6 := list[string]("groups", nil, nil), list[string]("ipRanges", nil, nil), list[string]("ipv6Ranges", nil, nil)
	for _, p := range r.Peers {
		block, err := netip.ParsePrefix(p)
		switch {
		case err != nil:
			groups.kids = append(groups.kids, el("item", leaf("userId", c.world.Account()), leaf("groupId", p)))
		case block.Addr().Is4():
			ranges.kids = append(ranges.kids, el("item", leaf("cidrIp", p)))
		default:
			ranges6.kids = append(ranges6.kids, el("item", leaf("cidrIpv6", p)))
		}
	}
	return el("item", append(kids, groups, ranges, ranges6, list[string]("prefixListIds", nil, nil))...)
}

func (c *call) describePeerings(form url.Values) ([]element, error) {
	f, err := filtersOf(form, "requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id", "status-code", "vpc-peering-connection-id")
	if err != nil {
		return nil, err
	}
	type peering struct{ id, from, to string }
	var found []peering
	for _, v := range c.world.Scenario().VPCs {
		for _, to := range v.Peers {
			p := peering{"pcx-" + stableHex(v.ID+to), v.ID, to}
			if f.match(func(name string) []string {
				return map[string][]string{"requester-vpc-info.vpc-id": {p.from}, "accepter-vpc-info.vpc-id": {p.to}, "status-code": {"active"}, "vpc-peering-connection-id": {p.id}}[name]
			}) {
				found = append(found, p)
			}
		}
	}
	found, next, err := paged(c, form, found, func(p peering) string { return p.id })
	if err != nil {
		return nil, err
	}
	side := func(name, vpc string) element {
		return el(name, leaf("ownerId", c.world.Account()), leaf("vpcId", vpc), leaf("region", c.world.Region()))
	}
	return []element{list("vpcPeeringConnectionSet", found, func(p peering) element {
		return el("item", leaf("vpcPeeringConnectionId", p.id), side("requesterVpcInfo", p.from), side("accepterVpcInfo", p.to),
			el("status", leaf("code", "active"), leaf("message", "Active")))
	}), next}, nil
}

func (c *call) describeVPCs(form url.Values) ([]element, error) {
	f, err := filtersOf(form, "vpc-id", "cidr")
	if err != nil {
		return nil, err
	}
	ids := numbered(form, "VpcId.")
	found := slices.DeleteFunc(slices.Clone(c.world.Scenario().VPCs), func(v world.VPCSpec) bool {
		return len(ids) > 0 && !slices.Contains(ids, v.ID) ||
			!f.match(func(name string) []string { return map[string][]string{"vpc-id": {v.ID}, "cidr": {v.CIDR}}[name] })
	})
	found, next, err := paged(c, form, found, func(v world.VPCSpec) string { return v.ID })
	if err != nil {
		return nil, err
	}
	return []element{list("vpcSet", found, func(v world.VPCSpec) element {
		return el("item", leaf("vpcId", v.ID), leaf("cidrBlock", v.CIDR), leaf("state", "available"), leaf("ownerId", c.world.Account()),
			el("tagSet", el("item", leaf("key", "Name"), leaf("value", v.Name))))
	}), next}, nil
}

// stableHex is 17 hexadecimal digits made from a name.
func stableHex(name string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	s := strconv.FormatUint(h.Sum64(), 16)
	return "0" + strings.Repeat("0", 16-len(s)) + s
}
