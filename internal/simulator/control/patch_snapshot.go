package control

import (
	"encoding/json"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// SnapshotsPath is under which the snapshots of baselines can be read:
// ACCOUNT/REGION/NODE/SNAPSHOT.
const SnapshotsPath = "/simulator/patch-snapshots/"

// getDeployablePatchSnapshot is what the patch documents ask for: the baseline of
// the node, as it is for all who name the same snapshot, to be read at an address of
// this server.
func (c *call) getDeployablePatchSnapshot(t *world.Tables, in request) (any, error) {
	n, ok := c.world.NodeInfo(in.text("InstanceId"))
	if !ok {
		return nil, invalid("Instance " + in.text("InstanceId") + " is not a managed node.")
	}
	id := in.text("SnapshotId")
	b, cut := c.world.Snapshot(t, n, id)
	record := world.Record(in.object("BaselineOverride"))
	if record == nil {
		record, _ = c.world.Baseline(t, b.ID)
	} else {
		os := osOf(in.object("BaselineOverride"))
		if os != n.OperatingSystem() {
			return nil, world.Errorf("UnsupportedOperatingSystem", "The baseline override is for %s, and the node runs %s.", os, n.OperatingSystem())
		}
		if err := checkBaseline(in.object("BaselineOverride"), os); err != nil {
			return nil, err
		}
		b = world.DecodeBaseline(record)
	}
	baseline := world.Record{}
	for name, v := range record {
		if name[0] >= 'A' && name[0] <= 'Z' {
			baseline[name] = v
		}
	}
	product := n.Product()
	content := world.Record{
		"instanceId": n.ID, "snapshotId": id, "accountId": c.world.Account(), "region": c.world.Region(), "patchGroup": n.PatchGroup(),
		"product": product.Name, "operatingSystem": n.OperatingSystem(), "createdTime": dated(cut), "patchBaseline": baseline,
	}
	if n.OperatingSystem() == patches.Windows {
		// Agents of Windows are told what the rules mean.
		list := []world.Record{}
		for _, q := range product.Packages() {
			for _, p := range q.Until(cut) {
				if d := b.Decide(p, cut); d.Status != "" {
					list = append(list, world.Record{"kbNumber": p.KB(), "title": p.Title(""), "deploymentStatus": string(d.Status), "complianceLevel": d.Level})
				}
			}
		}
		content["patches"] = list
	}
	data, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	c.world.PutSnapshotFile(n.ID, id, data)
	return world.Record{
		"InstanceId": n.ID, "SnapshotId": id, "Product": product.Name,
		"SnapshotDownloadUrl": c.base + SnapshotsPath + c.world.Account() + "/" + c.world.Region() + "/" + n.ID + "/" + id,
	}, nil
}
