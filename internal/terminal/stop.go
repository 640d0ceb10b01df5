package terminal

import (
	"slices"
	"sync"
)

// holders are the guards that hold a terminal in raw mode now, the latest last. What
// stops the process is about the latest: it is what a person sees.
var holders struct {
	sync.Mutex
	list []*Guard
}

func (g *Guard) holds() {
	holders.Lock()
	defer holders.Unlock()
	holders.list = append(holders.list, g)
	watchStops()
}

func (g *Guard) released() {
	holders.Lock()
	defer holders.Unlock()
	holders.list = slices.DeleteFunc(holders.list, func(h *Guard) bool { return h == g })
}

// holder is the guard that holds a terminal; nil: none is in raw mode.
func holder() *Guard {
	holders.Lock()
	defer holders.Unlock()
	if len(holders.list) == 0 {
		return nil
	}
	return holders.list[len(holders.list)-1]
}

// OnStop tells the guard how to put aside what is drawn while the process stands
// still, for SIGTSTP (a shell's suspend, kill -TSTP) and after a SIGSTOP, which nobody
// can see coming: f takes its picture away, calls pause, which returns when the
// process goes on and the terminal is raw again, and draws everything anew. f is
// called from a goroutine of its own and may leave the rest to others.
//
// Without it the guard leaves raw mode and comes back to it.
func (g *Guard) OnStop(f func(pause func() error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.onStop = f
}

// aside has the face put aside while pause runs; until it has done so, it is told
// nothing more.
func (g *Guard) aside(pause func() error) {
	g.mu.Lock()
	f, told := g.onStop, g.pending != nil
	if !told {
		g.pending = pause
	}
	g.mu.Unlock()
	switch {
	case told:
	case f == nil:
		_ = g.again(g.Cooked())
	default:
		f(func() error { return g.again(g.Cooked()) })
	}
}

// Pause stops the process and its group, as Ctrl-Z does elsewhere, with the terminal
// as it was found; it returns when the process goes on and the terminal is raw again.
func (g *Guard) Pause() error {
	if err := g.Cooked(); err != nil {
		return err
	}
	return g.again(Suspend())
}

func (g *Guard) again(err error) error {
	if raw := g.Raw(); raw != nil {
		return raw
	}
	return err
}
