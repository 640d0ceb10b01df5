package world

import "time"

// PatchSpec is what the last patching of a node found before the simulator
// started. A node without it was scanned at the last midnight, with numbers made
// from its id.
type PatchSpec struct {
	Never         bool          `yaml:"never"`     // it was never scanned
	Operation     string        `yaml:"operation"` // Scan (default), Install
	Ended         time.Duration `yaml:"ended"`     // ago
	Installed     int           `yaml:"installed"`
	Other         int           `yaml:"installed_other"`
	PendingReboot int           `yaml:"pending_reboot"`
	Missing       int           `yaml:"missing"`
	Failed        int           `yaml:"failed"`
	// Of those missing, so many are critical and so many are for security.
	Critical int `yaml:"critical"`
	Security int `yaml:"security"`
}

// state is what was found, for a world that started then.
func (p PatchSpec) state(started time.Time) PatchState {
	end := started.Add(-p.Ended).Truncate(time.Second)
	return PatchState{
		Operation: p.Operation, Start: end.Add(-90 * time.Second), End: end, Installed: p.Installed, Other: p.Other,
		PendingReboot: p.PendingReboot, Missing: p.Missing, Failed: p.Failed, Critical: p.Critical, Security: p.Security,
	}
}

// installed is s after all that was missing was installed.
func (s PatchState) installed() PatchState {
	s.Installed, s.Missing, s.Failed, s.PendingReboot, s.Critical, s.Security = s.Installed+s.Missing+s.Failed+s.PendingReboot, 0, 0, 0, 0, 0
	return s
}

func (c *checker) patch(i int, n *NodeSpec) {
	p := n.Patch
	if p == nil {
		return
	}
	path := at("nodes", i, "patch")
	fill(&p.Operation, "Scan")
	c.oneOf(append(path, "operation"), p.Operation, "Scan", "Install")
	for key, v := range map[string]int{
		"installed": p.Installed, "installed_other": p.Other, "pending_reboot": p.PendingReboot,
		"missing": p.Missing, "failed": p.Failed, "critical": p.Critical, "security": p.Security,
	} {
		if v < 0 {
			c.failf(append(path, key), "%s: must not be negative", key)
		}
	}
	switch {
	case p.Ended < 0:
		c.failf(append(path, "ended"), "ended: must not be negative")
	case p.Critical > p.Missing || p.Security > p.Missing:
		c.failf(path, "patch: more are critical or for security than are missing")
	case p.Never && *p != (PatchSpec{Never: true, Operation: p.Operation}):
		c.failf(path, "patch: a node that was never scanned has no numbers")
	}
}
