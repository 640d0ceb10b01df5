package control

import (
	"strconv"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func associationOperations() map[string]operation {
	return map[string]operation{
		"CreateAssociation":       recorded((*call).createAssociation),
		"CreateAssociationBatch":  recorded((*call).createAssociationBatch),
		"UpdateAssociation":       recorded((*call).updateAssociation),
		"UpdateAssociationStatus": recorded((*call).updateAssociationStatus),
		"DeleteAssociation":       recorded((*call).deleteAssociation),
		"DescribeAssociation":     recorded((*call).describeAssociation),
		"ListAssociations":        recorded((*call).listAssociations),
		"ListAssociationVersions": recorded((*call).listAssociationVersions),
	}
}

// Limits of associations: their number (API reference, AssociationLimitExceeded)
// and how many versions of one are kept.
const (
	maxAssociations        = 2000
	maxAssociationVersions = 1000
)

func noAssociation() error {
	return world.Errorf("AssociationDoesNotExist", "The specified association does not exist.")
}

// checkAssociation refuses an association that the service refuses.
func (c *call) checkAssociation(in request) error {
	d, v, err := c.documentVersion(in.text("Name"), in.text("DocumentVersion"), "")
	if err != nil {
		return err
	}
	if d.Type != "Command" && d.Type != "Automation" && d.Type != "Policy" {
		return world.Errorf("InvalidDocument", "Documents of type %s can't be associated.", d.Type)
	}
	if target := in.text("AutomationTargetParameterName"); target == "" || d.Type != "Automation" {
		if _, err := v.Body.Arguments(in.lists("Parameters")); err != nil && d.Type != "Policy" {
			return err
		}
	}
	if text := in.text("ScheduleExpression"); text != "" {
		if _, err := world.ParseSchedule(text, ""); err != nil {
			return world.Errorf("InvalidSchedule", "The schedule is invalid: %v.", err)
		}
	}
	for _, target := range in.targets("Targets") {
		if len(target.Values) == 0 {
			return world.Errorf("InvalidTarget", "The target isn't valid or doesn't exist: %s has no values.", target.Key)
		}
	}
	return nil
}

func (c *call) createAssociation(t *world.Tables, in request) (any, error) {
	tags, err := in.tags("Tags")
	if err != nil {
		return nil, err
	}
	a, err := c.newAssociation(t, in, tags)
	if err != nil {
		return nil, err
	}
	return world.Record{"AssociationDescription": a}, nil
}

func (c *call) newAssociation(t *world.Tables, in request, tags map[string]string) (world.Record, error) {
	if err := c.checkAssociation(in); err != nil {
		return nil, err
	}
	all := t.All(world.KindAssociation)
	if len(all) >= maxAssociations {
		return nil, world.Errorf("AssociationLimitExceeded", "You can have at most %d active associations.", maxAssociations)
	}
	node := in.text("InstanceId")
	if node != "" {
		if _, ok := c.world.NodeInfo(node); !ok {
			return nil, world.Errorf("InvalidInstanceId", "Instance %s is not a managed node.", node)
		}
		for _, a := range all {
			if textOf(a, "InstanceId") == node && textOf(a, "Name") == in.text("Name") {
				return nil, world.Errorf("AssociationAlreadyExists", "The specified association already exists.")
			}
		}
	} else if len(in.targets("Targets")) == 0 && !in.has("TargetMaps") && !in.has("TargetLocations") && !c.automates(in) {
		return nil, world.Errorf("InvalidTarget", "Either InstanceId or Targets must be given.")
	}
	id, now := world.NewUUID(), c.world.Now()
	a := with(in, world.Record{
		"AssociationId": id, "AssociationVersion": "1", "Date": now, "LastUpdateAssociationDate": now, "tags": tags, "CreatedDate": now,
		"Overview": world.Record{"Status": "Pending", "DetailedStatus": "Creating"},
	})
	delete(a, "Tags")
	if node != "" {
		a["Targets"] = []any{map[string]any{"Key": "InstanceIds", "Values": []any{node}}}
	}
	if a["DocumentVersion"] == nil {
		a["DocumentVersion"] = "$DEFAULT"
	}
	t.Put(world.KindAssociation, id, a)
	t.Put(world.KindAssociationVersion, id+" 1", a)
	if !in.flag("ApplyOnlyAtCronInterval") {
		c.apply(t, id, now)
	}
	return a, nil
}

// automates reports whether an association is of an Automation document, which
// needs no targets.
func (c *call) automates(in request) bool {
	d, err := c.world.Document(in.text("Name"))
	return err == nil && d.Type == "Automation"
}

func (c *call) createAssociationBatch(t *world.Tables, in request) (any, error) {
	done, failed := []world.Record{}, []world.Record{}
	for _, entry := range in.objects("Entries") {
		a, err := c.newAssociation(t, entry, nil)
		if err != nil {
			failed = append(failed, world.Record{"Entry": map[string]any(entry), "Message": asAPIError(err).Message, "Fault": "Client"})
			continue
		}
		done = append(done, a)
	}
	return world.Record{"Successful": done, "Failed": failed}, nil
}

// association finds one by its id, or in the old way by document and node.
func association(t *world.Tables, in request) (world.Record, error) {
	if id := in.text("AssociationId"); id != "" {
		if a, ok := t.Get(world.KindAssociation, id); ok {
			return a, nil
		}
		return nil, noAssociation()
	}
	for _, a := range t.All(world.KindAssociation) {
		if textOf(a, "InstanceId") != "" && a["InstanceId"] == in["InstanceId"] && a["Name"] == in["Name"] {
			return a, nil
		}
	}
	return nil, noAssociation()
}

// updateAssociation makes a new version of what the request says and nothing
// else: what is left out is gone, as in the service.
func (c *call) updateAssociation(t *world.Tables, in request) (any, error) {
	id := in.text("AssociationId")
	old, err := association(t, in)
	if err != nil {
		return nil, err
	}
	current := textOf(old, "AssociationVersion")
	if v := in.text("AssociationVersion"); v != "" && v != "$LATEST" && v != current {
		return nil, world.Errorf("InvalidAssociationVersion", "The version you specified is not valid: the latest is %s.", current)
	}
	next := with(world.Record{"Name": old["Name"]}, in)
	if err := c.checkAssociation(next); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(current)
	if err != nil {
		return nil, err
	}
	if n >= maxAssociationVersions {
		return nil, world.Errorf("AssociationVersionLimitExceeded", "You have reached the maximum number versions allowed for an association.")
	}
	now := c.world.Now()
	next = with(next, world.Record{
		"AssociationId": id, "AssociationVersion": strconv.Itoa(n + 1), "Date": old["Date"], "LastUpdateAssociationDate": now, "tags": old["tags"],
		"CreatedDate": now, "Overview": world.Record{"Status": "Pending", "DetailedStatus": "Associated"},
		"LastExecutionDate": old["LastExecutionDate"], "LastSuccessfulExecutionDate": old["LastSuccessfulExecutionDate"],
	})
	if next["Targets"] == nil && old["InstanceId"] != nil {
		next["InstanceId"], next["Targets"] = old["InstanceId"], old["Targets"]
	}
	if next["DocumentVersion"] == nil {
		next["DocumentVersion"] = "$DEFAULT"
	}
	t.Put(world.KindAssociation, id, next)
	t.Put(world.KindAssociationVersion, id+" "+strconv.Itoa(n+1), next)
	if !in.flag("ApplyOnlyAtCronInterval") {
		c.apply(t, id, now)
	}
	return world.Record{"AssociationDescription": next}, nil
}

func (c *call) updateAssociationStatus(t *world.Tables, in request) (any, error) {
	a, err := association(t, request{"Name": in["Name"], "InstanceId": in["InstanceId"]})
	if err != nil {
		return nil, err
	}
	status := in.object("AssociationStatus")
	if old, ok := a["Status"].(map[string]any); ok && old["Name"] == status["Name"] && old["Message"] == status["Message"] {
		return nil, world.Errorf("StatusUnchanged", "The updated status is the same as the current status.")
	}
	return world.Record{"AssociationDescription": t.Change(world.KindAssociation, textOf(a, "AssociationId"), world.Record{"Status": in["AssociationStatus"]})}, nil
}

func (c *call) deleteAssociation(t *world.Tables, in request) (any, error) {
	a, err := association(t, in)
	if err != nil {
		return nil, err
	}
	id := textOf(a, "AssociationId")
	t.Delete(world.KindAssociation, id)
	for _, r := range runsOf(t, id) {
		t.Delete(world.KindAssociationRun, textOf(r, "ExecutionId"))
	}
	for _, v := range versionsOf(t, id) {
		t.Delete(world.KindAssociationVersion, id+" "+textOf(v, "AssociationVersion"))
	}
	return empty(), nil
}

// versionsOf returns the versions of an association, the oldest first.
func versionsOf(t *world.Tables, id string) []world.Record {
	return keep(t.All(world.KindAssociationVersion), func(v world.Record) bool { return textOf(v, "AssociationId") == id })
}

func (c *call) describeAssociation(t *world.Tables, in request) (any, error) {
	c.applyDue(t)
	a, err := association(t, in)
	if err != nil {
		return nil, err
	}
	if v := in.text("AssociationVersion"); v != "" && v != "$LATEST" && v != textOf(a, "AssociationVersion") {
		old, ok := t.Get(world.KindAssociationVersion, textOf(a, "AssociationId")+" "+v)
		if !ok {
			return nil, world.Errorf("InvalidAssociationVersion", "The version you specified is not valid: %s.", v)
		}
		a = old
	}
	return world.Record{"AssociationDescription": a}, nil
}

func (c *call) listAssociations(t *world.Tables, in request) (any, error) {
	c.applyDue(t)
	list := t.All(world.KindAssociation)
	for _, f := range in.filters("AssociationFilterList", "key", "value", "") {
		want := f.values[0]
		list = keep(list, func(a world.Record) bool { return c.associationMatches(a, f.key, want) })
	}
	return c.listing("ListAssociations", "Associations", "AssociationId", list, in, 50)
}

func (c *call) associationMatches(a world.Record, key, want string) bool {
	switch key {
	case "InstanceId":
		return contains(c.nodesOf(a), want)
	case "AssociationStatusName":
		overview, _ := a["Overview"].(map[string]any)
		return textOf(overview, "Status") == want
	case "LastExecutedBefore", "LastExecutedAfter":
		at, ok := timeOf(a, "LastExecutionDate")
		return ok && (key == "LastExecutedBefore") == at.Before(filterTime(want))
	case "ResourceGroupName":
		return inGroups(request(a).targets("Targets"), want)
	}
	return textOf(a, key) == want
}

func (c *call) listAssociationVersions(t *world.Tables, in request) (any, error) {
	if _, err := association(t, in); err != nil {
		return nil, err
	}
	return c.listing("ListAssociationVersions", "AssociationVersions", "AssociationVersion", versionsOf(t, in.text("AssociationId")), in, 50)
}
