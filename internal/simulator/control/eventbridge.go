package control

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// Amazon EventBridge, public API model 2015-10-07: rules of the default bus and
// their targets. No event is delivered.
const (
	eventsTarget  = "AWSEvents"
	eventsService = "events"

	eventsPage   = 100
	eventTargets = 5 // of a rule (EventBridge quotas)
)

var eventNames = pattern.Lazy(`^[.\-_A-Za-z0-9]{1,64}$`)

func eventOperations() map[string]operation {
	return map[string]operation{
		"PutRule":           recordedFor(eventsService, (*call).putEventRule),
		"DescribeRule":      recordedFor(eventsService, (*call).describeEventRule),
		"ListRules":         recordedFor(eventsService, (*call).listEventRules),
		"DeleteRule":        recordedFor(eventsService, (*call).deleteEventRule),
		"PutTargets":        recordedFor(eventsService, (*call).putEventTargets),
		"ListTargetsByRule": recordedFor(eventsService, (*call).listEventTargets),
		"RemoveTargets":     recordedFor(eventsService, (*call).removeEventTargets),
	}
}

func noEventRule(name string) error {
	return world.Errorf("ResourceNotFoundException", "Rule %s does not exist on EventBus default.", name)
}

// eventBus refuses a bus that is not there.
func eventBus(in request) error {
	if bus := in.text("EventBusName"); bus != "" && bus != "default" {
		return world.Errorf("ResourceNotFoundException", "Event bus %s does not exist.", bus)
	}
	return nil
}

func (c *call) putEventRule(t *world.Tables, in request) (any, error) {
	name, events, schedule := in.text("Name"), in.text("EventPattern"), in.text("ScheduleExpression")
	if err := eventBus(in); err != nil {
		return nil, err
	}
	switch {
	case !eventNames().MatchString(name):
		return nil, invalid("1 validation error detected: Value '" + name + "' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+")
	case events == "" && schedule == "":
		return nil, invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case events != "":
		var tree map[string]any
		if json.Unmarshal([]byte(events), &tree) != nil || len(tree) == 0 || !eventPattern(tree) {
			return nil, world.Errorf("InvalidEventPatternException", "Event pattern is not valid.")
		}
	}
	record := in.take("Name", "EventPattern", "ScheduleExpression", "Description", "RoleArn", "State")
	if textOf(record, "State") == "" {
		record["State"] = "ENABLED"
	}
	record["Arn"], record["EventBusName"] = c.world.ARN("events", "rule/"+name), "default"
	t.Put(world.KindEventRule, name, record)
	return world.Record{"RuleArn": record["Arn"]}, nil
}

// eventPattern reports whether the leaves of a pattern are lists, as they must be.
func eventPattern(tree map[string]any) bool {
	for _, v := range tree {
		switch v := v.(type) {
		case []any:
			if len(v) == 0 {
				return false
			}
		case map[string]any:
			if len(v) == 0 || !eventPattern(v) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (c *call) describeEventRule(t *world.Tables, in request) (any, error) {
	if err := eventBus(in); err != nil {
		return nil, err
	}
	r, ok := t.Get(world.KindEventRule, in.text("Name"))
	if !ok {
		return nil, noEventRule(in.text("Name"))
	}
	return r, nil
}

func (c *call) listEventRules(t *world.Tables, in request) (any, error) {
	if err := eventBus(in); err != nil {
		return nil, err
	}
	list := keep(t.All(world.KindEventRule), func(r world.Record) bool { return strings.HasPrefix(textOf(r, "Name"), in.text("NamePrefix")) })
	slices.SortFunc(list, func(a, b world.Record) int { return strings.Compare(textOf(a, "Name"), textOf(b, "Name")) })
	return c.eventPage("ListRules", "Rules", "Name", list, in)
}

func (c *call) eventPage(op, member, key string, list []world.Record, in request) (any, error) {
	size := in.number("Limit", eventsPage)
	if size < 1 || size > eventsPage {
		return nil, invalid("1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value between 1 and 100")
	}
	list, token, err := page(c, op, list, func(r world.Record) string { return textOf(r, key) }, in.text("NextToken"), &size, size)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []world.Record{}
	}
	out := world.Record{member: list}
	if token != "" {
		out["NextToken"] = token
	}
	return out, nil
}

// deleteEventRule refuses, as the service does, while the rule has targets.
func (c *call) deleteEventRule(t *world.Tables, in request) (any, error) {
	if err := eventBus(in); err != nil {
		return nil, err
	}
	name := in.text("Name")
	if _, ok := t.Get(world.KindEventRule, name); !ok {
		return empty(), nil // what is not there is deleted
	}
	if len(eventTargetsOf(t, name)) > 0 {
		return nil, invalid("Rule can't be deleted since it has targets.")
	}
	t.Delete(world.KindEventRule, name)
	return empty(), nil
}

const ruleMember = "rule"

func eventTargetsOf(t *world.Tables, rule string) []world.Record {
	return keep(t.All(world.KindEventTarget), func(r world.Record) bool { return textOf(r, ruleMember) == rule })
}

func (c *call) putEventTargets(t *world.Tables, in request) (any, error) {
	if err := eventBus(in); err != nil {
		return nil, err
	}
	rule := in.text("Rule")
	if _, ok := t.Get(world.KindEventRule, rule); !ok {
		return nil, noEventRule(rule)
	}
	targets := in.objects("Targets")
	ids := map[string]bool{}
	for _, r := range eventTargetsOf(t, rule) {
		ids[textOf(r, "Id")] = true
	}
	for _, target := range targets {
		if !eventNames().MatchString(target.text("Id")) || !strings.HasPrefix(target.text("Arn"), "arn:aws") {
			return nil, invalid("Parameter " + target.text("Arn") + " is not valid. Reason: Provided Arn is not in correct format.")
		}
		ids[target.text("Id")] = true
	}
	if len(ids) > eventTargets {
		return nil, world.Errorf("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	}
	for _, target := range targets {
		record := target.take("Id", "Arn", "RoleArn", "Input", "InputPath", "InputTransformer")
		record[ruleMember] = rule
		t.Put(world.KindEventTarget, rule+" "+target.text("Id"), record)
	}
	return world.Record{"FailedEntryCount": 0, "FailedEntries": []any{}}, nil
}

func (c *call) listEventTargets(t *world.Tables, in request) (any, error) {
	if err := eventBus(in); err != nil {
		return nil, err
	}
	rule := in.text("Rule")
	if _, ok := t.Get(world.KindEventRule, rule); !ok {
		return nil, noEventRule(rule)
	}
	var list []world.Record
	for _, r := range eventTargetsOf(t, rule) {
		shown := with(r, nil)
		delete(shown, ruleMember)
		list = append(list, shown)
	}
	return c.eventPage("ListTargetsByRule", "Targets", "Id", list, in)
}

func (c *call) removeEventTargets(t *world.Tables, in request) (any, error) {
	if err := eventBus(in); err != nil {
		return nil, err
	}
	rule := in.text("Rule")
	if _, ok := t.Get(world.KindEventRule, rule); !ok {
		return nil, noEventRule(rule)
	}
	failed := []any{}
	for _, id := range in.texts("Ids") {
		if !t.Delete(world.KindEventTarget, rule+" "+id) {
			failed = append(failed, world.Record{"TargetId": id, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": "Target " + id + " does not exist."})
		}
	}
	return world.Record{"FailedEntryCount": len(failed), "FailedEntries": failed}, nil
}
