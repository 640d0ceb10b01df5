package control

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func inventoryOperations() map[string]operation {
	return map[string]operation{
		"PutInventory":               recorded((*call).putInventory),
		"GetInventory":               recorded((*call).getInventory),
		"GetInventorySchema":         recorded((*call).getInventorySchema),
		"ListInventoryEntries":       recorded((*call).listInventoryEntries),
		"DeleteInventory":            recorded((*call).deleteInventory),
		"DescribeInventoryDeletions": recorded((*call).describeInventoryDeletions),
	}
}

// maxCustomTypes is how many inventory types of their own an account can have
// (User Guide, "Inventory").
const maxCustomTypes = 20

// inventorySchemas are the attributes of the types that nodes report, those that
// are numbers with a #.
var inventorySchemas = map[string]string{
	world.InventoryInstance:           "InstanceId AgentType AgentVersion ComputerName InstanceStatus IpAddress PlatformName PlatformType PlatformVersion ResourceType",
	world.InventoryApplication:        "Name ApplicationType Publisher Version Release Epoch InstalledTime Architecture URL Summary PackageId",
	world.InventoryNetwork:            "Name SubnetMask Gateway DHCPServer DNSServer MacAddress IPV4 IPV6",
	world.InventoryService:            "Name DisplayName ServiceType Status DependentServices ServicesDependedOn StartType",
	"AWS:AWSComponent":                "Name ApplicationType Publisher Version InstalledTime Architecture URL",
	"AWS:File":                        "Name Size# Description FileVersion InstalledDate LastAccessTime ProductName InstalledDir ProductLanguage CompanyName ProductVersion ModificationTime",
	"AWS:InstanceDetailedInformation": "CPUModel CPUs# CPUSpeedMHz# CPUSockets# CPUCores# CPUHyperThreadEnabled OSServicePack KernelVersion",
	"AWS:WindowsRegistry":             "ValueName KeyPath ValueType Value",
	"AWS:WindowsRole":                 "Name DisplayName Path FeatureType DependsOn Description Installed InstalledState SubFeatures ServerComponentDescriptor Parent",
	world.InventoryWindowsUpdate:      "HotFixId Description InstalledTime InstalledBy",
	world.InventoryPatchSummary: "PatchGroup BaselineId SnapshotId OwnerInformation RebootOption InstallOverrideList OperationType OperationStartTime OperationEndTime " +
		"InstalledCount# InstalledOtherCount# InstalledPendingRebootCount# InstalledRejectedCount# MissingCount# FailedCount# NotApplicableCount# " +
		"UnreportedNotApplicableCount# AvailableSecurityUpdateCount#",
	world.InventoryPatches:  "Title KBId Classification Severity State InstalledTime CVEIds",
	inventoryComplianceItem: "ComplianceType ExecutionId ExecutionType ExecutionTime Id Title Status Severity Classification PatchSeverity PatchState PatchBaselineId PatchGroup DocumentName DocumentVersion InstalledTime CVEIds",
}

func noType(name string) error {
	return world.Errorf("InvalidTypeNameException", "The parameter type name isn't valid: %s.", name)
}

func (c *call) putInventory(t *world.Tables, in request) (any, error) {
	node := in.text("InstanceId")
	if _, ok := c.world.NodeInfo(node); !ok {
		return nil, world.Errorf("InvalidInstanceId", "Instance %s is not a managed node.", node)
	}
	custom := map[string]bool{}
	for _, r := range t.All(world.KindInventory) {
		custom[textOf(r, "TypeName")] = true
	}
	items := in.objects("Items")
	for _, item := range items {
		name := item.text("TypeName")
		_, known := inventorySchemas[name]
		switch {
		case strings.HasPrefix(name, "AWS:") && !known:
			return nil, noType(name)
		case !item.has("Content") && !item.has("ContentHash"):
			return nil, world.Errorf("InvalidItemContentException", "Item %s has neither Content nor ContentHash.", name)
		}
		if strings.HasPrefix(name, "Custom:") {
			custom[name] = true
		}
	}
	if len(custom) > maxCustomTypes {
		return nil, world.Errorf("CustomSchemaCountLimitExceededException", "You have exceeded the limit of %d custom inventory types.", maxCustomTypes)
	}
	for _, item := range items {
		if !item.has("Content") {
			old, ok := t.Get(world.KindInventory, node+" "+item.text("TypeName"))
			if !ok || old["ContentHash"] != item["ContentHash"] {
				return nil, world.Errorf("ItemContentMismatchException", "The inventory item %s has invalid content: its hash is not that of what is stored.", item.text("TypeName"))
			}
			continue
		}
		t.Put(world.KindInventory, node+" "+item.text("TypeName"), with(item, world.Record{"InstanceId": node}))
	}
	return empty(), nil
}

