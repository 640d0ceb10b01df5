package doctor

import (
	"context"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
)

// kept is what a Service has read. Many machines share a VPC and a role, which
// are read once.
type kept struct {
	identity    memo[string, caller]
	preferences memo[string, preferences.Preferences]
	defaultHost memo[string, string]
	profiles    memo[string, *iam.Profile]
	roles       memo[string, *iam.Role]
	rights      memo[string, rights]
	extras      memo[string, rights]
	vpcs        memo[string, network.VPC]
	subnets     memo[string, map[string]network.Subnet]
	tables      memo[string, []network.RouteTable]
	acls        memo[string, []network.ACL]
	endpoints   memo[string, []network.Endpoint]
	groups      memo[string, map[string]network.Group]
}

// caller is who asks.
type caller struct{ account, arn string }

// memo keeps the answers to questions, each asked once at a time. What failed
// because the asking was given up is not kept.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]*answer[V]
}

type answer[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// get returns the answer for key: a kept one, that of somebody who asks already,
// or that of ask.
func (m *memo[K, V]) get(ctx context.Context, key K, ask func() (V, error)) (V, error) {
	for {
		m.mu.Lock()
		a, asked := m.known[key]
		if !asked {
			a = &answer[V]{done: make(chan struct{})}
			if m.known == nil {
				m.known = map[K]*answer[V]{}
			}
			m.known[key] = a
		}
		m.mu.Unlock()
		if asked {
			select {
			case <-a.done:
			case <-ctx.Done():
				var none V
				return none, ctx.Err()
			}
			if a.err == nil || ctx.Err() != nil || !gaveUp(a.err) {
				return a.value, a.err
			}
			continue // whoever asked gave up, and has forgotten the answer
		}
		a.value, a.err = ask()
		if gaveUp(a.err) {
			m.mu.Lock()
			delete(m.known, key)
			m.mu.Unlock()
		}
		close(a.done)
		return a.value, a.err
	}
}
