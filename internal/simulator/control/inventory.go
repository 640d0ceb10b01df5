package control

import (
	"cmp"
	"fmt"
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
	for _, r := range t.All(world.KindInventoryType) {
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
		if disabled(t, item) {
			continue // taken, and not kept
		}
		if !item.has("Content") {
			old, ok := t.Get(world.KindInventory, node+" "+item.text("TypeName"))
			if !ok || old["ContentHash"] != item["ContentHash"] {
				return nil, world.Errorf("ItemContentMismatchException", "The inventory item %s has invalid content: its hash is not that of what is stored.", item.text("TypeName"))
			}
			continue
		}
		t.Put(world.KindInventory, node+" "+item.text("TypeName"), with(item, world.Record{"InstanceId": node}))
		learnType(t, item)
	}
	return empty(), nil
}

// disabled reports whether an item is of a version of a type that is not listened
// to: DeleteInventory said DisableSchema.
func disabled(t *world.Tables, item request) bool {
	r, ok := t.Get(world.KindInventoryType, item.text("TypeName"))
	return ok && textOf(r, "disabled") != "" && world.CompareVersions(item.text("SchemaVersion"), textOf(r, "disabled")) <= 0
}

// learnType keeps the attributes of a type of the account's own. They stay when
// its data goes.
func learnType(t *world.Tables, item request) {
	name := item.text("TypeName")
	if !strings.HasPrefix(name, "Custom:") {
		return
	}
	attributes := map[string]bool{}
	if old, ok := t.Get(world.KindInventoryType, name); ok {
		maps.Copy(attributes, old["attributes"].(map[string]bool))
	}
	for _, e := range item.objects("Content") {
		for k := range e {
			attributes[k] = true
		}
	}
	t.Put(world.KindInventoryType, name, world.Record{"TypeName": name, "Version": item.text("SchemaVersion"), "attributes": attributes})
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
	if !ok { // never reported: there was no capture
		item = world.Record{}
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
		if kind != world.InventoryInstance && kind != world.InventoryPatchSummary && !strings.HasPrefix(kind, "Custom:") {
			return nil, world.Errorf("InvalidResultAttributeException", "Result type name %s is not supported. Supported type names are: %s, %s. Default result type name is %s.",
				kind, world.InventoryInstance, world.InventoryPatchSummary, world.InventoryInstance)
		}
	}
	filters := in.filters("Filters", "Key", "Values", "Type")
	for _, f := range filters {
		if f.operator == "Exists" {
			return nil, world.Errorf("InvalidFilter", "The filter type Exists can only be used in the groups of aggregators.")
		}
		if !strings.HasPrefix(f.key, "AWS:") && !strings.HasPrefix(f.key, "Custom:") {
			return nil, world.Errorf("InvalidFilter", "The filter name isn't valid: %s. Give the type and the attribute, such as AWS:InstanceInformation.PlatformType.", f.key)
		}
	}
	matches := func(n world.Node) bool {
		return !slices.ContainsFunc(filters, func(f filter) bool { return !c.inventoryMatches(t, n, f) })
	}
	if a := in.objects("Aggregators"); len(a) > 0 {
		return c.aggregateInventory(t, slices.DeleteFunc(c.world.Nodes(), func(n world.Node) bool { return !matches(n) }), a)
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

// aggregateInventory counts: by attributes, or in groups of filters.
func (c *call) aggregateInventory(t *world.Tables, nodes []world.Node, aggregators []request) (any, error) {
	data := world.Record{}
	for _, a := range aggregators {
		for _, group := range a.objects("Groups") {
			matching := 0
			for _, n := range nodes {
				if c.inGroup(t, n, group) {
					matching++
				}
			}
			data[group.text("Name")] = world.Record{"TypeName": group.text("Name"), "SchemaVersion": "1.0", "Content": []any{
				map[string]any{"notMatchingCount": strconv.Itoa(len(nodes) - matching)}, map[string]any{"matchingCount": strconv.Itoa(matching)},
			}}
		}
		if !a.has("Expression") {
			continue
		}
		kind, item, err := c.countInventory(t, nodes, a)
		if err != nil {
			return nil, err
		}
		data[kind] = item
	}
	return world.Record{"Entities": []world.Record{{"Id": "", "Data": data}}}, nil
}

// inGroup reports whether a node matches the filters of a group. TypeName with
// Exists asks for nodes that report a type.
func (c *call) inGroup(t *world.Tables, n world.Node, group request) bool {
	for _, f := range group.filters("Filters", "Key", "Values", "Type") {
		ok := false
		if f.key == "TypeName" {
			ok = slices.ContainsFunc(f.values, func(kind string) bool { _, _, reported := c.inventory(t, n, kind); return reported })
		} else {
			ok = c.inventoryMatches(t, n, f)
		}
		if !ok {
			return false
		}
	}
	return true
}

// countInventory counts by an attribute, and by those of the aggregators within,
// which are of the node's other types, or of the same entry.
func (c *call) countInventory(t *world.Tables, nodes []world.Node, a request) (string, world.Record, error) {
	first, _ := splitAttribute(a.text("Expression"))
	var expressions []string
	for next := []request{a}; len(next) > 0; next = next[0].objects("Aggregators") {
		expression := next[0].text("Expression")
		kind, attribute := splitAttribute(expression)
		schema, known := inventorySchemas[kind]
		if own, ok := t.Get(world.KindInventoryType, kind); ok {
			known = own["attributes"].(map[string]bool)[attribute]
		} else {
			known = known && slices.Contains(strings.Fields(strings.ReplaceAll(schema, "#", "")), attribute)
		}
		if !known {
			return "", nil, world.Errorf("InvalidAggregatorException", "The specified aggregator isn't valid for the group type: %s.", expression)
		}
		expressions = append(expressions, expression)
	}
	counts := map[string]int{}
	values := map[string]map[string]any{}
	for _, n := range nodes {
		_, entries, _ := c.inventory(t, n, first)
		for _, e := range entries {
			row := map[string]any{}
			for _, expression := range expressions {
				kind, attribute := splitAttribute(expression)
				of := e
				if kind != first {
					if _, others, _ := c.inventory(t, n, kind); len(others) > 0 {
						of = others[0]
					}
				}
				row[attribute] = of.text(attribute)
			}
			key := fmt.Sprint(row)
			counts[key]++
			values[key] = row
		}
	}
	content := []any{}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		values[key]["Count"] = strconv.Itoa(counts[key])
		content = append(content, values[key])
	}
	return first, world.Record{"TypeName": first, "SchemaVersion": "1.0", "Content": content}, nil
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
	versions := map[string]string{}
	for _, r := range t.All(world.KindInventoryType) {
		kind := textOf(r, "TypeName")
		schemas[kind], versions[kind] = map[string]bool{}, textOf(r, "Version")
		for name := range r["attributes"].(map[string]bool) {
			schemas[kind][name] = false
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
		list = append(list, world.Record{"TypeName": kind, "Version": cmp.Or(versions[kind], "1.0"), "Attributes": attributes})
	}
	if want != "" && len(list) == 0 {
		return nil, noType(want)
	}
	return c.listing("GetInventorySchema", "Schemas", "TypeName", list, in, 50)
}

func (c *call) deleteInventory(t *world.Tables, in request) (any, error) {
	return once(t, "DeleteInventory", in, func() (any, error) { return c.deleteInventoryType(t, in) })
}

func (c *call) deleteInventoryType(t *world.Tables, in request) (any, error) {
	kind := in.text("TypeName")
	known, ok := t.Get(world.KindInventoryType, kind)
	if !ok { // none of AWS's types is there
		return nil, noType(kind)
	}
	items := keep(t.All(world.KindInventory), func(r world.Record) bool { return textOf(r, "TypeName") == kind })
	summary := func(remaining int) world.Record {
		return world.Record{
			"TotalCount": len(items), "RemainingCount": remaining,
			"SummaryItems": []world.Record{{"Version": textOf(known, "Version"), "Count": len(items), "RemainingCount": remaining}},
		}
	}
	if in.flag("DryRun") {
		return world.Record{"TypeName": kind, "DeletionSummary": summary(len(items))}, nil
	}
	id, now := world.NewUUID(), c.world.Now()
	switch in.text("SchemaDeleteOption") {
	case "DisableSchema":
		t.Change(world.KindInventoryType, kind, world.Record{"disabled": known["Version"]})
	case "DeleteSchema":
		t.Delete(world.KindInventoryType, kind)
	}
	for _, r := range items {
		t.Delete(world.KindInventory, textOf(r, "InstanceId")+" "+kind)
	}
	t.Put(world.KindInventoryDeletion, id, world.Record{
		"DeletionId": id, "TypeName": kind, "DeletionStartTime": now, "LastStatus": "Complete", "LastStatusMessage": "Deletion complete.",
		"DeletionSummary": summary(0), "LastStatusUpdateTime": now,
	})
	return world.Record{"DeletionId": id, "TypeName": kind, "DeletionSummary": summary(0)}, nil
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
