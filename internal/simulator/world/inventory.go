package world

import (
	"maps"
	"slices"
	"time"
)

// The inventory types that every node reports.
const (
	InventoryInstance    = "AWS:InstanceInformation"
	InventoryApplication = "AWS:Application"
	InventoryNetwork     = "AWS:Network"
	InventoryService     = "AWS:Service"

	InventoryPatchSummary  = "AWS:PatchSummary"
	InventoryPatches       = "AWS:PatchCompliance"
	InventoryWindowsUpdate = "AWS:WindowsUpdate"
)

// Inventory returns what a node reports of an inventory type, and when it did.
// ok is false for types that nodes do not report by themselves.
func (w *World) Inventory(n Node, kind string) (content []map[string]string, captured time.Time, ok bool) {
	captured = w.now().UTC().Truncate(30 * time.Minute)
	status := "Active"
	if n.Ping != PingOnline {
		captured, status = n.LastPing, "ConnectionLost"
	}
	switch kind {
	case InventoryInstance:
		return []map[string]string{{
			"InstanceId": n.ID, "InstanceStatus": status, "AgentType": "amazon-ssm-agent", "AgentVersion": n.AgentVersion, "ComputerName": n.ComputerName,
			"IpAddress": n.IP, "PlatformName": n.PlatformName, "PlatformType": n.PlatformType(), "PlatformVersion": n.PlatformVersion, "ResourceType": n.ResourceType,
		}}, captured, true
	case InventoryNetwork:
		return []map[string]string{{"Name": "eth0", "IPV4": n.IP, "MacAddress": "0a:00:00:00:00:01"}}, captured, true
	case InventoryApplication:
		return w.applications(n), captured, true
	case InventoryPatchSummary, InventoryPatches, InventoryWindowsUpdate:
		return w.patchInventory(n, kind)
	case InventoryService:
		if n.Platform != "windows" {
			return nil, captured, true
		}
		for _, name := range slices.Sorted(maps.Keys(n.spec.Services)) {
			state := map[bool]string{true: "Running", false: "Stopped"}[n.spec.Services[name] == "active"]
			content = append(content, map[string]string{"Name": name, "DisplayName": name, "ServiceType": "Win32OwnProcess", "Status": state, "StartType": "Automatic"})
		}
		return content, captured, true
	}
	return nil, captured, false
}
