package wait

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Group is a sync.WaitGroup whose panics do not end the program: Wait panics with the
// first of them, a *Panicked, in the goroutine that waits. Whoever has a terminal to give
// back recovers it there.
type Group struct {
	// Broken is called as soon as something has panicked, to end the rest; nil: the rest
	// goes on.
	Broken func()

	group sync.WaitGroup
	mu    sync.Mutex
	first *Panicked
}

// Panicked is a panic of another goroutine.
type Panicked struct {
	Value any
	Stack []byte // where it was
}

// Error describes the panic.
func (p *Panicked) Error() string { return fmt.Sprint(p.Value) }

// Go runs f in a goroutine that Wait waits for.
func (g *Group) Go(f func()) {
	g.group.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				g.broke(r)
			}
		}()
		f()
	})
}

func (g *Group) broke(value any) {
	p := NewPanicked(value)
	g.mu.Lock()
	first := g.first == nil
	if first {
		g.first = p
	}
	g.mu.Unlock()
	if first && g.Broken != nil {
		g.Broken()
	}
}

// Wait waits until all have ended, and panics when one of them has.
func (g *Group) Wait() {
	g.group.Wait()
	g.mu.Lock()
	p := g.first
	g.mu.Unlock()
	if p != nil {
		panic(p)
	}
}

// NewPanicked is what was recovered in this goroutine: what comes out of a Group stays what
// it is, with the stack that it has.
func NewPanicked(value any) *Panicked {
	if p, ok := value.(*Panicked); ok {
		return p
	}
	return &Panicked{Value: value, Stack: debug.Stack()}
}
