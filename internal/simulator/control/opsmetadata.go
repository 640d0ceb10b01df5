package control

import (
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func opsMetadataOperations() map[string]operation {
	return map[string]operation{
		"CreateOpsMetadata": recorded((*call).createOpsMetadata),
		"UpdateOpsMetadata": recorded((*call).updateOpsMetadata),
		"DeleteOpsMetadata": recorded((*call).deleteOpsMetadata),
		"GetOpsMetadata":    recorded((*call).getOpsMetadata),
		"ListOpsMetadata":   recorded((*call).listOpsMetadata),
	}
}

// maxMetadataKeys is how many keys a metadata object can have here.
const maxMetadataKeys = 200

func noOpsMetadata(arn string) error {
	return missing("OpsMetadataNotFoundException", "OpsMetadata object", arn)
}

func (c *call) createOpsMetadata(t *world.Tables, in request) (any, error) {
	tags, err := in.tags("Tags")
	if err != nil {
		return nil, err
	}
	resource := in.text("ResourceId")
	name := strings.Map(func(r rune) rune {
		if r < 128 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./", r) {
			return r
		}
		return '-'
	}, resource)
	arn := c.world.ARN("ssm", "opsmetadata/aws/ssm/"+name+"/appmanager")
	if _, ok := t.Get(world.KindOpsMetadata, arn); ok {
		return nil, world.Errorf("OpsMetadataAlreadyExistsException", "An OpsMetadata object already exists for the selected resource: %s.", resource)
	}
	now := c.world.Now()
	metadata := in["Metadata"]
	if metadata == nil {
		metadata = map[string]any{}
	}
	t.Put(world.KindOpsMetadata, arn, world.Record{
		"OpsMetadataArn": arn, "ResourceId": resource, "Metadata": metadata, "LastModifiedDate": now, "LastModifiedUser": c.caller.ARN,
		"CreationDate": now, "tags": tags,
	})
	return world.Record{"OpsMetadataArn": arn}, nil
}

func (c *call) updateOpsMetadata(t *world.Tables, in request) (any, error) {
	arn := in.text("OpsMetadataArn")
	old, ok := t.Get(world.KindOpsMetadata, arn)
	if !ok {
		return nil, noOpsMetadata(arn)
	}
	if !in.has("MetadataToUpdate") && !in.has("KeysToDelete") {
		return nil, world.Errorf("OpsMetadataInvalidArgumentException", "MetadataToUpdate or KeysToDelete must be given.")
	}
	metadata := map[string]any(maps.Clone(request(old).object("Metadata")))
	for _, key := range in.texts("KeysToDelete") {
		delete(metadata, key)
	}
	maps.Copy(metadata, in.object("MetadataToUpdate"))
	if len(metadata) > maxMetadataKeys {
		return nil, world.Errorf("OpsMetadataKeyLimitExceededException", "The OpsMetadata object exceeds the maximum number of OpsMetadata keys.")
	}
	t.Change(world.KindOpsMetadata, arn, world.Record{"Metadata": metadata, "LastModifiedDate": c.world.Now(), "LastModifiedUser": c.caller.ARN})
	return world.Record{"OpsMetadataArn": arn}, nil
}

func (c *call) deleteOpsMetadata(t *world.Tables, in request) (any, error) {
	if !t.Delete(world.KindOpsMetadata, in.text("OpsMetadataArn")) {
		return nil, noOpsMetadata(in.text("OpsMetadataArn"))
	}
	return empty(), nil
}

// getOpsMetadata pages over the keys.
func (c *call) getOpsMetadata(t *world.Tables, in request) (any, error) {
	r, ok := t.Get(world.KindOpsMetadata, in.text("OpsMetadataArn"))
	if !ok {
		return nil, noOpsMetadata(in.text("OpsMetadataArn"))
	}
	metadata := request(r).object("Metadata")
	keys, token, err := page(c, "GetOpsMetadata", slices.Sorted(maps.Keys(metadata)), func(k string) string { return k }, in.text("NextToken"), in.size(), 10)
	if err != nil {
		return nil, err
	}
	shown := map[string]any{}
	for _, k := range keys {
		shown[k] = metadata[k]
	}
	return world.Record{"ResourceId": r["ResourceId"], "Metadata": shown, "NextToken": token}, nil
}

func (c *call) listOpsMetadata(t *world.Tables, in request) (any, error) {
	list, err := sift(t.All(world.KindOpsMetadata), in.filters("Filters", "Key", "Values", ""), "OpsMetadataInvalidArgumentException", func(r world.Record, key string) ([]string, bool) {
		return []string{textOf(r, key)}, key == "ResourceId" || key == "OpsMetadataArn"
	})
	if err != nil {
		return nil, err
	}
	return c.listing("ListOpsMetadata", "OpsMetadataList", "OpsMetadataArn", list, in, 50)
}
