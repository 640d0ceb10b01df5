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
	known map[string]*pooled
	order []string // used last at the end
}

// pooled is a machine that the first who wants it makes, while others go on.
type pooled struct {
	once    sync.Once
	machine shell.Machine
}

// get returns the machine of a node, made now if it is not kept.
func (p *machinePool) get(key string, build func() shell.Machine) shell.Machine {
	m := p.place(key)
	m.once.Do(func() { m.machine = build() })
	return m.machine
}

// place is where the machine of a node is kept.
func (p *machinePool) place(key string) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.known[key]
	if ok {
		p.order = slices.DeleteFunc(p.order, func(k string) bool { return k == key })
	} else {
		m = &pooled{}
		if p.known == nil {
			p.known = map[string]*pooled{}
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
