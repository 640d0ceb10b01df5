package simulator

import (
	"context"
	"slices"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// mostPooled is how many machines of generated nodes are kept. One takes about
// 0.5 MB, and a millisecond to make.
const mostPooled = 64

// machinePool keeps the machines used last.
type machinePool struct {
	mu    sync.Mutex
	known map[string]shell.Machine
	order []string // used last at the end
}

// get returns the machine of a node, made now if it is not kept.
func (p *machinePool) get(key string, build func() shell.Machine) shell.Machine {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.known[key]
	if ok {
		p.order = slices.DeleteFunc(p.order, func(k string) bool { return k == key })
	} else {
		m = build()
		if p.known == nil {
			p.known = map[string]shell.Machine{}
		}
		if len(p.order) == mostPooled {
			delete(p.known, p.order[0])
			p.order = slices.Delete(p.order, 0, 1)
		}
		p.known[key] = m
	}
	p.order = append(p.order, key)
	return m
}

// lazyMachine is a machine that exists while something runs on it, and a little
// longer. What runs keeps it: only who comes after that may find a new one.
type lazyMachine struct {
	key   string
	pool  *machinePool
	build func() shell.Machine
}

// Run runs a script.
func (m lazyMachine) Run(ctx context.Context, c shell.Command, io shell.IO) (int, error) {
	return m.pool.get(m.key, m.build).Run(ctx, c, io)
}

// Start starts an interactive program.
func (m lazyMachine) Start(ctx context.Context, o shell.TTYOptions) (shell.TTY, error) {
	return m.pool.get(m.key, m.build).Start(ctx, o)
}
