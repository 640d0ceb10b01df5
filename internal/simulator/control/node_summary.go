package control

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func nodeSummaryOperations() map[string]operation {
	return map[string]operation{
		"ListNodes":        recorded((*call).listNodes),
		"ListNodesSummary": recorded((*call).listNodesSummary),
	}
}

// nodeAttributes are the filter keys of ListNodes and the attributes of its
// summary, with what a node has for each. Nothing is known of organizational
// units and other clouds.
func (c *call) nodeAttributes(n world.Node) map[string]string {
	status := "Active"
	if n.Ping != world.PingOnline {
		status = "ConnectionLost"
	}
	return map[string]string{
		"AgentType": "amazon-ssm-agent", "AgentVersion": n.AgentVersion, "ComputerName": n.ComputerName, "InstanceId": n.ID, "InstanceStatus": status,
		"IpAddress": n.IP, "ManagedStatus": "Managed", "PlatformName": n.PlatformName, "PlatformType": n.PlatformType(), "PlatformVersion": n.PlatformVersion,
		"ResourceType": n.ResourceType, "Region": c.world.Region(), "AccountId": c.world.Account(), "SourceId": n.ID, "SourceType": sourceType(n),
		"AvailabilityZone": c.world.Region() + "a", "AvailabilityZoneId": "", "SourceLocation": "", "OrganizationalUnitId": "", "OrganizationalUnitPath": "",
	}
}

// nodeList returns the nodes that a request is about.
func (c *call) nodeList(t *world.Tables, in request) ([]world.Node, error) {
	if name := in.text("SyncName"); name != "" && name != "AWS-QuickSetup-ManagedNode" {
		if _, ok := t.Get(world.KindSync, syncFromSource+" "+name); !ok {
			return nil, noSync(syncFromSource, name)
		}
	}
	filters := in.filters("Filters", "Key", "Values", "Type")
	if len(filters) == 0 {
		return c.world.Nodes(), nil
	}
	return slices.DeleteFunc(c.world.Nodes(), func(n world.Node) bool {
		attributes := c.nodeAttributes(n)
		return slices.ContainsFunc(filters, func(f filter) bool { return !f.matches([]string{attributes[f.key]}) })
	}), nil
}

func (c *call) listNodes(t *world.Tables, in request) (any, error) {
	nodes, err := c.nodeList(t, in)
	if err != nil {
		return nil, err
	}
	nodes, token, err := page(c, "ListNodes", nodes, nodeID, in.text("NextToken"), in.size(), 50)
	if err != nil {
		return nil, err
	}
	list := []world.Record{}
	for _, n := range nodes {
		instance := world.Record{}
		for name, v := range c.nodeAttributes(n) {
			instance[name] = v
		}
		list = append(list, world.Record{
			"CaptureTime": c.world.Now(), "Id": n.ID, "Owner": world.Record{"AccountId": c.world.Account()}, "Region": c.world.Region(),
			"NodeType": world.Record{"Instance": instance},
		})
	}
	return world.Record{"Nodes": list, "NextToken": token}, nil
}

// listNodesSummary counts the nodes by one attribute, or by two together.
func (c *call) listNodesSummary(t *world.Tables, in request) (any, error) {
	nodes, err := c.nodeList(t, in)
	if err != nil {
		return nil, err
	}
	var by []string
	for a := in.objects("Aggregators"); len(a) > 0; a = a[0].objects("Aggregators") {
		if len(a) > 1 || len(by) == 2 {
			return nil, world.Errorf("InvalidAggregatorException", "The specified aggregator isn't valid: nodes are counted by at most two attributes, one within the other.")
		}
		by = append(by, a[0].text("AttributeName"))
	}
	counts := map[string]int{}
	for _, n := range nodes {
		attributes := c.nodeAttributes(n)
		var key []string
		for _, attribute := range by {
			key = append(key, attributes[attribute])
		}
		counts[strings.Join(key, "\x00")]++
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	keys, token, err := page(c, "ListNodesSummary", keys, func(k string) string { return k }, in.text("NextToken"), in.size(), 50)
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, k := range keys {
		row := map[string]any{"Count": strconv.Itoa(counts[k])}
		for i, v := range strings.Split(k, "\x00") {
			row[by[i]] = v
		}
		list = append(list, row)
	}
	return world.Record{"Summary": list, "NextToken": token}, nil
}
