package run

import (
	"maps"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Repeat is what was run before on some nodes. Params may hold secrets: they are
// read from the service and kept nowhere.
type Repeat struct {
	Document, Version string
	Params            map[string][]string
	Timeout           int // seconds for delivery
	NodeIDs           []string
}

// Again makes a request that repeats a run, as far as the service remembers it,
// on those of its nodes for which pick says so. The selection is the caller's to
// make, of NodeIDs. Limits, comment and where the output goes are those of the
// run; notifications are not repeated.
func Again(r Run, board *Board, pick func(Row) bool) Request {
	var req Request
	if len(r.Commands) == 0 {
		return req
	}
	nodes := make(map[string][]string) // by command
	for row := range board.Rows() {
		if row.CommandID != "" && pick(row) {
			nodes[row.CommandID] = append(nodes[row.CommandID], row.NodeID)
		}
	}
	for _, c := range r.Commands {
		if len(nodes[c.ID]) > 0 {
			req.repeat(c, nodes[c.ID])
		}
	}
	first := r.Commands[0]
	req.Comment = first.Comment
	req.S3Bucket, req.S3Prefix, req.LogGroup = first.S3Bucket, first.S3Prefix, first.LogGroup
	if len(r.Commands) == 1 { // of several each had a share of the limits
		req.Concurrency, req.MaxErrors = first.MaxConcurrency, first.MaxErrors
	}
	return req
}

// repeat adds nodes to what is repeated in the same way.
func (r *Request) repeat(c Command, ids []string) {
	for i := range r.Again {
		a := &r.Again[i]
		if a.Document == c.Document && a.Version == c.DocumentVersion && a.Timeout == c.TimeoutSeconds &&
			maps.EqualFunc(a.Params, c.Params, slices.Equal[[]string]) {
			a.NodeIDs = append(a.NodeIDs, ids...)
			return
		}
	}
	r.Again = append(r.Again, Repeat{
		Document: c.Document, Version: c.DocumentVersion, Params: c.Params, Timeout: c.TimeoutSeconds, NodeIDs: ids,
	})
}

// NodeIDs are the ids of all nodes of what is repeated.
func (r Request) NodeIDs() []string {
	var ids []string
	seen := make(map[string]bool)
	for _, a := range r.Again {
		for _, id := range a.NodeIDs {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// again cuts a request that repeats into sends, by ids.
func (p plan) again(r Request) (plan, error) {
	byID := make(map[string]fleet.Node)
	for _, n := range recipients(r.Selection) {
		byID[n.ID] = n
	}
	for _, a := range r.Again {
		var nodes []fleet.Node
		for _, id := range a.NodeIDs {
			if n, ok := byID[id]; ok {
				nodes = append(nodes, n)
			}
		}
		p.byID(send{request: r, document: a.Document, version: a.Version, params: a.Params, timeout: a.Timeout}, nodes)
	}
	return p.numbered(r)
}
