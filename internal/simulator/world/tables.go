package world

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
)

// Record is a resource as the API describes it: its members by their names on
// the wire, with the values that package model's Fill knows. Members that begin
// with a small letter are ours and never shown. A Record in a table is never
// changed: who changes a resource puts another one.
type Record = map[string]any

// tagsMember is where a Record keeps its tags, as map[string]string.
const tagsMember = "tags"

// Tables hold the resources that are no more than their description: patch
// baselines, maintenance windows, OpsItems and the like. They are only to be had
// from World.Tables.
type Tables struct{ kinds map[string]*table }

type table struct {
	rows  map[string]Record
	order []string // ids, oldest first
}

// tableStore is the Tables and the lock around them. The lock may be held when
// World.mu is taken, and never the other way round.
type tableStore struct {
	mu     sync.Mutex
	tables Tables
}

// Tables calls f with the tables, which nobody else reads or changes meanwhile.
func (w *World) Tables(f func(t *Tables) error) error {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	return f(&w.store.tables)
}

// Get returns a resource.
func (t *Tables) Get(kind, id string) (Record, bool) {
	k, ok := t.kinds[kind]
	if !ok {
		return nil, false
	}
	r, ok := k.rows[id]
	return r, ok
}

// Put adds a resource, or puts it in the place of the one with that id.
func (t *Tables) Put(kind, id string, r Record) {
	if t.kinds == nil {
		t.kinds = map[string]*table{}
	}
	k, ok := t.kinds[kind]
	if !ok {
		k = &table{rows: map[string]Record{}}
		t.kinds[kind] = k
	}
	if _, ok := k.rows[id]; !ok {
		k.order = append(k.order, id)
	}
	k.rows[id] = r
}

// Change puts a copy of a resource with other members; nil removes one. It
// returns the new one, or nil when there is no such resource.
func (t *Tables) Change(kind, id string, members Record) Record {
	old, ok := t.Get(kind, id)
	if !ok {
		return nil
	}
	next := maps.Clone(old)
	for name, v := range members {
		if v == nil {
			delete(next, name)
			continue
		}
		next[name] = v
	}
	t.Put(kind, id, next)
	return next
}

// Delete removes a resource and reports whether it was there.
func (t *Tables) Delete(kind, id string) bool {
	if _, ok := t.Get(kind, id); !ok {
		return false
	}
	k := t.kinds[kind]
	delete(k.rows, id)
	k.order = slices.DeleteFunc(k.order, func(other string) bool { return other == id })
	return true
}

// All returns the resources of a kind, the oldest first.
func (t *Tables) All(kind string) []Record {
	k, ok := t.kinds[kind]
	if !ok {
		return nil
	}
	all := make([]Record, len(k.order))
	for i, id := range k.order {
		all[i] = k.rows[id]
	}
	return all
}

// Keep drops the oldest resources of a kind beyond n.
func (t *Tables) Keep(kind string, n int) {
	k, ok := t.kinds[kind]
	if !ok {
		return
	}
	for len(k.order) > n {
		delete(k.rows, k.order[0])
		k.order = k.order[1:]
	}
}

// PutPolicy keeps a resource policy and returns it with its hash.
func (w *World) PutPolicy(t *Tables, arn, id, policy string) Record {
	sum := sha256.Sum256([]byte(policy))
	r := Record{"PolicyId": id, "PolicyHash": hex.EncodeToString(sum[:]), "Policy": policy, "resource": arn}
	t.Put(KindPolicy, arn+" "+id, r)
	return r
}