// inventory is what is known of a type on a node: what was put, else what the
// node reports. It has the members of an InventoryItem; ok is false when there is
// nothing.
func (c *call) inventory(t *world.Tables, n world.Node, kind string) (item world.Record, entries []request, ok bool) {
	if r, ok := t.Get(world.KindInventory, n.ID+" "+kind); ok {
		return r, request(r).objects("Content"), true
	}
	content, at, ok := c.world.Inventory(n, kind)
	if kind == inventoryComplianceItem {
		content, ok = c.complianceInventory(t, n)
		at = c.world.PatchState(n.ID).End
	}
	for _, e := range content {
		entry := request{}
		for k, v := range e {
			entry[k] = v
		}
		entries = append(entries, entry)
	}
	return world.Record{"TypeName": kind, "SchemaVersion": "1.0", "CaptureTime": dated(at)}, entries, ok
}

// entryFields is what an entry of inventory has for a filter key, which may begin
// with the name of its type.
func entryFields(kind string, e request, key string) []string {
	if v := e.text(strings.TrimPrefix(key, kind+".")); v != "" {
		return []string{v}
	}
	return nil
}

func (c *call) listInventoryEntries(t *world.Tables, in request) (any, error) {
	n, ok := c.world.NodeInfo(in.text("InstanceId"))
	if !ok {
		return nil, world.Errorf("InvalidInstanceId", "Instance %s is not a managed node.", in.text("InstanceId"))
	}
	kind := in.text("TypeName")
	item, entries, ok := c.inventory(t, n, kind)
	if _, known := inventorySchemas[kind]; !ok && !known {
		return nil, noType(kind)
	}
	var list []world.Record
	for i, e := range entries {
		if !slices.ContainsFunc(in.filters("Filters", "Key", "Values", "Type"), func(f filter) bool { return !f.matches(entryFields(kind, e, f.key)) }) {
			list = append(list, with(e, world.Record{placeKey: strconv.Itoa(i)}))
		}
	}
	list, token, err := page(c, "ListInventoryEntries", list, func(r world.Record) string { return textOf(r, placeKey) }, in.text("NextToken"), in.size(), 50)
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, r := range list {
		delete(r, placeKey) // entries are maps, of which every key is shown
		shown = append(shown, r)
	}
	return world.Record{
		"TypeName": kind, "InstanceId": n.ID, "SchemaVersion": item["SchemaVersion"], "CaptureTime": item["CaptureTime"], "Entries": shown, "NextToken": token,
	}, nil
}

// placeKey tells entries of inventory apart.
const placeKey = " place"

// getInventory lists nodes with their inventory, or with aggregators counts them.
func (c *call) getInventory(t *world.Tables, in request) (any, error) {
	kind := world.InventoryInstance
	for _, a := range in.objects("ResultAttributes") {
		kind = a.text("TypeName")
		if _, known := inventorySchemas[kind]; !known && !strings.HasPrefix(kind, "Custom:") {
			return nil, noType(kind)
		}
	}
	filters := in.filters("Filters", "Key", "Values", "Type")
	for _, f := range filters {
		if !strings.HasPrefix(f.key, "AWS:") && !strings.HasPrefix(f.key, "Custom:") {
			return nil, world.Errorf("InvalidFilter", "The filter name isn't valid: %s. Give the type and the attribute, such as AWS:InstanceInformation.PlatformType.", f.key)
		}
	}
	matches := func(n world.Node) bool {
		return !slices.ContainsFunc(filters, func(f filter) bool { return !c.inventoryMatches(t, n, f) })
	}
	if a := in.objects("Aggregators"); len(a) > 0 {
		return c.countInventory(t, slices.DeleteFunc(c.world.Nodes(), func(n world.Node) bool { return !matches(n) }), a[0])
	}
	nodes, token, err := pageByNode(c, "GetInventory", c.world.Targeted(nil), func(n world.Node) (list []world.Node, err error) {
		if matches(n) {
			list = append(list, n)
		}
		return list, nil
	}, nodeID, in, 50)
	if err != nil {
		return nil, err
	}
	list := []world.Record{}
	for _, n := range nodes {
		data := world.Record{}
		if item, entries, ok := c.inventory(t, n, kind); ok {
			content := []any{}
			for _, e := range entries {
				content = append(content, map[string]any(e))
			}
			data[kind] = with(item, world.Record{"Content": content})
		}
		list = append(list, world.Record{"Id": n.ID, "Data": data})
	}
	return world.Record{"Entities": list, "NextToken": token}, nil
}

// splitAttribute takes AWS:InstanceInformation.PlatformType apart.
func splitAttribute(expression string) (kind, attribute string) {
	kind, attribute, _ = strings.Cut(expression, ".")
	return kind, attribute
}

