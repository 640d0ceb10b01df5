package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Interrupts turns signals into cancelled contexts. Ctrl-C cancels the innermost
// one: in the demo's prompt that is the command which runs, not the prompt. A
// second Ctrl-C before it has ended ends the process at once: what is still
// being closed then is not worth waiting for. SIGTERM, SIGHUP and SIGQUIT cancel
// all: a session must be ended, whatever ends us.
type Interrupts struct {
	mu     sync.Mutex
	stack  []*interruptible
	divert func(os.Signal) // gets the signals in place of the stack; nil: nobody
	owed   bool            // divert got one that ends us, too
	spared int             // Ctrl-C is somebody else's
}

type interruptible struct {
	cancel context.CancelFunc
	hit    bool
}

// WatchInterrupts starts to listen; stop ends that and waits for it.
func WatchInterrupts() (i *Interrupts, stop func()) {
	i = &Interrupts{}
	signals := make(chan os.Signal, 4)
	all := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) { // nohup: it must stay so, for us and for programs that we start
		all = append(all, syscall.SIGHUP)
	}
	signal.Notify(signals, all...)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case s := <-signals:
				i.got(s)
			case <-done:
				return
			}
		}
	}()
	return i, func() {
		signal.Stop(signals)
		close(done)
		wg.Wait()
	}
}

func (i *Interrupts) got(s os.Signal) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.divert != nil {
		i.owed = i.owed || s != os.Interrupt && s != syscall.SIGQUIT // which keys send, to the child alone
		i.divert(s)
		return
	}
	if len(i.stack) == 0 || s == os.Interrupt && i.spared > 0 {
		return
	}
	if s != os.Interrupt {
		for _, t := range i.stack {
			t.hit = true
			t.cancel()
		}
		return
	}
	top := i.stack[len(i.stack)-1]
	if top.hit {
		fmt.Fprintln(os.Stderr)
		os.Exit(fault.Interrupted.ExitCode())
	}
	top.hit = true
	top.cancel()
}

// Context returns a context that the next Ctrl-C cancels, until done is called.
func (i *Interrupts) Context(parent context.Context) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(parent)
	t := &interruptible{cancel: cancel}
	i.mu.Lock()
	i.stack = append(i.stack, t)
	i.mu.Unlock()
	return ctx, func() {
		i.mu.Lock()
		for n, other := range i.stack {
			if other == t {
				i.stack = append(i.stack[:n], i.stack[n+1:]...)
				break
			}
		}
		i.mu.Unlock()
		cancel()
	}
}

// Spare has Ctrl-C do nothing here until back is called, because the terminal sends it
// to a program that we have started, too. What ends us still does.
func (i *Interrupts) Spare() (back func()) {
	add := func(n int) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.spared += n
	}
	add(1)
	return func() { add(-1) }
}

// Hand gives all signals to f, which must not block, until back is called. It is
// for a child process, which decides what Ctrl-C means. What ends us meanwhile ends
// the child, and with back everything around what has started it: a dashboard.
func (i *Interrupts) Hand(f func(os.Signal)) (back func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	before := i.divert
	i.divert = f
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.divert = before; before != nil || !i.owed {
			return
		}
		i.owed = false
		for _, t := range i.stack[:max(len(i.stack)-1, 0)] {
			t.hit = true
			t.cancel()
		}
	}
}
