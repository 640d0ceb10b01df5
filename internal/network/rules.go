package network

import "slices"

// covers reports whether a rule is about TCP on a port.
func (r Rule) covers(port int) bool {
	switch r.Protocol {
	case "-1":
		return true
	case "tcp", "6":
		return r.From <= port && port <= r.To
	default:
		return false
	}
}

// Admits returns what lets n in on a TCP port: the id of one of its groups, or
// the CIDR block that holds one of its addresses; "" when nothing does.
func (g Group) Admits(n Instance, port int) string {
	for _, r := range g.In { // a group says more than an address: it comes first
		if !r.covers(port) {
			continue
		}
		if i := slices.IndexFunc(r.Groups, func(id string) bool { return slices.Contains(n.Groups, id) }); i >= 0 {
			return r.Groups[i]
		}
	}
	for _, r := range g.In {
		if !r.covers(port) {
			continue
		}
		for _, b := range r.Blocks {
			if slices.ContainsFunc(n.Addresses, b.Contains) {
				return b.String()
			}
		}
	}
	return ""
}

// LetsOut reports whether the group may let its members out to a TCP port of
// something in one of the groups. The address there is not known: any block may
// hold it, and any prefix list.
func (g Group) LetsOut(groups []string, port int) bool {
	return slices.ContainsFunc(g.Out, func(r Rule) bool {
		return r.covers(port) && (len(r.Blocks)+len(r.Lists) > 0 ||
			slices.ContainsFunc(r.Groups, func(id string) bool { return slices.Contains(groups, id) }))
	})
}
