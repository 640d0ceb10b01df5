package control

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func complianceOperations() map[string]operation {
	return map[string]operation{
		"PutComplianceItems":              recorded((*call).putComplianceItems),
		"ListComplianceItems":             recorded((*call).listComplianceItems),
		"ListComplianceSummaries":         recorded((*call).listComplianceSummaries),
		"ListResourceComplianceSummaries": recorded((*call).listResourceComplianceSummaries),
	}
}

// maxComplianceTypes is how many types of its own a node can have (User Guide,
// "Working with Compliance").
const maxComplianceTypes = 10

func (c *call) putComplianceItems(t *world.Tables, in request) (any, error) {
	node, kind := in.text("ResourceId"), in.text("ComplianceType")
	switch _, ok := c.world.NodeInfo(node); {
	case in.text("ResourceType") != "ManagedInstance":
		return nil, world.Errorf("InvalidResourceType", "The resource type isn't valid: %s.", in.text("ResourceType"))
	case !ok:
		return nil, errNoNode(node)
	case !strings.HasPrefix(kind, "Custom:") && kind != "Patch" && kind != "Association":
		return nil, invalid("ComplianceType must be Patch, Association or begin with Custom:.")
	}
	types := map[string]bool{kind: true}
	for _, r := range t.All(world.KindCompliance) {
		if textOf(r, "ResourceId") == node {
			types[textOf(r, "ComplianceType")] = true
		}
	}
	if len(types) > maxComplianceTypes {
		return nil, world.Errorf("ComplianceTypeCountLimitExceededException", "You specified too many custom compliance types. You can specify a maximum of %d different types.", maxComplianceTypes)
	}
	items := in.items("Items")
	id := node + " " + kind
	if old, ok := t.Get(world.KindCompliance, id); ok && in.text("UploadType") == "PARTIAL" {
		items = append(slices.DeleteFunc(slices.Clone(request(old).items("Items")), func(o any) bool {
			return slices.ContainsFunc(in.objects("Items"), func(n request) bool { m, _ := o.(map[string]any); return m["Id"] == n["Id"] })
		}), items...)
	}
	t.Put(world.KindCompliance, id, with(in, world.Record{"Items": items}))
	return empty(), nil
}

func errNoNode(id string) error {
	return world.Errorf("InvalidResourceId", "The resource ID isn't valid: %s.", id)
}

// compliance is what is known of the compliance of nodes in one call.
type compliance struct {
	*call
	put          map[string][]world.Record // by node, as PutComplianceItems had it
	associations map[string][]world.Record // by node
}

func (c *call) compliance(t *world.Tables) compliance {
	c.applyDue(t)
	k := compliance{c, map[string][]world.Record{}, c.associations(t)}
	for _, r := range t.All(world.KindCompliance) {
		node := textOf(r, "ResourceId")
		k.put[node] = append(k.put[node], r)
	}
	return k
}

// of returns the compliance items of a node: those that were put, and without
// some of their own the patches and associations that the simulator knows.
func (k compliance) of(n world.Node, patches bool) []world.Record {
	list := k.putItems(n)
	if patches && !k.hasPut(n, "Patch") {
		list = append(list, k.patchCompliance(n)...)
	}
	if !k.hasPut(n, "Association") {
		list = append(list, k.associationCompliance(n)...)
	}
	for i, item := range list {
		id := cmp.Or(textOf(item, "Id"), fmt.Sprint("item-", i))
		list[i] = with(item, world.Record{"ResourceType": "ManagedInstance", "ResourceId": n.ID, "Id": id, "key": n.ID + textOf(item, "ComplianceType") + id})
	}
	return list
}

func (k compliance) hasPut(n world.Node, kind string) bool {
	return slices.ContainsFunc(k.put[n.ID], func(r world.Record) bool { return textOf(r, "ComplianceType") == kind })
}

func (k compliance) putItems(n world.Node) []world.Record {
	var list []world.Record
	for _, r := range k.put[n.ID] {
		for _, item := range request(r).objects("Items") {
			list = append(list, with(item, world.Record{"ComplianceType": r["ComplianceType"], "ExecutionSummary": r["ExecutionSummary"]}))
		}
	}
	return list
}

