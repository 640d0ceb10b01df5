package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func associationRunOperations() map[string]operation {
	return map[string]operation{
		"StartAssociationsOnce":                 recorded((*call).startAssociationsOnce),
		"DescribeAssociationExecutions":         recorded((*call).describeAssociationExecutions),
		"DescribeAssociationExecutionTargets":   recorded((*call).describeAssociationExecutionTargets),
		"DescribeEffectiveInstanceAssociations": recorded((*call).describeEffectiveInstanceAssociations),
		"DescribeInstanceAssociationsStatus":    recorded((*call).describeInstanceAssociationsStatus),
	}
}

// maxRuns is how many executions of an association are remembered.
const maxRuns = 10

// runTarget is what an execution did on one node. There may be many.
type runTarget struct{ node, status string }

func runTargets(r world.Record) []runTarget {
	list, _ := r["targets"].([]runTarget)
	return list
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// timeOf is a time of a record.
func timeOf(r world.Record, member string) (time.Time, bool) {
	at, ok := r[member].(time.Time)
	return at, ok && !at.IsZero()
}

// nodesOf are the ids of the nodes that an association is for now.
func (c *call) nodesOf(a world.Record) []string {
	targets := request(a).targets("Targets")
	if len(targets) == 0 {
		return nil
	}
	return c.world.Targeted(targets)
}

// apply imagines that an association was applied to its nodes: it succeeds where
// the agent is online and the document fits, and is pending where it is not.
// Nothing runs on the nodes.
func (c *call) apply(t *world.Tables, id string, at time.Time) {
	a, ok := t.Get(world.KindAssociation, id)
	if !ok {
		return
	}
	var platforms []string
	if _, v, err := c.documentVersion(textOf(a, "Name"), textOf(a, "DocumentVersion"), ""); err == nil {
		platforms = v.Body.Platforms()
	}
	execution := world.NewUUID()
	counts := map[string]int{}
	var targets []runTarget
	for _, node := range c.nodesOf(a) {
		n, ok := c.world.NodeInfo(node)
		if !ok {
			continue
		}
		status := "Success"
		switch {
		case n.Ping != world.PingOnline:
			status = "Pending"
		case !contains(platforms, n.PlatformType()):
			status = "Skipped"
		}
		counts[status]++
		targets = append(targets, runTarget{node, status})
	}
	status := "Success"
	if counts["Pending"] > 0 {
		status = "Pending"
	}
	t.Put(world.KindAssociationRun, execution, world.Record{
		"AssociationId": id, "AssociationVersion": a["AssociationVersion"], "ExecutionId": execution, "Status": status, "DetailedStatus": status,
		"CreatedTime": at, "LastExecutionDate": at, "ResourceCountByStatus": countText(counts), "targets": targets,
	})
	change := world.Record{
		"LastExecutionDate": at,
		"Overview":          world.Record{"Status": status, "DetailedStatus": status, "AssociationStatusAggregatedCount": counts},
	}
	if status == "Success" {
		change["LastSuccessfulExecutionDate"] = at
	}
	t.Change(world.KindAssociation, id, change)
	old := runsOf(t, id)
	for _, r := range old[:max(0, len(old)-maxRuns)] {
		t.Delete(world.KindAssociationRun, textOf(r, "ExecutionId"))
	}
}

// countText is the service's way of writing counts: {Success=2, Pending=1}.
func countText(counts map[string]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s=%d", status, counts[status]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// applyDue applies the associations whose schedule says so, once for however many
// times have passed, and those that should have been applied when they were made.
func (c *call) applyDue(t *world.Tables) {
	now := c.world.Now()
	for _, a := range t.All(world.KindAssociation) {
		id := textOf(a, "AssociationId")
		created, _ := timeOf(a, "CreatedDate")
		last, ran := timeOf(a, "LastExecutionDate")
		if !ran {
			last = created
			if a["ApplyOnlyAtCronInterval"] != true {
				c.apply(t, id, created)
			}
		}
		s, err := world.ParseSchedule(textOf(a, "ScheduleExpression"), "")
		if err != nil {
			continue
		}
		if week := now.AddDate(0, 0, -7); last.Before(week) {
			last = week
		}
		var due time.Time
		for {
			next, ok := s.Next(last, created)
			if !ok || next.After(now) {
				break
			}
			due, last = next, next
		}
		if !due.IsZero() {
			c.apply(t, id, due)
		}
	}
}

// runsOf returns the executions of an association, the oldest first.
func runsOf(t *world.Tables, id string) []world.Record {
	return keep(t.All(world.KindAssociationRun), func(r world.Record) bool { return textOf(r, "AssociationId") == id })
}

func (c *call) startAssociationsOnce(t *world.Tables, in request) (any, error) {
	ids := in.texts("AssociationIds")
	for _, id := range ids {
		if _, ok := t.Get(world.KindAssociation, id); !ok {
			return nil, noAssociation()
		}
	}
	for _, id := range ids {
		c.apply(t, id, c.world.Now())
	}
	return empty(), nil
}

func (c *call) describeAssociationExecutions(t *world.Tables, in request) (any, error) {
	c.applyDue(t)
	if _, err := association(t, in); err != nil {
		return nil, err
	}
	list := runsOf(t, in.text("AssociationId"))
	slices.Reverse(list)
	list, err := sift(list, in.filters("Filters", "Key", "Value", "Type"), "ValidationException", func(r world.Record, key string) ([]string, bool) {
		if key == "CreatedTime" {
			at, _ := timeOf(r, key)
			return []string{dated(at)}, true
		}
		return []string{textOf(r, key)}, true
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeAssociationExecutions", "AssociationExecutions", "ExecutionId", list, in, 50)
}

func (c *call) describeAssociationExecutionTargets(t *world.Tables, in request) (any, error) {
	if _, err := association(t, in); err != nil {
		return nil, err
	}
	r, ok := t.Get(world.KindAssociationRun, in.text("ExecutionId"))
	if !ok || textOf(r, "AssociationId") != in.text("AssociationId") {
		return nil, world.Errorf("AssociationExecutionDoesNotExist", "The specified execution ID does not exist.")
	}
	var list []world.Record
	for _, target := range runTargets(r) {
		list = append(list, with(r, world.Record{
			"ResourceId": target.node, "ResourceType": "ManagedInstance", "Status": target.status, "DetailedStatus": target.status,
		}))
	}
	list, err := sift(list, in.filters("Filters", "Key", "Value", ""), "ValidationException", func(r world.Record, key string) ([]string, bool) {
		return []string{textOf(r, key)}, true
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeAssociationExecutionTargets", "AssociationExecutionTargets", "ResourceId", list, in, 50)
}

// associations returns the associations of each node.
func (c *call) associations(t *world.Tables) map[string][]world.Record {
	of := map[string][]world.Record{}
	for _, a := range t.All(world.KindAssociation) {
		for _, node := range c.nodesOf(a) {
			of[node] = append(of[node], a)
		}
	}
	return of
}

// associatedWith returns the associations that a node has.
func (c *call) associatedWith(t *world.Tables, in request) ([]world.Record, error) {
	node := in.text("InstanceId")
	if _, ok := c.world.NodeInfo(node); !ok {
		return nil, world.Errorf("InvalidInstanceId", "Instance %s is not a managed node.", node)
	}
	c.applyDue(t)
	return keep(t.All(world.KindAssociation), func(a world.Record) bool { return contains(c.nodesOf(a), node) }), nil
}

func (c *call) describeEffectiveInstanceAssociations(t *world.Tables, in request) (any, error) {
	list, err := c.associatedWith(t, in)
	if err != nil {
		return nil, err
	}
	for i, a := range list {
		content := ""
		if _, v, err := c.documentVersion(textOf(a, "Name"), textOf(a, "DocumentVersion"), ""); err == nil {
			content = v.Content
		}
		list[i] = with(a, world.Record{"InstanceId": in.text("InstanceId"), "Content": content})
	}
	return c.listing("DescribeEffectiveInstanceAssociations", "Associations", "AssociationId", list, in, 5)
}

func (c *call) describeInstanceAssociationsStatus(t *world.Tables, in request) (any, error) {
	list, err := c.associatedWith(t, in)
	if err != nil {
		return nil, err
	}
	for i, a := range list {
		status := world.Record{"InstanceId": in.text("InstanceId"), "Status": "Pending", "DetailedStatus": "Associated"}
		for _, run := range runsOf(t, textOf(a, "AssociationId")) {
			for _, target := range runTargets(run) {
				if target.node == in.text("InstanceId") {
					status["Status"], status["DetailedStatus"] = target.status, target.status
					status["ExecutionDate"], status["ExecutionSummary"] = run["CreatedTime"], "1 out of 1 plugin processed"
				}
			}
		}
		list[i] = with(a, status)
	}
	return c.listing("DescribeInstanceAssociationsStatus", "InstanceAssociationStatusInfos", "AssociationId", list, in, 50)
}