func (c *call) inventoryMatches(t *world.Tables, n world.Node, f filter) bool {
	kind, attribute := splitAttribute(f.key)
	_, entries, _ := c.inventory(t, n, kind)
	var have []string
	for _, e := range entries {
		have = append(have, entryFields(kind, e, attribute)...)
	}
	return f.matches(have)
}

// countInventory counts nodes by an attribute.
func (c *call) countInventory(t *world.Tables, nodes []world.Node, a request) (any, error) {
	kind, attribute := splitAttribute(a.text("Expression"))
	if schema, known := inventorySchemas[kind]; !known || !slices.Contains(strings.Fields(schema), attribute) {
		return nil, world.Errorf("InvalidAggregatorException", "The specified aggregator isn't valid for the group type: %s.", a.text("Expression"))
	}
	counts := map[string]int{}
	for _, n := range nodes {
		_, entries, _ := c.inventory(t, n, kind)
		for _, e := range entries {
			counts[e.text(attribute)]++
		}
	}
	content := []any{}
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		content = append(content, map[string]any{attribute: v, "Count": strconv.Itoa(counts[v])})
	}
	item := world.Record{"TypeName": kind, "SchemaVersion": "1.0", "Content": content}
	return world.Record{"Entities": []world.Record{{"Id": "", "Data": world.Record{kind: item}}}}, nil
}

func (c *call) getInventorySchema(t *world.Tables, in request) (any, error) {
	schemas := map[string]map[string]bool{} // attributes, with whether they are numbers
	for kind, attributes := range inventorySchemas {
		schemas[kind] = map[string]bool{}
		for name := range strings.FieldsSeq(attributes) {
			plain, number := strings.CutSuffix(name, "#")
			schemas[kind][plain] = number
		}
	}
	for _, r := range t.All(world.KindInventory) {
		kind := textOf(r, "TypeName")
		if schemas[kind] == nil {
			schemas[kind] = map[string]bool{}
		}
		for _, e := range request(r).objects("Content") {
			for name := range e {
				if _, known := schemas[kind][name]; !known {
					schemas[kind][name] = false
				}
			}
		}
	}
	want := in.text("TypeName")
	var list []world.Record
	for _, kind := range slices.Sorted(maps.Keys(schemas)) {
		if want != "" && !strings.HasPrefix(kind, want) {
			continue
		}
		attributes := []any{}
		for _, name := range slices.Sorted(maps.Keys(schemas[kind])) {
			attributes = append(attributes, world.Record{"Name": name, "DataType": map[bool]string{true: "number", false: "string"}[schemas[kind][name]]})
		}
		list = append(list, world.Record{"TypeName": kind, "Version": "1.0", "Attributes": attributes})
	}
	if want != "" && len(list) == 0 {
		return nil, noType(want)
	}
	return c.listing("GetInventorySchema", "Schemas", "TypeName", list, in, 50)
}

func (c *call) deleteInventory(t *world.Tables, in request) (any, error) {
	kind := in.text("TypeName")
	if !strings.HasPrefix(kind, "Custom:") {
		return nil, noType(kind)
	}
	items := keep(t.All(world.KindInventory), func(r world.Record) bool { return textOf(r, "TypeName") == kind })
	if len(items) == 0 {
		return nil, noType(kind)
	}
	summary := world.Record{
		"TotalCount": len(items), "RemainingCount": 0,
		"SummaryItems": []world.Record{{"Version": cmp.Or(textOf(items[0], "SchemaVersion"), "1.0"), "Count": len(items), "RemainingCount": 0}},
	}
	if in.flag("DryRun") {
		return world.Record{"TypeName": kind, "DeletionSummary": with(summary, world.Record{"RemainingCount": len(items)})}, nil
	}
	id, now := world.NewUUID(), c.world.Now()
	for _, r := range items {
		t.Delete(world.KindInventory, textOf(r, "InstanceId")+" "+kind)
	}
	t.Put(world.KindInventoryDeletion, id, world.Record{
		"DeletionId": id, "TypeName": kind, "DeletionStartTime": now, "LastStatus": "Complete", "LastStatusMessage": "Deletion complete.",
		"DeletionSummary": summary, "LastStatusUpdateTime": now,
	})
	return world.Record{"DeletionId": id, "TypeName": kind, "DeletionSummary": summary}, nil
}

func (c *call) describeInventoryDeletions(t *world.Tables, in request) (any, error) {
	list := t.All(world.KindInventoryDeletion)
	if id := in.text("DeletionId"); id != "" {
		r, ok := t.Get(world.KindInventoryDeletion, id)
		if !ok {
			return nil, world.Errorf("InvalidDeletionIdException", "The ID specified for the delete operation does not exist or is not valid: %s.", id)
		}
		list = []world.Record{r}
	}
	slices.Reverse(list)
	return c.listing("DescribeInventoryDeletions", "InventoryDeletions", "DeletionId", list, in, 50)
}