func (k compliance) associationCompliance(n world.Node) []world.Record {
	var list []world.Record
	for _, a := range k.associations[n.ID] {
		at, ran := timeOf(a, "LastExecutionDate")
		if !ran {
			continue
		}
		status := "COMPLIANT"
		if n.Ping != world.PingOnline {
			status = "NON_COMPLIANT"
		}
		severity := cmp.Or(textOf(a, "ComplianceSeverity"), "UNSPECIFIED")
		list = append(list, world.Record{
			"ComplianceType": "Association", "Id": a["AssociationId"], "Title": a["AssociationName"], "Status": status, "Severity": severity,
			"ExecutionSummary": world.Record{"ExecutionTime": at}, "Details": map[string]string{"DocumentName": textOf(a, "Name")},
		})
	}
	return list
}

// complianceField is what an item has for a filter key.
func complianceField(r world.Record, key string) ([]string, bool) {
	if key == "ExecutionTime" {
		summary, _ := r["ExecutionSummary"].(map[string]any)
		at, _ := timeOf(summary, key)
		return []string{dated(at)}, true
	}
	known := contains([]string{"ComplianceType", "Status", "Severity", "Id", "Title", "ResourceId", "ResourceType", "OverallSeverity"}, key)
	return []string{textOf(r, key)}, known
}

func (c *call) listComplianceItems(t *world.Tables, in request) (any, error) {
	for _, kind := range in.texts("ResourceTypes") {
		if kind != "ManagedInstance" {
			return nil, world.Errorf("InvalidResourceType", "The resource type isn't valid: %s.", kind)
		}
	}
	ids := c.world.Targeted(nil)
	if one := in.texts("ResourceIds"); len(one) > 0 {
		if _, ok := c.world.NodeInfo(one[0]); !ok {
			return nil, errNoNode(one[0])
		}
		ids = one[:1]
	}
	known := c.compliance(t)
	return c.listingByNode("ListComplianceItems", "ComplianceItems", ids, func(n world.Node) []world.Record { return known.of(n, true) }, in)
}

// listingByNode pages over what nodes have of compliance, held against the filters
// of the request.
func (c *call) listingByNode(op, member string, ids []string, of func(world.Node) []world.Record, in request) (any, error) {
	filters := complianceFilters(in)
	if _, err := sift(nil, filters, "InvalidFilter", complianceField); err != nil {
		return nil, err
	}
	list, token, err := pageByNode(c, op, ids, func(n world.Node) ([]world.Record, error) {
		return sift(of(n), filters, "InvalidFilter", complianceField)
	}, func(r world.Record) string { return textOf(r, "key") }, in, 50)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []world.Record{}
	}
	return world.Record{member: list, "NextToken": token}, nil
}

// complianceFilters reads filters; a key may stand after Compliance: or the like.
func complianceFilters(in request) []filter {
	list := in.filters("Filters", "Key", "Values", "Type")
	for i := range list {
		if _, plain, ok := strings.Cut(list[i].key, ":"); ok {
			list[i].key = plain
		}
	}
	return list
}

// severities counts by severity.
type severities map[string]int

func (s severities) record() world.Record {
	out := world.Record{}
	for name, member := range map[string]string{
		"CRITICAL": "CriticalCount", "HIGH": "HighCount", "MEDIUM": "MediumCount", "LOW": "LowCount", "INFORMATIONAL": "InformationalCount",
		"UNSPECIFIED": "UnspecifiedCount",
	} {
		out[member] = s[name]
	}
	return out
}

// severityOrder is from the worst on.
var severityOrder = []string{"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED"}

func (s severities) total() (n int) {
	for _, count := range s {
		n += count
	}
	return n
}

// worst is the highest severity that was counted.
func (s severities) worst() string {
	for _, name := range severityOrder {
		if s[name] > 0 {
			return name
		}
	}
	return "UNSPECIFIED"
}

