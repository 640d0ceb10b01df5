package connect

import (
	"io"
	"sync"

	"github.com/ssmdeck/ssmdeck/commands/escapekeys"
)

// typist passes what a person types to a session. Reading goes on while the
// session is stuck, so that the way out (~.) is always seen; what was typed
// meanwhile waits, however much it is, for nothing typed may be lost.
type typist struct {
	esc     escapekeys.Filter
	session io.Writer
	keys    io.Reader
	act     func(escapekeys.Action) // does what an escape asks for, while no key is read
	passing func([]byte)            // sees what is passed on, before it is; may be nil

	mu     sync.Mutex
	cond   *sync.Cond
	queue  []byte
	total  int64 // bytes typed into the session so far
	closed bool  // no more will be queued
	left   bool  // the person left
	wg     sync.WaitGroup
}

// start copies keys to the session until keys ends or the person leaves. onPanic
// is deferred in the goroutines it starts.
func (t *typist) start(onPanic func()) {
	t.cond = sync.NewCond(&t.mu)
	t.wg.Add(2)
	go func() {
		defer t.wg.Done()
		defer onPanic()
		t.read()
	}()
	go func() {
		defer t.wg.Done()
		defer onPanic()
		t.write()
	}()
}

// wait waits for both goroutines and reports whether the person left. The reader
// must have been cancelled and the session ended, or they never will.
func (t *typist) wait() (left bool) {
	t.wg.Wait()
	return t.left
}

// typed returns how many bytes were typed into the session so far, whether it
// has taken them or not.
func (t *typist) typed() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

func (t *typist) read() {
	buf := make([]byte, 4096)
	for {
		n, err := t.keys.Read(buf)
		for _, k := range t.esc.Read(buf[:n]) {
			t.pass(k.Pass)
			if k.Do == escapekeys.Leave {
				t.close(true)
				t.act(escapekeys.Leave)
				return
			}
			if k.Do != escapekeys.Nothing {
				t.act(k.Do)
			}
		}
		if err != nil {
			t.pass(t.esc.Rest())
			t.close(false)
			return
		}
	}
}

func (t *typist) pass(keys []byte) {
	if len(keys) == 0 {
		return
	}
	if t.passing != nil {
		t.passing(keys)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, keys...)
	t.total += int64(len(keys))
	t.cond.Signal()
}

func (t *typist) close(left bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed, t.left = true, left
	t.cond.Signal()
}

func (t *typist) write() {
	for {
		t.mu.Lock()
		for len(t.queue) == 0 && !t.closed {
			t.cond.Wait()
		}
		typed := t.queue
		t.queue = nil
		ended := len(typed) == 0 || t.left
		t.mu.Unlock()
		if ended {
			return
		}
		if _, err := t.session.Write(typed); err != nil {
			return
		}
	}
}
