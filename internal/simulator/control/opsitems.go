package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func opsItemOperations() map[string]operation {
	return map[string]operation{
		"CreateOpsItem":                  recorded((*call).createOpsItem),
		"UpdateOpsItem":                  recorded((*call).updateOpsItem),
		"DeleteOpsItem":                  recorded((*call).deleteOpsItem),
		"GetOpsItem":                     recorded((*call).getOpsItem),
		"DescribeOpsItems":               recorded((*call).describeOpsItems),
		"ListOpsItemEvents":              recorded((*call).listOpsItemEvents),
		"AssociateOpsItemRelatedItem":    recorded((*call).associateOpsItemRelatedItem),
		"DisassociateOpsItemRelatedItem": recorded((*call).disassociateOpsItemRelatedItem),
		"ListOpsItemRelatedItems":        recorded((*call).listOpsItemRelatedItems),
		"GetOpsSummary":                  recorded((*call).getOpsSummary),
	}
}

// maxOpsData is the size limit of a value of operational data in bytes.
const maxOpsData = 20 << 10

func noOpsItem(id string) error { return missing("OpsItemNotFoundException", "OpsItem", id) }

// checkOpsItem refuses what an OpsItem can't have.
func checkOpsItem(t *world.Tables, in request) error {
	for key := range in.object("OperationalData") {
		value := in.object("OperationalData").object(key).text("Value")
		if len(value) > maxOpsData {
			return world.Errorf("OpsItemInvalidParameterException", "The value of operational data %s is larger than 20 KB.", key)
		}
	}
	for _, related := range in.objects("RelatedOpsItems") {
		if _, ok := t.Get(world.KindOpsItem, related.text("OpsItemId")); !ok {
			return world.Errorf("OpsItemInvalidParameterException", "The related OpsItem %s does not exist.", related.text("OpsItemId"))
		}
	}
	return nil
}

// dedupe is the text that must be unique among open OpsItems, or empty.
func dedupe(item request) string {
	return item.object("OperationalData").object("/aws/dedup").text("Value")
}

func open(item world.Record) bool {
	return textOf(item, "Status") != "Resolved" && textOf(item, "Status") != "Closed"
}

func (c *call) createOpsItem(t *world.Tables, in request) (any, error) {
	tags, err := in.tags("Tags")
	if err != nil {
		return nil, err
	}
	if err := checkOpsItem(t, in); err != nil {
		return nil, err
	}
	for _, other := range t.All(world.KindOpsItem) {
		if d := dedupe(in); d != "" && open(other) && dedupe(other) == d {
			return nil, world.Errorf("OpsItemAlreadyExistsException", "An OpsItem with the same deduplication string exists already: %s.", textOf(other, "OpsItemId"))
		}
	}
	id, now := world.NewHexID("oi-", 12), c.world.Now()
	item := with(in, world.Record{
		"OpsItemId": id, "OpsItemArn": c.world.ARN("ssm", "opsitem/"+id), "Status": "Open", "Version": "1",
		"CreatedBy": c.caller.ARN, "CreatedTime": now, "LastModifiedBy": c.caller.ARN, "LastModifiedTime": now, "tags": tags,
	})
	if item["OpsItemType"] == nil {
		item["OpsItemType"] = "/aws/issue"
	}
	t.Put(world.KindOpsItem, id, item)
	c.note(t, item, "OpsItem Create")
	return world.Record{"OpsItemId": id, "OpsItemArn": item["OpsItemArn"]}, nil
}

// note records an event of an OpsItem.
func (c *call) note(t *world.Tables, item world.Record, what string) {
	detail, err := json.Marshal(map[string]string{"opsItemId": textOf(item, "OpsItemId"), "status": textOf(item, "Status"), "title": textOf(item, "Title")})
	if err != nil {
		panic(err) // texts always encode
	}
	id := world.NewUUID()
	t.Put(world.KindOpsItemEvent, id, world.Record{
		"OpsItemId": item["OpsItemId"], "EventId": id, "Source": "aws.ssm", "DetailType": what, "Detail": string(detail),
		"CreatedBy": world.Record{"Arn": c.caller.ARN}, "CreatedTime": c.world.Now(),
	})
	t.Keep(world.KindOpsItemEvent, 5000)
}

func (c *call) updateOpsItem(t *world.Tables, in request) (any, error) {
	id := in.text("OpsItemId")
	old, ok := t.Get(world.KindOpsItem, id)
	if !ok {
		return nil, noOpsItem(id)
	}
	if err := checkOpsItem(t, in); err != nil {
		return nil, err
	}
	data := maps.Clone(request(old).object("OperationalData"))
	if data == nil {
		data = request{}
	}
	maps.Copy(data, in.object("OperationalData"))
	for _, key := range in.texts("OperationalDataToDelete") {
		delete(data, key)
	}
	version, err := strconv.Atoi(textOf(old, "Version"))
	if err != nil {
		return nil, err
	}
	change := with(in, world.Record{
		"OperationalData": map[string]any(data), "OperationalDataToDelete": nil, "Version": strconv.Itoa(version + 1),
		"LastModifiedBy": c.caller.ARN, "LastModifiedTime": c.world.Now(),
	})
	c.note(t, t.Change(world.KindOpsItem, id, change), "OpsItem Update")
	return empty(), nil
}

