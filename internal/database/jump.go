package database

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/network"
)

// Site is what is known of the nodes and the network around databases.
type Site struct {
	Nodes     []fleet.Node
	Instances map[string]network.Instance // by instance id
	Groups    map[string]network.Group    // by id; nil: they may not be read
	Peers     map[string][]string         // by VPC; nil: they may not be read
	Notes     []string                    // what could not be looked up, and what that means
}

// Route is the node that carries connections to a database, and why it can.
type Route struct {
	Node fleet.Node
	Why  string
}

// standing is where one node stands to a database.
type standing struct {
	node  fleet.Node
	at    network.Instance
	peers bool   // it is in a peered VPC, not in the same
	why   string // what lets it in; "" when nothing is known to
	stuck string // what keeps it from going out
}

// Choose returns the best node for a port of d: online, in the same VPC or a
// peered one, let in by the security groups; the same VPC comes first, then the
// newest agent, then name and id. Without security groups to look at, the VPC
// alone decides. The error, when there is none, says what is missing.
func (s Site) Choose(d Database, port int) (Route, error) {
	op := "find a node for " + d.String()
	vpc := s.VPC(d)
	if vpc == "" {
		return Route{}, fault.New(fault.NotFound, op, "it is in no VPC that is known here").
			WithHint("name a node that reaches it with --via NODE")
	}
	var near, offline []standing
	for _, n := range s.Nodes {
		at, known := s.Instances[n.ID]
		if !known || at.VPC != vpc && !slices.Contains(s.Peers[vpc], at.VPC) {
			continue
		}
		st := standing{node: n, at: at, peers: at.VPC != vpc}
		if n.Offline() {
			offline = append(offline, st)
			continue
		}
		s.judge(&st, d, port)
		near = append(near, st)
	}
	able := slices.DeleteFunc(slices.Clone(near), func(st standing) bool { return st.why == "" || st.stuck != "" })
	switch {
	case len(able) > 0:
		best := slices.MinFunc(able, better)
		return Route{Node: best.node, Why: best.where(vpc) + best.why}, nil
	case len(near) > 0:
		return Route{}, s.shut(op, d, port, near)
	case len(offline) > 0:
		return Route{}, fault.New(fault.Offline, op, "the nodes in %s are offline: %s", vpc, names(offline)).
			WithHint("%s", offline[0].node.OfflineHint())
	}
	return Route{}, fault.New(fault.NotFound, op, "no managed node is in %s, nor in a VPC peered with it", vpc).
		WithHint("name a node that reaches it with --via NODE")
}

// VPC is where d stands: what its service says, or its security groups; "" when
// neither is known.
func (s Site) VPC(d Database) string {
	if d.VPC != "" {
		return d.VPC
	}
	for _, id := range d.Groups {
		if g, ok := s.Groups[id]; ok && g.VPC != "" {
			return g.VPC
		}
	}
	return ""
}

// judge finds what lets a node in.
func (s Site) judge(st *standing, d Database, port int) {
	if s.Groups == nil || len(d.Groups) == 0 {
		st.why = "its security groups are not known"
		return
	}
	for _, id := range d.Groups {
		g := s.Groups[id]
		if by := g.Admits(st.at, port); by != "" {
			if from, ok := s.Groups[by]; ok {
				by = from.String()
			}
			st.why = fmt.Sprintf("%s lets %s in on %d", g, by, port)
			break
		}
	}
	out := slices.ContainsFunc(st.at.Groups, func(id string) bool {
		g, known := s.Groups[id]
		return !known || g.LetsOut(d.Groups, port)
	})
	if !out && len(st.at.Groups) > 0 {
		st.stuck = fmt.Sprintf("its own security groups let nothing out on %d", port)
	}
}

// where is the beginning of a reason.
func (st standing) where(vpc string) string {
	if st.peers {
		return fmt.Sprintf("%s is peered with %s, ", st.at.VPC, vpc)
	}
	return "same VPC " + vpc + ", "
}

func better(a, b standing) int {
	switch {
	case a.peers != b.peers && b.peers:
		return -1
	case a.peers != b.peers:
		return 1
	}
	if c := fleet.CompareAgents(b.node, a.node); c != 0 {
		return c
	}
	if c := strings.Compare(a.node.Name, b.node.Name); c != 0 {
		return c
	}
	return strings.Compare(a.node.ID, b.node.ID)
}

// shut is the error when nodes are there and none is let in. It names the rule
// that is missing, for the best of them.
func (s Site) shut(op string, d Database, port int, near []standing) error {
	slices.SortStableFunc(near, better)
	best := near[0]
	if i := slices.IndexFunc(near, func(st standing) bool { return st.why != "" }); i >= 0 {
		best = near[i]
		return fault.New(fault.NotFound, op, "%s: %s", best.node, best.stuck).
			WithHint("allow TCP %d out to %s there, or name another node with --via NODE", port, d.Groups[0])
	}
	from := best.node.IP
	if len(best.at.Groups) > 0 {
		from = best.at.Groups[0]
	}
	return fault.New(fault.NotFound, op, "its security groups let none of the nodes in on port %d: %s", port, s.listed(near)).
		WithHint("add an inbound rule to %s: TCP %d from %s; or name another node with --via NODE", s.group(d.Groups[0]), port, s.group(from))
}

func (s Site) group(id string) string {
	if g, ok := s.Groups[id]; ok {
		return g.String()
	}
	return id
}

// listed names nodes with their security groups.
func (s Site) listed(list []standing) string {
	var words []string
	for _, st := range list {
		word := st.node.String()
		if len(st.at.Groups) > 0 {
			word += " in " + s.group(st.at.Groups[0])
		}
		words = append(words, word)
	}
	return few(words)
}

func names(list []standing) string {
	var words []string
	for _, st := range list {
		words = append(words, st.node.String())
	}
	return few(words)
}

func few(words []string) string {
	if len(words) <= candidates {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(words[:candidates], ", "), len(words)-candidates)
}
