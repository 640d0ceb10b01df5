package network

import (
	"net/netip"
	"slices"
)

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

// LetsOutTo reports whether one of groups lets its members out to a TCP port of
// a peer: an address range, or the Internet, or something in peerGroups. Prefix
// lists may hold any address.
func LetsOutTo(groups []Group, port int, peer netip.Prefix, peerGroups []string) bool {
	fits := func(b netip.Prefix) bool {
		if peer == Internet {
			return b.Addr().Is4() && !b.Addr().IsPrivate()
		}
		return b.Overlaps(peer)
	}
	return slices.ContainsFunc(groups, func(g Group) bool {
		return slices.ContainsFunc(g.Out, func(r Rule) bool {
			return r.covers(port) && (len(r.Lists) > 0 || slices.ContainsFunc(r.Blocks, fits) ||
				slices.ContainsFunc(r.Groups, func(id string) bool { return slices.Contains(peerGroups, id) }))
		})
	})
}

// AdmitsBlock reports whether the group lets a whole address range in on a TCP
// port.
func (g Group) AdmitsBlock(block netip.Prefix, port int) bool {
	return slices.ContainsFunc(g.In, func(r Rule) bool {
		return r.covers(port) && slices.ContainsFunc(r.Blocks, func(b netip.Prefix) bool { return b.Bits() <= block.Bits() && b.Contains(block.Addr()) })
	})
}