// deleteOpsItem does not mind when there is none.
func (c *call) deleteOpsItem(t *world.Tables, in request) (any, error) {
	id := in.text("OpsItemId")
	t.Delete(world.KindOpsItem, id)
	for _, r := range t.All(world.KindRelatedItem) {
		if textOf(r, "OpsItemId") == id {
			t.Delete(world.KindRelatedItem, textOf(r, "AssociationId"))
		}
	}
	return empty(), nil
}

// opsItem finds an OpsItem, which may be an access request.
func (c *call) opsItem(t *world.Tables, id string) (world.Record, bool) {
	if r, ok := t.Get(world.KindOpsItem, id); ok {
		return r, true
	}
	if r, err := c.world.AccessRequest(id); err == nil {
		return accessItem(r), true
	}
	return nil, false
}

func (c *call) getOpsItem(t *world.Tables, in request) (any, error) {
	item, ok := c.opsItem(t, in.text("OpsItemId"))
	if !ok {
		return nil, noOpsItem(in.text("OpsItemId"))
	}
	return world.Record{"OpsItem": item}, nil
}

// opsItemMembers are the filter keys that are members of an OpsItem.
var opsItemMembers = []string{
	"Status", "CreatedBy", "Source", "Priority", "Title", "OpsItemId", "CreatedTime", "LastModifiedTime", "ActualStartTime", "ActualEndTime",
	"PlannedStartTime", "PlannedEndTime", "Category", "Severity", "OpsItemType",
}

// opsItemFields are the texts of an OpsItem for a filter key.
func opsItemFields(item world.Record, key string) ([]string, bool) {
	data := request(item).object("OperationalData")
	switch key {
	case "OperationalDataKey":
		return slices.Collect(maps.Keys(data)), true
	case "OperationalData", "OperationalDataValue", "ResourceId", "AutomationId":
		var values []string
		for name := range data {
			value := data.object(name).text("Value")
			pair, err := json.Marshal(map[string]string{"key": name, "value": value})
			if err == nil && key == "OperationalData" {
				value = string(pair)
			}
			values = append(values, value)
		}
		return values, true
	case "AccessRequestByRequesterArn":
		return []string{textOf(item, "CreatedBy")}, true
	case "AccessRequestByTargetResourceId":
		nodes, _ := item["nodes"].([]string)
		return nodes, true
	}
	if at, ok := timeOf(item, key); ok {
		return []string{at.UTC().Format(time.RFC3339)}, true
	}
	return []string{stamp(item[key])}, slices.Contains(opsItemMembers, key)
}

// opsItems returns all OpsItems, access requests among them, the latest first.
func (c *call) opsItems(t *world.Tables) []world.Record {
	var list []world.Record
	for _, r := range c.world.AccessRequests() {
		list = append(list, accessItem(r))
	}
	list = append(list, t.All(world.KindOpsItem)...)
	slices.SortStableFunc(list, func(a, b world.Record) int {
		x, _ := timeOf(a, "CreatedTime")
		y, _ := timeOf(b, "CreatedTime")
		return y.Compare(x)
	})
	return list
}

func (c *call) describeOpsItems(t *world.Tables, in request) (any, error) {
	filters := in.filters("OpsItemFilters", "Key", "Values", "Operator")
	for _, f := range filters {
		// The service knows these; that it has none of them here would be no answer.
		if _, known := opsItemFields(world.Record{}, f.key); !known {
			return nil, invalid("The simulator does not know the filter " + f.key + ".")
		}
		if timed := strings.HasSuffix(f.key, "Time"); timed != (f.operator == "GreaterThan" || f.operator == "LessThan") {
			return nil, invalid(fmt.Sprintf("Operator %s is not supported for %s.", f.operator, f.key))
		}
	}
	list, err := sift(c.opsItems(t), filters, "ValidationException", opsItemFields)
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeOpsItems", "OpsItemSummaries", "OpsItemId", list, in, 50)
}

func (c *call) listOpsItemEvents(t *world.Tables, in request) (any, error) {
	list := t.All(world.KindOpsItemEvent)
	for _, f := range in.filters("Filters", "Key", "Values", "Operator") {
		for _, id := range f.values {
			if _, ok := c.opsItem(t, id); !ok {
				return nil, noOpsItem(id)
			}
		}
		list = keep(list, func(r world.Record) bool { return f.matches([]string{textOf(r, f.key)}) })
	}
	slices.Reverse(list)
	return c.listing("ListOpsItemEvents", "Summaries", "EventId", list, in, 50)
}

