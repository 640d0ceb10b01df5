package world

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// The states of access requests on the wire.
const (
	AccessPending  = "Pending"
	AccessApproved = "Approved"
	AccessRejected = "Rejected"
	AccessRevoked  = "Revoked"
	AccessExpired  = "Expired"
)

// AccessRequest is a request for just-in-time access to nodes.
type AccessRequest struct {
	ID      string // oi-…: it is an OpsItem
	Owner   string // ARN
	Reason  string
	Nodes   []string
	Created time.Time
	Decided time.Time // zero while pending
	Status  string    // Access… constants
}

// RequestAccess records a new request.
func (w *World) RequestAccess(owner, reason string, nodes []string) (AccessRequest, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range nodes {
		if _, ok := w.nodes[id]; !ok {
			return AccessRequest{}, Errorf("ResourceNotFoundException", "Node %s does not exist.", id)
		}
	}
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	r := &AccessRequest{
		ID: "oi-" + hex.EncodeToString(b[:]), Owner: owner, Reason: reason, Nodes: slices.Clone(nodes),
		Created: w.now(), Status: AccessPending,
	}
	w.access[r.ID] = r
	w.decide(r)
	return *r, nil
}

// decide lets time pass for a request. Callers hold w.mu.
func (w *World) decide(r *AccessRequest) {
	spec, now := w.sc.Access, w.now()
	if at := r.Created.Add(spec.DecideAfter); r.Status == AccessPending && spec.Outcome != "pending" && !now.Before(at) {
		r.Status, r.Decided = AccessApproved, at
		if spec.Outcome == "rejected" {
			r.Status = AccessRejected
		}
	}
	if r.Status == AccessApproved && !now.Before(r.Decided.Add(spec.ApprovalTTL)) {
		r.Status = AccessExpired
	}
}

// DecideAccess sets the state of a request, as an approver does.
func (w *World) DecideAccess(id, status string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.access[id]
	if !ok {
		return Errorf("ResourceNotFoundException", "Access request %s does not exist.", id)
	}
	r.Status, r.Decided = status, w.now()
	return nil
}

// AccessRequest returns a request as it is now.
func (w *World) AccessRequest(id string) (AccessRequest, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.access[id]
	if !ok {
		return AccessRequest{}, Errorf("ResourceNotFoundException", "Access request %s does not exist.", id)
	}
	w.decide(r)
	return *r, nil
}

// AccessRequests returns all requests, the latest first.
func (w *World) AccessRequests() []AccessRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []AccessRequest
	for _, r := range w.access {
		w.decide(r)
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b AccessRequest) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// NeedsAccess reports whether sessions to a node need an approved request.
func (w *World) NeedsAccess(node string) bool { return slices.Contains(w.sc.Access.Nodes, node) }
