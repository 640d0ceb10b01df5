package control

import (
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func cloudConnectorOperations() map[string]operation {
	return map[string]operation{
		"CreateCloudConnector":   recorded((*call).createCloudConnector),
		"UpdateCloudConnector":   recorded((*call).updateCloudConnector),
		"DeleteCloudConnector":   recorded((*call).deleteCloudConnector),
		"GetCloudConnector":      recorded((*call).getCloudConnector),
		"ListCloudConnectors":    recorded((*call).listCloudConnectors),
		"ValidateCloudConnector": recorded((*call).validateCloudConnector),
	}
}

func noConnector(id string) error {
	return missing("ResourceNotFoundException", "Cloud connector", id)
}

func (c *call) createCloudConnector(t *world.Tables, in request) (any, error) {
	tags, err := in.tags("Tags")
	if err != nil {
		return nil, err
	}
	for _, other := range t.All(world.KindCloudConnector) {
		if other["DisplayName"] == in["DisplayName"] {
			return nil, world.Errorf("ConflictException", "A cloud connector with the name %s exists already.", in.text("DisplayName"))
		}
	}
	id, now := world.NewHexID("cc-", 17), c.world.Now()
	t.Put(world.KindCloudConnector, id, with(in, world.Record{
		"CloudConnectorId": id, "CloudConnectorArn": c.world.ARN("ssm", "cloud-connector/"+id), "CreatedAt": now, "UpdatedAt": now, "tags": tags,
	}))
	return world.Record{"CloudConnectorId": id}, nil
}

func (c *call) updateCloudConnector(t *world.Tables, in request) (any, error) {
	id := in.text("CloudConnectorId")
	change := with(in.take("DisplayName", "Description", "Configuration"), world.Record{"UpdatedAt": c.world.Now()})
	if t.Change(world.KindCloudConnector, id, change) == nil {
		return nil, noConnector(id)
	}
	return world.Record{"CloudConnectorId": id}, nil
}

func (c *call) deleteCloudConnector(t *world.Tables, in request) (any, error) {
	id := in.text("CloudConnectorId")
	if !t.Delete(world.KindCloudConnector, id) {
		return nil, noConnector(id)
	}
	return world.Record{"CloudConnectorId": id}, nil
}

func (c *call) getCloudConnector(t *world.Tables, in request) (any, error) {
	r, ok := t.Get(world.KindCloudConnector, in.text("CloudConnectorId"))
	if !ok {
		return nil, noConnector(in.text("CloudConnectorId"))
	}
	return r, nil
}

// azure is the configuration of a connector.
func azure(r request) request { return r.object("Configuration").object("AzureConfiguration") }

// subscriptions are the ids that a connector is for; none is all of its tenant.
func subscriptions(r request) []string {
	var ids []string
	for _, s := range azure(r).object("Targets").objects("Subscriptions") {
		ids = append(ids, s.text("Id"))
	}
	return ids
}

func (c *call) listCloudConnectors(t *world.Tables, in request) (any, error) {
	list, err := sift(t.All(world.KindCloudConnector), in.filters("Filters", "FilterKey", "FilterValues", ""), "ValidationException", func(r world.Record, key string) ([]string, bool) {
		if key == "TenantId" {
			return []string{azure(r).text("TenantId")}, true
		}
		if ids := subscriptions(r); len(ids) > 0 {
			return ids, true
		}
		return []string{"NONE"}, true
	})
	if err != nil {
		return nil, err
	}
	return c.listing("ListCloudConnectors", "CloudConnectors", "CloudConnectorId", list, in, 50)
}

// validateCloudConnector finds everything in order.
func (c *call) validateCloudConnector(t *world.Tables, in request) (any, error) {
	r, ok := t.Get(world.KindCloudConnector, in.text("CloudConnectorId"))
	if !ok {
		return nil, noConnector(in.text("CloudConnectorId"))
	}
	tenant := azure(r).text("TenantId")
	list := []world.Record{{
		"Type": "INFO", "Code": "TenantSummary", "Message": "The tenant is accessible.", "Scope": world.Record{"Type": "azure:tenant", "Id": tenant}, "key": tenant,
	}}
	for _, id := range slices.Sorted(slices.Values(subscriptions(r))) {
		list = append(list, world.Record{
			"Type": "INFO", "Code": "SubscriptionAccessible", "Message": "The subscription is accessible.",
			"Scope": world.Record{"Type": "azure:subscription", "Id": id}, "key": id,
		})
	}
	return c.listing("ValidateCloudConnector", "ValidationFindings", "key", list, in, 50)
}
