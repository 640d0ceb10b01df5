package world

import (
	"slices"
	"time"
)

// PatchSpec is what the last patching of a node found.
type PatchSpec struct {
	Never         bool          `yaml:"never"`    // the node was never scanned
	Baseline      string        `yaml:"baseline"` // pb-…; the one that counts for the node when absent
	Group         string        `yaml:"group"`    // the patch group; that of the tags when absent
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

// PatchingSpec is how patching goes in a scenario.
type PatchingSpec struct {
	// Fail are patches that cannot be installed, in the forms that lists of
	// baselines take: KB5034439, kernel.
	Fail []string `yaml:"fail"`
	// Broken are nodes on which patching fails altogether.
	Broken []string `yaml:"broken"`
	// FailPercent of installations fail, always the same.
	FailPercent int `yaml:"fail_percent"`
	// Pace is how long one patch takes, Reboot how long a system is away.
	Pace   time.Duration  `yaml:"pace"`
	Reboot *time.Duration `yaml:"reboot"` // 200ms
}

func (c *checker) patch(i int, n *NodeSpec) {
	p := n.Patch
	if p == nil {
		return
	}
	path := at("nodes", i, "patch")
	fill(&p.Operation, "Scan")
	c.match(append(path, "baseline"), p.Baseline, `(pb-[0-9a-f]{17})?`)
	c.oneOf(append(path, "operation"), p.Operation, "Scan", "Install")
	for key, v := range map[string]int{
		"installed": p.Installed, "installed_other": p.Other, "installed_rejected": p.Rejected, "pending_reboot": p.PendingReboot,
		"missing": p.Missing, "failed": p.Failed, "not_applicable": p.NotApplicable, "critical": p.Critical, "security": p.Security,
	} {
		if v < 0 || v > mostCounted {
			c.failf(append(path, key), "%s: is not from 0 to %d", key, mostCounted)
		}
	}
	if p.Ended < 0 {
		c.failf(append(path, "ended"), "ended: must not be negative")
	}
}

// mostCounted bounds the counts of a scenario.
const mostCounted = 1000

func (c *checker) patching() {
	p := &c.sc.Patching
	if p.Reboot == nil {
		p.Reboot = ptr(200 * time.Millisecond)
	}
	if p.FailPercent < 0 || p.FailPercent > 100 {
		c.failf(at("patching", "fail_percent"), "fail_percent: %d is not from 0 to 100", p.FailPercent)
	}
	for key, d := range map[string]time.Duration{"pace": p.Pace, "reboot": *p.Reboot} {
		if d < 0 {
			c.failf(at("patching", key), "%s: must not be negative", key)
		}
	}
	for _, id := range p.Broken {
		if !slices.ContainsFunc(c.sc.Nodes, func(n NodeSpec) bool { return n.ID == id }) {
			c.failf(at("patching", "broken"), "broken: there is no node %s", id)
		}
	}
}