func (c *call) associateOpsItemRelatedItem(t *world.Tables, in request) (any, error) {
	item := in.text("OpsItemId")
	if _, ok := c.opsItem(t, item); !ok {
		return nil, noOpsItem(item)
	}
	if !contains([]string{"IsParentOf", "RelatesTo"}, in.text("AssociationType")) {
		return nil, world.Errorf("OpsItemInvalidParameterException", "AssociationType %s is not valid. Valid values: IsParentOf, RelatesTo.", in.text("AssociationType"))
	}
	for _, r := range t.All(world.KindRelatedItem) {
		if textOf(r, "OpsItemId") == item && r["ResourceUri"] == in["ResourceUri"] {
			return nil, world.Errorf("OpsItemRelatedItemAlreadyExistsException", "The resource %s is associated with the OpsItem already.", in.text("ResourceUri"))
		}
	}
	id, now, by := world.NewUUID(), c.world.Now(), world.Record{"Arn": c.caller.ARN}
	t.Put(world.KindRelatedItem, id, with(in, world.Record{"AssociationId": id, "CreatedBy": by, "CreatedTime": now, "LastModifiedBy": by, "LastModifiedTime": now}))
	return world.Record{"AssociationId": id}, nil
}

func (c *call) disassociateOpsItemRelatedItem(t *world.Tables, in request) (any, error) {
	item, id := in.text("OpsItemId"), in.text("AssociationId")
	if _, ok := c.opsItem(t, item); !ok {
		return nil, noOpsItem(item)
	}
	r, ok := t.Get(world.KindRelatedItem, id)
	if !ok || textOf(r, "OpsItemId") != item {
		return nil, world.Errorf("OpsItemRelatedItemAssociationNotFoundException", "The association %s wasn't found.", id)
	}
	t.Delete(world.KindRelatedItem, id)
	return empty(), nil
}

func (c *call) listOpsItemRelatedItems(t *world.Tables, in request) (any, error) {
	list := t.All(world.KindRelatedItem)
	if id := in.text("OpsItemId"); id != "" {
		list = keep(list, func(r world.Record) bool { return textOf(r, "OpsItemId") == id })
	}
	list, err := sift(list, in.filters("Filters", "Key", "Values", "Operator"), "OpsItemInvalidParameterException", func(r world.Record, key string) ([]string, bool) {
		return []string{textOf(r, key)}, true
	})
	if err != nil {
		return nil, err
	}
	return c.listing("ListOpsItemRelatedItems", "Summaries", "AssociationId", list, in, 50)
}

// opsItemData is the only type of operational data that the summary knows.
const opsItemData = "AWS:OpsItem"

// getOpsSummary lists OpsItems, or with an aggregator counts them by an attribute.
func (c *call) getOpsSummary(t *world.Tables, in request) (any, error) {
	if name := in.text("SyncName"); name != "" {
		if _, ok := t.Get(world.KindSync, syncFromSource+" "+name); !ok {
			return nil, noSync(syncFromSource, name)
		}
	}
	for _, a := range in.objects("ResultAttributes") {
		if a.text("TypeName") != opsItemData {
			return nil, world.Errorf("InvalidTypeNameException", "The parameter type name isn't valid: %s.", a.text("TypeName"))
		}
	}
	items, err := sift(c.opsItems(t), opsFilters(in), "InvalidFilter", opsItemFields)
	if err != nil {
		return nil, err
	}
	aggregators := in.objects("Aggregators")
	if len(aggregators) > 0 {
		return opsCounts(items, aggregators[0])
	}
	var list []world.Record
	for _, item := range items {
		content := map[string]string{}
		for _, m := range opsItemMembers {
			if have, _ := opsItemFields(item, m); have[0] != "" {
				content[m] = have[0]
			}
		}
		list = append(list, opsEntity(textOf(item, "OpsItemId"), content))
	}
	return c.listing("GetOpsSummary", "Entities", "Id", list, in, 50)
}

// opsFilters reads filters whose keys name the type: AWS:OpsItem.Status.
func opsFilters(in request) []filter {
	list := in.filters("Filters", "Key", "Values", "Type")
	for i := range list {
		list[i].key = strings.TrimPrefix(list[i].key, opsItemData+".")
	}
	return list
}

func opsEntity(id string, content ...map[string]string) world.Record {
	return world.Record{"Id": id, "Data": world.Record{opsItemData: world.Record{"Content": content}}}
}

func opsCounts(items []world.Record, a request) (any, error) {
	attribute := a.text("AttributeName")
	_, known := opsItemFields(world.Record{}, attribute)
	switch {
	case a.text("AggregatorType") != "count":
		return nil, world.Errorf("InvalidAggregatorException", "The specified aggregator isn't valid: %s.", a.text("AggregatorType"))
	case a.text("TypeName") != opsItemData:
		return nil, world.Errorf("InvalidTypeNameException", "The parameter type name isn't valid: %s.", a.text("TypeName"))
	case !known:
		return nil, world.Errorf("InvalidAggregatorException", "The specified aggregator isn't valid: %s has no attribute %s.", opsItemData, attribute)
	}
	counts := map[string]int{}
	for _, item := range items {
		have, _ := opsItemFields(item, attribute)
		for _, v := range have {
			counts[v]++
		}
	}
	var content []map[string]string
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		content = append(content, map[string]string{attribute: v, "Count": strconv.Itoa(counts[v])})
	}
	return world.Record{"Entities": []world.Record{opsEntity("", content...)}}, nil
}