// summaries returns one summary of a node for each compliance type.
func (k compliance) summaries(n world.Node) []world.Record {
	types := map[string]*tally{}
	for _, item := range k.of(n, false) {
		kind := textOf(item, "ComplianceType")
		if types[kind] == nil {
			types[kind] = newTally()
		}
		types[kind].last = item["ExecutionSummary"]
		types[kind].of(textOf(item, "Status"))[textOf(item, "Severity")]++
	}
	if s := k.world.PatchState(n.ID); s.Operation != "" && !k.hasPut(n, "Patch") {
		types["Patch"] = patchTally(s)
	}
	var list []world.Record
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		list = append(list, types[kind].summary(kind, n.ID))
	}
	return list
}

// tally counts compliance items by severity.
type tally struct {
	good, bad severities
	last      any // ExecutionSummary
}

func newTally() *tally { return &tally{severities{}, severities{}, nil} }

// of are the counts for a status.
func (y *tally) of(status string) severities {
	if status == "COMPLIANT" {
		return y.good
	}
	return y.bad
}

func (y *tally) summary(kind, node string) world.Record {
	status := "COMPLIANT"
	if y.bad.total() > 0 {
		status = "NON_COMPLIANT"
	}
	return world.Record{
		"ComplianceType": kind, "ResourceType": "ManagedInstance", "ResourceId": node, "Status": status, "OverallSeverity": y.bad.worst(),
		"ExecutionSummary":    y.last,
		"CompliantSummary":    world.Record{"CompliantCount": y.good.total(), "SeveritySummary": y.good.record()},
		"NonCompliantSummary": world.Record{"NonCompliantCount": y.bad.total(), "SeveritySummary": y.bad.record()},
		"key":                 node + " " + kind,
	}
}

func (c *call) listResourceComplianceSummaries(t *world.Tables, in request) (any, error) {
	known := c.compliance(t)
	return c.listingByNode("ListResourceComplianceSummaries", "ResourceComplianceSummaryItems", c.world.Targeted(nil), known.summaries, in)
}

// listComplianceSummaries counts nodes.
func (c *call) listComplianceSummaries(t *world.Tables, in request) (any, error) {
	known := c.compliance(t)
	var all []world.Record
	for _, n := range c.world.Nodes() {
		all = append(all, known.summaries(n)...)
	}
	nodes, err := sift(all, complianceFilters(in), "InvalidFilter", complianceField)
	if err != nil {
		return nil, err
	}
	types := map[string]*tally{}
	for _, r := range nodes {
		kind := textOf(r, "ComplianceType")
		if types[kind] == nil {
			types[kind] = newTally()
		}
		types[kind].of(textOf(r, "Status"))[textOf(r, "OverallSeverity")]++
	}
	var list []world.Record
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		list = append(list, types[kind].summary(kind, ""))
	}
	return c.listing("ListComplianceSummaries", "ComplianceSummaryItems", "ComplianceType", list, in, 50)
}

// inventoryComplianceItem is the inventory type of compliance items.
const inventoryComplianceItem = "AWS:ComplianceItem"

// complianceInventory are the compliance items of a node as its inventory has
// them.
func (c *call) complianceInventory(t *world.Tables, n world.Node) (content []map[string]string, ok bool) {
	for _, item := range c.compliance(t).of(n, true) {
		entry := map[string]string{}
		for _, name := range []string{"ComplianceType", "Id", "Title", "Status", "Severity"} {
			entry[name] = stamp(item[name])
		}
		summary, _ := item["ExecutionSummary"].(map[string]any)
		for _, name := range []string{"ExecutionId", "ExecutionType"} {
			entry[name] = textOf(summary, name)
		}
		if at, ok := timeOf(summary, "ExecutionTime"); ok {
			entry["ExecutionTime"] = dated(at)
		}
		switch details := item["Details"].(type) {
		case map[string]string:
			maps.Copy(entry, details)
		case map[string]any:
			for name, v := range details {
				entry[name] = stamp(v)
			}
		}
		maps.DeleteFunc(entry, func(_, v string) bool { return v == "" })
		content = append(content, entry)
	}
	return content, len(content) > 0
}
