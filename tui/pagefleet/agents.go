package pagefleet

import (
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// agents is what is known of agent versions, by platform: agents of Linux and Windows
// are released apart.
type agents struct {
	newest map[string]string // the newest that runs in the fleet
	// outdated are the newest of which the service says that there is a newer one. It
	// says so of the nodes that are looked at one by one, and of Linux alone.
	outdated map[string]string
}

// newestAgents are the newest versions that run. A fleet has few versions, and each is
// compared once.
func newestAgents(nodes *feed.Source[fleet.Node]) map[string]string {
	type version struct{ platform, agent string }
	seen, newest := map[version]bool{}, map[string]string{}
	for _, at := range nodes.Places() {
		list, _ := nodes.At(at)
		for i := range list {
			v := version{list[i].Platform, list[i].AgentVersion}
			if seen[v] {
				continue
			}
			seen[v] = true
			if had := newest[v.platform]; fleet.IsVersion(v.agent) && (had == "" || fleet.CompareVersions(v.agent, had) > 0) {
				newest[v.platform] = v.agent
			}
		}
	}
	return newest
}

// learn takes what the service says of one node; true when that is news.
func (a *agents) learn(n fleet.Node) bool {
	had := a.outdated[n.Platform]
	if n.AgentLatest == nil || *n.AgentLatest || !fleet.IsVersion(n.AgentVersion) || had != "" && fleet.CompareVersions(n.AgentVersion, had) <= 0 {
		return false
	}
	if a.outdated == nil {
		a.outdated = map[string]string{}
	}
	a.outdated[n.Platform] = n.AgentVersion
	return true
}

// behind reports whether there is a newer agent than the node's.
func (a *agents) behind(n *fleet.Node) bool {
	if n.AgentLatest != nil && !*n.AgentLatest {
		return true
	}
	newest, outdated := a.newest[n.Platform], a.outdated[n.Platform]
	switch {
	case n.AgentVersion == outdated && outdated != "":
		return true
	case n.AgentVersion == newest && outdated == "" || !fleet.IsVersion(n.AgentVersion):
		return false
	}
	return newest != "" && fleet.CompareVersions(n.AgentVersion, newest) < 0 || outdated != "" && fleet.CompareVersions(n.AgentVersion, outdated) <= 0
}
