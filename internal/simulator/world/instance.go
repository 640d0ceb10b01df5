package world

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The states of an EC2 instance.
const (
	StatePending      = "pending"
	StateRunning      = "running"
	StateShuttingDown = "shutting-down"
	StateTerminated   = "terminated"
	StateStopping     = "stopping"
	StateStopped      = "stopped"
)

// stateCodes are the numbers that go with them.
var stateCodes = map[string]int{
	StatePending: 0, StateRunning: 16, StateShuttingDown: 32, StateTerminated: 48, StateStopping: 64, StateStopped: 80,
}

// Instance is a node of the scenario as EC2 knows it: also one that Systems
// Manager has never heard of.
type Instance struct {
	NodeSpec
	Tags       map[string]string // as they are now, with Name
	StateCode  int
	LaunchTime time.Time
}

// managed reports whether Systems Manager knows the node.
func (n NodeSpec) managed() bool { return n.Managed == nil || *n.Managed }

// Instances returns the EC2 instances in the order of their ids; of ids alone
// where some are given. It refuses ids that do not exist.
func (w *World) Instances(ids []string) ([]Instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(ids) == 0 {
		ids = slices.Sorted(maps.Keys(w.instances))
	}
	all := make([]Instance, 0, len(ids))
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		n, ok := w.instances[id]
		if !ok {
			return nil, Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
		}
		all = append(all, w.instance(n))
	}
	return all, nil
}

// instance is n as EC2 knows it. Callers hold w.mu.
func (w *World) instance(n *Node) Instance {
	i := Instance{NodeSpec: n.spec, Tags: maps.Clone(n.Tags), StateCode: stateCodes[n.State], LaunchTime: n.Launched}
	i.State, i.Name = n.State, n.Name
	return i
}

// ChangeInstanceTags sets and removes tags of instances, all or none. A removal
// with a value is for tags of that value only; a nil value is for any.
func (w *World) ChangeInstanceTags(ids []string, set map[string]string, remove map[string]*string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := map[string]map[string]string{}
	for _, id := range ids {
		n, ok := w.instances[id]
		if !ok {
			return Errorf("InvalidID", "The ID '%s' is not valid", id)
		}
		tags := maps.Clone(n.Tags)
		maps.Copy(tags, set)
		for k, v := range remove {
			if v == nil || tags[k] == *v {
				delete(tags, k)
			}
		}
		if len(tags) > maxTags {
			return Errorf("TagLimitExceeded", "The maximum number of tags for this resource has been reached")
		}
		next[id] = tags
	}
	for id, tags := range next {
		n := w.instances[id]
		n.Tags, n.Name = tags, tags["Name"]
	}
	return nil
}

// instanceChecks are the parts of a node that only EC2 knows.
func (c *checker) instance(i int, n *NodeSpec) {
	p := func(key string) []any { return at("nodes", i, key) }
	if strings.HasPrefix(n.ID, "mi-") || n.ResourceType == "ManagedInstance" {
		switch {
		case n.State != "" && !strings.HasPrefix(n.ID, "i-"), n.Managed != nil && !*n.Managed:
			c.failf(at("nodes", i), "%s is no EC2 instance: it has no state, and is managed", n.ID)
		}
		return
	}
	fill(&n.State, StateRunning)
	if stateCodes[n.State] == 0 && n.State != StatePending {
		c.failf(p("state"), "state: %q is not one of pending, running, stopping, stopped, shutting-down, terminated", n.State)
	}
	fill(&n.AZ, c.sc.Region+string(rune('a'+i%3)))
	c.match(p("az"), n.AZ, `[a-z]{2}(-[a-z]+)+-[0-9][a-z]`)
	fill(&n.Image, fmt.Sprintf("ami-0%016x", spread(n.Platform+n.PlatformVersion)))
	c.match(p("image"), n.Image, `ami-([0-9a-f]{8}|[0-9a-f]{17})`)
	if n.Launch < 0 {
		c.failf(p("launch"), "launch: must not be negative")
	}
}
