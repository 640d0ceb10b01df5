package control

import "github.com/ssmdeck/ssmdeck/internal/simulator/world"

// The types of resource data syncs.
const (
	syncToDestination = "SyncToDestination"
	syncFromSource    = "SyncFromSource"
)

// maxSyncs is how many syncs of a type an account can have in the simulator; the
// real limit is a quota.
const maxSyncs = 10

func dataSyncOperations() map[string]operation {
	return map[string]operation{
		"CreateResourceDataSync": recorded((*call).createResourceDataSync),
		"UpdateResourceDataSync": recorded((*call).updateResourceDataSync),
		"DeleteResourceDataSync": recorded((*call).deleteResourceDataSync),
		"ListResourceDataSync":   recorded((*call).listResourceDataSync),
	}
}

// syncType is the type that a request means.
func syncType(in request) (string, error) {
	switch kind := in.text("SyncType"); kind {
	case "", syncToDestination:
		return syncToDestination, nil
	case syncFromSource:
		return kind, nil
	default:
		return "", world.Errorf("ResourceDataSyncInvalidConfigurationException", "SyncType %s is not valid. Valid values: %s, %s.", kind, syncToDestination, syncFromSource)
	}
}

func (c *call) createResourceDataSync(t *world.Tables, in request) (any, error) {
	kind, err := syncType(in)
	if err != nil {
		return nil, err
	}
	name, now := in.text("SyncName"), c.world.Now()
	id := kind + " " + name
	switch _, exists := t.Get(world.KindSync, id); {
	case exists:
		return nil, world.Errorf("ResourceDataSyncAlreadyExistsException", "A sync of type %s with the name %s exists already.", kind, name)
	case kind == syncToDestination && !in.has("S3Destination"):
		return nil, world.Errorf("ResourceDataSyncInvalidConfigurationException", "S3Destination is required for type %s.", kind)
	case kind == syncFromSource && !in.has("SyncSource"):
		return nil, world.Errorf("ResourceDataSyncInvalidConfigurationException", "SyncSource is required for type %s.", kind)
	case len(syncsOf(t, kind)) >= maxSyncs:
		return nil, world.Errorf("ResourceDataSyncCountExceededException", "You have exceeded the allowed maximum sync configurations.")
	}
	sync := with(in.take("SyncName", "S3Destination"), world.Record{
		"SyncType": kind, "SyncCreatedTime": now, "SyncLastModifiedTime": now,
		"LastStatus": "Successful", "LastSyncTime": now, "LastSuccessfulSyncTime": now,
	})
	if kind == syncFromSource {
		sync["SyncSource"] = with(in.object("SyncSource"), world.Record{"State": "Enabled"})
	}
	t.Put(world.KindSync, id, sync)
	return empty(), nil
}

// syncsOf returns the syncs of a type, or of all.
func syncsOf(t *world.Tables, kind string) []world.Record {
	return keep(t.All(world.KindSync), func(r world.Record) bool { return kind == "" || textOf(r, "SyncType") == kind })
}

func noSync(kind, name string) error {
	return world.Errorf("ResourceDataSyncNotFoundException", "There is no sync of type %s with the name %s.", kind, name)
}

func (c *call) updateResourceDataSync(t *world.Tables, in request) (any, error) {
	kind, err := syncType(in)
	if err != nil {
		return nil, err
	}
	if kind != syncFromSource {
		return nil, world.Errorf("ResourceDataSyncInvalidConfigurationException", "Only syncs of type %s can be updated.", syncFromSource)
	}
	change := world.Record{
		"SyncSource":           with(in.object("SyncSource"), world.Record{"State": "Enabled"}),
		"SyncLastModifiedTime": c.world.Now(),
	}
	if t.Change(world.KindSync, kind+" "+in.text("SyncName"), change) == nil {
		return nil, noSync(kind, in.text("SyncName"))
	}
	return empty(), nil
}

func (c *call) deleteResourceDataSync(t *world.Tables, in request) (any, error) {
	kind, err := syncType(in)
	if err != nil {
		return nil, err
	}
	if !t.Delete(world.KindSync, kind+" "+in.text("SyncName")) {
		return nil, noSync(kind, in.text("SyncName"))
	}
	return empty(), nil
}

func (c *call) listResourceDataSync(t *world.Tables, in request) (any, error) {
	kind := in.text("SyncType")
	if kind != "" {
		if _, err := syncType(in); err != nil {
			return nil, err
		}
	}
	return c.listing("ListResourceDataSync", "ResourceDataSyncItems", "SyncName", syncsOf(t, kind), in, 50)
}
