package world

import (
	"time"
)

// PatchSpec is what the last patching of a node found.
type PatchSpec struct {
	Never         bool          `yaml:"never"`    // the node was never scanned
	Baseline      string        `yaml:"baseline"` // pb-…; that of the platform when absent
	Group         string        `yaml:"group"`    // the patch group
	Operation     string        `yaml:"operation"`
	Ended         time.Duration `yaml:"ended"` // ago
	Installed     int           `yaml:"installed"`
	Other         int           `yaml:"installed_other"`
	Rejected      int           `yaml:"installed_rejected"`
	PendingReboot int           `yaml:"pending_reboot"`
	Missing       int           `yaml:"missing"`
	Failed        int           `yaml:"failed"`
	NotApplicable int           `yaml:"not_applicable"`
	// Of the missing, failed and those waiting for a reboot, so many are of
	// critical, security and other patches.
	Critical int `yaml:"critical"`
	Security int `yaml:"security"`
}

// Scanned is what the scenario says that the last patching of a node found, and
// when it ended; nil where it says nothing.
func (w *World) Scanned(id string) (*PatchSpec, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, known := w.nodes[id]
	if !known || n.spec.Patch == nil {
		return nil, time.Time{}
	}
	return n.spec.Patch, w.started.Add(-n.spec.Patch.Ended).Truncate(time.Second)
}

// baselines are the predefined patch baselines, by platform.
var baselines = map[string]string{
	"linux":   "pb-0be8c61cde3be63f3",
	"windows": "pb-01d3d8b8a5a1f1d2e",
	"macos":   "pb-0c8c5b2d9b6a4f0e1",
}

func (c *checker) patch(i int, n *NodeSpec) {
	p := n.Patch
	if p == nil {
		return
	}
	path := at("nodes", i, "patch")
	fill(&p.Baseline, baselines[n.Platform])
	fill(&p.Operation, "Scan")
	c.match(append(path, "baseline"), p.Baseline, `pb-[0-9a-f]{17}`)
	c.oneOf(append(path, "operation"), p.Operation, "Scan", "Install")
	for key, v := range map[string]int{
		"installed": p.Installed, "installed_other": p.Other, "installed_rejected": p.Rejected, "pending_reboot": p.PendingReboot,
		"missing": p.Missing, "failed": p.Failed, "not_applicable": p.NotApplicable, "critical": p.Critical, "security": p.Security,
	} {
		if v < 0 {
			c.failf(append(path, key), "%s: must not be negative", key)
		}
	}
	if p.Ended < 0 {
		c.failf(append(path, "ended"), "ended: must not be negative")
	}
}
