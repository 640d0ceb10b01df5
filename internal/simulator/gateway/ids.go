package gateway

import "slices"

// IDs returns the ids of the sessions that are not over, sorted.
func (g *Gateway) IDs() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	over := map[string]bool{}
	for _, id := range g.ended {
		over[id] = true
	}
	ids := make([]string, 0, len(g.sessions))
	for id := range g.sessions {
		if !over[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
